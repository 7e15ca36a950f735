//! A client's own sandbox: what it allows is the most that a session of that client may reach.

use std::path::{Path, PathBuf};

use super::{Look, Looser, Mode, Network, Settings};

/// What a client says of the sandbox that it runs commands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSandbox {
    /// What of files may be written; `None` where all may be.
    pub files: Option<Bounds>,
    /// What can't be read; absolute.
    pub hidden: Vec<PathBuf>,
    /// Which network is reached.
    pub network: Network,
}

/// What may be written at most, beside the session's own temporary files and caches. Paths are absolute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    /// What may be written, with all beneath it.
    pub writable: Vec<PathBuf>,
    /// What of it may not, with all beneath it but for what `writable` has there again.
    pub read_only: Vec<PathBuf>,
}

impl ClientSandbox {
    /// One that allows all.
    pub const NONE: ClientSandbox =
        ClientSandbox { files: None, hidden: Vec::new(), network: Network::On };

    /// The strictest one there is.
    pub const STRICTEST: ClientSandbox = ClientSandbox {
        files: Some(Bounds { writable: Vec::new(), read_only: Vec::new() }),
        hidden: Vec::new(),
        network: Network::Off,
    };

    /// The same without its paths, for a session on another machine: how strict it is of files and which network
    /// there is.
    #[must_use]
    pub fn elsewhere(&self) -> ClientSandbox {
        let files = self.files.as_ref().filter(|bounds| bounds.writable.is_empty());
        ClientSandbox { files: files.cloned(), hidden: Vec::new(), network: self.network }
    }
}

impl Bounds {
    /// The same with paths that have no links in them. One that lies in another could have been changed for a
    /// link by a session there, and counts only where it leads to itself.
    #[must_use]
    pub fn real(&self, look: &dyn Look) -> Bounds {
        let writable = self.writable.iter().filter_map(|path| {
            let real = look.real(path);
            let mut rests = self
                .writable
                .iter()
                .filter_map(|outer| Some((outer, path.strip_prefix(outer).ok()?)));
            let leads_to_itself = rests.all(|(outer, rest)| {
                rest.as_os_str().is_empty() || look.real(outer).join(rest) == real
            });
            leads_to_itself.then_some(real)
        });
        let read_only = self.read_only.iter().map(|path| look.real(path));
        Bounds { writable: writable.collect(), read_only: read_only.collect() }
    }

    /// What of `path` they leave, where that may be written otherwise: all of it, or what lies in it.
    pub(super) fn leave(&self, path: &Path) -> Vec<PathBuf> {
        let of = |place: &PathBuf| match path.starts_with(place) {
            true => Some(path.to_owned()),
            false => place.starts_with(path).then(|| place.clone()),
        };
        let mut left: Vec<PathBuf> = self.writable.iter().filter_map(of).collect();
        left.retain(|path| self.allow(path));
        left
    }

    /// Whether a path may be written.
    pub(super) fn allow(&self, path: &Path) -> bool {
        let innermost = |places: &[PathBuf]| {
            let around = places.iter().filter(|place| path.starts_with(place));
            around.map(|place| place.components().count()).max()
        };
        let (writable, read_only) = (innermost(&self.writable), innermost(&self.read_only));
        // Of two that are the same, as each sandbox has it, what is said to be written is.
        writable.is_some() && writable >= read_only
    }
}

impl Settings {
    /// The stricter of these and of a client's own sandbox, in all that they say.
    #[must_use]
    pub fn within(mut self, client: &ClientSandbox) -> Settings {
        let is_free = client.network == Network::On && client.hidden.is_empty();
        if client.files.is_none() && is_free {
            return self;
        }
        if !self.mode.is_on() {
            // These allow all, so all that the client's allows is left. What is kept from a program, its network
            // for one, takes a sandbox.
            let all = || vec!["/".into()];
            self.writable = client.files.as_ref().map_or_else(all, |files| files.writable.clone());
            self.network = client.network;
            self.mode = Mode::WorkspaceWrite;
        }
        if client.files.as_ref().is_some_and(|files| files.writable.is_empty()) {
            // In `strict` what may be written is left to the bounds.
            if self.mode != Mode::Strict {
                self.mode = Mode::ReadOnly;
            }
        }
        self.network = self.network.min(client.network);
        let hidden = client.hidden.iter().filter(|path| !self.deny_read.contains(path));
        let hidden: Vec<PathBuf> = hidden.cloned().collect();
        self.deny_read.extend(hidden);
        self.bounds.clone_from(&client.files);
        self
    }

    /// What may be written under these that `bounds` do not allow; `None` where there is no such thing.
    pub(super) fn beyond(&self, bounds: &Bounds) -> Option<Looser> {
        let (reached, own) = match &self.bounds {
            Some(own) => (&own.writable, Some(own)),
            None if self.mode == Mode::ReadOnly => (&self.writable, None),
            // Which directory its own is, nobody knows here.
            None => return Some(Looser::Client),
        };
        let is_reached = |path: &Path| match own {
            Some(own) => own.allow(path),
            None => reached.iter().any(|place| path.starts_with(place)),
        };
        let outside = reached.iter().find(|path| is_reached(path) && !bounds.allow(path));
        let inside = bounds.read_only.iter().find(|path| !bounds.allow(path) && is_reached(path));
        outside.or(inside).map(|path| Looser::Writable(path.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(paths: &[&str]) -> Vec<PathBuf> {
        paths.iter().map(PathBuf::from).collect()
    }

    fn bounds(writable: &[&str], read_only: &[&str]) -> Bounds {
        Bounds { writable: paths(writable), read_only: paths(read_only) }
    }

    fn client(writable: &[&str], read_only: &[&str], network: Network) -> ClientSandbox {
        ClientSandbox { files: Some(bounds(writable, read_only)), hidden: Vec::new(), network }
    }

    fn settings(mode: Mode, network: Network) -> Settings {
        Settings { mode, network, ..Settings::default() }
    }

    #[test]
    fn the_stricter_of_two_holds() {
        let ours = settings(Mode::WorkspaceWrite, Network::On);
        let both = ours.clone().within(&ClientSandbox::STRICTEST);
        assert_eq!((both.mode, both.network), (Mode::ReadOnly, Network::Off));
        let both = ours.clone().within(&client(&["/w"], &["/w/.git"], Network::On));
        assert_eq!((both.mode, both.network), (Mode::WorkspaceWrite, Network::On));
        assert_eq!(both.bounds, Some(bounds(&["/w"], &["/w/.git"])));
        assert_eq!(ours.clone().within(&ClientSandbox::NONE), ours);
        let strict = settings(Mode::ReadOnly, Network::Off);
        let both = strict.clone().within(&client(&["/w"], &[], Network::On));
        assert_eq!((both.mode, both.network), (Mode::ReadOnly, Network::Off));
        let hides = ClientSandbox { hidden: paths(&["/k"]), ..ClientSandbox::NONE };
        assert_eq!(ours.within(&hides).deny_read, paths(&["/k"]));
    }

    #[test]
    fn without_a_sandbox_of_ones_own_the_clients_is_all() {
        let off = Settings::default();
        let both = off.clone().within(&client(&["/w", "/x"], &[], Network::Local));
        assert_eq!((both.mode, both.network), (Mode::WorkspaceWrite, Network::Local));
        assert_eq!(both.writable, paths(&["/w", "/x"]));
        assert_eq!(off.clone().within(&ClientSandbox::NONE), off);
        // A network can be kept in a sandbox only, and so can files be hidden.
        let files = ClientSandbox { network: Network::Off, ..ClientSandbox::NONE };
        let both = off.clone().within(&files);
        assert_eq!((both.mode, both.network), (Mode::WorkspaceWrite, Network::Off));
        assert_eq!(both.writable, paths(&["/"]));
        let hides = ClientSandbox { hidden: paths(&["/k"]), ..ClientSandbox::NONE };
        let both = off.within(&hides);
        assert_eq!((both.mode, both.network), (Mode::WorkspaceWrite, Network::On));
        assert_eq!(both.deny_read, paths(&["/k"]));
    }

    #[test]
    fn bounds_leave_what_lies_in_both() {
        let two = bounds(&["/w", "/x/y"], &["/w/.git", "/w/.git/tmp/no"]);
        assert_eq!(two.leave(Path::new("/w")), paths(&["/w"]));
        assert_eq!(two.leave(Path::new("/w/sub")), paths(&["/w/sub"]));
        assert_eq!(two.leave(Path::new("/x")), paths(&["/x/y"]));
        assert_eq!(two.leave(Path::new("/")), paths(&["/w", "/x/y"]));
        for none in ["/w/.git", "/w/.git/objects", "/wide", "/z"] {
            assert_eq!(two.leave(Path::new(none)), paths(&[]), "{none}");
        }
        let again = bounds(&["/w", "/w/.git/tmp"], &["/w/.git", "/w/.git/tmp/no"]);
        assert_eq!(again.leave(Path::new("/w/.git")), paths(&["/w/.git/tmp"]));
        assert!(again.allow(Path::new("/w/.git/tmp/a")));
        assert!(!again.allow(Path::new("/w/.git/tmp/no/a")));
        assert_eq!(Bounds::default().leave(Path::new("/w")), paths(&[]));
    }

    #[test]
    fn what_goes_beyond_a_clients_sandbox_is_told() {
        let ours = settings(Mode::WorkspaceWrite, Network::Off);
        let of = |writable: &[&str], read_only: &[&str]| {
            ours.clone().within(&client(writable, read_only, Network::Off))
        };
        let wide = of(&["/w", "/x"], &["/w/.git"]);
        let narrow = of(&["/w"], &["/w/.git", "/w/.codex"]);
        assert_eq!(narrow.looser_than(&wide), None);
        assert_eq!(wide.looser_than(&wide), None);
        assert_eq!(wide.looser_than(&narrow), Some(Looser::Writable("/x".into())));
        let less = of(&["/w"], &["/w/.git"]);
        assert_eq!(less.looser_than(&narrow), Some(Looser::Writable("/w/.codex".into())));
        assert_eq!(ours.looser_than(&narrow), Some(Looser::Client));
        assert_eq!(narrow.looser_than(&ours), None);
        let read_only = settings(Mode::ReadOnly, Network::Off);
        assert_eq!(read_only.looser_than(&narrow), None);
        let added = Settings { writable: paths(&["/x"]), ..read_only.clone() };
        let narrow = Settings { writable: paths(&["/x"]), ..narrow };
        assert_eq!(added.looser_than(&narrow), Some(Looser::Writable("/x".into())));
        assert_eq!(read_only.looser_than(&ours.within(&ClientSandbox::STRICTEST)), None);
    }

    #[test]
    fn on_another_machine_there_are_no_paths() {
        let there = client(&["/w"], &[], Network::Off).elsewhere();
        assert_eq!(there, ClientSandbox { network: Network::Off, ..ClientSandbox::NONE });
        assert_eq!(ClientSandbox::STRICTEST.elsewhere(), ClientSandbox::STRICTEST);
    }
}
