//! `mcp-repl replay`: what a recording of a terminal shows, as a picture or as text.

mod canvas;
mod keys;
mod play;
mod player;
mod source;

use std::{
    fs::File,
    io::{self, BufRead, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args;

use crate::{
    cast::{CastError, Event, Kind, Reader},
    screen::{Film, Screen},
};

/// How long the last page of a moving picture is shown.
const AFTER_LAST: Duration = Duration::from_secs(3);
/// How much is printed at once, in bytes: what a screen makes of it is not larger than a few of its pages.
const MOST_FED: usize = 64 * 1024;

/// Which recording, and what of it.
#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    /// An asciicast file, version 2 or 3; `-` for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    what: What,
    /// The page at this time, in seconds since the start. Without `--svg` as text.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    at: Option<Duration>,
    /// How many times as fast it is played.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1.,
        value_parser = speed,
        conflicts_with_all = ["svg", "text", "at"]
    )]
    speed: f64,
    /// Where nothing happens for longer, in seconds, that is left out, and does not count for `--at`.
    /// Without it, what the recording says.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    idle_limit: Option<Duration>,
}

/// What is made of it. Without one it is played on this terminal.
#[derive(Debug, Args)]
#[group(multiple = true, args = ["svg", "text", "at"])]
struct What {
    /// Write a picture: one that moves, or with `--at` one that does not. `-` for standard output.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print all that was printed, line by line, as a person would have read it.
    #[arg(long, conflicts_with_all = ["svg", "at"])]
    text: bool,
}

pub(super) fn replay(arguments: &ReplayArguments) -> Result<ExitCode, String> {
    let ReplayArguments { file, what: What { svg, text }, at, speed, idle_limit } = arguments;
    if svg.is_none() && !text && at.is_none() {
        return play::play(file, *speed, *idle_limit);
    }
    let wrong = |error: CastError| format!("{}: {error}", file.display());
    let reader = source::open(file).map_err(wrong)?;
    let idle_limit = idle_limit.or(reader.header().idle_time_limit).unwrap_or(Duration::MAX);
    let until = at.unwrap_or(Duration::MAX);
    let out = svg.as_deref().unwrap_or(Path::new("-"));
    let mut out = Out::new(out)?;
    let end = if *text {
        print_text(reader, idle_limit, &mut out)?
    } else if svg.is_some() && at.is_none() {
        let size = reader.header().size;
        let mut film = Film::new(size);
        film.page(Duration::ZERO, &Screen::new(size));
        let end = play_to(reader, idle_limit, until, &mut |screen, now| {
            film.page(now, screen);
            Ok(())
        })?;
        film.page(end.now, &end.screen);
        out.write(&film.finish(end.now + AFTER_LAST))?;
        end
    } else {
        let end = play_to(reader, idle_limit, until, &mut |_, _| Ok(()))?;
        if svg.is_some() {
            out.write(&end.screen.svg())?;
        } else {
            out.write(&end.screen.page_text())?;
            out.end_line()?;
        }
        end
    };
    out.end()?;
    // What is before that was made all the same.
    end.wrong.map_or(Ok(ExitCode::SUCCESS), |error| Err(wrong(error)))
}

/// Whether that is standard input or output, instead of a file.
fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// Where what is made goes.
struct Out {
    to: BufWriter<Box<dyn Write>>,
    /// Its name; `None` for standard output.
    name: Option<PathBuf>,
    /// Whether nobody reads it any more.
    is_closed: bool,
    /// Whether a line is begun.
    is_within_line: bool,
}

impl Out {
    fn new(path: &Path) -> Result<Out, String> {
        if is_standard(path) {
            let to = BufWriter::new(Box::new(io::stdout()) as Box<dyn Write>);
            return Ok(Out { to, name: None, is_closed: false, is_within_line: false });
        }
        let file = File::create(path)
            .map_err(|error| format!("{} can't be written: {error}", path.display()))?;
        let to = BufWriter::new(Box::new(file) as Box<dyn Write>);
        Ok(Out { to, name: Some(path.to_owned()), is_closed: false, is_within_line: false })
    }

    fn write(&mut self, text: &str) -> Result<(), String> {
        if !text.is_empty() {
            self.is_within_line = !text.ends_with('\n');
        }
        self.checked(|to| to.write_all(text.as_bytes()))
    }

    /// Ends the line that was begun, if one was.
    fn end_line(&mut self) -> Result<(), String> {
        if self.is_within_line { self.write("\n") } else { Ok(()) }
    }

    fn end(&mut self) -> Result<(), String> {
        self.checked(|to| to.flush())
    }

    fn checked(
        &mut self,
        write: impl FnOnce(&mut BufWriter<Box<dyn Write>>) -> io::Result<()>,
    ) -> Result<(), String> {
        match write(&mut self.to) {
            _ if self.is_closed => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && self.name.is_none() => {
                self.is_closed = true;
                Ok(())
            }
            Err(error) => {
                let name = self.name.as_deref().unwrap_or(Path::new("standard output"));
                Err(format!("{} can't be written: {error}", name.display()))
            }
            Ok(()) => Ok(()),
        }
    }
}

/// Where a recording has come to.
struct End {
    screen: Screen,
    /// When the last thing happened.
    now: Duration,
    /// What is wrong with it from there on.
    wrong: Option<CastError>,
}

/// Has a screen take what was printed up to a time. `shown` comes behind each piece, and when it was
/// printed.
fn play_to<R: BufRead>(
    reader: Reader<R>,
    idle_limit: Duration,
    until: Duration,
    shown: &mut dyn FnMut(&mut Screen, Duration) -> Result<(), String>,
) -> Result<End, String> {
    let mut end =
        End { screen: Screen::new(reader.header().size), now: Duration::ZERO, wrong: None };
    let mut before = Duration::ZERO;
    for event in reader {
        let Event { time, kind } = match event {
            Ok(event) => event,
            Err(error) => {
                end.wrong = Some(error);
                break;
            }
        };
        let now = end.now + (time - before).min(idle_limit);
        before = time;
        if now > until {
            break;
        }
        end.now = now;
        let pieces = match &kind {
            Kind::Output(text) => text.as_bytes().chunks(MOST_FED),
            Kind::Resize(size) => {
                end.screen.resize(*size);
                // There is one piece, with nothing in it.
                [].chunks(1)
            }
            Kind::Input(_) | Kind::Marker(_) | Kind::Exit(_) | Kind::Other { .. } => continue,
        };
        let count = pieces.len().max(1);
        for piece in pieces.chain(std::iter::repeat(&[][..])).take(count) {
            end.screen.feed(piece);
            shown(&mut end.screen, now)?;
            // Nobody reads what is left, or answers.
            end.screen.drain(&mut |_| {});
            end.screen.take_answers(&mut Vec::new());
        }
    }
    Ok(end)
}

fn print_text<R: BufRead>(
    reader: Reader<R>,
    idle_limit: Duration,
    out: &mut Out,
) -> Result<End, String> {
    let mut text = String::new();
    let mut end = play_to(reader, idle_limit, Duration::MAX, &mut |screen, _| {
        screen.drain(&mut |line| text.push_str(line));
        let printed = out.write(&text);
        text.clear();
        printed
    })?;
    end.screen.report(&mut text);
    out.write(&text)?;
    out.end_line()?;
    Ok(end)
}

fn seconds(value: &str) -> Result<Duration, String> {
    let seconds = value.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "it is a number of seconds".into())
}

fn speed(value: &str) -> Result<f64, String> {
    let speed = value.parse().ok().filter(|speed| (0.001..=1000.).contains(speed));
    speed.ok_or_else(|| "it is a number, 0.001 to 1000: 2 is twice as fast".into())
}
