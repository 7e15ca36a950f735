//! Sessions that are held by another process, here or elsewhere.

pub mod via;
