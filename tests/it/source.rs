//! Source of every shape: long, odd, wrong.

use serde_json::json;

use crate::support::{IDLE, Server, assert_has, assert_has_not, text_of};

#[test]
fn multi_line_strings_keep_their_text() {
    let repl = Server::start();
    repl.gives("s = '''one\n\n  two\n\ttab\n'''\ns", "'one\\n\\n  two\\n\\ttab\\n'\n");
    repl.gives("print('''a\n\nb''')", "a\n\nb\n");
}

#[test]
fn blank_lines_do_not_end_a_block() {
    let repl = Server::start();
    let cell = "\
def f(n):

    total = 0

    for i in range(n):

        total += i

    return total

class C:

    def m(self):

        return f(4)

C().m()";
    repl.gives(cell, "6\n");
}

#[test]
fn tabs_indent() {
    let repl = Server::start();
    repl.gives("if True:\n\tif True:\n\t\tprint('tab')", "tab\n");
    repl.gives_part("if True:\n\tx = 1\n        y = 2", "TabError");
}

#[test]
fn lines_may_end_as_on_windows() {
    let repl = Server::start();
    repl.gives("def f():\r\n    return 1\r\n\r\nf()\r\n", "1\n");
    repl.gives("'''a\r\nb'''", "'a\\nb'\n");
    repl.gives("x = 1\rx + 1", "2\n");
}

#[test]
fn a_line_of_200_kb() {
    let repl = Server::start();
    let text = "é".repeat(100_000);
    repl.gives(&format!("len('{text}')"), "100000\n");
    let sum = vec!["1"; 50_000].join(",");
    repl.gives(&format!("sum([{sum}])"), "50000\n");
}

#[test]
fn twenty_thousand_lines() {
    let repl = Server::start();
    let mut cell: String = (0..20_000).map(|n| format!("x{n} = {n}\n")).collect();
    cell.push_str("x19999");
    repl.gives(&cell, "19999\n");
    let failing = "\n".repeat(19_999) + "1 / 0";
    let reply = repl.repl(&failing);
    assert_has(&reply, "line 20000, in <module>");
}

#[test]
fn a_syntax_error_gives_the_normal_error() {
    let repl = Server::start();
    let reply = repl.repl("x = = 1");
    assert_has(&reply, "line 1\n    x = = 1\n");
    assert!(reply.ends_with("SyntaxError: invalid syntax\n"), "{reply}");
    assert_has_not(&reply, "Traceback");
    assert_has_not(&reply, "...");
    repl.gives_part("x = 1\n  y = 2", "IndentationError: unexpected indent");
    repl.gives_part("return 1", "SyntaxError: 'return' outside function");
    repl.gives_part("print('a'", "SyntaxError");
    repl.gives_part("'unterminated", "SyntaxError");
    repl.still_works();
}

#[test]
fn an_incomplete_block_gives_the_normal_error_and_no_continuation_prompt() {
    let repl = Server::start();
    for cell in ["def f():", "if True:\n", "class C:\n\n", "for x in y:\n    # comment"] {
        let reply = repl.repl(cell);
        assert_has(&reply, "IndentationError: expected an indented block");
        assert_has_not(&reply, "...");
    }
    for cell in ["(1 +", "x = [1,\n", "'''open", "f(", "try:\n    pass\n", "@decorator"] {
        let reply = repl.repl(cell);
        assert_has(&reply, "SyntaxError");
        assert_has_not(&reply, "...");
    }
    repl.still_works();
}

#[test]
fn a_cell_that_does_not_compile_does_nothing() {
    let repl = Server::start();
    for cell in ["x = 1\nawait f()", "x = 1\nyield 2", "x = 1\nreturn", "x = 1\nbreak", "x = 1\n)"]
    {
        repl.gives_part(cell, "SyntaxError");
        repl.gives_part("x", "NameError: name 'x' is not defined");
    }
    repl.gives_part("x = 1\n[(yield) for _ in y]", "SyntaxError");
    repl.gives_part("x = 1\nasync with a: pass", "SyntaxError");
    repl.gives_part("x", "NameError: name 'x' is not defined");
}

#[test]
fn null_bytes_are_an_error_text_in_source_and_plain_in_values() {
    let repl = Server::start();
    let reply = repl.repl("x = 'a\0b'");
    assert!(reply.contains("null byte"), "{reply}");
    repl.gives_part("\0", "null byte");
    repl.gives("len('a\\0b')", "3\n");
    repl.gives("'a\\0b'", "'a\\x00b'\n");
    repl.repl("print('a\\0b')");
    repl.still_works();
}

#[test]
fn lone_surrogates_in_source_are_replaced_or_refused() {
    let repl = Server::start();
    for payload in [r#""x = 'a\ud800b'""#, r#""'\udc80'""#, r#""\ud83d""#, r#""'\ude00\ud83d'""#] {
        let line = format!(
            r#"{{"jsonrpc":"2.0","id":"odd","method":"tools/call","params":{{"name":"repl","arguments":{{"input":{payload}}}}}}}"#
        );
        repl.send_bytes(line.as_bytes());
        repl.send_bytes(b"\n");
        let answer = repl.answer(&json!("odd"));
        assert!(!text_of(&answer).is_empty(), "{answer}");
    }
    repl.still_works();
}

#[test]
fn lone_surrogates_in_output_are_an_error_text_or_a_replacement() {
    let repl = Server::start();
    repl.gives_part("print('a\\ud800b')", "UnicodeEncodeError");
    repl.gives("'a\\ud800b'", "'a\\ud800b'\n");
    repl.gives_part("raise ValueError('a\\ud800b')", "ValueError: a\\ud800b");
    repl.gives("import sys\n_ = sys.stderr.write('a\\ud800b\\n')", "a\\ud800b\n");
    repl.still_works();
}

#[cfg(has = "posix")]
#[test]
fn bytes_that_are_no_text_are_replaced() {
    let repl = Server::start();
    repl.gives("import os\n_ = os.write(1, b'a\\xff\\xfeb\\n')", "a\u{fffd}\u{fffd}b\n");
    repl.still_works();
}

#[test]
fn text_beyond_ascii_goes_both_ways() {
    let repl = Server::start();
    repl.gives("'Grüße, 世界 🎉'", "'Grüße, 世界 🎉'\n");
    repl.gives("naïve = 'é'\nprint(naïve)", "é\n");
}

#[test]
fn a_form_feed_and_other_odd_characters_in_source() {
    let repl = Server::start();
    repl.gives("\u{c}1 + 1", "2\n");
    repl.gives("x = 1 \\\n    + 1\nx", "2\n");
    repl.gives_part("x = “1”", "SyntaxError");
    repl.gives("1 + 1\n\n\n", "2\n");
    repl.gives("  \n\n1 + 1", "2\n");
    repl.gives("x = 3", IDLE);
}
