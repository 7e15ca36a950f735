//! The screen: what a person would see, and what they would have read. Pure.
//!
//! Bytes come in through [`MarkSplitter`], which takes the session's marks out, and go to a
//! [`Screen`]. The screen keeps a page (rows, cursor, modes) and makes the transcript of it:
//! the text of each line, once, when it leaves the page or when it is asked for.
//!
//! - From bytes to commands: `scanner` and `sequence` before the parser, `perform` behind it.
//! - What commands do to the `terminal`: `text`, `print`, `motion`, `edit`, `scroll`, `sgr`, `modes`,
//!   `keyboard`, `osc`, `answers`, `reset`, `resize`.
//! - What it consists of: a `page` of rows, each a `row`; `cursor`, `tabs`, `title`.
//! - What is shown on it that no program printed: `cell_echo`.
//! - What is made of it: the `transcript` (as far as lines are `finished`, or all), the `dump`, a part of the page
//!   (`crop`), a picture (`svg`), and what [`pager`] and `full_screen` know of
//!   programs that show pages, of which the terminal knows nothing.
//! - For a terminal elsewhere that shows the same: `queries`, `restore`; one that shows a picture of it:
//!   `painted`.

mod answers;
mod cell;
mod cell_echo;
mod charset;
mod crop;
mod cursor;
mod dump;
mod edit;
mod extras;
mod finished;
mod full_screen;
mod keyboard;
mod marks;
mod modes;
mod motion;
mod osc;
mod page;
pub mod pager;
mod painted;
mod params;
mod perform;
mod print;
mod queries;
mod reset;
mod resize;
mod restore;
mod row;
mod scanner;
mod scroll;
mod sequence;
mod sgr;
mod style;
mod styled_text;
mod svg;
mod tabs;
mod terminal;
mod text;
mod title;
mod transcript;
mod verify;

pub use marks::{MarkSplitter, Marks, Segment};
pub use painted::PaintedRow;
pub use queries::QueryFilter;
pub use svg::Film;

use modes::private::{BRACKETED_PASTE, DECCKM};
use params::Params;
use perform::Receiver;
use scanner::{Part, Scanner};
use sequence::Sequence;
use terminal::Terminal;

/// The size of a page, in characters. A screen keeps it between 1 by 1 and [`Size::LARGEST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Size {
    /// The number of columns.
    pub columns: u16,
    /// The number of rows.
    pub rows: u16,
}

impl Size {
    /// The largest page a screen keeps; what it needs is bounded by it.
    pub const LARGEST: Size = Size { columns: 2048, rows: 1024 };

    /// Whether somebody could work in a window of this size: 10 by 3 to 1000 by 500.
    pub fn is_window(self) -> bool {
        (10..=1000).contains(&self.columns) && (3..=500).contains(&self.rows)
    }

    fn clamped(self) -> (usize, usize) {
        let columns = self.columns.clamp(1, Size::LARGEST.columns);
        let rows = self.rows.clamp(1, Size::LARGEST.rows);
        (usize::from(columns), usize::from(rows))
    }
}

/// As terminals' sizes are written: `120x40`.
impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.columns, self.rows)
    }
}

/// It is no size.
#[derive(Debug, thiserror::Error)]
#[error("it is a number of columns and of rows, `120x40`")]
pub struct NoSize;

impl std::str::FromStr for Size {
    type Err = NoSize;

    fn from_str(text: &str) -> Result<Size, NoSize> {
        let (columns, rows) = text.split_once('x').ok_or(NoSize)?;
        let number = |text: &str| text.parse().map_err(|_| NoSize);
        Ok(Size { columns: number(columns)?, rows: number(rows)? })
    }
}

impl Default for Size {
    /// 120 by 40, what a session has when nobody is attached.
    fn default() -> Size {
        Size { columns: 120, rows: 40 }
    }
}

/// A terminal's screen, and the transcript of what was printed on it.
pub struct Screen {
    parser: vte::Parser,
    scanner: Scanner,
    /// The numbers of the control sequence at hand; kept for its memory.
    params: Params,
    receiver: Receiver,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen").field("terminal", self.terminal()).finish_non_exhaustive()
    }
}

impl Screen {
    /// An empty screen.
    pub fn new(size: Size) -> Screen {
        let (columns, rows) = size.clamped();
        let receiver = Receiver::new(Terminal::new(columns, rows));
        let (parser, scanner, params) = Default::default();
        Screen { parser, scanner, params, receiver }
    }

    fn terminal(&self) -> &Terminal {
        &self.receiver.terminal
    }

    /// Takes what the program printed. It may be cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        // Checked once for all pieces of text between escape sequences.
        let valid = str::from_utf8(bytes).ok();
        let mut rest = bytes;
        while !rest.is_empty() {
            let start = bytes.len() - rest.len();
            let part = self.scanner.next(&mut rest, &mut self.params);
            let terminal = &mut self.receiver.terminal;
            match part {
                Part::Text(text) => match valid {
                    Some(valid) => terminal.valid_text(&valid[start..start + text.len()]),
                    None => terminal.text(text),
                },
                Part::Control(Sequence { between, action }) => {
                    terminal.end_text();
                    terminal.control_sequence(&self.params, between, action);
                }
                Part::Sequence(bytes) => {
                    terminal.end_text();
                    self.parser.advance(&mut self.receiver, bytes);
                }
            }
        }
    }

    /// Says whether what is printed from here on is echo: on the page, not in the transcript.
    pub fn set_echo(&mut self, on: bool) {
        self.receiver.terminal.set_echo(on);
    }

    /// Hands over the text of the lines that left the page: each once, in order, ended by `\n`
    /// (a line longer than the page comes in pieces).
    ///
    /// To be called after each [`Screen::feed`]; the texts of this and of [`Screen::report`],
    /// in the order of the calls, are the transcript.
    pub fn drain(&mut self, sink: &mut impl FnMut(&str)) {
        self.receiver.terminal.transcript.drain(sink);
    }

    /// Appends everything that was not reported yet: what [`Screen::drain`] has, then the lines on the
    /// page up to the last one in use, that one without `\n` unless the program ended it.
    ///
    /// Rows below the cursor in which there is nothing to be seen are no part of it: a program that
    /// went there only made room. The line that the cursor is in then has no end yet.
    ///
    /// A line that grew since it was reported is continued; one that changed otherwise is reported
    /// again, whole, on a line of its own. The alternate screen is never part of it.
    pub fn report(&mut self, out: &mut String) {
        let Terminal { transcript, primary, cursor, on_alternate, .. } =
            &mut self.receiver.terminal;
        let cursor = if *on_alternate { primary.rows.len() - 1 } else { cursor.row };
        transcript.report_up_to(primary, cursor);
        transcript.drain(&mut |text: &str| out.push_str(text));
    }

    /// Appends what was not reported yet of lines that are finished: those above the one the cursor
    /// is on, further up than the program has gone to change something. One that is changed all
    /// the same is reported again.
    pub fn report_finished(&mut self, out: &mut String) {
        let terminal = &mut self.receiver.terminal;
        let rows = terminal.first_unfinished_row();
        terminal.transcript.report(&mut terminal.primary, rows);
        terminal.transcript.drain(&mut |text: &str| out.push_str(text));
    }

    /// Whether what [`Screen::drain`] is about to hand over, or [`Screen::report`] has just appended,
    /// begins with `\n` and a newer text of the line that was reported last: who was not told that
    /// one yet need not be.
    pub fn take_replaces_line(&mut self) -> bool {
        self.receiver.terminal.transcript.take_replaces_line()
    }

    /// Changes the size. Lines are wrapped anew; those that find no room leave the page.
    pub fn resize(&mut self, size: Size) {
        let (columns, rows) = size.clamped();
        self.receiver.terminal.resize(columns, rows);
    }

    /// The size of the page.
    pub fn size(&self) -> Size {
        let terminal = self.terminal();
        Size { columns: terminal.columns() as u16, rows: terminal.rows() as u16 }
    }

    /// Whether the alternate screen is shown, as full-screen programs do.
    pub fn is_alternate(&self) -> bool {
        self.terminal().on_alternate
    }

    /// Whether the program wants the cursor keys in their application form (DECCKM).
    pub fn wants_application_keys(&self) -> bool {
        self.terminal().modes.is_set(DECCKM)
    }

    /// Whether the program wants text that is pasted to be marked as such (bracketed paste).
    pub fn wants_bracketed_paste(&self) -> bool {
        self.terminal().modes.is_set(BRACKETED_PASTE)
    }

    /// The row and the column of the cursor, counted from 0.
    pub fn cursor(&self) -> (u16, u16) {
        let cursor = &self.terminal().cursor;
        (cursor.row as u16, cursor.column as u16)
    }

    /// The page as a person sees it: rows joined by `\n`, without blanks at their ends and
    /// without blank rows at the end.
    pub fn page_text(&self) -> String {
        self.terminal().page().visible_text()
    }

    /// The line the cursor is on, all its rows joined, with the blanks the program printed.
    pub fn line_at_cursor(&self) -> String {
        let terminal = self.terminal();
        let page = terminal.page();
        let (first, last) =
            (page.line_start(terminal.cursor.row), page.line_end(terminal.cursor.row));
        let mut out = String::new();
        page.rows.range(first..=last).for_each(|row| row.visible_text(&mut out));
        out
    }

    /// Escape sequences that make a fresh terminal of this size equal to this one.
    pub fn dump(&self) -> Vec<u8> {
        self.terminal().dump().into_bytes()
    }

    /// The same for a terminal on which other things stand, and stay: what is on the primary screen is
    /// printed from its cursor on, which is to be in the first column.
    pub fn dump_in_line(&self) -> Vec<u8> {
        self.terminal().dump_in_line().into_bytes()
    }

    /// The alternate screen alone, for a terminal that shows another state of it.
    pub fn dump_alternate(&self) -> Vec<u8> {
        self.terminal().dump_alternate().into_bytes()
    }

    /// Escape sequences that set the modes of a fresh terminal as they are here.
    pub fn dump_modes(&self) -> Vec<u8> {
        self.terminal().dump_modes().into_bytes()
    }

    /// Appends the answers the terminal owes the program, to be written as if typed.
    pub fn take_answers(&mut self, out: &mut Vec<u8>) {
        self.receiver.terminal.answers.take(out);
    }

    /// The title the program gave the window.
    pub fn title(&self) -> &str {
        &self.terminal().title.text
    }

    /// The directory that a program said its window is of (OSC 7), as an address; empty if none did.
    pub fn directory(&self) -> &str {
        &self.terminal().title.directory
    }

    /// Panics when the model contradicts itself; for tests and fuzzing.
    pub fn verify(&self) {
        self.terminal().verify();
    }
}

#[cfg(test)]
mod tests;
