//! Which session is wanted, and what it runs if it is started.

use serde::{Deserialize, Serialize};

use crate::Hello;

/// What whoever needs a session asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// Which session.
    pub wanted: Wanted,
    /// What it runs if it is started.
    pub options: SessionOptions,
    /// Who needs it. The token is filled in by who finds the session.
    pub hello: Hello,
}

/// Which session is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// The one of this name.
    Named {
        /// The name.
        name: String,
        /// Whether it is started if there is none.
        start: bool,
    },
    /// The one that waits for such a client, else a fresh one, with a name made of the directory.
    Own(Identity),
}

/// For whom a session without a name was started: another client with the same identity, but for
/// `parent`, goes on with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// How the client introduces itself, `claude-code`.
    pub client: String,
    /// The working directory; empty for that of the process that starts the session.
    pub directory: String,
    /// What chooses the interpreter or worker, in words that are equal when the choice is.
    pub interpreter: String,
    /// The process that started the server, with its start time, so that it is not taken for
    /// another; of several sessions that wait, its own comes first.
    pub parent: String,
}

/// What a session runs, and for how long: the options of the command line. Times are in
/// milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionOptions {
    /// `--python`.
    pub python: Option<String>,
    /// Where that stands, as `FILE:LINE`; in the option itself where it is not given.
    pub python_from: Option<String>,
    /// `--worker`.
    pub worker: Option<String>,
    /// `--run`.
    pub run: Option<String>,
    /// `--pager`: `through`, `page` or `plain`; empty for the first.
    pub pager: String,
    /// `--max-output-disk`, in bytes.
    pub max_output_disk: Option<u64>,
    /// `--image-size`, in pixels.
    pub image_size: Option<u32>,
    /// `--size`: `COLUMNSxROWS`.
    pub size: Option<String>,
    /// `--grace`.
    pub grace_ms: Option<u64>,
    /// `--keep`.
    pub keep_ms: Option<u64>,
    /// `--record`, an absolute path.
    pub record: Option<String>,
    /// `--record-input`; true where it is not given.
    pub record_input: Option<bool>,
    /// `--record-format`: `v3` or `v2`; the first where it is not given.
    pub record_format: Option<String>,
    /// `--memory`, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// `--max-processes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_processes: Option<u32>,
    /// `--sandbox` and what belongs to it. Without it a session that is started has none, and one that is
    /// joined may have any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Sandbox>,
}

/// What a session's program may reach: the options of the command line. Paths are absolute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sandbox {
    /// `--sandbox`: `workspace-write`, `read-only`, `strict` or `off`.
    pub mode: String,
    /// `--network`: `off`, `local` or `on`.
    pub network: String,
    /// `--add-writable`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub writable: Vec<String>,
    /// `--add-readable`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub readable: Vec<String>,
    /// `--deny-read`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny_read: Vec<String>,
    /// `--gpu`.
    #[serde(skip_serializing_if = "is_false")]
    pub gpu: bool,
    /// `--keep-variable`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep_variables: Vec<String>,
    /// What the sandbox of the session's client allows at most, which no option says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<SandboxBounds>,
}

/// What of files may be written at most. Paths are absolute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SandboxBounds {
    /// What may be written.
    pub writable: Vec<String>,
    /// What of it may not.
    pub read_only: Vec<String>,
}

fn is_false(value: &bool) -> bool {
    !value
}
