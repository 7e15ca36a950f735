//! Styled text: what a row holds that was printed from left to right and not edited since.
//!
//! Most rows never are anything else, and cost a copy of their bytes in and one out.

use super::cell::{Cell, Glyph, columns_of};
use super::style::Style;

/// From which byte of the text on a style holds.
#[derive(Debug, Clone, Copy)]
struct Run {
    from: u32,
    style: Style,
}

/// Text with its styles, and how many columns it takes.
#[derive(Debug, Default)]
pub(super) struct StyledText {
    text: String,
    runs: Vec<Run>,
    width: usize,
    /// Something in it is not one byte for one column.
    uneven: bool,
}

impl StyledText {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.runs.clear();
        self.width = 0;
        self.uneven = false;
    }

    /// The columns it takes.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// How the first column looks.
    pub(super) fn first_style(&self) -> Option<Style> {
        self.runs.first().map(|run| run.style)
    }

    fn style(&mut self, style: Style) {
        if self.runs.last().is_none_or(|run| run.style != style) {
            self.runs.push(Run { from: self.text.len() as u32, style });
        }
    }

    /// Prints ASCII at `column` if the text can hold the result.
    pub(super) fn write_ascii(&mut self, column: usize, text: &str, style: Style) -> bool {
        if column == self.width {
            self.style(style);
            self.text.push_str(text);
            self.width += text.len();
            return true;
        }
        let fits = column < self.width && !self.uneven;
        if fits && self.runs.len() == 1 && self.runs[0].style == style {
            let over = text.len().min(self.width - column);
            let old = self.text[column..column + over].bytes();
            // A blank over a character erases, of which the text alone does not tell.
            if text.bytes().zip(old).any(|(new, old)| new == b' ' && old != b' ') {
                return false;
            }
            self.text.replace_range(column..column + over, &text[..over]);
            self.text.push_str(&text[over..]);
            self.width = self.text.len();
            return true;
        }
        false
    }

    /// Appends text of `width` columns if it comes right behind what is there.
    pub(super) fn write_text(
        &mut self,
        column: usize,
        text: &str,
        width: usize,
        style: Style,
    ) -> bool {
        let fits = column == self.width;
        if fits {
            self.style(style);
            self.text.push_str(text);
            self.width += width;
            self.uneven = true;
        }
        fits
    }

    /// Appends a tab if it comes right behind the text and goes to the usual stop.
    pub(super) fn write_tab(&mut self, from: usize, to: usize, style: Style) -> bool {
        let fits = from == self.width && to == tab_stop(from);
        if fits {
            self.style(style);
            self.text.push('\t');
            self.width = to;
            self.uneven = true;
        }
        fits
    }

    /// Adds a combining character to the last column if it is the first one there.
    pub(super) fn combine(&mut self, column: usize, c: char) -> bool {
        let last = self.text.chars().next_back();
        let fits = column + 1 == self.width
            && c != '\t'
            && last.is_some_and(|last| last != '\t' && columns_of(last) != 0);
        if fits {
            self.text.push(c);
            self.uneven = true;
        }
        fits
    }

    /// Drops what is at `column` and behind, if the text alone says where that is.
    pub(super) fn truncate(&mut self, column: usize) -> bool {
        if column == 0 {
            self.clear();
        } else if column < self.width {
            if self.uneven {
                return false;
            }
            self.text.truncate(column);
            self.runs.retain(|run| (run.from as usize) < column);
            self.width = column;
        }
        true
    }

    /// The pieces of text with their styles.
    fn pieces(&self) -> impl Iterator<Item = (&str, Style)> {
        let ends = self.runs.iter().skip(1).map(|run| run.from as usize).chain([self.text.len()]);
        self.runs.iter().zip(ends).map(|(run, end)| (&self.text[run.from as usize..end], run.style))
    }

    /// Appends what is not echo.
    pub(super) fn transcript_text(&self, out: &mut String) {
        if self.runs.iter().any(|run| run.style.is_echo()) {
            let pieces = self.pieces().filter(|(_, style)| !style.is_echo());
            pieces.for_each(|(text, _)| out.push_str(text));
        } else {
            out.push_str(&self.text);
        }
    }

    /// Whether there is something that is not echo.
    pub(super) fn has_transcript_text(&self) -> bool {
        self.runs.iter().any(|run| !run.style.is_echo())
    }

    /// Whether there is something of a cell's echo.
    pub(super) fn has_cell_echo(&self) -> bool {
        self.runs.iter().any(|run| run.style.is_cell())
    }

    /// Appends what a person sees, with blanks for tabs.
    pub(super) fn visible_text(&self, out: &mut String) {
        if !self.uneven {
            out.push_str(&self.text);
            return;
        }
        let mut column = 0;
        for c in self.text.chars() {
            if c == '\t' {
                let blanks = tab_stop(column) - column;
                out.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
            } else {
                out.push(c);
                column += columns_of(c);
            }
        }
    }

    /// The extras that the styles name.
    pub(super) fn extras(&self) -> impl Iterator<Item = u16> {
        self.runs.iter().map(|run| run.style.extra)
    }

    /// Appends the cells of the text, and the clusters they name.
    pub(super) fn cells(&self, cells: &mut Vec<Cell>, clusters: &mut Vec<String>) {
        for (text, style) in self.pieces() {
            if !self.uneven {
                cells.extend(text.bytes().map(|b| Cell { glyph: Glyph::ascii(b), style }));
                continue;
            }
            for c in text.chars() {
                let width = columns_of(c);
                if c == '\t' {
                    let tail = tab_stop(cells.len());
                    cells.push(Cell { glyph: Glyph::TAB, style: style.tab() });
                    cells.resize(tail, Cell { glyph: Glyph::TAB_TAIL, style: style.tab() });
                } else if width > 0 {
                    cells.push(Cell { glyph: Glyph::char(c), style });
                    if width == 2 {
                        cells.push(Cell { glyph: Glyph::WIDE_TAIL, style });
                    }
                } else {
                    let tail = cells.last().is_some_and(|last| last.glyph == Glyph::WIDE_TAIL);
                    let at = cells.len().saturating_sub(1 + usize::from(tail));
                    if let Some(cell) = cells.get_mut(at) {
                        let cluster = [cell.glyph.as_char(), c].iter().collect();
                        cell.glyph = Glyph::cluster(clusters.len());
                        clusters.push(cluster);
                    }
                }
            }
        }
    }
}

/// The usual stop behind a column.
fn tab_stop(column: usize) -> usize {
    (column / 8 + 1) * 8
}
