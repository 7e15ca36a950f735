//! Windows: pseudo-consoles, job objects, named pipes and access control lists.
//!
//! ```text
//! terminal   a pseudo-console (ConPTY) and the pipes to it
//! process    the program on it, in a job that ends with this process
//! create     how a process is made: console or pipes, job, environment
//! job        the job object
//! launcher   a program that carries bytes over its standard streams
//! stream     a pipe in the event loop
//! pipe       named pipes that are this user's alone
//! halves     a connected pipe as two streams
//! listener   where a sideband or a client connects
//! stdio      this process's standard streams
//! keyboard   the console that this process is on, as where somebody types
//! keys       keys as the bytes of a terminal
//! editor     what a line editor reads in the keyboard's place
//! records    the bytes of a terminal as events of a console
//! output     what is printed there
//! request    what asks this process to stop or end
//! running    what is asked of other processes
//! detach     a process that outlives whoever started it
//! places     where this user's programs keep things
//! private    files and directories that are this user's alone
//! lock       locks on files, which others read
//! file       what may be executed and written, and who else may write
//! security   this user, owners and lists
//! handle     handles, errors and texts as the system has them
//! ```
//!
//! Some are pure and tested everywhere: `command_line` (arguments, environment), `plain` (paths), `acl` (what a
//! list of access rights says), `keys`, `records`, `lineage` (who started whom) and `exit` (what an exit status says).
//!
//! What is weaker than on Unix: nobody tells who reads the console, but only that there is somebody; nor its
//! modes, nor what was typed and not read; there are no signals and no job control. docs/architecture.md says
//! what follows from it.
#![allow(unsafe_code)]

mod acl;
mod command_line;
mod exit;
mod keys;
mod lineage;
mod plain;
mod records;

#[cfg(windows)]
mod create;
#[cfg(windows)]
mod detach;
#[cfg(windows)]
mod editor;
#[cfg(windows)]
mod file;
#[cfg(windows)]
mod halves;
#[cfg(windows)]
mod handle;
#[cfg(windows)]
mod job;
#[cfg(windows)]
mod keyboard;
#[cfg(windows)]
mod launcher;
#[cfg(windows)]
mod listener;
#[cfg(windows)]
mod lock;
#[cfg(windows)]
mod output;
#[cfg(windows)]
mod pipe;
#[cfg(windows)]
mod places;
#[cfg(windows)]
mod private;
#[cfg(windows)]
mod process;
#[cfg(windows)]
mod request;
#[cfg(windows)]
mod running;
#[cfg(windows)]
mod security;
#[cfg(windows)]
mod stdio;
#[cfg(windows)]
mod stream;
#[cfg(windows)]
mod terminal;
#[cfg(all(windows, test))]
pub(crate) mod testing;

#[cfg(windows)]
pub use self::{
    detach::{Detached, detach},
    editor::{EditorInput, EditorTurn, give_to_editor},
    file::{
        allows_execution, are_on_one_file_system, has_other_names, is_executable, is_writable,
        open_regular_file, sandbox_holds,
    },
    job::limits_hold,
    keyboard::{
        TerminalInput, has_the_terminal, keyboard_for_program, put_modes_back, set_raw_mode,
        show_typing, type_on_output_terminal,
    },
    launcher::{launch, machine_name, platform_name},
    listener::{Listener, connect, kill_listener},
    lock::{lock_file, try_lock_file},
    output::{TerminalOutput, guard_terminal, restore_by_guard},
    places::{NO_PAGER, TEMPORARY_VARIABLES, run_time_place, state_place},
    private::{
        create_private_directory, create_private_file, is_file_at, is_own_directory, keep_private,
        open_or_create_own_file, open_own_file, others_can_replace, own_directory_mode,
        private_directory_in, user_number,
    },
    process::{Process, guard_sessions, hang_up_child, spawn},
    request::{Requests, asked_to_end, killed_status, signal_number, stop_group, unblock_signals},
    running::{own_program, parent_identity, process_identity, resident_memory},
    security::user_name,
    stdio::{reader_has_gone, stdio},
    stream::ByteStream,
    terminal::PtyMaster,
};
