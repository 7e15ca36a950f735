//! `mcp-repl attach`: the status and the title.
#![cfg(has = "person")]

use std::{process::Command, time::Instant};

use crate::support::{BINARY, HANG, IDLE, Lifeline, Runtime, Server, Terminal, assert_has_not};

/// What the agent has defined: prints a text, and goes on when it is let.
const STEP: &str = "def step(text):
    print(text, end=' ', flush=True)
    _ = line.recv(1)
    print('on')";

/// A session with an agent in it and a line from it, and a person who is shown the status.
fn two(runtime: &Runtime) -> (Server, Lifeline, Terminal) {
    let agent = runtime.agent();
    let line = Lifeline::lay(&agent);
    agent.gives(STEP, IDLE);
    let mut person = Terminal::run(runtime.attaching_with_status(&["work"]));
    person.shows("work · agent");
    (agent, line, person)
}

/// The lines of a page that say something.
fn lines(page: &str) -> Vec<String> {
    page.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// For how many seconds the status says that something runs.
fn time_of(page: &str) -> Option<u32> {
    page.split_once("\nwork · running ")?.1.split_once('s')?.0.parse().ok()
}

#[test]
fn the_status_is_below_what_runs_and_beside_the_prompt() {
    let runtime = Runtime::new();
    let (_agent, mut line, mut person) = two(&runtime);
    person.types("step('one'); step('two')\r");
    // It counts.
    person.shows("one\nwork · running ");
    let first = time_of(&person.page());
    person.shows_when("another time", |page| time_of(page) > first);
    line.release();
    person.shows("one on\ntwo\nwork · running");
    line.release();
    person.shows_when("the prompt", |page| page.contains("\ntwo on\n>>> "));
    let page = person.page();
    assert_has_not(&page, "running");
    // The cell stands without it in the scrollback.
    let begun = page.find(">>> step('one'").unwrap();
    assert_eq!(lines(&page[begun..])[..3], [">>> step('one'); step('two')", "one on", "two on"]);
    assert_eq!(page.matches("work · agent").count(), 1, "{page}");
}

#[test]
fn it_says_what_is_waited_for_and_who_comes_and_goes() {
    let runtime = Runtime::new();
    let (agent, _line, mut person) = two(&runtime);
    let _held = agent.begin("name = input('name? ')");
    person.shows("name?\nwork · waits for input (agent) · agent");
    let mut other = Terminal::run(runtime.attaching(&["work", "--observe"]).env("USER", "other"));
    other.shows("name?");
    person.shows("name?\nwork · waits for input (agent) · agent, other (looks on)");
    other.types("\x1dd");
    assert_eq!(other.ends().0, 0);
    person.shows_when("it without the other", |page| page.ends_with("input (agent) · agent"));
    person.types("Ada\r");
    person.shows_when("the prompt", |page| page.contains("name? Ada\n>>> "));
    assert_has_not(&person.page(), "waits");
}

#[test]
fn a_full_screen_has_no_status_and_so_have_small_terminals() {
    let runtime = Runtime::new();
    let (_agent, mut line, mut person) = two(&runtime);
    // Longer than until a status would come.
    person.types("import time; print('\\033[?1049h\\033[H'); time.sleep(1.5); step('full')\r");
    person.shows_when("the program alone", |page| lines(page) == ["full"]);
    line.release();
    person.shows("\n>>> ");
    person.types("\x1dd");
    assert_eq!(person.ends().0, 0);
    let mut person = Terminal::run(runtime.attaching_with_status(&["work"]));
    person.shows(">>>");
    person.resize(19, 24);
    person.types("time.sleep(1.5); step('small')\r");
    person.shows("\nsmall");
    person.types("\x1dd");
    assert_has_not(&person.ends().1, " · running");
}

#[test]
fn the_title_says_session_and_state_and_is_put_back() {
    let runtime = Runtime::new();
    let agent = runtime.agent();
    agent.gives("x = 1", IDLE);
    let mut person = runtime.attach(&[]);
    person.is_titled("work: ready");
    let _held = agent.begin("name = input('name? ')");
    person.is_titled("work: waits for input (agent)");
    person.types("Ada\r");
    person.is_titled("work: ready");
    // Asserts that the title is what it was.
    person.types("\x1dd");
    assert_eq!(person.ends().0, 0);
    let mut person = runtime.attach(&[]);
    person.is_titled("work: ready");
    person.dies();
}

/// A terminal of tmux's, on a server of its own.
struct Tmux(String);

impl Tmux {
    fn says(&self, arguments: &[&str]) -> String {
        let output =
            Command::new("tmux").args(["-L", &self.0, "-f", "/dev/null"]).args(arguments).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    }

    #[track_caller]
    fn shows(&self, what: &str, is_there: impl Fn(&str) -> bool) {
        let end = Instant::now() + HANG;
        loop {
            let page = self.says(&["capture-pane", "-p", "-S", "-200"]);
            if is_there(page.trim_end()) {
                return;
            }
            assert!(Instant::now() < end, "{what} does not come; there is:\n{page}");
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.says(&["kill-server"]);
    }
}

#[test]
fn in_tmux_long_outputs_stay_whole_above_the_status() {
    let runtime = Runtime::new();
    let agent = runtime.agent();
    agent.gives("x = 1", IDLE);
    let tmux = Tmux(format!("mcp-repl-{}", std::process::id()));
    let environment = format!("MCP_REPL_RUNTIME_DIR={}", runtime.path().display());
    let command = format!("{BINARY} attach work; echo status $?; cat");
    tmux.says(&["new-session", "-d", "-x", "60", "-y", "10", "-e", &environment, &command]);
    tmux.shows("the prompt", |page| page.trim_end().ends_with("work · agent"));
    tmux.says(&["send-keys", "import time\r"]);
    tmux.says(&["send-keys", "for n in range(50): print('line', n); time.sleep(n == 25)\r"]);
    tmux.shows("all lines, and the prompt", |page| {
        let (_, printed) = page.split_once("line 0\n").unwrap_or_default();
        let whole = (1..50).map(|n| format!("line {n}\n")).collect::<String>();
        printed.starts_with(&whole) && page.ends_with("work · agent")
    });
    tmux.says(&["send-keys", "time.sleep(1000)\r"]);
    tmux.shows("the status", |page| {
        page.contains("\nwork · running ") && page.ends_with("s · agent")
    });
    assert_eq!(tmux.says(&["display-message", "-p", "#{pane_title}"]).trim(), "work: running");
    tmux.says(&["send-keys", "C-c", ""]);
    tmux.shows("the end of it", |page| {
        page.contains("KeyboardInterrupt") && !page.contains("running")
    });
    tmux.says(&["send-keys", "C-d", ""]);
    tmux.shows("the shell", |page| page.ends_with("status 0"));
    assert_ne!(tmux.says(&["display-message", "-p", "#{pane_title}"]).trim(), "work: ready");
}
