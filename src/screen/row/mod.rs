//! A row of the page: styled text until somebody edits it, cells from then on.
//!
//! Columns behind what a row stores were never printed, or erased.

mod erase;
mod read;
mod write;

use super::cell::{Cell, Glyph};
use super::style::{Color, Style};
use super::styled_text::StyledText;
use super::transcript::Reported;

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
    text: StyledText,
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
        self.text.clear();
        self.cells.clear();
        self.clusters.clear();
        self.edited = false;
        self.fill = fill;
        self.end = LineEnd::Open;
        self.keeps_wrap = false;
    }

    /// The number of columns that are stored.
    pub(super) fn len(&self) -> usize {
        if self.edited { self.cells.len() } else { self.text.width() }
    }

    /// The stored cells and the clusters they name.
    pub(super) fn to_cells(&self) -> (Vec<Cell>, Vec<String>) {
        let (mut cells, mut clusters) = (self.cells.clone(), self.clusters.clone());
        if !self.edited {
            self.text.cells(&mut cells, &mut clusters);
        }
        (cells, clusters)
    }

    /// How the first column looks.
    pub(super) fn first_style(&self) -> Option<Style> {
        if self.edited {
            self.cells.first().map(|cell| cell.style)
        } else {
            self.text.first_style()
        }
    }

    /// The extras that the row's cells name.
    pub(super) fn extras(&self) -> impl Iterator<Item = u16> {
        self.text.extras().chain(self.cells.iter().map(|cell| cell.style.extra))
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
                Glyph::EMPTY | Glyph::CLEARED => last.glyph = Glyph::BLANK,
                Glyph::TAB_TAIL => last.glyph = Glyph::PADDING,
                _ => {}
            }
        }
    }

    /// Turns the text into cells.
    fn edit(&mut self) {
        if !self.edited {
            self.edited = true;
            self.text.cells(&mut self.cells, &mut self.clusters);
            self.text.clear();
        }
    }

    /// Stores at least this many columns.
    fn extend_to(&mut self, columns: usize) {
        self.edit();
        if self.cells.len() < columns {
            self.cells.resize(columns, Cell::erased(self.fill));
        }
    }

    /// Breaks up the wide characters and tabs that lie across the borders of `from..to`.
    fn break_up(&mut self, from: usize, to: usize) {
        for border in [from, to] {
            match self.cells.get(border).map(|cell| cell.glyph) {
                Some(Glyph::WIDE_TAIL) if border > 0 => {
                    let goes_on = self.goes_on_at(border);
                    self.cells[border - 1].glyph = Glyph::CLEARED;
                    self.cells[border].glyph = if goes_on { Glyph::BLANK } else { Glyph::CLEARED };
                }
                Some(Glyph::TAB_TAIL) => {
                    let mut first = border;
                    while first > 0 && self.cells[first].glyph == Glyph::TAB_TAIL {
                        first -= 1;
                    }
                    let rest = self.cells[border..].iter();
                    let tail = rest.take_while(|cell| cell.glyph == Glyph::TAB_TAIL).count();
                    let end = border + tail;
                    let goes_on = self.goes_on_at(end - 1);
                    for cell in &mut self.cells[first..end] {
                        cell.glyph = Glyph::EMPTY;
                    }
                    if goes_on {
                        self.cells[end - 1].glyph = Glyph::BLANK;
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether this is the last column of a line that goes on in the next row, which counts as
    /// printed.
    fn goes_on_at(&self, column: usize) -> bool {
        self.end == LineEnd::Wrapped && column + 1 == self.cells.len()
    }

    /// The line goes on in the next row.
    pub(super) fn wrap(&mut self, columns: usize) {
        self.end = LineEnd::Wrapped;
        if let Some(last) = self.cells.last_mut().filter(|last| last.glyph == Glyph::CLEARED) {
            last.glyph = Glyph::BLANK;
        }
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

    fn cluster(&self, glyph: Glyph) -> Option<&str> {
        self.clusters.get(glyph.as_cluster()?).map(String::as_str)
    }
}
