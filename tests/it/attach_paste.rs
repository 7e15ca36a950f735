//! `mcp-repl attach` and what is pasted at the prompt: much of it, with bracketed paste and without.
#![cfg(has = "person")]

use crate::support::{Runtime, assert_has};

/// How much is pasted, in bytes.
const MUCH: usize = 1 << 20;

/// A cell of so many bytes and more that says how long its text is, and what that sums up to.
fn cell(length: usize) -> (String, String) {
    let mut text = String::new();
    while text.len() < length {
        text += &format!("{} é漢 \\t {}\n", text.len(), "x".repeat(text.len() % 97));
    }
    let (count, sum) =
        (text.chars().count(), text.chars().map(|c| u64::from(u32::from(c))).sum::<u64>());
    let cell = format!("data = r'''{text}'''\nprint('there are', len(data), sum(map(ord, data)))");
    (cell, format!("\nthere are {count} {sum}\n>>>"))
}

#[test]
fn a_megabyte_is_pasted_whole_and_is_one_cell() {
    let runtime = Runtime::new();
    let agent = runtime.agent();
    agent.still_works();
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    let (cell, told) = cell(MUCH);
    person.types(&format!("\x1b[200~{}\x1b[201~", cell.replace('\n', "\r")));
    person.ends_with("print('there are', len(data), sum(map(ord, data)))");
    // It is a line that can be edited.
    person.types(" # end");
    person.ends_with("sum(map(ord, data))) # end");
    person.types("\r");
    person.shows(&told);
    assert_has(&agent.repl("data[-2:]"), "x\\n'\n");
}

#[test]
fn much_comes_whole_from_a_terminal_that_does_not_say_what_is_pasted() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    let (cell, told) = cell(MUCH / 32);
    person.types(&cell.replace('\n', "\r"));
    person.ends_with("print('there are', len(data), sum(map(ord, data)))");
    person.types("\r");
    person.shows(&told);
    // Blank lines and blanks are as they were pasted.
    let function = "def f(x):\r    if x:\r\r        x += 1 # a long line\r".to_owned();
    let lines = "        x += 1 # another line\r".repeat(30);
    person.types(&(function + &lines + "\r    return x\rf(1)"));
    person.ends_with("\n... f(1)");
    person.types("\r");
    person.shows("\n32\n>>>");
}
