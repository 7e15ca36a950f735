//! Servers, hosts and workers that are killed at random moments: the next server works, what should
//! live does, and nothing is left of the rest.
#![cfg(has = "proc")]

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Builder, Call, Chance, IDLE, Runtime, Server, assert_has, gone, text_of};

/// Long enough for a session to start, on a machine that is busy.
const START: Duration = Duration::from_millis(400);
/// Long enough for what a call does to be under way.
const WORK: Duration = Duration::from_millis(30);

/// What goes on in a session while something is killed. None of it ends by itself.
const WORKS: [&str; 6] = [
    "while True: pass",
    "while True: print('a line of some length, so that the screen moves')",
    "input('? ')",
    "import subprocess\nsubprocess.run(['cat'])",
    "import time\nwhile True: print(end='.', flush=True); time.sleep(0.001)",
    "import re\nre.match('(a*)*b', 'a' * 100)",
];

/// A place for the servers of a round.
struct Place {
    runtime: Runtime,
    directory: TempDir,
}

impl Place {
    fn new() -> Place {
        Place { runtime: Runtime::new(), directory: tempfile::tempdir().unwrap() }
    }

    /// A server that finds what another one here has left.
    fn server(&self) -> Builder {
        self.runtime.server().directory(self.directory.path())
    }

    fn host(&self) -> Pid {
        match &self.runtime.names()[..] {
            [name] => self.runtime.host(name),
            names => panic!("not one session: {names:?}"),
        }
    }

    /// Ends the servers and all sessions: nothing is left.
    #[track_caller]
    fn ends(self, servers: impl IntoIterator<Item = Server>) {
        servers.into_iter().for_each(|mut server| server.hang_up());
        self.runtime.says(&["end", "--all"]);
        self.runtime.wait_until_empty();
        self.runtime.has_nothing();
    }
}

/// Ends what goes on in the session, if anything does, and gives what was said.
#[track_caller]
fn settle(server: &Server) -> String {
    let call = |input| text_of(&server.call(&json!({"input": input, "timeout_ms": 1000})).answer());
    // What is there already; one that only asks something says no more than that.
    let mut said = call("");
    for _ in 0..1000 {
        let last = call("\u{3}");
        said += &last;
        let goes_on = ["<<repl status: busy", "<<repl status: waiting", "is still being opened"];
        if !goes_on.iter().any(|part| last.contains(part)) {
            return said;
        }
    }
    panic!("it can't be interrupted: {said}");
}

/// The next cell runs, perhaps in a new session.
#[track_caller]
fn works(server: &Server) {
    settle(server);
    let said = server.repl("6 * 7");
    assert!(said.ends_with("42\n"), "{said}");
}

/// The value of `x`, if there is one.
#[track_caller]
fn x(server: &Server) -> Option<u64> {
    let said = server.repl("'x is', globals().get('x', 'not there')");
    let value = said.lines().find_map(|line| line.strip_prefix("('x is', ")?.strip_suffix(')'));
    match value.unwrap_or_else(|| panic!("no value: {said}")) {
        "'not there'" => None,
        number => Some(number.parse().unwrap()),
    }
}

/// Has something go on in the session. Its call does not wait long: where it comes too late for the
/// session that was killed, it is made in the next one, and nobody ends it there.
fn work<'a>(server: &'a Server, chance: &mut Chance) -> Call<'a> {
    server.call(&json!({"input": chance.of(&WORKS), "timeout_ms": 1000}))
}

fn kill(process: Pid) {
    let _ = kill_process(process, Signal::KILL);
    assert!(gone(process));
}

#[test]
fn no_variable_is_lost_when_servers_are_killed() {
    Chance::rounds(20, |chance| {
        let place = Place::new();
        let mut server = place.server().start();
        let value = chance.below(1000);
        server.gives(&format!("x = {value}"), IDLE);
        // One after the other, as clients do that are restarted over and over.
        for _ in 0..1 + chance.below(3) {
            work(&server, chance);
            chance.moment(WORK);
            if chance.coin() {
                server.kill()
            } else {
                server.hang_up()
            }
            server = place.server().start();
            let said = settle(&server);
            assert!(said.starts_with("[repl] rejoined the session of "), "{said}");
            assert_eq!(x(&server), Some(value));
        }
        place.ends([server]);
    });
}

#[test]
fn of_two_servers_that_come_at_once_one_finds_what_was_left() {
    Chance::rounds(6, |chance| {
        let place = Place::new();
        let mut server = place.server().start();
        server.gives("x = 1", IDLE);
        if chance.coin() {
            work(&server, chance);
        }
        server.kill();
        let start = || {
            let server = place.server().start();
            settle(&server);
            server
        };
        let servers = std::thread::scope(|scope| {
            let threads = [scope.spawn(start), scope.spawn(start)];
            threads.map(|thread| thread.join().unwrap())
        });
        let mut found = servers.each_ref().map(x);
        found.sort_unstable();
        assert_eq!(found, [None, Some(1)]);
        place.ends(servers);
    });
}

#[test]
fn a_server_that_is_killed_while_its_session_starts_is_followed_by_one_that_works() {
    Chance::rounds(15, |chance| {
        let place = Place::new();
        for _ in 0..1 + chance.below(3) {
            let mut server = place.server().start_silent();
            chance.moment(START / 8);
            let client = json!({"name": "test", "version": "1"});
            let params =
                json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
            server.send_request("initialize", &params);
            server.notify("notifications/initialized", &json!({}));
            server.begin("x = 1");
            chance.moment(START);
            server.kill();
        }
        let server = place.server().start();
        works(&server);
        place.ends([server]);
    });
}

#[test]
fn a_host_that_is_killed_is_told_and_followed_by_another() {
    Chance::rounds(15, |chance| {
        let place = Place::new();
        let name = "shared";
        let start = || place.server().args(["--session", name]).start();
        let servers: Vec<Server> = (0..1 + chance.below(3)).map(|_| start()).collect();
        servers[0].repl("x = 1");
        // Each is in it.
        assert!(servers.iter().all(|server| x(server) == Some(1)));
        let host = place.host();
        // Its guard has the same command line.
        let mut victims = place.runtime.processes();
        let with_guard = chance.coin();
        victims.retain(|process| {
            process.pid == host || with_guard && process.command.contains(" host --detached ")
        });
        let call = work(&servers[0], chance);
        chance.moment(WORK);
        // All at once: none has the time to end what the others leave.
        for signal in [Signal::STOP, Signal::KILL] {
            victims.iter().for_each(|process| _ = kill_process(process.pid, signal));
        }
        assert!(victims.iter().all(|process| gone(process.pid)));
        let mut said = text_of(&call.answer());
        for server in &servers {
            said += &settle(server);
            assert!(said.contains("[repl] "), "nothing is said of it: {said}");
            said.clear();
            assert_eq!(x(server), None);
        }
        assert_eq!(place.runtime.names(), [name]);
        place.ends(servers);
    });
}

#[test]
fn any_process_of_a_host_may_die_while_it_starts() {
    Chance::rounds(15, |chance| {
        let place = Place::new();
        let server = place.server().start();
        let call = server.begin("x = 1");
        chance.moment(START);
        let all = place.runtime.processes();
        let others = all.iter().map(|process| process.pid).filter(|&pid| pid != server.pid());
        let others: Vec<Pid> = others.collect();
        if !others.is_empty() {
            kill(chance.of(&others));
        }
        call.answer();
        works(&server);
        place.ends([server]);
    });
}

#[test]
fn a_worker_that_is_killed_is_told_to_all() {
    Chance::rounds(10, |chance| {
        let place = Place::new();
        let start = || place.server().args(["--session", "shared"]).start();
        let servers: Vec<Server> = (0..1 + chance.below(2)).map(|_| start()).collect();
        servers[0].repl("x = 1");
        let worker = Pid::from_raw(servers[0].worker_pid()).unwrap();
        for server in &servers {
            settle(server);
        }
        let host = place.host();
        let call = work(&servers[0], chance);
        chance.moment(WORK);
        kill(worker);
        let mut said = call.text();
        for server in &servers {
            said += &settle(server);
            assert_has(&said, "[repl] ");
            assert_eq!(x(server), None);
            said.clear();
        }
        // It is the same session.
        assert_eq!(place.host(), host);
        place.ends(servers);
    });
}

#[test]
fn servers_that_start_one_name_at_the_same_moment_agree_on_one() {
    Chance::rounds(10, |chance| {
        let place = Place::new();
        let start = |_| {
            let server = place.server().args(["--session", "same"]).start();
            let call = server.begin("__import__('os').getpid()");
            let said = text_of(&call.answer());
            (server, said.lines().last().unwrap_or_default().to_owned())
        };
        let kills = chance.coin();
        let (servers, workers): (Vec<Server>, Vec<String>) = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..2 + chance.below(3)).map(|n| scope.spawn(move || start(n))).collect();
            if kills {
                chance.moment(START);
                let entry = place.runtime.path().join("same.session");
                if entry.exists() {
                    kill(place.runtime.host("same"));
                }
            }
            threads.into_iter().map(|thread| thread.join().unwrap()).unzip()
        });
        if !kills {
            assert!(
                workers.iter().all(|worker| worker.parse::<u32>().is_ok() && *worker == workers[0]),
                "{workers:?}"
            );
        }
        // Those that lost a host meet in one again.
        servers.iter().for_each(|server| _ = settle(server));
        servers[0].repl("x = 1");
        assert!(servers.iter().all(|server| x(server) == Some(1)));
        assert_eq!(place.runtime.names(), ["same"]);
        place.ends(servers);
    });
}

#[test]
fn a_host_that_is_stopped_hangs_nobody_and_goes_on() {
    Chance::rounds(3, |chance| {
        let place = Place::new();
        let mut server = place.server().start();
        server.gives("x = 1", IDLE);
        let host = place.host();
        let leaves = chance.coin();
        if leaves {
            server.kill();
        }
        kill_process(host, Signal::STOP).unwrap();
        place.runtime.says(&["ls"]);
        // It can't be asked whether anybody is there.
        let other = place.server().start();
        other.still_works();
        kill_process(host, Signal::CONT).unwrap();
        if leaves {
            server = place.server().start();
        }
        settle(&server);
        assert_eq!(x(&server), Some(1));
        place.ends([server, other]);
    });
}

#[test]
fn an_end_by_command_meets_calls_of_all_kinds() {
    Chance::rounds(6, |chance| {
        let place = Place::new();
        let server = place.server().start();
        let call = server.begin("x = 1");
        if chance.coin() {
            call.answer();
            work(&server, chance);
        }
        chance.moment(START / 4);
        place.runtime.says(&["end", "--all"]);
        works(&server);
        place.ends([server]);
    });
}
