//! A person in a session: their terminal is the session's, but for its prompt, where a line editor
//! is.
//!
//! ```text
//! visit    the loop: what is typed, what the session shows, what others ask of this process
//! outer    that terminal, in line with what stands there
//! plain    a terminal that prints lines and no more
//! edit_keys   which keys that has
//! external the person's own editor for a cell
//! feed     what of it the line editor is given, and when
//! given    what was typed for programs, and comes back
//! guarded  what its guard is to put back if this process is killed
//! escape_key   which key is for this process
//! keys     what is typed, taken apart: the escape key, late answers, all else
//! editor   the line editor at the prompt; the only place that names reedline
//! graphics the terminal's protocols for pictures
//! hands    in whose hands the session is, in words
//! question what is asked about an agent's cell, and which keys answer
//! questions   where the cursor is: who has asked the terminal, and for whom an answer is
//! status   the status line and the title, in words
//! told     what others do and what there is to say, in words
//! ```
//!
//! It works on a [`Handle`], whoever answers that.

mod edit_keys;
mod editor;
mod escape_key;
mod external;
mod feed;
mod given;
mod graphics;
mod guarded;
mod hands;
mod keys;
mod outer;
mod plain;
mod question;
mod questions;
mod status;
mod told;
mod visit;

use std::{io, path::PathBuf};

use tokio::sync::mpsc;

use crate::{
    pty::{self, Requests, TerminalInput},
    reply::{Exit, OUT_OF_MEMORY},
    screen::Size,
    session::client::Handle,
    terminal::{self, RawMode},
};

pub use self::{
    edit_keys::{EditKeys, EditKeysError},
    editor::Draft,
    escape_key::{EscapeKey, EscapeKeyError},
    plain::attach_plain,
};
use self::{
    editor::{Assistant, Editor, Progress, SharedHistory},
    feed::{Feed, Texts},
    questions::Settled,
    visit::Visit,
};

/// What is attached to.
#[derive(Debug)]
pub struct Attachment {
    /// The session.
    pub handle: Handle,
    /// Its name.
    pub name: String,
    /// How this client is called where the session tells others of it.
    pub client: String,
    /// Whether it was started for this, so that leaving may end it.
    pub is_own: bool,
    /// Whether the person only looks on.
    pub observes: bool,
    /// Whether pictures are shown.
    pub pictures: bool,
    /// The file of the history of cells.
    pub history: Option<PathBuf>,
    /// The key that is for this process whatever runs.
    pub escape: EscapeKey,
    /// Whether the status is shown.
    pub has_status: bool,
    /// The size that the session's terminal is to keep while the person takes part.
    pub pin: Option<Size>,
    /// The keys of the line editor.
    pub keys: EditKeys,
    /// A line that was begun, and is there again for who comes back.
    pub draft: Draft,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// The person left; the session goes on.
    Detached,
    /// The session of one's own has ended, by the person's wish or with its program.
    Ended {
        /// That program's exit status, as a shell has it.
        status: u8,
    },
    /// The person comes back to the session, and only looks on or does not.
    Rejoins {
        /// Whether they do.
        observes: bool,
    },
    /// The person wants to choose another session.
    Lists,
    /// The session is gone.
    Gone,
    /// This signal asked for it.
    Asked {
        /// Its name.
        signal: &'static str,
    },
}

/// The end of a program as this process's own exit status.
fn exit_status(exit: &Exit) -> u8 {
    match exit {
        // As a parent is told it.
        Exit::Status(status) => status.to_le_bytes()[0],
        Exit::Signal(name) => pty::killed_status(name).unwrap_or(1),
        Exit::OutOfMemory { .. } => pty::killed_status(OUT_OF_MEMORY).unwrap_or(1),
        Exit::Unknown => 1,
    }
}

/// Has the person at this process's terminal take part in a session, to be called in its event loop.
/// The terminal is put back at the end, whatever the end is.
///
/// # Errors
/// When the terminal can't be used.
pub async fn attach(attachment: &mut Attachment) -> io::Result<Left> {
    let requests = Requests::new()?.with_stop()?;
    let size = terminal::size().unwrap_or_default();
    let (handle, observes) = (attachment.handle.clone(), attachment.observes);
    let raw = RawMode::enter()?;
    let input = TerminalInput::new()?;
    let editing = match observes {
        true => None,
        false => {
            let (history, texts) =
                (SharedHistory::new(attachment.history.clone()), Texts::default());
            let (reach, reached) = mpsc::unbounded_channel();
            let settled = Settled::default();
            let feed = Feed::new(texts.clone(), reached, settled.clone())?;
            let assistant = Assistant::new(&handle);
            let keys = attachment.keys;
            let progress = Progress::new(reach, settled);
            Some((Editor::new(history.clone(), assistant, texts, progress, keys), feed, history))
        }
    };
    if !observes {
        handle.people(true);
    }
    let visit = Visit::new(attachment, editing, size, input);
    let left = visit.run(requests, &mut attachment.draft).await;
    if !observes {
        handle.people(false);
    }
    drop(raw);
    left
}
