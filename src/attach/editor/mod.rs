//! The line editor at the session's prompt.
//!
//! It has the terminal for itself in a thread, from where it is begun to where it ends, and is taken
//! off for each thing that is to be printed above the line: a new one goes on with the line then. What
//! is typed it is given (`feed`), and reads as if it came from standard input.

mod assistant;
mod cell;
mod colors;
mod history;
mod margin;
mod python;
mod taking;

pub(super) use cell::ends_block;
use std::{
    borrow::Cow,
    io,
    sync::{Mutex, PoisonError},
};

use reedline::{
    Color, ColumnarMenu, DefaultHinter, EditCommand, EditMode, Emacs, KeyCode, KeyModifiers,
    Keybindings, MenuBuilder, Osc133Markers, Prompt, PromptEditMode, PromptHistorySearch,
    PromptViMode, Reedline, ReedlineEvent, ReedlineMenu, Signal, Vi, default_emacs_keybindings,
    default_vi_insert_keybindings, default_vi_normal_keybindings, default_vi_visual_keybindings,
};
use unicode_width::UnicodeWidthStr;

pub(super) use assistant::Assistant;
use assistant::{Checker, Names};
use colors::PythonColors;
pub(super) use history::SharedHistory;
use margin::Margins;
pub(super) use taking::Progress;
use taking::{Shown, Taking};

use super::{edit_keys::EditKeys, feed::Texts};
use crate::{
    reply::{MORE, PROMPT},
    terminal,
};

/// The prompt in vi's normal mode; as wide as [`PROMPT`].
const VI_NORMAL: &str = ">>: ";

const MENU: &str = "names";

/// A cell that is being written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    pub(super) text: String,
    /// Where in it the cursor is, in bytes.
    pub(super) cursor: usize,
}

/// How an editor ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edited {
    /// The cell is to be run.
    Cell(String),
    /// It was cleared.
    Cleared,
    /// The end of the input: Ctrl-D on an empty line.
    End,
    /// The draft is to be edited in the person's own editor.
    External(Draft),
    /// It was told to stop, and the draft stays.
    Stopped(Draft),
}

/// What editors have in common.
pub(super) struct Editor {
    history: SharedHistory,
    assistant: Assistant,
    progress: Progress,
    texts: Texts,
    keys: EditKeys,
    /// The mode of vi's keys in which a draft was left.
    mode: Mutex<Option<PromptEditMode>>,
    has_colors: bool,
    /// Whether prompts are marked, for terminals that find them.
    has_marks: bool,
}

impl Draft {
    /// How many rows above the cursor's the prompt begins, on a terminal of so many columns.
    pub(super) fn rows_above(&self, columns: u16) -> usize {
        let columns = usize::from(columns.max(1));
        let before = &self.text[..self.cursor];
        let widths = before.split('\n').map(|line| PROMPT.len() + line.width());
        let rows: Vec<usize> = widths.map(|width| width.max(1).div_ceil(columns)).collect();
        rows.iter().sum::<usize>() - 1
    }
}

impl Editor {
    /// Takes what is pasted or typed in one go from `texts`, and tells `progress` how far it has come.
    pub(super) fn new(
        history: SharedHistory,
        assistant: Assistant,
        texts: Texts,
        progress: Progress,
        keys: EditKeys,
    ) -> Editor {
        let has_colors = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let has_marks = terminal::takes_marks();
        let mode = Mutex::default();
        Editor { history, assistant, progress, texts, keys, mode, has_colors, has_marks }
    }

    /// Whether the person wants colours.
    pub(super) fn has_colors(&self) -> bool {
        self.has_colors
    }

    /// Lets the person go on with the draft, until [`Mark::Stop`](crate::terminal::Mark) of this number
    /// at the latest; `beside` stands at the right of the first line until the cell is run. Blocks.
    pub(super) fn edit(&self, draft: &Draft, beside: String, number: u16) -> io::Result<Edited> {
        let prompt = CellPrompt { beside };
        let mut line = self.line_editor(number);
        line.run_edit_commands(&[
            EditCommand::InsertString(draft.text.clone()),
            EditCommand::MoveToPosition { position: draft.cursor, select: false },
        ]);
        let signal = line.read_line(&prompt)?;
        match signal {
            // It is known when it has ended, and given nothing before.
            Signal::Success(_) | Signal::CtrlC | Signal::CtrlD => self.progress.forget(),
            Signal::HostCommand(ref command) if command == taking::EXTERNAL => {
                self.progress.forget();
            }
            _ => self.progress.tell(),
        }
        let draft = || Draft {
            text: line.current_buffer_contents().to_owned(),
            cursor: line.current_insertion_point(),
        };
        let is_left = matches!(signal, Signal::HostCommand(_));
        *self.mode.lock().unwrap_or_else(PoisonError::into_inner) =
            is_left.then(|| line.prompt_edit_mode());
        Ok(match signal {
            Signal::Success(text) => Edited::Cell(text),
            Signal::CtrlC => Edited::Cleared,
            Signal::CtrlD => Edited::End,
            Signal::HostCommand(command) if command == taking::EXTERNAL => {
                Edited::External(draft())
            }
            // There are none of another kind.
            _ => Edited::Stopped(draft()),
        })
    }

    fn line_editor(&self, number: u16) -> Reedline {
        let names = ReedlineEvent::UntilFound(vec![
            ReedlineEvent::Menu(MENU.into()),
            ReedlineEvent::MenuNext,
        ]);
        let with_names = |mut keys: Keybindings| {
            keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, names);
            for modifiers in [KeyModifiers::NONE, KeyModifiers::SHIFT] {
                keys.add_binding(modifiers, KeyCode::BackTab, ReedlineEvent::MenuPrevious);
            }
            keys
        };
        let mut keys: Box<dyn EditMode> = match self.keys {
            EditKeys::Emacs => Box::new(Emacs::new(with_names(default_emacs_keybindings()))),
            EditKeys::Vi => Box::new(Vi::new(
                with_names(default_vi_insert_keybindings()),
                default_vi_normal_keybindings(),
                default_vi_visual_keybindings(),
            )),
        };
        if let Some(mode) = self.mode.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = keys.handle_mode_specific_event(ReedlineEvent::SwitchMode(mode));
        }
        let menu = ColumnarMenu::default().with_name(MENU).with_marker(PROMPT);
        let is_python = self.assistant.is_python();
        let margins = is_python.then(Margins::default);
        let shown = Shown::default();
        let (assistant, progress) = (self.assistant.clone(), self.progress.clone());
        let taking = Taking {
            keys,
            before: None,
            number,
            progress: progress.clone(),
            texts: self.texts.clone(),
            shown: shown.clone(),
            margins: margins.clone(),
        };
        let colors =
            PythonColors { has_colors: self.has_colors && is_python, margins: margins.clone() };
        Reedline::create()
            .with_highlighter(Box::new(colors))
            .with_history(Box::new(self.history.clone()))
            .with_hinter(Box::new(DefaultHinter::default().with_min_chars(2)))
            .with_validator(Box::new(Checker::new(assistant.clone(), margins)))
            .with_completer(Box::new(Names::new(assistant, progress, shown)))
            .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
            .with_quick_completions(true)
            .with_partial_completions(true)
            .with_edit_mode(Box::new(taking))
            // Else it asks for the directory at each key.
            .with_cwd(Some(String::new()))
            .with_ansi_colors(self.has_colors)
            .with_transient_prompt(Box::new(CellPrompt::default()))
            .with_semantic_markers(self.has_marks.then(Osc133Markers::boxed))
            .use_bracketed_paste(true)
    }
}

/// The prompts of Python.
#[derive(Default)]
struct CellPrompt {
    /// What stands at the right.
    beside: String,
}

impl Prompt for CellPrompt {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        (&*self.beside).into()
    }

    fn get_prompt_right_color(&self) -> Color {
        Color::DarkGray
    }

    fn render_prompt_indicator(&self, mode: PromptEditMode) -> Cow<'_, str> {
        match mode {
            PromptEditMode::Vi(PromptViMode::Normal | PromptViMode::Visual) => VI_NORMAL.into(),
            _ => PROMPT.into(),
        }
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        MORE.into()
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        format!("(search: {}) ", search.term).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_begins_so_many_rows_above_the_cursor() {
        for (text, cursor, rows) in [
            ("", 0, 0),
            ("123456", 6, 0),
            ("1234567", 7, 1),
            ("a\nb", 3, 1),
            ("a\nb", 1, 0),
            ("漢漢漢", 9, 0),
            ("漢漢漢漢", 12, 1),
        ] {
            let draft = Draft { text: text.into(), cursor };
            assert_eq!(draft.rows_above(10), rows, "{text:?} {cursor}");
        }
    }
}
