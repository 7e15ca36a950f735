//! `mcp-repl` gives an agent and a person the same live terminal REPL.
//!
//! The modules, in the order data flows: a payload comes in through [`mcp`] or [`cli`], the
//! [`session`] decides where it goes, the [`pty`] carries it to the worker; what the worker
//! prints becomes text in the [`screen`], and a [`reply`] is made of it; the pixels of pictures are
//! looked at in [`picture`]. Recordings of terminals are read and written in [`cast`]. A session that outlives
//! a connection has a [`host`], which is found by the [`registry`]; [`remote`] speaks with it. What a
//! session's program may reach is decided in [`sandbox`].
//! What clients have in their configurations is looked up and written in [`install`]; what stands in files
//! in place of options is read in [`settings`].
#![deny(unsafe_code)]

pub mod attach;
pub mod cast;
pub mod cli;
pub mod host;
pub mod install;
pub mod mcp;
pub mod picture;
pub mod pty;
pub mod registry;
pub mod remote;
pub mod reply;
pub mod sandbox;
pub mod screen;
pub mod session;
pub mod settings;
mod terminal;
pub mod verify;
mod words;
