//! The engine: the one loop that waits for events, asks the rules, and performs the actions.

use std::{
    collections::HashMap,
    io,
    task::Poll,
    time::{Duration, Instant},
};

use mcp_repl_sideband::ToServer;
use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinHandle, JoinSet},
};

use super::{
    handle::{Command, Handle, Request},
    keys,
    launch::{Home, Target, WorkerProgram},
    spill::Spill,
    state::{CallId, Paging, Payload, Reading, State, Time},
    step::{Action, Event, Session},
    worker::{Worker, WorkerEvent},
};
use crate::{
    reply::{Outbox, Reply, Status},
    screen::{Screen, Size},
};

/// How often a waiting call's client hears of its progress, at most.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);
/// How long a worker has to end when the server does, before it is killed.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// How long nothing may have been printed before the kernel is asked who reads the terminal,
/// and the time between two looks that confirm each other.
const QUIET: Duration = Duration::from_millis(5);
/// How long output puts off a look: others may print while somebody reads.
const LOUD: Duration = Duration::from_millis(50);
/// The time between looks that find nobody; more when a look takes long, so that looking never
/// costs more than a small part of a processor.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// How many looks a reader has to wake up, on a machine that is busy, and take its input.
const WAKE_LOOKS: u32 = 25;
/// The most of its time that the engine looks: one part in this many.
const LOOK_SHARE: u32 = 200;

/// What a session runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// The program.
    pub target: Target,
    /// What is done about pagers.
    pub paging: Paging,
    /// The terminal's size.
    pub size: Size,
    /// The most text a reply holds, in bytes; more goes to a file.
    pub budget: usize,
}

/// Starts a session's first worker and its engine, a task of the running event loop. Gives a
/// handle on the session; the task ends after [`Handle::shutdown`], when all is cleaned up.
///
/// # Errors
/// When the private directory can't be made. A worker that does not start is reported by the
/// calls.
pub fn start(config: Config) -> io::Result<(Handle, JoinHandle<()>)> {
    let home = Home::new()?;
    let (handle, commands) = Handle::new();
    let spill = Spill::new(home.path().to_owned());
    let mut engine = Engine {
        session: Session::new(Duration::ZERO, config.paging),
        outbox: Outbox::new(config.budget),
        callers: HashMap::new(),
        worker: None,
        deferred: None,
        sweeps: JoinSet::new(),
        calls: 0,
        progress_due: None,
        look_due: None,
        look_latest: None,
        wake_looks: 0,
        began: Instant::now(),
        home,
        spill,
        config,
    };
    engine.start_worker();
    Ok((handle, tokio::spawn(engine.run(commands))))
}

#[derive(Debug)]
struct Engine {
    config: Config,
    home: Home,
    session: Session,
    outbox: Outbox,
    spill: Spill,
    callers: HashMap<CallId, Caller>,
    worker: Option<Worker>,
    /// A call that came while the worker had written a mark and its message was on the way: it
    /// is routed by the state that makes.
    deferred: Option<Command>,
    /// Workers that ended, while what is left of them is.
    sweeps: JoinSet<()>,
    calls: CallId,
    progress_due: Option<Time>,
    /// When the kernel is next asked who reads the terminal.
    look_due: Option<Time>,
    /// When it is asked although output comes.
    look_latest: Option<Time>,
    /// How many looks found a reader awake and its input not taken.
    wake_looks: u32,
    began: Instant,
}

#[derive(Debug)]
struct Caller {
    reply: oneshot::Sender<Reply>,
    progress: Option<mpsc::UnboundedSender<String>>,
}

/// What woke the loop.
enum Woken {
    Command(Option<Command>),
    Worker(WorkerEvent),
    Cancelled(CallId),
    Time,
}

impl Engine {
    fn now(&self) -> Time {
        self.began.elapsed()
    }

    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        loop {
            match self.wait(&mut commands).await {
                Woken::Command(Some(Command::Call { request, reply })) => self.call(request, reply),
                Woken::Command(Some(Command::People { attached })) => {
                    self.step(Event::People { attached });
                }
                Woken::Command(Some(Command::Shutdown) | None) => break,
                Woken::Worker(event) => self.worker_event(event),
                Woken::Cancelled(id) => {
                    self.callers.remove(&id);
                    self.step(Event::Cancel { id });
                }
                Woken::Time => self.tick(),
            }
        }
        self.shut_down().await;
    }

    async fn wait(&mut self, commands: &mut mpsc::UnboundedReceiver<Command>) -> Woken {
        if !self.session.wants_look() {
            (self.look_due, self.look_latest) = (None, None);
        } else if self.look_due.is_none() {
            let now = self.now();
            let latest = *self.look_latest.get_or_insert(now + LOUD);
            self.look_due = Some(latest.min(now + QUIET));
        }
        let holds = self.worker.as_ref().is_some_and(Worker::holds);
        if !holds && let Some(command) = self.deferred.take() {
            return Woken::Command(Some(command));
        }
        let due = [self.session.next_deadline(), self.progress_due, self.look_due];
        let due = due.into_iter().flatten().min();
        let due = due.map(|due| tokio::time::Instant::from_std(self.began + due));
        let Engine { worker, callers, sweeps, .. } = self;
        tokio::select! {
            biased;
            command = commands.recv(), if !holds => Woken::Command(command),
            event = next_event(worker) => Woken::Worker(event),
            id = cancelled(callers) => Woken::Cancelled(id),
            () = sleep_until(due) => Woken::Time,
            Some(_) = sweeps.join_next() => Woken::Time,
        }
    }

    fn call(&mut self, request: Request, reply: oneshot::Sender<Reply>) {
        // What was printed before the call belongs to its reply.
        if let Some(worker) = &mut self.worker {
            worker.catch_up();
            if worker.holds() {
                self.deferred = Some(Command::Call { request, reply });
                return;
            }
            self.drain_screen();
        }
        self.calls += 1;
        let id = self.calls;
        let now = self.now();
        let Request { input, keys, timeout, progress } = request;
        if progress.is_some() {
            self.progress_due.get_or_insert(now + PROGRESS_INTERVAL);
        }
        self.callers.insert(id, Caller { reply, progress });
        let payload = self.payload(input, &keys);
        let reading = self.background_reading();
        self.step(Event::Call { id, payload, deadline: now.saturating_add(timeout), reading });
        if timeout.is_zero() {
            self.step(Event::Tick);
        }
    }

    fn payload(&self, input: String, keys: &[String]) -> Payload {
        if keys.is_empty() {
            return Payload::Text(input);
        }
        let screen = self.worker.as_ref().map(|worker| &worker.screen);
        let application = screen.is_some_and(Screen::wants_application_keys);
        Payload::Keys(keys::encode(keys.iter().map(String::as_str), application))
    }

    /// Who reads the terminal although no cell runs. Looked for only where somebody could.
    fn background_reading(&mut self) -> Option<Reading> {
        let ready = matches!(self.session.state(), State::Ready { waits, .. } if waits.is_empty());
        let worker = self.worker.as_mut().filter(|_| ready)?;
        if worker.has_company() { worker.reading(false) } else { None }
    }

    /// Asks the kernel who reads the terminal.
    fn look(&mut self) {
        // Under load the kernel brings output late: what was printed before the read is shown
        // first, and a wait that the sideband is about to tell is not taken for another.
        let came = self.worker.as_mut().is_some_and(Worker::catch_up);
        let behind = self.worker.as_ref().is_some_and(Worker::is_behind);
        let late = self.look_latest.is_some_and(|latest| latest <= self.now());
        if came || behind {
            self.drain_screen();
        }
        if behind || came && !late {
            self.look_due = None;
            return;
        }
        let began = Instant::now();
        let room = self.has_room_for_page();
        let reading = self.worker.as_mut().and_then(|worker| worker.reading(room));
        let pause = LOOK_INTERVAL.max(began.elapsed() * LOOK_SHARE);
        let found = reading.is_some();
        if found || !self.wakes_up() {
            self.wake_looks = 0;
            self.step(Event::Look(reading));
        }
        let now = self.now();
        self.look_due = Some(now + if found { QUIET } else { pause });
        self.look_latest = Some(now + pause.max(LOUD));
    }

    /// Whether a reader in the background that got input may be about to take it: it is awake,
    /// and the input is still there. What it leaves for good is not waited for.
    fn wakes_up(&mut self) -> bool {
        let fed = matches!(self.session.state(), State::Ready { fed: Some(_), .. });
        self.wake_looks += 1;
        let holds = || self.worker.as_ref().is_some_and(Worker::holds_input);
        fed && self.wake_looks <= WAKE_LOOKS && holds()
    }

    /// Whether another page of a pager fits into the reply: one of ASCII, and one like the last.
    fn has_room_for_page(&self) -> bool {
        let Size { columns, rows } = self.config.size;
        let last = self.worker.as_ref().map_or(0, |worker| worker.screen.page_text().len());
        self.outbox.room() > last.max(usize::from(columns) * usize::from(rows))
    }

    fn worker_event(&mut self, event: WorkerEvent) {
        self.drain_screen();
        match event {
            WorkerEvent::Output => self.look_due = None,
            WorkerEvent::Message(message) => self.step(Event::Message(message)),
            WorkerEvent::Broken(why) => {
                if let Some(worker) = &mut self.worker {
                    worker.give_up();
                }
                self.report_screen();
                self.step(Event::Failed(format!(
                    "{why}; the session was ended, the next input starts a new one"
                )));
            }
            WorkerEvent::Ended { exit, missed_input } => {
                self.report_screen();
                self.retire_worker();
                self.step(Event::Exited { exit, missed_input });
            }
        }
    }

    fn tick(&mut self) {
        let now = self.now();
        if self.look_due.is_some_and(|due| due <= now) {
            self.look();
        }
        if self.progress_due.is_some_and(|due| due <= now) {
            let line = self.worker.as_ref().map(|worker| worker.screen.last_line());
            let line = line.unwrap_or_default();
            let listeners = self.callers.values().filter_map(|caller| caller.progress.as_ref());
            let told = listeners.filter(|progress| progress.send(line.clone()).is_ok()).count();
            self.progress_due = (told > 0).then_some(now + PROGRESS_INTERVAL);
        }
        self.step(Event::Tick);
    }

    fn step(&mut self, event: Event) {
        let now = self.now();
        for action in self.session.step(event, now) {
            self.perform(action);
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Send(message) => {
                if let Some(worker) = &mut self.worker {
                    worker.send(&message);
                }
            }
            Action::Type(bytes) => {
                if let Some(worker) = &mut self.worker {
                    worker.type_bytes(&bytes);
                }
            }
            Action::Interrupt => {
                let waits = matches!(self.session.state(), State::InputWait { .. });
                let typed = self.worker.as_mut().is_some_and(|worker| worker.interrupt(waits));
                if typed {
                    self.step(Event::Message(ToServer::Interrupted));
                }
            }
            Action::TakePage => self.take_page(),
            Action::TakeScreen => self.take_screen(),
            Action::CalmScreen => {
                // What the cell said last stands there, and would go with it.
                if self.worker.as_ref().is_some_and(|worker| worker.screen.is_alternate()) {
                    self.take_screen();
                }
                if let Some(worker) = &mut self.worker {
                    worker.screen.reset_after_program();
                }
            }
            Action::HangUp => {
                if let Some(worker) = &self.worker {
                    worker.hang_up();
                }
            }
            Action::Kill => self.kill_worker(),
            Action::Start => self.start_worker(),
            Action::Notice(line) => {
                self.report_screen();
                self.outbox.notice(line);
            }
            Action::Image { mime, data } => {
                self.report_screen();
                self.outbox.image(mime, data);
            }
            Action::Reply { call, status } => self.reply(call, status),
        }
    }

    fn reply(&mut self, call: CallId, status: Status) {
        let Some(caller) = self.callers.remove(&call) else { return };
        if caller.reply.is_closed() {
            // The client gave up a moment ago: what there is to say is for the next call.
            return;
        }
        match status {
            // A pager's prompt is no text; its page was taken when it was found.
            Status::Pager { .. } => {}
            // So a program is seen that shows a page and does not read the terminal.
            Status::Busy { .. } | Status::Waiting { .. } if self.shows_page() => self.take_screen(),
            _ => self.report_screen(),
        }
        let screen = self.worker.as_ref().map(|worker| &worker.screen);
        let prompt_visible =
            screen.is_some_and(|screen| !screen.line_at_cursor().trim().is_empty());
        let file = self.spill.finish();
        let reply = self.outbox.take(status, prompt_visible, file.as_ref());
        let _ = caller.reply.send(reply);
    }

    fn start_worker(&mut self) {
        self.retire_worker();
        let resolved = match self.config.target.resolve() {
            Ok(resolved) => resolved,
            Err(why) => return self.step(Event::Failed(why)),
        };
        for note in resolved.passed_over {
            self.outbox.notice(format!("[repl] passed over {note}"));
        }
        let mut launch = self.home.launch(&resolved.program, self.config.paging);
        if launch.is_err() {
            // Somebody swept the place for temporary files.
            if let Ok(home) = Home::new() {
                self.spill = Spill::new(home.path().to_owned());
                self.home = home;
                launch = self.home.launch(&resolved.program, self.config.paging);
            }
        }
        match launch.and_then(|launch| Worker::start(launch, self.config.size)) {
            Ok(worker) => self.worker = Some(worker),
            Err(error) => {
                let (WorkerProgram::Python(file) | WorkerProgram::Custom(file, _)) =
                    &resolved.program;
                let why = format!("{} could not be started: {error}", file.display());
                self.step(Event::Failed(why));
            }
        }
    }

    /// Ends the worker by force. It goes when its end is seen, unless the session has done
    /// with it.
    fn kill_worker(&mut self) {
        if let Some(worker) = &self.worker {
            worker.kill();
        }
        if matches!(self.session.state(), State::Ended { .. }) {
            self.report_screen();
            self.retire_worker();
        }
    }

    /// Leaves a worker that ended to be swept up.
    fn retire_worker(&mut self) {
        if let Some(worker) = self.worker.take() {
            self.sweeps.spawn(worker.sweep());
        }
    }

    /// Takes the text above a pager's prompt.
    fn take_page(&mut self) {
        let text = self.worker.as_mut().map(Worker::take_page).unwrap_or_default();
        self.outbox.push(&text);
        self.spill_text();
    }

    /// Whether a program has the screen to itself, and is no pager whose pages are turned.
    fn shows_page(&self) -> bool {
        let full = self.worker.as_ref().is_some_and(|worker| worker.screen.is_full_screen());
        full && !self.session.feeds_pager()
    }

    /// Takes the page of a full-screen program.
    fn take_screen(&mut self) {
        let mut text = String::new();
        if let Some(worker) = &mut self.worker {
            text = worker.take_page();
            worker.screen.report_page(&mut text);
        }
        self.outbox.push(&text);
        self.spill_text();
    }

    /// Takes what a pager showed last, when it ended by itself. What other programs had on the
    /// alternate screen is gone with it.
    fn take_left_pages(&mut self) {
        if let Some(worker) = &mut self.worker {
            let left = worker.screen.take_closed_pager();
            if self.session.feeds_pager() {
                self.outbox.push(&worker.take_page());
                self.outbox.push(&left);
            }
        }
    }

    /// Takes the text that can't change any more.
    fn drain_screen(&mut self) {
        self.take_left_pages();
        let Engine { worker, outbox, .. } = self;
        if let Some(worker) = worker {
            outbox.push(&worker.take_page());
            worker.screen.drain(&mut |text| outbox.push(text));
        }
        self.spill_text();
    }

    /// Takes all text that was not told yet.
    fn report_screen(&mut self) {
        self.take_left_pages();
        let mut text = String::new();
        if let Some(worker) = &mut self.worker {
            text = worker.take_page();
            worker.screen.report(&mut text);
        }
        self.outbox.push(&text);
        self.spill_text();
    }

    fn spill_text(&mut self) {
        if self.outbox.spills() {
            self.spill.write(self.outbox.take_spill());
        }
    }

    /// Ends the worker in good order, bounded, and what is left of it.
    async fn shut_down(mut self) {
        if let Some(mut worker) = self.worker.take() {
            worker.send(&mcp_repl_sideband::ToWorker::Shutdown);
            if !matches!(self.session.state(), State::Ready { .. } | State::InputWait { .. }) {
                worker.hang_up();
            }
            let end = async { while !matches!(worker.next().await, WorkerEvent::Ended { .. }) {} };
            if tokio::time::timeout(SHUTDOWN_GRACE, end).await.is_err() {
                worker.kill();
            }
            self.sweeps.spawn(worker.sweep());
        }
        while self.sweeps.join_next().await.is_some() {}
    }
}

/// The worker's next event; none when there is no worker.
async fn next_event(worker: &mut Option<Worker>) -> WorkerEvent {
    match worker {
        Some(worker) => worker.next().await,
        None => std::future::pending().await,
    }
}

/// The first call whose client has given up.
async fn cancelled(callers: &mut HashMap<CallId, Caller>) -> CallId {
    std::future::poll_fn(|context| {
        for (id, caller) in callers.iter_mut() {
            if caller.reply.poll_closed(context).is_ready() {
                return Poll::Ready(*id);
            }
        }
        Poll::Pending
    })
    .await
}

async fn sleep_until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
