//! Starts that ask for input or take their time: what `sitecustomize` does before a session is up.

use tempfile::TempDir;

use crate::support::{Builder, IDLE, Server, assert_has, assert_has_not, python};

/// What says that a start waits.
const ASKS: &str =
    "<<repl status: waiting for input>> (the session's start asks: the next input is its answer)\n";

/// The same, where a cell came before.
const ASKS_BEFORE_CELL: &str = "<<repl status: waiting for input>> (the session's start asks: \
                                the next input is its answer; your cell runs once it is up)\n";

const LICENCE: &str = "\
import builtins
print('the licence of this machine')
builtins.accepted = input('accept? ')
print('so be it')";

/// Asks until it is answered, and takes no interrupt for an answer.
const STUBBORN: &str = "\
while True:
    try:
        if input('accept? ') == 'yes': break
        print('no?')
    except KeyboardInterrupt:
        print('interrupted')";

/// How a server is started whose Python runs this first.
fn with_site(source: &str) -> (Builder, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("sitecustomize.py"), source).unwrap();
    (Builder::new().env("PYTHONPATH", directory.path()), directory)
}

/// Runs a test with each Python and a `sitecustomize` of this source.
fn on_every_python(source: &str, test: impl Fn(&Server)) {
    for version in python::versions() {
        eprintln!("with Python {version}:");
        let (builder, _directory) = with_site(source);
        test(&builder.python(python::of_version(version)).start());
    }
}

#[test]
fn a_start_that_asks_is_answered_and_the_cell_from_before_is_run() {
    on_every_python(LICENCE, |repl| {
        let asked = format!("the licence of this machine\naccept? \n{ASKS_BEFORE_CELL}");
        repl.gives("accepted", &asked);
        repl.gives("yes", "yes\nso be it\n'yes'\n");
        repl.still_works();
    });
}

#[test]
fn a_poll_is_told_that_a_start_asks() {
    let (builder, _directory) = with_site(LICENCE);
    let repl = builder.start();
    repl.gives("", &format!("the licence of this machine\naccept? \n{ASKS}"));
    repl.gives("", ASKS);
    let typed = repl.keys("n o Enter");
    assert_eq!(typed, "no\nso be it\n");
    repl.gives("accepted", "'no'\n");
}

#[test]
fn a_start_that_asks_twice_and_for_a_secret() {
    let source = "import builtins, getpass\nbuiltins.name = input('name? ')\nbuiltins.secret = getpass.getpass()";
    on_every_python(source, |repl| {
        repl.gives("", &format!("name? \n{ASKS}"));
        let reply = repl.repl("me");
        assert!(reply.starts_with("me\nPassword: \n"), "{reply}");
        assert_has(&reply, "its answer; what is typed is not shown)");
        assert_has_not(&repl.repl("hidden"), "hidden");
        repl.gives("name, secret", "('me', 'hidden')\n");
    });
}

#[test]
fn a_start_that_asks_is_interrupted() {
    on_every_python(STUBBORN, |repl| {
        repl.gives("", &format!("accept? \n{ASKS}"));
        let reply = repl.repl("\u{3}1 + 1");
        assert!(reply.ends_with(&format!("interrupted\naccept? \n{ASKS_BEFORE_CELL}")), "{reply}");
        repl.gives("yes", "yes\n2\n");
    });
    // One that does not expect it ends, and its session with it.
    on_every_python(LICENCE, |repl| {
        repl.gives_part("", "accept? ");
        let error = repl.begin("\u{3}").error();
        assert_has(&error, "KeyboardInterrupt");
        assert_has(&error, "[repl] the session's start was interrupted, and its program ended");
        let asked = format!("the licence of this machine\naccept? \n{ASKS_BEFORE_CELL}");
        repl.gives_part("accepted", &asked);
        repl.gives_part("yes", "so be it\n[repl] new session started\n'yes'\n");
    });
}

#[test]
fn a_start_that_asks_is_reset() {
    on_every_python(STUBBORN, |repl| {
        repl.gives("", &format!("accept? \n{ASKS}"));
        let reply = repl.repl("\u{4}1 + 1");
        assert_has(&reply, "[repl] session ended (");
        assert!(reply.ends_with(&format!("accept? \n{ASKS_BEFORE_CELL}")), "{reply}");
        repl.gives("no", &format!("no\nno?\naccept? \n{ASKS_BEFORE_CELL}"));
        repl.gives("yes", "yes\n[repl] new session started\n2\n");
    });
}

#[test]
fn a_start_that_takes_its_time_is_shown_and_interrupted_or_reset() {
    let source = "\
import time
try:
    print('slow', flush=True)
    time.sleep(1000)
except KeyboardInterrupt: print('cut short')";
    on_every_python(source, |repl| {
        let mut said = repl.repl_with("6 * 7", 20);
        while !said.contains("slow\n") {
            said += &repl.repl_with("", 20);
        }
        assert_has(&said, "<<repl status: busy, elapsed_ms=");
        let mut said = repl.repl_with("\u{4}1 + 1", 20);
        while !said.contains("slow\n") {
            said += &repl.repl_with("", 20);
        }
        assert_has(&said, "[repl] session ended (");
        let reply = repl.repl("\u{3}2 + 2");
        assert_has(&reply, "cut short\n");
        assert!(reply.ends_with("[repl] new session started\n4\n"), "{reply}");
        repl.gives("", IDLE);
    });
}

#[test]
fn an_excepthook_from_before_the_session_is_honoured() {
    let source = "\
import sys
def hook(kind, value, traceback): print('hooked:', kind.__name__, value)
sys.excepthook = hook";
    on_every_python(source, |repl| {
        repl.gives("1 / 0", "hooked: ZeroDivisionError division by zero\n");
        repl.gives("sys = __import__('sys'); sys.excepthook = sys.__excepthook__", IDLE);
        assert_has(&repl.repl("1 / 0"), "    1 / 0\n");
    });
}

#[test]
fn what_a_start_asks_is_read_from_execs_standard_input() {
    let (builder, _directory) = with_site(LICENCE);
    let output = builder.args(["exec", "print(accepted, input('? '))"]).output("yes\nmore\n");
    assert_eq!(output.status.code(), Some(0));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.starts_with("the licence of this machine\n"), "{stdout}");
    assert!(stdout.ends_with("so be it\nyes more\n"), "{stdout}");
    // Nobody answers: the end of the input, as a cell gets it.
    let (builder, _directory) = with_site(STUBBORN);
    let output = builder.args(["exec", "6 * 7"]).output("");
    assert_eq!(output.status.code(), Some(0));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_has(&stdout, "EOFError");
    assert!(stdout.ends_with("42\n"), "{stdout}");
}

#[test]
fn doctor_says_that_a_start_asks() {
    let (builder, _directory) = with_site(LICENCE);
    let report = String::from_utf8(builder.arg("doctor").output("").stdout).unwrap();
    assert_has(&report, "its start waits for input");
    assert_has(&report, "accept?");
}
