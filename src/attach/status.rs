//! The status line and the title: which session it is, how things stand, who is there. Pure.

use std::time::Duration;

use unicode_width::UnicodeWidthChar;

use crate::{
    reply::printable,
    screen::Size,
    session::{client::Present, pipeline::Standing},
};

/// Between the parts of a status.
const GAP: &str = " \u{b7} ";

/// How things stand, in a few words; whose cell it is, if that is another's than `own`.
pub(super) fn state(standing: &Standing, elapsed: Option<Duration>, own: &str) -> String {
    let whose = |client: &str| match client {
        "" => String::new(),
        client if client == own => String::new(),
        client => format!(" ({client})"),
    };
    match standing {
        Standing::Starting => "starting".into(),
        Standing::Ready => "ready".into(),
        Standing::Running { client, .. } => {
            let elapsed = elapsed.map(|elapsed| format!(" {}", time(elapsed))).unwrap_or_default();
            format!("running{elapsed}{}", whose(client))
        }
        Standing::Waiting { what, client, echo: false } if what == "input" => {
            format!("waits for a secret{}", whose(client))
        }
        Standing::Waiting { what, client, .. } => {
            let what = match what.as_str() {
                "input" => "waits for input".to_owned(),
                "pager" => "a pager".to_owned(),
                "screen" => "a full screen".to_owned(),
                program => format!("{program} waits"),
            };
            format!("{what}{}", whose(client))
        }
        Standing::Ending => "ending".into(),
        Standing::Ended => "ended".into(),
    }
}

/// Who is there besides, each name once; empty where nobody is.
pub(super) fn company(here: &[Present]) -> String {
    let mut words: Vec<(String, usize)> = Vec::new();
    for one in here.iter().filter(|one| !one.is_own) {
        let name = if one.name.is_empty() { "a client" } else { &one.name };
        let word = if one.looks_on { format!("{name} (looks on)") } else { name.to_owned() };
        match words.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => words.push((word, 1)),
        }
    }
    let words = words.into_iter().map(|(word, count)| match count {
        1 => word,
        _ => format!("{count} {word}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// The size of the session's terminal, where that is another than the person's; empty where it is the same.
pub(super) fn size(session: Option<Size>, own: Size) -> String {
    match session {
        Some(size) if size != own => {
            let is_cropped = size.columns > own.columns || size.rows > own.rows;
            let cropped = if is_cropped { ", cropped" } else { "" };
            format!("{}x{}{cropped}", size.columns, size.rows)
        }
        _ => String::new(),
    }
}

/// These parts in a row of so many columns, the last one of which stays free; empty ones are left out.
pub(super) fn row(parts: &[&str], columns: u16) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    let text = printable(&parts.join(GAP));
    let room = usize::from(columns.saturating_sub(1));
    let (mut taken, mut end) = (0, text.len());
    for (at, c) in text.char_indices() {
        taken += c.width().unwrap_or_default();
        if taken > room {
            end = at;
            break;
        }
    }
    text[..end].to_owned()
}

/// A title of these parts; empty ones are left out.
pub(super) fn title(session: &str, parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    printable(&format!("{session}: {}", parts.join(", ")))
}

/// A time in its two largest units.
fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{:02}s", seconds % 60),
        (hours, minutes) => format!("{hours}h{:02}m", minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn present(name: &str, looks_on: bool, is_own: bool) -> Present {
        Present { name: name.into(), looks_on, is_person: true, is_own }
    }

    #[test]
    fn states_are_words() {
        let running =
            |client: &str| Standing::Running { elapsed: Duration::ZERO, client: client.into() };
        let waiting = |what: &str, client: &str, echo| {
            let (what, client) = (what.into(), client.into());
            Standing::Waiting { what, client, echo }
        };
        for (standing, seconds, words) in [
            (Standing::Ready, None, "ready"),
            (running("bot"), Some(5), "running 5s (bot)"),
            (running("me"), Some(65), "running 1m05s"),
            (running(""), Some(7500), "running 2h05m"),
            (running("bot"), None, "running (bot)"),
            (waiting("input", "bot", true), None, "waits for input (bot)"),
            (waiting("input", "me", false), None, "waits for a secret"),
            (waiting("pager", "", true), None, "a pager"),
            (waiting("bash", "me", true), None, "bash waits"),
        ] {
            assert_eq!(state(&standing, seconds.map(Duration::from_secs), "me"), words);
        }
    }

    #[test]
    fn who_is_there_is_named_once() {
        let here = [
            present("me", false, true),
            present("bot", false, false),
            present("attach", true, false),
            present("bot", false, false),
            present("", false, false),
        ];
        assert_eq!(company(&here), "2 bot, attach (looks on), a client");
        assert_eq!(company(&here[..1]), "");
    }

    #[test]
    fn the_size_is_said_where_it_is_another_than_the_persons() {
        let of = |columns, rows| Size { columns, rows };
        assert_eq!(size(None, of(80, 24)), "");
        assert_eq!(size(Some(of(80, 24)), of(80, 24)), "");
        assert_eq!(size(Some(of(80, 24)), of(100, 30)), "80x24");
        assert_eq!(size(Some(of(120, 24)), of(100, 30)), "120x24, cropped");
        assert_eq!(size(Some(of(80, 40)), of(100, 30)), "80x40, cropped");
    }

    #[test]
    fn a_row_is_as_long_as_there_is_room() {
        assert_eq!(row(&["work", "", "ready"], 80), "work \u{b7} ready");
        assert_eq!(row(&["work", "ready"], 10), "work \u{b7} re");
        assert_eq!(row(&["漢漢漢"], 6), "漢漢");
        assert_eq!(row(&["a\x1b[2J"], 80), "a?[2J");
        assert_eq!(title("work", &["", "a\u{7}"]), "work: a?");
    }
}
