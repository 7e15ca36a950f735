//! What the tests share: a real server to talk to, the Pythons of the machine, and ways to wait.
//! `tests/README.md` says what there is, a line each.

mod builder;
mod chance;
#[cfg(has = "posix")]
mod guest;
mod inbox;
mod lifeline;
pub(crate) mod packages;
pub(crate) mod paging;
#[cfg(has = "person")]
mod person;
pub(crate) mod pictures;
mod process;
pub(crate) mod python;
mod replies;
mod runtime;
mod server;
#[cfg(has = "proc")]
mod sshd;
#[cfg(has = "person")]
mod terminal;
mod waiting;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

pub(crate) use builder::{BINARY, Builder, CHOOSERS};
pub(crate) use chance::Chance;
#[cfg(has = "posix")]
pub(crate) use guest::{Guest, hello, only};
pub(crate) use lifeline::{Lifeline, Listening};
pub(crate) use process::{Pid, gone, kill};
pub(crate) use python::on_every_python;
pub(crate) use replies::{
    FRESH, IDLE, SECRET, WAITING, assert_has, assert_has_not, text_of, without_carets,
};
pub(crate) use runtime::Runtime;
pub(crate) use server::{Call, Server};
#[cfg(has = "proc")]
pub(crate) use sshd::Sshd;
#[cfg(has = "person")]
pub(crate) use terminal::{Graphics, Terminal, children};
pub(crate) use waiting::IN_KERNEL;

/// How long anything may take before it counts as hung. Nothing waits this long when all is well.
pub(crate) const HANG: Duration = Duration::from_secs(180);

/// How many rounds a race is run: as many as `MCP_REPL_TEST_ROUNDS` says, or so `few`.
pub(crate) fn rounds(few: u32) -> u32 {
    std::env::var("MCP_REPL_TEST_ROUNDS").map_or(few, |rounds| rounds.parse().expect("a number"))
}

/// `path` as programs name it, without links. The standard library puts a prefix of its own before paths of Windows.
pub(crate) fn real(path: &Path) -> PathBuf {
    let real = path.canonicalize().unwrap();
    let plain = real.to_str().and_then(|path| path.strip_prefix(r"\\?\"));
    plain.map_or_else(|| real.clone(), PathBuf::from)
}

/// `text` as a Python string literal. JSON's strings are Python's too.
pub(crate) fn quoted(text: impl AsRef<std::path::Path>) -> String {
    serde_json::to_string(&text.as_ref().to_string_lossy()).unwrap()
}

/// The command line of a worker that behaves in this way until `file` exists, which it makes.
pub(crate) fn fake_worker(how: &str, file: &Path) -> [String; 6] {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake_worker/fake_worker.py");
    let [python, file] = [&python::default(), file].map(|path| path.display().to_string());
    [python, "-I".into(), "-S".into(), program.into(), how.into(), file]
}
