//! `mcp-repl attach` in a session of another program (`--worker`): what needs no Python works, and nothing
//! is taken for Python.
#![cfg(has = "person")]

use crate::support::{Runtime, Terminal, assert_has_not, python};

/// A person in a session of a calculator.
#[track_caller]
fn at_a_calculator(runtime: &Runtime) -> Terminal {
    let file = format!("{}/tests/calculator/calculator.py", env!("CARGO_MANIFEST_DIR"));
    let worker = format!("{} {file}", python::default().display());
    let mut person = runtime.attach(&["--worker", &worker]);
    person.is_at_prompt();
    person
}

#[test]
fn enter_runs_the_line_whatever_python_would_say_of_it() {
    let runtime = Runtime::new();
    let mut person = at_a_calculator(&runtime);
    for line in ["1 + (", "if x:", "print = [", "\'\'\'", "for x in y: # \'s\'"] {
        person.types(&format!("{line}\r"));
        person.shows_when(line, |page| {
            let (_, behind) = page.rsplit_once(&format!(">>> {line}\n")).unwrap_or_default();
            behind.starts_with("error: ") && behind.ends_with(">>>")
        });
    }
    let painted = String::from_utf8_lossy(&person.bytes).into_owned();
    for color in ["\x1b[1;35m", "\x1b[32m", "\x1b[36m", "\x1b[31m"] {
        assert_has_not(&painted, color);
    }
    person.types("6 * 7\r");
    person.ends_with("\n42\n>>>");
}

#[test]
fn all_else_of_the_line_editor_is_there() {
    let runtime = Runtime::new();
    let mut person = at_a_calculator(&runtime);
    // Two lines are one cell; none is indented.
    person.types("\x1b[200~x = 40\rx + 2\x1b[201~");
    person.ends_with(">>> x = 40\n... x + 2");
    person.types("\r");
    person.ends_with("\n42\n>>>");
    person.types("x = (1 +\x1b\r  4)\x1b\r");
    person.ends_with(">>> x = (1 +\n...   4)\n...");
    person.types("\x03");
    person.is_at_prompt();
    person.types("\x12x + \r\r");
    person.shows_when("run again", |page| page.matches("\n42\n").count() == 2);
    person.is_at_prompt();
    // What it waits for is interrupted as Python's is.
    person.types("ask y\r");
    person.ends_with("y?");
    person.types("\x1di");
    person.ends_with("\n>>>");
    person.types("x / 8\t\r");
    person.shows("\n5.0\n>>>");
    person.types("\x1b[A");
    person.ends_with(">>> x / 8");
    person.types("\x03\x1dd");
    assert_eq!(person.ends().0, 0);
}
