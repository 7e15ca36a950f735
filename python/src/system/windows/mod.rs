//! Windows: a console, named pipes and events.
//!
//! What is weaker than on Unix: a line that is being typed is shown only while somebody reads; a program that
//! closed or exchanged its standard handles keeps them so; nobody is told that handles of ours were closed.

mod event;
mod handle;
mod keys;
mod line;
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
