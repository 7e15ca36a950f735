//! Fixtures: recorded sessions and scripts by hand, and whether they still hold.

pub mod recorded;
