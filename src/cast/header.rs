//! The first line of a recording.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::{Number, Value};

use super::{CastError, Theme, Version, time};
use crate::screen::Size;

/// What a recording says of itself. What is optional and can't be understood counts as not said, as
/// players have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The size that the terminal had at the start.
    pub size: Size,
    /// The type of the terminal, as `TERM` has it.
    pub terminal: Option<String>,
    /// What the terminal says of its version (XTVERSION). Version 2 has no place for it.
    pub terminal_version: Option<String>,
    /// The colours of the terminal.
    pub theme: Option<Theme>,
    /// When it was made, in seconds since 1970.
    pub timestamp: Option<u64>,
    /// Where nothing happens for longer, a player is to wait for that only.
    pub idle_time_limit: Option<Duration>,
    /// The command that was recorded.
    pub command: Option<String>,
    /// What it is called.
    pub title: Option<String>,
    /// Variables of the command's environment.
    pub env: BTreeMap<String, String>,
    /// What it is about. Version 2 has no place for it.
    pub tags: Vec<String>,
    /// What only this project's recordings have, under the key `mcp_repl`, which players ignore.
    /// Version 2 has no place for it.
    pub mcp_repl: Option<Value>,
}

/// What says which of the other two it is.
#[derive(Deserialize)]
struct Numbered {
    version: u64,
}

/// <https://docs.asciinema.org/manual/asciicast/v3/>.
#[derive(Deserialize, Serialize)]
struct Version3 {
    #[serde(default)]
    version: u64,
    term: Terminal,
    #[serde(flatten)]
    more: More,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_understood")]
    tags: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mcp_repl: Option<Value>,
}

#[derive(Deserialize, Serialize)]
struct Terminal {
    cols: u16,
    rows: u16,
    #[serde(
        rename = "type",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "if_understood"
    )]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_understood")]
    version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_understood")]
    theme: Option<Theme>,
}

/// <https://docs.asciinema.org/manual/asciicast/v2/>.
#[derive(Deserialize, Serialize)]
struct Version2 {
    #[serde(default)]
    version: u64,
    width: u16,
    height: u16,
    #[serde(flatten)]
    more: More,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_understood")]
    theme: Option<Theme>,
}

/// What both versions have.
#[derive(Deserialize, Serialize)]
struct More {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_understood")]
    timestamp: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_understood")]
    idle_time_limit: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_understood")]
    command: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_understood")]
    title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_understood")]
    env: Option<BTreeMap<String, Value>>,
}

/// A value, or nothing where it is of another kind.
fn if_understood<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// The variable of the environment that has the terminal's type, which version 2 has no other place for.
const TERM: &str = "TERM";

impl Header {
    pub(super) fn parse(line: &str) -> Result<(Header, Version), CastError> {
        let no_header = |error: serde_json::Error| CastError::NoHeader(error.to_string());
        let Numbered { version } = serde_json::from_str(line).map_err(no_header)?;
        let (header, version) = match version {
            2 => {
                let header: Version2 = serde_json::from_str(line).map_err(no_header)?;
                (header.into(), Version::V2)
            }
            3 => {
                let header: Version3 = serde_json::from_str(line).map_err(no_header)?;
                (Header::from(header), Version::V3)
            }
            other => return Err(CastError::Version(other)),
        };
        header.size.check().map_err(CastError::NoHeader)?;
        Ok((header, version))
    }

    /// The line, without its end.
    pub(super) fn to_line(&self, version: Version) -> serde_json::Result<String> {
        let size = self.size.nearest();
        let mut env = self.env.clone();
        match version {
            Version::V3 => serde_json::to_string(&Version3 {
                version: 3,
                term: Terminal {
                    cols: size.columns,
                    rows: size.rows,
                    name: self.terminal.clone(),
                    version: self.terminal_version.clone(),
                    theme: self.theme.clone(),
                },
                more: self.more(env),
                tags: (!self.tags.is_empty()).then(|| self.tags.clone()),
                mcp_repl: self.mcp_repl.clone(),
            }),
            Version::V2 => {
                if let Some(terminal) = &self.terminal {
                    env.insert(TERM.into(), terminal.clone());
                }
                serde_json::to_string(&Version2 {
                    version: 2,
                    width: size.columns,
                    height: size.rows,
                    more: self.more(env),
                    theme: self.theme.clone(),
                })
            }
        }
    }

    fn more(&self, env: BTreeMap<String, String>) -> More {
        let env: BTreeMap<_, _> = env.into_iter().map(|(k, v)| (k, Value::String(v))).collect();
        More {
            timestamp: self.timestamp.map(Number::from),
            idle_time_limit: self.idle_time_limit.map(|limit| limit.as_secs_f64()),
            command: self.command.clone(),
            title: self.title.clone(),
            env: (!env.is_empty()).then_some(env),
        }
    }
}

impl From<Version3> for Header {
    fn from(header: Version3) -> Header {
        let Version3 { term, more, tags, mcp_repl, .. } = header;
        Header {
            size: Size { columns: term.cols, rows: term.rows },
            terminal: term.name,
            terminal_version: term.version,
            theme: term.theme,
            tags: tags.unwrap_or_default(),
            mcp_repl,
            ..more.into()
        }
    }
}

impl From<Version2> for Header {
    fn from(header: Version2) -> Header {
        let Version2 { width, height, more, theme, .. } = header;
        let header: Header = more.into();
        Header {
            size: Size { columns: width, rows: height },
            terminal: header.env.get(TERM).cloned(),
            theme,
            ..header
        }
    }
}

impl From<More> for Header {
    fn from(more: More) -> Header {
        let text = |(name, value)| match value {
            Value::String(value) => Some((name, value)),
            _ => None,
        };
        // Some writers have a fraction of a second.
        let whole = |number: Number| number.as_u64().or_else(|| Some(number.as_f64()? as u64));
        Header {
            timestamp: more.timestamp.and_then(whole),
            idle_time_limit: more.idle_time_limit.and_then(time),
            command: more.command,
            title: more.title,
            env: more.env.unwrap_or_default().into_iter().filter_map(text).collect(),
            ..Header::default()
        }
    }
}

impl Size {
    /// Whether a screen can have it; what is wrong with it otherwise.
    pub(super) fn check(self) -> Result<(), String> {
        let Size { columns, rows } = self;
        let Size { columns: most_columns, rows: most_rows } = Size::LARGEST;
        match (columns, rows) {
            (0, _) | (_, 0) => Err(format!("a terminal of {columns}x{rows} shows nothing")),
            _ if self == self.nearest() => Ok(()),
            _ => Err(format!(
                "{columns}x{rows} is larger than {most_columns}x{most_rows}, the most that can be \
                 shown"
            )),
        }
    }

    /// The nearest that a screen can have.
    pub(super) fn nearest(self) -> Size {
        Size {
            columns: self.columns.clamp(1, Size::LARGEST.columns),
            rows: self.rows.clamp(1, Size::LARGEST.rows),
        }
    }
}
