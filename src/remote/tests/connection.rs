//! A connection against a played host, over a pipe within the process.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use mcp_repl_control::{
    LONGEST_REQUEST, MOST_BYTES, MOST_TYPED, SessionInfo, SessionState, ToClient, ToHost, encode,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf},
    sync::mpsc,
};

use super::{Host, call, hello, opened, pipe, reply, soon, welcome};
use crate::{
    remote::{ConnectError, End, Opened, connect},
    reply::Content,
    screen::Size,
    session::{
        client::{Decision, OnDrop, Request, ScreenUpdate},
        rules::payload::Payload,
    },
};

fn request(text: &str) -> Request {
    let payload = Payload::parse(text, Vec::new()).expect("a payload");
    Request::new(payload, Duration::from_secs(40))
}

fn text(reply: &crate::reply::Reply) -> &str {
    match &reply.content[..] {
        [Content::Text(text)] => text,
        other => panic!("no text: {other:?}"),
    }
}

#[tokio::test]
async fn a_call_goes_to_the_host_and_its_reply_comes_back_with_a_receipt() {
    let (Opened { handle, welcome: told, .. }, mut host) = opened().await;
    assert_eq!(told, welcome());
    let client = handle.join();
    let (first, second) = (client.ask(request("1")), client.ask(request("\u{3}2")));
    assert_eq!(host.heard().await, call(1, "1"));
    assert_eq!(host.heard().await, call(2, "\u{3}2"));
    host.say(reply(2, "b")).await;
    host.say(reply(1, "a")).await;
    let answer = soon(first).await.expect("a reply");
    assert_eq!(text(&answer.told()), "a");
    assert_eq!(host.heard().await, ToHost::Told { id: 1 });
    drop(soon(second).await.expect("a reply"));
    assert_eq!(host.heard().await, ToHost::Untold { id: 2 });
}

#[tokio::test]
async fn a_call_that_is_given_up_is_cancelled() {
    let (Opened { handle, .. }, mut host) = opened().await;
    let client = handle.join();
    let mut asked = request("1");
    let on_drop = OnDrop::default();
    asked.on_drop = on_drop.clone();
    let (first, second) = (client.ask(asked), client.ask(request("2")));
    host.heard().await;
    host.heard().await;
    on_drop.interrupt();
    drop(first);
    assert_eq!(host.heard().await, ToHost::Cancel { id: 1, interrupt: true });
    drop(second);
    assert_eq!(host.heard().await, ToHost::Cancel { id: 2, interrupt: false });
    // A reply that crosses the cancel is not lost.
    host.say(reply(1, "late")).await;
    assert_eq!(host.heard().await, ToHost::Untold { id: 1 });
}

#[tokio::test]
async fn a_reply_that_nobody_waits_for_comes_back() {
    let (Opened { handle, .. }, mut host) = opened().await;
    let client = handle.join();
    let asked = client.ask(request("1"));
    host.heard().await;
    host.say(reply(1, "late")).await;
    tokio::task::yield_now().await;
    drop(asked);
    // Whichever was first, the host learns that nobody was told.
    loop {
        match host.heard().await {
            ToHost::Cancel { id: 1, interrupt: false } => {}
            ToHost::Untold { id: 1 } => break,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_was_not_told_comes_back_before_the_next_call() {
    let (Opened { handle, .. }, mut host) = opened().await;
    let client = handle.join();
    let asked = client.ask(request("1"));
    host.heard().await;
    host.say(reply(1, "a")).await;
    let answer = soon(asked).await.expect("a reply");
    let given_up = client.ask(request("2"));
    host.heard().await;
    drop((answer, given_up));
    let _next = client.ask(request("3"));
    assert_eq!(host.heard().await, ToHost::Untold { id: 1 });
    assert_eq!(host.heard().await, ToHost::Cancel { id: 2, interrupt: false });
    assert_eq!(host.heard().await, call(3, "3"));
}

#[tokio::test]
async fn progress_is_told_to_whom_asked_for_it() {
    let (Opened { handle, .. }, mut host) = opened().await;
    let client = handle.join();
    let (sender, mut lines) = mpsc::unbounded_channel();
    let mut asked = request("1");
    asked.progress = Some(sender);
    let asked = client.ask(asked);
    let ToHost::Call { id: 1, progress: true, .. } = host.heard().await else { panic!() };
    host.say(ToClient::Progress { id: 1, line: "42 %".into() }).await;
    assert_eq!(soon(lines.recv()).await.as_deref(), Some("42 %"));
    host.say(reply(1, "done")).await;
    assert_eq!(text(soon(asked).await.expect("a reply").reply()), "done");
    assert_eq!(soon(lines.recv()).await, None);
}

#[tokio::test]
async fn what_is_typed_goes_with_its_bytes_and_waits_until_it_was_taken() {
    let (Opened { handle, .. }, mut host) = opened().await;
    let client = handle.join();
    let typing = tokio::spawn(async move {
        client.type_bytes(b"a\n\x00b".to_vec()).await;
        client.resize(Size { columns: 100, rows: 40 });
        client.pin(Size { columns: 90, rows: 30 });
        client
    });
    let typed = host.heard_with_bytes().await;
    assert_eq!(typed, (ToHost::Type { length: 4, quiet: false }, b"a\n\x00b".to_vec()));
    host.say(ToClient::Typed).await;
    let _client = soon(typing).await.expect("no panic");
    let resize = |columns, rows, pin| ToHost::Resize { columns, rows, pin };
    assert_eq!(host.heard().await, resize(100, 40, false));
    assert_eq!(host.heard().await, resize(90, 30, true));
}

#[tokio::test]
async fn a_long_text_is_typed_as_the_host_takes_it() {
    let (Opened { handle, .. }, mut host) = opened().await;
    let client = handle.join();
    let text: Vec<u8> = (0..3 * MOST_TYPED).map(|place| place as u8).collect();
    let wanted = text.clone();
    let typing = tokio::spawn(async move {
        client.type_bytes(text).await;
        client
    });
    let (mut typed, mut on_the_way) = (Vec::new(), 0);
    while typed.len() < wanted.len() {
        // The host waits for as much as may come before it says that it took any of it.
        while on_the_way < MOST_TYPED / 2 && typed.len() < wanted.len() {
            let (ToHost::Type { length, .. }, bytes) = host.heard_with_bytes().await else {
                panic!()
            };
            on_the_way += length;
            typed.extend(bytes);
        }
        assert!(!typing.is_finished() && on_the_way <= MOST_TYPED, "{on_the_way}");
        host.say(ToClient::Typed).await;
        on_the_way -= on_the_way.min(64 << 10);
    }
    for _ in 0..MOST_TYPED / (64 << 10) {
        host.say(ToClient::Typed).await;
    }
    soon(typing).await.expect("no panic");
    assert_eq!(typed, wanted);
}

#[tokio::test]
async fn a_cell_that_no_host_takes_is_refused_here() {
    let (Opened { handle, .. }, mut host) = opened().await;
    let client = handle.join();
    let refused = soon(client.ask(request(&"x".repeat(LONGEST_REQUEST)))).await.expect("a reply");
    assert!(refused.reply().is_error());
    let _call = client.ask(request("1"));
    assert_eq!(host.heard().await, call(2, "1"));
}

#[tokio::test]
async fn what_a_person_says_of_whose_hands_it_is_goes_to_the_host_and_back() {
    let (Opened { handle, .. }, mut host) = opened().await;
    let client = handle.join();
    client.hold(true);
    client.approve(true);
    client.decide(7, Decision::Refused("no".into()));
    assert_eq!(host.heard().await, ToHost::Hold { on: true });
    assert_eq!(host.heard().await, ToHost::Approve { on: true });
    let decision = mcp_repl_control::Decision::Refused("no".into());
    assert_eq!(host.heard().await, ToHost::Decide { id: 7, decision });
    let mut looking = soon(client.subscribe()).await.expect("a session");
    assert_eq!(host.heard().await, ToHost::Subscribe { screen: true, pictures: false });
    host.say_with_bytes(ToClient::Repaint { columns: 80, rows: 24, length: 0 }, b"").await;
    let (needed, proposals) = (None, vec![8]);
    let told = mcp_repl_control::Hands {
        holder: Some("ann".into()),
        is_holder: true,
        approver: Some("bob".into()),
        is_approver: false,
        needed,
        proposals,
    };
    host.say(ToClient::Hands(told)).await;
    let (bot, source) = ("bot".to_owned(), "x".to_owned());
    host.say(ToClient::Proposed { id: 8, client: bot.clone(), source: source.clone() }).await;
    host.say(ToClient::Settled { id: 8 }).await;
    soon(looking.next()).await;
    let Some(ScreenUpdate::Hands(hands)) = soon(looking.next()).await else { panic!() };
    assert_eq!((hands.holder.as_deref(), hands.is_holder), (Some("ann"), true));
    assert_eq!((hands.approver.as_deref(), hands.is_approver), (Some("bob"), false));
    assert_eq!((hands.needed, hands.proposals), (None, vec![8]));
    let proposed = ScreenUpdate::Proposed { id: 8, client: bot, source };
    assert_eq!(soon(looking.next()).await, Some(proposed));
    assert_eq!(soon(looking.next()).await, Some(ScreenUpdate::Settled { id: 8 }));
}

#[tokio::test]
async fn who_looks_on_gets_the_screen_then_what_is_shown_and_the_screen_anew_when_too_slow() {
    let (Opened { handle, .. }, mut host) = opened().await;
    let client = handle.join();
    let mut looking = soon(client.subscribe()).await.expect("a session");
    assert_eq!(host.heard().await, ToHost::Subscribe { screen: true, pictures: false });
    let repaint = ToClient::Repaint { columns: 80, rows: 24, length: 6 };
    // What crossed the request is on the screen that comes.
    host.say_with_bytes(ToClient::Output { length: 5, echo: false }, b"early").await;
    host.say_with_bytes(repaint.clone(), b"screen").await;
    let size = Size { columns: 80, rows: 24 };
    let painted = Some(ScreenUpdate::Repaint { size, bytes: b"screen".to_vec() });
    assert_eq!(soon(looking.next()).await, painted);
    for _ in 0..10_000 {
        host.say_with_bytes(ToClient::Output { length: 4, echo: false }, b"more").await;
    }
    // All of it was read once this is answered.
    let completing = client.complete("pri".into(), 3);
    let answering = async {
        let ToHost::Complete { id, text, cursor: 3 } = host.heard().await else { panic!() };
        assert_eq!(text, "pri");
        host.say(ToClient::Completion {
            id,
            start: 0,
            matches: vec!["print".into()],
            is_incomplete: true,
        })
        .await;
    };
    let (completion, ()) = tokio::join!(soon(completing), answering);
    assert_eq!(completion.matches, ["print"]);
    let mut taken = 0;
    let next = loop {
        let next = tokio::select! {
            biased;
            update = looking.next() => update,
            message = host.heard() => {
                assert_eq!(message, ToHost::Subscribe { screen: true, pictures: false });
                host.say_with_bytes(repaint.clone(), b"screen").await;
                continue;
            }
        };
        match next {
            Some(ScreenUpdate::Bytes(_)) => taken += 1,
            next => break next,
        }
    };
    assert!(taken < 5000, "{taken} updates were kept");
    assert_eq!(next, painted);
}

#[tokio::test]
async fn the_session_is_told_of_and_parts_of_outputs_are_shown() {
    let (Opened { handle, connection, .. }, mut host) = opened().await;
    let info = SessionInfo {
        name: "proj".into(),
        state: SessionState::Ready,
        interpreter: "cpython 3.12.1".into(),
        executable: "/usr/bin/python3".into(),
        directory: "/proj".into(),
        host_pid: 1,
        worker_pid: Some(2),
        age_ms: 3,
        clients: vec!["test".into()],
        memory: None,
        ends_in_ms: None,
        keeps: false,
        sandbox: None,
    };
    let client = handle.join();
    let told = info.clone();
    let answering = async {
        for _ in 0..2 {
            assert_eq!(host.heard().await, ToHost::Describe);
            host.say(ToClient::Session(Box::new(told.clone()))).await;
        }
        for failed in [false, true] {
            let ToHost::Show { id, part } = host.heard().await else { panic!() };
            host.say(ToClient::Shown { id, text: part, failed }).await;
        }
        host
    };
    let asking = async {
        let worker = soon(handle.worker()).await.expect("a worker");
        assert_eq!(
            (worker.implementation.as_str(), worker.version.as_str()),
            ("cpython", "3.12.1")
        );
        assert_eq!(soon(connection.describe()).await, Some(info));
        assert_eq!(soon(client.show("tail 1".into())).await, Ok("tail 1".into()));
        assert_eq!(soon(client.show("tail 2".into())).await, Err("tail 2".into()));
    };
    tokio::join!(answering, asking);
}

#[tokio::test]
async fn a_connection_that_ends_ends_its_calls_at_once_and_says_why() {
    let (Opened { handle, connection, .. }, mut host) = opened().await;
    let client = handle.join();
    let call = client.ask(request("1"));
    host.heard().await;
    assert_eq!(connection.end(), None);
    drop(host);
    assert!(soon(call).await.is_none());
    assert_eq!(connection.end(), Some(End::Closed));
    assert!(soon(client.ask(request("2"))).await.is_none());
    assert!(soon(connection.describe()).await.is_none());

    let (Opened { handle, connection, .. }, mut host) = opened().await;
    let call = handle.join().ask(request("1"));
    host.heard().await;
    host.say(ToClient::Error { message: "no".into() }).await;
    assert!(soon(call).await.is_none());
    assert_eq!(connection.end(), Some(End::Refused("no".into())));

    let (Opened { handle, connection, .. }, mut host) = opened().await;
    let call = handle.join().ask(request("1"));
    host.stream.write_all(b"hello\n").await.expect("the client reads");
    assert!(soon(call).await.is_none());
    assert!(matches!(connection.end(), Some(End::Protocol(_))), "{:?}", connection.end());
}

/// What a socket gives whose other side closed it with something unread.
struct Reset;

impl AsyncRead for Reset {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
    }
}

#[tokio::test]
async fn a_host_that_ends_with_something_unread_has_closed_the_connection() {
    let said = io::Cursor::new(encode(&ToClient::Welcome(welcome()), b""));
    let opened = connect(said.chain(Reset), tokio::io::sink(), &hello()).await;
    // Who lets go of the session closes the connection, too.
    let Opened { handle: _handle, connection, .. } = opened.expect("a session");
    assert_eq!(soon(connection.ended()).await, End::Closed);
}

#[tokio::test]
async fn nobody_holding_the_session_closes_the_connection_once_all_is_said() {
    let (Opened { handle, connection, .. }, mut host) = opened().await;
    let client = handle.join();
    let asked = client.ask(request("1"));
    host.heard().await;
    host.say(reply(1, "a")).await;
    soon(asked).await.expect("a reply").told();
    drop((handle, client));
    assert_eq!(soon(connection.ended()).await, End::Left);
    assert_eq!(host.rest().await, [ToHost::Told { id: 1 }]);
}

#[tokio::test]
async fn the_end_of_the_session_is_asked_for_and_waited_for() {
    let (Opened { handle, connection, .. }, mut host) = opened().await;
    handle.shutdown();
    assert_eq!(host.heard().await, ToHost::End);
    drop(host);
    assert_eq!(soon(connection.ended()).await, End::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_hangs_ends_no_wait_late() {
    let (Opened { handle, connection, .. }, _host) = opened().await;
    let client = handle.join();
    let began = tokio::time::Instant::now();
    let mut asked = request("1");
    asked.timeout = Duration::from_secs(2);
    assert!(client.ask(asked).await.is_none());
    assert_eq!(connection.end(), Some(End::Silent));
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_hangs_keeps_nobody_waiting_for_a_part_of_an_output() {
    let (Opened { handle, connection, .. }, _host) = opened().await;
    let began = tokio::time::Instant::now();
    let shown = soon(handle.join().show("tail 1".into())).await;
    assert!(shown.is_err(), "{shown:?}");
    assert_eq!(connection.end(), Some(End::Silent));
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_does_not_read_holds_nobody_up_who_leaves() {
    let (Opened { handle, connection, .. }, _host) = opened().await;
    let client = handle.join();
    let call = client.ask(request(&"x".repeat(1 << 20)));
    tokio::task::yield_now().await;
    drop((call, client, handle));
    assert_eq!(connection.ended().await, End::Left);
}

#[tokio::test]
async fn a_host_that_does_not_read_makes_nothing_grow_without_end() {
    let (Opened { handle, connection, .. }, _host) = opened().await;
    let client = handle.join();
    let call = client.ask(request("1"));
    let mut typing = Vec::new();
    for _ in 0..9 {
        typing.push(client.type_bytes(vec![0; MOST_BYTES]));
        // What plays the engine takes it.
        tokio::task::yield_now().await;
    }
    assert!(soon(call).await.is_none());
    assert_eq!(connection.end(), Some(End::Silent));
}

#[tokio::test]
async fn who_is_not_let_in_is_told_why() {
    let (client, mut host) = pipe(1024);
    let (reader, writer) = tokio::io::split(client);
    host.say(ToClient::Error { message: "wrong token".into() }).await;
    let error = connect(reader, writer, &hello()).await.expect_err("no session");
    assert!(matches!(&error, ConnectError::Refused(why) if why == "wrong token"), "{error}");

    let (client, host) = pipe(1024);
    let (reader, writer) = tokio::io::split(client);
    let Host { mut stream, .. } = host;
    let closing = async { stream.read(&mut [0; 1024]).await.map(|_| drop(stream)) };
    let hello = hello();
    let (opened, _) = tokio::join!(connect(reader, writer, &hello), closing);
    assert!(matches!(opened.expect_err("no session"), ConnectError::Closed));

    let (client, mut host) = pipe(1024);
    let (reader, writer) = tokio::io::split(client);
    host.stream.write_all(b"login: \n").await.expect("room");
    let error = connect(reader, writer, &hello).await.expect_err("no session");
    assert!(matches!(error, ConnectError::Protocol(_)), "{error}");
}
