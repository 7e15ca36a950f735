//! What recordings cost: replays of many, and a program that is recorded while it prints.

use std::{
    fs, io,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    server::{BINARY, NO_SETTINGS},
    table::{Bound, Line, Times, short},
};

/// How many recordings are replayed, and how long that may take.
const RECORDINGS: usize = 1000;
const LIMIT: Duration = Duration::from_secs(5);
const REPLAYS: usize = 3;
/// How much is printed.
const PRINTS: &str = "block = 'x' * 79 + '\\n'\nfor _ in range(125_000): print(block, end='')";
const ROUNDS: usize = 5;

pub(crate) fn measure(python: &Path) -> io::Result<Vec<Line>> {
    Ok(vec![replays()?, printing(python)?])
}

/// The fixtures, again and again, to so many recordings.
fn replays() -> io::Result<Line> {
    let directory = tempfile::tempdir()?;
    let mut fixtures = Vec::new();
    for topic in fs::read_dir("fixtures")? {
        let topic = topic?.path();
        if topic.is_dir() {
            for file in fs::read_dir(topic)? {
                let path = file?.path();
                if path.extension().is_some_and(|end| end == "cast") {
                    fixtures.push(path);
                }
            }
        }
    }
    fixtures.sort();
    for (n, path) in fixtures.iter().cycle().take(RECORDINGS).enumerate() {
        for end in ["cast", "reply.txt"] {
            let copy = directory.path().join(format!("{n}.{end}"));
            fs::copy(path.with_extension(end), copy)?;
        }
    }
    let mut times = Vec::new();
    for _ in 0..REPLAYS {
        let start = Instant::now();
        succeeds(
            Command::new(BINARY)
                .env("XDG_CONFIG_HOME", NO_SETTINGS)
                .arg("verify")
                .arg(directory.path()),
        )?;
        times.push(start.elapsed());
    }
    let times = Times::of(times);
    Ok(Line {
        name: format!("{RECORDINGS} recordings verified"),
        subject: times.to_string(),
        baseline: short(LIMIT),
        ratio: times.p50.as_secs_f64() / LIMIT.as_secs_f64(),
        bound: Bound::AtMost(1.0),
    })
}

/// What a program prints with a recorder beside it, and without one.
fn printing(python: &Path) -> io::Result<Line> {
    let directory = tempfile::tempdir()?;
    let run = |round: usize, is_recorded: bool| {
        let mut command = Command::new(BINARY);
        command.env("XDG_CONFIG_HOME", NO_SETTINGS).arg("exec").arg("--python").arg(python);
        if is_recorded {
            command.arg("--record").arg(directory.path().join(format!("{round}.cast")));
        }
        let start = Instant::now();
        succeeds(command.arg(PRINTS))?;
        io::Result::Ok(start.elapsed())
    };
    let mut times: [Vec<Duration>; 2] = Default::default();
    for round in 0..ROUNDS {
        for is_recorded in [round % 2 == 0, round % 2 != 0] {
            times[usize::from(is_recorded)].push(run(round, is_recorded)?);
        }
    }
    let [plain, recorded] = times;
    Ok(Line::of_times("10 MB printed, recorded / not", recorded, plain, Bound::None))
}

fn succeeds(command: &mut Command) -> io::Result<()> {
    let status = command.stdout(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?}: {status}"))) }
}
