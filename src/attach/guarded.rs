//! What the terminal's guard is to put back if this process is killed. It is told before the terminal
//! changes, and again once it has changed.

use crate::pty;

/// What the line editor sets while it has the terminal: paste, and the cursor's shape and visibility.
const OF_EDITOR: &str = "\x1b[?2004l\x1b[?25h\x1b[0 q\x1b[m";

/// What the guard was told.
#[derive(Debug, Default)]
pub(super) struct Guarded {
    /// What puts back all that is on the terminal.
    settled: String,
    /// What puts back that and what is on its way there.
    told: String,
    /// What is put back besides.
    always: &'static str,
}

impl Guarded {
    /// Has these sequences written at the end besides, from here on.
    pub(super) fn always(&mut self, sequences: &'static str) {
        self.always = sequences;
        pty::restore_by_guard(format!("{}{sequences}", self.told).as_bytes());
    }

    /// Something is about to be written, and `restoration` puts it back.
    pub(super) fn changes(&mut self, restoration: &str) {
        if restoration == self.settled {
            self.tell(self.settled.clone());
        } else {
            self.tell(format!("{}{restoration}", self.settled));
        }
    }

    /// All is written.
    pub(super) fn settles(&mut self, restoration: String) {
        self.settled = restoration;
        self.tell(self.settled.clone());
    }

    /// The line editor has the terminal.
    pub(super) fn is_edited(&mut self) {
        self.tell(format!("{}{OF_EDITOR}", self.settled));
    }

    fn tell(&mut self, restoration: String) {
        if restoration != self.told {
            pty::restore_by_guard(format!("{restoration}{}", self.always).as_bytes());
            self.told = restoration;
        }
    }
}
