//! The engine: the one loop that waits for what happens, gives it to the pipeline, and performs
//! what comes out.

mod commands;
mod complete;
mod explanations;
mod perform;
mod wait;

use std::{
    collections::HashMap,
    io,
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use mcp_repl_sideband::PictureLimit;
use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinHandle, JoinSet},
};

use complete::Completions;
use explanations::Explanations;

use super::{
    attachments::AttachmentFiles,
    client::{Answer, EngineCommand, Handle, OnDrop},
    launch::{Resolved, RuntimeDirectory, SessionDirectory, Surroundings, Target},
    output_disk::OutputDisk,
    pipeline::{Input, Pipeline},
    recording::{Hidden, Recorder, RecordingFile},
    rules::state::{CallId, ClientId, Paging, Time},
    show::Shows,
    sideband::{Arrival, Readable},
    spill::Spill,
    subscribers::Subscribers,
    worker::{MOST_HELD, Worker},
};
use wait::Woken;

use crate::{
    pty,
    reply::{BUDGET, Budget, Failure, Notice, Reply},
    screen::Size,
};

/// How often a waiting call's client hears of its progress, at most.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);
/// How much may wait to be typed before who types has to wait, in bytes.
const MOST_TO_BE_TYPED: usize = 64 * 1024;
/// The most that is read of the terminal before other events get their turn, in bytes.
const MOST_AT_ONCE: usize = 256 * 1024;
/// How often what is there is taken, before it is said that it did not come in time.
const MOST_ROUNDS: u32 = 16;

/// What a session runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// The program.
    pub target: Target,
    /// Where its files are.
    pub runtime: RuntimeDirectory,
    /// Where it runs, and what it finds in its environment.
    pub surroundings: Surroundings,
    /// What is done about pagers.
    pub paging: Paging,
    /// The terminal's size.
    pub size: Size,
    /// Whether it keeps that, whoever types.
    pub is_size_pinned: bool,
    /// What a reply has room for; longer texts go to a file.
    pub budget: Budget,
    /// What is done with pictures and documents.
    pub attachments: Attachments,
    /// The room for the files of both.
    pub output_disk: OutputDisk,
    /// The file that all that happens is recorded in.
    pub recording: Option<RecordingFile>,
}

impl Config {
    /// This program, with pagers read through, replies as an agent's, and all else by default.
    pub fn new(target: Target, runtime: RuntimeDirectory) -> Config {
        Config {
            target,
            runtime,
            surroundings: Surroundings::default(),
            paging: Paging::Through,
            size: Size::default(),
            is_size_pinned: false,
            budget: BUDGET.into(),
            attachments: Attachments::AsTheyCome,
            output_disk: OutputDisk::default(),
            recording: None,
        }
    }
}

/// What a session does with the pictures and documents of its programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attachments {
    /// Keeps each in a file in its directory. Those pictures that a reply has room for are shown no
    /// larger than this, which the worker is told, too.
    Kept(PictureLimit),
    /// Hands them on as they come, as large as the program makes them.
    AsTheyCome,
}

impl Attachments {
    /// How large the worker's pictures may be.
    fn picture_limit(self) -> PictureLimit {
        match self {
            Attachments::Kept(limit) => limit,
            // A worker that is told nothing has a limit of its own.
            Attachments::AsTheyCome => PictureLimit { edge: u32::MAX, area: u32::MAX },
        }
    }
}

/// Starts a session's first worker and its engine, a task of the running event loop. Gives a
/// handle on the session; the task ends after [`Handle::shutdown`], when all is cleaned up.
///
/// # Errors
/// When the session's directory can't be made, or the file of its recording. A worker that does not start is reported by the
/// calls.
pub fn start(config: Config) -> io::Result<(Handle, JoinHandle<()>)> {
    let directory = config.runtime.session()?;
    let (handle, commands) = Handle::new();
    let mut observer = Subscribers::new(handle.downgrade());
    if let Some(recording) = &config.recording {
        let Config { size, paging, budget, .. } = config;
        observer.recorder = Some(Recorder::new(recording, size, paging, budget)?);
    }
    let engine = Engine {
        pipeline: Pipeline::new(config.paging, config.size, config.budget, observer)
            .on_machine(pty::machine_name()),
        directory,
        commands: handle.downgrade(),
        callers: HashMap::new(),
        completions: Completions::default(),
        explanations: Explanations::default(),
        worker: None,
        resolved: None,
        deferred: None,
        sweeps: JoinSet::new(),
        answering: Vec::new(),
        held: Vec::new(),
        spills: HashMap::new(),
        last_outputs: HashMap::new(),
        shows: Shows::default(),
        spilled: Arc::default(),
        attachments: AttachmentFiles::new(config.output_disk.clone()),
        calls: 0,
        progress_due: None,
        typing: Vec::new(),
        is_closing: false,
        buffer: vec![0; 64 * 1024],
        began: Instant::now(),
        now: Time::ZERO,
        config,
    };
    Ok((handle, tokio::spawn(engine.run(commands))))
}

#[derive(Debug)]
struct Engine {
    config: Config,
    directory: SessionDirectory,
    pipeline: Pipeline<Subscribers>,
    /// Texts too long for the next reply, by their client.
    spills: HashMap<ClientId, Spill>,
    /// The files of the last such texts, by their client.
    last_outputs: HashMap<ClientId, PathBuf>,
    shows: Shows,
    /// How many files of such texts there are.
    spilled: Arc<AtomicU64>,
    attachments: AttachmentFiles,
    callers: HashMap<CallId, Caller>,
    completions: Completions,
    explanations: Explanations,
    /// By which replies come back that did not reach their client.
    commands: mpsc::WeakUnboundedSender<EngineCommand>,
    worker: Option<Worker>,
    /// What was found to be run as the worker, and what may be taken in its place.
    resolved: Option<Resolved>,
    /// A call that came while the worker had written a mark and its message was on the way: it
    /// is routed by the state that makes.
    deferred: Option<EngineCommand>,
    /// Workers that ended, while what is left of them is; and replies, while their files are
    /// written and their pictures made ready.
    sweeps: JoinSet<Swept>,
    /// To which clients such replies are on their way.
    answering: Vec<ClientId>,
    /// Calls of those clients, in order: a reply that comes back is told first.
    held: Vec<EngineCommand>,
    calls: CallId,
    progress_due: Option<Time>,
    /// Who typed, and waits until that was taken.
    typing: Vec<oneshot::Sender<()>>,
    /// Whether nobody is listened to any more.
    is_closing: bool,
    /// What the terminal is read into.
    buffer: Vec<u8>,
    began: Instant,
    /// The time of this turn of the loop.
    now: Time,
}

#[derive(Debug)]
struct Caller {
    reply: oneshot::Sender<Answer>,
    progress: Option<mpsc::UnboundedSender<String>>,
    on_drop: OnDrop,
    /// The last line on the screen when the call came, which is none of its own.
    found_line: String,
}

impl Caller {
    /// Tells of the progress, with the last line on the screen if it came since the call did.
    /// Whether somebody listens.
    fn tell_progress(&self, line: &str) -> bool {
        let news = if line == self.found_line { "" } else { line };
        self.progress.as_ref().is_some_and(|progress| progress.send(news.to_owned()).is_ok())
    }
}

/// The time since then, in whole microseconds.
fn since(then: Instant) -> Time {
    Time::from_micros(u64::try_from(then.elapsed().as_micros()).unwrap_or(u64::MAX))
}

/// What was done beside the loop.
#[derive(Debug)]
enum Swept {
    /// What was left of a worker is gone.
    Worker,
    /// A reply was sent, or comes back.
    Reply { client: ClientId, untold: Option<Reply> },
}

impl Engine {
    /// The time, in whole microseconds, as recordings have it: a replay counts with the same times. All of a
    /// turn of the loop happens at one time: the messages that come together take effect when the last of them
    /// was taken, and in a replay one after the other.
    fn now(&self) -> Time {
        self.now
    }

    fn look_at_clock(&mut self) {
        self.now = since(self.began);
    }

    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<EngineCommand>) {
        if self.config.is_size_pinned {
            self.take(Input::PinOwn);
        }
        loop {
            self.perform_all();
            if self.worker.as_ref().is_none_or(|worker| worker.to_be_typed() < MOST_TO_BE_TYPED) {
                for taken in self.typing.drain(..) {
                    let _ = taken.send(());
                }
            }
            self.look_at_clock();
            if self.take_end() {
                // Others have their turn while a program prints on.
                tokio::task::yield_now().await;
                continue;
            }
            if self.pipeline.is_closed() && self.sweeps.is_empty() {
                self.config.output_disk.forget_below(self.directory.path());
                let now = self.now();
                if let Some(recorder) = self.recorder().take() {
                    recorder.finish(now).await;
                }
                return;
            }
            let woken = self.wait(&mut commands).await;
            self.look_at_clock();
            match woken {
                Woken::Command(command) => self.command(command.unwrap_or(EngineCommand::Shutdown)),
                Woken::Sideband(readable) => {
                    self.receive(readable);
                }
                Woken::SidebandWritable => {
                    if let Some(worker) = &mut self.worker {
                        worker.sideband.flush();
                    }
                }
                Woken::Terminal(Ok(())) => {
                    if self.read_terminal() == MOST_AT_ONCE {
                        tokio::task::yield_now().await;
                    }
                }
                Woken::Terminal(Err(_)) => {
                    if let Some(worker) = &mut self.worker {
                        worker.close_terminal();
                    }
                }
                Woken::ProcessOver => {
                    let now = self.now();
                    if let Some(worker) = &mut self.worker {
                        worker.start_draining(now);
                    }
                    self.take(Input::ProcessOver);
                }
                Woken::Cancelled(id) => {
                    let caller = self.callers.remove(&id);
                    let interrupt = caller.is_some_and(|caller| caller.on_drop.interrupts());
                    self.take(Input::Cancel { id, interrupt });
                }
                Woken::Explained(denial) => {
                    self.take(Input::Explained(denial.map(Notice::Denied)));
                }
                Woken::Time => self.tick(),
                Woken::Swept(Swept::Reply { client, untold }) => self.answered(client, untold),
                Woken::CaughtUp | Woken::Swept(Swept::Worker) => {}
            }
        }
    }

    /// Gives the pipeline what happened; first that callers have given up, whose replies would be
    /// lost.
    fn take(&mut self, input: Input<'_>) {
        let given_up = self.callers.extract_if(|_, caller| caller.reply.is_closed());
        let given_up: Vec<(CallId, Caller)> = given_up.collect();
        for (id, Caller { on_drop, .. }) in given_up {
            self.give(Input::Cancel { id, interrupt: on_drop.interrupts() });
        }
        self.give(input);
    }

    fn give(&mut self, input: Input<'_>) {
        let now = self.now();
        if let Some(recorder) = self.recorder() {
            let failure = recorder.take_failure();
            self.record(&input, now);
            if let Some(why) = failure {
                self.pipeline.take(Input::Tell(Notice::RecordingEnded { why }), now);
            }
        }
        self.pipeline.take(input, now);
    }

    fn recorder(&mut self) -> &mut Option<Recorder> {
        &mut self.pipeline.observer_and_screen().0.recorder
    }

    /// Records what is about to happen.
    fn record(&mut self, input: &Input<'_>, now: Time) {
        // A call that comes while keys are read is for whom the rules say: they know the modes then.
        let pipeline = &self.pipeline;
        let hidden = match input {
            Input::Call { .. } if pipeline.holds_text() => Hidden::Everything,
            Input::Call { .. } | Input::Keystrokes { .. } => {
                let is_page = pipeline.shows_page() || matches!(input, Input::Call { .. });
                let worker = self.worker.as_ref();
                let hides = pipeline.hides_typing()
                    || worker.is_some_and(|worker| worker.hides_typing(is_page));
                if hides { Hidden::Secret } else { Hidden::Nothing }
            }
            _ => Hidden::Nothing,
        };
        if let Some(recorder) = self.recorder() {
            recorder.input(now, input, hidden);
        }
    }

    /// Takes what the sideband has. Whether that was anything.
    fn receive(&mut self, readable: Readable) -> bool {
        // What it prints at its start tells what a console makes of marks.
        self.catch_up_without_marks();
        let has_marks = self.pipeline.has_marks();
        let Some(worker) = &mut self.worker else { return false };
        let arrivals = worker.receive(readable, has_marks);
        let has_come = !arrivals.is_empty();
        if has_come {
            self.catch_up_without_marks();
        }
        for arrival in arrivals {
            match arrival {
                Arrival::Message(message) => self.take(Input::Message(message)),
                Arrival::Broken(error) => self.give_up(Failure::Protocol(error.to_string())),
                Arrival::Closed => {
                    if let Some(worker) = &mut self.worker {
                        worker.close_sideband();
                    }
                    self.take(Input::SidebandClosed);
                }
            }
        }
        has_come
    }

    /// Shows what the terminal has to give without waiting, up to a mark whose message is not
    /// there, and up to a bound. How much there was, in bytes.
    fn read_terminal(&mut self) -> usize {
        let mut total = 0;
        let mut buffer = std::mem::take(&mut self.buffer);
        while total < MOST_AT_ONCE
            && self.pipeline.takes_output()
            && let Some(worker) = self.worker.as_mut().filter(|worker| worker.terminal_is_open())
        {
            let room = buffer.len().min(MOST_AT_ONCE - total);
            let Some(chunk) = worker.read(&mut buffer[..room]) else { break };
            total += chunk.length;
            if let Some(size) = chunk.resized {
                self.take(Input::Resized(size));
            }
            self.take(Input::Output((&buffer[..chunk.length]).into()));
        }
        self.buffer = buffer;
        total
    }

    /// Shows what the terminal has to give, unless it is to keep that.
    fn catch_up(&mut self) {
        if !self.disk_is_behind() && !self.followers_are_behind() {
            self.read_terminal();
        }
    }

    /// Shows all that the terminal has to give before a message takes effect, where no mark says what was
    /// printed before it. What a program prints on and on is not waited for.
    fn catch_up_without_marks(&mut self) {
        let mut total = 0;
        while !self.pipeline.has_marks()
            && total < MOST_HELD
            && !self.disk_is_behind()
            && !self.followers_are_behind()
        {
            let length = self.read_terminal();
            if length == 0 {
                return;
            }
            total += length;
        }
    }

    /// Whether a client that is to miss nothing is behind.
    fn followers_are_behind(&mut self) -> bool {
        self.pipeline.observer_and_screen().0.followers.are_behind()
    }

    /// Whether the disk does not take what is to be kept there: then the terminal is to keep
    /// what it has.
    fn disk_is_behind(&mut self) -> bool {
        self.attachments.is_behind()
            || self.spills.values().any(Spill::is_behind)
            || self.recorder().as_ref().is_some_and(Recorder::is_behind)
    }

    /// Once the process is over: reads on, and tells of the end when all was read. Whether there
    /// was anything to do. What the leader printed is there by now; a descendant that holds the
    /// terminal open, or goes on printing, delays nothing.
    fn take_end(&mut self) -> bool {
        if self.explanations.is_asked() {
            return false;
        }
        let now = self.now();
        let would_miss = self.followers_are_behind();
        let is_held = self.disk_is_behind() || would_miss;
        let Some(worker) = self.worker.as_mut().filter(|worker| worker.is_over()) else {
            return false;
        };
        worker.tick(now, would_miss);
        if worker.terminal_is_open() && self.pipeline.takes_output() && !is_held {
            let length = self.read_terminal();
            if let Some(worker) = &mut self.worker {
                worker.drained(length);
            }
            return true;
        }
        let Some((exit, missed_input)) = worker.end() else { return false };
        self.take(Input::Exited { exit, missed_input });
        true
    }

    fn tick(&mut self) {
        let now = self.now();
        // On a machine that was busy elsewhere, what is waited for may be there. Output that never
        // ends is none of that.
        let is_held = self.disk_is_behind() || self.followers_are_behind();
        let mut rounds = 0..MOST_ROUNDS;
        while (self.pipeline.order_is_overdue(now) || !is_held && self.pipeline.has_late_call(now))
            && rounds.next().is_some()
        {
            let has_come = self.receive(Readable::Bytes);
            self.perform_all();
            if self.read_terminal() == 0 && !has_come {
                break;
            }
        }
        let is_held = self.followers_are_behind();
        if let Some(worker) = &mut self.worker {
            worker.tick(now, is_held);
        }
        if self.progress_due.is_some_and(|due| due <= now) {
            let line = self.pipeline.screen().last_line();
            let told = self.callers.values().filter(|caller| caller.tell_progress(&line)).count();
            self.progress_due = (told > 0).then_some(now + PROGRESS_INTERVAL);
        }
        // Under load the kernel brings output late: what was printed before somebody reads is
        // shown first.
        if self.pipeline.look_is_due(now) {
            self.catch_up();
        }
        self.take(Input::Tick);
    }
}
