//! The question whether a cell of an agent is to run: what is shown of the cell, and what the keys say
//! that answer it. Pure.

use unicode_width::UnicodeWidthStr;

use super::{
    keys::{PASTE, PASTE_END, length_of},
    told::{client_name, plain},
};
use crate::{
    reply::{MORE, PROMPT},
    session::client::{Decision, ProposalId},
};

/// What asks.
const ASKS: &str = "[repl] Enter runs it, e edits it, x refuses it ";
/// What asks for words to the agent.
const ASKS_WHY: &str = "[repl] refused; why (for the agent, may be empty): ";

/// A cell that waits for the person's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proposal {
    pub(super) id: ProposalId,
    /// The name of the client whose it is.
    pub(super) client: String,
    pub(super) source: String,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// This becomes of the cell.
    Decided(Decision),
    /// It is to be edited.
    Edit,
}

/// The answer as far as it was typed.
#[derive(Debug, Default)]
pub(super) struct Answering {
    /// What the agent is told, where the cell is refused.
    words: Option<String>,
    /// How many cells wait behind this one.
    pub(super) behind: usize,
    in_paste: bool,
    /// What is no answer, and for the person's own line.
    others: Vec<u8>,
}

impl Proposal {
    /// All of it, in lines that can do nothing to a terminal.
    pub(super) fn lines(&self) -> Vec<String> {
        let client = client_name(&self.client);
        let source = self.source.trim_end_matches('\n').split('\n');
        let lines = source.enumerate().map(|(n, line)| {
            let prompt = if n == 0 { PROMPT } else { MORE };
            format!("{prompt}{}", visible(line))
        });
        let first = plain(&format!("[{client}] wants to run:"));
        std::iter::once(first).chain(lines).collect()
    }
}

/// A text with all of it to be seen: what moves the cursor, turns the direction of writing or has no
/// width stands as an escape.
fn visible(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\t' => out.push_str("    "),
            // Unicode's marks and controls of no width, of the direction of text among them.
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}' => {
                out.extend(c.escape_unicode());
            }
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

impl Answering {
    /// Takes keys up to the one that answers. What is behind that, and what was pasted where nothing is
    /// to be written, is no answer.
    pub(super) fn take(&mut self, keys: &[u8]) -> Option<Answer> {
        let mut rest = keys;
        while !rest.is_empty() {
            let length = if self.in_paste {
                let end = rest.windows(PASTE_END.len()).position(|part| part == PASTE_END);
                end.filter(|&at| at > 0).unwrap_or(match end {
                    Some(_) => PASTE_END.len(),
                    None => rest.len(),
                })
            } else {
                match (rest, length_of(rest)) {
                    // A key of its own, an arrow say: its letter is none.
                    ([0x1b, b'[' | b'O', _, ..], Some(2)) => 3,
                    ([0x1b, 0x1b, ..], _) => 1,
                    (_, length) => length.unwrap_or(rest.len()),
                }
            };
            let (key, behind) = rest.split_at(length);
            rest = behind;
            if let Some(answer) = self.one(key) {
                self.others.extend(rest);
                return Some(answer);
            }
        }
        None
    }

    fn one(&mut self, key: &[u8]) -> Option<Answer> {
        if key == PASTE || key == PASTE_END {
            self.in_paste = key == PASTE;
            if self.words.is_none() {
                self.others.extend(key);
            }
            return None;
        }
        match (&mut self.words, key) {
            (None, _) if self.in_paste => self.others.extend(key),
            (None, b"\r" | b"\n") => return Some(Answer::Decided(Decision::Run)),
            (None, b"e" | b"E") => return Some(Answer::Edit),
            (None, b"x" | b"X") => self.words = Some(String::new()),
            (None, _) => {}
            (Some(words), _) if self.in_paste => {
                let text = String::from_utf8_lossy(key);
                words.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
            }
            (Some(words), b"\r" | b"\n") => {
                return Some(Answer::Decided(Decision::Refused(words.trim().to_owned())));
            }
            // Ctrl-C, Esc: not refused after all.
            (Some(_), b"\x03" | b"\x1b") => self.words = None,
            (Some(words), b"\x7f" | b"\x08") => drop(words.pop()),
            // Ctrl-U.
            (Some(words), b"\x15") => words.clear(),
            (Some(words), _) => {
                let text = std::str::from_utf8(key).unwrap_or_default();
                if !text.contains(char::is_control) {
                    words.push_str(text);
                }
            }
        }
        None
    }

    /// Takes what was no answer.
    pub(super) fn take_others(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.others)
    }

    /// What asks, and what was written so far.
    pub(super) fn row(&self) -> String {
        match &self.words {
            None if self.behind == 1 => format!("{ASKS}(1 more waits) "),
            None if self.behind > 1 => format!("{ASKS}({} more wait) ", self.behind),
            None => ASKS.to_owned(),
            Some(words) => format!("{ASKS_WHY}{words}"),
        }
    }

    /// How many rows above the cursor's that begins, on a terminal of so many columns.
    pub(super) fn rows_above(&self, columns: u16) -> usize {
        (self.row().width().max(1) - 1) / usize::from(columns.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(keys: &str) -> (Option<Answer>, String) {
        let mut answering = Answering::default();
        let answer = answering.take(keys.as_bytes());
        (answer, String::from_utf8(answering.take_others()).unwrap())
    }

    fn refused(words: &str) -> Option<Answer> {
        Some(Answer::Decided(Decision::Refused(words.into())))
    }

    #[test]
    fn one_key_answers_and_what_is_behind_it_is_for_the_line() {
        let run = Some(Answer::Decided(Decision::Run));
        assert_eq!(answers("\r"), (run.clone(), String::new()));
        assert_eq!(answers("\rnext\r"), (run, "next\r".into()));
        assert_eq!(answers("e"), (Some(Answer::Edit), String::new()));
        // Others say nothing: nothing runs of what was meant for something else.
        assert_eq!(answers("yn q\x03\x04\x1b\x1b[E\x1bOX\x1b[1;5E\x1bOM é"), (None, String::new()));
    }

    #[test]
    fn what_is_pasted_is_no_answer() {
        assert_eq!(answers("\x1b[200~e\r\x1b[201~"), (None, "\x1b[200~e\r\x1b[201~".into()));
        let mut answering = Answering::default();
        assert_eq!(answering.take(b"\x1b[200~a\r"), None);
        assert_eq!(answering.take(b"\r"), None);
        assert_eq!(answering.take(b"\x1b[201~"), None);
        assert_eq!(answering.take_others(), b"\x1b[200~a\r\r\x1b[201~");
        assert_eq!(answering.take(b"\r"), Some(Answer::Decided(Decision::Run)));
        // One line of words it may be.
        assert_eq!(answers("x\x1b[200~not\rthis\x1b[201~!\r").0, refused("not this!"));
    }

    #[test]
    fn a_refusal_takes_a_line_of_words_which_may_be_empty() {
        assert_eq!(answers("x\r").0, refused(""));
        assert_eq!(answers("xnot thiss\x7f é漢\r").0, refused("not this é漢"));
        assert_eq!(answers("xnonsense\x15no\x1b[D\r").0, refused("no"));
        for back in ["\x03", "\x1b"] {
            let mut answering = Answering::default();
            assert_eq!(answering.take(b"xno"), None);
            assert_eq!(answering.take(back.as_bytes()), None);
            assert_eq!(answering.take(b"e"), Some(Answer::Edit));
        }
        let mut answering = Answering::default();
        assert_eq!((answering.take(b"xwords"), answering.rows_above(40)), (None, 1));
        assert!(answering.row().ends_with(": words"));
    }

    #[test]
    fn how_many_wait_behind_it_is_said_with_what_asks() {
        let row = |behind| Answering { behind, ..Answering::default() }.row();
        assert_eq!(row(0), ASKS);
        assert!(row(1).ends_with("x refuses it (1 more waits) "));
        assert!(row(12).ends_with("x refuses it (12 more wait) "));
        let mut answering = Answering { behind: 2, ..Answering::default() };
        assert_eq!(answering.rows_above(60), 1);
        // The words are the agent's.
        assert_eq!(answering.take(b"xno"), None);
        assert!(answering.row().ends_with(": no"));
    }

    #[test]
    fn all_of_a_cell_is_to_be_seen() {
        let source = "if x:\n\ty = '\x1b[2J\r\u{202e}é'\n".to_owned();
        let proposal = Proposal { id: 1, client: "bot".into(), source };
        assert_eq!(
            proposal.lines(),
            ["[bot] wants to run:", ">>> if x:", r"...     y = '\u{1b}[2J\r\u{202e}é'"]
        );
        let source = "x\n".repeat(1000);
        assert_eq!(Proposal { id: 1, client: String::new(), source }.lines().len(), 1001);
    }
}
