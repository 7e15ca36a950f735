//! What git obeys in a repository that lies anywhere in a directory that may be written: told by names alone.
//!
//! git takes a directory for a repository that is called `.git`, or has a `HEAD` in it (and two directories), and
//! obeys its settings and hooks as soon as somebody works there, or in a repository that has that one as a part. So
//! nobody in a sandbox makes a `HEAD` outside of a `.git`, which is always a directory that was made as that;
//! in there nobody writes hooks, nor what leads git elsewhere, and settings only as far as they are harmless
//! ([`super::git_config`]). A directory that was filled elsewhere does not become one, or a part of one.

use std::{ffi::OsStr, path::Path};

/// What git has in a directory: names of different kinds of directories mean different things to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// It is in no repository's own directory.
    Plain,
    /// It is a repository's own directory, or in it.
    Git,
    /// It is below that with the names of branches, which may be any.
    Branches,
}

/// What nobody in a sandbox does with a name, where nothing else is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Nothing of that: git does not obey it.
    Free,
    /// It is neither made nor written.
    Kept,
    /// The same, but for harmless settings that are put there by a rename.
    Settings,
    /// A directory can be made there, an empty one. Nothing else is, and what is there is not written.
    Directory,
    /// The same, but a file that is there is written.
    NoFile,
    /// It is free unless there is a `HEAD` beside it.
    BesideHead,
    /// The same where there is one beside its directory.
    BelowHead,
}

impl Guard {
    /// Whether that follows from the name alone, and not from what else is there.
    pub fn is_certain(self) -> bool {
        matches!(self, Guard::Kept | Guard::Settings | Guard::Directory | Guard::NoFile)
    }
}

/// What git runs, obeys, or is led elsewhere by.
const OBEYED: [&str; 5] = ["config", "config.worktree", "commondir", "gitdir", "hooks"];

/// What a path is in, itself included.
pub fn zone(path: &Path) -> Zone {
    let mut behind = None;
    for name in path.iter().rev() {
        if name == ".git" {
            let is_of_branches = behind.is_some_and(|name| name == "refs" || name == "logs");
            return if is_of_branches { Zone::Branches } else { Zone::Git };
        }
        behind = Some(name);
    }
    Zone::Plain
}

/// What holds of a path's name, which has no links, `.` or `..` in it.
pub fn guard(path: &Path) -> Guard {
    let (Some(name), Some(directory)) = (path.file_name(), path.parent()) else {
        return Guard::Free;
    };
    if name == ".git" {
        return Guard::Directory;
    }
    let is = |known: &str| name == OsStr::new(known);
    let is_sample = Path::new(name).extension().is_some_and(|end| end == "sample");
    match zone(directory) {
        Zone::Branches => Guard::Free,
        Zone::Plain if is("HEAD") => Guard::NoFile,
        Zone::Plain if OBEYED.iter().any(|known| is(known)) => Guard::BesideHead,
        Zone::Plain if directory.ends_with("hooks") && !is_sample => Guard::BelowHead,
        Zone::Plain => Guard::Free,
        Zone::Git => {
            let inside = directory.iter().rev().take_while(|name| *name != ".git");
            // What git has there at first are examples, which it does not run.
            if { inside }.any(|name| name == "hooks") {
                if is_sample { Guard::Free } else { Guard::Kept }
            } else if is("hooks") {
                Guard::Directory
            } else if is("config") && directory.ends_with(".git") {
                Guard::Settings
            } else if OBEYED.iter().any(|known| is(known)) {
                Guard::Kept
            } else {
                Guard::Free
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_obeys_is_known_by_its_name() {
        use Guard::*;
        for (path, expected) in [
            ("/w/.git", Directory),
            ("/w/sub/.git", Directory),
            ("/w/sub/.git/config", Settings),
            ("/w/sub/.git/hooks", Directory),
            ("/w/sub/.git/hooks/pre-commit", Kept),
            ("/w/sub/.git/hooks/pre-commit.sample", Free),
            ("/w/sub/.git/hooks/d/x", Kept),
            ("/w/sub/.git/commondir", Kept),
            ("/w/.git/worktrees/t/commondir", Kept),
            ("/w/.git/worktrees/t/gitdir", Kept),
            ("/w/.git/worktrees/t/config.worktree", Kept),
            ("/w/.git/modules/sub/config", Kept),
            ("/w/.git/modules/sub/hooks/x", Kept),
            ("/w/.git/HEAD", Free),
            ("/w/.git/config.lock", Free),
            ("/w/.git/refs/heads/config", Free),
            ("/w/.git/refs/heads/hooks/x", Free),
            ("/w/.git/logs/refs/heads/gitdir", Free),
            ("/w/.git/worktrees/t/logs/HEAD", Free),
            ("/w/HEAD", NoFile),
            ("/w/fixtures/bare.git/HEAD", NoFile),
            ("/w/fixtures/bare.git/config", BesideHead),
            ("/w/fixtures/bare.git/hooks/pre-receive", BelowHead),
            ("/w/src/hooks/use.ts", BelowHead),
            ("/w/src/config", BesideHead),
            ("/w/config.toml", Free),
            ("/w/.github/x", Free),
            ("/w/.gitignore", Free),
            ("/", Free),
        ] {
            assert_eq!(guard(Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn a_directory_is_in_a_zone() {
        for (path, expected) in [
            ("/w/sub", Zone::Plain),
            ("/w/sub/.git", Zone::Git),
            ("/w/sub/.git/objects/pack", Zone::Git),
            ("/w/sub/.git/refs", Zone::Branches),
            ("/w/sub/.git/logs/refs/heads", Zone::Branches),
            ("/w/sub/.git/worktrees/refs", Zone::Git),
            ("/w/.git/refs/x/.git", Zone::Git),
            ("/", Zone::Plain),
        ] {
            assert_eq!(zone(Path::new(path)), expected, "{path}");
        }
    }
}
