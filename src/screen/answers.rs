//! What the terminal answers to programs that ask: where the cursor is, what it can do.

use std::fmt::Write;

use super::modes::{IRM, LNM, private::*};
use super::params::Params;
use super::terminal::Terminal;

/// Answers that nobody fetches are kept up to this many bytes.
const LONGEST_UNFETCHED: usize = 1 << 16;

/// The answers that wait to be sent to the program.
#[derive(Debug, Default)]
pub(super) struct Answers {
    text: String,
}

impl Answers {
    pub(super) fn take(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.text.as_bytes());
        self.text.clear();
    }

    fn push(&mut self, answer: std::fmt::Arguments<'_>) {
        if self.text.len() < LONGEST_UNFETCHED {
            let _ = self.text.write_fmt(answer);
        }
    }

    /// OSC 10, 11 and 12: light text and a light cursor on black.
    pub(super) fn dynamic_color(&mut self, number: u16, end: &str) {
        let color = if number == 11 { "0000/0000/0000" } else { "e5e5/e5e5/e5e5" };
        self.push(format_args!("\x1b]{number};rgb:{color}{end}"));
    }

    /// OSC 4: a colour of xterm's palette.
    pub(super) fn palette(&mut self, index: u8, end: &str) {
        let [red, green, blue] = palette_color(index);
        self.push(format_args!(
            "\x1b]4;{index};rgb:{red:02x}{red:02x}/{green:02x}{green:02x}/{blue:02x}{blue:02x}{end}"
        ));
    }
}

/// Red, green and blue of xterm's palette: 16 names, a cube of 6 steps, 24 greys.
fn palette_color(index: u8) -> [u8; 3] {
    const NAMED: [[u8; 3]; 16] = [
        [0, 0, 0],
        [205, 0, 0],
        [0, 205, 0],
        [205, 205, 0],
        [0, 0, 238],
        [205, 0, 205],
        [0, 205, 205],
        [229, 229, 229],
        [127, 127, 127],
        [255, 0, 0],
        [0, 255, 0],
        [255, 255, 0],
        [92, 92, 255],
        [255, 0, 255],
        [0, 255, 255],
        [255, 255, 255],
    ];
    let step = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    match index {
        0..16 => NAMED[usize::from(index)],
        16..232 => [step((index - 16) / 36), step((index - 16) / 6 % 6), step((index - 16) % 6)],
        232.. => [8 + 10 * (index - 232); 3],
    }
}

impl Terminal {
    /// DA, primary (`CSI c`): a VT220 with colour.
    pub(super) fn primary_attributes(&mut self) {
        self.answers.push(format_args!("\x1b[?62;22c"));
    }

    /// DA, secondary (`CSI > c`). A low version keeps programs from asking for more.
    pub(super) fn secondary_attributes(&mut self) {
        self.answers.push(format_args!("\x1b[>1;10;0c"));
    }

    /// DA, tertiary (`CSI = c`): the unit's number.
    pub(super) fn tertiary_attributes(&mut self) {
        self.answers.push(format_args!("\x1bP!|00000000\x1b\\"));
    }

    /// XTVERSION.
    pub(super) fn version(&mut self) {
        let version = env!("CARGO_PKG_VERSION");
        self.answers.push(format_args!("\x1bP>|mcp-repl({version})\x1b\\"));
    }

    /// DSR: 5 is the state, 6 the cursor's place.
    pub(super) fn device_status(&mut self, what: u16, private: bool) {
        let top = if self.cursor.origin { self.region.0 } else { 0 };
        let row = self.cursor.row.saturating_sub(top) + 1;
        let column = self.cursor.column + 1;
        match (what, private) {
            (5, false) => self.answers.push(format_args!("\x1b[0n")),
            (6, false) => self.answers.push(format_args!("\x1b[{row};{column}R")),
            (6, true) => self.answers.push(format_args!("\x1b[?{row};{column};1R")),
            (15, true) => self.answers.push(format_args!("\x1b[?13n")),
            (25, true) => self.answers.push(format_args!("\x1b[?21n")),
            (26, true) => self.answers.push(format_args!("\x1b[?27;1;0;0n")),
            _ => {}
        }
    }

    /// XTWINOPS, the parts that are about text.
    pub(super) fn window(&mut self, params: &Params) {
        let (rows, columns) = (self.rows(), self.columns());
        match params.get(0) {
            11 => self.answers.push(format_args!("\x1b[1t")),
            18 => self.answers.push(format_args!("\x1b[8;{rows};{columns}t")),
            19 => self.answers.push(format_args!("\x1b[9;{rows};{columns}t")),
            22 => self.title.push(),
            23 => self.title.pop(),
            _ => {}
        }
    }

    /// DECREQTPARM: no parity, 8 bits, fast.
    pub(super) fn terminal_parameters(&mut self, what: u16) {
        if what < 2 {
            self.answers.push(format_args!("\x1b[{};1;1;128;128;1;0x", what + 2));
        }
    }

    /// DECRQM: 0 not known, 1 set, 2 reset, 3 and 4 the same for ever.
    pub(super) fn request_mode(&mut self, mode: u16, private: bool) {
        let state = |on: bool| if on { 1 } else { 2 };
        let answer = match (private, mode) {
            (false, IRM) => state(self.modes.insert),
            (false, LNM) => state(self.modes.line_feed_new_line),
            (true, DECOM) => state(self.cursor.origin),
            (true, DECAWM) => state(self.modes.autowrap),
            (true, DECTCEM) => state(self.modes.cursor_visible),
            (true, DECNKM) => state(self.modes.application_keypad),
            (true, ALTERNATE_SCREEN | ALTERNATE_SCREEN_ERASED | ALTERNATE_SCREEN_AND_CURSOR) => {
                state(self.on_alternate)
            }
            (true, SYNCHRONIZED_OUTPUT) => 2,
            (true, GRAPHEME_CLUSTERS) => 4,
            (true, _) => self.modes.kept(mode).map_or(0, state),
            _ => 0,
        };
        let mark = if private { "?" } else { "" };
        self.answers.push(format_args!("\x1b[{mark}{mode};{answer}$y"));
    }

    /// DECRQSS and XTGETTCAP; `intermediate` tells which.
    pub(super) fn device_control_string(&mut self, intermediate: u8, content: &[u8]) {
        if intermediate == b'+' {
            self.answers.push(format_args!("\x1bP0+r\x1b\\"));
            return;
        }
        let setting = match content {
            b"m" => {
                let mut sgr = String::new();
                let color = self.cursor.underline_color;
                self.cursor.pen.visible().write_sgr(color, &mut sgr);
                sgr.trim_start_matches("\x1b[").to_owned()
            }
            b"r" => format!("{};{}r", self.region.0 + 1, self.region.1 + 1),
            b" q" => format!("{} q", self.modes.cursor_shape),
            _ => {
                self.answers.push(format_args!("\x1bP0$r\x1b\\"));
                return;
            }
        };
        self.answers.push(format_args!("\x1bP1$r{setting}\x1b\\"));
    }
}
