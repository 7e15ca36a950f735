//! The command line: arguments, and one file a subcommand.

mod attach;
mod completions;
mod config;
mod doctor;
mod elsewhere;
mod end;
mod events;
mod exec;
mod host;
mod install;
mod limit_options;
mod ls;
mod man;
mod record;
mod record_options;
#[cfg(test)]
mod reference;
mod replay;
mod sandbox_options;
mod serve;
mod session_options;
mod sessions;
mod settings;
mod skill;
mod state;
mod verify;
mod via;

use std::{ffi::OsString, io::Write, path::PathBuf, process::ExitCode};

use clap::{Arg, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use mcp_repl_sideband::PictureLimit;

use self::{
    sandbox_options::SandboxArguments,
    serve::{ClientOptions, Sessioning},
    session_options::{GRACE, SessionArguments},
    settings::{NotInUse, WithFiles},
    via::ViaArguments,
};
use crate::{
    mcp::OnCancel,
    registry::SessionName,
    remote::Place,
    reply::{AttachmentRoom, BUDGET, Budget},
    sandbox::Mode,
    session::{
        client::Handle,
        engine::{self, Config},
        launch::{RuntimeDirectory, Target, python::PythonSearch},
        rules::state::Paging,
    },
    terminal,
};

/// One live Python terminal session for an agent (over MCP) and a person.
///
/// Without a subcommand, serves one MCP client over standard input and output.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(flatten)]
    worker: WorkerArguments,
    #[command(flatten)]
    session: SessionArguments,
    /// How many characters of text a reply holds. What is longer is shortened in its middle, and
    /// all of it is in a file that the reply names. Further polls of a cell that still runs give a
    /// quarter of that.
    #[arg(long, value_name = "CHARACTERS", default_value_t = BUDGET, value_parser = reply_size)]
    reply_size: usize,
    /// What a call that the client cancels does to its cell: `interrupt` it, or let it
    /// `continue`. Without it, those cancels interrupt that are the user's wish.
    #[arg(long, value_name = "HOW", value_parser = on_cancel)]
    on_cancel: Option<OnCancel>,
    /// What a reply has of pictures: the picture itself and its file's name (`inline`), or the
    /// name alone (`file`), for clients and models that take no pictures.
    #[arg(long, value_name = "HOW", default_value = "inline", value_parser = images)]
    images: AttachmentRoom,
    /// The name of the session: joins the one that lives, else starts it. Calls may name others.
    ///
    /// Without it, the session that waits for this client in this directory is gone on with, else
    /// one is started, and named by the directory.
    #[arg(long = "session", value_name = "NAME")]
    name: Option<SessionName>,
    /// How many sessions the client may have at a time.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = max_sessions)]
    max_sessions: usize,
    #[command(flatten)]
    via: ViaArguments,
    #[command(flatten)]
    drop_in: DropInArguments,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take part in a session at this terminal, or start one: a Python prompt that an agent can share.
    Attach(Box<attach::AttachArguments>),
    /// Run cells in a fresh session, or in one that lives, and print what they print.
    Exec(exec::ExecArguments),
    /// Show which Python is chosen and whether a session with it works.
    Doctor,
    /// List the sessions that live.
    Ls(ls::LsArguments),
    /// End sessions, whoever uses them.
    End(end::EndArguments),
    /// Record a fresh session: cells that are sent to it, or a person in it.
    Record(record::RecordCommand),
    /// Play a recording of a terminal, or show what it shows: as a picture, or as text.
    ///
    /// Where it is played, space pauses and goes on, `.` steps while paused, `]` and `[` go to the next
    /// marker and back, and `q` ends.
    Replay(replay::ReplayArguments),
    /// Replay recorded sessions, run scripts, and compare what they give with what is expected.
    Verify(verify::VerifyArguments),
    /// Print what happens in a session as JSON lines, for status bars and scripts.
    Events(events::EventsArguments),
    /// Host a session that others connect to.
    Host(Box<host::HostArguments>),
    /// Print which settings hold, and where each stands: in an option, a variable or a file.
    ///
    /// They are those of the server, and of its command line where that is given in front: `mcp-repl --pager
    /// page config`.
    Config(config::ConfigArguments),
    /// Put the server into the configurations of the clients on this machine.
    Install(install::InstallArguments),
    /// Take the server out of the configurations of clients again.
    Uninstall(install::UninstallArguments),
    /// Print a skill for agents: how to work in the session, as a SKILL.md that clients read.
    Skill,
    /// Print what a shell reads to complete this command line.
    Completions(completions::CompletionsArguments),
    /// Write the manual pages into a directory.
    Man(man::ManArguments),
}

impl Command {
    /// Whether it uses a session of another process.
    fn is_client(&self) -> bool {
        match self {
            Command::Attach(_) | Command::Events(_) | Command::Ls(_) | Command::End(_) => true,
            Command::Exec(exec) => exec.session.is_some(),
            _ => false,
        }
    }
}

/// What runs in the session.
#[derive(Debug, Args)]
struct WorkerArguments {
    /// The Python to run: a path, or a name on PATH.
    ///
    /// Without it: MCP_REPL_PYTHON, else `python` in a configuration file, else the nearest .venv
    /// from here upward, else VIRTUAL_ENV, else CONDA_PREFIX, else the virtual environment that mcp-repl was installed into with pip,
    /// else python3, else python on PATH.
    #[arg(long, global = true, value_name = "PATH")]
    python: Option<PathBuf>,
    /// The place of a file where that stands.
    #[arg(skip)]
    python_from: Option<String>,
    /// A program that speaks the sideband protocol (docs/sideband.md), in place of Python.
    #[arg(long, global = true, value_name = "COMMAND", conflicts_with = "python")]
    worker: Option<String>,
    /// Any program, in place of Python: it runs from the start, what is sent is typed for it, and its
    /// end is the session's. The command is split into words as by a shell; for more, let it be
    /// `sh -c '...'`.
    #[arg(long, global = true, value_name = "COMMAND", conflicts_with_all = ["python", "worker"])]
    run: Option<String>,
}

/// Options that configurations of other REPL servers contain.
#[derive(Debug, Args)]
struct DropInArguments {
    #[arg(long, value_name = "NAME", value_parser = interpreter, hide = true)]
    interpreter: Option<String>,
    #[arg(long, value_name = "HOW", value_parser = oversized_output, hide = true)]
    oversized_output: Option<String>,
}

fn paging(value: &str) -> Result<Paging, String> {
    match value {
        "through" => Ok(Paging::Through),
        "page" => Ok(Paging::Page),
        "plain" => Ok(Paging::Plain),
        _ => Err("it is one of `through`, `page` and `plain`".into()),
    }
}

fn on_cancel(value: &str) -> Result<OnCancel, String> {
    match value {
        "interrupt" => Ok(OnCancel::Interrupt),
        "continue" => Ok(OnCancel::Continue),
        _ => Err("it is one of `interrupt` and `continue`".into()),
    }
}

/// A number of bytes; units are powers of 1024.
fn size(value: &str) -> Result<u64, String> {
    let digits = value.len() - value.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = value.split_at(digits);
    let shift = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => Some(0),
        "k" | "kb" | "kib" => Some(10),
        "m" | "mb" | "mib" => Some(20),
        "g" | "gb" | "gib" => Some(30),
        "t" | "tb" | "tib" => Some(40),
        _ => None,
    };
    let bytes = shift.and_then(|shift| number.parse::<u64>().ok()?.checked_mul(1 << shift));
    bytes.ok_or_else(|| "it is a number of bytes, or one with a unit: `500M`, `2GiB`".into())
}

fn max_sessions(value: &str) -> Result<usize, String> {
    let count = value.parse().ok().filter(|count| (1..=1000).contains(count));
    count.ok_or_else(|| "it is a number, 1 to 1000".into())
}

/// Less would not hold a traceback, and no client takes more.
fn reply_size(value: &str) -> Result<usize, String> {
    let wrong = || "it is a number of characters, 1000 to 1000000".to_owned();
    let size = value.parse().map_err(|_| wrong())?;
    if (1_000..=1_000_000).contains(&size) { Ok(size) } else { Err(wrong()) }
}

fn images(value: &str) -> Result<AttachmentRoom, String> {
    match value {
        "inline" => Ok(AttachmentRoom::default()),
        "file" => Ok(AttachmentRoom::NAMES),
        _ => Err("it is one of `inline` and `file`".into()),
    }
}

/// The longer side that models take as it is, in pixels (Claude's documentation, "Vision"), and the
/// most that a picture may have.
const LONGEST_EDGE: u32 = 1568;
/// The most pixels that are advised there.
const LARGEST_AREA: u32 = 1_150_000;
/// On fewer pixels nothing can be read.
const SHORTEST_EDGE: u32 = 100;

fn image_size(value: &str) -> Result<u32, String> {
    let wrong = || format!("it is a number of pixels, {SHORTEST_EDGE} to {LONGEST_EDGE}");
    let edge = value.parse().map_err(|_| wrong())?;
    if (SHORTEST_EDGE..=LONGEST_EDGE).contains(&edge) { Ok(edge) } else { Err(wrong()) }
}

/// The limit of pictures whose longer side has so many pixels.
fn picture_limit(edge: u32) -> PictureLimit {
    let [edge_squared, longest_squared] =
        [edge, LONGEST_EDGE].map(|edge| u64::from(edge) * u64::from(edge));
    let area = u64::from(LARGEST_AREA) * edge_squared / longest_squared;
    PictureLimit { edge, area: u32::try_from(area).unwrap_or(LARGEST_AREA) }
}

fn interpreter(value: &str) -> Result<String, String> {
    accept(value, "python", "the only interpreter is `python`")
}

fn oversized_output(value: &str) -> Result<String, String> {
    accept(
        value,
        "files",
        "only `files` is built: a reply that is too long keeps its head and tail and names the \
         file that holds all of it",
    )
}

fn accept(value: &str, known: &str, otherwise: &str) -> Result<String, String> {
    if value == known { Ok(value.to_owned()) } else { Err(otherwise.to_owned()) }
}

/// The command line as clap takes it.
fn command_line() -> clap::Command {
    let mut command = Arguments::command();
    // Options of all that mean nothing there: each says so when it is used, and helps nobody before.
    let elsewhere = ["via", "via_install"];
    let not_of_doctor = ["run", "via", "via_install"];
    let worker = ["python", "worker", "run"];
    let all = ["python", "worker", "run", "via", "via_install"];
    let of_server: Vec<Arg> = command.get_arguments().cloned().collect();
    for (name, hidden) in [
        ("ls", &all[..]),
        ("end", &all),
        ("events", &worker),
        ("replay", &all),
        ("doctor", &not_of_doctor),
        ("host", &elsewhere),
        ("install", &all),
        ("uninstall", &all),
        ("skill", &all),
        ("completions", &all),
        ("man", &all),
    ] {
        let is_hidden = |argument: &&Arg| hidden.contains(&argument.get_id().as_str());
        let hidden: Vec<Arg> = command.get_arguments().filter(is_hidden).cloned().collect();
        command = command.mut_subcommand(name, |subcommand| {
            subcommand.args(hidden.into_iter().map(|argument| argument.hide(true)))
        });
    }
    let of_all = of_server.into_iter().filter(Arg::is_global_set);
    let hidden: Vec<Arg> = of_all.map(|argument| argument.global(false).hide(true)).collect();
    command = command.mut_subcommand("config", |config| {
        config.mut_subcommand("trust", |trust| trust.args(hidden))
    });
    command = command.mut_subcommand("record", |record| {
        record.mut_arg("record_format", |format| format.visible_alias("format"))
    });
    // As in a shell's `${MCP_REPL_GRACE:-10m}`.
    if std::env::var_os(GRACE).is_some_and(|grace| grace.is_empty()) {
        let unset = |grace: Arg| grace.env(None::<&str>);
        command = command.mut_arg("grace", unset);
        command = command.mut_subcommand("host", |host| host.mut_arg("grace", unset));
    }
    command
}

impl WorkerArguments {
    /// Whether it is said what is to run.
    fn is_given(&self) -> bool {
        self.python.is_some() || self.worker.is_some() || self.run.is_some()
    }

    fn target(&self) -> Result<Target, String> {
        match (&self.worker, &self.run) {
            (Some(command), _) => {
                words("--worker", command).map(|(file, arguments)| Target::Custom(file, arguments))
            }
            (None, Some(command)) => {
                words("--run", command).map(|(file, arguments)| Target::Program(file, arguments))
            }
            (None, None) => Ok(Target::Python(PythonSearch {
                option_from: self.python_from.clone(),
                ..PythonSearch::of_process(self.python.clone())
            })),
        }
    }
}

/// The program that an option's value names, and its arguments.
fn words(option: &str, command: &str) -> Result<(PathBuf, Vec<OsString>), String> {
    let mut words = crate::words::split(command)
        .map_err(|error| format!("{option} {command:?} can't be split into words: {error}"))?
        .into_iter();
    let file = words.next().filter(|file| !file.is_empty());
    let file = file.ok_or_else(|| format!("{option} names no program"))?;
    Ok((file.into(), words.map(OsString::from).collect()))
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    crate::pty::unblock_signals();
    let matches = command_line().get_matches();
    let given = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    run(&matches, &given).unwrap_or_else(|why| {
        // Standard error may be closed, which must not be a panic.
        let _ = writeln!(std::io::stderr(), "mcp-repl: {why}");
        ExitCode::from(2)
    })
}

/// What a command is told of the sandbox of its sessions, and the mode that they have where nothing is said;
/// `None` for commands that have none.
fn sandbox_of(arguments: &Arguments) -> Option<(&SandboxArguments, Mode)> {
    match &arguments.command {
        None => Some((&arguments.session.sandbox, sandbox_options::OF_SERVER)),
        Some(Command::Attach(attach)) => Some((&attach.options.sandbox, Mode::Off)),
        Some(Command::Exec(exec)) => Some((&exec.sandbox, Mode::Off)),
        Some(Command::Host(host)) => Some((&host.options.sandbox, Mode::Off)),
        Some(Command::Verify(verify)) => Some((&verify.sandbox, Mode::Off)),
        Some(Command::Record(record)) => Some((&record.sandbox, Mode::Off)),
        Some(_) => None,
    }
}

/// Does what is said on the command line, and beneath it in files.
fn run(matches: &ArgMatches, given: &Arguments) -> Result<ExitCode, String> {
    let WithFiles { command, arguments, not_in_use, found } =
        WithFiles::beneath(command_line(), matches, given)?;
    if !matches!(arguments.command, Some(Command::Doctor)) {
        for one in &not_in_use {
            let _ = writeln!(std::io::stderr(), "mcp-repl: {one}");
        }
    }
    let asked_sandbox = sandbox_of(given);
    if let (Some((asked, _)), Some((holds, default))) = (asked_sandbox, sandbox_of(&arguments)) {
        asked.check(holds, default)?;
    }
    let asks_sandbox = asked_sandbox.is_some_and(|(asked, _)| asked.is_given());
    let place = arguments
        .via
        .place()
        .and_then(|place| Sessioning::new(place, &arguments.session, &arguments.worker));
    // A host sees to that itself, in the process that it goes on in; the others hold no session.
    let holds_sessions = match &arguments.command {
        // Or commands that lead to some, which the kernel has in sessions of theirs.
        _ if arguments.via.is_given() => true,
        None => matches!(place, Ok(Sessioning::InProcess { .. })),
        Some(Command::Exec(exec)) => exec.session.is_none(),
        Some(Command::Doctor) => true,
        Some(Command::Record(record)) => !record.cells.is_empty() || record.script.is_some(),
        Some(
            Command::Attach(_)
            | Command::Host(_)
            | Command::Ls(_)
            | Command::End(_)
            | Command::Replay(_)
            | Command::Events(_)
            | Command::Config(_)
            | Command::Install(_)
            | Command::Uninstall(_)
            | Command::Skill
            | Command::Completions(_)
            | Command::Man(_),
        ) => false,
        Some(Command::Verify(verify)) => verify.holds_sessions(),
    };
    if holds_sessions {
        crate::pty::guard_sessions();
    }
    match &arguments.command {
        None => arguments.worker.target().and_then(|target| {
            let SessionArguments { pager, max_output_disk, image_size, size, limits, .. } =
                arguments.session;
            let options = ClientOptions {
                pager,
                budget: Budget { text: arguments.reply_size, attachments: arguments.images },
                pictures: picture_limit(image_size),
                max_output_disk,
                record: arguments.session.record.clone(),
                size,
                limits: limits.limits(),
                on_cancel: arguments.on_cancel.unwrap_or_default(),
                session: arguments.name,
                max_sessions: arguments.max_sessions,
            };
            let news = not_in_use.iter().map(NotInUse::notice).collect();
            serve::serve(target, options, place?, news)
        }),
        _ if arguments.via.is_given() && arguments.session.record.is_relative() => {
            Err(record_options::RELATIVE.into())
        }
        Some(Command::Config(wanted)) => config::config(wanted, &command, matches, given),
        Some(command) if arguments.via.is_given() && !command.is_client() => {
            Err("--via is for the server, `attach`, `events`, `ls`, `end` and `exec --session`; others \
                 are run there, as in `ssh gpu mcp-repl doctor`"
                .into())
        }
        Some(Command::Attach(attach)) => {
            let place = arguments.via.place();
            let asked = match &given.command {
                Some(Command::Attach(asked)) => asked,
                _ => attach,
            };
            let asked = (&**asked, &given.worker);
            place.and_then(|place| attach::attach(&place, attach, &arguments.worker, asked))
        }
        Some(Command::Exec(exec)) if exec.session.is_some() && arguments.worker.is_given() => {
            Err("--python, --worker and --run are for a fresh session, and --session names one \
                 that lives"
                .into())
        }
        Some(Command::Exec(exec)) => {
            let target = arguments.worker.target();
            target.and_then(|target| exec::exec(target, exec, &arguments.via.place()?, asks_sandbox))
        }
        Some(Command::Doctor) if arguments.worker.run.is_some() => {
            Err("doctor looks at Python and at workers; `mcp-repl exec --run` tries a program"
                .into())
        }
        Some(Command::Doctor) => {
            let python = given.worker.python.as_deref();
            let target = arguments.worker.target();
            target.and_then(|target| doctor::doctor(&target, python, found.as_ref(), &not_in_use))
        }
        Some(Command::Record(record)) => record.is_for_person().and_then(|is_for_person| {
            if is_for_person {
                let (sandbox, place) = (record.sandbox.clone(), record.place()?);
                let options = SessionArguments { record: place, sandbox, ..arguments.session };
                return attach::fresh(options, &arguments.worker, &command);
            }
            let run = arguments.worker.run.as_deref();
            arguments.worker.target().and_then(|target| record::record(target, run, record))
        }),
        Some(Command::Ls(ls)) => arguments.via.place().and_then(|place| match place {
            Place::Here => ls::ls(ls),
            Place::Via(via) => elsewhere::run(&via, &ls.words()),
        }),
        Some(Command::End(end)) => arguments.via.place().and_then(|place| match place {
            Place::Here => end::end(end),
            Place::Via(via) => elsewhere::run(&via, &end.words()),
        }),
        Some(Command::Replay(arguments)) => replay::replay(arguments),
        Some(Command::Verify(verify)) => verify::verify(verify, &arguments.worker),
        Some(Command::Events(events)) => {
            arguments.via.place().and_then(|place| events::events(&place, events))
        }
        Some(Command::Install(_) | Command::Uninstall(_)) if arguments.worker.is_given() => {
            Err("--python, --worker and --run of the server stand behind `--`: `mcp-repl install claude \
                 -- --python .venv/bin/python`"
                .into())
        }
        Some(Command::Install(wanted)) => install::install(wanted),
        Some(Command::Uninstall(unwanted)) => install::uninstall(unwanted),
        Some(Command::Skill) => skill::skill(),
        Some(Command::Completions(wanted)) => completions::completions(wanted),
        Some(Command::Man(wanted)) => man::man(wanted),
        Some(Command::Host(host)) => host::host(&arguments.worker, host),
    }
}

/// Prints this to standard output. A reader that is gone wants no more of it.
fn print(bytes: &[u8]) -> Result<ExitCode, String> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(format!("standard output: {error}"))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// How many files must be left to open: the event loop takes half of them, and panics where it
/// gets none; a session takes the others.
const LEAST_DESCRIPTORS: usize = 16;

fn check_descriptors() -> Result<(), String> {
    let pipes = (0..LEAST_DESCRIPTORS / 2).map(|_| std::io::pipe());
    pipes.collect::<Result<Vec<_>, _>>().map(drop).map_err(|error| {
        format!("{LEAST_DESCRIPTORS} more open files are needed (`ulimit -n`): {error}")
    })
}

/// A runtime of one thread: the latency of a call is not worth a hand-over between threads.
fn runtime() -> Result<tokio::runtime::Runtime, String> {
    check_descriptors()?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no event loop: {error}"))
}

/// What a session of this process runs, in a runtime directory of its own.
fn config(target: Target, paging: Paging, budget: impl Into<Budget>) -> Result<Config, String> {
    check_descriptors()?;
    let runtime =
        RuntimeDirectory::new().map_err(|error| format!("no private directory: {error}"))?;
    Ok(Config { paging, budget: budget.into(), ..Config::new(target, runtime) })
}

/// Runs a session beside its client, and ends it in good order when the client is done.
fn with_session<T>(
    config: Config,
    client: impl AsyncFnOnce(Handle) -> Result<T, String>,
) -> Result<T, String> {
    let runtime = runtime()?;
    let result = runtime.block_on(async {
        let (session, engine) = engine::start(config).map_err(|error| error.to_string())?;
        let result = client(session.clone()).await;
        session.shutdown();
        // The task ends by itself; only a panic in it is an error, which it has told.
        let _ = engine.await;
        result
    });
    // A read of standard input may still be blocked in a thread of the runtime.
    runtime.shutdown_background();
    result
}
