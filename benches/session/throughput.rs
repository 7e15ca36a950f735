//! 100 MB of 80-character lines, against a bare loop that drains the same program.

use std::{io, path::Path, time::Duration};

use crate::{
    proc,
    pty::{Discipline, OnTerminal},
    runtime::Runtime,
    server::{Call, Server},
    table::{Bound, Line, median},
};

const WARM_UP: usize = 1;
const ROUNDS: usize = 5;

/// Lines of 80 characters that fill a block of 64 KB.
const BLOCK_LINES: usize = 809;
/// Blocks that fill 100 MB.
const BLOCKS: usize = 1_526;
/// On the terminal each line ends with a carriage return and a line feed.
const TERMINAL_BYTES: usize = BLOCKS * BLOCK_LINES * 82;
const LAST_LINE: &str = "the last line of a block";

/// The most memory the process of a session may ever have had, in KiB.
const MOST_MEMORY: u64 = 64 * 1024;

pub(crate) fn measure(python: &Path) -> io::Result<Vec<Line>> {
    let mut lines = Vec::new();
    let one_by_one = format!("for i in range({BLOCKS} * {BLOCK_LINES}): print(LINES[i % COUNT])");
    let blocks = format!("for _ in range({BLOCKS}): sys.stdout.write(BLOCK)");
    for (name, body) in [("100 MB line by line", one_by_one), ("100 MB in 64 KB blocks", blocks)] {
        let server = Server::start(python)?;
        let process = server.id();
        lines.extend(measure_program(python, name, &body, 0.9, server, process)?);
    }
    Ok(lines)
}

/// The same through a host.
pub(crate) fn measure_hosted(python: &Path) -> io::Result<Vec<Line>> {
    let runtime = Runtime::new()?;
    let blocks = format!("for _ in range({BLOCKS}): sys.stdout.write(BLOCK)");
    let mut server = Server::start_hosted(python, &runtime, &[])?;
    server.expect("1+1", "2")?;
    let host = runtime.only_host()?;
    measure_program(python, "hosted: 100 MB in 64 KB blocks", &blocks, 0.85, server, host)
}

/// Defines `run`, which prints 100 MB by this statement.
fn definitions(body: &str) -> String {
    format!(
        "import sys\nCOUNT = {BLOCK_LINES}\n\
         LINES = [f'{{i:08}} '.ljust(80, 'x') for i in range(COUNT - 1)]\n\
         LINES.append('{LAST_LINE}'.ljust(80, '.'))\n\
         BLOCK = '\\n'.join(LINES) + '\\n'\n\
         def run():\n    {body}\n    sys.stdout.flush()\n"
    )
}

/// How long cells take that print 100 MB in blocks, so many in each of two sessions in turns.
pub(crate) fn two(servers: [&mut Server; 2], rounds: usize) -> io::Result<[Vec<Duration>; 2]> {
    let [one, other] = servers;
    let definitions = definitions(&format!("for _ in range({BLOCKS}): sys.stdout.write(BLOCK)"));
    one.repl(&definitions)?;
    other.repl(&definitions)?;
    let run = Call::new("run()");
    let mut times: [Vec<Duration>; 2] = Default::default();
    for round in 0..WARM_UP + rounds {
        let round_times =
            [one.call(&run)?, other.call(&run)?].map(|reply| reply.containing(LAST_LINE));
        for (times, reply) in times.iter_mut().zip(round_times) {
            let time = reply?.time;
            if round >= WARM_UP {
                times.push(time);
            }
        }
    }
    Ok(times)
}

/// What `process` has in memory, which holds the session of `server`, is told, too.
fn measure_program(
    python: &Path,
    name: &str,
    body: &str,
    least: f64,
    mut server: Server,
    process: u32,
) -> io::Result<Vec<Line>> {
    let definitions = definitions(body);
    let program = format!("{definitions}\nwhile sys.stdin.readline(): run()\n");
    let mut bare = OnTerminal::start(python, &["-c", &program], Discipline::Usual)?;
    server.repl(&definitions)?;
    let run = Call::new("run()");

    let mut rounds = Vec::new();
    for round in 0..WARM_UP + ROUNDS {
        let drained = bare.exchange(b"\n", TERMINAL_BYTES)?;
        let called = server.call(&run)?.containing(LAST_LINE)?.time;
        if round >= WARM_UP {
            rounds.push((called, drained));
        }
    }
    let memory = proc::peak_memory(process)?;
    server.end()?;

    let rate = |time: Duration| TERMINAL_BYTES as f64 / 1e6 / time.as_secs_f64();
    let called = median(rounds.iter().map(|(called, _)| rate(*called)).collect());
    let drained = median(rounds.iter().map(|(_, drained)| rate(*drained)).collect());
    // The two of a round had the machine in the same state.
    let ratios = rounds.iter().map(|(called, drained)| rate(*called) / rate(*drained));
    Ok(vec![
        Line {
            name: name.to_owned(),
            subject: format!("{called:.0} MB/s"),
            baseline: format!("{drained:.0} MB/s"),
            ratio: median(ratios.collect()),
            bound: Bound::AtLeast(least),
        },
        Line {
            name: format!("{name}: memory"),
            subject: format!("{:.1} MiB at most", memory as f64 / 1024.0),
            baseline: format!("{} MiB", MOST_MEMORY / 1024),
            ratio: memory as f64 / MOST_MEMORY as f64,
            bound: Bound::AtMost(1.0),
        },
    ])
}
