//! JSON with comments: read, and changed in its concrete syntax tree.

use jsonc_parser::{ParseOptions, cst::CstRootNode};
use serde_json::Value;

use super::DocumentError;

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
