//! Printing characters where the cursor is.

use super::cell::columns_of;
use super::terminal::Terminal;

impl Terminal {
    pub(super) fn print_ascii(&mut self, mut text: &str) {
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
                // The last column is printed over and over; a blank erases what was there before.
                let over = text[count..].rfind(|c| c != ' ').map_or(text.len(), |at| count + at);
                for at in [over, text.len() - 1].into_iter().filter(|&at| at < text.len()) {
                    self.row_mut().write_ascii(columns - 1, &text[at..=at], pen);
                }
                count = text.len();
            }
            text = &text[count..];
            self.advance(count);
        }
    }

    /// Prints the characters at the front that fit in the row; returns how many bytes they are.
    pub(super) fn print_run(&mut self, text: &str) -> usize {
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
}
