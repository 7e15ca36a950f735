//! Reads a recording line by line.

use std::{
    io::{BufRead, Read},
    time::Duration,
};

use super::{CastError, Event, Header, Kind, LONGEST, Version, time};
use crate::screen::Size;

/// A recording that is read, with no more of it in memory than a line. Events that come after an error
/// are not looked for.
#[derive(Debug)]
pub struct Reader<R> {
    lines: Lines<R>,
    header: Header,
    version: Version,
    now: Duration,
    is_over: bool,
}

/// The lines of a file.
#[derive(Debug)]
struct Lines<R> {
    file: R,
    /// The number of the line that was read last.
    number: u64,
    /// That line; kept for its memory.
    bytes: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// The next line; bytes that are no UTF-8 become U+FFFD.
    fn next(&mut self) -> Result<Option<std::borrow::Cow<'_, str>>, CastError> {
        self.bytes.clear();
        self.number += 1;
        let longest = Reader::<R>::LONGEST_LINE;
        let length =
            self.file.by_ref().take(longest as u64 + 1).read_until(b'\n', &mut self.bytes)?;
        if length > longest {
            return Err(CastError::TooLong { line: self.number });
        }
        Ok((length > 0).then(|| String::from_utf8_lossy(&self.bytes)))
    }
}

impl<R: BufRead> Reader<R> {
    /// The longest line that is read, in bytes.
    pub const LONGEST_LINE: usize = 64 << 20;

    /// Reads the header.
    ///
    /// # Errors
    /// When there is none that is known here.
    pub fn new(file: R) -> Result<Reader<R>, CastError> {
        let mut lines = Lines { file, number: 0, bytes: Vec::new() };
        let line = lines.next()?.ok_or(CastError::Empty)?;
        // Some editors put a byte order mark in front.
        let (header, version) = Header::parse(line.trim_start_matches('\u{feff}'))?;
        drop(line);
        Ok(Reader { lines, header, version, now: Duration::ZERO, is_over: false })
    }

    /// What the recording says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The version of the format.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The number of the line that was read last, from 1.
    pub fn line(&self) -> u64 {
        self.lines.number
    }

    fn next_event(&mut self) -> Result<Option<Event>, CastError> {
        while let Some(line) = self.lines.next()? {
            let text = line.trim();
            if !text.is_empty() && !text.starts_with('#') {
                let event = event(text, self.version, self.now);
                let is_whole = line.ends_with('\n');
                drop(line);
                let line = self.lines.number;
                let event = event.map_err(|why| match why {
                    Why::Cut if !is_whole => CastError::Cut { line },
                    Why::Cut => CastError::NoEvent { line, why: "it has no end".into() },
                    Why::Other(why) => CastError::NoEvent { line, why },
                })?;
                self.now = event.time;
                return Ok(Some(event));
            }
        }
        Ok(None)
    }
}

/// Why a line is no event.
enum Why {
    /// It ends too soon.
    Cut,
    Other(String),
}

/// The event of a line, of which the one before was at this time.
fn event(line: &str, version: Version, before: Duration) -> Result<Event, Why> {
    let parsed = serde_json::from_str(line);
    let (seconds, code, data): (f64, String, String) = parsed
        .map_err(|error| if error.is_eof() { Why::Cut } else { Why::Other(error.to_string()) })?;
    let wrong = |why: String| Why::Other(why);
    let time = time(seconds).ok_or_else(|| wrong(format!("{seconds} is no time")))?;
    let now = match version {
        Version::V3 => before + time,
        // Times that go back are those of a clock that was set.
        Version::V2 => before.max(time),
    };
    if now > LONGEST {
        return Err(wrong("the times before it and its own are too much".into()));
    }
    let code = code.chars().next().ok_or_else(|| wrong("it has no code".into()))?;
    let kind = match code {
        'o' => Kind::Output(data),
        'i' => Kind::Input(data),
        'm' => Kind::Marker(data),
        'r' => {
            let size: Size = data.parse().map_err(|_| wrong(format!("{data:?} is no size")))?;
            size.check().map_err(wrong)?;
            Kind::Resize(size)
        }
        'x' => Kind::Exit(
            data.trim().parse().map_err(|_| wrong(format!("{data:?} is no exit status")))?,
        ),
        code => Kind::Other { code, data },
    };
    Ok(Event { time: now, kind })
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Event, CastError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let event = self.next_event().transpose();
        self.is_over = !matches!(event, Some(Ok(_)));
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V3: &str = r#"{"version": 3, "term": {"cols": 80, "rows": 24}, "more": [1]}"#;

    fn read(text: &str) -> Result<Vec<(u128, Kind)>, CastError> {
        let reader = Reader::new(text.as_bytes())?;
        reader.map(|event| event.map(|event| (event.time.as_millis(), event.kind))).collect()
    }

    #[test]
    fn times_of_version_3_are_intervals() {
        let events =
            "# a comment\n[0.5, \"o\", \"a\"]\n\n[1.25, \"r\", \"100x30\"]\n[0, \"x\", \"130\"]";
        let size = Size { columns: 100, rows: 30 };
        let expected =
            [(500, Kind::Output("a".into())), (1750, Kind::Resize(size)), (1750, Kind::Exit(130))];
        assert_eq!(read(&format!("{V3}\n{events}")).unwrap(), expected);
    }

    #[test]
    fn times_of_version_2_count_from_the_start() {
        let text = "{\"version\":2,\"width\":10,\"height\":5}\n[1,\"i\",\"a\"]\n[1.5,\"m\",\"\"]\n\
                    [1.2,\"zoo\",\"b\"]";
        let other = Kind::Other { code: 'z', data: "b".into() };
        let expected =
            [(1000, Kind::Input("a".into())), (1500, Kind::Marker("".into())), (1500, other)];
        assert_eq!(read(text).unwrap(), expected);
        let reader = Reader::new(text.as_bytes()).unwrap();
        assert_eq!(reader.header().size, Size { columns: 10, rows: 5 });
    }

    #[test]
    fn files_of_other_systems_are_read() {
        let text = format!("\u{feff}{V3}\r\n[1, \"o\", \"a\"]\r\n");
        assert_eq!(read(&text).unwrap(), [(1000, Kind::Output("a".into()))]);
    }

    #[test]
    fn what_is_optional_and_not_understood_counts_as_not_said() {
        let text = r##"{"version":3,"term":{"cols":9,"rows":9,"type":5,"theme":{"fg":"red"}},"title":null,
            "timestamp":1.5e9,"env":{"A":"b","C":null},"tags":"x","idle_time_limit":-1,"command":[]}"##;
        let text = text.replace('\n', " ");
        let header = Reader::new(text.as_bytes()).unwrap().header().clone();
        let known = Header {
            size: Size { columns: 9, rows: 9 },
            timestamp: Some(1_500_000_000),
            env: [("A".to_owned(), "b".to_owned())].into(),
            ..Header::default()
        };
        assert_eq!(header, known);
    }

    #[test]
    fn what_is_no_recording_is_told_with_its_line() {
        let event = |line: &str| format!("{V3}\n\n{line}");
        for (text, told) in [
            (String::new(), "it is empty"),
            ("[]".into(), "line 1 is no header"),
            ("{\"version\": 3}".into(), "line 1 is no header of an asciicast file: missing field"),
            ("{\"version\": 1, \"stdout\": []}".into(), "it is of version 1"),
            ("{\"version\": 9}".into(), "it is of version 9"),
            (event("[1]"), "line 3 is no event: invalid length 1"),
            (event("[1, \"o\", 5]"), "line 3 is no event: invalid type"),
            (event("[-1, \"o\", \"\"]"), "line 3 is no event: -1 is no time"),
            (event("[1e300, \"o\", \"\"]"), "line 3 is no event: 1"),
            (event("[1, \"\", \"\"]"), "line 3 is no event: it has no code"),
            (event("[1, \"r\", \"99999x1\"]"), "line 3 is no event: \"99999x1\" is no size"),
            (event("[1, \"x\", \"SIGHUP\"]"), "line 3 is no event: \"SIGHUP\" is no exit status"),
            (event("[1, \"o\", \"cut"), "line 3 is cut off: the recording ends"),
            (event("[1, \"o\", \"cut\n"), "line 3 is no event: it has no end"),
            (event("[1, \"o\"\n"), "line 3 is no event: it has no end"),
            (event("[NaN, \"o\", \"\"]"), "line 3 is no event: expected value"),
            (event("[1e999, \"o\", \"\"]"), "line 3 is no event: number out of range"),
            (event("[1, \"r\", \"65535x65535\"]"), "line 3 is no event: 65535x65535 is larger"),
            (event("[1, \"r\", \"0x24\"]"), "line 3 is no event: a terminal of 0x24 shows nothing"),
            (event("[9e8, \"o\", \"\"]\n[9e8, \"o\", \"\"]"), "line 4 is no event: the times"),
            (
                "{\"version\":2,\"width\":65535,\"height\":65535}".into(),
                "line 1 is no header of an asciicast file: 65535x65535",
            ),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.starts_with(told), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_not_kept() {
        let endless = std::io::BufReader::new(std::io::repeat(b'['));
        let error = Reader::new(endless).unwrap_err().to_string();
        assert_eq!(error, "line 1 is longer than 64 MiB");
    }
}
