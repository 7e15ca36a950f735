//! Which paths may be written, and which of them only by way of the supervisor. Pure.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
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
    /// All of them: inner ones before those around them, of equals the stricter one first.
    all: Vec<(PathBuf, Reach)>,
    hidden: Vec<PathBuf>,
    /// Where files come and go beside something hidden: there the supervisor opens files to be read, too.
    busy: Vec<PathBuf>,
}

impl Places {
    /// The paths of `rules`. `is_shared` says of a directory whether everybody may make files in it.
    pub(super) fn new(rules: &Rules, is_shared: impl Fn(&Path) -> bool) -> Places {
        let lists = [
            (&rules.hidden, Reach::Hidden),
            (&rules.protected, Reach::Protected),
            (&rules.writable, Reach::Write),
        ];
        let mut all: Vec<(PathBuf, Reach)> = lists
            .into_iter()
            .flat_map(|(list, reach)| list.iter().map(move |place| (place.clone(), reach)))
            .collect();
        all.sort_by_key(|(place, _)| std::cmp::Reverse(place.as_os_str().len()));
        let mut places = Places { all, hidden: rules.hidden.clone(), busy: Vec::new() };
        // What lies beside something hidden is allowed one by one: what is made there later is not.
        let around = places.hidden.iter().flat_map(|place| place.ancestors().skip(1));
        let around: BTreeSet<&Path> = around.filter(|place| place.parent().is_some()).collect();
        let shared = around.into_iter().filter(|place| is_shared(place));
        let written = places.partly_writable().filter(|place| places.hides_below(place));
        places.busy = shared.chain(written).map(Path::to_owned).collect();
        places
    }

    /// What holds at a path: what the innermost of those that it lies in says. The stricter one of
    /// two that are the same.
    pub(super) fn reach(&self, path: &Path) -> Reach {
        let place = self.all.iter().find(|(place, _)| lies_in(path, place));
        place.map_or(Reach::Read, |(_, reach)| *reach)
    }

    /// Whether something protected or hidden lies below a path, itself left out.
    pub(super) fn guards_below(&self, path: &Path) -> bool {
        let guarded = self.all.iter().filter(|(_, reach)| *reach != Reach::Write);
        { guarded }.any(|(place, _)| place != path && lies_in(place, path))
    }

    /// The names in a directory by way of which something hidden is come to.
    pub(super) fn names_towards_hidden(&self, directory: &Path) -> BTreeSet<&OsStr> {
        let inside = self.hidden.iter().filter(|place| lies_in(place, directory));
        let rests = inside.filter_map(|place| place.strip_prefix(directory).ok());
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
        let writable = self.all.iter().filter(|(_, reach)| *reach == Reach::Write);
        { writable }
            .find(|(place, _)| lies_in(path, place))
            .is_some_and(|(place, _)| self.guards_below(place))
    }

    /// Whether the supervisor is asked of files that are opened to be read, too: something hidden lies
    /// where files come and go.
    pub(super) fn reads_are_supervised(&self) -> bool {
        !self.busy.is_empty()
    }

    /// Whether there is anything to ask the supervisor about files that are opened, or named.
    pub(super) fn files_are_supervised(&self) -> bool {
        self.reads_are_supervised() || self.partly_writable().next().is_some()
    }

    /// Whether a path lies where files come and go beside something hidden: there the kernel may refuse to have
    /// it read, though it can be.
    pub(super) fn is_beside_hidden(&self, path: &Path) -> bool {
        self.busy.iter().any(|place| lies_in(path, place))
    }

    /// What is hidden itself.
    pub(super) fn is_hidden_root(&self, path: &Path) -> bool {
        self.hidden.iter().any(|place| place == path) && self.reach(path) == Reach::Hidden
    }

    fn hides_below(&self, path: &Path) -> bool {
        self.hidden.iter().any(|place| place != path && lies_in(place, path))
    }

    fn writable(&self) -> impl Iterator<Item = &Path> {
        let writable = self.all.iter().filter(|(_, reach)| *reach == Reach::Write);
        let writable = writable.map(|(place, _)| place.as_path());
        writable.filter(|place| self.reach(place) == Reach::Write)
    }
}

/// Whether a path is another one or lies in it, where neither has `.`, `..` or a slash too many: as
/// `Path::starts_with` has it, without looking at each part, since this is asked at each call.
fn lies_in(path: &Path, place: &Path) -> bool {
    let (path, place) = (path.as_os_str().as_bytes(), place.as_os_str().as_bytes());
    match path.strip_prefix(place) {
        Some(rest) => rest.is_empty() || rest[0] == b'/' || place == b"/",
        None => false,
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
        let beside = |writable, path: &str| {
            let hidden = ["/tmp/ada/sessions", "/home/ada/.ssh"];
            places(&hidden, &[writable], &[]).is_beside_hidden(Path::new(path))
        };
        for path in ["/tmp", "/tmp/new", "/tmp/ada/new"] {
            assert!(beside("/work", path), "{path}");
        }
        // A file that is new in a home directory can't be read, if that is not written: most of what is read
        // there was there before.
        for path in ["/", "/tmpfs", "/usr/lib", "/home/ada/new", "/home/ada/.pyenv/lib"] {
            assert!(!beside("/work", path), "{path}");
        }
        assert!(beside("/home/ada", "/home/ada/new"));
    }
}
