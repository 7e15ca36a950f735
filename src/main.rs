//! The `mcp-repl` command: parse arguments, dispatch.

fn main() {}
