//! The terminal: its pages, cursor and modes. What acts on them stands in files of its own.

use super::answers::Answers;
use super::cursor::Cursor;
use super::extras::Extras;
use super::finished::Ascent;
use super::modes::Modes;
use super::page::Page;
use super::row::Row;
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
    /// How far the program goes up on the primary screen.
    pub(super) ascent: Ascent,
    /// The beginning of a UTF-8 character at the end of the last chunk.
    pub(super) partial: Vec<u8>,
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
            ascent: Ascent::default(),
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
    pub(super) fn row_mut(&mut self) -> &mut Row {
        let row = self.cursor.row;
        &mut self.page_mut().rows[row]
    }

    pub(super) fn set_echo(&mut self, on: bool) {
        self.cursor.pen.attributes.set(Attributes::ECHO, on);
    }

    /// The same for the echo of a cell.
    pub(super) fn set_cell_echo(&mut self, on: bool) {
        self.set_echo(on);
        self.cursor.pen.attributes.set(Attributes::CELL, on);
    }
}
