//! Whatever stands in a file, reading it as a recording is sound: events or an error with its line, and
//! what is made of the events is a picture. What was read is written so that it is read again.
//!
//! `cargo +nightly fuzz run cast`; `.ci/run` does the same with the stable compiler.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_repl::{
    cast::{CastError, Event, Header, Kind, Reader, Version, Writer},
    screen::{Film, Screen, Size},
};

/// The largest page that is drawn here: larger ones only take time.
const LARGEST: u16 = 60;

/// What is read up to the first error, and that.
fn read(file: &[u8]) -> Result<(Reader<&[u8]>, Vec<Event>, Option<CastError>), CastError> {
    let mut reader = Reader::new(file)?;
    let mut events = Vec::new();
    for event in &mut reader {
        match event {
            Ok(event) => events.push(event),
            Err(error) => return Ok((reader, events, Some(error))),
        }
    }
    Ok((reader, events, None))
}

fn clamped(size: Size) -> Size {
    Size { columns: size.columns.min(LARGEST), rows: size.rows.min(LARGEST) }
}

fuzz_target!(|file: &[u8]| {
    let (reader, events, error) = match read(file) {
        Ok(read) => read,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    if let Some(error) = error {
        assert!(error.to_string().contains(&format!("line {}", reader.line())), "{error}");
    }
    assert!(events.windows(2).all(|two| two[0].time <= two[1].time));

    // It is shown.
    let mut screen = Screen::new(clamped(reader.header().size));
    let mut film = Film::default();
    for event in &events {
        film.changes(event.time, &screen);
        match &event.kind {
            Kind::Output(text) => screen.feed(text.as_bytes()),
            Kind::Resize(size) => screen.resize(clamped(*size)),
            _ => {}
        }
        screen.drain(&mut |_| {});
    }
    screen.verify();
    let end = events.last().map(|event| event.time).unwrap_or_default();
    for picture in [screen.svg(), film.finish(end, &screen)] {
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
    }

    // It is written and read again.
    for version in [Version::V2, Version::V3] {
        let mut writer = Writer::new(Vec::new(), reader.header(), version).unwrap();
        events.iter().for_each(|event| writer.event(event).unwrap());
        let written = writer.into_inner();
        let (again, read_again, error) = read(&written).unwrap();
        assert!(error.is_none(), "{error:?}");
        assert_eq!(again.header().size, reader.header().size);
        let has = |event: &&Event| {
            version == Version::V3 || !matches!(event.kind, Kind::Exit(_) | Kind::Other { .. })
        };
        assert_eq!(read_again, events.iter().filter(has).cloned().collect::<Vec<_>>());
        // Fractions come back in their last digit but one.
        let header = |reader: &Reader<&[u8]>| Header { mcp_repl: None, ..reader.header().clone() };
        assert!(version == Version::V2 || header(&again) == header(&reader));
    }
});
