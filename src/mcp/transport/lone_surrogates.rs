//! Repairs text that has half of a UTF-16 surrogate pair in it, which JSON allows and UTF-8 does not.

/// Replaces each escape of a lone surrogate (`\ud800` without its other half) by `\ufffd`.
///
/// Such an escape is JSON by RFC 8259, section 8.2, but no text, and clients whose strings are
/// UTF-16 send it. `None` when there is none.
pub(super) fn replace_lone_surrogates(line: &str) -> Option<String> {
    let mut repaired: Option<Vec<u8>> = None;
    let bytes = line.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &bytes[at..]) {
        let escape = at + found;
        match unit(bytes, escape) {
            Some(0xD800..=0xDBFF) if matches!(unit(bytes, escape + 6), Some(0xDC00..=0xDFFF)) => {
                at = escape + 12;
            }
            Some(0xD800..=0xDFFF) => {
                let target = repaired.get_or_insert_with(|| bytes.to_vec());
                target[escape..escape + 6].copy_from_slice(b"\\ufffd");
                at = escape + 6;
            }
            Some(_) => at = escape + 6,
            // Another escape: what follows the backslash is not the start of one.
            None => at = (escape + 2).min(bytes.len()),
        }
    }
    repaired.and_then(|bytes| String::from_utf8(bytes).ok())
}

/// The UTF-16 code unit of the escape `\uXXXX` at `at`, if there is one.
fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lone_surrogates_are_replaced() {
        let cases = [
            (r"\ud800", Some(r"\ufffd")),
            (r"a\uDFFFb", Some(r"a\ufffdb")),
            (r"\ud83d\ude00", None),
            (r"\ud83d\ud83d\ude00", Some(r"\ufffd\ud83d\ude00")),
            (r"\ud83d\n", Some(r"\ufffd\n")),
            (r"\\ud800", None),
            (r"\\\ud800", Some(r"\\\ufffd")),
            (r"\u00e9", None),
            (r"\ud8", None),
            ("\\", None),
            ("é\\", None),
        ];
        for (text, expected) in cases {
            assert_eq!(replace_lone_surrogates(text).as_deref(), expected, "{text}");
        }
    }
}
