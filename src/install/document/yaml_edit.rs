//! Changes of YAML, by whole lines wherever it stands in lines: what is not meant is not touched.
//!
//! A few forms are all that is needed, and `super::edit` reads what comes out: a form that was not
//! thought of is refused.

use std::ops::Range;

use super::{
    DocumentError, Edit,
    yaml::{Is, Node, tree},
};

/// The text with the change, in the ways that may be right.
pub(super) fn edit(text: &str, edit: Edit<'_>) -> Result<Vec<String>, DocumentError> {
    let Some(root) = tree(text)? else {
        return Ok(match edit {
            Edit::Set { path, value } => vec![append(text, 0, path, value)],
            Edit::Push { path, item } => vec![append(text, 0, path, &list_of(item))],
            Edit::Remove { .. } | Edit::Take { .. } => Vec::new(),
        });
    };
    let lines = Lines::of(text);
    Ok(match edit {
        Edit::Set { path, value } => set(&lines, &root, path, value)?,
        Edit::Push { path, item } => push(&lines, &root, path, item),
        Edit::Remove { path } => remove(&lines, &root, path),
        Edit::Take { path, index } => take(&lines, &root, path, index),
    })
}

/// A text, and where its lines begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let behind = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, starts: [0].into_iter().chain(behind).collect() }
    }

    /// Where a line begins, counted from 1; the end of the text if there are fewer.
    fn start(&self, line: usize) -> usize {
        self.starts.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len())
    }

    /// Where a marker points to. It counts characters.
    fn offset(&self, at: saphyr_parser::Marker) -> usize {
        let start = self.start(at.line());
        let line = &self.text[start..];
        start + line.char_indices().nth(at.col()).map_or(line.len(), |(at, _)| at)
    }

    /// The last line on which something of a node stands.
    fn last(&self, node: &Node) -> usize {
        let (start, end) = (node.span.start, node.span.end);
        match &node.is {
            Is::List(items) if self.is_block(node) => {
                items.iter().map(|item| self.last(item)).fold(start.line(), usize::max)
            }
            Is::Map(members) if self.is_block(node) => {
                let members =
                    members.iter().map(|(key, value)| self.last(key).max(self.last(value)));
                members.fold(start.line(), usize::max)
            }
            // A text in lines ends where the next one begins; empty lines at its end may be anybody's.
            _ if end.col() == 0 && end.line() > start.line() => {
                let is_blank = |line: &usize| {
                    self.text[self.start(*line)..self.start(line + 1)].trim().is_empty()
                };
                let mut above = (start.line()..end.line()).rev().skip_while(is_blank);
                above.next().unwrap_or(start.line())
            }
            _ => end.line().max(start.line()),
        }
    }

    /// Where a node that does not stand in lines ends. Of brackets the parser tells where the next
    /// thing begins, which may be behind a comment.
    fn end(&self, node: &Node) -> usize {
        let start = self.offset(node.span.start);
        let last = match &node.is {
            Is::List(items) => items.last(),
            Is::Map(members) => members.last().map(|(_, value)| value),
            Is::Scalar { .. } | Is::Alias(_) => {
                let end = self.offset(node.span.end).max(start);
                return start + self.text[start..end].trim_end().len();
            }
        };
        let inside = last.map_or(start, |last| self.end(last));
        self.text[inside..].find(['}', ']']).map_or(inside, |at| inside + at + 1)
    }

    /// Whether a list or table stands in lines, and not in brackets.
    fn is_block(&self, node: &Node) -> bool {
        let bytes = self.text.as_bytes();
        !matches!(bytes.get(self.offset(node.span.start)), Some(b'{' | b'['))
    }

    /// How many spaces stand before what begins a line, if they are followed by this.
    fn indentation(&self, line: usize, begins: &str) -> Option<usize> {
        let line = &self.text[self.start(line)..];
        let indentation = line.len() - line.trim_start_matches(' ').len();
        line[indentation..].starts_with(begins).then_some(indentation)
    }

    /// The text with lines behind one.
    fn with_lines(&self, behind: usize, lines: &str) -> String {
        let at = self.start(behind + 1);
        let (before, after) = self.text.split_at(at);
        let end = if before.ends_with('\n') { "" } else { "\n" };
        format!("{before}{end}{lines}{after}")
    }

    fn with(&self, range: Range<usize>, replacement: &str) -> String {
        format!("{}{replacement}{}", &self.text[..range.start], &self.text[range.end..])
    }
}

/// What stands at a path: its key, if it has one, and itself.
fn find<'a>(root: &'a Node, path: &[String]) -> Option<(Option<&'a Node>, &'a Node)> {
    path.iter().try_fold((None, root), |(_, node), name| match &node.is {
        Is::Map(members) => {
            let (key, value) = members.iter().find(|(key, _)| key.name() == *name)?;
            Some((Some(key), value))
        }
        _ => None,
    })
}

fn set(
    lines: &Lines<'_>,
    root: &Node,
    path: &[String],
    value: &toml::Value,
) -> Result<Vec<String>, DocumentError> {
    if find(root, path).is_some() {
        // Anew, behind the others.
        let mut all = Vec::new();
        for without in remove(lines, root, path) {
            all.extend(edit(&without, Edit::Set { path, value })?);
        }
        return Ok(all);
    }
    // The deepest of the tables on the way that is there.
    let depth = (0..path.len()).rev().find(|depth| find(root, &path[..*depth]).is_some());
    let depth = depth.unwrap_or_default();
    let Some((key, table)) = find(root, &path[..depth]) else { return Ok(Vec::new()) };
    let rest = &path[depth..];
    let member = |indentation| block(indentation, rest, value);
    Ok(match &table.is {
        Is::Map(members) if !members.is_empty() && lines.is_block(table) => {
            let column = members[0].0.span.start.col();
            let mut ways = vec![lines.with_lines(lines.last(table), &member(column))];
            // Behind the key of the table, should its end be unclear.
            ways.extend(key.map(|key| lines.with_lines(key.span.end.line(), &member(column))));
            ways
        }
        Is::Map(members) if !members.is_empty() => {
            let at = lines.offset(table.span.start) + 1;
            vec![lines.with(at..at, &format!("{}, ", flow_member(rest, value)))]
        }
        _ => in_place_of_nothing(lines, key, table, member),
    })
}

fn push(lines: &Lines<'_>, root: &Node, path: &[String], item: &toml::Value) -> Vec<String> {
    let Some((key, list)) = find(root, path) else {
        return set(lines, root, path, &list_of(item)).unwrap_or_default();
    };
    match &list.is {
        Is::List(items) if !items.is_empty() && lines.is_block(list) => {
            let indentation = lines.indentation(items[0].span.start.line(), "-");
            let Some(indentation) = indentation else { return Vec::new() };
            vec![lines.with_lines(lines.last(list), &block_item(indentation, item))]
        }
        Is::List(items) if !items.is_empty() => {
            let at = lines.end(list).saturating_sub(1);
            let before = lines.text[..at].trim_end();
            let comma = if before.ends_with(',') { " " } else { ", " };
            vec![lines.with(before.len()..before.len(), &format!("{comma}{}", flow(item)))]
        }
        _ => in_place_of_nothing(lines, key, list, |indentation| block_item(indentation, item)),
    }
}

/// The text with lines for a key that has no value, or an empty one.
fn in_place_of_nothing(
    lines: &Lines<'_>,
    key: Option<&Node>,
    nothing: &Node,
    block: impl Fn(usize) -> String,
) -> Vec<String> {
    let Some(key) = key else {
        // The whole document: `{}`.
        let range = lines.offset(nothing.span.start)..lines.end(nothing);
        let rest = lines.with(range, "");
        let gap = if rest.is_empty() || rest.ends_with('\n') { "" } else { "\n" };
        let rest = if rest.trim().is_empty() { String::new() } else { rest + gap };
        return vec![rest + &block(0)];
    };
    let indentation = key.span.start.col() + 2;
    let line = key.span.end.line();
    let (start, end) = (lines.offset(nothing.span.start), lines.end(nothing));
    if end <= start {
        return vec![lines.with_lines(line, &block(indentation))];
    }
    // `{}`, `[]` or `null` on the line of its key goes, with the space before it.
    let start = lines.text[..start].trim_end_matches(' ').len();
    let without = lines.with(start..end, "");
    vec![Lines::of(&without).with_lines(line, &block(indentation))]
}

fn remove(lines: &Lines<'_>, root: &Node, path: &[String]) -> Vec<String> {
    let Some((name, parents)) = path.split_last() else { return Vec::new() };
    let Some((outer, table)) = find(root, parents) else { return Vec::new() };
    let Is::Map(members) = &table.is else { return Vec::new() };
    let Some(at) = members.iter().position(|(key, _)| key.name() == *name) else {
        return Vec::new();
    };
    let (key, value) = &members[at];
    if !lines.is_block(table) {
        let place = |(key, value): &(Node, Node)| lines.offset(key.span.start)..lines.end(value);
        return vec![without_flow(lines, members.iter().map(place).collect(), at)];
    }
    let range = lines.start(key.span.start.line())
        ..lines.start(lines.last(value).max(key.span.end.line()) + 1);
    without_lines(lines, range, (members.len() == 1).then_some((outer, "{}")))
}

fn take(lines: &Lines<'_>, root: &Node, path: &[String], index: usize) -> Vec<String> {
    let Some((key, list)) = find(root, path) else { return Vec::new() };
    let Is::List(items) = &list.is else { return Vec::new() };
    let Some(item) = items.get(index) else { return Vec::new() };
    if !lines.is_block(list) {
        let place = |item: &Node| lines.offset(item.span.start)..lines.end(item);
        return vec![without_flow(lines, items.iter().map(place).collect(), index)];
    }
    let range = lines.start(item.span.start.line())..lines.start(lines.last(item) + 1);
    without_lines(lines, range, (items.len() == 1).then_some((key, "[]")))
}

/// The text without lines. What was the last in a table or list leaves an empty one, since a key
/// without a value is something else to those that read it.
fn without_lines(
    lines: &Lines<'_>,
    range: Range<usize>,
    emptied: Option<(Option<&Node>, &str)>,
) -> Vec<String> {
    let without = lines.with(range, "");
    match emptied {
        None | Some((None, _)) => vec![without],
        Some((Some(key), empty)) => {
            // It stands above what went.
            let end = lines.offset(key.span.end);
            let colon = without[end..].find(':').map_or(end, |at| end + at + 1);
            vec![format!("{} {empty}{}", &without[..colon], &without[colon..])]
        }
    }
}

/// The text without one of several things between commas.
fn without_flow(lines: &Lines<'_>, places: Vec<Range<usize>>, at: usize) -> String {
    let range = match (at.checked_sub(1).and_then(|before| places.get(before)), places.get(at + 1))
    {
        (_, Some(next)) => places[at].start..next.start,
        (Some(before), None) => before.end..places[at].end,
        (None, None) => places[at].clone(),
    };
    lines.with(range, "")
}

fn list_of(item: &toml::Value) -> toml::Value {
    toml::Value::Array(vec![item.clone()])
}

/// The text with more behind all there is.
fn append(text: &str, indentation: usize, path: &[String], value: &toml::Value) -> String {
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{gap}{}", block(indentation, path, value))
}

/// Keys below each other, and the value of the last, in lines.
fn block(indentation: usize, path: &[String], value: &toml::Value) -> String {
    let indent = " ".repeat(indentation);
    let Some((name, rest)) = path.split_first() else { return String::new() };
    let name = scalar(name);
    if !rest.is_empty() {
        return format!("{indent}{name}:\n{}", block(indentation + 2, rest, value));
    }
    match value {
        toml::Value::Table(members) if !members.is_empty() => {
            let member = |(key, value): (&String, &toml::Value)| {
                format!("{indent}  {}: {}\n", scalar(key), flow(value))
            };
            format!("{indent}{name}:\n{}", members.iter().map(member).collect::<String>())
        }
        toml::Value::Array(items) if !items.is_empty() => {
            let items = items.iter().map(|item| block_item(indentation + 2, item));
            format!("{indent}{name}:\n{}", items.collect::<String>())
        }
        value => format!("{indent}{name}: {}\n", flow(value)),
    }
}

/// An item of a list, in lines.
fn block_item(indentation: usize, item: &toml::Value) -> String {
    let indent = " ".repeat(indentation);
    let toml::Value::Table(members) = item else { return format!("{indent}- {}\n", flow(item)) };
    let mut begin = "- ";
    let mut text = String::new();
    for (key, value) in members {
        text += &format!("{indent}{begin}{}: {}\n", scalar(key), flow(value));
        begin = "  ";
    }
    text
}

fn flow_member(path: &[String], value: &toml::Value) -> String {
    match path.split_first() {
        Some((name, [])) => format!("{}: {}", scalar(name), flow(value)),
        Some((name, rest)) => format!("{}: {{ {} }}", scalar(name), flow_member(rest, value)),
        None => String::new(),
    }
}

/// A value on one line.
fn flow(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => scalar(text),
        toml::Value::Array(items) => {
            format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        toml::Value::Table(members) if members.is_empty() => "{}".into(),
        toml::Value::Table(members) => {
            let members =
                members.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        value => super::json(value).to_string(),
    }
}

/// A text, in quotes unless it is plain in every reader's eyes: not a number, nor YAML 1.1's `on`.
fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan"];
    if is_plain && !words.contains(&text.to_ascii_lowercase().as_str()) {
        return text.to_owned();
    }
    // A text of JSON is one of YAML, but for two characters that only JSON has as they are.
    let quoted = serde_json::Value::from(text).to_string();
    quoted
        .replace('\u{85}', "\\N")
        .replace('\u{7f}', "\\x7f")
        .replace('\u{2028}', "\\L")
        .replace('\u{2029}', "\\P")
}
