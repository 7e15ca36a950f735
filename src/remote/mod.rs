//! Sessions of other processes: what makes a [`Handle`](crate::session::client::Handle) of a
//! connection to a session's host.
//!
//! ```text
//! connection  one to a host, over any pair of streams: how it is made, and why it ends
//! player      plays the engine: commands go as messages, and what comes back to whom it is for
//! typing      what is typed, no more at once than a host takes
//! words       what the engine's words are on the wire
//! ```

mod connection;
mod player;
mod typing;
mod words;

pub use connection::{ConnectError, Connection, End, Opened, connect};

#[cfg(test)]
mod tests;
