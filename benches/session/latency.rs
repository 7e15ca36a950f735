//! A warm call, and an answer to `input()`, against one line through a raw terminal's echo.
//!
//! Measured on one processor and on all: across two, the time a sleeping processor takes to
//! wake is several times what is measured, and which process pays it is luck.

use std::{io, path::Path, time::Duration};

use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

use crate::{
    pty::{Discipline, OnTerminal},
    server::{Call, Server},
    table::{Bound, Line},
};

/// One is measured for a turn, then the next: close enough in time for a machine that drifts,
/// and long enough that the processor's caches are its own, as in a client's busy moments.
const TURNS: usize = 25;
const WARM_UP: usize = 20;
const ROUNDS: usize = 80;
/// As many bytes as the call's own input, which is what a person would have typed.
const LINE: &[u8] = b"1+1\n";

pub(crate) fn measure(python: &Path) -> io::Result<Vec<Line>> {
    let everywhere = sched_getaffinity(None)?;
    let mut here = CpuSet::new();
    here.set(sched_getcpu());
    sched_setaffinity(None, &here)?;
    // Children inherit it.
    let pinned = measure_here(python, "one processor");
    sched_setaffinity(None, &everywhere)?;
    let mut lines = pinned?;
    lines.extend(measure_here(python, "all processors")?);
    Ok(lines)
}

fn measure_here(python: &Path, place: &str) -> io::Result<Vec<Line>> {
    let mut echo = OnTerminal::start("cat", &[], Discipline::Raw)?;
    let mut warm = Server::start(python)?;
    let mut reader = Server::start(python)?;
    reader.expect("while True: seen = input('? ')", "?")?;
    let mut asker = Server::start(python)?;

    let cell = Call::new("1+1");
    let (answer, ask) = (Call::new("1+1\n"), Call::new("seen = input('? ')"));
    let mut times: [Vec<Duration>; 4] = Default::default();
    for _ in 0..TURNS {
        take_turn(&mut times[0], || echo.exchange(LINE, LINE.len()))?;
        take_turn(&mut times[1], || Ok(warm.call(&cell)?.containing("2")?.time))?;
        take_turn(&mut times[2], || Ok(reader.call(&answer)?.containing("?")?.time))?;
        take_turn(&mut times[3], || {
            let asked = asker.call(&ask)?.containing("? ")?.time;
            Ok(asked + asker.call(&answer)?.time)
        })?;
    }
    for server in [warm, reader, asker] {
        server.end()?;
    }
    let [echoed, called, answered, asked] = times;
    let line = |name, times, bound| {
        Line::of_times(format!("{name}, {place}"), times, echoed.clone(), bound)
    };
    Ok(vec![
        line("1+1", called, Bound::AtMost(5.0)),
        line("input(): an answer", answered, Bound::AtMost(5.0)),
        // Two calls: the one that asks, and the one that answers.
        line("input(): both calls", asked, Bound::None),
    ])
}

pub(crate) fn take_turn(
    times: &mut Vec<Duration>,
    mut measure: impl FnMut() -> io::Result<Duration>,
) -> io::Result<()> {
    for round in 0..WARM_UP + ROUNDS {
        let time = measure()?;
        if round >= WARM_UP {
            times.push(time);
        }
    }
    Ok(())
}
