//! How the program wants keys to be encoded: kitty's keyboard protocol and xterm's modifyOtherKeys.
//! The screen shows nothing of it; a person's terminal is to do so, too, and no longer than that.

use std::fmt::Write;

/// How many settings a program can put on each other, as kitty has it at least.
const MOST_PUSHED: usize = 8;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Keyboard {
    /// The flags that were in force before each push.
    pushed: Vec<u16>,
    /// Those in force.
    flags: u16,
    /// modifyOtherKeys.
    modify_other_keys: u16,
}

impl Keyboard {
    /// `CSI > flags u`
    pub(super) fn push(&mut self, flags: u16) {
        if self.pushed.len() == MOST_PUSHED {
            self.pushed.remove(0);
        }
        self.pushed.push(std::mem::replace(&mut self.flags, flags));
    }

    /// `CSI < count u`
    pub(super) fn pop(&mut self, count: u16) {
        for _ in 0..usize::from(count.max(1)).min(self.pushed.len() + 1) {
            self.flags = self.pushed.pop().unwrap_or(0);
        }
    }

    /// `CSI = flags ; how u`
    pub(super) fn set(&mut self, flags: u16, how: u16) {
        match how {
            0 | 1 => self.flags = flags,
            2 => self.flags |= flags,
            3 => self.flags &= !flags,
            _ => {}
        }
    }

    /// `CSI > 4 ; level m`
    pub(super) fn modify_other_keys(&mut self, level: u16) {
        self.modify_other_keys = level;
    }

    /// Sets another terminal, on which nothing was asked for.
    pub(super) fn dump(&self, out: &mut String) {
        let mut levels = self.pushed.iter().chain([&self.flags]);
        if let Some(first) = levels.next().filter(|&&first| first != 0) {
            let _ = write!(out, "\x1b[={first}u");
        }
        levels.for_each(|flags| {
            let _ = write!(out, "\x1b[>{flags}u");
        });
        if self.modify_other_keys != 0 {
            let _ = write!(out, "\x1b[>4;{}m", self.modify_other_keys);
        }
    }

    /// Sets one back that has the same.
    pub(super) fn restore(&self, out: &mut String) {
        let base = self.pushed.first().copied().unwrap_or(self.flags);
        if !self.pushed.is_empty() {
            let _ = write!(out, "\x1b[<{}u", self.pushed.len());
        }
        if base != 0 {
            out.push_str("\x1b[=0u");
        }
        if self.modify_other_keys != 0 {
            out.push_str("\x1b[>4m");
        }
    }
}
