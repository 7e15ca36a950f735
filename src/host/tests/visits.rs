//! Who is let in, and what the others are told.

use std::time::Duration;

use mcp_repl_control::{Hello, Role, SessionState, ToClient, ToHost, encode};
use tokio::io::AsyncWriteExt;

use super::{HOUR, TOKEN, TestHost, hello, soon};
use crate::{
    host::{
        hello::MOST_TIME,
        room::{MOST_ASKING, MOST_MEMBERS, MOST_STRANGERS, MOST_WATCHING},
    },
    session::client::{EngineCommand, Wants},
};

#[tokio::test]
async fn who_knows_the_token_is_welcome_and_told_how_things_are() {
    let host = TestHost::start();
    let (_one, welcome) = host.join_as(hello("one")).await;
    assert_eq!((welcome.session.as_str(), welcome.started_ms), ("proj", 1_000));
    assert_eq!((welcome.had_clients, welcome.others, welcome.is_alive), (false, 0, true));
    assert_eq!(welcome.resume.len(), 32);
    let (mut two, second) = host.join_as(hello("two")).await;
    // Nobody has called yet.
    assert_eq!((second.had_clients, second.others), (false, 1));
    assert_ne!(second.resume, welcome.resume);
    two.send(&ToHost::Describe).await;
    let ToClient::Session(info) = two.receive().await else { panic!() };
    assert_eq!(info.clients, ["one", "two"]);
    assert_eq!(info.interpreter, "cpython 3.12.1");
    assert_eq!((info.ends_in_ms, info.keeps), (None, false));
    assert_eq!((info.state, info.worker_pid), (SessionState::Ready, Some(std::process::id())));
    assert!(info.memory.is_some());
}

#[tokio::test]
async fn who_is_not_let_in_is_told_why() {
    let host = TestHost::start();
    let refused = async |hello| host.hello(hello).await.refused().await;
    let wrong = Hello { token: TOKEN.replace('0', "1"), ..hello("x") };
    assert_eq!(refused(wrong).await, "the token is not that of this session");
    let newer = Hello { protocol: 99, ..hello("x") };
    assert!(refused(newer).await.starts_with("version 99 of the control protocol is spoken"));
    let lines: [(&[u8], &str); 4] = [
        (b"GET / HTTP/1.1\r\n", "a `hello` was expected: a line is no message of the control"),
        (b"\xff\xfe\n", "a `hello` was expected: a line is no message of the control"),
        (b"{\"type\":\"describe\"}\n", "a `hello` was expected first, not `describe`"),
        (
            b"{\"type\":\"hello\",\"protocol\":1}\n",
            "the `hello` can't be understood: missing field",
        ),
    ];
    for (line, why) in lines {
        let mut peer = host.knock();
        peer.send_raw(line).await;
        let message = peer.refused().await;
        assert!(message.starts_with(why), "{message}");
    }
    // Nobody was hurt.
    host.join("one").await.assert_served().await;
}

#[tokio::test]
async fn a_hello_may_come_in_pieces_and_with_more_behind_it() {
    let mut host = TestHost::start();
    let mut peer = host.knock();
    let mut bytes = encode(&ToHost::Hello(hello("one")), &[]);
    bytes.extend(encode(&super::call(1, "x"), &[]));
    for byte in bytes {
        peer.send_raw(&[byte]).await;
    }
    assert!(matches!(peer.receive().await, ToClient::Welcome(_)));
    assert_eq!(host.call().await.text(), "x");
}

#[tokio::test]
async fn a_second_hello_ends_the_connection() {
    let host = TestHost::start();
    let mut peer = host.join("one").await;
    peer.send(&ToHost::Hello(hello("one"))).await;
    assert_eq!(peer.refused().await, "a host takes one `hello`, and no `open`");
}

#[tokio::test(start_paused = true)]
async fn who_says_half_a_hello_and_no_more_is_sent_away() {
    let host = TestHost::start();
    let mut peer = host.knock();
    peer.send_raw(b"{\"type\":\"hel").await;
    let before = tokio::time::Instant::now();
    assert_eq!(peer.refused().await, "a `hello` was expected within 10 seconds");
    assert_eq!(before.elapsed().as_secs(), MOST_TIME.as_secs());
}

#[tokio::test]
async fn a_line_without_end_is_given_up_early() {
    let host = TestHost::start();
    let mut peer = host.knock();
    // A gigabyte is not taken: the host closes before.
    let chunk = vec![b'x'; 64 * 1024];
    let mut sent = 0;
    while sent < 1 << 30 && peer.stream.write_all(&chunk).await.is_ok() {
        sent += chunk.len();
    }
    assert!(sent < 1 << 20, "{sent} bytes were taken");
    let why = peer.refused().await;
    assert_eq!(why, "a `hello` was expected: a line is longer than 16384 bytes");
}

#[tokio::test]
async fn half_a_message_of_one_holds_up_nobody() {
    let mut host = TestHost::start();
    let mut half = host.join("half").await;
    half.send_raw(b"{\"type\":\"call\",\"id\":1,\"inp").await;
    half.send_raw(b"ut\":\"").await;
    let mut other = host.join("other").await;
    other.call(1, "x").await;
    host.call().await.answer("1");
    assert_eq!(other.reply(1).await, "1");
    half.send_raw(b"whole\",\"timeout_ms\":0}\n").await;
    assert_eq!(host.call().await.text(), "whole");
}

#[tokio::test(start_paused = true)]
async fn five_hundred_that_say_nothing_keep_nobody_out() {
    let host = TestHost::start();
    let mut silent: Vec<_> = (0..500).map(|_| host.knock()).collect();
    let mut honest = host.join("honest").await;
    honest.assert_served().await;
    let left = silent.split_off(500 - MOST_STRANGERS + 1);
    for mut peer in silent {
        assert!(peer.refused().await.contains("have not said who they are"));
    }
    for mut peer in left {
        assert!(peer.refused().await.ends_with("within 10 seconds"));
    }
    honest.assert_served().await;
}

#[tokio::test]
async fn of_five_hundred_clients_the_first_are_let_in_and_the_others_told() {
    let host = TestHost::start();
    let (mut inside, mut refused) = (Vec::new(), 0);
    for number in 0..500 {
        let mut peer = host.hello(hello(&format!("client {number}"))).await;
        match peer.receive().await {
            ToClient::Welcome(_) => inside.push(peer),
            ToClient::Error { message } => {
                let why = "64 connections are there already, and no more are let in";
                assert_eq!(message, why);
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((inside.len(), refused), (MOST_MEMBERS, 500 - MOST_MEMBERS));
    // The session can still be looked at and ended.
    let (mut status, _) = host.join_as(Hello { role: Role::Status, ..hello("ls") }).await;
    status.assert_served().await;
    // A place that becomes free is given to the next.
    inside.pop();
    host.has_company(MOST_MEMBERS - 1).await;
    host.join("next").await.assert_served().await;
}

#[tokio::test]
async fn those_that_watch_keep_nobody_from_asking() {
    let mut host = TestHost::start();
    let status = |name| Hello { role: Role::Status, ..hello(name) };
    let mut watching = Vec::new();
    for _ in 0..MOST_WATCHING {
        let (mut watcher, _) = host.join_as(status("events")).await;
        watcher.send(&ToHost::Subscribe { screen: false, pictures: false }).await;
        let asked = host.command().await;
        assert!(
            matches!(asked, EngineCommand::Subscribe { wants: Wants { screen: false, .. }, .. }),
            "{asked:?}"
        );
        watching.push(watcher);
    }
    let (mut late, _) = host.join_as(status("events")).await;
    late.send(&ToHost::Subscribe { screen: false, pictures: false }).await;
    assert_eq!(late.refused().await, "64 connections watch already, and no more are let in");
    let mut asking = Vec::new();
    for _ in 0..MOST_ASKING {
        let (mut one, _) = host.join_as(status("ls")).await;
        one.assert_served().await;
        asking.push(one);
    }
    let why = host.hello(status("ls")).await.refused().await;
    assert_eq!(why, "16 connections are there already, and no more are let in");
}

#[tokio::test]
async fn of_two_that_want_the_session_alone_one_gets_it() {
    for _ in 0..50 {
        let host = TestHost::start();
        let alone = |name| Hello { only_waiting: true, ..hello(name) };
        let (mut one, mut two) = (host.hello(alone("one")).await, host.hello(alone("two")).await);
        let answers = (one.receive().await, two.receive().await);
        match answers {
            (ToClient::Welcome(_), ToClient::Error { message }) => {
                assert_eq!(message, "the session is in use by one");
            }
            (ToClient::Error { message }, ToClient::Welcome(_)) => {
                assert_eq!(message, "the session is in use by two");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_observer_makes_a_session_used_and_one_that_asks_does_not() {
    let host = TestHost::start();
    let alone = || Hello { only_waiting: true, ..hello("one") };
    let (status, _) = host.join_as(Hello { role: Role::Status, ..hello("ls") }).await;
    let (observer, _) = host.join_as(Hello { role: Role::Observer, ..hello("eyes") }).await;
    let why = host.hello(alone()).await.refused().await;
    assert_eq!(why, "the session is in use by eyes");
    drop(observer);
    host.has_company(0).await;
    host.join_as(alone()).await.0.assert_served().await;
    drop(status);
}

#[tokio::test(start_paused = true)]
async fn connections_that_can_not_be_taken_are_no_reason_to_spin() {
    let host = TestHost::start();
    for _ in 0..100 {
        host.door.send(Err(std::io::Error::from_raw_os_error(24))).unwrap();
    }
    host.door.send(Err(std::io::ErrorKind::PermissionDenied.into())).unwrap();
    let before = tokio::time::Instant::now();
    soon(host.join("one")).await.assert_served().await;
    assert!(before.elapsed() >= Duration::from_secs(10) && before.elapsed() < HOUR);
}
