//! How a worker is launched: its program as data, its environment, its private directory.

mod directory;
mod extension;
mod layout;
mod program;
pub mod python;
mod sandbox;
pub mod strict;
mod surroundings;

pub use directory::{Launch, RuntimeDirectory, SessionDirectory, TERMINAL_TYPE};
pub use program::{Resolved, Script, Target, WorkerProgram};
pub use sandbox::{Explainer, Sandbox, gpus};
pub use surroundings::Surroundings;
