//! Peers that say too much, or read too little.

use mcp_repl_control::{ToClient, ToHost, encode};
use tokio::io::AsyncWriteExt;

use super::{TestHost, call};
use crate::{
    host::{
        connection::{MOST_OPEN, MOST_UNTAKEN},
        outgoing::MOST_SILENCE,
    },
    session::client::{EngineCommand, ScreenUpdate},
};

#[tokio::test]
async fn a_flood_of_calls_is_refused_beyond_a_limit_and_hurts_nobody() {
    let mut host = TestHost::start();
    let flood = host.join("flood").await;
    let mut other = host.join("other").await;
    let (mut reader, mut writer) = tokio::io::split(flood.stream);
    let sending = tokio::spawn(async move {
        let mut bytes = Vec::new();
        for id in 0..100_000 {
            bytes.extend(encode(&call(id, "x"), &[]));
        }
        writer.write_all(&bytes).await.unwrap();
        writer
    });
    let reading = tokio::spawn(async move {
        let mut copied = Vec::new();
        let mut refused = 0;
        while refused < 100_000 - MOST_OPEN {
            tokio::io::AsyncReadExt::read_buf(&mut reader, &mut copied).await.unwrap();
            refused += copied.iter().filter(|byte| **byte == b'\n').count();
            copied.clear();
        }
        reader
    });
    let mut calls = Vec::new();
    for _ in 0..MOST_OPEN {
        calls.push(host.call().await);
    }
    other.call(1, "y").await;
    let call = host.call().await;
    assert_eq!(call.text(), "y");
    call.answer("1");
    assert_eq!(other.reply(1).await, "1");
    let (writer, reader) = (sending.await.unwrap(), reading.await.unwrap());
    other.assert_served().await;
    drop((writer, reader));
}

#[tokio::test]
async fn a_flood_of_messages_does_not_pile_up_before_the_session() {
    let mut host = TestHost::start();
    let mut flood = host.join("flood").await;
    let mut bytes = Vec::new();
    for number in 0..100_000 {
        let message = match number % 4 {
            0 => ToHost::Interrupt,
            1 => ToHost::Resize { columns: 80, rows: 24, pin: false },
            2 => ToHost::Cancel { id: number, interrupt: true },
            _ => ToHost::Untold { id: number },
        };
        bytes.extend(encode(&message, &[]));
    }
    flood.send_raw(&bytes).await;
    flood.assert_served().await;
    let mut commands = 0;
    while commands < 50_000 {
        host.command().await;
        commands += 1;
    }
}

#[tokio::test]
async fn replies_that_nobody_says_were_told_are_bounded() {
    let mut host = TestHost::start();
    let mut peer = host.join("one").await;
    for id in 0..MOST_OPEN as u64 {
        peer.call(id, "x").await;
        host.call().await.answer("reply");
        peer.reply(id).await;
    }
    peer.call(1000, "x").await;
    let ToClient::Refused { id: Some(1000), message } = peer.receive().await else { panic!() };
    assert_eq!(message, "256 calls are open, or their replies not told");
    peer.send(&ToHost::Told { id: 7 }).await;
    peer.call(1001, "x").await;
    host.call().await.answer("reply");
    peer.reply(1001).await;
}

#[tokio::test]
async fn who_types_much_waits_until_that_was_taken() {
    let mut host = TestHost::start();
    let mut peer = host.join("one").await;
    let half = vec![b'x'; MOST_UNTAKEN / 2];
    let send = encode(&ToHost::Type { length: half.len(), quiet: false }, &half);
    for _ in 0..10 {
        peer.send_raw(&send).await;
        let EngineCommand::Keystrokes { bytes, taken, .. } = host.command().await else { panic!() };
        assert_eq!(bytes.len(), half.len());
        taken.send(()).unwrap();
        assert_eq!(peer.receive().await, ToClient::Typed);
    }
    // The program reads nothing: an interrupt gets through, and no end of what is typed.
    let mut held = Vec::new();
    for _ in 0..3 {
        peer.send_raw(&send).await;
        held.push(host.command().await);
    }
    peer.send(&ToHost::Interrupt).await;
    let EngineCommand::Keystrokes { bytes, .. } = host.command().await else { panic!() };
    assert_eq!(bytes, [3]);
    peer.send_raw(&send).await;
    let why = "more than 1048576 bytes were sent to be typed without waiting for `typed`";
    assert_eq!(peer.refused().await, why);
}

#[tokio::test]
async fn one_that_looks_on_and_does_not_read_gets_the_screen_anew_and_slows_nobody() {
    let mut host = TestHost::start();
    let mut stopped = host.join("stopped").await;
    let (subscriber, mut screen) = host.shown_to(&mut stopped, b"").await;
    assert!(matches!(stopped.receive().await, ToClient::Repaint { .. }));
    let mut other = host.join("other").await;
    // Far more than the connection and the queue hold.
    let line = vec![b'.'; 16 * 1024];
    for round in 0..1000 {
        screen.feed(&line);
        subscriber.show(ScreenUpdate::Bytes(line.clone()));
        if round % 100 == 0 {
            other.call(round, "x").await;
            host.call().await.answer("1");
            assert_eq!(other.reply(round).await, "1");
            other.send(&ToHost::Told { id: round }).await;
        }
    }
    // Once it reads, it asks for the screen as it is.
    let mut taken = 0;
    let (message, bytes) = loop {
        let next = tokio::select! {
            biased;
            next = stopped.next() => next.unwrap(),
            command = host.command() => {
                let EngineCommand::Repaint { .. } = command else { panic!("{command:?}") };
                let (size, bytes) = (screen.size(), screen.dump());
                subscriber.show(ScreenUpdate::Repaint { size, bytes });
                continue;
            }
        };
        match next {
            (ToClient::Output { length, .. }, _) => taken += length,
            other => break other,
        }
    };
    let length = screen.dump().len();
    assert_eq!(message, ToClient::Repaint { columns: 120, rows: 40, length });
    assert_eq!(bytes, screen.dump());
    assert!(taken < 3 << 20, "{taken} bytes were kept for it");
    stopped.assert_served().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_takes_no_replies_is_dropped_and_they_go_back() {
    let mut host = TestHost::start();
    let mut stopped = host.join("stopped").await;
    let text = "x".repeat(100 * 1024);
    for id in 0..3 {
        stopped.call(id, "x").await;
        host.call().await.answer(&text);
    }
    // The connection holds a part of the first one. What is told of calls meanwhile is bounded.
    let before = tokio::time::Instant::now();
    for _ in 0..3 {
        assert_eq!(host.returned().await.len(), text.len());
    }
    assert_eq!(before.elapsed().as_secs(), MOST_SILENCE.as_secs());
    host.has_company(0).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_is_stopped_while_it_looks_on_may_stay() {
    let mut host = TestHost::start();
    let mut stopped = host.join("stopped").await;
    let (subscriber, _) = host.shown_to(&mut stopped, b"").await;
    for _ in 0..100 {
        subscriber.show(ScreenUpdate::Bytes(vec![b'.'; 16 * 1024]));
    }
    tokio::time::advance(MOST_SILENCE * 100).await;
    let mut other = host.join("other").await;
    other.assert_served().await;
    host.has_company(2).await;
}

#[tokio::test]
async fn progress_that_nobody_reads_is_left_out() {
    let mut host = TestHost::start();
    let mut stopped = host.join("stopped").await;
    let waiting = ToHost::Call {
        id: 1,
        input: "x".into(),
        keys: Vec::new(),
        timeout_ms: 1,
        progress: true,
        person: None,
    };
    stopped.send(&waiting).await;
    let call = host.call().await;
    let lines = call.request.progress.clone().unwrap();
    let line = "l".repeat(1000);
    let mut other = host.join("other").await;
    for round in 0..100 {
        for _ in 0..100 {
            lines.send(line.clone()).unwrap();
        }
        // They are taken, and 10 MB are not kept.
        other.call(round, "x").await;
        host.call().await.answer("1");
        other.reply(round).await;
        other.send(&ToHost::Told { id: round }).await;
    }
    call.answer("reply");
    let mut told = 0;
    while let ToClient::Progress { .. } = stopped.receive().await {
        told += 1;
    }
    assert!(told < 1000, "{told} lines were kept");
}
