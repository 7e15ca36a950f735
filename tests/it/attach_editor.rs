//! `mcp-repl attach`: the line editor as a person has it, key by key.
#![cfg(target_os = "linux")]

use crate::support::{Runtime, Terminal, assert_has, assert_has_not};

#[test]
fn cells_that_are_typed_ahead_run_in_their_order() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    // The first takes its time, or it does not.
    person.types("import time\rfirst = [1]\rtime.sleep(0.05); first.append(2)\rfirst + [3]\r");
    person.shows("\n[1, 2, 3]\n>>>");
    // Each line goes to who asks for it then.
    person.types("input('a? ') + input('b? ')\rone\rtwo\r'and' + ' on'\r");
    person.shows("\n'onetwo'\n>>> 'and' + ' on'\n'and on'\n>>>");
}

#[test]
fn what_no_program_has_read_is_for_the_prompt() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.runs("import sys, time");
    person.is_at_prompt();
    // It ends when something is typed, which it leaves there.
    person.types("import select; print('typed', bool(select.select([0], [], [])))\r");
    person.types("x = 6 * 7\rx\r");
    person.shows("typed True\n>>> x = 6 * 7\n>>> x\n42\n>>>");
    assert_has_not(&person.page(), "unread input");
}

#[test]
fn no_key_behind_another_is_lost() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    person.types("not this\x03nor this\x03\x03'x' * 5\r");
    person.shows("\n'xxxxx'\n>>>");
    // Deleted below the cursor.
    person.types("'abc'\x01\x04\x04'\rwas = _\rlen(was)\r");
    person.shows("\n2\n>>>");
    // More at once than a terminal is read.
    let long: String = (0..900).map(|n| format!("{n},")).collect();
    person.types(&format!("sum([{long}])\r'end'\r"));
    person.shows("\n404550\n>>> 'end'\n'end'\n>>>");
    person.types("what is this\x1b\x04\x03\x04n'still here'\r");
    person.shows("\n'still here'\n>>>");
}

#[test]
fn what_is_pasted_is_put_in_as_it_is() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    person.types("\x1b[200~for n in range(2):\r\n    if n:\r\n        print('n', n)\r\n\x1b[201~");
    person.ends_with("print('n', n)\n...");
    person.types("\rlen('''\x1b[200~");
    person.types(&"x\r".repeat(20_000));
    person.types("\x1b[201~''')\r");
    person.shows("\n40000\n>>>");
}

#[test]
fn python_is_in_colours_unless_they_are_not_wanted() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    person.types("for x in ['é']");
    person.ends_with("['é']");
    let painted = String::from_utf8_lossy(&person.bytes).into_owned();
    assert_has(&painted, "\x1b[1;35mfor\x1b[0m");
    assert_has(&painted, "\x1b[32m'é'\x1b[0m");
    person.types("\x1dd");
    assert_eq!(person.ends().0, 0);
    let mut person = Terminal::run(runtime.attaching(&["--new"]).env("NO_COLOR", "1"));
    person.is_at_prompt();
    person.types("for x in ['é']");
    person.ends_with("['é']");
    let painted = String::from_utf8_lossy(&person.bytes).into_owned();
    assert_has_not(&painted, "m'é'");
    assert_has_not(&painted, "\x1b[1;35m");
}
