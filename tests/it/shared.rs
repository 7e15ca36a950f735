//! Several clients of one session, with a real engine and a real Python.

use std::time::Duration;

use mcp_repl::{
    reply::{Block, Deed},
    session::{
        client::{Client, ClientInfo, Handle, Hands, Request, ScreenUpdate},
        engine::{self, Config},
        launch::{RuntimeDirectory, Target, python::PythonSearch},
        pipeline::Standing,
        rules::payload::Payload,
    },
};

use crate::support::{HANG, python};

/// A session, and its engine's end.
fn start() -> (Handle, tokio::task::JoinHandle<()>) {
    let config = Config::new(
        Target::Python(PythonSearch::of_process(Some(python::default()))),
        RuntimeDirectory::new().unwrap(),
    );
    engine::start(config).unwrap()
}

fn join(session: &Handle, name: &str, budget: Option<usize>) -> Client {
    session.join_as(ClientInfo {
        name: name.into(),
        budget: budget.map(Into::into),
        is_person: false,
        attach: None,
    })
}

fn request(input: &str, timeout: Duration) -> Request {
    let payload = Payload::parse(input, Vec::new()).unwrap();
    Request::new(payload, timeout)
}

/// The text of the reply to a call.
async fn send(client: &Client, input: &str) -> String {
    let reply = client.call(request(input, HANG)).await.expect("the engine lives");
    let text = |block| match block {
        Block::Text(text) => text,
        Block::Image { mime, .. } => mime,
    };
    reply.merged().into_iter().map(text).collect()
}

#[tokio::test]
async fn each_is_told_of_the_others_and_has_its_turn() {
    let (session, engine) = start();
    let agent = join(&session, "claude-code", None);
    let exec = join(&session, "exec", Some(1000));
    send(&agent, "").await;
    send(&exec, "").await;
    assert_eq!(send(&exec, "x = 6\nx * 7").await, "42\n");
    let told = "[repl] meanwhile another client (exec) ran:\n>>> x = 6\n... x * 7\n42\n[repl] now \
                your cell:\n7\n";
    assert_eq!(send(&agent, "x + 1").await, told);
    // A cell waits for the other's, which asks for something on its way.
    assert_eq!(send(&agent, "name = input('Who? '); 'mine', name").await, "Who? ");
    let theirs = exec.call(request("'theirs', name", HANG));
    let theirs = tokio::spawn(theirs);
    assert_eq!(send(&agent, "Ada").await, "('mine', 'Ada')\n");
    let theirs = theirs.await.unwrap().unwrap().merged();
    let [Block::Text(theirs)] = &theirs[..] else { panic!("{theirs:?}") };
    assert!(theirs.contains("another client (claude-code) answered: Ada\n"), "{theirs}");
    assert!(theirs.ends_with("[repl] now your cell:\n('theirs', 'Ada')\n"), "{theirs}");
    // Each has a budget of its own, and is shown what it left out.
    let told = send(&exec, "print('line\\n' * 1000)").await;
    assert!(told.len() < 1500 && told.contains("left out here; "), "{told}");
    let tail = exec.show("tail 2".into()).await.unwrap();
    assert!(tail.starts_with("[repl] lines 1000-1001 of output-1\nline\n"), "{tail}");
    assert!(agent.show("tail 2".into()).await.unwrap_err().contains("no reply to this client"));
    assert!(send(&agent, "").await.contains(&"line\n".repeat(1000)));
    session.shutdown();
    engine.await.unwrap();
}

#[tokio::test]
async fn who_looks_on_learns_who_does_what() {
    let (session, engine) = start();
    let agent = join(&session, "claude-code", None);
    send(&agent, "").await;
    let mut subscription = agent.subscribe().await.unwrap();
    assert!(matches!(subscription.next().await, Some(ScreenUpdate::Repaint { .. })));
    assert_eq!(subscription.next().await, Some(ScreenUpdate::Standing(Standing::Ready)));
    let nobodys = ScreenUpdate::Hands(Hands::default());
    assert_eq!(subscription.next().await, Some(nobodys));
    send(&agent, "name = input('Who? ')").await;
    let description = session.describe().await.unwrap();
    let (what, client, echo) = ("input".into(), "claude-code".into(), true);
    assert_eq!(description.standing, Standing::Waiting { what, client, echo });
    assert!(description.worker_pid.is_some());
    assert_eq!(description.worker.unwrap().implementation, "cpython");
    send(&agent, "Ada").await;
    let mut told = Vec::new();
    while told.last() != Some(&ScreenUpdate::Standing(Standing::Ready)) {
        let update = subscription.next().await.expect("the session goes on");
        use ScreenUpdate::{Bytes, Echo, Repaint};
        if !matches!(update, Bytes(_) | Echo(_) | Repaint { .. }) {
            told.push(update);
        }
    }
    let did = |deed| ScreenUpdate::Did { client: "claude-code".into(), deed };
    assert_eq!(told[0], did(Deed::Ran { source: "name = input('Who? ')".into() }));
    assert!(matches!(&told[1], ScreenUpdate::Standing(Standing::Running { .. })), "{told:?}");
    assert!(matches!(&told[2], ScreenUpdate::Standing(Standing::Waiting { .. })), "{told:?}");
    assert_eq!(told[3], did(Deed::Answered { text: Some("Ada".into()) }));
    session.shutdown();
    engine.await.unwrap();
}
