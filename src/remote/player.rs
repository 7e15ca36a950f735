//! What plays the engine: the one loop of a connection.

use std::{
    collections::{HashMap, VecDeque},
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use mcp_repl_control::{Decoder, Deed, LONGEST_REQUEST, SessionInfo, ToClient, ToHost, encode};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{
    alarm::Alarm,
    connection::End,
    open::is_gone,
    typing::{Part, Typing},
    words,
};
use crate::{
    reply::{Deed as Did, Failure, Reply, Status, attachment_from_wire, from_wire},
    screen::Size,
    session::client::{
        Answer, Completion, Description, EngineCommand, OnDrop, PersonAct, Request, ScreenUpdate,
        Subscriber,
    },
};

/// How much may wait to be written, in bytes: a few of the longest messages. A host reads at once
/// whatever its session does, so one that is so far behind does not read at all.
const MOST_UNSENT: usize = 8 * LONGEST_REQUEST;
/// How much later than its time a call's reply may come, before its host counts as stopped. The
/// host itself ends each call in time; this is for one that hangs or is held.
const LATEST: Duration = Duration::from_secs(10);
/// How long a host takes at most to find a part of a long output.
const LONGEST_SHOW: Duration = Duration::from_secs(20);
/// How long what was said last may take to be written when nobody holds the session any more.
const LEAVING: Duration = Duration::from_secs(1);

/// Both directions, and what was read and not taken yet.
pub(super) struct Streams<R, W> {
    pub(super) reader: R,
    pub(super) writer: W,
    pub(super) decoder: Decoder<ToClient>,
    /// What is read into.
    pub(super) buffer: Vec<u8>,
}

/// What is on its way.
#[derive(Debug)]
pub(super) struct Player {
    /// By which subscribers ask for the screen.
    own: mpsc::WeakUnboundedSender<EngineCommand>,
    /// The last number that something was asked by.
    last_id: u64,
    calls: HashMap<u64, Call>,
    /// Replies that were handed on, by their call: whether they were told.
    receipts: Vec<(u64, oneshot::Receiver<bool>)>,
    typing: Typing,
    completing: HashMap<u64, oneshot::Sender<Completion>>,
    showing: HashMap<u64, Showing>,
    describing: VecDeque<Asker>,
    subscribers: Vec<Subscriber>,
    out: Outgoing,
    alarm: Alarm,
    /// When it is enough, once nobody holds the session any more.
    leaves_at: Option<Instant>,
}

/// A call that waits for its reply.
#[derive(Debug)]
struct Call {
    reply: oneshot::Sender<Answer>,
    progress: Option<mpsc::UnboundedSender<String>>,
    on_drop: OnDrop,
    /// When its host counts as stopped; `None` for never.
    deadline: Option<Instant>,
}

/// A part of a long output that is asked for.
#[derive(Debug)]
struct Showing {
    answer: oneshot::Sender<Result<String, String>>,
    /// When its host counts as stopped.
    deadline: Instant,
}

/// Who asks about the session.
#[derive(Debug)]
enum Asker {
    Engine(oneshot::Sender<Description>),
    Session(oneshot::Sender<SessionInfo>),
}

/// What is to be written.
#[derive(Debug, Default)]
struct Outgoing {
    bytes: Vec<u8>,
    /// How many of them were written.
    sent: usize,
}

impl Outgoing {
    fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    fn push(&mut self, message: &ToHost, bytes: &[u8]) {
        self.push_encoded(encode(message, bytes));
    }

    fn push_encoded(&mut self, message: Vec<u8>) {
        if self.is_empty() {
            (self.bytes, self.sent) = (message, 0);
            return;
        }
        if self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
        self.bytes.extend_from_slice(&message);
    }

    /// Writes a part. Cancel safe.
    async fn write(&mut self, writer: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        match writer.write(&self.bytes[self.sent..]).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            length => self.sent += length,
        }
        if self.is_empty() {
            // What was long once is not kept.
            (self.bytes, self.sent) = (Vec::new(), 0);
        }
        Ok(())
    }
}

impl Player {
    /// One that was asked nothing yet; subscribers ask it for the screen over `own`.
    pub(super) fn new(own: mpsc::WeakUnboundedSender<EngineCommand>) -> Player {
        Player {
            own,
            last_id: 0,
            calls: HashMap::new(),
            receipts: Vec::new(),
            typing: Typing::default(),
            completing: HashMap::new(),
            showing: HashMap::new(),
            describing: VecDeque::new(),
            subscribers: Vec::new(),
            out: Outgoing::default(),
            alarm: Alarm::default(),
            leaves_at: None,
        }
    }

    /// Takes commands and messages until the connection ends, and says why it did. What waits for
    /// an answer then gets none once this is dropped.
    pub(super) async fn run<R, W>(
        &mut self,
        streams: Streams<R, W>,
        mut commands: mpsc::UnboundedReceiver<EngineCommand>,
        mut described: mpsc::UnboundedReceiver<oneshot::Sender<SessionInfo>>,
    ) -> End
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let Streams { mut reader, mut writer, mut decoder, mut buffer } = streams;
        loop {
            if self.unsent() > MOST_UNSENT {
                return End::Silent;
            }
            let is_leaving = self.leaves_at.is_some();
            if is_leaving && self.out.is_empty() {
                return End::Left;
            }
            let due = self.calls.values().filter_map(|call| call.deadline);
            let due = due.chain(self.showing.values().map(|showing| showing.deadline)).min();
            let due = self.leaves_at.or(due);
            tokio::select! {
                biased;
                // What was not told, or is not wanted, comes before what is said next: the reply to that
                // begins with it.
                (id, told) = next_receipt(&mut self.receipts) => self.receipt(id, told),
                id = next_given_up(&mut self.calls) => self.give_up(id),
                command = commands.recv(), if !is_leaving => match command {
                    Some(command) => self.command(command),
                    None => self.leave(),
                },
                Some(answer) = described.recv() => {
                    self.describing.push_back(Asker::Session(answer));
                    self.out.push(&ToHost::Describe, &[]);
                }
                written = self.out.write(&mut writer), if !self.out.is_empty() => {
                    if let Err(error) = written {
                        // What the host said last is still there to be read.
                        return self.rest(&mut decoder).unwrap_or_else(|| broken(&error));
                    }
                }
                read = reader.read(&mut buffer), if !is_leaving => match read {
                    Ok(0) => return End::Closed,
                    Ok(length) => {
                        decoder.push(&buffer[..length]);
                        if let Some(end) = self.rest(&mut decoder) {
                            return end;
                        }
                    }
                    Err(error) => return broken(&error),
                },
                () = self.alarm.at(due) => {
                    return if is_leaving { End::Left } else { End::Silent };
                }
            }
        }
    }

    /// Takes all messages that are there. Why the connection has ended, if one of them says so.
    fn rest(&mut self, decoder: &mut Decoder<ToClient>) -> Option<End> {
        loop {
            match decoder.next_message() {
                Ok(Some((message, bytes))) => {
                    if let Some(end) = self.receive(message, bytes) {
                        return Some(end);
                    }
                }
                Ok(None) => return None,
                Err(error) => return Some(End::Protocol(error.to_string())),
            }
        }
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn command(&mut self, command: EngineCommand) {
        match command {
            EngineCommand::Call { request, reply, .. } => self.call(request, reply),
            EngineCommand::Keystrokes { bytes, taken, .. } => {
                self.typing.add(&bytes, taken);
                self.type_more();
            }
            EngineCommand::Resize { size: Size { columns, rows } } => {
                self.out.push(&ToHost::Resize { columns, rows, pin: false }, &[]);
            }
            EngineCommand::Pin { size: Size { columns, rows }, .. } => {
                self.out.push(&ToHost::Resize { columns, rows, pin: true }, &[]);
            }
            EngineCommand::Subscribe { wants, subscription, .. } => {
                let id = self.next_id();
                let (subscriber, given) = Subscriber::new(wants, id, self.own.clone());
                if subscription.send(given).is_ok() {
                    self.subscribers.push(subscriber);
                    self.subscribe();
                }
            }
            // The whole screen comes anew, for all of them.
            EngineCommand::Repaint { .. } => self.subscribe(),
            EngineCommand::People { attached } => {
                self.out.push(&ToHost::People { attached }, &[]);
            }
            EngineCommand::Person { act, .. } => match act {
                PersonAct::Hold { on } => self.out.push(&ToHost::Hold { on }, &[]),
                PersonAct::Approve { on } => self.out.push(&ToHost::Approve { on }, &[]),
                PersonAct::Decide { proposal: id, decision } => {
                    self.ask(&ToHost::Decide { id, decision: words::decision(decision) });
                }
            },
            EngineCommand::Show { part, answer, .. } => {
                let id = self.next_id();
                if self.ask(&ToHost::Show { id, part }) {
                    self.showing.retain(|_, showing| !showing.answer.is_closed());
                    let deadline = Instant::now() + LONGEST_SHOW + LATEST;
                    self.showing.insert(id, Showing { answer, deadline });
                } else {
                    let _ = answer.send(Err("there is no such part".into()));
                }
            }
            EngineCommand::Complete { text, cursor, answer } => {
                let id = self.next_id();
                self.completing.retain(|_, answer| !answer.is_closed());
                if self.ask(&ToHost::Complete { id, text, cursor }) {
                    self.completing.insert(id, answer);
                }
            }
            EngineCommand::Describe { answer } => {
                self.describing.push_back(Asker::Engine(answer));
                self.out.push(&ToHost::Describe, &[]);
            }
            EngineCommand::Shutdown => self.out.push(&ToHost::End, &[]),
            // A connection is one client: who it is was said in its hello, and it leaves when it
            // ends. Replies are taken back by their receipts, nobody follows from elsewhere, and
            // only a host has something to tell all.
            EngineCommand::Leave { .. }
            | EngineCommand::Introduce { .. }
            | EngineCommand::Return { .. }
            | EngineCommand::Tell { .. }
            | EngineCommand::Follow { .. } => {}
        }
    }

    fn call(&mut self, request: Request, reply: oneshot::Sender<Answer>) {
        let Request { payload, timeout, progress, on_drop, person } = request;
        // Given up before it was sent: nothing has happened.
        if reply.is_closed() {
            return;
        }
        let id = self.next_id();
        let (input, keys) = words::of_payload(payload);
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let tells = progress.is_some();
        let message = ToHost::Call { id, input, keys, timeout_ms, progress: tells, person };
        let deadline =
            timeout.checked_add(LATEST).and_then(|wait| Instant::now().checked_add(wait));
        let message = encode(&message, &[]);
        if message.len() > LONGEST_REQUEST {
            let why = format!(
                "the input is too long ({} bytes on the way). Nothing was run.",
                message.len()
            );
            let _ = reply.send(refusal(why).into());
            return;
        }
        self.out.push_encoded(message);
        self.calls.insert(id, Call { reply, progress, on_drop, deadline });
    }

    /// Asks for what the subscribers want of all there is.
    fn subscribe(&mut self) {
        let screen = self.subscribers.iter().any(|one| one.wants().screen);
        let pictures = self.subscribers.iter().any(|one| one.wants().pictures);
        self.out.push(&ToHost::Subscribe { screen, pictures }, &[]);
    }

    /// Sends a question, if it is no longer than a host takes.
    fn ask(&mut self, question: &ToHost) -> bool {
        let message = encode(question, &[]);
        let fits = message.len() <= LONGEST_REQUEST;
        if fits {
            self.out.push_encoded(message);
        }
        fits
    }

    /// Sends of what is typed what may be sent.
    fn type_more(&mut self) {
        while let Some(part) = self.typing.next() {
            let Part { bytes, quiet } = part;
            self.out.push(&ToHost::Type { length: bytes.len(), quiet }, &bytes);
        }
    }

    /// How much waits to be written, in bytes.
    fn unsent(&self) -> usize {
        self.out.bytes.len() - self.out.sent + self.typing.waiting_bytes()
    }

    /// Whoever made the call wants no reply any more.
    fn give_up(&mut self, id: u64) {
        if let Some(call) = self.calls.remove(&id) {
            let interrupt = call.on_drop.interrupts();
            self.out.push(&ToHost::Cancel { id, interrupt }, &[]);
        }
    }

    fn receipt(&mut self, id: u64, told: bool) {
        let receipt = if told { ToHost::Told { id } } else { ToHost::Untold { id } };
        self.out.push(&receipt, &[]);
    }

    /// Nobody holds the session any more: what is to be said is said, and no more.
    fn leave(&mut self) {
        self.leaves_at = Some(Instant::now() + LEAVING);
        for (id, mut told) in std::mem::take(&mut self.receipts) {
            if let Ok(told) = told.try_recv() {
                self.receipt(id, told);
            }
        }
    }

    /// Gives what came to whom it is for. Why the connection has ended, if this says so.
    fn receive(&mut self, message: ToClient, bytes: Vec<u8>) -> Option<End> {
        match message {
            ToClient::Welcome(_) => return Some(End::Protocol("a second welcome".into())),
            ToClient::Error { message } => return Some(End::Refused(message)),
            ToClient::Refused { id: Some(id), message } => self.refused(id, message),
            ToClient::Reply { id, reply } => match self.calls.remove(&id) {
                Some(call) => {
                    let (answer, is_told) = Answer::of_another(from_wire(reply));
                    self.receipts.push((id, is_told));
                    // One that nobody takes says that it was not told.
                    let _ = call.reply.send(answer);
                }
                // It crossed a cancel.
                None => self.receipt(id, false),
            },
            ToClient::Progress { id, line } => {
                if let Some(progress) = self.calls.get(&id).and_then(|call| call.progress.as_ref())
                {
                    let _ = progress.send(line);
                }
            }
            ToClient::Typed => {
                self.typing.taken();
                self.type_more();
            }
            ToClient::Repaint { columns, rows, .. } => {
                let size = Size { columns, rows };
                self.show(ScreenUpdate::Repaint { size, bytes });
            }
            ToClient::Output { echo: false, .. } => self.show(ScreenUpdate::Bytes(bytes)),
            ToClient::Output { echo: true, .. } => self.show(ScreenUpdate::Echo(bytes)),
            ToClient::Completion { id, start, matches, is_incomplete } => {
                if let Some(answer) = self.completing.remove(&id) {
                    let _ = answer.send(Completion { start, matches, is_incomplete });
                }
            }
            ToClient::Shown { id, text, failed } => {
                if let Some(Showing { answer, .. }) = self.showing.remove(&id) {
                    let _ = answer.send(if failed { Err(text) } else { Ok(text) });
                }
            }
            ToClient::Session(info) => match self.describing.pop_front() {
                Some(Asker::Engine(answer)) => drop(answer.send(words::description(&info))),
                Some(Asker::Session(answer)) => drop(answer.send(*info)),
                None => {}
            },
            ToClient::State { state } => {
                self.show(ScreenUpdate::Standing(words::standing(&state)));
            }
            ToClient::Attached { attachment } => {
                if let Some(attachment) = attachment_from_wire(attachment) {
                    self.show(ScreenUpdate::Attached(attachment));
                }
            }
            ToClient::Missed => self.show(ScreenUpdate::Missed),
            ToClient::Did(Deed { client, what, text }) => {
                if let Some(deed) = Did::of_words(&what, text) {
                    self.show(ScreenUpdate::Did { client, deed });
                }
            }
            ToClient::Here { members } => {
                self.show(ScreenUpdate::Here(members.into_iter().map(words::present).collect()));
            }
            ToClient::Hands(hands) => self.show(ScreenUpdate::Hands(words::hands(hands))),
            ToClient::Proposed { id, client, source } => {
                self.show(ScreenUpdate::Proposed { id, client, source });
            }
            ToClient::Settled { id } => self.show(ScreenUpdate::Settled { id }),
            ToClient::Refused { id: None, .. } => {}
        }
        None
    }

    /// What has this number is not done.
    fn refused(&mut self, id: u64, why: String) {
        self.completing.remove(&id);
        if let Some(Showing { answer, .. }) = self.showing.remove(&id) {
            let _ = answer.send(Err(why));
        } else if let Some(call) = self.calls.remove(&id) {
            let _ = call.reply.send(refusal(why).into());
        }
    }

    fn show(&mut self, update: ScreenUpdate) {
        self.subscribers.retain(|subscriber| !subscriber.is_gone());
        if let Some((last, others)) = self.subscribers.split_last() {
            for subscriber in others {
                subscriber.show(update.clone());
            }
            last.show(update);
        }
    }
}

/// The reply to a call that was not made.
fn refusal(why: String) -> Reply {
    Reply::without_text(Status::Failed { failure: Failure::Told(why) }, false)
}

/// Why the connection has ended that gives this error. A socket whose other side closed it with
/// something unread is reset, which is no other end.
fn broken(error: &io::Error) -> End {
    if is_gone(error.kind()) { End::Closed } else { End::Broken(error.to_string()) }
}

/// The next reply of which it is known whether it was told.
async fn next_receipt(receipts: &mut Vec<(u64, oneshot::Receiver<bool>)>) -> (u64, bool) {
    let ready = |receipts: &mut Vec<(u64, oneshot::Receiver<bool>)>, context: &mut Context<'_>| {
        receipts.iter_mut().enumerate().find_map(|(place, (_, told))| {
            match Pin::new(told).poll(context) {
                Poll::Ready(told) => Some((place, told.unwrap_or(false))),
                Poll::Pending => None,
            }
        })
    };
    poll_fn(|context| match ready(receipts, context) {
        Some((place, told)) => Poll::Ready((receipts.remove(place).0, told)),
        None => Poll::Pending,
    })
    .await
}

/// The first call that whoever made it has given up.
async fn next_given_up(calls: &mut HashMap<u64, Call>) -> u64 {
    poll_fn(|context| {
        let mut given_up = calls.iter_mut().filter_map(|(id, call)| {
            let is_given_up = call.reply.poll_closed(context).is_ready();
            is_given_up.then_some(*id)
        });
        given_up.next().map_or(Poll::Pending, Poll::Ready)
    })
    .await
}
