//! A person in a session: their terminal is the session's, but for its prompt, where a line editor
//! is.
//!
//! ```text
//! visit    the loop: what is typed, what the session shows, what others ask of this process
//! outer    that terminal, in line with what stands there
//! keys     what is typed, taken apart: the escape key, late answers, all else
//! editor   the line editor at the prompt; the only place that names reedline
//! graphics the terminal's protocols for pictures
//! told     what others do and what there is to say, in words
//! ```
//!
//! It works on a [`Handle`], whoever answers that.

mod editor;
mod graphics;
mod keys;
mod outer;
mod told;
mod visit;

use std::{io, path::PathBuf};

use crate::{
    pty::{Requests, TerminalInput},
    session::client::Handle,
    terminal::{self, RawMode},
};

use self::{
    editor::{Assistant, Editor, SharedHistory},
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
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// The person left; the session goes on.
    Detached,
    /// The person ended the session.
    Ended,
    /// The session is gone.
    Gone,
    /// This signal asked for it.
    Asked {
        /// Its name.
        signal: &'static str,
    },
}

/// Has the person at this process's terminal take part in a session, to be called in its event loop.
/// The terminal is put back at the end, whatever the end is.
///
/// # Errors
/// When the terminal can't be used.
pub async fn attach(attachment: Attachment) -> io::Result<Left> {
    let requests = Requests::new()?;
    let size = terminal::size().unwrap_or_default();
    let Attachment { handle, observes, .. } = &attachment;
    let editor = (!observes).then(|| {
        let history = SharedHistory::new(attachment.history.clone());
        Editor::new(history, Assistant::new(handle.join()))
    });
    let raw = RawMode::enter()?;
    let input = TerminalInput::new()?;
    if !observes {
        handle.people(true);
    }
    let left = Visit::new(&attachment, editor, size, input).run(requests).await;
    if !observes {
        handle.people(false);
    }
    drop(raw);
    left
}
