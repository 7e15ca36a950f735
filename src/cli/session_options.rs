//! What a session runs and for how long: the options of the command line, the same as they travel
//! to a host, and what a host makes of them.

use std::{ffi::OsString, path::Path, process::ExitStatus, time::Duration};

use clap::Args;
use mcp_repl_control::SessionOptions;

use super::{
    LONGEST_EDGE, WorkerArguments, config, image_size,
    limit_options::LimitArguments,
    paging, picture_limit,
    record_options::{self, RecordArguments},
    sandbox_options::{self, SandboxArguments},
    size,
};
use crate::{
    host::Life,
    pty::Limits,
    registry::Registry,
    remote::sandbox::from_wire,
    reply::BUDGET,
    screen::Size,
    session::{
        engine::{Attachments, Config},
        launch::{Sandbox, Target, strict},
        output_disk::OutputDisk,
        rules::state::Paging,
    },
};

/// The variable of the environment that has the grace time; empty, it has none.
pub(super) const GRACE: &str = "MCP_REPL_GRACE";

/// How long a kept session may be idle where no time is given.
const KEPT: &str = "8h";

/// How a session treats pagers, files and pictures, and how long it lives.
#[derive(Debug, Clone, Args)]
pub(super) struct SessionArguments {
    /// What is done about pagers: turn their pages and give all of the text (`through`), give
    /// one page a call (`page`), or have programs print without one (`plain`).
    #[arg(long, value_name = "HOW", default_value = "through", value_parser = paging)]
    pub(super) pager: Paging,
    /// How much the files of long outputs, pictures and documents may take on disk, all together:
    /// bytes, or with a unit (`500M`, `2GiB`). The oldest are deleted first.
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = size)]
    pub(super) max_output_disk: u64,
    /// How many pixels the longer side of a picture has at most. The area falls with that: at 1568
    /// it is 1.15 megapixels.
    #[arg(long, value_name = "PIXELS", default_value_t = LONGEST_EDGE, value_parser = image_size)]
    pub(super) image_size: u32,
    /// The size of the session's terminal, which it keeps whoever attaches: `120x40`, from 10x3 to
    /// 1000x500. Without it that is 120x40, and that of people's terminals while they are there.
    #[arg(long, value_name = "COLUMNSxROWS", value_parser = terminal_size)]
    pub(super) size: Option<Size>,
    /// How long a session lives on when its last client has gone, so that one that comes back finds
    /// its variables: `30s`, `10m`, `8h`, `2d`, or seconds. `0` ends it with its client.
    #[arg(
        long, env = GRACE, value_name = "DURATION", default_value = "10m",
        value_parser = duration
    )]
    pub(super) grace: Duration,
    /// Keep a session until it was idle and without clients for that long, 8 hours where no time is
    /// given, or is ended by `mcp-repl end`.
    #[arg(
        long, value_name = "DURATION", num_args = 0..=1, require_equals = true,
        default_missing_value = KEPT, value_parser = duration
    )]
    pub(super) keep: Option<Duration>,
    #[command(flatten)]
    pub(super) record: RecordArguments,
    #[command(flatten)]
    pub(super) limits: LimitArguments,
    #[command(flatten)]
    pub(super) sandbox: SandboxArguments,
}

impl SessionArguments {
    /// The same as they travel to a host.
    pub(super) fn options(&self, worker: &WorkerArguments) -> SessionOptions {
        let pager = match self.pager {
            Paging::Through => "through",
            Paging::Page => "page",
            Paging::Plain => "plain",
        };
        let mut options = SessionOptions {
            python: worker.python.as_deref().map(|file| file.to_string_lossy().into_owned()),
            python_from: worker.python_from.clone(),
            worker: worker.worker.clone(),
            run: worker.run.clone(),
            pager: pager.to_owned(),
            max_output_disk: Some(self.max_output_disk),
            image_size: Some(self.image_size),
            size: self.size.map(|size| size.to_string()),
            grace_ms: Some(milliseconds(self.grace)),
            keep_ms: self.keep.map(milliseconds),
            memory: self.limits.memory,
            max_processes: self.limits.max_processes,
            ..SessionOptions::default()
        };
        self.record.add_to(&mut options);
        options
    }
}

/// What a host of a session of this name runs, and for how long. The options may be those of another machine's command line,
/// so they are looked at as a command line is.
///
/// # Errors
/// When one of them is wrong, in the words of the command line; when there is no room for a
/// session.
pub(super) fn of_host(options: &SessionOptions, name: &str) -> Result<(Config, Life), String> {
    let target = target(options)?;
    let paging = match &*options.pager {
        "" => Paging::Through,
        how => paging(how).map_err(|why| wrong("--pager", how, &why))?,
    };
    let pixels = match options.image_size {
        Some(pixels) => {
            let pixels = pixels.to_string();
            image_size(&pixels).map_err(|why| wrong("--image-size", &pixels, &why))?
        }
        None => LONGEST_EDGE,
    };
    let mut config = config(target, paging, BUDGET)?;
    config.attachments = Attachments::Kept(picture_limit(pixels));
    if let Some(size) = &options.size {
        config.size = terminal_size(size).map_err(|why| wrong("--size", size, &why))?;
        config.is_size_pinned = true;
    }
    if let Some(bytes) = options.max_output_disk {
        config.output_disk = OutputDisk::new(bytes);
    }
    let record = record_options::of_options(options)?;
    config.recording = record.file(name)?;
    config.surroundings.sandbox = sandbox(options, &record)?;
    config.surroundings.limits =
        Limits { memory: options.memory, processes: options.max_processes };
    let mut life = Life { keep: options.keep_ms.map(Duration::from_millis), ..Life::default() };
    if let Some(grace) = options.grace_ms {
        life.grace = Duration::from_millis(grace);
    }
    Ok((config, life))
}

/// What a host runs.
fn target(options: &SessionOptions) -> Result<Target, String> {
    let python = options.python.as_ref().map(|file| Path::new(file).to_owned());
    let given = [
        ("--python", python.is_some()),
        ("--worker", options.worker.is_some()),
        ("--run", options.run.is_some()),
    ];
    let mut given = given.iter().filter(|(_, is_given)| *is_given);
    if let (Some((one, _)), Some((other, _))) = (given.next(), given.next()) {
        return Err(format!("`{one}` can't be used with `{other}`"));
    }
    let (worker, run) = (options.worker.clone(), options.run.clone());
    let python_from = options.python_from.clone();
    WorkerArguments { python, python_from, worker, run }.target()
}

/// What the session of a host may reach.
fn sandbox(options: &SessionOptions, record: &RecordArguments) -> Result<Option<Sandbox>, String> {
    let settings = options.sandbox.as_ref().map(from_wire).transpose();
    let settings = settings.map_err(|error| error.to_string())?.unwrap_or_default();
    Ok(sandbox_options::sandbox(settings, record.place().as_deref()))
}

/// Starts the host of a session in name spaces, which reads `request`, and waits until it is there.
///
/// # Errors
/// When it can't be had there. What the host itself fails of, it says.
pub(super) fn host_in_name_spaces(
    options: &SessionOptions,
    arguments: &[&str],
    request: &str,
) -> Result<ExitStatus, String> {
    let record = record_options::of_options(options)?;
    if record.is_file() {
        return Err("in `strict` recordings are made in a directory, which is not read there: \
                        `--record` names a file"
            .to_owned());
    }
    let sandbox = sandbox(options, &record)?.unwrap_or_default();
    // Made, where it is not there.
    let registry = Registry::open().and_then(|_| Registry::place());
    let registry = registry.map_err(|error| error.to_string())?;
    let written = record.directory()?.into_iter().chain([registry]);
    let target = target(options)?;
    let host = strict::Host {
        sandbox: &sandbox,
        target: &target,
        written: written.collect(),
        arguments: arguments.iter().map(OsString::from).collect(),
    };
    host.start(request.as_bytes()).map_err(|error| error.to_string())
}

/// What clap says.
fn wrong(option: &str, value: &str, why: &str) -> String {
    format!("invalid value '{value}' for '{option}': {why}")
}

/// A size of a terminal: `120x40`.
fn terminal_size(value: &str) -> Result<Size, String> {
    let size = value.parse().ok().filter(|size: &Size| size.is_window());
    size.ok_or_else(|| "it is a number of columns and of rows, `10x3` to `1000x500`".into())
}

/// A time: `30s`, `10m`, `8h`, `2d`, or seconds.
pub(super) fn duration(value: &str) -> Result<Duration, String> {
    let digits = value.len() - value.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = value.split_at(digits);
    let seconds = match unit {
        "" | "s" => Some(1),
        "m" => Some(60),
        "h" => Some(60 * 60),
        "d" => Some(24 * 60 * 60),
        _ => None,
    };
    let seconds = seconds.and_then(|seconds| number.parse::<u64>().ok()?.checked_mul(seconds));
    // What a clock can't count is no limit either.
    seconds
        .map(|seconds| Duration::from_secs(seconds.min(LONGEST_TIME)))
        .ok_or_else(|| "it is a time: `30s`, `10m`, `8h`, `2d`, or seconds".into())
}

/// The longest time that is taken, in seconds: a hundred years.
const LONGEST_TIME: u64 = 100 * 365 * 24 * 60 * 60;

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_or_are_seconds() {
        let seconds = |text: &str| duration(text).map(|time| time.as_secs());
        let known =
            [("0", 0), ("45", 45), ("30s", 30), ("10m", 600), ("8h", 28_800), ("2d", 172_800)];
        for (text, expected) in known {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        assert_eq!(seconds("99999999999d"), Ok(LONGEST_TIME));
        for text in
            ["", "m", "-1", "1.5h", "10 m", "10x", "10mm", "1h30m", "é", "999999999999999999d"]
        {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_windows_that_somebody_could_look_at() {
        let size = |columns, rows| Some(Size { columns, rows });
        assert_eq!(terminal_size("10x3").ok(), size(10, 3));
        assert_eq!(terminal_size("1000x500").ok(), size(1000, 500));
        for wrong in [
            "",
            "x",
            "80",
            "80x",
            "x24",
            "80X24",
            "9x24",
            "80x2",
            "1001x40",
            "80x501",
            "-80x24",
            "80x24x2",
            "99999999x24",
            "80 x 24",
            "0x0",
        ] {
            assert!(terminal_size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_refuses_what_the_command_line_does() {
        let error = |options: SessionOptions| of_host(&options, "main").map(drop).unwrap_err();
        let default = SessionOptions::default;
        assert_eq!(
            error(SessionOptions { pager: "more".into(), ..default() }),
            "invalid value 'more' for '--pager': it is one of `through`, `page` and `plain`"
        );
        assert_eq!(
            error(SessionOptions { image_size: Some(7), ..default() }),
            "invalid value '7' for '--image-size': it is a number of pixels, 100 to 1568"
        );
        assert_eq!(
            error(SessionOptions { size: Some("2x1".into()), ..default() }),
            "invalid value '2x1' for '--size': it is a number of columns and of rows, `10x3` to \
             `1000x500`"
        );
        assert_eq!(
            error(SessionOptions { worker: Some(" ".into()), ..default() }),
            "--worker names no program"
        );
        let both = SessionOptions {
            python: Some("python3".into()),
            worker: Some("w".into()),
            ..default()
        };
        assert_eq!(error(both), "`--python` can't be used with `--worker`");
        let both =
            SessionOptions { run: Some("vim".into()), worker: Some("w".into()), ..default() };
        assert_eq!(error(both), "`--worker` can't be used with `--run`");
        let unended = SessionOptions { run: Some("vim 'x".into()), ..default() };
        assert_eq!(
            error(unended),
            "--run \"vim 'x\" can't be split into words: missing closing quote"
        );
    }

    #[test]
    fn options_travel_whole() {
        let arguments = SessionArguments {
            pager: Paging::Page,
            max_output_disk: 7,
            image_size: 500,
            size: Some(Size { columns: 100, rows: 30 }),
            grace: Duration::from_secs(5),
            keep: Some(Duration::from_secs(60)),
            record: RecordArguments::default(),
            limits: LimitArguments { memory: Some(1 << 30), max_processes: Some(100) },
            sandbox: SandboxArguments::default(),
        };
        let run = Some("w x".into());
        let worker = WorkerArguments { python: None, python_from: None, worker: None, run };
        let (config, life) = of_host(&arguments.options(&worker), "main").unwrap();
        assert_eq!(config.target.identity(), "program w x");
        assert_eq!(config.paging, Paging::Page);
        let limits = Limits { memory: Some(1 << 30), processes: Some(100) };
        assert_eq!(config.surroundings.limits, limits);
        assert!(config.is_size_pinned && Some(config.size) == arguments.size);
        assert!(matches!(config.attachments, Attachments::Kept(limit) if limit.edge == 500));
        assert_eq!(life, Life { grace: arguments.grace, keep: arguments.keep });
        let (_, life) = of_host(&SessionOptions::default(), "main").unwrap();
        assert_eq!(life, Life::default());
    }
}
