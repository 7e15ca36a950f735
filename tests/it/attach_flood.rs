//! `mcp-repl attach` while an agent prints without end: what is typed shows at once, and the line
//! stays whole below all of it.
#![cfg(has = "person")]

use crate::support::{Lifeline, Runtime, Server, Terminal, assert_has};

/// What is typed, a key at a time, behind what tells one such line from the next.
const LINE: &str = " is a line that is typed while much is printed, with é, 漢 and so on'";

/// An agent whose `flood` prints a line a millisecond or as fast as it can until it is released.
#[track_caller]
fn start(runtime: &Runtime) -> (Server, Lifeline) {
    let agent = runtime.agent();
    agent.still_works();
    let line = Lifeline::lay(&agent);
    agent.repl(
        "import itertools, select\ndef flood(pause, size):\n    line.send(b'!')\n    \
         for n in itertools.count():\n        print('=' * 70, n)\n        \
         if select.select([line], [], [], pause if n % size == 0 else 0)[0]: break\n    \
         line.recv(1)\n    print('the end of the flood')",
    );
    (agent, line)
}

/// Types the rest of the line while the flood goes on: each key shows before the next one is pressed, and never is
/// there anything else in the line, or a second one.
#[track_caller]
fn types_on(person: &mut Terminal, first: &str) {
    let mut typed = first.to_owned();
    for key in LINE.chars() {
        typed.push(key);
        person.types(&key.to_string());
        let line = format!(">>> {typed}");
        person.shows_when(&line, |page| {
            let mut lines = page.lines().rev();
            let last = lines.next().unwrap_or_default();
            let is_begun = !last.contains(">>>") || line.starts_with(last.trim_end());
            assert!(is_begun, "no part of {line:?}:\n{page}");
            for other in lines.filter(|line| line.contains(">>>")) {
                let is_whole = other.starts_with("[agent] ") || other.ends_with(LINE);
                assert!(is_whole, "a line that was left behind:\n{page}");
            }
            page.ends_with(line.trim_end())
        });
    }
}

#[test]
fn a_line_is_typed_while_much_is_printed() {
    let runtime = Runtime::new();
    let (agent, mut line) = start(&runtime);
    let mut person = runtime.attach(&["work"]);
    person.is_at_prompt();
    for (n, flood) in ["flood(0.001, 10)", "flood(0, 1)", "flood(0.02, 200)"].iter().enumerate() {
        let first = format!("'{n}");
        person.types(&first);
        person.ends_with(&format!(">>> {first}"));
        let call = agent.begin(flood);
        line.hears("!");
        person.shows("======");
        types_on(&mut person, &first);
        line.release();
        assert_has(&call.text(), "the end of the flood\n");
        person.ends_with(&format!("\nthe end of the flood\n>>> {first}{LINE}"));
        person.types("\r");
        // A flood that was longer than a reply holds is named behind that.
        person.shows(&format!(">>> {first}{LINE}\n{first}{LINE}\n"));
        person.ends_with("\n>>>");
    }
}
