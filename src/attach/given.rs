//! What was typed for programs while a cell runs, this client's or another's: what nobody has read comes
//! back, since it was typed ahead for the prompt. Pure.

/// The most that comes back, in bytes.
const MOST: usize = 64 * 1024;

/// Keys that a terminal takes for itself, so that nobody reads them (POSIX, 11.1.9).
const TAKEN: &[u8] = b"\x03\x04\x0f\x11\x12\x13\x15\x16\x17\x1a\x1c\x7f";

/// What was typed since the last cell began.
#[derive(Debug, Default)]
pub(super) struct Given(Vec<u8>);

impl Given {
    /// A cell begins, or all is known of what was typed for the last one.
    pub(super) fn begin(&mut self) {
        self.0.clear();
    }

    /// Whether nothing was typed since, or it is known who has it.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// This was typed, where the terminal shows it: what it does not show stays with the program.
    pub(super) fn add(&mut self, bytes: &[u8], is_shown: bool) {
        if is_shown {
            self.0.extend(bytes);
        } else {
            self.0.clear();
        }
        let before = self.0.len().saturating_sub(MOST);
        self.0.drain(..before);
    }

    /// The last so many bytes, which nobody has read; `None` where it is not sure which those are.
    pub(super) fn unread(&mut self, count: u64) -> Option<Vec<u8>> {
        let typed = std::mem::take(&mut self.0);
        let start = typed.len().checked_sub(usize::try_from(count).ok()?)?;
        let unread = &typed[start..];
        let is_sure = !unread.iter().any(|byte| TAKEN.contains(byte));
        is_sure.then(|| unread.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_has_read_comes_back() {
        let unread = |typed: &[(&str, bool)], count| {
            let mut given = Given::default();
            typed.iter().for_each(|(text, is_shown)| given.add(text.as_bytes(), *is_shown));
            given.unread(count).map(|bytes| String::from_utf8(bytes).unwrap())
        };
        assert_eq!(unread(&[("one\r", true), ("b = 2\r", true)], 6).as_deref(), Some("b = 2\r"));
        assert_eq!(unread(&[("a\x7fb\r", true)], 2).as_deref(), Some("b\r"));
        // Not sure, more than was typed, and a secret.
        assert_eq!(unread(&[("a\x7fb\r", true)], 3), None);
        assert_eq!(unread(&[("b\r", true)], 9), None);
        assert_eq!(unread(&[("a\r", true), ("secret\r", false)], 2), None);
        let mut given = Given::default();
        given.add(b"before\r", true);
        given.begin();
        assert_eq!(given.unread(7), None);
    }
}
