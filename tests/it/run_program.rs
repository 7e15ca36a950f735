//! A program of the user's own on the terminal, in place of Python (`--run`).
#![cfg(has = "proc")]

use serde_json::json;

use crate::support::{
    Builder, Listening, SECRET, Server, WAITING, assert_has, assert_has_not,
    paging::plain_environment, python,
};

/// How a session is started that runs this command line.
fn running(command: &str) -> Builder {
    Builder::new().any_python().arg("--run").arg(command)
}

/// A session that runs this in a shell.
fn in_shell(script: &str) -> Server {
    running(&shell_words::join(["sh", "-c", script])).start()
}

/// A session that runs this in Python.
fn in_python(program: &str) -> Builder {
    running(&shell_words::join([&*python::default().to_string_lossy(), "-c", program]))
}

#[test]
fn a_client_is_told_that_a_program_is_typed_for() {
    let repl = running("cat").start_silent();
    let said = repl.initialize("2025-06-18")["result"]["instructions"].to_string();
    let tool = repl.request("tools/list", &json!({}))["result"]["tools"][0].take();
    assert_eq!(tool["title"], "Terminal session");
    for text in [said, tool["description"].to_string()] {
        assert_has(&text, "a program in one lasting");
        for word in ["Python", "cell", "idle", "pdb"] {
            assert_has_not(&text, word);
        }
    }
}

/// A command line that runs this in Python, behind a line to the test.
fn with_line(line: &Listening, program: &str) -> String {
    shell_words::join([&*python::default().to_string_lossy(), "-c", &line.cell(program)])
}

fn ended(how: &str) -> String {
    format!("[repl] session ended ({how})\n")
}

#[test]
fn the_first_reply_is_the_first_page() {
    let numbers: String = (1..=100).map(|number| format!("line {number}\n")).collect();
    let builder = plain_environment().any_python().args(["--pager", "page", "--run", "less file"]);
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), numbers).unwrap();
    let repl = builder.directory(directory.path()).start();
    let first = repl.poll();
    assert!(first.starts_with("line 1\nline 2\n"), "{first}");
    assert_has(&first, "\nline 39\n[pager] less");
    let next = repl.poll();
    assert_has(&next, "line 40\n");
    assert_has_not(&next, "line 39\n");
    repl.gives("q", &ended("exit status 0"));
}

#[test]
fn a_full_screen_program_gets_text_and_keys() {
    let repl = running("vim -u NONE -i NONE -N -n file").start();
    let page = repl.poll();
    assert_has(&page, "\"file\" [New]");
    assert_has(&page, "[screen] vim, cursor at row 1, column 1");
    assert!(repl.repl("ihello").starts_with("hello\n~\n"));
    repl.keys("Escape");
    repl.gives(":wq\n", &ended("exit status 0"));
    assert_eq!(std::fs::read_to_string(repl.directory().join("file")).unwrap(), "hello\n");
}

#[test]
fn a_program_that_draws_over_and_over_is_left_by_a_key() {
    let repl = running("top").start();
    let page = repl.poll();
    assert_has(&page, "PID USER");
    assert_has(&page, "[screen] top");
    repl.gives_part("q", &ended("exit status 0"));
}

#[test]
fn an_interactive_shell_is_typed_for() {
    let repl = running("bash --norc --noprofile -i").env("PS1", "$ ").start();
    // It comes while the shell starts, and waits for that.
    repl.gives("echo $((6 * 7))", "$ echo $((6 * 7))\n42\n$ ");
    repl.gives("cat", &format!("cat\n{WAITING}"));
    assert!(repl.repl("a line").starts_with("a line\na line\n"));
    assert!(repl.keys("C-d").ends_with("$ "));
    let line = Listening::new();
    repl.begin(&with_line(&line, "line.recv(1)").replace('\n', "; "));
    let line = line.accept();
    assert!(repl.repl("\u{3}").ends_with("$ "));
    line.wait_until_cut();
    repl.gives("exit 4", &format!("exit 4\nexit\n{}", ended("exit status 4")));
    let again = repl.repl("echo again");
    assert_has(&again, "[repl] new session started\n");
    assert!(again.ends_with("echo again\nagain\n$ "), "{again}");
}

#[test]
fn lines_go_to_a_program_that_reads_lines() {
    let repl = running("cat").start();
    let reply = repl.repl("a line");
    assert!(reply.starts_with("a line\na line\n"), "{reply}");
    assert!(reply.ends_with(WAITING), "{reply}");
    assert_eq!(repl.keys("C-d"), ended("exit status 0"));
}

#[test]
fn a_secret_is_asked_for_as_of_any_program() {
    let repl = in_shell("stty -echo; printf 'Password: '; read x; stty echo; echo; echo got $x");
    let asks = repl.poll();
    assert!(asks.starts_with("Password: "), "{asks}");
    assert!(asks.ends_with(SECRET), "{asks}");
    repl.gives_part("hunter2", "got hunter2\n");
}

#[test]
fn the_end_is_told_as_it_was() {
    for (script, how) in [
        ("exit 3", "exit status 3"),
        ("kill -SEGV $$", "killed by SIGSEGV"),
        ("kill -KILL $$", "killed by SIGKILL"),
        ("stty raw -echo; exit 0", "exit status 0"),
    ] {
        let repl = in_shell(&format!("printf half; {script}"));
        assert_eq!(repl.poll(), format!("half\n{}", ended(how)));
    }
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let repl = running("/nowhere/program --x").start();
    for input in ["", "a line"] {
        let error = repl.begin(input).error();
        assert_has(&error, "/nowhere/program could not be started: No such file or directory");
    }
}

#[test]
fn a_command_that_names_nothing_is_an_error() {
    for (command, why) in [
        (" ", "--run names no program"),
        ("''", "--run names no program"),
        ("vim 'x", "--run \"vim 'x\" can't be split into words: missing closing quote"),
    ] {
        let output = running(command).output("");
        assert_eq!(output.status.code(), Some(2));
        assert_has(&String::from_utf8(output.stderr).unwrap(), why);
    }
    let output = running("vim").arg("--worker").arg("x").output("");
    assert_has(&String::from_utf8(output.stderr).unwrap(), "cannot be used with");
}

#[test]
fn the_program_finds_what_a_terminal_gives() {
    // What the server's parent ignores or blocks is not the program's.
    let condition = "\
for s in signal.SIGINT, signal.SIGQUIT, signal.SIGTERM: signal.signal(s, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTSTP])";
    let program = "\
import os, re, sys
status = open('/proc/self/status').read()
# The C library keeps two signals for itself (signal(7): NPTL).
print([hex(int(mask, 16) & ~(3 << 31)) for mask in re.findall('Sig(?:Blk|Ign):\\t(.*)', status)])
print([os.isatty(fd) for fd in range(3)], os.ttyname(0) == os.ttyname(2), os.listdir('/proc/self/fd'))
print(os.getsid(0) == os.getpid() == os.tcgetpgrp(0), *os.get_terminal_size(), os.environ['TERM'])
print([name for name in os.environ if name in ('MCP_REPL_SIDEBAND', 'MCP_REPL_NONCE')])";
    // Python itself ignores SIGPIPE (13) and SIGXFSZ (25).
    let repl = in_python(program).condition(condition).env_remove("MCP_REPL_GRACE").start();
    let told = "['0x0', '0x1001000']\n[True, True, True] True ['0', '1', '2', '3']\n\
                True 120 40 xterm-256color\n[]\n";
    assert_eq!(repl.poll(), format!("{told}{}", ended("exit status 0")));
}

#[test]
fn an_interrupt_goes_to_the_program() {
    // Where the terminal has it as a signal, also when it is full of what was typed.
    let program = "\
import time
try: line.send(b'!'); time.sleep(1000)
except KeyboardInterrupt: print('struck')
try: input('name? ')
except KeyboardInterrupt: print('struck again')";
    let line = Listening::new();
    let repl = running(&with_line(&line, program)).start();
    line.accept().hears("!");
    let lines = format!("{} Enter ", "x".repeat(1000)).repeat(20);
    let typed = repl.call(&json!({ "keys": lines, "timeout_ms": 1 }));
    assert_has(&typed.text(), "busy");
    let struck = repl.repl("\u{3}");
    assert!(struck.ends_with("struck\nname? "), "{struck}");
    assert_has(&repl.repl("\u{3}"), "struck again\n[repl] session ended (exit status 0)\n");
    // Where it has it as a key.
    let program = "import os, tty\ntty.setraw(0)\nprint('keys?', flush=True)\nprint(os.read(0, 1))";
    let repl = in_python(program).start();
    assert_has(&repl.poll(), "keys?");
    assert_has(&repl.repl("\u{3}"), r"b'\x03'");
}

#[test]
fn what_it_leaves_in_its_session_ends_with_it_and_a_daemon_does_not() {
    let (job, daemon) = (Listening::new(), Listening::new());
    let waits = "line.recv(1)";
    let daemon_cell =
        format!("import os\nos.setsid()\n{}", daemon.cell("line.recv(1); line.send(b'on')"));
    let daemon_command =
        shell_words::join([&*python::default().to_string_lossy(), "-c", &daemon_cell]);
    let script = format!("{} & {daemon_command} & read line", with_line(&job, waits));
    let repl = in_shell(&script);
    let (job, mut daemon) = (job.accept(), daemon.accept());
    assert_has(&repl.repl("over"), &ended("exit status 0"));
    job.wait_until_cut();
    daemon.release();
    daemon.hears("on");
}

#[test]
fn nothing_of_it_outlives_a_server_that_is_killed() {
    let (job, shell) = (Listening::new(), Listening::new());
    let deaf = "import signal\nfor s in 1, 2, 15: signal.signal(s, signal.SIG_IGN)\nline.send(b'!')\nline.recv(1)";
    let script =
        format!("trap '' HUP INT TERM; {} & {}", with_line(&job, deaf), with_line(&shell, deaf));
    let mut repl = in_shell(&script);
    let (mut job, mut shell) = (job.accept(), shell.accept());
    job.hears("!");
    shell.hears("!");
    repl.kill();
    job.wait_until_cut();
    shell.wait_until_cut();
}

#[test]
fn nor_one_that_ends_in_good_order() {
    let line = Listening::new();
    let deaf = "import signal\nsignal.signal(1, signal.SIG_IGN)\nline.send(b'!')\nline.recv(1)";
    let mut repl = running(&with_line(&line, deaf)).start();
    let mut line = line.accept();
    line.hears("!");
    repl.hang_up();
    line.wait_until_cut();
}
