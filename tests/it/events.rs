//! `mcp-repl events`: what happens in a session as JSON lines.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
};

use serde_json::{Value, json};

use crate::support::{BINARY, HANG, IDLE, Runtime, Server, assert_has};
#[cfg(has = "posix")]
use crate::support::{Guest, hello};

/// The command as it prints.
struct Events {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Events {
    #[track_caller]
    fn of(mut command: Command) -> Events {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = lines(child.stdout.take().unwrap());
        Events { child, lines }
    }

    /// The next line as it is.
    #[track_caller]
    fn line(&self) -> String {
        self.lines.recv_timeout(HANG).expect("a line")
    }

    /// What happens next, without the time, which has the form that it is to have.
    #[track_caller]
    fn next(&self) -> Value {
        loop {
            let event = self.any();
            // Who comes and goes is no part of the order of what they do, and no more is what holds all the time.
            if event["event"] != "here" && event["event"] != "sandbox" {
                return event;
            }
        }
    }

    /// The same, whatever it is.
    #[track_caller]
    fn any(&self) -> Value {
        let mut event: Value = serde_json::from_str(&self.line()).unwrap();
        let fields = event.as_object_mut().unwrap();
        let time = fields.remove("time").unwrap();
        let form = regex::Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$").unwrap();
        assert!(form.is_match(time.as_str().unwrap()), "{time}");
        assert_eq!(fields.remove("session").unwrap(), "work");
        if let Some(since) = fields.remove("since_ms") {
            assert!(since.is_u64(), "{since}");
        }
        event
    }

    #[track_caller]
    fn are(&self, wanted: &[Value]) {
        for wanted in wanted {
            assert_eq!(self.next(), *wanted);
        }
    }

    /// Waits for its end; its exit status.
    #[track_caller]
    fn ends(mut self) -> (Option<i32>, String) {
        drop(self.lines);
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let mut said = String::new();
            let mut stderr = self.child.stderr.take().unwrap();
            std::io::Read::read_to_string(&mut stderr, &mut said).unwrap();
            tell.send((self.child.wait().unwrap().code(), said))
        });
        told.recv_timeout(HANG).expect("it ends")
    }
}

fn lines(stdout: ChildStdout) -> mpsc::Receiver<String> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            // Dropped here when nobody wants them any more, which closes the pipe.
            if line.is_err() || tell.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    told
}

fn events(runtime: &Runtime) -> Events {
    Events::of(runtime.command(&["events", "work"]))
}

fn agent(runtime: &Runtime) -> Server {
    let agent = runtime.agent();
    agent.gives("1", "1\n");
    agent
}

fn ready() -> Value {
    json!({"event": "state", "state": "ready"})
}

fn hands(holder: Value) -> Value {
    json!({"event": "hands", "holder": holder, "approver": null, "needed": null})
}

fn running() -> Value {
    json!({"event": "state", "state": "running", "client": "agent"})
}

fn ran(source: &str) -> Value {
    json!({"event": "ran", "client": "agent", "text": source})
}

fn waiting(what: &str, echo: bool) -> Value {
    json!({"event": "state", "state": "waiting", "what": what, "client": "agent", "echo": echo})
}

#[test]
fn what_happens_is_told_in_order_and_no_secret_is() {
    let runtime = Runtime::new();
    let agent = agent(&runtime);
    let events = events(&runtime);
    events.are(&[ready(), hands(Value::Null)]);
    let cell = "print('\u{1b}[31mred')  # \u{9b}2J";
    agent.repl(cell);
    events.are(&[ran(cell), running(), ready()]);
    let ask = "name = input('name? ')";
    agent.repl(ask);
    events.are(&[ran(ask), running(), waiting("input", true)]);
    agent.repl("Ada");
    events.are(&[
        json!({"event": "answered", "client": "agent", "text": "Ada"}),
        running(),
        ready(),
    ]);
    let ask = "import getpass; token = getpass.getpass()";
    agent.repl(ask);
    let until = |is_last: &dyn Fn(&Value) -> bool| {
        let mut seen = vec![events.next()];
        while !is_last(&seen[seen.len() - 1]) {
            seen.push(events.next());
        }
        seen
    };
    let seen = until(&|event| event["needed"]["asked_by"] == "agent");
    assert!(seen.iter().any(|event| event["echo"] == false), "{seen:?}");
    agent.repl("hunter2");
    let seen = until(&|event| *event == ready());
    assert!(seen.contains(&json!({"event": "typed", "client": "agent"})), "{seen:?}");
    assert!(seen.contains(&hands(Value::Null)), "{seen:?}");
    assert!(!format!("{seen:?}").contains("hunter2"), "{seen:?}");
    agent.gives("len(token)", "7\n");
    events.are(&[ran("len(token)"), running(), ready()]);
    agent.repl("\u{4}");
    let reset = json!({"event": "reset", "client": "agent"});
    let seen = until(&|event| *event == ready());
    assert!(seen.contains(&reset), "{seen:?}");
    assert!(seen.contains(&json!({"event": "state", "state": "starting"})), "{seen:?}");
    // The last event says that the session is over.
    runtime.says(&["end", "work"]);
    let mut last = events.next();
    while last["event"] == "state" {
        last = events.next();
    }
    assert_eq!(last, json!({"event": "end"}));
    let (status, said) = events.ends();
    assert_eq!((status, &*said), (Some(0), ""));
}

#[test]
fn a_line_holds_nothing_that_a_terminal_obeys() {
    let runtime = Runtime::new();
    let agent = agent(&runtime);
    let events = events(&runtime);
    events.are(&[ready(), hands(Value::Null)]);
    agent.gives("# \u{1b}[2J \u{9b}2J \u{7f}", IDLE);
    let mut line = events.line();
    while line.contains("\"event\":\"here\"") {
        line = events.line();
    }
    assert!(!line.contains(char::is_control), "{line:?}");
    assert_has(&line, r"# \u001b[2J \u009b2J \u007f");
}

#[cfg(has = "posix")]
#[test]
fn in_whose_hands_it_is_is_told() {
    let runtime = Runtime::new();
    let _agent = agent(&runtime);
    let events = events(&runtime);
    events.are(&[ready(), hands(Value::Null)]);
    let mut person = Guest::welcome(&runtime);
    person.says(&json!({"type": "people", "attached": true}));
    person.says(&json!({"type": "hold", "on": true}));
    events.are(&[hands("guest".into())]);
    drop(person);
    events.are(&[hands(Value::Null)]);
}

#[cfg(has = "posix")]
#[test]
fn who_comes_and_goes_is_told() {
    let runtime = Runtime::new();
    let _agent = agent(&runtime);
    let events = events(&runtime);
    let until = |names: &[&str]| loop {
        let event = events.any();
        let members = event["members"].as_array().into_iter().flatten();
        if members.map(|member| member["name"].as_str().unwrap()).eq(names.iter().copied())
            && event["event"] == "here"
        {
            return;
        }
    };
    until(&["agent"]);
    let guest = Guest::welcome(&runtime);
    until(&["agent", "guest"]);
    drop(guest);
    until(&["agent"]);
}

#[test]
fn a_name_nobody_has_is_an_error_that_says_who_is_there() {
    let runtime = Runtime::new();
    let _agent = agent(&runtime);
    let output = runtime.run(&["events", "other"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_has(&said, "there is no session \"other\"; there are: work");
    assert!(output.stdout.is_empty());
}

#[test]
fn who_reads_no_more_ends_it_without_a_word_though_nothing_happens() {
    let runtime = Runtime::new();
    let agent = agent(&runtime);
    let mut child = runtime
        .command(&["events", "work"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    drop(stdout);
    let (_, lines) = mpsc::channel();
    let (status, said) = Events { child, lines }.ends();
    assert_eq!((status, &*said), (Some(0), ""));
    agent.gives("2", "2\n");
}

#[test]
fn it_keeps_no_session_alive_and_is_nobody_that_is_there() {
    let runtime = Runtime::new();
    let mut agent = runtime.server().args(["--session", "work", "--grace", "1s"]).start();
    agent.gives("1", "1\n");
    let events = events(&runtime);
    events.are(&[ready(), hands(Value::Null)]);
    assert_eq!(runtime.ls()[0]["clients"].as_array().unwrap().len(), 1);
    agent.hang_up();
    let mut last = events.next();
    while last["event"] == "state" {
        last = events.next();
    }
    assert_eq!(last, json!({"event": "end"}));
    assert_eq!(events.ends().0, Some(0));
    runtime.wait_until_empty();
}

#[cfg(has = "posix")]
#[test]
fn one_that_is_not_read_costs_nothing_and_is_told_that_it_missed_something() {
    let runtime = Runtime::new();
    let agent = agent(&runtime);
    let mut slow = Guest::connect(&runtime);
    let mut status = hello(&runtime);
    status["role"] = "status".into();
    slow.says(&status);
    assert_eq!(slow.hears()["type"], "welcome");
    slow.says(&json!({"type": "subscribe", "screen": false}));
    assert_eq!(slow.hears()["type"], "state");
    let cell = format!("x = 1  # {}", "x".repeat(60_000));
    for _ in 0..100 {
        agent.gives(&cell, IDLE);
    }
    agent.gives("print('last')", "last\n");
    let mut missed = 0;
    loop {
        let heard = slow.hears();
        assert!(heard["type"] != "output" && heard["type"] != "repaint", "{heard}");
        missed += usize::from(heard["type"] == "missed");
        if missed > 0 && heard["state"]["state"] == "ready" {
            break;
        }
    }
    // From here on it misses nothing.
    agent.gives("5", "5\n");
    let mut heard = slow.hears();
    while heard["type"] != "did" {
        heard = slow.hears();
    }
    assert_eq!(heard["text"], "5");
}

#[cfg(has = "posix")]
#[test]
fn a_session_elsewhere_is_heard_of_as_well() {
    let runtime = Runtime::new();
    let agent = agent(&runtime);
    let directory = std::path::Path::new(BINARY).parent().unwrap();
    let path = format!("{}:{}", directory.display(), std::env::var("PATH").unwrap());
    let mut command = runtime.command(&["events", "work", "--via", "sh -c"]);
    command.env("PATH", path);
    let events = Events::of(command);
    events.are(&[ready(), hands(Value::Null)]);
    agent.gives("2", "2\n");
    events.are(&[ran("2"), running(), ready()]);
    runtime.says(&["end", "work"]);
    let mut last = events.next();
    while last["event"] == "state" {
        last = events.next();
    }
    assert_eq!(last, json!({"event": "end"}));
    assert_eq!(events.ends().0, Some(0));
}
