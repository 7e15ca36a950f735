//! What the engine's words are on the wire, where both have their own.

use std::time::Duration;

use mcp_repl_control::{Decision, Hands, Member, Needed, Role, SessionInfo, SessionState};

use crate::session::{
    client::{self, Description, Present},
    pipeline::{Standing, WorkerInfo},
    rules::payload::{INTERRUPT, Keys, Payload, RESET},
};

/// A payload as the tool's arguments have it: the input, and the keys.
pub(super) fn of_payload(payload: Payload) -> (String, Vec<String>) {
    let mut controls = String::new();
    let mut rest = payload;
    loop {
        match rest {
            Payload::Text(text) if controls.is_empty() => return (text, Vec::new()),
            Payload::Text(text) => return (controls + &text, Vec::new()),
            Payload::Keys(Keys(keys)) => return (controls, keys),
            Payload::Interrupt(inner) => {
                controls.push(INTERRUPT);
                rest = *inner;
            }
            Payload::Reset(inner) => {
                controls.push(RESET);
                rest = *inner;
            }
        }
    }
}

/// What a host tells of its session, as an engine tells it.
pub(super) fn description(info: &SessionInfo) -> Description {
    let (standing, worker_pid) = (standing(&info.state), info.worker_pid);
    Description { standing, idle: Duration::ZERO, worker: worker(info), worker_pid }
}

/// How things stand.
pub(super) fn standing(state: &SessionState) -> Standing {
    match state.clone() {
        SessionState::Starting => Standing::Starting,
        SessionState::Ready => Standing::Ready,
        SessionState::Running { since_ms, client } => {
            Standing::Running { elapsed: Duration::from_millis(since_ms), client }
        }
        SessionState::Waiting { what, client, echo } => Standing::Waiting { what, client, echo },
        SessionState::Ending => Standing::Ending,
        SessionState::Ended => Standing::Ended,
    }
}

/// One who is there.
pub(super) fn present(member: Member) -> Present {
    let Member { name, role, person, own } = member;
    Present { name, looks_on: role == Role::Observer, is_person: person, is_own: own }
}

/// In whose hands the session is.
pub(super) fn hands(hands: Hands) -> client::Hands {
    let Hands { holder, is_holder, approver, is_approver, needed, proposals } = hands;
    let needed = needed.map(|Needed { why, asked_by }| client::Needed { why, asked_by });
    client::Hands { holder, is_holder, approver, is_approver, needed, proposals }
}

/// What becomes of a cell.
pub(super) fn decision(decision: client::Decision) -> Decision {
    match decision {
        client::Decision::Run => Decision::Run,
        client::Decision::Edited(source) => Decision::Edited(source),
        client::Decision::Refused(why) => Decision::Refused(why),
    }
}

/// Who the worker is; `None` while it has not said it.
fn worker(info: &SessionInfo) -> Option<WorkerInfo> {
    let (implementation, version) =
        info.interpreter.rsplit_once(' ').unwrap_or((&info.interpreter, ""));
    (!implementation.is_empty()).then(|| WorkerInfo {
        implementation: implementation.to_owned(),
        version: version.to_owned(),
        executable: info.executable.clone(),
        capabilities: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_what_the_client_wrote() {
        for text in ["", "1 + 1", "\u{3}", "\u{4}\u{3}x = 1"] {
            let payload = Payload::parse(text, Vec::new()).unwrap();
            assert_eq!(of_payload(payload), (text.to_owned(), Vec::new()));
        }
        let keys = vec!["C-d".to_owned(), "Enter".to_owned()];
        let payload = Payload::parse("", keys.clone()).unwrap();
        assert_eq!(of_payload(payload), (String::new(), keys));
    }
}
