//! `mcp-repl attach` under a shell with job control: Ctrl-Z, `fg`, `bg`, and signals from outside.
#![cfg(has = "person")]

use rustix::process::{Signal, kill_process};

use crate::support::{Runtime, Terminal, assert_has_not, children};

impl Terminal {
    /// Waits until the shell has the terminal again, in its own modes.
    #[track_caller]
    fn is_stopped(&mut self) {
        self.shows_when("the shell's prompt", |page| {
            page.contains("Stopped") && page.ends_with('$')
        });
        // The shell's own.
        assert_has_not(&self.set_modes().replace("\x1b[?2004l", ""), "\x1b[?");
    }
}

#[test]
fn at_the_prompt_ctrl_z_stops_the_client_and_fg_goes_on_with_the_line() {
    let runtime = Runtime::new();
    let (agent, mut person) = runtime.agent_and_shell();
    person.types("'half'");
    person.ends_with(">>> 'half'");
    person.types("\x1a");
    person.is_stopped();
    // The agent is not held up.
    agent.gives_part("for n in range(20_000): print('line', n)\nx = 5", "line 19999\n");
    person.types("fg\r");
    person.ends_with(">>> 'half'");
    person.types(" * 2\r");
    person.shows("\n'halfhalf'\n>>>");
    person.runs("x");
    person.shows("\n5\n>>>");
    person.types("\x04");
    person.shows_when("the shell's prompt", |page| page.ends_with('$'));
}

#[test]
fn in_a_program_ctrl_z_is_the_programs_and_behind_the_escape_key_it_stops_the_client() {
    let runtime = Runtime::new();
    let (_agent, mut person) = runtime.agent_and_shell();
    person.types(
        "import sys, tty; _ = tty.setcbreak(0), print('\\033[?1049h\\033[?1002h\\033[5;9Hfull', end='', \
         flush=True); key = sys.stdin.read(1); print('\\033[?1049l\\033[?1002l', end='')\r",
    );
    person.shows("        full");
    person.types("\x1d\x1a");
    person.is_stopped();
    person.types("clear; fg\r");
    person.shows("        full");
    person.shows_when("no shell", |page| !page.contains("Stopped"));
    assert!(person.set_modes().contains("?1002"));
    person.types("k");
    person.runs("key");
    person.shows("\n'k'\n>>>");
}

#[test]
fn who_is_stopped_and_continued_from_outside_paints_again() {
    let runtime = Runtime::new();
    let (_agent, mut person) = runtime.agent_and_shell();
    person.types("'half'");
    person.ends_with(">>> 'half'");
    let client = children(person.pid())[0];
    for signal in [Signal::STOP, Signal::TSTP] {
        kill_process(client, signal).unwrap();
        person.shows_when("the shell's prompt", |page| page.ends_with('$'));
        // In the background it does not touch the terminal.
        person.types("bg; until jobs | grep -q Stopped; do :; done; echo st0p | tr 0 o\r");
        person.shows("\nstop\n");
        person.types("clear; fg\r");
        person.ends_with(">>> 'half'");
    }
    person.types("\r");
    person.shows("\n'half'\n>>>");
}

#[test]
fn where_there_is_no_shell_it_goes_on() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    person.types("'half'");
    person.ends_with(">>> 'half'");
    person.types("\x1a");
    person.types(" * 2");
    person.ends_with(">>> 'half' * 2");
    person.types("\r");
    person.shows("\n'halfhalf'\n>>>");
}
