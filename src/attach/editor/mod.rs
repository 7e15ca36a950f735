//! The line editor at the session's prompt.
//!
//! It has the terminal for itself in a thread, from where it is begun to where it ends, and is taken
//! off for each thing that is to be printed above the line: a new one goes on with the line then.

mod assistant;
mod cell;
mod escape;
mod history;

use std::{
    borrow::Cow,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reedline::{
    Color, ColumnarMenu, DefaultHinter, EditCommand, Emacs, KeyCode, KeyModifiers, MenuBuilder,
    Osc133Markers, Prompt, PromptEditMode, PromptHistorySearch, Reedline, ReedlineEvent,
    ReedlineMenu, Signal, default_emacs_keybindings,
};
use unicode_width::UnicodeWidthStr;

pub(super) use assistant::Assistant;
use assistant::{Checker, Names};
use escape::{BehindEscape, Escaping};
pub(super) use history::SharedHistory;

use super::escape_key::EscapeKey;
use crate::terminal;

/// What stands before the first line of a cell, and before the others.
pub(super) const PROMPT: &str = ">>> ";
pub(super) const MORE: &str = "... ";

/// How soon the editor sees that it is to stop.
const POLL: Duration = Duration::from_millis(10);
const MENU: &str = "names";

/// A cell that is being written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Draft {
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
    /// The escape key was pressed, then this, and the draft stays.
    Escape(Draft, Vec<u8>),
    /// Ctrl-Z was pressed, then this, and the draft stays.
    Suspend(Draft, Vec<u8>),
    /// It was told to stop, and the draft stays.
    Stopped(Draft),
}

/// Tells an editor to stop. Clones are of the same one.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(super) fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What editors have in common.
pub(super) struct Editor {
    history: SharedHistory,
    assistant: Assistant,
    has_colors: bool,
    /// Whether prompts are marked, for terminals that find them.
    has_marks: bool,
    escape: EscapeKey,
}

impl Draft {
    pub(super) fn insert(&mut self, text: &str) {
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
    }

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
    pub(super) fn new(history: SharedHistory, assistant: Assistant, escape: EscapeKey) -> Editor {
        let has_colors = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let has_marks = terminal::takes_marks();
        Editor { history, assistant, has_colors, has_marks, escape }
    }

    /// Whether the person wants colours.
    pub(super) fn has_colors(&self) -> bool {
        self.has_colors
    }

    /// Lets the person go on with the draft; `beside` stands at the right of the first line until the cell
    /// is run. Blocks, and leaves the terminal in raw mode or not.
    pub(super) fn edit(&self, draft: &Draft, beside: String, stop: &Stop) -> io::Result<Edited> {
        let prompt = CellPrompt { beside };
        let indentation = self.assistant.indentation();
        let behind_escape = Arc::default();
        let mut line = self.line_editor(stop, &behind_escape);
        line.run_edit_commands(&[
            EditCommand::InsertString(draft.text.clone()),
            EditCommand::MoveToPosition { position: draft.cursor, select: false },
        ]);
        loop {
            let signal = line.read_line(&prompt)?;
            let draft = || Draft {
                text: line.current_buffer_contents().to_owned(),
                cursor: line.current_insertion_point(),
            };
            return Ok(match signal {
                Signal::Success(text) => Edited::Cell(text),
                Signal::CtrlC => Edited::Cleared,
                Signal::CtrlD => Edited::End,
                Signal::HostCommand(command) if command == escape::STOP => {
                    Edited::Suspend(draft(), escape::take(&behind_escape))
                }
                Signal::HostCommand(_) => Edited::Escape(draft(), escape::take(&behind_escape)),
                Signal::ExternalBreak(_) => match indentation.take() {
                    Some(indentation) => {
                        line.run_edit_commands(&[EditCommand::InsertString(indentation)]);
                        continue;
                    }
                    None => Edited::Stopped(draft()),
                },
                // There are none of another kind.
                _ => Edited::Stopped(draft()),
            });
        }
    }

    fn line_editor(&self, stop: &Stop, behind_escape: &BehindEscape) -> Reedline {
        let mut keys = default_emacs_keybindings();
        let names = ReedlineEvent::UntilFound(vec![
            ReedlineEvent::Menu(MENU.into()),
            ReedlineEvent::MenuNext,
        ]);
        keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, names);
        let menu = ColumnarMenu::default().with_name(MENU).with_marker(PROMPT);
        Reedline::create()
            .with_history(Box::new(self.history.clone()))
            .with_hinter(Box::new(DefaultHinter::default().with_min_chars(2)))
            .with_validator(Box::new(Checker::new(self.assistant.clone(), stop.clone())))
            .with_completer(Box::new(Names::new(self.assistant.clone())))
            .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
            .with_quick_completions(true)
            .with_partial_completions(true)
            .with_edit_mode(Box::new(Escaping::new(
                Emacs::new(keys),
                self.escape,
                behind_escape.clone(),
            )))
            .with_ansi_colors(self.has_colors)
            .with_transient_prompt(Box::new(CellPrompt::default()))
            .with_semantic_markers(self.has_marks.then(Osc133Markers::boxed))
            .use_bracketed_paste(true)
            .with_poll_interval(POLL)
            .with_break_signal(stop.0.clone())
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

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        PROMPT.into()
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
