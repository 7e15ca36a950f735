//! Records a session: a thread writes the file as things happen.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter},
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::{SystemTime, UNIX_EPOCH},
};

use mcp_repl_sideband::ToServer;
use tokio::sync::oneshot;

use super::{encoder::Encoder, settings::Settings, step::Hidden};
use crate::{
    cast::{Event, Header, Kind, Version, Writer},
    pty,
    reply::{Budget, Content, Reply},
    screen::Size,
    session::{
        launch::TERMINAL_TYPE,
        pipeline::{Input, WorkerInfo},
        rules::state::{CallId, ClientId, Paging, Time},
        write_queue::{PATIENCE, WriteJobs, WriteQueue},
    },
};

/// How much may wait for the disk before the terminal is not read any more, in bytes.
const MOST_WAITING: usize = 16 << 20;
/// What an event takes beside its data, in bytes.
const EVENT: usize = 64;
/// How much is kept until it is known what runs in the session, in bytes.
const MOST_HELD: usize = 1 << 20;
/// What of the environment a terminal program's output depends on.
const PINNED: [&str; 5] = ["TERM", "LANG", "LC_ALL", "LC_CTYPE", "COLORTERM"];

/// The file of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingFile {
    /// Its path. It must not be there yet.
    pub path: PathBuf,
    /// Whether what is typed is recorded; secrets never are.
    pub records_input: bool,
    /// The version of asciicast; one of version 2 is for players only.
    pub version: Version,
    /// What the terminal is called.
    pub title: Option<String>,
}

/// The engine's end of a recording.
#[derive(Debug)]
pub(in crate::session) struct Recorder {
    queue: WriteQueue<Vec<Event>>,
    encoder: Encoder,
    /// What happened before it was known what runs in the session; then the thread was not started.
    start: Option<Start>,
    events: Vec<Event>,
    now: Time,
    failed: Arc<OnceLock<String>>,
    is_failure_told: bool,
    done: oneshot::Receiver<()>,
}

/// What a recording begins with.
#[derive(Debug)]
struct Start {
    file: File,
    version: Version,
    header: Header,
    paging: Paging,
    budget: Budget,
    jobs: WriteJobs<Vec<Event>>,
    done: oneshot::Sender<()>,
}

impl Recorder {
    /// Makes the file, for a session with this terminal.
    ///
    /// # Errors
    /// When it can't be made, or is there already.
    pub(in crate::session) fn new(
        recording: &RecordingFile,
        size: Size,
        paging: Paging,
        budget: Budget,
    ) -> io::Result<Recorder> {
        let path = &recording.path;
        let file = pty::create_private_file(path).map_err(|error| {
            io::Error::new(error.kind(), format!("no recording {}: {error}", path.display()))
        })?;
        let variables =
            PINNED.into_iter().filter_map(|name| Some((name, std::env::var(name).ok()?)));
        let mut env: BTreeMap<String, String> =
            variables.map(|(name, value)| (name.to_owned(), value)).collect();
        env.insert("TERM".into(), TERMINAL_TYPE.into());
        let header = Header {
            size,
            terminal: Some(TERMINAL_TYPE.into()),
            timestamp: SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|time| time.as_secs()),
            title: recording.title.clone(),
            env,
            ..Header::default()
        };
        let (queue, jobs) = WriteQueue::new(MOST_WAITING);
        let (done, is_done) = oneshot::channel();
        let version = recording.version;
        let start = Start { file, version, header, paging, budget, jobs, done };
        Ok(Recorder {
            queue,
            encoder: Encoder::new(size, recording.records_input, pty::signal_number),
            start: Some(start),
            events: Vec::new(),
            now: Time::ZERO,
            failed: Arc::default(),
            is_failure_told: false,
            done: is_done,
        })
    }

    /// Something is about to happen, of which this is not recorded.
    pub(in crate::session) fn input(&mut self, now: Time, input: &Input<'_>, hidden: Hidden) {
        self.now = now;
        self.encoder.input(now, input, hidden, &mut self.events);
        match input {
            Input::Message(hello @ ToServer::Hello { .. }) => {
                self.begin(WorkerInfo::from_hello(hello).as_ref());
            }
            Input::RunsProgram { file } => self.begin(Some(&WorkerInfo::of_program(file))),
            Input::Exited { .. } | Input::Failed(_) => self.begin(None),
            _ => {}
        }
        self.hand_on();
    }

    /// The session shows this by itself.
    pub(in crate::session) fn echoed(&mut self, bytes: &[u8]) {
        self.encoder.echoed(self.now, bytes, &mut self.events);
        self.hand_on();
    }

    /// A client that follows is told this, ahead of its next reply.
    pub(in crate::session) fn told(&mut self, client: ClientId, content: &[Content]) {
        self.encoder.told(client, content);
    }

    /// A call is answered.
    pub(in crate::session) fn reply(&mut self, call: CallId, client: ClientId, reply: &Reply) {
        self.encoder.reply(self.now, call, client, reply, &mut self.events);
        self.hand_on();
    }

    /// Whether the disk is behind, so that the terminal is to keep what it has.
    pub(in crate::session) fn is_behind(&self) -> bool {
        self.queue.is_behind()
    }

    /// Waits until the disk is not behind any more, or has been for too long: then nothing more is
    /// recorded. Cancel safe; pends for ever when it is not behind.
    pub(in crate::session) async fn catch_up(&mut self) {
        if !self.queue.catch_up().await {
            let _ = self.failed.set("the disk does not answer".into());
        }
    }

    /// Why no more is recorded, once.
    pub(in crate::session) fn take_failure(&mut self) -> Option<String> {
        let why = self.failed.get().filter(|_| !self.is_failure_told)?.clone();
        self.is_failure_told = true;
        Some(why)
    }

    /// Writes what there is, and ends the file.
    pub(in crate::session) async fn finish(mut self, now: Time) {
        self.encoder.end(now, &mut self.events);
        self.begin(None);
        self.hand_on();
        let Recorder { queue, done, .. } = self;
        drop(queue);
        let _ = tokio::time::timeout(PATIENCE, done).await;
    }

    /// Gives the thread what happened, once there is one.
    fn hand_on(&mut self) {
        if self.failed.get().is_some() {
            return self.events.clear();
        }
        if self.start.is_some() {
            if weight(&self.events) < MOST_HELD {
                return;
            }
            self.begin(None);
        }
        if !self.events.is_empty() {
            let events = std::mem::take(&mut self.events);
            let bytes = weight(&events);
            self.queue.push(events, bytes);
        }
    }

    /// Starts to write, with what is known of the program in the session by now.
    fn begin(&mut self, worker: Option<&WorkerInfo>) {
        let Some(Start { file, version, mut header, paging, budget, jobs, done, .. }) =
            self.start.take()
        else {
            return;
        };
        let settings = Settings::new(paging, budget, worker);
        header.command = worker.map(|worker| match &*worker.executable {
            "" => worker.implementation.clone(),
            file => file.to_owned(),
        });
        header.mcp_repl = Some(settings.to_json());
        let failed = self.failed.clone();
        let writes = move || {
            if let Err(error) = write(file, version, &header, jobs) {
                let _ = failed.set(error.to_string());
            }
            let _ = done.send(());
        };
        if let Err(error) = std::thread::Builder::new().name("recording".into()).spawn(writes) {
            let _ = self.failed.set(error.to_string());
        }
    }
}

fn data_length(event: &Event) -> usize {
    match &event.kind {
        Kind::Output(text) | Kind::Input(text) | Kind::Marker(text) => text.len(),
        Kind::Other { data, .. } => data.len(),
        Kind::Resize(_) | Kind::Exit(_) => 0,
    }
}

fn weight(events: &[Event]) -> usize {
    events.iter().map(|event| EVENT + data_length(event)).sum()
}

/// Writes what comes, at once: who kills this process finds all that happened before.
fn write(
    file: File,
    version: Version,
    header: &Header,
    mut jobs: WriteJobs<Vec<Event>>,
) -> io::Result<()> {
    let mut writer = Writer::new(BufWriter::new(file), header, version)?;
    writer.flush()?;
    while let Some(events) = jobs.next() {
        for event in &events {
            writer.event(event)?;
        }
        writer.flush()?;
        jobs.written(weight(&events));
    }
    Ok(())
}
