//! A block that has several calls and their replies, as one reads them. Pure.
//!
//! A line that begins with `> `, first in the block or behind an empty one, is what is sent; lines
//! behind it that begin with two blanks belong to it. The lines up to the next one are the reply.

use std::time::Duration;

use super::{Block, MarkdownError, Steps, error};
use crate::{session::rules::payload::Payload, verify::script::Expected};

const SENT: &str = "> ";
const GOES_ON: &str = "  ";
/// How control characters are written, as in JSON.
const CONTROLS: [(&str, &str); 2] = [("\\u0003", "\u{3}"), ("\\u0004", "\u{4}")];
/// How a note begins, behind a line that is sent.
const NOTE: &str = "   (";
/// How a note says how long the call waits.
const TIMEOUT: &str = "with timeout_ms ";
/// How notes begin that say in words what a control character does.
const WORDS: [&str; 2] = ["interrupt", "reset"];

pub(super) fn take(
    steps: &mut Steps,
    source: &str,
    block: &Block<'_>,
) -> Result<(), MarkdownError> {
    // Where each line stands in the file; the block's own, without what stands before it there.
    let mut at = block.place.start;
    let places: Vec<usize> = source[block.place.clone()]
        .split_inclusive('\n')
        .map(|line| {
            at += line.len();
            at - line.len()
        })
        .chain([block.place.end])
        .collect();
    let lines: Vec<&str> = block.content.lines().collect();
    let is_sent = |n: usize| {
        let is_first = n == 0 || lines[n - 1].is_empty();
        is_first && lines.get(n).is_some_and(|line| line.starts_with(SENT))
    };
    if !is_sent(0) {
        return Err(error(block.line, "a session begins with what is sent, `> `"));
    }
    let mut n = 0;
    while n < lines.len() {
        let line = block.line + 1 + n;
        let mut sent = vec![lines[n][SENT.len()..].to_owned()];
        n += 1;
        while let Some(more) = lines.get(n).and_then(|line| line.strip_prefix(GOES_ON)) {
            sent.push(more.to_owned());
            n += 1;
        }
        let timeout = sent.last_mut().and_then(take_note);
        let mut text = sent.join("\n");
        for (written, meant) in CONTROLS {
            if let Some(rest) = text.strip_prefix(written) {
                text = format!("{meant}{rest}");
            }
        }
        let payload = Payload::parse(&text, Vec::new());
        steps.send(payload.map_err(|why| error(line, why.to_string()))?, timeout, line);
        let first = n;
        while n < lines.len() && !is_sent(n) {
            n += 1;
        }
        let is_parted = n < lines.len();
        let last = if is_parted { n - 1 } else { n };
        if first >= last {
            continue;
        }
        let expected = Expected {
            text: lines[first..last].iter().flat_map(|line| [line, "\n"]).collect(),
            place: places[first]..places[last],
            indent: block.indent.clone(),
            fences: block.fences.clone(),
        };
        steps.reply(expected, block.line + 1 + first)?;
    }
    Ok(())
}

/// Takes a note off a line that is sent; the time that it says.
fn take_note(line: &mut String) -> Option<Duration> {
    let at = line.rfind(NOTE)?;
    let note = line[at + NOTE.len()..].strip_suffix(')')?.to_owned();
    let time = note.strip_prefix(TIMEOUT).and_then(|time| time.parse().ok());
    let is_control = CONTROLS.iter().any(|(written, _)| line.starts_with(written));
    let says_control = is_control && WORDS.iter().any(|word| note.starts_with(word));
    // All else in parentheses is sent.
    if time.is_some() || says_control {
        line.truncate(line[..at].trim_end().len());
    }
    time.map(Duration::from_millis)
}
