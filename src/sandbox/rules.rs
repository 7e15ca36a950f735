//! What a worker may reach: the rules as data, and what a system can hold of them.

use std::path::PathBuf;

/// What one worker and all that it starts may reach. Paths are absolute, without links and `..`.
///
/// Of two paths that lie in one another the inner one holds: what is writable in something hidden can be
/// reached, and what is hidden in something writable can't.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Can be neither read nor written, with all beneath. All else can be read. May not exist.
    pub hidden: Vec<PathBuf>,
    /// Can be written, with all beneath it. Exist when the worker starts.
    pub writable: Vec<PathBuf>,
    /// Can't be written, removed, renamed or made, with all beneath, though they lie in something writable. May
    /// not exist.
    pub protected: Vec<PathBuf>,
    /// Devices that may be opened for writing and asked by ioctl, beside those that every program needs (the
    /// terminal, /dev/null, /dev/zero, /dev/full, /dev/random, /dev/urandom, /dev/tty, /dev/ptmx, /dev/pts): GPUs.
    pub devices: Vec<PathBuf>,
    /// Which network it reaches.
    pub network: Network,
}

/// Which network a worker reaches. The later, the more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Network {
    /// None.
    #[default]
    Off,
    /// This machine's own, by its loopback addresses.
    Local,
    /// All that the machine reaches.
    On,
}

/// One thing that this system was asked to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds {
    /// What it is.
    pub what: &'static str,
    /// Whether it holds it, and else why not.
    pub state: Result<(), String>,
}
