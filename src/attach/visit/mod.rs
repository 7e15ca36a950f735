//! The loop of a person's visit: what is typed goes to the program or the line editor, what the
//! session shows to the terminal.

mod bar;
mod crop;
mod editing;
mod hands;
mod pictures;
mod show;
mod suspend;
mod typing;
mod typist;

use std::{collections::VecDeque, io, time::Duration};

use tokio::{
    sync::mpsc,
    task::{self, JoinHandle, JoinSet},
    time::Instant,
};

use bar::Bar;
use editing::{edited, taken};
use hands::InHands;
use pictures::Pictures;
use show::Begun;

use super::{
    Attachment, Left,
    editor::{Draft, Edited, Editor, SharedHistory},
    escape_key::EscapeKey,
    exit_status,
    feed::Feed,
    given::Given,
    keys::{Keys, Typed},
    outer::Outer,
    told,
};
use crate::{
    pty::{Request as Asked, Requests, TerminalInput},
    reply::{Deed, Exit, Notice, Reply, Status},
    screen::{Screen, Size},
    session::{
        client::{Client, FOR_EVER, Handle, Request, ScreenUpdate, Subscription, Wants},
        pipeline::Standing,
        rules::payload::Payload,
    },
    terminal,
};

/// How much is read of the keyboard at once, in bytes.
const MOST_TYPED: usize = 4096;
/// How much that is typed may wait for who takes it, in bytes.
const MOST_AHEAD: usize = 64 * 1024;
/// How far the terminal may be behind before no more is taken of what the session shows, in bytes.
const MOST_BEHIND: usize = 64 * 1024;
/// How many updates wait while a line is being edited.
const MOST_WAITING: usize = 256;
/// How long a line can be edited before it is taken off again to print above it.
const UNDISTURBED: Duration = Duration::from_millis(40);
/// How long what is typed behind a cell waits until it is known whether a program reads it, or the
/// line editor does.
const AHEAD: Duration = Duration::from_millis(100);
/// The same for a session that starts.
const AHEAD_OF_START: Duration = Duration::from_secs(3);
/// How long a terminal that takes nothing, or the editor, is waited for at the end.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the session tells, in its order.
#[derive(Debug)]
pub(super) enum Told {
    Update(ScreenUpdate),
    Lines(Vec<String>),
}

/// Who has the keyboard.
enum Keyboard {
    /// This loop.
    Loop,
    /// The line editor.
    Editor {
        editing: JoinHandle<(Editor, io::Result<Edited>)>,
        number: u16,
        since: Instant,
        is_stopping: bool,
    },
}

/// A question that the next key answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    /// Whether the session of one's own is to end.
    End,
}

pub(super) struct Visit {
    handle: Handle,
    client: Client,
    name: String,
    /// How others are told of this client.
    own: String,
    is_own: bool,
    observes: bool,
    input: TerminalInput,
    typing: mpsc::UnboundedSender<Vec<u8>>,
    pub(super) outer: Outer,
    /// What the session's terminal shows; `None` before it was told.
    pub(super) inner: Option<Screen>,
    pub(super) standing: Standing,
    /// What is to be shown once the line is taken off.
    waiting: VecDeque<Told>,
    keys: Keys,
    /// What was typed and nobody has taken yet.
    ahead: VecDeque<Typed>,
    /// What programs were given since the last cell of this client's began.
    given: Given,
    keyboard: Keyboard,
    /// `None` while it edits, and where there is none.
    editor: Option<Editor>,
    /// `None` where there is no editor.
    feed: Option<Feed>,
    /// Of cells, this person's and others'.
    pub(super) history: Option<SharedHistory>,
    /// How many editors there were.
    editors: u16,
    draft: Draft,
    /// Whether a row of a program's is to be gone on with, above the line.
    is_above: bool,
    /// Whether the terminal is ready for the editor, and whether its cursor is known to be in the last
    /// row then.
    is_prepared: bool,
    is_at_bottom: bool,
    calls: JoinSet<Option<Reply>>,
    /// Whether a cell of this client's was sent, and nothing is known of it.
    awaits_reply: bool,
    /// Whether the reply to the last cell came before its end.
    is_unfinished: bool,
    /// The call that asks what nobody has read of what was typed while a cell ran: keys wait for its
    /// reply.
    asks_unread: Option<task::Id>,
    /// Before that, keys wait.
    read_from: Option<Instant>,
    /// What this client did, of which it is told as well.
    pub(super) own_deeds: VecDeque<Deed>,
    /// The cell whose echo comes next.
    begun: Option<Begun>,
    question: Option<Question>,
    in_hands: InHands,
    /// What others did, and was not said yet.
    unsaid: Vec<String>,
    pictures: Pictures,
    /// The size of this terminal.
    size: Size,
    /// The size that the session's is to keep.
    pin: Option<Size>,
    escape: EscapeKey,
    bar: Bar,
    /// The modes that the terminal was given while it shows a part of the session's page.
    cropped: Option<Vec<u8>>,
    /// Whether the draft is to be edited in the person's own editor.
    edits_elsewhere: bool,
    /// Whether this process is to stop until it is continued.
    wants_stop: bool,
    /// Whether it was continued, which others may have stopped.
    was_stopped: bool,
}

impl Visit {
    pub(super) fn new(
        attachment: &Attachment,
        editing: Option<(Editor, Feed, SharedHistory)>,
        size: Size,
        input: TerminalInput,
    ) -> Visit {
        let handle = attachment.handle.clone();
        let (editor, feed, history) = match editing {
            Some((editor, feed, history)) => (Some(editor), Some(feed), Some(history)),
            None => (None, None, None),
        };
        let client = handle.join();
        let typing = typist::typist(client.typist());
        Visit {
            client,
            handle,
            name: attachment.name.clone(),
            own: attachment.client.clone(),
            is_own: attachment.is_own,
            observes: attachment.observes,
            input,
            typing,
            outer: Outer::new(size),
            inner: None,
            standing: Standing::Starting,
            waiting: VecDeque::new(),
            keys: Keys::new(attachment.escape),
            ahead: VecDeque::new(),
            given: Given::default(),
            keyboard: Keyboard::Loop,
            editor,
            feed,
            history,
            editors: 0,
            draft: attachment.draft.clone(),
            is_above: false,
            is_prepared: false,
            is_at_bottom: false,
            calls: JoinSet::new(),
            awaits_reply: false,
            is_unfinished: false,
            asks_unread: None,
            read_from: Some(Instant::now() + AHEAD_OF_START),
            own_deeds: VecDeque::new(),
            begun: None,
            question: None,
            in_hands: InHands::default(),
            unsaid: Vec::new(),
            pictures: Pictures::new(attachment.pictures),
            size,
            pin: attachment.pin,
            escape: attachment.escape,
            bar: Bar::new(attachment.has_status),
            cropped: None,
            edits_elsewhere: false,
            wants_stop: false,
            was_stopped: false,
        }
    }

    /// Until the person leaves, the session is gone or a signal comes. A line that was begun is kept in
    /// `draft`.
    pub(super) async fn run(
        mut self,
        mut requests: Requests,
        draft: &mut Draft,
    ) -> io::Result<Left> {
        match self.pin.filter(|_| !self.observes) {
            Some(size) => self.client.pin(size),
            None => self.lead(),
        }
        let wants = Wants { screen: true, pictures: self.pictures.are_wanted() };
        let left = match self.client.look_on(wants).await {
            Some(subscription) => self.rounds(&mut requests, subscription).await,
            None => Ok(Left::Gone),
        };
        let left = match left {
            Ok(Left::Ended { .. }) if self.is_over() => Ok(self.end_with_program().await),
            left => left,
        };
        if let Ok(Some(Ok((_, Ok(Edited::Stopped(draft)))))) = self.end_editor().await {
            self.draft = draft;
            self.take_off();
        }
        self.put_back().await;
        *draft = self.own_draft();
        left
    }

    async fn rounds(
        &mut self,
        requests: &mut Requests,
        mut subscription: Subscription,
    ) -> io::Result<Left> {
        let mut buffer = vec![0; MOST_TYPED];
        loop {
            if self.is_over() {
                return Ok(Left::Ended { status: 0 });
            }
            if let Some(left) = self.stop_or_go_on(requests).await? {
                return Ok(left);
            }
            if let Some(left) = self.edit_elsewhere(requests).await? {
                return Ok(left);
            }
            if let Some(left) = self.deliver()? {
                return Ok(left);
            }
            self.attend();
            if self.wants_stop || self.begin_editing()? {
                continue;
            }
            let is_editing = matches!(self.keyboard, Keyboard::Editor { .. });
            let is_read_from = self.read_from;
            let reads = self.ahead.iter().map(Typed::length).sum::<usize>() < MOST_AHEAD
                && !self.in_hands.holds_keys();
            let takes_more = self.outer.behind() < MOST_BEHIND
                && self.waiting.len() < MOST_WAITING
                && !self.begins_editing();
            let (stop_at, ask_until) = (self.stop_at(), self.pictures.until());
            let status_at = self.bar.due();
            let pasted_at = self.feed.as_ref().and_then(Feed::pasted_until);
            let answered_until = self.feed.as_ref().and_then(Feed::answered_until);
            let goes_on_at = self.in_hands.goes_on_at(self.outer.is_done());
            tokio::select! {
                biased;
                asked = requests.next() => if let Some(left) = self.heed(asked) {
                    return Ok(left);
                },
                written = self.outer.write(), if !self.outer.is_done() => written?,
                edited = edited(&mut self.keyboard), if is_editing => {
                    if let Some(left) = self.edited(edited)? {
                        return Ok(left);
                    }
                }
                taken = taken(&mut self.feed), if is_editing => taken?,
                length = self.input.read(&mut buffer), if reads => {
                    let length = length?;
                    if length == 0 {
                        return Ok(Left::Asked { signal: "SIGHUP" });
                    }
                    self.typed(&buffer[..length])?;
                }
                update = subscription.next(), if takes_more => {
                    let Some(update) = update else { return Ok(Left::Gone) };
                    self.told(Told::Update(update));
                }
                Some(replied) = self.calls.join_next_with_id() => {
                    let Ok((id, Some(reply))) = replied else { return Ok(Left::Gone) };
                    self.replied(&reply);
                    self.asks_unread.take_if(|asks| *asks == id);
                }
                drawn = self.pictures.drawn(), if self.pictures.is_busy() => {
                    self.drawn(drawn);
                }
                () = sleep_until(ask_until), if ask_until.is_some() => self.know_terminal(),
                () = sleep_until(answered_until), if answered_until.is_some() => {
                    self.feed.as_mut().map_or(Ok(()), Feed::is_unanswered)?;
                }
                () = sleep_until(pasted_at), if pasted_at.is_some() => {
                    self.feed.iter_mut().for_each(Feed::is_pasted);
                }
                () = sleep_until(status_at), if status_at.is_some() => self.show_status(),
                () = sleep_until(stop_at), if stop_at.is_some() => self.stop_editor()?,
                () = sleep_until(goes_on_at), if goes_on_at.is_some() => {}
                () = sleep_until(is_read_from), if is_read_from.is_some() => self.read_from = None,
            }
        }
    }

    /// What others ask of this process.
    fn heed(&mut self, asked: Asked) -> Option<Left> {
        match asked {
            Asked::End { signal } => return Some(Left::Asked { signal }),
            Asked::Interrupt => return Some(Left::Asked { signal: "SIGINT" }),
            Asked::Stop => self.wants_stop = true,
            Asked::Continue => self.was_stopped = true,
            Asked::Resize => {
                if let Some(size) = terminal::size() {
                    self.size = size;
                    self.outer.resize(size);
                    self.feed.iter_mut().for_each(Feed::resized);
                    self.lead();
                    self.crop();
                }
            }
        }
        None
    }

    /// The session's terminal takes this one's size: who typed last leads.
    fn lead(&self) {
        if self.size.is_window() && !self.observes && self.pin.is_none() {
            self.client.resize(self.size);
        }
    }

    /// Whether the session of one's own has ended, and its host is to do so with it.
    fn is_over(&self) -> bool {
        self.is_own && self.standing == Standing::Ended
    }

    /// Says how it ended, and ends its host.
    async fn end_with_program(&mut self) -> Left {
        if self.calls.is_empty() {
            self.call(Payload::poll());
        }
        let mut exit = Exit::Unknown;
        while let Ok(Some(Ok(Some(reply)))) =
            tokio::time::timeout(PATIENCE, self.calls.join_next()).await
        {
            self.replied(&reply);
            if let Status::Ended { exit: known } = &reply.status {
                exit = known.clone();
                // Who never called is told of nothing before.
                let end = Notice::SessionEnded { exit: exit.clone(), missed_input: false }.line();
                if !told::has_notice(&reply, &end) {
                    self.told(Told::Lines(vec![end]));
                }
            }
        }
        self.handle.shutdown();
        Left::Ended { status: exit_status(&exit) }
    }

    fn is_lead(&self) -> bool {
        // The latest may not be shown yet.
        let told = self.waiting.iter().rev().find_map(|told| match told {
            Told::Update(ScreenUpdate::Repaint { size, .. }) => Some(*size),
            _ => None,
        });
        told.or(self.inner.as_ref().map(Screen::size)).is_none_or(|size| size == self.size)
    }

    fn told(&mut self, told: Told) {
        if let Told::Update(update) = &told {
            self.pictures.note(update);
        }
        match self.keyboard {
            Keyboard::Loop if !self.pictures.is_busy() => {
                self.take_row_off();
                self.is_prepared = false;
                self.show_one(told);
            }
            _ => self.waiting.push_back(told),
        }
    }

    fn show_one(&mut self, told: Told) {
        match told {
            Told::Lines(lines) => lines.iter().for_each(|line| self.outer.line(line)),
            Told::Update(ScreenUpdate::Standing(standing)) => self.stands(standing),
            Told::Update(update) => {
                self.show(update);
                self.show_later();
            }
        }
    }

    fn stands(&mut self, standing: Standing) {
        match standing {
            Standing::Waiting { .. } => self.read_from = self.read_from.map(|_| Instant::now()),
            Standing::Ready => {
                // What there is to say of the cell behind its reply, and of what was typed for it.
                let has_given = !self.given.is_empty() && !self.awaits_reply;
                if std::mem::take(&mut self.is_unfinished) || has_given {
                    let poll = Request::new(Payload::poll(), Duration::ZERO);
                    self.asks_unread = Some(self.calls.spawn(self.client.call(poll)).id());
                }
            }
            Standing::Starting | Standing::Running { .. } | Standing::Ending | Standing::Ended => {}
        }
        self.standing = standing;
        self.bar_stands();
    }

    fn call(&mut self, payload: Payload) {
        self.calls.spawn(self.client.call(Request::new(payload, FOR_EVER)));
    }

    fn replied(&mut self, reply: &Reply) {
        self.awaits_reply &= !self.calls.is_empty();
        self.is_unfinished |= reply.status.asks_for_input() && self.standing != Standing::Ready;
        if let Status::Failed { failure } = &reply.status {
            self.told(Told::Lines(vec![failure.to_string()]));
        }
        // While another cell runs, the last that was typed may be for that.
        let is_over = !matches!(reply.status, Status::Busy { .. });
        let unread = told::unread(reply).filter(|_| is_over);
        let unread = unread.and_then(|count| self.given.unread(count));
        if matches!(reply.status, Status::Ready { .. }) && !self.awaits_reply {
            self.given.begin();
        }
        let is_told = |attachment: &_| self.pictures.has_told(attachment);
        let lines = told::notices(reply, unread.is_some(), is_told);
        if let Some(unread) = unread {
            self.ahead.push_front(Typed::Bytes(unread));
        }
        if !lines.is_empty() {
            self.told(Told::Lines(lines));
        }
    }

    /// Whether this is told of what this client did itself.
    pub(super) fn is_own_deed(&mut self, client: &str, deed: &Deed) -> bool {
        let is_same = |own: &Deed| match (own, deed) {
            // Long ones are cut.
            (Deed::Ran { source: own }, Deed::Ran { source }) => own.starts_with(&**source),
            (own, deed) => own == deed,
        };
        let place = self.own_deeds.iter().position(is_same).filter(|_| client == self.own);
        place.map(|place| self.own_deeds.drain(..=place)).is_some()
    }
}

async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
