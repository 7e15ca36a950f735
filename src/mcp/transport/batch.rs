//! Batches: several messages on one line, whose replies go out on one line, too. Part of MCP
//! 2025-03-26 alone (Basic protocol, Messages, Batching; JSON-RPC 2.0, section 6).

use std::collections::HashSet;

use rmcp::model::{JsonRpcMessage, ProtocolVersion, RequestId, ServerJsonRpcMessage, ServerResult};

/// The batches that are not answered yet, and whether the client may send any.
#[derive(Debug, Default)]
pub(super) struct Batches {
    agreed: bool,
    open: Vec<Batch>,
}

/// One whose replies are kept until all are there.
#[derive(Debug)]
struct Batch {
    /// The requests without a reply.
    waiting: HashSet<RequestId>,
    /// The replies, each a JSON object.
    replies: Vec<Vec<u8>>,
}

impl Batch {
    /// Its replies as a line, once all are there; `None` too when there is nothing to be answered.
    fn line(&self) -> Option<Vec<u8>> {
        let is_due = self.waiting.is_empty() && !self.replies.is_empty();
        is_due.then(|| [b"[", &self.replies.join(&b","[..])[..], b"]\n"].concat())
    }
}

impl Batches {
    /// Whether the version agreed on has batches.
    pub(super) fn are_agreed(&self) -> bool {
        self.agreed
    }

    /// The server says this: with the version, perhaps, that it agrees to.
    pub(super) fn observe(&mut self, message: &ServerJsonRpcMessage) {
        if let JsonRpcMessage::Response(response) = message
            && let ServerResult::InitializeResult(result) = &response.result
        {
            self.agreed = result.protocol_version == ProtocolVersion::V_2025_03_26;
        }
    }

    /// A batch has come with these requests to be acted on, and these replies to others. Gives the
    /// line that answers it, if that is all.
    pub(super) fn begin(
        &mut self,
        waiting: HashSet<RequestId>,
        replies: Vec<Vec<u8>>,
    ) -> Option<Vec<u8>> {
        self.open.push(Batch { waiting, replies });
        self.end(self.open.len() - 1)
    }

    /// The server sends this message, as JSON, which answers a request of this id, if any. Gives
    /// what goes out now, as a line.
    pub(super) fn send(
        &mut self,
        answers: Option<&RequestId>,
        mut json: Vec<u8>,
    ) -> Option<Vec<u8>> {
        match answers.and_then(|id| self.take(id)) {
            Some(place) => {
                self.open[place].replies.push(json);
                self.end(place)
            }
            None => {
                json.push(b'\n');
                Some(json)
            }
        }
    }

    /// The client wants no reply to this request. Gives the line that answers its batch, if all
    /// others are answered.
    pub(super) fn cancel(&mut self, id: &RequestId) -> Option<Vec<u8>> {
        let place = self.take(id)?;
        self.end(place)
    }

    /// The lines with what is there of the replies, when no more come.
    pub(super) fn finish(&mut self) -> impl Iterator<Item = Vec<u8>> {
        self.open.drain(..).filter_map(|mut batch| {
            batch.waiting.clear();
            batch.line()
        })
    }

    /// Takes a request out of those that wait. Where its batch is.
    fn take(&mut self, id: &RequestId) -> Option<usize> {
        self.open.iter_mut().position(|batch| batch.waiting.remove(id))
    }

    /// Closes a batch in which nothing waits any more.
    fn end(&mut self, place: usize) -> Option<Vec<u8>> {
        let is_over = self.open[place].waiting.is_empty();
        if is_over { self.open.remove(place).line() } else { None }
    }
}
