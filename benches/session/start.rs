//! From the start of the server to the reply to its first cell, against an empty program.

use std::{
    io,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    pty::{Discipline, OnTerminal},
    server::Server,
    table::{Bound, Line},
};

const WARM_UP: usize = 3;
const ROUNDS: usize = 40;

pub(crate) fn measure(python: &Path) -> io::Result<Vec<Line>> {
    let mut times: [Vec<Duration>; 2] = Default::default();
    for round in 0..WARM_UP + ROUNDS {
        // Neither always meets what the other has left behind.
        let round_times = if round % 2 == 0 {
            [first_reply(python)?, empty_program(python)?]
        } else {
            let passed = empty_program(python)?;
            [first_reply(python)?, passed]
        };
        if round >= WARM_UP {
            times.iter_mut().zip(round_times).for_each(|(times, time)| times.push(time));
        }
    }
    let [replied, passed] = times;
    let name = "start to first reply / python -c pass";
    Ok(vec![Line::of_times(name, replied, passed, Bound::AtMost(1.6))])
}

fn first_reply(python: &Path) -> io::Result<Duration> {
    let start = Instant::now();
    let mut server = Server::start(python)?;
    server.expect("1+1", "2")?;
    let time = start.elapsed();
    server.end()?;
    Ok(time)
}

/// On a terminal, as the worker is: the leader of a session of its own gets another share of a
/// loaded machine than a plain child of this process (sched(7), "The autogroup feature").
pub(crate) fn empty_program(python: &Path) -> io::Result<Duration> {
    let start = Instant::now();
    let program = OnTerminal::start(python, &["-c", "pass"], Discipline::Usual)?;
    let succeeded = program.wait()?;
    let time = start.elapsed();
    if succeeded { Ok(time) } else { Err(io::Error::other("python3 -c pass failed")) }
}
