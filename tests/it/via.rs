//! Sessions elsewhere: behind a shell, and behind a real sshd.
#![cfg(has = "proc")]

use std::{fs, path::Path};

use rustix::process::Signal;
use serde_json::json;

use crate::support::{BINARY, Builder, Call, IDLE, Lifeline, Runtime, Server, Sshd, assert_has};

/// A server whose sessions are where the command leads.
fn by_way_of(via: &str) -> Builder {
    Builder::new().env_remove("MCP_REPL_GRACE").arg("--via").arg(via)
}

/// A directory with the binary in it, for `PATH`.
fn with_binary() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(BINARY, directory.path().join("mcp-repl")).unwrap();
    directory
}

/// The environment of what is started by a shell here: programs are in this directory, and the usual
/// ones.
fn path(directory: &Path) -> String {
    format!("{}:{}", directory.display(), std::env::var("PATH").unwrap())
}

#[test]
fn a_session_behind_a_shell_outlives_its_server() {
    let (runtime, bin) = (Runtime::new(), with_binary());
    let server = || by_way_of("sh -c").runtime(&runtime).env("PATH", path(bin.path()));
    let mut first = server().start();
    first.gives("x = 41", IDLE);
    first.gives("x + 1", "42\n");
    first.hang_up();
    let second = server().directory(first.directory()).start();
    let reply = second.repl("x + 2");
    assert_has(&reply, "[repl] rejoined the session of ");
    assert_has(&reply, "43\n");
}

#[test]
fn a_session_behind_sshd_is_like_one_here() {
    let sshd = Sshd::with_binary();
    let repl = by_way_of(&sshd.ssh()).start();
    repl.gives("1 + 1", "2\n");
    let home = sshd.home();
    repl.gives("import os; os.environ['HOME']", &format!("'{}'\n", home.display()));
    // What is typed goes to who asks.
    repl.gives_part("name = input('Who? ')", "Who? ");
    repl.gives("you", IDLE);
    repl.gives("name", "'you'\n");
    // Long output is shortened, and the whole of it is there.
    let reply = repl.repl("for number in range(20_000): print(number)");
    assert_has(&reply, &sshd.tmp().display().to_string());
    assert_has(&reply, "\n19999\n");
    // Another session takes another connection.
    let call = repl.call(&json!({"input": "'name' in globals()", "session": "other"}));
    assert_eq!(call.text(), "False\n");
    assert_eq!(sshd.runtime().names().len(), 2);
}

#[test]
fn the_command_may_choose_a_directory_or_a_login_shell() {
    let sshd = Sshd::with_binary();
    fs::create_dir(sshd.home().join("my proj")).unwrap();
    // The home there is that of the user, and not what HOME says.
    let directory = sshd.home().join("my proj");
    let command = format!(
        r#"{} cd \"{}\" \&\&"#,
        sshd.ssh(),
        directory.display().to_string().replace(' ', r"\ ")
    );
    let repl = by_way_of(&command).start();
    repl.gives(
        "import os; os.getcwd()",
        &format!("{:?}\n", directory.display().to_string()).replace('"', "'"),
    );
    let profile = "echo 'Welcome to the cluster!'\nexport IN_LOGIN=yes\n";
    fs::write(sshd.home().join(".bash_profile"), profile).unwrap();
    let path = std::env::var("PATH").unwrap();
    let place = sshd.bin().display().to_string();
    fs::write(sshd.home().join(".bash_profile"), format!("{profile}PATH={place}:{path}\n"))
        .unwrap();
    let repl = by_way_of(&format!("{} bash -lc", sshd.ssh())).arg("--session").arg("login").start();
    repl.gives("import os; os.environ['IN_LOGIN']", "'yes'\n");
}

/// The lines that a cell prints in one of its parts.
fn lines(part: &str) -> String {
    (0..300).map(|number| format!("{part} {number}\n")).collect()
}

/// A cell that prints, waits to be released, and prints more; the name `x` is 7.
fn begin_cell(repl: &Server) -> (Lifeline, Call<'_>) {
    let mut line = Lifeline::lay(repl);
    repl.gives("x = 7", IDLE);
    let call = repl.begin(
        "for number in range(300): print('before', number)\n\
         line.send(b'begun'); line.recv(1)\n\
         for number in range(300): print('after', number)\n\
         line.send(b'done')",
    );
    line.hears("begun");
    (line, call)
}

/// The call that waits is told at once, and the next one goes on with the session, where all is that
/// was printed.
fn goes_on(repl: &Server, sshd: &Sshd, call: &Call, all_is_printed: impl FnOnce()) {
    let error = call.error();
    assert_has(&error, &format!("the connection through `{}` broke", sshd.via()));
    assert_has(&error, "the next call connects again");
    all_is_printed();
    let reply = repl.repl("x");
    assert_has(&reply, &format!("{}{}", lines("before"), lines("after")));
    assert!(reply.ends_with("7\n"), "{reply}");
    assert_eq!(sshd.runtime().names().len(), 1);
    repl.still_works();
}

/// The connection is cut while a cell runs.
fn a_cell_outlives(cut: impl Fn(&Sshd)) {
    let sshd = Sshd::with_binary();
    let repl = by_way_of(&sshd.via()).start();
    let (mut line, call) = begin_cell(&repl);
    cut(&sshd);
    goes_on(&repl, &sshd, &call, || {
        line.release();
        line.hears("done");
    });
}

#[test]
fn a_cell_outlives_the_ssh_that_carries_it() {
    a_cell_outlives(Sshd::kill_client);
}

#[test]
fn a_cell_outlives_the_sshd_that_carries_it() {
    a_cell_outlives(|sshd| sshd.signal_connections(Signal::KILL));
}

#[test]
fn a_connection_that_only_this_side_knows_to_be_broken_is_taken_over() {
    a_cell_outlives(|sshd| {
        sshd.signal_connections(Signal::STOP);
        sshd.kill_client();
    });
}

#[test]
fn a_reply_that_is_lost_on_the_way_comes_with_the_next_one() {
    let sshd = Sshd::with_binary();
    let repl = by_way_of(&sshd.via()).start();
    let (mut line, call) = begin_cell(&repl);
    sshd.signal_connections(Signal::STOP);
    line.release();
    line.hears("done");
    sshd.kill_client();
    goes_on(&repl, &sshd, &call, || {});
}

#[test]
fn a_session_that_has_ended_meanwhile_is_started_anew() {
    let sshd = Sshd::with_binary();
    let repl = by_way_of(&sshd.via()).start();
    repl.gives("x = 7", IDLE);
    let name = sshd.runtime().names().remove(0);
    sshd.kill_client();
    sshd.runtime().says(&["end", &name]);
    let reply = repl.repl("'x' in globals()");
    assert_has(&reply, "[repl] new session started");
    assert!(reply.ends_with("False\n"), "{reply}");
}

#[test]
fn nothing_of_a_connection_stays_when_the_server_is_killed() {
    let (runtime, bin) = (Runtime::new(), with_binary());
    let mut repl = by_way_of("sh -c").runtime(&runtime).env("PATH", path(bin.path())).start();
    repl.gives("x = 7", IDLE);
    let name = runtime.names().remove(0);
    repl.kill();
    runtime.says(&["end", &name]);
    runtime.wait_until_empty();
}

#[test]
fn without_a_grace_the_session_ends_with_its_server() {
    let (runtime, bin) = (Runtime::new(), with_binary());
    let server = by_way_of("sh -c").runtime(&runtime).env("PATH", path(bin.path()));
    let mut repl = server.args(["--grace", "0"]).start();
    repl.gives("6 * 7", "42\n");
    repl.hang_up();
    runtime.wait_until_empty();
}

#[test]
fn a_binary_that_is_missing_there_is_said_to_be() {
    let sshd = Sshd::start();
    let repl = by_way_of(&sshd.ssh()).start();
    let error = repl.begin("1").error();
    assert_has(&error, &format!("there is no mcp-repl where `{}` leads", sshd.ssh()));
    assert_has(&error, "mcp-repl: ");
    assert_has(&error, "not found");
    assert_has(&error, "cargo install");
    assert_has(&error, "--via-install");
    assert_has(&error, "Nothing was run");
}

#[test]
fn the_binary_is_put_there_once() {
    let sshd = Sshd::start();
    let server = || by_way_of(&sshd.ssh()).arg("--via-install");
    let mut repl = server().start();
    repl.gives("x = 7", IDLE);
    let place = sshd.home().join(".local/bin/mcp-repl");
    assert!(fs::read(&place).unwrap() == fs::read(BINARY).unwrap(), "another binary");
    let host = "import os; os.readlink('/proc/%d/exe' % os.getppid())";
    assert_has(&repl.repl(host), &place.display().to_string());
    repl.hang_up();
    let put = fs::metadata(&place).unwrap().modified().unwrap();
    let mut again = server().directory(repl.directory()).start();
    assert!(again.repl("x").ends_with("7\n"));
    again.hang_up();
    assert_eq!(fs::metadata(&place).unwrap().modified().unwrap(), put);
    // Another one is replaced, and nothing else is left.
    fs::remove_file(&place).unwrap();
    fs::write(&place, "#!/bin/sh\nexit 3\n").unwrap();
    assert!(server().directory(repl.directory()).start().repl("x").ends_with("7\n"));
    assert_eq!(fs::read_dir(place.parent().unwrap()).unwrap().count(), 1);
    assert!(fs::read(&place).unwrap() == fs::read(BINARY).unwrap(), "another binary");
}

#[test]
fn the_binary_is_put_into_the_home_that_a_shell_has() {
    let (runtime, home) = (Runtime::new(), tempfile::tempdir().unwrap());
    let server = by_way_of("sh -c").arg("--via-install").runtime(&runtime);
    server.env("HOME", home.path()).start().gives("6 * 7", "42\n");
    assert!(home.path().join(".local/bin/mcp-repl").exists());
}

#[test]
fn a_binary_that_would_not_run_there_is_not_put_there() {
    let sshd = Sshd::start();
    let error = || by_way_of(&sshd.ssh()).arg("--via-install").start().begin("1").error();
    sshd.write_binary("head", "exec /usr/bin/head -c 1000");
    assert_has(&error(), "it has not arrived as it was sent");
    sshd.write_binary("uname", "echo Darwin arm64");
    assert_has(&error(), "this binary is for Linux ");
    assert_has(&error(), ", and there is Darwin arm64");
    assert_eq!(fs::read_dir(sshd.home().join(".local/bin")).unwrap().count(), 0);
}

#[test]
fn options_of_elsewhere_are_refused_where_they_mean_nothing() {
    let stderr = |builder: Builder| {
        let output = builder.output("");
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert_has(&stderr(Builder::new().arg("--via-install")), "--via <COMMAND>");
    assert_has(&stderr(by_way_of("")), "--via \"\" can't be used: it names no program");
    for command in [&["doctor"][..], &["host"], &["exec", "1"]] {
        let builder = Builder::new().any_python().args(command.iter().copied());
        assert_has(&stderr(builder.args(["--via", "sh -c"])), "--via is for the server, ");
    }
}

#[test]
fn a_place_where_the_binary_can_not_be_put_is_told() {
    let sshd = Sshd::start();
    fs::write(sshd.home().join(".local"), "").unwrap();
    let error = by_way_of(&sshd.ssh()).arg("--via-install").start().begin("1").error();
    assert_has(&error, &format!("mcp-repl could not be put where `{}` leads", sshd.ssh()));
    assert_has(&error, "mkdir: ");
}

#[test]
fn a_terminal_in_between_is_told() {
    let sshd = Sshd::with_binary();
    let command = sshd.ssh().replace("ssh ", "ssh -tt ");
    for more in [&[][..], &["--via-install"][..]] {
        let error = by_way_of(&command).args(more.iter().copied()).start().begin("1").error();
        assert_has(&error, "asks for a terminal");
        assert_has(&error, "`-t`");
    }
}

#[test]
fn what_a_launcher_says_that_fails_is_told() {
    let sshd = Sshd::with_binary();
    let config = sshd.config();
    fs::write(&config, fs::read_to_string(&config).unwrap().replace("IdentityFile", "#")).unwrap();
    let error = by_way_of(&sshd.ssh()).start().begin("1").error();
    assert_has(&error, "Permission denied");
    let error = by_way_of("/nowhere/launcher --fast").start().begin("1").error();
    assert_has(&error, "`/nowhere/launcher --fast` can't be run here");
    let error = by_way_of("echo Hello").start().begin("1").error();
    assert_has(&error, r#"it says "Hello mcp-repl host --stdio""#);
    let error = by_way_of("yes --").start().begin("1").error();
    assert_has(&error, "leads to something that is no mcp-repl");
}

#[test]
fn a_launcher_that_says_nothing_takes_the_time_of_the_call_only() {
    let directory = tempfile::tempdir().unwrap();
    let (script, fifo) = (directory.path().join("srun"), directory.path().join("granted"));
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let (runtime, bin) = (Runtime::new(), with_binary());
    let wait = format!(
        "echo 'srun: job 7 queued and waiting for resources' >&2\nread -r line <{}\nexec \"$@\"\n",
        fifo.display()
    );
    fs::write(&script, wait).unwrap();
    let repl = by_way_of(&format!("sh {}", script.display()))
        .runtime(&runtime)
        .env("PATH", path(bin.path()))
        .start();
    let call = |input: &str| json!({"input": input, "timeout_ms": 300});
    let error = loop {
        let error = repl.call(&call("x = 1")).error();
        // The launcher may be slower to say it than a call is to give up.
        if error.contains("queued and waiting for resources") {
            break error;
        }
    };
    assert_has(&error, "Nothing was run");
    fs::write(&fifo, "go\n").unwrap();
    repl.gives("'x' in globals()", "False\n");
}

#[test]
fn cells_are_run_elsewhere_from_the_shell() {
    let (sshd, here) = (Sshd::with_binary(), Runtime::new());
    let exec =
        |name: &str, cell: &str| here.run(&["exec", "--session", name, "--via", &sshd.ssh(), cell]);
    let unknown = exec("work", "x = 7");
    assert_eq!(unknown.status.code(), Some(2));
    assert_has(&String::from_utf8_lossy(&unknown.stderr), "there is no session \"work\"");
    let repl = by_way_of(&sshd.ssh()).args(["--session", "work"]).start();
    repl.gives("x = 7", IDLE);
    for _ in 0..3 {
        let output = exec("work", "x");
        assert!(output.status.success(), "{output:?}");
        // What was told is told once.
        assert_eq!(String::from_utf8_lossy(&output.stdout), "7\n");
    }
}
