//! The server's files: this user's alone, and written again when somebody damaged them.

use std::path::{Path, PathBuf};

use crate::support::{Builder, IDLE, Server, assert_has};

/// A server whose files all go to the directory.
fn in_directory(builder: Builder, directory: &Path) -> Server {
    builder.env("TMPDIR", directory).start()
}

/// The one directory of a server in `directory`.
fn home(directory: &Path) -> PathBuf {
    std::fs::read_dir(directory).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn directories_and_files_are_the_users_alone_whatever_the_umask() {
    for umask in ["0", "0o22", "0o777"] {
        let directory = tempfile::tempdir_in("/tmp").unwrap();
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

#[test]
fn an_extension_that_was_removed_or_damaged_is_written_again() {
    let directory = tempfile::tempdir_in("/tmp").unwrap();
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

#[test]
fn a_directory_that_somebody_replaced_is_made_anew_elsewhere() {
    let directory = tempfile::tempdir_in("/tmp").unwrap();
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
