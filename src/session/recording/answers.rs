//! Replies as recordings have them: as an agent reads them. Pure.

use std::collections::BTreeMap;

use crate::{
    reply::{Content, Reply, Status},
    session::rules::state::ClientId,
};

/// What clients are told.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// What clients that follow were told ahead of their next replies. How it is parted depends on
    /// when somebody looked.
    ahead: BTreeMap<ClientId, Vec<Content>>,
}

impl Answers {
    /// A client that follows is told this.
    pub(super) fn told(&mut self, client: ClientId, content: &[Content]) {
        self.ahead.entry(client).or_default().extend_from_slice(content);
    }

    /// A reply, with all that the client was told ahead of it; where its files are is another place
    /// each time.
    pub(super) fn text(&mut self, client: ClientId, reply: &Reply) -> String {
        let mut content = self.ahead.remove(&client).unwrap_or_default();
        // That there is nothing to report is said only where all was told ahead.
        let is_idle = |part: &Content| {
            matches!((part, &reply.status), (Content::Status(_), Status::Ready { .. }))
        };
        let has_more = !content.is_empty();
        content.extend(reply.content.iter().filter(|part| !(has_more && is_idle(part))).cloned());
        let mut whole = Reply { content, status: reply.status.clone() };
        whole.forget_place_of_text();
        whole.text()
    }
}
