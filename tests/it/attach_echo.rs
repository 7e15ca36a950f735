//! `mcp-repl attach`: cells as all see them, with their prompts and the marks by which terminals find
//! these (OSC 133), and that replies have none of it.
#![cfg(has = "person")]

use crate::support::{IDLE, Lifeline, Runtime, Terminal, assert_has, assert_has_not};

/// `attach` of a person of this name.
#[track_caller]
fn attach_as(runtime: &Runtime, name: &str) -> Terminal {
    Terminal::run(runtime.attaching(&[]).env("USER", name))
}

/// What was printed on a terminal, marks as `{A}`.
fn marked(person: &Terminal) -> String {
    let text = String::from_utf8_lossy(&person.bytes).into_owned();
    text.replace("\x1b]133;", "{").replace("\x1b\\", "}")
}

/// The marks alone, those of the prompt at its last place only.
fn marks(person: &Terminal) -> String {
    let text = marked(person);
    let marks = text.split('{').skip(1).map(|rest| rest.split(['}', ';']).next().unwrap());
    let mut marks: Vec<&str> = marks.filter(|mark| mark.len() == 1).collect();
    marks.dedup();
    // A prompt that is drawn anew in its place has its marks again.
    let mut marks: Vec<char> = marks.concat().replace("AB", "p").chars().collect();
    marks.dedup();
    marks.into_iter().collect()
}

#[test]
fn who_joins_sees_cells_and_what_they_printed() {
    let runtime = Runtime::new();
    let agent = runtime.agent();
    agent.gives("print(1, end='')", "1");
    agent.gives("if True:\n    x = 20", IDLE);
    let mut ann = attach_as(&runtime, "ann");
    let before = "[agent] >>> print(1, end='')\n1\n[agent] >>> if True:\n[agent] ...     x = 20\n";
    ann.shows(&format!("{before}>>>"));
    ann.runs("x + 1");
    ann.ends_with("\n21\n>>>");
    let mut bob = attach_as(&runtime, "bob");
    bob.shows(&format!("{before}>>> x + 1\n21\n>>>"));
    // Each has the other's name before the other's cells.
    bob.runs("if x:\rprint(x * 2)\r");
    ann.ends_with("\n[bob] >>> if x:\n[bob] ...     print(x * 2)\n40\n>>>");
    assert_has_not(&bob.page(), "[bob]");
    let said = agent.repl("'here'");
    assert_has(&said, "[repl] meanwhile another client (ann) ran:\n>>> x + 1\n21\n");
    assert_has(&said, "[repl] meanwhile another client (bob) ran:\n");
    assert!(said.ends_with("\n'here'\n"), "{said}");
    assert_has_not(&said, "[agent]");
    ann.ends_with("\n[agent] >>> 'here'\n'here'\n>>>");
}

#[test]
fn terminals_find_prompts_cells_and_what_these_print() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_person();
    agent.gives("print('hers')", "hers\n");
    person.ends_with("hers\n>>>");
    person.types("print('mine')\r");
    person.ends_with("mine\n>>>");
    person.types("1/0\r");
    person.shows_when("an error and a prompt", |page| {
        page.contains("ZeroDivisionError") && page.ends_with("\n>>>")
    });
    let text = marked(&person);
    assert_has(&text, "{A}[agent] >>> {B}print('hers')\r\n{C}hers\r\n{D;0}");
    assert_has(&text, "{C}mine\r\n{D;0}");
    assert_has(&text, "{D;1}");
    // Each prompt is there before its cell, and each cell has its end.
    assert_eq!(marks(&person), "pCDpCDpCDp", "{text}");
}

#[test]
fn what_was_typed_while_another_cell_ran_is_shown_where_it_begins() {
    let runtime = Runtime::new();
    let agent = runtime.agent();
    let mut line = Lifeline::lay(&agent);
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    person.types("'mi");
    person.ends_with(">>> 'mi");
    let held = agent.begin("_ = line.recv(1)\nprint('end of hers')");
    person.ends_with("[agent] ... print('end of hers')\n>>> 'mi");
    person.types("ne'\r");
    person.shows(">>> 'mine'");
    line.release();
    person.ends_with("\nend of hers\n>>> 'mine'\n'mine'\n>>>");
    assert_has(&held.text(), "end of hers");
}

#[test]
fn a_long_cell_is_cut_for_all_and_moves_nothing() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_person();
    agent.gives(&format!("# \x1b[2J\u{9b}2J\n{}'long'", "1\n".repeat(30)), "'long'\n");
    person.ends_with("[agent] ... 1\n[agent] ... (12 more lines)\n'long'\n>>>");
    assert_has_not(&String::from_utf8_lossy(&person.bytes), "\x1b[2J");
}

#[test]
fn terminals_are_told_the_working_directory() {
    let runtime = Runtime::new();
    let agent = runtime.agent();
    let machine = agent.repl("import os\nprint(os.uname().nodename)");
    let told = |path: &str| format!("\x1b]7;file://{}{path}\x1b\\", machine.trim());
    agent.gives("os.chdir('/usr')", IDLE);
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    assert_has(&String::from_utf8_lossy(&person.bytes), &told("/usr"));
    person.types("import tempfile; os.chdir(tempfile.mkdtemp(suffix='a b')); print('there')\r");
    person.ends_with("there\n>>>");
    let bytes = String::from_utf8_lossy(&person.bytes).into_owned();
    assert_has(&bytes, "a%20b\x1b\\");
    assert_eq!(bytes.matches("\x1b]7;").count(), 2, "{bytes:?}");
}
