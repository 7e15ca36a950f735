//! The person's terminal as what a session shows is printed on it, in line with what stands there.

use std::io;

use unicode_width::UnicodeWidthStr;

use super::{guarded::Guarded, told};
use crate::{
    pty::TerminalOutput,
    screen::{QueryFilter, Screen, Size},
    terminal,
};

/// Standard output, a terminal, and what is known of it.
#[derive(Debug)]
pub(super) struct Outer {
    out: TerminalOutput,
    /// What is not written yet.
    pending: Vec<u8>,
    /// Whether something was written that may not be there yet.
    is_unflushed: bool,
    queries: QueryFilter,
    /// Whether it takes marks of prompts and cells without showing them.
    takes_marks: bool,
    /// Whether a cell that was edited here is the last that stands there.
    ends_with_edited: bool,
    /// What the terminal shows, as far as it came from here.
    screen: Screen,
    guarded: Guarded,
    /// Whether something is on its way to the terminal that may change its modes.
    is_unsettled: bool,
    /// Whether the status stands in the row below the cursor.
    has_status: bool,
    /// How many line feeds were printed since the editor had the terminal.
    line_feeds: usize,
    title: Title,
}

/// The window's title.
#[derive(Debug, Default)]
struct Title {
    /// What it is to be; empty before it was said.
    wanted: String,
    /// What it was set to; `None` while it is the one that was found.
    set: Option<String>,
}

/// Puts the window's title aside, and gets that back (XTWINOPS).
const PUSH_TITLE: &str = "\x1b[22;2t";
const POP_TITLE: &str = "\x1b[23;2t";

impl Outer {
    pub(super) fn new(size: Size) -> Outer {
        Outer {
            out: TerminalOutput::default(),
            pending: Vec::new(),
            is_unflushed: false,
            queries: QueryFilter::default(),
            takes_marks: terminal::takes_marks(),
            ends_with_edited: false,
            screen: Screen::new(size),
            guarded: Guarded::default(),
            is_unsettled: true,
            has_status: false,
            line_feeds: 0,
            title: Title::default(),
        }
    }

    /// How much is not written yet, in bytes.
    pub(super) fn behind(&self) -> usize {
        self.pending.len()
    }

    /// Whether all that was printed is on the terminal.
    pub(super) fn is_done(&self) -> bool {
        self.pending.is_empty() && !self.is_unflushed
    }

    /// Writes on with what is printed. Cancel safe.
    pub(super) async fn write(&mut self) -> io::Result<()> {
        if !self.pending.is_empty() {
            self.is_unflushed = true;
            let written = self.out.write(&self.pending).await?;
            self.pending.drain(..written);
        }
        if self.pending.is_empty() {
            self.out.flush().await?;
            self.is_unflushed = false;
            if std::mem::take(&mut self.is_unsettled) {
                self.guarded.settles(self.screen.mode_restoration());
            }
        }
        Ok(())
    }

    /// Prints what programs print. What asks the terminal something is left out: the session
    /// answers that.
    pub(super) fn program(&mut self, bytes: &[u8]) {
        let mut shown = Vec::with_capacity(bytes.len());
        self.queries.filter(bytes, &mut shown);
        self.print(&shown);
        self.ends_with_edited = false;
    }

    /// Prints a cell on a row of its own, below all that stands there.
    pub(super) fn cell(&mut self, echo: &str) {
        if !self.is_alternate() {
            self.echo(&(self.screen.to_fresh_row() + echo));
            self.ends_with_edited = false;
        }
    }

    /// Prints what the session shows beside what programs print.
    pub(super) fn echo(&mut self, echo: &str) {
        if !self.screen.is_between_sequences() {
            // One that a program has left: CAN.
            self.print(b"\x18");
        }
        if self.takes_marks {
            self.print(echo.as_bytes());
        } else {
            self.print(told::without_marks(echo).as_bytes());
        }
    }

    /// Whether a cell that was edited here is the last that stands there.
    pub(super) fn ends_with_edited(&self) -> bool {
        self.ends_with_edited
    }

    /// Prints something of this process's own.
    pub(super) fn print(&mut self, bytes: &[u8]) {
        self.take_off_status();
        self.line_feeds += bytes.iter().filter(|&&byte| byte == b'\n').count();
        let is_plain = is_plain(bytes) && self.screen.is_between_sequences();
        self.screen.feed(bytes);
        // Nobody reads the text or fetches answers here.
        self.screen.drain(&mut |_| {});
        if !is_plain {
            self.is_unsettled = true;
            self.guarded.changes(&self.screen.mode_restoration());
        }
        self.pending.extend(bytes);
        self.set_title();
    }

    /// The title is to be this.
    pub(super) fn title(&mut self, title: String) {
        self.title.wanted = title;
        self.set_title();
    }

    fn set_title(&mut self) {
        let Title { wanted, set } = &mut self.title;
        if wanted.is_empty() || set.as_ref() == Some(wanted) || self.screen.is_within_sequence() {
            return;
        }
        if set.is_none() {
            self.guarded.always(POP_TITLE);
            self.pending.extend(PUSH_TITLE.as_bytes());
        }
        self.pending.extend(format!("\x1b]2;{wanted}\x1b\\").as_bytes());
        *set = Some(wanted.clone());
    }

    /// Puts the title back that was found; the next one that is said is set again.
    pub(super) fn restore_title(&mut self) {
        if self.title.set.take().is_some() {
            self.pending.extend(POP_TITLE.as_bytes());
            self.guarded.always("");
        }
        self.title.wanted.clear();
    }

    /// Shows the status in the row below the cursor until something is printed, where no program sees
    /// anything of that. It is no longer than a row.
    pub(super) fn status(&mut self, status: &str) {
        self.take_off_status();
        if self.screen.is_free_below() {
            let column = self.column() + 1;
            self.pending.extend(format!("\r\n{status}\x1b[A\x1b[{column}G").as_bytes());
            self.has_status = true;
        }
    }

    pub(super) fn take_off_status(&mut self) {
        if std::mem::take(&mut self.has_status) {
            let column = self.column() + 1;
            self.pending.extend(format!("\x1b[B\r\x1b[2K\x1b[A\x1b[{column}G").as_bytes());
        }
    }

    /// The line editor has the terminal from here on, until something is printed.
    pub(super) fn is_edited(&mut self) {
        (self.line_feeds, self.is_unsettled) = (0, true);
        self.guarded.is_edited();
    }

    /// It has it no more.
    pub(super) fn is_not_edited(&mut self) {
        self.guarded.settles(self.screen.mode_restoration());
    }

    /// The same for what is taken off the terminal before anything else is printed.
    pub(super) fn print_aside(&mut self, bytes: &[u8]) {
        self.take_off_status();
        self.pending.extend(bytes);
    }

    /// Prints a picture of so many rows, on rows of its own: what is sent for it leaves the cursor where
    /// it was.
    pub(super) fn picture(&mut self, drawing: &[u8], rows: u16) {
        self.fresh_row();
        // The terminal scrolls first, so that it knows where the cursor is however it is drawn.
        self.print("\r\n".repeat(usize::from(rows)).as_bytes());
        self.print(format!("\x1b[{rows}A").as_bytes());
        self.print_aside(drawing);
        self.print(format!("\x1b[{rows}B").as_bytes());
    }

    /// Goes to a row below what was printed, for rows that are taken off again ([`Outer::take_rows_off`]);
    /// whether what was printed is to be gone on with above them.
    pub(super) fn go_below(&mut self) -> bool {
        let is_above = self.column() > 0;
        if is_above {
            self.print_aside(b"\r\n");
        }
        is_above
    }

    /// Whether so much was printed since the editor had the terminal that the cursor is in the last row,
    /// wherever it was before, or a status above it.
    pub(super) fn has_scrolled(&self) -> bool {
        let rows = self.screen.size().rows;
        self.line_feeds >= usize::from(rows)
            && self.screen.cursor().0 + 1 >= rows
            && !self.is_alternate()
    }

    /// Goes to the last row, where that is not known to be this one; what stands below goes, as it does
    /// where the line editor begins.
    pub(super) fn go_to_bottom(&mut self) {
        let rows = self.screen.size().rows;
        self.print_aside(format!("\x1b[J\x1b[{rows}B").as_bytes());
    }

    /// Takes rows off below what was printed, which begin so many above the cursor's, and goes back to
    /// the row above them that is to be gone on with, if one is.
    pub(super) fn take_rows_off(&mut self, up: usize, is_above: bool) {
        let mut off = String::from("\r");
        if up > 0 {
            off += &format!("\x1b[{up}A");
        }
        // From the second column on: tmux puts a page that is erased from its first cell on into the scrollback.
        off += "\x1b[2K\x1b[C\x1b[J\r";
        if is_above {
            off += &format!("\x1b[A\x1b[{}G", self.column() + 1);
        }
        self.print_aside(off.as_bytes());
    }

    /// Something stands on the terminal that others have printed, and the cursor is below it.
    pub(super) fn is_below(&mut self) {
        self.screen.feed(b"\r\n");
        self.screen.drain(&mut |_| {});
        self.ends_with_edited = true;
    }

    /// Prints a line on a row of its own. Where a program has the whole screen there is no room.
    pub(super) fn line(&mut self, line: &str) {
        if !self.is_alternate() {
            self.fresh_row();
            self.print(format!("{line}\r\n").as_bytes());
            self.ends_with_edited = false;
        }
    }

    /// Goes to the next row, unless nothing stands on this one.
    pub(super) fn fresh_row(&mut self) {
        if self.column() > 0 {
            self.print(b"\r\n");
        }
    }

    /// Where in its row the cursor is, from 0.
    pub(super) fn column(&self) -> u16 {
        self.screen.cursor().1
    }

    /// What stands in the cursor's row and is not finished; empty where more stands behind the cursor, or
    /// in other rows of that line.
    pub(super) fn unfinished_row(&self) -> String {
        let line = self.screen.line_at_cursor();
        let is_all = line.width() == usize::from(self.column());
        if is_all { line } else { String::new() }
    }

    pub(super) fn is_alternate(&self) -> bool {
        self.screen.is_alternate()
    }

    /// Puts the terminal back as programs find it, below what stands there.
    pub(super) fn restore(&mut self) {
        // A program's sequence may have been cut.
        self.queries = QueryFilter::default();
        self.take_off_status();
        self.screen.drain(&mut |_| {});
        let sequences = self.screen.restore();
        self.pending.extend(sequences);
        self.is_unsettled = true;
    }

    /// What sets the modes off that programs have set, on the screen that is shown.
    pub(super) fn settings_off(&self) -> String {
        self.screen.terminal_settings()
    }

    /// The terminal has another size.
    pub(super) fn resize(&mut self, size: Size) {
        self.take_off_status();
        self.screen.resize(size);
    }
}

/// Whether this is nothing but text, which changes no modes: no sequence, charset, or C1 control.
fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| match byte {
        0x07..=0x0a | b'\r' | b' '..=b'~' | 0xa0..=0xc1 | 0xc3..=0xff => true,
        // In UTF-8 C1 controls begin with this byte.
        0..=0x1f | 0x7f..=0x9f | 0xc2 => false,
    })
}

impl Drop for Outer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            use std::io::Write;
            let _ = io::stdout().write_all(&self.screen.restore());
            let _ = io::stdout().flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_cursor_is_is_known_once_a_screenful_was_printed() {
        let size = Size { columns: 20, rows: 4 };
        let mut outer = Outer::new(size);
        outer.print(b"one\r\ntwo\r\n");
        assert!(!outer.has_scrolled());
        outer.print(b"three\r\nfour\r\n");
        assert!(outer.has_scrolled());
        // A program went up again, or has the screen to itself.
        outer.print(b"\x1b[2A");
        assert!(!outer.has_scrolled());
        outer.print(b"\x1b[2B");
        assert!(outer.has_scrolled());
        outer.print(b"\x1b[?1049h\x1b[4;1H");
        assert!(!outer.has_scrolled());
        outer.print(b"\x1b[?1049l");
        // What the editor does to the terminal is not known.
        outer.is_edited();
        outer.print(b"five\r\nsix\r\n");
        assert!(!outer.has_scrolled());
    }

    #[test]
    fn text_alone_changes_no_modes() {
        for text in ["", "a key", "\r\n\t\x08\x07", "漢"] {
            assert!(is_plain(text.as_bytes()), "{text:?}");
        }
        for control in ["\x1b[?25l", "\x0e", "\x18", "\u{9b}?25l", "\x7f"] {
            assert!(!is_plain(control.as_bytes()), "{control:?}");
        }
    }
}
