//! Which session is found, among ones whose hosts the test plays.

use mcp_repl_control::{
    Hello, Identity, Open, Role, Sandbox, SessionOptions, ToClient, ToHost, Wanted, Welcome, encode,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    sync::mpsc,
};

use super::{soon, welcome};
use crate::{
    registry::{Record, Registration, Registry},
    remote::{
        Opened,
        open::{OpenError, Place, open_in},
        via::ViaCommand,
    },
};

fn identity(client: &str, parent: &str) -> Identity {
    Identity {
        client: client.into(),
        directory: "/proj".into(),
        interpreter: "python".into(),
        parent: parent.into(),
    }
}

fn wish(wanted: Wanted) -> Open {
    let hello = Hello::new(Role::Client, "test");
    Open { wanted, options: SessionOptions::default(), hello }
}

fn register(
    registry: &Registry,
    name: &str,
    who: Option<Identity>,
    started_ms: u64,
) -> Registration {
    let name = name.parse().expect("a name");
    let directory = "/proj".into();
    register_in(
        registry,
        Record { name, directory, identity: who, host_pid: 1, started_ms, sandbox: None },
    )
}

fn register_in(registry: &Registry, record: Record) -> Registration {
    registry.register(record).expect("a place")
}

/// Plays the host of a session for those who come: tells what they say, and lets them in or not.
fn play(registration: Registration, lets_in: bool, heard: &mpsc::UnboundedSender<(String, Hello)>) {
    let heard = heard.clone();
    tokio::spawn(async move {
        while let Ok((reader, mut writer)) = registration.accept().await {
            let mut line = String::new();
            let mut reader = BufReader::new(reader);
            reader.read_line(&mut line).await.expect("text");
            let Ok(ToHost::Hello(hello)) = serde_json::from_str(&line) else { panic!("{line}") };
            let name = registration.record().name.to_string();
            assert_eq!(hello.token, registration.token());
            let answer = match lets_in {
                true => ToClient::Welcome(Welcome { session: name.clone(), ..welcome() }),
                false => ToClient::Error { message: "it is in use".into() },
            };
            let _ = heard.send((name, hello));
            writer.write_all(&encode(&answer, &[])).await.expect("the client reads");
            if lets_in {
                // Holds it as long as the client does.
                let _ = reader.read_line(&mut line).await;
            }
        }
    });
}

#[tokio::test]
async fn a_session_is_found_by_its_name_and_no_other_is_taken_for_it() {
    let place = tempfile::tempdir().expect("a directory");
    let registry = Registry::in_directory(&place.path().join("own")).expect("a registry");
    let (heard, mut told) = mpsc::unbounded_channel();
    play(register(&registry, "train", None, 1), true, &heard);
    play(register(&registry, "other", None, 2), true, &heard);
    let named = |name: &str| wish(Wanted::Named { name: name.into(), start: false });
    let opened = soon(open_in(&registry, named("train"))).await.expect("a session");
    assert_eq!(opened.welcome.session, "train");
    let (name, hello) = soon(told.recv()).await.expect("a hello");
    assert_eq!((name.as_str(), hello.only_waiting), ("train", false));
    let unknown = soon(open_in(&registry, named("tain"))).await.expect_err("no session");
    assert_eq!(unknown.to_string(), r#"there is no session "tain"; there are: other, train"#);
    let wrong = soon(open_in(&registry, named("a/b"))).await.expect_err("no name");
    assert!(matches!(wrong, OpenError::Name(_)), "{wrong}");
}

#[tokio::test]
async fn a_session_that_does_not_let_one_in_says_why() {
    let place = tempfile::tempdir().expect("a directory");
    let registry = Registry::in_directory(&place.path().join("own")).expect("a registry");
    let (heard, _told) = mpsc::unbounded_channel();
    play(register(&registry, "train", None, 1), false, &heard);
    let wish = wish(Wanted::Named { name: "train".into(), start: true });
    let error = soon(open_in(&registry, wish)).await.expect_err("no session");
    assert_eq!(error.to_string(), r#"the session "train": it is in use"#);
}

#[tokio::test]
async fn of_those_that_wait_the_same_parents_comes_first_then_the_youngest() {
    let place = tempfile::tempdir().expect("a directory");
    let registry = Registry::in_directory(&place.path().join("own")).expect("a registry");
    let (heard, mut told) = mpsc::unbounded_channel();
    let own = identity("claude", "7@1");
    let other_parent = || Some(identity("claude", "8@1"));
    let elsewhere = Identity { directory: "/else".into(), ..own.clone() };
    play(register(&registry, "own", Some(own.clone()), 1), false, &heard);
    play(register(&registry, "old", other_parent(), 2), true, &heard);
    play(register(&registry, "young", other_parent(), 9), false, &heard);
    play(register(&registry, "codex", Some(identity("codex", "7@1")), 10), true, &heard);
    play(register(&registry, "elsewhere", Some(elsewhere), 10), true, &heard);
    play(register(&registry, "named", None, 10), true, &heard);
    let opened = soon(open_in(&registry, wish(Wanted::Own(own)))).await;
    let Opened { welcome, .. } = opened.expect("a session");
    assert_eq!(welcome.session, "old");
    for name in ["own", "young", "old"] {
        let (asked, hello) = soon(told.recv()).await.expect("a hello");
        assert_eq!((asked.as_str(), hello.only_waiting), (name, true));
    }
    assert!(told.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_stopped_is_no_session_that_is_gone() {
    let place = tempfile::tempdir().expect("a directory");
    let registry = Registry::in_directory(&place.path().join("own")).expect("a registry");
    let _stopped = register(&registry, "train", None, 1);
    let named = wish(Wanted::Named { name: "train".into(), start: true });
    let error = soon(open_in(&registry, named)).await.expect_err("nobody answers");
    assert!(!error.is_of_session());
    assert!(error.to_string().contains("`mcp-repl end train` ends it"), "{error}");
}

#[test]
fn a_person_comes_to_a_session_elsewhere_by_the_same_command() {
    let via = ViaCommand::new("ssh -p 22 gpu", false).unwrap();
    let command = Place::Via(via).attach_command();
    assert_eq!(command, "mcp-repl attach --via 'ssh -p 22 gpu'");
}

fn sandbox(mode: &str, network: &str) -> Option<Sandbox> {
    Some(Sandbox { mode: mode.into(), network: network.into(), ..Sandbox::default() })
}

fn wish_in(wanted: Wanted, sandbox: Option<Sandbox>) -> Open {
    let mut open = wish(wanted);
    open.options.sandbox = sandbox;
    open
}

#[tokio::test]
async fn a_session_that_allows_more_than_was_asked_for_is_not_joined() {
    let place = tempfile::tempdir().expect("a directory");
    let registry = Registry::in_directory(&place.path().join("own")).expect("a registry");
    let (heard, mut told) = mpsc::unbounded_channel();
    play(register(&registry, "loose", None, 1), true, &heard);
    let record = |name: &str, sandbox| Record {
        name: name.parse().expect("a name"),
        directory: "/proj".into(),
        identity: None,
        host_pid: 1,
        started_ms: 1,
        sandbox,
    };
    let strict = record("strict", sandbox("workspace-write", "off"));
    play(register_in(&registry, strict), true, &heard);
    let named = |name: &str| Wanted::Named { name: name.into(), start: true };
    let wanted = || sandbox("workspace-write", "off");
    let error = soon(open_in(&registry, wish_in(named("loose"), wanted()))).await;
    assert_eq!(
        error.expect_err("it is loose").to_string(),
        "the session \"loose\" is there already and allows more: its sandbox is `off`, and \
         `workspace-write` is asked for; take another name, or end that one by `mcp-repl end loose`"
    );
    // Its host was not even asked.
    assert!(told.try_recv().is_err());
    for wanted in [wanted(), sandbox("workspace-write", "on"), sandbox("off", "off"), None] {
        let open = wish_in(named("strict"), wanted);
        assert_eq!(
            soon(open_in(&registry, open)).await.expect("a session").welcome.session,
            "strict"
        );
    }
}

#[tokio::test]
async fn one_that_waits_is_gone_on_with_if_its_sandbox_is_the_same() {
    let place = tempfile::tempdir().expect("a directory");
    let registry = Registry::in_directory(&place.path().join("own")).expect("a registry");
    let (heard, _told) = mpsc::unbounded_channel();
    let own = || identity("claude", "7@1");
    for (name, started_ms, sandbox) in [
        ("none", 1, None),
        ("off-line", 2, sandbox("workspace-write", "off")),
        ("on-line", 3, sandbox("workspace-write", "on")),
    ] {
        let name = name.parse().expect("a name");
        let (directory, identity) = ("/proj".into(), Some(own()));
        let record = Record { name, directory, identity, host_pid: 1, started_ms, sandbox };
        play(register_in(&registry, record), true, &heard);
    }
    for (wanted, expected) in [
        (None, "none"),
        (sandbox("off", "off"), "none"),
        (sandbox("workspace-write", "off"), "off-line"),
        (sandbox("workspace-write", "on"), "on-line"),
    ] {
        let opened = soon(open_in(&registry, wish_in(Wanted::Own(own()), wanted))).await;
        assert_eq!(opened.expect("a session").welcome.session, expected);
    }
}
