//! What the engine's words are on the wire, where both have their own.

use mcp_repl_control::{Decision, Deed, Hands, Needed, SessionState};

use super::milliseconds;
use crate::{
    registry::SessionName,
    reply,
    session::{client, pipeline::Standing},
};

/// How things stand.
pub(crate) fn state(standing: Standing) -> SessionState {
    match standing {
        Standing::Starting => SessionState::Starting,
        Standing::Ready => SessionState::Ready,
        Standing::Running { elapsed, client } => {
            SessionState::Running { since_ms: milliseconds(elapsed), client }
        }
        Standing::Waiting { what, client, echo } => SessionState::Waiting { what, client, echo },
        Standing::Ending => SessionState::Ending,
        Standing::Ended => SessionState::Ended,
    }
}

/// What a client did.
pub(super) fn deed(client: String, deed: &reply::Deed) -> Deed {
    let (what, text) = deed.words();
    Deed { client, what: what.into(), text: text.into() }
}

/// The longest that a client says of how people come to a session, in characters.
const LONGEST_ATTACH: usize = 1000;

/// What a person runs to come to the session of this name.
pub(super) fn attach(command: &str, name: &SessionName) -> String {
    let command: String = command.chars().take(LONGEST_ATTACH).collect();
    format!("{command} {name}")
}

/// In whose hands the session is.
pub(super) fn hands(hands: client::Hands) -> Hands {
    let client::Hands { holder, is_holder, approver, is_approver, needed, proposals } = hands;
    let needed = needed.map(|client::Needed { why, asked_by }| Needed { why, asked_by });
    Hands { holder, is_holder, approver, is_approver, needed, proposals }
}

/// What becomes of a cell.
pub(super) fn decision(decision: Decision) -> client::Decision {
    match decision {
        Decision::Run => client::Decision::Run,
        Decision::Edited(source) => client::Decision::Edited(source),
        Decision::Refused(why) => client::Decision::Refused(why),
    }
}
