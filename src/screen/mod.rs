//! The screen: what a person would see and have read. Pure.
