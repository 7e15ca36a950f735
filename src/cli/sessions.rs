//! What the sessions of this user say of themselves, each within a bound.

use std::{io, time::Duration};

use mcp_repl_control::{Hello, Role, SessionInfo, ToHost};
use tokio::task::JoinSet;

use crate::{
    registry::{Entry, Registry, RegistryError},
    remote::{self, ConnectError, Opened},
};

/// How long a host may take to answer; it does at once, whatever its session does.
pub(super) const ANSWER: Duration = Duration::from_secs(2);

/// A session that is listed.
#[derive(Debug)]
pub(super) struct Listed {
    /// Its entry.
    pub(super) entry: Entry,
    /// What its host says of it, or why that says nothing.
    pub(super) info: Result<SessionInfo, Trouble>,
}

/// Why a host can't be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// It has ended meanwhile.
    #[error("it has ended")]
    Gone,
    /// It says nothing, as one that is stopped.
    #[error("not answering")]
    Silent,
    /// It does not let anybody in, or can't be reached.
    #[error("{0}")]
    Refused(String),
}

/// Runs something with the sessions, in an event loop.
///
/// # Errors
/// When there is no loop or no run-time directory.
pub(super) fn with_registry<T>(body: impl AsyncFnOnce(Registry) -> T) -> Result<T, String> {
    let registry = Registry::open().map_err(|error: RegistryError| error.to_string())?;
    let runtime = super::runtime()?;
    let result = runtime.block_on(body(registry));
    runtime.shutdown_background();
    Ok(result)
}

/// All that live, by their names. One that does not answer delays no other.
pub(super) async fn all(registry: &Registry) -> Vec<Listed> {
    let mut asked = JoinSet::new();
    for entry in registry.entries() {
        asked.spawn(async move {
            let info = describe(&entry).await;
            Listed { entry, info }
        });
    }
    let mut listed = asked.join_all().await;
    listed.retain(|listed| !matches!(listed.info, Err(Trouble::Gone)));
    listed.sort_by(|one, other| one.entry.record().name.cmp(&other.entry.record().name));
    listed
}

async fn describe(entry: &Entry) -> Result<SessionInfo, Trouble> {
    let asking = async {
        let opened = connect(entry, "ls").await?;
        opened.connection.describe().await.ok_or(Trouble::Gone)
    };
    tokio::time::timeout(ANSWER, asking).await.unwrap_or(Err(Trouble::Silent))
}

/// Connects as one who asks and keeps no session alive. How long it may take is the caller's
/// business.
pub(super) async fn connect(entry: &Entry, who: &str) -> Result<Opened, Trouble> {
    let token = entry.token()?;
    let hello = Hello { token, ..Hello::new(Role::Status, who) };
    let (reader, writer) = entry.connect().await?;
    Ok(remote::connect(reader, writer, &ToHost::Hello(hello)).await?)
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        match error.kind() {
            io::ErrorKind::NotFound
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe => Trouble::Gone,
            // As many as can wait have connected, and nobody lets them in.
            io::ErrorKind::WouldBlock => Trouble::Silent,
            _ => Trouble::Refused(error.to_string()),
        }
    }
}

impl From<ConnectError> for Trouble {
    fn from(error: ConnectError) -> Trouble {
        match error {
            ConnectError::Io(error) => error.into(),
            ConnectError::Closed => Trouble::Gone,
            error => Trouble::Refused(error.to_string()),
        }
    }
}
