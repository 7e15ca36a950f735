//! A host against a fake engine: messages of the control protocol in, messages out.
//!
//! A test plays both the peers and the engine. It waits for messages and never for time to pass;
//! where time matters, the clock is the test's.

mod calls;
mod end;
mod here;
mod limits;
mod resume;
mod visits;

use std::{io, sync::Arc, time::Duration};

use mcp_repl_control::{
    Decoder, Hello, Identity, Member, Part, Reply, Role, ToClient, ToHost, Welcome, encode,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};

use super::{Door, Host, Life};
use crate::{
    pty::{StdinStream, StdoutStream},
    registry::Record,
    reply::{self, Content, Status},
    screen::{Screen, Size},
    session::{
        client::{
            Answer, Description, EngineCommand, Handle, Request, ScreenUpdate, Subscriber, Wants,
        },
        pipeline::{Standing, WorkerInfo},
        rules::{payload::Payload, state::ClientId},
    },
};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const HOUR: Duration = Duration::from_secs(3600);

/// Waits for what must come; a test fails when it does not, instead of hanging.
async fn soon<F: Future>(event: F) -> F::Output {
    tokio::time::timeout(24 * HOUR, event).await.expect("it comes")
}

/// Where the test's peers come in.
struct TestDoor {
    waiting: Mutex<mpsc::UnboundedReceiver<io::Result<DuplexStream>>>,
    is_withdrawn: Option<oneshot::Sender<()>>,
}

impl Door for TestDoor {
    async fn accept(&self) -> io::Result<(StdinStream, StdoutStream)> {
        let Some(stream) = self.waiting.lock().await.recv().await else {
            return std::future::pending().await;
        };
        let (reader, writer) = tokio::io::split(stream?);
        Ok((Box::new(reader), Box::new(writer)))
    }

    fn withdraw(&mut self) {
        self.is_withdrawn.take().map(|told| told.send(()));
    }
}

/// A host, and the engine's end of it.
struct TestHost {
    host: Arc<Host>,
    session: Handle,
    door: mpsc::UnboundedSender<io::Result<DuplexStream>>,
    is_withdrawn: oneshot::Receiver<()>,
    /// What the engine was told, but for questions who the worker is.
    commands: mpsc::UnboundedReceiver<EngineCommand>,
    /// How the engine says that things stand.
    described: Arc<std::sync::Mutex<Description>>,
    /// Since when no cell runs; `None` while one does.
    rests_since: Arc<std::sync::Mutex<Option<Instant>>>,
    /// Ends the engine.
    engine: oneshot::Sender<()>,
    /// A signal asks to end.
    signal: oneshot::Sender<()>,
    serving: JoinHandle<io::Result<()>>,
}

/// A call that waits for the engine's answer.
#[derive(Debug)]
struct Call {
    client: ClientId,
    request: Request,
    reply: oneshot::Sender<Answer>,
    session: Handle,
}

impl TestHost {
    fn start() -> TestHost {
        TestHost::with(Life::default())
    }

    fn with(life: Life) -> TestHost {
        TestHost::of(None, life)
    }

    /// The host of a session that was started for somebody.
    fn of(identity: Option<Identity>, life: Life) -> TestHost {
        let (session, mut commands) = Handle::new();
        let record = Record {
            name: "proj".parse().unwrap(),
            directory: "/proj".into(),
            identity,
            host_pid: 7,
            started_ms: 1_000,
            sandbox: None,
        };
        let host = Host::new(session.clone(), record, TOKEN.into(), life);
        let standing = Standing::Ready;
        let described = Description {
            standing,
            idle: Duration::ZERO,
            worker: Some(worker()),
            // One that there is.
            worker_pid: Some(std::process::id()),
        };
        let described = Arc::new(std::sync::Mutex::new(described));
        let tells = described.clone();
        let rests_since = Arc::new(std::sync::Mutex::new(Some(Instant::now())));
        let rests = rests_since.clone();
        let (told, is_told) = mpsc::unbounded_channel();
        let (engine, ends) = oneshot::channel::<()>();
        let played = async move {
            let play = async {
                while let Some(command) = commands.recv().await {
                    match command {
                        EngineCommand::Describe { answer } => {
                            let mut told = tells.lock().unwrap().clone();
                            let since = *rests.lock().unwrap();
                            told.idle = since.map(|since| since.elapsed()).unwrap_or_default();
                            let _ = answer.send(told);
                        }
                        other => drop(told.send(other)),
                    }
                }
            };
            tokio::select! {
                () = play => {}
                _ = ends => {}
            }
        };
        let (door, waiting) = mpsc::unbounded_channel();
        let (withdraw, is_withdrawn) = oneshot::channel();
        let waiting = Mutex::new(waiting);
        let test_door = TestDoor { waiting, is_withdrawn: Some(withdraw) };
        let (signal, signalled) = oneshot::channel();
        let asked_to_end = async {
            match signalled.await {
                Ok(()) => Ok(()),
                Err(_) => std::future::pending().await,
            }
        };
        let serving = super::serve(host.clone(), played, test_door, asked_to_end);
        let serving = tokio::spawn(serving);
        TestHost {
            host,
            session,
            door,
            is_withdrawn,
            commands: is_told,
            described,
            rests_since,
            engine,
            signal,
            serving,
        }
    }

    /// Somebody connects, and says nothing.
    fn knock(&self) -> Peer {
        let (near, far) = tokio::io::duplex(64 * 1024);
        self.door.send(Ok(far)).expect("the host is there");
        Peer { stream: near, decoder: Decoder::new(64 << 20, 16 << 20) }
    }

    /// Somebody connects and says this hello.
    async fn hello(&self, hello: Hello) -> Peer {
        let mut peer = self.knock();
        peer.send(&ToHost::Hello(hello)).await;
        peer
    }

    /// One that is let in.
    async fn join_as(&self, hello: Hello) -> (Peer, Welcome) {
        let mut peer = self.hello(hello).await;
        match peer.receive().await {
            ToClient::Welcome(welcome) => (peer, welcome),
            other => panic!("not let in: {other:?}"),
        }
    }

    async fn join(&self, name: &str) -> Peer {
        self.join_as(hello(name)).await.0
    }

    /// The next command that reaches the engine, but for who comes and goes.
    async fn command(&mut self) -> EngineCommand {
        loop {
            match soon(self.commands.recv()).await.expect("the engine is told") {
                EngineCommand::Introduce { .. } | EngineCommand::Leave { .. } => {}
                other => return other,
            }
        }
    }

    /// The next call that reaches the engine.
    async fn call(&mut self) -> Call {
        match self.command().await {
            EngineCommand::Call { client, request, reply } => {
                Call { client, request, reply, session: self.session.clone() }
            }
            other => panic!("expected a call, got {other:?}"),
        }
    }

    /// The text of the next reply that goes back to the engine.
    async fn returned(&mut self) -> String {
        match self.command().await {
            EngineCommand::Return { reply, .. } => match &reply.content[..] {
                [Content::Text(text)] => text.clone(),
                other => panic!("no text: {other:?}"),
            },
            other => panic!("expected a reply, got {other:?}"),
        }
    }

    /// A peer subscribes, and is shown a screen with this on it.
    async fn shown_to(&mut self, peer: &mut Peer, text: &[u8]) -> (Subscriber, Screen) {
        peer.send(&ToHost::Subscribe { screen: true, pictures: false }).await;
        let EngineCommand::Subscribe { subscription, .. } = self.command().await else { panic!() };
        let mut screen = Screen::new(Size::default());
        screen.feed(text);
        let (subscriber, given) =
            Subscriber::new(Wants { screen: true, pictures: false }, 1, self.session.downgrade());
        let (size, bytes) = (screen.size(), screen.dump());
        subscriber.show(ScreenUpdate::Repaint { size, bytes });
        subscription.send(given).unwrap();
        (subscriber, screen)
    }

    /// From here on things stand so.
    fn stands(&self, standing: Standing) {
        let works = matches!(standing, Standing::Running { .. });
        *self.rests_since.lock().unwrap() = (!works).then(Instant::now);
        self.described.lock().unwrap().standing = standing;
    }

    /// Waits until so many clients and observers are there.
    async fn has_company(&self, number: usize) {
        loop {
            let changed = self.host.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.host.room().names().len() == number {
                return;
            }
            soon(changed).await;
        }
    }
}

impl Call {
    fn text(&self) -> &str {
        match &self.request.payload {
            Payload::Text(text) => text,
            other => panic!("no text: {other:?}"),
        }
    }

    fn answer(self, text: &str) {
        let reply = reply::Reply {
            content: vec![Content::Text(text.into())],
            status: Status::Ready { outcome: None },
        };
        let answer = Answer::new(self.client, reply, self.session.downgrade());
        let _ = self.reply.send(answer);
    }
}

/// The other end of a connection.
struct Peer {
    stream: DuplexStream,
    decoder: Decoder<ToClient>,
}

impl Peer {
    async fn send(&mut self, message: &ToHost) {
        self.send_raw(&encode(message, &[])).await;
    }

    async fn send_raw(&mut self, bytes: &[u8]) {
        soon(self.stream.write_all(bytes)).await.expect("the host reads");
    }

    /// The next message but for who is there, and its bytes; `None` when the host has closed the
    /// connection.
    async fn next(&mut self) -> Option<(ToClient, Vec<u8>)> {
        loop {
            match self.next_of_all().await {
                Some((ToClient::Here { .. }, _)) => {}
                other => return other,
            }
        }
    }

    /// The next message that says who is there: the names, of people with a `+`, of those who look on
    /// with a `-`, of this one with a `=`.
    async fn here(&mut self) -> String {
        let members = loop {
            match self.next_of_all().await {
                Some((ToClient::Here { members }, _)) => break members,
                other => assert!(other.is_some()),
            }
        };
        let word = |member: &Member| {
            let marks =
                [(member.person, "+"), (member.role == Role::Observer, "-"), (member.own, "=")];
            let marks = marks.iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| *mark);
            marks.collect::<String>() + &member.name
        };
        members.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    async fn next_of_all(&mut self) -> Option<(ToClient, Vec<u8>)> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if let Some(message) = self.decoder.next_message().expect("the protocol is kept to") {
                return Some(message);
            }
            match soon(self.stream.read(&mut buffer)).await.expect("it can be read") {
                0 => return None,
                length => self.decoder.push(&buffer[..length]),
            }
        }
    }

    /// Reads the first bytes of a message that is still being written.
    async fn receive_some(&mut self) {
        let read = soon(self.stream.read_exact(&mut [0; 10])).await;
        assert_eq!(read.unwrap(), 10);
    }

    async fn receive(&mut self) -> ToClient {
        self.next().await.expect("the host says something").0
    }

    async fn call(&mut self, id: u64, input: &str) {
        self.send(&call(id, input)).await;
    }

    /// The text of the next message, which is the reply to this call.
    async fn reply(&mut self, id: u64) -> String {
        match self.receive().await {
            ToClient::Reply { id: other, reply: Reply { content, .. } } => {
                assert_eq!(other, id);
                let texts = content.into_iter().map(|part| match part {
                    Part::Text(text) => text,
                    other => panic!("no text: {other:?}"),
                });
                texts.collect()
            }
            other => panic!("expected a reply, got {other:?}"),
        }
    }

    /// Why the host closes the connection.
    async fn refused(&mut self) -> String {
        let why = match self.receive().await {
            ToClient::Error { message } => message,
            other => panic!("expected a refusal, got {other:?}"),
        };
        assert_eq!(self.next().await, None);
        why
    }

    /// Shows that the connection is served.
    async fn assert_served(&mut self) {
        self.send(&ToHost::Describe).await;
        assert!(matches!(self.receive().await, ToClient::Session(_)));
    }
}

fn hello(name: &str) -> Hello {
    Hello { token: TOKEN.into(), ..Hello::new(Role::Client, name) }
}

fn call(id: u64, input: &str) -> ToHost {
    let keys = Vec::new();
    ToHost::Call {
        id,
        input: input.into(),
        keys,
        timeout_ms: 40_000,
        progress: false,
        person: None,
    }
}

fn worker() -> WorkerInfo {
    WorkerInfo {
        implementation: "cpython".into(),
        version: "3.12.1".into(),
        executable: "/usr/bin/python3".into(),
        capabilities: Vec::new(),
    }
}
