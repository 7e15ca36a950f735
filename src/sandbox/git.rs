//! Where a working directory's repository has its git directory, so that commits can be made there.
//!
//! What says where it is may have been written by a program in an earlier session: nothing is believed that the
//! repository itself does not confirm, or a file in a sandbox could open any other place to the next one.

use std::path::{Path, PathBuf};

use super::{
    git_config::{Names, named_files},
    names::PROTECTED_IN_GIT,
    place::without_dots,
};

/// What is looked at on the disk.
pub trait Look {
    /// What is at a path; links are not followed.
    fn kind(&self, path: &Path) -> Kind;
    /// Whether there is anything at a path, where a link leads.
    fn is_there(&self, path: &Path) -> bool {
        self.kind(&self.real(path)) != Kind::Missing
    }
    /// The text of a small file; `None` where there is none.
    fn text(&self, path: &Path) -> Option<String>;
    /// The path without links, as far as it exists.
    fn real(&self, path: &Path) -> PathBuf;
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing, or what can't be looked at.
    Missing,
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A link, or anything else.
    Other,
}

/// The git directory of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Git {
    /// Where its working tree begins.
    pub top: PathBuf,
    /// What git writes when it commits: the directory, and that which worktrees share.
    pub writable: Vec<PathBuf>,
    /// What of it must not be changed.
    pub protected: Vec<PathBuf>,
}

/// The repository that `directory` is in; `None` where it is in none, or in one that can't be trusted to be
/// one.
pub fn find(directory: &Path, look: &dyn Look) -> Option<Git> {
    let (place, kind) = directory
        .ancestors()
        .map(|place| (place, look.kind(&place.join(".git"))))
        .find(|(_, kind)| *kind != Kind::Missing)?;
    let git = place.join(".git");
    match kind {
        Kind::Directory => is_repository(&git, look).then(|| of(place, vec![git])),
        Kind::File => {
            let named = named_in(&look.text(&git)?, "gitdir:", place)?;
            let worktree = || {
                // git writes both when it makes a worktree, and repairs them as a pair.
                let back = without_dots(&named.join(look.text(&named.join("gitdir"))?.trim()));
                let shared = without_dots(&named.join(look.text(&named.join("commondir"))?.trim()));
                let is_listed = named.parent() == Some(&*shared.join("worktrees"));
                (back == git && is_listed && is_repository(&shared, look)).then_some(shared)
            };
            if let Some(shared) = worktree() {
                let protected = ["config.worktree", "commondir", "gitdir"];
                let mut found = of(place, vec![shared]);
                found.protected.extend(protected.map(|name| named.join(name)));
                found.protected.push(git);
                return Some(found);
            }
            // A submodule's is in that of the repository around it.
            let modules = |place: &Path| {
                let modules = place.join(".git/modules");
                named.starts_with(&modules) && look.kind(&modules) == Kind::Directory
            };
            let is_module = place.ancestors().skip(1).any(modules);
            (is_module && is_repository(&named, look)).then(|| {
                let mut found = of(place, vec![named]);
                found.protected.push(git);
                found
            })
        }
        Kind::Missing | Kind::Other => None,
    }
}

/// What must not be changed at a place that may be written, for the repository that is there or may be made
/// there.
pub(super) fn protected_at(place: &Path, kind: Kind) -> Vec<PathBuf> {
    let git = place.join(".git");
    match kind {
        Kind::Directory => protected_in(&git),
        // One that says where the directory is, or would.
        Kind::Missing | Kind::File | Kind::Other => vec![git],
    }
}

/// What the settings in some files name, for repositories whose files begin at `tops`: hooks, programs, more
/// settings.
pub(super) fn named_by_settings(
    files: Vec<PathBuf>,
    tops: &[&Path],
    home: Option<&Path>,
    look: &dyn Look,
) -> Vec<PathBuf> {
    /// How many files of settings are read. They may name each other.
    const MOST_FILES: usize = 16;
    let (mut files, mut found) = (files, Vec::new());
    let mut next = 0;
    while next < files.len().min(MOST_FILES) {
        let file = files[next].clone();
        next += 1;
        for (word, names) in named_files(&look.text(&file).unwrap_or_default()) {
            let own = file.parent();
            let from = match names {
                Names::Settings => own.as_slice(),
                Names::Hooks | Names::Program => tops,
            };
            for from in from {
                let path = match (word.strip_prefix("~/"), home) {
                    (Some(rest), Some(home)) => home.join(rest),
                    _ => without_dots(&from.join(&word)),
                };
                if names == Names::Settings {
                    files.push(path.clone());
                }
                // Most words of a command are no file, and a directory runs nothing.
                let is_one = match look.kind(&path) {
                    _ if names != Names::Program => true,
                    Kind::Directory => false,
                    Kind::Missing => word.contains('/'),
                    Kind::File | Kind::Other => true,
                };
                if is_one {
                    found.push(path);
                }
            }
        }
    }
    found
}

fn of(top: &Path, writable: Vec<PathBuf>) -> Git {
    let protected = writable.iter().flat_map(|git| protected_in(git)).collect();
    Git { top: top.to_owned(), writable, protected }
}

fn protected_in(git: &Path) -> Vec<PathBuf> {
    PROTECTED_IN_GIT.iter().map(|name| git.join(name)).collect()
}

/// What git takes for one.
fn is_repository(git: &Path, look: &dyn Look) -> bool {
    look.kind(&git.join("HEAD")) == Kind::File
        && ["objects", "refs"].iter().all(|name| look.kind(&git.join(name)) == Kind::Directory)
}

/// The path behind a word at the beginning of a text.
fn named_in(text: &str, word: &str, from: &Path) -> Option<PathBuf> {
    let path = text.strip_prefix(word)?.trim();
    (!path.is_empty()).then(|| without_dots(&from.join(path)))
}

#[cfg(all(test, has = "posix"))]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A disk: a path with a text is a file, one that ends with `/` a directory.
    struct Disk(BTreeMap<String, &'static str>);

    impl Look for Disk {
        fn kind(&self, path: &Path) -> Kind {
            let path = path.to_str().unwrap();
            let below = format!("{path}/");
            match self.0.get(path) {
                Some(&"->") => Kind::Other,
                Some(_) => Kind::File,
                None if self.0.keys().any(|file| file.starts_with(&below)) => Kind::Directory,
                None => Kind::Missing,
            }
        }

        fn text(&self, path: &Path) -> Option<String> {
            self.0.get(path.to_str().unwrap()).map(|text| (*text).to_owned())
        }

        fn real(&self, path: &Path) -> PathBuf {
            path.to_owned()
        }
    }

    fn repository(git: &str) -> [(String, &'static str); 3] {
        ["HEAD", "objects/", "refs/"].map(|name| (format!("{git}/{name}"), ""))
    }

    fn disk<const N: usize>(git: &[&str], files: [(&str, &'static str); N]) -> Disk {
        let mut disk: BTreeMap<_, _> = git.iter().flat_map(|git| repository(git)).collect();
        disk.extend(files.map(|(path, text)| (path.to_owned(), text)));
        Disk(disk)
    }

    fn writable(directory: &str, disk: &Disk) -> Option<Vec<String>> {
        let found = find(Path::new(directory), disk)?;
        Some(found.writable.iter().map(|path| path.display().to_string()).collect())
    }

    #[test]
    fn a_repository_is_found_upward() {
        let disk = disk(&["/w/.git"], []);
        assert_eq!(writable("/w/a/b", &disk), Some(vec!["/w/.git".into()]));
        assert_eq!(writable("/v", &disk), None);
        let found = find(Path::new("/w"), &disk).unwrap();
        for name in ["hooks", "config", "commondir", "modules"] {
            assert!(found.protected.contains(&Path::new("/w/.git").join(name)), "{name}");
        }
    }

    #[test]
    fn a_worktree_has_that_of_its_repository_if_that_knows_it() {
        let files = [
            ("/t/.git", "gitdir: /w/.git/worktrees/t\n"),
            ("/w/.git/worktrees/t/gitdir", "/t/.git\n"),
            ("/w/.git/worktrees/t/commondir", "../..\n"),
        ];
        let known = disk(&["/w/.git"], files);
        assert_eq!(writable("/t/sub", &known), Some(vec!["/w/.git".into()]));
        let found = find(Path::new("/t"), &known).unwrap();
        for path in ["/w/.git/hooks", "/t/.git", "/w/.git/worktrees/t/commondir"] {
            assert!(found.protected.contains(&path.into()), "{path}");
        }
        // Somebody else's worktree, named by a file that a program wrote.
        let mut forged = known;
        forged.0.insert("/evil/.git".into(), "gitdir: /w/.git/worktrees/t\n");
        assert_eq!(writable("/evil", &forged), None);
    }

    #[test]
    fn a_submodule_has_its_own_in_that_of_the_repository_around_it() {
        let files = [("/w/sub/.git", "gitdir: ../.git/modules/sub\n")];
        let disk = disk(&["/w/.git", "/w/.git/modules/sub"], files);
        assert_eq!(writable("/w/sub", &disk), Some(vec!["/w/.git/modules/sub".into()]));
    }

    #[test]
    fn what_settings_name_is_found_with_what_those_name() {
        let files = [
            (
                "/w/.git/config",
                "[core]\n\thooksPath = ./tools/hooks\n[include]\n\tpath = ../more\n",
            ),
            (
                "/w/more",
                "[include]\n\tpath = more\n[core]\n\tfsmonitor = ~/bin/x src watch.py no\n",
            ),
            ("/w/src/x", ""),
            ("/w/watch.py", ""),
        ];
        let disk = disk(&["/w/.git"], files);
        let (home, top) = (Some(Path::new("/home/ada")), Path::new("/w"));
        let found = named_by_settings(vec!["/w/.git/config".into()], &[top], home, &disk);
        let expected = ["/w/tools/hooks", "/w/more", "/w/more", "/home/ada/bin/x", "/w/watch.py"];
        assert_eq!(found[..5], expected.map(PathBuf::from));
    }

    #[test]
    fn what_nobody_confirms_is_not_believed() {
        let to = |text| disk(&["/home/ada/other/.git"], [("/w/.git", text)]);
        for text in [
            "gitdir: /home/ada\n",
            "gitdir: /home/ada/other/.git\n",
            "gitdir: /home/ada/other/.git/modules/x\n",
            "gitdir:\n",
            "nonsense",
            "",
        ] {
            assert_eq!(writable("/w", &to(text)), None, "{text}");
        }
        // A link may lead anywhere.
        assert_eq!(writable("/w", &disk(&["/w/.git"], [("/w/.git", "->")])), None);
        // A directory of that name that is none.
        assert_eq!(writable("/w", &disk(&[], [("/w/.git/x", "")])), None);
    }
}
