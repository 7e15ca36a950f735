//! Whether what a cell printed tells of something that the sandbox denied, and what there is to say of it.
//!
//! Programs tell of a denial in words of their own and seldom say whether they meant to read or to write. So a
//! path that one names is held against the rules and against what the user could do without them: what nobody
//! could do anyway is not blamed on the sandbox.

use std::path::{Path, PathBuf};

use super::{Mode, Network, Rules, guard, place::without_dots};

/// How many lines from the end are looked at: a traceback's last ones, and what a command printed before it.
const LINES: usize = 30;
/// The longest line that is looked at, in bytes.
const LONGEST_LINE: usize = 4096;
/// How many paths are looked at, and how long they are at most, in bytes.
const MOST_PATHS: usize = 16;
const LONGEST_PATH: usize = 1024;

/// What the kernel says of files that may not be touched, as programs print it (strerror(3)).
const DENIED: [&str; 2] = ["Permission denied", "Operation not permitted"];
/// The same of a network that there is not.
const UNREACHABLE: [&str; 8] = [
    "Network is unreachable",
    "Temporary failure in name resolution",
    "Name or service not known",
    "Could not resolve host",
    "Could not resolve hostname",
    "nodename nor servname provided",
    "failed to lookup address information",
    "Failed to resolve",
];

/// What was denied, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// It holds secrets, or is kept from the session for another reason.
    #[error("the sandbox ({mode}) keeps {} from this session; only `--sandbox off` opens it, {WHERE}", .path.display())]
    Hidden {
        /// What.
        path: PathBuf,
        /// The mode.
        mode: Mode,
    },
    /// Programs outside of the sandbox run or obey it.
    #[error(
        "the sandbox ({mode}) lets nobody in this session change {}, which programs outside of it obey; the user \
         can do it, or run with `--sandbox off`, {WHERE}", .path.display()
    )]
    Protected {
        /// What.
        path: PathBuf,
        /// The mode.
        mode: Mode,
    },
    /// It may have a name outside of what may be written.
    #[error(
        "the sandbox ({mode}) lets nobody in this session write {}, which has another name elsewhere (a hard link, as \
         package managers make them of their caches), and would be changed there; a copy in its place can be \
         written", .path.display()
    )]
    Linked {
        /// What.
        path: PathBuf,
        /// The mode.
        mode: Mode,
    },
    /// It is in nothing that may be written.
    #[error(
        "the sandbox ({mode}) lets this session write only {}, not {}; the user can allow it by `--add-writable \
         {}`, {WHERE}", .writable.display(), .path.display(), .add.display()
    )]
    Outside {
        /// What.
        path: PathBuf,
        /// What the user would add: its directory.
        add: PathBuf,
        /// The place that the session is for, or its temporary directory.
        writable: PathBuf,
        /// The mode.
        mode: Mode,
    },
    /// It was made when the sandbox was there already, beside something that is kept from the session.
    #[error(
        "{} was made after this session began, beside what the sandbox keeps from it, and can't be reached \
         for that; \"\\u0004\" starts a fresh session, which can read it", .path.display()
    )]
    MadeLater {
        /// What.
        path: PathBuf,
    },
    /// The network.
    #[error("the sandbox keeps this session {}, {WHERE}", kept(*.network))]
    Unreachable {
        /// What is reached.
        network: Network,
    },
}

/// Where options stand.
const WHERE: &str = "an option of mcp-repl, in the client's configuration";

/// How far the network is kept away, and what allows more.
fn kept(network: Network) -> &'static str {
    match network {
        Network::Off => {
            "off the network; the user can allow it by `--network on`, or `--network local` for programs on this \
             machine"
        }
        Network::Local | Network::On => {
            "within this machine; the user can allow more by `--network on`"
        }
    }
}

/// What is known of files, outside of the sandbox.
pub trait Facts {
    /// Whether this user may write it, or make it where it is not.
    fn can_write(&self, path: &Path) -> bool;
    /// Whether it is a file with more than one name.
    fn has_other_names(&self, path: &Path) -> bool;
    /// Whether it was made after the session's program was started.
    fn is_newer(&self, path: &Path) -> bool;
    /// The path without links, as far as it exists.
    fn real(&self, path: &Path) -> PathBuf;
}

/// A sandbox that a program runs in.
#[derive(Debug, Clone, Copy)]
pub struct Confined<'a> {
    /// What it may reach.
    pub rules: &'a Rules,
    /// How strict that is.
    pub mode: Mode,
    /// The place that the session is for, if it may write there, else its temporary directory.
    pub writable: &'a Path,
    /// Where relative paths begin.
    pub directory: &'a Path,
}

/// Whether a text may tell of a denial, so that it is worth to look.
pub fn may_tell(text: &str) -> bool {
    let words = DENIED.iter().chain(&UNREACHABLE);
    last_lines(text).any(|line| words.clone().any(|word| line.contains(word)))
}

/// What was denied last, as far as the text tells.
pub fn explain(text: &str, confined: &Confined<'_>, facts: &dyn Facts) -> Option<Denial> {
    // A session waits for this, and a text can name paths that take long to be looked at.
    let mut looks = 0..MOST_PATHS;
    last_lines(text).find_map(|line| {
        if confined.rules.network != Network::On
            && UNREACHABLE.iter().any(|word| line.contains(word))
        {
            return Some(Denial::Unreachable { network: confined.rules.network });
        }
        DENIED.iter().find_map(|word| {
            let (before, behind) = line.split_once(word)?;
            let mut named = paths(before, behind);
            named.retain(|path| !path.is_empty() && path.len() <= LONGEST_PATH);
            let mut named = named.into_iter().take_while(|_| looks.next().is_some());
            named.find_map(|path| of_path(path, confined, facts))
        })
    })
}

/// The last lines, the last one first.
fn last_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().rev().take(LINES).filter(|line| line.len() <= LONGEST_LINE)
}

/// What may be a path around the words of a denial: what is quoted behind them (`Permission denied: '/x'`) or before
/// (`cannot create '/x': `), else what stands before them between colons (`bash: /x: `, `could not lock config
/// file .git/config: `).
fn paths<'a>(before: &'a str, behind: &'a str) -> Vec<&'a str> {
    let mut found = quoted(behind);
    found.extend(quoted(before));
    if found.is_empty() {
        let before = before.trim_end().trim_end_matches(['(', '[']).trim_end();
        let mut parts = before.trim_end_matches(':').rsplit(": ");
        // Without a part of its own in front it is the first word of a sentence.
        if let Some(part) = parts.next() {
            found.push(part.trim());
            found.extend(part.rsplit(' ').next());
        }
    }
    found
}

/// What is in quotation marks, as tools of different languages set them.
fn quoted(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((at, open)) = rest.char_indices().find(|(_, c)| "'\"`‘“".contains(*c)) {
        let close = match open {
            '‘' => '’',
            '“' => '”',
            // As some write it: `like this'.
            '`' => '\'',
            open => open,
        };
        let inner = &rest[at + open.len_utf8()..];
        let end = inner.find(close).or_else(|| inner.find(open));
        let Some(end) = end else { break };
        found.push(&inner[..end]);
        rest = &inner[end..];
        rest = &rest[rest.chars().next().map_or(0, char::len_utf8)..];
    }
    found
}

/// Why nobody in the sandbox gets at a path, if it is that.
fn of_path(text: &str, confined: &Confined<'_>, facts: &dyn Facts) -> Option<Denial> {
    let Confined { rules, mode, writable, directory } = *confined;
    let path = facts.real(&without_dots(&directory.join(text)));
    if !path.is_absolute() {
        return None;
    }
    // Of two places in one another the inner one counts.
    let inner = |places: &[PathBuf]| {
        let around = places.iter().filter(|place| path.starts_with(place));
        around.map(|place| place.components().count()).max().unwrap_or(0)
    };
    let (hidden, open) = (inner(&rules.hidden), inner(&rules.writable));
    if hidden > open {
        return Some(Denial::Hidden { path, mode });
    }
    // What is protected can't be renamed with what it is in either.
    let is_protected = |place: &PathBuf| path.starts_with(place);
    if rules.protected.iter().any(is_protected) || open > 0 && guard(&path).is_certain() {
        return Some(Denial::Protected { path, mode });
    }
    if open > 0 {
        let is_linked = facts.can_write(&path) && facts.has_other_names(&path);
        return is_linked.then_some(Denial::Linked { path, mode });
    }
    let is_cut_off = path.ancestors().collect::<Vec<_>>().windows(2).any(|pair| {
        let [entry, around] = pair else { return false };
        let holds_hidden =
            |hidden: &PathBuf| hidden.starts_with(around) && !hidden.starts_with(entry);
        rules.hidden.iter().any(holds_hidden) && facts.is_newer(entry)
    });
    if is_cut_off {
        return Some(Denial::MadeLater { path });
    }
    if !facts.can_write(&path) {
        return None;
    }
    let add = path.parent().unwrap_or(&path).to_owned();
    Some(Denial::Outside { path, add, writable: writable.to_owned(), mode })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A user who may write below /home/ada and /opt, where /home/ada/new.csv was made late.
    struct Ada;

    impl Facts for Ada {
        fn can_write(&self, path: &Path) -> bool {
            path.starts_with("/home/ada") || path.starts_with("/opt")
        }

        fn has_other_names(&self, path: &Path) -> bool {
            path.ends_with("linked")
        }

        fn is_newer(&self, path: &Path) -> bool {
            path == Path::new("/home/ada/new.csv")
        }

        fn real(&self, path: &Path) -> PathBuf {
            path.to_owned()
        }
    }

    fn told(text: &str, network: Network) -> Option<String> {
        let rules = Rules {
            hidden: ["/home/ada/.ssh", "/run/user/7"].map(PathBuf::from).into(),
            writable: ["/home/ada/work", "/run/user/7/mine"].map(PathBuf::from).into(),
            protected: ["/home/ada/work/.git/hooks", "/home/ada/work/.git/config"]
                .map(PathBuf::from)
                .into(),
            network,
            ..Rules::default()
        };
        let work = Path::new("/home/ada/work");
        let mode = Mode::WorkspaceWrite;
        let confined = Confined { rules: &rules, mode, writable: work, directory: work };
        assert!(may_tell(text));
        Some(explain(text, &confined, &Ada)?.to_string())
    }

    #[track_caller]
    fn tells(text: &str, part: &str) {
        let told = told(text, Network::Off).expect(text);
        assert!(told.contains(part), "{text}\n{told}");
    }

    #[test]
    fn a_denied_write_names_the_option() {
        let traceback = "Traceback (most recent call last):\n  File \"<cell 2>\", line 1, in <module>\n\
             PermissionError: [Errno 13] Permission denied: '/home/ada/x'\n";
        assert_eq!(
            told(traceback, Network::Off).as_deref(),
            Some(
                "the sandbox (workspace-write) lets this session write only /home/ada/work, not /home/ada/x; \
                 the user can allow it by `--add-writable /home/ada`, an option of mcp-repl, in the client's configuration"
            )
        );
        for text in [
            "cp: cannot create regular file '/home/ada/x': Permission denied",
            "mkdir: cannot create directory ‘/home/ada/x’: Permission denied",
            "bash: /home/ada/x: Permission denied",
            "bash: line 1: /home/ada/x: Permission denied",
            "/bin/sh: 1: cannot create /home/ada/x: Permission denied",
            "touch: cannot touch '../x': Permission denied",
            "error: failed to write `/home/ada/x`: Permission denied (os error 13)",
            "error: open(\"/home/ada/x\"): Operation not permitted",
            "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: \
             '/home/ada/x'\nCheck the permissions.\n",
            "PermissionError: [Errno 13] Permission denied: '/home/ada/work/a' -> '/home/ada/x'",
        ] {
            tells(text, "not /home/ada/x");
        }
    }

    #[test]
    fn what_is_hidden_or_protected_is_told_as_that() {
        tells("cat: /home/ada/.ssh/id_rsa: Permission denied", "keeps /home/ada/.ssh/id_rsa from");
        tells("Permission denied: '/run/user/7/bus'", "keeps /run/user/7/bus from");
        tells(
            "error: could not lock config file .git/config: Permission denied",
            "change /home/ada/work/.git/config",
        );
        tells("touch: cannot touch '.git/hooks/pre-commit': Permission denied", "change");
        tells("Permission denied: '/home/ada/work/sub/.git/hooks/x'", "change /home/ada/work/sub");
        tells("Permission denied: '/home/ada/work/linked'", "another name elsewhere");
        tells("Permission denied: '/home/ada/new.csv'", "was made after this session began");
    }

    #[test]
    fn a_network_that_is_kept_away_is_told() {
        for text in [
            "OSError: [Errno 101] Network is unreachable",
            "socket.gaierror: [Errno -3] Temporary failure in name resolution",
            "fatal: unable to access 'https://x/': Could not resolve host: x",
            "ssh: Could not resolve hostname x: Name or service not known",
        ] {
            tells(text, "off the network");
            assert!(told(text, Network::Local).unwrap().contains("within this machine"));
            assert_eq!(told(text, Network::On), None);
        }
    }

    #[test]
    fn ordinary_errors_are_not_blamed_on_it() {
        for text in [
            // The rules allow it: the file's own permissions do not.
            "PermissionError: [Errno 13] Permission denied: '/home/ada/work/locked'",
            "PermissionError: [Errno 13] Permission denied: '/run/user/7/mine/x'",
            // Nobody but root may.
            "PermissionError: [Errno 13] Permission denied: '/etc/shadow'",
            "bash: /usr/bin/x: Permission denied",
            // No path.
            "git@github.com: Permission denied (publickey).",
            "kill: (1) - Operation not permitted",
            "PermissionError: [Errno 13] Permission denied",
        ] {
            assert_eq!(told(text, Network::Off), None, "{text}");
        }
        assert!(!may_tell("all is well\n"));
        let long_ago = format!("Permission denied: '/home/ada/x'\n{}", "line\n".repeat(LINES));
        assert!(!may_tell(&long_ago));
    }

    #[test]
    fn no_text_confuses_it() {
        for text in [
            "Permission denied: '",
            "'''Permission denied'''",
            "‘Permission denied",
            "Permission denied: '\0'",
            "Permission deniedPermission denied: `",
            ": : Permission denied",
            "é‘’“”Permission denied‘é",
        ] {
            let _ = told(text, Network::Off);
        }
    }

    /// Facts that count how often they are asked for.
    struct Counting(std::cell::Cell<usize>);

    impl Facts for Counting {
        fn has_other_names(&self, _: &Path) -> bool {
            false
        }

        fn can_write(&self, _: &Path) -> bool {
            false
        }

        fn is_newer(&self, _: &Path) -> bool {
            false
        }

        fn real(&self, path: &Path) -> PathBuf {
            self.0.set(self.0.get() + 1);
            path.to_owned()
        }
    }

    #[test]
    fn few_paths_are_looked_at_however_many_a_text_names() {
        let facts = Counting(std::cell::Cell::new(0));
        let rules = Rules { writable: vec!["/w".into()], ..Rules::default() };
        let work = Path::new("/w");
        let mode = Mode::WorkspaceWrite;
        let confined = Confined { rules: &rules, mode, writable: work, directory: work };
        let line = format!("Permission denied {}\n", "'/w/a'".repeat(500));
        assert!(explain(&line.repeat(30), &confined, &facts).is_none());
        assert!(facts.0.get() <= MOST_PATHS, "{}", facts.0.get());
    }
}
