//! Strangers and hostile peers at a session's socket: they get a clear error, and hurt nobody.
#![cfg(has = "proc")]

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    process::Command,
};

use rustix::process::Pid;
use serde_json::{Value, json};

use crate::support::{
    Builder, Guest, IDLE, Runtime, Server, assert_has, hello, only, python, quoted,
};

/// How much more memory a host may have had, at the worst, than before a peer came, in KiB: a
/// message of the longest, and its copies on the way.
const MOST_MORE: u64 = 256 * 1024;

/// A server with one session, in a host of its own.
fn session() -> Server {
    let server = Builder::new().hosted().start();
    server.gives("x = 1", IDLE);
    server
}

fn host(runtime: &Runtime) -> Pid {
    let entry = only(runtime, "session");
    runtime.host(entry.file_stem().unwrap().to_str().unwrap())
}

/// The most memory a process ever had, in KiB.
fn peak(process: Pid) -> u64 {
    let place = format!("/proc/{}/status", process.as_raw_nonzero());
    let status = fs::read_to_string(place).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// What a guest gets that says this first, and nothing more.
#[track_caller]
fn reply_to(runtime: &Runtime, said: &[u8]) -> String {
    let mut guest = Guest::connect(runtime);
    guest.writes(said);
    guest.falls_silent();
    guest.last_words()
}

#[test]
fn who_says_no_proper_hello_is_told_why_and_shown_out() {
    let server = session();
    let runtime = server.runtime();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut hello = hello(runtime);
        change(&mut hello);
        format!("{hello}\n").into_bytes()
    };
    let half = &with(&|_| {})[..20];
    let long = vec![b'a'; 100_000];
    let cases = [
        (b"".to_vec(), "hello"),
        (half.to_vec(), "hello"),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "hello"),
        (b"\xff\xfe\x00\n".to_vec(), "hello"),
        (b"{}\n".to_vec(), "hello"),
        (b"{\"type\":\"call\",\"id\":1,\"timeout_ms\":1}\n".to_vec(), "hello"),
        (long, "longer"),
        (with(&|hello| hello["protocol"] = json!(999)), "version 999"),
        (with(&|hello| hello["protocol"] = json!(null)), "version"),
        (with(&|hello| hello["token"] = json!("")), "token"),
        (with(&|hello| hello["token"] = json!("0123")), "token"),
        (with(&|hello| hello["role"] = json!("king")), "king"),
    ];
    for (said, part) in cases {
        let why = reply_to(runtime, &said);
        let said = String::from_utf8_lossy(&said[..said.len().min(200)]).into_owned();
        assert!(why.contains(part), "{part:?} is not in {why:?}, the answer to {said:?}");
        // Nobody learns what the token is.
        let token = hello(runtime)["token"].as_str().unwrap().to_owned();
        assert!(!why.contains(&token), "{why}");
        server.still_works();
    }
    server.gives("x", "1\n");
}

#[test]
fn who_is_let_in_and_breaks_the_protocol_is_told_why_and_shown_out() {
    let server = session();
    let runtime = server.runtime();
    let again = format!("{}\n", hello(runtime));
    for said in ["nonsense\n", "{\"type\":\"type\",\"length\":99999999999}\n", again.as_str()] {
        let mut guest = Guest::welcome(runtime);
        guest.writes(said.as_bytes());
        assert_ne!(guest.last_words(), "", "the answer to {said}");
        server.still_works();
    }
    // Half a message, and half of what is to follow one.
    for said in ["{\"type\":\"ca", "{\"type\":\"type\",\"length\":100}\nhalf"] {
        let mut guest = Guest::welcome(runtime);
        guest.writes(said.as_bytes());
        server.still_works();
        guest.falls_silent();
        guest.last_words();
        server.still_works();
    }
}

#[test]
fn a_line_that_never_ends_is_not_kept() {
    let server = session();
    let runtime = server.runtime();
    let host = host(runtime);
    for enter in [Guest::connect, Guest::welcome] {
        let mut guest = enter(runtime);
        let before = peak(host);
        let chunk = vec![b'a'; 1 << 20];
        let taken = (0..1024).take_while(|_| guest.writes(&chunk)).count();
        assert!(taken < 1024, "all of it was taken");
        assert_has(&guest.last_words(), "longer");
        let more = peak(host).saturating_sub(before);
        assert!(more < MOST_MORE, "{more} KiB more");
        server.still_works();
    }
}

#[test]
fn a_flood_of_calls_that_reads_no_replies_hurts_nobody() {
    let server = session();
    let runtime = server.runtime();
    let host = host(runtime);
    let before = peak(host);
    let mut guest = Guest::welcome(runtime);
    let flood = std::thread::spawn(move || {
        // Until it is shown out, or has to wait for the session.
        for id in 0..100_000 {
            let call = json!({"type": "call", "id": id, "input": "", "timeout_ms": 0});
            if !guest.says(&call) {
                return;
            }
        }
    });
    for _ in 0..50 {
        server.still_works();
    }
    let more = peak(host).saturating_sub(before);
    assert!(more < MOST_MORE, "{more} KiB more");
    // Its end is the host's.
    server.runtime().kill_all();
    flood.join().unwrap();
}

#[test]
fn five_hundred_connections_keep_nobody_out() {
    let server = session();
    let runtime = server.runtime();
    let silent: Vec<Guest> = (0..500).map(|_| Guest::connect(runtime)).collect();
    server.still_works();
    let another = Builder::new().runtime(runtime).args(["--session", &runtime.names()[0]]).start();
    another.gives_part("x + 1", "\n2\n");
    drop(silent);
    let welcome: Vec<Guest> = (0..500)
        .map_while(|_| {
            let mut guest = Guest::connect(runtime);
            guest.says(&hello(runtime));
            (guest.hears()["type"] == "welcome").then_some(guest)
        })
        .collect();
    assert!(welcome.len() > 10, "{}", welcome.len());
    for server in [&server, &another] {
        let said = server.repl("6 * 7");
        assert!(said.ends_with("42\n"), "{said}");
    }
    drop(welcome);
    Guest::welcome(runtime);
}

/// Connects as another user, and tells what came of it.
fn as_another_user(runtime: &Runtime) -> String {
    let program = format!(
        "import socket\n\
         line = socket.socket(socket.AF_UNIX)\n\
         try:\n\
         \x20   line.connect({})\n\
         \x20   line.sendall({}.encode() + b'\\n')\n\
         \x20   print('heard', line.recv(1000))\n\
         except OSError as error: print(type(error).__name__)",
        quoted(only(runtime, "sock")),
        serde_json::to_string(&hello(runtime).to_string()).unwrap(),
    );
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]);
    // What belongs to the system: the tests' own may be in a home directory.
    let python = ["/usr/bin/python3".into(), python::default()];
    let python = python.iter().find(|file| file.exists()).unwrap();
    let output = command.arg(python).args(["-c", &program]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn another_user_is_refused_even_where_the_files_are_open_to_all() {
    if !rustix::process::geteuid().is_root() {
        // Only root can be another user.
        return;
    }
    let server = session();
    let runtime = server.runtime();
    assert_eq!(fs::metadata(runtime.path()).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(only(runtime, "token")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(as_another_user(runtime), "PermissionError\n");

    runtime.open_to_all();
    fs::set_permissions(only(runtime, "sock"), Permissions::from_mode(0o666)).unwrap();
    // It knows the token, but the kernel tells who it is.
    let heard = as_another_user(runtime);
    assert!(!heard.contains("welcome"), "{heard}");
    let refused = ["heard b''\n", "ConnectionResetError\n", "BrokenPipeError\n"];
    assert!(refused.contains(&&*heard) || heard.contains("user"), "{heard}");
    server.still_works();
}
