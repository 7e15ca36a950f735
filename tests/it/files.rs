//! The server's files: this user's alone, and written again when somebody damaged them.

use std::path::{Path, PathBuf};

use crate::support::{Builder, IDLE, Server, assert_has};

/// A server whose files all go to the directory.
fn in_directory(builder: Builder, directory: &Path) -> Server {
    builder.temporary(directory).start()
}

/// The one directory of a server in `directory`.
fn home(directory: &Path) -> PathBuf {
    std::fs::read_dir(directory).unwrap().next().unwrap().unwrap().path()
}

#[cfg(has = "posix")]
#[test]
fn directories_and_files_are_the_users_alone_whatever_the_umask() {
    for umask in ["0", "0o22", "0o777"] {
        let directory = tempfile::tempdir().unwrap();
        let start = Builder::new().condition(&format!("os.umask({umask})"));
        let repl = in_directory(start, directory.path());
        assert_has(&repl.repl("for n in range(10_000): print('line', n)"), "output-");
        let cell = format!(
            "\
import os, stat
allowed = {{stat.S_IFDIR: 0o700, stat.S_IFREG: 0o600}}
found = 0
for place, directories, files in os.walk({:?}):
    for name in directories + files:
        mode = os.lstat(os.path.join(place, name)).st_mode
        found += 1
        if allowed[stat.S_IFMT(mode)] != stat.S_IMODE(mode): print(name, oct(mode))
found",
            directory.path().display().to_string()
        );
        // The server's directory with its lock and extension, the session's with its output, the
        // worker's with its directory for temporary files.
        repl.gives(&cell, "7\n");
    }
}

#[cfg(has = "posix")]
#[test]
fn an_extension_that_was_removed_or_damaged_is_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let repl = in_directory(Builder::new(), directory.path());
    repl.gives("x = 1", IDLE);
    let file = home(directory.path()).join("worker.so");
    let whole = std::fs::read(&file).unwrap();
    for damaged in [None, Some(&b"no library"[..]), Some(&whole[..whole.len() / 2])] {
        // Never the file that a worker has loaded.
        std::fs::remove_file(&file).unwrap();
        if let Some(bytes) = damaged {
            std::fs::write(&file, bytes).unwrap();
        }
        repl.gives(
            "\u{4}6 * 7",
            "[repl] session ended (exit status 0)\n[repl] new session started\n42\n",
        );
        assert!(std::fs::read(&file).unwrap() == whole);
    }
}

#[cfg(has = "posix")]
#[test]
fn a_directory_that_somebody_replaced_is_made_anew_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let repl = in_directory(Builder::new(), directory.path());
    repl.still_works();
    let home = home(directory.path());
    let moved = directory.path().join("moved");
    std::fs::rename(&home, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, &home).unwrap();
    let reply = repl.repl("\u{4}import os, tempfile\nprint(tempfile.gettempdir())");
    let place = Path::new(reply.lines().last().unwrap());
    assert!(place.starts_with(directory.path()), "{reply}");
    assert!(!place.canonicalize().unwrap().starts_with(&moved), "{reply}");
}

#[cfg(has = "marks")]
#[test]
fn long_outputs_take_what_they_may_on_disk_and_the_oldest_are_deleted() {
    let repl = Builder::new().args(["--max-output-disk", "100K"]).start();
    let file = |reply: &str| {
        let (_, rest) = reply.split_once("the whole text is in ").expect(reply);
        PathBuf::from(rest.lines().next().unwrap())
    };
    let replies: Vec<String> =
        (0..4).map(|_| repl.repl("for n in range(40): print('x' * 999)")).collect();
    let files: Vec<PathBuf> = replies.iter().map(|reply| file(reply)).collect();
    assert_eq!(
        files.iter().map(|file| file.exists()).collect::<Vec<_>>(),
        [false, false, true, true]
    );
    for (reply, deleted) in replies.iter().zip([None, None, Some(&files[0]), Some(&files[1])]) {
        let told = deleted.map(|file| {
            let file = file.display();
            format!("[repl] long outputs take at most 102400 bytes on disk: deleted {file}\n")
        });
        match told {
            Some(told) => assert_has(reply, &told),
            None => assert!(!reply.contains("deleted"), "{reply}"),
        }
    }
    // One of them takes half of it.
    assert_has(&repl.repl("print('x' * 1_000_000)"), "only the first 51200 bytes are in ");
    repl.still_works();
}

#[test]
fn a_size_that_is_none_is_an_error() {
    for size in ["2X", "-1", "", "99999999T"] {
        let output = Builder::new().arg(format!("--max-output-disk={size}")).output("");
        assert_eq!(output.status.code(), Some(2), "{size}");
        assert_has(&String::from_utf8_lossy(&output.stderr), "a number of bytes");
    }
}

#[cfg(has = "posix")]
#[test]
fn with_few_descriptors_it_starts_or_says_why_not() {
    for limit in (6..=18).chain([20, 22, 24, 30]) {
        let condition = format!("resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit}))");
        for arguments in [&["exec", "6 * 7"][..], &[]] {
            let output = Builder::new().condition(&condition).args(arguments).output("");
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(!stderr.contains("panicked"), "{limit}: {stderr}");
            if limit < 19 {
                assert_eq!(output.status.code(), Some(2), "{limit}: {stderr}");
                assert_has(&stderr, "ulimit -n");
            }
        }
    }
}

#[cfg(has = "posix")]
#[test]
fn where_a_directory_for_temporary_files_is_full_the_next_place_is_tried() {
    // Mounts of the server's own; only root can make them, and not in every container.
    for size in ["4k", "100k"] {
        let condition = format!(
            "\
import ctypes
libc, place = ctypes.CDLL(None, use_errno=True), os.environ['TMPDIR'].encode()
def check(result):
    if result: sys.exit('cannot mount: ' + os.strerror(ctypes.get_errno()))
NEW_MOUNTS, PRIVATE_BELOW = 0x20000, 1 << 18 | 1 << 14
check(libc.unshare(NEW_MOUNTS))
check(libc.mount(b'none', b'/', None, PRIVATE_BELOW, None))
check(libc.mount(b'none', place, b'tmpfs', 0, b'size={size}'))"
        );
        let output = Builder::new().condition(&condition).arg("--version").output("");
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            assert_has(&why, "cannot mount: ");
            return eprintln!("not tested: {why}");
        }
        let repl = Builder::new().condition(&condition).start();
        repl.still_works();
        assert_has(&repl.repl("print('x' * 100_000)"), "the whole text is in ");
    }
}
