//! Configuration files: what a user's own file and a project's file say in place of options of the command
//! line, and what of that holds.
//!
//! `document` reads a text, `layers` puts the project's over the user's and knows what a project may
//! not say without the user's [consent](needs_consent); these know no files. `find` looks for the files and reads
//! them, and `trust` keeps what the user has consented to.
//!
//! A setting is an option: its name, its values and how they are checked come from the command line,
//! which brings them as [`Known`] settings.

mod consent;
mod document;
mod find;
mod layers;
mod trust;

use std::{fmt, path::PathBuf};

pub use self::{
    consent::{is_free, needs_consent},
    document::{Base, Problem, parse},
    find::{Files, PROJECT_FILE, Places, SettingsFile, State, find, parse_bytes, read_file},
    layers::{Layers, Origin, Setting, layers},
    trust::{Trust, TrustError},
};

/// A setting that a file may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What it is called.
    pub key: Key,
    /// What it takes.
    pub takes: Takes,
    /// What its values are.
    pub holds: Holds,
}

/// What a setting is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The subcommand that alone has the option, which is the table it stands in; empty at the top.
    pub table: String,
    /// The long name of the option.
    pub name: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.table {
            "" => f.write_str(&self.name),
            table => write!(f, "{table}.{}", self.name),
        }
    }
}

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: it is there or not.
    Nothing,
    /// A value.
    Value,
    /// A value, or nothing.
    MaybeValue,
    /// A value each time it is given.
    Values,
}

/// What the value of an option is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Words, numbers.
    Text,
    /// A path.
    Path,
    /// A path of a program, or a name on `PATH`.
    Program,
    /// A command line, whose first word is that.
    Command,
}

/// What a file says for an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// That it is given without a value, or is not given whatever another file says.
    Given(bool),
    /// Its values: one, but for those of a list.
    Texts(Vec<String>),
}

impl fmt::Display for Value {
    /// As people read it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Given(given) => given.fmt(f),
            Value::Texts(texts) => f.write_str(&texts.join(", ")),
        }
    }
}

/// A setting as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What it is called.
    pub key: Key,
    /// What it is set to; relative paths are resolved.
    pub value: Value,
    /// The line, from 1.
    pub line: usize,
    /// What its values are.
    pub holds: Holds,
    /// Whether a value of a list, to which other files add theirs.
    pub is_list: bool,
    /// Whether it is about the place that the same file names by `via`, and not about this machine.
    pub is_elsewhere: bool,
}

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The user's own.
    User,
    /// The project's, which may come from anybody.
    Project,
}

impl Level {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Level::User => "user",
            Level::Project => "project",
        }
    }
}

/// The path of a file that a problem is in.
pub(crate) fn at(file: &std::path::Path, line: usize) -> String {
    format!("{}:{line}", file.display())
}

/// The directory of a file.
fn directory_of(file: &std::path::Path) -> PathBuf {
    file.parent().map(PathBuf::from).unwrap_or_default()
}
