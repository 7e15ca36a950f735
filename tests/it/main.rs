//! Behaviour tests: the real binary, driven as its clients drive it, a module a topic.

mod support;

mod calls;
mod cells;
mod hostile;
mod programs;
mod source;
mod streams;
mod tracebacks;
