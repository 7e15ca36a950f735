//! The terminal: its pages, cursor and modes, and how text is printed on them.

use super::answers::Answers;
use super::cell::columns_of;
use super::cursor::Cursor;
use super::extras::Extras;
use super::modes::Modes;
use super::page::Page;
use super::row::LineEnd;
use super::style::Attributes;
use super::tabs::Tabs;
use super::title::Title;
use super::transcript::Transcript;

/// Everything the byte stream acts on.
#[derive(Debug)]
pub(super) struct Terminal {
    pub(super) primary: Page,
    pub(super) alternate: Page,
    pub(super) on_alternate: bool,
    pub(super) cursor: Cursor,
    /// What DECSC saved, on the primary and on the alternate screen.
    pub(super) saved: [Cursor; 2],
    /// The first and the last row of the scroll region (DECSTBM).
    pub(super) region: (usize, usize),
    pub(super) modes: Modes,
    pub(super) tabs: Tabs,
    pub(super) transcript: Transcript,
    /// The text of the alternate screen since it was last shown.
    pub(super) alternate_transcript: Transcript,
    /// The text that the alternate screen showed when it was left, and that nobody took so far.
    pub(super) left_alternate: String,
    pub(super) extras: Extras,
    pub(super) answers: Answers,
    pub(super) title: Title,
    /// The character REP repeats.
    pub(super) last_char: Option<char>,
    /// The cursor was sent home, and nothing happened since: an erase is a clear-screen then.
    pub(super) homed: bool,
    /// The cursor was sent to a place on the primary screen (CUP, HVP, VPA) while DECCKM was set,
    /// and the page has not scrolled since.
    pub(super) addressed: bool,
    /// The beginning of a UTF-8 character at the end of the last chunk.
    partial: Vec<u8>,
}

/// How much text of the alternate screen is kept for a reader, in bytes.
pub(super) const LONGEST_ALTERNATE_TEXT: usize = 1 << 20;

impl Terminal {
    pub(super) fn new(columns: usize, rows: usize) -> Terminal {
        Terminal {
            primary: Page::new(columns, rows),
            alternate: Page::new(columns, rows),
            on_alternate: false,
            cursor: Cursor::default(),
            saved: [Cursor::default(); 2],
            region: (0, rows - 1),
            modes: Modes::default(),
            tabs: Tabs::new(columns),
            transcript: Transcript::default(),
            alternate_transcript: Transcript::default(),
            left_alternate: String::new(),
            extras: Extras::default(),
            answers: Answers::default(),
            title: Title::default(),
            last_char: None,
            homed: false,
            addressed: false,
            partial: Vec::new(),
        }
    }

    pub(super) fn page(&self) -> &Page {
        if self.on_alternate { &self.alternate } else { &self.primary }
    }

    pub(super) fn page_mut(&mut self) -> &mut Page {
        if self.on_alternate { &mut self.alternate } else { &mut self.primary }
    }

    pub(super) fn columns(&self) -> usize {
        self.primary.columns
    }

    pub(super) fn rows(&self) -> usize {
        self.primary.rows.len()
    }

    /// The row the cursor is in.
    pub(super) fn row_mut(&mut self) -> &mut super::row::Row {
        let row = self.cursor.row;
        &mut self.page_mut().rows[row]
    }

    pub(super) fn set_echo(&mut self, on: bool) {
        self.cursor.pen.attributes.set(Attributes::ECHO, on);
    }

    /// Prints text and executes the C0 controls in it. What is not UTF-8 becomes U+FFFD.
    ///
    /// A character may go on in the next call, unless [`Terminal::end_text`] comes between.
    pub(super) fn text(&mut self, mut bytes: &[u8]) {
        while !self.partial.is_empty()
            && let Some((&byte, rest)) = bytes.split_first()
        {
            self.partial.push(byte);
            match str::from_utf8(&self.partial) {
                Ok(text) => {
                    let c = text.chars().next();
                    self.partial.clear();
                    c.into_iter().for_each(|c| self.character(c));
                }
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    // The byte does not belong to the character.
                    self.partial.clear();
                    self.print(char::REPLACEMENT_CHARACTER);
                    break;
                }
            }
            bytes = rest;
        }
        while !bytes.is_empty() {
            match str::from_utf8(bytes) {
                Ok(text) => {
                    self.valid_text(text);
                    break;
                }
                Err(error) => {
                    let (valid, rest) = bytes.split_at(error.valid_up_to());
                    self.valid_text(str::from_utf8(valid).unwrap_or_default());
                    let Some(length) = error.error_len() else {
                        self.partial.extend_from_slice(rest);
                        break;
                    };
                    self.print(char::REPLACEMENT_CHARACTER);
                    bytes = &rest[length..];
                }
            }
        }
    }

    /// An escape sequence follows: a character that is not complete never will be.
    pub(super) fn end_text(&mut self) {
        if !self.partial.is_empty() {
            self.partial.clear();
            self.print(char::REPLACEMENT_CHARACTER);
        }
    }

    /// Prints text that is whole characters.
    pub(super) fn valid_text(&mut self, text: &str) {
        self.end_text();
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let run = printable_ascii(&bytes[at..]);
            if run > 0 {
                self.print_ascii(&text[at..at + run]);
                at += run;
            } else if bytes[at] < 0x80 {
                self.control(bytes[at]);
                at += 1;
            } else {
                at += self.print_run(&text[at..]);
            }
        }
    }

    /// Executes a C0 control (ECMA-48, 5.2); those that mean nothing to a screen are ignored.
    pub(super) fn control(&mut self, byte: u8) {
        match byte {
            0x08 => self.backspace(),
            b'\t' => self.tab(),
            b'\n' | 0x0b | 0x0c => self.line_feed(),
            b'\r' => self.carriage_return(),
            0x0e => self.cursor.charsets.active = 1,
            0x0f => self.cursor.charsets.active = 0,
            _ => {}
        }
    }

    /// Prints a character, unless it is a C1 control in UTF-8, which is ignored.
    fn character(&mut self, c: char) {
        match c {
            '\0'..='\x1f' => self.control(c as u8),
            '\x7f'..='\u{9f}' => {}
            _ => self.print(c),
        }
    }

    fn print_ascii(&mut self, mut text: &str) {
        if !self.cursor.charsets.is_plain() || self.modes.insert {
            text.chars().for_each(|c| self.print(c));
            return;
        }
        self.homed = false;
        self.last_char = text.as_bytes().last().map(|&byte| char::from(byte));
        let columns = self.columns();
        let pen = self.cursor.pen;
        while !text.is_empty() {
            if self.cursor.pending_wrap {
                self.wrap();
            }
            let column = self.cursor.column;
            let mut count = text.len().min(columns - column);
            self.row_mut().write_ascii(column, &text[..count], pen);
            if count < text.len() && !self.modes.autowrap {
                // The last column is printed over and over.
                self.row_mut().write_ascii(columns - 1, &text[text.len() - 1..], pen);
                count = text.len();
            }
            text = &text[count..];
            self.advance(count);
        }
    }

    /// Prints the characters at the front that fit in the row; returns how many bytes they are.
    fn print_run(&mut self, text: &str) -> usize {
        let Some(first) = text.chars().next() else { return 0 };
        if !self.cursor.charsets.is_plain() || self.modes.insert {
            self.character(first);
            return first.len_utf8();
        }
        if self.cursor.pending_wrap && columns_of(first) > 0 {
            self.wrap();
        }
        let room = self.columns() - self.cursor.column;
        let (mut length, mut columns, mut last) = (0, 0, first);
        for c in text.chars() {
            let width = columns_of(c);
            if width == 0 || columns + width > room {
                break;
            }
            columns += width;
            length += c.len_utf8();
            last = c;
        }
        if length == 0 || self.cursor.pending_wrap {
            self.character(first);
            return first.len_utf8();
        }
        self.homed = false;
        self.last_char = Some(last);
        let (column, pen) = (self.cursor.column, self.cursor.pen);
        self.row_mut().write_text(column, &text[..length], columns, pen);
        self.advance(columns);
        length
    }

    /// Moves the cursor over what was printed.
    fn advance(&mut self, count: usize) {
        self.cursor.column += count;
        if self.cursor.column >= self.columns() {
            self.cursor.column = self.columns() - 1;
            self.cursor.pending_wrap = true;
        }
    }

    /// Prints one character with the modes and character sets as they are.
    pub(super) fn print(&mut self, c: char) {
        let c = self.cursor.charsets.map(c);
        let width = columns_of(c);
        let columns = self.columns();
        let pen = self.cursor.pen;
        self.homed = false;
        if width == 0 {
            let column = self.cursor.column
                - usize::from(!self.cursor.pending_wrap && self.cursor.column > 0);
            self.row_mut().combine(column, c, pen);
            return;
        }
        self.last_char = Some(c);
        if self.cursor.pending_wrap {
            self.wrap();
        }
        if width == 2 && self.cursor.column + 1 >= columns {
            if !self.modes.autowrap || columns < 2 {
                self.cursor.pending_wrap = true;
                return;
            }
            let column = self.cursor.column;
            self.row_mut().write_padding(column, pen);
            self.cursor.pending_wrap = true;
            self.wrap();
        }
        let column = self.cursor.column;
        if self.modes.insert && column + width < columns {
            self.row_mut().insert(column, width, pen.background, columns);
        }
        self.row_mut().write_text(column, c.encode_utf8(&mut [0; 4]), width, pen);
        self.advance(width);
    }

    /// Goes to the next row because the line is longer than the page is wide.
    fn wrap(&mut self) {
        if !self.modes.autowrap {
            return;
        }
        let columns = self.columns();
        // Below the region there may be no next row: the line is printed over.
        if self.cursor.row == self.region.1 || self.cursor.row + 1 < self.rows() {
            self.row_mut().wrap(columns);
        }
        self.index();
        self.cursor.column = 0;
        self.cursor.pending_wrap = false;
    }

    /// Moves the cursor down, scrolling at the bottom of the region (IND).
    fn index(&mut self) {
        if self.cursor.row == self.region.1 {
            self.scroll_up(1);
        } else if self.cursor.row + 1 < self.rows() {
            self.cursor.row += 1;
        }
    }

    /// Scrolls the region; what leaves the primary screen goes to the transcript.
    pub(super) fn scroll_up(&mut self, count: usize) {
        let fill = self.cursor.pen.background;
        if self.on_alternate {
            self.alternate.scroll_up(
                self.region,
                count,
                fill,
                Some(&mut self.alternate_transcript),
            );
            // An editor scrolls for hours, and nobody asks for it.
            self.alternate_transcript.forget_beyond(LONGEST_ALTERNATE_TEXT);
        } else {
            self.addressed &= self.region != (0, self.rows() - 1);
            self.primary.scroll_up(self.region, count, fill, Some(&mut self.transcript));
        }
    }

    /// LF, VT, FF, IND, and NEL but for the carriage return: ends the line.
    pub(super) fn line_feed(&mut self) {
        let echo = self.cursor.pen.is_echo();
        let row = self.row_mut();
        if row.end == LineEnd::Open {
            row.end = if echo { LineEnd::EchoBreak } else { LineEnd::Break };
        }
        self.index();
        if self.modes.line_feed_new_line {
            self.carriage_return();
        }
    }

    pub(super) fn carriage_return(&mut self) {
        self.cursor.column = 0;
        self.cursor.pending_wrap = false;
    }

    fn backspace(&mut self) {
        if self.cursor.column > 0 {
            self.cursor.column -= 1;
            self.cursor.pending_wrap = false;
        }
    }

    /// HT. The row remembers it where it skips nothing that was printed.
    fn tab(&mut self) {
        let column = self.cursor.column;
        let next = self.tabs.next(column);
        let pen = self.cursor.pen;
        if next > column {
            self.row_mut().write_tab(column, next, pen);
            self.cursor.column = next;
        } else if !self.on_alternate {
            // No room: xterm stays. The program still printed it.
            let at = if self.cursor.pending_wrap { column } else { column.saturating_sub(1) };
            self.row_mut().combine(at, '\t', pen);
        }
    }
}

/// How many of the first bytes are printable ASCII.
fn printable_ascii(bytes: &[u8]) -> usize {
    const BLOCK: usize = 16;
    let printable = |byte: u8| byte.wrapping_sub(0x20) < 0x5f;
    let blocks = bytes.chunks_exact(BLOCK);
    let whole = blocks.take_while(|block| block.iter().fold(true, |all, &b| all & printable(b)));
    let from = whole.count() * BLOCK;
    let rest = bytes[from..].iter().position(|&byte| !printable(byte));
    rest.map_or(bytes.len(), |rest| from + rest)
}
