//! `mcp-repl end`: sessions are ended, whoever uses them.

use std::{io::Write, process::ExitCode, time::Duration};

use clap::Args;
use tokio::{
    io::AsyncReadExt,
    task::JoinSet,
    time::{Instant, timeout, timeout_at},
};

use super::sessions::{ANSWER, Trouble, connect, with_registry};
use crate::{
    registry::{Entry, Registry, SessionName},
    remote::End,
};

/// How long a session may take to end: a little more than a worker has that does not want to
/// (docs/architecture.md).
const TO_END: Duration = Duration::from_secs(15);
/// How long a process that was killed may take to be gone.
const TO_BE_GONE: Duration = Duration::from_secs(5);

/// Which sessions are ended.
#[derive(Debug, Args)]
#[command(override_usage = "mcp-repl end <NAME>...\n       mcp-repl end --all")]
pub(super) struct EndArguments {
    /// Their names, as `mcp-repl ls` shows them.
    #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    names: Vec<SessionName>,
    /// All there are.
    #[arg(long)]
    all: bool,
}

impl EndArguments {
    /// The command, as it is said elsewhere.
    pub(super) fn words(&self) -> Vec<String> {
        let all = self.all.then(|| "--all".to_owned());
        let names = self.names.iter().map(ToString::to_string);
        ["end".to_owned()].into_iter().chain(all).chain(names).collect()
    }
}

/// Ends the sessions, and returns when they are over. The exit status is 1 when one could not be
/// ended.
pub(super) fn end(arguments: &EndArguments) -> Result<ExitCode, String> {
    with_registry(async |registry| {
        let mut ending = JoinSet::new();
        for entry in wanted(&registry, arguments)? {
            ending.spawn(async move {
                let ended = end_one(&entry).await;
                (entry.record().name.clone(), ended)
            });
        }
        let mut ended = ending.join_all().await;
        ended.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut all_ended = true;
        for (name, ended) in ended {
            // The streams may be closed, which must not be a panic.
            let _ = match ended {
                Ok(Ended::InOrder) => writeln!(std::io::stdout(), "ended {name}"),
                Ok(Ended::Killed) => {
                    writeln!(std::io::stdout(), "killed {name}: its host did not answer")
                }
                Err(why) => {
                    all_ended = false;
                    writeln!(std::io::stderr(), "mcp-repl: the session {name} was not ended: {why}")
                }
            };
        }
        Ok(if all_ended { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })?
}

/// The sessions that are meant; none is ended when one of the names is unknown.
fn wanted(registry: &Registry, arguments: &EndArguments) -> Result<Vec<Entry>, String> {
    let living = registry.entries();
    if arguments.all {
        return Ok(living);
    }
    for name in &arguments.names {
        if !living.iter().any(|entry| entry.record().name == *name) {
            return Err(unknown(name, &living));
        }
    }
    let is_wanted = |entry: &Entry| arguments.names.contains(&entry.record().name);
    Ok(living.into_iter().filter(is_wanted).collect())
}

fn unknown(name: &SessionName, living: &[Entry]) -> String {
    let names: Vec<&str> = living.iter().map(|entry| entry.record().name.as_str()).collect();
    match names.is_empty() {
        true => format!("there is no session {name}; there is none at all"),
        false => format!("there is no session {name}; there are: {}", names.join(", ")),
    }
}

/// How a session was ended.
#[derive(Debug, Clone, Copy)]
enum Ended {
    InOrder,
    Killed,
}

async fn end_one(entry: &Entry) -> Result<Ended, Trouble> {
    let asked = async {
        let deadline = Instant::now() + ANSWER;
        let opened = timeout_at(deadline, connect(entry, "end")).await.ok()?;
        let opened = match opened {
            Ok(opened) => opened,
            Err(why) => return Some(Err(why)),
        };
        opened.handle.shutdown();
        match timeout(TO_END, opened.connection.ended()).await.ok()? {
            End::Silent => None,
            End::Refused(why) => Some(Err(Trouble::Refused(why))),
            _ => Some(Ok(())),
        }
    };
    match asked.await {
        Some(Ok(()) | Err(Trouble::Gone)) => Ok(Ended::InOrder),
        Some(Err(why @ Trouble::Refused(_))) => Err(why),
        None | Some(Err(Trouble::Silent)) => kill(entry).await,
    }
}

/// Kills a host. Its guard ends what it started.
async fn kill(entry: &Entry) -> Result<Ended, Trouble> {
    // Its end is that of the connection.
    let connection = entry.connect().await;
    match entry.kill().await.map_err(Trouble::from) {
        Ok(()) => {}
        Err(Trouble::Gone) => return Ok(Ended::Killed),
        Err(why) => return Err(why),
    }
    if let Ok((mut reader, _writer)) = connection {
        let mut rest = Vec::new();
        let _ = timeout(TO_BE_GONE, reader.read_to_end(&mut rest)).await;
    }
    Ok(Ended::Killed)
}
