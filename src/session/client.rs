//! The door to a running session: what a client holds to make calls, to type and to look on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};

use super::{
    pipeline::{Standing, WorkerInfo},
    rules::{payload::Payload, state::ClientId},
    subscribers::SubscriberId,
};
use crate::{
    reply::{Content, Notice, Reply},
    screen::Size,
};

pub use super::followers::{Follow, Following, Piece};
pub use super::pipeline::{ClientInfo, Hands};
pub use super::rules::complete::Completion;
pub use super::rules::hands::{Decision, Needed, PersonAct, ProposalId};
pub(crate) use super::subscribers::Subscriber;
pub use super::subscribers::{Present, ScreenUpdate, Subscription, Wants};

/// One call of a client.
#[derive(Debug)]
pub struct Request {
    /// What is sent.
    pub payload: Payload,
    /// How long the caller waits.
    pub timeout: Duration,
    /// Where to send the last line on the screen while the call waits, at most one a second; empty
    /// while nothing was printed since the call came.
    pub progress: Option<mpsc::UnboundedSender<String>>,
    /// What becomes of the cell when the call is given up.
    pub on_drop: OnDrop,
    /// What a person is asked for with the reply.
    pub person: Option<String>,
}

impl Request {
    /// One that asks for nothing in particular: of its progress nothing is told, and its cell goes on
    /// when it is given up.
    pub fn new(payload: Payload, timeout: Duration) -> Request {
        Request { payload, timeout, progress: None, on_drop: OnDrop::default(), person: None }
    }
}

/// How long a call waits that has no time of its own: longer than anybody does.
pub const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// What becomes of a call's cell when its wait is dropped: it goes on, unless somebody has said
/// before that it is to be interrupted. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct OnDrop(Arc<AtomicBool>);

impl OnDrop {
    /// The cell is to be interrupted.
    pub fn interrupt(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is.
    pub fn interrupts(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What is said to the engine.
#[derive(Debug)]
pub enum EngineCommand {
    /// A client has gone.
    Leave {
        /// Its number.
        client: ClientId,
    },
    /// A client says who it is: before its first call, and when it has changed.
    Introduce {
        /// Its number.
        client: ClientId,
        /// Who it is.
        who: ClientInfo,
    },
    /// Make a call. Dropping the receiver ends the wait, and what the request says of the work.
    Call {
        /// Who makes it.
        client: ClientId,
        /// The call.
        request: Request,
        /// Where its reply goes.
        reply: oneshot::Sender<Answer>,
    },
    /// A reply did not reach its client.
    Return {
        /// Whose it is.
        client: ClientId,
        /// The reply.
        reply: Reply,
    },
    /// Type into the terminal.
    Keystrokes {
        /// Who types.
        client: ClientId,
        /// What a terminal would send.
        bytes: Vec<u8>,
        /// Told when not too much waits to be typed.
        taken: oneshot::Sender<()>,
    },
    /// Have the terminal keep a size until this client goes.
    Pin {
        /// Who.
        client: ClientId,
        /// The size.
        size: Size,
    },
    /// Change the terminal's size.
    Resize {
        /// The new one.
        size: Size,
    },
    /// Look on.
    Subscribe {
        /// What it is told of.
        wants: Wants,
        /// Its number.
        client: ClientId,
        /// Where the subscription goes.
        subscription: oneshot::Sender<Subscription>,
    },
    /// Tell a client all as it comes.
    Follow {
        /// Whom.
        client: ClientId,
        /// What.
        follow: Follow,
        /// Where that goes.
        following: oneshot::Sender<Following>,
    },
    /// A subscriber that was too slow has caught up.
    Repaint {
        /// Its number.
        subscriber: SubscriberId,
    },
    /// People have attached, or the last one has left.
    People {
        /// Whether there is one.
        attached: bool,
    },
    /// A person says whose hands the session is in.
    Person {
        /// Their client.
        client: ClientId,
        /// What they do.
        act: PersonAct,
    },
    /// Show a part of a long output that was kept; nothing is run for it.
    Show {
        /// Who asks.
        client: ClientId,
        /// Which part, as the tool's argument `show` has it.
        part: String,
        /// Where the text goes, or why there is none.
        answer: oneshot::Sender<Result<String, String>>,
    },
    /// Complete a name.
    Complete {
        /// The cell so far.
        text: String,
        /// Where in it, in characters.
        cursor: usize,
        /// Where the answer goes: dropped when nothing is known.
        answer: oneshot::Sender<Completion>,
    },
    /// Tell how things stand, and who the worker is.
    Describe {
        /// Where the answer goes.
        answer: oneshot::Sender<Description>,
    },
    /// Tell all clients this, in their next replies.
    Tell {
        /// What.
        notice: Notice,
    },
    /// End the session and the engine.
    Shutdown,
}

/// What an engine tells of its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// How things stand.
    pub standing: Standing,
    /// For how long no cell has run; nothing while one runs. Unknown of a session elsewhere: nothing.
    pub idle: Duration,
    /// Who the worker is; `None` while it has not said it, and when there is none.
    pub worker: Option<WorkerInfo>,
    /// The worker's process.
    pub worker_pid: Option<u32>,
}

impl EngineCommand {
    /// The client that makes a call; `None` of other commands.
    pub(super) fn caller(&self) -> Option<ClientId> {
        match self {
            EngineCommand::Call { client, .. } => Some(*client),
            _ => None,
        }
    }
}

/// A running session. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Handle {
    commands: mpsc::UnboundedSender<EngineCommand>,
    clients: Arc<AtomicU64>,
}

impl Handle {
    /// A handle, and the engine's end of it.
    pub fn new() -> (Handle, mpsc::UnboundedReceiver<EngineCommand>) {
        let (commands, receiver) = mpsc::unbounded_channel();
        (Handle { commands, clients: Arc::default() }, receiver)
    }

    /// The same for who must not keep the engine alive.
    pub(crate) fn downgrade(&self) -> mpsc::WeakUnboundedSender<EngineCommand> {
        self.commands.downgrade()
    }

    /// Becomes a client of the session, until that is dropped. Its replies tell what happens from
    /// its first call on; those of the first one that calls, also what happened before.
    pub fn join(&self) -> Client {
        let id = self.clients.fetch_add(1, Ordering::Relaxed) + 1;
        Client { id, commands: self.commands.clone() }
    }

    /// Becomes a client that says who it is.
    pub fn join_as(&self, who: ClientInfo) -> Client {
        let client = self.join();
        client.introduce(who);
        client
    }

    /// Tells whether people are attached to the session's terminal: pagers are left to them.
    pub fn people(&self, attached: bool) {
        let _ = self.commands.send(EngineCommand::People { attached });
    }

    /// Who the worker says it is; `None` while it did not, or when the engine is gone.
    pub async fn worker(&self) -> Option<WorkerInfo> {
        self.describe().await?.worker
    }

    /// How things stand, and who the worker is; `None` when the engine is gone.
    pub async fn describe(&self) -> Option<Description> {
        let (answer, told) = oneshot::channel();
        self.commands.send(EngineCommand::Describe { answer }).ok()?;
        told.await.ok()
    }

    /// Has all clients told this, in their next replies.
    pub fn tell(&self, notice: Notice) {
        let _ = self.commands.send(EngineCommand::Tell { notice });
    }

    /// Asks the engine to end the worker and itself.
    pub fn shutdown(&self) {
        let _ = self.commands.send(EngineCommand::Shutdown);
    }
}

/// Types for a client of a session.
#[derive(Debug)]
pub struct Typist {
    client: ClientId,
    commands: mpsc::UnboundedSender<EngineCommand>,
}

impl Typist {
    /// Types into the terminal, as a person does: at once, and without a reply. Waits while the
    /// program on the terminal is far behind with reading; dropping that changes nothing.
    pub fn type_bytes(&self, bytes: Vec<u8>) -> impl Future<Output = ()> + Send + use<> {
        let (taken, is_taken) = oneshot::channel();
        let _ = self.commands.send(EngineCommand::Keystrokes { client: self.client, bytes, taken });
        async { is_taken.await.unwrap_or_default() }
    }
}

/// One client of a session, with its own view of what it has not been told yet. Leaves when it is
/// dropped.
#[derive(Debug)]
pub struct Client {
    id: ClientId,
    commands: mpsc::UnboundedSender<EngineCommand>,
}

impl Client {
    /// Says who it is.
    pub fn introduce(&self, who: ClientInfo) {
        let _ = self.commands.send(EngineCommand::Introduce { client: self.id, who });
    }

    /// Makes a call, at once, and waits for its reply; `None` when the session's engine is gone.
    ///
    /// Dropping the future ends the wait and frees the way at once; what the call started
    /// goes on, unless the request says otherwise.
    pub fn call(&self, request: Request) -> impl Future<Output = Option<Reply>> + Send + use<> {
        let answer = self.ask(request);
        async { answer.await.map(Answer::told) }
    }

    /// Makes a call as [`Client::call`] does, for a caller that can fail to hand the reply on.
    pub fn ask(&self, request: Request) -> impl Future<Output = Option<Answer>> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        let _ = self.commands.send(EngineCommand::Call { client: self.id, request, reply });
        async { answer.await.ok() }
    }

    /// Types into the terminal, as [`Typist::type_bytes`] does.
    pub fn type_bytes(&self, bytes: Vec<u8>) -> impl Future<Output = ()> + Send + use<> {
        self.typist().type_bytes(bytes)
    }

    /// Who types for this client elsewhere: what nobody has read of it, this client is told.
    pub fn typist(&self) -> Typist {
        Typist { client: self.id, commands: self.commands.clone() }
    }

    /// Reads a part of a long output that was kept, as the tool's argument `show` names it; runs
    /// nothing.
    ///
    /// # Errors
    /// With what to do about it: there is no such output or part.
    pub fn show(
        &self,
        part: String,
    ) -> impl Future<Output = Result<String, String>> + Send + use<> {
        let (answer, shown) = oneshot::channel();
        let client = self.id;
        let _ = self.commands.send(EngineCommand::Show { client, part, answer });
        async { shown.await.unwrap_or_else(|_| Err("the session is gone".into())) }
    }

    /// What may stand at this place of a cell; nothing when that is not known, or takes too long.
    pub fn complete(
        &self,
        text: String,
        cursor: usize,
    ) -> impl Future<Output = Completion> + Send + use<> {
        let (answer, known) = oneshot::channel();
        let _ = self.commands.send(EngineCommand::Complete { text, cursor, answer });
        async { known.await.unwrap_or_default() }
    }

    /// Has the terminal keep this size, whoever types, until this client goes.
    pub fn pin(&self, size: Size) {
        let _ = self.commands.send(EngineCommand::Pin { client: self.id, size });
    }

    /// Changes the terminal's size, unless one is pinned, and tells the program on it.
    pub fn resize(&self, size: Size) {
        let _ = self.commands.send(EngineCommand::Resize { size });
    }

    /// Takes the session over, so that the calls of clients that are no people wait; or gives it back,
    /// which also says that a person is no longer needed. Only of a client that is a person
    /// ([`ClientInfo`]).
    pub fn hold(&self, on: bool) {
        self.act(PersonAct::Hold { on });
    }

    /// Is to be asked before each cell of a client that is no person
    /// ([`ScreenUpdate::Proposed`]), or no longer. Only of a client that is a person.
    pub fn approve(&self, on: bool) {
        self.act(PersonAct::Approve { on });
    }

    /// Says what becomes of a cell that this client was asked about. One that is settled is left as
    /// it is.
    pub fn decide(&self, proposal: ProposalId, decision: Decision) {
        self.act(PersonAct::Decide { proposal, decision });
    }

    fn act(&self, act: PersonAct) {
        let _ = self.commands.send(EngineCommand::Person { client: self.id, act });
    }

    /// Is told all as it comes, so that its replies have only the rest; nothing is missed. `None`
    /// when the engine is gone.
    pub async fn follow(&self, follow: Follow) -> Option<Following> {
        let (following, given) = oneshot::channel();
        let client = self.id;
        self.commands.send(EngineCommand::Follow { client, follow, following }).ok()?;
        given.await.ok()
    }

    /// Looks on: what is on the screen, then what is shown. `None` when the engine is gone.
    pub fn subscribe(&self) -> impl Future<Output = Option<Subscription>> + Send + use<> {
        self.look_on(Wants { screen: true, pictures: false })
    }

    /// Is told how things stand and what clients do, from now on, and nothing of the screen. `None`
    /// when the engine is gone.
    pub fn watch(&self) -> impl Future<Output = Option<Subscription>> + Send + use<> {
        self.look_on(Wants { screen: false, pictures: false })
    }

    /// Is told what it wants to be told of. `None` when the engine is gone.
    pub fn look_on(
        &self,
        wants: Wants,
    ) -> impl Future<Output = Option<Subscription>> + Send + use<> {
        let (subscription, given) = oneshot::channel();
        let client = self.id;
        let _ = self.commands.send(EngineCommand::Subscribe { wants, client, subscription });
        async { given.await.ok() }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.commands.send(EngineCommand::Leave { client: self.id });
    }
}

/// A reply on its way to its client, with its receipt: one that is dropped before it is
/// [`told`](Answer::told) goes back to the session, and the client's next reply begins with it.
#[derive(Debug)]
pub struct Answer {
    reply: Reply,
    receipt: Receipt,
    /// Who else asks whether it was told.
    watcher: Option<oneshot::Sender<bool>>,
}

/// What becomes of a reply that was told, or was not.
#[derive(Debug)]
enum Receipt {
    /// Nobody asks, or it was said already.
    Nobody,
    /// What was not told goes back to the session's engine.
    Engine { client: ClientId, commands: mpsc::WeakUnboundedSender<EngineCommand> },
    /// Somebody else hands it on: whether it was told.
    Other(oneshot::Sender<bool>),
}

impl Answer {
    /// A reply to a client, which goes back by way of `commands`.
    pub(crate) fn new(
        client: ClientId,
        reply: Reply,
        commands: mpsc::WeakUnboundedSender<EngineCommand>,
    ) -> Answer {
        Answer { reply, receipt: Receipt::Engine { client, commands }, watcher: None }
    }

    /// A reply of an engine elsewhere, and whether it was told.
    pub fn of_another(reply: Reply) -> (Answer, oneshot::Receiver<bool>) {
        let (receipt, is_told) = oneshot::channel();
        (Answer { reply, receipt: Receipt::Other(receipt), watcher: None }, is_told)
    }

    /// What is to be told.
    pub fn reply(&self) -> &Reply {
        &self.reply
    }

    /// What is to be told, to be kept: a copy where it may have to go back.
    pub fn to_tell(&mut self) -> Reply {
        match self.receipt {
            Receipt::Engine { .. } => self.reply.clone(),
            // Who hands it on elsewhere has its own.
            Receipt::Nobody | Receipt::Other(_) => self.take_reply(),
        }
    }

    /// Puts notices in front; gives whether they were told. For a reply of an engine elsewhere, which
    /// has its own and takes back none of these.
    pub fn begin_with(
        &mut self,
        notices: impl IntoIterator<Item = Notice>,
    ) -> oneshot::Receiver<bool> {
        self.reply.content.splice(0..0, notices.into_iter().map(Content::Notice));
        let (watcher, is_told) = oneshot::channel();
        self.watcher = Some(watcher);
        is_told
    }

    /// The reply has reached its client, or is as good as there.
    pub fn told(mut self) -> Reply {
        if let Some(watcher) = self.watcher.take() {
            let _ = watcher.send(true);
        }
        if let Receipt::Other(receipt) = std::mem::replace(&mut self.receipt, Receipt::Nobody) {
            let _ = receipt.send(true);
        }
        self.take_reply()
    }

    fn take_reply(&mut self) -> Reply {
        let status = self.reply.status.clone();
        std::mem::replace(&mut self.reply, Reply { content: Vec::new(), status })
    }
}

impl From<Reply> for Answer {
    /// A reply that nobody takes back.
    fn from(reply: Reply) -> Answer {
        Answer { reply, receipt: Receipt::Nobody, watcher: None }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        match std::mem::replace(&mut self.receipt, Receipt::Nobody) {
            Receipt::Nobody => {}
            Receipt::Engine { client, commands } => {
                if let Some(commands) = commands.upgrade() {
                    let reply = self.take_reply();
                    let _ = commands.send(EngineCommand::Return { client, reply });
                }
            }
            Receipt::Other(receipt) => {
                let _ = receipt.send(false);
            }
        }
    }
}
