//! Sessions of other processes: what makes a [`Handle`](crate::session::client::Handle) of a
//! connection to a session's host.
//!
//! ```text
//! alarm       a time that is waited for over and over, and mostly does not come
//! connection  one to a host, over any pair of streams: how it is made, and why it ends
//! open        the session that is wanted is found, or started, and connected to
//! player      plays the engine: commands go as messages, and what comes back to whom it is for
//! sandbox     what is wanted of a sandbox, as it is on the wire
//! stdio       what answers at the far end of a command
//! time        times as people here read them, and as programs do
//! typing      what is typed, no more at once than a host takes
//! via         sessions elsewhere: the near end of it
//! words       what the engine's words are on the wire
//! ```

mod alarm;
mod connection;
mod open;
mod player;
pub mod sandbox;
mod stdio;
mod time;
mod typing;
pub mod via;
mod words;

pub use connection::{ConnectError, Connection, End, Opened, connect};
pub use open::{OpenError, Place, Underway, open};
pub use stdio::serve_stdio;
pub use time::{local_time, utc_now};

#[cfg(test)]
pub(crate) mod tests;
