//! What somebody wants of a sandbox, before it is known where it is made.

use std::{fmt, path::PathBuf};

use super::{Bounds, Mode, Network};

/// What is wanted of a sandbox. In [`Mode::Off`] the rest means nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// How strict it is.
    pub mode: Mode,
    /// What may be written besides; absolute.
    pub writable: Vec<PathBuf>,
    /// Which network is reached.
    pub network: Network,
    /// What is there besides in [`Mode::Strict`], and can be read; absolute. In the others all is.
    pub readable: Vec<PathBuf>,
    /// What can't be read besides; absolute.
    pub deny_read: Vec<PathBuf>,
    /// Whether the machine's GPUs may be used.
    pub gpu: bool,
    /// Variables that are handed on though their names are those of secrets.
    pub keep_variables: Vec<String>,
    /// What the sandbox of the session's client allows at most, whatever these say; `None` where it has none.
    pub bounds: Option<Bounds>,
}

/// In what a sandbox allows more than is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looser {
    /// Its mode.
    Mode(Mode, Mode),
    /// Its network.
    Network(Network, Network),
    /// This may be written there.
    Writable(PathBuf),
    /// This can be read there.
    Readable(PathBuf),
    /// It has the GPUs.
    Gpu,
    /// This variable is handed on.
    Variable(String),
    /// It does not keep to what the client's own sandbox allows.
    Client,
}

impl fmt::Display for Looser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Looser::Mode(there, wanted) => {
                write!(f, "its sandbox is `{there}`, and `{wanted}` is asked for")
            }
            Looser::Network(there, wanted) => {
                write!(f, "its network is `{there}`, and `{wanted}` is asked for")
            }
            Looser::Writable(path) => write!(f, "it may write {}", path.display()),
            Looser::Readable(path) => write!(f, "it may read {}", path.display()),
            Looser::Gpu => f.write_str("it may use the GPUs"),
            Looser::Variable(name) => write!(f, "it has the variable {name}"),
            Looser::Client => f.write_str("it does not keep to the client's own sandbox"),
        }
    }
}

impl Settings {
    /// In what a sandbox of these settings allows more than `wanted` does, the gravest first; `None` where it
    /// is as strict.
    pub fn looser_than(&self, wanted: &Settings) -> Option<Looser> {
        let is_as_strict = self.mode >= wanted.mode;
        if !is_as_strict {
            return Some(Looser::Mode(self.mode, wanted.mode));
        }
        if !wanted.mode.is_on() {
            return None;
        }
        if self.network > wanted.network {
            return Some(Looser::Network(self.network, wanted.network));
        }
        if let Some(looser) = wanted.bounds.as_ref().and_then(|bounds| self.beyond(bounds)) {
            return Some(looser);
        }
        let lies_in =
            |path: &PathBuf, places: &[PathBuf]| places.iter().any(|place| path.starts_with(place));
        let writable = self.writable.iter().find(|path| !lies_in(path, &wanted.writable));
        let readable = wanted.deny_read.iter().find(|path| !lies_in(path, &self.deny_read));
        let is_shown =
            |path: &PathBuf| lies_in(path, &wanted.readable) || lies_in(path, &wanted.writable);
        let is_wanted_strict = wanted.mode == Mode::Strict;
        let shown = self.readable.iter().find(|path| is_wanted_strict && !is_shown(path));
        let variable =
            self.keep_variables.iter().find(|name| !wanted.keep_variables.contains(name));
        writable
            .map(|path| Looser::Writable(path.clone()))
            .or_else(|| readable.or(shown).map(|path| Looser::Readable(path.clone())))
            .or_else(|| (self.gpu && !wanted.gpu).then_some(Looser::Gpu))
            .or_else(|| variable.map(|name| Looser::Variable(name.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(mode: Mode) -> Settings {
        Settings { mode, ..Settings::default() }
    }

    #[test]
    fn what_allows_more_than_is_wanted_is_told() {
        let (off, write) = (settings(Mode::Off), settings(Mode::WorkspaceWrite));
        let read = settings(Mode::ReadOnly);
        assert_eq!(off.looser_than(&write), Some(Looser::Mode(Mode::Off, Mode::WorkspaceWrite)));
        assert_eq!(
            write.looser_than(&read).map(|looser| looser.to_string()).as_deref(),
            Some("its sandbox is `workspace-write`, and `read-only` is asked for")
        );
        for (there, wanted) in [(&read, &write), (&write, &write), (&write, &off), (&off, &off)] {
            assert_eq!(there.looser_than(wanted), None);
        }
        let more = |change: &dyn Fn(&mut Settings)| {
            let mut there = write.clone();
            change(&mut there);
            there
        };
        let network = more(&|s| s.network = Network::Local);
        let path = more(&|s| s.writable.push("/data/in".into()));
        let gpu = more(&|s| s.gpu = true);
        let variable = more(&|s| s.keep_variables.push("HF_TOKEN".into()));
        for there in [&network, &path, &gpu, &variable] {
            assert!(there.looser_than(&write).is_some(), "{there:?}");
            assert_eq!(there.looser_than(there), None);
            assert_eq!(write.looser_than(there), None);
            assert_eq!(there.looser_than(&off), None);
        }
        let wider = more(&|s| s.writable.push("/data".into()));
        assert_eq!(path.looser_than(&wider), None);
        let shows = |mode| Settings { mode, readable: vec!["/data".into()], ..write.clone() };
        let strict = settings(Mode::Strict);
        assert_eq!(
            shows(Mode::Strict).looser_than(&strict),
            Some(Looser::Readable("/data".into()))
        );
        assert_eq!(shows(Mode::Strict).looser_than(&shows(Mode::Strict)), None);
        assert_eq!(shows(Mode::WorkspaceWrite).looser_than(&write), None);
        assert!(strict.looser_than(&read).is_some() && read.looser_than(&strict).is_some());
        assert_eq!(strict.looser_than(&write), None);
        let hides = more(&|s| s.deny_read.push("/data".into()));
        assert_eq!(write.looser_than(&hides), Some(Looser::Readable("/data".into())));
        assert_eq!(hides.looser_than(&write), None);
    }
}
