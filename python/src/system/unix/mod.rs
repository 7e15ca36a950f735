//! Unix: file descriptors, signals, forks and a terminal that is one of both.

mod descriptor;

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
