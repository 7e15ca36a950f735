//! The person's own editor for a cell: `$VISUAL`, `$EDITOR`, else one that is there.

use std::{
    env, io,
    io::Write,
    process::{Child, Command},
};

use crate::pty;

/// What is tried where the person has named none.
const USUAL: [&str; 3] = ["nano", "vi", "vim"];

/// Why the cell is as it was.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExternalError {
    /// There is none.
    #[error("no editor: $VISUAL and $EDITOR are not set, and there is no nano, vi or vim")]
    None,
    /// It can't be started.
    #[error("the editor `{editor}` can't be started: {error}")]
    Start {
        /// As it is named.
        editor: String,
        error: io::Error,
    },
    /// It ended so.
    #[error("the editor `{editor}` failed: {status}; the cell is as it was")]
    Failed { editor: String, status: std::process::ExitStatus },
    /// The file for it can't be written or read.
    #[error("the cell can't be edited in a file: {0}")]
    File(#[from] io::Error),
}

/// Has the person edit a text in an editor of theirs, on the terminal that this process is on, which is
/// as it was found. Blocks until that has ended; `started` is told its process.
pub(super) fn edit(text: &str, started: impl Fn(u32)) -> Result<String, ExternalError> {
    // Nobody else can read it, and it is removed in the end.
    let mut file = tempfile::Builder::new().prefix("cell-").suffix(".py").tempfile()?;
    file.write_all(text.as_bytes())?;
    file.flush()?;
    let named = ["VISUAL", "EDITOR"].iter().find_map(|name| env::var(name).ok());
    let named = named.filter(|editor| !editor.trim().is_empty());
    let candidates = named.as_deref().map_or(USUAL.to_vec(), |editor| vec![editor]);
    for editor in candidates {
        // As git has it: with its arguments.
        let mut words = editor.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).arg(file.path()).stdin(pty::keyboard_for_program()?);
        let run = |mut child: Child| {
            started(child.id());
            child.wait()
        };
        match command.spawn().and_then(run) {
            Ok(status) if status.success() => {
                let text = std::fs::read_to_string(file.path())?;
                return Ok(text.trim_end_matches('\n').to_owned());
            }
            Ok(status) => return Err(ExternalError::Failed { editor: editor.to_owned(), status }),
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(ExternalError::Start { editor: editor.to_owned(), error }),
        }
    }
    Err(ExternalError::None)
}
