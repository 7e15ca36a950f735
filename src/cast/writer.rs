//! Writes a recording line by line, as it happens.

use std::{io, time::Duration};

use super::{Event, Header, Kind, LONGEST, Version};

/// A recording that is written. Each line goes out in one piece: where the writer is killed, all lines
/// before are whole.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    version: Version,
    /// The time of the last event, in microseconds since the start, as it was written.
    last: u64,
    /// The line at hand; kept for its memory.
    line: Vec<u8>,
}

impl<W: io::Write> Writer<W> {
    /// Begins one of version 3.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn v3(out: W, header: &Header) -> io::Result<Self> {
        Writer::new(out, header, Version::V3)
    }

    /// Begins one of version 2, for readers that know no other. It has no place for how the program
    /// ended, for what only its writer knows, and for comments: those are left out.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn v2(out: W, header: &Header) -> io::Result<Self> {
        Writer::new(out, header, Version::V2)
    }

    /// Begins one of this version.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn new(out: W, header: &Header, version: Version) -> io::Result<Self> {
        let mut writer = Writer { out, version, last: 0, line: Vec::new() };
        writer.line.extend(header.to_line(version)?.into_bytes());
        writer.end_line()?;
        Ok(writer)
    }

    /// Writes an event. Its time is cut to microseconds; one that is before the last one's is that.
    /// A size that no screen can have becomes the nearest one that it can.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        let mut letter = [0; 4];
        let (code, data) = match &event.kind {
            Kind::Output(text) => ("o", text.as_str().into()),
            Kind::Input(text) => ("i", text.as_str().into()),
            Kind::Marker(name) => ("m", name.as_str().into()),
            Kind::Resize(size) => {
                let size = size.nearest();
                ("r", size.to_string().into())
            }
            Kind::Exit(_) | Kind::Other { .. } if self.version == Version::V2 => return Ok(()),
            Kind::Exit(status) => ("x", std::borrow::Cow::from(status.to_string())),
            Kind::Other { code, data } => (&*code.encode_utf8(&mut letter), data.as_str().into()),
        };
        let now = micros(event.time).max(self.last);
        let shown = match self.version {
            Version::V3 => now - self.last,
            Version::V2 => now,
        };
        self.last = now;
        let (seconds, micros) = (shown / 1_000_000, shown % 1_000_000);
        io::Write::write_fmt(&mut self.line, format_args!("[{seconds}.{micros:06}, "))?;
        serde_json::to_writer(&mut self.line, code)?;
        self.line.extend(b", ");
        serde_json::to_writer(&mut self.line, &data)?;
        self.line.push(b']');
        self.end_line()
    }

    /// Writes what is for people who read the file, and for no program.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn comment(&mut self, text: &str) -> io::Result<()> {
        if self.version == Version::V2 {
            return Ok(());
        }
        for line in text.lines() {
            self.line.extend(b"# ");
            self.line.extend(line.as_bytes());
            self.line.push(b'\n');
        }
        self.line.pop();
        if self.line.is_empty() { Ok(()) } else { self.end_line() }
    }

    /// Hands on what is kept below the writer.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// What it is written to.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// What it was written to.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.line.push(b'\n');
        let written = self.out.write_all(&self.line);
        self.line.clear();
        written
    }
}

/// A time in microseconds, no longer than a reader takes.
fn micros(time: Duration) -> u64 {
    u64::try_from(time.min(LONGEST).as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        cast::{Reader, Theme},
        screen::Size,
    };

    fn written(events: &[Event], version: Version) -> String {
        let mut writer = Writer::new(Vec::new(), &Header::default(), version).unwrap();
        events.iter().for_each(|event| writer.event(event).unwrap());
        let written = String::from_utf8(writer.into_inner()).unwrap();
        let (header, events) = written.split_once('\n').unwrap();
        let size = match version {
            Version::V2 => r#"{"version":2,"width":120,"height":40}"#,
            Version::V3 => r#"{"version":3,"term":{"cols":120,"rows":40}}"#,
        };
        assert_eq!(header, size);
        events.to_owned()
    }

    fn event(nanos: u64, kind: Kind) -> Event {
        Event { time: Duration::from_nanos(nanos), kind }
    }

    #[test]
    fn intervals_do_not_drift_and_no_event_goes_back() {
        let output = |text: &str| Kind::Output(text.into());
        let events = [
            event(900, output("a")),
            event(1_800, output("b")),
            event(2_700, output("\u{1b}[m\"")),
            event(61_000_002_000, Kind::Marker("é".into())),
            event(3_000, Kind::Input("\r".into())),
            event(61_000_002_999, Kind::Resize(Size { columns: 80, rows: 24 })),
            event(61_000_003_000, Kind::Exit(-1)),
            event(u64::MAX, Kind::Other { code: 'p', data: "{}".into() }),
        ];
        assert_eq!(
            written(&events, Version::V3),
            "[0.000000, \"o\", \"a\"]\n[0.000001, \"o\", \"b\"]\n\
             [0.000001, \"o\", \"\\u001b[m\\\"\"]\n[61.000000, \"m\", \"é\"]\n\
             [0.000000, \"i\", \"\\r\"]\n[0.000000, \"r\", \"80x24\"]\n[0.000001, \"x\", \"-1\"]\n\
             [999999938.999997, \"p\", \"{}\"]\n"
        );
        assert_eq!(
            written(&events[1..], Version::V2),
            "[0.000001, \"o\", \"b\"]\n[0.000002, \"o\", \"\\u001b[m\\\"\"]\n\
             [61.000002, \"m\", \"é\"]\n[61.000002, \"i\", \"\\r\"]\n[61.000002, \"r\", \"80x24\"]\n"
        );
    }

    #[test]
    fn comments_are_for_people() {
        let mut writer = Writer::v3(Vec::new(), &Header::default()).unwrap();
        writer.comment("one\ntwo").unwrap();
        writer.comment("").unwrap();
        writer.event(&event(0, Kind::Output("a".into()))).unwrap();
        let written = writer.into_inner();
        let text = String::from_utf8_lossy(&written);
        assert!(text.contains("\n# one\n# two\n[0.000000"), "{text}");
        assert_eq!(Reader::new(&*written).unwrap().count(), 1);
        let mut writer = Writer::v2(Vec::new(), &Header::default()).unwrap();
        writer.comment("one").unwrap();
        assert_eq!(writer.into_inner().iter().filter(|byte| **byte == b'\n').count(), 1);
    }

    #[test]
    fn a_size_that_no_screen_has_becomes_one_that_it_has() {
        let size = Size { columns: 65535, rows: 0 };
        let mut writer = Writer::v3(Vec::new(), &Header { size, ..Header::default() }).unwrap();
        writer.event(&event(0, Kind::Resize(size))).unwrap();
        let written = writer.into_inner();
        let reader = Reader::new(&*written).unwrap();
        assert_eq!(reader.header().size, Size { columns: 2048, rows: 1 });
        assert!(
            reader
                .map(Result::unwrap)
                .all(|event| event.kind == Kind::Resize(Size { columns: 2048, rows: 1 }))
        );
    }

    fn text() -> impl Strategy<Value = String> {
        // Control characters are rare among all that there are.
        let c = prop_oneof![any::<char>(), prop::char::range('\0', '\u{a0}')];
        prop::collection::vec(c, 0..12).prop_map(String::from_iter)
    }

    fn kind() -> impl Strategy<Value = Kind> {
        let size = (1u16..=2048, 1u16..=1024);
        prop_oneof![
            text().prop_map(Kind::Output),
            text().prop_map(Kind::Input),
            text().prop_map(Kind::Marker),
            size.prop_map(|(columns, rows)| Kind::Resize(Size { columns, rows })),
            any::<i32>().prop_map(Kind::Exit),
            (any::<char>(), text())
                .prop_filter("it has a meaning", |(code, _)| !"oimrx".contains(*code))
                .prop_map(|(code, data)| Kind::Other { code, data }),
        ]
    }

    /// Kinds of events, each with the microseconds since the one before.
    fn events() -> impl Strategy<Value = Vec<Event>> {
        let interval = prop_oneof![0u64..20, 0u64..100_000_000_000_000];
        prop::collection::vec((interval, kind()), 0..9).prop_map(|events| {
            let mut now = 0;
            let absolute = |(interval, kind)| {
                now += interval;
                Event { time: Duration::from_micros(now), kind }
            };
            events.into_iter().map(absolute).collect()
        })
    }

    fn theme() -> impl Strategy<Value = Theme> {
        any::<[[u8; 3]; 18]>().prop_map(|[foreground, background, palette @ ..]| Theme {
            foreground,
            background,
            palette,
        })
    }

    fn header() -> impl Strategy<Value = Header> {
        let maybe = || prop::option::of(text());
        let env = prop::collection::btree_map(text(), text(), 0..3);
        let value = prop_oneof![
            Just(Value::Null),
            text().prop_map(|text| json!({ text.clone(): [text, 1, -2.5, null] }))
        ];
        (
            ((1u16..=2048, 1u16..=1024), maybe(), maybe(), prop::option::of(theme())),
            (any::<Option<u64>>(), prop::option::of(0u64..1_000_000_000_000), maybe(), maybe()),
            (env, prop::collection::vec(text(), 0..3), prop::option::of(value)),
        )
            .prop_map(
                |(
                    ((columns, rows), terminal, terminal_version, theme),
                    (timestamp, idle, command, title),
                    (env, tags, mcp_repl),
                )| Header {
                    size: Size { columns, rows },
                    terminal,
                    terminal_version,
                    theme,
                    timestamp,
                    idle_time_limit: idle.map(Duration::from_micros),
                    command,
                    title,
                    env,
                    tags,
                    // What is null is not there.
                    mcp_repl: mcp_repl.filter(|value| !value.is_null()),
                },
            )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(header in header(), events in events()) {
            let mut writer = Writer::v3(Vec::new(), &header).unwrap();
            events.iter().for_each(|event| writer.event(event).unwrap());
            let written = writer.into_inner();
            let reader = Reader::new(&*written).unwrap();
            prop_assert_eq!(reader.version(), Version::V3);
            prop_assert_eq!(reader.header(), &header);
            prop_assert_eq!(reader.map(Result::unwrap).collect::<Vec<_>>(), events);
        }

        #[test]
        fn version_2_has_what_players_show(header in header(), events in events()) {
            let mut writer = Writer::v2(Vec::new(), &header).unwrap();
            events.iter().for_each(|event| writer.event(event).unwrap());
            let written = writer.into_inner();
            let reader = Reader::new(&*written).unwrap();
            prop_assert_eq!(reader.version(), Version::V2);
            let mut env: BTreeMap<_, _> = header.env.clone();
            env.extend(header.terminal.clone().map(|terminal| ("TERM".into(), terminal)));
            let terminal = env.get("TERM").cloned();
            let (terminal_version, tags, mcp_repl) = Default::default();
            let known = Header { terminal, terminal_version, env, tags, mcp_repl, ..header };
            prop_assert_eq!(reader.header(), &known);
            let shown = events.into_iter().filter(|event| {
                !matches!(event.kind, Kind::Exit(_) | Kind::Other { .. })
            });
            prop_assert_eq!(
                reader.map(Result::unwrap).collect::<Vec<_>>(), shown.collect::<Vec<_>>()
            );
        }
    }
}
