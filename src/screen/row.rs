//! A row of the page: a strip of text until somebody edits it, cells from then on.
//!
//! Columns behind what a row stores were never printed, or erased.

use super::cell::{Cell, Glyph, columns_of};
use super::strip::Strip;
use super::style::{Color, Style};
use super::transcript::Reported;

/// A cell holds a character and combining ones up to this many bytes.
const LONGEST_CLUSTER: usize = 128;

/// How a row ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum LineEnd {
    /// The program has not ended it.
    #[default]
    Open,
    /// The line was too long for the page and goes on in the next row (autowrap).
    Wrapped,
    /// The program ended it with a line break.
    Break,
    /// A line break that was echo ended it.
    EchoBreak,
}

/// One row of the page.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// What is stored, until `edited`.
    strip: Strip,
    /// What is stored, once `edited`.
    cells: Vec<Cell>,
    edited: bool,
    /// Characters with combining ones, named by [`Glyph::cluster`].
    clusters: Vec<String>,
    /// The background of the columns that are not stored.
    pub(super) fill: Color,
    pub(super) end: LineEnd,
    /// The line goes on in the next row even while that is erased, and printed anew.
    pub(super) keeps_wrap: bool,
    /// What readers of the transcript know of the line that begins in this row.
    pub(super) reported: Option<Box<Reported>>,
}

impl Row {
    /// An empty row.
    pub(super) fn new(fill: Color, reported: Option<Box<Reported>>) -> Row {
        Row { fill, reported, ..Row::default() }
    }

    /// Makes it a new, empty row.
    pub(super) fn reset(&mut self, fill: Color) {
        self.clear(fill);
        self.reported = None;
    }

    /// Takes over what is known of a line that goes on in this row.
    pub(super) fn continue_line(&mut self, known: Option<Box<Reported>>) {
        if known.is_some() && self.reported.is_none() {
            self.reported = known;
        }
    }

    /// Erases all of it, the line break included.
    pub(super) fn clear(&mut self, fill: Color) {
        self.strip.clear();
        self.cells.clear();
        self.clusters.clear();
        self.edited = false;
        self.fill = fill;
        self.end = LineEnd::Open;
        self.keeps_wrap = false;
    }

    /// The number of columns that are stored.
    pub(super) fn len(&self) -> usize {
        if self.edited { self.cells.len() } else { self.strip.width() }
    }

    /// The stored cells and the clusters they name.
    pub(super) fn to_cells(&self) -> (Vec<Cell>, Vec<String>) {
        let (mut cells, mut clusters) = (self.cells.clone(), self.clusters.clone());
        if !self.edited {
            self.strip.cells(&mut cells, &mut clusters);
        }
        (cells, clusters)
    }

    /// Whether nothing is to be seen in it, and no blanks were printed.
    pub(super) fn is_blank(&self) -> bool {
        let mut text = String::new();
        self.visible_text(&mut text);
        text.trim_end_matches(' ').is_empty() && !self.has_transcript_text()
    }

    /// The columns up to the last one that was printed for people to read.
    pub(super) fn printed_columns(&self) -> usize {
        if !self.edited {
            return if self.strip.has_transcript_text() { self.strip.width() } else { 0 };
        }
        let printed = |cell: &Cell| cell.glyph != Glyph::EMPTY && !cell.style.is_echo();
        self.cells.iter().rposition(printed).map_or(0, |last| last + 1)
    }

    /// How the first column looks.
    pub(super) fn first_style(&self) -> Option<Style> {
        if self.edited {
            self.cells.first().map(|cell| cell.style)
        } else {
            self.strip.first_style()
        }
    }

    /// The extras that the row's cells name.
    pub(super) fn extras(&self) -> impl Iterator<Item = u16> {
        self.strip.extras().chain(self.cells.iter().map(|cell| cell.style.extra))
    }

    /// Appends a cell of another row, whose cluster it takes along.
    pub(super) fn push(&mut self, cell: Cell, cluster: Option<String>) {
        self.edit();
        let glyph = match cluster {
            Some(cluster) => {
                self.clusters.push(cluster);
                Glyph::cluster(self.clusters.len() - 1)
            }
            None => cell.glyph,
        };
        self.cells.push(Cell { glyph, ..cell });
    }

    /// Whether the last cell is part of a tab that may go on.
    pub(super) fn ends_in_tab(&self) -> bool {
        let tab = |glyph| {
            matches!(glyph, Glyph::TAB | Glyph::TAB_TAIL)
                || self.cluster(glyph).is_some_and(|cluster| cluster.starts_with('\t'))
        };
        self.cells.last().is_some_and(|last| tab(last.glyph))
    }

    /// Makes the last column one that was printed, since the line goes on behind it.
    pub(super) fn fill_last(&mut self) {
        if let Some(last) = self.cells.last_mut() {
            match last.glyph {
                Glyph::EMPTY => last.glyph = Glyph::char(' '),
                Glyph::TAB_TAIL => last.glyph = Glyph::PADDING,
                _ => {}
            }
        }
    }

    /// Turns the strip into cells.
    fn edit(&mut self) {
        if !self.edited {
            self.edited = true;
            self.strip.cells(&mut self.cells, &mut self.clusters);
            self.strip.clear();
        }
    }

    /// Stores at least this many columns.
    fn reach(&mut self, columns: usize) {
        self.edit();
        if self.cells.len() < columns {
            self.cells.resize(columns, Cell::erased(self.fill));
        }
    }

    /// Breaks up the wide characters and tabs that lie across the borders of `from..to`.
    fn sever(&mut self, from: usize, to: usize) {
        for border in [from, to] {
            match self.cells.get(border).map(|cell| cell.glyph) {
                Some(Glyph::WIDE_TAIL) if border > 0 => {
                    self.cells[border - 1].glyph = Glyph::char(' ');
                    self.cells[border].glyph = Glyph::char(' ');
                }
                Some(Glyph::TAB_TAIL) => {
                    let mut first = border;
                    while first > 0 && self.cells[first].glyph == Glyph::TAB_TAIL {
                        first -= 1;
                    }
                    let rest = self.cells[border..].iter();
                    let tail = rest.take_while(|cell| cell.glyph == Glyph::TAB_TAIL).count();
                    for cell in &mut self.cells[first..border + tail] {
                        cell.glyph = Glyph::EMPTY;
                    }
                    self.check_wrap(self.cells.len());
                }
                _ => {}
            }
        }
    }

    /// Prints ASCII; the caller sees to it that it ends within the page.
    pub(super) fn write_ascii(&mut self, column: usize, text: &str, style: Style) {
        if !self.edited && self.strip.write_ascii(column, text, style) {
            return;
        }
        self.reach(column);
        let end = column + text.len();
        let over = end.min(self.cells.len());
        self.sever(column, end);
        let bytes = text.as_bytes();
        let cell = |&byte: &u8| Cell { glyph: Glyph::ascii(byte), style };
        for (old, byte) in self.cells[column..over].iter_mut().zip(bytes) {
            *old = cell(byte);
        }
        self.cells.extend(bytes[over - column..].iter().map(cell));
    }

    /// Prints characters of one or two columns each, `width` in all.
    pub(super) fn write_text(&mut self, column: usize, text: &str, width: usize, style: Style) {
        if !self.edited && self.strip.write_text(column, text, width, style) {
            return;
        }
        let mut at = column;
        self.reach(column + width);
        self.sever(column, column + width);
        for c in text.chars() {
            self.cells[at] = Cell { glyph: Glyph::char(c), style };
            at += 1;
            if columns_of(c) == 2 {
                self.cells[at] = Cell { glyph: Glyph::WIDE_TAIL, style };
                at += 1;
            }
        }
    }

    /// Leaves the last column free for a wide character that goes to the next row.
    pub(super) fn write_padding(&mut self, column: usize, style: Style) {
        self.reach(column + 1);
        self.sever(column, column + 1);
        self.cells[column] = Cell { glyph: Glyph::PADDING, style };
    }

    /// Notes that a tab skipped `from..to`, if nothing was printed there.
    pub(super) fn write_tab(&mut self, from: usize, to: usize, style: Style) {
        if !self.edited {
            let printed = from < self.len();
            if printed || self.fill == Color::DEFAULT && self.strip.write_tab(from, to, style) {
                return;
            }
        }
        let over = to.min(self.cells.len());
        if from < over && self.cells[from..over].iter().any(|c| c.glyph != Glyph::EMPTY) {
            return;
        }
        self.reach(to);
        for cell in &mut self.cells[from..to] {
            let background = cell.style.background;
            *cell = Cell { glyph: Glyph::TAB_TAIL, style: Style { background, ..style.tab() } };
        }
        self.cells[from].glyph = Glyph::TAB;
    }

    /// Adds a combining character, or a tab that found no more room, to the cell.
    pub(super) fn combine(&mut self, mut column: usize, c: char, style: Style) {
        if !self.edited && self.strip.combine(column, c) {
            return;
        }
        self.reach(column + 1);
        let halves = [Glyph::WIDE_TAIL, Glyph::TAB_TAIL];
        while column > 0 && halves.contains(&self.cells[column].glyph) {
            column -= 1;
        }
        if let Some(cluster) = self.cells[column].glyph.as_cluster() {
            let cluster = &mut self.clusters[cluster];
            if cluster.len() + c.len_utf8() <= LONGEST_CLUSTER {
                cluster.push(c);
            }
            return;
        }
        if self.clusters.len() >= 2 * self.cells.len() {
            self.compact();
        }
        let glyph = self.cells[column].glyph;
        if glyph == Glyph::EMPTY {
            if c == '\t' {
                return;
            }
            let background = self.cells[column].style.background;
            self.cells[column].style = Style { background, ..style.tab() };
        }
        let base = if glyph == Glyph::TAB { '\t' } else { glyph.as_char() };
        self.cells[column].glyph = Glyph::cluster(self.clusters.len());
        self.clusters.push([base, c].iter().collect());
    }

    /// Drops the clusters that no cell names any more.
    fn compact(&mut self) {
        let mut old = std::mem::take(&mut self.clusters);
        for cell in &mut self.cells {
            if let Some(index) = cell.glyph.as_cluster() {
                cell.glyph = Glyph::cluster(self.clusters.len());
                self.clusters.push(std::mem::take(&mut old[index]));
            }
        }
    }

    /// Erases the columns `from..to` of a page with `columns` columns (EL, ECH).
    pub(super) fn erase(&mut self, from: usize, to: usize, fill: Color, columns: usize) {
        if to >= columns {
            if fill != self.fill {
                self.pad(from);
            }
            self.truncate(from);
            self.fill = fill;
        } else {
            if fill != self.fill {
                self.reach(to);
            }
            let to = to.min(self.len());
            if from < to {
                self.edit();
                self.sever(from, to);
                self.cells[from..to].fill(Cell::erased(fill));
            }
        }
        self.check_wrap(columns);
    }

    /// Stores this many columns, which the fill has covered so far.
    fn pad(&mut self, columns: usize) {
        if self.len() < columns {
            self.reach(columns);
        }
    }

    fn truncate(&mut self, to: usize) {
        if !self.edited && !self.strip.truncate(to) {
            self.edit();
        }
        if self.edited && to < self.cells.len() {
            self.sever(to, to);
            self.cells.truncate(to);
        }
    }

    /// Inserts `count` blanks, moving what is behind them to the right (ICH).
    pub(super) fn insert(&mut self, at: usize, count: usize, fill: Color, columns: usize) {
        let count = count.min(columns - at);
        if at < self.len() || fill != self.fill {
            self.reach(if fill == self.fill { at } else { columns });
            self.sever(at, at);
            self.truncate(columns - count);
            let blanks = std::iter::repeat_n(Cell::erased(fill), count);
            self.cells.splice(at..at, blanks);
        }
        self.check_wrap(columns);
    }

    /// Deletes `count` columns, moving what is behind them to the left (DCH).
    pub(super) fn delete(&mut self, at: usize, count: usize, fill: Color, columns: usize) {
        let count = count.min(columns - at);
        self.edit();
        if fill != self.fill {
            self.reach(columns);
        }
        let end = (at + count).min(self.cells.len());
        if at < end {
            self.sever(at, end);
            self.cells.drain(at..end);
        }
        if fill != self.fill {
            self.cells.resize(columns, Cell::erased(fill));
        }
        self.check_wrap(columns);
    }

    /// The line goes on in the next row.
    pub(super) fn wrap(&mut self, columns: usize) {
        self.end = LineEnd::Wrapped;
        self.check_wrap(columns);
    }

    /// A line goes on in the next row only as long as it fills this one.
    fn check_wrap(&mut self, columns: usize) {
        let filled = self.len() >= columns
            && (!self.edited || self.cells[columns - 1].glyph != Glyph::EMPTY);
        if self.end == LineEnd::Wrapped && !filled {
            self.end = LineEnd::Open;
        }
    }

    /// Appends what the program printed: not echo, nor the blanks behind it that nobody printed.
    pub(super) fn transcript_text(&self, out: &mut String) {
        if !self.edited {
            self.strip.transcript_text(out);
            return;
        }
        let printed = |cell: &Cell| cell.glyph != Glyph::EMPTY && !cell.style.is_echo();
        let Some(last) = self.cells.iter().rposition(printed) else { return };
        for cell in self.cells[..=last].iter().filter(|cell| !cell.style.is_echo()) {
            match cell.glyph {
                Glyph::WIDE_TAIL | Glyph::TAB_TAIL | Glyph::PADDING => {}
                Glyph::TAB => out.push('\t'),
                glyph => match self.cluster(glyph) {
                    Some(cluster) => out.push_str(cluster),
                    None => out.push(glyph.as_char()),
                },
            }
        }
    }

    /// Whether [`Row::transcript_text`] has something to say.
    pub(super) fn has_transcript_text(&self) -> bool {
        let printed = |c: &Cell| c.glyph != Glyph::EMPTY && !c.style.is_echo();
        self.strip.has_transcript_text() || self.cells.iter().any(printed)
    }

    fn cluster(&self, glyph: Glyph) -> Option<&str> {
        self.clusters.get(glyph.as_cluster()?).map(String::as_str)
    }

    /// Appends what a person sees, up to the last column that is stored.
    pub(super) fn visible_text(&self, out: &mut String) {
        if !self.edited {
            self.strip.visible_text(out);
            return;
        }
        for cell in &self.cells {
            match self.cluster(cell.glyph) {
                Some(cluster) => {
                    out.extend(cluster.starts_with('\t').then_some(' '));
                    out.extend(cluster.chars().filter(|&c| c != '\t'));
                }
                None if cell.glyph == Glyph::WIDE_TAIL => {}
                None => out.push(cell.glyph.as_char()),
            }
        }
    }
}
