//! The window's title (OSC 0 and 2, XTWINOPS 22 and 23), the directory that it is of (OSC 7) and the
//! hyperlink that is open (OSC 8).

use std::sync::Arc;

use super::scanner::LONGEST_STRING;

/// XTWINOPS 22 keeps this many titles.
const DEEPEST_STACK: usize = 16;
/// A title has at most this many characters.
const LONGEST_TITLE: usize = 1024;

/// The title, the ones put aside, the directory, and the hyperlink that what is printed belongs to.
#[derive(Debug, Default)]
pub(super) struct Title {
    pub(super) text: String,
    stack: Vec<String>,
    /// As an address, `file://host/path`; empty where nothing was said.
    pub(super) directory: String,
    pub(super) link: Option<Arc<(String, String)>>,
}

impl Title {
    pub(super) fn set(&mut self, text: &str) {
        self.text = text.chars().filter(|c| !c.is_control()).take(LONGEST_TITLE).collect();
    }

    /// What is no address is none, and one that was too long was cut.
    pub(super) fn set_directory(&mut self, address: &[u8]) {
        let is_address =
            address.iter().all(u8::is_ascii_graphic) && address.len() < LONGEST_STRING - 8;
        let address = if is_address { address } else { b"" };
        self.directory = String::from_utf8_lossy(address).into_owned();
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
