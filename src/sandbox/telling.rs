//! Which lines of what a cell printed tell what it failed of, and whether one of them speaks of a denial.
//!
//! A cell that raised says it by its traceback, and by those that led to it. A command that a cell started says it
//! last. What a program caught and printed on its way is no failure.

/// The longest line that is looked at, in bytes.
const LONGEST_LINE: usize = 4096;
/// How many lines of tracebacks are looked at, from the end.
const MOST_LINES: usize = 30;
/// How many lines a command says what it failed of in, at most.
const LAST_WORDS: usize = 8;

/// What begins a traceback.
const TRACEBACK: &str = "Traceback (most recent call last):";
/// What stands between two of them.
const LED_TO: [&str; 2] = [
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
];
/// The errors of Python that tell of a command's own.
const OF_COMMANDS: [&str; 2] = ["CalledProcessError", "SystemExit"];

/// What the kernel says of files that may not be touched, as programs print it (strerror(3)), in small letters.
const DENIED: [&str; 3] = ["permission denied", "operation not permitted", "read-only file system"];
/// The same of a network that there is not.
const UNREACHABLE: [&str; 10] = [
    "network is unreachable",
    "temporary failure in name resolution",
    "name or service not known",
    "could not resolve host",
    "nodename nor servname provided",
    "failed to lookup address information",
    "failed to resolve",
    "getaddrinfo eai_again",
    "enetunreach",
    // asyncio, which passes over sockets that can't be made.
    "could not bind on any address",
];
/// The same of what is not there.
const NOTHING_THERE: &str = "no such file or directory";
/// The same of datagrams between programs of a machine.
const NO_DATAGRAMS: &str = "socket type not supported";

/// The lines that tell what a cell failed of, where `raised` says whether it raised; `None` where none of them
/// speaks of a denial.
pub fn telling(text: &str, raised: bool) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut told = if raised { of_tracebacks(&lines) } else { Vec::new() };
    if told.is_empty() {
        told = last_words(&lines);
    }
    told.retain(|line| line.len() <= LONGEST_LINE);
    let told = &told[told.len().saturating_sub(MOST_LINES)..];
    let speaks = |line: &&str| {
        speaks_of_network(line)
            || speaks_of_datagrams(line)
            || around(line).is_some()
            || around_missing(line).is_some()
    };
    told.iter().any(speaks).then(|| told.iter().flat_map(|line| [line, "\n"]).collect())
}

/// Whether a line says that a network is not reached.
pub(super) fn speaks_of_network(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    UNREACHABLE.iter().any(|words| line.contains(words))
}

/// Whether a line says that there are no datagrams.
pub(super) fn speaks_of_datagrams(line: &str) -> bool {
    line.to_ascii_lowercase().contains(NO_DATAGRAMS)
}

/// What stands before the words of a denial and behind them.
pub(super) fn around(line: &str) -> Option<(&str, &str)> {
    around_one(line, &DENIED)
}

/// The same of the words that say that something is not there.
pub(super) fn around_missing(line: &str) -> Option<(&str, &str)> {
    around_one(line, &[NOTHING_THERE])
}

fn around_one<'a>(line: &'a str, words: &[&str]) -> Option<(&'a str, &'a str)> {
    // As long as the line itself, letter for letter.
    let small = line.to_ascii_lowercase();
    words.iter().find_map(|words| {
        let at = small.find(words)?;
        Some((&line[..at], &line[at + words.len()..]))
    })
}

/// What the last traceback says in the end, and those that led to it; nothing where there is none.
fn of_tracebacks<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let mut told = Vec::new();
    let mut end = lines.len();
    while let Some(begin) = lines[..end].iter().rposition(|line| line.ends_with(TRACEBACK)) {
        // Frames stand further in than what is said of them.
        let inside = &lines[begin + 1..end];
        let said = inside.iter().position(|line| !line.starts_with(' ')).unwrap_or(inside.len());
        let is_of_command = { inside[said..].iter() }
            .any(|line| OF_COMMANDS.iter().any(|error| line.contains(error)));
        told.splice(0..0, inside[said..].iter().copied());
        let before = &lines[..begin];
        let before =
            &before[..before.iter().rposition(|line| !line.is_empty()).map_or(0, |at| at + 1)];
        match before.split_last() {
            Some((between, earlier)) if LED_TO.contains(between) => end = earlier.len(),
            _ if is_of_command => {
                told.splice(0..0, last_words(before));
                break;
            }
            _ => break,
        }
    }
    told
}

/// What was printed last. What stands there of an error of Python's without its name was caught and printed.
fn last_words<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let words = lines.iter().rev().filter(|line| !line.trim().is_empty()).take(LAST_WORDS);
    let mut words: Vec<&str> = words.filter(|line| !line.starts_with("[Errno ")).copied().collect();
    words.reverse();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAISED: &str = "Traceback (most recent call last):\n  File \"<cell 2>\", line 1, in <module>\n    \
        open('/x', 'w')\n    ~~~~^^^^^^^^^^\n";

    fn lines(text: &str, raised: bool) -> Vec<String> {
        telling(text, raised).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    #[test]
    fn of_a_traceback_it_is_what_is_said_in_the_end() {
        let denied = "PermissionError: [Errno 13] Permission denied: '/x'";
        assert_eq!(lines(&format!("hm\n{RAISED}{denied}\n"), true), [denied]);
        assert_eq!(telling(&format!("hm\n{RAISED}ValueError: 1\n"), true), None);
        // What the program caught and printed before it failed of something else.
        let caught = format!("could not write: {denied}\n{RAISED}ValueError: 1\n");
        assert_eq!(telling(&caught, true), None);
        // An error of more than one line.
        assert_eq!(lines(&format!("{RAISED}X: many\n  /y: Permission denied\n"), true).len(), 2);
    }

    #[test]
    fn what_led_to_it_counts() {
        for between in LED_TO {
            let text = format!(
                "{RAISED}OSError: [Errno 101] Network is unreachable\n\n{between}\n\n{RAISED}Y: 1\n"
            );
            assert_eq!(
                lines(&text, true),
                ["OSError: [Errno 101] Network is unreachable", "", "Y: 1"]
            );
        }
        let earlier = format!("{RAISED}Permission denied: '/x'\n\ngoing on\n\n{RAISED}Y: 1\n");
        assert_eq!(telling(&earlier, true), None);
    }

    #[test]
    fn a_command_says_it_last() {
        let said = "fatal: could not create '/x': Permission denied";
        assert_eq!(lines(&format!("working\n{said}\n\n128\n"), false), ["working", said, "128"]);
        let raised =
            "subprocess.CalledProcessError: Command '['git']' returned non-zero exit status 128.";
        assert_eq!(lines(&format!("{said}\n{RAISED}{raised}\n"), true), [said, raised]);
        // Not long before the end, and not what was caught.
        assert_eq!(telling(&format!("{said}\n{}", "ok\n".repeat(LAST_WORDS)), false), None);
        assert_eq!(telling("[Errno 13] Permission denied: '/x'\n", false), None);
        assert_eq!(telling("all is well\n", false), None);
    }

    #[test]
    fn the_words_are_known_in_any_case() {
        assert_eq!(around("open /x: permission denied"), Some(("open /x: ", "")));
        assert_eq!(around("é Read-only file system ö"), Some(("é ", " ö")));
        assert!(speaks_of_network("error while binding: network is unreachable"));
        assert!(speaks_of_network("OSError: could not bind on any address out of [('::1', 0)]"));
        assert!(speaks_of_network("ssh: Could not resolve hostname x"));
        assert!(speaks_of_datagrams("OSError: [Errno 94] Socket type not supported"));
    }

    #[test]
    fn a_text_that_is_cut_or_none_is_no_trouble() {
        for text in ["", "\n\n", TRACEBACK, "Traceback (most recent call last):\n  x", LED_TO[0]] {
            for raised in [false, true] {
                assert_eq!(telling(text, raised), None, "{text:?}");
            }
        }
        let long = format!("Permission denied: '/{}'\n", "x".repeat(LONGEST_LINE));
        assert_eq!(telling(&long, false), None);
    }
}
