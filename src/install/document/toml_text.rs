//! TOML: read, and changed by `toml_edit` or by whole lines.

use serde_json::Value;
use toml_edit::{DocumentMut, Item, Table};

use super::DocumentError;

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
