//! The dump: escape sequences that repaint a fresh terminal to be equal to this one.
//!
//! What no program could see before it overwrites it is left out: the alternate screen while
//! the primary one is shown, and what the transcript remembers of the rows.

use std::fmt::Write;

use super::cell::{Cell, Glyph};
use super::charset::Charset;
use super::cursor::Cursor;
use super::modes::{IRM, LNM, private::*};
use super::page::Page;
use super::row::LineEnd;
use super::style::{Color, Style};
use super::tabs::Tabs;
use super::terminal::Terminal;

/// Writes a dump, and knows the pen that the terminal has so far.
pub(super) struct Writer<'a> {
    terminal: &'a Terminal,
    pub(super) out: String,
    pen: Style,
    /// Whether rows are printed one below the other from where the cursor is.
    in_line: bool,
}

impl Terminal {
    pub(super) fn dump(&self) -> String {
        let mut writer = Writer::new(self);
        if !self.title.text.is_empty() {
            writer.push(format_args!("\x1b]2;{}\x1b\\", self.title.text));
        }
        writer.directory();
        writer.page(&self.primary);
        if self.on_alternate {
            writer.cursor(&self.saved[0], &self.primary, 0);
            writer.private_mode(ALTERNATE_SCREEN_AND_CURSOR, true);
            writer.private_mode(DECOM, false);
            writer.fresh_sets();
            writer.page(&self.alternate);
        }
        let saved = &self.saved[usize::from(self.on_alternate)];
        if *saved != Cursor::default() {
            writer.cursor(saved, self.page(), 0);
            writer.out.push_str("\x1b7");
            writer.private_mode(DECOM, false);
            writer.fresh_sets();
        }
        writer.settings();
        writer.cursor(&self.cursor, self.page(), self.region.0);
        writer.link(self.cursor.pen.extra);
        writer.modes();
        writer.out
    }

    /// The same for a terminal whose page has other things on it, which stay: what is on the primary
    /// page comes below the cursor, as if it was printed now. What goes by the places of rows on that
    /// page, a scroll region say, is left out.
    pub(super) fn dump_in_line(&self) -> String {
        let mut writer = Writer::new(self);
        let cursor = if self.on_alternate { &self.saved[0] } else { &self.cursor };
        let used = self.primary.rows.iter().rposition(|row| !row.is_blank());
        let last = used.unwrap_or(0).max(cursor.row);
        writer.directory();
        writer.in_line = true;
        writer.rows(&self.primary, last + 1);
        writer.style(Style::default());
        if last > cursor.row {
            writer.push(format_args!("\x1b[{}A", last - cursor.row));
        }
        writer.push(format_args!("\x1b[{}G", cursor.column + 1));
        if self.on_alternate {
            return writer.out + &self.dump_alternate();
        }
        writer.style(Style { extra: 0, ..self.cursor.pen });
        writer.charsets(cursor);
        writer.link(self.cursor.pen.extra);
        writer.modes();
        writer.out
    }

    /// The alternate screen alone, which a program has for itself.
    pub(super) fn dump_alternate(&self) -> String {
        let mut writer = Writer::new(self);
        writer.private_mode(ALTERNATE_SCREEN_AND_CURSOR, true);
        writer.out.push_str("\x1b[H\x1b[2J");
        writer.page(&self.alternate);
        writer.settings();
        writer.cursor(&self.cursor, &self.alternate, self.region.0);
        writer.link(self.cursor.pen.extra);
        writer.modes();
        writer.out
    }

    /// What sets the modes of a fresh terminal as they are here.
    pub(super) fn dump_modes(&self) -> String {
        let mut writer = Writer::new(self);
        writer.modes();
        writer.out
    }
}

/// Whether nothing was printed in the cell. Tabs come back as blanks.
fn is_blank(cell: &Cell) -> bool {
    matches!(cell.glyph, Glyph::EMPTY | Glyph::TAB | Glyph::TAB_TAIL)
}

impl<'a> Writer<'a> {
    pub(super) fn new(terminal: &'a Terminal) -> Writer<'a> {
        Writer { terminal, out: String::new(), pen: Style::default(), in_line: false }
    }
}

impl Writer<'_> {
    pub(super) fn push(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(text);
    }

    /// Sets the pen, its hyperlink included.
    pub(super) fn style(&mut self, style: Style) {
        let style = style.visible();
        if style == self.pen {
            return;
        }
        if style.extra != self.pen.extra {
            self.link(style.extra);
        }
        let color = self.terminal.extras.get(style.extra).underline_color;
        style.write_sgr(color, &mut self.out);
        self.pen = style;
    }

    fn link(&mut self, extra: u16) {
        match self.terminal.extras.get(extra).link {
            Some(link) => self.push(format_args!("\x1b]8;{};{}\x1b\\", link.0, link.1)),
            None => self.out.push_str("\x1b]8;;\x1b\\"),
        }
    }

    fn directory(&mut self) {
        let directory = &self.terminal.title.directory;
        if !directory.is_empty() {
            self.push(format_args!("\x1b]7;{directory}\x1b\\"));
        }
    }

    /// DECSET or DECRST.
    fn private_mode(&mut self, mode: u16, on: bool) {
        let action = if on { 'h' } else { 'l' };
        self.push(format_args!("\x1b[?{mode}{action}"));
    }

    pub(super) fn fresh_sets(&mut self) {
        self.out.push_str("\x0f\x1b(B\x1b)B\x1b*B\x1b+B");
    }

    fn page(&mut self, page: &Page) {
        self.rows(page, page.rows.len());
    }

    /// The first rows of a page.
    fn rows(&mut self, page: &Page, count: usize) {
        let mut wrapped = false;
        for (index, row) in page.rows.iter().enumerate().take(count) {
            let (mut cells, clusters) = row.to_cells();
            let mut fill = row.fill;
            let goes_on = row.end == LineEnd::Wrapped;
            if !goes_on {
                // Blanks up to the end of the row are erased at once.
                if let Some(last) = cells.get(page.columns - 1).filter(|cell| is_blank(cell)) {
                    fill = last.style.background;
                }
                let erased = Style::erased(fill);
                let kept = |cell: &Cell| !is_blank(cell) || cell.style.visible() != erased;
                cells.truncate(cells.iter().rposition(kept).map_or(0, |last| last + 1));
            }
            if wrapped && cells.first().is_none_or(is_blank) {
                // Something must be printed for the line to wrap.
                self.style(Style::default());
                self.out.push_str(" \r\x1b[X");
            } else if self.in_line {
                if index > 0 && !wrapped {
                    self.style(Style::default());
                    self.out.push_str("\r\n");
                }
            } else if !wrapped && (!cells.is_empty() || fill != Color::DEFAULT) {
                self.push(format_args!("\x1b[{}H", index + 1));
            }
            let continues = std::mem::replace(&mut wrapped, goes_on);
            // The last column of a line that goes on is printed, or it would not.
            let skipped = &cells[..cells.len() - usize::from(wrapped)];
            let mut column = 0;
            while let Some(&cell) = cells.get(column) {
                let style = cell.style.visible();
                let alike = |other: &&Cell| is_blank(other) && other.style.visible() == style;
                let count = skipped.iter().skip(column).take_while(alike).count();
                if count == 0 {
                    self.cell(cell, &clusters);
                    column += 1;
                    continue;
                }
                if style != Style::default() {
                    self.style(cell.style);
                    self.push(format_args!("\x1b[{count}X"));
                }
                column += count;
                if column < page.columns {
                    self.push(format_args!("\x1b[{count}C"));
                }
            }
            if fill != Color::DEFAULT && column < page.columns {
                self.style(Style::erased(fill));
                if continues && column == 0 {
                    // EL from the first column would end the line in the row before.
                    self.push(format_args!("\x1b[{}X", page.columns));
                } else {
                    self.out.push_str("\x1b[K");
                }
            }
        }
    }

    /// Prints what a cell shows.
    pub(super) fn cell(&mut self, cell: Cell, clusters: &[String]) {
        if cell.glyph == Glyph::WIDE_TAIL {
            return;
        }
        self.style(cell.style);
        match cell.glyph.as_cluster().and_then(|index| clusters.get(index)) {
            Some(cluster) => {
                let blank = cluster.starts_with('\t').then_some(' ');
                self.out.extend(blank.into_iter().chain(cluster.chars().filter(|&c| c != '\t')));
            }
            None => self.out.push(cell.glyph.as_char()),
        }
    }

    /// Puts the cursor in its place, with its pen and character sets; origin mode comes with it.
    /// `top` is the first row of the scroll region so far.
    fn cursor(&mut self, cursor: &Cursor, page: &Page, top: usize) {
        let mut row = cursor.row;
        if cursor.origin {
            self.private_mode(DECOM, true);
            row = row.saturating_sub(top);
        }
        if cursor.pending_wrap {
            // Only printing in the last column leaves the cursor behind it.
            let line = &page.rows[cursor.row];
            let (cells, clusters) = line.to_cells();
            let last = page.columns - 1;
            let wide = cells.get(last).is_some_and(|cell| cell.glyph == Glyph::WIDE_TAIL);
            let column = last - usize::from(wide);
            let cell = cells.get(column).copied().unwrap_or(Cell::erased(line.fill));
            self.push(format_args!("\x1b[{};{}H", row + 1, column + 1));
            self.cell(cell, &clusters);
        } else {
            self.push(format_args!("\x1b[{};{}H", row + 1, cursor.column + 1));
        }
        self.style(Style { extra: 0, ..cursor.pen });
        cursor.pen.visible().write_sgr(cursor.underline_color, &mut self.out);
        self.pen = Style { extra: u16::MAX, ..cursor.pen };
        self.charsets(cursor);
    }

    fn charsets(&mut self, cursor: &Cursor) {
        for (index, charset) in cursor.charsets.designated.iter().enumerate() {
            if *charset != Charset::Ascii {
                self.push(format_args!("\x1b{}0", ["(", ")", "*", "+"][index]));
            }
        }
        self.out.push_str(["", "\x0e", "\x1bn", "\x1bo"][usize::from(cursor.charsets.active & 3)]);
    }

    /// Tab stops and the scroll region.
    fn settings(&mut self) {
        let terminal = self.terminal;
        if terminal.tabs != Tabs::new(terminal.columns()) {
            self.out.push_str("\x1b[3g");
            for column in terminal.tabs.iter() {
                self.push(format_args!("\x1b[{}G\x1bH", column + 1));
            }
        }
        if terminal.region != (0, terminal.rows() - 1) {
            let (top, bottom) = terminal.region;
            self.push(format_args!("\x1b[{};{}r", top + 1, bottom + 1));
        }
    }

    fn modes(&mut self) {
        let modes = &self.terminal.modes;
        for mode in modes.kept_modes() {
            self.private_mode(mode, true);
        }
        for (mode, on) in [(IRM, modes.insert), (LNM, modes.line_feed_new_line)] {
            if on {
                self.push(format_args!("\x1b[{mode}h"));
            }
        }
        for (mode, on) in [(DECAWM, modes.autowrap), (DECTCEM, modes.cursor_visible)] {
            if !on {
                self.private_mode(mode, false);
            }
        }
        if modes.application_keypad {
            // DECKPAM, which more terminals know than DECNKM.
            self.out.push_str("\x1b=");
        }
        if modes.cursor_shape != 0 {
            self.push(format_args!("\x1b[{} q", modes.cursor_shape));
        }
        modes.keyboard.dump(&mut self.out);
    }
}
