//! Sessions that outlive the server that started them: who finds them again, and how they end.

use crate::support::{IDLE, Lifeline, Runtime, Server, assert_has, assert_has_not, gone, kill};

/// The first words of a reply after a session was found again.
const REJOINED: &str = "[repl] rejoined the session of ";

/// The server goes in this way, and another one comes that finds what was there.
#[track_caller]
fn finds_x_after(end: impl Fn(&mut Server)) {
    let runtime = Runtime::new();
    let directory = tempfile::tempdir().unwrap();
    let start = || runtime.server().directory(directory.path()).start();
    let mut first = start();
    first.gives("x = 6", IDLE);
    end(&mut first);
    let second = start();
    let said = second.repl("x * 7");
    assert!(said.starts_with(REJOINED), "{said}");
    assert_has(&said, "its variables are still there\n42\n");
    // It is said once.
    second.still_works();
}

#[test]
fn a_server_that_was_killed_is_followed_by_one_that_finds_x() {
    finds_x_after(Server::kill);
}

#[test]
fn and_so_is_one_whose_input_was_closed() {
    finds_x_after(Server::hang_up);
}

#[cfg(has = "proc")]
#[test]
fn a_server_under_another_process_finds_it_too() {
    let runtime = Runtime::new();
    let directory = tempfile::tempdir().unwrap();
    let start = || runtime.server().directory(directory.path()).under_another().start();
    let mut first = start();
    first.gives("x = 6", IDLE);
    first.kill();
    assert_has(&start().repl("x"), "\n6\n");
}

#[cfg(has = "proc")]
#[test]
fn of_two_that_wait_the_own_parents_comes_first() {
    let runtime = Runtime::new();
    let directory = tempfile::tempdir().unwrap();
    let start = || runtime.server().directory(directory.path());
    let mut own = start().start();
    own.gives("x = 'own'", IDLE);
    let mut others = start().under_another().start();
    others.gives("x = 'another'", IDLE);
    own.kill();
    others.kill();
    let servers = [start().start(), start().start()];
    assert_has(&servers[0].repl("x"), "'own'\n");
    assert_has(&servers[1].repl("x"), "'another'\n");
}

#[test]
fn what_is_not_the_same_finds_nothing() {
    let runtime = Runtime::new();
    let directory = tempfile::tempdir().unwrap();
    let here = || runtime.server().directory(directory.path());
    let mut first = here().client("one").start();
    first.gives("x = 6", IDLE);
    // It is there, but it is somebody's.
    let second = here().client("one").start();
    second.gives("'x' in globals()", "False\n");
    first.kill();
    // Another client, another directory.
    here().client("two").start().gives("'x' in globals()", "False\n");
    runtime.server().client("one").start().gives("'x' in globals()", "False\n");
    let said = here().client("one").start().repl("x");
    assert!(said.starts_with(REJOINED), "{said}");
}

#[test]
fn what_was_printed_meanwhile_comes_with_the_first_reply() {
    let runtime = Runtime::new();
    let directory = tempfile::tempdir().unwrap();
    let start = || runtime.server().directory(directory.path()).start();
    let mut first = start();
    let mut line = Lifeline::lay(&first);
    first.begin(
        "_ = line.send(b'!'), line.recv(1)\nprint('meanwhile', flush=True)\n_ = line.send(b'?')",
    );
    line.hears("!");
    first.kill();
    line.release();
    line.hears("?");
    let second = start();
    let said = second.poll();
    assert!(said.starts_with(REJOINED), "{said}");
    assert_has(&said, "\nmeanwhile\n");
    assert_has_not(&second.poll(), "meanwhile");
}

#[test]
fn a_cell_that_runs_goes_on_and_can_be_answered() {
    let runtime = Runtime::new();
    let directory = tempfile::tempdir().unwrap();
    let start = || runtime.server().directory(directory.path()).start();
    let mut first = start();
    first.gives("name = input('who? ')", "who? ");
    first.hang_up();
    let second = start();
    assert_has(&second.poll(), "<<repl status: waiting for input>>\n");
    second.gives("me", IDLE);
    second.gives("name", "'me'\n");
}

/// The last process has its time, and nothing is left.
#[test]
fn when_the_grace_ends_all_is_ended_in_good_order() {
    for end in [Server::kill, Server::hang_up] {
        let runtime = Runtime::new();
        let mut server = runtime.server().arg("--grace").arg("1s").start();
        let line = Lifeline::lay(&server);
        server.gives("import atexit\natexit.register(line.send, b'bye') and None", IDLE);
        let host = runtime.processes();
        assert!(host.len() > 2, "{host:?}");
        end(&mut server);
        let mut line = line;
        line.hears("bye");
        line.wait_until_cut();
        runtime.wait_until_empty();
        assert_eq!(runtime.files(), Vec::<std::path::PathBuf>::new());
        runtime.has_nothing();
    }
}

#[cfg(has = "posix")]
#[test]
fn a_cell_that_still_runs_when_the_grace_ends_is_ended() {
    let runtime = Runtime::new();
    let mut server = runtime.server().arg("--grace").arg("1s").start();
    let mut line = Lifeline::lay(&server);
    server.begin(
        "import signal\nfor s in 1, 2, 15: _ = signal.signal(s, signal.SIG_IGN)\n\
         child = subprocess.Popen(['sleep', '1000'], pass_fds=[line.fileno()])\n\
         _ = line.send(b'!')\nwhile True: pass",
    );
    line.hears("!");
    server.kill();
    line.wait_until_cut();
    runtime.wait_until_empty();
    runtime.has_nothing();
}

#[test]
fn without_grace_the_end_is_that_of_the_server() {
    let runtime = Runtime::new();
    let mut server = runtime.server().arg("--grace").arg("0").start();
    let line = Lifeline::lay(&server);
    runtime.has_nothing();
    server.kill();
    line.wait_until_cut();
    runtime.wait_until_empty();
}

#[test]
fn a_host_that_is_killed_takes_its_worker_along_and_that_is_told() {
    let server = crate::support::Builder::new().hosted().start();
    let runtime = server.runtime();
    let line = Lifeline::lay(&server);
    let [name] = &runtime.names()[..] else { panic!("{:?}", runtime.names()) };
    let host = runtime.host(name);
    kill(host);
    assert!(gone(host));
    line.wait_until_cut();
    let said = server.repl("6 * 7");
    assert_has(&said, "[repl] ");
    assert!(said.ends_with("42\n"), "{said}");
    assert_has(&server.repl("'line' in globals()"), "False\n");
}
