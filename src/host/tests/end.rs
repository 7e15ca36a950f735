//! When the session ends, and how.

use std::time::Duration;

use mcp_repl_control::{Hello, Identity, Role, ToClient, ToHost};
use tokio::time::Instant;

use super::{HOUR, TestHost, hello, soon};
use crate::{
    host::Life,
    reply::{EndedBy, Notice},
    session::{client::EngineCommand, pipeline::Standing},
};

const GRACE: Duration = Duration::from_secs(600);

impl TestHost {
    /// Waits until the host wants the engine to end, lets it, and waits for the host's end.
    async fn ends(mut self) {
        while !matches!(self.command().await, EngineCommand::Shutdown) {}
        // Nobody finds it by then.
        soon(&mut self.is_withdrawn).await.unwrap();
        self.engine.send(()).unwrap();
        soon(self.serving).await.unwrap().unwrap();
    }
}

fn life(grace: Duration, keep: Option<Duration>) -> TestHost {
    TestHost::with(Life { grace, keep })
}

#[tokio::test(start_paused = true)]
async fn it_ends_a_grace_time_after_the_last_one_has_gone() {
    let host = life(GRACE, None);
    let one = host.join("one").await;
    tokio::time::advance(10 * GRACE).await;
    let (observer, _) = host.join_as(Hello { role: Role::Observer, ..hello("eyes") }).await;
    drop(one);
    host.has_company(1).await;
    tokio::time::advance(10 * GRACE).await;
    // One that asks does not keep it alive.
    let (mut status, _) = host.join_as(Hello { role: Role::Status, ..hello("ls") }).await;
    drop(observer);
    host.has_company(0).await;
    let alone = Instant::now();
    tokio::time::advance(GRACE / 4).await;
    status.send(&ToHost::Describe).await;
    let ToClient::Session(info) = status.receive().await else { panic!() };
    assert_eq!(info.ends_in_ms, Some(450_000));
    // One that comes back in time makes it begin anew.
    drop(host.join("one").await);
    host.has_company(0).await;
    host.ends().await;
    assert_eq!(alone.elapsed(), GRACE + GRACE / 4);
    assert_eq!(status.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn it_ends_if_nobody_comes() {
    let began = Instant::now();
    life(GRACE, None).ends().await;
    assert_eq!(began.elapsed(), GRACE);
}

#[tokio::test(start_paused = true)]
async fn a_client_may_have_it_kept() {
    let host = life(GRACE, None);
    drop(host.join_as(Hello { keep_ms: Some(7_200_000), ..hello("one") }).await);
    let alone = Instant::now();
    host.ends().await;
    assert_eq!(alone.elapsed(), 2 * HOUR);
}

#[tokio::test(start_paused = true)]
async fn a_kept_session_is_not_ended_while_a_cell_runs() {
    let host = life(GRACE, Some(HOUR));
    host.stands(Standing::Running { elapsed: GRACE, client: "one".into() });
    drop(host.join("one").await);
    let alone = Instant::now();
    tokio::time::sleep(5 * HOUR + HOUR / 2).await;
    assert!(!host.serving.is_finished());
    host.stands(Standing::Ready);
    host.ends().await;
    assert_eq!(alone.elapsed(), 6 * HOUR + HOUR / 2);
}

#[tokio::test(start_paused = true)]
async fn a_kept_session_is_idle_from_the_end_of_its_cell_on() {
    let host = life(GRACE, Some(HOUR));
    host.stands(Standing::Running { elapsed: GRACE, client: "one".into() });
    drop(host.join("one").await);
    let alone = Instant::now();
    tokio::time::sleep(HOUR - GRACE).await;
    host.stands(Standing::Ready);
    host.ends().await;
    assert_eq!(alone.elapsed(), 2 * HOUR - GRACE);
}

#[tokio::test(start_paused = true)]
async fn what_only_shook_hands_leaves_no_session_behind() {
    let identity = Identity {
        client: "claude".into(),
        directory: "/proj".into(),
        interpreter: "python".into(),
        parent: "7@1".into(),
    };
    let of = || TestHost::of(Some(identity.clone()), Life { grace: GRACE, keep: None });
    let host = of();
    drop(host.join("claude").await);
    host.has_company(0).await;
    // Nothing was ever run, so the next one is told of nothing.
    let (peer, welcome) = host.join_as(hello("claude")).await;
    assert!(!welcome.had_clients);
    drop(peer);
    host.has_company(0).await;
    let alone = Instant::now();
    host.ends().await;
    assert_eq!(alone.elapsed(), Duration::from_secs(10));
    // What is typed is something, too.
    let host = of();
    let mut peer = host.join("claude").await;
    peer.send_raw(b"{\"type\":\"type\",\"length\":1}\nx").await;
    peer.assert_served().await;
    drop(peer);
    host.has_company(0).await;
    assert!(host.join_as(hello("claude")).await.1.had_clients);
    host.has_company(0).await;
    let alone = Instant::now();
    host.ends().await;
    assert_eq!(alone.elapsed(), GRACE);
}

#[tokio::test(start_paused = true)]
async fn a_cell_that_runs_does_not_outlive_the_grace() {
    let host = life(GRACE, None);
    host.stands(Standing::Running { elapsed: GRACE, client: "one".into() });
    drop(host.join("one").await);
    let alone = Instant::now();
    host.ends().await;
    assert_eq!(alone.elapsed(), GRACE);
}

#[tokio::test]
async fn it_ends_when_asked_and_who_asked_sees_when_all_is_over() {
    let mut host = TestHost::start();
    let mut working = host.join("working").await;
    working.call(1, "x").await;
    let call = host.call().await;
    let (mut status, _) = host.join_as(Hello { role: Role::Status, ..hello("end") }).await;
    status.send(&ToHost::End).await;
    let told = loop {
        match host.command().await {
            EngineCommand::Tell { notice } => break notice,
            EngineCommand::Shutdown => panic!("nobody is told why"),
            _ => {}
        }
    };
    assert_eq!(told, Notice::EndedBy(EndedBy::Client));
    assert!(matches!(host.command().await, EngineCommand::Shutdown));
    soon(&mut host.is_withdrawn).await.unwrap();
    // Who comes now is told; who is there is served to the end.
    let why = host.hello(hello("late")).await.refused().await;
    assert_eq!(why, "the session is about to end");
    status.assert_served().await;
    call.answer("last");
    host.engine.send(()).unwrap();
    assert_eq!(working.reply(1).await, "last");
    assert_eq!(working.next().await, None);
    assert_eq!(status.next().await, None);
    soon(host.serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_signal_ends_it() {
    let host = TestHost::start();
    let mut peer = host.join("one").await;
    let TestHost { signal, .. } = host;
    signal.send(()).unwrap();
    let host = TestHost { signal: tokio::sync::oneshot::channel().0, ..host };
    host.ends().await;
    assert_eq!(peer.next().await, None);
}

#[tokio::test]
async fn an_engine_that_ends_by_itself_ends_the_host() {
    let host = TestHost::start();
    let mut peer = host.join("one").await;
    host.engine.send(()).unwrap();
    soon(host.serving).await.unwrap().unwrap();
    assert_eq!(peer.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn who_says_hello_as_the_grace_ends_is_served_or_told() {
    let host = life(GRACE, None);
    drop(host.join("one").await);
    host.has_company(0).await;
    tokio::time::advance(GRACE - Duration::from_millis(1)).await;
    let mut peers = Vec::new();
    for _ in 0..20 {
        tokio::time::advance(Duration::from_micros(100)).await;
        peers.push(host.hello(hello("late")).await);
    }
    // The first of them came in time, so that the session goes on for all.
    for mut peer in peers {
        assert!(matches!(peer.receive().await, ToClient::Welcome(_)));
    }
}
