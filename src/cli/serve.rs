//! `mcp-repl`: serve one MCP client over standard input and output.

use std::{
    fmt, io,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use mcp_repl_control::{Hello, Identity, Open, Role, SessionOptions, Wanted};
use mcp_repl_sideband::PictureLimit;
use tokio::task::JoinHandle;

use super::{
    WorkerArguments, config,
    record_options::RecordArguments,
    runtime,
    sandbox_options::{self, OF_SERVER},
    session_options::SessionArguments,
};
use crate::{
    mcp::{
        self, EarlierSession, OnCancel, Opener, Opening, Session, Sessions, WantedSession,
        WorkerText,
    },
    pty::{self, Limits},
    registry::SessionName,
    remote::{self, Place, Underway, sandbox::to_wire},
    reply::{Budget, Notice, budget_to_wire},
    sandbox::{ClientSandbox, Mode, Settings},
    screen::Size,
    session::{
        client::Handle,
        engine::{self, Attachments, Config},
        launch::Target,
        output_disk::OutputDisk,
        rules::state::Paging,
    },
};

/// What a client is told of a session that runs Python.
pub(super) const PYTHON: WorkerText = WorkerText {
    session: "Python session",
    runs: "Python code",
    like: ", like a Jupyter notebook or IPython. Prefer it to `python -c` and scripts for data \
           analysis, debugging and work in several steps",
    keeps: "Variables, imports and the working directory stay",
    shows: "; the value of its last expression is shown",
    waits: " (`input()`, pdb, `help()`, a shell command)",
    takes_cells: true,
    sandbox: None,
};

/// What a client is given, and what is done for it.
#[derive(Debug, Clone)]
pub(super) struct ClientOptions {
    /// What is done about pagers.
    pub(super) pager: Paging,
    /// What a reply has room for.
    pub(super) budget: Budget,
    /// How large pictures may be.
    pub(super) pictures: PictureLimit,
    /// How much the files of long outputs, pictures and documents may take, in bytes.
    pub(super) max_output_disk: u64,
    /// Where sessions of this process are recorded.
    pub(super) record: RecordArguments,
    /// The size of a session's terminal.
    pub(super) size: Option<Size>,
    /// How much a session's programs may take.
    pub(super) limits: Limits,
    /// What a cancelled call does to its cell.
    pub(super) on_cancel: OnCancel,
    /// The name of the session for calls that name none.
    pub(super) session: Option<SessionName>,
    /// How many sessions there are at most.
    pub(super) max_sessions: usize,
}

/// Where the sessions of a server are.
#[derive(Debug, Clone)]
pub(super) enum Sessioning {
    /// In this process; they end with it.
    InProcess {
        /// What their programs may reach.
        sandbox: Settings,
    },
    /// In hosts, which this has started, or finds.
    Hosts {
        /// Where.
        place: Place,
        /// What is run, and for how long.
        options: Box<SessionOptions>,
        /// What their programs may reach at most: `options` leaves it to each client's session.
        sandbox: Settings,
    },
}

impl Sessioning {
    /// Hosts, unless they are here and nobody is to wait for a client.
    ///
    /// # Errors
    /// When a path of the sandbox can't be handed on.
    pub(super) fn new(
        place: Place,
        arguments: &SessionArguments,
        worker: &WorkerArguments,
    ) -> Result<Sessioning, String> {
        let sandbox = arguments.sandbox.settings(OF_SERVER, &place)?;
        let outlives_client = !arguments.grace.is_zero() || arguments.keep.is_some();
        let needs_host = outlives_client || sandbox.mode == Mode::Strict;
        if !needs_host && place == Place::Here {
            return Ok(Sessioning::InProcess { sandbox });
        }
        let options = Box::new(arguments.options(worker));
        Ok(Sessioning::Hosts { place, options, sandbox })
    }
}

/// What is said to who starts the server with nobody to serve.
const NO_CLIENT: &str = "an MCP client is to talk to the server there. Cells are run from the shell \
                         by `mcp-repl exec`";

/// Serves until the client closes standard input, or a signal asks to end. The first reply begins with
/// `news`.
pub(super) fn serve(
    target: Target,
    options: ClientOptions,
    place: Sessioning,
    news: Vec<Notice>,
) -> Result<ExitCode, String> {
    let mut worker = match target {
        Target::Python(_) | Target::Script(..) => PYTHON,
        Target::Custom(..) => WorkerText::ANY,
        Target::Program(..) => WorkerText::PROGRAM,
    };
    let (Sessioning::InProcess { sandbox } | Sessioning::Hosts { sandbox, .. }) = &place;
    worker.sandbox = sandbox.mode.is_on().then_some((sandbox.mode, sandbox.network));
    let ClientOptions { session: name, max_sessions, on_cancel, .. } = options.clone();
    let runtime = runtime()?;
    let result = match place {
        Sessioning::InProcess { sandbox } => {
            let mut config = config(target, options.pager, options.budget)?;
            config.attachments = Attachments::Kept(options.pictures);
            config.output_disk = OutputDisk::new(options.max_output_disk);
            config.surroundings.limits = options.limits;
            let record = options.record;
            config.size = options.size.unwrap_or_default();
            let engines = Engines { config, record, sandbox, running: Arc::default() };
            runtime.block_on(async {
                let running = engines.running.clone();
                let sessions = Sessions::new(engines, name, max_sessions);
                sessions.tell_first(news);
                // It costs nobody anything if the client never comes.
                sessions.prepare("");
                let result = serve_in(&sessions, &worker, on_cancel).await;
                end_all(&running).await;
                result
            })
        }
        Sessioning::Hosts { place, options: session, sandbox } => {
            let budget = options.budget;
            let hosts = Hosts { place, options: *session, sandbox, budget, target };
            runtime.block_on(async {
                let sessions = Sessions::new(hosts, name, max_sessions);
                sessions.tell_first(news);
                serve_in(&sessions, &worker, on_cancel).await
            })
        }
    };
    // A read of standard input may still be blocked in a thread of the runtime.
    runtime.shutdown_background();
    result
}

async fn serve_in(
    sessions: &Arc<Sessions>,
    worker: &WorkerText,
    on_cancel: OnCancel,
) -> Result<ExitCode, String> {
    let result = tokio::select! {
        result = mcp::serve(sessions.clone(), worker, on_cancel) => result,
        result = pty::asked_to_end() => result,
    };
    sessions.close().await;
    result.map(|()| ExitCode::SUCCESS).map_err(|error| match error.kind() {
        io::ErrorKind::NotConnected => format!("{error}; {NO_CLIENT}"),
        _ => error.to_string(),
    })
}

/// The sessions of this process, each with the task of its engine.
type Running = Arc<Mutex<Vec<(Handle, JoinHandle<()>)>>>;

/// Starts sessions in this process.
struct Engines {
    config: Config,
    record: RecordArguments,
    /// What their programs may reach, as the user says it.
    sandbox: Settings,
    running: Running,
}

impl fmt::Debug for Engines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engines")
    }
}

impl Opener for Engines {
    fn open(&self, wanted: WantedSession, _underway: Underway) -> Opening {
        if !wanted.start {
            let name = wanted.name.unwrap_or_default();
            return Box::pin(async move { Err(format!("there is no session {name:?}")) });
        }
        let name = wanted.name.map_or_else(name_of_directory, |name| name.to_string());
        let recording = match self.record.file(&name) {
            Ok(recording) => recording,
            Err(why) => return Box::pin(async { Err(why) }),
        };
        let mut config = Config { recording, ..self.config.clone() };
        let recordings = self.record.place();
        config.surroundings.sandbox =
            sandbox_options::sandbox(wanted.sandbox, recordings.as_deref());
        let opened = engine::start(config).map(|(handle, engine)| {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            running.retain(|(_, engine)| !engine.is_finished());
            running.push((handle.clone(), engine));
            Session::from(handle)
        });
        Box::pin(async { opened.map_err(|error| error.to_string()) })
    }

    fn sandbox(&self, client: Option<&ClientSandbox>) -> Settings {
        within(&self.sandbox, client)
    }
}

/// What a session may reach of what the user allows, where its client's own sandbox is this one.
fn within(allowed: &Settings, client: Option<&ClientSandbox>) -> Settings {
    client.map_or_else(|| allowed.clone(), |client| allowed.clone().within(client))
}

/// How a session that has no name is called.
fn name_of_directory() -> String {
    SessionName::of_directory(&std::env::current_dir().unwrap_or_default()).to_string()
}

/// Ends the sessions of this process, and waits until all is cleaned up.
async fn end_all(running: &Running) {
    let all = std::mem::take(&mut *running.lock().unwrap_or_else(PoisonError::into_inner));
    for (session, _) in &all {
        session.shutdown();
    }
    for (_, engine) in all {
        // The task ends by itself; only a panic in it is an error, which it has told.
        let _ = engine.await;
    }
}

/// Finds and starts sessions that have hosts.
#[derive(Debug)]
struct Hosts {
    place: Place,
    options: SessionOptions,
    /// What their programs may reach, as the user says it.
    sandbox: Settings,
    budget: Budget,
    target: Target,
}

impl Hosts {
    /// For whom a session without a name is.
    fn identity(&self, client: &str) -> Identity {
        let interpreter = match (&self.target, &self.place) {
            (Target::Custom(..) | Target::Program(..), _) | (_, Place::Here) => {
                self.target.identity()
            }
            // It is chosen there.
            _ => format!("python {}", self.options.python.as_deref().unwrap_or_default()),
        };
        Identity {
            client: client.to_owned(),
            directory: String::new(),
            interpreter,
            parent: pty::parent_identity().unwrap_or_default(),
        }
    }

    fn hello(&self, client: &str, resume: Option<String>) -> Hello {
        Hello {
            budget: Some(budget_to_wire(&self.budget)),
            keep_ms: self.options.keep_ms,
            resume,
            attach: Some(self.place.attach_command()),
            ..Hello::new(Role::Client, if client.is_empty() { "mcp" } else { client })
        }
    }
}

impl Opener for Hosts {
    fn open(&self, wanted: WantedSession, underway: Underway) -> Opening {
        let WantedSession { client, name, earlier, start, sandbox } = wanted;
        let identity = name.is_none().then(|| self.identity(&client));
        let hello = self.hello(&client, earlier.as_ref().map(|earlier| earlier.resume.clone()));
        let place = self.place.clone();
        let options = SessionOptions { sandbox: Some(to_wire(&sandbox)), ..self.options.clone() };
        Box::pin(async move {
            let open = async |wanted, hello| {
                let open = Open { wanted, options: options.clone(), hello };
                remote::open(&place, open, &underway).await
            };
            let opened = match (identity, earlier) {
                (Some(identity), Some(EarlierSession { name, started_ms, .. })) => {
                    let again = Wanted::Named { name, start: false };
                    // Somebody may have found it waiting, whose it is by now.
                    let alone = Hello { only_waiting: true, ..hello.clone() };
                    match open(again, alone).await {
                        // Another session has its name.
                        Ok(opened) if opened.welcome.started_ms != started_ms => {
                            drop(opened);
                            open(Wanted::Own(identity), hello).await
                        }
                        // It is gone: what comes now was never this one.
                        Err(error) if error.is_of_session() => {
                            open(Wanted::Own(identity), hello).await
                        }
                        opened => opened,
                    }
                }
                (Some(identity), None) => open(Wanted::Own(identity), hello).await,
                (None, _) => {
                    let name = name.unwrap_or_default();
                    open(Wanted::Named { name, start }, hello).await
                }
            };
            opened.map(Session::from).map_err(|error| error.to_string())
        })
    }

    fn sandbox(&self, client: Option<&ClientSandbox>) -> Settings {
        let client = client.map(|client| match &self.place {
            Place::Here => client.clone(),
            Place::Via(_) => client.elsewhere(),
        });
        within(&self.sandbox, client.as_ref())
    }
}
