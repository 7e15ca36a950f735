//! A program on a terminal: started as a session of its own, ended with all that is in it.

use std::{
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::process::CommandExt,
    },
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::{
    io::Errno,
    process::{
        Pid, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process, kill_process_group, waitid,
        waitpid,
    },
};
use tokio::sync::oneshot;

use super::{
    child, guard,
    limits::Held,
    signal,
    stream::ByteStream,
    system::{self, Inside, Sandbox, TaskWatch},
    terminal::PtyMaster,
};
use crate::{
    pty::{Blocked, Program},
    reply::Exit,
    screen::Size,
};

/// How long what is left of a session has between the hang-up and its end.
const LEFTOVER_GRACE: Duration = Duration::from_millis(200);

/// The leader of a terminal's session. Reaped only when dropped, so that its number cannot
/// come to mean another process before.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pid: Pid,
    exited: oneshot::Receiver<()>,
    is_over: bool,
    leftovers_ended: bool,
    tasks: Option<TaskWatch>,
    held: Held,
}

/// Whom to look for that reads the terminal.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(target_os = "macos", expect(dead_code, reason = "macOS has nobody to ask"))]
pub(super) struct Search {
    /// The leader of the terminal's session.
    pub(super) leader: Pid,
    /// How many threads the leader has by itself; 0 when it is a program like its descendants.
    pub(super) own_threads: u64,
    /// The terminal's foreground group.
    pub(super) foreground: Pid,
    /// The terminal's device number.
    pub(super) device: u64,
    /// Whether it gives single keys.
    pub(super) gives_keys: bool,
    /// Whether it shows what is typed.
    pub(super) shows_typing: bool,
}

/// Runs `program` on a new terminal of this size, as the leader of a session of its own with
/// all signals at their defaults.
///
/// # Errors
/// When there is no terminal to be had, the program can't be executed, or its sandbox or its limits can't be made.
pub fn spawn(program: &Program, size: Size) -> io::Result<(PtyMaster, Process)> {
    let held = Held::of(program.limits)?;
    if !held.has_group() {
        return start(program, size, held);
    }
    start(program, size, held).or_else(|error| {
        // The kernel may refuse to have it join the group, too.
        let held = Held::of_each(program.limits).map_err(|_| error)?;
        start(program, size, held)
    })
}

fn start(program: &Program, size: Size, held: Held) -> io::Result<(PtyMaster, Process)> {
    let (terminal, slave) = PtyMaster::open(size)?;
    let prepared = program.sandbox.as_ref().map(Sandbox::prepare).transpose()?;
    let (sandbox, inside) = prepared.unzip();
    let mut command = match &sandbox {
        Some(sandbox) => sandbox.command(&program.file),
        None => Command::new(&program.file),
    };
    command.args(&program.arguments);
    for (name, value) in &program.environment {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(directory) = &program.directory {
        command.current_dir(directory);
    }
    let mut inherited = None;
    if let Some(name) = program.master_variable {
        let master = terminal.duplicate()?;
        command.env(name, master.as_raw_fd().to_string());
        inherited = Some(master);
    }
    command.stdin(stdio(&slave)?).stdout(stdio(&slave)?).stderr(stdio(&slave)?);
    let entrance = held.entrance()?;
    // SAFETY: the closure runs between fork and exec and makes only async-signal-safe calls.
    unsafe {
        command.pre_exec(move || {
            child::lead_session(inherited.as_ref())?;
            entrance.enter()?;
            inside.as_ref().map_or(Ok(()), Inside::enter)
        });
    }
    let child = command.spawn();
    let child = if sandbox.is_some() { child.map_err(system::explained)? } else { child? };
    let mut process = Process::of(child, TaskWatch::of)?;
    process.held = held;
    if let Some(sandbox) = sandbox {
        sandbox.started()?;
    }
    Ok((terminal, process))
}

fn stdio(slave: &OwnedFd) -> io::Result<Stdio> {
    Ok(slave.try_clone()?.into())
}

impl Process {
    /// The process of a child that leads a session. Whether it has more than itself is asked of what
    /// `tasks` gives.
    pub(super) fn of(child: Child, tasks: fn(Pid) -> Option<TaskWatch>) -> io::Result<Process> {
        let pid = Pid::from_child(&child);
        guard::started(pid);
        let (report, exited) = oneshot::channel();
        let process = Process {
            child,
            pid,
            exited,
            is_over: false,
            leftovers_ended: false,
            tasks: tasks(pid),
            held: Held::default(),
        };
        std::thread::Builder::new().name("wait".into()).spawn(move || {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(pid), options), Err(Errno::INTR)) {}
            let _ = report.send(());
        })?;
        Ok(process)
    }

    /// Waits for its end, which is not reaped yet. Cancel safe; at once when it was seen before.
    pub async fn ended(&mut self) {
        if !self.is_over {
            let _ = (&mut self.exited).await;
            self.is_over = true;
        }
    }

    /// Whether its end was seen by [`Process::ended`].
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// The kernel's number of the process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Does nothing: the program at the other end of `stream`, the worker, is the process, or the kernel tells
    /// what it reads.
    pub fn has_worker(&mut self, _stream: &ByteStream) {}

    /// The thread of the foreground group that waits for somebody to type, or may do so, if
    /// there is one and the kernel tells.
    /// The program has `own_threads` threads by itself, its first one among them; 0 when all of its
    /// threads are looked at as those of its descendants.
    pub fn blocked_reader(&self, terminal: &PtyMaster, own_threads: u64) -> Option<Blocked> {
        let modes = terminal.modes()?;
        system::blocked_reader(Search {
            leader: self.pid,
            own_threads,
            foreground: terminal.foreground()?,
            device: terminal.device(),
            gives_keys: !modes.canonical,
            shows_typing: modes.echo,
        })
    }

    /// Whether it has other threads or children than by itself: more threads than `threads`, or
    /// a child of the first one. Cheap enough to be asked before every cell.
    pub fn has_other_tasks(&self, threads: u64) -> bool {
        self.tasks.as_ref().is_some_and(|tasks| tasks.has_more_than(threads))
    }

    /// Hangs up: the program may clean up, by default it ends.
    pub fn hang_up(&self) {
        // A stopped process gets the signal only when it goes on.
        let _ = kill_process(self.pid, Signal::HUP);
        let _ = kill_process(self.pid, Signal::CONT);
    }

    /// Kills the program and everything in its session.
    pub fn kill(&self) {
        let _ = kill_process(self.pid, Signal::KILL);
        self.signal_leftovers(Signal::KILL);
    }

    /// Interrupts the foreground of its terminal, as the kernel does for Ctrl-C.
    pub fn interrupt_foreground(&self, terminal: &PtyMaster) {
        if let Some(foreground) = terminal.foreground() {
            let _ = kill_process_group(foreground, Signal::INT);
        }
    }

    /// Interrupts the program, as Ctrl-C does.
    pub fn interrupt(&self) {
        let _ = kill_process(self.pid, Signal::INT);
    }

    /// How it went, without reaping it; [`Exit::Unknown`] before its end.
    pub fn exit(&self) -> Exit {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        match waitid(WaitId::Pid(self.pid), options) {
            Ok(Some(status)) => match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => Exit::Status(code),
                (None, Some(number)) => match self.held.memory_that_ran_out() {
                    Some(most) if number == Signal::KILL.as_raw() => Exit::OutOfMemory { most },
                    _ => Exit::Signal(signal::name(number)),
                },
                (None, None) => Exit::Unknown,
            },
            _ => Exit::Unknown,
        }
    }

    /// Ends what is left in the session of a leader that is gone: hang-up, then kill.
    pub async fn end_leftovers(mut self) {
        if !system::session_members(self.pid).is_empty() {
            self.signal_leftovers(Signal::HUP);
            self.signal_leftovers(Signal::CONT);
            tokio::time::sleep(LEFTOVER_GRACE).await;
            self.signal_leftovers(Signal::KILL);
        }
        self.leftovers_ended = true;
    }

    fn signal_leftovers(&self, signal: Signal) {
        for member in system::session_members(self.pid) {
            let _ = kill_process(member, signal);
        }
    }
}

impl Drop for Process {
    /// Nothing of the session stays, whatever way the engine ended.
    fn drop(&mut self) {
        if !self.leftovers_ended {
            self.kill();
        }
        guard::ended(self.pid);
        let is_reaped = matches!(self.child.try_wait(), Ok(Some(_)));
        let held = std::mem::take(&mut self.held);
        if !is_reaped || held.has_group() {
            // A process in an uninterruptible wait outlives even its kill for a while.
            let pid = self.pid;
            std::thread::spawn(move || {
                if !is_reaped {
                    let _ = waitpid(Some(pid), WaitOptions::empty());
                }
                held.remove();
            });
        }
    }
}

/// Hangs up a child of this process by its number, which has not been waited for.
pub fn hang_up_child(child: u32) {
    if let Some(pid) = i32::try_from(child).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::HUP);
        let _ = kill_process(pid, Signal::CONT);
    }
}
