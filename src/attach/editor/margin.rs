//! What the editor puts in front of what is typed: the blanks of a line that was begun, and those of one
//! that a closing bracket begins; and what a key does by where the cursor is. The editor asks whether a
//! cell is whole by its text alone, and says where the cursor is when it paints: so that is known then, and
//! until the next key.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::cell::{STEP, closing, indentation};

/// Those of one editor. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub(super) struct Margins(Arc<Mutex<Margin>>);

#[derive(Debug, Default)]
struct Margin {
    /// Whether a line was begun that was not painted yet.
    is_begun: bool,
    /// What the line begins with that was begun.
    begun: Option<String>,
    here: Option<Here>,
    /// Whether Enter was pressed in a line of the cell that is not its last one.
    is_divided: bool,
    /// The last key, if nothing was painted since: whether it goes through the history.
    key: Option<bool>,
    /// What was painted last, where the cursor was in it, in bytes, and whether the history put both there.
    text: String,
    cursor: usize,
    is_called_up: bool,
}

/// What stands around the cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Here {
    /// The blanks in front of it, where the line is blank so far.
    pub(super) blanks: String,
    /// What takes their place in front of a closing bracket.
    pub(super) closing: Option<String>,
    /// Whether more than blanks stands in the lines below.
    pub(super) is_amid: bool,
    /// Whether the cell is empty.
    pub(super) is_empty: bool,
}

impl Here {
    fn of(text: &str, cursor: usize) -> Here {
        let (before, behind) = text.split_at(cursor);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let is_blank = !line.is_empty() && line.trim().is_empty();
        Here {
            blanks: if is_blank { line.to_owned() } else { String::new() },
            closing: if is_blank { closing(before) } else { None },
            is_amid: behind.split_once('\n').is_some_and(|(_, below)| !below.trim().is_empty()),
            is_empty: text.is_empty(),
        }
    }

    /// Takes the blanks away that Backspace does: back to the step before, as it takes one character else.
    /// How many those are.
    pub(super) fn step_back(&mut self) -> usize {
        let spaces = self.blanks.len() - self.blanks.trim_end_matches(' ').len();
        let count = match spaces {
            0 => self.blanks.chars().count().min(1),
            _ => spaces.min((self.blanks.chars().count() - 1) % STEP.len() + 1),
        };
        for _ in 0..count {
            self.blanks.pop();
        }
        count
    }
}

impl Margins {
    /// A line is begun.
    pub(super) fn begin(&self) {
        self.lock().is_begun = true;
    }

    /// Enter begins a line whatever the cell is, as it was pressed within it.
    pub(super) fn divide(&self) {
        self.lock().is_divided = true;
    }

    /// Whether Enter does.
    pub(super) fn take_divided(&self) -> bool {
        std::mem::take(&mut self.lock().is_divided)
    }

    /// The cell is painted as it is, with the cursor at this byte.
    pub(super) fn painted(&self, text: &str, cursor: usize) {
        let mut margin = self.lock();
        if std::mem::take(&mut margin.is_begun) {
            margin.begun = text[..cursor].strip_suffix('\n').map(indentation);
        }
        margin.here = Some(Here::of(text, cursor));
        let is_other = margin.text != text;
        if let Some(goes_through) = margin.key.take() {
            margin.is_called_up = goes_through && is_other;
        }
        if is_other {
            text.clone_into(&mut margin.text);
        }
        margin.cursor = cursor;
    }

    /// What a line begins with that is begun where the cursor was painted.
    pub(super) fn next_line(&self) -> String {
        let margin = self.lock();
        indentation(&margin.text[..margin.cursor])
    }

    /// What the line begins with that was begun, if it is still to be put there.
    pub(super) fn take_begun(&self) -> Option<String> {
        self.lock().begun.take()
    }

    /// A key is pressed, which goes through the history or not: what stands where the cursor is, if that
    /// is known.
    pub(super) fn pressed(&self, goes_through: bool) -> Option<Here> {
        let mut margin = self.lock();
        (margin.begun, margin.key, margin.is_divided) = (None, Some(goes_through), false);
        margin.here.take()
    }

    /// That is so behind the key.
    pub(super) fn stands(&self, here: Here) {
        self.lock().here = Some(here);
    }

    /// Whether the cell stands as the history has it, with the cursor where that put it.
    pub(super) fn is_called_up(&self) -> bool {
        self.lock().is_called_up
    }

    fn lock(&self) -> MutexGuard<'_, Margin> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_begun_is_indented_where_the_cursor_is() {
        let margins = Margins::default();
        margins.painted("if x:\n", 6);
        assert_eq!(margins.take_begun(), None);
        margins.begin();
        margins.painted("if x:\n\ny = 1", 6);
        assert_eq!(margins.take_begun().as_deref(), Some("    "));
        margins.painted("if x:\ny = 1", 5);
        assert_eq!(margins.next_line(), "    ");
        margins.begin();
        margins.painted("if x:\n", 6);
        margins.pressed(false);
        assert_eq!(margins.take_begun(), None);
    }

    #[test]
    fn a_closing_bracket_begins_a_blank_line_otherwise() {
        let margins = Margins::default();
        let text = "x = [\n    1,\n    ]";
        for (cursor, known) in
            [(text.len() - 1, Some("")), (text.len(), None), (text.len() - 5, None)]
        {
            margins.painted(text, cursor);
            assert_eq!(margins.pressed(false).unwrap().closing.as_deref(), known);
            assert_eq!(margins.pressed(false), None);
        }
    }

    #[test]
    fn backspace_goes_back_by_steps_where_the_line_is_blank() {
        for (line, counts) in [
            ("        ", &[4, 4, 0][..]),
            ("      ", &[2, 4, 0]),
            ("\t  ", &[2, 1, 0]),
            ("  \t", &[1, 2, 0]),
            ("\u{3000}", &[1, 0]),
            ("   x", &[0]),
        ] {
            let text = format!("if x:\n{line}");
            let mut here = Here::of(&text, text.len());
            for count in counts {
                assert_eq!(here.step_back(), *count, "{line:?}");
            }
        }
    }

    #[test]
    fn it_is_known_whether_lines_stand_below() {
        for (text, cursor, is_amid) in [
            ("a\nb", 1, true),
            ("a\nb", 0, true),
            ("a\nb", 3, false),
            ("a\n", 1, false),
            ("a\n  \n", 1, false),
            ("a", 1, false),
        ] {
            assert_eq!(Here::of(text, cursor).is_amid, is_amid, "{text:?} {cursor}");
        }
    }

    #[test]
    fn what_was_called_up_is_so_until_another_key() {
        let margins = Margins::default();
        let through = |goes_through, text: &str| {
            margins.pressed(goes_through);
            margins.painted(text, 1);
            // Painted once more, with a hint, say.
            margins.painted(text, 1);
            margins.is_called_up()
        };
        margins.painted("", 0);
        assert!(through(true, "a\nb"));
        assert!(through(true, "c\nd"));
        // Within the cell.
        assert!(!through(true, "c\nd"));
        assert!(through(true, "a\nb"));
        assert!(!through(false, "ax\nb"));
    }
}
