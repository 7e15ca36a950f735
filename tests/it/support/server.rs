//! A running server and what a client can say to it, as raw JSON lines.

use std::{
    io::{Read, Write},
    path::Path,
    process::{Child, ChildStdin, ExitStatus},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Builder, HANG, IDLE, Pid, Runtime, WAITING, inbox::Inbox, kill, replies::text_of};

/// How long a console may take that hands on late what was printed.
const LATE: Duration = Duration::from_secs(10);

/// A server of the test's own. Killed when the test is done.
pub(crate) struct Server {
    pid: Pid,
    stdin: Mutex<Option<ChildStdin>>,
    inbox: Inbox,
    ended: mpsc::Receiver<ExitStatus>,
    stderr: mpsc::Receiver<String>,
    calls: AtomicU64,
    running: bool,
    // What runs there ends before the directory goes.
    runtime: Option<Runtime>,
    directory: TempDir,
}

/// A call that was made and has no answer yet.
pub(crate) struct Call<'a> {
    server: &'a Server,
    /// Its JSON-RPC id.
    pub(crate) id: u64,
}

impl Server {
    /// A server with the machine's default Python, shaken hands with.
    pub(crate) fn start() -> Server {
        Builder::new().start()
    }

    /// A server whose session has run this cell, which says nothing.
    #[track_caller]
    pub(crate) fn start_with(cell: &str) -> Server {
        let repl = Server::start();
        repl.gives(cell, IDLE);
        repl
    }

    /// The server is the process `pid`: `child`, or the only child of that. Hosts of `runtime` are its own.
    pub(super) fn new(
        mut child: Child,
        pid: Pid,
        directory: TempDir,
        runtime: Option<Runtime>,
    ) -> Server {
        let stdin = Mutex::new(child.stdin.take());
        let inbox = Inbox::read(child.stdout.take().unwrap());
        let (tell_stderr, stderr) = mpsc::channel();
        if let Some(mut pipe) = child.stderr.take() {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                let _ = pipe.read_to_end(&mut text);
                let _ = tell_stderr.send(String::from_utf8_lossy(&text).into_owned());
            });
        }
        let (tell_end, ended) = mpsc::channel();
        std::thread::spawn(move || tell_end.send(child.wait().unwrap()));
        let calls = AtomicU64::new(0);
        Server { pid, stdin, inbox, ended, stderr, directory, calls, running: true, runtime }
    }

    /// The directory the server was started in, unless the test chose another.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file to the session's working directory.
    #[track_caller]
    pub(crate) fn write_file(&self, name: &str, text: &str) {
        std::fs::write(self.directory().join(name), text).unwrap();
    }

    /// Writes bytes to the server's standard input.
    pub(crate) fn send_bytes(&self, bytes: &[u8]) {
        let mut stdin = self.stdin.lock().unwrap();
        let stdin = stdin.as_mut().expect("standard input is open");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("the server reads");
    }

    /// Sends one message.
    pub(crate) fn send(&self, message: &Value) {
        self.send_bytes(format!("{message}\n").as_bytes());
    }

    /// Sends a notification.
    pub(crate) fn notify(&self, method: &str, params: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Sends a request and gives its id.
    pub(crate) fn send_request(&self, method: &str, params: &Value) -> u64 {
        let id = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        id
    }

    /// Sends a request and waits for the whole answer.
    #[track_caller]
    pub(crate) fn request(&self, method: &str, params: &Value) -> Value {
        let id = self.send_request(method, params);
        self.answer(&json!(id))
    }

    /// Waits for the answer to the request with this id.
    #[track_caller]
    pub(crate) fn answer(&self, id: &Value) -> Value {
        let answers = |message: &Value| message.get("method").is_none() && message["id"] == *id;
        self.inbox.take(answers).expect("the server answers before it ends")
    }

    /// Waits for a notification.
    #[track_caller]
    pub(crate) fn notification(&self, method: &str) -> Value {
        let told = self.inbox.take(|message| message["method"] == method);
        told.expect("the server notifies before it ends")
    }

    /// Waits for the first message that `matches`.
    #[track_caller]
    pub(crate) fn message(&self, matches: impl Fn(&Value) -> bool) -> Value {
        self.inbox.take(matches).expect("the server says it before it ends")
    }

    /// Takes the messages that are there already.
    pub(crate) fn messages(&self, matches: impl Fn(&Value) -> bool) -> Vec<Value> {
        self.inbox.take_all(matches)
    }

    /// Shakes hands as a client of this version.
    pub(crate) fn initialize(&self, version: &str) -> Value {
        self.initialize_as("test", version)
    }

    /// Shakes hands as a client of this name and version.
    pub(crate) fn initialize_as(&self, name: &str, version: &str) -> Value {
        let client = json!({"name": name, "version": "1"});
        let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": client});
        let answer = self.request("initialize", &params);
        self.notify("notifications/initialized", &json!({}));
        answer
    }

    /// Calls `repl` with these arguments.
    pub(crate) fn call(&self, arguments: &Value) -> Call<'_> {
        let id = self.send_request("tools/call", &json!({"name": "repl", "arguments": arguments}));
        Call { server: self, id }
    }

    /// Sends a payload and does not wait for the reply.
    pub(crate) fn begin(&self, input: &str) -> Call<'_> {
        self.call(&json!({"input": input}))
    }

    /// The text of the reply to a payload.
    #[track_caller]
    pub(crate) fn repl(&self, input: &str) -> String {
        self.begin(input).text()
    }

    /// The text of the reply to a payload whose caller gives up early.
    #[track_caller]
    pub(crate) fn repl_with(&self, input: &str, timeout_ms: u64) -> String {
        self.call(&json!({"input": input, "timeout_ms": timeout_ms})).text()
    }

    /// The text of the reply to keys, named as `tmux send-keys` does and parted by blanks.
    #[track_caller]
    pub(crate) fn keys(&self, keys: &str) -> String {
        self.call(&json!({"keys": keys})).text()
    }

    /// The text of the reply to an empty payload.
    #[track_caller]
    pub(crate) fn poll(&self) -> String {
        self.repl("")
    }

    /// What is told from a payload on until that is all. A console that does not keep marks in their place hands
    /// on what was printed a little later, so that it may come with the replies to polls.
    #[track_caller]
    fn told(&self, input: &str, is_all: impl Fn(&str) -> bool) -> String {
        let mut said = self.repl(input);
        let end = Instant::now() + LATE;
        while !cfg!(has = "marks") && !is_all(&said) && Instant::now() < end {
            for nothing in [IDLE, WAITING] {
                said.truncate(said.strip_suffix(nothing).unwrap_or(&said).len());
            }
            said += &self.poll();
        }
        said
    }

    /// Sends a payload, which gets exactly this reply.
    #[track_caller]
    pub(crate) fn gives(&self, input: &str, reply: &str) {
        let said = self.told(input, |said| said == reply);
        assert_eq!(said, reply, "the reply to {input:?}");
    }

    /// Sends a payload, whose reply has this in it.
    #[track_caller]
    pub(crate) fn gives_part(&self, input: &str, part: &str) -> String {
        let reply = self.told(input, |said| said.contains(part));
        assert!(reply.contains(part), "{part:?} is not in the reply to {input:?}:\n{reply}");
        reply
    }

    /// The next cell runs as if nothing had happened.
    #[track_caller]
    pub(crate) fn still_works(&self) {
        self.gives("6 * 7", "42\n");
    }

    /// The process of the worker, which is a Python that is ready.
    #[track_caller]
    pub(crate) fn worker_pid(&self) -> i32 {
        let reply = self.repl("__import__('os').getpid()");
        reply.trim().parse().unwrap_or_else(|_| panic!("a number: {reply}"))
    }

    /// The server's process.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Ends the server's standard input.
    pub(crate) fn close_stdin(&self) {
        *self.stdin.lock().unwrap() = None;
    }

    /// Sends the server a signal.
    #[cfg(has = "posix")]
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid, signal).unwrap();
    }

    /// Kills the server, as clients do that are in a hurry, and waits for its end.
    pub(crate) fn kill(&mut self) {
        kill(self.pid);
        self.wait();
    }

    /// Ends the server's standard input, as a client does that is done, and waits for its end.
    #[track_caller]
    pub(crate) fn hang_up(&mut self) {
        self.close_stdin();
        let (status, stderr) = self.wait();
        assert!(status.success(), "{status}: {stderr}");
    }

    /// The run-time directory of a server that was started as hosted.
    #[track_caller]
    pub(crate) fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("a server with hosts of its own")
    }

    /// Waits for the server's end. Gives its exit status and what it wrote to standard error.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        let status = self.ended.recv_timeout(HANG).expect("the server ends");
        self.running = false;
        (status, self.stderr.recv_timeout(HANG).unwrap_or_default())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.running {
            // In good order first: it ends its worker and removes its files.
            self.close_stdin();
            if self.ended.recv_timeout(HANG).is_err() {
                kill(self.pid);
            }
        }
    }
}

impl Call<'_> {
    /// Waits for the whole answer.
    #[track_caller]
    pub(crate) fn answer(&self) -> Value {
        self.server.answer(&json!(self.id))
    }

    /// Waits for the result, which is not an error of the bridge, and gives its text.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        let answer = self.answer();
        assert_ne!(answer["result"]["isError"], true, "an error: {answer}");
        text_of(&answer)
    }

    /// Waits for the result, which is an error of the bridge, and gives its text.
    #[track_caller]
    pub(crate) fn error(&self) -> String {
        let answer = self.answer();
        assert_eq!(answer["result"]["isError"], true, "not an error: {answer}");
        text_of(&answer)
    }
}
