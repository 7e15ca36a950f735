//! The terminal's guard: a small process beside one that uses a person's terminal, which puts that back
//! when the other was killed: a process that is killed can't do so itself.

use std::{
    io::{self, Read, Write},
    sync::OnceLock,
};

use rustix::{
    process::{Pid, getpgrp, getppid, setpgid},
    stdio::{dup2_stderr, dup2_stdin, stdout},
    termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr},
};

use super::{groups::group_of, keyboard::keyboard, signal, system};

/// The longest sequences that are told; longer ones are no terminal's modes, and what is written at
/// once is not parted (POSIX: `PIPE_BUF` is 512 at least, 4096 on Linux).
const LONGEST: usize = 500;

/// Where the guard is told what to write at the end. Its end is this process's.
static ORDERS: OnceLock<io::PipeWriter> = OnceLock::new();

/// Starts the guard of the terminal that this process is on, which is as it was found: when this
/// process ends with the terminal in raw mode, or otherwise than it said last (`restore_by_guard`), the
/// guard puts it back, unless others use it by then.
///
/// To be called before any thread is started: what is forked then may do anything. Where the guard
/// can't be started the terminal stays as a killed process left it.
pub fn guard_terminal() {
    let found = keyboard().and_then(|keyboard| Ok(tcgetattr(keyboard)?));
    let (Ok((orders, writer)), Ok(found)) = (io::pipe(), found) else { return };
    let users = Users { own: getpgrp(), parents: getppid().and_then(group_of) };
    // SAFETY: no other thread exists that could hold a lock in the child.
    match unsafe { libc::fork() } {
        0 => {
            drop(writer);
            let _ = guard(orders, &found, &users);
            // SAFETY: _exit ends the process without running anything that was its parent's.
            unsafe { libc::_exit(0) }
        }
        guard @ 1.. => {
            // It does so itself, too, but this process may be killed before that, and the kernel then
            // ends all of its group (POSIX: SIGHUP).
            let _ = setpgid(Pid::from_raw(guard), None);
            // A guard that does not read must not stop anybody.
            let _ = rustix::io::ioctl_fionbio(&writer, true);
            let _ = ORDERS.set(writer);
        }
        _ => {}
    }
}

/// Has the guard write these sequences if this process ends before it says otherwise; nothing, if the
/// terminal is as it was found. Those that are too long are not told.
pub fn restore_by_guard(sequences: &[u8]) {
    if let Some(mut orders) = ORDERS.get()
        && sequences.len() <= LONGEST
    {
        let length = u16::try_from(sequences.len()).unwrap_or_default();
        let order = [&length.to_ne_bytes(), sequences].concat();
        // Without a guard nothing can be done about it.
        let _ = orders.write_all(&order);
    }
}

/// The process groups that the terminal may be put back for.
struct Users {
    /// That of the process that is guarded.
    own: Pid,
    /// That of who started it, a shell say, which may have the terminal again already.
    parents: Option<Pid>,
}

/// Waits for the other's end, and puts the terminal back that it left.
fn guard(orders: io::PipeReader, found: &Termios, users: &Users) -> io::Result<()> {
    // What ends the other's group is not for the guard, which stays on the terminal. In the background
    // it may use that all the same, since it ignores SIGTTOU.
    setpgid(None, None)?;
    system::name_process(c"terminal-guard");
    signal::ignore_all();
    // It holds nothing but the terminal and its orders.
    dup2_stdin(&orders)?;
    drop(orders);
    dup2_stderr(stdout())?;
    system::close_from(3);
    let _ = std::env::set_current_dir("/");
    let sequences = last_orders();
    let mut raw = found.clone();
    raw.make_raw();
    let is_raw = tcgetattr(stdout()).is_ok_and(|now| is_same(&now, &raw));
    // None where a terminal lost its session with the process that was guarded and led that.
    let foreground = tcgetpgrp(stdout()).ok().filter(|&foreground| foreground != users.own);
    let is_others = foreground.is_some() && foreground != users.parents;
    if is_others || (sequences.is_empty() && !is_raw) {
        return Ok(());
    }
    if is_raw {
        tcsetattr(stdout(), OptionalActions::Now, found)?;
    }
    let mut out = io::stdout().lock();
    out.write_all(&sequences)?;
    if foreground.is_none() {
        out.write_all(b"\r\n")?;
    }
    out.flush()
}

/// What was said last when the other has ended.
fn last_orders() -> Vec<u8> {
    let mut orders = io::stdin().lock();
    let (mut last, mut length) = (Vec::new(), [0; 2]);
    while orders.read_exact(&mut length).is_ok() {
        let mut sequences = vec![0; usize::from(u16::from_ne_bytes(length))];
        if orders.read_exact(&mut sequences).is_err() {
            break;
        }
        last = sequences;
    }
    last
}

/// Whether a terminal treats what is typed and printed alike.
fn is_same(one: &Termios, other: &Termios) -> bool {
    let modes = |termios: &Termios| {
        (termios.input_modes, termios.output_modes, termios.control_modes, termios.local_modes)
    };
    modes(one) == modes(other)
}
