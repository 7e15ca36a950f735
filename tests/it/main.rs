//! Behaviour tests: the real binary, driven as its clients drive it, a module a topic.

mod support;

mod architecture;
mod bars;
mod calls;
mod cells;
mod control;
mod exec;
mod full_screen;
mod hostile;
mod interpreters;
mod launch;
mod lifecycle;
mod options;
mod pagers;
mod pagers_by_hand;
mod programs;
mod robustness;
mod sdk;
mod source;
mod streams;
mod tracebacks;
mod versions;
mod workers;
