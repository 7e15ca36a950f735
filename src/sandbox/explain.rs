//! Whether what a cell printed tells of something that the sandbox denied, and what there is to say of it.
//!
//! Programs tell of a denial in words of their own and seldom say whether they meant to read or to write. So a
//! path that one names is held against the rules and against what the user could do without them: what nobody
//! could do anyway is not blamed on the sandbox.

use std::path::{Path, PathBuf};

use super::{
    Bounds, Mode, Network, Rules, guard,
    place::without_dots,
    telling::{around, around_missing, speaks_of_datagrams, speaks_of_network},
};

/// How many paths are looked at, and how long they are at most, in bytes.
const MOST_PATHS: usize = 16;
const LONGEST_PATH: usize = 1024;

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
        "the sandbox ({mode}) lets this session write only {}, not {}; {}", .writable.display(),
        .path.display(), allowing(.add.as_deref(), *.is_bounded)
    )]
    Outside {
        /// What.
        path: PathBuf,
        /// What the user would add; `None` where that would be a place too wide.
        add: Option<PathBuf>,
        /// Whether the client's own sandbox does not allow it.
        is_bounded: bool,
        /// The place that the session is for, or its temporary directory.
        writable: PathBuf,
        /// The mode.
        mode: Mode,
    },
    /// It was made when the sandbox was there already, beside something that is kept from the session.
    #[error(
        "{} was made or replaced after this session began, beside what the sandbox keeps from it, and can't be reached \
         for that; \"\\u0004\" starts a fresh session, which can read it", .path.display()
    )]
    MadeLater {
        /// What.
        path: PathBuf,
    },
    /// In `strict` nothing is there that nobody named.
    #[error(
        "the sandbox ({}) shows nothing at {}; if it is there outside, the user can show it by `--add-readable` or \
         `--add-writable`, {WHERE}", Mode::Strict, .path.display()
    )]
    NotShown {
        /// Where.
        path: PathBuf,
    },
    /// The network.
    #[error(
        "the sandbox keeps this session {}, {WHERE}{}", kept(*.network),
        if *.is_bounded { AS_FAR } else { "" }
    )]
    Unreachable {
        /// What is reached.
        network: Network,
        /// Whether the client's own sandbox has a word in it, too.
        is_bounded: bool,
    },
    /// Datagrams to files.
    #[error(
        "in the sandbox there are no datagrams between programs of this machine (AF_UNIX with SOCK_DGRAM); \
         streams and SOCK_SEQPACKET there are"
    )]
    Datagrams,
}

/// What the user can do about a place that is not to be written.
fn allowing(add: Option<&Path>, is_bounded: bool) -> String {
    match add {
        Some(add) if is_bounded => format!(
            "the client's own sandbox, which this one follows, does not allow it: the user can allow it there, and \
             here by `--add-writable {}`, {WHERE}",
            add.display()
        ),
        Some(add) => {
            format!("the user can allow it by `--add-writable {}`, {WHERE}", add.display())
        }
        None => "write there, or have the user do it".to_owned(),
    }
}

/// Places of the system, in which nothing is to be added.
const SYSTEM: [&str; 14] = [
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/run", "/sbin", "/sys",
    "/usr", "/System", "/Library",
];
/// Places that hold those of many: one in them may be added.
const TOO_WIDE: [&str; 8] = ["/", "/home", "/media", "/mnt", "/opt", "/root", "/var", "/Users"];

/// Where options stand.
const WHERE: &str = "an option of mcp-repl, in the client's configuration";

/// What is said where a client has a sandbox of its own.
const AS_FAR: &str = ", as far as the client's own sandbox allows it, which this one follows";

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
    /// Whether this user owns it, or what it would be in.
    fn is_own(&self, path: &Path) -> bool;
    /// Whether it would lie in a place that is shown, where only some are.
    fn is_shown(&self, path: &Path) -> bool;
    /// Whether there is anything.
    fn exists(&self, path: &Path) -> bool;
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
    /// The user's home directory.
    pub home: Option<&'a Path>,
    /// What the client's own sandbox allows at most, if it has one.
    pub bounds: Option<&'a Bounds>,
}

/// What was denied last, as far as the [lines](fn@super::telling) tell that say what a cell failed of.
pub fn explain(text: &str, confined: &Confined<'_>, facts: &dyn Facts) -> Option<Denial> {
    // A session waits for this, and a text can name paths that take long to be looked at.
    let mut looks = 0..MOST_PATHS;
    text.lines().rev().find_map(|line| {
        let network = confined.rules.network;
        if network != Network::On && speaks_of_network(line) {
            let is_bounded = confined.bounds.is_some();
            return Some(Denial::Unreachable { network, is_bounded });
        }
        if speaks_of_datagrams(line) {
            return Some(Denial::Datagrams);
        }
        let mut of_paths = |(before, behind), of_path: OfPath| {
            let mut named = paths(before, behind);
            named.retain(|path| !path.is_empty() && path.len() <= LONGEST_PATH);
            let mut named = named.into_iter().take_while(|_| looks.next().is_some());
            named.find_map(|path| of_path(path, confined, facts))
        };
        match around_missing(line) {
            Some(around) if confined.mode == Mode::Strict => of_paths(around, of_missing),
            _ => of_paths(around(line)?, of_path),
        }
    })
}

/// What there is to say of a path.
type OfPath = fn(&str, &Confined<'_>, &dyn Facts) -> Option<Denial>;

/// Why there is nothing at a path, if that is so because nobody named it.
fn of_missing(text: &str, confined: &Confined<'_>, facts: &dyn Facts) -> Option<Denial> {
    let path = facts.real(&without_dots(&confined.directory.join(text)));
    let is_ours = path.is_absolute() && !facts.exists(&path) && !facts.is_shown(&path);
    is_ours.then_some(Denial::NotShown { path })
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
    let Confined { rules, mode, writable, directory, home, bounds } = *confined;
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
    // Before what is protected: a file of settings that somebody replaced outside is to be read.
    let is_cut_off = path.ancestors().collect::<Vec<_>>().windows(2).any(|pair| {
        let [entry, around] = pair else { return false };
        let holds_hidden =
            |hidden: &PathBuf| hidden.starts_with(around) && !hidden.starts_with(entry);
        rules.hidden.iter().any(holds_hidden) && facts.is_newer(entry)
    });
    if is_cut_off && open == 0 {
        return Some(Denial::MadeLater { path });
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
    // In `strict` what is only read can't be written by anybody there, and some of it by its owner outside.
    if !(facts.can_write(&path) || mode == Mode::Strict && facts.is_own(&path)) {
        return None;
    }
    let add =
        to_be_added(&path, home, facts).filter(|_| mode != Mode::Strict || facts.is_shown(&path));
    let add = add.map(Path::to_owned);
    let is_bounded = bounds.is_some_and(|bounds| !bounds.allow(&path));
    Some(Denial::Outside { path, add, is_bounded, writable: writable.to_owned(), mode })
}

/// What of a path the user would add: the directory that it is in, else the file itself, if either is there
/// and no more than what one program is to work in.
fn to_be_added<'a>(path: &'a Path, home: Option<&Path>, facts: &dyn Facts) -> Option<&'a Path> {
    if SYSTEM.iter().any(|place| path.starts_with(place)) {
        return None;
    }
    let is_too_wide = |place: &Path| {
        TOO_WIDE.iter().any(|wide| place == Path::new(wide))
            || home.is_some_and(|home| home.starts_with(place))
    };
    let around = path.ancestors().skip(1).find(|around| facts.exists(around));
    let itself = facts.exists(path).then_some(path);
    around.into_iter().chain(itself).find(|place| !is_too_wide(place))
}

#[cfg(all(test, has = "posix"))]
mod tests {
    use super::*;
    use crate::sandbox::telling;

    /// A user who may write below /home/ada and /opt, where /home/ada/new.csv was made late.
    struct Ada;

    impl Facts for Ada {
        fn can_write(&self, path: &Path) -> bool {
            ["/home/ada", "/opt", "/etc/motd", "/srv"].iter().any(|place| path.starts_with(place))
        }

        fn has_other_names(&self, path: &Path) -> bool {
            path.ends_with("linked")
        }

        fn is_newer(&self, path: &Path) -> bool {
            ["/home/ada/new.csv", "/home/ada/.gitconfig"].iter().any(|new| path == Path::new(new))
        }

        fn is_own(&self, _: &Path) -> bool {
            false
        }

        fn is_shown(&self, path: &Path) -> bool {
            path.starts_with("/home/ada/work")
        }

        fn exists(&self, path: &Path) -> bool {
            let there = ["/home/ada/data", "/home/ada/notes.txt", "/opt/tool/log", "/etc", "/srv"];
            there.iter().any(|there| Path::new(there).starts_with(path))
        }

        fn real(&self, path: &Path) -> PathBuf {
            path.to_owned()
        }
    }

    fn told(text: &str, network: Network) -> Option<String> {
        told_within(text, network, None)
    }

    /// The same where the client's own sandbox allows that at most.
    fn told_within(text: &str, network: Network, bounds: Option<&Bounds>) -> Option<String> {
        let rules = Rules {
            hidden: ["/home/ada/.ssh", "/run/user/7"].map(PathBuf::from).into(),
            writable: ["/home/ada/work", "/run/user/7/mine"].map(PathBuf::from).into(),
            protected: [
                "/home/ada/work/.git/hooks",
                "/home/ada/work/.git/config",
                "/home/ada/.gitconfig",
                "/home/ada/.bashrc",
            ]
            .map(PathBuf::from)
            .into(),
            network,
            ..Rules::default()
        };
        let work = Path::new("/home/ada/work");
        let mode = Mode::WorkspaceWrite;
        let home = Some(Path::new("/home/ada"));
        let confined =
            Confined { rules: &rules, mode, writable: work, directory: work, home, bounds };
        let text = telling(text, false).expect(text);
        Some(explain(&text, &confined, &Ada)?.to_string())
    }

    #[test]
    fn what_the_clients_own_sandbox_denies_is_to_be_allowed_there_as_well() {
        let bounds = |writable: &str| Bounds { writable: vec![writable.into()], read_only: vec![] };
        let denied = "PermissionError: [Errno 13] Permission denied: '/home/ada/data/x'";
        let added = "by `--add-writable /home/ada/data`";
        let told =
            |within: &str| told_within(denied, Network::Off, Some(&bounds(within))).expect(within);
        let text = told("/home/ada/work");
        assert!(text.contains("own sandbox") && text.contains(added), "{text}");
        let text = told("/home/ada");
        assert!(!text.contains("own sandbox") && text.contains(added), "{text}");
        let cut_off = "OSError: [Errno 101] Network is unreachable";
        let text = told_within(cut_off, Network::Off, Some(&bounds("/home/ada"))).expect(cut_off);
        assert!(text.contains("`--network on`") && text.contains("own sandbox"), "{text}");
    }

    #[track_caller]
    fn tells(text: &str, part: &str) {
        let told = told(text, Network::Off).expect(text);
        assert!(told.contains(part), "{text}\n{told}");
    }

    #[test]
    fn a_denied_write_names_the_option() {
        let traceback = "Traceback (most recent call last):\n  File \"<cell 2>\", line 1, in <module>\n\
             PermissionError: [Errno 13] Permission denied: '/home/ada/data/x'\n";
        assert_eq!(
            told(traceback, Network::Off).as_deref(),
            Some(
                "the sandbox (workspace-write) lets this session write only /home/ada/work, not /home/ada/data/x; \
                 the user can allow it by `--add-writable /home/ada/data`, an option of mcp-repl, in the client's configuration"
            )
        );
        for text in [
            "cp: cannot create regular file '/home/ada/data/x': Permission denied",
            "mkdir: cannot create directory ‘/home/ada/data/x’: Permission denied",
            "bash: /home/ada/data/x: Permission denied",
            "bash: line 1: /home/ada/data/x: Permission denied",
            "/bin/sh: 1: cannot create /home/ada/data/x: Permission denied",
            "touch: cannot touch '../data/x': Permission denied",
            "error: failed to write `/home/ada/data/x`: Permission denied (os error 13)",
            "error: open(\"/home/ada/data/x\"): Operation not permitted",
            "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: \
             '/home/ada/data/x'\nCheck the permissions.\n",
            "PermissionError: [Errno 13] Permission denied: '/home/ada/work/a' -> '/home/ada/data/x'",
        ] {
            tells(text, "not /home/ada/data/x");
        }
    }

    #[test]
    fn what_is_proposed_is_there_and_no_more_than_a_place_to_work_in() {
        let proposed = |path: &str, add: Option<&str>| {
            let told = told(&format!("touch: '{path}': Permission denied"), Network::Off).unwrap();
            let option = told.split_once("--add-writable ").map(|(_, rest)| rest);
            assert_eq!(option.and_then(|rest| rest.split('`').next()), add, "{told}");
            assert_eq!(told.ends_with("; write there, or have the user do it"), add.is_none());
        };
        proposed("/home/ada/data/new/deep/x", Some("/home/ada/data"));
        proposed("/srv/x", Some("/srv"));
        proposed("/opt/tool/log", Some("/opt/tool"));
        proposed("/home/ada/notes.txt", Some("/home/ada/notes.txt"));
        for path in ["/home/ada/x", "/home/ada/new/x", "/opt/x", "/etc/motd"] {
            proposed(path, None);
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
        for replaced in ["/home/ada/new.csv", "/home/ada/.gitconfig"] {
            let text = format!("warning: unable to access '{replaced}': Permission denied");
            tells(&text, "was made or replaced after this session began");
        }
        tells("bash: /home/ada/.bashrc: Permission denied", "change /home/ada/.bashrc");
        tells("OSError: [Errno 94] Socket type not supported", "there are no datagrams");
        tells("Permission denied: '/home/ada/work/sub/.git/hooks/x'", "change /home/ada/work/sub");
        tells("Permission denied: '/home/ada/work/linked'", "another name elsewhere");
    }

    #[test]
    fn in_strict_what_is_not_there_may_be_outside() {
        let told = |text: &str, mode| {
            let rules = Rules::default();
            let (writable, directory) = (Path::new("/home/ada/work"), Path::new("/home/ada/work"));
            let confined =
                Confined { rules: &rules, mode, writable, directory, home: None, bounds: None };
            let text = telling(text, false)?;
            explain(&text, &confined, &Ada).map(|denial| denial.to_string())
        };
        let line = |path: &str| format!("cat: {path}: No such file or directory");
        let said = told(&line("/data/x"), Mode::Strict).unwrap();
        assert!(
            said.contains("(strict) shows nothing at /data/x; if it is there outside"),
            "{said}"
        );
        assert!(told("[Errno 2] No such file or directory: '../../x'", Mode::Strict).is_none());
        let raised = "FileNotFoundError: [Errno 2] No such file or directory: '../../x'";
        assert!(told(raised, Mode::Strict).unwrap().contains(" at /home/x;"));
        // What is there, what would be in the workspace, and other modes.
        for path in ["/etc", "missing", "/home/ada/work/missing"] {
            assert_eq!(told(&line(path), Mode::Strict), None, "{path}");
        }
        assert_eq!(told(&line("/data/x"), Mode::WorkspaceWrite), None);
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

        fn is_own(&self, _: &Path) -> bool {
            false
        }

        fn is_shown(&self, _: &Path) -> bool {
            false
        }

        fn exists(&self, _: &Path) -> bool {
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
        let confined = Confined {
            rules: &rules,
            mode,
            writable: work,
            directory: work,
            home: None,
            bounds: None,
        };
        let line = format!("Permission denied {}\n", "'/w/a'".repeat(500));
        assert!(explain(&line.repeat(30), &confined, &facts).is_none());
        assert!(facts.0.get() <= MOST_PATHS, "{}", facts.0.get());
    }
}
