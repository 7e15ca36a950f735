//! Completions: when a worker is asked for one, and when its answer is worth something.

use super::{super::complete::PATIENCE, *};

fn asks(rules: &mut Rules, id: u64) -> Vec<Action> {
    let text = "os.pa".into();
    rules.step(Event::Complete { id, text, cursor: 5, is_understood: true })
}

fn asked(id: u64) -> Action {
    Action::Complete(ToWorker::Complete { id, text: "os.pa".into(), cursor: 5 })
}

fn says(rules: &mut Rules, id: u64, start: u64, matches: &[&str]) -> Vec<Action> {
    let matches = matches.iter().map(ToString::to_string).collect();
    rules.says(ToServer::Completion { id, start, matches, is_incomplete: false })
}

fn known(id: u64, start: usize, matches: &[&str]) -> Action {
    let matches = matches.iter().map(ToString::to_string).collect();
    Action::Completed { id, completion: Some(Completion { start, matches, is_incomplete: false }) }
}

fn nothing(id: u64) -> Action {
    Action::Completed { id, completion: None }
}

#[test]
fn a_ready_worker_is_asked_and_its_answer_handed_on() {
    let mut rules = Rules::ready();
    let before = rules.session.state().clone();
    assert_eq!(asks(&mut rules, 1), [asked(1)]);
    assert_eq!(says(&mut rules, 1, 0, &["os.path"]), [known(1, 0, &["os.path"])]);
    assert_eq!((rules.session.state(), rules.session.next_deadline()), (&before, None));
    assert_eq!(says(&mut rules, 1, 0, &["os.path"]), [], "one answer");
}

#[test]
fn a_worker_that_does_not_understand_or_is_not_ready_is_not_asked() {
    let mut rules = Rules::ready();
    let event = Event::Complete { id: 1, text: "a".into(), cursor: 1, is_understood: false };
    assert_eq!(rules.step(event), [nothing(1)]);
    for mut rules in [Rules::starting(), Rules::running(), Rules::waiting(), Rules::reading()] {
        let before = rules.session.clone();
        assert_eq!(asks(&mut rules, 2), [nothing(2)]);
        assert_eq!(rules.session, before);
    }
}

#[test]
fn a_reader_in_the_background_does_not_keep_it_from_being_asked() {
    let mut rules = Rules::ready();
    assert_eq!(rules.says(wait(1)), []);
    assert_eq!(asks(&mut rules, 1), [asked(1)]);
    assert_eq!(rules.call("for it").first(), Some(&stdin("for it\n")));
    assert_eq!(says(&mut rules, 1, 0, &["os.path"]), [known(1, 0, &["os.path"])]);
}

#[test]
fn a_new_question_makes_the_one_before_worthless() {
    let mut rules = Rules::ready();
    assert_eq!(asks(&mut rules, 1), [asked(1)]);
    assert_eq!(asks(&mut rules, 2), [nothing(1), asked(2)]);
    assert_eq!(says(&mut rules, 1, 0, &["os.path"]), [], "late");
    assert_eq!(says(&mut rules, 3, 0, &["os.path"]), [], "nobody asked");
    assert_eq!(says(&mut rules, 2, 3, &["path"]), [known(2, 3, &["path"])]);
}

#[test]
fn a_cell_is_not_held_up_and_makes_the_answer_worthless() {
    let mut rules = Rules::ready();
    assert_eq!(asks(&mut rules, 1), [asked(1)]);
    let mut actions = run(1, "cell");
    actions.push(nothing(1));
    assert_eq!(rules.call("cell"), actions);
    assert_eq!(says(&mut rules, 1, 0, &["os.path"]), []);
    assert_eq!(rules.done(1), [reply(1, idle(Some(Outcome::Ok)))]);
    assert_eq!(says(&mut rules, 1, 0, &["os.path"]), []);
}

#[test]
fn a_poll_of_a_ready_session_changes_nothing_for_it() {
    let mut rules = Rules::ready();
    assert_eq!(asks(&mut rules, 1), [asked(1)]);
    assert_eq!(rules.call(""), [reply(1, idle(None))]);
    assert_eq!(says(&mut rules, 1, 0, &["os.path"]), [known(1, 0, &["os.path"])]);
}

#[test]
fn an_answer_that_does_not_come_is_waited_for_a_while() {
    let mut rules = Rules::ready();
    assert_eq!(asks(&mut rules, 1), [asked(1)]);
    assert_eq!(rules.session.next_deadline(), Some(PATIENCE));
    assert_eq!(rules.tick(PATIENCE - Duration::from_millis(1)), []);
    assert_eq!(rules.tick(Duration::from_millis(1)), [nothing(1)]);
    assert_eq!(rules.session.next_deadline(), None);
    assert_eq!(says(&mut rules, 1, 0, &["os.path"]), []);
}

#[test]
fn it_goes_with_its_worker() {
    let mut rules = Rules::ready();
    assert_eq!(asks(&mut rules, 1), [asked(1)]);
    assert_eq!(rules.step(exited(Exit::Status(0))).last(), Some(&nothing(1)));
    let mut rules = Rules::ready();
    assert_eq!(asks(&mut rules, 1), [asked(1)]);
    let actions = [Action::Send(ToWorker::Shutdown), nothing(1)];
    assert_eq!(rules.step(Event::Shutdown), actions);
}

#[test]
fn a_worker_that_answers_nothing_is_asked_no_more_until_it_does() {
    let mut rules = Rules::ready();
    for id in 1..=16 {
        assert_eq!(asks(&mut rules, id).last(), Some(&asked(id)));
    }
    assert_eq!(asks(&mut rules, 17), [nothing(17)]);
    assert_eq!(says(&mut rules, 16, 0, &[]), [nothing(16)]);
    assert_eq!(asks(&mut rules, 18), [asked(18)]);
}

#[test]
fn what_could_do_harm_is_left_out() {
    let mut rules = Rules::ready();
    let mut answer = |start, matches: &[&str]| {
        asks(&mut rules, 1);
        says(&mut rules, 1, start, matches)
    };
    assert_eq!(answer(0, &["a\u{1b}[2J", "b", "", "c\n"]), [known(1, 0, &["b"])]);
    assert_eq!(answer(6, &["b"]), [nothing(1)], "behind the cursor");
    assert_eq!(answer(u64::MAX, &["b"]), [nothing(1)]);
    let many = vec!["name"; 600];
    assert_eq!(answer(0, &many), [known(1, 0, &many[..500])]);
    let text = "x".repeat((1 << 20) + 1);
    let event = Event::Complete { id: 2, text, cursor: 5, is_understood: true };
    assert_eq!(rules.step(event), [nothing(2)]);
}

#[test]
fn that_a_cell_has_no_end_is_handed_on_without_names_too() {
    let mut rules = Rules::ready();
    asks(&mut rules, 1);
    let answer = |is_incomplete| ToServer::Completion {
        id: 1,
        start: 0,
        matches: Vec::new(),
        is_incomplete,
    };
    let completion = Some(Completion { start: 0, matches: Vec::new(), is_incomplete: true });
    assert_eq!(rules.says(answer(true)), [Action::Completed { id: 1, completion }]);
    asks(&mut rules, 1);
    assert_eq!(rules.says(answer(false)), [nothing(1)]);
}
