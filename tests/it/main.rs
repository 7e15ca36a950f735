//! Behaviour tests: the real binary, driven as its clients drive it, a module a topic.

mod support;
#[path = "support/waits.rs"]
mod waits;

mod interrupts;
mod reads_background;
mod reads_python;
mod reads_terminal;
mod typing;
