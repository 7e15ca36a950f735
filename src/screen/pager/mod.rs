//! Pagers: what is known of how they show a text, a page at a time, and how it is read from them.
//!
//! A pager prints rows of its text and a prompt in the row below, erases the prompt when a key
//! comes, and goes on. So its text is what stands above the cursor, and reading it page by page
//! is a transcript that leaves the prompts out. On the alternate screen this transcript is one of
//! its own, as what happens there is no part of the session's.
//!
//! The terminal knows nothing of this. It keeps a transcript of the alternate screen, and calls a
//! hook before it clears or leaves that (`before_clearing_alternate`, `before_leaving_alternate`).

mod filling;
mod prompt;
mod text;

#[cfg(test)]
mod tests;

pub use prompt::{Place, is_pager, place};
