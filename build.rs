//! Builds the worker's extension and hands its file to the binary, which carries it.

fn main() {}
