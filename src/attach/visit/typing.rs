//! What the person types where no line is edited: for the program, or to this process.

use std::io;

use super::{Left, MOST_TYPED, Question, Visit};
use crate::{
    attach::{
        keys::{CTRL_Z, Typed},
        told,
    },
    reply::Deed,
    session::rules::payload::Payload,
    terminal,
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

    /// What was typed meanwhile is for the program.
    pub(super) fn read_on(&mut self) -> io::Result<Option<Left>> {
        self.read_from = None;
        let ahead = self.typed_ahead()?;
        Ok(if ahead.is_empty() { None } else { self.typed(&ahead) })
    }

    /// What was read for the editor, and not taken by it, and what was typed since.
    pub(super) fn typed_ahead(&mut self) -> io::Result<Vec<u8>> {
        if !std::mem::take(&mut self.was_edited) {
            return Ok(Vec::new());
        }
        // As it is, where nobody has read it yet.
        let mut unread = vec![0; MOST_TYPED];
        let length = self.input.try_read(&mut unread)?;
        let mut ahead = terminal::typed_ahead();
        ahead.extend(&unread[..length]);
        Ok(ahead)
    }

    pub(super) fn typed(&mut self, bytes: &[u8]) -> Option<Left> {
        let commands = if self.observes { "d?\u{1a}" } else { "dirta?\u{1a}" };
        let all = self.keys.take(bytes, commands);
        for answer in self.keys.take_answers() {
            self.heard(&answer);
        }
        for typed in all {
            let left = match typed {
                Typed::Bytes(bytes) => self.typed_bytes(bytes),
                Typed::Command(command) => self.command(command),
            };
            if left.is_some() {
                return left;
            }
        }
        None
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
        if self.in_hands.asks() {
            self.answer(&bytes);
            return None;
        }
        if self.observes {
            self.wants_stop |= bytes.contains(&(CTRL_Z as u8));
            let leaves = bytes.contains(&CTRL_C) || bytes.contains(&CTRL_D);
            return leaves.then_some(Left::Detached);
        }
        if self.is_at_prompt() {
            // What came when the editor was not there yet.
            self.type_ahead(&bytes);
            return None;
        }
        if !self.is_lead() {
            self.lead();
        }
        let _ = self.typing.send(bytes);
        None
    }

    /// What is typed is for the line.
    pub(super) fn type_ahead(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        self.draft.insert(&text);
    }

    pub(super) fn command(&mut self, command: char) -> Option<Left> {
        self.take_row_off();
        match command {
            't' => self.take_or_give_back(),
            'a' => self.approve_or_not(),
            'd' => return Some(Left::Detached),
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
