//! What is typed into a session elsewhere: in parts, of which no more are on their way than a host
//! takes ahead.

use std::collections::VecDeque;

use mcp_repl_control::MOST_TYPED;
use tokio::sync::oneshot;

/// How long a part is, in bytes.
const PART: usize = 64 << 10;
/// How much is on its way, in bytes; a host takes twice that.
const MOST_SENT: usize = MOST_TYPED / 2;
/// What the shortest part counts for a host, in bytes.
const LEAST: usize = 1024;
/// How much may be on its way of which the host is not to tell, in bytes.
const MOST_QUIET: usize = MOST_SENT / 2;

/// What is typed and was not taken yet, in its order.
#[derive(Debug, Default)]
pub(super) struct Typing {
    /// The parts on their way that the host tells of: what they count, with the quiet ones before
    /// them, and who waits for them; nobody for the first parts of what is long.
    sent: VecDeque<(usize, Option<oneshot::Sender<()>>)>,
    /// What the quiet parts behind those count.
    quiet: usize,
    waiting: VecDeque<(Vec<u8>, Option<oneshot::Sender<()>>)>,
    sent_bytes: usize,
    waiting_bytes: usize,
}

/// What is sent at once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) bytes: Vec<u8>,
    /// Whether the host is not to tell that it has taken this.
    pub(super) quiet: bool,
}

impl Typing {
    /// Adds what somebody types, who is told when it was taken. Who does not wait for that has it
    /// typed quietly where it is short: an answer to each key would be one more turn of both processes
    /// in front of the key's echo.
    pub(super) fn add(&mut self, bytes: &[u8], taken: oneshot::Sender<()>) {
        self.waiting_bytes += bytes.len();
        let mut parts = bytes.chunks(PART);
        let last = parts.next_back().unwrap_or_default();
        self.waiting.extend(parts.map(|part| (part.to_vec(), None)));
        self.waiting.push_back((last.to_vec(), Some(taken)));
    }

    /// The next part, if it may be sent.
    pub(super) fn next(&mut self) -> Option<Part> {
        if self.sent_bytes >= MOST_SENT {
            return None;
        }
        let (part, taken) = self.waiting.pop_front()?;
        let counts = part.len().max(LEAST);
        self.waiting_bytes -= part.len();
        self.sent_bytes += counts;
        let is_awaited = taken.as_ref().is_none_or(|taken| !taken.is_closed());
        let quiet = !is_awaited && counts == LEAST && self.quiet + counts <= MOST_QUIET;
        self.quiet += counts;
        if !quiet {
            self.sent.push_back((std::mem::take(&mut self.quiet), taken));
        }
        Some(Part { bytes: part, quiet })
    }

    /// The host has taken the oldest part on its way that it tells of, and all in front of that.
    pub(super) fn taken(&mut self) {
        let Some((counts, taken)) = self.sent.pop_front() else { return };
        self.sent_bytes -= counts;
        if let Some(taken) = taken {
            let _ = taken.send(());
        }
    }

    /// How much can't be sent yet, in bytes.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(typing: &mut Typing) -> usize {
        std::iter::from_fn(|| typing.next()).map(|part| part.bytes.len()).sum()
    }

    /// Adds keys that nobody waits for.
    fn press(typing: &mut Typing, count: usize) {
        for _ in 0..count {
            typing.add(b"x", oneshot::channel().0);
        }
    }

    #[test]
    fn no_more_is_on_its_way_than_a_host_takes() {
        let mut typing = Typing::default();
        let (taken, mut is_taken) = oneshot::channel();
        let (last, mut is_last_taken) = oneshot::channel();
        typing.add(&vec![0; 2 * MOST_TYPED + 1], taken);
        typing.add(b"", last);
        assert_eq!(sent(&mut typing), MOST_SENT);
        let mut parts = 0;
        while is_taken.try_recv().is_err() {
            typing.taken();
            parts += 1;
            assert!(sent(&mut typing) <= PART && typing.sent_bytes <= MOST_TYPED);
        }
        assert_eq!((parts, typing.waiting_bytes()), (2 * MOST_TYPED / PART + 1, 0));
        assert!(is_last_taken.try_recv().is_err());
        typing.taken();
        assert!(is_last_taken.try_recv().is_ok());
        // A host that says too much is no harm.
        typing.taken();
        assert_eq!(typing.sent_bytes, 0);
    }

    #[test]
    fn many_small_parts_are_many() {
        let mut typing = Typing::default();
        press(&mut typing, 10_000);
        assert_eq!(sent(&mut typing), MOST_SENT / LEAST);
    }

    #[test]
    fn a_key_that_nobody_waits_for_is_quiet_and_no_end_of_them() {
        let mut typing = Typing::default();
        let (taken, mut is_taken) = oneshot::channel();
        typing.add(b"a", taken);
        assert!(!typing.next().unwrap().quiet);
        press(&mut typing, MOST_QUIET / LEAST + 1);
        for _ in 0..MOST_QUIET / LEAST {
            assert!(typing.next().unwrap().quiet);
        }
        // The host has to take ever less ahead, if it does not tell.
        assert!(!typing.next().unwrap().quiet);
        typing.add(&[b'x'; LEAST + 1], oneshot::channel().0);
        assert!(!typing.next().unwrap().quiet);
        typing.taken();
        assert!(is_taken.try_recv().is_ok());
        typing.taken();
        assert_eq!(typing.sent_bytes, LEAST + 1);
        typing.taken();
        assert_eq!(typing.sent_bytes, 0);
    }
}
