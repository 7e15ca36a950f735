//! Sessions with several clients: who they are, and what they are told of each other.

use super::*;
use crate::{
    reply::{AttachmentRoom, Budget, Deed, EndedBy, Notice},
    session::rules::hands::PersonAct,
};

/// A client says who it is.
fn introduce(client: ClientId, name: &str, text: Option<usize>) -> Recorded {
    let budget = text.map(|text| Budget { text, attachments: AttachmentRoom::default() });
    let who = ClientInfo { name: name.into(), budget, is_person: false, attach: None };
    (0, Input::Introduce { client, who })
}

/// A session that is ready, with clients 1 and 2, of which the second has a name.
fn of_two() -> Played {
    let mut played = Played::ready();
    played.play([introduce(2, "exec", None), call(90, 1, "", 0), call(91, 2, "", 0)]);
    played.texts();
    played.effects.clear();
    played
}

/// A client sends a cell, whose unread input is dropped.
fn begin(id: u64, client: ClientId, source: &str) -> Vec<Recorded> {
    vec![call(id, client, source, HOUR), (0, Input::InputDropped { bytes: 0 })]
}

/// The clients that have text on disk.
fn kept(played: &mut Played) -> Vec<ClientId> {
    let effects = std::mem::take(&mut played.effects).into_iter();
    let client = |effect| match effect {
        Effect::Keep { client, .. } => Some(client),
        _ => None,
    };
    effects.filter_map(client).collect()
}

#[test]
fn each_client_has_a_budget_of_its_own() {
    let mut played = of_two();
    played.play([introduce(2, "exec", Some(100)), call(92, 3, "", 0)]);
    played.texts();
    played.play([(0, output(&"line\r\n".repeat(50)))]);
    played.play([call(1, 1, "", 0), call(2, 2, "", 0), call(3, 3, "", 0)]);
    let texts = played.texts();
    let all = "line\n".repeat(50);
    assert_eq!([&texts[0].1, &texts[2].1], [&all, &all]);
    assert!(texts[1].1.contains("[repl] … 31 lines (155 bytes) left out here"), "{texts:?}");
    assert_eq!(kept(&mut played), [2]);
    // What nobody was told is cut to what the next one takes.
    played.play([1, 2, 3].map(|client| (0, Input::Leave { client })));
    played.play([(0, output(&"line\r\n".repeat(50))), introduce(4, "", Some(100))]);
    played.play([call(4, 4, "", 0)]);
    assert!(played.text().contains("[repl] … 31 lines (155 bytes) left out here"));
    // One that leaves takes its budget with it.
    played.play([(0, Input::Leave { client: 4 }), (0, output(&"line\r\n".repeat(50)))]);
    played.play([call(5, 5, "", 0)]);
    assert_eq!(played.text(), all);
}

#[test]
fn a_reply_begins_with_what_others_ran() {
    let mut played = of_two();
    played.play(begin(1, 2, "x = 6\nx * 7\n"));
    played.play(cell(1, 2, "42\r\n"));
    assert_eq!(played.texts(), [(2, "42\n".into())]);
    played.play(begin(2, 1, "'mine'"));
    played.play(cell(2, 4, "'mine'\r\n"));
    let meanwhile = "[repl] meanwhile another client (exec) ran:\n>>> x = 6\n... x * 7\n42\n";
    assert_eq!(played.texts(), [(1, format!("{meanwhile}[repl] now your cell:\n'mine'\n"))]);
    // Without a name, and to a poll.
    played.play([call(3, 2, "", HOUR), call(4, 2, "", HOUR)]);
    let told = "[repl] meanwhile another client ran:\n>>> 'mine'\n'mine'\n";
    let idle = "<<repl status: idle>>\n";
    assert_eq!(played.texts(), [(2, told.into()), (2, idle.into())]);
    // What was told is told once.
    played.play(begin(5, 1, "1"));
    played.play(cell(3, 6, "1\r\n"));
    assert_eq!(played.text(), "1\n");
}

#[test]
fn what_a_cell_of_another_client_goes_on_to_print_is_said_to_be_its() {
    let mut played = of_two();
    played.play(begin(1, 2, "work()"));
    played.play([(1, output("one\r\n")), call(2, 1, "", 0)]);
    let told = "[repl] meanwhile another client (exec) ran:\n>>> work()\none\n[repl] the cell of \
                another client (exec) still runs\n<<repl status: busy, elapsed_ms=1>>\n";
    assert_eq!(played.texts(), [(1, told.into())]);
    played.play(begin(3, 1, "'mine'").into_iter().take(1));
    played.play(cell(1, 2, "two\r\n"));
    played.play([(0, Input::InputDropped { bytes: 0 })]);
    played.texts();
    played.play(cell(2, 4, "'mine'\r\n"));
    let told = "[repl] meanwhile the cell of another client (exec) printed:\ntwo\n[repl] now your \
                cell:\n'mine'\n";
    assert_eq!(played.texts(), [(1, told.into())]);
    // One that comes while it runs is told whose it is.
    played.play(begin(4, 2, "work()"));
    played.play([call(5, 3, "", 0), (0, output("three\r\n")), call(6, 3, "", 0)]);
    let texts = played.texts();
    let told = "[repl] meanwhile the cell of another client (exec) printed:\nthree\n";
    assert!(texts[1].1.starts_with(told), "{texts:?}");
}

#[test]
fn a_cell_that_had_to_wait_too_long_is_told_for_whom() {
    let mut played = of_two();
    played.play([introduce(1, "claude-code", None)]);
    played.play(begin(1, 1, "work()"));
    played.play([call(2, 2, "cell", 1000), (2000, Input::Tick)]);
    let told = "[repl] meanwhile another client (claude-code) ran:\n>>> work()\n[repl] the cell of \
                another client (claude-code) still runs\n[repl] input discarded while worker \
                busy\n<<repl status: busy, elapsed_ms=2000>>\n";
    assert_eq!(played.texts(), [(2, told.into())]);
}

#[test]
fn who_answers_and_who_is_asked_is_told() {
    let mut played = of_two();
    played.play(begin(1, 1, "input()"));
    let wait = |wait, echo| ToServer::InputWait {
        mark: 2,
        wait,
        reader: WorkerReader::Readline,
        prompt: String::new(),
        echo,
    };
    played.play([(1, output(&("name? ".to_owned() + &mark(2)))), (0, message(wait(1, true)))]);
    assert_eq!(played.texts(), [(1, "name? ".into())]);
    played.play([call(2, 2, "", HOUR)]);
    let told = "[repl] meanwhile another client ran:\n>>> input()\nname? \n[repl] the cell of \
                another client waits for input; what you send now is its answer\n<<repl status: \
                waiting for input>>\n";
    assert_eq!(played.texts(), [(2, told.into())]);
    played.play([call(3, 2, "Ada", HOUR), call(4, 1, "", HOUR)]);
    played.play([(1, output("Ada\r\n"))]);
    let taken = ToServer::InputTaken { wait: 1, bytes: 4, thread: None };
    played.play([(0, message(taken))]);
    played.play(cell(1, 4, "'Ada'\r\n"));
    let texts = played.texts();
    let told = "[repl] meanwhile another client (exec) answered: Ada\nAda\n'Ada'\n";
    assert_eq!(texts, [(2, "Ada\n'Ada'\n".into()), (1, told.into())]);
}

#[test]
fn long_cells_are_shortened_as_text_is() {
    let mut played = of_two();
    let source: String = (0..10_000).map(|n| format!("x{n} = {n}\n")).collect();
    played.play(begin(1, 2, &source));
    played.play(cell(1, 2, "done\r\n"));
    played.texts();
    played.play([call(2, 1, "", HOUR)]);
    let text = played.text();
    let begins = "[repl] meanwhile another client (exec) ran:\n>>> x0 = 0\n... x1 = 1\n";
    assert!(text.starts_with(begins) && text.contains("... x9999 = 9999\ndone\n"), "{text}");
    assert!(text.len() < BUDGET + 400 && text.contains(" left out here; "), "{}", text.len());
    assert!(kept(&mut played).iter().all(|&client| client == 1));
}

#[test]
fn one_that_follows_is_told_as_it_happens() {
    let mut played = of_two();
    played.play([(0, Input::Follow { client: 2, answers: false })]);
    played.play(begin(1, 1, "'theirs'"));
    played.play(cell(1, 2, "'theirs'\r\n"));
    let theirs = "[repl] meanwhile another client ran:\n>>> 'theirs'\n'theirs'\n";
    assert_eq!(told(&mut played), theirs);
    played.play(begin(2, 2, "'mine'"));
    assert_eq!(told(&mut played), "[repl] now your cell:\n");
}

#[test]
fn what_was_not_told_of_others_comes_again_as_such() {
    let mut played = of_two();
    played.play(begin(1, 2, "'theirs'"));
    played.play(cell(1, 2, "'theirs'\r\n"));
    played.texts();
    played.play([call(2, 1, "", HOUR)]);
    let (client, reply) = played.replies.pop().unwrap();
    played.play([(0, Input::Returned { client, reply })]);
    played.play(begin(3, 1, "'mine'"));
    played.play(cell(2, 4, "'mine'\r\n"));
    let theirs = "[repl] meanwhile another client (exec) ran:\n>>> 'theirs'\n'theirs'\n";
    assert_eq!(played.text(), format!("{theirs}[repl] now your cell:\n'mine'\n"));
}

/// What those who look on were told, in order.
#[derive(Default)]
struct Told(Vec<String>);

impl Observer for Told {
    fn shown(&mut self, shown: Shown<'_>, _screen: &Screen) {
        if let Shown::Bytes(bytes) = shown {
            self.0.push(String::from_utf8_lossy(bytes).into_owned());
        }
    }

    fn replaced(&mut self, _screen: &Screen) {}

    fn looks_on(&self) -> bool {
        true
    }

    fn stands(&mut self, standing: &Standing) {
        self.0.push(format!("{standing:?}"));
    }

    fn hands(&mut self, roles: &Roles) {
        self.0.push(format!("held by {:?}", roles.holder));
    }

    fn did(&mut self, client: &str, deed: &Deed) {
        self.0.push(format!("{client} {:?}", deed.words()));
    }
}

#[test]
fn who_looks_on_is_told_states_and_deeds_in_order_with_the_bytes() {
    let mut pipeline = Pipeline::new(Paging::Through, Size::default(), BUDGET, Told::default());
    let mut now = Time::ZERO;
    let mut play = |recorded: Vec<Recorded>| {
        for (wait, input) in recorded {
            now += Duration::from_millis(wait);
            pipeline.take(input, now);
            while pipeline.next_effect().is_some() {}
        }
        std::mem::take(&mut pipeline.observer_and_screen().0.0)
    };
    assert_eq!(play(start()), ["Starting", "Ready"]);
    play(vec![introduce(1, "exec", None)]);
    let running = |elapsed: &str| format!(r#"Running {{ elapsed: {elapsed}, client: "exec" }}"#);
    let told = play(begin(1, 1, "input()"));
    assert_eq!(told, [r#"exec ("ran", "input()")"#.to_owned(), running("0ns")]);
    let asks = ToServer::InputWait {
        mark: 2,
        wait: 1,
        reader: WorkerReader::Readline,
        prompt: String::new(),
        echo: false,
    };
    let told = play(vec![(5, output(&("Key: ".to_owned() + &mark(2)))), (0, message(asks))]);
    let waits = r#"Waiting { what: "input", client: "exec", echo: false }"#;
    assert_eq!(told, ["Key: ", waits]);
    let told = play(vec![call(2, 2, "", 0), (2, Input::Tick)]);
    assert_eq!(told, [] as [&str; 0]);
    // A secret is told to nobody.
    let taken = ToServer::InputTaken { wait: 1, bytes: 4, thread: None };
    let told = play(vec![call(3, 1, "secret", HOUR), (0, message(taken))]);
    assert_eq!(told, [r#"exec ("answered", "")"#.to_owned(), running("7ms")]);
    let told = play(cell(1, 3, "done"));
    assert_eq!(told, ["done", "Ready"]);
    let who = ClientInfo { name: "ann".into(), budget: None, is_person: true, attach: None };
    let hold = |on| (0, Input::Person { client: 9, act: PersonAct::Hold { on } });
    let told = play(vec![(0, Input::Introduce { client: 9, who }), hold(true), hold(true)]);
    assert_eq!(told, [r#"held by Some((9, "ann"))"#]);
    assert_eq!(play(vec![hold(false), hold(false)]), ["held by None"]);
    let told = play(vec![(0, Input::Shutdown)]);
    assert_eq!(told, ["Ending"]);
}

#[test]
fn who_ends_a_session_is_told_before_its_end() {
    let mut played = of_two();
    played.play(begin(1, 2, "work()"));
    let tell = Input::Tell(Notice::EndedBy(EndedBy::Client));
    played.play([(1, output("half\r\n")), (0, tell), (0, Input::Shutdown)]);
    let exit = Exit::Signal("SIGHUP".into());
    played.play([(1, Input::Exited { exit, missed_input: false })]);
    let told = "half\n[repl] the session is ended by another client\n[repl] session ended (killed \
                by SIGHUP)\n";
    assert_eq!(played.texts(), [(2, told.into())]);
}

#[test]
fn how_long_a_cell_runs_is_known_though_nothing_happens() {
    let mut played = of_two();
    played.play(begin(1, 2, "time.sleep(60)"));
    let elapsed = Duration::from_secs(5);
    let running = Standing::Running { elapsed, client: "exec".into() };
    let now = played.now + elapsed;
    assert_eq!(played.pipeline.standing(now), running);
    assert_eq!(played.pipeline.look_on(now).2.standing, running);
    // Nor is it news.
    let key = running.key(now);
    assert_eq!(key, played.pipeline.standing(played.now).key(played.now));
}

#[test]
fn whose_cell_runs_is_not_told_again_when_it_was_not_told() {
    let mut played = of_two();
    played.play(begin(1, 2, "input()"));
    played.play([call(2, 1, "", 0)]);
    let (client, reply) = played.replies.pop().unwrap();
    played.play([(0, Input::Returned { client, reply })]);
    played.play(cell(1, 2, "done\r\n"));
    played.texts();
    played.play([call(3, 1, "", HOUR)]);
    let told = "[repl] meanwhile another client (exec) ran:\n>>> input()\ndone\n";
    assert_eq!(played.text(), told);
}

#[test]
fn a_session_is_idle_from_the_end_of_its_last_cell_on() {
    let mut played = Played::ready();
    let hour = Duration::from_secs(3600);
    played.play(begin(1, 1, "work()"));
    let now = played.now;
    assert_eq!(played.pipeline.idle_for(now + hour), Duration::ZERO);
    // It is silent all that time.
    played.play([(3_600_000, Input::Tick)]);
    played.play(cell(1, 2, "done"));
    let end = played.now;
    assert!(end >= now + hour);
    assert_eq!(played.pipeline.idle_for(end + hour), hour);
}

#[test]
fn the_last_person_who_leaves_gives_the_size_back() {
    let mut played = of_two();
    let resizes = |played: &mut Played| {
        let effects = std::mem::take(&mut played.effects).into_iter();
        let size = |effect| match effect {
            Effect::Resize(size) => Some(size),
            _ => None,
        };
        effects.filter_map(size).collect::<Vec<_>>()
    };
    let small = Size { columns: 80, rows: 24 };
    played.play([(0, Input::People { attached: false })]);
    assert_eq!(resizes(&mut played), []);
    played.play([(0, Input::People { attached: true }), (0, Input::Resize(small))]);
    played.play([(0, Input::Resized(small))]);
    assert_eq!(resizes(&mut played), [small]);
    played.play([(0, Input::People { attached: false })]);
    assert_eq!(resizes(&mut played), [Size::default()]);
    // A pin holds until its client goes.
    let wide = Size { columns: 200, rows: 50 };
    played.play([(0, Input::People { attached: true }), (0, Input::Resize(small))]);
    played.play([(0, Input::Pin { client: 2, size: wide }), (0, Input::Resize(small))]);
    assert_eq!(resizes(&mut played), [small, wide]);
    played.play([(0, Input::Leave { client: 2 })]);
    assert_eq!(resizes(&mut played), [small]);
    // One that nobody sits at any more lets go of it, though it is kept for what it was not told.
    let who = ClientInfo::default();
    played.play([
        (0, Input::Pin { client: 1, size: wide }),
        (0, Input::Introduce { client: 1, who }),
    ]);
    assert_eq!(resizes(&mut played), [wide, small]);
    played.play([(0, Input::PinOwn), (0, Input::People { attached: false })]);
    assert_eq!(resizes(&mut played), []);
}
