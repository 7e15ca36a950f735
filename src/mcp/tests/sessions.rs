//! Calls in several sessions, and in ones that come, go and come again. The test plays whoever finds
//! and starts them.

use std::time::Duration;

use mcp_repl_control::{ToHost, Welcome};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::mcp::sessions::Caller;
use crate::mcp::{EarlierSession, OnCancel, Opener, Opening, Session, Sessions, WantedSession};
use crate::remote::Underway;
use crate::remote::tests::{Host, opened_with, reply, welcome};
use crate::reply::{Content, Exit, Notice, Reply, Status};
use crate::sandbox::{ClientSandbox, Settings};
use crate::session::client::{Answer, EngineCommand, Handle, Request};
use crate::session::rules::payload::Payload;

use super::{Call, Harness, initialize, repl, soon, text};

/// A wish to open a session, and where what comes of it goes.
type Wish = (WantedSession, oneshot::Sender<Result<Session, String>>);

/// Opens what the test says.
#[derive(Debug)]
struct Played(mpsc::UnboundedSender<Wish>);

impl Opener for Played {
    fn open(&self, wanted: WantedSession, _underway: Underway) -> Opening {
        let (opened, opening) = oneshot::channel();
        self.0.send((wanted, opened)).expect("the test listens");
        Box::pin(async { opening.await.unwrap_or_else(|_| Err("it was given up".into())) })
    }

    fn sandbox(&self, client: Option<&ClientSandbox>) -> Settings {
        client.map_or_else(Settings::default, |client| Settings::default().within(client))
    }
}

/// A server whose sessions the test opens, which has shaken hands.
async fn start(own_name: Option<&str>, most: usize) -> (Harness, mpsc::UnboundedReceiver<Wish>) {
    let (wishes, wished) = mpsc::unbounded_channel();
    let own_name = own_name.map(|name| name.parse().expect("a name"));
    let sessions = Sessions::new(Played(wishes), own_name, most);
    // Nothing comes by way of the harness.
    let (none, commands) = Handle::new();
    let mut harness = Harness::serve(sessions, OnCancel::default(), none.downgrade(), commands);
    harness.ask(initialize("2025-11-25")).await;
    (harness, wished)
}

async fn next(wished: &mut mpsc::UnboundedReceiver<Wish>) -> Wish {
    soon(wished.recv()).await.expect("the server lives")
}

fn wanted(name: Option<&str>) -> WantedSession {
    WantedSession {
        client: "test".into(),
        name: name.map(str::to_owned),
        earlier: None,
        start: true,
        sandbox: Settings::default(),
    }
}

/// The engine's end of a session that is opened in the server's process.
struct Engine(mpsc::UnboundedReceiver<EngineCommand>);

impl Engine {
    async fn open(wished: &mut mpsc::UnboundedReceiver<Wish>, name: Option<&str>) -> Engine {
        let (what, opened) = next(wished).await;
        assert_eq!(what, wanted(name));
        let (handle, commands) = Handle::new();
        opened.send(Ok(handle.into())).expect("the server waits");
        Engine(commands)
    }

    async fn call(&mut self) -> Call {
        match soon(self.0.recv()).await {
            Some(EngineCommand::Call { client, request, reply }) => Call { client, request, reply },
            other => panic!("expected a call, got {other:?}"),
        }
    }
}

/// A session of a host that the test plays.
async fn host(opened: oneshot::Sender<Result<Session, String>>, welcome: Welcome) -> Host {
    let (session, host) = opened_with(welcome).await;
    opened.send(Ok(session.into())).expect("the server waits");
    host
}

async fn calls(host: &mut Host) -> (u64, String) {
    match host.heard().await {
        ToHost::Call { id, input, .. } => (id, input),
        other => panic!("expected a call, got {other:?}"),
    }
}

fn in_session(id: i64, session: &str, input: &str) -> Value {
    repl(id, json!({"input": input, "session": session}))
}

fn error(message: &Value) -> &str {
    assert_eq!(message["result"]["isError"], true, "{message}");
    text(message)
}

#[tokio::test]
async fn the_usual_session_is_opened_as_the_client_gets_ready_and_calls_wait_in_their_order() {
    let (mut harness, mut wished) = start(None, 16).await;
    let (what, opened) = next(&mut wished).await;
    assert_eq!(what, wanted(None));
    for id in 1..=3 {
        harness.send(repl(id, json!({"input": format!("{id}")}))).await;
    }
    harness.assert_alive().await;
    let (handle, commands) = Handle::new();
    opened.send(Ok(handle.into())).expect("the server waits");
    let mut engine = Engine(commands);
    harness.send(repl(4, json!({"input": "4"}))).await;
    for id in 1..=4 {
        let call = engine.call().await;
        assert_eq!(call.input(), id.to_string());
        call.answer("done");
    }
    assert!(wished.try_recv().is_err());
}

#[tokio::test]
async fn calls_in_different_sessions_run_side_by_side() {
    let (mut harness, mut wished) = start(None, 16).await;
    let mut usual = Engine::open(&mut wished, None).await;
    harness.send(in_session(1, "train", "a")).await;
    let mut train = Engine::open(&mut wished, Some("train")).await;
    harness.send(repl(2, json!({"input": "b"}))).await;
    harness.send(in_session(3, "train", "c")).await;
    let (a, c, b) = (train.call().await, train.call().await, usual.call().await);
    assert_eq!([a.input(), b.input(), c.input()], ["a", "b", "c"]);
    b.answer("of the usual one");
    let answer = harness.receive().await;
    assert_eq!((answer["id"].as_i64(), text(&answer)), (Some(2), "of the usual one"));
    a.answer("of the other");
    assert_eq!(text(&harness.receive().await), "of the other");
    // What is no name of a session goes nowhere.
    for name in [json!("a/b"), json!(""), json!("x".repeat(65)), json!("é"), json!(7)] {
        let call = repl(4, json!({"input": "x", "session": name}));
        let answer = harness.ask(call).await;
        assert!(error(&answer).starts_with("`session`"), "{answer}");
        assert!(error(&answer).ends_with("Nothing was run."), "{answer}");
    }
    assert!(wished.try_recv().is_err());
}

#[tokio::test]
async fn a_session_is_not_started_to_show_a_part_of_it() {
    let (mut harness, mut wished) = start(None, 16).await;
    let _usual = Engine::open(&mut wished, None).await;
    let show = |id| repl(id, json!({"show": "tail 1", "session": "other"}));
    let not_started = WantedSession { start: false, ..wanted(Some("other")) };
    harness.send(show(1)).await;
    let (what, opened) = next(&mut wished).await;
    assert_eq!(what, not_started);
    assert!(opened.send(Err("there is none".into())).is_ok());
    let answer = harness.receive().await;
    assert_eq!(error(&answer), "[repl] there is none. Nothing was run.");
    // A call that comes meanwhile has it started.
    harness.send(show(2)).await;
    let (what, opened) = next(&mut wished).await;
    assert_eq!(what, not_started);
    harness.send(in_session(3, "other", "x")).await;
    harness.assert_alive().await;
    assert!(opened.send(Err("there is none".into())).is_ok());
    assert_eq!(harness.receive().await["id"], 2);
    let mut engine = Engine::open(&mut wished, Some("other")).await;
    engine.call().await.answer("started");
    assert_eq!(text(&harness.receive().await), "started");
}

#[tokio::test]
async fn the_usual_session_is_that_of_its_name() {
    let (mut harness, mut wished) = start(Some("main"), 16).await;
    let mut engine = Engine::open(&mut wished, Some("main")).await;
    harness.send(in_session(1, "main", "a")).await;
    harness.send(repl(2, json!({"input": "b"}))).await;
    assert_eq!(engine.call().await.input(), "a");
    assert_eq!(engine.call().await.input(), "b");
}

#[tokio::test]
async fn more_sessions_than_allowed_are_refused_until_one_has_ended() {
    let (mut harness, mut wished) = start(None, 2).await;
    let _usual = Engine::open(&mut wished, None).await;
    harness.send(in_session(1, "a", "x")).await;
    let mut first = Engine::open(&mut wished, Some("a")).await;
    let call = first.call().await;
    let answer = harness.ask(in_session(2, "b", "x")).await;
    assert!(error(&answer).contains("no more than 2 sessions"), "{answer}");
    assert!(error(&answer).ends_with("Nothing was run."), "{answer}");
    let status = Status::Ended { exit: Exit::Status(0) };
    call.send(Reply { content: vec![], status });
    harness.receive().await;
    harness.send(in_session(3, "b", "x")).await;
    let mut second = Engine::open(&mut wished, Some("b")).await;
    second.call().await.answer("of b");
    assert_eq!(text(&harness.receive().await), "of b");
    // The one that made room is ended.
    loop {
        match soon(first.0.recv()).await {
            Some(EngineCommand::Shutdown) => break,
            Some(_) => {}
            None => panic!("it was not told"),
        }
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_opened_is_an_error_and_tried_again() {
    let (mut harness, mut wished) = start(None, 2).await;
    let (_, opened) = next(&mut wished).await;
    harness.send(repl(1, json!({"input": "x"}))).await;
    harness.assert_alive().await;
    assert!(opened.send(Err("there is no room".into())).is_ok());
    let answer = harness.receive().await;
    assert_eq!(error(&answer), "[repl] there is no room. Nothing was run.");
    // Those that fail take nobody's place.
    for _ in 0..3 {
        harness.send(in_session(2, "other", "x")).await;
        let (_, opened) = next(&mut wished).await;
        assert!(opened.send(Err("no".into())).is_ok());
        harness.receive().await;
    }
    harness.send(repl(3, json!({"input": "x"}))).await;
    let mut engine = Engine::open(&mut wished, None).await;
    engine.call().await.answer("there");
    assert_eq!(text(&harness.receive().await), "there");
}

#[tokio::test]
async fn a_call_whose_time_is_up_before_its_session_is_there_is_not_run() {
    let (mut harness, mut wished) = start(None, 2).await;
    let (_, opened) = next(&mut wished).await;
    let answer = harness.ask(repl(1, json!({"input": "x", "timeout_ms": 0}))).await;
    assert!(error(&answer).contains("not there yet"), "{answer}");
    harness.send(repl(2, json!({"input": "y"}))).await;
    harness.assert_alive().await;
    let (handle, commands) = Handle::new();
    opened.send(Ok(handle.into())).expect("the server waits");
    assert_eq!(Engine(commands).call().await.input(), "y");
}

#[tokio::test]
async fn a_session_that_waited_is_said_to_be_so_in_the_first_reply_that_is_told() {
    let (mut harness, mut wished) = start(None, 16).await;
    let (_, opened) = next(&mut wished).await;
    let mut host = host(opened, Welcome { had_clients: true, ..welcome() }).await;
    harness.send(repl(1, json!({"input": "x"}))).await;
    assert_eq!(calls(&mut host).await, (1, "x".into()));
    host.say(reply(1, "42\n")).await;
    let answer = harness.receive().await;
    let told = text(&answer);
    assert!(told.starts_with("[repl] rejoined the session of 1970-01-01"), "{told}");
    assert!(told.ends_with("; its variables are still there\n42\n"), "{told}");
    assert_eq!(host.heard().await, ToHost::Told { id: 1 });
    harness.send(repl(2, json!({"input": "y"}))).await;
    assert_eq!(calls(&mut host).await, (2, "y".into()));
    host.say(reply(2, "43\n")).await;
    assert_eq!(text(&harness.receive().await), "43\n");
}

#[tokio::test]
async fn what_is_to_be_said_first_is_said_until_it_was_told() {
    let (wishes, mut wished) = mpsc::unbounded_channel();
    let sessions = Sessions::new(Played(wishes), None, 1);
    sessions.prepare("test");
    let (_, opened) = next(&mut wished).await;
    let mut host = host(opened, Welcome { had_clients: true, ..welcome() }).await;
    let begins = |answer: &Answer| match answer.reply().content.first() {
        Some(Content::Notice(Notice::Rejoined { .. })) => true,
        Some(Content::Text(_)) => false,
        other => panic!("{other:?}"),
    };
    for (id, is_told) in [(1, false), (2, true), (3, true)] {
        let payload = Payload::Text("x".into());
        let request = Request::new(payload, Duration::from_secs(40));
        let caller = Caller { name: "test".into(), sandbox: None };
        let asking = sessions.ask(&caller, None, request);
        let answering = async {
            assert_eq!(calls(&mut host).await.0, id);
            host.say(reply(id, "42\n")).await;
        };
        let (answer, ()) = tokio::join!(soon(asking), answering);
        let answer = answer.expect("a reply");
        assert_eq!(begins(&answer), id < 3, "reply {id}");
        match is_told {
            true => drop(answer.told()),
            false => drop(answer),
        }
        let receipt = if is_told { ToHost::Told { id } } else { ToHost::Untold { id } };
        assert_eq!(host.heard().await, receipt);
    }
}

#[tokio::test]
async fn a_part_of_an_output_is_shown_of_the_session_that_is_named() {
    let (mut harness, mut wished) = start(None, 16).await;
    let _usual = Engine::open(&mut wished, None).await;
    harness.send(repl(1, json!({"show": "tail 1", "session": "train"}))).await;
    let (what, opened) = next(&mut wished).await;
    assert_eq!(what, WantedSession { start: false, ..wanted(Some("train")) });
    let (handle, commands) = Handle::new();
    opened.send(Ok(handle.into())).expect("the server waits");
    let mut train = Engine(commands);
    match soon(train.0.recv()).await {
        Some(EngineCommand::Show { part, answer, .. }) => {
            assert_eq!(part, "tail 1");
            assert!(answer.send(Ok("the last line\n".into())).is_ok());
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(text(&harness.receive().await), "the last line\n");
}

#[tokio::test]
async fn a_session_that_others_use_is_said_to_be_so() {
    let (mut harness, mut wished) = start(Some("shared"), 16).await;
    let (_, opened) = next(&mut wished).await;
    let is_shared = Welcome { had_clients: true, others: 1, is_alive: false, ..welcome() };
    let mut host = host(opened, is_shared).await;
    harness.send(repl(1, json!({"input": "x"}))).await;
    assert_eq!(calls(&mut host).await, (1, "x".into()));
    host.say(reply(1, "42\n")).await;
    let answer = harness.receive().await;
    let told = text(&answer);
    assert!(told.starts_with("[repl] joined the session of 1970-01-01"), "{told}");
    assert!(told.ends_with(", which another client uses, too\n42\n"), "{told}");
}

#[tokio::test]
async fn a_connection_that_ends_is_told_at_once_and_the_session_found_again() {
    let (mut harness, mut wished) = start(None, 16).await;
    let (_, opened) = next(&mut wished).await;
    let mut first = host(opened, welcome()).await;
    harness.send(repl(1, json!({"input": "x"}))).await;
    calls(&mut first).await;
    drop(first);
    let answer = harness.receive().await;
    assert!(error(&answer).starts_with("[repl] the session's host is gone"), "{answer}");

    harness.send(repl(2, json!({"input": "y"}))).await;
    let (what, opened) = next(&mut wished).await;
    let earlier = EarlierSession {
        name: "proj".into(),
        started_ms: welcome().started_ms,
        resume: "again".into(),
    };
    assert_eq!(what.earlier, Some(earlier));
    let mut again = host(opened, Welcome { had_clients: true, ..welcome() }).await;
    calls(&mut again).await;
    again.say(reply(1, "42\n")).await;
    let told = "[repl] connected to the session again; its variables are still there\n42\n";
    assert_eq!(text(&harness.receive().await), told);

    // This time nobody waits for a reply, and the session is gone.
    assert_eq!(again.heard().await, ToHost::Told { id: 1 });
    drop(again);
    harness.assert_alive().await;
    harness.send(repl(3, json!({"input": "z"}))).await;
    let (_, opened) = next(&mut wished).await;
    let mut fresh = host(opened, Welcome { started_ms: 2, ..welcome() }).await;
    let (id, input) = calls(&mut fresh).await;
    assert_eq!(input, "z");
    fresh.say(reply(id, "1\n")).await;
    let told = "[repl] new session started: the earlier one is gone (its host was ended or killed)";
    assert_eq!(text(&harness.receive().await), format!("{told}\n1\n"));
}

/// A call of a client that says that its own sandbox is read-only.
fn confined(id: i64, input: &str) -> Value {
    let entry = json!({"path": {"type": "special", "value": {"kind": "root"}}, "access": "read"});
    let files = json!({"type": "restricted", "entries": [entry]});
    let profile = json!({"type": "managed", "file_system": files, "network": "restricted"});
    let mut call = repl(id, json!({ "input": input }));
    call["params"]["_meta"] = json!({"codex/sandbox-state-meta": {"permissionProfile": profile}});
    call
}

#[tokio::test]
async fn calls_that_wait_for_a_session_that_allows_more_are_made_in_another_one() {
    let (mut harness, mut wished) = start(None, 16).await;
    let (_, opened) = next(&mut wished).await;
    harness.send(confined(1, "1")).await;
    harness.send(confined(2, "2")).await;
    harness.assert_alive().await;
    let (handle, mut looser) = Handle::new();
    opened.send(Ok(handle.into())).expect("the server waits");
    let (what, opened) = next(&mut wished).await;
    let sandbox = Settings::default().within(&ClientSandbox::STRICTEST);
    assert_eq!(what, WantedSession { sandbox, ..wanted(None) });
    // That one is ended, and has got none of them.
    assert!(matches!(soon(looser.recv()).await, Some(EngineCommand::Shutdown)));
    let (handle, commands) = Handle::new();
    opened.send(Ok(handle.into())).expect("the server waits");
    let mut engine = Engine(commands);
    for id in ["1", "2"] {
        let call = engine.call().await;
        assert_eq!(call.input(), id);
        call.answer("done");
    }
    let first = harness.receive().await;
    assert!(text(&first).starts_with("[repl] sandbox: read-only, no network; "), "{first}");
    assert_eq!(text(&harness.receive().await), "done");
    assert!(wished.try_recv().is_err());
}

#[tokio::test]
async fn a_session_that_is_still_looser_is_not_opened_again_and_again() {
    let (mut harness, mut wished) = start(None, 16).await;
    let (_, opened) = next(&mut wished).await;
    harness.send(confined(1, "1")).await;
    harness.assert_alive().await;
    let (handle, _looser) = Handle::new();
    opened.send(Ok(handle.into())).expect("the server waits");
    let (_, opened) = next(&mut wished).await;
    // A host that says that it keeps less than it was asked for.
    let write = mcp_repl_control::Sandbox {
        mode: "workspace-write".into(),
        network: "on".into(),
        ..mcp_repl_control::Sandbox::default()
    };
    let _host = host(opened, Welcome { sandbox: Some(write), ..welcome() }).await;
    let answer = harness.receive().await;
    assert!(error(&answer).contains("allows more than the sandbox of this client"), "{answer}");
    assert!(wished.try_recv().is_err());
}
