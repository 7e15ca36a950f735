//! What the editor puts in front of what is typed: the blanks of a line that was begun, and those of one
//! that a closing bracket begins. The editor asks whether a cell is whole by its text alone, and says
//! where the cursor is when it paints: so they are known then.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::cell::{closing, indentation};

/// Those of one editor. Clones are the same ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Margins(Arc<Mutex<Margin>>);

#[derive(Debug, Default)]
struct Margin {
    /// Whether a line was begun that was not painted yet.
    is_begun: bool,
    /// What the line begins with that was begun.
    begun: Option<String>,
    closing: Option<Closing>,
}

/// How a line that is blank up to the cursor is to begin if a closing bracket is the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Closing {
    /// How many blanks are there, in characters.
    pub(super) blanks: usize,
    /// What takes their place.
    pub(super) margin: String,
}

impl Margins {
    /// A line is begun.
    pub(super) fn begin(&self) {
        self.lock().is_begun = true;
    }

    /// The cell is painted as it is, with the cursor at this byte.
    pub(super) fn painted(&self, text: &str, cursor: usize) {
        let mut margin = self.lock();
        let before = &text[..cursor];
        if std::mem::take(&mut margin.is_begun) {
            margin.begun = before.strip_suffix('\n').map(indentation);
        }
        let line = before.rsplit('\n').next().unwrap_or_default();
        let is_blank = !line.is_empty() && line.trim().is_empty();
        let closing = if is_blank { closing(before) } else { None };
        let blanks = line.chars().count();
        margin.closing = closing.map(|margin| Closing { blanks, margin });
    }

    /// What the line begins with that was begun, if it is still to be put there.
    pub(super) fn take_begun(&self) -> Option<String> {
        self.lock().begun.take()
    }

    /// A key is pressed: what is put there if that is a closing bracket.
    pub(super) fn take_closing(&self) -> Option<Closing> {
        let mut margin = self.lock();
        margin.begun = None;
        margin.closing.take()
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
        margins.begin();
        margins.painted("if x:\n", 6);
        margins.take_closing();
        assert_eq!(margins.take_begun(), None);
    }

    #[test]
    fn a_closing_bracket_begins_a_blank_line_otherwise() {
        let margins = Margins::default();
        let text = "x = [\n    1,\n    ]";
        let closing = Closing { blanks: 4, margin: String::new() };
        for (cursor, known) in
            [(text.len() - 1, Some(closing)), (text.len(), None), (text.len() - 5, None)]
        {
            margins.painted(text, cursor);
            assert_eq!(margins.take_closing(), known);
            assert_eq!(margins.take_closing(), None);
        }
    }
}
