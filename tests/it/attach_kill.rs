//! `mcp-repl attach`: the terminal is put back also when the client is killed, and what is said when
//! another part of the session is.
#![cfg(has = "person")]

use rustix::process::{Signal, kill_process};

use crate::support::{IDLE, Runtime, Terminal, assert_has, assert_has_not, children, gone};

/// A session with an agent in it, and a person.
fn two(runtime: &Runtime) -> (crate::support::Server, Terminal) {
    let agent = runtime.agent();
    agent.gives("text = 'text before'", IDLE);
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    (agent, person)
}

#[test]
fn a_client_that_is_killed_at_the_prompt_leaves_the_terminal_as_it_was() {
    let runtime = Runtime::new();
    let (agent, mut person) = two(&runtime);
    person.types("half a line");
    person.ends_with("half a line");
    assert!(person.is_raw());
    assert_has(&person.set_modes(), "\x1b[?2004l");
    person.dies();
    agent.gives("'on'", "'on'\n");
}

#[test]
fn and_so_does_one_in_a_pager_or_in_a_program_with_the_mouse() {
    let pager = "import subprocess; _ = subprocess.run(['less', '-S', '/etc/services'])";
    let mouse = "import sys; print('\\033[?1049h\\033[?1h\\033[?1002h\\033[?1006h\\033[?2004h\\033[?25l\
                 \\033[>1u\\033[5;9Hall', end='', flush=True); _ = sys.stdin.read(1)";
    for (cell, shown, set) in [(pager, "lines 1-", "\x1b[?1l"), (mouse, "    all", "\x1b[?1002l")] {
        let runtime = Runtime::new();
        let (agent, mut person) = two(&runtime);
        person.types("print('text', 'before')\r");
        person.runs(cell);
        person.shows(shown);
        assert_has(&person.set_modes(), set);
        let page = person.dies();
        if cell == mouse {
            assert_has(&page, "\ntext before\n");
            assert_has_not(&page, shown);
        }
        drop(agent);
    }
}

#[test]
fn a_shell_that_has_the_terminal_again_keeps_its_modes() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_shell();
    person.types("print('\\033[?1002h\\033[?1006hmouse', end='', flush=True); input()\r");
    person.ends_with("mouse");
    let client = children(person.pid())[0];
    let guard = children(client.as_raw_pid())[0];
    kill_process(client, Signal::KILL).unwrap();
    assert!(gone(guard));
    person.shows("Killed");
    person.types("echo so$((1 + 1))on\r");
    person.shows_when("what it says, and its prompt", |page| {
        page.contains("\nso2on\n") && page.ends_with('$')
    });
    assert_has_not(&person.set_modes(), "?1002");
    // The client had put the terminal back: a shell that is used meanwhile is left alone.
    person.types("mcp-repl attach work --no-status\r");
    person.ends_with("mouse");
    person.types("\x1d\x1a");
    person.shows("Stopped");
    person.types("kill -9 %1; wait %1; printf '\\033[?1002h'; echo '<'$?'>'\r");
    person.shows("<0>");
    assert_has(&person.set_modes(), "?1002");
    drop(agent);
}

#[test]
fn a_worker_that_is_killed_is_told_and_the_session_goes_on() {
    let runtime = Runtime::new();
    let (agent, mut person) = two(&runtime);
    person.types("import os; os.kill(os.getpid(), 9)\r");
    person.shows("SIGKILL");
    person.runs("'fresh'");
    person.shows("\n'fresh'\n[repl] new session started\n>>>");
    person.types("\x1dd");
    assert_eq!(person.ends().0, 0);
    drop(agent);
}

#[test]
fn a_session_of_ones_own_ends_with_its_worker_and_says_how() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.runs("import os; os.kill(os.getpid(), 9)");
    let (status, page) = person.ends();
    assert_has(&page, "SIGKILL");
    assert_eq!(status, 128 + 9, "{page}");
    runtime.wait_until_empty();
}
