//! Paths as programs take them. What a path really is, the system tells with a prefix (`\\?\`) that switches off
//! what it makes of paths: a program that works in such a place, or finds itself there, is confused by that. Pure.

const BACKSLASH: u16 = b'\\' as u16;

/// The longest path without a prefix, in units, with its end (`MAX_PATH`).
const LONGEST: usize = 260;

/// Names of devices, in whatever directory and with whatever extension.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
/// The same with a digit behind them.
const NUMBERED_DEVICES: [&str; 2] = ["COM", "LPT"];

/// The same path without a prefix; `None` when it has none, or means something else without it.
pub(super) fn plain(path: &[u16]) -> Option<Vec<u16>> {
    let rest = path.strip_prefix(wide(r"\\?\").as_slice())?;
    let unc = wide(r"UNC\");
    let (start, rest) = match rest {
        // A drive and its root.
        [drive, colon, BACKSLASH, rest @ ..] if *colon == u16::from(b':') => {
            let is_letter =
                char::from_u32((*drive).into()).is_some_and(|c| c.is_ascii_alphabetic());
            (is_letter.then(|| vec![*drive, *colon, BACKSLASH])?, rest)
        }
        _ => (wide(r"\\"), rest.strip_prefix(unc.as_slice())?),
    };
    let mut parts = rest.split(|&unit| unit == BACKSLASH).peekable();
    while let Some(part) = parts.next() {
        // A path may end with a separator.
        if !(means_itself(part) || part.is_empty() && parts.peek().is_none()) {
            return None;
        }
    }
    let plain = [start, rest.to_vec()].concat();
    (plain.len() < LONGEST).then_some(plain)
}

/// Whether the system takes a name as it stands.
fn means_itself(name: &[u16]) -> bool {
    let Some(&last) = name.last() else { return false };
    if name.contains(&u16::from(b'/')) || [b'.', b' '].map(u16::from).contains(&last) {
        return false;
    }
    let stem =
        name.split(|&unit| [b'.', b':'].map(u16::from).contains(&unit)).next().unwrap_or(name);
    let stem = String::from_utf16_lossy(stem).trim_end_matches(' ').to_ascii_uppercase();
    let is_numbered = NUMBERED_DEVICES.iter().any(|device| {
        let number = stem.strip_prefix(device).map(|rest| rest.chars().collect::<Vec<_>>());
        // Superscripts count, too.
        matches!(number.as_deref(), Some(['0'..='9' | '¹' | '²' | '³']))
    });
    !DEVICES.contains(&stem.as_str()) && !is_numbered
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(path: &str) -> Option<String> {
        plain(&wide(path)).map(|path| String::from_utf16(&path).unwrap())
    }

    #[test]
    fn a_prefix_is_taken_off_where_nothing_else_is_meant_then() {
        for (path, without) in [
            (r"\\?\C:\", r"C:\"),
            (r"\\?\c:\Users\a b\.venv", r"c:\Users\a b\.venv"),
            (r"\\?\C:\x\", r"C:\x\"),
            (r"\\?\UNC\server\share\x", r"\\server\share\x"),
            (r"\\?\C:\console\com\nulls\com10.txt", r"C:\console\com\nulls\com10.txt"),
        ] {
            assert_eq!(made(path).as_deref(), Some(without));
        }
    }

    #[test]
    fn it_stays_where_the_path_would_be_another() {
        for path in [
            r"C:\x",
            r"\\server\share",
            r"\\?\C:",
            r"\\?\Volume{1}\x",
            r"\\?\C:\a.",
            r"\\?\C:\a \b",
            r"\\?\C:\a\..\b",
            r"\\?\C:\a\\b",
            r"\\?\C:\a/b",
            r"\\?\C:\Aux\x",
            r"\\?\C:\nul.txt",
            r"\\?\C:\com1 .x",
            "\\\\?\\C:\\LPT²",
            r"\\?\é:\x",
            "",
        ] {
            assert_eq!(made(path), None, "{path}");
        }
        let long = format!(r"\\?\C:\{}", "x".repeat(LONGEST - 3));
        assert_eq!(made(&long), None);
        assert!(made(&long[..long.len() - 1]).is_some());
    }
}
