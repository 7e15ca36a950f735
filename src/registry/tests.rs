//! The registry, with hosts that are only registrations.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::{Arc, Barrier},
};

use tempfile::TempDir;

use super::*;

/// The variable that asks for [`hold_when_asked`]: the directory.
const ASKED: &str = "MCP_REPL_TEST_HOLD";

fn registry() -> (Registry, TempDir) {
    let place = tempfile::tempdir().unwrap();
    (Registry::in_directory(place.path()).unwrap(), place)
}

fn named(name: &str) -> SessionName {
    name.parse().unwrap()
}

fn record(name: &str) -> Record {
    Record {
        name: named(name),
        directory: "/home/me".into(),
        identity: None,
        host_pid: std::process::id(),
        started_ms: 1,
        sandbox: None,
    }
}

fn names(registry: &Registry) -> Vec<String> {
    registry.entries().iter().map(|entry| entry.record().name.to_string()).collect()
}

/// What is in a directory, but for the lock.
fn files(place: &TempDir) -> Vec<String> {
    let files = fs::read_dir(place.path()).unwrap();
    let mut names: Vec<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != LOCK);
    names.sort();
    names
}

/// Runs something in an event loop.
fn in_loop<T>(body: impl FnOnce() -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { body() })
}

#[tokio::test]
async fn a_session_is_found_reached_and_withdrawn() {
    let (registry, place) = registry();
    let registration = registry.register(record("proj")).unwrap();
    let entry = registry.find(&named("proj")).unwrap();
    assert_eq!((entry.record(), names(&registry)), (registration.record(), vec!["proj".into()]));
    assert_eq!(entry.token().unwrap(), registration.token());
    assert_eq!(files(&place).len(), 3);
    let (ours, theirs) = tokio::join!(entry.connect(), registration.accept());
    assert!(ours.is_ok() && theirs.is_ok());

    registration.withdraw();
    assert!(registry.find(&named("proj")).is_none() && registry.entries().is_empty());
    // Who found it before is served, and its name is free.
    let (ours, theirs) = tokio::join!(entry.connect(), registration.accept());
    assert!(ours.is_ok() && theirs.is_ok());
    let second = registry.register(record("proj")).unwrap();
    drop(registration);
    assert!(entry.connect().await.is_err());
    assert_eq!(names(&registry), ["proj"]);
    drop(second);
    assert!(files(&place).is_empty(), "{:?}", files(&place));
}

#[test]
fn of_many_that_take_one_name_at_once_one_gets_it() {
    let (registry, place) = registry();
    let (count, rounds) = (8, 40);
    let barrier = Arc::new(Barrier::new(count));
    let wins = std::thread::scope(|scope| {
        let one = || {
            in_loop(|| {
                let mut wins = 0;
                for round in 0..rounds {
                    // What a host left that was killed is in the way of every second round.
                    if round % 2 == 0 && barrier.wait().is_leader() {
                        leave(&place, "proj", "0badf00d");
                    }
                    barrier.wait();
                    let mine = registry.register(record("proj"));
                    assert!(registry.find(&named("proj")).is_some());
                    match &mine {
                        Ok(_) => wins += 1,
                        Err(error) => assert!(matches!(error, RegisterError::Taken), "{error}"),
                    }
                    barrier.wait();
                    drop(mine);
                    assert!(names(&registry).len() <= 1);
                    barrier.wait();
                }
                wins
            })
        };
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    });
    assert_eq!(wins, rounds);
    assert!(files(&place).is_empty(), "{:?}", files(&place));
}

#[test]
fn those_that_come_go_and_look_at_once_never_see_one_that_is_not_there() {
    let (registry, place) = registry();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (registry, place) = (&registry, &place);
            scope.spawn(move || {
                in_loop(|| {
                    for round in 0..100 {
                        if number % 2 == 0 {
                            let id = format!("{number:04x}{round:04x}");
                            leave(place, &format!("left-{}", round % 3), &id);
                        }
                        let mine = registry.register(record(&format!("s{number}"))).unwrap();
                        // Its own files are never taken for what somebody left.
                        let found = registry.find(&named(&format!("s{number}"))).unwrap();
                        assert_eq!(found.token().unwrap(), mine.token());
                        assert!(names(registry).iter().all(|name| name.starts_with('s')));
                    }
                });
            });
        }
    });
    assert!(registry.entries().is_empty());
    assert!(files(&place).is_empty(), "{:?}", files(&place));
}

/// What a host leaves that is killed.
fn leave(place: &TempDir, name: &str, id: &str) {
    let at = |file: String| place.path().join(file);
    let stored =
        serde_json::to_string(&entry::Stored { id: id.parse().unwrap(), record: record(name) });
    // As a host does: whole at once.
    let whole = at(format!("{id}.{name}.whole"));
    fs::write(&whole, stored.unwrap()).unwrap();
    let _ = std::fs::hard_link(&whole, at(format!("{name}.session")));
    fs::remove_file(whole).unwrap();
}

/// A process that holds sessions until it is killed.
#[test]
fn hold_when_asked() {
    let Some(place) = std::env::var_os(ASKED) else { return };
    in_loop(|| {
        let registry = Registry::in_directory(Path::new(&place)).unwrap();
        let _one = registry.register(record("one")).unwrap();
        let two = registry.register(record("two")).unwrap();
        two.withdraw();
        println!("held");
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
    });
}

fn holder(place: &TempDir) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["registry::tests::hold_when_asked", "--exact", "--nocapture"]);
    command.env(ASKED, place.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("held")));
    child
}

#[test]
fn what_a_host_left_that_was_killed_is_removed_by_whoever_looks() {
    let (registry, place) = registry();
    let mut host = holder(&place);
    assert_eq!(names(&registry), ["one"]);
    let pid = registry.entries()[0].record().host_pid;
    assert_eq!(pid, host.id());
    host.kill().unwrap();
    host.wait().unwrap();
    assert_eq!(files(&place).len(), 6);
    assert!(registry.find(&named("one")).is_none());
    assert!(registry.entries().is_empty());
    assert!(files(&place).is_empty(), "{:?}", files(&place));
}

#[tokio::test]
async fn one_that_was_killed_does_not_keep_its_name() {
    let (registry, place) = registry();
    let mut host = holder(&place);
    assert!(matches!(registry.register(record("one")), Err(RegisterError::Taken)));
    let entry = registry.find(&named("one")).unwrap();
    entry.kill().await.unwrap();
    host.wait().unwrap();
    assert!(entry.connect().await.is_err() && entry.kill().await.is_err());
    let mine = registry.register(record("one")).unwrap();
    assert_eq!(names(&registry), ["one"]);
    drop(mine);
    assert!(files(&place).is_empty(), "{:?}", files(&place));
}

#[tokio::test]
async fn what_is_no_sessions_is_neither_waited_for_nor_removed() {
    let (registry, place) = registry();
    let elsewhere = tempfile::tempdir().unwrap();
    let at = |file: &str| place.path().join(file);
    let target = elsewhere.path().join("target");
    fs::write(&target, "").unwrap();
    fs::write(at("notes.txt"), "mine").unwrap();
    fs::write(at("bad name.session"), "").unwrap();
    fs::write(at("broken.session"), "{\"id\": 1").unwrap();
    fs::write(at("other.session"), serde_json::to_vec(&record("other")).unwrap()).unwrap();
    fs::write(at("binary.session"), [0xff; 100]).unwrap();
    fs::File::create(at("huge.session")).unwrap().set_len(1 << 40).unwrap();
    fs::File::create(at("0123456789.new")).unwrap();
    fs::create_dir(at("directory.session")).unwrap();
    fs::create_dir(at("00000000.new")).unwrap();
    let has_fifos = pty::testing::make_fifo(&at("fifo.session"));
    pty::testing::make_fifo(&at("00000001.new"));
    pty::testing::link(&target, &at("link.session")).unwrap();
    pty::testing::link(&target, &at("00000002.new")).unwrap();
    // Another's entry by a name that is not its own would take that one's socket away.
    let living = registry.register(record("living")).unwrap();
    fs::copy(at("living.session"), at("copied.session")).unwrap();
    let before = files(&place);
    assert_eq!(names(&registry), ["living"]);
    assert_eq!(files(&place), before);
    let mut in_the_way = vec!["broken", "binary", "huge", "directory", "link", "copied"];
    in_the_way.extend(has_fifos.then_some("fifo"));
    for name in in_the_way {
        assert!(registry.find(&named(name)).is_none());
        let error = registry.register(record(name)).unwrap_err();
        assert!(matches!(error, RegisterError::InTheWay { .. }), "{name}: {error}");
        assert!(!registry.is_free(&named(name)) && registry.is_free(&named(name).numbered(2)));
        assert!(error.to_string().contains(&format!("{name}.session is in the way")), "{error}");
    }
    assert_eq!(files(&place), before);
    drop(living);
    assert!(target.exists());
}

#[tokio::test]
async fn what_a_crash_of_the_system_left_is_removed() {
    let (registry, place) = registry();
    for file in ["empty.session", "0badf00d.new", "0badf00d.sock", "0badf00d.token"] {
        fs::write(place.path().join(file), "").unwrap();
    }
    drop(registry.register(record("empty")).unwrap());
    assert!(registry.entries().is_empty());
    assert!(files(&place).is_empty(), "{:?}", files(&place));
}

#[tokio::test]
async fn an_entry_that_somebody_put_in_the_place_of_ours_is_left() {
    let (registry, place) = registry();
    let first = registry.register(record("proj")).unwrap();
    fs::remove_file(place.path().join("proj.session")).unwrap();
    let second = registry.register(record("proj")).unwrap();
    drop(first);
    assert_eq!(registry.find(&named("proj")).unwrap().token().unwrap(), second.token());
    drop(second);
    assert!(files(&place).is_empty(), "{:?}", files(&place));
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_told() {
    let (registry, place) = registry();
    let gone = place.path().to_owned();
    drop(place);
    assert!(!gone.exists() && registry.entries().is_empty());
    let error = registry.register(record("proj")).unwrap_err();
    assert!(error.to_string().starts_with("the session can't be listed: "), "{error}");
}

#[tokio::test]
async fn a_host_that_refuses_before_its_entry_is_free_is_waited_for() {
    let (registry, place) = registry();
    let held = registry.register(record("proj")).unwrap();
    let entry = registry.find(&named("proj")).unwrap();
    // As one that is killed, it listens no more, and still holds the lock.
    let socket = files(&place).into_iter().find(|name| name.ends_with(".sock")).unwrap();
    fs::remove_file(place.path().join(socket)).unwrap();
    let short = std::time::Duration::from_millis(10);
    entry.left_within(short).await;
    assert!(registry.find(&named("proj")).is_some());
    let waits = tokio::spawn({
        let entry = entry.clone();
        async move { entry.left_within(std::time::Duration::from_secs(60)).await }
    });
    tokio::task::yield_now().await;
    drop(held);
    waits.await.unwrap();
    assert!(registry.find(&named("proj")).is_none());
    drop(place);
}
