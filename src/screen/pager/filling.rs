//! What pagers fill the page with below the end of their text.

use super::Place;
use crate::screen::{page::Page, row::Row, style::Style};

/// How many of the first `rows` rows of a page are text, and not what `less` fills it with.
pub(super) fn rows_of_text(page: &Page, rows: usize) -> usize {
    let text = page.rows.iter().take(rows).rposition(|row| !is_filling(row));
    text.map_or(0, |last| last + 1)
}

/// Whether it is a row as `less` puts below the end of the text: one tilde, in bold or as the
/// user has it.
fn is_filling(row: &Row) -> bool {
    let style = row.first_style().unwrap_or_default().visible();
    let mut text = String::new();
    if row.len() == 1 && style != Style::default() {
        row.visible_text(&mut text);
    }
    text == "~"
}

/// The text of a page without the blank rows that `more` fills the last one up with.
pub(super) fn without_filling<'a>(mut text: &'a str, program: &str, place: &Place) -> &'a str {
    while place.at_end
        && program == "more"
        && let Some(rest) = text.strip_suffix('\n').filter(|rest| rest.ends_with('\n'))
    {
        text = rest;
    }
    text
}
