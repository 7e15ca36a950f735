//! `mcp-repl attach` where a program has the terminal: keys, modes, size, and that all is put back.
#![cfg(has = "person")]

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{IDLE, Lifeline, Runtime, Terminal, assert_has, assert_has_not};

/// A cell that shows what a program reads of a terminal in raw mode, until `q`.
const KEYS: &str = "import os, tty, termios\ndef keys():\n    modes = termios.tcgetattr(0)\n    \
    tty.setraw(0)\n    os.write(1, b'keys?')\n    got = b''\n    while not got.endswith(b'q'): got += os.read(0, 99)\n    \
    termios.tcsetattr(0, termios.TCSANOW, modes)\n    return got";

#[test]
fn either_answers_what_a_program_asks_for() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_person();
    let asked = agent.repl("name = input('name? ')");
    assert_has(&asked, "name? ");
    person.ends_with("name?");
    person.types("Bob\r");
    person.ends_with("name? Bob\n>>>");
    person.types("input('more? ')\r");
    person.ends_with("\nmore?");
    // It was told that it is asked for.
    assert_has(&agent.poll(), "more? ");
    agent.repl("yes");
    person.ends_with("'yes'\n>>>");
    let page = person.page();
    assert_has(&page, "more? yes\n");
    assert_has(&page, "\n[agent] answered: yes\n");
    agent.gives("name", "'Bob'\n");
}

#[test]
fn a_line_stays_while_a_cell_of_ones_other_terminal_runs() {
    let runtime = Runtime::new();
    let (_agent, mut person) = runtime.agent_and_person();
    person.types("'half");
    person.ends_with(">>> 'half");
    let mut other = runtime.attach(&["work"]);
    other.runs("import time; print('runs'); time.sleep(1000)");
    person.ends_with("\nruns\n>>> 'half");
    person.types(" typed'");
    person.ends_with("\nruns\n>>> 'half typed'");
    other.types("\x03");
    person.ends_with("\nKeyboardInterrupt\n>>> 'half typed'");
    person.types("\r");
    person.ends_with("\n'half typed'\n>>>");
    // What one asks oneself is one's own: the answer is for that.
    person.types("time.sleep(int(input('how long? '))); 'over'\r");
    person.ends_with("how long?");
    person.types("0\r");
    person.ends_with("\n'over'\n>>>");
}

#[test]
fn a_secret_goes_to_the_program_alone() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_person();
    agent.repl("import getpass\ntoken = getpass.getpass('token? ')");
    person.ends_with("token?");
    person.types("hunter2\r");
    person.is_at_prompt();
    assert_has_not(&String::from_utf8_lossy(&person.bytes), "hunter2");
    let said = agent.repl("len(token)");
    assert_has(&said, "7\n");
    assert_has_not(&said, "hunter2");
    person.types("1\r");
    person.shows("\n1\n>>>");
    let history = runtime.path().with_file_name("state").join("mcp-repl/history");
    assert_has_not(&std::fs::read_to_string(history).unwrap(), "hunter2");
}

#[test]
fn every_key_goes_to_the_program_but_what_a_terminal_says_by_itself() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_person();
    agent.gives(KEYS, IDLE);
    person.shows("return got\n>>>");
    person.types("keys()\r");
    person.ends_with("keys?");
    // Late answers, and the escape key twice.
    person.types(
        "a\x1b[24;80R\x1b]11;rgb:0/0/0\x1b\\\x1b[A\x1b[?62;c\x03\x1d\x1d\x1b[93;5u\x1b[93;5uq",
    );
    person.shows(r"b'a\x1b[A\x03\x1d\x1b[93;5uq'");
}

#[test]
fn the_escape_key_is_known_in_every_encoding() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_person();
    person.types("import time; time.sleep(1000)\r");
    person.ends_with("sleep(1000)");
    for escape in ["\x1d", "\x1b[93;5u", "\x1b[27;5;93~"] {
        person.types(&format!("{escape}?"));
    }
    person.shows_when("the help", |page| page.matches("Ctrl-] then:").count() == 3);
    person.types("\x1di");
    person.shows("KeyboardInterrupt");
    person.runs("x = 5");
    person.is_at_prompt();
    // At the prompt, with a line.
    person.types("half");
    person.ends_with("half");
    person.types("\x1d?");
    person.shows_when("the help above the line", |page| {
        page.matches("Ctrl-] then:").count() == 4 && page.ends_with(">>> half")
    });
    person.types("\x1dr");
    person.shows("new session started");
    person.ends_with(">>> half");
    assert_has_not(&person.page(), "left out");
    agent.poll();
    person.types("\x1dd");
    assert_eq!(person.ends().0, 0);
    assert_has(&agent.repl("'x' in globals()"), "False\n");
}

#[test]
fn who_joins_a_full_screen_program_sees_it_in_its_modes_and_leaves_without() {
    let runtime = Runtime::new();
    let agent = runtime.server().args(["--session", "work"]).start();
    let mut line = Lifeline::lay(&agent);
    agent.gives("print('text before')", "text before\n");
    let _held = agent.begin(
        "print('\\033[?1049h\\033[2J\\033[5;9Hfull screen\\033[?1h\\033[?1002h\\033[?1006h\
         \\033[?2004h\\033[?1004h\\033[?25l\\033[3 q\\033[>1u', end='', flush=True)\n\
         _ = line.send(b'!'), line.recv(1)",
    );
    line.hears("!");
    let mut person = runtime.attach(&[]);
    person.shows("        full screen");
    assert_has_not(&person.page(), "text before");
    let bytes = String::from_utf8_lossy(&person.bytes).into_owned();
    for mode in [
        "\x1b[?1h",
        "\x1b[?1002h",
        "\x1b[?1006h",
        "\x1b[?2004h",
        "\x1b[?1004h",
        "\x1b[3 q",
        "\x1b[>1u",
    ] {
        assert_has(&bytes, mode);
    }
    person.types("\x1dd");
    let (status, page) = person.ends();
    assert_eq!(status, 0);
    assert_has(&page, "text before");
    assert_has_not(&page, "        full screen");
}

#[test]
fn all_is_put_back_when_a_signal_ends_it() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_person();
    let _held = agent.begin(
        "import time\nprint('\\033[?1049h\\033[?1003hfull', end='', flush=True)\ntime.sleep(1000)",
    );
    person.shows("full");
    kill_process(Pid::from_raw(person.pid()).unwrap(), Signal::TERM).unwrap();
    let (status, page) = person.ends();
    assert_eq!(status, 143, "{page}");
    assert_has_not(&page, "full\n");
    // At the prompt, too.
    let runtime = Runtime::new();
    let (_agent, mut person) = runtime.agent_and_person();
    person.types("half");
    person.ends_with("half");
    kill_process(Pid::from_raw(person.pid()).unwrap(), Signal::TERM).unwrap();
    let (status, page) = person.ends();
    assert_eq!(status, 143, "{page}");
}

#[test]
fn all_is_put_back_when_the_host_dies() {
    for is_running in [true, false] {
        let runtime = Runtime::new();
        let (agent, mut person) = runtime.agent_and_person();
        let _held = is_running.then(|| {
            let held = agent.begin(
                "import time\nprint('\\033[?1049h\\033[?1003hfull', end='', flush=True)\n\
                 time.sleep(1000)",
            );
            person.shows("full");
            held
        });
        kill_process(runtime.host("work"), Signal::KILL).unwrap();
        let (status, page) = person.ends();
        assert_eq!(status, 2, "{page}");
        assert_has(&page, "the session work is gone");
    }
}

#[test]
fn the_terminal_of_who_typed_last_says_the_size_and_the_agents_comes_back() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_person();
    let size = "import os; tuple(os.get_terminal_size())";
    person.types(&format!("{size}\r"));
    person.shows("\n(80, 24)\n>>>");
    person.resize(100, 30);
    person.runs(size);
    person.shows("\n(100, 30)\n>>>");
    // Nobody looks at that.
    person.resize(2, 1);
    person.resize(100, 30);
    person.types("\x1dd");
    assert_eq!(person.ends().0, 0);
    assert_has(&agent.repl(size), "(120, 40)\n");
    agent.gives("1", "1\n");
}

#[test]
fn of_several_people_the_one_who_typed_last_leads() {
    let runtime = Runtime::new();
    let (_agent, mut one) = runtime.agent_and_person();
    one.resize(100, 30);
    let size = "import os; tuple(os.get_terminal_size())";
    one.types(&format!("{size}\r"));
    one.shows("\n(100, 30)\n>>>");
    let mut other = runtime.attach(&[]);
    other.runs(size);
    other.shows("\n(80, 24)\n>>>");
    // Each is shown what the other does.
    one.shows("(80, 24)\n>>>");
    one.types(&format!("{size}\r"));
    one.shows_when("its own size again", |page| page.ends_with("(100, 30)\n>>>"));
    other.types("\x1dd");
    assert_eq!(other.ends().0, 0);
    one.types("'here'\r");
    one.shows("\n'here'\n>>>");
}

#[test]
fn one_that_is_stopped_holds_nobody_up_and_catches_up() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_person();
    let pid = Pid::from_raw(person.pid()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let said = agent.repl("for n in range(200_000): print('line', n)\nprint('end')");
    assert_has(&said, "end");
    kill_process(pid, Signal::CONT).unwrap();
    person.ends_with("\nline 199999\nend\n>>>");
    person.types("'on'\r");
    person.shows("\n'on'\n>>>");
}

#[test]
fn nothing_is_wiped_on_joining() {
    let runtime = Runtime::new();
    let agent = runtime.server().args(["--session", "work"]).start();
    agent.gives("for n in range(30): print('line', n)", &lines(30));
    let before = "print('what stood there')";
    let builder = runtime.attaching(&[]).condition(before);
    let mut person = Terminal::run(builder);
    person.is_at_prompt();
    person.types("\x1dd");
    let bytes = String::from_utf8_lossy(&person.bytes).into_owned();
    for wipes in ["\x1b[2J", "\x1b[3J", "\x1b[H", "\x1b[?1049h"] {
        assert_has_not(&bytes, wipes);
    }
    assert_has(&bytes, "what stood there");
    assert_eq!(person.ends().0, 0);
    agent.gives("'on'", "'on'\n");
}

fn lines(count: usize) -> String {
    (0..count).map(|n| format!("line {n}\n")).collect()
}

#[test]
fn a_line_that_was_begun_outlasts_each_command() {
    let runtime = Runtime::new();
    let (_agent, mut person) = runtime.agent_and_person();
    person.types("'begun' +\x1b[D\x1b[D");
    person.ends_with(">>> 'begun' +");
    person.types("\x1do");
    person.shows("[repl] you only look on; Ctrl-C leaves, Ctrl-] o takes part");
    person.types("\x1do");
    person.shows("[repl] you take part again");
    person.ends_with(">>> 'begun' +");
    person.types("\x1dl");
    person.ends_with("Esc goes back:");
    person.types("\x1b");
    person.shows_when("the line", |page| page.ends_with(">>> 'begun' +"));
    for (key, line) in [("t", "[repl] you have taken over"), ("t", "given back"), ("?", "Ctrl-]")] {
        person.types(&format!("\x1d{key}"));
        person.shows_when(line, |page| page.contains(line) && page.ends_with(">>> 'begun' +"));
    }
    // The cursor is where it was.
    person.types("+ 'and'\x1b[F 'on'\r");
    person.shows(">>> 'begun'+ 'and' + 'on'\n'begunandon'\n>>>");
    // To another session.
    let other = runtime.server().client("agent").args(["--session", "other"]).start();
    other.still_works();
    person.types("'to the other'");
    person.ends_with(">>> 'to the other'");
    person.types("\x1dl");
    person.ends_with("Esc goes back:");
    person.types("other\r");
    person.shows("Esc goes back: other\n[agent] >>> 6 * 7\n42\n");
    person.ends_with("\n>>> 'to the other'");
    person.types("\r");
    person.shows("\n'to the other'\n>>>");
}
