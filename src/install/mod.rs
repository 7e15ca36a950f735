//! The clients of this machine: which are there, what their files say of `mcp-repl`, and how it is
//! put into them and taken out again.
//!
//! A client is a row of `clients.toml` ([`clients`]). What is asked of the machine comes from
//! [`Surroundings`], which are data. `document` changes texts, and `change` knows what is to be changed in them; both know no files. `find` reads files,
//! `plan` finds out what would be changed, and `apply` alone writes.

mod apply;
mod binary;
mod change;
mod document;
mod entry;
mod find;
#[cfg(test)]
mod homes;
mod plan;
#[cfg(test)]
mod samples;
mod surroundings;
mod table;

pub use self::{
    apply::ApplyError,
    binary::{Starter, StarterError, starter},
    document::{DocumentError, Format},
    entry::Server,
    find::{Entry, FileError, Finding, Presence, find, find_in},
    plan::{ClientPlan, FileChange, Plan, State, Wanted, backup_of},
    surroundings::{Platform, Surroundings},
    table::{Client, ListItem, Permission, Scope, client, clients},
};

/// What the server is called in configurations.
pub const NAME: &str = "repl";
