//! Which paths may be written, and which of them only by way of the supervisor. Pure.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    path::{Path, PathBuf},
};

use crate::sandbox::Rules;

/// What holds at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// It can be read.
    Read,
    /// It can be read and written.
    Write,
    /// It can be read, though all around it can be written.
    Protected,
    /// It can't be reached.
    Hidden,
}

/// The paths of some [`Rules`].
#[derive(Debug, Clone)]
pub(super) struct Places {
    hidden: Vec<PathBuf>,
    writable: Vec<PathBuf>,
    protected: Vec<PathBuf>,
    /// Whether the supervisor is asked of files that are opened to be read, too.
    reads: bool,
}

impl Places {
    /// The paths of `rules`. `is_shared` says of a directory whether everybody may make files in it.
    pub(super) fn new(rules: &Rules, is_shared: impl Fn(&Path) -> bool) -> Places {
        let (hidden, writable) = (rules.hidden.clone(), rules.writable.clone());
        let mut places =
            Places { hidden, writable, protected: rules.protected.clone(), reads: false };
        // What lies beside something hidden is allowed one by one: what is made there later is not.
        let around = places.hidden.iter().flat_map(|place| place.ancestors().skip(1));
        let around = around.filter(|place| place.parent().is_some());
        places.reads = { around }.any(is_shared)
            || places.partly_writable().any(|place| places.hides_below(place));
        places
    }

    /// What holds at a path: what the innermost of those that it lies in says. The stricter one of
    /// two that are the same.
    pub(super) fn reach(&self, path: &Path) -> Reach {
        let lists = [
            (&self.writable, Reach::Write),
            (&self.protected, Reach::Protected),
            (&self.hidden, Reach::Hidden),
        ];
        lists
            .into_iter()
            .flat_map(|(list, reach)| list.iter().map(move |place| (place, reach)))
            .filter(|(place, _)| path.starts_with(place))
            // Of equals, the last.
            .max_by_key(|(place, _)| place.components().count())
            .map_or(Reach::Read, |(_, reach)| reach)
    }

    /// Whether something protected or hidden lies below a path, itself left out.
    pub(super) fn guards_below(&self, path: &Path) -> bool {
        self.guarded().any(|place| place != path && place.starts_with(path))
    }

    /// Whether something hidden lies below a path, itself left out.
    pub(super) fn hides_below(&self, path: &Path) -> bool {
        self.hidden.iter().any(|place| place != path && place.starts_with(path))
    }

    /// The names in a directory by way of which something hidden is come to.
    pub(super) fn names_towards_hidden(&self, directory: &Path) -> BTreeSet<&OsStr> {
        let rests = self.hidden.iter().filter_map(|place| place.strip_prefix(directory).ok());
        rests.filter_map(|rest| rest.iter().next()).collect()
    }

    /// What can be written with all beneath it, and nothing in it is protected or hidden: the kernel
    /// alone sees to it.
    pub(super) fn plainly_writable(&self) -> impl Iterator<Item = &Path> {
        self.writable().filter(|place| !self.guards_below(place))
    }

    /// What can be written, but not all of it.
    pub(super) fn partly_writable(&self) -> impl Iterator<Item = &Path> {
        self.writable().filter(|place| self.guards_below(place))
    }

    /// Whether a path lies in what is written by way of the supervisor.
    pub(super) fn is_supervised(&self, path: &Path) -> bool {
        self.writable
            .iter()
            .filter(|place| path.starts_with(place))
            .max_by_key(|place| place.components().count())
            .is_some_and(|place| self.guards_below(place))
    }

    /// Whether the supervisor is asked of files that are opened to be read, too: something hidden lies
    /// where files come and go.
    pub(super) fn reads_are_supervised(&self) -> bool {
        self.reads
    }

    /// Whether there is anything to ask the supervisor about files that are opened, or named.
    pub(super) fn files_are_supervised(&self) -> bool {
        self.reads || self.partly_writable().next().is_some()
    }

    /// Whether something hidden may lie in the same directory as a path, or in one around that but the
    /// root: then the kernel may refuse to have it read, though it can be.
    pub(super) fn is_beside_hidden(&self, path: &Path) -> bool {
        let first = |path: &Path| path.components().nth(1).map(|name| name.as_os_str().to_owned());
        let own = first(path);
        own.is_some() && self.hidden.iter().any(|place| first(place) == own)
    }

    /// What is hidden itself.
    pub(super) fn is_hidden_root(&self, path: &Path) -> bool {
        self.hidden.iter().any(|place| place == path) && self.reach(path) == Reach::Hidden
    }

    fn writable(&self) -> impl Iterator<Item = &Path> {
        let writable = self.writable.iter().map(PathBuf::as_path);
        writable.filter(|place| self.reach(place) == Reach::Write)
    }

    fn guarded(&self) -> impl Iterator<Item = &PathBuf> {
        self.hidden.iter().chain(&self.protected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Network;

    fn paths(paths: &[&str]) -> Vec<PathBuf> {
        paths.iter().map(PathBuf::from).collect()
    }

    fn places(hidden: &[&str], writable: &[&str], protected: &[&str]) -> Places {
        let (hidden, writable, protected) = (paths(hidden), paths(writable), paths(protected));
        let (devices, network) = (Vec::new(), Network::Off);
        let rules = Rules { hidden, writable, protected, devices, network };
        Places::new(&rules, |place| place == Path::new("/tmp"))
    }

    #[test]
    fn the_innermost_place_decides() {
        let places = places(
            &["/run/sessions", "/work/key"],
            &["/work", "/run/sessions/1/tmp", "/work/.git/hooks/own"],
            &["/work/.git/hooks", "/work"],
        );
        for (path, reach) in [
            ("/etc/passwd", Reach::Read),
            ("/workshop", Reach::Read),
            ("/run/sessions/2", Reach::Hidden),
            ("/run/sessions/1/tmp/file", Reach::Write),
            ("/work", Reach::Protected),
            ("/work/key/x", Reach::Hidden),
            ("/work/.git/hooks/pre-commit", Reach::Protected),
            ("/work/.git/hooks/own/x", Reach::Write),
        ] {
            assert_eq!(places.reach(Path::new(path)), reach, "{path}");
        }
    }

    #[test]
    fn a_place_with_something_protected_is_written_by_way_of_the_supervisor() {
        let places = places(&[], &["/work", "/work/tmp", "/shm"], &["/work/.git/hooks"]);
        assert_eq!(places.partly_writable().collect::<Vec<_>>(), [Path::new("/work")]);
        let plainly: Vec<_> = places.plainly_writable().collect();
        assert_eq!(plainly, [Path::new("/work/tmp"), Path::new("/shm")]);
        assert!(places.is_supervised(Path::new("/work/a/b")));
        assert!(!places.is_supervised(Path::new("/work/tmp/b")));
        assert!(!places.is_supervised(Path::new("/etc")));
        assert!(places.guards_below(Path::new("/work/.git")));
        assert!(!places.guards_below(Path::new("/work/.git/hooks")));
        assert!(!places.reads_are_supervised() && places.files_are_supervised());
    }

    #[test]
    fn files_that_are_read_are_the_supervisors_matter_where_files_come_and_go_beside_what_is_hidden()
     {
        let reads = |hidden, writable| places(&[hidden], &[writable], &[]).reads_are_supervised();
        assert!(reads("/tmp/sessions/1", "/work"));
        assert!(reads("/home/ada/.ssh", "/home/ada"));
        assert!(!reads("/home/ada/.ssh", "/home/ada/work"));
        assert!(!places(&[], &["/work"], &[]).files_are_supervised());
        let places = places(&["/home/ada/.ssh"], &[], &[]);
        assert!(places.is_beside_hidden(Path::new("/home/ada/new")));
        assert!(!places.is_beside_hidden(Path::new("/usr/lib")));
        assert!(!places.is_beside_hidden(Path::new("/")));
    }
}
