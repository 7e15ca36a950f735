//! What the sandbox costs, against a session without one in the same run: a warm call, output, a start.
//!
//! The last one twice: where the run-time directory lies with few others, and where it lies in a crowded
//! /tmp, as with `XDG_RUNTIME_DIR` unset, so that what is beside it is allowed one by one.

use std::{
    env, fs, io,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    latency::take_turn,
    server::{BINARY, Call, Server},
    table::{Bound, Line, Times, short},
    throughput,
};

const TURNS: usize = 10;
const OUTPUTS: usize = 7;

const STARTS_WARM_UP: usize = 3;
const STARTS: usize = 40;
/// How much more a start may take.
const START_MORE: Duration = Duration::from_millis(5);

/// What lies beside the run-time directory where it is crowded.
const CROWD: usize = 1200;

const MODES: [&str; 2] = ["workspace-write", "off"];

pub(crate) fn measure(python: &Path) -> io::Result<Vec<Line>> {
    let few = Place::new(0)?;
    let crowded = Place::new(CROWD)?;
    let mut lines = vec![warm_call(python, &few)?, output(python, &few)?];
    lines.push(start(python, &few, "sandbox: start, few files beside")?);
    lines.push(start(python, &crowded, "sandbox: start, 1,200 files beside")?);
    Ok(lines)
}

/// A run-time directory, what lies beside it, and a workspace.
struct Place {
    around: TempDir,
    work: TempDir,
}

impl Place {
    fn new(others: usize) -> io::Result<Place> {
        let home = env::home_dir().ok_or_else(|| io::Error::other("there is no home directory"))?;
        // Where everybody may make files, what is read there costs more.
        let around =
            tempfile::tempdir_in(if others == 0 { home.as_path() } else { Path::new("/tmp") })?;
        let work = tempfile::tempdir_in(home)?;
        for number in 0..others {
            let path = around.path().join(format!("other-{number}"));
            if number % 2 == 0 { fs::create_dir(path)? } else { fs::write(path, "")? }
        }
        Ok(Place { around, work })
    }

    fn server(&self, python: &Path, mode: &str) -> io::Result<Server> {
        let mut command = Command::new(BINARY);
        command
            .env("MCP_REPL_RUNTIME_DIR", self.around.path().join("mcp-repl"))
            .env("MCP_REPL_GRACE", "0")
            .env("XDG_CONFIG_HOME", self.around.path().join("config"))
            .current_dir(self.work.path())
            .args(["--sandbox", mode]);
        Server::start_as(&mut command, python)
    }
}

fn warm_call(python: &Path, place: &Place) -> io::Result<Line> {
    let cell = Call::new("1+1");
    let [mut inside, mut outside] = both(python, place)?;
    let mut times: [Vec<Duration>; 2] = Default::default();
    for _ in 0..TURNS {
        for (times, server) in times.iter_mut().zip([&mut inside, &mut outside]) {
            take_turn(times, || Ok(server.call(&cell)?.containing("2")?.time))?;
        }
    }
    inside.end()?;
    outside.end()?;
    let [inside, outside] = times;
    Ok(Line::of_times("sandbox: 1+1", inside, outside, Bound::AtMost(1.05)))
}

fn output(python: &Path, place: &Place) -> io::Result<Line> {
    let [mut inside, mut outside] = both(python, place)?;
    let [in_it, out_of_it] = throughput::two([&mut inside, &mut outside], OUTPUTS)?;
    inside.end()?;
    outside.end()?;
    Ok(Line::of_times("sandbox: 100 MB in 64 KB blocks", in_it, out_of_it, Bound::AtMost(1.05)))
}

fn both(python: &Path, place: &Place) -> io::Result<[Server; 2]> {
    Ok([place.server(python, MODES[0])?, place.server(python, MODES[1])?])
}

fn start(python: &Path, place: &Place, name: &str) -> io::Result<Line> {
    let mut times: [Vec<Duration>; 2] = Default::default();
    for round in 0..STARTS_WARM_UP + STARTS {
        // Neither always meets what the other has left behind.
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for which in order {
            let begun = Instant::now();
            let mut server = place.server(python, MODES[which])?;
            server.expect("1+1", "2")?;
            let time = begun.elapsed();
            server.end()?;
            if round >= STARTS_WARM_UP {
                times[which].push(time);
            }
        }
    }
    let [inside, outside] = times.map(Times::of);
    let most = outside.p50 + START_MORE;
    let more = inside.p50.saturating_sub(outside.p50);
    Ok(Line {
        name: name.to_owned(),
        subject: format!("{inside}, {} more", short(more)),
        baseline: format!("{outside} + 5 ms"),
        ratio: inside.p50.as_secs_f64() / most.as_secs_f64(),
        bound: Bound::AtMost(1.0),
    })
}
