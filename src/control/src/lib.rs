//! The control protocol: how a client speaks with the host of a session. Wire types and framing
//! only; `docs/control.md` has the whole of it.
//!
//! ```text
//! frame     lines of JSON, and bytes behind some of them
//! hands     who has taken a session over, who approves, for what a person is needed
//! message   what is said, in both directions
//! open      which session is wanted, and what it runs if it is started
//! reply     the answer to a call, as a client shows it
//! session   what is told of a session
//! ```
#![forbid(unsafe_code)]

mod frame;
mod hands;
mod message;
mod open;
mod reply;
mod session;

pub use frame::{
    Decoder, FrameError, LONGEST_LINE, LONGEST_REQUEST, MOST_BYTES, MOST_TYPED, encode, encode_to,
};
pub use hands::{Decision, Hands, Needed};
pub use message::{Attachments, Budget, Bytes, Hello, Member, Role, ToClient, ToHost, Welcome};
pub use open::{Identity, Open, Sandbox, SandboxBounds, SessionOptions, Wanted};
pub use reply::{Exit, Part, Picture, Reply, Status};
pub use session::{Deed, SessionInfo, SessionState};

/// The protocol's version, said first by each side.
pub const PROTOCOL: u32 = 1;

/// The most text that a reply has room for, in characters. With [`MOST_DATA`] it keeps a reply
/// within [`LONGEST_LINE`].
pub const MOST_TEXT: usize = 4 << 20;
/// The most that the data of pictures and documents takes in one reply, in bytes of base64.
pub const MOST_DATA: usize = 32 << 20;
