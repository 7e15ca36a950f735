//! A row of the page: plain text with runs of style until somebody edits it, cells from then on.
//!
//! Most rows are printed from left to right and scroll away; keeping them as text makes both a
//! copy of memory. Columns behind what a row stores were never printed, or erased.

use super::cell::{Cell, Glyph};
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

#[derive(Debug, Clone, Copy)]
struct Run {
    from: usize,
    style: Style,
}

/// One row of the page.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Printable ASCII, one byte a column, while `cells` is not in use.
    text: String,
    /// The styles of `text`, each up to the next.
    runs: Vec<Run>,
    /// The cells, once `edited`.
    cells: Vec<Cell>,
    edited: bool,
    /// Characters with combining ones, named by [`Glyph::cluster`].
    clusters: Vec<String>,
    /// The background of the columns that are not stored.
    pub(super) fill: Color,
    pub(super) end: LineEnd,
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
        self.text.clear();
        self.runs.clear();
        self.cells.clear();
        self.clusters.clear();
        self.edited = false;
        self.fill = fill;
        self.end = LineEnd::Open;
    }

    /// The number of columns that are stored.
    pub(super) fn len(&self) -> usize {
        if self.edited { self.cells.len() } else { self.text.len() }
    }

    pub(super) fn cell(&self, column: usize) -> Cell {
        if self.edited {
            return self.cells.get(column).copied().unwrap_or(Cell::erased(self.fill));
        }
        match self.text.as_bytes().get(column) {
            Some(&byte) => Cell { glyph: Glyph::ascii(byte), style: self.style_at(column) },
            None => Cell::erased(self.fill),
        }
    }

    fn style_at(&self, column: usize) -> Style {
        let run = self.runs.iter().rev().find(|run| run.from <= column);
        run.map(|run| run.style).unwrap_or_default()
    }

    /// The text of a cell's cluster, with the tab that may stand in it.
    pub(super) fn cluster(&self, glyph: Glyph) -> Option<&str> {
        self.clusters.get(glyph.as_cluster()?).map(String::as_str)
    }

    /// Whether the character in this column takes two.
    pub(super) fn is_wide(&self, column: usize) -> bool {
        self.edited && self.cells.get(column + 1).is_some_and(|c| c.glyph == Glyph::WIDE_TAIL)
    }

    /// The extras that the row's cells name.
    pub(super) fn extras(&self) -> impl Iterator<Item = u16> {
        let runs = self.runs.iter().map(|run| run.style.extra);
        runs.chain(self.cells.iter().map(|cell| cell.style.extra))
    }

    /// The stored cells and the clusters they name.
    pub(super) fn into_cells(mut self) -> (Vec<Cell>, Vec<String>) {
        self.edit();
        (self.cells, self.clusters)
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

    /// Turns text into cells.
    fn edit(&mut self) {
        if self.edited {
            return;
        }
        self.edited = true;
        let ends = self.runs.iter().skip(1).map(|run| run.from).chain([self.text.len()]);
        for (run, end) in self.runs.iter().zip(ends) {
            let bytes = &self.text.as_bytes()[run.from..end];
            let style = run.style;
            self.cells.extend(bytes.iter().map(|&b| Cell { glyph: Glyph::ascii(b), style }));
        }
        self.text.clear();
        self.runs.clear();
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
                }
                _ => {}
            }
        }
    }

    /// Prints ASCII; the caller sees to it that it ends within the page.
    pub(super) fn write_ascii(&mut self, column: usize, text: &str, style: Style) {
        if !self.edited {
            let stored = self.text.len();
            if column == stored {
                if self.runs.last().is_none_or(|run| run.style != style) {
                    self.runs.push(Run { from: stored, style });
                }
                self.text.push_str(text);
                return;
            }
            if column < stored && self.runs.len() == 1 && self.runs[0].style == style {
                let over = text.len().min(stored - column);
                self.text.replace_range(column..column + over, &text[..over]);
                self.text.push_str(&text[over..]);
                return;
            }
        }
        let end = column + text.len();
        self.reach(end);
        self.sever(column, end);
        for (cell, byte) in self.cells[column..end].iter_mut().zip(text.bytes()) {
            *cell = Cell { glyph: Glyph::ascii(byte), style };
        }
    }

    /// Prints a character of one or two columns.
    pub(super) fn write_char(&mut self, column: usize, c: char, width: usize, style: Style) {
        self.write_glyph(column, Glyph::char(c), style, column + width);
        if width == 2 {
            self.cells[column + 1] = Cell { glyph: Glyph::WIDE_TAIL, style };
        }
    }

    /// Leaves the last column free for a wide character that goes to the next row.
    pub(super) fn write_padding(&mut self, column: usize, style: Style) {
        self.write_glyph(column, Glyph::PADDING, style, column + 1);
    }

    fn write_glyph(&mut self, column: usize, glyph: Glyph, style: Style, end: usize) {
        self.reach(end);
        self.sever(column, end);
        self.cells[column] = Cell { glyph, style };
    }

    /// Notes that a tab skipped `from..to`, if nothing was printed there.
    pub(super) fn write_tab(&mut self, from: usize, to: usize, style: Style) {
        let printed = |column| self.cell(column).glyph != Glyph::EMPTY;
        if (from..to.min(self.len())).any(printed) {
            return;
        }
        self.reach(to);
        for cell in &mut self.cells[from..to] {
            cell.glyph = Glyph::TAB_TAIL;
            cell.style.attributes.set(super::style::Attributes::ECHO, style.is_echo());
        }
        self.cells[from].glyph = Glyph::TAB;
    }

    /// Adds a combining character, or a tab that found no more room, to the cell.
    pub(super) fn combine(&mut self, mut column: usize, c: char, style: Style) {
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
            self.cells[column].style = style;
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
                self.reach(from);
            }
            self.truncate(from);
            self.fill = fill;
        } else {
            self.edit();
            if fill != self.fill {
                self.reach(to);
            }
            let to = to.min(self.cells.len());
            if from < to {
                self.sever(from, to);
                self.cells[from..to].fill(Cell::erased(fill));
            }
        }
        self.check_wrap(columns);
    }

    fn truncate(&mut self, to: usize) {
        if to >= self.len() {
        } else if self.edited {
            self.sever(to, to);
            self.cells.truncate(to);
        } else {
            self.text.truncate(to);
            self.runs.retain(|run| run.from < to);
        }
    }

    /// Inserts `count` blanks, moving what is behind them to the right (ICH).
    pub(super) fn insert(&mut self, at: usize, count: usize, fill: Color, columns: usize) {
        let count = count.min(columns - at);
        if at < self.len() || fill != self.fill {
            self.reach(at);
            if fill != self.fill {
                self.reach(columns);
            }
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

    /// A line goes on in the next row only as long as it fills this one.
    fn check_wrap(&mut self, columns: usize) {
        if self.end == LineEnd::Wrapped && self.cell(columns - 1).glyph == Glyph::EMPTY {
            self.end = LineEnd::Open;
        }
    }

    /// Appends what the program printed: not echo, nor the blanks behind it that nobody printed.
    pub(super) fn transcript_text(&self, out: &mut String) {
        if !self.edited {
            if self.runs.iter().any(|run| run.style.is_echo()) {
                let ends = self.runs.iter().skip(1).map(|run| run.from).chain([self.text.len()]);
                for (run, end) in self.runs.iter().zip(ends).filter(|(r, _)| !r.style.is_echo()) {
                    out.push_str(&self.text[run.from..end]);
                }
            } else {
                out.push_str(&self.text);
            }
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
        if self.edited {
            let printed = |c: &Cell| c.glyph != Glyph::EMPTY && !c.style.is_echo();
            self.cells.iter().any(printed)
        } else {
            self.runs.iter().any(|run| !run.style.is_echo())
        }
    }

    /// Appends what a person sees, up to the last column that is stored.
    pub(super) fn visible_text(&self, out: &mut String) {
        if !self.edited {
            out.push_str(&self.text);
            return;
        }
        for cell in &self.cells {
            match self.cluster(cell.glyph) {
                Some(cluster) => {
                    let tab = cluster.starts_with('\t');
                    out.extend(tab.then_some(' '));
                    out.extend(cluster.chars().filter(|&c| c != '\t'));
                }
                None if cell.glyph == Glyph::WIDE_TAIL => {}
                None => out.push(cell.glyph.as_char()),
            }
        }
    }
}
