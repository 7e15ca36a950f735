//! A program on a pseudo-console: started in a job, ended with all that is in it.

use std::{
    io,
    os::windows::io::{AsRawHandle, OwnedHandle},
    sync::{Arc, mpsc},
    time::Duration,
};

use tokio::sync::oneshot;
use windows_sys::Win32::System::Threading::GetExitCodeProcess;

use super::{
    create::{Streams, create},
    exit,
    handle::{check, is_signalled, wait},
    job::Job,
    lineage::line,
    running::{opened, parents},
    stream::ByteStream,
    terminal::{Console, PtyMaster},
};
use crate::{
    pty::{Awaits, Blocked, Program},
    reply::Exit,
    screen::Size,
};

/// How long what is left on a console has between the news that it is closed and its end.
const LEFTOVER_GRACE: Duration = Duration::from_millis(200);
/// What a terminal sends for Ctrl-C.
const INTERRUPT: &[u8] = b"\x03";

/// The first process of a job, and the worker that it launched, if that is another one. Handles are kept, so
/// that their numbers cannot come to mean other processes.
#[derive(Debug)]
pub struct Process {
    handle: Arc<OwnedHandle>,
    number: u32,
    /// The worker and those between, where the first process is a launcher that waits for it.
    launched: Vec<Launched>,
    job: Arc<Job>,
    /// `None` of one that is on no console.
    console: Option<Arc<Console>>,
    exited: oneshot::Receiver<()>,
    is_over: bool,
}

/// A process that waits for the worker, or is it.
#[derive(Debug)]
struct Launched {
    number: u32,
    /// Keeps the number from meaning another process.
    _handle: OwnedHandle,
}

/// Runs `program` on a new terminal of this size.
///
/// # Errors
/// When there is no terminal to be had, the program can't be executed, or it was to be in a sandbox.
pub fn spawn(program: &Program, size: Size) -> io::Result<(PtyMaster, Process)> {
    let terminal = PtyMaster::open(size)?;
    let job = Job::new(program.limits)?;
    let console = terminal.console().clone();
    let made = console.with(|console| create(program, &Streams::Console(console), &job));
    let (handle, number) = made.unwrap_or_else(|| Err(io::ErrorKind::BrokenPipe.into()))?;
    let process = Process::of(handle, number, job, Some(console))?;
    Ok((terminal, process))
}

impl Process {
    /// The process that was made in a job, and on a console, if it is on one.
    pub(super) fn of(
        handle: OwnedHandle,
        number: u32,
        job: Job,
        console: Option<Arc<Console>>,
    ) -> io::Result<Process> {
        let (handle, job) = (Arc::new(handle), Arc::new(job));
        let (report, exited) = oneshot::channel();
        let process = Process {
            handle: handle.clone(),
            number,
            launched: Vec::new(),
            job: job.clone(),
            console: console.clone(),
            exited,
            is_over: false,
        };
        std::thread::Builder::new().name("wait".into()).spawn(move || {
            wait(handle.as_raw_handle());
            if let Some(console) = console {
                end_console(console, &job);
            }
            let _ = report.send(());
        })?;
        Ok(process)
    }

    /// Waits for its end, and until its console has handed on what it printed, which takes somebody who
    /// reads that. Cancel safe; at once when it was seen before.
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

    /// The system's number of the process; of the worker's, where that is known to be another one.
    pub fn pid(&self) -> u32 {
        self.launched.first().map_or(self.number, |worker| worker.number)
    }

    /// The program at the other end of `stream` is the worker. The `python.exe` of a virtual environment and
    /// the launcher `py.exe` start the interpreter as a process of its own, and wait for it.
    pub fn has_worker(&mut self, stream: &ByteStream) {
        let Ok(worker) = stream.peer() else { return };
        let line = line(worker, self.number, &parents().unwrap_or_default());
        let opened = |number| Some(Launched { number, _handle: opened(number)? });
        let members = self.job.members();
        let is_own = |process: &Launched| members.contains(&process.number);
        self.launched = line.into_iter().map_while(opened).take_while(is_own).collect();
    }

    /// Whether there is a process that is neither the worker nor between that and the one that was started.
    fn has_others(&self) -> bool {
        let own = |number: &u32| {
            *number == self.number || self.launched.iter().any(|process| process.number == *number)
        };
        !self.job.members().iter().all(own)
    }

    /// That there are programs on the console which do not say themselves what they read: the system does not
    /// tell who reads a console, nor who sleeps. What they show tells whether they wait. A worker says it.
    pub fn blocked_reader(&self, _terminal: &PtyMaster, own_threads: u64) -> Option<Blocked> {
        let is_there = if own_threads > 0 { self.has_others() } else { self.job.processes() > 0 };
        is_there.then(|| Blocked {
            thread: 0,
            wakes: 0,
            program: "a program".into(),
            guessed: true,
            awaits: Awaits::Unknown,
        })
    }

    /// Nobody who reads the console can be found, so nobody needs to be looked for.
    pub fn has_other_tasks(&self, _threads: u64) -> bool {
        false
    }

    /// Closes the console, of which its programs are told: they may clean up, by default they end. One
    /// that is on none is ended.
    pub fn hang_up(&self) {
        let Some(console) = self.console.clone() else { return self.kill() };
        let _ = std::thread::Builder::new().name("console".into()).spawn(move || console.close());
    }

    /// Ends the program and everything in its job.
    pub fn kill(&self) {
        self.job.end();
    }

    /// Types Ctrl-C at its terminal: the console interrupts the programs on it, or gives them the key where
    /// they take that themselves. A console takes all that is typed: what is under way is no obstacle for long.
    pub fn interrupt_foreground(&self, terminal: &PtyMaster) {
        terminal.io().write_soon(INTERRUPT);
    }

    /// How it went; [`Exit::Unknown`] before its end.
    pub fn exit(&self) -> Exit {
        let handle = self.handle.as_raw_handle();
        let mut status = 0;
        // SAFETY: the handle is open; `status` takes what is written.
        let told = unsafe { check(GetExitCodeProcess(handle, &mut status)) };
        match is_signalled(handle) && told.is_ok() {
            true => exit::exit(status),
            false => Exit::Unknown,
        }
    }

    /// Ends what is left in the job of a process that is gone. Those on its console were told already.
    pub async fn end_leftovers(self) {
        self.job.end();
    }
}

impl Drop for Process {
    /// Nothing of the job stays, whatever way the engine ended.
    fn drop(&mut self) {
        self.kill();
    }
}

/// The first program of a console has ended: what others print that are told of its end is handed on, and
/// those that do not end by themselves are ended.
fn end_console(console: Arc<Console>, job: &Job) {
    let (done, is_done) = mpsc::channel::<()>();
    let closing = std::thread::Builder::new().name("console".into()).spawn(move || {
        console.close();
        drop(done);
    });
    let Ok(closing) = closing else { return job.end() };
    if job.processes() > 0 {
        // It returns at once when the console is closed.
        let _ = is_done.recv_timeout(LEFTOVER_GRACE);
        job.end();
    }
    let _ = closing.join();
}

/// Does nothing: jobs end with this process, also when it is killed (`JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE`).
pub fn guard_sessions() {}

/// Does nothing: a program that this process's console was lent to is told by that.
pub fn hang_up_child(_child: u32) {}

#[cfg(test)]
mod tests;
