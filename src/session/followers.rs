//! Clients that are told all as it comes, and miss nothing: while one is behind with taking it, the
//! terminal is not read, as any terminal holds a program back that prints too fast for it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{Notify, mpsc};

use super::rules::state::ClientId;
use crate::reply::Content;

/// How far a follower may be behind before the terminal is not read any more, in bytes.
const MOST_UNTAKEN: usize = 256 * 1024;

/// What a client follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// What its replies would say: text as soon as it can't change any more, pictures, notices.
    Text,
    /// The same, and what programs print, as it is: for a terminal that shows it. Who sits there
    /// types what programs ask for, so the client's calls wait for the end of what runs.
    Terminal {
        /// Whether somebody sits there.
        answers: bool,
    },
}

/// What a follower is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// What programs printed, marks taken out; for [`Follow::Terminal`] only.
    Bytes(Vec<u8>),
    /// What would be in the client's next reply, and is not any more.
    Content(Vec<Content>),
    /// A call of the client has its reply: all that was before it has been told, but for what is in
    /// the reply.
    Reply,
}

impl Piece {
    /// How much it keeps, about, in bytes.
    fn size(&self) -> usize {
        let size_of = |part: &Content| match part {
            Content::Text(text) => text.len(),
            Content::Attachment(one) => one.data.as_deref().map_or(0, str::len),
            Content::Notice(_) | Content::Status(_) => 0,
        };
        match self {
            Piece::Bytes(bytes) => bytes.len(),
            Piece::Content(content) => content.iter().map(size_of).sum(),
            Piece::Reply => 0,
        }
    }
}

/// The client's end.
#[derive(Debug)]
pub struct Following {
    pieces: mpsc::UnboundedReceiver<Piece>,
    untaken: Arc<AtomicUsize>,
    /// Tells the engine that this one is behind no more.
    caught_up: Arc<Notify>,
}

impl Following {
    /// The next piece; `None` when the session is gone. Cancel safe.
    pub async fn next(&mut self) -> Option<Piece> {
        let piece = self.pieces.recv().await?;
        let size = piece.size();
        let before = self.untaken.fetch_sub(size, Ordering::Relaxed);
        if before > MOST_UNTAKEN && before - size <= MOST_UNTAKEN {
            self.caught_up.notify_one();
        }
        Some(piece)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.pieces.close();
        self.caught_up.notify_one();
    }
}

/// The engine's end of all of them.
#[derive(Debug, Default)]
pub(super) struct Followers {
    caught_up: Arc<Notify>,
    all: Vec<Follower>,
}

#[derive(Debug)]
struct Follower {
    client: ClientId,
    takes_bytes: bool,
    pieces: mpsc::UnboundedSender<Piece>,
    untaken: Arc<AtomicUsize>,
}

impl Followers {
    /// Adds one.
    pub(super) fn add(&mut self, client: ClientId, follow: Follow) -> Following {
        let (pieces, receiver) = mpsc::unbounded_channel();
        let untaken = Arc::<AtomicUsize>::default();
        let takes_bytes = matches!(follow, Follow::Terminal { .. });
        self.all.push(Follower { client, takes_bytes, pieces, untaken: untaken.clone() });
        Following { pieces: receiver, untaken, caught_up: self.caught_up.clone() }
    }

    /// Whether one is so far behind that the terminal is to keep what it has.
    pub(super) fn are_behind(&self) -> bool {
        let is_behind = |follower: &Follower| {
            !follower.pieces.is_closed() && follower.untaken.load(Ordering::Relaxed) > MOST_UNTAKEN
        };
        self.all.iter().any(is_behind)
    }

    /// Where it is told that one is behind no more.
    pub(super) fn caught_up(&self) -> Arc<Notify> {
        self.caught_up.clone()
    }

    /// Programs printed this.
    pub(super) fn printed(&mut self, bytes: &[u8]) {
        for follower in self.all.iter().filter(|follower| follower.takes_bytes) {
            follower.tell(Piece::Bytes(bytes.to_vec()));
        }
    }

    /// Tells those of one client.
    pub(super) fn tell(&mut self, client: ClientId, piece: &Piece) {
        self.all.retain(|follower| !follower.pieces.is_closed());
        for follower in self.all.iter().filter(|follower| follower.client == client) {
            follower.tell(piece.clone());
        }
    }
}

impl Follower {
    fn tell(&self, piece: Piece) {
        // Before the other end can take it away.
        self.untaken.fetch_add(piece.size(), Ordering::Relaxed);
        let _ = self.pieces.send(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_that_is_behind_says_when_it_has_caught_up() {
        let mut followers = Followers::default();
        let mut slow = followers.add(1, Follow::Terminal { answers: false });
        let mut other = followers.add(2, Follow::Text);
        let bytes = vec![b'x'; MOST_UNTAKEN];
        followers.printed(&bytes);
        assert!(!followers.are_behind());
        let content = vec![Content::Text("text".into())];
        followers.tell(1, &Piece::Content(content.clone()));
        followers.tell(1, &Piece::Reply);
        assert!(followers.are_behind());
        let caught_up = followers.caught_up();
        let told = tokio::spawn(async move { caught_up.notified().await });
        assert_eq!(slow.next().await, Some(Piece::Bytes(bytes)));
        told.await.unwrap();
        assert!(!followers.are_behind());
        assert_eq!(slow.next().await, Some(Piece::Content(content)));
        assert_eq!(slow.next().await, Some(Piece::Reply));
        // Bytes are for terminals, and each client has its own replies.
        assert!(other.pieces.try_recv().is_err());
    }

    #[tokio::test]
    async fn one_that_has_gone_holds_nothing_back() {
        let mut followers = Followers::default();
        let gone = followers.add(1, Follow::Terminal { answers: false });
        followers.printed(&vec![b'x'; MOST_UNTAKEN + 1]);
        assert!(followers.are_behind());
        drop(gone);
        followers.caught_up().notified().await;
        assert!(!followers.are_behind());
    }
}
