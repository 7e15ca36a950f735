//! The clients of this machine: which are there, what their files say of `mcp-repl`, and how it is
//! put into them and taken out again.
//!
//! A client is a row of `clients.toml` ([`clients`]). What is asked of the machine comes from
//! [`Surroundings`], which are data. `document` changes texts and knows no files; `find` reads files.

// What of the table only an installation looks at.
#![allow(dead_code)]

mod document;
mod entry;
mod find;
mod surroundings;
mod table;

pub use self::{
    document::{DocumentError, Format},
    entry::Server,
    find::{Entry, FileError, Finding, Presence, find, find_in},
    surroundings::{Platform, Surroundings},
    table::{Client, ListItem, Permission, Scope, client, clients},
};

/// What the server is called in configurations.
pub const NAME: &str = "repl";
