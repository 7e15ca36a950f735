//! What is typed into a pager: the keys that read it through, and a client's commands. Pure.

use super::reader::PagerView;

/// The key that turns a page, in all pagers that are known.
pub(super) const NEXT_PAGE: &[u8] = b" ";
/// The key that leaves.
const QUIT: &[u8] = b"q";

/// The key that reads on in a pager, or leaves it at the end; `None` when it is left to others.
pub(super) fn next_key(view: &PagerView, turn_pages: bool) -> Option<&'static [u8]> {
    let PagerView { place, has_new_text, next_fits } = view;
    // Not every prompt tells the end: a turn that brought nothing does, too.
    match (turn_pages, place.at_end || !has_new_text) {
        (true, true) if !place.has_next => Some(QUIT),
        (true, false) if *next_fits => Some(NEXT_PAGE),
        _ => None,
    }
}

/// A command for a pager: one that takes a line is ended, a key is typed as it is.
pub(super) fn command(mut text: String) -> Vec<u8> {
    // What comes behind the key would be for whoever reads next.
    if matches!(text.trim_end(), "quit" | "exit") {
        return QUIT.to_vec();
    }
    if text.starts_with(['/', '?', ':', '&', '-', '|', '!']) {
        let end = text.trim_end_matches('\n').len();
        text.truncate(end);
        // `:n` and its like are keys, and so is a lone option letter.
        if text.len() > 2 || text.starts_with(['/', '?']) {
            text.push('\r');
        }
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_takes_a_line_is_ended_and_a_key_is_not() {
        for (text, typed) in [
            ("quit\n", "q"),
            ("/needle", "/needle\r"),
            ("/needle\n\n", "/needle\r"),
            ("/", "/\r"),
            (":n", ":n"),
            (":e file", ":e file\r"),
            ("-S", "-S"),
            ("40g", "40g"),
        ] {
            assert_eq!(command(text.into()), typed.as_bytes(), "{text:?}");
        }
    }
}
