//! What is on a row: for people who look at it, and for the transcript.

use super::{LineEnd, Row};
use crate::screen::{
    cell::{Cell, Glyph},
    style::Style,
    transcript::Reported,
};

impl Row {
    /// Whether nothing is to be seen in it, and no blanks were printed.
    pub(in crate::screen) fn is_blank(&self) -> bool {
        let mut text = String::new();
        self.visible_text(&mut text);
        text.trim_end_matches(' ').is_empty() && !self.has_transcript_text()
    }

    /// Whether something is to be seen in it that the program printed.
    pub(in crate::screen) fn shows_text(&self) -> bool {
        let mut text = String::new();
        self.transcript_text(&mut text);
        text.contains(|c| c != ' ')
    }

    /// Counts as read when it shows nothing and was not read before.
    pub(in crate::screen) fn pass_over(&mut self) {
        let is_used = self.end == LineEnd::Break || self.len() > 0;
        if is_used && self.reported.is_none() && !self.shows_text() {
            let mut reported = Box::<Reported>::default();
            self.transcript_text(&mut reported.text);
            self.reported = Some(reported);
        }
    }

    /// Whether something of a cell's echo is in it.
    pub(in crate::screen) fn has_cell_echo(&self) -> bool {
        self.text.has_cell_echo() || self.cells.iter().any(|cell| cell.style.is_cell())
    }

    /// Whether something is in it that is not to be printed over.
    pub(in crate::screen) fn is_kept(&self) -> bool {
        self.has_transcript_text() || self.has_cell_echo()
    }

    /// The columns up to the last one that was printed for people to read.
    pub(in crate::screen) fn printed_columns(&self) -> usize {
        if !self.edited {
            return if self.is_kept() { self.text.width() } else { 0 };
        }
        let is_kept = |style: Style| !style.is_echo() || style.is_cell();
        let printed = |cell: &Cell| !cell.glyph.is_nothing() && is_kept(cell.style);
        self.cells.iter().rposition(printed).map_or(0, |last| last + 1)
    }

    /// Appends what the program printed: not echo, nor the blanks behind it that nobody printed.
    pub(in crate::screen) fn transcript_text(&self, out: &mut String) {
        if !self.edited {
            self.text.transcript_text(out);
            return;
        }
        let printed = |cell: &Cell| !cell.glyph.is_nothing() && !cell.style.is_echo();
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
    pub(in crate::screen) fn has_transcript_text(&self) -> bool {
        let printed = |c: &Cell| !c.glyph.is_nothing() && !c.style.is_echo();
        self.text.has_transcript_text() || self.cells.iter().any(printed)
    }

    /// Appends what a person sees, up to the last column that is stored.
    pub(in crate::screen) fn visible_text(&self, out: &mut String) {
        if !self.edited {
            self.text.visible_text(out);
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
    /// The same with blanks for the echo of cells.
    pub(in crate::screen) fn printed_text(&self, out: &mut String) {
        if !self.has_cell_echo() {
            return self.visible_text(out);
        }
        let (mut cells, clusters) = self.to_cells();
        for cell in cells.iter_mut().filter(|cell| cell.style.is_cell()) {
            *cell = Cell { glyph: Glyph::EMPTY, style: Style::default() };
        }
        Row { cells, clusters, edited: true, ..Row::default() }.visible_text(out);
    }
}
