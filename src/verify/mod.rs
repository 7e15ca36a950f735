//! Fixtures: recorded sessions and scripts by hand, and whether they still hold.
//!
//! ```text
//! recording ─► replay (session::recording) ─► recorded ─► diff
//! Markdown ─► markdown ─► script ─► live, in a session ─► rules, pattern ─► diff, accept
//! ```

pub mod accept;
pub mod diff;
pub mod live;
pub mod markdown;
pub mod page;
pub mod pattern;
pub mod recorded;
pub mod rules;
pub mod script;
pub mod write;
