//! Clients that were cut off and come back.

use mcp_repl_control::{Attachments, Budget, Hello, Role, ToHost};

use super::{TestHost, hello, soon};
use crate::{
    host::room::MOST_KEPT,
    session::{
        client::{ClientInfo, EngineCommand},
        rules::state::ClientId,
    },
};

fn resume(name: &str, resume: &str) -> Hello {
    Hello { resume: Some(resume.to_owned()), ..hello(name) }
}

/// A client calls once, and which one it is to the session is told.
async fn who(host: &mut TestHost, peer: &mut super::Peer) -> ClientId {
    peer.call(1, "x").await;
    let call = host.call().await;
    let client = call.client;
    call.answer("1");
    peer.reply(1).await;
    peer.send(&ToHost::Told { id: 1 }).await;
    peer.assert_served().await;
    client
}

#[tokio::test]
async fn one_that_says_its_secret_goes_on_as_the_client_it_was() {
    let mut host = TestHost::start();
    let mut other = host.join("other").await;
    let (mut one, welcome) = host.join_as(hello("one")).await;
    let client = who(&mut host, &mut one).await;
    // A reply that was not told goes back first, and so comes in the next one.
    one.call(2, "y").await;
    host.call().await.answer("untold");
    one.reply(2).await;
    drop(one);
    assert_eq!(host.returned().await, "untold");
    host.has_company(1).await;
    let (mut again, second) = host.join_as(resume("one", &welcome.resume)).await;
    assert_eq!((&second.resume, second.others), (&welcome.resume, 1));
    assert_eq!(who(&mut host, &mut again).await, client);
    // One that makes secrets up is a new client.
    let (mut liar, third) = host.join_as(resume("one", "0")).await;
    assert_ne!(third.resume, "0");
    assert_ne!(who(&mut host, &mut liar).await, client);
    other.assert_served().await;
}

#[tokio::test]
async fn a_connection_that_is_half_dead_is_taken_over() {
    let mut host = TestHost::start();
    let (mut one, welcome) = host.join_as(hello("one")).await;
    let client = who(&mut host, &mut one).await;
    one.call(2, "y").await;
    host.call().await.answer("untold");
    one.reply(2).await;
    one.call(3, "z").await;
    let third = host.call().await;
    let only = Hello { only_waiting: true, ..resume("one", &welcome.resume) };
    let (mut again, second) = host.join_as(only).await;
    assert_eq!((second.others, second.had_clients), (0, true));
    // All of the old one comes before anything of the new one.
    assert_eq!(host.returned().await, "untold");
    assert!(third.reply.is_closed());
    assert_eq!(who(&mut host, &mut again).await, client);
    assert_eq!(one.refused().await, "the client goes on over another connection");
}

#[tokio::test]
async fn the_next_one_goes_on_as_the_last_one_if_nobody_else_is_there() {
    let mut host = TestHost::start();
    let only = || Hello { only_waiting: true, ..hello("new") };
    let mut one = host.join("one").await;
    let client = who(&mut host, &mut one).await;
    drop(one);
    host.has_company(0).await;
    // Neither by one that has another name, nor by one that only looks on.
    let mut other = host.join("other").await;
    let second = who(&mut host, &mut other).await;
    assert_ne!(second, client);
    let mut one = host.join("one").await;
    assert_ne!(who(&mut host, &mut one).await, client);
    drop(one);
    drop(other);
    host.has_company(0).await;
    drop(host.join_as(Hello { role: Role::Observer, ..only() }).await);
    host.has_company(0).await;
    // By one with its name.
    let mut other = host.join("other").await;
    assert_eq!(who(&mut host, &mut other).await, second);
    drop(other);
    host.has_company(0).await;
    // By one that asked for what waits.
    let (mut any, _) = host.join_as(only()).await;
    assert_eq!(who(&mut host, &mut any).await, second);
}

#[tokio::test]
async fn only_the_last_ones_are_kept() {
    let mut host = TestHost::start();
    let mut secrets = Vec::new();
    for number in 0..=MOST_KEPT {
        let (mut peer, welcome) = host.join_as(hello(&format!("client {number}"))).await;
        let client = who(&mut host, &mut peer).await;
        secrets.push((client, welcome.resume));
        drop(peer);
        host.has_company(0).await;
    }
    // One that never called has no place among them.
    drop(host.join("looker").await);
    host.has_company(0).await;
    for (place, (client, secret)) in secrets.iter().enumerate().rev() {
        let (mut peer, _) = host.join_as(resume("somebody", secret)).await;
        let is_kept = who(&mut host, &mut peer).await == *client;
        assert_eq!(is_kept, place > 0);
        // It takes no other's place.
        std::mem::forget(peer);
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_that_is_cut_off_is_told_is_bounded_until_it_comes_back() {
    let mut host = TestHost::start();
    let budget = Some(Budget { text: 1 << 20, attachments: Attachments::All });
    let (mut one, _) = host.join_as(Hello { budget, ..hello("one") }).await;
    who(&mut host, &mut one).await;
    drop(one);
    let introduced = loop {
        match soon(host.commands.recv()).await {
            Some(EngineCommand::Introduce { who, .. }) => break who,
            Some(_) => {}
            None => panic!("the host is gone"),
        }
    };
    assert_eq!(introduced, ClientInfo { name: "one".into(), ..ClientInfo::default() });
}

#[tokio::test(start_paused = true)]
async fn one_that_asks_for_what_waits_goes_on_as_one_of_its_name_first() {
    let mut host = TestHost::start();
    let mut one = host.join("one").await;
    let client = who(&mut host, &mut one).await;
    let mut exec = host.join("exec").await;
    let second = who(&mut host, &mut exec).await;
    drop(one);
    host.has_company(1).await;
    drop(exec);
    host.has_company(0).await;
    let only = Hello { only_waiting: true, ..hello("one") };
    let (mut again, _) = host.join_as(only).await;
    assert_eq!(who(&mut host, &mut again).await, client);
    assert_ne!(client, second);
}

#[tokio::test]
async fn who_took_over_what_waited_does_not_take_the_claim_with_it() {
    let mut host = TestHost::start();
    let (mut one, welcome) = host.join_as(hello("one")).await;
    let client = who(&mut host, &mut one).await;
    drop(one);
    host.has_company(0).await;
    let only = |resume: Option<&str>| Hello {
        only_waiting: true,
        resume: resume.map(str::to_owned),
        ..hello("one")
    };
    let (mut other, second) = host.join_as(only(None)).await;
    assert_eq!(who(&mut host, &mut other).await, client);
    assert_ne!(second.resume, welcome.resume);
    // The first one comes back too late, and neither ends the other's connection nor shares with it.
    let late = only(Some(&welcome.resume));
    assert_eq!(host.hello(late).await.refused().await, "the session is in use by one");
    other.assert_served().await;
}

#[tokio::test]
async fn who_comes_back_is_let_in_though_others_use_the_session() {
    let mut host = TestHost::start();
    let (mut one, welcome) = host.join_as(hello("one")).await;
    let client = who(&mut host, &mut one).await;
    let mut visitor = host.join("visitor").await;
    drop(one);
    host.has_company(1).await;
    let only = Hello { only_waiting: true, ..resume("one", &welcome.resume) };
    let (mut again, second) = host.join_as(only).await;
    assert_eq!((&second.resume, second.others), (&welcome.resume, 1));
    assert_eq!(who(&mut host, &mut again).await, client);
    visitor.assert_served().await;
}

#[tokio::test]
async fn nothing_is_kept_for_who_does_not_come_back() {
    let mut host = TestHost::start();
    let mut other = host.join("other").await;
    let (mut one, welcome) = host.join_as(Hello { once: true, ..hello("one") }).await;
    let client = who(&mut host, &mut one).await;
    drop(one);
    host.has_company(1).await;
    let (mut again, _) = host.join_as(resume("one", &welcome.resume)).await;
    assert_ne!(who(&mut host, &mut again).await, client);
    other.assert_served().await;
}
