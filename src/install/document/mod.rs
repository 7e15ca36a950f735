//! Clients' configurations as texts: read, and changed without touching what is not meant. Pure.

mod json;
mod toml_text;
mod yaml;

use serde::Deserialize;
use serde_json::Value;

/// How a configuration is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON, in which comments and trailing commas may stand.
    Json,
    /// TOML.
    Toml,
    /// YAML, one document.
    Yaml,
}

/// Why a configuration can't be read or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is none of its format.
    #[error("line {line}: {what}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// What the parser says.
        what: String,
    },
    /// It is more than was meant to be read.
    #[error("{what}")]
    Unusual {
        /// What it is.
        what: String,
    },
}

impl DocumentError {
    fn at(text: &str, offset: usize, what: impl ToString) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        // The rest of a parser's message is the line itself, and a caret.
        let what = what.to_string().lines().next().unwrap_or_default().to_owned();
        Self::Syntax { line, what }
    }
}

const BOM: char = '\u{feff}';

/// What a text says. A blank one says nothing: an empty table.
///
/// # Errors
/// When it is broken, or its top level is no table.
pub(super) fn parse(format: Format, text: &str) -> Result<Value, DocumentError> {
    let text = text.strip_prefix(BOM).unwrap_or(text);
    let value = match format {
        Format::Json => json::parse(text),
        Format::Toml => toml_text::parse(text),
        Format::Yaml => yaml::parse(text),
    }?;
    match value {
        Value::Null => Ok(Value::Object(serde_json::Map::new())),
        Value::Object(_) => Ok(value),
        _ => Err(DocumentError::Unusual { what: "its top level is no table of keys".into() }),
    }
}

/// What stands at a path of keys.
pub(super) fn at<'a>(document: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(document, |value, key| value.get(key))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_format_is_read() {
        let read = |format, text: &str| parse(format, text).unwrap();
        let expected = json!({"a": {"b": [1, "x", true]}});
        assert_eq!(read(Format::Json, "{ // c\n \"a\": {\"b\": [1, \"x\", true,]}, }"), expected);
        assert_eq!(read(Format::Toml, "# c\n[a]\nb = [1, \"x\", true]\n"), expected);
        assert_eq!(read(Format::Yaml, "# c\na:\n  b:\n  - 1\n  - 'x'\n  - true\n"), expected);
        for format in [Format::Json, Format::Toml, Format::Yaml] {
            for blank in ["", "\n", " \r\n", "\u{feff}", "\u{feff}\n"] {
                assert_eq!(read(format, blank), json!({}), "{format:?} {blank:?}");
            }
        }
        assert_eq!(read(Format::Yaml, "# nothing\n---\n"), json!({}));
        assert_eq!(read(Format::Json, "// nothing\n"), json!({}));
    }

    #[test]
    fn what_is_broken_is_told_with_its_line() {
        let line = |format, text: &str| match parse(format, text) {
            Err(DocumentError::Syntax { line, what }) => {
                assert!(!what.is_empty() && !what.contains('\n'), "{what:?}");
                line
            }
            other => panic!("{text:?}: {other:?}"),
        };
        assert_eq!(line(Format::Json, "{\n  \"a\": 1\n  \"b\": 2\n}"), 2);
        assert_eq!(line(Format::Json, "{\n  \"a\": 1,\n  b: 2\n}"), 3);
        assert_eq!(line(Format::Json, "{} {}"), 1);
        assert_eq!(line(Format::Toml, "a = 1\nb = \n"), 2);
        assert_eq!(line(Format::Toml, "a = 1\n\na = 2\n"), 3);
        assert_eq!(line(Format::Yaml, "a: 1\nb: [\n"), 3);
        assert_eq!(line(Format::Yaml, "a: 1\na: 2\n"), 2);
        for format in [Format::Json, Format::Toml, Format::Yaml] {
            let deep = format!(
                "{}{}",
                if format == Format::Toml { "a = " } else { "" },
                "[".repeat(100_000)
            );
            assert!(parse(format, &deep).is_err());
        }
        assert!(parse(Format::Yaml, &"- ".repeat(100_000)).is_err());
    }

    #[test]
    fn what_has_no_keys_is_refused() {
        for (format, text) in [
            (Format::Json, "[1]"),
            (Format::Json, "\"x\""),
            (Format::Yaml, "- a\n"),
            (Format::Yaml, "text\n"),
            (Format::Yaml, "a: 1\n---\nb: 2\n"),
        ] {
            let error = parse(format, text).unwrap_err();
            assert!(matches!(error, DocumentError::Unusual { .. }), "{text:?}: {error}");
        }
    }
}
