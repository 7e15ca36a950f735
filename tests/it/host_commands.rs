//! `mcp-repl host`, `ls` and `end`, and the run-time directory that they share.
#![cfg(has = "proc")]

use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader, Read, Write},
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::{Child, Output, Stdio},
};

use rustix::process::{Pid, Signal, getsid, kill_process};
use serde_json::{Value, json};

use crate::support::{BINARY, Builder, Runtime, assert_has, gone, quoted};

/// A host that was started by hand.
struct Host(Child);

impl Host {
    /// Starts one and waits until it is listed.
    #[track_caller]
    fn start(runtime: &Runtime, arguments: &[&str]) -> Host {
        let mut command = runtime.command(&["host"]);
        let mut child = command.args(arguments).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
        assert_has(&said, "is there; Ctrl-C ends it");
        Host(child)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Waits for its end: the exit status.
    #[track_caller]
    fn ended(mut self) -> Option<i32> {
        assert!(gone(Pid::from_child(&self.0)), "it does not end");
        self.0.wait().unwrap().code()
    }
}

/// Starts a host as other programs here do: what it answers, once it has left its starter.
#[track_caller]
fn detached(runtime: &Runtime, name: &str, options: &Value) -> Value {
    let output = output(started_detached(runtime, name, options));
    serde_json::from_str(&output).unwrap_or_else(|_| panic!("no answer: {output:?}"))
}

fn started_detached(runtime: &Runtime, name: &str, options: &Value) -> Child {
    let mut command = runtime.command(&["host", "--detached", "--session", name]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let request = json!({"name": name, "identity": null, "options": options});
    writeln!(child.stdin.take().unwrap(), "{request}").unwrap();
    child
}

/// All that a process writes, which ends when nobody can write it any more.
#[track_caller]
fn output(mut child: Child) -> String {
    let mut output = String::new();
    child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    child.wait().unwrap();
    output
}

#[track_caller]
fn fails(output: &Output, status: i32, why: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{stderr}");
    assert_has(&stderr, why);
}

#[test]
fn a_host_by_hand_is_listed_until_ctrl_c() {
    let runtime = Runtime::new();
    assert_eq!(runtime.says(&["ls"]), "No sessions.\n");
    assert_eq!(runtime.says(&["ls", "--json"]), "[]\n");
    let host = Host::start(&runtime, &["--session", "proj"]);
    let table = runtime.says(&["ls"]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("NAME  STATE"), "{table}");
    assert!(lines[1].starts_with("proj  ") && lines[1].contains("  in 9m"), "{table}");
    assert_eq!(lines.len(), 2);
    let sessions = runtime.ls();
    let session = &sessions[0];
    assert_eq!((&session["name"], sessions.len()), (&json!("proj"), 1));
    assert_eq!(session["host_pid"], host.0.id());
    assert!(session["ends_in_ms"].as_u64().is_some_and(|left| left <= 600_000), "{session}");
    assert_eq!(session["directory"], std::env::current_dir().unwrap().to_str().unwrap());
    host.signal(Signal::INT);
    assert_eq!(host.ended(), Some(0));
    runtime.has_nothing();
    runtime.wait_until_empty();
}

#[test]
fn without_a_name_one_is_made_of_the_directory() {
    let runtime = Runtime::new();
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("My Project");
    fs::create_dir(&place).unwrap();
    let start = || {
        let mut command = runtime.command(&["host", "--keep=2d"]);
        let mut child = command.current_dir(&place).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
        Host(child)
    };
    let hosts = [start(), start()];
    assert_eq!(runtime.names(), ["My-Project", "My-Project-2"]);
    assert_has(&runtime.says(&["ls"]), "  kept\n");
    // The same name again is an error.
    let taken = runtime.run(&["host", "--session", "My-Project"]);
    fails(&taken, 2, "there is a session My-Project already; `mcp-repl end My-Project` ends it");
    assert_eq!(runtime.says(&["end", "--all"]), "ended My-Project\nended My-Project-2\n");
    for host in hosts {
        assert_eq!(host.ended(), Some(0));
    }
    runtime.has_nothing();
}

#[test]
fn end_takes_names_and_refuses_unknown_ones() {
    let runtime = Runtime::new();
    fails(&runtime.run(&["end", "a"]), 2, "there is no session a; there is none at all");
    for name in ["a", "b", "c"] {
        assert_eq!(detached(&runtime, name, &json!({})), json!({"registered": true}));
    }
    let unknown = runtime.run(&["end", "a", "d"]);
    fails(&unknown, 2, "there is no session d; there are: a, b, c");
    assert_eq!(runtime.names(), ["a", "b", "c"]);
    assert_eq!(runtime.says(&["end", "a", "c", "a"]), "ended a\nended c\n");
    assert_eq!(runtime.names(), ["b"]);
    assert_eq!(runtime.says(&["end", "--all"]), "ended b\n");
    runtime.has_nothing();
    runtime.wait_until_empty();
    assert_eq!(runtime.says(&["end", "--all"]), "");
    for arguments in [&["end"][..], &["end", "--all", "a"]] {
        fails(&runtime.run(arguments), 2, "mcp-repl end --all\n");
    }
}

#[test]
fn a_host_by_hand_says_that_its_session_has_ended() {
    let runtime = Runtime::new();
    let mut host = Host::start(&runtime, &["--session", "proj"]);
    let mut stderr = host.0.stderr.take().unwrap();
    runtime.says(&["end", "proj"]);
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(said, "mcp-repl: the session proj has ended\n");
    assert_eq!(host.ended(), Some(0));
}

#[test]
fn names_are_checked() {
    let runtime = Runtime::new();
    for name in ["", "a b", "../a", "é", &"n".repeat(65)] {
        for command in ["host", "end"] {
            let output = match command {
                "host" => runtime.run(&[command, "--session", name]),
                _ => runtime.run(&[command, name]),
            };
            fails(&output, 2, "it has 1 to 64 of the characters A-Z a-z 0-9 . _ -");
        }
        let answer = detached(&runtime, "x", &json!({}).clone());
        assert!(answer == json!({"registered": true}) || answer == json!({"taken": true}));
    }
    assert_eq!(runtime.names(), ["x"]);
}

#[test]
fn what_is_wrong_with_the_options_is_told_to_the_starter() {
    let runtime = Runtime::new();
    let error = |options: &Value| {
        let answer = detached(&runtime, "x", options);
        answer["error"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    };
    assert_has(&error(&json!({"pager": "more"})), "it is one of `through`, `page` and `plain`");
    assert_has(&error(&json!({"worker": "'"})), "can't be split into words");
    let mut command = runtime.command(&["host", "--detached", "--session", "x"]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    assert_has(&output(child), "the request can't be understood");
    runtime.has_nothing();
}

#[test]
fn a_host_without_descriptors_says_so() {
    let runtime = Runtime::new();
    let builder = Builder::new().runtime(&runtime).any_python();
    let limit = "resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))";
    let request = json!({"name": "few", "identity": null, "options": {}}).to_string() + "\n";
    let builder = builder.condition(limit).args(["host", "--detached", "--session", "few"]);
    let said = String::from_utf8(builder.output(&request).stdout).unwrap();
    assert_has(&said, "{\"error\":");
    assert_has(&said, "more open files are needed (`ulimit -n`)");
    runtime.has_nothing();
}

#[test]
fn of_many_starts_of_one_name_one_gets_it() {
    let runtime = Runtime::new();
    let starts: Vec<Child> =
        (0..8).map(|_| started_detached(&runtime, "proj", &json!({}))).collect();
    let mut answers: Vec<String> = starts.into_iter().map(output).collect();
    answers.sort();
    assert_eq!(answers[0], "{\"registered\":true}\n");
    assert!(answers[1..].iter().all(|answer| answer == "{\"taken\":true}\n"), "{answers:?}");
    assert_eq!(runtime.names(), ["proj"]);
    assert_eq!(runtime.files().len(), 3);
}

#[test]
fn what_a_host_left_that_was_killed_is_removed() {
    let runtime = Runtime::new();
    let host = Host::start(&runtime, &["--session", "proj"]);
    host.signal(Signal::KILL);
    assert_eq!(host.ended(), None);
    assert_eq!(runtime.files().len(), 3);
    assert_eq!(runtime.says(&["ls"]), "No sessions.\n");
    runtime.has_nothing();
    runtime.wait_until_empty();
    // Nor is it in the way of another.
    let host = Host::start(&runtime, &["--session", "proj"]);
    host.signal(Signal::KILL);
    host.ended();
    let host = Host::start(&runtime, &["--session", "proj"]);
    assert_eq!(runtime.names(), ["proj"]);
    host.signal(Signal::TERM);
    host.ended();
    runtime.has_nothing();
}

#[test]
fn a_stopped_host_delays_no_other_and_is_killed() {
    let runtime = Runtime::new();
    for name in ["good", "stopped"] {
        detached(&runtime, name, &json!({}));
    }
    let stopped = runtime.host("stopped");
    kill_process(stopped, Signal::STOP).unwrap();
    let table = runtime.says(&["ls"]);
    let line = |name: &str| {
        table.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{table}"))
    };
    assert_has(line("stopped"), "  not answering  ");
    assert!(!line("good").contains("not answering"), "{table}");
    let sessions = runtime.ls();
    assert_eq!(sessions[1]["state"]["state"], "not_answering");
    assert_eq!(sessions[1]["host_pid"], stopped.as_raw_nonzero().get());
    assert_eq!(
        runtime.says(&["end", "--all"]),
        "ended good\nkilled stopped: its host did not answer\n"
    );
    runtime.has_nothing();
    runtime.wait_until_empty();
}

#[test]
fn a_detached_host_holds_nothing_of_its_starter() {
    let runtime = Runtime::new();
    // The starter leaves a pipe open for it, whose end this process waits for.
    let script = format!(
        "import os, subprocess, sys\n\
         ours, theirs = os.pipe()\n\
         host = subprocess.Popen([{}, 'host', '--detached', '--session', 'proj'],\n\
         \x20   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[theirs])\n\
         os.close(theirs)\n\
         print(host.communicate(b'{{\"name\": \"proj\", \"identity\": null, \"options\": {{}}}}\\n'))\n\
         print(os.read(ours, 1), host.returncode)",
        quoted(BINARY)
    );
    let mut command = std::process::Command::new(crate::support::python::default());
    command.args(["-I", "-S", "-c", &script]).env("MCP_REPL_RUNTIME_DIR", runtime.path());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said, "(b'{\"registered\":true}\\n', b'')\nb'' 0\n");
    let host = runtime.host("proj");
    assert_eq!(getsid(Some(host)), Ok(host), "it leads a session");
    for stream in 0..3 {
        let stream = format!("/proc/{}/fd/{stream}", host.as_raw_nonzero());
        assert_eq!(fs::read_link(stream).unwrap(), Path::new("/dev/null"));
    }
    runtime.says(&["end", "proj"]);
}

#[test]
fn a_starter_that_does_not_listen_is_no_reason_to_end() {
    let runtime = Runtime::new();
    let mut starts = started_detached(&runtime, "proj", &json!({}));
    drop(starts.stdout.take());
    assert!(starts.wait().unwrap().success());
    assert_eq!(runtime.names(), ["proj"]);
}

/// The process whose parent is this one and that leads a session.
fn leader_below(runtime: &Runtime, parent: u32) -> Option<Pid> {
    let is_sought = |pid: Pid| {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
        // Behind the name in parentheses (proc(5)): the state, the parent, the group, the session.
        // What is about to be gone has the session 0, with which rustix's `getsid` panics.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(1);
        let (parents, session) = (fields.next()?.parse(), fields.nth(1)?.parse());
        Some(parents == Ok(parent) && session == Ok(pid.as_raw_nonzero().get()))
    };
    let pids = runtime.processes().into_iter().map(|process| process.pid);
    pids.into_iter().find(|&pid| is_sought(pid) == Some(true))
}

#[test]
fn a_host_that_is_killed_before_it_answers_gives_its_starter_the_end() {
    let runtime = Runtime::new();
    let mut command = runtime.command(&["host", "--detached", "--session", "proj"]);
    let mut starts = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // It waits for its request.
    let host = loop {
        assert!(starts.try_wait().unwrap().is_none(), "it has ended");
        if let Some(host) = leader_below(&runtime, starts.id()) {
            break host;
        }
    };
    kill_process(host, Signal::KILL).unwrap();
    let mut said = String::new();
    starts.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((&*said, starts.wait().unwrap().code()), ("", Some(128 + 9)));
    runtime.has_nothing();
}

#[test]
fn a_run_time_directory_that_others_can_get_at_is_refused() {
    let runtime = Runtime::new();
    let around = tempfile::tempdir_in("/tmp").unwrap();
    let at = |name: &str| around.path().join(name);
    let refused = |place: &Path, why: &str| {
        for arguments in [&["ls"][..], &["end", "--all"], &["host"]] {
            let mut command = runtime.command(arguments);
            let output = command.env("MCP_REPL_RUNTIME_DIR", place).output().unwrap();
            fails(&output, 2, why);
            fails(&output, 2, "MCP_REPL_RUNTIME_DIR");
        }
        let doctor = Builder::new().env("MCP_REPL_RUNTIME_DIR", place).arg("doctor").output("");
        let report = String::from_utf8_lossy(&doctor.stdout).into_owned();
        assert_eq!(doctor.status.code(), Some(1), "{report}");
        assert_has(&report, "sessions    FAILED: ");
        assert_has(&report, why);
    };
    fs::create_dir(at("open")).unwrap();
    fs::set_permissions(at("open"), Permissions::from_mode(0o777)).unwrap();
    refused(&at("open"), "can be written by others (mode 777): `chmod 700 ");
    symlink(runtime.path(), at("link")).unwrap();
    refused(&at("link"), "is a link or no directory: remove it");
    refused(Path::new("here"), "must be an absolute path");
    refused(Path::new("/proc/none"), "can't be made or used: No such file or directory");
    if rustix::process::geteuid().is_root() {
        fs::create_dir(at("anothers")).unwrap();
        std::os::unix::fs::chown(at("anothers"), Some(12345), None).unwrap();
        refused(&at("anothers"), "belongs to another user");
    }
    runtime.has_nothing();
}

#[test]
fn doctor_lists_the_sessions() {
    let runtime = Runtime::new();
    let report = || {
        let doctor = Builder::new().runtime(&runtime).arg("doctor").output("");
        String::from_utf8(doctor.stdout).unwrap()
    };
    assert_has(&report(), &format!("listed in   {}\nsessions    none\n", runtime.path().display()));
    let host = Host::start(&runtime, &["--session", "proj"]);
    assert_has(&report(), "\nsessions    proj  ");
    host.signal(Signal::INT);
    host.ended();
}
