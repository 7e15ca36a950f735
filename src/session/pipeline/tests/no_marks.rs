//! Sessions whose terminal does not hand marks on in their place: a console of Windows that paints a page of
//! its own. The streams are written as such consoles paint.

use super::*;

/// What a console of Windows 10 prints at its start, and one since Windows Terminal 1.22.
const PAINTS: &str =
    "\x1b[?9001h\x1b[?1004h\x1b[?25l\x1b[2J\x1b[m\x1b[H\x1b]0;C:\\python.exe\x07\x1b[?25h";
const HANDS_ON: &str = "\x1b[c\x1b[?1004h\x1b[?9001h";

/// How long a message waits until what was printed in front of it is painted, in milliseconds.
const PAINTING: u64 = 32;

/// A session on a console that started so, which makes this of marks.
fn on_console(marks: Marks, starts: &str) -> Played {
    let mut played = Played::new();
    played.play([
        (0, started_with(marks)),
        (0, output(starts)),
        (20, message(hello())),
        (0, message(ToServer::Ready { mark: 1, discarded_bytes: 0 })),
        (PAINTING, Input::Tick),
    ]);
    played
}

/// A session on a console that paints, ready.
fn painted() -> Played {
    let mut played = on_console(Marks::AsStartTells, PAINTS);
    played.effects.clear();
    played
}

fn begin(id: u64, source: &str) -> [Recorded; 2] {
    [call(id, 1, source, HOUR), (0, Input::InputDropped { bytes: 0 })]
}

/// The worker says that a cell is over, by marks that nobody sees.
fn done(id: u64) -> [Recorded; 4] {
    [
        (0, message(ToServer::CellDone { id, mark: 100 + id, outcome: Outcome::Ok })),
        (0, message(ToServer::Ready { mark: 200 + id, discarded_bytes: 0 })),
        (PAINTING, Input::Tick),
        (0, Input::InputDropped { bytes: 0 }),
    ]
}

fn asks(prompt: &str) -> Input<'static> {
    let (prompt, reader) = (prompt.into(), WorkerReader::Readline);
    message(ToServer::InputWait { mark: 50, wait: 1, reader, prompt, echo: true })
}

#[test]
fn a_message_takes_effect_when_what_was_printed_before_it_may_be_painted() {
    let mut played = painted();
    played.play(begin(1, "40 + 2"));
    played.play([(1, output("\x1b[?25l42\r\n\x1b[?25h"))]);
    played.play(done(1));
    assert_eq!(played.text(), "42\n");
    played.play(begin(2, "name = input('Who? ')"));
    played.play([(0, asks("Who? ")), (20, output("\x1b[2;1HWho? ")), (12, Input::Tick)]);
    assert_eq!(played.text(), "Who? ");
    played.play([call(3, 1, "Grace", HOUR)]);
    let taken = message(ToServer::InputTaken { wait: 1, bytes: 6, thread: None });
    played.play([(0, taken), (1, output("Hello Grace\r\n"))]);
    played.play(done(2));
    assert_eq!(played.text(), "Hello Grace\n");
}

#[test]
fn what_is_painted_a_frame_after_the_cell_belongs_to_its_reply() {
    let mut played = painted();
    played.play(begin(1, "40 + 2"));
    played.play([
        (0, message(ToServer::CellDone { id: 1, mark: 101, outcome: Outcome::Ok })),
        (0, message(ToServer::Ready { mark: 201, discarded_bytes: 0 })),
        (PAINTING - 1, output("42\r\n")),
    ]);
    assert_eq!(played.texts(), []);
    played.play([(1, Input::Tick), (0, Input::InputDropped { bytes: 0 })]);
    assert_eq!(played.text(), "42\n");
    // The end of the program does not wait for it.
    played.play(begin(2, "exit()"));
    played.play([(0, message(ToServer::Exiting { status: 0 })), (0, Input::ProcessOver)]);
    played.play([(0, Input::Exited { exit: Exit::Status(0), missed_input: false })]);
    assert_eq!(played.text(), "[repl] session ended (exit status 0)\n");
}

#[test]
fn what_comes_late_is_told_with_the_next_reply() {
    let mut played = painted();
    played.play(begin(1, "print('one')"));
    played.play(done(1));
    assert_eq!(played.text(), "<<repl status: idle>>\n");
    played.play([(1, output("one\r\n"))]);
    played.play(begin(2, "print('two')"));
    played.play([(1, output("two\r\n"))]);
    played.play(done(2));
    assert_eq!(played.text(), "one\ntwo\n");
}

#[test]
fn marks_that_come_nevertheless_are_taken_out_and_ignored() {
    let mut played = painted();
    let [on, off] = [Mark::EchoStart, Mark::EchoEnd]
        .map(|mark| String::from_utf8(mark_bytes(NONCE, mark)).unwrap());
    played.play(begin(1, "print('one')"));
    // Ahead of the text before them, as sequences that such a console does not know.
    played.play([(1, output(&format!("{}{on}{off}", mark(101))))]);
    assert!(played.pipeline.takes_output() && !played.pipeline.awaits_message());
    played.play([(15, output(&format!("o{}ne{on}\r\n", mark(300))))]);
    played.play(done(1));
    assert_eq!(played.text(), "one\n");
    // Nor are those missed that never come.
    played.play([(HOUR, Input::Tick)]);
    assert_eq!(played.effects.iter().find(|e| matches!(e, Effect::GiveUp(_))), None);
    // One that has closed its sideband and goes on is.
    played.play([(0, Input::SidebandClosed), (3000, Input::Tick)]);
    let error = Failure::Protocol(OrderError::SidebandClosed.to_string());
    assert!(played.effects.contains(&Effect::GiveUp(error)));
}

#[test]
fn a_page_that_is_painted_anew_is_not_told_again() {
    let mut played = painted();
    let lines = ["one", "two three", "", "漢字 é"];
    played.play(begin(1, "show()"));
    played.play([(1, output(&lines.map(|line| format!("{line}\r\n")).concat()))]);
    played.play(done(1));
    assert_eq!(played.text(), "one\ntwo three\n\n漢字 é\n");
    // At a resize, all of it; then a part of a line, where the cursor is put.
    let size = Size { columns: 100, rows: 30 };
    let page: Vec<String> = (0..30).map(|n| lines.get(n).unwrap_or(&"").to_string()).collect();
    let page = page.join("\x1b[K\r\n");
    let repaint = format!("\x1b[?25l\x1b[m\x1b[H{page}\x1b[K\x1b[5;1H\x1b[?25h");
    played.play([(1, Input::Resized(size)), (1, output(&repaint))]);
    played.play([(1, output("\x1b[?25l\x1b[2;5Hthree\x1b[5;1H\x1b[?25h"))]);
    played.play([call(2, 1, "", 0)]);
    assert_eq!(played.text(), "<<repl status: idle>>\n");
    assert_eq!(played.pipeline.screen().page_text(), "one\ntwo three\n\n漢字 é");
    // What is printed then goes on below.
    played.play(begin(3, "print('four')"));
    played.play([(1, output("\x1b[?25l\x1b[5;1Hfour\x1b[K\r\n\x1b[?25h"))]);
    played.play(done(2));
    assert_eq!(played.text(), "four\n");
}

#[test]
fn cells_do_not_stand_on_a_page_that_the_console_paints() {
    let mut played = painted();
    played.play(begin(1, "print('x', end='')"));
    played.play([(1, output("x"))]);
    played.play(done(1));
    assert_eq!(played.text(), "x");
    played.play(begin(2, "print('y')"));
    played.play([(1, output("\x1b[1;2Hy\r\n"))]);
    played.play(done(2));
    assert_eq!(played.text(), "y\n");
    assert_eq!(played.pipeline.screen().page_text(), "xy");
}

#[test]
fn a_console_is_answered_from_the_first_byte_on_and_nothing_of_its_start_is_shown() {
    for (starts, answers) in [
        (HANDS_ON, vec!["\x1b[?62;22c"]),
        ("\x1b[6n\x1b[c\x1b[?1004h\x1b[?9001h", vec!["\x1b[1;1R\x1b[?62;22c"]),
        (PAINTS, vec![]),
        ("\x1b[6n\x1b[?9001h\x1b[?1004h\x1b[m\x1b]0;cmd.exe\x07\x1b[?25h", vec!["\x1b[1;1R"]),
    ] {
        let mut played = Played::new();
        played.play([(0, started_with(Marks::AsStartTells)), (0, output(starts))]);
        let answered = played.effects.iter().filter_map(|effect| match effect {
            Effect::Answer(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        });
        assert_eq!(answered.collect::<Vec<_>>(), answers, "{starts:?}");
        assert_eq!(played.pipeline.screen().page_text(), "", "{starts:?}");
    }
}

#[test]
fn the_start_of_a_console_tells_what_it_makes_of_marks() {
    assert!(on_console(Marks::InStream, PAINTS).pipeline.has_marks());
    assert!(!on_console(Marks::Absent, HANDS_ON).pipeline.has_marks());
    assert!(!on_console(Marks::AsStartTells, PAINTS).pipeline.has_marks());
    // Until its first program has said something: later the question is that of a program.
    let mut played = painted();
    played.play([(0, output(HANDS_ON))]);
    assert!(!played.pipeline.has_marks());
    // One that hands on what is printed has the order that its marks make.
    let mut played = Played::new();
    played.play([(0, started_with(Marks::AsStartTells))]);
    for byte in HANDS_ON.chars() {
        played.play([(0, output(&byte.to_string()))]);
    }
    played.play([
        (20, message(hello())),
        (0, message(ToServer::Ready { mark: 1, discarded_bytes: 0 })),
        (0, output(&mark(1))),
    ]);
    played.play(begin(1, "1"));
    played.play([
        (0, message(ToServer::CellDone { id: 1, mark: 2, outcome: Outcome::Ok })),
        (0, message(ToServer::Ready { mark: 3, discarded_bytes: 0 })),
    ]);
    assert_eq!(played.texts(), []);
    played.play([(0, output(&format!("1\r\n{}{}", mark(2), mark(3))))]);
    played.play([(0, Input::InputDropped { bytes: 0 })]);
    assert_eq!(played.text(), "1\n");
}

proptest! {
    #[test]
    fn no_line_is_lost_and_none_told_twice_whenever_it_comes(
        late in prop::collection::vec(0usize..12, 6),
        size in 1usize..20,
    ) {
        // Each cell prints a line, of which so many bytes come behind the end of the cell.
        let mut played = painted();
        let (mut behind, mut expected) = (String::new(), String::new());
        for (n, late) in late.into_iter().enumerate() {
            let id = n as u64 + 1;
            let line = format!("\x1b[?25lline {n}\r\n\x1b[?25h");
            expected += &format!("line {n}\n");
            let all = std::mem::take(&mut behind) + &line;
            let (now, then) = all.split_at(all.len() - late);
            played.play(begin(id, "cell"));
            for piece in now.as_bytes().chunks(size) {
                played.play([(0, Input::Output(piece.to_vec().into()))]);
            }
            played.play(done(id));
            behind = then.to_owned();
        }
        played.play([(0, output(&behind)), call(100, 1, "", 0)]);
        let texts = played.texts().into_iter().map(|(_, text)| text);
        let told: String = texts.filter(|text| text != "<<repl status: idle>>\n").collect();
        prop_assert_eq!(told, expected);
    }
}
