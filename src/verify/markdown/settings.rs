//! `key: value` lines at the top of a script. Pure.

use std::time::Duration;

use super::{MarkdownError, error};
use crate::{
    screen::Size,
    verify::script::{Settings, Version},
};

/// The keys, with what they take.
const KEYS: &str = "`run`, `directory`, `size`, `timeout`, `needs`, `python` and `rules`";
/// What a terminal may have of rows and columns.
const LARGEST: u16 = 1000;

impl Settings {
    /// Takes the settings of one line.
    pub(super) fn take(&mut self, text: &str, line: usize) -> Result<(), MarkdownError> {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            return Ok(());
        }
        let wrong = |why: String| error(line, format!("`{text}`: {why}"));
        let (key, value) =
            text.split_once(':').ok_or_else(|| wrong("it is no `key: value`".into()))?;
        let value = unquoted(value.trim());
        if value.is_empty() {
            return Err(wrong("there is no value".into()));
        }
        let list = || value.split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>();
        match key.trim() {
            "run" => self.run = Some(value.into()),
            "directory" => self.directory = Some(value.into()),
            "size" => {
                let size = size(value).ok_or_else(|| {
                    wrong("it is columns and rows, `80x24`, 1 to 1000 each".into())
                })?;
                self.size = Some(size);
            }
            "timeout" => self.timeout = Some(duration(value).map_err(wrong)?),
            "needs" => self.needs = list(),
            "python" => {
                let version = value.strip_prefix(">=").and_then(|v| Version::parse(v.trim()));
                let version =
                    version.ok_or_else(|| wrong("it is the least version, \">=3.11\"".into()))?;
                self.python = Some(version);
            }
            "rules" => self.rules = Some(list()),
            _ => return Err(wrong(format!("there are {KEYS}"))),
        }
        Ok(())
    }
}

fn unquoted(value: &str) -> &str {
    let inner = ['"', '\''].iter().find_map(|q| value.strip_prefix(*q)?.strip_suffix(*q));
    inner.unwrap_or(value)
}

fn size(value: &str) -> Option<Size> {
    let is_one = |size: &Size| [size.columns, size.rows].iter().all(|n| (1..=LARGEST).contains(n));
    value.parse().ok().filter(is_one)
}

/// A number of seconds (`s`, also without it) or milliseconds (`ms`), more than none.
pub(super) fn duration(value: &str) -> Result<Duration, String> {
    let (number, unit) = match value.strip_suffix("ms") {
        Some(number) => (number, Duration::from_millis(1)),
        None => (value.strip_suffix('s').unwrap_or(value), Duration::from_secs(1)),
    };
    let number: Option<u32> = number.trim().parse().ok().filter(|n| *n > 0);
    number.map(|n| unit * n).ok_or_else(|| "it is a time, `10s` or `500ms`".into())
}
