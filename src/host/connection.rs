//! One connection to a session: what its peer says is done, and what comes of it is written, in
//! one task that never waits for a peer that does not read.

mod here;
mod pending;
mod place;

use std::{future, sync::Arc, time::Duration};

use mcp_repl_control::{
    Attachments, Decoder, FrameError, LONGEST_REQUEST, MOST_TYPED, PROTOCOL, Role, ToClient,
    ToHost, Welcome,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use self::{
    here::Here,
    pending::{Done, Pending},
    place::{Seat, let_in},
};
use super::{
    Host,
    outgoing::Outgoing,
    room::{Admitted, Closing},
    sleep_until, words,
};
use crate::{
    reply::{attachment_to_wire, budget_from_wire, to_wire},
    screen::Size,
    session::{
        client::{
            Answer, ClientInfo, Completion, OnDrop, Request, ScreenUpdate, Subscription, Wants,
        },
        pipeline::Standing,
        rules::payload::{INTERRUPT, Payload},
    },
};

/// After so many messages no more is read until the session has taken them.
const MOST_AHEAD: usize = 256;
/// How many calls and requests of a connection may be unanswered, or answered and not told.
pub(super) const MOST_OPEN: usize = 256;
/// How much may wait to be typed before a peer has to wait for `typed`, in bytes.
pub(super) const MOST_UNTAKEN: usize = 1 << 20;
/// The longest wait of a call; what is above is taken as this.
pub(super) const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// How much may wait to be written while more is read of the peer, in bytes.
const MOST_UNWRITTEN: usize = 256 * 1024;
/// How much may wait to be written while more of the screen is added, in bytes.
const MOST_SCREEN: usize = 64 * 1024;
/// How long a peer has for what it is told last.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Why a connection ends.
enum End {
    /// Its peer has gone, or takes nothing.
    Gone,
    /// What it said can't be taken: it is told so.
    Broken(String),
    /// It was told to close, and perhaps why.
    Closed(Option<String>),
}

impl From<FrameError> for End {
    fn from(error: FrameError) -> End {
        End::Broken(error.to_string())
    }
}

/// Serves one connection until it ends.
pub(super) async fn serve<R, W>(host: Arc<Host>, mut reader: R, mut writer: W)
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin,
{
    let (hello, rest, admitted) = match let_in(&host, &mut reader).await {
        Ok(guest) => guest,
        Err(why) => return tell_last(&mut writer, why).await,
    };
    let Admitted { number, client, resume, others, had_clients, closing } = admitted;
    let is_resumed = client.is_some();
    let client = client.unwrap_or_else(|| host.session.join());
    let budget = hello.budget.as_ref().map(budget_from_wire);
    let attach = hello.attach.map(|attach| words::attach(&attach, &host.record.name));
    let who = ClientInfo { name: hello.name.clone(), budget, is_person: false, attach };
    client.introduce(who.clone());
    let mut connection = Connection {
        role: hello.role,
        who,
        attachments: hello.budget.map(|budget| budget.attachments).unwrap_or_default(),
        seat: Seat { host: host.clone(), number, client: Some(client), has_called: is_resumed },
        outgoing: Outgoing::new(),
        pending: Pending::default(),
        untold: Untold::default(),
        subscription: None,
        here: Here::new(&host, number),
        is_running: false,
        ahead: 0,
    };
    let welcome = ToClient::Welcome(Welcome {
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").into(),
        session: host.record.name.to_string(),
        started_ms: host.record.started_ms,
        had_clients,
        others,
        is_alive: host.is_alive().await,
        resume,
        sandbox: host.record.sandbox.clone(),
    });
    connection.outgoing.add(&welcome);
    let mut decoder = Decoder::new(LONGEST_REQUEST, MOST_TYPED);
    decoder.push(&rest);
    let end = connection.run(&mut reader, &mut writer, decoder, closing).await;
    connection.finish(&mut writer, end).await;
}

/// Tells a peer why it is not let in, or out.
async fn tell_last<W: AsyncWrite + Unpin>(writer: &mut W, message: String) {
    let mut outgoing = Outgoing::new();
    outgoing.add(&ToClient::Error { message });
    flush(&mut outgoing, writer).await;
}

/// Writes all that the peer takes within a short time.
async fn flush<W: AsyncWrite + Unpin>(outgoing: &mut Outgoing, writer: &mut W) {
    let _ = tokio::time::timeout(LAST_WORDS, outgoing.write_all(writer)).await;
}

/// Replies that were written, and of which the peer has not said whether they were told.
#[derive(Default)]
struct Untold(Vec<(u64, Answer)>);

impl Untold {
    fn take(&mut self, id: u64) -> Option<Answer> {
        let place = self.0.iter().position(|(other, _)| *other == id)?;
        Some(self.0.remove(place).1)
    }
}

impl Drop for Untold {
    fn drop(&mut self) {
        // Each goes in front of what is there.
        while self.0.pop().is_some() {}
    }
}

/// One that was let in. What is dropped first gives the session back what was not told.
struct Connection {
    pending: Pending,
    untold: Untold,
    subscription: Option<Subscription>,
    here: Here,
    outgoing: Outgoing,
    role: Role,
    who: ClientInfo,
    attachments: Attachments,
    /// Whether a cell runs, as the peer was told of the session last.
    is_running: bool,
    /// How many messages came since the session was known to have taken them.
    ahead: usize,
    seat: Seat,
}

impl Connection {
    async fn run<R, W>(
        &mut self,
        reader: &mut R,
        writer: &mut W,
        mut decoder: Decoder<ToHost>,
        mut closing: Closing,
    ) -> End
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            while self.listens() {
                match decoder.next_message() {
                    Ok(Some((message, bytes))) => {
                        self.count();
                        if let Err(end) = self.take(message, bytes) {
                            return end;
                        }
                    }
                    Ok(None) => break,
                    Err(error) => return error.into(),
                }
            }
            let reads = self.listens();
            let Connection { outgoing, pending, subscription, here, .. } = self;
            let looks_on = subscription.is_some();
            let shows = outgoing.len() < MOST_SCREEN;
            let given_up = outgoing.deadline();
            tokio::select! {
                biased;
                why = &mut closing => return End::Closed(why.ok()),
                written = outgoing.write(writer), if !outgoing.is_empty() => {
                    if written.is_err() {
                        self.hear_out(reader, &mut decoder).await;
                        return End::Gone;
                    }
                }
                read = reader.read(&mut buffer), if reads => match read {
                    Ok(0) | Err(_) => return End::Gone,
                    Ok(length) => decoder.push(&buffer[..length]),
                },
                done = pending.next() => self.done(done),
                update = next_update(subscription), if shows => {
                    if self.is_running {
                        // The reply to who runs it goes first, and what comes with it leaves at once.
                        tokio::task::yield_now().await;
                    }
                    self.show_all(update);
                }
                // Behind the screen, of which more may be there.
                here = here.next(), if shows && looks_on => self.outgoing.add_screen(&here, &[]),
                () = sleep_until(given_up) => return End::Gone,
            }
        }
    }

    /// Hears what a peer that takes nothing any more had said of its replies before: what it told
    /// is not to be told again.
    async fn hear_out<R: AsyncRead + Unpin>(
        &mut self,
        reader: &mut R,
        decoder: &mut Decoder<ToHost>,
    ) {
        let mut buffer = [0; 4096];
        let hears = async {
            loop {
                while let Ok(Some((message, _))) = decoder.next_message() {
                    if let ToHost::Told { id } = message {
                        self.untold.take(id).map(Answer::told);
                    }
                }
                match reader.read(&mut buffer).await {
                    Ok(0) | Err(_) => return,
                    Ok(length) => decoder.push(&buffer[..length]),
                }
            }
        };
        let _ = tokio::time::timeout(LAST_WORDS, hears).await;
    }

    /// Whether more is to be read. The peer's end is noticed all the same while it is not: when
    /// what is written fails, or a moment later.
    fn listens(&self) -> bool {
        self.outgoing.len() < MOST_UNWRITTEN && !self.pending.is_fenced()
    }

    /// Counts a message: a flood of them must not pile up in front of the session.
    fn count(&mut self) {
        self.ahead += 1;
        if self.ahead == MOST_AHEAD {
            self.ahead = 0;
            let session = self.seat.host.session.clone();
            self.pending.fence(async move { drop(session.worker().await) });
        }
    }

    /// Says the last words, and lets go of everything.
    async fn finish<W: AsyncWrite + Unpin>(mut self, writer: &mut W, end: End) {
        match end {
            End::Gone => {}
            // All is over: the place is kept until it was told.
            End::Closed(None) => {
                while let Some(done) = self.pending.ready() {
                    self.done(done);
                }
                flush(&mut self.outgoing, writer).await;
            }
            // The place is given up before, since others may wait for it.
            End::Broken(message) | End::Closed(Some(message)) => {
                let mut outgoing = self.let_go();
                outgoing.add(&ToClient::Error { message });
                flush(&mut outgoing, writer).await;
            }
        }
    }

    /// Gives the session back what was not told, and the place to others. What is left to write.
    fn let_go(self) -> Outgoing {
        let Connection { pending, untold, seat, outgoing, .. } = self;
        drop((pending, untold, seat));
        outgoing
    }

    /// Does what the peer says.
    fn take(&mut self, message: ToHost, bytes: Vec<u8>) -> Result<(), End> {
        if let Some((id, message)) = self.refusal(&message) {
            self.outgoing.add(&ToClient::Refused { id, message });
            return Ok(());
        }
        let client = self.seat.client.as_ref().ok_or(End::Gone)?;
        match message {
            ToHost::Open(_) | ToHost::Hello(_) => {
                return Err(End::Broken("a host takes one `hello`, and no `open`".into()));
            }
            ToHost::Call { id, input, keys, timeout_ms, progress, person } => {
                if self.pending.has_call(id) || self.untold.0.iter().any(|(other, _)| *other == id)
                {
                    return Err(End::Broken(format!("there is a call {id} already")));
                }
                let payload = match Payload::parse(&input, keys) {
                    Ok(payload) => payload,
                    Err(error) => {
                        let message = format!("{error}. Nothing was run.");
                        self.outgoing.add(&ToClient::Refused { id: Some(id), message });
                        return Ok(());
                    }
                };
                let timeout = Duration::from_millis(timeout_ms).min(LONGEST_TIMEOUT);
                let on_drop = OnDrop::default();
                let request = Request { payload, timeout, progress: None, on_drop, person };
                self.pending.call(id, client, request, progress);
                self.seat.has_called = true;
                self.seat.host.is_used();
            }
            ToHost::Cancel { id, interrupt } => {
                self.pending.cancel(id, interrupt);
                // A reply that the cancel has crossed is not told.
                drop(self.untold.take(id));
            }
            ToHost::Told { id } => {
                self.untold.take(id).map(Answer::told);
            }
            ToHost::Untold { id } => drop(self.untold.take(id)),
            ToHost::Type { quiet, .. } => {
                if self.pending.typed() > MOST_UNTAKEN {
                    let message = format!(
                        "more than {MOST_UNTAKEN} bytes were sent to be typed without waiting for \
                         `typed`"
                    );
                    return Err(End::Broken(message));
                }
                self.seat.host.is_used();
                let length = bytes.len();
                let taken = client.type_bytes(bytes);
                self.pending.type_bytes(length, quiet, taken);
            }
            // It is taken at once, and needs no receipt.
            ToHost::Interrupt => drop(client.type_bytes(vec![INTERRUPT as u8])),
            ToHost::Resize { columns, rows, pin } => {
                let size = Size { columns, rows };
                match size.is_window() {
                    true if pin => client.pin(size),
                    true => client.resize(size),
                    false => {}
                }
            }
            ToHost::People { attached } => {
                self.who.is_person = attached;
                client.introduce(self.who.clone());
                self.seat.host.people(self.seat.number, attached);
            }
            ToHost::Hold { on } => client.hold(on),
            ToHost::Approve { on } => client.approve(on),
            ToHost::Decide { id, decision } => client.decide(id, words::decision(decision)),
            ToHost::Subscribe { screen, pictures } => {
                if !screen {
                    self.here.is_due();
                }
                self.seat.host.room().watch(self.seat.number).map_err(End::Broken)?;
                // One that is on its way is as good.
                if !self.pending.is_subscribing() {
                    self.subscription = None;
                    self.pending.subscribe(client.look_on(Wants { screen, pictures }));
                }
            }
            ToHost::Complete { id, text, cursor } => {
                let completion = client.complete(text, cursor);
                self.pending.ask(async move {
                    let Completion { start, matches, is_incomplete } = completion.await;
                    ToClient::Completion { id, start, matches, is_incomplete }
                });
            }
            ToHost::Show { id, part } => {
                let shown = client.show(part);
                self.pending.ask(async move {
                    let shown = shown.await;
                    let failed = shown.is_err();
                    let (Ok(text) | Err(text)) = shown;
                    ToClient::Shown { id, text, failed }
                });
            }
            ToHost::Describe => {
                let host = self.seat.host.clone();
                self.pending
                    .describe(async move { ToClient::Session(Box::new(host.describe().await)) });
            }
            ToHost::End => self.seat.host.end.notify_one(),
        }
        Ok(())
    }

    /// Why this is not done, if it is not, and the number of the request.
    fn refusal(&self, message: &ToHost) -> Option<(Option<u64>, String)> {
        let id = match message {
            ToHost::Call { id, .. } | ToHost::Complete { id, .. } | ToHost::Show { id, .. } => {
                Some(*id)
            }
            _ => None,
        };
        if let Some(what) = self.forbidden(message) {
            return Some((id, format!("a connection that only looks on may not {what}")));
        }
        let is_for_people = matches!(message, ToHost::Hold { .. } | ToHost::Approve { .. });
        if is_for_people && !self.who.is_person {
            return Some((id, "only a client that has said `people` may do that".into()));
        }
        let is_full = self.pending.asked() + self.untold.0.len() >= MOST_OPEN;
        let full = || format!("{MOST_OPEN} calls are open, or their replies not told");
        (id.is_some() && is_full).then(|| (id, full()))
    }

    /// What one of this role may not do.
    fn forbidden(&self, message: &ToHost) -> Option<&'static str> {
        if self.role == Role::Client {
            return None;
        }
        match message {
            ToHost::Call { .. } => Some("make calls"),
            ToHost::Type { .. } => Some("type"),
            ToHost::Interrupt => Some("interrupt"),
            ToHost::Resize { .. } => Some("resize the terminal"),
            ToHost::People { .. } => Some("bring people"),
            ToHost::Hold { .. } => Some("take the session over"),
            ToHost::Approve { .. } => Some("approve"),
            ToHost::Decide { .. } => Some("decide"),
            ToHost::End if self.role == Role::Observer => Some("end the session"),
            _ => None,
        }
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Call { id, answer: Some(answer) } => {
                // What was shown before the reply is told before.
                if let Some(subscription) = &mut self.subscription {
                    while let Some(update) = subscription.try_next() {
                        show(&mut self.outgoing, &mut self.here, &mut self.is_running, update);
                    }
                }
                let reply = to_wire(answer.reply(), self.attachments);
                self.outgoing.add(&ToClient::Reply { id, reply });
                self.untold.0.push((id, answer));
            }
            Done::Call { id, answer: None } => {
                let message = "the session is gone".into();
                self.outgoing.add(&ToClient::Refused { id: Some(id), message });
            }
            Done::Progress { id, line } => {
                // The next one says more.
                if self.outgoing.len() < MOST_UNWRITTEN {
                    self.outgoing.add(&ToClient::Progress { id, line });
                }
            }
            Done::Message(message) => self.outgoing.add(&message),
            Done::Subscribed(subscription) => self.subscription = subscription,
            Done::Taken => {}
        }
    }

    fn show_all(&mut self, update: Option<ScreenUpdate>) {
        let Some(update) = update else {
            self.subscription = None;
            return;
        };
        show(&mut self.outgoing, &mut self.here, &mut self.is_running, update);
        while self.outgoing.len() < MOST_SCREEN
            && let Some(update) = self.subscription.as_mut().and_then(Subscription::try_next)
        {
            show(&mut self.outgoing, &mut self.here, &mut self.is_running, update);
        }
    }
}

fn show(outgoing: &mut Outgoing, here: &mut Here, is_running: &mut bool, update: ScreenUpdate) {
    match update {
        ScreenUpdate::Repaint { size, bytes } => {
            here.is_due();
            let Size { columns, rows } = size;
            let message = ToClient::Repaint { columns, rows, length: bytes.len() };
            outgoing.add_screen(&message, &bytes);
        }
        ScreenUpdate::Bytes(bytes) => {
            outgoing.add_screen(&ToClient::Output { length: bytes.len(), echo: false }, &bytes);
        }
        ScreenUpdate::Echo(bytes) => {
            outgoing.add_screen(&ToClient::Output { length: bytes.len(), echo: true }, &bytes);
        }
        ScreenUpdate::Standing(standing) => {
            *is_running = matches!(standing, Standing::Running { .. });
            outgoing.add_screen(&ToClient::State { state: words::state(standing) }, &[]);
        }
        ScreenUpdate::Attached(attachment) => {
            let attachment = attachment_to_wire(&attachment);
            outgoing.add_screen(&ToClient::Attached { attachment }, &[]);
        }
        ScreenUpdate::Hands(hands) => {
            outgoing.add_screen(&ToClient::Hands(words::hands(hands)), &[]);
        }
        ScreenUpdate::Proposed { id, client, source } => {
            outgoing.add_screen(&ToClient::Proposed { id, client, source }, &[]);
        }
        ScreenUpdate::Settled { id } => outgoing.add_screen(&ToClient::Settled { id }, &[]),
        ScreenUpdate::Missed => {
            here.is_due();
            outgoing.add_screen(&ToClient::Missed, &[]);
        }
        ScreenUpdate::Did { client, deed } => {
            outgoing.add_screen(&ToClient::Did(words::deed(client, &deed)), &[]);
        }
        // Only a host knows who is there, and tells it itself.
        ScreenUpdate::Here(_) => {}
    }
}

async fn next_update(subscription: &mut Option<Subscription>) -> Option<ScreenUpdate> {
    match subscription {
        Some(subscription) => subscription.next().await,
        None => future::pending().await,
    }
}
