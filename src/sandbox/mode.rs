//! How strict a sandbox is, as an option and as a variable of the environment say it.

use std::{cmp::Ordering, fmt, str::FromStr};

use super::Network;

/// How much of the files a session's program may change, and whether it sees the others. The greater, the stricter;
/// neither of `read-only` and `strict` is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// There is no sandbox.
    #[default]
    Off,
    /// The working directory, the session's temporary files, `/dev/shm`, and what is added.
    WorkspaceWrite,
    /// The session's temporary files, `/dev/shm`, and what is added.
    ReadOnly,
    /// The same as in [`Mode::WorkspaceWrite`]. Of other files only those of the system and what is named are there,
    /// and no process but the session's own: it is in name spaces.
    Strict,
}

impl PartialOrd for Mode {
    fn partial_cmp(&self, other: &Mode) -> Option<Ordering> {
        let strictness = |mode: Mode| match mode {
            Mode::Off => 0,
            Mode::WorkspaceWrite => 1,
            Mode::ReadOnly | Mode::Strict => 2,
        };
        match strictness(*self).cmp(&strictness(*other)) {
            Ordering::Equal if self != other => None,
            order => Some(order),
        }
    }
}

impl Mode {
    /// Whether there is a sandbox.
    pub fn is_on(self) -> bool {
        self != Mode::Off
    }

    /// Whether the working directory may be written.
    pub fn writes_workspace(self) -> bool {
        matches!(self, Mode::WorkspaceWrite | Mode::Strict)
    }

    /// As the option says it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::WorkspaceWrite => "workspace-write",
            Mode::ReadOnly => "read-only",
            Mode::Strict => "strict",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Mode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Mode, &'static str> {
        match text {
            "workspace-write" => Ok(Mode::WorkspaceWrite),
            "read-only" => Ok(Mode::ReadOnly),
            "strict" => Ok(Mode::Strict),
            // What the configurations of other servers say.
            "off" | "danger-full-access" => Ok(Mode::Off),
            _ => Err("it is one of `workspace-write`, `read-only`, `strict` and `off`"),
        }
    }
}

impl Network {
    /// As the option says it.
    pub fn name(self) -> &'static str {
        match self {
            Network::Off => "off",
            Network::Local => "local",
            Network::On => "on",
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Network, &'static str> {
        match text {
            "off" => Ok(Network::Off),
            "local" => Ok(Network::Local),
            "on" => Ok(Network::On),
            _ => Err("it is one of `off`, `local` and `on`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_ordered_by_strictness_and_read_as_they_are_written() {
        assert!(Mode::Off < Mode::WorkspaceWrite && Mode::WorkspaceWrite < Mode::ReadOnly);
        assert!(Mode::WorkspaceWrite < Mode::Strict && Mode::Strict <= Mode::Strict);
        assert_eq!(Mode::Strict.partial_cmp(&Mode::ReadOnly), None);
        for mode in [Mode::Off, Mode::WorkspaceWrite, Mode::ReadOnly, Mode::Strict] {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        for network in [Network::Off, Network::Local, Network::On] {
            assert_eq!(network.to_string().parse(), Ok(network));
        }
        assert_eq!("danger-full-access".parse(), Ok(Mode::Off));
        assert!("stricter".parse::<Mode>().is_err() && "".parse::<Network>().is_err());
    }
}
