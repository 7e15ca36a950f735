//! `mcp-repl attach`: the line editor as a person has it, key by key.
#![cfg(has = "person")]

use std::{os::unix::fs::PermissionsExt, path::Path};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Listening, Runtime, Terminal, assert_has, assert_has_not};

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
fn what_was_typed_while_anothers_cell_ran_and_nobody_has_read_is_for_the_prompt() {
    let runtime = Runtime::new();
    let agent = runtime.agent();
    agent.still_works();
    let mut person = runtime.attach(&["work"]);
    person.is_at_prompt();
    let listening = Listening::new();
    let call = agent.begin(&listening.cell("print('begun')\n_ = line.recv(1)"));
    let mut line = listening.accept();
    person.ends_with("\nbegun");
    person.types("x = 6 * 7\rx\r");
    person.ends_with("\nbegun\nx = 6 * 7\nx");
    line.release();
    // Only who typed is told, and has it back.
    assert_has_not(&call.text(), "unread");
    person.ends_with("\n>>> x = 6 * 7\n>>> x\n42\n>>>");
    // What somebody reads is no cell.
    agent.repl("import sys; sys.stdin.readline()");
    person.is_titled("work: waits for input (agent)");
    person.types("'read'\r'unread'\r");
    person.ends_with("\n\"'read'\\n\"\n>>> 'unread'\n'unread'\n>>>");
    assert_has_not(&person.page(), "unread input");
    assert_has_not(&agent.poll(), "unread input");
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
    // Not in parts, between which a terminal would answer what it is asked.
    let many = "x\r".repeat(20_000);
    person.types(&format!("\rlen('''\x1b[200~{many}\x1b[201~''')\r"));
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

#[test]
fn what_the_agent_ran_can_be_called_up_and_is_not_written_down() {
    let runtime = Runtime::new();
    let agent = runtime.agent();
    agent.still_works();
    let mut person = runtime.attach(&[]);
    person.runs("if 1:\rprint('mine')\r");
    person.shows("\nmine\n>>>");
    agent.gives_part("'the agent' + 's'", "'the agents'");
    person.ends_with("'the agents'\n>>>");
    person.types("\x1b[A");
    person.ends_with(">>> 'the agent' + 's'");
    // The one before that, whole.
    person.types("\x1b[A");
    person.ends_with(">>> if 1:\n...     print('mine')\n...");
    person.types("\x03");
    // Looked for.
    person.is_at_prompt();
    person.types("\x12agent");
    person.shows("(search: agent) 'the agent' + 's'");
    person.types("\r\r");
    person.shows_when("run again", |page| page.ends_with("'the agents'\n>>>"));
    let directory = runtime.path().with_file_name("state").join("mcp-repl");
    let file = directory.join("history");
    let kept = std::fs::read_to_string(&file).unwrap();
    assert_has(&kept, "'mine'");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&directory), mode(&file)), (0o700, 0o600));
    assert_eq!(kept.matches("the agent").count(), 1, "{kept}");
}

#[test]
fn keys_of_vi_show_their_mode() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&["--keys", "vi"]);
    person.is_at_prompt();
    person.types("'one two'\x1b");
    person.ends_with(">>: 'one two'");
    // A key that is a command's argument.
    person.types("0fnrv\r");
    person.shows("\n'ove two'\n>>>");
    person.is_at_prompt();
    person.types("'new'\r");
    person.shows("\n'new'\n>>>");
    let (status, page) = runtime.attach(&["--keys", "none"]).ends();
    assert_eq!(status, 2);
    assert_has(&page, "they are `emacs` or `vi`");
}

#[test]
fn a_cell_can_be_edited_in_an_editor_of_ones_own() {
    let runtime = Runtime::new();
    let attach = |editor: &str, keys: &str| {
        let builder = runtime.attaching(&["--new", "--keys", keys]).env_remove("VISUAL");
        Terminal::run(builder.env("EDITOR", editor))
    };
    let mut person = attach("sed -i s/one/two/", "emacs");
    person.is_at_prompt();
    // What is typed behind it is typed into the line.
    person.types("if 1:\rprint('one')\x18\x05");
    person.ends_with(">>> if 1:\n...     print('two')");
    person.types("\r\r");
    person.shows("\ntwo\n>>>");
    let mut person = attach("sed -i s/one/two/", "vi");
    person.is_at_prompt();
    person.types("'one'\x1b");
    person.ends_with(">>: 'one'");
    person.types("v");
    person.ends_with("'two'");
    let mut person = attach("no-such-editor", "emacs");
    person.is_at_prompt();
    person.types("half\x18\x05");
    person.shows("the editor `no-such-editor` can't be started");
    person.ends_with(">>> half");
}

#[test]
fn what_ends_this_client_ends_the_editor_and_the_terminal_is_put_back() {
    let runtime = Runtime::new();
    let editor = runtime.path().with_file_name("editor");
    let program = "#!/bin/sh\nmodes=$(stty -g)\nsleep 1000 &\ntrap \"kill $!; stty $modes; echo ends; exit 1\" HUP\n\
                   stty raw\necho edits\nwait\n";
    std::fs::write(&editor, program).unwrap();
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o700)).unwrap();
    for (signal, status) in [(Signal::TERM, 128 + 15), (Signal::HUP, 128 + 1)] {
        let builder = runtime.attaching(&["--new"]).env_remove("VISUAL").env("EDITOR", &editor);
        let mut person = Terminal::run(builder);
        person.is_at_prompt();
        person.types("x\x18\x05");
        person.shows("edits");
        kill_process(Pid::from_raw(person.pid()).unwrap(), signal).unwrap();
        let (ended, page) = person.ends();
        assert_eq!(ended, status, "{page}");
        assert_has(&page, "ends");
    }
}

#[test]
fn backspace_goes_back_a_step_where_a_line_begins() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    person.types("if 0:\rif 1: deep\r");
    person.ends_with("deep\n...");
    person.types("\x7felse: print('back')\r");
    person.shows("\n... else: print('back')\nback\n>>>");
}

#[test]
fn enter_within_a_cell_begins_a_line() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.runs("if 1:\rprint('one')\rprint('three')\r");
    person.ends_with("\none\nthree\n>>>");
    // What was called up runs at once.
    person.types("\x1b[A");
    person.ends_with(">>> if 1:\n...     print('one')\n...     print('three')\n...");
    person.types("\r");
    person.shows_when("run again", |page| page.matches("\none\nthree\n>>>").count() == 2);
    person.types("\x1b[A");
    person.ends_with(">>> if 1:\n...     print('one')\n...     print('three')\n...");
    // What is shown is what the editor knows.
    person.types("\x1b[B\x05,");
    person.ends_with("\n...     print('one'),\n...     print('three')\n...");
    person.types("\x7f");
    person.ends_with("\n...     print('one')\n...     print('three')\n...");
    person.types("\rprint('two')");
    person.ends_with("\n...     print('one')\n...     print('two')\n...     print('three')\n...");
    // So does Alt-Enter.
    person.types("\x1b\rprint('end')");
    person.ends_with("\n...     print('two')\n...     print('end')\n...     print('three')\n...");
    person.types("\x1b[B\x1b[B\r");
    person.shows("\none\ntwo\nend\nthree\n>>>");
}

#[test]
fn where_there_are_no_names_nothing_is_shown() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    person.types("wol\t");
    person.ends_with(">>> wol");
    // It is asked again.
    person.types("\t'f'");
    person.ends_with(">>> wol'f'");
    person.types("\x03");
    person.is_at_prompt();
    person.types("'still here'\r");
    person.shows("\n'still here'\n>>>");
    assert_has_not(&String::from_utf8_lossy(&person.bytes), "NO RECORDS");
}

#[test]
fn names_go_when_the_line_goes_on() {
    let runtime = Runtime::new();
    let mut person = Terminal::run(runtime.attaching(&[]).env("NO_COLOR", "1"));
    person.runs("wolf = 1; wolfram = 2");
    person.is_at_prompt();
    person.types("wo\t");
    person.shows(">WOLF");
    person.types(" + 1");
    person.ends_with(">>> wolf + 1");
    person.types("\x03");
    // Enter runs what stands there.
    person.is_at_prompt();
    person.types("wol\t");
    person.shows(">WOLF");
    person.types("\x7ff\r");
    person.shows("\n1\n>>>");
    // It takes the name that was gone to, forth and back.
    person.types("'no'; wo\t");
    person.shows(">WOLF ");
    person.types("\t");
    person.shows(">WOLFRAM");
    person.types("\x1b[Z");
    person.shows(">WOLF ");
    person.types("\x1b[Z");
    person.shows(">WOLFRAM");
    person.types("\r + 0\r");
    person.shows("\n2\n>>>");
}

#[test]
fn what_is_pasted_from_a_session_is_the_code_in_it() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    person.types("\x1b[200~>>> if 1:\r...     x = 6 * 7\r...\r>>> x\r41\r\x1b[201~");
    person.ends_with(">>> if 1:\n...     x = 6 * 7\n...\n... x\n...");
    person.types("\r");
    person.shows("\n42\n>>>");
    person.types("\x1b[200~    y = x\r    if y:\r        print(y + 1)\r\x1b[201~");
    person.ends_with(">>> y = x\n... if y:\n...     print(y + 1)\n...");
    person.types("\r");
    person.shows("\n43\n>>>");
    // In a string it stays as it is.
    person.types("'''");
    person.ends_with("'''");
    person.types("\x1b[200~    >>> x\x1b[201~'''\r");
    person.shows("\n'    >>> x'\n>>>");
}
