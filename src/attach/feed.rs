//! What is typed, on its way to the line editor.
//!
//! That is given no more than it is sure to take: it may end at Enter, and what is behind that may be
//! for a program then. So it says when it has come that far and goes on.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::mpsc, time::Instant};

use super::{
    keys::{PASTE, PASTE_END, length_of},
    questions::{Questions, Settled},
};
use crate::{
    pty::EditorInput,
    terminal::{self, Mark},
};

/// How much the editor is given before it says that it has taken that, in bytes: less than what is kept for
/// it.
const MOST: usize = 512;
/// The longest key or sequence, in bytes.
const LONGEST: usize = 64;

/// So much, in bytes and in lines, does not come at once from fingers: a terminal that does not say what
/// is pasted (bracketed paste) sends that. A program that types a long line and Enter does not.
const PASTED: usize = 512;
const PASTED_LINES: usize = 8;
/// The longest pause in it.
const PAUSE: Duration = Duration::from_millis(100);

const ESC: u8 = 0x1b;
const TAB: u8 = b'\t';
/// Ctrl-Z, which is none of the editor's.
pub(super) const CTRL_Z: u8 = 0x1a;
/// Keys at which the editor may end: Ctrl-C, Ctrl-D, Ctrl-J, Enter, and Ctrl-E, which opens an
/// editor behind Ctrl-X, as `v` does with the keys of vi.
const MAY_END: &[u8] = b"\x03\x04\x05\n\rv";

/// What was pasted, or typed in one go, and is on its way. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts(Arc<Mutex<VecDeque<String>>>);

impl Texts {
    fn push(&self, text: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(text);
    }

    /// The next one.
    pub(super) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// Gives the editor what is typed.
#[derive(Debug)]
pub(super) struct Feed {
    input: EditorInput,
    cutter: Cutter,
    texts: Texts,
    /// What it is to say that it has reached.
    asked: Option<u16>,
    reached: mpsc::UnboundedReceiver<u16>,
    last: u16,
    /// The editor that is to stop when it has come that far.
    stops: Option<u16>,
    /// How much of what is kept for it it may not have read, besides keys, in bytes.
    positions: usize,
    questions: Questions,
    /// What a terminal would say whose cursor is in the last row.
    bottom: String,
    /// Until when more comes of what is pasted on a terminal that does not say so.
    pasted_until: Option<Instant>,
}

impl Feed {
    /// For editors that take what is pasted or typed in one go from `texts`, tell `reached`, and count in
    /// `settled` what they ask the terminal and do not wait for.
    ///
    /// # Errors
    /// When there is nothing to be had that can be read in the keyboard's place.
    pub(super) fn new(
        texts: Texts,
        reached: mpsc::UnboundedReceiver<u16>,
        settled: Settled,
    ) -> io::Result<Feed> {
        let (input, cutter) = (terminal::editor_input()?, Cutter::default());
        Ok(Feed {
            input,
            cutter,
            texts,
            asked: None,
            reached,
            last: 0,
            stops: None,
            positions: 0,
            questions: Questions::new(settled, EditorInput::ASKS_TERMINAL),
            bottom: String::new(),
            pasted_until: None,
        })
    }

    /// So much was read of the keyboard at once while it edits.
    pub(super) fn came(&mut self, bytes: &[u8]) {
        let is_pasted = is_pasted(bytes, self.pasted_until.is_some());
        self.pasted_until = is_pasted.then(|| Instant::now() + PAUSE);
        self.cutter.takes_all = is_pasted;
    }

    /// When what is pasted without a word has come.
    pub(super) fn pasted_until(&self) -> Option<Instant> {
        self.pasted_until
    }

    /// It has come.
    pub(super) fn is_pasted(&mut self) {
        (self.pasted_until, self.cutter.takes_all) = (None, false);
    }

    /// Gives it as much of that as may be given now, and takes it out there.
    ///
    /// # Errors
    /// When it can't be given.
    pub(super) fn give(&mut self, typed: &mut Vec<u8>) -> io::Result<()> {
        while self.asked.is_none()
            && let Some(part) = self.cutter.next(typed)
        {
            match part {
                Part::Keys { bytes, asks } => {
                    if bytes.contains(&TAB) {
                        self.questions.may_come(Instant::now());
                    }
                    self.input.give(&bytes)?;
                    if asks && self.cutter.begins(&bytes, typed) {
                        self.ask(Mark::Begun)?;
                    } else if asks {
                        self.ask(Mark::Reached)?;
                    }
                }
                // Key by key the line would be painted as often.
                Part::Text { text, asks } => {
                    self.texts.push(text);
                    self.input.give(Mark::Typed.sequence().as_bytes())?;
                    if asks {
                        self.ask(Mark::Reached)?;
                    }
                }
                Part::Paste(text) => {
                    self.texts.push(text);
                    self.ask(Mark::Pasted)?;
                }
            }
        }
        Ok(())
    }

    /// The terminal has said where its cursor is: gives that to the editor that waits for it.
    ///
    /// # Errors
    /// When it can't be given.
    pub(super) fn position(&mut self, bytes: &[u8]) -> io::Result<()> {
        // More than anybody asks for.
        let is_too_much = self.positions + bytes.len() > MOST;
        let is_bottom = bytes == self.bottom.as_bytes();
        if !self.questions.answered(Instant::now(), is_bottom) || is_too_much {
            return Ok(());
        }
        self.positions += bytes.len();
        self.input.give(bytes)
    }

    /// Whether the terminal may still say where its cursor is, since it was asked.
    pub(super) fn is_asking(&self) -> bool {
        self.questions.are_open()
    }

    /// Whether it may say that to nobody, who is to be there when it comes.
    pub(super) fn is_owed(&self) -> bool {
        self.questions.are_owed()
    }

    /// Whether the terminal does not say where its cursor is. That is to be in the last row when an
    /// editor begins.
    pub(super) fn is_mute(&self) -> bool {
        self.questions.is_mute
    }

    /// Another editor begins, on a terminal of so many rows. Where the cursor is known to be `at_bottom`
    /// it need not wait for the terminal to say so, which may be far away.
    ///
    /// # Errors
    /// When it can't be given anything.
    pub(super) fn begin(&mut self, rows: u16, at_bottom: bool) -> io::Result<()> {
        self.positions = 0;
        self.bottom = format!("\x1b[{rows};1R");
        match self.questions.begin(Instant::now(), at_bottom) {
            true => Ok(()),
            false => self.input.give(self.bottom.as_bytes()),
        }
    }

    /// Until when the terminal is waited for.
    pub(super) fn answered_until(&self) -> Option<Instant> {
        self.questions.until()
    }

    /// The terminal was waited for long enough: the editor is told of the last row, so that nothing that
    /// stands there is painted over.
    ///
    /// # Errors
    /// When it can't be told.
    pub(super) fn is_unanswered(&mut self) -> io::Result<()> {
        self.questions.unanswered();
        self.input.give(self.bottom.as_bytes())
    }

    /// The editor has ended.
    pub(super) fn end(&mut self) {
        self.questions.end();
    }

    /// The terminal has another size, where the editor asks again.
    pub(super) fn resized(&mut self) {
        self.questions.may_come(Instant::now());
    }

    fn ask(&mut self, mark: impl Fn(u16) -> Mark) -> io::Result<()> {
        self.last = self.last % Mark::LAST + 1;
        self.asked = Some(self.last);
        self.input.give(mark(self.last).sequence().as_bytes())
    }

    /// Has the editor of this number stop, once it has taken what it was given, at which it may end. It is
    /// to be given nothing behind that.
    ///
    /// # Errors
    /// When it can't be told.
    pub(super) fn stop(&mut self, number: u16) -> io::Result<()> {
        if self.asked.is_some() {
            // It takes all that has come before it does any of it: it would stop and end.
            self.stops = Some(number);
            return Ok(());
        }
        self.input.give(Mark::Stop(number).sequence().as_bytes())
    }

    /// When it takes more, after it was given something, or is told to stop. Cancel safe.
    ///
    /// # Errors
    /// When it can't be told.
    pub(super) async fn reached(&mut self) -> io::Result<()> {
        while let Some(number) = self.reached.recv().await {
            if self.asked == Some(number) {
                self.is_taken();
                return self.stops.take().map_or(Ok(()), |number| self.stop(number));
            }
        }
        std::future::pending().await
    }

    /// It has taken all that it was given.
    fn is_taken(&mut self) {
        (self.asked, self.cutter.given, self.positions) = (None, 0, 0);
    }

    /// It ended at a key: it was given nothing behind that.
    pub(super) fn is_ended(&mut self) {
        self.is_taken();
        (self.stops, self.cutter.has_margins) = (None, false);
    }

    /// Whether it takes the next key now.
    pub(super) fn takes_more(&self) -> bool {
        self.asked.is_none() && self.cutter.paste.is_none() && self.cutter.pasted.is_empty()
    }

    /// What of something pasted has come, and is not the editor's.
    pub(super) fn take_begun_paste(&mut self) -> Vec<u8> {
        self.is_pasted();
        let mut bytes = std::mem::take(&mut self.cutter.pasted);
        bytes.extend(self.cutter.paste.take().into_iter().flat_map(|text| [PASTE, &text].concat()));
        bytes
    }
}

/// What is given at once.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// As terminals send them, and whether the editor may end there or has much to take.
    Keys {
        bytes: Vec<u8>,
        asks: bool,
    },
    /// Keys that are characters, more than one.
    Text {
        text: String,
        asks: bool,
    },
    Paste(String),
}

/// Cuts what is typed into such parts. Pure.
#[derive(Debug, Default)]
struct Cutter {
    /// What was given since the editor said that it has taken all, in bytes.
    given: usize,
    /// What is being pasted, as far as it has come.
    paste: Option<Vec<u8>>,
    /// Whether all that comes is pasted, and what of that has come.
    takes_all: bool,
    pasted: Vec<u8>,
    /// Whether what comes has blanks of its own at the beginning of lines: it is pasted, on a terminal
    /// that does not say so. Until the cell ends.
    has_margins: bool,
}

impl Cutter {
    fn next(&mut self, typed: &mut Vec<u8>) -> Option<Part> {
        if self.paste.is_none() && typed.starts_with(PASTE) {
            typed.drain(..PASTE.len());
            self.paste = Some(Vec::new());
        }
        if let Some(paste) = &mut self.paste {
            let end = typed.windows(PASTE_END.len()).position(|part| part == PASTE_END);
            paste.extend(typed.drain(..end.unwrap_or(typed.len())));
            end?;
            typed.drain(..PASTE_END.len());
            let paste = self.paste.take().unwrap_or_default();
            return Some(Part::Paste(String::from_utf8_lossy(&paste).into_owned()));
        }
        if self.takes_all {
            self.pasted.append(typed);
            return None;
        }
        if !self.pasted.is_empty() {
            let pasted = std::mem::take(&mut self.pasted);
            return Some(Part::Paste(String::from_utf8_lossy(&pasted).into_owned()));
        }
        // All that is read at once is taken in the mode of vi in which it ends: Esc comes alone.
        if self.given > 0 && is_escape(typed) {
            return Some(Part::Keys { bytes: Vec::new(), asks: true });
        }
        let (mut at, mut bytes, mut asks) = (0, Vec::new(), false);
        let is_text = typed.first().is_some_and(is_character);
        while !asks
            && typed.get(at).is_some_and(|byte| is_character(byte) == is_text && *byte != CTRL_Z)
            && !typed[at..].starts_with(PASTE)
        {
            let is_escape = is_escape(&typed[at..]);
            if is_escape && at > 0 {
                break;
            }
            let Some(length) = Cutter::key(&typed[at..], &mut bytes) else { break };
            at += length;
            asks =
                is_escape || MAY_END.contains(&typed[at - 1]) || self.given + bytes.len() >= MOST;
        }
        asks |= at > 0 && is_escape(&typed[at..]);
        typed.drain(..at);
        self.given += bytes.len();
        if is_text
            && let Ok(text) = std::str::from_utf8(&bytes)
            && text.chars().nth(1).is_some()
        {
            return Some(Part::Text { text: text.to_owned(), asks });
        }
        (at > 0).then_some(Part::Keys { bytes, asks })
    }

    /// Whether a line that these keys begin is to be indented, if they begin one; `left` was typed behind
    /// them.
    fn begins(&mut self, keys: &[u8], left: &[u8]) -> bool {
        let is_enter = matches!(keys.last(), Some(b'\r' | b'\n'));
        self.has_margins |= is_enter && matches!(left.first(), Some(b' ' | b'\t'));
        is_enter && !self.has_margins
    }

    /// Appends the key that this begins with as the editor is to be given it, and says how much that
    /// was; `None` when it has come in part. The editor's reader knows Esc only where nothing is
    /// behind it: in kitty's encoding there is no doubt.
    fn key(typed: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let (length, key): (usize, &[u8]) = match typed {
            [ESC, b'O', _, ..] => (3, &typed[..3]),
            [ESC] => (1, b"\x1b[27u"),
            [ESC, ESC, ..] => (1, b"\x1b[27u"),
            [ESC, b'O'] => (2, b"\x1b[79;3u"),
            [ESC, b'[', b'<' | b'M', ..] => (length_of(typed).unwrap_or(typed.len()), b""),
            // What it has not asked for.
            [ESC, b']' | b'P' | b'_', _, ..] => (length_of(typed).unwrap_or(typed.len()), b""),
            // F1 to F5 of the Linux console.
            [ESC, b'[', b'[', _, ..] => (4, &typed[..4]),
            [ESC, b'[', b'@'..=b'~', ..] => (3, &typed[..3]),
            [ESC, b'[', ..] => match length_of(typed).unwrap_or(typed.len()) {
                2 => (2, b"\x1b[91;3u"),
                length if length > LONGEST => (length, b""),
                length => (length, &typed[..length]),
            },
            [ESC, ..] => {
                let mut behind = Vec::new();
                let length = Cutter::key(&typed[1..], &mut behind)?;
                if !behind.is_empty() {
                    out.push(ESC);
                    out.extend(behind);
                }
                return Some(1 + length);
            }
            _ => {
                let length = length_of(typed)?;
                let key = &typed[..length];
                match std::str::from_utf8(key) {
                    Ok(_) => (length, key),
                    Err(error) if error.error_len().is_none() => return None,
                    Err(_) => (1, b""),
                }
            }
        };
        out.extend(key);
        Some(length)
    }
}

/// Whether this begins with the key Esc, or with a key that Alt was held with.
fn is_escape(typed: &[u8]) -> bool {
    matches!(typed, [ESC, rest @ ..] if !matches!(rest, [b'[' | b'O', ..]))
}

/// Whether a key that begins with this byte is a character, and no other key.
fn is_character(byte: &u8) -> bool {
    !byte.is_ascii_control()
}

/// Whether what was read at once is pasted, or goes on with what `is_pasting`: it is nothing but text.
fn is_pasted(bytes: &[u8], is_pasting: bool) -> bool {
    let is_text = |byte: &u8| !byte.is_ascii_control() || matches!(byte, b'\r' | b'\n' | b'\t');
    let lines = bytes.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
    let is_much = bytes.len() >= PASTED && lines >= PASTED_LINES;
    (is_pasting || is_much) && bytes.iter().all(is_text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The editor has taken all that was given, where it was asked for that.
    fn is_taken(given: &mut usize, part: &Part) {
        if matches!(part, Part::Keys { asks: true, .. } | Part::Text { asks: true, .. }) {
            *given = 0;
        }
    }

    fn parts(cutter: &mut Cutter, text: &[u8]) -> Vec<Part> {
        let mut typed = text.to_vec();
        let mut parts = Vec::new();
        while let Some(part) = cutter.next(&mut typed) {
            is_taken(&mut cutter.given, &part);
            parts.push(part);
        }
        assert_eq!(typed, b"");
        parts
    }

    fn keys(text: &str, asks: bool) -> Part {
        Part::Keys { bytes: text.into(), asks }
    }

    fn text(text: &str, asks: bool) -> Part {
        Part::Text { text: text.into(), asks }
    }

    #[test]
    fn what_is_behind_a_key_that_may_end_it_waits() {
        let cut = |text: &[u8]| parts(&mut Cutter::default(), text);
        let line = [text("a = 1", false), keys("\r", true), keys("b", false)];
        assert_eq!(cut(b"a = 1\rb"), line);
        assert_eq!(
            cut(b"a\x03\x04\x1b[A"),
            [keys("a", false), keys("\x03", true), keys("\x04", true), keys("\x1b[A", false)]
        );
        let long = cut("é".repeat(600).as_bytes());
        assert_eq!(long.len(), 3);
        assert_eq!(long[0], text(&"é".repeat(MOST / 2), true));
    }

    #[test]
    fn much_text_at_once_is_pasted_and_comes_as_one_thing() {
        let long = "é = 1\r".repeat(100);
        for (text, is_pasting, is_it) in [
            (&*long, false, true),
            ("x\r", false, false),
            ("x\r", true, true),
            ("x\x03", true, false),
            (&("x".repeat(1000) + "\ry\r"), false, false),
            (&(long.clone() + "\x1b[A"), false, false),
        ] {
            assert_eq!(is_pasted(text.as_bytes(), is_pasting), is_it, "{text:?}");
        }
        let mut cutter = Cutter { takes_all: true, ..Cutter::default() };
        assert_eq!(parts(&mut cutter, b"a\r\xc3"), []);
        assert_eq!(parts(&mut cutter, b"\xa9\r"), []);
        cutter.takes_all = false;
        assert_eq!(
            parts(&mut cutter, b"y\r"),
            [Part::Paste("a\ré\r".into()), keys("y", false), keys("\r", true)]
        );
    }

    #[test]
    fn lines_that_come_with_blanks_are_not_indented_until_the_cell_ends() {
        let mut cutter = Cutter::default();
        for (keys, left, begins) in [
            ("a", "", false),
            ("if x:\r", "", true),
            ("if x:\r", "y", true),
            ("if x:\r", "  y", false),
            ("  y\r", "z", false),
            ("z\r", "", false),
        ] {
            assert_eq!(
                cutter.begins(keys.as_bytes(), left.as_bytes()),
                begins,
                "{keys:?} {left:?}"
            );
        }
    }

    #[test]
    fn what_is_pasted_is_one_thing_wherever_it_is_cut() {
        let mut cutter = Cutter::default();
        assert_eq!(parts(&mut cutter, b"x\x1b[200~a\rb"), [keys("x", false)]);
        assert_eq!(parts(&mut cutter, b"\x03c"), []);
        assert_eq!(
            parts(&mut cutter, b"\x1b[201~y"),
            [Part::Paste("a\rb\x03c".into()), keys("y", false)]
        );
    }

    #[test]
    fn keys_are_given_so_that_nothing_behind_them_changes_them() {
        for (typed, given, asks) in [
            ("\x1b", "\x1b[27u", true),
            ("\x1bb", "\x1bb", true),
            ("\x1bé", "\x1bé", true),
            ("\x1b[A\x1bOA", "\x1b[A\x1bOA", false),
            ("\x1b[", "\x1b[91;3u", false),
            ("\x1bO", "\x1b[79;3u", false),
            ("\x1b[<35;0;0M\x1b[M !!\x1b[A", "\x1b[A", false),
        ] {
            assert_eq!(parts(&mut Cutter::default(), typed.as_bytes()), [keys(given, asks)]);
        }
        assert_eq!(
            parts(&mut Cutter::default(), b"ab\x1b\x1bc"),
            [text("ab", true), keys("\x1b[27u", true), keys("\x1bc", true)]
        );
        // What is no key goes, wherever it is.
        let among_keys = parts(&mut Cutter::default(), b"a\x1b[<35;0;0Mb\x1b[M !!c");
        let given = among_keys.iter().flat_map(|part| match part {
            Part::Keys { bytes, asks: false } => bytes.clone(),
            part => panic!("{part:?}"),
        });
        assert_eq!(given.collect::<Vec<u8>>(), b"abc");
        // Esc is not taken with what came before it and may not have been taken.
        let mut cutter = Cutter::default();
        assert_eq!(parts(&mut cutter, b"ab"), [text("ab", false)]);
        assert_eq!(parts(&mut cutter, b"\x1b"), [keys("", true), keys("\x1b[27u", true)]);
        let (mut cutter, mut typed) = (Cutter::default(), b"\xc3".to_vec());
        assert_eq!(cutter.next(&mut typed), None);
        typed.extend(b"\xa9\xff!");
        assert_eq!(cutter.next(&mut typed), Some(text("é!", false)));
    }

    proptest! {
        #[test]
        fn all_that_comes_is_given_or_waits_for_more(typed in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut left: Vec<u8> = typed.into_iter().filter(|&byte| byte != CTRL_Z).collect();
            let mut cutter = Cutter::default();
            while let Some(part) = cutter.next(&mut left) {
                is_taken(&mut cutter.given, &part);
            }
            prop_assert!(left.len() < 4);
        }
    }
}
