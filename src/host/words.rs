//! What the engine's words are on the wire, where both have their own.

use mcp_repl_control::{Deed, SessionState};

use super::milliseconds;
use crate::{reply, session::pipeline::Standing};

/// How things stand.
pub(super) fn state(standing: Standing) -> SessionState {
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
