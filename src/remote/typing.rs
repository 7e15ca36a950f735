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

/// What is typed and was not taken yet, in its order.
#[derive(Debug, Default)]
pub(super) struct Typing {
    /// The parts on their way: what they count, and who waits for them; nobody for the first parts of
    /// what is long.
    sent: VecDeque<(usize, Option<oneshot::Sender<()>>)>,
    waiting: VecDeque<(Vec<u8>, Option<oneshot::Sender<()>>)>,
    sent_bytes: usize,
    waiting_bytes: usize,
}

impl Typing {
    /// Adds what somebody types, who is told when it was taken.
    pub(super) fn add(&mut self, bytes: &[u8], taken: oneshot::Sender<()>) {
        self.waiting_bytes += bytes.len();
        let mut parts = bytes.chunks(PART);
        let last = parts.next_back().unwrap_or_default();
        self.waiting.extend(parts.map(|part| (part.to_vec(), None)));
        self.waiting.push_back((last.to_vec(), Some(taken)));
    }

    /// The next part, if it may be sent.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        if self.sent_bytes >= MOST_SENT {
            return None;
        }
        let (part, taken) = self.waiting.pop_front()?;
        let counts = part.len().max(LEAST);
        self.waiting_bytes -= part.len();
        self.sent_bytes += counts;
        self.sent.push_back((counts, taken));
        Some(part)
    }

    /// The host has taken the oldest part on its way.
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
        std::iter::from_fn(|| typing.next()).map(|part| part.len()).sum()
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
        for _ in 0..10_000 {
            typing.add(b"x", oneshot::channel().0);
        }
        assert_eq!(sent(&mut typing), MOST_SENT / LEAST);
    }
}
