//! The platform door: a program on a pseudo-terminal, its end, and what is left of it.
//!
//! Everything above speaks of a [`Terminal`], a [`Process`] and an [`Exit`], and knows no
//! descriptor, signal number or process table.
#![allow(unsafe_code)]

#[cfg(target_os = "linux")]
mod blocked;
#[cfg(unix)]
mod descriptor;
#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod platform;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod platform;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod terminal;

use std::{ffi::OsString, path::PathBuf};

pub use descriptor::{Descriptor, Kind};
pub use process::{Process, allows_execution, spawn, unblock_signals};
pub use terminal::{Modes, Terminal};

use crate::reply::Exit;

/// A thread that waits for somebody to type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The kernel's number of the thread.
    pub thread: u32,
    /// A count that grows when the thread wakes: equal twice, it slept between.
    pub wakes: u64,
    /// The name of its program.
    pub program: String,
    /// Whether that it waits is a guess: it is another user's, so the kernel tells only that it
    /// sleeps.
    pub guessed: bool,
}

/// A program to be run on a terminal, with this process's working directory.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Its file; looked up on `PATH` when it has no slash.
    pub file: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Changes to this process's environment: a value, or `None` to leave the name out.
    pub environment: Vec<(OsString, Option<OsString>)>,
    /// The name of a variable by which the program is told the number of a descriptor of the
    /// terminal's master side, which it inherits then.
    pub master_variable: Option<&'static str>,
}
