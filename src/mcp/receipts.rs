//! What became of a call's reply: a reply counts as told only when the transport took it.
//!
//! A cancel may cross the reply on its way through rmcp, which then drops the reply without a
//! word. So the transport, which sees both, keeps a receipt of each call: it lays it into the
//! request, the handler puts the reply there, and the transport says what became of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, JsonRpcMessage, RequestId,
    ServerJsonRpcMessage,
};

use crate::session::client::Answer;

/// What became of the reply to one call. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub(super) struct Receipt(Arc<Mutex<Progress>>);

#[derive(Debug, Default)]
enum Progress {
    /// There is no reply yet.
    #[default]
    Open,
    /// The reply is on its way to the transport.
    Answered(Answer),
    /// The client wants no reply, for this reason.
    Cancelled(Option<String>),
    /// The reply could not be sent.
    Unsent,
}

impl Receipt {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reply is on its way to the transport. If the call was cancelled it goes back.
    pub(super) fn answered(&self, answer: Answer) {
        let mut progress = self.progress();
        if matches!(*progress, Progress::Open) {
            *progress = Progress::Answered(answer);
        }
    }

    /// The transport took the reply.
    fn taken(&self) {
        if let Progress::Answered(answer) = std::mem::take(&mut *self.progress()) {
            answer.told();
        }
    }

    /// The client wants no reply: one that is on its way goes back.
    fn cancelled(&self, reason: Option<String>) {
        *self.progress() = Progress::Cancelled(reason);
    }

    /// The reply could not be sent, and goes back.
    fn unsent(&self) {
        *self.progress() = Progress::Unsent;
    }

    /// Whether the client has cancelled the call, and the reason that it gave.
    pub(super) fn cancel_reason(&self) -> Option<Option<String>> {
        match &*self.progress() {
            Progress::Cancelled(reason) => Some(reason.clone()),
            _ => None,
        }
    }
}

/// The receipts of the calls that have no reply yet, as the transport keeps them.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    calls: HashMap<RequestId, Receipt>,
}

impl Receipts {
    /// The client sent this, which is about to be acted on. Gives the id of a request that gets no
    /// reply from here on.
    pub(super) fn received(&mut self, message: &mut ClientJsonRpcMessage) -> Option<RequestId> {
        match message {
            JsonRpcMessage::Request(request) => {
                if let ClientRequest::CallToolRequest(call) = &mut request.request {
                    let receipt = Receipt::default();
                    call.extensions.insert(receipt.clone());
                    self.calls.insert(request.id.clone(), receipt);
                }
            }
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) =
                    &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    if let Some(receipt) = self.calls.remove(id) {
                        receipt.cancelled(cancelled.params.reason.clone());
                    }
                    return Some(id.clone());
                }
            }
            _ => {}
        }
        None
    }

    /// This was sent, or could not be: then a reply goes back.
    pub(super) fn sent(&mut self, id: Option<&RequestId>, sent: bool) {
        if let Some(receipt) = id.and_then(|id| self.calls.remove(id)) {
            if sent { receipt.taken() } else { receipt.unsent() }
        }
    }
}

/// The id of the request that a message answers.
pub(super) fn answered_id(message: &ServerJsonRpcMessage) -> Option<RequestId> {
    match message {
        JsonRpcMessage::Response(response) => Some(response.id.clone()),
        JsonRpcMessage::Error(error) => error.id.clone(),
        _ => None,
    }
}
