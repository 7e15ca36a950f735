//! A session with a real worker, served in this process to connections of the control protocol.

use std::{io, time::Duration};

use mcp_repl::{
    host::{self, Life},
    registry::{Record, Registry},
    remote::{self, Opened},
    reply::Block,
    session::{
        client::{Client, Request},
        engine::Config,
        launch::{RuntimeDirectory, Target, python::PythonSearch},
        rules::payload::Payload,
    },
};
use mcp_repl_control::{Hello, Role, ToHost};
use tokio::task::JoinHandle;

use crate::support::{HANG, python};

/// A host in this process.
struct Served {
    registry: Registry,
    serving: JoinHandle<io::Result<()>>,
    _directory: tempfile::TempDir,
}

impl Served {
    fn start(life: Life) -> Served {
        let directory = tempfile::tempdir().unwrap();
        let registry = Registry::in_directory(&directory.path().join("sessions")).unwrap();
        let registration = registry.register(Record {
            name: "proj".parse().unwrap(),
            directory: "/".into(),
            identity: None,
            host_pid: std::process::id(),
            started_ms: 0,
            sandbox: None,
        });
        let config = Config::new(
            Target::Python(PythonSearch::of_process(Some(python::default()))),
            RuntimeDirectory::new().unwrap(),
        );
        let serving = tokio::spawn(host::run(config, registration.unwrap(), life));
        Served { registry, serving, _directory: directory }
    }

    async fn open(&self, change: impl FnOnce(&mut Hello)) -> Opened {
        let entry = self.registry.find(&"proj".parse().unwrap()).expect("it is listed");
        let mut hello = Hello { token: entry.token().unwrap(), ..Hello::new(Role::Client, "test") };
        change(&mut hello);
        let (reader, writer) = entry.connect().await.unwrap();
        remote::connect(reader, writer, &ToHost::Hello(hello)).await.expect("it is let in")
    }

    /// Waits for the end of the host, after which nothing is listed.
    async fn ends(self) {
        tokio::time::timeout(HANG, self.serving).await.unwrap().unwrap().unwrap();
        assert!(self.registry.entries().is_empty());
        assert_eq!(std::fs::read_dir(self.registry.path()).unwrap().count(), 0);
    }
}

async fn send(client: &Client, input: &str) -> String {
    let payload = Payload::parse(input, Vec::new()).unwrap();
    let reply = client.call(Request::new(payload, HANG)).await.expect("the session is there");
    let texts = reply.merged().into_iter().filter_map(|block| match block {
        Block::Text(text) => Some(text),
        Block::Image { .. } => None,
    });
    texts.collect()
}

#[tokio::test]
async fn one_that_was_cut_off_goes_on_where_it_was() {
    let served = Served::start(Life::default());
    let one = served.open(|_| {}).await;
    let client = one.handle.join();
    send(&client, "x = 41").await;
    // It prints when nobody is there.
    let waits = "import os, threading\nr, w = os.pipe()\n\
                 t = threading.Thread(target=lambda: (os.read(r, 1), print('meanwhile')))\n\
                 t.start()";
    send(&client, waits).await;
    let untold = Payload::parse("print('untold')", Vec::new()).unwrap();
    // A reply that is not handed on.
    drop(client.ask(Request::new(untold, HANG)).await.expect("a reply"));
    let secret = one.welcome.resume.clone();
    drop((client, one.handle));
    one.connection.ended().await;
    let again = served.open(|hello| hello.resume = Some(secret)).await;
    assert!(again.welcome.is_alive && again.welcome.had_clients);
    let client = again.handle.join();
    let told = send(&client, "os.write(w, b'x'); t.join(); x + 1").await;
    let places = ["untold", "meanwhile", "42"].map(|text| told.find(text).expect(&told));
    assert!(places.is_sorted(), "{told}");
    again.handle.shutdown();
    served.ends().await;
}

#[tokio::test]
async fn a_client_that_never_reads_slows_nobody() {
    let served = Served::start(Life::default());
    let working = served.open(|_| {}).await;
    let entry = served.registry.find(&"proj".parse().unwrap()).unwrap();
    let (reader, mut writer) = entry.connect().await.unwrap();
    let hello = Hello { token: entry.token().unwrap(), ..Hello::new(Role::Client, "stopped") };
    let mut said = Vec::new();
    for message in [ToHost::Hello(hello), ToHost::Subscribe { screen: true, pictures: false }] {
        said.extend(mcp_repl_control::encode(&message, &[]));
    }
    for id in 0..10 {
        let keys = Vec::new();
        let call = ToHost::Call {
            id,
            input: String::new(),
            keys,
            timeout_ms: 0,
            progress: true,
            person: None,
        };
        said.extend(mcp_repl_control::encode(&call, &[]));
    }
    tokio::io::AsyncWriteExt::write_all(&mut writer, &said).await.unwrap();
    let client = working.handle.join();
    for _ in 0..3 {
        let told = send(&client, "for n in range(100_000): print('number', n)").await;
        assert!(told.contains("number 99999"), "{told}");
    }
    drop((reader, writer));
    working.handle.shutdown();
    served.ends().await;
}

#[tokio::test]
async fn a_session_without_clients_ends_after_its_grace() {
    let served = Served::start(Life { grace: Duration::from_millis(10), keep: None });
    let one = served.open(|_| {}).await;
    assert_eq!(send(&one.handle.join(), "'alive'").await.lines().next(), Some("'alive'"));
    drop(one);
    served.ends().await;
}
