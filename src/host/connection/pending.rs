//! What a connection has asked of its session and has no answer to. All of it is polled by the
//! connection's own task, so that what is given up is dropped at once, in the order of the
//! messages.

use std::{future, pin::Pin, task::Poll};

use mcp_repl_control::ToClient;
use tokio::sync::mpsc;

use crate::session::client::{Answer, Client, OnDrop, Request, Subscription};

/// Something that came.
pub(super) enum Done {
    /// The answer to a call; `None` when the session is gone.
    Call { id: u64, answer: Option<Answer> },
    /// How a call goes on.
    Progress { id: u64, line: String },
    /// The answer to something else.
    Message(ToClient),
    /// The screen; `None` when the session is gone.
    Subscribed(Option<Subscription>),
    /// The session has taken what was sent before, of which the peer is not told.
    Taken,
}

type Answering = Pin<Box<dyn Future<Output = Done> + Send>>;

/// All that is asked, in order.
#[derive(Default)]
pub(super) struct Pending(Vec<Asked>);

impl Drop for Pending {
    fn drop(&mut self) {
        // A reply that is there goes back, in front of those of later calls.
        while self.0.pop().is_some() {}
    }
}

struct Asked {
    what: What,
    answering: Answering,
}

enum What {
    Call { id: u64, on_drop: OnDrop, progress: Option<mpsc::UnboundedReceiver<String>> },
    Typing { bytes: usize },
    Subscription,
    Description,
    Fence,
    Other,
}

impl Pending {
    /// Makes a call.
    pub(super) fn call(&mut self, id: u64, client: &Client, request: Request, progress: bool) {
        let mut request = request;
        let on_drop = request.on_drop.clone();
        let progress = progress.then(|| {
            let (sender, lines) = mpsc::unbounded_channel();
            request.progress = Some(sender);
            lines
        });
        let answer = client.ask(request);
        let answering = async move { Done::Call { id, answer: answer.await } };
        self.add(What::Call { id, on_drop, progress }, answering);
    }

    /// So many bytes are typed; the peer is told when they were taken, unless it wants that `quiet`.
    pub(super) fn type_bytes(
        &mut self,
        bytes: usize,
        quiet: bool,
        taken: impl Future<Output = ()> + Send + 'static,
    ) {
        self.add(What::Typing { bytes }, async move {
            taken.await;
            if quiet { Done::Taken } else { Done::Message(ToClient::Typed) }
        });
    }

    /// The screen is looked at.
    pub(super) fn subscribe(
        &mut self,
        subscription: impl Future<Output = Option<Subscription>> + Send + 'static,
    ) {
        self.add(What::Subscription, async { Done::Subscribed(subscription.await) });
    }

    /// The session is described.
    pub(super) fn describe(&mut self, answer: impl Future<Output = ToClient> + Send + 'static) {
        self.add(What::Description, async { Done::Message(answer.await) });
    }

    /// Nothing more is to be read until this is done.
    pub(super) fn fence(&mut self, done: impl Future<Output = ()> + Send + 'static) {
        self.add(What::Fence, async {
            done.await;
            Done::Taken
        });
    }

    /// Something else that is asked, which has a number.
    pub(super) fn ask(&mut self, answer: impl Future<Output = ToClient> + Send + 'static) {
        self.add(What::Other, async { Done::Message(answer.await) });
    }

    fn add(&mut self, what: What, answering: impl Future<Output = Done> + Send + 'static) {
        self.0.push(Asked { what, answering: Box::pin(answering) });
    }

    /// Gives a call up; its cell is interrupted, or goes on.
    pub(super) fn cancel(&mut self, id: u64, interrupt: bool) {
        self.0.retain(|asked| match &asked.what {
            What::Call { id: other, on_drop, .. } if *other == id => {
                if interrupt {
                    on_drop.interrupt();
                }
                false
            }
            _ => true,
        });
    }

    /// Whether there is a call of this number.
    pub(super) fn has_call(&self, id: u64) -> bool {
        let is_it = |what: &What| matches!(what, What::Call { id: other, .. } if *other == id);
        self.0.iter().any(|asked| is_it(&asked.what))
    }

    /// Whether the screen is about to be looked at.
    pub(super) fn is_subscribing(&self) -> bool {
        self.0.iter().any(|asked| matches!(asked.what, What::Subscription))
    }

    /// Whether nothing more is to be read.
    pub(super) fn is_fenced(&self) -> bool {
        self.0.iter().any(|asked| matches!(asked.what, What::Fence))
    }

    /// How many calls and requests that have a number have no answer.
    pub(super) fn asked(&self) -> usize {
        let counts = |what: &What| matches!(what, What::Call { .. } | What::Other);
        self.0.iter().filter(|asked| counts(&asked.what)).count()
    }

    /// How many bytes wait to be typed; an empty message counts as one.
    pub(super) fn typed(&self) -> usize {
        let bytes = self.0.iter().map(|asked| match asked.what {
            What::Typing { bytes } => bytes.max(1024),
            _ => 0,
        });
        bytes.sum()
    }

    /// What comes next. Cancel safe.
    pub(super) async fn next(&mut self) -> Done {
        future::poll_fn(|context| {
            for place in 0..self.0.len() {
                let Asked { what, answering } = &mut self.0[place];
                if let What::Call { id, progress: Some(lines), .. } = what
                    && let Poll::Ready(Some(line)) = lines.poll_recv(context)
                {
                    return Poll::Ready(Done::Progress { id: *id, line });
                }
                if let Poll::Ready(done) = answering.as_mut().poll(context) {
                    self.0.remove(place);
                    return Poll::Ready(done);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// What is there already.
    pub(super) fn ready(&mut self) -> Option<Done> {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::pin!(self.next()).poll(&mut context) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }
}
