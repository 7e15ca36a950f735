//! The colours of a recorded terminal.

use serde::{Deserialize, Serialize};

/// The colours of a terminal, each red, green and blue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Theme {
    /// That of text.
    pub foreground: [u8; 3],
    /// That of the page.
    pub background: [u8; 3],
    /// Black to white, then the bright ones.
    pub palette: [[u8; 3]; 16],
}

/// As a file has it.
#[derive(Deserialize, Serialize)]
struct Written {
    fg: String,
    bg: String,
    palette: String,
}

/// It is no theme.
#[derive(Debug, thiserror::Error)]
#[error("it is no theme: colours are written as `#rrggbb`, and a palette has 8 or 16 of them")]
struct NoTheme;

impl TryFrom<Written> for Theme {
    type Error = NoTheme;

    fn try_from(written: Written) -> Result<Theme, NoTheme> {
        let colors: Option<Vec<_>> = written.palette.split(':').map(color).collect();
        let mut colors = colors.ok_or(NoTheme)?;
        if colors.len() == 8 {
            colors.extend_from_within(..);
        }
        Ok(Theme {
            foreground: color(&written.fg).ok_or(NoTheme)?,
            background: color(&written.bg).ok_or(NoTheme)?,
            palette: colors.try_into().map_err(|_| NoTheme)?,
        })
    }
}

impl From<Theme> for Written {
    fn from(theme: Theme) -> Written {
        Written {
            fg: hex(theme.foreground),
            bg: hex(theme.background),
            palette: theme.palette.map(hex).join(":"),
        }
    }
}

/// `#rrggbb`.
fn color(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let number = u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
    let [_, color @ ..] = number.to_be_bytes();
    Some(color)
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}
