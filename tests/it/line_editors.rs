//! Prompts of programs that edit lines themselves, with room for menus below: told as they look.
#![cfg(has = "posix")]

use crate::support::{
    Server,
    packages::environment,
    paging::{plain_environment, start},
    python,
};

/// The packages whose prompts are shown.
const REQUIREMENTS: &str = "ipython==8.37.0\nipdb==0.13.13\nptpython==3.0.30\n";

/// A session that has the packages, and `program(NAME, *ARGUMENTS)`, which runs one's program.
fn with_packages() -> Server {
    let python = environment("line-editors", &python::default(), REQUIREMENTS);
    let repl = start(plain_environment().python(python));
    repl.repl(
        "import os, subprocess, sys, tempfile\n\
         os.environ.update(HOME=tempfile.mkdtemp(), PROMPT_TOOLKIT_COLOR_DEPTH='DEPTH_1_BIT')\n\
         def program(name, *arguments):\n    \
             path = os.path.join(os.path.dirname(sys.executable), name)\n    \
             return subprocess.run([path, *arguments]).returncode",
    );
    repl
}

#[test]
fn ipython_costs_its_prompts() {
    let repl = with_packages();
    let start = "program('ipython', '--no-banner', '--colors=NoColor')";
    assert_eq!(repl.repl(start).trim_end(), "\nIn [1]:");
    assert_eq!(repl.repl("6 * 7").trim(), "6 * 7\nOut[1]: 42\n\nIn [2]:");
    assert!(repl.repl("exit").ends_with("exit\n0\n"));
}

#[test]
fn ptpython_costs_a_line_and_its_toolbar() {
    let repl = with_packages();
    let reply = repl.repl("program('ptpython')");
    let lines: Vec<&str> = reply.lines().map(str::trim).collect();
    assert!(lines.len() == 2 && lines[0] == ">>>" && lines[1].starts_with("[F4]"), "{reply}");
}

#[test]
fn ipdb_costs_its_prompts() {
    let repl = with_packages();
    let cell = "def f(x):\n    import ipdb; ipdb.set_trace()\n    return x\nf(1)";
    let reply = repl.repl(cell);
    // The empty line is ipdb's own.
    assert!(reply.trim_end_matches(' ').ends_with("      4 f(1)\n\nipdb>"), "{reply}");
    let reply = repl.repl("p x + 41");
    assert_eq!(reply.trim(), "p x + 41\n42\nipdb>", "{reply}");
    assert!(repl.repl("c").ends_with("c\n1\n"));
}
