//! What every platform's folder is held to.

use std::{
    fs::{File, TryLockError},
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::{Lock, create_private_file, lock_file, open_own_file, try_lock_file};

/// Names the file that [`holds_a_lock_until_it_is_killed`] locks.
const LOCKED: &str = "MCP_REPL_TEST_LOCKED";
/// What that says when it has the lock.
const HELD: &str = "it is held";

fn would_block(tried: Result<(), TryLockError>) -> bool {
    matches!(tried, Err(TryLockError::WouldBlock))
}

fn new_file(place: &Path) -> (PathBuf, File) {
    let path = place.join("file");
    let file = create_private_file(&path).unwrap();
    (path, file)
}

fn text_of(path: &Path) -> String {
    let mut text = String::new();
    open_own_file(path).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_locked_file_is_read_moved_and_removed_by_others() {
    let place = tempfile::tempdir().unwrap();
    let (path, mut file) = new_file(place.path());
    try_lock_file(&file, Lock::Exclusive).unwrap();
    file.write_all(b"what it says").unwrap();
    assert_eq!(text_of(&path), "what it says");
    let other = place.path().join("other");
    std::fs::hard_link(&path, &other).unwrap();
    assert_eq!(text_of(&other), "what it says");
    let moved = place.path().join("moved");
    std::fs::rename(&other, &moved).unwrap();
    std::fs::remove_file(&moved).unwrap();
    assert!(would_block(try_lock_file(&open_own_file(&path).unwrap(), Lock::Shared)));
}

#[test]
fn many_share_a_lock_and_one_has_it_alone() {
    let place = tempfile::tempdir().unwrap();
    let (path, file) = new_file(place.path());
    let (one, other) = (open_own_file(&path).unwrap(), open_own_file(&path).unwrap());
    try_lock_file(&one, Lock::Shared).unwrap();
    try_lock_file(&other, Lock::Shared).unwrap();
    assert!(would_block(try_lock_file(&file, Lock::Exclusive)));
    drop(one);
    assert!(would_block(try_lock_file(&file, Lock::Exclusive)));
    drop(other);
    try_lock_file(&file, Lock::Exclusive).unwrap();
    let last = open_own_file(&path).unwrap();
    for lock in [Lock::Shared, Lock::Exclusive] {
        assert!(would_block(try_lock_file(&last, lock)), "{lock:?}");
    }
}

/// A process of its own that holds the lock of a file.
fn holder(path: &Path) -> Child {
    let mut holder = Command::new(std::env::current_exe().unwrap());
    holder.args(["--exact", "pty::tests::holds_a_lock_until_it_is_killed", "--nocapture"]);
    holder.env(LOCKED, path).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut holder = holder.spawn().unwrap();
    let told = BufReader::new(holder.stdout.take().unwrap());
    assert!(told.lines().map_while(Result::ok).any(|line| line.contains(HELD)));
    holder
}

/// A process of its own that has a lock.
#[test]
fn holds_a_lock_until_it_is_killed() {
    let Some(path) = std::env::var_os(LOCKED) else { return };
    let file = open_own_file(Path::new(&path)).unwrap();
    lock_file(&file, Lock::Exclusive).unwrap();
    println!("{HELD}");
    let _ = std::io::stdin().read(&mut [0]);
}

#[test]
fn a_lock_ends_with_its_process() {
    let place = tempfile::tempdir().unwrap();
    let (path, _file) = new_file(place.path());
    let mut holder = holder(&path);
    let waiting = open_own_file(&path).unwrap();
    assert!(would_block(try_lock_file(&waiting, Lock::Shared)));
    let left = std::thread::spawn(move || lock_file(&waiting, Lock::Shared));
    holder.kill().unwrap();
    holder.wait().unwrap();
    left.join().unwrap().unwrap();
}
