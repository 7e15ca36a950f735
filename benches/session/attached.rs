//! People who are attached: how soon a key shows on their terminal, and what they cost the agent.

use std::{
    io::{self, Write},
    path::Path,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use portable_pty::CommandBuilder;

use crate::{
    latency::take_turn,
    pty::{Discipline, OnTerminal},
    relays::Relays,
    runtime::Runtime,
    server::{BINARY, Call, Server},
    table::{Bound, Line},
    throughput,
};

const SESSION: &str = "bench";
/// What terminals answer who asks where the cursor is: at the beginning of the last row.
const POSITION: &[u8] = b"\x1b[40;1R";
const ASKS_POSITION: &[u8] = b"\x1b[6n";

/// The keys that are pressed one after the other: they stand in no escape sequence that is
/// printed here, and in no line of the session's.
const KEYS: &[u8] = b"QUVWYZIEFNOX";
const ROUNDS: usize = 40;
/// How much of a round's keys come before the machine is warm.
const WARM_UP: usize = 3;
/// How long it is from key to key in a flood: what is printed must not say when they come.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(14),
    Duration::from_millis(36),
    Duration::from_millis(40),
    Duration::from_millis(52),
];

const TURNS: usize = 15;
/// Ten people look on while much is printed.
const MANY: usize = 10;
const FLOODS: usize = 5;

/// What a key at the prompt may take, in times a raw terminal's echo.
const MOST_ECHOES: f64 = 3.0;
/// What a key in a program may take, in times two bare relays; and the same in a flood, where it meets
/// what is being printed.
const MOST_RELAYS: f64 = 1.5;
const MOST_IN_A_FLOOD: f64 = 2.0;

/// Prints a megabyte a second until the file `stop` is there.
const FLOOD: &str =
    "while not os.path.exists(stop):\n    print(block, flush=True)\n    time.sleep(0.01)";

/// A person's terminal with `attach` on it.
struct Person {
    terminal: OnTerminal,
    /// The last bytes of what was printed, in which a question may have begun.
    tail: Vec<u8>,
}

impl Person {
    fn attach(runtime: &Runtime) -> io::Result<Person> {
        let bare = runtime.command();
        let mut command = CommandBuilder::new(BINARY);
        command.args(["attach", SESSION]);
        for (name, value) in bare.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            }
        }
        command.env("TERM", "xterm-256color");
        command.env("NO_COLOR", "1");
        command.env("XDG_STATE_HOME", runtime.path());
        let terminal = OnTerminal::run(command, Discipline::Usual)?;
        let mut person = Person { terminal, tail: Vec::new() };
        person.sees(b">>> ")?;
        Ok(person)
    }

    /// What is printed next. What the terminal is asked is answered.
    fn read(&mut self) -> io::Result<Vec<u8>> {
        let read = self.terminal.read().to_vec();
        if read.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.tail.extend(&read);
        let asked = self.tail.windows(ASKS_POSITION.len()).filter(|part| *part == ASKS_POSITION);
        for _ in 0..asked.count() {
            self.terminal.types(POSITION)?;
        }
        let kept = self.tail.len().saturating_sub(ASKS_POSITION.len() - 1);
        self.tail.drain(..kept);
        Ok(read)
    }

    fn sees(&mut self, what: &[u8]) -> io::Result<()> {
        let mut seen = Vec::new();
        while !seen.windows(what.len()).any(|part| part == what) {
            seen.extend(self.read()?);
        }
        Ok(())
    }

    /// Types a key and waits until it shows.
    fn key(&mut self, key: u8) -> io::Result<Duration> {
        let start = Instant::now();
        self.terminal.types(&[key])?;
        while !self.read()?.contains(&key) {}
        Ok(start.elapsed())
    }

    /// Takes away what was typed behind the first character.
    fn takes_keys_away(&mut self) -> io::Result<()> {
        for _ in KEYS {
            self.terminal.types(b"\x7f")?;
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Does something else after a while, and reads meanwhile what never ends: terminals take what is
    /// printed as it comes.
    fn reads_while<T: Send>(
        &mut self,
        pause: Duration,
        work: impl FnOnce() -> io::Result<T> + Send,
    ) -> io::Result<T> {
        thread::scope(|scope| {
            let working = scope.spawn(move || {
                thread::sleep(pause);
                work()
            });
            while !working.is_finished() {
                self.read()?;
            }
            working.join().map_err(|_| io::Error::other("a thread of the bench"))?
        })
    }

    /// Types a key after a while, and reads until it shows.
    fn key_while_reading(&mut self, pause: Duration, key: u8) -> io::Result<Duration> {
        let mut keyboard = self.terminal.keyboard();
        thread::scope(|scope| {
            let typing = scope.spawn(move || {
                thread::sleep(pause);
                let start = Instant::now();
                keyboard.write_all(&[key]).map(|()| start)
            });
            while !self.read()?.contains(&key) {}
            let shown = Instant::now();
            let typed = typing.join().map_err(|_| io::Error::other("a thread of the bench"))??;
            Ok(shown - typed)
        })
    }

    /// Reads until the session has ended.
    fn looks_on_to_the_end(mut self) -> JoinHandle<()> {
        thread::spawn(move || while self.read().is_ok() {})
    }
}

fn start(python: &Path, runtime: &Runtime) -> io::Result<Server> {
    let mut server = Server::start_hosted(python, runtime, &["--session", SESSION])?;
    server.expect("1+1", "2")?;
    Ok(server)
}

/// Starts a program of the person's.
fn runs(person: &mut Person, cell: &str) -> io::Result<()> {
    person.terminal.types(format!("{cell}\r").as_bytes())?;
    person.sees(b"there")
}

/// At the prompt and in programs, in turns with a raw terminal's echo and with two bare relays.
pub(crate) fn keys(python: &Path) -> io::Result<Vec<Line>> {
    let mut echo = OnTerminal::start("cat", &[], Discipline::Raw)?;
    let mut relays = Relays::start()?;
    let mut places = Vec::new();
    for (name, cell) in [
        ("prompt", ""),
        ("input()", "input('the' + 're')"),
        ("cat", "import subprocess; print('the' + 're'); subprocess.run('cat')"),
    ] {
        let runtime = Runtime::new()?;
        let server = start(python, &runtime)?;
        let mut person = Person::attach(&runtime)?;
        if !cell.is_empty() {
            runs(&mut person, cell)?;
        }
        person.key(b'#')?;
        places.push((name, runtime, server, person, Vec::new()));
    }
    let (mut echoed, mut relayed) = (Vec::new(), Vec::new());
    for round in 0..WARM_UP + ROUNDS {
        for (_, _, _, person, times) in &mut places {
            for &key in KEYS {
                let time = person.key(key)?;
                if round >= WARM_UP {
                    times.push(time);
                }
            }
            person.takes_keys_away()?;
        }
        for &key in KEYS {
            let time = echo.exchange(&[key], 1)?;
            if round >= WARM_UP {
                echoed.push(time);
            }
        }
        for &key in KEYS {
            let time = relays.key(key)?;
            if round >= WARM_UP {
                relayed.push(time);
            }
        }
        relays.takes_away(KEYS.len())?;
    }
    let mut lines = vec![Line::of_times(
        "a key through two bare relays",
        relayed.clone(),
        echoed.clone(),
        Bound::None,
    )];
    for (name, _, _, _, times) in places {
        lines.extend(compared(
            &format!("a key at {name}"),
            (name != "prompt").then_some(MOST_RELAYS),
            times,
            [echoed.clone(), relayed.clone()],
        ));
    }
    Ok(lines)
}

/// Keys, against a raw terminal's echo and against two bare relays. At the prompt they are to feel as the
/// one; in a program they can't be faster than the other, which they may be so many `relays` times.
fn compared(
    name: &str,
    relays: Option<f64>,
    times: Vec<Duration>,
    [echoed, relayed]: [Vec<Duration>; 2],
) -> [Line; 2] {
    let bounds = match relays {
        None => [Bound::AtMost(MOST_ECHOES), Bound::None],
        Some(most) => [Bound::None, Bound::AtMost(most)],
    };
    [
        Line::of_times(name, times.clone(), echoed, bounds[0]),
        Line::of_times(format!("{name} / relays"), times, relayed, bounds[1]),
    ]
}

/// The same while the agent prints a megabyte a second.
pub(crate) fn keys_in_a_flood(python: &Path) -> io::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (name, cell) in [("prompt", ""), ("input()", "input('the' + 're')")] {
        let runtime = Runtime::new()?;
        let mut server = start(python, &runtime)?;
        let stop = runtime.path().join("stop");
        server.repl(&format!(
            "import os, threading, time\nstop = {:?}\nblock = ('=' * 99 + '\\n') * 100\n\
             def flood():\n    {}",
            stop.to_string_lossy(),
            FLOOD.replace('\n', "\n    "),
        ))?;
        let mut person = Person::attach(&runtime)?;
        let flood = if cell.is_empty() {
            person.key(b'#')?;
            thread::spawn(move || server.repl("flood()").map(|_| server))
        } else {
            server.repl("thread = threading.Thread(target=flood); _ = None")?;
            server.repl("import builtins")?;
            runs(&mut person, &format!("thread.start(); {cell}"))?;
            thread::spawn(move || Ok(server))
        };
        person.sees(b"=====")?;
        let mut echo = OnTerminal::start("cat", &[], Discipline::Raw)?;
        let mut relays = Relays::start()?;
        let mut times: [Vec<Duration>; 3] = Default::default();
        let mut pauses = PAUSES.iter().cycle();
        for round in 0..WARM_UP + ROUNDS {
            for &key in KEYS {
                let mut pause = || *pauses.next().unwrap_or(&PAUSES[0]);
                let shown = person.key_while_reading(pause(), key)?;
                let echoed = person.reads_while(pause(), || echo.exchange(&[key], 1))?;
                let relayed = person.reads_while(pause(), || relays.key(key))?;
                if round >= WARM_UP {
                    times[0].push(shown);
                    times[1].push(echoed);
                    times[2].push(relayed);
                }
            }
            person.takes_keys_away()?;
            relays.takes_away(KEYS.len())?;
            person.reads_while(Duration::from_millis(100), || Ok(()))?;
        }
        std::fs::write(&stop, "")?;
        let looking = person.looks_on_to_the_end();
        let server = flood.join().map_err(|_| io::Error::other("the flood"))??;
        server.end()?;
        runtime.end_all()?;
        let _ = looking.join();
        let [shown, echoed, relayed] = times;
        let in_program = (!cell.is_empty()).then_some(MOST_IN_A_FLOOD);
        let name = format!("a key at {name}, at 1 MB/s");
        lines.extend(compared(&name, in_program, shown, [echoed, relayed]));
    }
    Ok(lines)
}

/// The agent's warm call with somebody attached, against one without.
pub(crate) fn latency(python: &Path) -> io::Result<Vec<Line>> {
    let (runtime, alone) = (Runtime::new()?, Runtime::new()?);
    let (mut joined, mut left) = (start(python, &runtime)?, start(python, &alone)?);
    let looking = Person::attach(&runtime)?.looks_on_to_the_end();
    let cell = Call::new("1+1");
    let mut times: [Vec<Duration>; 2] = Default::default();
    for _ in 0..TURNS {
        take_turn(&mut times[0], || Ok(joined.call(&cell)?.containing("2")?.time))?;
        take_turn(&mut times[1], || Ok(left.call(&cell)?.containing("2")?.time))?;
    }
    joined.end()?;
    left.end()?;
    runtime.end_all()?;
    let _ = looking.join();
    let [joined, left] = times;
    Ok(vec![Line::of_times("1+1 with one attached / without", joined, left, Bound::AtMost(1.2))])
}

/// 100 MB of output with ten attached, against the same without.
pub(crate) fn throughput(python: &Path) -> io::Result<Vec<Line>> {
    let (runtime, alone) = (Runtime::new()?, Runtime::new()?);
    let (mut joined, mut left) = (start(python, &runtime)?, start(python, &alone)?);
    let mut looking = Vec::new();
    for _ in 0..MANY {
        looking.push(Person::attach(&runtime)?.looks_on_to_the_end());
    }
    let [joined_times, left_times] = throughput::two([&mut joined, &mut left], FLOODS)?;
    joined.end()?;
    left.end()?;
    runtime.end_all()?;
    for looking in looking {
        let _ = looking.join();
    }
    let name = format!("100 MB with {MANY} attached / without");
    Ok(vec![Line::of_times(name, joined_times, left_times, Bound::AtMost(1.3))])
}
