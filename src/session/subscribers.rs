//! Those who look on: what is on the screen, then what is shown, as a terminal takes it.
//!
//! One that does not read misses what does not fit into its queue, costs nothing, and gets the
//! whole screen anew once it has read what it has.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::mpsc;

use super::{
    client::EngineCommand,
    followers::Followers,
    pipeline::{Observer, Shown, Standing},
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
    /// What a client did.
    Did {
        /// Its name; may be empty.
        client: String,
        /// What; the source of a long cell is cut.
        deed: Deed,
    },
    /// Who is there, of a session in a host: after each repaint, and when it has changed.
    Here(Vec<Present>),
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
    /// The next update; the first one is a repaint. `None` when the session is gone. Cancel safe.
    pub async fn next(&mut self) -> Option<ScreenUpdate> {
        let wants_repaint = self.updates.is_empty() && self.missed.load(Ordering::Relaxed);
        if wants_repaint
            && !std::mem::replace(&mut self.has_asked, true)
            && let Some(commands) = self.commands.upgrade()
        {
            let _ = commands.send(EngineCommand::Repaint { subscriber: self.id });
        }
        let update = self.updates.recv().await;
        self.has_asked &= !matches!(update, Some(ScreenUpdate::Repaint { .. }));
        update
    }
}

impl Subscription {
    /// The next update, if it is there already.
    pub fn try_next(&mut self) -> Option<ScreenUpdate> {
        let update = self.updates.try_recv().ok();
        self.has_asked &= !matches!(update, Some(ScreenUpdate::Repaint { .. }));
        update
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
    updates: mpsc::Sender<ScreenUpdate>,
    /// Whether it has missed something since it was last given the whole screen.
    missed: Arc<AtomicBool>,
}

impl Subscribers {
    /// None yet; they ask for a repaint over `commands`.
    pub(super) fn new(commands: mpsc::WeakUnboundedSender<EngineCommand>) -> Subscribers {
        Subscribers { commands, last: 0, all: Vec::new(), followers: Followers::default() }
    }

    /// Adds one, whose first updates are the screen and how things stand.
    pub(super) fn add(&mut self, screen: &Screen, standing: Standing) -> Subscription {
        let commands = self.commands.clone();
        self.last += 1;
        let (subscriber, subscription) = Subscriber::new(self.last, commands);
        subscriber.show(repaint(screen));
        subscriber.show(ScreenUpdate::Standing(standing));
        self.all.push(subscriber);
        subscription
    }

    /// Gives one the whole screen and how things stand, if it missed something.
    pub(super) fn repaint(&mut self, id: SubscriberId, screen: &Screen, standing: Standing) {
        let one = self.all.iter().find(|subscriber| subscriber.id == id);
        if let Some(subscriber) = one.filter(|one| one.missed.load(Ordering::Relaxed)) {
            subscriber.show(repaint(screen));
            subscriber.show(ScreenUpdate::Standing(standing));
        }
    }

    fn tell_all(&mut self, update: impl Fn() -> ScreenUpdate) {
        self.all.retain(|subscriber| !subscriber.is_gone());
        for subscriber in &self.all {
            if !subscriber.missed.load(Ordering::Relaxed) {
                subscriber.show(update());
            }
        }
    }
}

impl Subscriber {
    /// One that has missed all up to now, and asks over `commands` for what is on the screen once
    /// it has fallen behind.
    pub(crate) fn new(
        id: SubscriberId,
        commands: mpsc::WeakUnboundedSender<EngineCommand>,
    ) -> (Subscriber, Subscription) {
        let (updates, receiver) = mpsc::channel(LONGEST_QUEUE);
        let missed = Arc::new(AtomicBool::new(true));
        let subscriber = Subscriber { id, updates, missed: missed.clone() };
        // The whole screen comes first, without being asked for.
        let has_asked = true;
        (subscriber, Subscription { id, updates: receiver, missed, has_asked, commands })
    }

    /// Whether nobody looks on any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.updates.is_closed()
    }

    /// Tells it an update, unless it has missed one: then it is told of the whole screen only.
    pub(crate) fn show(&self, update: ScreenUpdate) {
        match update {
            ScreenUpdate::Repaint { .. } => self.missed.store(false, Ordering::Relaxed),
            _ if self.missed.load(Ordering::Relaxed) => return,
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
            self.tell_all(|| ScreenUpdate::Bytes(bytes.to_vec()));
        }
    }

    fn replaced(&mut self, screen: &Screen) {
        if !self.all.is_empty() {
            self.tell_all(|| repaint(screen));
        }
    }

    fn looks_on(&self) -> bool {
        !self.all.is_empty()
    }

    fn stands(&mut self, standing: &Standing) {
        self.tell_all(|| ScreenUpdate::Standing(standing.clone()));
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

    fn queued(subscription: &mut Subscription) -> Vec<ScreenUpdate> {
        let mut next = || {
            let update = subscription.updates.try_recv().ok();
            subscription.has_asked &= !matches!(update, Some(ScreenUpdate::Repaint { .. }));
            update
        };
        std::iter::from_fn(&mut next).collect()
    }

    #[tokio::test]
    async fn one_that_does_not_read_is_given_the_whole_screen_when_it_does() {
        let (commands, mut asked) = mpsc::unbounded_channel();
        let mut subscribers = Subscribers::new(commands.downgrade());
        let mut screen = Screen::new(Size::default());
        screen.feed(b"before\r\n");
        let mut slow = subscribers.add(&screen, Standing::Ready);
        let mut quick = subscribers.add(&screen, Standing::Ready);
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
        subscribers.repaint(subscriber, &screen, Standing::Ended);
        let (update, mut slow) = next.await.unwrap();
        screen.feed(b"after");
        subscribers.shown(Shown::Bytes(b"after"), &screen);
        let updates = [vec![update.unwrap()], queued(&mut slow)].concat();
        assert_eq!(updates[1], ScreenUpdate::Standing(Standing::Ended));
        assert_eq!(painted(updates).unwrap().dump(), screen.dump());
    }
}
