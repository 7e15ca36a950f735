//! A session: one worker after another, their states, and the calls that wait for them.

pub mod handle;
