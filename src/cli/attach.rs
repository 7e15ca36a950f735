//! `mcp-repl attach`: a person joins a session, or starts one.

mod switch;

use std::{
    env,
    io::{self, IsTerminal, Write},
    iter,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, FromArgMatches};
use mcp_repl_control::{Attachments, Budget, Hello, MOST_TEXT, Open, Role, SessionOptions, Wanted};

use super::{
    WorkerArguments, elsewhere, ls, record_options::RELATIVE, runtime,
    session_options::SessionArguments, sessions, state::state_directory,
};
use crate::{
    attach::{self, Attachment, Draft, EditKeys, EscapeKey, Left},
    pty,
    registry::{Registry, SessionName},
    remote::{self, Opened, Place, Underway, sandbox::to_wire},
    sandbox::Mode,
    terminal,
};

/// How others are told of who attaches where the name of the account is not known.
const SOMEBODY: &str = "attach";
/// The longest name of an account that is told, in characters.
const LONGEST_NAME: usize = 32;
/// What is said when the person only looks on no longer.
const TAKES_PART: &str = "[repl] you take part again";
/// The most sessions of one directory.
const MOST_NUMBERED: usize = 10_000;

/// The arguments of `attach`.
#[derive(Debug, Args)]
pub(super) struct AttachArguments {
    /// The session. Without a name: the one there is; a choice, if there are several; a fresh one,
    /// if there is none.
    name: Option<SessionName>,
    /// Only look on: nothing that is typed reaches the session.
    #[arg(long, conflicts_with = "new")]
    observe: bool,
    /// Start a fresh session, of this name if one is given.
    #[arg(long)]
    new: bool,
    /// Show no pictures: only say where they are.
    #[arg(long)]
    no_pictures: bool,
    /// The key that is for this client whatever runs: `ctrl-a` to `ctrl-z`, `ctrl-\`, `ctrl-]`, `ctrl-^`,
    /// or `none`.
    #[arg(long, value_name = "KEY", env = "MCP_REPL_ESCAPE", default_value = "ctrl-]")]
    escape_key: EscapeKey,
    /// Show no status: which session it is, how things stand, who is there.
    #[arg(long)]
    no_status: bool,
    /// The keys of the line editor: `emacs` or `vi`.
    #[arg(long, value_name = "KEYS", env = "MCP_REPL_KEYS", default_value = "emacs")]
    keys: EditKeys,
    #[command(flatten)]
    pub(super) options: SessionArguments,
}

/// Has the person take part in a fresh session that runs with these options.
pub(super) fn fresh(
    options: SessionArguments,
    worker: &WorkerArguments,
    command: &clap::Command,
) -> Result<ExitCode, String> {
    let mut arguments = defaults(command)?;
    (arguments.new, arguments.options) = (true, options);
    attach(&Place::Here, &arguments, worker, (&arguments, worker))
}

/// The arguments where none is given.
fn defaults(command: &clap::Command) -> Result<AttachArguments, String> {
    let attach = command.find_subcommand("attach").cloned().unwrap_or_default();
    let matches = attach.no_binary_name(true).try_get_matches_from::<_, &str>([]);
    let matches = matches.map_err(|error| error.to_string())?;
    AttachArguments::from_arg_matches(&matches).map_err(|error| error.to_string())
}

/// Which session it is to be.
enum Choice {
    /// One that lives.
    Living(SessionName),
    /// A fresh one, of this name or one made of the directory's.
    Fresh(Option<SessionName>),
}

/// Has the person take part in the session. What `asked` does not say itself, files or nobody does: that
/// is for a fresh session, and none of a session that lives is asked to be so.
pub(super) fn attach(
    place: &Place,
    arguments: &AttachArguments,
    worker: &WorkerArguments,
    asked: (&AttachArguments, &WorkerArguments),
) -> Result<ExitCode, String> {
    let (AttachArguments { options: asked, .. }, asked_worker) = asked;
    check_terminal(arguments.observe)?;
    // Before any thread is started.
    pty::guard_terminal();
    let record = &arguments.options.record;
    if *place != Place::Here && record.is_relative() {
        return Err(RELATIVE.into());
    }
    let settings = arguments.options.sandbox.settings(Mode::Off, place)?;
    let mut options = arguments.options.options(worker);
    options.sandbox = Some(to_wire(&settings));
    let choice = match (&arguments.name, arguments.new) {
        (name, true) => Choice::Fresh(name.clone()),
        (Some(name), false) => Choice::Living(name.clone()),
        (None, false) => choose(place)?,
    };
    if arguments.observe && matches!(choice, Choice::Fresh(_)) {
        return Err("there is no session to look on".into());
    }
    if asked_worker.is_given()
        && let Choice::Living(name) = &choice
    {
        return Err(format!(
            "--python, --worker and --run are for a fresh session, and {name} lives; --new starts one"
        ));
    }
    if asked.record.is_given()
        && let Choice::Living(name) = &choice
    {
        return Err(format!(
            "--record is for a fresh session, which is recorded from its start, and {name} lives; \
             --new starts one"
        ));
    }
    if arguments.observe && asked.size.is_some() {
        return Err("who only looks on (--observe) can't say the size (--size)".into());
    }
    let role = if arguments.observe { Role::Observer } else { Role::Client };
    let runtime = runtime()?;
    let result = runtime.block_on(async {
        let (opened, is_own) = match choice {
            Choice::Living(name) => {
                let wanted = Wanted::Named { name: name.to_string(), start: false };
                let sandbox = options.sandbox.filter(|_| asked.sandbox.is_given());
                let options = SessionOptions { sandbox, ..SessionOptions::default() };
                let keep_ms = asked.options(asked_worker).keep_ms;
                (open(place, Open { wanted, options, hello: hello(role, keep_ms) }).await?, false)
            }
            Choice::Fresh(name) => (start(place, name, options).await?, true),
        };
        let mut attachment = Attachment {
            handle: opened.handle,
            name: opened.welcome.session,
            client: person(),
            is_own,
            observes: arguments.observe,
            pictures: !arguments.no_pictures,
            history: history_file(),
            escape: arguments.escape_key,
            has_status: !arguments.no_status && terminal::can_show(),
            keys: arguments.keys,
            draft: Draft::default(),
            pin: asked.size.filter(|_| !is_own),
        };
        let mut connection = opened.connection;
        let left = loop {
            let left = match terminal::can_show() {
                true => attach::attach(&mut attachment).await,
                false => attach::attach_plain(&attachment).await,
            };
            let left = left.map_err(|error| error.to_string())?;
            let name = match left {
                Left::Rejoins { observes } => {
                    attachment.observes = observes;
                    if !observes {
                        say(TAKES_PART);
                    }
                    attachment.name.clone()
                }
                Left::Lists => match switch::choose(place, &attachment.name).await? {
                    Some(name) => {
                        attachment.is_own = false;
                        name.to_string()
                    }
                    None => continue,
                },
                left => break left,
            };
            let role = if attachment.observes { Role::Observer } else { Role::Client };
            let wanted = Wanted::Named { name, start: false };
            let options = SessionOptions::default();
            let opened = open(place, Open { wanted, options, hello: hello(role, None) }).await?;
            // The one before is left once this one is there: a session is not without anybody meanwhile.
            (attachment.handle, attachment.name) = (opened.handle, opened.welcome.session);
            connection = opened.connection;
        };
        let name = &attachment.name;
        match left {
            // The loop takes the other two.
            Left::Detached | Left::Rejoins { .. } | Left::Lists => {
                say(&format!("[repl] detached; the session goes on: mcp-repl attach {name}"));
                Ok(ExitCode::SUCCESS)
            }
            Left::Ended { status } => {
                connection.ended().await;
                Ok(ExitCode::from(status))
            }
            Left::Gone => {
                let end = connection.ended().await;
                Err(format!("the session {name} is gone: {end}"))
            }
            Left::Asked { signal } => {
                Ok(pty::killed_status(signal).map_or(ExitCode::FAILURE, ExitCode::from))
            }
        }
    });
    // A read of the terminal may still be blocked in a thread of the runtime.
    runtime.shutdown_background();
    result
}

/// Whether a person can use the terminal that this process is on.
fn check_terminal(observes: bool) -> Result<(), String> {
    let streams = [
        ("standard input", io::stdin().is_terminal()),
        ("standard output", io::stdout().is_terminal()),
        ("standard error", io::stderr().is_terminal()),
    ];
    if let Some((name, _)) = streams.iter().find(|(_, is_terminal)| !is_terminal) {
        return Err(format!(
            "attach needs a terminal, and {name} is none; `mcp-repl exec --session NAME` runs cells \
             without one"
        ));
    }
    if observes && !terminal::can_show() {
        return Err(
            "--observe needs a terminal that can move its cursor, and TERM says that this one \
                    can't"
                .into(),
        );
    }
    Ok(())
}

/// The one session there is, or the person's choice.
fn choose(place: &Place) -> Result<Choice, String> {
    let listed = runtime()?.block_on(list(place))?;
    match &*listed {
        [] => return Ok(Choice::Fresh(None)),
        [(only, _)] => return Ok(Choice::Living(only.clone())),
        _ => {}
    }
    for (n, (_, line)) in listed.iter().enumerate() {
        say(&format!("{:>3}  {line}", n + 1));
    }
    loop {
        ask(&format!("Which one? 1 to {}, or a name: ", listed.len()));
        let mut answer = String::new();
        let length = io::stdin().read_line(&mut answer).map_err(|error| error.to_string())?;
        let answer = answer.trim();
        if length == 0 {
            return Err("no session was chosen".into());
        }
        if let Some(name) = chosen(&listed, answer) {
            return Ok(Choice::Living(name));
        }
    }
}

/// The sessions there, each with a line that says what it is.
async fn list(place: &Place) -> Result<Vec<(SessionName, String)>, String> {
    match place {
        Place::Here => {
            let registry = Registry::open().map_err(|error| error.to_string())?;
            let listed = sessions::all(&registry).await;
            let one =
                |listed: &sessions::Listed| (listed.entry.record().name.clone(), ls::line(listed));
            Ok(listed.iter().map(one).collect())
        }
        Place::Via(via) => {
            let via = via.clone();
            let listing = tokio::task::spawn_blocking(move || elsewhere::list(&via));
            listing.await.map_err(|error| error.to_string())?
        }
    }
}

/// The session of a list that an answer names, by its number from 1 or its name.
fn chosen(listed: &[(SessionName, String)], answer: &str) -> Option<SessionName> {
    let by_number = answer.parse::<usize>().ok().and_then(|n| listed.get(n.wrapping_sub(1)));
    let by_name = || listed.iter().find(|(name, _)| name.to_string() == answer);
    by_number.or_else(by_name).map(|(name, _)| name.clone())
}

async fn open(place: &Place, open: Open) -> Result<Opened, String> {
    remote::open(place, open, &Underway::default()).await.map_err(|error| error.to_string())
}

/// Starts a session.
async fn start(
    place: &Place,
    name: Option<SessionName>,
    options: SessionOptions,
) -> Result<Opened, String> {
    let keep_ms = options.keep_ms;
    let started = async |name: &SessionName| {
        let wanted = Wanted::Named { name: name.to_string(), start: true };
        let hello = hello(Role::Client, keep_ms);
        open(place, Open { wanted, options: options.clone(), hello }).await
    };
    let is_fresh = |opened: &Opened| !opened.welcome.had_clients;
    if let Some(name) = name {
        let opened = started(&name).await?;
        return match is_fresh(&opened) {
            true => Ok(opened),
            false => Err(format!("there is a session {name} already; without --new it is joined")),
        };
    }
    let directory = env::current_dir()
        .map_err(|error| format!("the working directory can't be found: {error}"))?;
    let first = SessionName::of_directory(Path::new(&directory));
    let registry = match place {
        Place::Here => Some(Registry::open().map_err(|error| error.to_string())?),
        Place::Via(_) => None,
    };
    for name in (1..MOST_NUMBERED).map(|n| first.numbered(n)) {
        if registry.as_ref().is_some_and(|registry| registry.find(&name).is_some()) {
            continue;
        }
        // Another may be faster.
        let opened = started(&name).await?;
        if is_fresh(&opened) {
            return Ok(opened);
        }
    }
    Err(format!("there are {MOST_NUMBERED} sessions of this directory"))
}

fn hello(role: Role, keep_ms: Option<u64>) -> Hello {
    Hello {
        budget: Some(Budget { text: MOST_TEXT, attachments: Attachments::Named }),
        keep_ms,
        ..Hello::new(role, person())
    }
}

/// How others are told of who attaches: by the name of the account.
fn person() -> String {
    let variables = ["USER", "LOGNAME"].into_iter().filter_map(|variable| env::var(variable).ok());
    // The system is asked only where they say nothing.
    name_of(variables.chain(iter::once_with(pty::user_name).flatten()))
}

/// The first of these names that can be shown.
fn name_of(mut names: impl Iterator<Item = String>) -> String {
    let can_be_shown = |name: &String| {
        let is_plain = |c: char| c.is_alphanumeric() || "-_.@+".contains(c);
        !name.is_empty() && name.chars().all(is_plain) && name.chars().count() <= LONGEST_NAME
    };
    names.find(can_be_shown).unwrap_or_else(|| SOMEBODY.to_owned())
}

/// Where the history of cells is kept; `None` where there is no place for it.
fn history_file() -> Option<PathBuf> {
    let directory = state_directory()?;
    std::fs::create_dir_all(directory.parent()?).ok()?;
    // It may be there already.
    let _ = pty::create_private_directory(&directory);
    pty::keep_private(&directory).ok()?;
    let file = directory.join("history");
    pty::open_or_create_own_file(&file).ok()?;
    Some(file)
}

fn say(line: &str) {
    ask(&format!("{line}\n"));
}

fn ask(text: &str) {
    // The terminal may be gone, which must not be a panic.
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_attaches_is_called_as_the_account_is() {
        let long = "x".repeat(LONGEST_NAME + 1);
        for (names, name) in [
            (&["ann", "bob"][..], "ann"),
            (&["", "bob"], "bob"),
            (&["a b", "\u{1b}[1m", "é.m@x-1"], "é.m@x-1"),
            (&[&long], "attach"),
            (&[], "attach"),
        ] {
            assert_eq!(name_of(names.iter().map(ToString::to_string)), name, "{names:?}");
        }
    }
}
