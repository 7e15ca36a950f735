//! Those who look on: what is on the screen, then what is shown, as a terminal takes it.
//!
//! One that does not read misses what does not fit into its queue, costs nothing, and gets the
//! whole screen anew once it has read what it has. One that wants nothing of the screen is told that
//! it has missed something, and how things stand. One that can't keep up with what is printed
//! gets the screen a few times a second, and little of what comes between: nobody could read that,
//! and all who look on share their processors with the program that prints.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::mpsc, time::Instant};

use super::{
    client::EngineCommand,
    followers::Followers,
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
        let wants_repaint = self.updates.is_empty() && self.backlog.has_missed();
        if wants_repaint && !self.has_asked {
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(self.asks_from) => {}
                update = self.updates.recv() => return self.took(update),
            }
            self.has_asked = true;
            self.ask();
        }
        let update = self.updates.recv().await;
        self.took(update)
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
        let subscription = Subscription {
            id,
            updates: receiver,
            backlog: backlog.clone(),
            has_asked: wants.screen,
            asks_from: Instant::now(),
            commands,
        };
        let subscriber =
            Subscriber { id, client, updates, backlog, longest_queue, wants, left_out };
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
        if !self.all.is_empty() {
            self.show_all(|| ScreenUpdate::Bytes(bytes.to_vec()));
        }
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
mod tests {
    use super::*;

    const SHOWN: Wants = Wants { screen: true, pictures: false };
    const TOLD: Wants = Wants { screen: false, pictures: false };

    /// How many small updates there are in the longest queue, and in the shortest.
    const MOST_UPDATES: usize = LONGEST_QUEUE / SMALLEST;
    const FEWEST_UPDATES: usize = SHORTEST_QUEUE / SMALLEST;

    /// What a subscriber's terminal shows after these updates.
    fn painted(updates: impl IntoIterator<Item = ScreenUpdate>) -> Option<Screen> {
        let mut screen = None;
        for update in updates {
            match (update, &mut screen) {
                (ScreenUpdate::Repaint { size, bytes }, _) => {
                    let mut fresh = Screen::new(size);
                    fresh.feed(&bytes);
                    screen = Some(fresh);
                }
                (ScreenUpdate::Bytes(bytes) | ScreenUpdate::Echo(bytes), Some(screen)) => {
                    screen.feed(&bytes);
                }
                (_, Some(_)) => {}
                (_, None) => panic!("an update before the screen"),
            }
        }
        screen
    }

    fn situation(standing: Standing) -> Situation {
        Situation { standing, roles: Roles::default(), proposals: Vec::new() }
    }

    fn queued(subscription: &mut Subscription) -> Vec<ScreenUpdate> {
        std::iter::from_fn(|| subscription.try_next()).collect()
    }

    #[tokio::test]
    async fn one_that_wants_no_screen_is_told_that_it_missed_something_and_how_things_stand() {
        let (commands, mut asked) = mpsc::unbounded_channel();
        let mut subscribers = Subscribers::new(commands.downgrade());
        let screen = Screen::new(Size::default());
        let mut watcher = subscribers.add(1, TOLD, &screen, situation(Standing::Ready));
        let hands = || ScreenUpdate::Hands(Hands::default());
        assert_eq!(queued(&mut watcher), [ScreenUpdate::Standing(Standing::Ready), hands()]);
        subscribers.shown(Shown::Bytes(b"printed"), &screen);
        subscribers.replaced(&screen);
        assert_eq!(queued(&mut watcher), []);
        let did = || ScreenUpdate::Did { client: "a".into(), deed: Deed::Interrupted };
        for _ in 0..MOST_UPDATES + 10 {
            subscribers.did("a", &Deed::Interrupted);
        }
        subscribers.stands(&Standing::Ending);
        assert_eq!(queued(&mut watcher), vec![did(); MOST_UPDATES]);
        // The last state is told though nothing happens any more.
        let next = tokio::spawn(async move { (watcher.next().await, watcher) });
        let Some(EngineCommand::Repaint { subscriber }) = asked.recv().await else { panic!() };
        subscribers.repaint(subscriber, &screen, situation(Standing::Ended));
        let (update, mut watcher) = next.await.unwrap();
        assert_eq!(update, Some(ScreenUpdate::Missed));
        subscribers.did("a", &Deed::Interrupted);
        assert_eq!(queued(&mut watcher), [ScreenUpdate::Standing(Standing::Ended), hands(), did()]);
    }

    #[tokio::test]
    async fn one_that_does_not_read_is_given_the_whole_screen_when_it_does() {
        let (commands, mut asked) = mpsc::unbounded_channel();
        let mut subscribers = Subscribers::new(commands.downgrade());
        let mut screen = Screen::new(Size::default());
        screen.feed(b"before\r\n");
        let mut slow = subscribers.add(1, SHOWN, &screen, situation(Standing::Ready));
        let mut quick = subscribers.add(2, SHOWN, &screen, situation(Standing::Ready));
        let mut seen = Vec::new();
        for line in 0..2 * MOST_UPDATES {
            let line = format!("line {line}\r\n");
            screen.feed(line.as_bytes());
            subscribers.shown(Shown::Bytes(line.as_bytes()), &screen);
            seen.extend(queued(&mut quick));
        }
        assert_eq!(painted(seen).unwrap().dump(), screen.dump());
        let missed = queued(&mut slow);
        // The first two are how things stand, and the screen, which is larger than they.
        assert!((MOST_UPDATES - 10..=MOST_UPDATES).contains(&missed.len()), "{}", missed.len());
        // It asks as soon as it has read what it has.
        let next = tokio::spawn(async move { (slow.next().await, slow) });
        let Some(EngineCommand::Repaint { subscriber }) = asked.recv().await else { panic!() };
        subscribers.repaint(subscriber, &screen, situation(Standing::Ended));
        let (update, mut slow) = next.await.unwrap();
        screen.feed(b"after");
        subscribers.shown(Shown::Bytes(b"after"), &screen);
        let updates = [vec![update.unwrap()], queued(&mut slow)].concat();
        assert_eq!(updates[1], ScreenUpdate::Standing(Standing::Ended));
        assert_eq!(painted(updates).unwrap().dump(), screen.dump());
    }

    #[tokio::test]
    async fn a_state_that_comes_in_time_makes_up_for_the_state_and_the_rest_is_asked_for() {
        let (commands, mut asked) = mpsc::unbounded_channel();
        let (subscriber, mut watcher) = Subscriber::new(TOLD, 1, commands.downgrade());
        for _ in 0..2 * MOST_UPDATES {
            subscriber.show(ScreenUpdate::Standing(Standing::Ready));
        }
        queued(&mut watcher);
        assert!(asked.try_recv().is_err());
        // As a host tells it that has told another of it before.
        subscriber.show(ScreenUpdate::Standing(Standing::Ended));
        let told = [ScreenUpdate::Missed, ScreenUpdate::Standing(Standing::Ended)];
        assert_eq!(queued(&mut watcher), told);
        assert!(matches!(asked.try_recv(), Ok(EngineCommand::Repaint { subscriber: 1 })));
    }

    #[tokio::test]
    async fn pictures_come_with_their_data_to_who_wants_them_and_keeps_up() {
        let (commands, mut asked) = mpsc::unbounded_channel();
        let mut subscribers = Subscribers::new(commands.downgrade());
        let screen = Screen::new(Size::default());
        let wants = Wants { screen: true, pictures: true };
        let mut seeing = subscribers.add(1, wants, &screen, situation(Standing::Ready));
        let mut other = subscribers.add(2, TOLD, &screen, situation(Standing::Ready));
        queued(&mut seeing);
        let png = "iVBORw0KGgoAAAAA";
        let of_length = |length| png.to_owned() + &"A".repeat(length - png.len());
        let picture = |number, data: &Arc<str>| Attachment::new(number, "image/png", data.clone());
        let place = |number| FilePlace::At(format!("/d/picture-{number}.png"));
        let told = |updates: Vec<ScreenUpdate>| {
            let of = |update| match update {
                ScreenUpdate::Attached(one) => Some((one.file.number, one.data.is_some())),
                _ => None,
            };
            updates.into_iter().filter_map(of).collect::<Vec<_>>()
        };
        subscribers.attached(&picture(1, &png.into()), place(1));
        subscribers.attached(&Attachment::new(2, "text/html", "AAAA".into()), place(2));
        subscribers.attached(&picture(3, &of_length(LARGEST_PICTURE + 1).into()), place(3));
        assert_eq!(told(queued(&mut seeing)), [(1, true), (2, false), (3, false)]);
        assert_eq!(told(queued(&mut other)), [(1, false), (2, false), (3, false)]);
        // Of many that wait only the first ones are held, and of those that have no room at all the
        // last ones are named behind the screen.
        let large: Arc<str> = of_length(LARGEST_PICTURE).into();
        for number in 0..=MOST_UPDATES as u64 {
            subscribers.attached(&picture(number, &large), place(number));
        }
        let waiting = told(queued(&mut seeing));
        assert_eq!(waiting.iter().filter(|one| one.1).count(), 2);
        assert_eq!(waiting.len(), MOST_UPDATES);
        let next = tokio::spawn(async move { (seeing.next().await, seeing) });
        let Some(EngineCommand::Repaint { subscriber }) = asked.recv().await else { panic!() };
        subscribers.repaint(subscriber, &screen, situation(Standing::Ready));
        let (update, mut seeing) = next.await.unwrap();
        assert!(matches!(update, Some(ScreenUpdate::Repaint { .. })));
        assert_eq!(told(queued(&mut seeing)), [(MOST_UPDATES as u64, false)]);
        // There is room again.
        subscribers.attached(&picture(1, &large), place(1));
        assert_eq!(told(queued(&mut seeing)), [(1, true)]);
    }

    #[test]
    fn each_is_told_its_own_part_and_the_approver_alone_what_is_proposed() {
        let (commands, _asked) = mpsc::unbounded_channel();
        let mut subscribers = Subscribers::new(commands.downgrade());
        let screen = Screen::new(Size::default());
        let one = Some((1, "ann".to_owned()));
        let roles =
            Roles { holder: one.clone(), approver: one, proposals: vec![7], ..Roles::default() };
        let (client, source) = ("bot".to_owned(), "x = 1".to_owned());
        let proposal = Proposal { id: 7, to: 1, client: client.clone(), source: source.clone() };
        let standing = Standing::Ready;
        let joins = Situation { standing, roles: roles.clone(), proposals: vec![proposal.clone()] };
        let mut approver = subscribers.add(1, SHOWN, &screen, joins.clone());
        let mut other = subscribers.add(2, SHOWN, &screen, joins);
        subscribers.hands(&roles);
        subscribers.proposed(&proposal);
        subscribers.settled(7, 1);
        let not_screen = |subscription: &mut Subscription| queued(subscription).split_off(2);
        let hands = |is_it| {
            let hands = Hands { is_holder: is_it, is_approver: is_it, ..roles.told_to(2) };
            ScreenUpdate::Hands(hands)
        };
        assert_eq!(roles.told_to(2).holder, Some("ann".into()));
        let proposed = ScreenUpdate::Proposed { id: 7, client, source };
        assert_eq!(
            not_screen(&mut approver),
            [hands(true), proposed.clone(), hands(true), proposed, ScreenUpdate::Settled { id: 7 }]
        );
        assert_eq!(not_screen(&mut other), [hands(false), hands(false)]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_can_not_keep_up_gets_the_screen_a_few_times_a_second_and_then_all() {
        let (commands, mut asked) = mpsc::unbounded_channel();
        let mut subscribers = Subscribers::new(commands.downgrade());
        let mut screen = Screen::new(Size::default());
        let mut subscription = subscribers.add(1, SHOWN, &screen, situation(Standing::Ready));
        let (mut repaints, mut updates) = (0, 0);
        let start = Instant::now();
        while start.elapsed() < 10 * PAUSE {
            for _ in 0..2 * MOST_UPDATES {
                subscribers.shown(Shown::Bytes(b"much\r\n"), &screen);
            }
            let is_told = tokio::time::timeout(PAUSE / 100, subscription.next()).await;
            updates += usize::from(is_told.is_ok()) + queued(&mut subscription).len();
            while let Ok(EngineCommand::Repaint { subscriber }) = asked.try_recv() {
                repaints += 1;
                subscribers.repaint(subscriber, &screen, situation(Standing::Ready));
            }
        }
        assert!((9..=11).contains(&repaints), "{repaints}");
        assert!(updates <= MOST_UPDATES + repaints * FEWEST_UPDATES, "{updates}");
        // Nothing is left out once it does keep up.
        while let Ok(Some(_)) = tokio::time::timeout(2 * PAUSE, subscription.next()).await {
            while let Ok(EngineCommand::Repaint { subscriber }) = asked.try_recv() {
                subscribers.repaint(subscriber, &screen, situation(Standing::Ready));
            }
        }
        for round in 0..20 {
            for _ in 0..(FEWEST_UPDATES << round).min(MOST_UPDATES) {
                screen.feed(b"little\r\n");
                subscribers.shown(Shown::Bytes(b"little\r\n"), &screen);
            }
            let told = queued(&mut subscription);
            assert!(told.iter().all(|update| matches!(update, ScreenUpdate::Bytes(_))));
            assert_eq!(told.len(), (FEWEST_UPDATES << round).min(MOST_UPDATES));
        }
    }
}
