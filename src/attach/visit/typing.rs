//! What the person types where no line is edited: for the program, or to this process.

use std::io;

use tokio::time::Instant;

use super::{AHEAD, Feed, Keyboard, Left, Question, Visit};
use crate::{
    attach::{
        feed::CTRL_Z as STOP,
        keys::{CTRL_Z, Typed, length_of},
        told,
    },
    reply::Deed,
    session::{pipeline::Standing, rules::payload::Payload},
};

const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;

impl Visit {
    pub(super) fn end_of_input(&mut self) -> Option<Left> {
        if !self.is_own {
            return Some(Left::Detached);
        }
        let name = &self.name;
        self.outer.fresh_row();
        let question = format!("End the session {name}? y ends it, d detaches, n goes on: ");
        self.outer.print(question.as_bytes());
        self.question = Some(Question::End);
        None
    }

    /// Takes what was typed.
    pub(super) fn typed(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let (Keyboard::Editor { .. }, Some(feed)) = (&self.keyboard, &mut self.feed)
            && !self.keys.is_in_paste()
        {
            feed.came(bytes);
        }
        let commands = if self.observes { "dlo?\u{1a}" } else { "dirtalo?\u{1a}" };
        self.keys.is_asked = self.feed.as_ref().is_some_and(Feed::is_asking);
        let all = self.keys.take(bytes, commands);
        for answer in self.keys.take_answers() {
            self.heard(&answer);
        }
        for typed in all {
            match (typed, &mut self.feed) {
                // It is waited for.
                (Typed::Position(bytes), Some(feed)) => feed.position(&bytes)?,
                (typed, _) => self.ahead.push_back(typed),
            }
        }
        Ok(())
    }

    /// Gives what was typed to whom it is for, as far as that is known.
    pub(super) fn deliver(&mut self) -> io::Result<Option<Left>> {
        // What was pasted and is due.
        self.give(Vec::new())?;
        while let Some(next) = self.ahead.pop_front() {
            let is_editing = matches!(self.keyboard, Keyboard::Editor { .. });
            let is_held = self.read_from.is_some()
                || self.asks_unread.is_some()
                || self.is_at_prompt() && self.editor.is_some();
            let (rest, left) = match next {
                // What comes of it stands above the line.
                next @ Typed::Command(_) if is_editing => {
                    self.stop_editor()?;
                    (Some(next), None)
                }
                // The cell in front of it is to be on its way.
                next @ Typed::Command(_) if self.awaits_reply && self.read_from.is_some() => {
                    (Some(next), None)
                }
                Typed::Command(command) => (None, self.command(command)),
                Typed::Bytes(bytes) if is_editing => (self.give(bytes)?, None),
                Typed::Bytes(mut bytes) if self.question.is_some() => {
                    let behind = bytes.split_off(length_of(&bytes).unwrap_or(bytes.len()));
                    (Some(Typed::Bytes(behind)), self.typed_bytes(bytes))
                }
                Typed::Bytes(bytes) if self.in_hands.asks() => {
                    self.answer(&bytes);
                    (None, None)
                }
                Typed::Bytes(mut bytes) if is_held && !self.observes => {
                    self.wants_stop |= self.read_from.is_none() && self.takes_stop(&mut bytes);
                    (Some(Typed::Bytes(bytes)), None)
                }
                Typed::Bytes(mut bytes) => {
                    let behind = bytes.split_off(self.length_for_program(&bytes));
                    if let Some(feed) = &mut self.feed {
                        bytes.splice(..0, feed.take_begun_paste());
                    }
                    (Some(Typed::Bytes(behind)), self.typed_bytes(bytes))
                }
                // Nobody asks for that any more.
                Typed::Position(_) => (None, None),
            };
            let rest = rest.filter(|rest| rest.length() > 0);
            let is_left = rest.is_some();
            rest.into_iter().for_each(|rest| self.ahead.push_front(rest));
            if left.is_some() || is_left && (is_editing || is_held && self.question.is_none()) {
                return Ok(left);
            }
        }
        Ok(None)
    }

    /// Gives the editor what it may be given; what is left.
    fn give(&mut self, mut bytes: Vec<u8>) -> io::Result<Option<Typed>> {
        if let (Keyboard::Editor { is_stopping: false, .. }, Some(feed)) =
            (&self.keyboard, &mut self.feed)
        {
            feed.give(&mut bytes)?;
        }
        self.wants_stop |= self.takes_stop(&mut bytes);
        Ok(Some(Typed::Bytes(bytes)))
    }

    /// Whether this begins with Ctrl-Z, which it takes out, at the prompt.
    fn takes_stop(&self, bytes: &mut Vec<u8>) -> bool {
        let takes =
            self.feed.as_ref().is_some_and(Feed::takes_more) && bytes.first() == Some(&STOP);
        if takes {
            bytes.remove(0);
        }
        takes
    }

    /// How much of that is for who reads now: where a line is asked for, it is that, and who reads the
    /// next one is not known yet.
    fn length_for_program(&mut self, bytes: &[u8]) -> usize {
        let is_asked = matches!(&self.standing, Standing::Waiting { what, .. } if what == "input");
        match bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')).filter(|_| is_asked) {
            Some(end) => {
                self.read_from = Some(Instant::now() + AHEAD);
                end + 1
            }
            None => bytes.len(),
        }
    }

    pub(super) fn typed_bytes(&mut self, bytes: Vec<u8>) -> Option<Left> {
        if self.question.take() == Some(Question::End) {
            self.outer.print(b"\r\n");
            return match bytes[0] {
                b'y' | b'Y' => {
                    self.handle.shutdown();
                    Some(Left::Ended { status: 0 })
                }
                b'd' | b'D' | CTRL_D => Some(Left::Detached),
                _ => None,
            };
        }
        if self.observes {
            self.wants_stop |= bytes.contains(&(CTRL_Z as u8));
            let leaves = bytes.contains(&CTRL_C) || bytes.contains(&CTRL_D);
            return leaves.then_some(Left::Detached);
        }
        if !self.is_lead() {
            self.lead();
        }
        let is_shown = !matches!(self.standing, Standing::Waiting { echo: false, .. });
        self.given.add(&bytes, is_shown);
        let _ = self.typing.send(bytes);
        None
    }

    pub(super) fn command(&mut self, command: char) -> Option<Left> {
        self.take_row_off();
        match command {
            't' => self.take_or_give_back(),
            'a' => self.approve_or_not(),
            'd' => return Some(Left::Detached),
            'o' => return Some(Left::Rejoins { observes: !self.observes }),
            'l' => return Some(Left::Lists),
            'i' => {
                self.own_deeds.push_back(Deed::Interrupted);
                self.call(Payload::Interrupt(Box::new(Payload::poll())));
            }
            'r' => {
                self.own_deeds.push_back(Deed::Reset);
                self.call(Payload::Reset(Box::new(Payload::poll())));
            }
            CTRL_Z => self.wants_stop = true,
            _ => {
                let lines = told::help(self.escape, self.observes);
                lines.iter().for_each(|line| self.outer.line(line));
            }
        }
        None
    }
}
