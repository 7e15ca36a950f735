//! Whole sessions from lists of recorded inputs, without a process.

mod cells;
mod clients;
mod complete;
mod denials;
mod hands;
mod no_marks;
mod others;
mod people;

use std::time::Duration;

use mcp_repl_sideband::{Mark, Outcome, Reader as WorkerReader, ToServer, ToWorker, mark_bytes};
use proptest::prelude::*;

use super::*;
use crate::{
    reply::{BUDGET, Block, Content, Exit, Failure, Reply},
    screen::Marks,
    session::rules::{
        payload::{Keys, Payload},
        reader::{Awaits, Reader},
        state::ClientId,
    },
};

const NONCE: &str = "0123456789abcdef";

/// What is recorded, with the time since what was recorded before, in milliseconds.
type Recorded = (u64, Input<'static>);

/// A pipeline that plays what was recorded, and what came out of it.
struct Played<O = ()> {
    pipeline: Pipeline<O>,
    now: Time,
    replies: Vec<(ClientId, Reply)>,
    effects: Vec<Effect>,
}

impl Played {
    fn new() -> Played {
        Played::with(())
    }

    /// One with a session that is ready, and client 1.
    fn ready() -> Played {
        let mut played = Played::new();
        played.play(start());
        played.effects.clear();
        played
    }
}

impl<O: Observer> Played<O> {
    fn with(observer: O) -> Played<O> {
        Played {
            pipeline: Pipeline::new(Paging::Through, Size::default(), BUDGET, observer),
            now: Time::ZERO,
            replies: Vec::new(),
            effects: Vec::new(),
        }
    }

    fn play(&mut self, recorded: impl IntoIterator<Item = Recorded>) {
        for (wait, input) in recorded {
            self.now += Duration::from_millis(wait);
            self.pipeline.take(input, self.now);
            while let Some(effect) = self.pipeline.next_effect() {
                match effect {
                    Effect::Reply { client, reply, .. } => self.replies.push((client, reply)),
                    effect => self.effects.push(effect),
                }
            }
        }
    }

    /// The texts of the replies since the last time, each with its client.
    fn texts(&mut self) -> Vec<(ClientId, String)> {
        let text = |block: Block| match block {
            Block::Text(text) => text,
            Block::Image { mime, .. } => format!("({mime})\n"),
        };
        let replies = std::mem::take(&mut self.replies);
        let texts = replies.into_iter().map(|(client, reply)| {
            (client, reply.merged().into_iter().map(text).collect::<String>())
        });
        texts.collect()
    }

    /// The text of the one reply since the last time.
    #[track_caller]
    fn text(&mut self) -> String {
        let [(_, text)] = &self.texts()[..] else { panic!("not one reply") };
        text.clone()
    }
}

fn start() -> Vec<Recorded> {
    vec![
        (0, started()),
        (20, message(hello())),
        (0, output(&mark(1))),
        (0, message(ToServer::Ready { mark: 1, discarded_bytes: 0 })),
    ]
}

fn started() -> Input<'static> {
    started_with(Marks::InStream)
}

/// A worker whose terminal makes this of marks.
fn started_with(marks: Marks) -> Input<'static> {
    let (nonce, size) = (NONCE.into(), Size::default());
    Input::Started { nonce, size, marks, passed_over: Vec::new() }
}

fn hello() -> ToServer {
    let text = format!(
        r#"{{"type":"hello","protocol":1,"nonce":"{NONCE}","implementation":"cpython",
        "version":"3.12.1","pid":7}}"#
    );
    serde_json::from_str(&text).unwrap()
}

fn mark(number: u64) -> String {
    String::from_utf8(mark_bytes(NONCE, Mark::Point(number))).unwrap()
}

fn output(text: &str) -> Input<'static> {
    Input::Output(text.as_bytes().to_vec().into())
}

fn message(message: ToServer) -> Input<'static> {
    Input::Message(message)
}

fn call(id: u64, client: ClientId, text: &str, timeout: u64) -> Recorded {
    let payload = Payload::parse(text, Vec::new()).unwrap();
    // No test runs longer than its calls wait, but for those that mean to.
    let deadline = Duration::from_millis(timeout);
    (0, Input::Call { id, client, payload, deadline, background: None, person: None })
}

/// A cell that prints something and ends.
fn cell(id: u64, mark_number: u64, text: &str) -> Vec<Recorded> {
    let done = mark(mark_number);
    let ready = mark(mark_number + 1);
    vec![
        (1, output(&format!("{text}{done}"))),
        (0, message(ToServer::CellDone { id, mark: mark_number, outcome: Outcome::Ok })),
        (0, output(&ready)),
        (0, message(ToServer::Ready { mark: mark_number + 1, discarded_bytes: 0 })),
        (0, Input::InputDropped { bytes: 0 }),
    ]
}

/// A look that finds a program.
fn look(program: &str, wakes: u64, canonical: bool) -> Recorded {
    look_at(program, wakes, canonical, Awaits::Terminal)
}

/// A look that finds a program that goes on for this.
fn look_at(program: &str, wakes: u64, canonical: bool, awaits: Awaits) -> Recorded {
    let reader = Reader { thread: 9, wakes, program: program.into(), guessed: false, awaits };
    let found = Some(Found { reader, canonical, echo: canonical });
    (5, Input::Looked { found, holds_input: false, took: Duration::ZERO })
}

const HOUR: u64 = 3_600_000;

/// Cells, `input()`, a pager, a full-screen program and a call that times out, as a live session
/// had them, and the replies that one gave.
fn whole_session() -> (Vec<Recorded>, Vec<&'static str>) {
    let mut recorded = start();
    let mut replies = Vec::new();
    recorded.push(call(1, 1, "40 + 2", HOUR));
    recorded.push((0, Input::InputDropped { bytes: 0 }));
    recorded.extend(cell(1, 2, "42\r\n"));
    replies.push("42\n");
    // A reader of the worker's own, and its answer, which the worker echoes.
    recorded.push(call(2, 1, "name = input('Who? ')", HOUR));
    recorded.push((0, Input::InputDropped { bytes: 0 }));
    recorded.push((1, output(&format!("Who? {}", mark(4)))));
    let wait = ToServer::InputWait {
        mark: 4,
        wait: 1,
        reader: WorkerReader::Readline,
        prompt: "Who? ".into(),
        echo: true,
    };
    recorded.push((0, message(wait)));
    replies.push("Who? ");
    recorded.push(call(3, 1, "Grace", HOUR));
    recorded.push((0, message(ToServer::InputTaken { wait: 1, bytes: 6, thread: None })));
    let [on, off] = [Mark::EchoStart, Mark::EchoEnd]
        .map(|mark| String::from_utf8(mark_bytes(NONCE, mark)).unwrap());
    recorded.push((0, output(&format!("{on}Grace\r\n{off}"))));
    recorded.extend(cell(2, 5, ""));
    replies.push("<<repl status: idle>>\n");
    // A pager: two pages, then the end.
    recorded.push(call(4, 1, "run('less', 'file')", HOUR));
    recorded.push((0, Input::InputDropped { bytes: 0 }));
    let page = |from: u32, to: u32| (from..to).map(|n| format!("{n}\r\n")).collect::<String>();
    recorded.push((5, output(&format!("\x1b[?1049h\x1b[H{}:", page(1, 40)))));
    recorded.extend([look("less", 1, false), look("less", 1, false)]);
    recorded.push((1, output(&format!("\r\x1b[K{}\x1b[7m(END)\x1b[27m", page(40, 60)))));
    recorded.extend([look("less", 2, false), look("less", 2, false)]);
    recorded.push((1, output("\r\x1b[K\x1b[?1049l")));
    recorded.extend(cell(3, 7, "after\r\n"));
    replies.push("(1 to 59)after\n");
    // A program with the screen to itself.
    recorded.push(call(5, 1, "run('vim')", HOUR));
    recorded.push((0, Input::InputDropped { bytes: 0 }));
    recorded.push((5, output("\x1b[?1049h\x1b[H\x1b[2Jtext\r\n~\r\n~\x1b[H")));
    recorded.extend([look("vim", 5, false), look("vim", 5, false)]);
    replies.push(
        "text\n~\n~\n[screen] vim, cursor at row 1, column 1; text is typed as it is, `keys` by \
         name (Enter, Escape, C-c)\n",
    );
    let keys = Keys(["Escape", ":q!", "Enter"].map(String::from).into());
    let deadline = Duration::from_millis(HOUR);
    let payload = Payload::Keys(keys);
    recorded.push((
        0,
        Input::Call { id: 6, client: 1, payload, deadline, background: None, person: None },
    ));
    recorded.push((1, output("\x1b[?1049l")));
    recorded.extend(cell(4, 9, "0\r\n"));
    replies.push("0\n");
    // A call whose time is up, an interrupt, and what comes behind it.
    let soon = recorded.iter().map(|(wait, _)| wait).sum::<u64>() + 50;
    recorded.push(call(7, 1, "while True: print('x', end='\\r')", soon));
    recorded.push((0, Input::InputDropped { bytes: 0 }));
    recorded.push((10, output("x\rx\rx\rwork")));
    recorded.push((40, Input::Tick));
    replies.push("work\n<<repl status: busy, elapsed_ms=50>>\n");
    recorded.push(call(8, 1, "\u{3}'next'", HOUR));
    recorded.push((0, message(ToServer::Interrupted)));
    recorded.extend(cell(5, 11, "\r\nKeyboardInterrupt\r\n"));
    recorded.push((0, Input::InputDropped { bytes: 0 }));
    recorded.extend(cell(6, 13, "'next'\r\n"));
    replies.push("\nKeyboardInterrupt\n'next'\n");
    // The end.
    recorded.push(call(9, 1, "exit(3)", HOUR));
    recorded.push((0, Input::InputDropped { bytes: 0 }));
    recorded.push((1, message(ToServer::Exiting { status: 3 })));
    recorded.push((0, output("bye\r\n")));
    recorded.push((0, Input::SidebandClosed));
    recorded.push((0, Input::ProcessOver));
    recorded.push((0, Input::Exited { exit: Exit::Status(3), missed_input: false }));
    replies.push("bye\n[repl] session ended (exit status 3)\n");
    (recorded, replies)
}

/// The replies of a whole session, the pages of the pager counted.
fn replies(recorded: Vec<Recorded>) -> Vec<String> {
    let mut played = Played::new();
    played.play(recorded);
    let lines: String = (1..60).map(|n| format!("{n}\n")).collect();
    let texts = played.texts().into_iter();
    texts.map(|(_, text)| text.replace(&lines, "(1 to 59)")).collect()
}

#[test]
fn a_whole_session_gives_the_replies_of_the_live_run() {
    let (recorded, expected) = whole_session();
    assert_eq!(replies(recorded), expected);
}

#[test]
fn what_is_to_be_done_comes_in_order() {
    let (recorded, _) = whole_session();
    let mut played = Played::new();
    played.play(recorded);
    let typed = played.effects.iter().filter_map(|effect| match effect {
        Effect::Type(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    });
    assert_eq!(typed.collect::<Vec<_>>(), [" ", "q", "\x1b:q!\r"]);
    let sent = played.effects.iter().filter(|effect| matches!(effect, Effect::Send(_))).count();
    assert_eq!(sent, 8, "seven cells and an answer: {:?}", played.effects);
    assert_eq!(played.effects[0], Effect::Start);
    assert_eq!(played.effects.last(), Some(&Effect::Retire));
}

/// Messages come before the bytes that were read before them, as far as nothing else stands between.
fn messages_first(recorded: Vec<Recorded>) -> Vec<Recorded> {
    let mut early: Vec<Recorded> = Vec::new();
    for (wait, input) in recorded {
        let is_message = matches!(&input, Input::Message(message) if message.mark().is_some());
        let behind_bytes = matches!(early.last(), Some((_, Input::Output(_))));
        if is_message && behind_bytes {
            let (before, bytes) = early.pop().unwrap();
            early.extend([(before, input), (wait, bytes)]);
        } else {
            early.push((wait, input));
        }
    }
    early
}

#[test]
fn whether_messages_or_bytes_come_first_changes_nothing() {
    let (recorded, expected) = whole_session();
    assert_eq!(replies(messages_first(recorded)), expected);
}

proptest! {
    #[test]
    fn where_the_bytes_are_cut_changes_nothing(size in 1usize..40, early in any::<bool>()) {
        let (recorded, expected) = whole_session();
        let recorded = if early { messages_first(recorded) } else { recorded };
        let cut = recorded.into_iter().flat_map(|(wait, input)| match input {
            Input::Output(bytes) => {
                let chunks = bytes.chunks(size).map(|chunk| Input::Output(chunk.to_vec().into()));
                let mut cut: Vec<Recorded> = chunks.map(|chunk| (0, chunk)).collect();
                cut[0].0 = wait;
                cut
            }
            input => vec![(wait, input)],
        });
        prop_assert_eq!(replies(cut.collect()), expected);
    }
}

#[test]
fn each_client_is_told_what_it_was_not_told() {
    let mut played = Played::ready();
    played.play([call(90, 1, "", 0), call(91, 2, "", 0)]);
    played.texts();
    played.play([call(1, 1, "'one'", HOUR), (0, Input::InputDropped { bytes: 0 })]);
    played.play(cell(1, 2, "'one'\r\n"));
    assert_eq!(played.texts(), [(1, "'one'\n".into())]);
    played.play([call(2, 2, "'two'", HOUR), (0, Input::InputDropped { bytes: 0 })]);
    played.play(cell(2, 4, "'two'\r\n"));
    let meanwhile = "[repl] meanwhile another client ran:\n>>> ";
    let told = format!("{meanwhile}'one'\n'one'\n[repl] now your cell:\n'two'\n");
    assert_eq!(played.texts(), [(2, told)]);
    played.play([call(3, 1, "", HOUR), call(4, 2, "", HOUR)]);
    let idle = "<<repl status: idle>>\n".to_owned();
    assert_eq!(played.texts(), [(1, format!("{meanwhile}'two'\n'two'\n")), (2, idle)]);
    // What nobody was told is for the next that comes.
    played.play([(0, Input::Leave { client: 1 }), (0, Input::Leave { client: 2 })]);
    played.play([(0, output("late\r\n")), call(5, 3, "", HOUR)]);
    assert_eq!(played.texts(), [(3, "late\n".into())]);
}

/// What was told to those that follow since the last time, as one text.
fn told(played: &mut Played) -> String {
    let effects = std::mem::take(&mut played.effects);
    let content = effects.into_iter().filter_map(|effect| match effect {
        Effect::Tell { content, .. } => Some(content),
        _ => None,
    });
    let text = |piece| match piece {
        Content::Text(text) => text,
        Content::Notice(notice) => notice.line() + "\n",
        Content::Status(line) => line,
        Content::Attachment(one) => format!("({})", one.mime),
    };
    content.flatten().map(text).collect()
}

/// A session that is ready, and client 1, which follows.
fn followed(answers: bool) -> Played {
    let mut played = Played::ready();
    played.play([(0, Input::Follow { client: 1, answers }), call(90, 1, "", 0)]);
    played.texts();
    played
}

#[test]
fn one_that_follows_is_told_what_is_finished_and_its_reply_has_the_rest() {
    let mut played = followed(false);
    played.play([call(1, 1, "cell", HOUR), (0, Input::InputDropped { bytes: 0 })]);
    played.play([(0, output("first\r\nsec"))]);
    assert_eq!(told(&mut played), "first\n");
    played.play([(0, output("ond\r\n10%\r20%"))]);
    assert_eq!(told(&mut played), "second\n");
    let image = |mark| ToServer::Image { mark, mime: "image/png".into(), data: "AA==".into() };
    played.play([(0, output(&mark(4))), (0, message(image(4)))]);
    assert_eq!(told(&mut played), "20%(image/png)");
    played.play([(0, output("\r30%\r\nend\r\n"))]);
    assert_eq!(told(&mut played), "\n30%\nend\n");
    played.play(cell(1, 5, "last"));
    assert_eq!(played.text(), "last");
    assert_eq!(told(&mut played), "");
}

#[test]
fn what_one_that_follows_was_told_is_taken_from_nobody() {
    let mut played = followed(false);
    played.play([call(91, 2, "", 0), call(1, 1, "cell", HOUR)]);
    played.play([(0, Input::InputDropped { bytes: 0 }), (0, output("one\r\n"))]);
    played.texts();
    assert_eq!(told(&mut played), "one\n");
    played.play([(0, output("two\r\n"))]);
    played.play(cell(1, 2, "three"));
    assert_eq!(told(&mut played), "two\n");
    assert_eq!(played.text(), "three");
    played.play([call(2, 2, "", 0)]);
    let meanwhile = "[repl] meanwhile another client ran:\n>>> cell\n";
    assert_eq!(played.text(), format!("{meanwhile}one\ntwo\nthree"));
}

#[test]
fn calls_of_one_that_answers_wait_for_the_end() {
    let mut played = followed(true);
    played.play([call(1, 1, "cell", HOUR), (0, Input::InputDropped { bytes: 0 })]);
    played.play([look("cat", 1, true), look("cat", 1, true)]);
    assert_eq!(played.texts(), []);
    played.play([
        (0, Input::Keystrokes { client: 9, bytes: b"x\r"[..].into(), background: None }),
        (0, output("x\r\nx\r\n")),
    ]);
    played.play(cell(1, 2, "end"));
    assert_eq!(played.text(), "end");
    // Without it, its calls are as others.
    played.play([(0, Input::Follow { client: 1, answers: false }), call(2, 1, "cell", HOUR)]);
    played.play([(0, Input::InputDropped { bytes: 0 })]);
    played.play([look("cat", 5, true), look("cat", 5, true)]);
    assert_eq!(played.texts().len(), 1);
}

#[test]
fn a_bar_that_one_client_watches_is_one_line_to_another() {
    let mut played = Played::ready();
    played.play([call(90, 1, "", 0), call(91, 2, "", 0)]);
    played.texts();
    played.play([call(1, 1, "bar()", 0)]);
    played.play([(0, Input::InputDropped { bytes: 0 }), (0, output("begin\r\n"))]);
    played.texts();
    let percent = |n: u64| (0, output(&format!("\r{n}%")));
    for n in 1..4 {
        played.play([percent(n * 10), call(1 + n, 1, "", 0)]);
    }
    let busy = "\n<<repl status: busy, elapsed_ms=0>>\n";
    let to_first = ["begin\n10%", "\n20%", "\n30%"].map(|text| (1, text.to_owned() + busy));
    assert_eq!(played.texts(), to_first);
    played.play([call(9, 2, "", 0)]);
    let meanwhile = "[repl] meanwhile another client ran:\n>>> bar()\n";
    let whose = "\n[repl] the cell of another client still runs";
    assert_eq!(played.texts(), [(2, format!("{meanwhile}begin\n30%{whose}{busy}"))]);
}

#[test]
fn a_page_that_one_client_watches_is_told_once_to_another() {
    let mut played = Played::ready();
    played.play([
        call(1, 2, "", 0),
        call(2, 1, "show()", 0),
        (0, Input::InputDropped { bytes: 0 }),
    ]);
    played.play([(0, output("before\r\n\x1b[?1049h\x1b[H\x1b[JPAGE"))]);
    for id in 3..6 {
        played.play([call(id, 1, "", 0)]);
    }
    played.texts();
    played.play([call(7, 2, "", 0)]);
    let busy = "\n<<repl status: busy, elapsed_ms=0>>\n";
    let meanwhile = "[repl] meanwhile another client ran:\n>>> show()\n";
    let whose = "\n[repl] the cell of another client still runs";
    assert_eq!(played.texts(), [(2, format!("{meanwhile}before\nPAGE{whose}{busy}"))]);
}

#[test]
fn a_question_behind_a_mark_is_answered_when_it_is_shown() {
    let mut played = Played::ready();
    played.play([call(1, 1, "draw()", HOUR), (0, Input::InputDropped { bytes: 0 })]);
    played.play([(0, output(&format!("{}\x1b[6n", mark(2))))]);
    assert!(!played.effects.iter().any(|effect| matches!(effect, Effect::Answer(_))));
    let (mime, data) = ("image/png".into(), "AA==".into());
    played.play([(0, message(ToServer::Image { mark: 2, mime, data }))]);
    assert_eq!(played.effects.last(), Some(&Effect::Answer(b"\x1b[2;1R".into())));
}

#[test]
fn pictures_and_documents_have_their_place_in_the_text_and_are_kept() {
    let mut played = Played::ready();
    played.play([call(9, 2, "", 0), call(1, 1, "plot()", HOUR)]);
    played.play([(0, Input::InputDropped { bytes: 0 })]);
    played.texts();
    played.effects.clear();
    let (mime, data) = ("image/png".to_owned(), "AAAA".to_owned());
    let image = ToServer::Image { mark: 2, mime, data };
    let (mime, data) = ("text/html".to_owned(), "AAAA".to_owned());
    let document = ToServer::Document { mark: 3, mime, data };
    let too_large = ToServer::TooLarge { mark: 4, mime: "image/x\n[repl] y".into(), bytes: 7 };
    played.play([
        (0, output(&format!("one\r\n{}two\r\n{}{}three\r\n", mark(2), mark(3), mark(4)))),
        (0, message(image)),
        (0, message(document)),
        (0, message(too_large)),
    ]);
    played.play(cell(1, 5, "four"));
    let kept: Vec<&str> = played
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::KeepAttachment(attachment) => Some(attachment.file.name.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(kept, ["picture-1.png", "page-2.html"]);
    assert!(played.pipeline.names_attachment(2) && !played.pipeline.names_attachment(3));
    let told = "one\n[repl] picture (image/png; not kept)\ntwo\n[repl] HTML page (not kept)\n\
                [repl] not kept: image/x; [repl] y of 7 bytes, which is too large\nthree\nfour";
    assert_eq!(played.text(), told);
    // The other client is told the same.
    assert!(played.pipeline.names_attachment(1));
    played.play([call(2, 2, "", 0)]);
    let meanwhile = "[repl] meanwhile another client ran:\n>>> plot()\n";
    assert_eq!(played.text(), format!("{meanwhile}{told}"));
    assert!(!played.pipeline.names_attachment(1));
}

#[test]
fn a_look_comes_though_output_never_ends() {
    let mut played = Played::ready();
    played.play([call(1, 1, "flood()", HOUR), (0, Input::InputDropped { bytes: 0 })]);
    let mut looks = 0;
    for _ in 0..1000 {
        played.play([(1, output("y\r\n")), (0, Input::Tick)]);
        if let Some(Effect::Look { .. }) = played.effects.pop() {
            looks += 1;
            let took = Duration::from_micros(100);
            played.play([(0, Input::Looked { found: None, holds_input: false, took })]);
        }
    }
    assert!((10..=20).contains(&looks), "{looks}");
    // The next one is not due at once.
    assert!(played.pipeline.next_deadline().is_some_and(|due| due > played.now));
}

#[test]
fn the_echo_of_long_input_is_left_out_of_the_reply_to_it() {
    // Some rows of the page, a line of blanks among them, and what a small page lets go.
    let long = "0123456789 ".repeat(30);
    let lines: String = (0..200).map(|line| format!("line {line}\n")).collect();
    let tabs = format!("{}\n   \n\nx", "\tx".repeat(60));
    let longer_than_the_page = format!("{}\n{}\nz", "z".repeat(4000), "z".repeat(4095));
    for text in [&long, &lines, &tabs, &longer_than_the_page] {
        let mut played = Played::ready();
        played.play([call(1, 1, "read()", HOUR), (0, Input::InputDropped { bytes: 0 })]);
        // Another client sees what is typed.
        played.play([call(2, 2, "", 0), (1, output("name? "))]);
        played.play([look("cat", 1, true), look("cat", 1, true)]);
        assert_eq!(played.texts().last(), Some(&(1, "name? ".into())));
        played.play([call(3, 1, text, HOUR)]);
        let typed = text.strip_suffix('\n').unwrap_or(text).replace('\n', "\r\n");
        for bytes in format!("{typed}\r\nhello\r\nmore? ").as_bytes().chunks(100) {
            played.play([(0, Input::Output(bytes.to_vec().into()))]);
        }
        played.play([look("cat", 2, true), look("cat", 2, true)]);
        assert_eq!(played.texts(), [(1, "hello\nmore? ".into())], "{text:?}");
        played.play([call(4, 2, "", HOUR), look("cat", 2, true), look("cat", 2, true)]);
        let end = typed.rsplit('\n').next().unwrap();
        assert!(played.text().contains(&format!("{end}\nhello\nmore? ")));
    }
}

#[test]
fn what_comes_instead_of_an_echo_is_told() {
    let mut played = Played::ready();
    played.play([call(1, 1, "read()", HOUR), (0, Input::InputDropped { bytes: 0 })]);
    played.play([(1, output("name? ")), look("cat", 1, true), look("cat", 1, true)]);
    played.texts();
    let text = "x".repeat(200);
    played.play([call(2, 1, &text, HOUR), (1, output("xxx\r\nxyz\r\n"))]);
    played.play([look("cat", 2, true), look("cat", 2, true)]);
    assert_eq!(played.text(), "xxx\nxyz\n<<repl status: waiting for input>>\n");
}

#[test]
fn a_message_waits_until_what_the_one_before_brought_about_is_done() {
    let mut played = Played::ready();
    played.play([call(1, 1, "read()", HOUR), (0, Input::InputDropped { bytes: 0 })]);
    played.play([
        (0, message(ToServer::CellDone { id: 1, mark: 2, outcome: Outcome::Ok })),
        (0, message(ToServer::Ready { mark: 3, discarded_bytes: 1 })),
        (0, output(&format!("{}{}", mark(2), mark(3)))),
    ]);
    assert_eq!(played.texts(), []);
    // What was dropped has been echoed before.
    played.play([(0, output("echoed\r\n")), (0, Input::InputDropped { bytes: 6 })]);
    assert_eq!(played.text(), "echoed\n[repl] 7 bytes of unread input discarded\n");
}

#[test]
fn an_echo_that_came_with_the_mark_belongs_to_the_cell() {
    let mut played = Played::ready();
    played.play([call(1, 1, "read()", HOUR), (0, Input::InputDropped { bytes: 0 })]);
    played.play([
        (0, message(ToServer::CellDone { id: 1, mark: 2, outcome: Outcome::Ok })),
        (0, message(ToServer::Ready { mark: 2, discarded_bytes: 0 })),
        (0, output(&format!("one\r\n{}two\r\n", mark(2)))),
    ]);
    assert!(played.pipeline.takes_output());
    played.play([(0, Input::InputDropped { bytes: 5 })]);
    assert_eq!(played.text(), "one\ntwo\n[repl] 5 bytes of unread input discarded\n");
}

#[test]
fn a_prompt_that_came_with_the_end_of_a_cell_is_known_before_the_next_cell_is_run() {
    let mut played = Played::ready();
    played.play([call(1, 1, "start()", HOUR), (0, Input::InputDropped { bytes: 0 })]);
    played.play([call(2, 1, "1 + 1", HOUR)]);
    played.effects.clear();
    played.play([
        (0, output(&format!("{}name? {}", mark(2), mark(3)))),
        (0, message(ToServer::CellDone { id: 1, mark: 2, outcome: Outcome::Ok })),
        (0, message(ToServer::Ready { mark: 2, discarded_bytes: 0 })),
        (0, Input::InputDropped { bytes: 0 }),
    ]);
    assert_eq!(played.texts(), []);
    let wait = ToServer::InputWait {
        mark: 3,
        wait: 1,
        reader: WorkerReader::Readline,
        prompt: "name? ".into(),
        echo: true,
    };
    played.play([(0, message(wait))]);
    let refused = "[repl] not run: what is before it waits for input; send this again afterwards\n";
    assert_eq!(played.texts(), [(1, "name? ".into()), (1, refused.into())]);
    assert_eq!(played.effects, [Effect::RestoreSize, Effect::DropInput]);
}

#[test]
fn a_worker_that_misses_its_marks_is_given_up_and_nothing_it_printed_is_lost() {
    let mut played = Played::ready();
    played.play([call(1, 1, "cell", HOUR), (0, Input::InputDropped { bytes: 0 })]);
    played.play([(0, output(&format!("one\r\n{}two\r\n", mark(9))))]);
    assert!(!played.pipeline.takes_output());
    played.play([(2_000, Input::Tick)]);
    let Some(Effect::GiveUp(failure)) = played.effects.pop() else { panic!("it waits on") };
    played.play([
        (0, Input::GivenUp),
        (0, output(&format!("three\r\n{}four\r\n", mark(10)))),
        (0, Input::Failed(failure)),
    ]);
    assert_eq!(
        played.text(),
        "one\ntwo\nthree\nfour\n[repl] the worker wrote a mark to its terminal and sent no message \
         for it; the session was ended, the next input starts a new one\n"
    );
    assert_eq!(played.effects[played.effects.len() - 2..], [Effect::Kill, Effect::Retire]);
    // It is done with: nothing of it is waited for.
    assert_eq!(played.pipeline.next_deadline(), None);
}

#[test]
fn text_without_room_is_handed_on_before_the_reply() {
    let mut played = Played::ready();
    played.play([call(1, 1, "long", HOUR), (0, Input::InputDropped { bytes: 0 })]);
    let long: String = (0..10_000).map(|n| format!("line {n}\r\n")).collect();
    played.play(cell(1, 2, &long));
    let kept = played.effects.iter().filter_map(|effect| match effect {
        Effect::Keep { client: 1, text } => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(kept.collect::<String>(), long.replace('\r', ""));
    assert!(played.text().contains(" left out here; "));
}

#[test]
fn polls_of_a_running_cell_are_shorter_than_what_tells_of_it_first_and_last() {
    let mut played = Played::ready();
    let long = |turn: usize| {
        let lines: String = (0..1_000).map(|n| format!("{turn} {n:07}\r\n")).collect();
        output(&lines)
    };
    let dropped = |bytes| (0, Input::InputDropped { bytes });
    played.play([call(1, 1, "long", 100), dropped(0), (0, long(1)), (200, Input::Tick)]);
    let first = played.text();
    assert!(first.starts_with("1 0000000\n") && !first.contains("left out"), "{first}");
    played.play([(0, long(2)), call(2, 1, "", 300), (300, Input::Tick)]);
    let second = played.text();
    assert!(second.contains(" left out here; ") && second.len() < 4_300, "{}", second.len());
    let kept = played.effects.iter().filter_map(|effect| match effect {
        Effect::Keep { client: 1, text } => Some(text.lines().count()),
        _ => None,
    });
    assert_eq!(kept.sum::<usize>(), 1_000);
    played.play([call(3, 1, "", HOUR), (0, long(3))]);
    played.play(cell(1, 2, "done\r\n"));
    let last = played.text();
    assert!(last.ends_with("3 0000999\ndone\n") && !last.contains("left out"), "{last}");
}

#[test]
fn a_failed_start_is_told_and_the_next_call_starts_anew() {
    let mut played = Played::new();
    let failure = Failure::NoProgram("no Python was found".into());
    played.play([call(1, 1, "1", HOUR)]);
    played.play([(0, Input::Failed(failure))]);
    assert_eq!(played.text(), "[repl] no Python was found\n");
    played.effects.clear();
    played.play([call(2, 1, "1", HOUR)]);
    assert_eq!(played.effects, [Effect::Start]);
    played.play([(0, started()), (0, output(&mark(1)))]);
    played.play([(0, message(ToServer::Ready { mark: 1, discarded_bytes: 0 }))]);
    let cell = ToWorker::Cell { id: 1, source: "1".into() };
    assert_eq!(played.effects, [Effect::Start, Effect::DropInput, Effect::Send(cell)]);
}

#[test]
fn a_reply_that_did_not_reach_its_client_begins_the_next_one() {
    let mut played = Played::ready();
    played.play([call(90, 2, "", 0)]);
    played.texts();
    played.play([call(1, 1, "'one'", HOUR), (0, Input::InputDropped { bytes: 0 })]);
    played.play(cell(1, 2, "'one'\r\n"));
    let (client, reply) = played.replies.pop().unwrap();
    played.play([(0, output("between\r\n")), (0, Input::Returned { client, reply })]);
    played.play([call(2, 1, "", HOUR), call(3, 1, "", HOUR), call(4, 2, "", HOUR)]);
    let whole = "'one'\nbetween\n".to_owned();
    let idle = "<<repl status: idle>>\n".to_owned();
    let meanwhile = "[repl] meanwhile another client ran:\n>>> 'one'\n";
    let to_other = format!("{meanwhile}{whole}");
    assert_eq!(played.texts(), [(1, whole), (1, idle), (2, to_other)]);
    // One whose client has gone is for the next that comes, if it was for the last.
    played.play([(0, Input::Leave { client: 2 })]);
    played.play([call(5, 1, "'two'", HOUR), (0, Input::InputDropped { bytes: 0 })]);
    played.play(cell(2, 4, "'two'\r\n"));
    let (client, reply) = played.replies.pop().unwrap();
    played.play([(0, Input::Leave { client: 1 }), (0, Input::Returned { client, reply })]);
    played.play([call(6, 3, "", HOUR)]);
    assert_eq!(played.text(), "'two'\n");
}

#[test]
fn a_poll_that_was_given_up_takes_no_text_from_the_next() {
    let mut played = Played::ready();
    played.play([call(1, 1, "slow()", HOUR), (0, Input::InputDropped { bytes: 0 })]);
    played.play([call(2, 1, "", HOUR), call(3, 1, "", HOUR)]);
    played.play(cell(1, 2, "done\r\n"));
    let idle = || (1, "<<repl status: idle>>\n".to_owned());
    assert_eq!(played.texts(), [idle(), idle(), (1, "done\n".into())]);
}

#[test]
fn a_person_at_a_terminal_is_not_told_that_the_page_there_has_not_changed() {
    let mut played = followed(true);
    played.play([call(1, 1, "edit()", HOUR), (0, Input::InputDropped { bytes: 0 })]);
    played.play([(0, output("\x1b[?1049h\x1b[Hpage"))]);
    played.play([look("vim", 1, false), look("vim", 1, false)]);
    assert_eq!(told(&mut played), "page");
    let key = Input::Keystrokes { client: 9, bytes: b"\x1b"[..].into(), background: None };
    played.play([(0, key), look("vim", 2, false), look("vim", 2, false)]);
    assert_eq!(told(&mut played), "");
}
