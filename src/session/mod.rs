//! A session: one worker after another, their states, and the calls that wait for them.
//!
//! `state` and `step` are the rules and do no I/O; `engine` is the one loop that performs what
//! they say, on a `worker` that a `launch` describes and a `link` talks to.

pub mod engine;
pub mod handle;
pub mod keys;
pub mod launch;
pub mod link;
pub mod pager;
pub mod python;
pub mod route;
pub mod spill;
pub mod state;
pub mod step;
pub mod typing;
pub mod worker;
