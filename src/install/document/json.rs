//! JSON with comments: read, and changed in its concrete syntax tree.

use jsonc_parser::{
    ParseOptions,
    cst::{CstInputValue, CstRootNode},
};
use serde_json::Value;

use super::{DocumentError, Edit};

/// What editors take in such files: comments and trailing commas, and nothing else of JSON5.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

fn tree(text: &str) -> Result<CstRootNode, DocumentError> {
    CstRootNode::parse(text, &OPTIONS)
        .map_err(|error| DocumentError::at(text, error.range().start, error.kind()))
}

pub(super) fn parse(text: &str) -> Result<Value, DocumentError> {
    Ok(tree(text)?.to_serde_value().unwrap_or(Value::Null))
}

/// The text with the change.
pub(super) fn edit(text: &str, edit: Edit<'_>) -> Result<Vec<String>, DocumentError> {
    let root = tree(text)?;
    let path = edit.path();
    let (name, parents) = path.split_last().unwrap_or((const { &String::new() }, &[]));
    let mut object = root.object_value_or_set();
    for key in parents {
        object = object.object_value_or_set(key);
    }
    match edit {
        Edit::Set { value, .. } => match object.get(name) {
            Some(member) => member.set_value(input(value)),
            None => drop(object.append(name, input(value))),
        },
        Edit::Remove { .. } => {
            if let Some(member) = object.get(name) {
                member.remove();
            }
        }
        Edit::Push { item, .. } => drop(object.array_value_or_set(name).append(input(item))),
        Edit::Take { index, .. } => {
            if let Some(item) = object.array_value_or_set(name).elements().into_iter().nth(index) {
                item.remove();
            }
        }
    }
    let mut changed = root.to_string();
    if text.trim().is_empty() && !changed.ends_with('\n') {
        changed.push('\n');
    }
    Ok(vec![changed])
}

fn input(value: &toml::Value) -> CstInputValue {
    match value {
        toml::Value::String(text) => CstInputValue::String(text.clone()),
        toml::Value::Integer(number) => CstInputValue::Number(number.to_string()),
        toml::Value::Float(number) => CstInputValue::Number(number.to_string()),
        toml::Value::Boolean(is) => CstInputValue::Bool(*is),
        toml::Value::Datetime(date) => CstInputValue::String(date.to_string()),
        toml::Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        toml::Value::Table(table) => CstInputValue::Object(
            table.iter().map(|(key, value)| (key.clone(), input(value))).collect(),
        ),
    }
}
