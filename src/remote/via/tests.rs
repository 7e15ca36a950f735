//! Commands that lead to an `mcp-repl` that a test has written, or to none.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc,
    thread,
};

use mcp_repl_control::{Hello, Identity, Role, Sandbox, SessionOptions, Wanted};
use tempfile::TempDir;
use tokio::{io::AsyncReadExt, sync::oneshot};

use super::*;
use crate::remote::{OpenError, Place, Underway};

/// What a host says first.
const WELCOME: &str = r#"{"type":"welcome","protocol":1,"version":"0.1.0","session":"there","started_ms":0,"had_clients":false,"others":0,"is_alive":true,"resume":"r"}"#;

/// A pipe with a name, and all that is written to it until nobody holds it any more; what is written
/// first is told when it comes.
struct Named {
    _place: TempDir,
    path: PathBuf,
    first: mpsc::Receiver<()>,
    all: oneshot::Receiver<String>,
}

impl Named {
    fn new() -> Named {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let ((tell_first, first), (tell_all, all)) = (mpsc::channel(), oneshot::channel());
        let opened = path.clone();
        thread::spawn(move || {
            let mut pipe = fs::File::open(opened).unwrap();
            let (mut first, mut rest) = ([0], String::new());
            pipe.read_exact(&mut first).unwrap();
            tell_first.send(()).unwrap();
            pipe.read_to_string(&mut rest).unwrap();
            let _ = tell_all.send(format!("{}{rest}", char::from(first[0])));
        });
        Named { _place: place, path, first, all }
    }
}

/// A directory with a program `mcp-repl` in it that is this script.
fn there(script: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mcp-repl");
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    assert!(Command::new("chmod").arg("+x").arg(&file).status().unwrap().success());
    directory
}

/// A command that leads to where the programs in the directory are.
fn leads_to(directory: &Path) -> ViaCommand {
    let path = format!("PATH={}:/usr/bin:/bin", directory.display());
    ViaCommand::new(&shell_words::join(["env", &path, "sh", "-c"]), false).unwrap()
}

fn open_message() -> Open {
    let wanted = Wanted::Named { name: "there".into(), start: true };
    let hello = Hello::new(Role::Client, "test");
    Open { wanted, options: SessionOptions::default(), hello }
}

/// Opens a session by way of a program `mcp-repl` that is this script.
async fn open(script: &str) -> (Result<Welcome, ViaError>, Link) {
    let directory = there(script);
    let via = leads_to(directory.path());
    let mut link = Link::new(&via).unwrap();
    let result = link.open(&via, open_message()).await;
    (result, link)
}

/// Opens a session in a sandbox by way of a program that says this first, and writes the rest that it hears to a
/// pipe.
async fn open_in_sandbox(welcome: &str, wanted: Wanted) -> (Result<(), OpenError>, String) {
    let place = tempfile::tempdir().unwrap();
    let pipe = place.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let say = shell_words::quote(welcome);
    let script = format!("read -r line; echo {say}; exec cat >{}", pipe.display());
    let heard = tokio::task::spawn_blocking(|| fs::read_to_string(pipe));
    let directory = there(&script);
    let sandbox = Sandbox { mode: "read-only".into(), network: "off".into(), ..Sandbox::default() };
    let options = SessionOptions { sandbox: Some(sandbox), ..SessionOptions::default() };
    let open = Open { wanted, options, ..open_message() };
    let place = Place::Via(leads_to(directory.path()));
    let opened = crate::remote::open(&place, open, &Underway::default()).await;
    (opened.map(drop), heard.await.unwrap().unwrap())
}

#[tokio::test]
async fn who_does_not_say_that_the_sandbox_is_kept_is_refused() {
    let saying = |mode: &str| {
        let sandbox = format!(r#""resume":"r","sandbox":{{"mode":"{mode}","network":"off"}}"#);
        WELCOME.replace(r#""resume":"r""#, &sandbox)
    };
    let own = || {
        let identity = Identity {
            client: "test".into(),
            directory: String::new(),
            interpreter: "python".into(),
            parent: String::new(),
        };
        Wanted::Own(identity)
    };
    let named = || Wanted::Named { name: "there".into(), start: true };
    for welcome in [WELCOME, &saying("off"), &saying("workspace-write"), &saying("new")] {
        let (opened, heard) = open_in_sandbox(welcome, own()).await;
        let error = opened.expect_err(welcome).to_string();
        assert!(error.starts_with("the mcp-repl 0.1.0 where `env "), "{error}");
        assert!(
            error.contains("does not keep the sandbox that is asked for: its sandbox is `"),
            "{error}"
        );
        // What was started for this client alone does not stay.
        assert_eq!(heard, "{\"type\":\"end\"}\n");
        let (opened, heard) = open_in_sandbox(welcome, named()).await;
        assert!(opened.is_err() && heard.is_empty(), "{heard}");
    }
    let (opened, heard) = open_in_sandbox(&saying("read-only"), own()).await;
    assert!(opened.is_ok() && heard.is_empty(), "{heard}");
}

#[tokio::test]
async fn what_is_said_before_the_protocol_is_passed_over() {
    let script = format!(
        "echo 'Welcome to the cluster!'; echo '{{\"type\":\"motd\"}}'; read -r line; echo '{WELCOME}'; \
         echo \"$line\"; echo \"$@\""
    );
    let (welcome, link) = open(&script).await;
    assert_eq!(welcome.unwrap().session, "there");
    let (mut output, _input) = link.into_streams();
    let mut rest = String::new();
    output.read_to_string(&mut rest).await.unwrap();
    let (first, arguments) = rest.split_once('\n').unwrap();
    assert!(first.starts_with(r#"{"type":"open","#), "{first}");
    assert_eq!(arguments, "host --stdio\n");
}

#[tokio::test]
async fn what_never_is_the_protocol_is_given_up() {
    for script in ["yes 'Hello, World!'", "tr '\\0' x </dev/zero", "echo Hello, World!"] {
        let error = open(script).await.0.unwrap_err();
        assert!(matches!(&error, ViaError::Garbage { .. }), "{script}: {error}");
    }
    let error = open("echo 'Hello, World!'").await.0.unwrap_err();
    assert!(error.to_string().contains(r#"it says "Hello, World!""#), "{error}");
}

#[tokio::test]
async fn a_host_that_refuses_is_quoted() {
    let error = open(r#"echo '{"type":"error","message":"no, thanks"}'"#).await.0.unwrap_err();
    assert_eq!(error.to_string(), "no, thanks");
}

#[tokio::test]
async fn a_terminal_in_between_is_recognised_by_its_echo() {
    let error = open(r#"read -r line; echo "$line"; cat"#).await.0.unwrap_err();
    assert!(matches!(&error, ViaError::Terminal { .. }), "{error}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_said_to_be_missing() {
    let empty = tempfile::tempdir().unwrap();
    let via = leads_to(empty.path());
    let error = Link::new(&via).unwrap().open(&via, open_message()).await.unwrap_err();
    assert!(matches!(&error, ViaError::Missing { .. }), "{error}");
    // As `docker exec` has it.
    let failed = "OCI runtime exec failed: exec: \"mcp-repl\": executable file not found in $PATH";
    let error = open(&format!("echo '{failed}'; exit 126")).await.0.unwrap_err();
    assert!(matches!(&error, ViaError::Missing { .. }), "{error}");
    assert!(error.to_string().contains(failed), "{error}");
    let error = open("echo 'No more jobs today'; exit 1").await.0.unwrap_err();
    assert!(error.to_string().ends_with("ended (exit status 1): No more jobs today"), "{error}");
    let via = ViaCommand::new("/nowhere/ssh gpu", false).unwrap();
    let error = Link::new(&via).unwrap_err();
    assert!(error.to_string().starts_with("`/nowhere/ssh gpu` can't be run here: "), "{error}");
}

#[tokio::test]
async fn the_end_of_the_command_tells_how_and_its_last_words() {
    let (_, link) =
        open(&format!("echo '{WELCOME}'; read -r line; echo 'Broken pipe' >&2; exit 3")).await;
    let launcher = link.launcher();
    let (mut output, _input) = link.into_streams();
    let mut rest = Vec::new();
    output.read_to_end(&mut rest).await.unwrap();
    assert!(launcher.trouble(b"").to_string().ends_with("ended (exit status 3): Broken pipe"));
}

#[tokio::test]
async fn what_it_leaves_behind_does_not_hide_its_end() {
    let script = format!("echo '{WELCOME}'; read -r line; sleep 1000 & exit 4");
    let (_, link) = open(&script).await;
    let launcher = link.launcher();
    let (mut output, _input) = link.into_streams();
    let mut rest = Vec::new();
    output.read_to_end(&mut rest).await.unwrap();
    assert!(launcher.trouble(b"").to_string().contains("exit status 4"));
}

#[tokio::test]
async fn the_command_is_out_of_reach_of_the_terminal_of_this_process() {
    let script = format!("echo '{WELCOME}'; read -r line; ps -o sid=,tty= -p $$");
    let (_, link) = open(&script).await;
    let (mut output, _input) = link.into_streams();
    let mut there = String::new();
    output.read_to_string(&mut there).await.unwrap();
    let mut own = Command::new("ps");
    own.args(["-o", "sid=", "-p"]).arg(std::process::id().to_string());
    let own = String::from_utf8(own.output().unwrap().stdout).unwrap();
    let there: Vec<&str> = there.split_whitespace().collect();
    assert_ne!(there[0], own.trim());
    // No terminal is the controlling one.
    assert!(["?", "??"].contains(&there[1]), "{there:?}");
}

#[tokio::test]
async fn a_dropped_connection_ends_the_command_and_all_that_it_started() {
    let held = Named::new();
    let script = format!(
        "exec 9>{}; echo '{WELCOME}'; echo begun >&9; trap '' HUP TERM; sleep 1000 & \
         while :; do sleep 1000; done",
        held.path.display()
    );
    let (welcome, link) = open(&script).await;
    welcome.unwrap();
    held.first.recv().unwrap();
    drop(link);
    assert_eq!(held.all.await.unwrap(), "begun\n");
}

#[tokio::test]
async fn what_was_written_before_the_connection_was_dropped_arrives() {
    let copy = Named::new();
    let script = format!("exec 9>{}; echo '{WELCOME}'; read -r line; cat >&9", copy.path.display());
    let (_, link) = open(&script).await;
    let (output, mut input) = link.into_streams();
    input.write_all(b"told").await.unwrap();
    drop((output, input));
    assert_eq!(copy.all.await.unwrap(), "told");
}
