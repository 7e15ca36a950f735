//! Those who look on: what is on the screen, then what is shown, as a terminal takes it.
//!
//! One that does not read misses what does not fit into its queue, costs nothing, and gets the
//! whole screen anew once it has read what it has. One that wants nothing of the screen is told that
//! it has missed something, and how things stand.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::mpsc;

use super::{
    client::EngineCommand,
    followers::Followers,
    pipeline::{Hands, NOBODY, Observer, Proposal, Roles, Shown, Situation, Standing},
    rules::{hands::ProposalId, state::ClientId},
};
use crate::{
    reply::Deed,
    screen::{Screen, Size},
};

/// How many updates a subscriber may be behind.
const LONGEST_QUEUE: usize = 64;
/// How much of a cell's source a subscriber is told, in bytes.
const LONGEST_SOURCE: usize = 64 * 1024;

/// Numbers a subscriber within an engine.
pub(crate) type SubscriberId = u64;

/// What a subscriber is told.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// How things stand from here on. Follows each repaint that makes up for something.
    Standing(Standing),
    /// Something was left out here, since the subscriber was behind: in the place of a repaint, for
    /// one that wants nothing of the screen.
    Missed,
    /// What a client did.
    Did {
        /// Its name; may be empty.
        client: String,
        /// What; the source of a long cell is cut.
        deed: Deed,
    },
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

/// The subscriber's end.
#[derive(Debug)]
pub struct Subscription {
    id: SubscriberId,
    updates: mpsc::Receiver<ScreenUpdate>,
    missed: Arc<AtomicBool>,
    /// Whether the whole screen was asked for, and is on its way.
    has_asked: bool,
    commands: mpsc::WeakUnboundedSender<EngineCommand>,
}

impl Subscription {
    /// The next update; the first one is a repaint, and for one that wants nothing of the screen how
    /// things stand. `None` when the session is gone. Cancel safe.
    pub async fn next(&mut self) -> Option<ScreenUpdate> {
        let wants_repaint = self.updates.is_empty() && self.missed.load(Ordering::Relaxed);
        if wants_repaint && !std::mem::replace(&mut self.has_asked, true) {
            self.ask();
        }
        let update = self.updates.recv().await;
        self.note(update.as_ref());
        update
    }

    /// The next update, if it is there already.
    pub fn try_next(&mut self) -> Option<ScreenUpdate> {
        let update = self.updates.try_recv().ok();
        self.note(update.as_ref());
        update
    }

    /// Asks for all there is.
    fn ask(&self) {
        if let Some(commands) = self.commands.upgrade() {
            let _ = commands.send(EngineCommand::Repaint { subscriber: self.id });
        }
    }

    /// Notes that what was asked for is there.
    fn note(&mut self, update: Option<&ScreenUpdate>) {
        match update {
            Some(ScreenUpdate::Repaint { .. }) => self.has_asked = false,
            // What came in its time makes up for the state, and not for all else.
            Some(ScreenUpdate::Missed) if !std::mem::take(&mut self.has_asked) => self.ask(),
            _ => {}
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
}

/// The end that tells one.
#[derive(Debug)]
pub(crate) struct Subscriber {
    id: SubscriberId,
    /// The client whose it is.
    client: ClientId,
    updates: mpsc::Sender<ScreenUpdate>,
    /// Whether it is told what is on the screen.
    screen: bool,
    /// Whether it has missed something since it was last given the whole screen.
    missed: Arc<AtomicBool>,
}

impl Subscribers {
    /// None yet; they ask for a repaint over `commands`.
    pub(super) fn new(commands: mpsc::WeakUnboundedSender<EngineCommand>) -> Subscribers {
        Subscribers { commands, last: 0, all: Vec::new(), followers: Followers::default() }
    }

    /// Adds one of this client, whose first updates are the screen, if it `is_shown` that, and how
    /// things stand.
    pub(super) fn add(
        &mut self,
        client: ClientId,
        is_shown: bool,
        screen: &Screen,
        situation: Situation,
    ) -> Subscription {
        let commands = self.commands.clone();
        self.last += 1;
        let (subscriber, subscription) = match is_shown {
            true => Subscriber::new(self.last, commands),
            false => Subscriber::watching(self.last, commands),
        };
        let subscriber = Subscriber { client, ..subscriber };
        subscriber.show_all(screen, situation);
        self.all.push(subscriber);
        subscription
    }

    /// Gives one the whole screen and how things stand, if it missed something.
    pub(super) fn repaint(&mut self, id: SubscriberId, screen: &Screen, situation: Situation) {
        let one = self.all.iter().find(|subscriber| subscriber.id == id);
        if let Some(subscriber) = one.filter(|one| one.missed.load(Ordering::Relaxed)) {
            subscriber.show_all(screen, situation);
        }
    }

    fn tell_all(&mut self, update: impl Fn() -> ScreenUpdate) {
        self.tell_each(|_| Some(update()));
    }

    /// The same for those alone that are told what is on the screen.
    fn show_all(&mut self, update: impl Fn() -> ScreenUpdate) {
        self.tell_each(|subscriber| subscriber.screen.then(&update));
    }

    /// Tells each what there is for it.
    fn tell_each(&mut self, update: impl Fn(&Subscriber) -> Option<ScreenUpdate>) {
        self.all.retain(|subscriber| !subscriber.is_gone());
        for subscriber in &self.all {
            if !subscriber.missed.load(Ordering::Relaxed)
                && let Some(update) = update(subscriber)
            {
                subscriber.show(update);
            }
        }
    }
}

impl Subscriber {
    /// One that has missed all up to now, and asks over `commands` for what is on the screen once
    /// it has fallen behind; the only client's.
    pub(crate) fn new(
        id: SubscriberId,
        commands: mpsc::WeakUnboundedSender<EngineCommand>,
    ) -> (Subscriber, Subscription) {
        let (subscriber, subscription) = Subscriber::watching(id, commands);
        subscriber.missed.store(true, Ordering::Relaxed);
        // The whole screen comes first, without being asked for.
        (
            Subscriber { screen: true, ..subscriber },
            Subscription { has_asked: true, ..subscription },
        )
    }

    /// One that is told nothing of the screen, and has missed nothing yet.
    pub(crate) fn watching(
        id: SubscriberId,
        commands: mpsc::WeakUnboundedSender<EngineCommand>,
    ) -> (Subscriber, Subscription) {
        let (updates, receiver) = mpsc::channel(LONGEST_QUEUE);
        let missed = Arc::new(AtomicBool::new(false));
        let client = NOBODY;
        let subscriber = Subscriber { id, client, updates, screen: false, missed: missed.clone() };
        let has_asked = false;
        (subscriber, Subscription { id, updates: receiver, missed, has_asked, commands })
    }

    /// Whether it is told what is on the screen.
    pub(crate) fn is_shown(&self) -> bool {
        self.screen
    }

    /// Shows the whole screen, and how things stand.
    fn show_all(&self, screen: &Screen, situation: Situation) {
        let Situation { standing, roles, proposals } = situation;
        if self.screen {
            self.show(repaint(screen));
        }
        self.show(ScreenUpdate::Standing(standing));
        self.show(ScreenUpdate::Hands(roles.told_to(self.client)));
        for proposal in proposals.iter().filter(|proposal| proposal.to == self.client) {
            self.show(proposed(proposal));
        }
    }

    /// Whether nobody looks on any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.updates.is_closed()
    }

    /// Tells it an update, unless it has missed one: then it is told of the whole screen only, or
    /// how things stand, behind the word that it has missed something.
    pub(crate) fn show(&self, update: ScreenUpdate) {
        let has_missed = self.missed.load(Ordering::Relaxed);
        match update {
            ScreenUpdate::Repaint { .. } | ScreenUpdate::Bytes(_) if !self.screen => return,
            ScreenUpdate::Repaint { .. } => self.missed.store(false, Ordering::Relaxed),
            ScreenUpdate::Missed => return self.missed.store(true, Ordering::Relaxed),
            ScreenUpdate::Standing(_) if has_missed && !self.screen => {
                if self.updates.capacity() < 2
                    || self.updates.try_send(ScreenUpdate::Missed).is_err()
                {
                    return;
                }
                self.missed.store(false, Ordering::Relaxed);
            }
            _ if has_missed => return,
            _ => {}
        }
        if let Err(mpsc::error::TrySendError::Full(_)) = self.updates.try_send(update) {
            self.missed.store(true, Ordering::Relaxed);
        }
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
                (ScreenUpdate::Bytes(bytes), Some(screen)) => screen.feed(&bytes),
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
        let mut next = || {
            let update = subscription.updates.try_recv().ok();
            subscription.note(update.as_ref());
            update
        };
        std::iter::from_fn(&mut next).collect()
    }

    #[tokio::test]
    async fn one_that_wants_no_screen_is_told_that_it_missed_something_and_how_things_stand() {
        let (commands, mut asked) = mpsc::unbounded_channel();
        let mut subscribers = Subscribers::new(commands.downgrade());
        let screen = Screen::new(Size::default());
        let mut watcher = subscribers.add(1, false, &screen, situation(Standing::Ready));
        let hands = || ScreenUpdate::Hands(Hands::default());
        assert_eq!(queued(&mut watcher), [ScreenUpdate::Standing(Standing::Ready), hands()]);
        subscribers.shown(Shown::Bytes(b"printed"), &screen);
        subscribers.replaced(&screen);
        assert_eq!(queued(&mut watcher), []);
        let did = || ScreenUpdate::Did { client: "a".into(), deed: Deed::Interrupted };
        for _ in 0..LONGEST_QUEUE + 10 {
            subscribers.did("a", &Deed::Interrupted);
        }
        subscribers.stands(&Standing::Ending);
        assert_eq!(queued(&mut watcher), vec![did(); LONGEST_QUEUE]);
        // The last state is told though nothing happens any more.
        let next = tokio::spawn(async move { (watcher.next().await, watcher) });
        let Some(EngineCommand::Repaint { subscriber }) = asked.recv().await else { panic!() };
        subscribers.repaint(subscriber, &screen, situation(Standing::Ended));
        let (update, mut watcher) = next.await.unwrap();
        assert_eq!(update, Some(ScreenUpdate::Missed));
        subscribers.did("a", &Deed::Interrupted);
        assert_eq!(queued(&mut watcher), [ScreenUpdate::Standing(Standing::Ended), hands(), did()]);
        assert!(asked.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_state_that_comes_in_time_makes_up_for_the_state_and_the_rest_is_asked_for() {
        let (commands, mut asked) = mpsc::unbounded_channel();
        let (subscriber, mut watcher) = Subscriber::watching(1, commands.downgrade());
        for _ in 0..LONGEST_QUEUE + 10 {
            subscriber.show(ScreenUpdate::Standing(Standing::Ready));
        }
        assert_eq!(queued(&mut watcher).len(), LONGEST_QUEUE);
        // As a host tells it that has told another of it before.
        subscriber.show(ScreenUpdate::Standing(Standing::Ended));
        let told = [ScreenUpdate::Missed, ScreenUpdate::Standing(Standing::Ended)];
        assert_eq!(queued(&mut watcher), told);
        assert!(matches!(asked.try_recv(), Ok(EngineCommand::Repaint { subscriber: 1 })));
    }

    #[tokio::test]
    async fn one_that_does_not_read_is_given_the_whole_screen_when_it_does() {
        let (commands, mut asked) = mpsc::unbounded_channel();
        let mut subscribers = Subscribers::new(commands.downgrade());
        let mut screen = Screen::new(Size::default());
        screen.feed(b"before\r\n");
        let mut slow = subscribers.add(1, true, &screen, situation(Standing::Ready));
        let mut quick = subscribers.add(2, true, &screen, situation(Standing::Ready));
        let mut seen = Vec::new();
        for line in 0..1000 {
            let line = format!("line {line}\r\n");
            screen.feed(line.as_bytes());
            subscribers.shown(Shown::Bytes(line.as_bytes()), &screen);
            seen.extend(queued(&mut quick));
        }
        assert_eq!(painted(seen).unwrap().dump(), screen.dump());
        let missed = queued(&mut slow);
        assert_eq!(missed.len(), LONGEST_QUEUE);
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
        let mut approver = subscribers.add(1, true, &screen, joins.clone());
        let mut other = subscribers.add(2, true, &screen, joins);
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
}
