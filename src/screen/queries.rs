//! Questions to the terminal, taken out of what is shown on another one: the session answers them,
//! and a second answer would be typed into whatever reads by then. Pure.

use memchr::memchr2;

const ENQ: u8 = 0x05;
const BEL: u8 = 0x07;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;
const ESC: u8 = 0x1b;

/// The longest sequence that is looked at, in bytes; one that is longer asks nothing.
const LONGEST: usize = 512;

/// Takes questions out of a stream of bytes, which may be cut anywhere.
#[derive(Debug, Default)]
pub struct QueryFilter {
    /// The sequence at hand, as far as it has come.
    held: Vec<u8>,
    /// How many titles were put aside (XTWINOPS 22) and not taken back.
    titles: usize,
}

impl QueryFilter {
    /// Appends to `out` what does not ask anything.
    pub fn filter(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        while let Some((&byte, behind)) = rest.split_first() {
            if self.held.is_empty() {
                let end = memchr2(ESC, ENQ, rest).unwrap_or(rest.len());
                out.extend(&rest[..end]);
                rest = &rest[end..];
                if let Some((&first, behind)) = rest.split_first() {
                    self.held.extend((first == ESC).then_some(ESC));
                    rest = behind;
                }
                continue;
            }
            let ends_string = self.held.last() == Some(&ESC) && byte == b'\\';
            if matches!(byte, CAN | SUB) || byte == ESC && !self.is_string() {
                // The sequence at hand is not to be finished.
                out.append(&mut self.held);
                self.held.push(byte);
                if byte != ESC {
                    out.append(&mut self.held);
                }
                rest = behind;
                continue;
            }
            if self.is_string() && self.held.last() == Some(&ESC) && !ends_string {
                // Nor is this string: another sequence begins.
                self.held.pop();
                out.append(&mut self.held);
                self.held.push(ESC);
                continue;
            }
            self.held.push(byte);
            rest = behind;
            if self.is_complete() {
                let is_for_here = asks(&self.held) || wants_records(&self.held);
                if !is_for_here && !self.takes_foreign_title() {
                    out.extend(&self.held);
                }
                self.held.clear();
            } else if self.held.len() > LONGEST || !may_ask(&self.held) {
                out.append(&mut self.held);
            }
        }
    }

    /// Whether the whole sequence takes back a title that was not put aside in this stream: who looks
    /// on since later has not seen that, and the one on top is another's.
    fn takes_foreign_title(&mut self) -> bool {
        let [ESC, b'[', parameters @ .., b't'] = &*self.held else { return false };
        match parameters.split(|&byte| byte == b';').next() {
            Some(b"22") => self.titles += 1,
            Some(b"23") if self.titles == 0 => return true,
            Some(b"23") => self.titles -= 1,
            _ => {}
        }
        false
    }

    /// Whether what is held has an end of its own: a string (OSC, DCS).
    fn is_string(&self) -> bool {
        matches!(self.held.get(1), Some(b']' | b'P'))
    }

    fn is_complete(&self) -> bool {
        let last = self.held.last().copied().unwrap_or_default();
        match self.held.get(1) {
            Some(b'[') => self.held.len() > 2 && (0x40..=0x7e).contains(&last),
            Some(b']') => last == BEL || self.held.ends_with(b"\x1b\\"),
            Some(b'P') => self.held.ends_with(b"\x1b\\"),
            Some(_) => true,
            None => false,
        }
    }
}

/// Whether the whole sequence has keys sent as a console of Windows records them (win32-input-mode), or no
/// longer: consoles ask for that at their start. Nobody here sends them so, and what is typed on the other
/// terminal is read as any terminal sends it.
fn wants_records(sequence: &[u8]) -> bool {
    matches!(sequence, b"\x1b[?9001h" | b"\x1b[?9001l")
}

/// Whether a sequence that has come so far may become a question. A string that is none is passed
/// on as it comes: what it holds may be long, and needs no looking at.
fn may_ask(begun: &[u8]) -> bool {
    match begun {
        [ESC, b'P', content @ ..] => {
            let header = content.iter().position(|byte| !matches!(byte, b'0'..=b';'));
            header.is_none_or(|at| matches!(content[at..], [b'$' | b'+'] | [b'$' | b'+', b'q', ..]))
        }
        _ => true,
    }
}

/// Whether a whole sequence asks the terminal something (ECMA-48, xterm's `ctlseqs`, kitty's
/// keyboard protocol).
fn asks(sequence: &[u8]) -> bool {
    match sequence {
        [ESC, b'[', between @ .., action] => control_sequence_asks(between, *action),
        [ESC, b']', command @ ..] => {
            // A colour or the clipboard, with `?` in the place of what it is to be.
            let end = command.iter().position(|&byte| matches!(byte, BEL | ESC));
            let command = &command[..end.unwrap_or(command.len())];
            command.split(|&byte| byte == b';').skip(1).any(|field| field == b"?")
        }
        // DECRQSS, XTGETTCAP.
        [ESC, b'P', ..] => true,
        // DECID.
        [ESC, b'Z'] => true,
        _ => false,
    }
}

fn control_sequence_asks(between: &[u8], action: u8) -> bool {
    let is_mark = |byte: &u8| matches!(byte, b'<'..=b'?');
    let mark = between.first().copied().filter(is_mark);
    let intermediate = between.last().copied().filter(|byte| (0x20..=0x2f).contains(byte));
    let digits = between.iter().skip_while(|byte| is_mark(byte));
    let digits = digits.take_while(|byte| byte.is_ascii_digit());
    let first = digits.fold(0u32, |number, digit| {
        number.saturating_mul(10).saturating_add(u32::from(digit - b'0'))
    });
    match (mark, intermediate, action) {
        // DA.
        (None | Some(b'>' | b'='), None, b'c') => first == 0,
        // DSR.
        (None | Some(b'?'), None, b'n') => true,
        // DECRQM.
        (None | Some(b'?'), Some(b'$'), b'p') => true,
        // XTVERSION.
        (Some(b'>'), None, b'q') => first == 0,
        // XTWINOPS.
        (None, None, b't') => matches!(first, 11 | 13..=16 | 18..=21),
        // DECREQTPARM.
        (None, None, b'x') => first < 2,
        // The state of the kitty keyboard protocol, XTQMODKEYS, XTSMGRAPHICS.
        (Some(b'?'), None, b'u' | b'm' | b'S') => true,
        // DECRQPSR, DECRQCRA.
        (None, Some(b'$'), b'w') | (None, Some(b'*'), b'y') => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::screen::{Screen, Size};

    /// What passes, when it comes in pieces of this many bytes.
    fn passed(text: &str, size: usize) -> String {
        let (mut filter, mut out) = (QueryFilter::default(), Vec::new());
        for piece in text.as_bytes().chunks(size) {
            filter.filter(piece, &mut out);
        }
        String::from_utf8(out).unwrap()
    }

    const QUESTIONS: [&str; 24] = [
        "\x05",
        "\x1b[c",
        "\x1b[0c",
        "\x1b[>c",
        "\x1b[=c",
        "\x1b[>0q",
        "\x1b[5n",
        "\x1b[6n",
        "\x1b[?6n",
        "\x1b[?996n",
        "\x1b[4$p",
        "\x1b[?2026$p",
        "\x1b[18t",
        "\x1b[0x",
        "\x1b[?u",
        "\x1b[?4m",
        "\x1b[?1;1;0S",
        "\x1bZ",
        "\x1b]11;?\x07",
        "\x1b]4;1;?\x1b\\",
        "\x1b]52;c;?\x07",
        "\x1bP$qm\x1b\\",
        "\x1bP+q544e\x1b\\",
        "\x1bP1$qr\x1b\\",
    ];

    const OTHERS: [&str; 24] = [
        "text é 漢 ",
        "\r\n",
        "\x1b[1;31m",
        "\x1b[H",
        "\x1b[2J",
        "\x1b[?1049h",
        "\x1b[>4;2m",
        "\x1b[>4n",
        "\x1b[>1u",
        "\x1b[<u",
        "\x1b[u",
        "\x1b[2 q",
        "\x1b[!p",
        "\x1b[22;0t",
        "\x1b[8;24;80t",
        "\x1b(B",
        "\x1b7",
        "\x1b]0;really?\x07",
        "\x1b]8;;http://x/?q\x1b\\",
        "\x1b]11;rgb:00/00/00\x1b\\",
        "\x1bPq#0;2;0;0;0~\x1b\\",
        "\x1b_Gf=32;AAAA\x1b\\",
        "\x1b[1\x18",
        "\x1b]0;cut \x1b[1m",
    ];

    #[test]
    fn questions_are_taken_out_and_all_else_passes() {
        for question in QUESTIONS {
            assert_eq!(passed(&format!("a{question}b"), 100), "ab", "{question:?}");
        }
        for other in OTHERS {
            assert_eq!(passed(&format!("a{other}b"), 100), format!("a{other}b"));
        }
    }

    #[test]
    fn how_a_console_wants_keys_is_taken_out() {
        let start = "\x1b[c\x1b[?1004h\x1b[?9001h\x1b[?25lx\x1b[?9001l";
        for size in 1..10 {
            assert_eq!(passed(start, size), "\x1b[?1004h\x1b[?25lx");
        }
        assert_eq!(passed("\x1b[?9001$p\x1b[?19001h", 3), "\x1b[?19001h");
    }

    #[test]
    fn what_is_long_passes() {
        for long in ["\x1b]52;c;", "\x1bPq", "\x1b["] {
            let text = format!("{long}{}\x1b\\", "1".repeat(3 * LONGEST));
            assert_eq!(passed(&text, 100), text);
        }
    }

    proptest! {
        #[test]
        fn where_it_is_cut_changes_nothing(
            parts in prop::collection::vec((any::<bool>(), 0usize..24), 0..20),
            size in 1usize..9,
        ) {
            let part = |&(asks, n): &(bool, usize)| if asks { QUESTIONS[n] } else { OTHERS[n] };
            let text: String = parts.iter().map(part).collect();
            prop_assert_eq!(passed(&text, size), passed(&text, usize::MAX));
        }

        #[test]
        fn what_passes_gets_no_answer(
            parts in prop::collection::vec((any::<bool>(), 0usize..24), 0..20),
        ) {
            let part = |&(asks, n): &(bool, usize)| if asks { QUESTIONS[n] } else { OTHERS[n] };
            let text: String = parts.iter().map(part).collect();
            let mut screen = Screen::new(Size::default());
            screen.feed(passed(&text, usize::MAX).as_bytes());
            let mut answers = Vec::new();
            screen.take_answers(&mut answers);
            prop_assert_eq!(String::from_utf8_lossy(&answers), "");
        }
    }

    #[test]
    fn a_title_is_taken_back_that_was_put_aside_here() {
        let mut filter = QueryFilter::default();
        let mut shown = Vec::new();
        filter.filter(b"a\x1b[23;0;0tb\x1b[22;0;0tc\x1b[23;0;0td\x1b[23te", &mut shown);
        assert_eq!(shown, b"ab\x1b[22;0;0tc\x1b[23;0;0tde");
    }
}
