//! `mcp-repl attach` at the session's prompt: the line editor, and what comes above a line.
#![cfg(has = "person")]

use crate::support::{IDLE, Lifeline, Runtime, Terminal, assert_has, assert_has_not, quoted};

#[test]
fn a_cell_goes_on_until_python_says_that_it_is_whole() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.runs("def f(a,");
    person.ends_with("\n...");
    person.types("b):\r");
    // Indented as the block is.
    person.ends_with("\n...");
    person.types("return a + b\r");
    person.ends_with("return a + b\n...");
    assert_has(&person.page(), "...     return a + b");
    person.types("\r");
    person.runs("f('''x");
    person.ends_with("\n...");
    person.types("y''', 'z')\r");
    person.shows("\n'x\\nyz'\n>>>");
}

#[test]
fn lines_in_brackets_are_indented_and_a_closing_one_stands_as_what_it_closes() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.runs("x = [\r{\r'a': (1,\r2),\r},\r]\r");
    person.shows(
        ">>> x = [\n...     {\n...         'a': (1,\n...               2),\n...     },\n... ]\n>>>",
    );
    // Above what stands there already.
    person.types("f(x)\x1b[D\r");
    person.runs("if x:\ry = 1\r\r");
    person.types("if x:\rpass\x1b[A\r");
    person.ends_with(">>> if x:\n...\n...     pass");
    person.types("print(y)\x1b[B\r\r");
    person.shows("\n...     print(y)\n...     pass\n...\n1\n>>>");
}

#[test]
fn lines_that_are_pasted_key_by_key_keep_their_own_blanks() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.runs(
        "def f():\r    x = [\r        1,\r    ]\r    if x:\r        x += [2]\r    return x\r",
    );
    person.types("\r");
    person.runs("f()");
    person.shows("\n[1, 2]\n>>>");
    person.is_at_prompt();
    person.types("if 1:\r5");
    person.ends_with("\n...     5");
}

#[test]
fn what_is_pasted_is_one_cell_as_it_is() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    person.types("\x1b[200~if True:\r    a = 1\r\r    b = 2\rprint(a + b)\x1b[201~");
    person.ends_with("print(a + b)");
    person.types("\r");
    person.shows("print(a + b)\n3\n>>>");
}

#[test]
fn keys_of_the_line() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.runs("first = 1");
    person.is_at_prompt();
    person.types("not this");
    person.ends_with("not this");
    // Cleared; nothing runs.
    person.types("\x03");
    person.runs("second = 2");
    person.is_at_prompt();
    // What was run before.
    person.types("\x1b[A\x1b[A");
    person.ends_with(">>> first = 1");
    person.types("\x03");
    person.is_at_prompt();
    // Names of the session.
    person.types("fir");
    person.shows(">>> fir");
    person.types("\t * 42\r");
    person.shows("\n42\n>>>");
}

/// Types this, and Tab until there is this: a session that is slow to answer is not waited for.
#[track_caller]
fn completes(person: &mut Terminal, begun: &str, end: &str) {
    person.types(begun);
    for _ in 0..100 {
        person.types("\t@");
        person.shows_when("@", |page| page.contains('@'));
        let is_there = person.page().contains(&format!("{end}@"));
        person.types("\x7f");
        person.shows_when("no @", |page| !page.contains('@'));
        if is_there {
            return;
        }
    }
    panic!("{end:?} does not come; there is:\n{}", person.page());
}

#[test]
fn tab_in_a_string_puts_names_of_files_there() {
    let runtime = Runtime::new();
    let place = tempfile::tempdir().unwrap();
    for file in ["it's one", "it's two/x", "other"].map(|file| place.path().join(file)) {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "text").unwrap();
    }
    let mut person = runtime.attach(&[]);
    person.runs(&format!("import os; os.chdir({})", quoted(place.path())));
    person.is_at_prompt();
    completes(&mut person, "'ot", "'other");
    // As far as all of them go.
    completes(&mut person, "' + 'i", "it\\'s ");
    completes(&mut person, "t", "two/");
    completes(&mut person, "", "two/x");
    person.types("' + f'{place}'\x01place = 1; \r");
    person.shows("\n\"otherit's two/x1\"\n>>>");
}

#[test]
fn history_is_kept_across_runs() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.runs("'kept'");
    person.shows("\n'kept'\n>>>");
    person.types("\x1dd");
    assert_eq!(person.ends().0, 0);
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    person.types("\x1b[A");
    person.ends_with(">>> 'kept'");
}

#[test]
fn what_the_agent_runs_comes_above_a_half_typed_line() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_person();
    person.types("'half ");
    person.ends_with(">>> 'half");
    agent.gives("print('from the agent')\nlen('abc')", "from the agent\n3\n");
    person.ends_with(
        "[agent] >>> print('from the agent')\n[agent] ... len('abc')\nfrom the agent\n3\n>>> 'half",
    );
    person.types("typed'\r");
    person.shows("\n'half typed'\n>>>");
    assert_has_not(&person.page(), "[ann]");
}

#[test]
fn a_bar_of_the_agents_is_live_above_a_half_typed_line() {
    let runtime = Runtime::new();
    let agent = runtime.agent();
    let mut line = Lifeline::lay(&agent);
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    person.types("half");
    person.ends_with(">>> half");
    let bar = agent.begin(
        "print('10%', end='', flush=True)\n_ = line.recv(1)\n\
         print('\\r50%', end='', flush=True)\n_ = line.recv(1)\nprint('\\r100%')",
    );
    person.ends_with("\n10%\n>>> half");
    line.release();
    person.ends_with("\n50%\n>>> half");
    // Typing goes on.
    person.types(" of it");
    person.ends_with("\n50%\n>>> half of it");
    line.release();
    assert_has(&bar.text(), "100%");
    person.ends_with("\n100%\n>>> half of it");
    assert_has_not(&person.page(), "10%\n50%");
}

#[test]
fn a_flood_of_the_agents_harms_no_line() {
    let runtime = Runtime::new();
    let agent = runtime.agent();
    agent.gives("import sys", IDLE);
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    person.types("'a long line that is half typed ");
    person.ends_with("half typed");
    let flood = agent.begin("for n in range(20_000): print('line', n)\nprint('end')");
    for part in ["and ", "typed ", "on"] {
        person.types(part);
    }
    flood.text();
    person.ends_with("\nend\n>>> 'a long line that is half typed and typed on");
    person.types("'\r");
    person.shows("\n'a long line that is half typed and typed on'\n>>>");
}
