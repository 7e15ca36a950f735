//! Pagers, as the screen knows them: by the names of their programs and the prompts they show.

pub use crate::screen::pager::{is_pager, place};
