//! Whether a call is made in a session as it is, since its client's own sandbox may have become stricter; and how
//! a session gives way to another one under that.

use std::time::Duration;

use super::live::{Link, Live};
use crate::{
    reply::Notice,
    sandbox::{Looser, Settings},
    session::rules::payload::Payload,
};

/// How long a host may take to tell who is there, which it does at once, and to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// What becomes of a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is made.
    Made,
    /// It is made in a session that takes the place of this one.
    Replaces,
    /// It is not, for this reason, in words for the agent.
    Refused(String),
}

/// What becomes of a call with this payload in a session, where no more than `wanted` is allowed.
pub(super) fn admits(live: &Live, wanted: &Settings, payload: &Payload) -> Admission {
    match live.sandbox().looser_than(wanted) {
        None => Admission::Made,
        // Nothing is in it that could be lost.
        Some(_) if !live.was_used() => Admission::Replaces,
        Some(_) if resets(payload) => Admission::Replaces,
        Some(_) if runs_nothing(payload) => Admission::Made,
        Some(looser) => Admission::Refused(stricter(&looser)),
    }
}

/// What is said of a call that would run in a session that allows more than the client's own sandbox does now.
fn stricter(looser: &Looser) -> String {
    format!(
        "[repl] the sandbox of this client is stricter now than the session's ({looser}). \"\\u0004\" starts a \
         fresh session under it; an empty `input` shows what this one printed. Nothing was run."
    )
}

/// What is said where a session that was opened for the client's sandbox is looser all the same.
pub(super) const LOOSER: &str = "[repl] the session there is allows more than the sandbox of this client. \
                                 Nothing was run.";

/// What is sent to the session that takes another one's place: what stands behind the reset.
pub(super) fn rest(payload: Payload) -> Payload {
    match payload {
        Payload::Reset(rest) => *rest,
        Payload::Interrupt(rest) if resets(&rest) => self::rest(*rest),
        payload => payload,
    }
}

/// What the first reply of a session begins with whose sandbox the server's instructions do not tell.
pub(super) fn notice(sandbox: &Settings, is_clients: bool) -> Notice {
    Notice::Sandbox { mode: sandbox.mode, network: sandbox.network, is_clients }
}

/// Whether it ends the session that there is, before anything else is sent.
fn resets(payload: &Payload) -> bool {
    match payload {
        Payload::Reset(_) => true,
        Payload::Interrupt(rest) => resets(rest),
        Payload::Text(_) | Payload::Keys(_) => false,
    }
}

/// Whether it asks for what was printed, or stops what runs, and no more.
fn runs_nothing(payload: &Payload) -> bool {
    match payload {
        Payload::Text(text) => text.is_empty(),
        Payload::Interrupt(rest) => runs_nothing(rest),
        Payload::Keys(_) | Payload::Reset(_) => false,
    }
}

/// Ends a session in whose place another one comes. One that was asked for by its name is left to the others who
/// use it.
///
/// # Errors
/// In words for the agent: it can't be ended.
pub(super) async fn give_way(live: &Live, is_named: bool) -> Result<(), String> {
    let Some(Link { welcome, connection }) = &live.session.link else {
        live.session.handle.shutdown();
        return Ok(());
    };
    if is_named {
        let told = tokio::time::timeout(PATIENCE, connection.describe()).await;
        let others = told.ok().flatten().map_or(0, |told| told.clients.len().saturating_sub(1));
        if others > 0 {
            return Err(format!(
                "others use the session {:?}, which allows more than the sandbox of this client: take another \
                 `session`",
                welcome.session
            ));
        }
    }
    live.session.handle.shutdown();
    // One that does not end is left, and another one started beside it.
    let _ = tokio::time::timeout(PATIENCE, connection.ended()).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::rules::payload::Keys;

    #[test]
    fn a_poll_and_an_interrupt_run_nothing() {
        let parse = |text: &str| Payload::parse(text, Vec::new()).unwrap();
        for text in ["", "\u{3}", "\u{3}\u{3}"] {
            assert!(runs_nothing(&parse(text)) && !resets(&parse(text)), "{text:?}");
        }
        for text in ["\u{4}", "\u{4}x", "\u{3}\u{4}", "\u{4}\u{3}x"] {
            assert!(resets(&parse(text)) && !runs_nothing(&parse(text)), "{text:?}");
        }
        for (text, left) in [("\u{4}x", "x"), ("\u{3}\u{4}", ""), ("\u{3}x", "\u{3}x"), ("x", "x")]
        {
            assert_eq!(rest(parse(text)), parse(left));
        }
        for payload in [parse("x"), parse("\n"), parse("\u{3}x"), Payload::Keys(Keys(vec![]))] {
            assert!(!resets(&payload) && !runs_nothing(&payload), "{payload:?}");
        }
    }
}
