//! The window's title (OSC 0 and 2, XTWINOPS 22 and 23) and the hyperlink that is open (OSC 8).

use std::sync::Arc;

/// XTWINOPS 22 keeps this many titles.
const DEEPEST_STACK: usize = 16;
/// A title has at most this many characters.
const LONGEST_TITLE: usize = 1024;

/// The title, the ones put aside, and the hyperlink that what is printed belongs to.
#[derive(Debug, Default)]
pub(super) struct Title {
    pub(super) text: String,
    stack: Vec<String>,
    pub(super) link: Option<Arc<(String, String)>>,
}

impl Title {
    pub(super) fn set(&mut self, text: &str) {
        self.text = text.chars().filter(|c| !c.is_control()).take(LONGEST_TITLE).collect();
    }

    pub(super) fn push(&mut self) {
        if self.stack.len() < DEEPEST_STACK {
            self.stack.push(self.text.clone());
        }
    }

    /// How many titles are put aside.
    pub(super) fn depth(&self) -> usize {
        self.stack.len()
    }

    pub(super) fn pop(&mut self) {
        if let Some(text) = self.stack.pop() {
            self.text = text;
        }
    }
}
