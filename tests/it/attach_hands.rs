//! `mcp-repl attach`: a person takes a session over, gives it back, and decides on an agent's cells.
#![cfg(has = "person")]

use serde_json::json;

use crate::support::{IDLE, Lifeline, Runtime, Server, Terminal, assert_has, assert_has_not};

const TAKE_OR_GIVE: &str = "\x1dt";
const APPROVE: &str = "\x1da";
/// What asks for the person's word.
const ASKS: &str = "[repl] Enter runs it, e edits it, x refuses it";

/// An agent and a person in one session, whose word each cell of the agent waits for.
#[track_caller]
fn approving(runtime: &Runtime) -> (Server, Terminal) {
    let (agent, mut person) = runtime.agent_and_person();
    person.types(APPROVE);
    person.ends_with("waits for your word; Ctrl-] a ends that\n>>>");
    (agent, person)
}

#[test]
fn what_the_agent_sends_waits_until_the_session_is_given_back() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_person();
    person.types("half");
    person.ends_with(">>> half");
    person.types(TAKE_OR_GIVE);
    let taken = "[repl] you have taken over; the agent's calls wait. Ctrl-] t gives back\n";
    person.ends_with(&format!("{taken}>>> half"));
    let call = agent.begin("print('from the agent'); x");
    person.types("\x03");
    person.runs("x = 7");
    person.is_at_prompt();
    assert_has_not(&person.page(), "from the agent");
    person.types(TAKE_OR_GIVE);
    person.shows("[repl] given back; the agent's calls go on\n");
    let told = call.text();
    assert_has(&told, "from the agent\n7\n");
    assert_has(&told, "gave the session back");
    person.ends_with("from the agent\n7\n>>>");
}

#[test]
fn it_is_taken_over_while_a_program_runs_and_another_person_sees_it() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_person();
    let mut other = runtime.attach(&[]);
    other.is_at_prompt();
    let mut line = Lifeline::lay(&agent);
    let _held = agent.begin("_ = line.send(b'!'), line.recv(1)");
    line.hears("!");
    // In each encoding of the escape key.
    for (escape, said) in [("\x1b[93;5u", "you have taken over"), ("\x1b[27;5;93~", "given back")] {
        person.types(&format!("{escape}t"));
        person.shows(said);
    }
    person.types(TAKE_OR_GIVE);
    other.shows_when("the other one to have it again", |page| {
        page.matches("has taken over; the agent's calls wait").count() == 2
    });
    // Who comes later is told as well, and who goes has given it back.
    let mut third = runtime.attach(&["--observe"]);
    third.shows("has taken over; the agent's calls wait");
    other.types(TAKE_OR_GIVE);
    person.shows("has taken over from you");
    other.types("\x1dd");
    assert_eq!(other.ends().0, 0);
    person.shows("has given the session back");
}

#[test]
fn a_cell_of_the_agent_runs_when_the_person_says_so() {
    let runtime = Runtime::new();
    let (agent, mut person) = approving(&runtime);
    person.types("half");
    person.ends_with(">>> half");
    let call = agent.begin("for n in range(2):\n    print('n', n, '\x1b[31m')");
    person.ends_with(ASKS);
    let page = person.page();
    assert_has(&page, "\n[agent] wants to run:\n>>> for n in range(2):\n");
    assert_has(&page, "...     print('n', n, '\\u{1b}[31m')\n");
    assert_has_not(&page, "n 0");
    person.types("\r");
    assert_has(&call.text(), "n 0 \nn 1 \n");
    // The line is there again.
    person.ends_with(">>> half");
    person.types("\x03");
    // Their own cells run at once.
    person.runs("6 * 7");
    person.ends_with("\n42\n>>>");
    person.types(APPROVE);
    person.shows("[repl] the agent's cells run without your word");
    agent.gives_part("6 * 8", "48\n");
}

#[test]
fn a_cell_is_edited_before_it_runs() {
    let runtime = Runtime::new();
    let (agent, mut person) = approving(&runtime);
    person.types("half");
    person.ends_with(">>> half");
    let call = agent.begin("print('one'");
    person.shows("wants to run:");
    person.types(" before\r");
    person.ends_with(ASKS);
    person.types("e");
    person.ends_with("\n>>> print('one'");
    // It stays as it was.
    person.types(" + 'not this'\x03");
    person.shows_when("the question again", |page| {
        page.matches("wants to run:").count() == 2 && page.ends_with(ASKS)
    });
    person.types("e");
    person.ends_with("leaves it as it was\n>>> print('one'");
    person.types(" + 'two')\r");
    let told = call.text();
    assert_has(&told, "changed the cell to:\n");
    assert_has(&told, "print('one' + 'two')\n");
    assert_has(&told, "onetwo\n");
    // What was typed before it was asked is for the person's own line.
    person.shows(">>> half before\n");
    person.shows("SyntaxError");
}

#[test]
fn a_cell_is_refused_with_a_line_for_the_agent() {
    let runtime = Runtime::new();
    let (agent, mut person) = approving(&runtime);
    let call = agent.begin("x = 1");
    person.ends_with(ASKS);
    person.types("xnot thiss\x7f\r");
    person.ends_with("may be empty): not this\n>>>");
    assert_has(&call.error(), "refused the cell; nothing was run: not this\n");
    let call = agent.begin("x = 2");
    person.ends_with(ASKS);
    person.types("x\r");
    assert_has(&call.error(), "refused the cell; nothing was run\n");
    person.runs("'x' in globals()");
    person.ends_with("\nFalse\n>>>");
}

#[test]
fn cells_are_asked_about_one_after_the_other_and_one_that_is_withdrawn_is_gone() {
    let runtime = Runtime::new();
    let (agent, mut person) = approving(&runtime);
    let other = runtime.server().client("second").args(["--session", "work"]).start();
    let first = agent.begin("print('first')");
    person.ends_with(ASKS);
    let second = other.begin("print('second')");
    // It has arrived when this is answered.
    other.request("ping", &json!({}));
    person.ends_with(&format!("{ASKS} (1 more waits)"));
    person.types("\r");
    assert_has(&first.text(), "first\n");
    person.shows("[second] wants to run:\n>>> print('second')\n");
    person.ends_with(ASKS);
    other.notify("notifications/cancelled", &json!({"requestId": second.id}));
    person.ends_with("[repl] the cell was withdrawn\n>>>");
    // While it is edited, too; the person's own line comes back.
    person.types("half");
    person.ends_with(">>> half");
    let third = other.begin("print('third')");
    person.ends_with(ASKS);
    person.types("e");
    person.ends_with(">>> print('third')");
    other.notify("notifications/cancelled", &json!({"requestId": third.id}));
    person.ends_with("[repl] the cell was withdrawn\n>>> half");
    assert_eq!(person.page().matches("second\n").count(), 0);
}

#[test]
fn what_a_program_prints_stands_above_what_asks() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_person();
    let mut line = Lifeline::lay(&agent);
    agent.gives(
        "import threading\nthreading.Thread(target=lambda: [line.recv(1), print('line\\n50 %', \
         end='', flush=True), line.recv(1), print(' done')]).start()",
        IDLE,
    );
    person.types(APPROVE);
    person.ends_with("ends that\n>>>");
    let call = agent.begin("6 * 7");
    person.ends_with(ASKS);
    line.release();
    person.ends_with(&format!(">>> 6 * 7\nline\n50 %\n{ASKS}"));
    line.release();
    person.ends_with(&format!(">>> 6 * 7\nline\n50 % done\n{ASKS}"));
    person.types("xwhy");
    person.ends_with("done\n[repl] refused; why (for the agent, may be empty): why");
    person.types("\x03");
    person.ends_with(&format!("done\n{ASKS}"));
    person.types("\r");
    assert_has(&call.text(), "42\n");
}

#[test]
fn what_is_typed_before_it_is_asked_is_no_answer() {
    let runtime = Runtime::new();
    let (agent, mut person) = approving(&runtime);
    let call = agent.begin("print('from the agent')");
    person.shows("wants to run:");
    // Before what asks stands there.
    person.types("\rhalf");
    person.ends_with(ASKS);
    assert_has_not(&person.page(), "from the agent\n");
    // What is pasted is none either, nor are other keys.
    person.types("\x1b[200~ex\x1b[201~\x1b[A q");
    person.types("xwait\x1b[200~,\rplease\x1b[201~");
    person.ends_with("wait, please");
    person.types("\r");
    assert_has(&call.error(), "nothing was run: wait, please\n");
    person.ends_with(">>> halfex");
}

#[test]
fn a_person_who_is_needed_hears_it_and_the_agent_waits_for_them() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_person();
    let bells = |person: &Terminal| person.bytes.iter().filter(|&&byte| byte == 7).count();
    assert_eq!(bells(&person), 0);
    let call = agent.call(&json!({"input": "", "person": "log in\x1b[2J to the site"}));
    assert_has(&call.text(), "mcp-repl attach work");
    let asked = "[repl] agent asks for a person: log in";
    person.shows(asked);
    person.shows("; Ctrl-] t when done\n>>>");
    assert_eq!(bells(&person), 1);
    // Who comes later is told, too.
    let mut other = runtime.attach(&[]);
    other.shows(asked);
    other.is_at_prompt();
    assert_eq!(bells(&other), 1);
    let waits = agent.begin("");
    person.runs("done = True");
    person.is_at_prompt();
    person.types(TAKE_OR_GIVE);
    assert_has(&waits.text(), "gave the session back");
    person.shows("\n[repl] done; agent is told so\n>>>");
    agent.gives_part("done", "True\n");
}

#[test]
fn a_secret_that_a_person_types_goes_to_the_program_alone_and_the_agent_goes_on() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_person();
    let asked = agent.repl("import getpass\ntoken = getpass.getpass('token? ')");
    assert_has(&asked, "mcp-repl attach work");
    // The question stands below again.
    person.shows("[repl] agent asks for a person: ");
    person.ends_with("\ntoken?");
    let waits = agent.begin("");
    person.types("hunter2\r");
    let told = waits.text();
    assert_has(&told, " answered\n");
    assert_has_not(&told, "hunter2");
    person.is_at_prompt();
    assert_has_not(&String::from_utf8_lossy(&person.bytes), "hunter2");
    assert_has(&agent.repl("len(token)"), "7\n");
}

#[test]
fn no_line_stands_over_a_full_screen_program_and_its_bell_is_heard() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_person();
    person.types(
        "import sys; p = sys.stdout.write; _ = p('\\033[?1049h\\033[2J\\033[5;9Hfull screen'), \
         input(), p('\\033[7;9Hgoes on'), input(), p('\\033[?1049l')\r",
    );
    person.shows("        full screen");
    agent.call(&json!({"input": "", "person": "look at this"})).text();
    person.types("\r");
    person.shows("        goes on");
    assert_eq!(person.bytes.iter().filter(|&&byte| byte == 7).count(), 1);
    person.types(TAKE_OR_GIVE);
    person.types("\r");
    person
        .ends_with("[repl] you have taken over; the agent's calls wait. Ctrl-] t gives back\n>>>");
    assert_has_not(&person.page(), "asks for a person");
}
