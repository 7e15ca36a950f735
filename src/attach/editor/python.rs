//! The tokens of Python that a person sees in colours (The Python Language Reference, 2). Pure.

use std::ops::Range;

/// What part of a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Keyword,
    /// A name of the module `builtins`.
    Builtin,
    /// A string, with its quotes and what stands in front of them.
    Text,
    Number,
    Comment,
    Decorator,
    /// The name behind `def` or `class`.
    Definition,
}

/// `keyword.kwlist` of Python 3.14.
const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// Those of `keyword.softkwlist` that begin a statement.
const SOFT_KEYWORDS: &[&str] = &["case", "match", "type"];

/// `dir(builtins)`, but for the exceptions.
const BUILTINS: &[&str] = &[
    "Ellipsis",
    "NotImplemented",
    "abs",
    "aiter",
    "all",
    "anext",
    "any",
    "ascii",
    "bin",
    "bool",
    "breakpoint",
    "bytearray",
    "bytes",
    "callable",
    "chr",
    "classmethod",
    "compile",
    "complex",
    "delattr",
    "dict",
    "dir",
    "divmod",
    "enumerate",
    "eval",
    "exec",
    "exit",
    "filter",
    "float",
    "format",
    "frozenset",
    "getattr",
    "globals",
    "hasattr",
    "hash",
    "help",
    "hex",
    "id",
    "input",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "list",
    "locals",
    "map",
    "max",
    "memoryview",
    "min",
    "next",
    "object",
    "oct",
    "open",
    "ord",
    "pow",
    "print",
    "property",
    "quit",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "setattr",
    "slice",
    "sorted",
    "staticmethod",
    "str",
    "sum",
    "super",
    "tuple",
    "type",
    "vars",
    "zip",
];

/// How the names of exceptions in that module end.
const EXCEPTIONS: [&str; 3] = ["Error", "Exception", "Warning"];

/// The parts of a cell that are to be seen as what they are, in their order. A cell that is being
/// written may end anywhere.
pub(super) fn tokens(text: &str) -> Vec<(Range<usize>, Token)> {
    let (mut found, mut at, mut before) = (Vec::new(), 0, Before::Start);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let name = &rest[..length(rest, is_of_name)];
        let is_prefix = name.len() <= 2 && name.bytes().all(|c| b"rRbBuUfFtT".contains(&c));
        let quote = rest[name.len()..].chars().next().filter(|c| matches!(c, '"' | '\''));
        let (length, token, then) = match c {
            '#' => (length(rest, |c| c != '\n'), Some(Token::Comment), before),
            '\n' | ';' => (1, None, Before::Start),
            c if c.is_whitespace() => (c.len_utf8(), None, before),
            _ if quote.is_some() && is_prefix => {
                let is_raw = name.contains(['r', 'R']);
                (name.len() + string(&rest[name.len()..], is_raw), Some(Token::Text), Before::Other)
            }
            '@' if before == Before::Start => {
                let name = length(&rest[1..], |c| is_of_name(c) || c == '.');
                (1 + name, Some(Token::Decorator), Before::Other)
            }
            '0'..='9' => (number(rest), Some(Token::Number), Before::Other),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                (number(rest), Some(Token::Number), Before::Other)
            }
            '.' => (1, None, Before::Dot),
            _ if !name.is_empty() => {
                let token = token_of(name, before, rest[name.len()..].trim_start_matches(' '));
                let then = match name {
                    "def" | "class" if token == Some(Token::Keyword) => Before::Definition,
                    _ => Before::Other,
                };
                (name.len(), token, then)
            }
            // What is behind the colon of a block may begin a statement.
            ':' => (1, None, Before::Start),
            c => (c.len_utf8(), None, Before::Other),
        };
        found.extend(token.map(|token| (at..at + length, token)));
        (at, before) = (at + length, then);
    }
    found
}

/// What stands before a token, as far as that says what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// The beginning of a line or a statement.
    Start,
    Dot,
    /// `def` or `class`.
    Definition,
    Other,
}

fn token_of(name: &str, before: Before, behind: &str) -> Option<Token> {
    let goes_on = behind.starts_with(|c: char| is_of_name(c) || "\"'([{-*".contains(c));
    let is_soft = || before == Before::Start && SOFT_KEYWORDS.contains(&name);
    match before {
        Before::Dot => None,
        Before::Definition => Some(Token::Definition),
        _ if KEYWORDS.contains(&name) => Some(Token::Keyword),
        // `match(x)` is a call as often as not.
        _ if is_soft() && goes_on && !behind.starts_with('(') => Some(Token::Keyword),
        _ if BUILTINS.contains(&name) => Some(Token::Builtin),
        _ if EXCEPTIONS.iter().any(|end| name.ends_with(end)) => Some(Token::Builtin),
        _ => None,
    }
}

/// How long the part is of which all characters are so.
fn length(text: &str, is_so: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is_so(c)).unwrap_or(text.len())
}

fn is_of_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// How long the string is with which this begins: at its first quote.
fn string(text: &str, is_raw: bool) -> usize {
    let quote = &text[..1];
    let triple = quote.repeat(3);
    let end = if text.starts_with(&triple) { &*triple } else { quote };
    let mut at = end.len();
    while let Some(c) = text[at..].chars().next() {
        match c {
            _ if text[at..].starts_with(end) => return at + end.len(),
            '\n' if end.len() == 1 => return at,
            // In a raw string, too, a quote behind it ends nothing.
            '\\' => {
                let escaped = text[at + 1..].chars().next();
                let skipped = escaped.filter(|&c| !is_raw || c == '\\' || quote.contains(c));
                at += 1 + skipped.map_or(0, char::len_utf8);
            }
            c => at += c.len_utf8(),
        }
    }
    at
}

/// How long the number is with which this begins.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_hex = matches!(bytes, [b'0', b'x' | b'X', ..]);
    let mut at = 0;
    while let Some(&c) = bytes.get(at) {
        let is_sign = matches!(c, b'+' | b'-')
            && !is_hex
            && matches!(bytes[at - 1], b'e' | b'E')
            && bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        if !is_sign && !c.is_ascii_alphanumeric() && !matches!(c, b'_' | b'.') {
            break;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The tokens with a letter each for what they are.
    fn seen(text: &str) -> String {
        let letter = |token| match token {
            Token::Keyword => 'k',
            Token::Builtin => 'b',
            Token::Text => 's',
            Token::Number => 'n',
            Token::Comment => 'c',
            Token::Decorator => 'd',
            Token::Definition => 'f',
        };
        let tokens = tokens(text).into_iter();
        tokens.map(|(at, token)| format!("{}:{} ", letter(token), &text[at])).collect()
    }

    #[test]
    fn each_part_is_seen_as_what_it_is() {
        for (text, tokens) in [
            ("for x in range(10):", "k:for k:in b:range n:10 "),
            ("def print(self): return None", "k:def f:print k:return k:None "),
            ("@a.b(1)\nclass C: pass", "d:@a.b n:1 k:class f:C k:pass "),
            ("a @ b", ""),
            ("x.print = y.in_", ""),
            ("x = 'it''s' # 'no'", "s:'it' s:'s' c:# 'no' "),
            ("rb'\\' x", "s:rb'\\' x "),
            ("'a\\'b' if", "s:'a\\'b' k:if "),
            ("'open\nif", "s:'open k:if "),
            ("f\"{x}\" + '''a\n'b''' + 1", "s:f\"{x}\" s:'''a\n'b''' n:1 "),
            ("\"\"\"not closed\nif x", "s:\"\"\"not closed\nif x "),
            ("0xFFe+1 1e-5 1_000.5j .5 x1", "n:0xFFe n:1 n:1e-5 n:1_000.5j n:.5 "),
            ("match x:\n  case [1]: y", "k:match k:case n:1 "),
            ("match = type(x)", "b:type "),
            ("re.match(x); match(y)", ""),
            ("raise ValueError('é')", "k:raise b:ValueError s:'é' "),
            ("être = 'ü'", "s:'ü' "),
        ] {
            assert_eq!(seen(text), tokens, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_tokens_in_order(text in "[a-fr'\"\\\\#@0-9.é \n]{0,60}|.{0,40}") {
            let mut end = 0;
            for (at, _) in tokens(&text) {
                prop_assert!(at.start >= end && at.end > at.start && text.is_char_boundary(at.end));
                end = at.end;
            }
            prop_assert!(end <= text.len());
        }
    }
}
