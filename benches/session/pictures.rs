//! A figure of matplotlib's in a reply, against the time that matplotlib takes for its picture.

use std::{
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use crate::{
    server::{Call, Server},
    table::{Bound, Line},
};

const WARM_UP: usize = 5;
const ROUNDS: usize = 60;
/// What the figure may take, over what its picture takes.
const MOST: f64 = 1.2;

/// A figure of default size that is made and shown; the same figure, changed.
const CELLS: [(&str, &str); 2] = [
    ("a figure", "fig, ax = plt.subplots(); ax.plot(range(100)); plt.show()"),
    ("a changed figure", "_ = ax.set_title(str(next(count)))"),
];
/// The same without a session.
const PLAIN: &str = "\
import io, itertools, sys, time
import matplotlib; matplotlib.use('agg')
import matplotlib.pyplot as plt
count = itertools.count()
for line in sys.stdin:
    start = time.perf_counter()
    if line == '0\\n':
        fig, ax = plt.subplots(); ax.plot(range(100)); fig.savefig(io.BytesIO()); plt.close(fig)
    else:
        ax.set_title(str(next(count))); fig.savefig(io.BytesIO())
    print(time.perf_counter() - start, flush=True)
";

pub(crate) fn measure(python: &Path) -> io::Result<Vec<Line>> {
    let python = with_matplotlib(python)?;
    let mut plain = Plain::start(&python)?;
    let mut server = Server::start(&python)?;
    server.repl("import itertools, matplotlib.pyplot as plt; count = itertools.count()")?;
    let mut lines = Vec::new();
    for (number, (name, cell)) in CELLS.into_iter().enumerate() {
        let call = Call::new(cell);
        let mut times: [Vec<Duration>; 2] = Default::default();
        for round in 0..WARM_UP + ROUNDS {
            let (shown, saved) = (server.call(&call)?.with_picture()?.time, plain.save(number)?);
            if round >= WARM_UP {
                times[0].push(shown);
                times[1].push(saved);
            }
        }
        let [shown, saved] = times;
        let name = format!("{name} / fig.savefig");
        lines.push(Line::of_times(name, shown, saved, Bound::AtMost(MOST)));
    }
    server.end()?;
    plain.end()?;
    Ok(lines)
}

/// This Python if it has matplotlib, else one that the tests have made.
fn with_matplotlib(python: &Path) -> io::Result<PathBuf> {
    let of_tests = ["3.13", "3.12", "3.11", "3.10", "3.9"].map(|version| {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
        place.join(format!("pictures-{version}/.venv/bin/python"))
    });
    let has_it = |python: &PathBuf| {
        let import = Command::new(python).args(["-c", "import matplotlib"]).output();
        import.is_ok_and(|output| output.status.success())
    };
    let missing = || io::Error::other("no matplotlib; `cargo test --test it plots` installs it");
    [python.to_owned()].into_iter().chain(of_tests).find(has_it).ok_or_else(missing)
}

/// A Python that saves figures when it is told to.
struct Plain {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Plain {
    fn start(python: &Path) -> io::Result<Plain> {
        let mut child = Command::new(python)
            .args(["-c", PLAIN])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("Python has no pipes"));
        };
        Ok(Plain { child, input, output: BufReader::new(output) })
    }

    /// Has it save a figure in the way with this number.
    fn save(&mut self, number: usize) -> io::Result<Duration> {
        writeln!(self.input, "{number}")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let seconds: f64 = line.trim().parse().map_err(io::Error::other)?;
        Ok(Duration::from_secs_f64(seconds))
    }

    fn end(self) -> io::Result<()> {
        let Plain { mut child, input, .. } = self;
        drop(input);
        child.wait().map(drop)
    }
}
