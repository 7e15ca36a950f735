//! Sessions of other processes: what makes a [`Handle`](crate::session::client::Handle) of a
//! connection to a session's host.
//!
//! ```text
//! connection  one to a host, over any pair of streams: how it is made, and why it ends
//! open        the session that is wanted is found, or started, and connected to
//! player      plays the engine: commands go as messages, and what comes back to whom it is for
//! time        when a session was started, as people here read it
//! typing      what is typed, no more at once than a host takes
//! words       what the engine's words are on the wire
//! ```

mod connection;
mod open;
mod player;
mod time;
mod typing;
mod words;

pub use connection::{ConnectError, Connection, End, Opened, connect};
pub use open::{OpenError, Place, open};
pub use time::local_time;

#[cfg(test)]
pub(crate) mod tests;
