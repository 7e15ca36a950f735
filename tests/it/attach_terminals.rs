//! `mcp-repl attach` on terminals of other kinds: inside tmux, with tmux inside, over ssh, and on
//! windows of every size.
#![cfg(has = "person")]

use std::{path::PathBuf, process::Command, time::Instant};

use crate::support::{
    BINARY, Graphics, Runtime, Server, Sshd, Terminal, assert_has, assert_has_not, quoted,
};

#[track_caller]
fn start(runtime: &Runtime) -> Server {
    let agent = runtime.agent();
    agent.still_works();
    agent
}

/// A tmux of the test's own, without a status line.
struct Tmux {
    socket: PathBuf,
    settings: PathBuf,
}

impl Tmux {
    fn new(runtime: &Runtime) -> Tmux {
        let place = |name| runtime.path().with_file_name(name);
        let tmux = Tmux { socket: place("tmux"), settings: place("tmux.conf") };
        std::fs::write(&tmux.settings, "set -g status off\n").unwrap();
        tmux
    }

    /// The beginning of a command line, as a Python list.
    fn words(&self) -> String {
        format!("['tmux', '-S', {}, '-f', {}, ", quoted(&self.socket), quoted(&self.settings))
    }

    /// `attach` in it, below a line that says what stood there.
    #[track_caller]
    fn attach(&self, runtime: &Runtime) -> Terminal {
        let program = format!(
            "import shlex\nrun = shlex.join([{}, *sys.argv[1:]])\n\
             os.execvp('tmux', {}'new-session', 'echo what stood there; exec ' + run])",
            quoted(BINARY),
            self.words()
        );
        Terminal::run(runtime.attaching(&["work"]).condition(&program))
    }

    /// What is in its pane, from `-S` of capture-pane on.
    #[track_caller]
    fn pane(&self, from: &str) -> String {
        let mut tmux = Command::new("tmux");
        tmux.arg("-S").arg(&self.socket).args(["capture-pane", "-p", "-S", from]);
        let output = tmux.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let mut tmux = Command::new("tmux");
        let _ = tmux.arg("-S").arg(&self.socket).arg("kill-server").output();
    }
}

#[test]
fn inside_tmux_a_line_at_the_top_is_taken_off_and_not_put_into_the_scrollback() {
    let runtime = Runtime::new();
    let agent = start(&runtime);
    let tmux = Tmux::new(&runtime);
    let mut person = tmux.attach(&runtime);
    person.is_at_prompt();
    person.types("\x0c");
    person.shows_when("a clear screen", |page| page == ">>>");
    person.types("'half ");
    person.shows_when("the line", |page| page == ">>> 'half");
    for n in 1..4 {
        agent.gives_part(&format!("print('from the agent', {n})"), "from the agent");
        person.ends_with(&format!("\nfrom the agent {n}\n>>> 'half"));
    }
    let pane = tmux.pane("-");
    assert_eq!(pane.matches(">>> 'half").count(), 1, "{pane}");
}

const LINES: &str = r"print('\n'.join(f'line {n}' for n in range(100)))";

#[test]
fn inside_tmux_all_is_as_outside_and_the_scrollback_is_its_own() {
    let runtime = Runtime::new();
    let agent = start(&runtime);
    let text: String = (1..=200).map(|n| format!("row {n}\n")).collect();
    agent.write_file("long.txt", &text);
    let tmux = Tmux::new(&runtime);
    let mut person = tmux.attach(&runtime);
    person.is_at_prompt();
    assert_has(&tmux.pane("0"), "what stood there\n");
    person.types(&format!("{LINES}\r"));
    person.ends_with("line 98\nline 99\n>>>");
    let pane = tmux.pane("-");
    assert_has(&pane, "what stood there\n");
    let shown: Vec<&str> = pane.lines().filter(|line| line.starts_with("line ")).collect();
    let printed: Vec<String> = (0..100).map(|n| format!("line {n}")).collect();
    assert_eq!(shown, printed);
    // Above a half-typed line.
    person.types("'half ");
    person.ends_with(">>> 'half");
    assert_has(&agent.repl("print('from the agent')"), "from the agent\n");
    person.ends_with("\nfrom the agent\n>>> 'half");
    person.types("typed'\r");
    person.ends_with("\n'half typed'\n>>>");
    // A program that has the screen, in a window that grows.
    person.types("import os; os.system('LESS= less long.txt')\r");
    person.shows("row 23\n");
    person.resize(100, 40);
    person.shows("row 39\n");
    person.types("G");
    person.shows("row 200\n");
    person.types("q");
    person.ends_with("\n0\n>>>");
    assert_has(&tmux.pane("0"), "'half typed'\n");
    assert_has_not(&tmux.pane("-"), "row 200");
    person.types("tuple(os.get_terminal_size())\r");
    person.ends_with("\n(100, 40)\n>>>");
    person.types("\x1dd");
    let (status, _) = person.ends();
    assert_eq!(status, 0);
    assert_has(&agent.repl("tuple(os.get_terminal_size())"), "(120, 40)\n");
}

#[test]
fn tmux_can_be_used_inside() {
    let runtime = Runtime::new();
    let agent = start(&runtime);
    let tmux = Tmux::new(&runtime);
    let mut person = runtime.attach(&["work"]);
    let run = format!("{}'new-session', 'env PS1=in\"\"side: sh'])", tmux.words());
    person.runs(&format!("import subprocess; subprocess.call({run}"));
    person.shows("inside:");
    person.types("echo $((6 * 7))\r");
    person.shows("\n42\ninside:");
    person.resize(100, 30);
    // tmux hears of the size in another way than of keys.
    person.types("until [ \"$(stty size)\" = '30 100' ]; do sleep 0.01; done; stty size\r");
    person.shows("\n30 100\ninside:");
    // Its own escape key; what stood there before comes back.
    person.types("\x02d");
    person.shows("[detached (from session 0)]");
    person.ends_with("\n0\n>>>");
    assert_has_not(&person.page(), "stty size");
    person.types("'on'\r");
    person.ends_with("\n'on'\n>>>");
    assert_has(&agent.repl("6 * 7"), "42\n");
}

#[test]
fn over_ssh_all_is_as_here() {
    let sshd = Sshd::with_binary();
    let client = Runtime::new();
    // The client here and the session there; and both there.
    let via = client.attaching(&["--via", &sshd.ssh(), "--new", "box"]);
    let ssh = format!(
        "os.execvp('ssh', ['ssh', '-F', {}, '-tt', 'box', 'mcp-repl attach --no-status box'])",
        quoted(sshd.config())
    );
    let mut one = Terminal::run(via);
    one.is_at_prompt();
    let mut other = Terminal::run(client.attaching(&[]).condition(&ssh));
    other.is_at_prompt();
    one.types("x = 20\r");
    other.ends_with(">>> x = 20\n>>>");
    one.is_at_prompt();
    other.types("'half ");
    other.ends_with(">>> 'half");
    one.types("print('from the one')\r");
    other.ends_with("\nfrom the one\n>>> 'half");
    other.types("typed'\r");
    other.ends_with("\n'half typed'\n>>>");
    one.is_at_prompt();
    other.types("import os; input(f'{os.get_terminal_size()} ')\r");
    other.ends_with("(columns=80, lines=24)");
    other.resize(100, 30);
    other.types("done\r");
    other.ends_with("'done'\n>>>");
    other.types("tuple(os.get_terminal_size())\r");
    other.ends_with("\n(100, 30)\n>>>");
    for mut person in [one, other] {
        person.types("\x1dd");
        assert_eq!(person.ends().0, 0);
    }
    assert_eq!(sshd.runtime().names(), ["box"]);
}

#[test]
fn a_window_may_have_any_size_and_change_it_at_any_moment() {
    let runtime = Runtime::new();
    let agent = start(&runtime);
    let mut person = runtime.attach(&["work"]);
    person.is_at_prompt();
    let size = "import os; tuple(os.get_terminal_size())\r";
    for (columns, rows) in [(20, 5), (500, 200), (80, 24)] {
        person.resize(columns, rows);
        person.types(size);
        person.ends_with(&format!("\n({columns}, {rows})\n>>>"));
        person.types("6 * 7\r");
        person.ends_with("\n42\n>>>");
    }
    // Of one that has none nothing is heard.
    person.resize(0, 0);
    person.resize(80, 24);
    person.types("'half ");
    person.ends_with(">>> 'half");
    let printed = agent.begin("for n in range(2000): print('line', n)\nprint('the end')");
    for n in 0..200 {
        person.resize(60 + n % 40, 20 + n % 10);
    }
    person.resize(100, 30);
    assert_has(&printed.text(), "the end");
    person.ends_with("\nthe end\n>>> 'half");
    person.types("typed'\r");
    person.ends_with("\n'half typed'\n>>>");
    person.types(size);
    person.ends_with("\n(100, 30)\n>>>");
}

#[test]
fn what_a_terminal_answers_late_is_not_where_the_next_prompt_stands() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_person();
    // The prompt is taken off for what the agent does, and asks as it ends; that is answered when the
    // next one has asked, as it is behind a long paste.
    person.answers_late();
    assert_has(&agent.repl("print('of the agent')"), "of the agent\n");
    person.ends_with("\nof the agent\n>>>");
    for n in 0..3 {
        person.types(&format!("'cell', {n}\r"));
        person.ends_with(&format!(">>> 'cell', {n}\n('cell', {n})\n>>>"));
    }
    person.shows("of the agent\n>>> 'cell', 0\n");
}

#[test]
fn a_terminal_that_answers_nothing_is_waited_for_once() {
    let runtime = Runtime::new();
    let agent = start(&runtime);
    let begun = Instant::now();
    let mut person = Terminal::run_with(runtime.attaching(&["work"]), Graphics::Mute);
    person.is_at_prompt();
    person.types("'first'\r");
    person.ends_with("\n'first'\n>>>");
    let first = begun.elapsed();
    let begun = Instant::now();
    for n in 0..5 {
        person.types(&format!("if 1:\rprint({n})\r\r"));
        person.ends_with(&format!(">>> if 1:\n...     print({n})\n...\n{n}\n>>>"));
        person.types("'half ");
        person.ends_with(">>> 'half");
        assert_has(&agent.repl(&format!("print('agent', {n})")), &format!("agent {n}\n"));
        person.ends_with(&format!("\nagent {n}\n>>> 'half"));
        person.types("\x03");
        person.is_at_prompt();
    }
    // Each wait would be as long.
    assert!(begun.elapsed() < first * 3, "{:?} after {first:?}", begun.elapsed());
    // What a program leaves on the page stays above the line.
    person.types("print('\\x1b[2J\\x1b[Habove')\r");
    person
        .shows_when("above the line", |page| page.starts_with("above\n") && page.ends_with(">>>"));
    person.types("\x1dd");
    assert_eq!(person.ends().0, 0);
}

/// The terminal is on the standard streams, as `su -c` and `setsid` leave it, and is not the controlling one.
#[test]
fn without_a_controlling_terminal() {
    const CONDITION: &str = "child = os.fork()\n\
        if child: os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n\
        os.setsid()";
    let runtime = Runtime::new();
    let _agent = start(&runtime);
    let mut person = Terminal::run(runtime.attaching(&["work"]).condition(CONDITION));
    person.runs("6 * 7");
    person.ends_with("\n42\n>>>");
    person.types("\x1dd");
    let (status, page) = person.ends();
    assert_eq!(status, 0, "{page}");
}
