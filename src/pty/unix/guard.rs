//! The guard: a small process beside the server's, which ends the sessions of a server that was
//! killed. Only what is outside of a session can end all of it: a program that stops itself over and
//! over takes no signal but SIGKILL.

use std::{
    fs::File,
    io::{self, Read, Write},
    sync::OnceLock,
    thread,
    time::Duration,
};

use rustix::{
    process::{Pid, setsid},
    stdio::{dup2_stderr, dup2_stdin, dup2_stdout},
};

use super::{
    signal,
    system::{self, Members},
};

/// How long a session has to end by itself: longer than its own leader takes that sees the server's
/// end (`GRACE` in python/src/system/unix/processes.rs).
const GRACE: Duration = Duration::from_millis(500);

/// Where the guard is told of sessions: it reads the number of a leader, negative for one that
/// ended. Its end is the server's.
static ORDERS: OnceLock<io::PipeWriter> = OnceLock::new();

/// Starts the guard: from here on no session of this process outlives it, also when it is killed.
/// Where that can't be done, a session's own leader has to see to it.
///
/// To be called before any thread is started: what is forked then may do anything. A process that
/// is not forked would take the time to be loaded, and would need a file that may be gone.
pub fn guard_sessions() {
    let Ok((orders, writer)) = io::pipe() else { return };
    // SAFETY: no other thread exists that could hold a lock in the child.
    match unsafe { libc::fork() } {
        0 => {
            drop(writer);
            let _ = guard(orders);
            // SAFETY: _exit ends the process without running anything of the server's.
            unsafe { libc::_exit(0) }
        }
        1.. => {
            // Full, it would be the guard that is stopped: a session starts all the same.
            let _ = rustix::io::ioctl_fionbio(&writer, true);
            let _ = ORDERS.set(writer);
        }
        _ => {}
    }
}

/// Says that a process leads a session of this process's.
pub(super) fn started(leader: Pid) {
    order(leader.as_raw_pid());
}

/// Says that nothing is left of a session. To be called before its leader is reaped, whose number
/// may mean another process then.
pub(super) fn ended(leader: Pid) {
    order(-leader.as_raw_pid());
}

fn order(number: i32) {
    if let Some(mut orders) = ORDERS.get() {
        // Without a guard nothing can be done about it.
        let _ = orders.write_all(&number.to_ne_bytes());
    }
}

/// Waits for the server's end, and ends what it left.
fn guard(orders: io::PipeReader) -> io::Result<()> {
    // What is sent to the server's group, or to all of its name, is not for the guard.
    setsid()?;
    system::name_process(c"session-guard");
    signal::ignore_all();
    // It holds nothing of the server's: nothing that a client reads to its end, no directory.
    dup2_stdin(&orders)?;
    drop(orders);
    let null = File::options().read(true).write(true).open("/dev/null")?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    drop(null);
    system::close_from(3);
    let _ = std::env::set_current_dir("/");
    let sessions: Vec<Members> = left_sessions().into_iter().map(Members::of).collect();
    if !sessions.is_empty() {
        thread::sleep(GRACE);
        sessions.iter().for_each(Members::kill);
    }
    Ok(())
}

/// The leaders of the sessions there are when the server ends.
fn left_sessions() -> Vec<Pid> {
    let mut orders = io::stdin().lock();
    let mut leaders = Vec::new();
    let mut number = [0; 4];
    while orders.read_exact(&mut number).is_ok() {
        let number = i32::from_ne_bytes(number);
        let Some(leader) = Pid::from_raw(number.abs()) else { continue };
        leaders.retain(|&known| known != leader);
        if number > 0 {
            leaders.push(leader);
        }
    }
    leaders
}
