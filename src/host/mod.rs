//! What runs in a session's host beside the engine: it serves the session to many connections, and
//! ends it when nobody comes any more.
//!
//! This layer knows the control protocol's meaning; how a connection is made, and who may make one,
//! is the registry's business, and what a session is, the engine's.
//!
//! ```text
//! lifetime    how long the session lives without clients (pure)
//! room        who is there, and the clients that are kept until they come back
//! hello       who a connection is, and whether it may come in
//! connection  one connection: what its peer says and is told
//! outgoing    what is to be written to it
//! words       what the engine's words are on the wire
//! ```

mod connection;
mod hello;
mod lifetime;
mod outgoing;
mod room;
mod words;

use std::{
    future, io,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mcp_repl_control::{Hello, Member, SessionInfo};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::Instant,
};

pub use self::lifetime::Life;
pub(crate) use self::words::state;
use self::{
    lifetime::{Lifetime, Time},
    room::{Admission, Admitted, Number, Room},
};
use crate::{
    pty::{self, StdinStream, StdoutStream},
    registry::{Record, Registration},
    reply::{EndedBy, Notice},
    session::{
        client::{Client, Description, Handle},
        engine::{self, Config},
        pipeline::Standing,
    },
};

/// How long the next connection is waited for when one could not be taken: there may be no
/// descriptors for it.
const UNTIL_NEXT: Duration = Duration::from_millis(100);
/// How long the connections have to end when the session has: a little more than each of them.
const LAST_MOMENTS: Duration = Duration::from_secs(3);

/// Where connections come in.
trait Door {
    /// The next connection. Cancel safe.
    fn accept(&self) -> impl Future<Output = io::Result<(StdinStream, StdoutStream)>> + Send;

    /// From here on nobody finds it; those who have found it still can connect.
    fn withdraw(&mut self);
}

impl Door for Registration {
    fn accept(&self) -> impl Future<Output = io::Result<(StdinStream, StdoutStream)>> + Send {
        Registration::accept(self)
    }

    fn withdraw(&mut self) {
        Registration::withdraw(self);
    }
}

/// A session as its connections share it.
#[derive(Debug)]
struct Host {
    session: Handle,
    record: Record,
    token: String,
    room: Mutex<Room>,
    /// Somebody came or went.
    changed: Notify,
    /// Who is there, for those who look on.
    present: watch::Sender<Vec<(Number, Member)>>,
    /// Somebody asks to end the session.
    end: Notify,
    began: Instant,
}

impl Host {
    fn new(session: Handle, record: Record, token: String, life: Life) -> Arc<Host> {
        let is_made_up = record.identity.is_some();
        Arc::new(Host {
            session,
            record,
            token,
            room: Mutex::new(Room::new(Lifetime::new(life, is_made_up))),
            changed: Notify::new(),
            present: watch::Sender::default(),
            end: Notify::new(),
            began: Instant::now(),
        })
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Time {
        self.began.elapsed()
    }

    /// Lets one in that knows the token, once the connection that it takes over has ended.
    async fn admit(&self, hello: &Hello) -> Result<Admitted, String> {
        let secret = secret().map_err(|error| format!("the system has no randomness: {error}"))?;
        loop {
            let mut changed = pin!(self.changed.notified());
            // Before the look, so that nothing is missed.
            changed.as_mut().enable();
            let admission = self.room().admit(hello, &secret);
            match admission {
                Admission::In(admitted) => {
                    self.tell_present();
                    self.changed.notify_waiters();
                    return Ok(admitted);
                }
                Admission::Refused(why) => return Err(why),
                Admission::Later => changed.await,
            }
        }
    }

    /// A connection has ended.
    fn leave(&self, number: Number, client: Option<Client>) {
        let people = self.room().leave(number, client, self.now());
        if let Some(attached) = people {
            self.session.people(attached);
        }
        self.tell_present();
        self.changed.notify_waiters();
    }

    /// Tells those who look on who is there, if that has changed.
    fn tell_present(&self) {
        let present = self.room().present();
        self.present.send_if_modified(|told| {
            let has_changed = *told != present;
            *told = present;
            has_changed
        });
    }

    /// Somebody makes a call, or types.
    fn is_used(&self) {
        self.room().lifetime.is_used();
    }

    /// People sit at a connection's terminal, or have left it.
    fn people(&self, number: Number, attached: bool) {
        let people = self.room().people(number, attached);
        if let Some(attached) = people {
            self.session.people(attached);
        }
        self.tell_present();
    }

    /// Whether there is a worker that said who it is.
    async fn is_alive(&self) -> bool {
        self.session.worker().await.is_some()
    }

    /// When a cell was last seen to run: now, while one does.
    async fn last_work(&self) -> Time {
        let idle = self.session.describe().await.map_or(Duration::MAX, |told| told.idle);
        self.now().saturating_sub(idle)
    }

    /// What `mcp-repl ls` shows.
    async fn describe(&self) -> SessionInfo {
        let (standing, worker, worker_pid) = match self.session.describe().await {
            Some(Description { standing, worker, worker_pid, .. }) => {
                (standing, worker, worker_pid)
            }
            None => (Standing::Ended, None, None),
        };
        let (interpreter, executable) = worker.map_or_else(Default::default, |worker| {
            let interpreter = format!("{} {}", worker.implementation, worker.version);
            (interpreter.trim_end().to_owned(), worker.executable)
        });
        let (now, room) = (self.now(), self.room());
        SessionInfo {
            name: self.record.name.to_string(),
            state: words::state(standing),
            interpreter,
            executable,
            directory: self.record.directory.clone(),
            host_pid: self.record.host_pid,
            worker_pid,
            age_ms: milliseconds(now),
            clients: room.names(),
            memory: worker_pid.and_then(pty::resident_memory),
            ends_in_ms: room.lifetime.ends_in(now).map(milliseconds),
            keeps: room.lifetime.keeps(),
            sandbox: self.record.sandbox.clone(),
        }
    }

    /// Waits until the session is to end, and lets nobody in from then on. Whether somebody asks for
    /// it.
    async fn is_over(&self) -> bool {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let deadline = self.room().lifetime.deadline();
            tokio::select! {
                () = self.end.notified() => break,
                () = changed => {}
                () = sleep_until(deadline.and_then(|due| self.began.checked_add(due))) => {
                    // What a kept session works on is not cut off.
                    let keeps = self.room().lifetime.keeps();
                    if keeps {
                        let last = self.last_work().await;
                        self.room().lifetime.worked(last);
                    }
                    let mut room = self.room();
                    if room.lifetime.deadline().is_some_and(|due| due <= self.now()) {
                        room.close_door();
                        return false;
                    }
                }
            }
        }
        self.room().close_door();
        true
    }
}

/// Starts a session and serves it to those who connect, until nobody comes any more, somebody ends
/// it, or a signal asks to end. Returns when all is cleaned up and everybody was told.
///
/// # Errors
/// When the session's directory can't be made, or the event loop takes no signals. A worker that
/// does not start is reported by the calls.
pub async fn run(config: Config, registration: Registration, life: Life) -> io::Result<()> {
    let (session, engine) = engine::start(config)?;
    let (record, token) = (registration.record().clone(), registration.token().to_owned());
    let host = Host::new(session, record, token, life);
    // Only a panic in it is an error, which it has told.
    let engine = async { drop(engine.await) };
    serve(host, engine, registration, pty::asked_to_end()).await
}

/// Serves a session until it is over, or somebody `asks_to_end` it, and ends it then. `engine` is
/// its engine's end.
async fn serve(
    host: Arc<Host>,
    engine: impl Future<Output = ()>,
    mut door: impl Door,
    asks_to_end: impl Future<Output = io::Result<()>>,
) -> io::Result<()> {
    let mut connections = JoinSet::new();
    let mut engine = pin!(engine);
    let (is_over, ended_by, result) = tokio::select! {
        biased;
        () = &mut engine => (true, None, Ok(())),
        result = asks_to_end => (false, result.is_ok().then_some(EndedBy::Signal), result),
        // Of the end of its time there is nobody to be told.
        asked = host.is_over() => (false, asked.then_some(EndedBy::Client), Ok(())),
        () = accept_all(&host, &door, &mut connections) => (false, None, Ok(())),
    };
    host.room().close_door();
    door.withdraw();
    if let Some(by) = ended_by {
        host.session.tell(Notice::EndedBy(by));
    }
    host.session.shutdown();
    tokio::select! {
        () = &mut engine, if !is_over => {}
        // Who comes meanwhile is told that it ends.
        () = accept_all(&host, &door, &mut connections), if !is_over => {}
        else => {}
    }
    host.room().close_all();
    let gone = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(LAST_MOMENTS, gone).await;
    result
}

/// Takes connections, for ever.
async fn accept_all(host: &Arc<Host>, door: &impl Door, connections: &mut JoinSet<()>) {
    loop {
        match door.accept().await {
            Ok((reader, writer)) => {
                connections.spawn(connection::serve(host.clone(), reader, writer));
                while connections.try_join_next().is_some() {}
                // A flood of them must not keep those that are there from being served.
                tokio::task::yield_now().await;
            }
            // Another user's, which is refused.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                tokio::task::yield_now().await;
            }
            Err(_) => tokio::time::sleep(UNTIL_NEXT).await,
        }
    }
}

/// 128 bits from the operating system's generator, in hexadecimal.
fn secret() -> io::Result<String> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bits)))
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => future::pending().await,
    }
}

#[cfg(test)]
mod tests;
