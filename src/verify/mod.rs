//! Fixtures: recorded sessions and scripts by hand, and whether they still hold.

pub mod diff;
pub mod pattern;
pub mod recorded;
pub mod script;
