//! Finds the session that is wanted, or starts it, and connects to its host.

use std::{
    cmp::Reverse,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mcp_repl_control::{Hello, Identity, Open, Sandbox, SessionOptions, ToHost, Wanted};

use super::{
    connection::{ConnectError, Entered, Opened, enter},
    sandbox,
    via::{Launcher, Link, ViaCommand, ViaError},
};
use crate::{
    pty::{StdinStream, StdoutStream},
    registry::{
        Entry, NameError, Registry, RegistryError, SessionName, StartError, Started, VARIABLE,
        start_host,
    },
};

/// How long a host may take to let a client in: it answers at once, whatever its session does.
const ANSWER: Duration = Duration::from_secs(5);
/// How often a session is looked for that is gone again each time.
const MOST_TRIES: usize = 100;
/// The most sessions of one directory.
const MOST_NUMBERED: usize = 10_000;
/// How many hosts are started for one client that each end before they have let it in.
const MOST_STARTS: usize = 20;

/// Where a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On this machine, of this user.
    Here,
    /// Where a command leads.
    Via(ViaCommand),
}

impl Place {
    /// What a person runs, where this process is, to come to a session there, in front of its name.
    pub fn attach_command(&self) -> String {
        let attach = "mcp-repl attach".to_owned();
        match self {
            Place::Here => match std::env::var(VARIABLE) {
                // Their own shell may have another one.
                Ok(place) if !place.is_empty() => {
                    format!("{}={} {attach}", VARIABLE, shell_words::quote(&place))
                }
                _ => attach,
            },
            Place::Via(via) => format!("{attach} --via {}", shell_words::quote(&via.to_string())),
        }
    }
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The sessions can't be listed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// What is wanted is no name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is none of this name, and none was to be started.
    #[error("there is no session {name:?}; {}", listed(there))]
    Unknown {
        /// The name.
        name: String,
        /// Those there are.
        there: Vec<String>,
    },
    /// It can't be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Its host can't be connected to.
    #[error("the session {name:?}: {error}")]
    Connect {
        /// The session.
        name: String,
        /// Why.
        error: ConnectError,
    },
    /// Its host says nothing.
    #[error(
        "the host of the session {name:?} does not answer; if it never does, `mcp-repl end {name}` ends \
         it, and what is in it"
    )]
    Silent {
        /// The session.
        name: String,
    },
    /// It allows more than was asked for.
    #[error(
        "the session {name:?} is there already and allows more: {looser}; take another name, or end that \
         one by `mcp-repl end {name}`"
    )]
    Looser {
        /// The session.
        name: String,
        /// In what.
        looser: String,
    },
    /// Its host does not say that it keeps the sandbox that was asked for.
    #[error(
        "the mcp-repl {version} where `{command}` leads does not keep the sandbox that is asked for: {looser}. \
         Install the version of here there, or add `--via-install` here, which puts this binary there; \
         `--sandbox off` does without one"
    )]
    NotKept {
        /// The command that leads there.
        command: String,
        /// The version of the host.
        version: String,
        /// In what the session allows more.
        looser: String,
    },
    /// The command that leads there does not.
    #[error(transparent)]
    Via(#[from] ViaError),
    /// Each time it was found it was gone.
    #[error("the session {name:?} ended each time it was found")]
    Gone {
        /// The session.
        name: String,
    },
}

impl OpenError {
    /// Whether it says something of the session, rather than that nobody could be asked.
    pub fn is_of_session(&self) -> bool {
        match self {
            OpenError::Via(error) => matches!(error, ViaError::Refused { .. }),
            // What is in it may be had again.
            OpenError::Silent { .. } => false,
            _ => true,
        }
    }
}

/// What a session waits for that is being opened. Clones are of the same one.
#[derive(Debug, Clone, Default)]
pub struct Underway(Arc<Mutex<Option<Launcher>>>);

impl Underway {
    fn set(&self, launcher: Launcher) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(launcher);
    }

    /// The command that leads there and what it has said, in words; `None` where there is none.
    pub fn words(&self) -> Option<String> {
        let launcher = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(format!("`{}` has not led there yet{}", launcher.command(), launcher.said()))
    }
}

fn listed(there: &[String]) -> String {
    match there {
        [] => "there is none at all".to_owned(),
        names => format!("there are: {}", names.join(", ")),
    }
}

/// Finds the session that is wanted, or starts it, and becomes its client. To be called in the
/// running event loop. What that waits for is told to `underway`.
///
/// # Errors
/// With what to do about it: none of that name, a host that can't start or refuses.
pub async fn open(place: &Place, open: Open, underway: &Underway) -> Result<Opened, OpenError> {
    match place {
        Place::Here => open_in(&Registry::open()?, open).await,
        Place::Via(via) => {
            let mut link = Link::new(via)?;
            let launcher = link.launcher();
            underway.set(launcher.clone());
            let wanted = open.options.sandbox.clone();
            let is_own = matches!(open.wanted, Wanted::Own(_));
            let welcome = link.open(via, open).await?;
            // One that knows nothing of sandboxes passes over what it is told of them.
            if let Some(looser) = sandbox::looser(welcome.sandbox.as_ref(), wanted.as_ref()) {
                if is_own {
                    link.end().await;
                }
                let (command, version) = (via.to_string(), welcome.version);
                return Err(OpenError::NotKept { command, version, looser });
            }
            let (reader, writer) = link.into_streams();
            Ok(Entered::new(welcome, reader, writer).carry(Some(launcher)))
        }
    }
}

/// A session's host on this machine that has let a client in.
pub(super) type Found = Entered<StdinStream, StdoutStream>;

/// The same among the sessions of this list.
pub(super) async fn open_in(registry: &Registry, open: Open) -> Result<Opened, OpenError> {
    Ok(find(registry, open).await?.carry(None))
}

/// Finds the session that is wanted among those of this list, or starts it, and enters it.
///
/// # Errors
/// As those of [`open`].
pub(super) async fn find(registry: &Registry, open: Open) -> Result<Found, OpenError> {
    let Open { wanted, options, hello } = open;
    match wanted {
        Wanted::Named { name, start } => {
            let wanted = options.sandbox.as_ref();
            named(registry, &name.parse()?, start.then_some(&options), wanted, &hello).await
        }
        Wanted::Own(identity) => own(registry, identity, &options, hello).await,
    }
}

/// The session of this name; one that is not there is started where there are options for it.
async fn named(
    registry: &Registry,
    name: &SessionName,
    options: Option<&SessionOptions>,
    wanted: Option<&Sandbox>,
    hello: &Hello,
) -> Result<Found, OpenError> {
    let mut starts = 0;
    for _ in 0..MOST_TRIES {
        let found = registry.find(name);
        let there = found.as_ref().map(|entry| entry.record().sandbox.as_ref());
        if let Some(looser) = there.and_then(|there| sandbox::looser(there, wanted)) {
            return Err(OpenError::Looser { name: name.to_string(), looser });
        }
        match (found, options) {
            (Some(entry), _) => match enter_at(&entry, hello).await {
                Ok(Some(opened)) => return Ok(opened),
                Ok(None) => entry.left_within(ANSWER).await,
                // One that is about to end refuses, and is listed no more.
                Err(OpenError::Connect { error: ConnectError::Refused(_), .. })
                    if !is_listed(registry, &entry) => {}
                Err(error) => return Err(error),
            },
            // Another may be faster, which is found then.
            (None, Some(options)) if starts < MOST_STARTS => {
                starts += usize::from(start_host(name, None, options).await? == Started::Fresh);
            }
            (None, Some(_)) => break,
            (None, None) => {
                let there = registry.entries();
                let there = there.iter().map(|entry| entry.record().name.to_string()).collect();
                return Err(OpenError::Unknown { name: name.to_string(), there });
            }
        }
    }
    Err(OpenError::Gone { name: name.to_string() })
}

fn is_listed(registry: &Registry, entry: &Entry) -> bool {
    registry.find(&entry.record().name).is_some_and(|found| found.record() == entry.record())
}

/// The session that waits for such a client, else a fresh one.
async fn own(
    registry: &Registry,
    mut identity: Identity,
    options: &SessionOptions,
    mut hello: Hello,
) -> Result<Found, OpenError> {
    if identity.directory.is_empty() {
        // One that is gone has no name, and is like no other.
        identity.directory = std::env::current_dir().map_or_else(|_| String::new(), to_text);
    }
    // The host lets in the first one that asks so, and no other as long as that is there.
    hello.only_waiting = true;
    for entry in waiting(registry.entries(), &identity, options.sandbox.as_ref()) {
        if let Ok(Some(opened)) = enter_at(&entry, &hello).await {
            return Ok(opened);
        }
    }
    let first = SessionName::of_directory(Path::new(&identity.directory));
    let mut starts = 0;
    for name in (1..MOST_NUMBERED).map(|n| first.numbered(n)) {
        if starts == MOST_STARTS {
            break;
        }
        if !registry.is_free(&name)
            || start_host(&name, Some(&identity), options).await? == Started::Taken
        {
            continue;
        }
        starts += 1;
        let Some(entry) = registry.find(&name) else { continue };
        match enter_at(&entry, &hello).await {
            Ok(Some(opened)) => return Ok(opened),
            // Another such client was faster.
            Ok(None) | Err(OpenError::Connect { error: ConnectError::Refused(_), .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Err(OpenError::Gone { name: first.to_string() })
}

/// A path as text that no other path has.
fn to_text(path: PathBuf) -> String {
    path.into_os_string().into_string().unwrap_or_else(|path| format!("{path:?}"))
}

/// Of these sessions those that were started for such a client, with such a sandbox, in the order they are
/// asked: those of the same parent first, then the youngest.
fn waiting(mut entries: Vec<Entry>, identity: &Identity, wanted: Option<&Sandbox>) -> Vec<Entry> {
    if identity.directory.is_empty() {
        return Vec::new();
    }
    let is_like = |other: &Identity| {
        let of =
            |one: &Identity| (one.client.clone(), one.directory.clone(), one.interpreter.clone());
        of(other) == of(identity)
    };
    entries.retain(|entry| {
        // Neither looser than what is asked for, nor stricter: who allows more expects to have it.
        let is_wanted = sandbox::on(entry.record().sandbox.as_ref()) == sandbox::on(wanted);
        is_wanted && entry.record().identity.as_ref().is_some_and(is_like)
    });
    entries.sort_by_key(|entry| {
        let record = entry.record();
        let is_sibling =
            record.identity.as_ref().is_some_and(|other| other.parent == identity.parent);
        (!is_sibling, Reverse(record.started_ms))
    });
    entries
}

/// Becomes a client of this session; `None` when that has ended.
async fn enter_at(entry: &Entry, hello: &Hello) -> Result<Option<Found>, OpenError> {
    let name = || entry.record().name.to_string();
    let entering = async {
        let token = entry.token()?;
        let (reader, writer) = entry.connect().await?;
        enter(reader, writer, &ToHost::Hello(Hello { token, ..hello.clone() })).await
    };
    match tokio::time::timeout(ANSWER, entering).await {
        Ok(Ok(opened)) => Ok(Some(opened)),
        Ok(Err(ConnectError::Closed)) => Ok(None),
        Ok(Err(ConnectError::Io(error))) if is_gone(error.kind()) => Ok(None),
        Ok(Err(error)) => Err(OpenError::Connect { name: name(), error }),
        Err(_) => Err(OpenError::Silent { name: name() }),
    }
}

/// Whether that is what a socket says whose owner has ended.
pub(super) fn is_gone(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::NotFound
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
    )
}
