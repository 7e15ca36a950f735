//! YAML: a tree that knows where its nodes stand, and reads what it says.

use std::collections::HashSet;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};
use serde_json::Value;

use super::DocumentError;

/// The deepest nesting that is read.
const DEEPEST: usize = 200;

/// A node, and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) is: Is,
}

#[derive(Debug)]
pub(super) enum Is {
    /// A scalar; a plain one may be a number.
    Scalar {
        text: String,
        is_plain: bool,
    },
    /// The same as another node, which is not repeated: a few lines may stand for billions.
    Alias(usize),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    fn value(&self) -> Value {
        match &self.is {
            Is::Scalar { text, is_plain: true } => of_plain(text),
            Is::Scalar { text, .. } => text.as_str().into(),
            Is::Alias(number) => format!("*{number}").into(),
            Is::List(items) => Value::Array(items.iter().map(Node::value).collect()),
            Is::Map(members) => {
                let member = |(key, value): &(Node, Node)| (key.name(), value.value());
                Value::Object(members.iter().map(member).collect())
            }
        }
    }

    /// What it is called as a key.
    pub(super) fn name(&self) -> String {
        match &self.is {
            Is::Scalar { text, .. } => text.clone(),
            _ => self.value().to_string(),
        }
    }
}

/// What a scalar without quotes is (YAML 1.2, core schema), as far as it is looked at here.
fn of_plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => true.into(),
        "false" | "False" | "FALSE" => false.into(),
        _ => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
    }
}

fn syntax(at: Marker, what: &str) -> DocumentError {
    DocumentError::Syntax { line: at.line(), what: what.to_owned() }
}

/// The tree of a text's only document. `None` if there is nothing in it.
pub(super) fn tree(text: &str) -> Result<Option<Node>, DocumentError> {
    let unusual = |what: &str| DocumentError::Unusual { what: what.to_owned() };
    /// A list or a table that is not at its end.
    struct Open {
        span: Span,
        is_map: bool,
        items: Vec<Node>,
    }
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| syntax(*error.marker(), error.info()))?;
        let node = match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err(unusual("it holds several documents"));
                }
                continue;
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                if open.len() >= DEEPEST {
                    return Err(syntax(span.start, "it is nested too deeply"));
                }
                let is_map = matches!(event, Event::MappingStart(..));
                open.push(Open { span, is_map, items: Vec::new() });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { span: start, is_map, items }) = open.pop() else { continue };
                let is = if is_map {
                    let mut members = Vec::new();
                    let mut names = HashSet::new();
                    let mut items = items.into_iter();
                    while let (Some(key), Some(value)) = (items.next(), items.next()) {
                        if !names.insert(key.name()) {
                            let what = format!("the key {:?} is there twice", key.name());
                            return Err(syntax(key.span.start, &what));
                        }
                        members.push((key, value));
                    }
                    Is::Map(members)
                } else {
                    Is::List(items)
                };
                Node { span: Span::new(start.start, span.end), is }
            }
            Event::Scalar(text, style, ..) => {
                let is_plain = style == ScalarStyle::Plain;
                Node { span, is: Is::Scalar { text: text.into_owned(), is_plain } }
            }
            Event::Alias(number) => Node { span, is: Is::Alias(number) },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => continue,
        };
        match open.last_mut() {
            Some(open) => open.items.push(node),
            None => root = Some(node),
        }
    }
    Ok(root)
}

pub(super) fn parse(text: &str) -> Result<Value, DocumentError> {
    Ok(tree(text)?.map_or(Value::Null, |root| root.value()))
}
