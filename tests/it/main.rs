//! Behaviour tests: the real binary, driven as its clients drive it, a module a topic.

mod support;

mod architecture;
mod bars;
mod calls;
mod cells;
mod control;
mod ends;
mod exec;
mod fake_worker;
mod foreground;
mod full_screen;
mod hostile;
mod interpreters;
mod interrupts;
mod launch;
mod leftovers;
mod lifecycle;
mod options;
mod pagers;
mod pagers_by_hand;
mod programs;
mod reads_background;
mod reads_python;
mod reads_terminal;
mod reads_unusual;
mod replay;
mod robustness;
mod sdk;
mod source;
mod streams;
mod stress;
mod tracebacks;
mod typing;
mod versions;
mod workers;
