//! Reads a part of an output from its file, which may be far larger than memory.

use std::{
    collections::VecDeque,
    fmt::Write as _,
    fs::File,
    io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom},
    path::Path,
    time::Instant,
};

use regex::bytes::Regex;

use super::{Part, ShowError, name_of};
use crate::reply::push_escaped;

/// The most of a line that is looked at at once, in bytes.
const LONGEST_PIECE: usize = 16 * 1024;
/// How many lines around one that matches are shown.
const CONTEXT: usize = 2;
/// How much of a line that matches, or is near, is shown, in characters.
const LONGEST_SHOWN: usize = 500;

/// Reads a part of a file, for an answer with this room, in characters.
///
/// # Errors
/// When there is nothing to be shown.
pub(super) fn read(
    path: &Path,
    part: &Part,
    room: usize,
    deadline: Instant,
) -> Result<String, ShowError> {
    let name = name_of(path);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(ShowError::Gone(name)),
        Err(error) => return Err(ShowError::Io { name, error }),
    };
    let mut reader = Pieces::new(file, name, deadline);
    match part {
        Part::Lines { first, last } => reader.lines(*first, *last, room),
        Part::Matches { regex, from } => reader.matches(regex, *from, room),
        Part::Tail { lines } => reader.tail(*lines, room),
    }
}

/// A file as lines, long ones in pieces.
struct Pieces {
    input: BufReader<File>,
    name: String,
    deadline: Instant,
    /// The number of the line that is next, or goes on.
    line: u64,
    /// Whether something of it was read.
    is_within: bool,
    piece: Vec<u8>,
}

/// Where a piece ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// In a line.
    Within,
    /// With its line.
    Line,
    /// There was none: the file is over.
    File,
    /// There was none: the time is up.
    Late,
}

impl Pieces {
    fn new(file: File, name: String, deadline: Instant) -> Pieces {
        let input = BufReader::with_capacity(4 * LONGEST_PIECE, file);
        Pieces { input, name, deadline, line: 1, is_within: false, piece: Vec::new() }
    }

    fn failed(&self, error: io::Error) -> ShowError {
        ShowError::Io { name: self.name.clone(), error }
    }

    /// Reads the next piece, without its line end.
    fn next(&mut self) -> Result<Ended, ShowError> {
        self.piece.clear();
        let is_late = self.input.buffer().is_empty() && Instant::now() >= self.deadline;
        let Pieces { input, piece, .. } = self;
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) => return Err(self.failed(error)),
        };
        if chunk.is_empty() {
            return Ok(Ended::File);
        }
        if is_late {
            return Ok(Ended::Late);
        }
        let mut most = chunk.len().min(LONGEST_PIECE);
        let end = memchr::memchr(b'\n', &chunk[..most]);
        if end.is_none() {
            // A character is not cut, where its rest is there.
            while most > 1 && chunk.get(most).is_some_and(|byte| byte & 0xc0 == 0x80) {
                most -= 1;
            }
        }
        piece.extend_from_slice(&chunk[..end.unwrap_or(most)]);
        input.consume(end.map_or(most, |end| end + 1));
        self.is_within = end.is_none();
        if end.is_some() {
            self.line += 1;
            return Ok(Ended::Line);
        }
        Ok(Ended::Within)
    }

    /// Goes to the start of a line.
    fn skip_to(&mut self, line: u64) -> Result<(), ShowError> {
        while self.line < line {
            match self.next()? {
                Ended::Late => return Err(self.failed(ErrorKind::TimedOut.into())),
                Ended::File => return Err(self.behind_end()),
                Ended::Within | Ended::Line => {}
            }
        }
        match self.input.fill_buf() {
            Ok([]) => Err(self.behind_end()),
            Ok(_) => Ok(()),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn behind_end(&self) -> ShowError {
        let lines = if self.is_within { self.line } else { self.line - 1 };
        ShowError::BehindEnd { name: self.name.clone(), lines }
    }

    /// From one line to another.
    fn lines(&mut self, first: u64, last: u64, room: usize) -> Result<String, ShowError> {
        self.skip_to(first)?;
        let (mut shown, mut left) = (Vec::new(), room);
        // Where the line at hand starts, and whether something had no room.
        let (mut line_start, mut is_cut) = (0, false);
        let mut line = first;
        while line <= last {
            let ended = self.next()?;
            match ended {
                Ended::File => break,
                Ended::Late => {
                    is_cut = true;
                    if line > first {
                        shown.truncate(line_start);
                    }
                    break;
                }
                Ended::Within | Ended::Line => {}
            }
            let length = characters(&self.piece) + usize::from(ended == Ended::Line);
            if length > left {
                is_cut = true;
                if line == first {
                    let fits = String::from_utf8_lossy(&self.piece);
                    shown.extend(fits.chars().take(left).collect::<String>().into_bytes());
                } else {
                    shown.truncate(line_start);
                }
                break;
            }
            left -= length;
            shown.extend_from_slice(&self.piece);
            if ended == Ended::Line {
                shown.push(b'\n');
                line_start = shown.len();
                line += 1;
            }
        }
        let is_whole_line = shown.len() == line_start;
        let to = if is_whole_line { line - 1 } else { line };
        let mut text = format!("[repl] {} of {}\n", range(first, to), self.name);
        push_escaped(&mut text, &String::from_utf8_lossy(&shown));
        end_line(&mut text);
        if is_cut && !is_whole_line {
            let rest = "the rest of this line is left out here: it is too long";
            let next = range(to + 1, last.max(to + 1));
            let _ = writeln!(text, "[repl] … {rest}; show \"{next}\" goes on behind it");
        } else if line <= last && is_cut {
            let next = range(line, last);
            let _ = writeln!(text, "[repl] … {next} left out here; show \"{next}\" goes on");
        }
        Ok(text)
    }

    /// The lines that match, each with its number, and those around them.
    fn matches(&mut self, regex: &Regex, from: u64, room: usize) -> Result<String, ShowError> {
        self.skip_to(from)?;
        let mut found = Found::new(room);
        let is_late = loop {
            let (line, starts) = (self.line, !self.is_within);
            match self.next()? {
                Ended::File => break false,
                Ended::Late => break true,
                Ended::Within | Ended::Line => {
                    let place = regex.find(&self.piece).map(|place| place.start());
                    found.see(line, &self.piece, place, starts);
                    // An expression may take its time for each piece.
                    if Instant::now() >= self.deadline {
                        break true;
                    }
                }
            }
        };
        let lines = if self.is_within { self.line } else { self.line - 1 };
        let Found { text: mut shown, matches, left_out, first_left_out, .. } = found;
        if matches == 0 {
            let _ = writeln!(
                shown,
                "[repl] none of {} of {} matches /{regex}/",
                range(from, lines),
                self.name
            );
        }
        if let Some(next) = first_left_out {
            let lines = if left_out == 1 { "line" } else { "lines" };
            let _ = writeln!(
                shown,
                "[repl] … {left_out} more matching {lines} left out here; show \"/{regex}/ from \
                 {next}\" goes on"
            );
        }
        if is_late {
            let next = self.line;
            let _ = writeln!(
                shown,
                "[repl] … the time was up at line {next}; show \"/{regex}/ from {next}\" goes on"
            );
        }
        Ok(shown)
    }

    /// The last lines.
    fn tail(&mut self, lines: u64, room: usize) -> Result<String, ShowError> {
        let length = self.input.seek(SeekFrom::End(0)).map_err(|error| self.failed(error))?;
        let most = (room as u64).saturating_mul(4).min(length);
        self.input.seek(SeekFrom::Start(length - most)).map_err(|error| self.failed(error))?;
        let mut end = Vec::new();
        self.input.by_ref().take(most).read_to_end(&mut end).map_err(|error| self.failed(error))?;
        let mut start = end.len();
        let (mut left, mut wanted) = (room, lines);
        // Line by line from the end.
        while start > 0 && wanted > 0 {
            let before = memchr::memrchr(b'\n', &end[..start - 1]).map_or(0, |place| place + 1);
            let size = characters(&end[before..start]);
            let is_whole = before > 0 || most == length;
            if size > left || !is_whole {
                break;
            }
            (start, left, wanted) = (before, left - size, wanted - 1);
        }
        let is_cut = start == end.len() && start > 0;
        let cut;
        let shown = if is_cut {
            // Not even the last line has room.
            let text = String::from_utf8_lossy(&end).into_owned();
            let skipped = text.chars().count().saturating_sub(room);
            cut = text.chars().skip(skipped).collect::<String>();
            let last = cut.trim_end_matches('\n').rfind('\n').map_or(0, |place| place + 1);
            &cut.as_bytes()[last..]
        } else {
            &end[start..]
        };
        let (before, total) = self.count(length - (end.len() - start) as u64, length)?;
        let first = if is_cut { total } else { before + 1 };
        let mut text = String::new();
        let from = total.saturating_sub(lines - 1).max(1);
        if is_cut {
            let _ =
                writeln!(text, "[repl] … the start of line {total} left out here: it is too long");
        } else if from < first {
            let left_out = range(from, first - 1);
            let _ =
                writeln!(text, "[repl] … {left_out} left out here; show \"{left_out}\" reads it");
        }
        let _ = writeln!(text, "[repl] {} of {}", range(first, total), self.name);
        push_escaped(&mut text, &String::from_utf8_lossy(shown));
        end_line(&mut text);
        Ok(text)
    }

    /// How many lines end before a place, and how many there are up to another.
    fn count(&mut self, place: u64, length: u64) -> Result<(u64, u64), ShowError> {
        self.input.seek(SeekFrom::Start(0)).map_err(|error| self.failed(error))?;
        let (mut at, mut before, mut total, mut last) = (0, 0, 0, b'\n');
        while at < length {
            if Instant::now() >= self.deadline {
                return Err(self.failed(ErrorKind::TimedOut.into()));
            }
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) => return Err(self.failed(error)),
            };
            // More may be written meanwhile.
            let most = usize::try_from(length - at).unwrap_or(usize::MAX);
            let chunk = &chunk[..chunk.len().min(most)];
            let Some(&end) = chunk.last() else { break };
            let size = chunk.len() as u64;
            for newline in memchr::memchr_iter(b'\n', chunk) {
                total += 1;
                before += u64::from(at + (newline as u64) < place);
            }
            last = end;
            at += size;
            self.input.consume(size as usize);
        }
        Ok((before, total + u64::from(last != b'\n')))
    }
}

/// What was found so far.
struct Found {
    text: String,
    /// What is left of the room.
    left: usize,
    matches: u64,
    /// Lines that match and had no room.
    left_out: u64,
    first_left_out: Option<u64>,
    last_match: u64,
    /// The last lines, not shown.
    before: VecDeque<(u64, String)>,
    /// How many more are shown behind the last one that matched.
    after: usize,
    /// The last line that is shown.
    last_shown: u64,
}

impl Found {
    fn new(room: usize) -> Found {
        Found {
            text: String::new(),
            left: room,
            matches: 0,
            left_out: 0,
            first_left_out: None,
            last_match: 0,
            before: VecDeque::new(),
            after: 0,
            last_shown: 0,
        }
    }

    /// A piece of a line, the first one perhaps, and where in it there is a match.
    fn see(&mut self, line: u64, piece: &[u8], place: Option<usize>, starts: bool) {
        let Some(place) = place else {
            if !starts {
                return;
            }
            if self.after > 0 {
                self.after -= 1;
                let is_shown = self.show(line, '-', &near(piece, 0));
                self.after *= usize::from(is_shown);
            } else if self.first_left_out.is_none() {
                self.before.push_back((line, near(piece, 0)));
                if self.before.len() > CONTEXT {
                    self.before.pop_front();
                }
            }
            return;
        };
        let is_new = std::mem::replace(&mut self.last_match, line) != line;
        self.matches += u64::from(is_new);
        if self.first_left_out.is_none() {
            let first = self.before.front().map_or(line, |(first, _)| *first);
            let saved = (self.text.len(), self.left, self.last_shown);
            if self.last_shown > 0 && first > self.last_shown + 1 {
                self.push("--\n");
            }
            let before = std::mem::take(&mut self.before);
            let fits = before.iter().all(|(line, text)| self.show(*line, '-', text))
                && self.show(line, ':', &near(piece, place));
            if fits {
                self.after = CONTEXT;
                return;
            }
            let length;
            (length, self.left, self.last_shown) = saved;
            self.text.truncate(length);
            // One line always has room.
            if self.text.is_empty() && self.left > 0 {
                let text: String = near(piece, place).chars().take(self.left).collect();
                let _ = writeln!(self.text, "{line}:{text}");
                (self.left, self.last_shown) = (0, line);
                return;
            }
            (self.first_left_out, self.after) = (Some(line), 0);
        }
        self.left_out += u64::from(is_new);
    }

    fn show(&mut self, line: u64, sign: char, text: &str) -> bool {
        let is_shown = self.push(&format!("{line}{sign}{text}\n"));
        if is_shown {
            self.last_shown = line;
        }
        is_shown
    }

    fn push(&mut self, text: &str) -> bool {
        let length = text.chars().count();
        let fits = length <= self.left;
        if fits {
            self.text.push_str(text);
            self.left -= length;
        }
        fits
    }
}

/// What is shown of a line that may be long, near a place in it.
fn near(piece: &[u8], place: usize) -> String {
    let (before, behind) = piece.split_at(place.min(piece.len()));
    let before = String::from_utf8_lossy(before);
    let behind = String::from_utf8_lossy(behind);
    let length = before.chars().count();
    let skipped = match length + behind.chars().count() > LONGEST_SHOWN {
        true => length.saturating_sub(LONGEST_SHOWN / 4),
        false => 0,
    };
    let mut shown = if skipped > 0 { "…".to_owned() } else { String::new() };
    let mut rest = before.chars().chain(behind.chars()).skip(skipped);
    shown.extend(rest.by_ref().take(LONGEST_SHOWN));
    if rest.next().is_some() {
        shown.push('…');
    }
    shown
}

/// How a part of lines is asked for.
fn range(first: u64, last: u64) -> String {
    match last {
        u64::MAX => format!("lines {first}-"),
        _ => format!("lines {first}-{last}"),
    }
}

/// How many characters these bytes are.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&byte| byte & 0xc0 != 0x80).count()
}

/// The bridge's own lines stand on lines of their own.
fn end_line(text: &mut String) {
    if !text.ends_with('\n') {
        text.push('\n');
    }
}
