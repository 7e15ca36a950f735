//! `mcp-repl replay`: what a recording of a terminal shows, as a picture or as text.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
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
    /// Where nothing happens for longer, in seconds, that is left out of a moving picture, and does
    /// not count for `--at`.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    idle_limit: Option<Duration>,
}

/// What is made of it.
#[derive(Debug, Args)]
#[group(required = true, multiple = true, args = ["svg", "text", "at"])]
struct What {
    /// Write a picture: one that moves, or with `--at` one that does not. `-` for standard output.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print all that was printed, line by line, as a person would have read it.
    #[arg(long, conflicts_with_all = ["svg", "at"])]
    text: bool,
}

pub(super) fn replay(arguments: &ReplayArguments) -> Result<ExitCode, String> {
    let made = if is_standard(&arguments.file) {
        make(arguments, io::stdin().lock())
    } else {
        let file = File::open(&arguments.file).map_err(CastError::from);
        file.and_then(|file| make(arguments, BufReader::new(file)))
    };
    let made = made.map_err(|error| format!("{}: {error}", arguments.file.display()))?;
    match arguments.what.svg.as_deref().filter(|path| !is_standard(path)) {
        Some(path) => std::fs::write(path, made)
            .map_err(|error| format!("{} can't be written: {error}", path.display()))?,
        None => match io::stdout().lock().write_all(made.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                return Err(error.to_string());
            }
            _ => {}
        },
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether that is standard input or output, instead of a file.
fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// What is asked for of a recording.
fn make(arguments: &ReplayArguments, recording: impl BufRead) -> Result<String, CastError> {
    let reader = Reader::new(recording)?;
    let idle_limit = arguments.idle_limit.unwrap_or(Duration::MAX);
    let nothing = &mut |_: &mut Screen, _| {};
    let mut made = match (&arguments.what.svg, arguments.at) {
        (Some(_), None) => return film(reader, idle_limit),
        (Some(_), Some(at)) => return Ok(play(reader, idle_limit, at, nothing)?.0.svg()),
        (None, Some(at)) => play(reader, idle_limit, at, nothing)?.0.page_text(),
        (None, None) => {
            let mut text = String::new();
            let mut told = |screen: &mut Screen, _| screen.drain(&mut |line| text.push_str(line));
            let (mut screen, _) = play(reader, idle_limit, Duration::MAX, &mut told)?;
            screen.report(&mut text);
            text
        }
    };
    if !made.is_empty() && !made.ends_with('\n') {
        made.push('\n');
    }
    Ok(made)
}

/// Has a screen take what was printed up to a time. `shown` comes behind each piece, and when it was
/// printed. Gives back the screen, and when the last thing happened.
fn play<R: BufRead>(
    reader: Reader<R>,
    idle_limit: Duration,
    until: Duration,
    shown: &mut dyn FnMut(&mut Screen, Duration),
) -> Result<(Screen, Duration), CastError> {
    let mut screen = Screen::new(reader.header().size);
    let (mut before, mut now) = (Duration::ZERO, Duration::ZERO);
    for event in reader {
        let Event { time, kind } = event?;
        now += (time - before).min(idle_limit);
        before = time;
        if now > until {
            break;
        }
        match kind {
            Kind::Output(text) => screen.feed(text.as_bytes()),
            Kind::Resize(size) => screen.resize(size),
            Kind::Input(_) | Kind::Marker(_) | Kind::Exit(_) | Kind::Other { .. } => continue,
        }
        shown(&mut screen, now);
        // Nobody reads what is left, or answers.
        screen.drain(&mut |_| {});
        screen.take_answers(&mut Vec::new());
    }
    Ok((screen, now))
}

fn film<R: BufRead>(reader: Reader<R>, idle_limit: Duration) -> Result<String, CastError> {
    let size = reader.header().size;
    let mut film = Film::new(size);
    film.page(Duration::ZERO, &Screen::new(size));
    let mut shown = |screen: &mut Screen, now| film.page(now, screen);
    let (screen, end) = play(reader, idle_limit, Duration::MAX, &mut shown)?;
    film.page(end, &screen);
    Ok(film.finish(end + AFTER_LAST))
}

fn seconds(value: &str) -> Result<Duration, String> {
    let seconds = value.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "it is a number of seconds".into())
}
