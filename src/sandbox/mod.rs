//! The sandbox: what a session's program may reach. Pure: the platform door enforces it.

mod rules;

pub use rules::{Holds, Network, Rules};
