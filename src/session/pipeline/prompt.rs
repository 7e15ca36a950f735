//! Whether a line asks for something, by how it ends: for programs of which nobody tells whether they wait. Pure.

use std::sync::LazyLock;

use regex::Regex;

/// What the last line of a program ends with that waits for somebody to type: the signs of shells and of
/// interpreters, a colon or a question mark, and an answer that is proposed (`[Y/n]`).
static ASKS: LazyLock<Regex> = LazyLock::new(|| {
    let signs = r"[:?>$#%❯»›λ➜][\s]*$";
    let proposed = r"[\[(<][^\[\](){}<>]{1,40}[\])>]\s*[:?]?\s*$";
    // They are right as they stand.
    #[allow(clippy::unwrap_used)]
    Regex::new(&format!("{signs}|{proposed}")).unwrap()
});

/// What pagers say of themselves (`more`, `less`).
static PAGES: LazyLock<Regex> = LazyLock::new(|| {
    #[allow(clippy::unwrap_used)]
    Regex::new(r"^(--More--|\(END\)|lines \d+-\d+)").unwrap()
});

/// What looks like that and says how far something is: `[42%]`, `Downloading: 100%`.
static GOES_ON: LazyLock<Regex> = LazyLock::new(|| {
    #[allow(clippy::unwrap_used)]
    Regex::new(r"\d\s*%[\])]?\s*$|\.\.\.\s*[:>]?\s*$").unwrap()
});

/// Whether a line, from which the cursor has not moved on, asks for something.
pub(super) fn asks(line: &str) -> bool {
    PAGES.is_match(line) || ASKS.is_match(line) && !GOES_ON.is_match(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_ask() {
        for line in [
            "$ ",
            "ada@box:~/w$ ",
            "box# ",
            "box% ",
            "❯ ",
            ">>> ",
            "> ",
            "In [3]: ",
            "(Pdb) ",
            "(gdb) ",
            "sqlite> ",
            "Password: ",
            "[sudo] password for ada: ",
            "ada@box's password:",
            "Overwrite? ",
            "Do you want to continue? [Y/n] ",
            "Proceed (y/n)",
            "Is this ok [y/N]: ",
            "Name [ada]: ",
            "mysql> ",
            "--More--(42%)",
            "lines 1-39/120 31%",
            "(END)",
        ] {
            assert!(asks(line), "{line:?}");
        }
    }

    #[test]
    fn what_is_under_way_does_not() {
        for line in [
            "",
            "Loading",
            "Loading... ",
            "Building wheel for x ...",
            "Downloading: 100%",
            " 42%",
            "[42%]",
            "progress (97%) ",
            "a, b, c",
            "12345",
        ] {
            assert!(!asks(line), "{line:?}");
        }
    }
}
