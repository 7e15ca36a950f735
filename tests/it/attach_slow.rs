//! `mcp-repl attach` on terminals that take nothing (Ctrl-S), in processes that are stopped or
//! killed: it costs the session nothing, and who goes on sees what there is then.
#![cfg(has = "person")]

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{IDLE, Lifeline, Runtime, Server, Terminal, assert_has, gone};

/// More than every queue on the way to a terminal has room for.
const FLOOD: &str =
    "for n in range(200_000): print('line', n, 'x' * 60)\nprint('the end of the flood')";
/// How much memory a process may have more after a flood, in KiB: less than what the flood is.
const MOST_MORE: u64 = 10 * 1024;

#[track_caller]
fn start(runtime: &Runtime) -> Server {
    let agent = runtime.agent();
    agent.still_works();
    agent
}

fn pid(person: &Terminal) -> Pid {
    Pid::from_raw(person.pid()).unwrap()
}

/// The most memory that a process ever had, in KiB. The kernel counts it in parts, so that it may say less a
/// moment later.
#[track_caller]
fn peak_memory(process: Pid) -> u64 {
    let place = format!("/proc/{}/status", process.as_raw_nonzero());
    let status = std::fs::read_to_string(place).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn people_whose_terminals_take_nothing_hold_nobody_up() {
    let runtime = Runtime::new();
    let agent = start(&runtime);
    let mut people: Vec<Terminal> = (0..4).map(|_| runtime.attach(&["work"])).collect();
    for (person, half) in people.iter_mut().zip(["", "'half ", "", ""]) {
        person.is_at_prompt();
        person.types(half);
        person.ends_with(format!(">>> {half}").trim_end());
    }
    // All of them have been sent a flood once: what is kept for the next is there.
    agent.gives_part(FLOOD, "the end of the flood");
    for (person, half) in people.iter_mut().zip(["", "'half ", "", ""]) {
        person.ends_with(format!("the end of the flood\n>>> {half}").trim_end());
    }
    let host = runtime.host("work");
    let watched = [host, pid(&people[0]), pid(&people[1])];
    let before = watched.map(peak_memory);
    people[0].stops_taking();
    people[1].stops_taking();
    kill_process(pid(&people[2]), Signal::STOP).unwrap();
    kill_process(pid(&people[3]), Signal::KILL).unwrap();
    assert!(gone(pid(&people[3])));
    // The replies come while they take nothing.
    for _ in 0..3 {
        agent.gives_part(FLOOD, "the end of the flood");
        agent.gives("6 * 7", "42\n");
    }
    for (process, before) in watched.into_iter().zip(before) {
        let more = peak_memory(process).saturating_sub(before);
        assert!(more <= MOST_MORE, "{more} KiB more than {before}");
    }
    people[0].goes_on_taking();
    people[1].goes_on_taking();
    kill_process(pid(&people[2]), Signal::CONT).unwrap();
    people[0].ends_with("\nthe end of the flood\n[agent] >>> 6 * 7\n42\n>>>");
    people[2].ends_with("\nthe end of the flood\n[agent] >>> 6 * 7\n42\n>>>");
    people[1].ends_with("\nthe end of the flood\n[agent] >>> 6 * 7\n42\n>>> 'half");
    people[1].types("typed'\r");
    people[1].shows("\n'half typed'\n>>>");
    people[0].ends_with("\n'half typed'\n>>>");
    people[0].runs("'on'");
    people[0].shows("\n'on'\n>>>");
}

#[test]
fn who_was_stopped_sees_the_page_that_the_program_shows_then() {
    let runtime = Runtime::new();
    let agent = start(&runtime);
    let mut line = Lifeline::lay(&agent);
    let mut people = [runtime.attach(&["work"]), runtime.attach(&["work"])];
    people.iter_mut().for_each(Terminal::is_at_prompt);
    let draws = agent.begin(
        "print('\\033[?1049h', end='')\nfor n in range(20_000):\n    \
         print(f'\\033[H\\033[2J\\033[3;5Hpage {n}\\033[12;40H{n * n}', end='', flush=True)\n    \
         if n == 10: line.send(b'd'), line.recv(1)\n\
         line.send(b'!'), line.recv(1)\nprint('\\033[?1049l', end='')",
    );
    line.hears("d");
    people.iter_mut().for_each(|person| person.shows("page 10"));
    people[0].stops_taking();
    kill_process(pid(&people[1]), Signal::STOP).unwrap();
    line.release();
    line.hears("!");
    people[0].goes_on_taking();
    kill_process(pid(&people[1]), Signal::CONT).unwrap();
    let mut fresh = runtime.attach(&["work"]);
    fresh.shows("page 19999");
    fresh.shows("399960001");
    for person in &mut people {
        let page = fresh.page();
        person.shows_when("what the session shows", |shown| shown == page);
    }
    line.release();
    assert_eq!(draws.text(), IDLE);
    people.iter_mut().for_each(Terminal::is_at_prompt);
}

#[test]
fn who_takes_nothing_can_be_ended() {
    let runtime = Runtime::new();
    let agent = start(&runtime);
    for signal in [Signal::TERM, Signal::HUP] {
        let mut person = runtime.attach(&["work"]);
        person.is_at_prompt();
        person.types("half");
        person.ends_with("half");
        person.stops_taking();
        agent.gives_part(FLOOD, "the end of the flood");
        let process = pid(&person);
        kill_process(process, signal).unwrap();
        assert!(gone(process));
    }
    let said = agent.repl("import os; tuple(os.get_terminal_size())");
    assert_has(&said, "(120, 40)\n");
}
