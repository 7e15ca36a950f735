//! `mcp-repl host`: a session in a process of its own, which clients connect to.

use std::{
    io::{self, BufRead, IsTerminal, Read, Write},
    path::PathBuf,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Args;
use mcp_repl_control::{Identity, SessionOptions, ToClient, encode};

use super::{
    WorkerArguments, runtime,
    session_options::{SessionArguments, host_in_name_spaces, of_host},
};
use crate::{
    host::{self, Life},
    pty,
    registry::{
        Record, RegisterError, Registration, Registry, SessionName, StartAnswer, StartRequest,
    },
    remote::{
        self, Place,
        sandbox::{on, to_wire},
    },
    sandbox::Mode,
    session::{engine::Config, launch::strict},
};

/// The longest line of who starts a host, in bytes: paths have 4096 at most.
const LONGEST_REQUEST: u64 = 256 * 1024;
/// The most sessions of one directory.
const MOST_NUMBERED: usize = 10_000;

/// How a host is started.
#[derive(Debug, Args)]
pub(super) struct HostArguments {
    /// The name of the session; one is made from the directory without it.
    #[arg(long, value_name = "NAME")]
    session: Option<SessionName>,
    #[command(flatten)]
    pub(super) options: SessionArguments,
    /// As the other programs here start it: who asks is on standard input, and is answered on
    /// standard output.
    #[arg(long, hide = true)]
    detached: bool,
    /// What is asked for is a session in name spaces: this process starts its host there.
    #[arg(long, hide = true, requires = "detached")]
    strict: bool,
    /// This host was started in name spaces, in which this is the place for its files.
    #[arg(long, hide = true, value_name = "DIR", requires = "detached")]
    in_name_spaces: Option<PathBuf>,
    /// Find or start the session that is asked for on standard input, and carry the control
    /// protocol between its host and the standard streams: what `--via` runs elsewhere.
    #[arg(long, conflicts_with_all = ["session", "detached"])]
    stdio: bool,
}

impl HostArguments {
    /// Whether its own command line says what it runs, and nobody who starts it.
    pub(super) fn is_by_hand(&self) -> bool {
        !self.detached && !self.stdio
    }
}

/// Hosts a session until nobody comes any more, or it is ended.
pub(super) fn host(
    worker: &WorkerArguments,
    arguments: &HostArguments,
) -> Result<ExitCode, String> {
    if arguments.detached {
        if let Some(directory) = &arguments.in_name_spaces {
            strict::enter(directory.clone());
        } else if arguments.strict {
            return in_name_spaces();
        }
        return detached();
    }
    if arguments.stdio {
        return stdio();
    }
    pty::guard_sessions();
    let runtime = runtime()?;
    let result = runtime.block_on(async {
        let wanted = options(worker, arguments)?;
        let registration = register_by_hand(arguments.session.as_ref(), &wanted)?;
        let (config, life) = of_host(&wanted, &registration.record().name.to_string())?;
        // Standard error may be closed, which must not be a panic.
        let name = registration.record().name.clone();
        let _ = writeln!(io::stderr(), "mcp-repl: the session {name} is there; Ctrl-C ends it");
        let result = run(config, registration, life).await;
        // Its time may have been over, or `mcp-repl end` have been called elsewhere.
        if result.is_ok() {
            let _ = writeln!(io::stderr(), "mcp-repl: the session {name} has ended");
        }
        result
    });
    runtime.shutdown_background();
    result
}

/// What the session runs.
fn options(worker: &WorkerArguments, arguments: &HostArguments) -> Result<SessionOptions, String> {
    let settings = arguments.options.sandbox.settings(Mode::Off, &Place::Here)?;
    if settings.mode == Mode::Strict {
        return Err(format!("no sandbox: {}", strict::NOT_INSIDE));
    }
    let sandbox = Some(to_wire(&settings));
    Ok(SessionOptions { sandbox, ..arguments.options.options(worker) })
}

/// Is the way from the standard streams to a host.
fn stdio() -> Result<ExitCode, String> {
    let runtime = runtime()?;
    let result = runtime.block_on(async {
        if io::stdin().is_terminal() {
            let message = "standard input is a terminal, which garbles what goes through".into();
            return io::stdout().write_all(&encode(&ToClient::Error { message }, &[]));
        }
        let (input, output) = pty::stdio()?;
        tokio::select! {
            result = remote::serve_stdio(input, output) => result,
            result = pty::asked_to_end() => result,
        }
    });
    // A read of standard input may still be blocked in a thread of the runtime.
    runtime.shutdown_background();
    result.map(|()| ExitCode::SUCCESS).map_err(|error| error.to_string())
}

/// Lists the session of this name, or the next of this directory's that is free.
fn register_by_hand(
    name: Option<&SessionName>,
    options: &SessionOptions,
) -> Result<Registration, String> {
    let registry = Registry::open().map_err(|error| error.to_string())?;
    let first = match name {
        Some(name) => name.clone(),
        None => SessionName::of_directory(&directory()),
    };
    let is_made = name.is_none();
    let names = if is_made { 1..MOST_NUMBERED } else { 1..2 };
    for name in names.map(|n| first.numbered(n)) {
        match registry.register(record(name, None, options)) {
            Err(RegisterError::Taken) => {}
            Err(RegisterError::InTheWay { .. }) if is_made => {}
            result => return result.map_err(|error| error.to_string()),
        }
    }
    Err(format!("there is a session {first} already; `mcp-repl end {first}` ends it"))
}

/// Starts the host that is asked for in name spaces, where it outlives this process, and answers for it where it
/// can't be had.
fn in_name_spaces() -> Result<ExitCode, String> {
    let started = read_request().and_then(|(line, request)| {
        let name = request.name.to_string();
        let own = ["host", "--detached", "--session", &name, "--in-name-spaces"];
        host_in_name_spaces(&request.options, &own, &line)
    });
    match started {
        Ok(status) if status.success() => Ok(ExitCode::SUCCESS),
        // It was said.
        Ok(_) => Ok(ExitCode::FAILURE),
        Err(why) => {
            let _ = answer_with(&StartAnswer::Error(why));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Hosts a session for who started this process, and outlives that.
fn detached() -> Result<ExitCode, String> {
    // Before anything else: nothing of this process is to be found by who kills its starter's
    // children, and nothing may be shared with the process that is left behind.
    let detached = pty::detach().map_err(|error| format!("no process for a host: {error}"))?;
    pty::guard_sessions();
    let runtime = runtime();
    let prepared = runtime.as_ref().map_err(Clone::clone).and_then(|runtime| {
        let _in_the_loop = runtime.enter();
        prepare()
    });
    let answer = match &prepared {
        Ok(Some(_)) => StartAnswer::Registered(true),
        Ok(None) => StartAnswer::Taken(true),
        Err(why) => StartAnswer::Error(why.clone()),
    };
    // Who started it may be gone: the session ends by its grace then.
    let _ = answer_with(&answer);
    let (Ok(runtime), Ok(Some((config, registration, life)))) = (runtime, prepared) else {
        // It was said.
        return Ok(ExitCode::FAILURE);
    };
    detached.settle().map_err(|error| error.to_string())?;
    let result = runtime.block_on(run(config, registration, life));
    runtime.shutdown_background();
    result
}

/// What is asked for, and its line.
fn read_request() -> Result<(String, StartRequest), String> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .take(LONGEST_REQUEST)
        .read_line(&mut line)
        .map_err(|error| format!("the request can't be read: {error}"))?;
    let request = serde_json::from_str(&line)
        .map_err(|error| format!("the request can't be understood: {error}"))?;
    Ok((line, request))
}

/// Reads what is asked for, and lists the session; `None` when another of its name was faster.
fn prepare() -> Result<Option<(Config, Registration, Life)>, String> {
    let (_, request) = read_request()?;
    let registry = Registry::open().map_err(|error| error.to_string())?;
    // Nothing is made for nothing.
    if registry.find(&request.name).is_some() {
        return Ok(None);
    }
    let (config, life) = of_host(&request.options, &request.name.to_string())?;
    match registry.register(record(request.name, request.identity, &request.options)) {
        Ok(registration) => Ok(Some((config, registration, life))),
        Err(RegisterError::Taken) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn answer_with(answer: &StartAnswer) -> io::Result<()> {
    let line = serde_json::to_string(answer)? + "\n";
    let mut output = io::stdout().lock();
    output.write_all(line.as_bytes())?;
    output.flush()
}

async fn run(config: Config, registration: Registration, life: Life) -> Result<ExitCode, String> {
    let result = host::run(config, registration, life).await;
    result.map(|()| ExitCode::SUCCESS).map_err(|error| error.to_string())
}

fn record(name: SessionName, identity: Option<Identity>, options: &SessionOptions) -> Record {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Record {
        name,
        directory: directory().to_string_lossy().into_owned(),
        identity,
        host_pid: std::process::id(),
        started_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
        sandbox: on(options.sandbox.as_ref()).cloned(),
    }
}

/// The working directory; empty when that is gone, in which a session can work all the same.
fn directory() -> PathBuf {
    std::env::current_dir().unwrap_or_default()
}
