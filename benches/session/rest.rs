//! What a session costs that does nothing, and the server while only the worker computes.

use std::{io, path::Path, thread, time::Duration};

use crate::{
    proc::Usage,
    server::Server,
    table::{Bound, Line, short},
};

/// How long nothing is done.
const IDLE: Duration = Duration::from_secs(5);
/// How long a cell computes, in seconds.
const BUSY: u64 = 5;
/// The part of one processor the server may use meanwhile.
const BUSY_SHARE: f64 = 0.01;

pub(crate) fn idle(python: &Path) -> io::Result<Vec<Line>> {
    let mut server = Server::start(python)?;
    let processes = [("server", server.id()), ("worker", server.worker()?)];
    // What the last call left to be done is done.
    thread::sleep(Duration::from_secs(1));
    let before = [Usage::of(processes[0].1)?, Usage::of(processes[1].1)?];
    thread::sleep(IDLE);
    let mut lines = Vec::new();
    for ((name, process), before) in processes.into_iter().zip(before) {
        let used = Usage::of(process)?.since(before);
        lines.push(Line {
            name: format!("idle {name}: ticks of 10 ms"),
            subject: format!("{} ({} sleeps)", used.ticks, used.sleeps),
            baseline: format!("in {}", short(IDLE)),
            ratio: used.ticks as f64,
            bound: Bound::AtMost(0.0),
        });
    }
    server.end()?;
    Ok(lines)
}

pub(crate) fn busy(python: &Path) -> io::Result<Vec<Line>> {
    let compute = format!("end = time.monotonic() + {BUSY}\nwhile time.monotonic() < end: pass");
    let sleepers = "import threading\nstop = threading.Event()\n\
                    for _ in range(64): threading.Thread(target=stop.wait, daemon=True).start()";
    let mut server = Server::start(python)?;
    server.repl("import time")?;
    let mut lines = Vec::new();
    for (name, prepare) in [("", "None"), (", 64 threads sleep", sleepers)] {
        server.repl(prepare)?;
        let before = Usage::of(server.id())?;
        let time = server.repl(&compute)?.time;
        let used = Usage::of(server.id())?.since(before);
        lines.push(Line {
            name: format!("busy: server's share in %{name}"),
            subject: format!("{} ({} sleeps)", short(used.time), used.sleeps),
            baseline: short(time),
            ratio: used.time.as_secs_f64() / time.as_secs_f64() * 100.0,
            bound: Bound::Below(BUSY_SHARE * 100.0),
        });
    }
    server.end()?;
    Ok(lines)
}
