//! The platform door: the one place that names what an operating system has.
//!
//! A program on a pseudo-terminal, its end, and what is left of it; and what the server itself
//! needs of its system: a listener, its standard streams, a look at a file. Everything above
//! speaks of a [`PtyMaster`], a [`Process`] and a [`ByteStream`], and knows no descriptor, signal
//! number or process table. A test holds the rest of `src` to it.
//!
//! How a process went ([`Exit`](crate::reply::Exit)), how large a terminal is
//! ([`Size`](crate::screen::Size)) and what it makes of marks ([`Marks`](crate::screen::Marks)) are words of
//! the pure core, which imports nothing from here.
//!
//! This file picks the platform's folder, `unix/` or `windows/`, and holds what both share. A folder
//! provides, with the documentation that `unix/` has:
//!
//! | item | what it is |
//! | --- | --- |
//! | `spawn(&Program, Size) -> io::Result<(PtyMaster, Process)>` | runs a program on a new terminal |
//! | `launch(&Program) -> io::Result<Carrier>` | runs a program that carries bytes over its standard streams |
//! | `PtyMaster` | `io`, `modes`, `marks`, `size`, `resize`, `holds_input`, `drop_input` |
//! | `Process` | `ended`, `is_over`, `exit`, `pid`, `has_worker`; `interrupt`, `interrupt_foreground`, `hang_up`, `kill`, `end_leftovers`; `blocked_reader`, `has_other_tasks` |
//! | `ByteStream` | `readable`, `try_read`, `writable`, `try_write`, `has_lost_writes` |
//! | `Listener` | `bind`, `accept`, `accept_halves`: where a worker's sideband or a client connects |
//! | `connect`, `kill_listener` | the other side of a session's socket, and the end of who listens there |
//! | `detach() -> io::Result<Detached>` | goes on as a process that outlives whoever started it |
//! | `process_identity`, `parent_identity`, `resident_memory` | what is asked of other processes |
//! | `sandbox_holds() -> Vec<Holds>` | what this system can hold of a program's rules |
//! | `limits_hold() -> Vec<Holds>` | the same of its limits |
//! | `own_program` | the file of this process's program |
//! | `stdio() -> io::Result<(StdinStream, StdoutStream)>` | this process's standard input and output |
//! | `reader_has_gone() -> impl Future` | that nobody reads this process's standard output any more |
//! | `TerminalInput`, `set_raw_mode`, `put_modes_back`, `show_typing` | what is typed on the terminal that this process is on, and how that treats it |
//! | `type_on_output_terminal` | has that be the terminal of standard output, where standard input is none |
//! | `TerminalOutput` | what is printed on it |
//! | `keyboard_for_program` | its keyboard for a program that has the terminal for a while |
//! | `EditorInput`, `give_to_editor` | what a line editor in this process reads in its place |
//! | `EditorTurn` | when it reads there |
//! | `guard_sessions` | has no session outlive this process, also when it is killed |
//! | `guard_terminal`, `restore_by_guard` | puts this process's terminal back, also when it is killed |
//! | `hang_up_child` | hangs up a program that it was lent to |
//! | `stop_group` | stops this process until it is continued, as job control has it |
//! | `asked_to_end`, `Requests`, `unblock_signals` | how others ask this process to stop or end |
//! | `has_the_terminal` | whether what is typed there is for this process |
//! | `killed_status`, `signal_number` | a killed program's exit status as a shell has it, and what it is made of |
//! | `platform_name` | the system and its processors, as `uname -sm` has them |
//! | `machine_name` | the name of this machine, as `uname -n` has it |
//! | `is_executable`, `allows_execution`, `is_writable`, `has_other_names`, `are_on_one_file_system` | what may be run, and written |
//! | `private_directory_in`, `create_private_directory`, `create_private_file` | what others can't enter or read |
//! | `keep_private`, `open_own_file`, `is_own_directory`, `others_can_replace` | whether it still is so |
//! | `open_or_create_own_file`, `own_directory_mode`, `is_file_at`, `user_number`, `user_name` | whose it is |
//! | `run_time_place`, `state_place`, `TEMPORARY_VARIABLES` | where this user's programs keep what is theirs |
//! | `NO_PAGER` | what shows a file in the place of a pager |
//! | `lock_file`, `try_lock_file` | a lock on a file, which keeps nobody from reading it ([`Lock`]) |
//! | `open_regular_file` | a file that anybody may have put there, and who may write it ([`Writers`]) |

#[cfg(unix)]
mod unix;
// What is pure in it is tested everywhere.
#[cfg(any(windows, test))]
mod windows;

#[cfg(unix)]
use unix as platform;
#[cfg(windows)]
use windows as platform;

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
compile_error!("no platform folder for this target: src/pty/mod.rs says what one provides");

use std::{ffi::OsString, path::PathBuf};

use tokio::io::{AsyncRead, AsyncWrite};

use crate::sandbox::Rules;

#[cfg(test)]
pub(crate) use platform::testing;
pub use platform::{
    ByteStream, Detached, EditorInput, EditorTurn, Listener, NO_PAGER, Process, PtyMaster,
    Requests, TEMPORARY_VARIABLES, TerminalInput, TerminalOutput, allows_execution,
    are_on_one_file_system, asked_to_end, connect, create_private_directory, create_private_file,
    detach, give_to_editor, guard_sessions, guard_terminal, hang_up_child, has_other_names,
    has_the_terminal, is_executable, is_file_at, is_own_directory, is_writable, keep_private,
    keyboard_for_program, kill_listener, killed_status, launch, limits_hold, lock_file,
    machine_name, open_or_create_own_file, open_own_file, open_regular_file, others_can_replace,
    own_directory_mode, own_program, parent_identity, platform_name, private_directory_in,
    process_identity, put_modes_back, reader_has_gone, resident_memory, restore_by_guard,
    run_time_place, sandbox_holds, set_raw_mode, show_typing, signal_number, spawn, state_place,
    stdio, stop_group, try_lock_file, type_on_output_terminal, unblock_signals, user_name,
    user_number,
};

/// A program to be run.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Its file; looked up on `PATH` when it is a bare name.
    pub file: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its working directory; `None` for this process's own.
    pub directory: Option<PathBuf>,
    /// Changes to this process's environment: a value, or `None` to leave the name out.
    pub environment: Vec<(OsString, Option<OsString>)>,
    /// The name of a variable by which the program is told the number of a descriptor of the
    /// terminal's master side, which it inherits then.
    pub master_variable: Option<&'static str>,
    /// What it may reach; `None` for all that this process can.
    pub sandbox: Option<Rules>,
    /// How much it and all that it starts may take.
    pub limits: Limits,
}

/// How much a program and all that it starts may take, beyond this process's own limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Memory, in bytes: all together, where the system can hold that, and else each process.
    pub memory: Option<u64>,
    /// Processes, their threads included.
    pub processes: Option<u32>,
}

/// How a terminal treats what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modes {
    /// A reader gets whole lines (POSIX: `ICANON`).
    pub canonical: bool,
    /// What is typed is shown (`ECHO`).
    pub echo: bool,
    /// Ctrl-C interrupts (`ISIG`).
    pub signals: bool,
}

/// A thread that waits for somebody to type, or may do so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The kernel's number of the thread; 0 where nobody tells who there is.
    pub thread: u32,
    /// A count that grows when the thread wakes: equal twice, it slept between.
    pub wakes: u64,
    /// The name of its program.
    pub program: String,
    /// Whether that it waits is a guess: it is another user's, so the kernel tells only that it
    /// sleeps.
    pub guessed: bool,
    /// What its program goes on for.
    pub awaits: Awaits,
}

/// What a program goes on for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaits {
    /// Somebody who types, and nothing else.
    Terminal,
    /// Nobody tells: it sleeps, and has the terminal.
    Unknown,
    /// The terminal and something else: other descriptors are in the same set, or the thread is
    /// not the first one of its process, or the terminal gives single keys and the thread is not
    /// the only one that runs or waits for descriptors.
    TerminalAndOthers {
        /// Whether it has children and no descendant waits for any terminal.
        children_work: bool,
    },
    /// Something else: nobody is found reading a terminal that gives single keys, and the one
    /// program of the foreground sleeps. The one that reads may be no descendant, as the server
    /// of tmux. Only what is on the screen can tell.
    Others,
}

/// Who else than this user may write a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// Nobody but the administrator.
    OnlyUser,
    /// Its owner, another user, by their number.
    Owner(u32),
    /// A group of users.
    Group,
    /// Everybody.
    Anybody,
}

/// Who else may hold a lock on a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Nobody.
    Exclusive,
    /// All who hold this one, too.
    Shared,
}

/// What somebody asks of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// To stop what it does: Ctrl-C.
    Interrupt,
    /// To look at the size of its terminal.
    Resize,
    /// To go on after it was stopped: others may have used its terminal meanwhile.
    Continue,
    /// To stop until it is continued; of one that has said that it does so itself.
    Stop,
    /// To end.
    End {
        /// The name of the signal that asks for it.
        signal: &'static str,
    },
}

/// Why a process stops until it is continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopping {
    /// Somebody wants it to.
    Asked,
    /// It was continued in the background, and needs the terminal.
    InBackground,
}

/// A stream to read.
pub type StdinStream = Box<dyn AsyncRead + Send + Unpin>;

/// A stream to write.
pub type StdoutStream = Box<dyn AsyncWrite + Send + Unpin>;

/// A program that carries bytes over its standard streams.
pub struct Carrier {
    /// Its process. Dropped, all of its session ends.
    pub process: Process,
    /// What it reads. Dropped, the program sees its end.
    pub input: StdoutStream,
    /// What it writes.
    pub output: StdinStream,
    /// What it writes to standard error.
    pub errors: StdinStream,
}

#[cfg(test)]
mod tests;
