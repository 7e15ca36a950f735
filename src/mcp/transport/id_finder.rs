//! Finds the id of a message in a line that is no valid JSON, so that its sender gets an answer.

use serde_json::Value;

/// The longest id looked for, in bytes.
const LONGEST_ID: usize = 1024;

/// Finds the `id` of a message in bytes that need not be valid, or whole, or all in memory.
///
/// It knows strings, nesting and the keys of the outermost object, and nothing else of JSON, so
/// an error elsewhere in the line does not stop it.
#[derive(Debug, Default)]
pub(super) struct IdFinder {
    depth: usize,
    string: Option<Escape>,
    /// The last string at the outermost level, with its quotes, up to [`LONGEST_ID`] bytes.
    token: Vec<u8>,
    /// The value of the key `id`, as far as it has been read.
    value: Option<Vec<u8>>,
    found: Option<Value>,
}

/// Whether the next byte of a string is taken as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Escape {
    No,
    Next,
}

impl IdFinder {
    /// The id of a whole line, `null` when there is none.
    pub(super) fn find(line: &[u8]) -> Value {
        let mut finder = IdFinder::default();
        finder.feed(line);
        finder.found.unwrap_or_default()
    }

    /// Reads the next part of the line.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while at < bytes.len() && self.found.is_none() {
            let kept = self.depth == 1 && self.token.len() < LONGEST_ID;
            if self.string == Some(Escape::No) && !kept {
                // Most of a long line is one string, a cell.
                at += memchr::memchr2(b'"', b'\\', &bytes[at..]).unwrap_or(bytes.len() - at);
            }
            if let Some(&byte) = bytes.get(at) {
                self.step(byte);
            }
            at += 1;
        }
    }

    /// The id, once it has been read.
    pub(super) fn found(&self) -> Option<&Value> {
        self.found.as_ref()
    }

    fn step(&mut self, byte: u8) {
        if self.depth == 1 && self.string.is_none() && matches!(byte, b',' | b'}') {
            self.end_value();
        }
        if let Some(value) = self.value.as_mut().filter(|value| value.len() < LONGEST_ID) {
            value.push(byte);
        }
        match (self.string, byte) {
            (Some(Escape::Next), _) => self.string = Some(Escape::No),
            (Some(Escape::No), b'\\') => self.string = Some(Escape::Next),
            (Some(Escape::No), b'"') => self.string = None,
            (Some(Escape::No), _) => {}
            (None, b'"') => {
                self.string = Some(Escape::No);
                self.token.clear();
            }
            (None, b'{' | b'[') => self.depth += 1,
            (None, b'}' | b']') => self.depth = self.depth.saturating_sub(1),
            (None, b':') if self.depth == 1 && self.token == b"\"id" => {
                self.value = Some(Vec::new());
            }
            (None, _) => {}
        }
        if self.depth == 1 && self.string.is_some() && self.token.len() < LONGEST_ID {
            self.token.push(byte);
        }
    }

    fn end_value(&mut self) {
        self.token.clear();
        if let Some(value) = self.value.take() {
            self.found = serde_json::from_slice(&value)
                .ok()
                .filter(|id: &Value| id.is_string() || id.is_number());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_id_is_found_wherever_it_stands() {
        let cases = [
            (r#"{"id":5,"method":oops}"#, json!(5)),
            (r#"{"method":"x","params":{"id":1,"a":["id",{"id":2}]},"id":"a\"b"}"#, json!("a\"b")),
            (r#"{ "id" : 7 , NaN"#, json!(7)),
            (r#"{"a":"\\","id":8,"#, json!(8)),
            (r#"{"id":1.5,"#, json!(1.5)),
        ];
        for (line, id) in cases {
            assert_eq!(IdFinder::find(line.as_bytes()), id, "{line}");
        }
    }

    #[test]
    fn what_is_no_id_is_not_taken_for_one() {
        let cases = [
            "",
            "oops",
            r#"{"id":5"#,
            r#"{"id":null,"method":x}"#,
            r#"{"id":{"a":1},"method":x}"#,
            r#"[{"id":5},x]"#,
            r#"{"a":"\"id\":5,"}"#,
            r#"{"a":"id","b":5,x}"#,
        ];
        for line in cases {
            assert_eq!(IdFinder::find(line.as_bytes()), Value::Null, "{line}");
        }
    }

    #[test]
    fn the_id_is_found_across_parts() {
        let mut finder = IdFinder::default();
        for byte in br#"{"jsonrpc":"2.0","id":"ab,c","method""#.chunks(1) {
            finder.feed(byte);
        }
        assert_eq!(finder.found(), Some(&json!("ab,c")));
    }
}
