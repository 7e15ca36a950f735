//! The sideband protocol: what a worker and the session tell each other beside the terminal.
//!
//! Wire types, their framing (one JSON object a line) and the marks that tie a message to a
//! place in the terminal's byte stream. No I/O: the server and the worker's extension each
//! bring their own. `docs/sideband.md` is the description for people who write a worker.
#![forbid(unsafe_code)]

mod frame;
mod hint;
mod mark;
mod message;

pub use frame::{FrameError, LineDecoder, encode};
pub use hint::{HINTS, Hint};
pub use mark::{Mark, OSC_NUMBER, mark_bytes};
pub use message::{
    COMPLETION, DIRECTORY, DOCUMENTS, NO_MARKS, Outcome, PROTOCOL, PictureLimit, Reader, ToServer,
    ToWorker,
};

/// The environment variable that names the socket to a worker.
pub const SOCKET_VARIABLE: &str = "MCP_REPL_SIDEBAND";
/// The environment variable that carries the session's nonce to a worker.
pub const NONCE_VARIABLE: &str = "MCP_REPL_NONCE";
