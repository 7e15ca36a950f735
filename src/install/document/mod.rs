//! Clients' configurations as texts: read, and changed without touching what is not meant. Pure.

mod json;
mod toml_text;
mod yaml;
mod yaml_edit;

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

/// One change of a document. Keys on the way that are not there are made, and one that has no value
/// (`null`) counts as an empty table or list.
#[derive(Debug, Clone, Copy)]
pub(super) enum Edit<'a> {
    /// The key at the end of the path gets this value, whatever it had.
    Set {
        /// The keys that lead to it.
        path: &'a [String],
        /// The value.
        value: &'a toml::Value,
    },
    /// The key at the end of the path goes.
    Remove {
        /// The keys that lead to it.
        path: &'a [String],
    },
    /// The list at the end of the path gets one more item.
    Push {
        /// The keys that lead to it.
        path: &'a [String],
        /// The item.
        item: &'a toml::Value,
    },
    /// The list at the end of the path loses an item.
    Take {
        /// The keys that lead to it.
        path: &'a [String],
        /// Which item, from 0.
        index: usize,
    },
}

impl Edit<'_> {
    fn path(&self) -> &[String] {
        match self {
            Edit::Set { path, .. }
            | Edit::Remove { path }
            | Edit::Push { path, .. }
            | Edit::Take { path, .. } => path,
        }
    }

    /// What a document says when the change is made.
    fn apply(&self, mut document: Value) -> Result<Value, DocumentError> {
        let path = self.path();
        let wrong = |depth: usize, what: &str| DocumentError::Unusual {
            what: format!("`{}` in it is no {what}", path[..depth].join(".")),
        };
        let parents = path.len() - 1;
        let mut place = &mut document;
        for (depth, key) in path[..parents].iter().enumerate() {
            place = member(place, key).ok_or_else(|| wrong(depth, "table"))?;
        }
        match self {
            Edit::Set { value, .. } => {
                *member(place, &path[parents]).ok_or_else(|| wrong(parents, "table"))? =
                    json(value);
            }
            Edit::Remove { .. } => {
                let table = place.as_object_mut().ok_or_else(|| wrong(parents, "table"))?;
                table.remove(&path[parents]);
            }
            Edit::Push { .. } | Edit::Take { .. } => {
                let list = member(place, &path[parents]).ok_or_else(|| wrong(parents, "table"))?;
                if list.is_null() {
                    *list = Value::Array(Vec::new());
                }
                let items = list.as_array_mut().ok_or_else(|| wrong(path.len(), "list"))?;
                match self {
                    Edit::Take { index, .. } if *index < items.len() => drop(items.remove(*index)),
                    Edit::Push { item, .. } => items.push(json(item)),
                    _ => {}
                }
            }
        }
        Ok(document)
    }
}

/// A member of a table, made if it is not there. `None` if it is none of a table.
fn member<'a>(table: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    if table.is_null() {
        *table = Value::Object(serde_json::Map::new());
    }
    Some(table.as_object_mut()?.entry(key).or_insert(Value::Null))
}

/// The same value as `parse` gives it.
pub(super) fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(is) => (*is).into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(items) => Value::Array(items.iter().map(json).collect()),
        toml::Value::Table(table) => {
            Value::Object(table.iter().map(|(key, value)| (key.clone(), json(value))).collect())
        }
    }
}

/// The text with one thing changed, and everything else as it stands: comments, order, indentation,
/// line ends, a byte order mark.
///
/// What comes out is read again, and says exactly what it has to, or there is an error.
///
/// # Errors
/// When the text is broken, or its form is one that can't be changed without changing more.
pub(super) fn edit(format: Format, text: &str, edit: Edit<'_>) -> Result<String, DocumentError> {
    let before = parse(format, text)?;
    let expected = edit.apply(before.clone())?;
    if expected == before {
        return Ok(text.to_owned());
    }
    let (mark, rest) = match text.strip_prefix(BOM) {
        Some(rest) => ("\u{feff}", rest),
        None => ("", text),
    };
    // Where all lines end alike, new ones end so, too.
    let is_crlf =
        rest.contains("\r\n") && rest.matches('\n').count() == rest.matches("\r\n").count();
    let plain = if is_crlf { rest.replace("\r\n", "\n") } else { rest.to_owned() };
    let candidates = match format {
        Format::Json => json::edit(&plain, edit)?,
        Format::Toml => toml_text::edit(&plain, edit)?,
        Format::Yaml => yaml_edit::edit(&plain, edit)?,
    };
    // A table that only the names of others told of goes with the last of them.
    let emptied =
        matches!(edit, Edit::Remove { .. }).then(|| without_empty(&expected, edit.path()));
    let says_it = |text: &String| {
        let value = parse(format, text).ok();
        value.is_some() && (value.as_ref() == Some(&expected) || value == emptied)
    };
    let changed = candidates.into_iter().find(says_it).ok_or_else(|| DocumentError::Unusual {
        what: format!(
            "`{}` in it stands in a form that is not changed automatically",
            edit.path().join(".")
        ),
    })?;
    Ok(mark.to_owned() + &if is_crlf { changed.replace('\n', "\r\n") } else { changed })
}

/// A document without the tables that are empty, from the end of a path up.
fn without_empty(document: &Value, path: &[String]) -> Value {
    let mut document = document.clone();
    for depth in (1..path.len()).rev() {
        let outer =
            path[..depth - 1].iter().try_fold(&mut document, |value, key| value.get_mut(key));
        let Some(outer) = outer.and_then(Value::as_object_mut) else { break };
        let is_empty = |table: &Value| table.as_object().is_some_and(serde_json::Map::is_empty);
        if outer.get(&path[depth - 1]).is_some_and(is_empty) {
            outer.remove(&path[depth - 1]);
        }
    }
    document
}

/// What stands at a path of keys.
pub(super) fn at<'a>(document: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(document, |value, key| value.get(key))
}

#[cfg(test)]
mod edits;

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
