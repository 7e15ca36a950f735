//! A session: one worker after another, their states, and the clients whose calls wait for them.
//!
//! `rules` decide and `pipeline` joins and shows, both without any I/O; `engine` is the one loop
//! that performs what they say, on a `worker` that a `launch` describes and a `sideband` talks to.

mod attachments;
pub mod client;
pub mod engine;
mod followers;
pub mod launch;
pub mod output_disk;
mod pace;
pub mod pipeline;
pub mod recording;
pub mod rules;
mod show;
mod sideband;
mod spill;
mod subscribers;
mod worker;
mod write_queue;
