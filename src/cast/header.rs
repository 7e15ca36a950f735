//! The first line of a recording.

use serde::Deserialize;

use super::CastError;
use crate::screen::Size;

/// What a recording says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The size that the terminal had at the start.
    pub size: Size,
    /// What it is called.
    pub title: Option<String>,
    /// Whether events have the time since the one before, as version 3 has it.
    pub(super) has_intervals: bool,
}

#[derive(Deserialize)]
struct Version {
    version: u64,
}

#[derive(Deserialize)]
struct Version2 {
    width: u16,
    height: u16,
    title: Option<String>,
}

#[derive(Deserialize)]
struct Version3 {
    term: Terminal,
    title: Option<String>,
}

#[derive(Deserialize)]
struct Terminal {
    cols: u16,
    rows: u16,
}

impl Header {
    pub(super) fn parse(line: &str) -> Result<Header, CastError> {
        let no_header = |error: serde_json::Error| CastError::NoHeader(error.to_string());
        let Version { version } = serde_json::from_str(line).map_err(no_header)?;
        match version {
            2 => {
                let Version2 { width, height, title } =
                    serde_json::from_str(line).map_err(no_header)?;
                let size = Size { columns: width, rows: height };
                Ok(Header { size, title, has_intervals: false })
            }
            3 => {
                let Version3 { term, title } = serde_json::from_str(line).map_err(no_header)?;
                let size = Size { columns: term.cols, rows: term.rows };
                Ok(Header { size, title, has_intervals: true })
            }
            other => Err(CastError::Version(other)),
        }
    }
}
