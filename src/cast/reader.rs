//! Reads a recording line by line.

use std::{
    io::{BufRead, Read},
    time::Duration,
};

use super::{CastError, Event, Header, Kind};
use crate::screen::Size;

/// Longer than anybody looks at a terminal, in seconds; times are added up without care below it.
const LONGEST: f64 = 1e9;

/// A recording that is read. Events that come after an error are not looked for.
#[derive(Debug)]
pub struct Reader<R> {
    lines: R,
    header: Header,
    /// The number of the line that was read last.
    line: u64,
    buffer: Vec<u8>,
    now: Duration,
    is_over: bool,
}

impl<R: BufRead> Reader<R> {
    /// The longest line that is read, in bytes.
    pub const LONGEST_LINE: usize = 64 << 20;

    /// Reads the header.
    ///
    /// # Errors
    /// When there is none that is known here.
    pub fn new(lines: R) -> Result<Reader<R>, CastError> {
        let size = Size::default();
        let header = Header { size, title: None, has_intervals: true };
        let (buffer, now) = (Vec::new(), Duration::ZERO);
        let mut reader = Reader { lines, header, line: 0, buffer, now, is_over: false };
        let Some(line) = reader.next_line()? else { return Err(CastError::Empty) };
        reader.header = Header::parse(&line)?;
        Ok(reader)
    }

    /// What the recording says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next line that is not empty; bytes that are no UTF-8 become U+FFFD.
    fn next_line(&mut self) -> Result<Option<String>, CastError> {
        self.buffer.clear();
        self.line += 1;
        let most = Self::LONGEST_LINE as u64 + 1;
        let length = self.lines.by_ref().take(most).read_until(b'\n', &mut self.buffer)?;
        if length > Self::LONGEST_LINE {
            return Err(CastError::TooLong { line: self.line });
        }
        Ok((length > 0).then(|| String::from_utf8_lossy(&self.buffer).into_owned()))
    }

    fn next_event(&mut self) -> Result<Option<Event>, CastError> {
        while let Some(line) = self.next_line()? {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                return self.event(line).map(Some);
            }
        }
        Ok(None)
    }

    fn event(&mut self, line: &str) -> Result<Event, CastError> {
        let number = self.line;
        let wrong = |why: String| CastError::NoEvent { line: number, why };
        let (time, code, data): (f64, String, String) =
            serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        if !(0.0..LONGEST).contains(&time) {
            return Err(wrong(format!("{time} is no time")));
        }
        let time = Duration::from_secs_f64(time);
        // Times of version 2 that go back are those of a clock that was set.
        self.now = if self.header.has_intervals { self.now + time } else { self.now.max(time) };
        let code = code.chars().next().ok_or_else(|| wrong("it has no code".into()))?;
        let kind = match code {
            'o' => Kind::Output(data),
            'i' => Kind::Input(data),
            'm' => Kind::Marker(data),
            'r' => Kind::Resize(size(&data).ok_or_else(|| wrong(format!("{data:?} is no size")))?),
            'x' => Kind::Exit(
                data.trim().parse().map_err(|_| wrong(format!("{data:?} is no exit status")))?,
            ),
            code => Kind::Other { code, data },
        };
        Ok(Event { time: self.now, kind })
    }
}

/// `80x24`.
fn size(text: &str) -> Option<Size> {
    let (columns, rows) = text.split_once('x')?;
    Some(Size { columns: columns.parse().ok()?, rows: rows.parse().ok()? })
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
            (event("[1, \"o\", \"cut"), "line 3 is no event: EOF"),
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
