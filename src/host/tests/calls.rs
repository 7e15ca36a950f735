//! What a client that was let in says, and what it is told.

use std::time::Duration;

use mcp_repl_control::{Decision, Role, SessionState, ToClient, ToHost, encode};
use tokio::sync::oneshot;

use super::{Peer, TestHost, hello, soon};
use crate::{
    reply::Deed,
    screen::Size,
    session::{
        client::{self, Completion, EngineCommand, Hands, PersonAct, ScreenUpdate},
        pipeline::Standing,
        rules::payload::{Keys, Payload},
    },
};

#[tokio::test]
async fn calls_run_side_by_side_and_are_answered_as_they_end() {
    let mut host = TestHost::start();
    let mut peer = host.join("one").await;
    peer.call(1, "first").await;
    peer.call(2, "second").await;
    let (first, second) = (host.call().await, host.call().await);
    assert_eq!((first.text(), second.text()), ("first", "second"));
    second.answer("2");
    assert_eq!(peer.reply(2).await, "2");
    first.answer("1");
    assert_eq!(peer.reply(1).await, "1");
}

#[tokio::test]
async fn what_is_typed_quietly_has_no_answer_of_its_own() {
    let mut host = TestHost::start();
    let mut peer = host.join("one").await;
    for (key, quiet) in [(b"a", true), (b"b", true), (b"c", false)] {
        peer.send_raw(&encode(&ToHost::Type { length: 1, quiet }, key)).await;
    }
    for key in [b"a", b"b", b"c"] {
        let EngineCommand::Keystrokes { bytes, taken, .. } = host.command().await else { panic!() };
        assert_eq!(bytes, key);
        taken.send(()).unwrap();
    }
    assert_eq!(peer.receive().await, ToClient::Typed);
    peer.send_raw(&encode(&ToHost::Complete { id: 1, text: "x".into(), cursor: 1 }, &[])).await;
    let EngineCommand::Complete { answer, .. } = host.command().await else { panic!() };
    answer.send(Completion::default()).unwrap();
    let next = peer.receive().await;
    assert!(matches!(next, ToClient::Completion { id: 1, .. }), "{next:?}");
}

#[tokio::test]
async fn what_one_connection_says_reaches_the_session_in_that_order() {
    let mut host = TestHost::start();
    let mut peer = host.join("one").await;
    let mut bytes = Vec::new();
    bytes.extend(encode(&super::call(1, "x"), &[]));
    bytes.extend(encode(&ToHost::Type { length: 3, quiet: false }, b"abc"));
    bytes.extend(encode(&ToHost::Interrupt, &[]));
    bytes.extend(encode(&ToHost::Resize { columns: 100, rows: 30, pin: false }, &[]));
    bytes.extend(encode(&ToHost::Complete { id: 2, text: "pri".into(), cursor: 3 }, &[]));
    bytes.extend(encode(&ToHost::Cancel { id: 1, interrupt: true }, &[]));
    bytes.extend(encode(&super::call(3, "y"), &[]));
    peer.send_raw(&bytes).await;
    let first = host.call().await;
    let EngineCommand::Keystrokes { bytes, taken, .. } = host.command().await else { panic!() };
    assert_eq!(bytes, b"abc");
    let EngineCommand::Keystrokes { bytes, .. } = host.command().await else { panic!() };
    assert_eq!(bytes, [3]);
    let EngineCommand::Resize { size } = host.command().await else { panic!() };
    assert_eq!(size, Size { columns: 100, rows: 30 });
    let EngineCommand::Complete { answer, .. } = host.command().await else { panic!() };
    // The first call is given up before the next one is made.
    let second = host.call().await;
    assert!(first.reply.is_closed() && first.request.on_drop.interrupts());
    assert_eq!(second.text(), "y");
    taken.send(()).unwrap();
    assert_eq!(peer.receive().await, ToClient::Typed);
    answer
        .send(Completion { start: 0, matches: vec!["print".into()], is_incomplete: true })
        .unwrap();
    let completion = ToClient::Completion {
        id: 2,
        start: 0,
        matches: vec!["print".into()],
        is_incomplete: true,
    };
    assert_eq!(peer.receive().await, completion);
    second.answer("done");
    assert_eq!(peer.reply(3).await, "done");
}

#[tokio::test]
async fn a_reply_is_told_when_its_client_says_so_and_else_comes_back() {
    let mut host = TestHost::start();
    let mut peer = host.join("one").await;
    for id in 1..=4 {
        peer.call(id, "x").await;
        host.call().await.answer(&format!("reply {id}"));
        peer.reply(id).await;
    }
    peer.send(&ToHost::Told { id: 1 }).await;
    peer.send(&ToHost::Untold { id: 3 }).await;
    assert_eq!(host.returned().await, "reply 3");
    // A cancel that the reply has crossed.
    peer.send(&ToHost::Cancel { id: 2, interrupt: true }).await;
    assert_eq!(host.returned().await, "reply 2");
    // What is said of others is nothing.
    peer.send(&ToHost::Told { id: 77 }).await;
    peer.send(&ToHost::Untold { id: 1 }).await;
    peer.assert_served().await;
    drop(peer);
    assert_eq!(host.returned().await, "reply 4");
}

#[tokio::test]
async fn what_was_told_before_the_connection_broke_was_told_though_more_is_to_be_written() {
    let mut host = TestHost::start();
    let mut peer = host.join("one").await;
    peer.call(1, "x").await;
    host.call().await.answer("told");
    peer.reply(1).await;
    peer.call(2, "x").await;
    // It does not fit into the pipe, so that the host is still writing.
    let long = "x".repeat(1 << 17);
    host.call().await.answer(&long);
    peer.receive_some().await;
    peer.send(&ToHost::Told { id: 1 }).await;
    drop(peer);
    assert_eq!(host.returned().await, long);
    host.has_company(0).await;
    while let Ok(command) = host.commands.try_recv() {
        assert!(matches!(command, EngineCommand::Introduce { .. }), "{command:?}");
    }
}

#[tokio::test]
async fn replies_of_a_connection_that_breaks_go_back_the_newest_first() {
    let mut host = TestHost::start();
    let mut peer = host.join("one").await;
    for id in 1..=2 {
        peer.call(id, "x").await;
        host.call().await.answer(&format!("reply {id}"));
        peer.reply(id).await;
    }
    // The third one is given up.
    peer.call(3, "x").await;
    let third = host.call().await;
    drop(peer);
    assert_eq!(host.returned().await, "reply 2");
    assert_eq!(host.returned().await, "reply 1");
    assert!(third.reply.is_closed() && !third.request.on_drop.interrupts());
}

#[tokio::test]
async fn keys_progress_and_bad_payloads() {
    let mut host = TestHost::start();
    let mut peer = host.join("one").await;
    let keys = vec!["C-d".to_owned()];
    let keyed = |id, input: &str, progress| ToHost::Call {
        id,
        input: input.into(),
        keys: keys.clone(),
        timeout_ms: u64::MAX,
        progress,
        person: None,
    };
    peer.send(&keyed(1, "1 + 1", false)).await;
    let ToClient::Refused { id: Some(1), message } = peer.receive().await else { panic!() };
    assert_eq!(message, "`input` and `keys` can't be sent in one call. Nothing was run.");
    peer.send(&keyed(1, "", true)).await;
    let call = host.call().await;
    assert_eq!(call.request.payload, Payload::Keys(Keys(keys.clone())));
    assert_eq!(call.request.timeout, super::super::connection::LONGEST_TIMEOUT);
    call.request.progress.as_ref().unwrap().send("50 %".into()).unwrap();
    assert_eq!(peer.receive().await, ToClient::Progress { id: 1, line: "50 %".into() });
    call.answer("end");
    assert_eq!(peer.reply(1).await, "end");
}

#[tokio::test]
async fn a_number_is_used_once_at_a_time() {
    let mut host = TestHost::start();
    let mut peer = host.join("one").await;
    peer.call(1, "x").await;
    peer.call(1, "y").await;
    assert_eq!(peer.refused().await, "there is a call 1 already");
    assert!(host.call().await.reply.is_closed());
}

#[tokio::test]
async fn parts_of_long_outputs_are_shown() {
    let mut host = TestHost::start();
    let mut peer = host.join("one").await;
    for (id, given) in [(1, Ok("text".to_owned())), (2, Err("no such output".to_owned()))] {
        peer.send(&ToHost::Show { id, part: "tail 20".into() }).await;
        let EngineCommand::Show { part, answer, .. } = host.command().await else { panic!() };
        assert_eq!(part, "tail 20");
        answer.send(given.clone()).unwrap();
        let (failed, text) = (given.is_err(), given.unwrap_or_else(|why| why));
        assert_eq!(peer.receive().await, ToClient::Shown { id, text, failed });
    }
}

#[tokio::test]
async fn sizes_nobody_looks_at_are_ignored() {
    let mut host = TestHost::start();
    let mut peer = host.join("one").await;
    for (columns, rows) in [(2, 1), (0, 0), (u16::MAX, u16::MAX), (80, 2), (9, 24), (80, 24)] {
        for pin in [true, false] {
            peer.send(&ToHost::Resize { columns, rows, pin }).await;
        }
    }
    let EngineCommand::Pin { size, .. } = host.command().await else { panic!() };
    assert_eq!(size, Size { columns: 80, rows: 24 });
    let EngineCommand::Resize { size } = host.command().await else { panic!() };
    assert_eq!(size, Size { columns: 80, rows: 24 });
}

#[tokio::test]
async fn the_screen_is_told_before_the_reply_that_came_after_it() {
    let mut host = TestHost::start();
    let mut peer = host.join("one").await;
    let (subscriber, screen) = host.shown_to(&mut peer, b"before").await;
    let (repaint, bytes) = soon(peer.next()).await.unwrap();
    let length = screen.dump().len();
    assert_eq!(repaint, ToClient::Repaint { columns: 120, rows: 40, length });
    assert_eq!(bytes, screen.dump());
    peer.call(1, "x").await;
    let call = host.call().await;
    let running = Standing::Running { elapsed: Duration::ZERO, client: "one".into() };
    subscriber.show(ScreenUpdate::Standing(running));
    let deed = Deed::Ran { source: "x".into() };
    subscriber.show(ScreenUpdate::Did { client: "one".into(), deed });
    subscriber.show(ScreenUpdate::Bytes(b"printed".to_vec()));
    call.answer("reply");
    let state = SessionState::Running { since_ms: 0, client: "one".into() };
    assert_eq!(peer.receive().await, ToClient::State { state });
    let (client, what, text) = ("one".into(), "ran".into(), "x".into());
    assert_eq!(peer.receive().await, ToClient::Did(mcp_repl_control::Deed { client, what, text }));
    let (output, bytes) = soon(peer.next()).await.unwrap();
    assert_eq!(
        (output, &bytes[..]),
        (ToClient::Output { length: 7, echo: false }, &b"printed"[..])
    );
    assert_eq!(peer.reply(1).await, "reply");
}

#[tokio::test]
async fn people_are_there_as_long_as_one_client_has_some() {
    let mut host = TestHost::start();
    let (mut one, mut two) = (host.join("one").await, host.join("two").await);
    let people = async |host: &mut TestHost| match host.command().await {
        EngineCommand::People { attached } => attached,
        other => panic!("{other:?}"),
    };
    one.send(&ToHost::People { attached: true }).await;
    assert!(people(&mut host).await);
    two.send(&ToHost::People { attached: true }).await;
    two.assert_served().await;
    one.send(&ToHost::People { attached: false }).await;
    one.assert_served().await;
    // The last ones go without a word.
    drop(two);
    assert!(!people(&mut host).await);
}

#[tokio::test]
async fn a_person_takes_over_and_is_told_in_whose_hands_it_is() {
    let mut host = TestHost::start();
    let mut peer = host.join("ann").await;
    for asks in [ToHost::Hold { on: true }, ToHost::Approve { on: true }] {
        peer.send(&asks).await;
        let ToClient::Refused { id: None, message } = peer.receive().await else { panic!() };
        assert_eq!(message, "only a client that has said `people` may do that");
    }
    peer.send(&ToHost::People { attached: true }).await;
    peer.send(&ToHost::Hold { on: true }).await;
    peer.send(&ToHost::Approve { on: false }).await;
    let decision = Decision::Edited("x".into());
    peer.send(&ToHost::Decide { id: 7, decision }).await;
    assert!(matches!(host.command().await, EngineCommand::People { attached: true }));
    assert!(matches!(
        host.command().await,
        EngineCommand::Person { act: PersonAct::Hold { on: true }, .. }
    ));
    assert!(matches!(
        host.command().await,
        EngineCommand::Person { act: PersonAct::Approve { on: false }, .. }
    ));
    let decided = host.command().await;
    let EngineCommand::Person { act: PersonAct::Decide { proposal: 7, decision }, .. } = decided
    else {
        panic!("{decided:?}")
    };
    assert_eq!(decision, client::Decision::Edited("x".into()));
    let (subscriber, _) = host.shown_to(&mut peer, b"").await;
    soon(peer.next()).await;
    let needed = Some(client::Needed { why: "log in".into(), asked_by: "bot".into() });
    let hands = Hands { holder: Some("ann".into()), is_holder: true, needed, ..Hands::default() };
    subscriber.show(ScreenUpdate::Hands(hands));
    let (client, source) = ("bot".to_owned(), "x = 1".to_owned());
    subscriber.show(ScreenUpdate::Proposed {
        id: 7,
        client: client.clone(),
        source: source.clone(),
    });
    subscriber.show(ScreenUpdate::Settled { id: 7 });
    let ToClient::Hands(told) = peer.receive().await else { panic!() };
    assert_eq!((told.holder.as_deref(), told.is_holder, told.approver), (Some("ann"), true, None));
    assert_eq!(told.needed.unwrap().why, "log in");
    assert_eq!(peer.receive().await, ToClient::Proposed { id: 7, client, source });
    assert_eq!(peer.receive().await, ToClient::Settled { id: 7 });
}

#[tokio::test]
async fn whether_a_client_is_a_person_is_said_with_its_name() {
    let mut host = TestHost::start();
    let mut peer = host.join("ann").await;
    let introduced = async |host: &mut TestHost| loop {
        if let EngineCommand::Introduce { who, .. } = soon(host.commands.recv()).await.unwrap() {
            return (who.name, who.is_person);
        }
    };
    assert_eq!(introduced(&mut host).await, ("ann".into(), false));
    for attached in [true, false, true] {
        peer.send(&ToHost::People { attached }).await;
        assert_eq!(introduced(&mut host).await, ("ann".into(), attached));
        assert!(matches!(host.command().await, EngineCommand::People { .. }));
    }
    // One that is kept for its return is none.
    peer.call(1, "x").await;
    let call = host.call().await;
    drop(peer);
    assert_eq!(introduced(&mut host).await, ("ann".into(), false));
    drop(call);
}

#[tokio::test]
async fn who_only_looks_on_is_refused_the_rest_and_stays() {
    let mut host = TestHost::start();
    let roles = [Role::Observer, Role::Status];
    for role in roles {
        let (mut peer, _) = host.join_as(mcp_repl_control::Hello { role, ..hello("eyes") }).await;
        let refusal = async |peer: &mut Peer, message: &ToHost, bytes: &[u8]| {
            peer.send_raw(&encode(message, bytes)).await;
            match peer.receive().await {
                ToClient::Refused { id, message } => {
                    let what = message.strip_prefix("a connection that only looks on may not ");
                    (id, what.unwrap().to_owned())
                }
                other => panic!("{other:?}"),
            }
        };
        let refused = refusal(&mut peer, &super::call(5, "1"), &[]).await;
        assert_eq!(refused, (Some(5), "make calls".into()));
        let refused = refusal(&mut peer, &ToHost::Type { length: 1, quiet: false }, b"x").await;
        assert_eq!(refused, (None, "type".into()));
        let refused = refusal(&mut peer, &ToHost::Interrupt, &[]).await;
        assert_eq!(refused, (None, "interrupt".into()));
        let refused =
            refusal(&mut peer, &ToHost::Resize { columns: 80, rows: 24, pin: false }, &[]).await;
        assert_eq!(refused, (None, "resize the terminal".into()));
        let refused = refusal(&mut peer, &ToHost::People { attached: true }, &[]).await;
        assert_eq!(refused, (None, "bring people".into()));
        let refused = refusal(&mut peer, &ToHost::Hold { on: true }, &[]).await;
        assert_eq!(refused, (None, "take the session over".into()));
        let refused = refusal(&mut peer, &ToHost::Approve { on: true }, &[]).await;
        assert_eq!(refused, (None, "approve".into()));
        let decides = ToHost::Decide { id: 1, decision: Decision::Run };
        assert_eq!(refusal(&mut peer, &decides, &[]).await, (None, "decide".into()));
        if role == Role::Observer {
            let refused = refusal(&mut peer, &ToHost::End, &[]).await;
            assert_eq!(refused, (None, "end the session".into()));
        }
        peer.send(&ToHost::Subscribe { screen: true, pictures: false }).await;
        assert!(matches!(host.command().await, EngineCommand::Subscribe { .. }));
        peer.assert_served().await;
    }
}

#[tokio::test]
async fn a_call_of_a_session_that_is_gone_is_told_so() {
    let mut host = TestHost::start();
    let mut peer = host.join("one").await;
    peer.call(1, "x").await;
    let (gone, _) = oneshot::channel();
    drop(std::mem::replace(&mut host.call().await.reply, gone));
    let ToClient::Refused { id: Some(1), message } = peer.receive().await else { panic!() };
    assert_eq!(message, "the session is gone");
}
