//! What subscribers are told, with a clock of the test's own.

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

/// So many subscribers, what they are told of, and what they ask.
fn several(
    count: u64,
) -> (Subscribers, Vec<Subscription>, Screen, mpsc::UnboundedReceiver<EngineCommand>) {
    let (commands, asked) = mpsc::unbounded_channel();
    let mut subscribers = Subscribers::new(commands.downgrade());
    // They ask as long as somebody listens.
    std::mem::forget(commands);
    let screen = Screen::new(Size::default());
    let mut join = |n| subscribers.add(n, SHOWN, &screen, situation(Standing::Ready));
    let all = (1..=count).map(&mut join).collect();
    (subscribers, all, screen, asked)
}

fn printed(updates: &[ScreenUpdate]) -> usize {
    let bytes = |update: &ScreenUpdate| match update {
        ScreenUpdate::Bytes(bytes) => bytes.len(),
        _ => 0,
    };
    updates.iter().map(bytes).sum()
}

/// Lines of so many bytes altogether.
fn lines(length: usize) -> Vec<u8> {
    [&b"x".repeat(126)[..], b"\r\n"].concat().repeat(length / 128)
}

#[tokio::test(start_paused = true)]
async fn several_who_keep_up_share_a_rate_and_are_shown_how_it_ends() {
    const COUNT: usize = 4;
    let (mut subscribers, mut all, mut screen, mut asked) = several(COUNT as u64);
    let mut updates = vec![Vec::new(); COUNT];
    // Two seconds of far more than that.
    let much = lines(1 << 20);
    screen.feed(&much[..1 << 16]);
    for n in 0..20 {
        subscribers.shown(Shown::Bytes(&much), &screen);
        if n == 19 {
            screen.feed(b"the end");
            subscribers.shown(Shown::Bytes(b"the end"), &screen);
            subscribers.stands(&Standing::Ready);
        }
        tokio::time::advance(Duration::from_millis(100)).await;
        for (subscription, updates) in all.iter_mut().zip(&mut updates) {
            while let Ok(update) = tokio::time::timeout(Duration::ZERO, subscription.next()).await {
                updates.extend(update);
            }
        }
        while let Ok(EngineCommand::Repaint { subscriber }) = asked.try_recv() {
            subscribers.repaint(subscriber, &screen, situation(Standing::Ready));
        }
    }
    let told: usize = updates.iter().map(|updates| printed(updates)).sum();
    let most = COUNT * LONGEST_QUEUE + 2 * MOST_A_SECOND;
    assert!((most / 2..=most).contains(&told), "{told} of {most}");
    for (mut subscription, mut updates) in all.into_iter().zip(updates) {
        updates.extend(queued(&mut subscription));
        assert_eq!(painted(updates).unwrap().dump(), screen.dump());
    }
}

#[tokio::test(start_paused = true)]
async fn one_alone_is_told_all_that_it_takes() {
    let (mut subscribers, mut all, screen, _asked) = several(1);
    let much = lines(1 << 20);
    let mut told = 0;
    for _ in 0..100 {
        subscribers.shown(Shown::Bytes(&much), &screen);
        told += printed(&queued(&mut all[0]));
    }
    assert_eq!(told, 100 * much.len());
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_for_more_is_woken_when_it_begins_to_miss_something() {
    let (mut subscribers, mut all, screen, mut asked) = several(2);
    let mut first = all.remove(0);
    queued(&mut first);
    let waiting = tokio::spawn(async move { first.next().await });
    tokio::task::yield_now().await;
    subscribers.shown(Shown::Bytes(&lines(2 * LONGEST_QUEUE)), &screen);
    let soon = tokio::time::timeout(Duration::from_secs(60), asked.recv()).await;
    let Ok(Some(EngineCommand::Repaint { subscriber })) = soon else { panic!("{soon:?}") };
    subscribers.repaint(subscriber, &screen, situation(Standing::Ready));
    assert!(matches!(waiting.await.unwrap(), Some(ScreenUpdate::Repaint { .. })));
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_is_made_up_for_at_once_when_nothing_runs_any_more() {
    let (mut subscribers, mut all, screen, mut asked) = several(2);
    let mut first = all.remove(0);
    queued(&mut first);
    let much = lines(2 * LONGEST_QUEUE);
    let waiting = tokio::spawn(async move {
        while let Some(update) = first.next().await {
            if update == ScreenUpdate::Standing(Standing::Ended) {
                return;
            }
        }
    });
    subscribers.shown(Shown::Bytes(&much), &screen);
    let Some(EngineCommand::Repaint { subscriber }) = asked.recv().await else { panic!() };
    subscribers.repaint(subscriber, &screen, situation(Standing::Ready));
    let begun = Instant::now();
    // It was made up for a moment ago: the next time is later, unless that is the last one.
    assert!(tokio::time::timeout(PAUSE / 10, asked.recv()).await.is_err());
    subscribers.shown(Shown::Bytes(&much), &screen);
    assert!(tokio::time::timeout(PAUSE / 10, asked.recv()).await.is_err());
    subscribers.stands(&Standing::Ended);
    let Some(EngineCommand::Repaint { subscriber }) = asked.recv().await else { panic!() };
    assert!(begun.elapsed() < PAUSE / 2, "{:?}", begun.elapsed());
    subscribers.repaint(subscriber, &screen, situation(Standing::Ended));
    waiting.await.unwrap();
}
