//! `mcp-repl replay`: what a recording of a terminal shows, as a picture or as text.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args;

use crate::{
    cast::{CastError, Event, Kind, Reader},
    screen::{Film, Screen, Size},
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
    let file: Box<dyn Read> = if arguments.file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(&arguments.file).map_err(|error| told(arguments, &error))?)
    };
    let reader = Reader::new(BufReader::new(file)).map_err(|error| told(arguments, &error))?;
    let idle_limit = arguments.idle_limit.unwrap_or(Duration::MAX);
    let mut made = String::new();
    match (&arguments.what.svg, arguments.at) {
        (None, None) => {
            let screen = Screen::new(reader.header().size);
            let mut sink = |screen: &mut Screen, _| screen.drain(&mut |text| made.push_str(text));
            let mut screen = play(reader, screen, idle_limit, Duration::MAX, &mut sink)
                .map_err(|error| told(arguments, &error))?
                .0;
            screen.report(&mut made);
        }
        (svg, Some(at)) => {
            let screen = Screen::new(reader.header().size);
            let (screen, _) = play(reader, screen, idle_limit, at, &mut |screen, _| {
                screen.drain(&mut |_| {});
            })
            .map_err(|error| told(arguments, &error))?;
            made = if svg.is_some() { screen.svg() } else { screen.page_text() };
        }
        (Some(_), None) => {
            made = film(reader, idle_limit).map_err(|error| told(arguments, &error))?;
        }
    }
    if arguments.what.svg.is_none() && !made.is_empty() && !made.ends_with('\n') {
        made.push('\n');
    }
    match arguments.what.svg.as_deref().filter(|path| *path != Path::new("-")) {
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

fn told(arguments: &ReplayArguments, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", arguments.file.display())
}

/// Has a screen take what was printed up to a time. `shown` comes behind each piece, and when it was
/// printed. Gives back the screen, and when the last thing happened.
fn play<R: BufRead>(
    reader: Reader<R>,
    mut screen: Screen,
    idle_limit: Duration,
    until: Duration,
    shown: &mut dyn FnMut(&mut Screen, Duration),
) -> Result<(Screen, Duration), CastError> {
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
        // Nobody asks this terminal anything.
        screen.take_answers(&mut Vec::new());
        shown(&mut screen, now);
    }
    Ok((screen, now))
}

fn film<R: BufRead>(reader: Reader<R>, idle_limit: Duration) -> Result<String, CastError> {
    let size: Size = reader.header().size;
    let mut film = Film::new(size);
    let screen = Screen::new(size);
    film.page(Duration::ZERO, &screen);
    let mut shown = |screen: &mut Screen, now| {
        screen.drain(&mut |_| {});
        film.page(now, screen);
    };
    let (screen, end) = play(reader, screen, idle_limit, Duration::MAX, &mut shown)?;
    film.page(end, &screen);
    Ok(film.finish(end + AFTER_LAST))
}

fn seconds(value: &str) -> Result<Duration, String> {
    let seconds = value.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "it is a number of seconds".into())
}
