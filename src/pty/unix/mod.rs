//! Unix: pseudo-terminals, sessions, signals and sockets, as POSIX has them.
//!
//! ```text
//! terminal   the master side of a pseudo-terminal
//! terminal_guard   what puts a person's terminal back that a killed process left
//! process    the program on it, as the leader of a session of its own
//! launcher   a program that carries bytes over its standard streams
//! child      what is done between fork and exec
//! limits     what a program and all that it starts may take
//! guard      what ends the sessions of a server that was killed
//! stream     a terminal or socket in the event loop
//! ready      whether a descriptor is ready now
//! socket     a connected socket in two halves
//! listener   the socket a sideband or a client connects to
//! connection a session's control socket, from both sides
//! stdio      this process's standard streams
//! keyboard   the same where somebody types
//! detach     a process that outlives whoever started it
//! running    what is asked of processes that are none of this one's own
//! signal     those that ask this process to end; masks, dispositions, names
//! groups     the session and the group of a process
//! guess      who may read the terminal, where the kernel does not tell
//! file       what may be executed
//! seatbelt   the profile of a sandbox on macOS
//! lock       locks on files
//! places     where this user's programs keep things
//! private    files and directories that are this user's alone
//! linux, macos   what POSIX does not have
//! ```
//!
//! `linux` and `macos` provide the same items: `blocked_reader`, `task`, `TaskWatch`, `Members`,
//! `session_members`, `die_with_parent`, `name_process`, `close_from`, `close_on_exec_from`,
//! `is_noexec`, `start_time`, `resident_memory`, `kill_if`, `own_program`, `Sandbox`, `Inside`,
//! `explained`, `sandbox_holds`, `Group`, `Door`, `NoGroup` and `tasks_of_user`.
#![allow(unsafe_code)]

mod child;
mod connection;
mod detach;
mod file;
mod groups;
mod guard;
mod guess;
mod keyboard;
mod launcher;
mod limits;
mod listener;
mod lock;
mod output;
mod places;
mod private;
mod process;
mod ready;
mod running;
#[cfg(any(target_os = "macos", test))]
mod seatbelt;
mod signal;
mod socket;
mod stdio;
mod stream;
mod terminal;
mod terminal_guard;
#[cfg(test)]
pub(crate) mod testing;
mod writers;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as system;

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos as system;

pub use connection::{connect, kill_listener};
pub use detach::{Detached, detach};
pub use file::{
    allows_execution, are_on_one_file_system, has_other_names, is_executable, is_writable,
};
pub use guard::guard_sessions;
pub use keyboard::{
    EditorInput, EditorTurn, TerminalInput, give_to_editor, keyboard_for_program, put_modes_back,
    set_raw_mode, show_typing, type_on_output_terminal,
};
pub use launcher::{launch, machine_name, platform_name};
pub use limits::limits_hold;
pub use listener::Listener;
pub use lock::{lock_file, try_lock_file};
pub use output::TerminalOutput;
pub use places::{NO_PAGER, TEMPORARY_VARIABLES, run_time_place, state_place};
pub use private::{
    create_private_directory, create_private_file, is_file_at, is_own_directory, keep_private,
    open_or_create_own_file, open_own_file, others_can_replace, own_directory_mode,
    private_directory_in, user_name, user_number,
};
pub use process::{Process, hang_up_child, spawn};
pub use running::{own_program, parent_identity, process_identity, resident_memory};
pub use signal::{
    Requests, asked_to_end, killed_status, signal_number, stop_group, unblock_signals,
};
pub use stdio::{reader_has_gone, stdio};
pub use stream::ByteStream;
pub use system::sandbox_holds;
pub use terminal::{PtyMaster, has_the_terminal};
pub use terminal_guard::{guard_terminal, restore_by_guard};
pub use writers::open_regular_file;
