//! How a process went.

use std::fmt;

/// What kills a program for want of memory, as its parent is told.
pub const OUT_OF_MEMORY: &str = "SIGKILL";

/// The end of a process, in words all platforms share.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It exited with this status.
    Status(i32),
    /// It was killed by this signal, `SIGSEGV`.
    Signal(String),
    /// The system killed it, since it and what it started used all of the memory that they may, in bytes.
    OutOfMemory {
        /// How much that is.
        most: u64,
    },
    /// Nobody could tell.
    Unknown,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Status(status) => write!(f, "exit status {status}"),
            Exit::Signal(name) => write!(f, "killed by {name}"),
            Exit::OutOfMemory { most } => write!(
                f,
                "killed: its processes together used all of the {} that `--memory` lets them have",
                size(*most)
            ),
            Exit::Unknown => write!(f, "its end was not reported"),
        }
    }
}

/// A number of bytes as options have it, in the largest unit that it is a whole number of.
fn size(bytes: u64) -> String {
    let units = [("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)];
    let unit = units.iter().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{bytes} bytes"), |(name, unit)| format!("{}{name}", bytes / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn want_of_memory_is_told_with_the_option_and_its_value() {
        let told = |most| Exit::OutOfMemory { most }.to_string();
        assert_eq!(
            told(8 << 30),
            "killed: its processes together used all of the 8G that `--memory` lets them have"
        );
        assert!(told(1536 << 20).contains(" 1536M "));
        assert!(told(1001).contains(" 1001 bytes "));
    }
}
