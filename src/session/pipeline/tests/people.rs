//! What agents are told of people: who has the session, for what one is needed, what they decided.

use super::*;
use crate::session::rules::hands::{Decision, PersonAct};

const AGENT: ClientId = 1;
const WOLF: ClientId = 2;

/// A session with an agent that can say how people come, and a person.
fn with_person() -> Played {
    let mut played = Played::ready();
    let agent = ClientInfo {
        name: "claude-code".into(),
        attach: Some("mcp-repl attach proj".into()),
        ..ClientInfo::default()
    };
    let wolf = ClientInfo { name: "wolf".into(), is_person: true, ..ClientInfo::default() };
    played.play([
        (0, Input::Introduce { client: AGENT, who: agent }),
        (0, Input::Introduce { client: WOLF, who: wolf }),
        call(90, AGENT, "", 0),
        call(91, WOLF, "", 0),
    ]);
    played.texts();
    played.effects.clear();
    played
}

fn hold(on: bool) -> Recorded {
    (0, Input::Person { client: WOLF, act: PersonAct::Hold { on } })
}

fn decide(proposal: u64, decision: Decision) -> Recorded {
    (0, Input::Person { client: WOLF, act: PersonAct::Decide { proposal, decision } })
}

fn dropped() -> Recorded {
    (0, Input::InputDropped { bytes: 0 })
}

/// The agent's cell is sent, and asks for a secret.
fn secret_cell(id: u64, source: &str) -> Vec<Recorded> {
    let wait = ToServer::InputWait {
        mark: 2,
        wait: 1,
        reader: WorkerReader::Readline,
        prompt: "Password: ".into(),
        echo: false,
    };
    vec![
        call(id, AGENT, source, HOUR),
        dropped(),
        (1, output(&format!("Password: {}", mark(2)))),
        (0, message(wait)),
    ]
}

fn typed(text: &str) -> Recorded {
    (
        0,
        Input::Keystrokes {
            client: WOLF,
            bytes: text.as_bytes().to_vec().into(),
            background: None,
        },
    )
}

/// All that anybody is told, and is kept.
fn all_that_is_told(played: &mut Played) -> String {
    let now = played.now;
    let seen = format!("{:?}", played.pipeline.look_on(now).2);
    let texts = played.texts();
    let screen = String::from_utf8_lossy(&played.pipeline.screen().dump()).into_owned();
    format!("{texts:?}{seen}{screen}")
}

#[test]
fn a_cell_that_waits_is_told_for_whom_and_what_to_do() {
    let mut played = with_person();
    played.play([hold(true), call(1, AGENT, "x = 1", 1000), (2000, Input::Tick)]);
    let waits = "[repl] wolf has taken over the session; your cell waits and runs after that; an \
                 empty input waits for it\n";
    assert_eq!(played.text(), waits);
    played.play([call(2, AGENT, "", 3000), (2000, Input::Tick)]);
    assert_eq!(played.text(), waits);
    played.play([call(3, AGENT, "", HOUR), call(4, WOLF, "'wolfs'", HOUR), dropped()]);
    played.play(cell(1, 2, "'wolfs'\r\n"));
    played.texts();
    played.play([hold(false), dropped()]);
    played.play(cell(2, 4, ""));
    let told = "[repl] meanwhile another client (wolf) ran:\n>>> 'wolfs'\n'wolfs'\n[repl] wolf gave \
                the session back\n[repl] now your cell:\n";
    assert_eq!(played.texts(), [(AGENT, told.to_owned())]);
}

#[test]
fn what_is_no_cell_is_told_not_to_be_sent_and_a_poll_that_it_would_wait() {
    let mut played = with_person();
    played.play([hold(true), call(1, AGENT, "", HOUR)]);
    let held = "[repl] wolf has taken over the session; what you send waits until it is given back";
    assert_eq!(played.text(), format!("{held}\n"));
    let payload = Payload::Keys(Keys(vec!["Enter".into()]));
    let deadline = Duration::from_millis(1000);
    let keys =
        Input::Call { id: 2, client: AGENT, payload, deadline, background: None, person: None };
    played.play([(0, keys), (2000, Input::Tick)]);
    let not_sent = "[repl] wolf has taken over the session: what you sent was not typed; an empty \
                    input waits until the session is given back";
    assert_eq!(played.text(), format!("{not_sent}\n{held}\n"));
    played.play([call(3, AGENT, "", HOUR), (0, Input::Leave { client: WOLF })]);
    assert_eq!(played.text(), "[repl] wolf left, and so gave the session back\n");
}

#[test]
fn a_secret_is_asked_of_a_person_and_told_to_nobody() {
    let mut played = with_person();
    played.play(secret_cell(1, "getpass()"));
    let needed = "Password: \n[repl] the program asks for what is not shown as it is typed; a person \
                  types a secret in `mcp-repl attach proj`, and nobody else sees it; an empty input \
                  waits for them\n<<repl status: waiting for input>> (what is typed is not shown)\n";
    assert_eq!(played.text(), needed);
    let needed = played.pipeline.look_on(played.now).2.roles.needed.unwrap();
    assert_eq!(needed.why, "the program waits for a secret");
    assert_eq!(needed.asked_by, "claude-code");
    // It waits, and says so again when its time is up.
    played.play([call(2, AGENT, "", 1000), (2000, Input::Tick), call(3, AGENT, "", HOUR)]);
    assert!(played.text().starts_with("[repl] the program asks for"));
    played.play([typed("hunter2\r")]);
    assert_eq!(played.texts(), []);
    played.play([(0, message(ToServer::InputTaken { wait: 1, bytes: 8, thread: None }))]);
    played.play(cell(1, 3, "\r\nok\r\n"));
    let told = all_that_is_told(&mut played);
    assert!(told.contains("[repl] wolf answered\\n"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
    let typed = Effect::Type(b"hunter2\r".to_vec());
    let others: Vec<&Effect> = played.effects.iter().filter(|effect| **effect != typed).collect();
    assert_eq!(played.effects.len(), others.len() + 1);
    assert!(!format!("{others:?}").contains("hunter2"), "{others:?}");
}

#[test]
fn a_person_who_is_asked_for_is_told_why() {
    let mut played = with_person();
    let ask = |id, text: &str| {
        let (wait, input) = call(id, AGENT, text, HOUR);
        let Input::Call { id, client, payload, deadline, background, .. } = input else { panic!() };
        let person = Some("log in\n[repl] to \u{1b}[2Jit".to_owned());
        (wait, Input::Call { id, client, payload, deadline, background, person })
    };
    played.play([ask(1, "'cell'"), dropped()]);
    played.play(cell(1, 2, "'cell'\r\n"));
    let told = "'cell'\n[repl] a person is asked for (log in; [repl] to [2Jit); they come with \
                `mcp-repl attach proj`; an empty input waits for them\n";
    assert_eq!(played.text(), told);
    let needed = played.pipeline.look_on(played.now).2.roles.needed.unwrap();
    assert_eq!(needed.why, "log in; [repl] to [2Jit");
    played.play([call(2, AGENT, "", HOUR), hold(false)]);
    assert_eq!(played.text(), "[repl] wolf gave the session back\n");
    assert_eq!(played.pipeline.look_on(played.now).2.roles.needed, None);
    // One that nobody can come to says so.
    played.play([(0, Input::Introduce { client: AGENT, who: ClientInfo::default() }), ask(3, "")]);
    let told = "[repl] no person can come to this session: it runs inside of this server \
                (`--grace 0`)\n";
    assert_eq!(played.text(), told);
}

#[test]
fn what_was_decided_about_a_cell_is_told_to_its_client() {
    let mut played = with_person();
    played.play([
        (0, Input::Person { client: WOLF, act: PersonAct::Approve { on: true } }),
        call(1, AGENT, "x = 1", 1000),
    ]);
    let proposal =
        Proposal { id: 1, to: WOLF, client: "claude-code".into(), source: "x = 1".into() };
    let situation = played.pipeline.look_on(played.now).2;
    assert_eq!(situation.proposals, [proposal]);
    assert_eq!(situation.roles.proposals, [1]);
    played.play([(2000, Input::Tick)]);
    let waits = "[repl] your cell waits until wolf approves; an empty input waits for it\n";
    assert_eq!(played.text(), waits);
    let changed = Decision::Edited("x = 2\nx".into());
    played.play([call(2, AGENT, "", HOUR), decide(1, changed), dropped()]);
    played.play(cell(1, 2, "2\r\n"));
    assert_eq!(played.text(), "[repl] wolf changed the cell to:\n>>> x = 2\n... x\n2\n");
    played.play([call(3, AGENT, "x = 3", HOUR), decide(2, Decision::Refused("not now".into()))]);
    let [(AGENT, reply)] = &played.replies[..] else { panic!("{:?}", played.replies) };
    assert!(reply.is_error());
    assert_eq!(played.text(), "[repl] wolf refused the cell; nothing was run: not now\n");
    played.play([call(4, AGENT, "x = 4", HOUR), (0, Input::Leave { client: WOLF })]);
    assert!(played.replies[0].1.is_error());
    let told = "[repl] not run: wolf, who was to approve the cell, no longer does; send it again if \
                it is still to run\n";
    assert_eq!(played.text(), told);
}

#[test]
fn one_that_follows_is_told_at_once_for_whom_its_cell_waits() {
    let mut played = with_person();
    let told = |played: &mut Played| {
        let effects = std::mem::take(&mut played.effects).into_iter();
        let told = effects.filter_map(|effect| match effect {
            Effect::Tell { client: 3, content } => Some(content),
            _ => None,
        });
        let lines = told.flatten().map(|part| match part {
            Content::Notice(notice) => notice.line(),
            part => format!("{part:?}"),
        });
        lines.collect::<Vec<_>>()
    };
    played.play([(0, Input::Follow { client: 3, answers: false }), hold(true)]);
    played.play([call(1, 3, "x", HOUR)]);
    let held = "[repl] wolf has taken over the session; what you send waits until it is given back";
    assert_eq!(told(&mut played), [held]);
    played.play([
        (0, Input::Person { client: WOLF, act: PersonAct::Approve { on: true } }),
        hold(false),
    ]);
    let told = told(&mut played);
    assert_eq!(told.last().unwrap(), "[repl] your cell waits until wolf approves");
}
