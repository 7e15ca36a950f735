//! People who come, press any key, are stopped, killed and leave at random moments, while an agent
//! works: what the agent is told is right, whoever is still there can go on, and nothing is left.
#![cfg(has = "person")]

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Chance, Runtime, Terminal, assert_has, assert_has_not, gone};

/// Long enough for a client to be in the middle of something.
const MOMENT: Duration = Duration::from_millis(60);
/// How many cells the agent runs a round.
const CELLS: u64 = 6;

/// Keys that interrupt nothing, end nothing and make no cell that changes something. None is a command
/// behind the escape key: Esc before that takes one press of it away (Alt and Ctrl-]), and the next
/// key is for this client then.
const KEYS: [&str; 26] = [
    "b",
    "x.",
    " ",
    "(",
    "'",
    "[",
    ")",
    "漢",
    "e\u{301}",
    "\r",
    "\t",
    "\x1b[A",
    "\x1b[B",
    "\x1b[C",
    "\x1b[D",
    "\x7f",
    "\x01",
    "\x05",
    "\x0b",
    "\x12",
    "\x1b",
    "\x1b[200~a\rb\x1b[201~",
    "\x1d?",
    "\x1d\x1d",
    "\x1b[<0;3;3M",
    "\x1b[5;5R",
];

/// Someone at a terminal, who may be stopped.
struct Person {
    terminal: Terminal,
    is_stopped: bool,
}

impl Person {
    fn joins(runtime: &Runtime, chance: &mut Chance) -> Person {
        let arguments: &[&str] =
            if chance.below(5) == 0 { &["work", "--observe"] } else { &["work"] };
        Person { terminal: runtime.attach(arguments), is_stopped: false }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.terminal.pid()).unwrap()
    }

    fn signal(&self, signal: Signal) {
        let _ = kill_process(self.pid(), signal);
    }

    /// Does something. Whether it stays.
    fn acts(&mut self, chance: &mut Chance) -> bool {
        match chance.below(16) {
            0 => self.signal(Signal::KILL),
            1 => self.signal(chance.of(&[Signal::TERM, Signal::HUP])),
            2 => self.terminal.types("\x1dd"),
            3 => self.terminal.types("\x04"),
            4 => {
                let size = chance.of(&[(80, 24), (20, 5), (200, 60), (2, 1), (0, 0)]);
                self.terminal.resize(size.0, size.1);
                return true;
            }
            5 => {
                self.is_stopped = !self.is_stopped;
                self.signal(if self.is_stopped { Signal::STOP } else { Signal::CONT });
                return true;
            }
            6 => {
                self.terminal.stops_taking();
                return true;
            }
            7 => {
                self.terminal.goes_on_taking();
                return true;
            }
            _ => {
                for _ in 0..chance.below(6) {
                    self.terminal.types(chance.of(&KEYS));
                }
                return true;
            }
        }
        false
    }
}

impl Drop for Person {
    /// Nobody can end what is stopped, or close a terminal that is still printed on.
    fn drop(&mut self) {
        self.signal(Signal::CONT);
        self.terminal.goes_on_taking();
    }
}

#[test]
fn whatever_people_do_the_agents_work_is_right_and_nothing_is_left() {
    Chance::rounds(30, |chance| {
        let runtime = Runtime::new();
        let mut agent = runtime.agent();
        agent.still_works();
        let (mut people, mut left): (Vec<Person>, Vec<Pid>) = (Vec::new(), Vec::new());
        let mut totals = Vec::new();
        for n in 0..CELLS {
            let lines = chance.of(&[1, 100, 5000]);
            let call = agent.begin(&format!(
                "total_{n} = 0\nfor n in range({lines}):\n    total_{n} += n\n    print('agent', n)\n\
                 print('sum', {n}, total_{n})"
            ));
            for _ in 0..chance.below(6) {
                if people.len() < 3 && chance.coin() {
                    people.push(Person::joins(&runtime, chance));
                }
                if !people.is_empty() {
                    let one = usize::try_from(chance.below(people.len() as u64)).unwrap();
                    if !people[one].acts(chance) {
                        left.push(people.swap_remove(one).pid());
                    }
                }
                chance.moment(MOMENT);
            }
            // What is typed meanwhile is echoed in between.
            assert_has_not(&call.text(), "<<repl status: busy");
            totals.push(lines * (lines - 1) / 2);
        }
        // What they have typed and is on its way is for no cell that comes now.
        for person in people {
            person.signal(Signal::KILL);
            left.push(person.pid());
        }
        assert!(left.into_iter().all(gone), "a client does not end");
        let names = (0..CELLS).map(|n| format!("total_{n}")).collect::<Vec<_>>().join(", ");
        assert_has(&agent.repl(&format!("[{names}]")), &format!("{totals:?}\n"));
        // Who joins finds all in order.
        let mut fresh = runtime.attach(&["work"]);
        fresh.is_at_prompt();
        fresh.types("'as ever'\r");
        fresh.shows("\n'as ever'\n");
        fresh.types("\x1dd");
        assert_eq!(fresh.ends().0, 0);
        agent.hang_up();
        runtime.says(&["end", "--all"]);
        runtime.wait_until_empty();
        runtime.has_nothing();
    });
}
