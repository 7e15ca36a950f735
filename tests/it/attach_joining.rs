//! `mcp-repl attach` in the middle of a full-screen program: who joins sees it as it is, with its
//! modes, and who leaves or dies takes them along; whose terminal says the size.
#![cfg(has = "person")]

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Runtime, Server, Terminal, assert_has, assert_has_not, gone};

#[track_caller]
fn start(runtime: &Runtime) -> Server {
    let agent = runtime.agent();
    agent.still_works();
    let text: String = (1..=300).map(|n| format!("row {n}\n")).collect();
    agent.write_file("long.txt", &text);
    agent
}

/// What a terminal is told to do by these modes (DECSET).
fn sets(modes: &[u32]) -> Vec<String> {
    modes.iter().map(|mode| format!("\x1b[?{mode}h")).collect()
}

#[track_caller]
fn was_told(person: &Terminal, sequences: &[String]) {
    let bytes = String::from_utf8_lossy(&person.bytes);
    for sequence in sequences {
        assert_has(&bytes, sequence);
    }
}

/// Leaves, by the escape key; nothing of the program's is left (`ends` looks for its modes).
#[track_caller]
fn leaves(mut person: Terminal) -> String {
    person.types("\x1dd");
    let (status, page) = person.ends();
    assert_eq!(status, 0, "{page}");
    page
}

#[test]
fn in_the_middle_of_vim_with_a_mouse() {
    let runtime = Runtime::new();
    let agent = start(&runtime);
    let mut first = runtime.attach(&["work"]);
    let vim = "vim -u NONE -i NONE -N -c 'set mouse=a ttymouse=sgr' long.txt";
    first.runs(&format!("import os; os.system({vim:?})"));
    first.shows("row 23\n");
    first.types("12G");
    let mut second = runtime.attach(&["work"]);
    second.shows("row 23\n");
    assert_eq!(second.page(), first.page());
    // Mouse, its encoding, the alternate screen, the cursor keys' and paste's.
    was_told(&second, &sets(&[1002, 1006, 1049, 1, 2004]));
    // The mouse of the one that joined goes to the program: a click in the third row, then a mark.
    second.types("\x1b[<0;2;3M\x1b[<0;2;3mrX");
    first.shows("\nrXw 3\n");
    second.shows("\nrXw 3\n");
    let page = leaves(second);
    assert_has_not(&page, "row 23");
    // It goes on for the other, and for who comes and dies.
    let mut third = runtime.attach(&["work"]);
    third.shows("\nrXw 3\n");
    let pid = Pid::from_raw(third.pid()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    assert!(gone(pid));
    first.types("\x1b:q!\r");
    first.ends_with("\n0\n>>>");
    assert_has_not(&first.page(), "row 23");
    assert_has(&agent.repl("6 * 7"), "42\n");
}

#[test]
fn in_the_middle_of_less() {
    let runtime = Runtime::new();
    let _agent = start(&runtime);
    let mut first = runtime.attach(&["work"]);
    first.runs("import os; os.system('LESS= less --mouse long.txt')");
    first.shows("row 23\n");
    first.types("G");
    first.shows("row 300\n");
    let mut second = runtime.attach(&["work"]);
    second.shows("row 300\n");
    assert_eq!(second.page(), first.page());
    was_told(&second, &sets(&[1000, 1006, 1049, 1]));
    second.types("g");
    first.shows("row 1\n");
    second.shows("row 1\n");
    leaves(first);
    second.types("q");
    second.ends_with("\n0\n>>>");
    // Nothing is left of what was shown to it, and at the prompt the keys are the prompt's.
    second.types("'on'\r");
    second.ends_with("\n'on'\n>>>");
    leaves(second);
}

const SIZE: &str = "import os; tuple(os.get_terminal_size())";

#[test]
fn observers_never_say_the_size_and_the_agents_comes_back_with_the_last_who_leaves() {
    let runtime = Runtime::new();
    let agent = start(&runtime);
    let mut one = runtime.attach(&["work"]);
    one.runs(SIZE);
    one.ends_with("\n(80, 24)\n>>>");
    let mut looks_on = runtime.attach(&["work", "--observe"]);
    looks_on.shows("(80, 24)");
    looks_on.resize(90, 33);
    looks_on.types("\x1b[A\r");
    one.types(&format!("{SIZE}, 'now'\r"));
    one.ends_with("\n((80, 24), 'now')\n>>>");
    looks_on.shows("((80, 24), 'now')");
    let mut other = runtime.attach(&["work"]);
    other.is_at_prompt();
    other.resize(100, 30);
    other.types(&format!("{SIZE}\r"));
    other.ends_with("\n(100, 30)\n>>>");
    // Of no window that anybody looks at.
    for (columns, rows) in [(2, 1), (0, 0), (9, 30), (100, 2)] {
        other.resize(columns, rows);
    }
    other.resize(100, 30);
    other.types("'here'\r");
    other.shows("\n'here'\n");
    // One is still there.
    leaves(other);
    one.types(&format!("{SIZE}, 'again'\r"));
    one.ends_with("\n((80, 24), 'again')\n>>>");
    // Who is killed has left as well.
    let pid = Pid::from_raw(one.pid()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    assert!(gone(pid));
    let comes_back = "import time\nwhile os.get_terminal_size() != (120, 40): time.sleep(0.01)\n\
                      print('the size of an agent')";
    assert_has(&agent.repl(comes_back), "the size of an agent\n");
    looks_on.shows("the size of an agent");
}

#[test]
fn a_size_can_be_pinned_by_who_attaches_or_for_the_session() {
    let runtime = Runtime::new();
    let agent = start(&runtime);
    let mut other = runtime.attach(&["work"]);
    other.runs(SIZE);
    other.ends_with("\n(80, 24)\n>>>");
    let mut pins = runtime.attach(&["work", "--size", "70x30"]);
    pins.is_at_prompt();
    pins.is_titled("work: 70x30, cropped, ready");
    pins.runs(&format!("{SIZE}, 'pinned'"));
    pins.ends_with("\n((70, 30), 'pinned')\n>>>");
    // Nobody who types or has another window changes it.
    other.resize(100, 30);
    pins.resize(90, 33);
    for person in [&mut other, &mut pins] {
        person.runs(&format!("{SIZE}, 'still'"));
        person.ends_with("\n((70, 30), 'still')\n>>>");
    }
    leaves(pins);
    // Whose window is another gets it back at once.
    other.is_titled("work: ready");
    other.runs(&format!("{SIZE}, 'again'"));
    other.ends_with("\n((100, 30), 'again')\n>>>");
    leaves(other);
    drop(agent);
    let kept = runtime.server().args(["--session", "kept", "--size", "60x20"]).start();
    assert_has(&kept.repl(SIZE), "(60, 20)\n");
    let mut person = runtime.attach(&["kept"]);
    person.runs(&format!("{SIZE}, 'kept'"));
    person.ends_with("\n((60, 20), 'kept')\n>>>");
    leaves(person);
    for (size, words) in [("2x1", "10x3"), ("80", "COLUMNSxROWS"), ("80x9999", "1000x500")] {
        let (status, page) = runtime.attach(&["kept", "--size", size]).ends();
        assert_eq!(status, 2);
        assert_has(&page, words);
    }
    let (status, page) = runtime.attach(&["kept", "--observe", "--size", "80x24"]).ends();
    assert_eq!(status, 2);
    assert_has(&page, "only looks on");
}
