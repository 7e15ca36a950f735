//! Windows: a console, named pipes and events.
//!
//! What is weaker than on Unix: a line that is being typed at the console holds up whoever waits for
//! input, until it is ended, since the console itself has the keys till then; a program that closed or
//! exchanged its standard handles keeps them so; nobody is told that handles of ours were closed.

mod event;
mod handle;
mod typed;

pub(crate) mod connection;
pub(crate) mod file_name;
pub(crate) mod fork;
pub(crate) mod main_thread;
pub(crate) mod processes;
pub(crate) mod signals;
pub(crate) mod stdin;
pub(crate) mod symbols;
pub(crate) mod terminal;
pub(crate) mod waker;
