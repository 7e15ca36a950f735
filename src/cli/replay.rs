//! `mcp-repl replay`: plays a recording of a terminal, or makes a picture, text or another recording of it.

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
    cast::{CastError, Event, Kind, Reader, Version, Writer},
    screen::{Film, Screen},
    session::recording::Recording,
    verify::recorded,
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
        conflicts_with_all = ["svg", "text", "at", "cast"]
    )]
    speed: f64,
    /// Where nothing happens for longer, in seconds, that is left out, and does not count for `--at`.
    /// Without it, what the recording says.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    idle_limit: Option<Duration>,
}

/// What is made of it. Without one it is played on this terminal.
#[derive(Debug, Args)]
struct What {
    /// Write a picture: one that moves, or with `--at` one that does not. `-` for standard output.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print all that was printed, line by line, as a person would have read it.
    #[arg(long, conflicts_with_all = ["svg", "at", "cast"])]
    text: bool,
    /// Print the replies of a recorded session, as agents read them, behind what was sent.
    #[arg(long, conflicts_with_all = ["svg", "at", "cast", "text", "idle_limit", "speed"])]
    replies: bool,
    /// Write it as an asciicast file again: of another version, or with shorter waiting times. `-` for
    /// standard output.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["svg", "at"])]
    cast: Option<PathBuf>,
    /// The version of that: `v3`, or `v2` for programs that know no other.
    #[arg(
        long,
        value_name = "VERSION",
        default_value = "v3",
        requires = "cast",
        conflicts_with_all = ["svg", "text", "at"]
    )]
    format: Version,
}

pub(super) fn replay(arguments: &ReplayArguments) -> Result<ExitCode, String> {
    let ReplayArguments { file, what, at, speed, idle_limit } = arguments;
    let What { svg, text, replies, cast, format } = what;
    if *replies {
        return print_replies(file);
    }
    if svg.is_none() && !text && cast.is_none() && at.is_none() {
        return play::play(file, *speed, *idle_limit);
    }
    let wrong = |error: CastError| format!("{}: {error}", file.display());
    let reader = source::open(file).map_err(wrong)?;
    let asked = *idle_limit;
    let idle_limit = asked.or(reader.header().idle_time_limit).unwrap_or(Duration::MAX);
    let until = at.unwrap_or(Duration::MAX);
    let out = svg.as_deref().or(cast.as_deref()).unwrap_or(Path::new("-"));
    let mut out = Out::new(out, file)?;
    let wrong_from = if cast.is_some() {
        // A limit that is not asked for is in the header of what is written.
        convert(reader, asked.unwrap_or(Duration::MAX), *format, &mut out)?
    } else if *text {
        print_text(reader, idle_limit, &mut out)?
    } else if svg.is_some() && at.is_none() {
        let mut film = Film::default();
        let changes = &mut |screen: &Screen, now| film.changes(now, screen);
        let end = play_to(reader, idle_limit, until, changes, &mut |_| Ok(()))?;
        out.write(film.finish(end.now + AFTER_LAST, &end.screen))?;
        end.wrong
    } else {
        let end = play_to(reader, idle_limit, until, &mut |_, _| {}, &mut |_| Ok(()))?;
        if svg.is_some() {
            out.write(end.screen.svg())?;
        } else {
            out.write(end.screen.page_text())?;
            out.end_line()?;
        }
        end.wrong
    };
    out.end()?;
    // What is before that was made all the same.
    wrong_from.map_or(Ok(ExitCode::SUCCESS), |error| Err(wrong(error)))
}

/// The replies that a replay of a session gives.
fn print_replies(file: &Path) -> Result<ExitCode, String> {
    let wrong = |why: String| format!("{}: {why}", file.display());
    let lines = source::lines(file).map_err(|error| wrong(error.to_string()))?;
    let recording = Recording::read(lines).map_err(|error| wrong(error.to_string()))?;
    let mut out = Out::new(Path::new("-"), file)?;
    out.write(recorded::replies_of(&recording))?;
    out.end()?;
    Ok(ExitCode::SUCCESS)
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
    /// Writes to that, which is not to be the recording.
    fn new(path: &Path, recording: &Path) -> Result<Out, String> {
        if is_standard(path) {
            let to = BufWriter::new(Box::new(io::stdout()) as Box<dyn Write>);
            return Ok(Out { to, name: None, is_closed: false, is_within_line: false });
        }
        // It is read while this is written.
        let real = |path: &Path| path.canonicalize().ok();
        if real(path).is_some_and(|path| Some(path) == real(recording)) {
            return Err(format!("{} is the recording itself", path.display()));
        }
        let file = File::create(path)
            .map_err(|error| format!("{} can't be written: {error}", path.display()))?;
        let to = BufWriter::new(Box::new(file) as Box<dyn Write>);
        Ok(Out { to, name: Some(path.to_owned()), is_closed: false, is_within_line: false })
    }

    fn write(&mut self, text: impl AsRef<[u8]>) -> Result<(), String> {
        let text = text.as_ref();
        if !text.is_empty() {
            self.is_within_line = !text.ends_with(b"\n");
        }
        self.checked(|to| to.write_all(text))
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

/// Has a screen take what was printed up to a time. `changes` comes before each event that it shows, and
/// when that was; `changed` behind each piece of what is printed.
fn play_to<R: BufRead>(
    reader: Reader<R>,
    idle_limit: Duration,
    until: Duration,
    changes: &mut dyn FnMut(&Screen, Duration),
    changed: &mut dyn FnMut(&mut Screen) -> Result<(), String>,
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
        let text = match &kind {
            Kind::Output(text) => text.as_bytes(),
            Kind::Resize(size) => {
                changes(&end.screen, now);
                end.screen.resize(*size);
                changed(&mut end.screen)?;
                continue;
            }
            Kind::Input(_) | Kind::Marker(_) | Kind::Exit(_) | Kind::Other { .. } => continue,
        };
        changes(&end.screen, now);
        for piece in text.chunks(MOST_FED) {
            end.screen.feed(piece);
            changed(&mut end.screen)?;
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
) -> Result<Option<CastError>, String> {
    let mut text = String::new();
    let mut end = play_to(reader, idle_limit, Duration::MAX, &mut |_, _| {}, &mut |screen| {
        screen.drain(&mut |line| text.push_str(line));
        let printed = out.write(&text);
        text.clear();
        printed
    })?;
    end.screen.report(&mut text);
    out.write(&text)?;
    out.end_line()?;
    Ok(end.wrong)
}

/// Writes a recording anew. Gives what is wrong with it, from where on nothing is written.
fn convert<R: BufRead>(
    reader: Reader<R>,
    idle_limit: Duration,
    version: Version,
    out: &mut Out,
) -> Result<Option<CastError>, String> {
    let failed = |error: io::Error| error.to_string();
    let mut writer = Writer::new(Vec::new(), reader.header(), version).map_err(failed)?;
    let (mut before, mut now) = (Duration::ZERO, Duration::ZERO);
    for event in reader {
        out.write(std::mem::take(writer.get_mut()))?;
        let Event { time, kind } = match event {
            Ok(event) => event,
            Err(error) => return Ok(Some(error)),
        };
        now += (time - before).min(idle_limit);
        before = time;
        writer.event(&Event { time: now, kind }).map_err(failed)?;
    }
    out.write(writer.into_inner())?;
    Ok(None)
}

fn seconds(value: &str) -> Result<Duration, String> {
    let seconds = value.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "it is a number of seconds".into())
}

fn speed(value: &str) -> Result<f64, String> {
    let speed = value.parse().ok().filter(|speed| (0.001..=1000.).contains(speed));
    speed.ok_or_else(|| "it is a number, 0.001 to 1000: 2 is twice as fast".into())
}
