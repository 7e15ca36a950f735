//! Sessions in hosts: what the process between costs a call and a start, and what many cost that
//! do nothing.

use std::{
    io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

use crate::{
    latency::take_turn,
    proc::{self, Usage},
    pty::{Discipline, OnTerminal},
    runtime::Runtime,
    server::{Call, Server},
    start::empty_program,
    table::{Bound, Line, Times, short},
};

const TURNS: usize = 25;

const STARTS_WARM_UP: usize = 3;
const STARTS: usize = 40;
/// What a start may take beyond its factor.
const START_MORE: Duration = Duration::from_millis(20);
const START_FACTOR: f64 = 1.5;

/// How many sessions there are at once.
const MANY: usize = 200;
/// How long they do nothing.
const IDLE: Duration = Duration::from_secs(5);
/// The most memory of what is beside a Python, in KiB.
const MOST_BESIDE: f64 = 4.0 * 1024.0;

/// A call through a host, against one to a server that holds its session itself.
pub(crate) fn latency(python: &Path) -> io::Result<Vec<Line>> {
    let everywhere = sched_getaffinity(None)?;
    let mut here = CpuSet::new();
    here.set(sched_getcpu());
    sched_setaffinity(None, &here)?;
    // Children inherit it.
    let pinned = latency_here(python, "one processor");
    sched_setaffinity(None, &everywhere)?;
    Ok(vec![pinned?, latency_here(python, "all processors")?])
}

fn latency_here(python: &Path, place: &str) -> io::Result<Line> {
    let runtime = Runtime::new()?;
    let mut held = Server::start(python)?;
    let mut hosted = Server::start_hosted(python, &runtime, &[])?;
    let cell = Call::new("1+1");
    let mut times: [Vec<Duration>; 2] = Default::default();
    for _ in 0..TURNS {
        take_turn(&mut times[0], || Ok(held.call(&cell)?.containing("2")?.time))?;
        take_turn(&mut times[1], || Ok(hosted.call(&cell)?.containing("2")?.time))?;
    }
    held.end()?;
    hosted.end()?;
    let [held, hosted] = times;
    Ok(Line::of_times(format!("hosted 1+1 / held, {place}"), hosted, held, Bound::AtMost(1.5)))
}

/// From the start of a server to the reply to its first cell, for which a host is started.
pub(crate) fn start(python: &Path) -> io::Result<Vec<Line>> {
    let runtime = Runtime::new()?;
    let mut times: [Vec<Duration>; 2] = Default::default();
    for round in 0..STARTS_WARM_UP + STARTS {
        // Neither always meets what the other has left behind.
        let round_times = if round % 2 == 0 {
            [first_reply(python, &runtime)?, empty_program(python)?]
        } else {
            let passed = empty_program(python)?;
            [first_reply(python, &runtime)?, passed]
        };
        if round >= STARTS_WARM_UP {
            times.iter_mut().zip(round_times).for_each(|(times, time)| times.push(time));
        }
    }
    let [replied, passed] = times.map(Times::of);
    let limit = passed.p50.mul_f64(START_FACTOR) + START_MORE;
    Ok(vec![Line {
        name: "hosted start / (1.5 python -c pass + 20 ms)".to_owned(),
        subject: replied.to_string(),
        baseline: format!("{} of {}", short(limit), passed),
        ratio: replied.p50.as_secs_f64() / limit.as_secs_f64(),
        bound: Bound::AtMost(1.0),
    }])
}

fn first_reply(python: &Path, runtime: &Runtime) -> io::Result<Duration> {
    let start = Instant::now();
    let mut server = Server::start_hosted(python, runtime, &[])?;
    server.expect("1+1", "2")?;
    let time = start.elapsed();
    server.end()?;
    // The next one would find it.
    runtime.end_all()?;
    Ok(time)
}

/// Many sessions, started one after another, which then do nothing.
pub(crate) fn many(python: &Path) -> io::Result<Vec<Line>> {
    let start = Instant::now();
    let mut bare = Vec::new();
    for _ in 0..MANY {
        let program = ["-c", "print(2); input()"];
        let mut python = OnTerminal::start(python, &program, Discipline::Usual)?;
        python.exchange(b"", "2\r\n".len())?;
        bare.push(python);
    }
    let bare_time = start.elapsed();
    drop(bare);

    let runtime = Runtime::new()?;
    let most = MANY.to_string();
    let mut server = Server::start_hosted(python, &runtime, &["--max-sessions", &most])?;
    let start = Instant::now();
    for number in 0..MANY {
        server.call(&Call::on(&format!("s{number}"), "1+1"))?.containing("2")?;
    }
    let time = start.elapsed();
    let mut lines = vec![Line {
        name: format!("{MANY} sessions started / bare Pythons"),
        subject: short(time),
        baseline: short(bare_time),
        ratio: time.as_secs_f64() / bare_time.as_secs_f64(),
        bound: Bound::None,
    }];

    let hosts = runtime.hosts()?;
    if hosts.len() != MANY {
        return Err(io::Error::other(format!("{} hosts", hosts.len())));
    }
    let mut processes = vec![server.id()];
    for host in hosts {
        processes.extend(proc::tree(host)?);
    }
    // What the last call left to be done is done.
    thread::sleep(Duration::from_secs(2));
    let usage =
        || processes.iter().map(|&process| Usage::of(process)).collect::<io::Result<Vec<_>>>();
    let before = usage()?;
    thread::sleep(IDLE);
    let used = usage()?.into_iter().zip(before).map(|(after, before)| after.since(before));
    let (ticks, sleeps) =
        used.fold((0, 0), |(ticks, sleeps), used| (ticks + used.ticks, sleeps + used.sleeps));
    lines.push(Line {
        name: format!("{MANY} idle sessions: ticks of 10 ms"),
        subject: format!("{ticks} ({sleeps} sleeps)"),
        baseline: format!("in {}", short(IDLE)),
        ratio: ticks as f64,
        bound: Bound::AtMost(0.0),
    });

    let ours = processes[1..].iter().filter(|&&process| proc::runs(process, "mcp-repl"));
    let beside = ours.map(|&process| proc::memory(process)).sum::<io::Result<u64>>()?;
    let beside = beside as f64 / MANY as f64;
    lines.push(Line {
        name: "idle session: memory beside its Python".to_owned(),
        subject: format!("{:.2} MiB", beside / 1024.0),
        baseline: format!("{:.0} MiB", MOST_BESIDE / 1024.0),
        ratio: beside / MOST_BESIDE,
        bound: Bound::AtMost(1.0),
    });
    server.end()?;
    Ok(lines)
}
