//! `mcp-repl ls`: the sessions of this user on this machine.

use std::{
    io::{self, IsTerminal, Write},
    path::Path,
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::Args;
use mcp_repl_control::{Sandbox, SessionInfo, SessionState};
use serde_json::{Value, json};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{
    sessions::{self, Listed, Trouble, with_registry},
    terminal,
};
use crate::{reply::printable, sandbox::Network};

/// What is between two columns.
const GAP: &str = "  ";
/// The columns.
const HEADINGS: [&str; 9] =
    ["NAME", "STATE", "INTERPRETER", "DIRECTORY", "AGE", "CLIENTS", "MEMORY", "SANDBOX", "ENDS"];
/// Those that are shortened where the table is wider than the terminal, in this order, and how far.
const SHORTENED: [(usize, usize); 8] = [
    (DIRECTORY, 16),
    (CLIENTS, 10),
    (STATE, 16),
    (SANDBOX, 7),
    (INTERPRETER, 7),
    (DIRECTORY, 9),
    (STATE, 10),
    (CLIENTS, 7),
];
const STATE: usize = 1;
const INTERPRETER: usize = 2;
const DIRECTORY: usize = 3;
const CLIENTS: usize = 5;
const SANDBOX: usize = 7;
/// The columns that are shortened in front, since their end tells most.
const IN_FRONT: [usize; 2] = [INTERPRETER, DIRECTORY];

/// How the sessions are listed.
#[derive(Debug, Args)]
pub(super) struct LsArguments {
    /// Print a JSON array, one object a session. Times are in milliseconds, memory in bytes.
    #[arg(long)]
    json: bool,
}

impl LsArguments {
    /// The command, as it is said elsewhere.
    pub(super) fn words(&self) -> Vec<String> {
        let json = self.json.then_some("--json");
        ["ls"].into_iter().chain(json).map(str::to_owned).collect()
    }
}

/// Lists the sessions.
pub(super) fn ls(arguments: &LsArguments) -> Result<ExitCode, String> {
    let listed = with_registry(async |registry| sessions::all(&registry).await)?;
    let text = match (arguments.json, listed.is_empty()) {
        (true, _) => {
            let all: Vec<Value> = listed.iter().map(to_json).collect();
            serde_json::to_string_pretty(&all).map_err(|error| error.to_string())? + "\n"
        }
        (false, true) => "No sessions.\n".to_owned(),
        (false, false) => table(listed.iter().map(row).collect(), width()),
    };
    // Standard output may be closed, which must not be a panic.
    let _ = io::stdout().lock().write_all(text.as_bytes());
    Ok(ExitCode::SUCCESS)
}

/// How wide the table is at most, where that can be. Who reads it from a pipe gets all of it.
fn width() -> usize {
    let size = io::stdout().is_terminal().then(terminal::size).flatten();
    size.map_or(usize::MAX, |size| usize::from(size.columns))
}

fn to_json(listed: &Listed) -> Value {
    let record = listed.entry.record();
    match &listed.info {
        // The wire types hold strings, numbers, lists and variants only, which always serialise.
        Ok(info) => serde_json::to_value(info).unwrap_or_default(),
        Err(why) => json!({
            "name": record.name,
            "state": { "state": "not_answering", "why": why.to_string() },
            "directory": record.directory,
            "host_pid": record.host_pid,
            "age_ms": age_ms(record.started_ms),
            "sandbox": record.sandbox,
        }),
    }
}

fn row(listed: &Listed) -> [String; HEADINGS.len()] {
    let record = listed.entry.record();
    let none = || "-".to_owned();
    let name = record.name.to_string();
    match &listed.info {
        Ok(info) => [
            name,
            state(&info.state),
            if info.interpreter.is_empty() { none() } else { info.interpreter.clone() },
            directory(&info.directory),
            time(info.age_ms),
            if info.clients.is_empty() { none() } else { clients(&info.clients) },
            info.memory.map_or_else(none, memory),
            info.sandbox.as_ref().map_or_else(none, sandbox),
            ends(info),
        ],
        Err(why) => {
            let age = time(age_ms(record.started_ms));
            let directory = directory(&record.directory);
            let sandbox = record.sandbox.as_ref().map_or_else(none, sandbox);
            [name, trouble(why), none(), directory, age, none(), none(), sandbox, none()]
        }
    }
}

/// One line of a session, for `doctor`.
pub(super) fn line(listed: &Listed) -> String {
    let [name, state, interpreter, directory, ..] = row(listed);
    printable(&[name, state, interpreter, directory].join(GAP))
}

fn trouble(why: &Trouble) -> String {
    match why {
        Trouble::Refused(why) => format!("not answering: {why}"),
        Trouble::Silent | Trouble::Gone => "not answering".to_owned(),
    }
}

/// The mode, and the network where there is one.
fn sandbox(sandbox: &Sandbox) -> String {
    let Sandbox { mode, network, .. } = sandbox;
    if network == Network::Off.name() {
        return mode.clone();
    }
    format!("{mode}, network {network}")
}

/// How things stand, in words.
fn state(state: &SessionState) -> String {
    let of = |client: &str| if client.is_empty() { String::new() } else { format!(" ({client})") };
    match state {
        SessionState::Starting => "starting".to_owned(),
        SessionState::Ready => "ready".to_owned(),
        SessionState::Running { since_ms, client } => {
            format!("running {}{}", time(*since_ms), of(client))
        }
        SessionState::Waiting { what, client, .. } => format!("waiting: {what}{}", of(client)),
        SessionState::Ending => "ending".to_owned(),
        SessionState::Ended => "ended".to_owned(),
    }
}

/// Their names, each once, with how many have it.
fn clients(names: &[String]) -> String {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for name in names {
        match counted.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += 1,
            None => counted.push((name, 1)),
        }
    }
    let words = counted.into_iter().map(|(name, count)| match count {
        1 => name.to_owned(),
        _ => format!("{count} {name}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// When it ends.
fn ends(info: &SessionInfo) -> String {
    match (info.ends_in_ms, info.keeps) {
        (Some(left), true) => format!("kept, {}", time(left)),
        (Some(left), false) => format!("in {}", time(left)),
        (None, true) => "kept".to_owned(),
        (None, false) => "-".to_owned(),
    }
}

/// A time in its two largest units.
fn time(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match (hours / 24, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, 1..10) => format!("{minutes}m{:02}s", seconds % 60),
        (0, 0, _) => format!("{minutes}m"),
        (0, _, _) => format!("{hours}h{:02}m", minutes % 60),
        (days, _, _) => format!("{days}d{:02}h", hours % 24),
    }
}

/// A number of bytes in the unit that has few digits.
fn memory(bytes: u64) -> String {
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    match mebibytes {
        ..10.0 => format!("{mebibytes:.1}M"),
        ..1024.0 => format!("{mebibytes:.0}M"),
        _ => format!("{:.1}G", mebibytes / 1024.0),
    }
}

/// A directory as people write it.
fn directory(path: &str) -> String {
    let home = std::env::home_dir().filter(|home| home.parent().is_some());
    match home.and_then(|home| Path::new(path).strip_prefix(home).ok().map(Path::to_owned)) {
        Some(below) if below.as_os_str().is_empty() => "~".to_owned(),
        Some(below) => format!("~/{}", below.display()),
        None => path.to_owned(),
    }
}

fn age_ms(started_ms: u64) -> u64 {
    let started = UNIX_EPOCH.checked_add(Duration::from_millis(started_ms));
    let age = started.and_then(|started| SystemTime::now().duration_since(started).ok());
    age.map_or(0, |age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
}

/// Lines of columns below their headings, no wider than that where they can be.
fn table(mut rows: Vec<[String; HEADINGS.len()]>, most: usize) -> String {
    rows.insert(0, HEADINGS.map(str::to_owned));
    rows.iter_mut().flatten().for_each(|text| *text = printable(text));
    let mut widths: [usize; HEADINGS.len()] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].width()).max().unwrap_or_default()
    });
    for (column, least) in SHORTENED {
        let all = widths.iter().sum::<usize>() + GAP.len() * (HEADINGS.len() - 1);
        let width = widths[column];
        widths[column] = width.saturating_sub(all.saturating_sub(most)).max(least.min(width));
    }
    let mut table = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, text) in row.iter().enumerate() {
            let text = shortened(text, widths[column], IN_FRONT.contains(&column));
            let blanks = widths[column].saturating_sub(text.width());
            line += &(text + &" ".repeat(blanks) + GAP);
        }
        table += line.trim_end();
        table.push('\n');
    }
    table
}

/// A text in so many columns, with an ellipsis where some of it is left out.
fn shortened(text: &str, width: usize, in_front: bool) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut room = width.saturating_sub(1);
    let mut fits = |c: &char| {
        let taken = c.width().unwrap_or_default();
        let fits = taken <= room;
        room = room.saturating_sub(taken);
        fits
    };
    if in_front {
        let kept: Vec<char> = text.chars().rev().take_while(&mut fits).collect();
        ['…'].into_iter().chain(kept.into_iter().rev()).collect()
    } else {
        text.chars().take_while(&mut fits).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: [&str; 9]) -> [String; 9] {
        cells.map(str::to_owned)
    }

    #[test]
    fn the_table_is_aligned() {
        let rows = vec![
            row([
                "proj",
                "ready",
                "cpython 3.12.1",
                "~/proj",
                "5m01s",
                "a, b",
                "12M",
                "read-only",
                "-",
            ]),
            row(["日本", "not answering", "-", "/tmp/x\n", "2d03h", "-", "-", "-", "-"]),
        ];
        assert_eq!(
            table(rows, usize::MAX),
            "\
NAME  STATE          INTERPRETER     DIRECTORY  AGE    CLIENTS  MEMORY  SANDBOX    ENDS
proj  ready          cpython 3.12.1  ~/proj     5m01s  a, b     12M     read-only  -
日本  not answering  -               /tmp/x?    2d03h  -        -       -          -
"
        );
    }

    #[test]
    fn the_table_fits_where_it_can() {
        let long = "/a/rather/long/directory/of/somebody/who/likes/them/so/deep/down/below/proj";
        let clients = "claude-code, codex, exec, cursor, somebody-else";
        let rows = vec![
            row([
                "proj",
                "running 12m (claude-code)",
                "cpython 3.12.1",
                long,
                "5m",
                clients,
                "12M",
                "workspace-write, network local",
                "-",
            ]),
            row(["p", "ready", "cpython 3.12.1", "/b", "5m", "-", "12M", "-", "kept, 7h59m"]),
        ];
        let whole = table(rows.clone(), usize::MAX);
        assert!(whole.contains(long) && whole.contains(clients), "{whole}");
        let wide = table(rows.clone(), 110);
        assert!(wide.lines().all(|line| line.width() <= 110), "{wide}");
        assert!(wide.contains("workspac") && !wide.contains("local"), "{wide}");
        assert!(wide.contains("…down/below/proj") && wide.contains("claude-co…"), "{wide}");
        assert!(wide.contains("cpython 3.12.1") && wide.contains("kept, 7h59m"), "{wide}");
        let narrow = table(rows, 80);
        assert!(narrow.lines().all(|line| line.width() <= 80), "{narrow}");
        assert!(narrow.contains("3.12.1") && narrow.contains("kept, 7h59m"), "{narrow}");
    }

    #[test]
    fn a_name_is_never_shortened() {
        let name = "n".repeat(64);
        let long = "l".repeat(100);
        let rows = vec![row([&name, &long, "cpython 3.12.1", &long, "5m", &long, "12M", "-", "-"])];
        let table = table(rows, 80);
        assert!(table.contains(&name) && table.contains(" …3.12.1 "), "{table}");
    }

    #[test]
    fn times_and_sizes_are_short() {
        let texts = [0, 59_000, 61_000, 600_000, 3_660_000, 90_000_000].map(time);
        assert_eq!(texts, ["0s", "59s", "1m01s", "10m", "1h01m", "1d01h"]);
        assert_eq!([9 << 20, 200 << 20, 3 << 30].map(memory), ["9.0M", "200M", "3.0G"]);
    }

    #[test]
    fn clients_of_one_name_are_counted() {
        let names = ["claude-code", "exec", "claude-code"].map(str::to_owned);
        assert_eq!(clients(&names), "2 claude-code, exec");
    }

    #[test]
    fn a_sandbox_is_its_mode_and_the_network_that_there_is() {
        let of = |network: &str| {
            sandbox(&Sandbox {
                mode: "read-only".into(),
                network: network.into(),
                ..Sandbox::default()
            })
        };
        assert_eq!((of("off"), of("on")), ("read-only".into(), "read-only, network on".into()));
    }

    #[test]
    fn states_are_words() {
        let running = SessionState::Running { since_ms: 5000, client: "exec".into() };
        assert_eq!(state(&running), "running 5s (exec)");
        let waiting =
            SessionState::Waiting { what: "input".into(), client: String::new(), echo: true };
        assert_eq!(state(&waiting), "waiting: input");
    }
}
