//! The prompts of pagers: whether a program shows one, and what it says. Pure.

use crate::screen::{Screen, style::Style};

/// What a pager's prompt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whether the end of the text is shown.
    pub at_end: bool,
    /// How many lines come below those that are shown, where the prompt tells.
    pub lines_below: Option<usize>,
    /// Whether another file comes behind it, which is for the client to ask for.
    pub has_next: bool,
    /// The prompt, for people.
    pub prompt: String,
}

/// The pagers whose prompts are known, by the names of their programs.
const PAGERS: [&str; 4] = ["less", "more", "pager", "most"];

/// Whether a program of this name is a pager.
pub fn is_pager(program: &str) -> bool {
    PAGERS.contains(&program)
}

/// Where in its text a pager is; `None` if `program` is none, or asks for something else.
pub fn place(program: &str, screen: &Screen) -> Option<Place> {
    if !is_pager(program) {
        return None;
    }
    let terminal = screen.terminal();
    let row = &terminal.page().rows[terminal.cursor.row];
    let mut prompt = String::new();
    row.visible_text(&mut prompt);
    let prompt = prompt.trim();
    // A line is being typed: a search, a command, an option's value. A prompt may begin like
    // one, with the name of a file, but stands out.
    let stands_out = row.first_style().is_some_and(|style| style.visible() != Style::default());
    let typing =
        prompt.starts_with(['/', '?', '&', '!', '|', '-']) && !stands_out && !tells_place(prompt);
    let stays = terminal.cursor.row + 1 == terminal.rows() || is_end(prompt) || stands_out;
    // A question wants an answer, and no other page.
    if typing || !stays || prompt.ends_with('?') {
        return None;
    }
    let has_next = prompt.contains("(END) - Next: ");
    let (at_end, lines_below) = (is_end(prompt), lines_below(prompt));
    Some(Place { at_end, lines_below, has_next, prompt: describe(prompt) })
}

/// Where a user has prompts not stand out, what they say tells them from a search.
fn tells_place(prompt: &str) -> bool {
    prompt.starts_with("--More--")
        || prompt.ends_with('%')
        || is_end(prompt)
        || prompt.contains(" lines ")
}

fn is_end(prompt: &str) -> bool {
    prompt.contains("(END)")
}

/// How many lines come below the last one of `lines 40-78/300`.
fn lines_below(prompt: &str) -> Option<usize> {
    let (_, shown) = prompt.rsplit_once("lines ")?;
    let (last, all) = shown.split_whitespace().next()?.split_once('-')?.1.split_once('/')?;
    all.parse::<usize>().ok()?.checked_sub(last.parse().ok()?)
}

/// What the prompt says, for people: `lines 40-78/300 26%` of less's long prompt as it is.
fn describe(prompt: &str) -> String {
    let said = prompt.split(" (press h for help").next().unwrap_or(prompt);
    match said {
        "" | ":" => "more below".into(),
        said => said.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::Size;

    fn at(program: &str, last_row: &str) -> Option<Place> {
        let mut screen = Screen::new(Size { columns: 80, rows: 3 });
        screen.feed(format!("a\r\nb\r\n{last_row}").as_bytes());
        place(program, &screen)
    }

    #[test]
    fn a_prompt_tells_the_place() {
        for (program, prompt, at_end, said) in [
            ("less", ":", false, "more below"),
            ("less", "lines 40-78/300 26%", false, "lines 40-78/300 26%"),
            ("less", "lines 262-300/300 (END)", true, "lines 262-300/300 (END)"),
            ("less", "\x1b[7m(END)\x1b[27m", true, "(END)"),
            ("less", "/etc/services lines 1-39/361 9%", false, "/etc/services lines 1-39/361 9%"),
            ("less", "\x1b[7m/etc/services\x1b[27m", false, "/etc/services"),
            (
                "less",
                "\x1b[7mPattern not found  (press RETURN)\x1b[27m",
                false,
                "Pattern not found  (press RETURN)",
            ),
            ("more", "--More--(12%)", false, "--More--(12%)"),
            (
                "less",
                " Manual page ls(1) line 1 (press h for help or q to quit)",
                false,
                "Manual page ls(1) line 1",
            ),
        ] {
            let place = at(program, prompt).unwrap();
            assert_eq!((place.at_end, place.prompt.as_str()), (at_end, said), "{prompt}");
        }
    }

    #[test]
    fn a_prompt_that_counts_lines_tells_how_many_are_below() {
        for (prompt, below) in [
            ("lines 40-78/300 26%", Some(222)),
            ("/etc/services lines 1-39/361 9%", Some(322)),
            ("lines 262-300/300 (END)", Some(0)),
            ("lines 40-78", None),
            ("in lines of text lines 1-39/x", None),
            ("\x1b[7m--More--(12%)\x1b[27m", None),
            (":", None),
        ] {
            assert_eq!(at("less", prompt).unwrap().lines_below, below, "{prompt}");
        }
    }

    #[test]
    fn other_programs_and_other_questions_are_no_pager() {
        for (program, prompt) in [("vim", ":"), ("python3", "(END)"), ("less", "/needle")] {
            assert_eq!(at(program, prompt), None, "{program} {prompt}");
        }
    }
}
