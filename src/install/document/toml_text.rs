//! TOML: read, and changed by `toml_edit` or by whole lines.

use serde_json::Value;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table};

use super::{DocumentError, Edit};

fn document(text: &str) -> Result<DocumentMut, DocumentError> {
    text.parse::<DocumentMut>().map_err(|error| {
        DocumentError::at(text, error.span().map_or(0, |span| span.start), error.message())
    })
}

pub(super) fn parse(text: &str) -> Result<Value, DocumentError> {
    Ok(of_table(document(text)?.as_table()))
}

fn of_table(table: &Table) -> Value {
    Value::Object(table.iter().map(|(key, item)| (key.to_owned(), of_item(item))).collect())
}

fn of_item(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => of_value(value),
        Item::Table(table) => of_table(table),
        Item::ArrayOfTables(tables) => Value::Array(tables.iter().map(of_table).collect()),
    }
}

fn of_value(value: &toml_edit::Value) -> Value {
    use toml_edit::Value as Toml;
    match value {
        Toml::String(text) => text.value().as_str().into(),
        Toml::Integer(number) => (*number.value()).into(),
        Toml::Boolean(is) => (*is.value()).into(),
        // JSON has no infinity, and no dates: what is wanted is that equal ones stay equal.
        Toml::Float(number) => serde_json::Number::from_f64(*number.value())
            .map_or_else(|| number.to_string().into(), Value::Number),
        Toml::Datetime(date) => date.value().to_string().into(),
        Toml::Array(items) => Value::Array(items.iter().map(of_value).collect()),
        Toml::InlineTable(table) => Value::Object(
            table.iter().map(|(key, value)| (key.to_owned(), of_value(value))).collect(),
        ),
    }
}

/// The text with the change: what changes the least, first.
pub(super) fn edit(text: &str, edit: Edit<'_>) -> Result<Vec<String>, DocumentError> {
    let document = document(text)?;
    let by_lines = match edit {
        Edit::Set { path, value } => with_new_table(text, &document, path, value),
        Edit::Push { path, item } => {
            let list = toml::Value::Array(vec![item.clone()]);
            with_new_table(text, &document, path, &list)
        }
        Edit::Remove { path } => without_lines(text, path),
        // `toml_edit` does it better, where it can.
        Edit::Take { path, index } if text.contains('\r') => without_item(text, path, index),
        Edit::Take { .. } => None,
    };
    // What `toml_edit` writes has line ends of one kind.
    let by_tree = (!text.contains('\r')).then(|| in_tree(document, edit)).flatten();
    Ok(by_lines.into_iter().chain(by_tree).collect())
}

/// The text with a table behind all else, where nothing of the table is there yet: no comment, and no
/// line, gets another place.
fn with_new_table(
    text: &str,
    document: &DocumentMut,
    path: &[String],
    value: &toml::Value,
) -> Option<String> {
    // A value that is no table stands in one.
    let (header, members) = match value {
        toml::Value::Table(members) => (path, members.clone()),
        value => {
            let (name, header) = path.split_last()?;
            (header, [(name.clone(), value.clone())].into_iter().collect())
        }
    };
    let is_there = header.iter().try_fold(document.as_item(), |item, key| item.get(key)).is_some();
    if is_there || header.is_empty() {
        return None;
    }
    let mut table = Table::new();
    for (key, value) in &members {
        table.insert(key, Item::Value(to_value(value)));
    }
    for key in header.iter().rev() {
        let mut outer = Table::new();
        outer.set_implicit(true);
        outer.insert(key, Item::Table(std::mem::replace(&mut table, Table::new())));
        table = outer;
    }
    let table = DocumentMut::from(table).to_string();
    let gap = match text {
        "" => "",
        text if text.trim().is_empty() || text.ends_with("\n\n") => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    Some(format!("{text}{gap}{table}"))
}

/// The text without the lines of a table and those below it, or of a key in one: what stands above
/// them stays.
fn without_lines(text: &str, path: &[String]) -> Option<String> {
    let document = toml_edit::Document::parse(text).ok()?;
    let (name, parents) = path.split_last()?;
    let parent = parents.iter().try_fold(document.as_item(), |item, key| item.get(key))?;
    let item = parent.get(name)?;
    let mut spans = Vec::new();
    match item {
        Item::Table(table) if !table.is_dotted() => spans_of(table, &mut spans),
        Item::Value(value) => {
            let key = parent.as_table()?.key(name)?;
            spans.push(key.span()?.start..value.span()?.end);
        }
        _ => return None,
    }
    spans.sort_by_key(|span| span.start);
    let mut kept = text.to_owned();
    for span in spans.into_iter().rev() {
        let start = kept[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let end = kept[span.end..].find('\n').map_or(kept.len(), |at| span.end + at + 1);
        // One of two empty lines that come together goes, too, and one at the end.
        let is_between = kept[end..].is_empty() || kept[end..].starts_with('\n');
        let start = if kept[..start].ends_with("\n\n") && is_between { start - 1 } else { start };
        kept.replace_range(start..end, "");
    }
    Some(kept)
}

/// The text without an item of a list, and the comma that parts it from the others.
fn without_item(text: &str, path: &[String], index: usize) -> Option<String> {
    let document = toml_edit::Document::parse(text).ok()?;
    let list = path.iter().try_fold(document.as_item(), |item, key| item.get(key))?.as_array()?;
    let span = |index: usize| list.get(index).and_then(toml_edit::Value::span);
    let item = span(index)?;
    let range = match (index.checked_sub(1).and_then(span), span(index + 1)) {
        (_, Some(next)) => item.start..next.start,
        (Some(before), None) => before.end..item.end,
        (None, None) => item,
    };
    let mut kept = text.to_owned();
    kept.replace_range(range, "");
    Some(kept)
}

/// From the header of each table to the end of its last value.
fn spans_of(table: &Table, spans: &mut Vec<std::ops::Range<usize>>) {
    let header = table.span().filter(|_| !table.is_implicit());
    let values = table.iter().filter_map(|(_, item)| item.as_value()?.span());
    if let Some(header) = header {
        let end = values.map(|span| span.end).fold(header.end, usize::max);
        spans.push(header.start..end);
    }
    for (_, item) in table.iter() {
        match item {
            Item::Table(table) => spans_of(table, spans),
            Item::ArrayOfTables(tables) => tables.iter().for_each(|table| spans_of(table, spans)),
            _ => {}
        }
    }
}

/// The text as `toml_edit` writes it with the change.
fn in_tree(mut document: DocumentMut, edit: Edit<'_>) -> Option<String> {
    let (name, parents) = edit.path().split_last()?;
    let mut place = document.as_item_mut();
    for key in parents {
        // In a table of one line there can only be others of one line.
        let is_inline = place.is_inline_table();
        let table = place.as_table_like_mut()?;
        place = table.entry(key).or_insert_with(|| match is_inline {
            true => Item::Value(InlineTable::new().into()),
            false => Item::Table(Table::new()),
        });
    }
    let space = place.as_inline_table_mut().and_then(without_space_at_end);
    let table = place.as_table_like_mut()?;
    match edit {
        Edit::Set { value, .. } => {
            let mut value = to_value(value);
            match table.get_mut(name) {
                Some(Item::Value(old)) => {
                    *value.decor_mut() = old.decor().clone();
                    *old = value;
                }
                _ => drop(table.insert(name, Item::Value(value))),
            }
        }
        Edit::Remove { .. } => drop(table.remove(name)),
        Edit::Push { item, .. } => {
            let list = table.entry(name).or_insert_with(|| Item::Value(Array::new().into()));
            let list = list.as_array_mut()?;
            let mut item = to_value(item);
            // One a line, where the others are.
            let prefix = list.iter().last().and_then(|last| last.decor().prefix()?.as_str());
            match prefix.and_then(|prefix| prefix.rsplit_once('\n')) {
                Some((_, indentation)) => {
                    item.decor_mut().set_prefix(format!("\n{indentation}"));
                    list.push_formatted(item);
                }
                None => list.push(item),
            }
        }
        Edit::Take { index, .. } => {
            let list = table.get_mut(name)?.as_array_mut()?;
            if index >= list.len() {
                return None;
            }
            let gone = list.remove(index);
            // What was the second has a space in front.
            if let Some(first) = list.get_mut(0).filter(|_| index == 0) {
                let prefix = gone.decor().prefix().and_then(|prefix| prefix.as_str());
                first.decor_mut().set_prefix(prefix.unwrap_or_default());
            }
        }
    }
    if let (Some(space), Some(table)) = (space, place.as_inline_table_mut())
        && let Some((_, last)) = table.iter_mut().last()
    {
        last.decor_mut().set_suffix(space);
    }
    Some(document.to_string())
}

/// The space before the closing brace belongs to the last value: it is taken from that, for the one that
/// will be the last.
fn without_space_at_end(table: &mut InlineTable) -> Option<String> {
    let (_, last) = table.iter_mut().last()?;
    let space = last.decor().suffix()?.as_str().filter(|space| space.trim().is_empty())?.to_owned();
    last.decor_mut().set_suffix("");
    Some(space)
}

fn to_value(value: &toml::Value) -> toml_edit::Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(is) => (*is).into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(items) => items.iter().map(to_value).collect::<Array>().into(),
        toml::Value::Table(table) => {
            let members = table.iter().map(|(key, value)| (key.as_str(), to_value(value)));
            members.collect::<InlineTable>().into()
        }
    }
}
