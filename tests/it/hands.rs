//! People and agents in one session: taking it over, a person who is needed, cells that wait for
//! approval. The agent is a real MCP server; the person a peer of the control socket.
#![cfg(has = "posix")]

use serde_json::{Value, json};

use crate::support::{Guest, IDLE, Runtime, Server, assert_has, assert_has_not, hello, text_of};

/// A person at a session, who sees all.
struct Person {
    guest: Guest,
    /// What the terminal has shown.
    seen: Vec<u8>,
    /// All else that was said.
    told: String,
    calls: u64,
}

impl Person {
    /// One of this name, who is there, and looks on.
    #[track_caller]
    fn attach(runtime: &Runtime, name: &str) -> Person {
        let mut guest = Guest::connect(runtime);
        let mut hello = hello(runtime);
        hello["name"] = json!(name);
        guest.says(&hello);
        let mut person = Person { guest, seen: Vec::new(), told: String::new(), calls: 0 };
        person.says(&json!({"type": "people", "attached": true}));
        person.says(&json!({"type": "subscribe"}));
        person.hears("hands", |_| true);
        person
    }

    fn says(&mut self, message: &Value) {
        assert!(self.guest.says(message));
    }

    #[track_caller]
    fn hears(&mut self, kind: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let message = self.guest.hears_of(kind, &mut self.seen, is_it);
        self.told.push_str(&message.to_string());
        message
    }

    /// Takes the session over, or gives it back, and hears that it is so.
    #[track_caller]
    fn holds(&mut self, on: bool) {
        self.says(&json!({"type": "hold", "on": on}));
        self.hears("hands", |hands| hands["is_holder"] == json!(on));
    }

    /// Runs a cell to its end.
    #[track_caller]
    fn runs(&mut self, input: &str) {
        self.calls += 1;
        let id = self.calls;
        self.says(&json!({"type": "call", "id": id, "input": input, "timeout_ms": 60_000}));
        self.hears("reply", |reply| reply["id"] == json!(id));
        self.says(&json!({"type": "told", "id": id}));
    }

    fn types(&mut self, keys: &str) {
        self.says(&json!({"type": "type", "length": keys.len()}));
        assert!(self.guest.writes(keys.as_bytes()));
    }

    #[track_caller]
    fn is_proposed(&mut self, source: &str) -> u64 {
        let proposed = self.hears("proposed", |proposed| proposed["source"] == json!(source));
        proposed["id"].as_u64().unwrap()
    }

    fn decides(&mut self, id: u64, decision: &Value) {
        self.says(&json!({"type": "decide", "id": id, "decision": decision}));
    }
}

/// An agent in a session `work`, and a person.
#[track_caller]
fn two(runtime: &Runtime) -> (Server, Person) {
    let agent = runtime.agent();
    agent.still_works();
    let person = Person::attach(runtime, "wolf");
    (agent, person)
}

/// How a person comes to the session.
fn attach_command(runtime: &Runtime) -> String {
    format!("`MCP_REPL_RUNTIME_DIR={} mcp-repl attach work`", runtime.path().display())
}

#[test]
fn an_agents_cell_waits_until_the_session_is_given_back() {
    let runtime = Runtime::new();
    let (agent, mut wolf) = two(&runtime);
    agent.gives("ran = []", IDLE);
    wolf.holds(true);
    let waits = "[repl] wolf has taken over the session; your cell waits and runs after that; an \
                 empty input waits for it\n";
    assert_eq!(agent.repl_with("ran.append(1); ran", 0), waits);
    wolf.runs("ran.append(0)");
    let poll = agent.begin("");
    wolf.holds(false);
    let told = poll.text();
    assert_has(&told, "[repl] wolf gave the session back\n");
    assert!(told.ends_with("[0, 1]\n"), "{told}");
    agent.gives("ran", "[0, 1]\n");
}

#[test]
fn a_connection_that_breaks_gives_the_session_back() {
    let runtime = Runtime::new();
    let (agent, mut wolf) = two(&runtime);
    let mut anna = Person::attach(&runtime, "anna");
    wolf.holds(true);
    anna.hears("hands", |hands| hands["holder"] == json!("wolf"));
    let other = runtime.server().client("other").args(["--session", "work"]).start();
    let calls = [agent.begin("'mine'"), other.begin("'theirs'")];
    drop(wolf);
    anna.hears("hands", |hands| hands["holder"].is_null());
    for (call, value) in calls.into_iter().zip(["'mine'\n", "'theirs'\n"]) {
        assert_has(&call.text(), value);
    }
}

#[test]
fn an_answer_waits_too_and_is_no_cell_when_what_it_was_for_is_over() {
    let runtime = Runtime::new();
    let (agent, mut wolf) = two(&runtime);
    assert_has(&agent.repl("name = input('name? ')"), "name? ");
    wolf.holds(true);
    let told = agent.repl_with("1 / 0", 0);
    assert_has(&told, "[repl] wolf has taken over the session: what you sent was not typed");
    wolf.types("Bob\r");
    wolf.hears("state", |state| state["state"]["state"] == "ready");
    wolf.holds(false);
    agent.gives_part("name", "'Bob'\n");
}

/// What is in files below the run-time directory's place and the session's.
fn kept(runtime: &Runtime) -> String {
    let mut kept = String::new();
    let mut places = vec![runtime.path().parent().unwrap().to_owned()];
    while let Some(place) = places.pop() {
        for entry in std::fs::read_dir(place).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                places.push(entry.path());
            } else if kind.is_file() {
                kept.push_str(&String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()));
            }
        }
    }
    kept
}

#[test]
fn a_secret_is_typed_by_a_person_whom_the_agent_waits_for() {
    let runtime = Runtime::new();
    let (agent, mut wolf) = two(&runtime);
    let shell = "import subprocess\nsubprocess.run(['sh', '-c', 'printf \"Pass: \"; stty -echo; \
                 read x; stty echo; echo; echo length ${#x}'])";
    for cell in ["import getpass\nlen(getpass.getpass('Token: '))", shell] {
        let asked = agent.repl(cell);
        assert_has(&asked, " asks for what is not shown as it is typed");
        assert_has(&asked, &attach_command(&runtime));
        let hands = wolf.hears("hands", |hands| !hands["needed"].is_null());
        assert_eq!(hands["needed"]["asked_by"], "agent");
        // It is still so.
        assert_has(&agent.repl_with("", 1), "asks for what is not shown");
        // It waits.
        let arguments = json!({"name": "repl", "arguments": {}, "_meta": {"progressToken": 1}});
        let poll = agent.send_request("tools/call", &arguments);
        agent.notification("notifications/progress");
        wolf.types("hunter2-secret\r");
        wolf.hears("hands", |hands| hands["needed"].is_null());
        wolf.hears("state", |state| state["state"]["state"] == "ready");
        let told = text_of(&agent.answer(&json!(poll)));
        assert_has(&told, "[repl] wolf answered\n");
        assert_has(&told, "14\n");
        let others = agent.poll() + &told + &asked + &wolf.told + &kept(&runtime);
        assert_has_not(&others, "hunter2");
        assert_has_not(&String::from_utf8_lossy(&wolf.seen), "hunter2");
    }
}

#[test]
fn an_agent_asks_for_a_person_and_waits_until_they_give_it_back() {
    let runtime = Runtime::new();
    let (agent, mut wolf) = two(&runtime);
    let ask = json!({"input": "x = 1", "person": "log in"});
    let told = agent.call(&ask).text();
    assert_has(&told, "[repl] a person is asked for (log in); they come with ");
    assert_has(&told, &attach_command(&runtime));
    let hands = wolf.hears("hands", |hands| !hands["needed"].is_null());
    assert_eq!(hands["needed"], json!({"why": "log in", "asked_by": "agent"}));
    let poll = agent.begin("");
    wolf.runs("x += 1");
    wolf.says(&json!({"type": "hold", "on": false}));
    wolf.hears("hands", |hands| hands["needed"].is_null());
    assert_has(&poll.text(), "[repl] wolf gave the session back\n");
    agent.gives("x", "2\n");
    // In a session of the server's own nobody can come, and nothing waits.
    let alone = Server::start();
    let told = alone.call(&json!({"person": "log in"})).text();
    assert_has(&told, "[repl] no person can come to this session");
    alone.gives("", IDLE);
    let asked = alone.repl("import getpass\nlen(getpass.getpass('Token: '))");
    assert_has_not(&asked, "[repl]");
    let asked_again = alone.poll();
    assert_has(&asked_again, "waiting for input");
    alone.gives_part("secret", "6\n");
}

#[test]
fn cells_are_approved_changed_and_refused() {
    let runtime = Runtime::new();
    let (agent, mut wolf) = two(&runtime);
    wolf.says(&json!({"type": "approve", "on": true}));
    wolf.hears("hands", |hands| hands["is_approver"] == json!(true));
    let call = agent.begin("'as it is'");
    let id = wolf.is_proposed("'as it is'");
    wolf.decides(id, &json!("run"));
    wolf.hears("settled", |settled| settled["id"] == json!(id));
    assert_eq!(call.text(), "'as it is'\n");
    let call = agent.begin("'bad'");
    let id = wolf.is_proposed("'bad'");
    wolf.decides(id, &json!({"edited": "'good'"}));
    assert_eq!(call.text(), "[repl] wolf changed the cell to:\n>>> 'good'\n'good'\n");
    let call = agent.begin("x = 1");
    let id = wolf.is_proposed("x = 1");
    wolf.decides(id, &json!({"refused": "not now"}));
    let refused = call.answer();
    assert_eq!(refused["result"]["isError"], json!(true));
    let told = "[repl] wolf refused the cell; nothing was run: not now\n";
    assert_eq!(refused["result"]["content"][0]["text"], told);
    // One whose time is up waits on.
    let told = agent.repl_with("'later'", 0);
    assert_eq!(told, "[repl] your cell waits until wolf approves; an empty input waits for it\n");
    let id = wolf.is_proposed("'later'");
    let poll = agent.begin("");
    wolf.decides(id, &json!("run"));
    assert_has(&poll.text(), "'later'\n");
    // Nobody approves any more.
    let call = agent.begin("y = 1");
    wolf.is_proposed("y = 1");
    drop(wolf);
    let told = call.answer()["result"]["content"][0]["text"].as_str().unwrap().to_owned();
    assert_has(&told, "[repl] not run: wolf, who was to approve the cell, no longer does");
    agent.gives("'x' in vars(), 'y' in vars()", "(False, False)\n");
}
