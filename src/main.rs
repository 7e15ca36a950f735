//! The `mcp-repl` command: parse arguments, dispatch.

fn main() -> std::process::ExitCode {
    mcp_repl::cli::main()
}
