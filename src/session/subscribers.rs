//! Those who look on: what is on the screen, then what is shown, as a terminal takes it.
//!
//! One that does not read misses what does not fit into its queue, costs nothing, and gets the
//! whole screen anew once it has read what it has. One that wants nothing of the screen is told that
//! it has missed something, and how things stand. One that can't keep up with what is printed
//! gets the screen a few times a second, and little of what comes between: nobody could read that,
//! and all who look on share their processors with the program that prints. The same holds for several
//! who could keep up, and are printed for faster than all of them are told together.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};

use super::{
    client::EngineCommand,
    followers::Followers,
    pace::Pace,
    pipeline::{Hands, NOBODY, Observer, Proposal, Roles, Shown, Situation, Standing},
    recording::Recorder,
    rules::{hands::ProposalId, state::ClientId},
};
use crate::{
    reply::{Attachment, Deed, FilePlace},
    screen::{Screen, Size},
};

/// How far a subscriber may be behind, in bytes: what is printed at once is told whole, unless it is
/// more than anybody would read.
const LONGEST_QUEUE: usize = 2 << 20;
/// The same before what is printed is left out, behind a screen that makes up for something. It grows
/// again as the subscriber reads.
const SHORTEST_QUEUE: usize = 64 * 1024;
/// How much of what is printed goes to several subscribers together, in bytes a second, when each was told
/// [`LONGEST_QUEUE`] as it came. One alone gets all that it takes.
const MOST_A_SECOND: usize = 8 << 20;
/// What an update counts at least, in bytes.
const SMALLEST: usize = 512;
/// How long it is from one such screen to the next, at least.
const PAUSE: Duration = Duration::from_millis(150);
/// The largest picture that comes with its data, and how much of those may wait, in bytes of base64.
const LARGEST_PICTURE: usize = 4 << 20;
const MOST_WAITING_PICTURES: usize = 8 << 20;
/// How many pictures and documents are told of that came when a subscriber was behind; the last ones.
const MOST_LEFT_OUT: usize = 16;
/// How much of a cell's source a subscriber is told, in bytes.
const LONGEST_SOURCE: usize = 64 * 1024;

/// Numbers a subscriber within an engine.
pub(crate) type SubscriberId = u64;

/// What a subscriber is told of, besides how things stand and what clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wants {
    /// What is on the screen.
    pub screen: bool,
    /// The data of pictures.
    pub pictures: bool,
}

/// What a subscriber is told.
#[derive(Debug, Clone, PartialEq)]
pub enum ScreenUpdate {
    /// The whole screen: escape sequences that make a fresh terminal of this size equal to it.
    Repaint {
        /// The size.
        size: Size,
        /// The sequences.
        bytes: Vec<u8>,
    },
    /// What programs printed, marks taken out.
    Bytes(Vec<u8>),
    /// Shown beside that, with its escape sequences: the echo of a cell that begins, from
    /// `OSC 133 ; A` on, what brings the cursor to a fresh row before it; a mark where one is over;
    /// the working directory.
    Echo(Vec<u8>),
    /// How things stand from here on. Follows each repaint that makes up for something.
    Standing(Standing),
    /// Something was left out here, since the subscriber was behind: in the place of a repaint, for
    /// one that wants nothing of the screen.
    Missed,
    /// A program gave a picture or document. Its data comes with it where the subscriber wants
    /// pictures, this is one, and not too much waits.
    Attached(Attachment),
    /// What a client did.
    Did {
        /// Its name; may be empty.
        client: String,
        /// What; the source of a long cell is cut.
        deed: Deed,
    },
    /// Who is there, of a session in a host: after each repaint, and when it has changed.
    Here(Vec<Present>),
    /// In whose hands the session is from here on. Follows each repaint that makes up for something.
    Hands(Hands),
    /// A cell waits for the word of this client, which approves. What [`Hands::proposals`] does not
    /// name any more is settled.
    Proposed {
        /// Its number.
        id: ProposalId,
        /// The name of the client whose it is; may be empty.
        client: String,
        /// The cell.
        source: String,
    },
    /// A cell that this client was asked about waits no more.
    Settled {
        /// Its number.
        id: ProposalId,
    },
}

/// One who is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Its name; may be empty.
    pub name: String,
    /// Whether it only looks on.
    pub looks_on: bool,
    /// Whether people sit at its terminal.
    pub is_person: bool,
    /// Whether it is the one who is told this.
    pub is_own: bool,
}

/// How far a subscriber is behind, as both ends know it.
#[derive(Debug, Default)]
struct Backlog {
    /// What is in the queue, in bytes.
    bytes: AtomicUsize,
    /// How much data of pictures there is besides.
    pictures: AtomicUsize,
    /// Whether the subscriber has missed something since it was last given the whole screen.
    missed: AtomicBool,
    /// Whether that is to be made up for at once.
    is_due: AtomicBool,
    /// Wakes who waits for the next update, since one of these has changed.
    changed: Notify,
}

impl Backlog {
    fn add(&self, update: &ScreenUpdate) {
        self.bytes.fetch_add(weight(update), Ordering::Relaxed);
        self.pictures.fetch_add(picture_data(update), Ordering::Relaxed);
    }

    fn take(&self, update: &ScreenUpdate) {
        self.bytes.fetch_sub(weight(update), Ordering::Relaxed);
        self.pictures.fetch_sub(picture_data(update), Ordering::Relaxed);
    }

    fn has_missed(&self) -> bool {
        self.missed.load(Ordering::Relaxed)
    }

    fn set_missed(&self, missed: bool) {
        self.missed.store(missed, Ordering::Relaxed);
        self.is_due.store(false, Ordering::Relaxed);
        if missed {
            self.changed.notify_one();
        }
    }

    /// What was missed is to be made up for at once.
    fn hurry(&self) {
        self.is_due.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }
}

/// The subscriber's end.
#[derive(Debug)]
pub struct Subscription {
    id: SubscriberId,
    updates: mpsc::UnboundedReceiver<ScreenUpdate>,
    backlog: Arc<Backlog>,
    /// Whether the whole screen was asked for, and is on its way.
    has_asked: bool,
    /// Before that, it is not asked for again.
    asks_from: Instant,
    commands: mpsc::WeakUnboundedSender<EngineCommand>,
}

impl Subscription {
    /// The next update; the first one is a repaint, and for one that wants nothing of the screen how
    /// things stand. `None` when the session is gone. Cancel safe.
    pub async fn next(&mut self) -> Option<ScreenUpdate> {
        loop {
            let wants_repaint =
                !self.has_asked && self.updates.is_empty() && self.backlog.has_missed();
            let is_due = self.backlog.is_due.load(Ordering::Relaxed);
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(self.asks_from), if wants_repaint && !is_due => {}
                () = std::future::ready(()), if wants_repaint && is_due => {}
                update = self.updates.recv() => return self.took(update),
                // It may have missed something since, or that is due now.
                () = self.backlog.changed.notified() => continue,
            }
            self.has_asked = true;
            self.ask();
        }
    }

    /// The next update, if it is there already.
    pub fn try_next(&mut self) -> Option<ScreenUpdate> {
        let update = self.updates.try_recv().ok();
        self.took(update)
    }

    /// Notes what was taken, and that what was asked for is there.
    fn took(&mut self, update: Option<ScreenUpdate>) -> Option<ScreenUpdate> {
        if let Some(update) = &update {
            self.backlog.take(update);
        }
        let makes_up = matches!(update, Some(ScreenUpdate::Repaint { .. } | ScreenUpdate::Missed));
        if makes_up && std::mem::take(&mut self.has_asked) {
            self.asks_from = Instant::now() + PAUSE;
        } else if matches!(update, Some(ScreenUpdate::Missed)) {
            // What came in its time makes up for the state, and not for all else.
            self.ask();
        }
        update
    }

    /// Asks for all there is.
    fn ask(&self) {
        if let Some(commands) = self.commands.upgrade() {
            let _ = commands.send(EngineCommand::Repaint { subscriber: self.id });
        }
    }
}

/// The engine's end.
#[derive(Debug)]
pub(super) struct Subscribers {
    commands: mpsc::WeakUnboundedSender<EngineCommand>,
    last: SubscriberId,
    all: Vec<Subscriber>,
    /// Those that must miss nothing.
    pub(super) followers: Followers,
    /// What writes all of it down.
    pub(super) recorder: Option<Recorder>,
}

/// The end that tells one.
#[derive(Debug)]
pub(crate) struct Subscriber {
    id: SubscriberId,
    /// The client whose it is.
    client: ClientId,
    updates: mpsc::UnboundedSender<ScreenUpdate>,
    backlog: Arc<Backlog>,
    /// How much of what is printed may be in the queue, in bytes.
    longest_queue: AtomicUsize,
    /// How much of what is printed it is told in a time, where it is one of several.
    pace: Mutex<Pace>,
    wants: Wants,
    /// The pictures and documents that came when it was behind, without their data.
    left_out: Mutex<VecDeque<Attachment>>,
}

impl Subscribers {
    /// None yet; they ask for a repaint over `commands`.
    pub(super) fn new(commands: mpsc::WeakUnboundedSender<EngineCommand>) -> Subscribers {
        Subscribers {
            commands,
            last: 0,
            all: Vec::new(),
            followers: Followers::default(),
            recorder: None,
        }
    }

    /// Adds one of this client, whose first updates are the screen, if it wants that, and how things
    /// stand.
    pub(super) fn add(
        &mut self,
        client: ClientId,
        wants: Wants,
        screen: &Screen,
        situation: Situation,
    ) -> Subscription {
        let commands = self.commands.clone();
        self.last += 1;
        let (subscriber, subscription) = Subscriber::of_client(client, wants, self.last, commands);
        subscriber.show_all(screen, situation);
        self.all.push(subscriber);
        subscription
    }

    /// Gives one the whole screen and how things stand, if it missed something.
    pub(super) fn repaint(&mut self, id: SubscriberId, screen: &Screen, situation: Situation) {
        let one = self.all.iter().find(|subscriber| subscriber.id == id);
        if let Some(subscriber) = one.filter(|one| one.backlog.has_missed()) {
            subscriber.show_all(screen, situation);
        }
    }

    /// A program gave a picture or document, which is kept in this place.
    pub(super) fn attached(&mut self, attachment: &Attachment, place: FilePlace) {
        for subscriber in self.all.iter().filter(|subscriber| !subscriber.is_gone()) {
            let mut attachment = attachment.clone();
            attachment.file.place = place.clone();
            subscriber.show(ScreenUpdate::Attached(attachment));
        }
    }

    fn tell_all(&mut self, update: impl Fn() -> ScreenUpdate) {
        self.tell_each(|_| Some(update()));
    }

    /// The same for those alone that are told what is on the screen.
    fn show_all(&mut self, update: impl Fn() -> ScreenUpdate) {
        self.tell_each(|subscriber| subscriber.wants.screen.then(&update));
    }

    /// Tells each what there is for it.
    fn tell_each(&mut self, update: impl Fn(&Subscriber) -> Option<ScreenUpdate>) {
        self.all.retain(|subscriber| !subscriber.is_gone());
        for subscriber in &self.all {
            if !subscriber.backlog.has_missed()
                && let Some(update) = update(subscriber)
            {
                subscriber.show(update);
            }
        }
    }
}

impl Subscriber {
    /// One that was told nothing yet, and asks over `commands` for what is on the screen once it has
    /// fallen behind; the only client's.
    pub(crate) fn new(
        wants: Wants,
        id: SubscriberId,
        commands: mpsc::WeakUnboundedSender<EngineCommand>,
    ) -> (Subscriber, Subscription) {
        Subscriber::of_client(NOBODY, wants, id, commands)
    }

    /// The same of one of several clients.
    fn of_client(
        client: ClientId,
        wants: Wants,
        id: SubscriberId,
        commands: mpsc::WeakUnboundedSender<EngineCommand>,
    ) -> (Subscriber, Subscription) {
        let (updates, receiver) = mpsc::unbounded_channel();
        // The whole screen comes first, without being asked for.
        let backlog = Backlog { missed: wants.screen.into(), ..Backlog::default() };
        let backlog = Arc::new(backlog);
        let (longest_queue, left_out) = (LONGEST_QUEUE.into(), Mutex::default());
        let pace = Mutex::new(Pace::new(LONGEST_QUEUE, Instant::now()));
        let subscription = Subscription {
            id,
            updates: receiver,
            backlog: backlog.clone(),
            has_asked: wants.screen,
            asks_from: Instant::now(),
            commands,
        };
        let subscriber =
            Subscriber { id, client, updates, backlog, longest_queue, pace, wants, left_out };
        (subscriber, subscription)
    }

    /// Tells all there is: what is on the screen, if it is shown that, and how things stand.
    fn show_all(&self, screen: &Screen, situation: Situation) {
        let Situation { standing, roles, proposals } = situation;
        if self.wants.screen {
            self.show(repaint(screen));
        }
        self.show(ScreenUpdate::Standing(standing));
        self.show(ScreenUpdate::Hands(roles.told_to(self.client)));
        for proposal in proposals.iter().filter(|proposal| proposal.to == self.client) {
            self.show(proposed(proposal));
        }
    }

    /// What it is told of.
    pub(crate) fn wants(&self) -> Wants {
        self.wants
    }

    /// Whether nobody looks on any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.updates.is_closed()
    }

    /// Tells it an update, unless it has missed one: then it is told of the whole screen only, or
    /// how things stand, behind the word that it has missed something.
    pub(crate) fn show(&self, update: ScreenUpdate) {
        let has_missed = self.backlog.has_missed();
        let behind = self.backlog.bytes.load(Ordering::Relaxed);
        let mut longest = self.longest_queue.load(Ordering::Relaxed);
        let screen = self.wants.screen;
        match update {
            ScreenUpdate::Repaint { .. } | ScreenUpdate::Bytes(_) | ScreenUpdate::Echo(_)
                if !screen =>
            {
                return;
            }
            ScreenUpdate::Repaint { .. } => self.backlog.set_missed(false),
            ScreenUpdate::Missed => return self.backlog.set_missed(true),
            ScreenUpdate::Standing(_) if has_missed && !screen && behind < SHORTEST_QUEUE => {
                self.queue(ScreenUpdate::Missed);
                self.backlog.set_missed(false);
                self.queue(update);
                return self.name_left_out();
            }
            ScreenUpdate::Attached(attachment) if has_missed => return self.leave_out(attachment),
            _ if has_missed => return,
            _ if behind == 0 => longest = (2 * longest).min(LONGEST_QUEUE),
            _ => {}
        }
        self.longest_queue.store(longest, Ordering::Relaxed);
        // What is printed is left out first; how things stand is told to the last.
        let is_printed = matches!(update, ScreenUpdate::Bytes(_) | ScreenUpdate::Echo(_));
        let most = if is_printed { longest } else { LONGEST_QUEUE };
        match update {
            _ if behind >= most => {
                self.backlog.set_missed(true);
                self.longest_queue.store(SHORTEST_QUEUE, Ordering::Relaxed);
                if let ScreenUpdate::Attached(attachment) = update {
                    self.leave_out(attachment);
                }
            }
            ScreenUpdate::Repaint { .. } => {
                self.queue(update);
                self.name_left_out();
            }
            ScreenUpdate::Attached(attachment) => self.queue(self.bounded(attachment)),
            update => self.queue(update),
        }
    }

    /// Whether so many bytes may be printed for it now at this rate, in bytes a second; else it has missed
    /// them.
    fn keeps_pace(&self, bytes: usize, rate: usize, now: Instant) -> bool {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let keeps = pace.takes(bytes, rate, now);
        if !keeps {
            self.show(ScreenUpdate::Missed);
        }
        keeps
    }

    fn queue(&self, update: ScreenUpdate) {
        self.backlog.add(&update);
        let _ = self.updates.send(update);
    }

    /// An attachment with as much of it as there is room for.
    fn bounded(&self, attachment: Attachment) -> ScreenUpdate {
        let is_wanted = self.wants.pictures && attachment.kind.is_some();
        let waiting = self.backlog.pictures.load(Ordering::Relaxed);
        let has_room = |data: &Arc<str>| {
            data.len() <= LARGEST_PICTURE && waiting + data.len() <= MOST_WAITING_PICTURES
        };
        let data = attachment.data.filter(|data| is_wanted && has_room(data));
        ScreenUpdate::Attached(Attachment { data, ..attachment })
    }

    /// One that came when this was behind.
    fn leave_out(&self, attachment: Attachment) {
        let mut left_out = self.left_out();
        left_out.push_back(Attachment { data: None, ..attachment });
        if left_out.len() > MOST_LEFT_OUT {
            left_out.pop_front();
        }
    }

    /// Tells of those.
    fn name_left_out(&self) {
        let left_out = std::mem::take(&mut *self.left_out());
        left_out.into_iter().for_each(|one| self.queue(ScreenUpdate::Attached(one)));
    }

    fn left_out(&self) -> MutexGuard<'_, VecDeque<Attachment>> {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Subscribers {
    fn shown(&mut self, shown: Shown<'_>, _screen: &Screen) {
        let Shown::Bytes(bytes) = shown else { return };
        self.followers.printed(bytes);
        let watching = self.all.iter().filter(|one| one.wants.screen && !one.is_gone()).count();
        if watching == 0 {
            return;
        }
        let (each, now) = (MOST_A_SECOND / watching, Instant::now());
        self.tell_each(|one| {
            let keeps_pace = || watching == 1 || one.keeps_pace(bytes.len(), each, now);
            let is_told = one.wants.screen && keeps_pace();
            is_told.then(|| ScreenUpdate::Bytes(bytes.to_vec()))
        });
    }

    fn echoed(&mut self, bytes: &[u8]) {
        if let Some(recorder) = &mut self.recorder {
            recorder.echoed(bytes);
        }
        self.show_all(|| ScreenUpdate::Echo(bytes.to_vec()));
    }

    fn replaced(&mut self, screen: &Screen) {
        if !self.all.is_empty() {
            self.show_all(|| repaint(screen));
        }
    }

    fn looks_on(&self) -> bool {
        !self.all.is_empty()
    }

    fn stands(&mut self, standing: &Standing) {
        if !matches!(standing, Standing::Running { .. }) {
            // What runs has printed all for now: who missed a part of it sees how that ended.
            let behind = self.all.iter().filter(|one| one.backlog.has_missed());
            behind.for_each(|one| one.backlog.hurry());
        }
        self.tell_all(|| ScreenUpdate::Standing(standing.clone()));
    }

    fn hands(&mut self, roles: &Roles) {
        self.tell_each(|one| Some(ScreenUpdate::Hands(roles.told_to(one.client))));
    }

    fn proposed(&mut self, proposal: &Proposal) {
        self.tell_each(|one| (one.client == proposal.to).then(|| proposed(proposal)));
    }

    fn settled(&mut self, id: ProposalId, to: ClientId) {
        self.tell_each(|one| (one.client == to).then_some(ScreenUpdate::Settled { id }));
    }

    fn did(&mut self, client: &str, deed: &Deed) {
        if self.looks_on() {
            let deed = match deed {
                Deed::Ran { source } => {
                    let end = source.floor_char_boundary(LONGEST_SOURCE);
                    Deed::Ran { source: source[..end].to_owned() }
                }
                deed => deed.clone(),
            };
            let client = client.to_owned();
            self.tell_all(|| ScreenUpdate::Did { client: client.clone(), deed: deed.clone() });
        }
    }
}

/// What an update counts in a queue, in bytes.
fn weight(update: &ScreenUpdate) -> usize {
    let length = match update {
        ScreenUpdate::Repaint { bytes, .. }
        | ScreenUpdate::Bytes(bytes)
        | ScreenUpdate::Echo(bytes) => bytes.len(),
        ScreenUpdate::Did { deed: Deed::Ran { source }, .. }
        | ScreenUpdate::Proposed { source, .. } => source.len(),
        _ => 0,
    };
    length.max(SMALLEST)
}

/// How much data of a picture there is in it, in bytes, which others may hold as well.
fn picture_data(update: &ScreenUpdate) -> usize {
    match update {
        ScreenUpdate::Attached(Attachment { data: Some(data), .. }) => data.len(),
        _ => 0,
    }
}

fn repaint(screen: &Screen) -> ScreenUpdate {
    ScreenUpdate::Repaint { size: screen.size(), bytes: screen.dump() }
}

fn proposed(proposal: &Proposal) -> ScreenUpdate {
    let Proposal { id, client, source, .. } = proposal;
    ScreenUpdate::Proposed { id: *id, client: client.clone(), source: source.clone() }
}

#[cfg(test)]
mod tests;
