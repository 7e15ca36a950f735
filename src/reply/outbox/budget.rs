//! How what waits for a reply is cut to the reply's budget: a head, a tail, and what is left out.

use super::{Last, Outbox, append, length, place_of};
use crate::reply::{Budget, Content};

/// Of which part of the budget a reply to a poll is, when the last one told of the same work.
const POLL_SHARE: usize = 4;

impl Outbox {
    /// The next reply is to a poll, and the one before told of the same work: it holds less.
    pub fn shorten_for_poll(&mut self) {
        let budget = self.budget / POLL_SHARE;
        if self.length() <= budget {
            return;
        }
        self.fit(budget);
    }

    /// From here on replies have this room, as has what was collected so far.
    pub fn set_budget(&mut self, budget: Budget) {
        let Budget { text, attachments } = budget;
        if self.length() > text || self.head_length > text / 2 {
            self.tell_held();
            self.fit(text);
            self.last = Last::Other;
        }
        (self.budget, self.attachment_room) = (text, attachments);
        self.bound_attachments();
    }

    /// Cuts what was collected to a budget.
    fn fit(&mut self, budget: usize) {
        if self.spill.is_none() && self.length() > budget {
            self.spill = Some(self.all_text());
        }
        let rest = self.cut_head(budget / 2);
        for piece in &rest {
            let Content::Text(text) = piece else { continue };
            // What was left out before is behind it.
            if self.left_out.bytes > 0 {
                self.left_out.add(text);
            } else {
                self.tail_length += length(text);
            }
        }
        let is_left_out =
            |piece: &Content| self.left_out.bytes > 0 && matches!(piece, Content::Text(_));
        let kept = rest.into_iter().filter(|piece| !is_left_out(piece)).collect();
        let tail = std::mem::replace(&mut self.tail, kept);
        self.tail.extend(tail);
        if self.spills() {
            self.trim_tail(budget);
        }
    }

    /// Cuts the head's text to this many characters; returns what was behind.
    fn cut_head(&mut self, most: usize) -> Vec<Content> {
        self.head_full = true;
        self.head_length = 0;
        let mut rest = Vec::new();
        for piece in std::mem::take(&mut self.head) {
            match piece {
                piece if !rest.is_empty() => rest.push(piece),
                Content::Text(mut text) => {
                    let behind = text.split_off(self.end_of_head(&text, most));
                    self.head_length += length(&text);
                    self.head.push(Content::Text(text));
                    if !behind.is_empty() {
                        rest.push(Content::Text(behind));
                    }
                }
                piece => self.head.push(piece),
            }
        }
        rest
    }

    /// How many characters of text have room before something has to be left out.
    pub fn room(&self) -> usize {
        self.budget.saturating_sub(self.length())
    }

    /// Fills the head; returns the text that has no room in it.
    pub(super) fn push_head<'a>(&mut self, text: &'a str) -> &'a str {
        let (fits, rest) = text.split_at(self.end_of_head(text, self.budget / 2));
        self.head_full = !rest.is_empty();
        append(&mut self.head, fits);
        self.head_length += length(fits);
        rest
    }

    /// Where the part of a text ends that has room in a head of this length: behind a line, if it
    /// is not all of the text.
    fn end_of_head(&self, text: &str, most: usize) -> usize {
        let end = place_of(text, most - self.head_length);
        let line = text[..end].rfind('\n').map(|newline| newline + 1);
        let begins_line =
            matches!(self.head.last(), Some(Content::Text(last)) if last.ends_with('\n'));
        match line {
            _ if end == text.len() => end,
            Some(line) => line,
            None if begins_line => 0,
            None => end,
        }
    }

    /// Cuts the tail's text to its part of this budget, at the start of a line where there is
    /// one.
    pub(super) fn trim_tail(&mut self, budget: usize) {
        let mut over = self.tail_length.saturating_sub(budget - budget / 2);
        for piece in &mut self.tail {
            let Content::Text(text) = piece else { continue };
            if over == 0 {
                break;
            }
            let least = place_of(text, over);
            let line = text[least..].find('\n').map(|newline| least + newline + 1);
            // The only line is cut where it must be.
            let end = line.filter(|&end| end < text.len()).unwrap_or(least);
            let cut = &text[..end];
            self.left_out.add(cut);
            let characters = length(cut);
            self.tail_length -= characters;
            over = over.saturating_sub(characters);
            text.drain(..end);
        }
    }
}
