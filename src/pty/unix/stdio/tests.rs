//! The server in a process of its own, with standard streams of every kind.
//!
//! The process is this test program again, asked by [`ASKED`] to serve. It prints a little of
//! its own before and after, which the tests pass over.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rustix::fs::{OFlags, fcntl_getfl};
use serde_json::{Value, json};

use crate::reply::{Content, Reply, Status};
use crate::session::client::{EngineCommand, Handle};
use crate::session::rules::payload::Payload;

/// The variable that asks for [`serve_when_asked`].
const ASKED: &str = "MCP_REPL_TEST_SERVE";

const ARGUMENTS: [&str; 3] =
    ["pty::unix::stdio::tests::serve_when_asked", "--exact", "--nocapture"];

/// The server. Its engine answers with the input, as often as the timeout has milliseconds.
#[test]
fn serve_when_asked() {
    if std::env::var_os(ASKED).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (session, mut commands) = Handle::new();
        tokio::spawn(async move {
            while let Some(command) = commands.recv().await {
                let EngineCommand::Call { request, reply, .. } = command else { continue };
                let Payload::Text(input) = request.payload else { continue };
                let times = request.timeout.as_millis() as usize;
                let content = vec![Content::Text(input.repeat(times))];
                let echo = Reply { content, status: Status::Ready { outcome: None } };
                let _ = reply.send(echo.into());
            }
        });
        let worker = &crate::mcp::WorkerText::ANY;
        crate::mcp::serve(
            crate::mcp::Sessions::only(session),
            worker,
            crate::mcp::OnCancel::default(),
        )
        .await
        .unwrap();
    });
}

fn server(stdin: impl Into<Stdio>, stdout: impl Into<Stdio>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(ARGUMENTS).env(ASKED, "1");
    command.stdin(stdin).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap()
}

fn call(id: usize, input: &str, times: usize) -> String {
    let arguments = json!({"input": input, "timeout_ms": times});
    let params = json!({"name": "repl", "arguments": arguments});
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}).to_string() + "\n"
}

/// The next message in what the server prints.
fn receive(output: &mut impl BufRead) -> Value {
    loop {
        let mut line = String::new();
        assert!(output.read_line(&mut line).unwrap() > 0, "the server ended");
        if let Some(start) = line.find("{\"jsonrpc\":\"2.0\",\"id\":") {
            return serde_json::from_str(&line[start..]).unwrap();
        }
    }
}

/// Small and large calls there and back, one after another.
fn talk(mut input: impl Write, output: impl Read) {
    let mut output = BufReader::new(output);
    for (id, times) in [1, 2, 1_000_000, 3].into_iter().enumerate() {
        input.write_all(call(id, "é", times).as_bytes()).unwrap();
        let answer = receive(&mut output);
        assert_eq!(answer["id"], id);
        assert_eq!(answer["result"]["content"][0]["text"], "é".repeat(times));
    }
    let large = "x".repeat(3_000_000);
    input.write_all(call(9, &large, 1).as_bytes()).unwrap();
    assert_eq!(receive(&mut output)["result"]["content"][0]["text"], large);
}

/// Waits for the end of a server whose input has ended.
fn assert_ends_well(server: Child) {
    let output = server.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "nothing goes to standard error");
}

fn is_blocking(fd: impl AsFd) -> bool {
    !fcntl_getfl(fd).unwrap().contains(OFlags::NONBLOCK)
}

#[test]
fn pipes_serve_and_keep_their_flags() {
    let (their_input, our_input) = io::pipe().unwrap();
    let (our_output, their_output) = io::pipe().unwrap();
    let server = server(their_input.try_clone().unwrap(), their_output.try_clone().unwrap());
    talk(&our_input, &our_output);
    assert!(is_blocking(&their_input) && is_blocking(&their_output));
    drop((our_input, their_output));
    assert_ends_well(server);
}

#[test]
fn sockets_serve_and_keep_their_flags() {
    let (our_input, their_input) = UnixStream::pair().unwrap();
    let (our_output, their_output) = UnixStream::pair().unwrap();
    let server = server(
        OwnedFd::from(their_input.try_clone().unwrap()),
        OwnedFd::from(their_output.try_clone().unwrap()),
    );
    talk(&our_input, &our_output);
    assert!(is_blocking(&their_input) && is_blocking(&their_output));
    drop(our_input);
    assert_ends_well(server);
}

#[test]
fn one_socket_that_does_not_block_serves_both_ways() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let server = server(OwnedFd::from(theirs.try_clone().unwrap()), OwnedFd::from(theirs));
    talk(&ours, &ours);
    ours.shutdown(std::net::Shutdown::Write).unwrap();
    assert_ends_well(server);
}

#[test]
fn files_serve_to_the_last_byte() {
    let directory = tempfile::tempdir().unwrap();
    let (requests, replies) = (directory.path().join("requests"), directory.path().join("replies"));
    std::fs::write(&requests, call(1, "a", 3) + &call(2, "b", 1_000_000)).unwrap();
    let server = server(File::open(&requests).unwrap(), File::create(&replies).unwrap());
    assert_ends_well(server);
    let mut replies = BufReader::new(File::open(&replies).unwrap());
    assert_eq!(receive(&mut replies)["result"]["content"][0]["text"], "aaa");
    assert_eq!(receive(&mut replies)["result"]["content"][0]["text"], "b".repeat(1_000_000));
}

#[test]
fn a_terminal_serves() {
    let pty = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(ARGUMENTS);
    command.env(ASKED, "1");
    let mut server = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut output = BufReader::new(pty.master.try_clone_reader().unwrap());
    let mut input = pty.master.take_writer().unwrap();
    input.write_all(call(1, "a", 3).as_bytes()).unwrap();
    // The terminal echoes the request, which has its members in another order.
    assert_eq!(receive(&mut output)["result"]["content"][0]["text"], "aaa");
    input.write_all(b"\x04").unwrap();
    io::copy(&mut output, &mut io::sink()).ok();
    assert!(server.wait().unwrap().success());
}

#[test]
fn a_client_that_closes_its_end_of_a_pipe_ends_the_server() {
    let (their_input, our_input) = io::pipe().unwrap();
    let (our_output, their_output) = io::pipe().unwrap();
    let server = server(their_input, their_output);
    assert_ends_without_a_reader(server, our_input, our_output);
}

#[test]
fn a_client_that_closes_its_end_of_a_socket_ends_the_server() {
    let (our_input, their_input) = UnixStream::pair().unwrap();
    let (our_output, their_output) = UnixStream::pair().unwrap();
    let server = server(OwnedFd::from(their_input), OwnedFd::from(their_output));
    assert_ends_without_a_reader(server, our_input, our_output);
}

fn assert_ends_without_a_reader(mut server: Child, mut input: impl Write, output: impl Read) {
    let mut output = BufReader::new(output);
    input.write_all(call(1, "a", 1).as_bytes()).unwrap();
    receive(&mut output);
    drop(output);
    input.write_all(call(2, "a", 1_000_000).as_bytes()).unwrap();
    // How it ends does not count: the test program cannot print its last line.
    server.wait().unwrap();
}

#[tokio::test]
async fn a_thread_reads_a_file_that_does_not_block() {
    use tokio::io::AsyncReadExt;

    let (theirs, mut ours) = io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&theirs, true).unwrap();
    let mut relayed = super::relay::relay_input(theirs.into()).unwrap();
    let mut byte = [0];
    for round in 0..100 {
        ours.write_all(&[round]).unwrap();
        relayed.read_exact(&mut byte).await.unwrap();
        assert_eq!(byte, [round]);
    }
    drop(ours);
    assert_eq!(relayed.read(&mut byte).await.unwrap(), 0);
}

#[tokio::test]
async fn a_thread_writes_a_file_that_does_not_block() {
    use tokio::io::AsyncWriteExt;

    let (mut ours, theirs) = io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&theirs, true).unwrap();
    let mut relayed = super::relay::relay_output(theirs.into()).unwrap();
    let reader = std::thread::spawn(move || {
        let mut read = Vec::new();
        ours.read_to_end(&mut read).map(|_| read)
    });
    let sent = vec![b'x'; 1_000_000];
    relayed.write_all(&sent).await.unwrap();
    relayed.shutdown().await.unwrap();
    assert!(reader.join().unwrap().unwrap() == sent);
}
