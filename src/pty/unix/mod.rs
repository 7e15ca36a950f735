//! Unix: pseudo-terminals, sessions, signals and sockets, as POSIX has them.
//!
//! ```text
//! terminal   the master side of a pseudo-terminal
//! process    the program on it, as the leader of a session of its own
//! launcher   a program that carries bytes over its standard streams
//! child      what is done between fork and exec
//! guard      what ends the sessions of a server that was killed
//! stream     a terminal or socket in the event loop
//! listener   the socket a sideband connects to
//! stdio      this process's standard streams
//! signal     those that ask this process to end; masks, dispositions, names
//! file       what may be executed
//! private    files and directories that are this user's alone
//! linux, macos   what POSIX does not have
//! ```
//!
//! `linux` and `macos` provide the same items: `blocked_reader`, `TaskWatch`, `Members`,
//! `session_members`, `die_with_parent`, `name_process`, `close_from`, `close_on_exec_from` and
//! `is_noexec`.
#![allow(unsafe_code)]

mod child;
mod file;
mod guard;
mod launcher;
mod listener;
mod private;
mod process;
mod signal;
mod stdio;
mod stream;
mod terminal;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as system;

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos as system;

#[cfg(test)]
pub(crate) use file::testing;
pub use file::{allows_execution, is_executable};
pub use guard::guard_sessions;
pub use launcher::{launch, platform_name};
pub use listener::Listener;
pub use private::{
    create_private_directory, create_private_file, is_own_directory, keep_private, open_own_file,
    others_can_replace, private_directory_in,
};
pub use process::{Process, spawn};
pub use signal::{Requests, asked_to_end, signal_number, unblock_signals};
pub use stdio::stdio;
pub use stream::ByteStream;
pub use terminal::{PtyMaster, has_the_terminal};
