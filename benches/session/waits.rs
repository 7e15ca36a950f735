//! How long after a program blocks in a read of the terminal the reply comes.

use std::{
    io,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    server::{Call, Server},
    table::{Bound, Line, Times, short},
};

const WARM_UP: usize = 3;
const ROUNDS: usize = 60;
/// The longest it may take, by the median.
const LIMIT: Duration = Duration::from_millis(25);

/// Cells that note the time, by the clock that this process reads too, and read the terminal.
const KINDS: [(&str, &str); 4] = [
    ("at once", "began = time.time_ns(); _ = os.read(0, 1)"),
    (
        "having computed",
        // Of varying length, so that the block falls anywhere between two looks.
        "end = time.monotonic() + random.uniform(0.1, 0.15)\nwhile time.monotonic() < end: pass\n\
         began = time.time_ns(); _ = os.read(0, 1)",
    ),
    (
        "behind a prompt",
        "began = time.time_ns(); print('? ', end='', flush=True); _ = os.read(0, 1)",
    ),
    (
        "a child",
        "_ = subprocess.run([sys.executable, '-c', CHILD], stderr=open(NOTE, 'w'))\n\
         began = int(open(NOTE).read())",
    ),
];

pub(crate) fn measure(python: &Path) -> io::Result<Vec<Line>> {
    let mut server = Server::start(python)?;
    server.repl(
        "import os, random, subprocess, sys, tempfile, time\n\
         NOTE = tempfile.mktemp()\n\
         CHILD = 'import os, sys, time; print(time.time_ns(), file=sys.stderr); os.read(0, 1)'",
    )?;
    let mut times: [Vec<Duration>; KINDS.len()] = Default::default();
    for round in 0..WARM_UP + ROUNDS {
        for ((_, cell), times) in KINDS.iter().zip(&mut times) {
            server.call(&Call::new(cell))?;
            let replied = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            // A reply before the block would have left the cell running, and this refused.
            server.repl("\n")?;
            let text = server.repl("print(began)")?.text;
            let began: u64 = text.trim().parse().map_err(|_| {
                io::Error::other(format!("expected the time of the block, got {text:?}"))
            })?;
            if round >= WARM_UP {
                times.push(replied.saturating_sub(Duration::from_nanos(began)));
            }
        }
    }
    server.end()?;
    let lines = KINDS.iter().zip(times).map(|((name, _), times)| {
        let times = Times::of(times);
        Line {
            name: format!("block to reply: {name}"),
            subject: times.to_string(),
            baseline: short(LIMIT),
            ratio: times.p50.as_secs_f64() / LIMIT.as_secs_f64(),
            bound: Bound::Below(1.0),
        }
    });
    Ok(lines.collect())
}
