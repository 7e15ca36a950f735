//! The door to a running session: what a client holds to make calls.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::reply::Reply;

/// One call of a client.
#[derive(Debug)]
pub struct Request {
    /// The payload: a cell, an answer, a control character, or nothing for a poll.
    pub input: String,
    /// Keys to be typed instead, each a name as `tmux send-keys` has it, or text.
    pub keys: Vec<String>,
    /// How long the caller waits.
    pub timeout: Duration,
    /// Where to send the last line on the screen while the call waits, at most one a second.
    pub progress: Option<mpsc::UnboundedSender<String>>,
}

/// What a handle says to the engine.
#[derive(Debug)]
pub enum Command {
    /// Make a call. Dropping the receiver ends the wait, not the work.
    Call {
        /// The call.
        request: Request,
        /// Where its reply goes.
        reply: oneshot::Sender<Reply>,
    },
    /// People have attached, or the last one has left.
    People {
        /// Whether there is one.
        attached: bool,
    },
    /// End the session and the engine.
    Shutdown,
}

/// A handle on a running session. Clones make calls on the same one.
#[derive(Debug, Clone)]
pub struct Handle {
    commands: mpsc::UnboundedSender<Command>,
}

impl Handle {
    /// A handle, and the engine's end of it.
    pub fn new() -> (Handle, mpsc::UnboundedReceiver<Command>) {
        let (commands, receiver) = mpsc::unbounded_channel();
        (Handle { commands }, receiver)
    }

    /// Makes a call and waits for its reply; `None` when the session's engine is gone.
    ///
    /// Dropping the future ends the wait and frees the way at once; what the call started
    /// goes on.
    pub async fn call(&self, request: Request) -> Option<Reply> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Call { request, reply }).ok()?;
        answer.await.ok()
    }

    /// Tells whether people are attached to the session's terminal: pagers are left to them.
    pub fn people(&self, attached: bool) {
        let _ = self.commands.send(Command::People { attached });
    }

    /// Asks the engine to end the worker and itself.
    pub fn shutdown(&self) {
        let _ = self.commands.send(Command::Shutdown);
    }
}
