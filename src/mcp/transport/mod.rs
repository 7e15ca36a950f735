//! The transport rmcp runs on: one client's bytes in and out, a line a message.
//!
//! rmcp's own transport drops a line that is not JSON without a word, so that its client waits
//! for ever; here every such line gets its answer.
//!
//! ```text
//! lines            bytes -> lines, within bounded memory
//! decode           a line -> a message, or a refusal
//! refusal          why a line is refused, and the answer that says so
//! batch            several messages on a line, and their replies on one
//! id_finder        the id of a line that is no valid JSON
//! lone_surrogates  JSON that is no UTF-8 text, repaired
//! output_queue     messages -> bytes, never waiting for the client
//! ```

mod batch;
mod decode;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod id_finder;
mod lines;
mod lone_surrogates;
mod output_queue;
mod refusal;

use std::collections::{HashSet, VecDeque};
use std::io;

use rmcp::model::{ClientJsonRpcMessage, JsonRpcMessage, ServerJsonRpcMessage};
use rmcp::service::RoleServer;
use rmcp::transport::Transport;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::oneshot;

use self::batch::Batches;
use self::decode::{Decoded, decode};
use self::lines::{LONGEST_LINE, Lines};
use self::output_queue::OutputQueue;
use self::refusal::Refusal;
use super::receipts::{Receipts, answered_id};

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum End {
    /// The client sends no more. It may still read.
    Input,
    /// The client reads no more.
    Output,
}

/// One client's pair of streams.
#[derive(Debug)]
pub(super) struct LineTransport<R> {
    reader: R,
    lines: Lines,
    output: OutputQueue,
    receipts: Receipts,
    batches: Batches,
    /// Messages that came in a batch, and are not acted on yet.
    queued: VecDeque<Box<ClientJsonRpcMessage>>,
    end: Option<End>,
    ended: Option<oneshot::Sender<End>>,
}

impl<R: AsyncRead + Send + Unpin> LineTransport<R> {
    /// A transport over the two streams; `ended` is told when the connection has ended.
    pub(super) fn new<W>(reader: R, writer: W, ended: oneshot::Sender<End>) -> Self
    where
        W: AsyncWrite + Send + Unpin + 'static,
    {
        LineTransport {
            reader,
            lines: Lines::new(LONGEST_LINE),
            output: OutputQueue::new(writer),
            receipts: Receipts::default(),
            batches: Batches::default(),
            queued: VecDeque::new(),
            end: None,
            ended: Some(ended),
        }
    }

    /// The next message among the lines that have come.
    fn next_message(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            if let Some(mut message) = self.queued.pop_front() {
                if let Some(id) = self.receipts.received(&mut message)
                    && let Some(line) = self.batches.cancel(&id)
                {
                    self.output.put(line);
                }
                return Some(*message);
            }
            match decode(self.lines.next_line()?, self.batches.are_agreed()) {
                Decoded::Message(message) => self.queued.push_back(message),
                Decoded::Nothing => {}
                Decoded::Refused(refusals) => {
                    for refusal in refusals {
                        self.output.put(refusal.line());
                    }
                }
                Decoded::Batch(messages) => self.begin_batch(messages),
            }
        }
    }

    fn begin_batch(&mut self, batch: Vec<Decoded>) {
        let (mut waiting, mut replies) = (HashSet::new(), Vec::new());
        for decoded in batch {
            match decoded {
                Decoded::Message(message) => {
                    // Of two with one id, one is answered.
                    if let JsonRpcMessage::Request(request) = &*message {
                        waiting.insert(request.id.clone());
                    }
                    self.queued.push_back(message);
                }
                Decoded::Refused(refusals) => replies.extend(refusals.iter().map(Refusal::json)),
                Decoded::Nothing | Decoded::Batch(_) => {}
            }
        }
        if let Some(line) = self.batches.begin(waiting, replies) {
            self.output.put(line);
        }
    }

    /// Waits for more lines, or for the client to read what waits for it.
    ///
    /// Dropping the future loses nothing. While the client reads too little its input is only
    /// stored, to notice when it ends, and nothing of it is acted on.
    async fn wait(&mut self) {
        if self.output.is_broken() {
            self.end = Some(End::Output);
            return;
        }
        let may_read = self.output.has_room() || !self.lines.is_full();
        tokio::select! {
            biased;
            () = self.output.changed() => {}
            read = self.reader.read_buf(self.lines.space()), if may_read => {
                // A read fails when the other end is gone, as with a terminal that hung up.
                if !read.is_ok_and(|count| count > 0) {
                    self.lines.finish();
                    self.end = Some(End::Input);
                }
            }
        }
    }
}

impl<R: AsyncRead + Send + Unpin> Transport<RoleServer> for LineTransport<R> {
    type Error = io::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let answers = answered_id(&message);
        // Done here, not in the future: messages leave in the order of these calls.
        self.batches.observe(&message);
        let sent = serde_json::to_vec(&message).map_err(io::Error::from).and_then(|json| {
            let line = self.batches.send(answers.as_ref(), json);
            let is_put = line.is_none_or(|line| self.output.put(line));
            if is_put { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
        });
        self.receipts.sent(answers.as_ref(), sent.is_ok());
        std::future::ready(sent)
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            if self.output.has_room()
                && let Some(message) = self.next_message()
            {
                return Some(message);
            }
            if let Some(end) = self.end {
                if let Some(ended) = self.ended.take() {
                    let _ = ended.send(end);
                }
                return None;
            }
            self.wait().await;
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        for line in self.batches.finish() {
            self.output.put(line);
        }
        self.output.close().await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    mod batches;
    mod connection;
    mod messages;
}
