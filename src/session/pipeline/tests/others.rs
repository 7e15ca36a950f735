//! Sessions with programs that wait for the terminal and for something else.

use super::*;

const ALONE: Awaits = Awaits::Terminal;
const IDLE: Awaits = Awaits::TerminalAndOthers { children_work: false };
const AT_WORK: Awaits = Awaits::TerminalAndOthers { children_work: true };
const ELSEWHERE: Awaits = Awaits::Others;

/// A session whose cell has begun.
fn running() -> Played {
    let mut played = Played::ready();
    played.play([call(1, 1, "run()", HOUR), (0, Input::InputDropped { bytes: 0 })]);
    played
}

/// How often a look every 10 ms finds the program until there is a reply.
#[track_caller]
fn looks_until_reply(played: &mut Played, wakes: u64, awaits: Awaits) -> usize {
    for looks in 1..1000 {
        let (_, found) = look_at("node", wakes, false, awaits);
        played.play([(10, found)]);
        if !played.replies.is_empty() {
            return looks;
        }
    }
    panic!("no reply ever came");
}

#[test]
fn a_prompt_tells_that_a_program_waits_and_an_ended_line_does_not() {
    for (printed, awaits, least) in [
        ("> ", IDLE, 2),
        ("> ", AT_WORK, 2),
        ("loading\r\n", ALONE, 2),
        ("loading\r\n", IDLE, 20),
        ("loading\r\n", AT_WORK, 100),
        ("", IDLE, 100),
    ] {
        let mut played = running();
        if !printed.is_empty() {
            played.play([(0, output(printed))]);
        }
        let looks = looks_until_reply(&mut played, 1, awaits);
        assert!((least..least + 2).contains(&looks), "{printed:?}, {awaits:?}: {looks}");
    }
}

/// A session whose program shows a prompt.
fn prompted() -> Played {
    let mut played = running();
    played.play([(0, output("> "))]);
    looks_until_reply(&mut played, 1, IDLE);
    assert_eq!(played.text(), "> ");
    played
}

#[test]
fn what_was_typed_is_no_prompt_while_its_line_is_not_ended() {
    let mut played = prompted();
    played.play([call(2, 1, "work()", HOUR), (1, output("work()"))]);
    for wakes in 2..12 {
        played.play([look_at("node", wakes, false, IDLE), look_at("node", wakes, false, IDLE)]);
    }
    played.play([(0, output("\r\n"))]);
    for wakes in 12..22 {
        played.play([look_at("node", wakes, false, IDLE), look_at("node", wakes, false, IDLE)]);
    }
    assert_eq!(played.texts(), []);
    played.play([(0, output("done\r\n> "))]);
    looks_until_reply(&mut played, 22, IDLE);
    assert_eq!(played.text(), "work()\ndone\n> ");
}

#[test]
fn a_poll_waits_for_what_a_program_prints_by_itself() {
    let mut played = prompted();
    played.play([call(2, 1, "", HOUR)]);
    for _ in 0..100 {
        played.play([look_at("node", 1, false, IDLE)]);
    }
    assert_eq!(played.texts(), []);
    played.play([(0, output("\r\nnews\r\n"))]);
    let looks = looks_until_reply(&mut played, 2, IDLE);
    assert!(looks >= 20, "{looks}");
    let waits = "<<repl status: waiting for input>> (node; `keys` types without Enter)\n";
    assert_eq!(played.text(), format!("\nnews\n{waits}"));
    // What came between the calls is there at once; another client was told none of it.
    played.play([(0, output("more\r\n")), (300, call(3, 1, "", HOUR).1), call(4, 2, "", HOUR)]);
    played.play([look_at("node", 3, false, IDLE)]);
    assert_eq!(played.texts().len(), 2);
}

#[test]
fn looks_for_news_are_rare_and_come_when_there_are_some() {
    let mut played = prompted();
    played.play([call(2, 1, "", HOUR)]);
    let took = Duration::from_millis(2);
    let seen = |awaits| {
        let (_, found) = look_at("node", 1, false, awaits);
        let Input::Looked { found, holds_input, .. } = found else { panic!() };
        (5, Input::Looked { found, holds_input, took })
    };
    played.play([seen(IDLE)]);
    let next = |played: &Played| played.pipeline.schedule.deadline().unwrap() - played.now;
    assert_eq!(next(&played), took * 200);
    played.play([(10, output("news\r\n"))]);
    assert_eq!(next(&played), Duration::from_millis(5));
    played.play([seen(IDLE)]);
    assert_eq!(next(&played), Duration::from_millis(195));
}

#[test]
fn text_that_a_program_neither_showed_nor_lived_to_read_is_told() {
    let mut played = prompted();
    played.play([call(2, 1, "'a cell'", HOUR)]);
    played.play(cell(1, 2, "0\r\n"));
    let text = played.text();
    let told = "[repl] node ended and showed nothing of what was typed for it; it may not have \
                read that\n";
    assert!(text.ends_with(told), "{text}");
    let mut played = prompted();
    played.play([call(2, 1, ".exit", HOUR), (1, output("\x1b[33m.exit\x1b[0m\r\n"))]);
    played.play(cell(1, 2, "0\r\n"));
    assert_eq!(played.text(), ".exit\n0\n");
    // What is shown only as the session ends, since a mark's message never came.
    let mut played = prompted();
    played.play([call(2, 1, ".exit", HOUR), (1, output(&(mark(9) + ".exit\r\n")))]);
    played.play([(1, Input::Exited { exit: Exit::Status(0), missed_input: false })]);
    let text = played.text();
    assert!(text.starts_with(".exit\n[repl] session ended"), "{text}");
}

#[test]
fn the_page_of_a_program_that_reads_nothing_is_one_that_is_typed_for() {
    let mut played = running();
    // Text is no page, whoever prints it.
    played.play([(0, output("working\r\n"))]);
    for _ in 0..50 {
        played.play([look_at("tmux", 1, false, ELSEWHERE)]);
    }
    assert_eq!(played.texts(), []);
    played.play([(0, output("\x1b[?1049h\x1b[H$ "))]);
    let looks = looks_until_reply(&mut played, 1, ELSEWHERE);
    assert!((20..22).contains(&looks), "{looks}");
    let text = played.text();
    assert!(text.starts_with("working\n$\n[screen] node, cursor at row 1, column 3;"), "{text}");
    played.effects.clear();
    played.play([call(2, 1, "ls\n", HOUR)]);
    assert_eq!(played.effects, [Effect::Type(b"ls\n".to_vec())]);
    played.play([(20, output("ls\r\nfile\r\n$ "))]);
    let looks = looks_until_reply(&mut played, 1, ELSEWHERE);
    assert!((20..22).contains(&looks), "{looks}");
    assert!(played.text().starts_with("$ ls\nfile\n$\n[screen] node,"));
}

/// A look where nobody tells more than that there is a program.
fn look_at_somebody() -> Recorded {
    let (program, awaits) = ("a program".into(), Awaits::Unknown);
    let reader = Reader { thread: 0, wakes: 0, program, guessed: true, awaits };
    let found = Some(Found { reader, canonical: false, echo: true });
    (10, Input::Looked { found, holds_input: false, took: Duration::ZERO })
}

#[test]
fn one_of_which_nothing_is_known_waits_when_it_has_come_to_rest_at_a_prompt() {
    const GUESSED: &str = "\n<<repl status: waiting for input>> (guessed: a program sleeps)\n";
    let mut played = running();
    played.play([(0, output("name: "))]);
    played.play((0..19).map(|_| look_at_somebody()));
    assert_eq!(played.texts(), []);
    played.play((0..2).map(|_| look_at_somebody()));
    assert_eq!(played.text(), format!("name: {GUESSED}"));
    played.play([call(2, 1, "ada", HOUR)]);
    assert!(played.effects.contains(&Effect::Type(b"ada\r".to_vec())));
    // Until something is printed, the answer is on its way.
    played.play((0..300).map(|_| look_at_somebody()));
    played.play([(0, output("ada\r\n"))]);
    played.play((0..300).map(|_| look_at_somebody()));
    assert_eq!(played.texts(), []);
    played.play([(0, output("age? "))]);
    played.play((0..21).map(|_| look_at_somebody()));
    assert_eq!(played.text(), format!("ada\nage? {GUESSED}"));
}

#[test]
fn one_of_which_nothing_is_known_has_a_page_only_where_it_says_so() {
    // As a console paints, which puts the cursor where it writes.
    let painted = "\x1b[?25l\x1b[H\x1b[2Jworking\x1b[5;5Hon it\x1b[?25h";
    let mut played = running();
    played.play([(0, output(painted))]);
    played.play((0..300).map(|_| look_at_somebody()));
    assert_eq!(played.texts(), []);
    played.play([(0, output(&format!("\x1b[?1049h{painted}")))]);
    played.play((0..21).map(|_| look_at_somebody()));
    assert!(played.text().contains("[screen] a program, cursor at row 5"));
}
