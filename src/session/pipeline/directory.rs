//! The working directory of a session's program, as terminals are told it (OSC 7). Pure.

use std::fmt::Write;

use super::{Observer, Pipeline, display::Display};
use crate::session::rules::state::State;

/// The most of an address that terminals can be expected to take, in bytes.
const LONGEST_ADDRESS: usize = 8000;

/// Where the program works.
#[derive(Debug, Default)]
pub(super) struct Directory {
    /// The name of the machine; empty where nobody is to be told.
    machine: String,
    /// Its path; empty while it is unknown.
    path: String,
}

impl Directory {
    /// Its path; empty while it is unknown.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// As terminals are told it, `file://host/path`; `None` where it is not known.
    fn address(&self) -> Option<String> {
        let Directory { machine, path } = self;
        let is_known = !machine.is_empty() && path.starts_with('/');
        let address = || format!("file://{}{}", encoded(machine), encoded(path));
        is_known.then(address).filter(|address| address.len() <= LONGEST_ADDRESS)
    }
}

impl<O: Observer> Pipeline<O> {
    /// The same on a machine of this name, which terminals are told together with the working
    /// directory.
    pub fn on_machine(mut self, name: String) -> Pipeline<O> {
        self.display.directory.machine = name;
        self
    }

    /// The worker tells the program's working directory. While a cell is on its way it is shown at
    /// the cell's end.
    pub(super) fn set_directory(&mut self, path: &str) {
        path.clone_into(&mut self.display.directory.path);
        if matches!(self.session.state(), State::Ready { .. }) {
            self.display.show_directory();
        }
    }
}

impl<O: Observer> Display<O> {
    /// Tells the screen and who looks on where the program works, if that is not what they were told
    /// last, by whomever. It waits for another cell's end while a sequence of a program's is not ended.
    pub(super) fn show_directory(&mut self) {
        let address = self.directory.address().filter(|_| self.screen.is_between_sequences());
        if let Some(address) = address.filter(|address| address != self.screen.directory()) {
            let told = format!("\x1b]7;{address}\x1b\\");
            self.screen.feed(told.as_bytes());
            self.observer.echoed(told.as_bytes());
        }
    }
}

/// Percent-encoded (RFC 3986, 2.1), but for what parts a path.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(byte.into());
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_an_address() {
        let address = |machine: &str, path: &str| {
            Directory { machine: machine.into(), path: path.into() }.address()
        };
        let odd = address("box-1.lan", "/tmp/a b/\u{e9};100%").unwrap();
        assert_eq!(odd, "file://box-1.lan/tmp/a%20b/%C3%A9%3B100%25");
        assert_eq!(address("box", ""), None);
        assert_eq!(address("", "/tmp"), None);
        assert_eq!(address("box", &format!("/{}", "x".repeat(LONGEST_ADDRESS))), None);
    }
}
