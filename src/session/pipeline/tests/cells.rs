//! The echo of cells: what who looks on is shown of them, and that no reply has it.

use super::*;

/// What an observer was told: what was shown, with `<` and `>` around what no program printed.
#[derive(Debug, Default)]
struct Watched {
    text: String,
}

impl Observer for Watched {
    fn shown(&mut self, shown: Shown<'_>, _screen: &Screen) {
        if let Shown::Bytes(bytes) = shown {
            self.text += &String::from_utf8_lossy(bytes);
        }
    }

    fn echoed(&mut self, bytes: &[u8]) {
        self.text += &format!("<{}>", String::from_utf8_lossy(bytes));
    }

    fn replaced(&mut self, _screen: &Screen) {}
}

/// A session that is ready, with client 1, an agent, and client 2, a person.
fn of_two() -> Played<Watched> {
    let mut played = Played::with(Watched::default());
    played.play(start());
    for (client, name) in [(1, "bot"), (2, "ann")] {
        let who = ClientInfo { name: name.into(), is_person: client == 2, ..ClientInfo::default() };
        played.play([(0, Input::Introduce { client, who })]);
    }
    played.effects.clear();
    played
}

impl Played<Watched> {
    /// What was shown since the last time, marks as `{A}`.
    fn shown(&mut self) -> String {
        let text = std::mem::take(&mut self.pipeline.observer_and_screen().0.text);
        text.replace("\x1b]133;", "{").replace("\x1b\\", "}")
    }

    fn page(&self) -> String {
        self.pipeline.screen().page_text()
    }
}

/// A client sends a cell, whose unread input is dropped.
fn begin(id: u64, client: ClientId, source: &str) -> [Recorded; 2] {
    [call(id, client, source, HOUR), (0, Input::InputDropped { bytes: 0 })]
}

fn failed(id: u64, mark_number: u64) -> Vec<Recorded> {
    let mut cell = cell(id, mark_number, "Error\r\n");
    cell[1] = (0, message(ToServer::CellDone { id, mark: mark_number, outcome: Outcome::Error }));
    cell
}

#[test]
fn a_cell_is_shown_when_it_begins_and_told_to_nobody() {
    let mut played = of_two();
    played.play([call(1, 1, "if x:\n  f()", HOUR)]);
    let echo = "{A}[bot] >>> {B}if x:\r\n[bot] ...   f()\r\n{C}";
    assert_eq!(played.shown(), format!("<{echo}>"));
    played.play([(0, Input::InputDropped { bytes: 0 })]);
    played.play(cell(1, 2, "1\r\n"));
    assert_eq!(played.text(), "1\n");
    assert_eq!(played.shown(), "1\r\n<{D;0}>");
    // That of a person stands as it would at their own terminal.
    played.play(begin(2, 2, "y"));
    played.play(failed(2, 4));
    assert_eq!(played.texts(), [(2, "Error\n".into())]);
    assert_eq!(played.shown(), "<{A}>>> {B}y\r\n{C}>Error\r\n<{D;1}>");
    assert_eq!(played.page(), "[bot] >>> if x:\n[bot] ...   f()\n1\n>>> y\nError");
    // The agent is told of it as it always was.
    played.play([call(3, 1, "", 0)]);
    let text = played.text();
    assert_eq!(text, "[repl] meanwhile another client (ann) ran:\n>>> y\nError\n");
}

#[test]
fn a_line_without_its_end_stays_one_for_who_was_told() {
    let mut played = of_two();
    for (n, printed) in ["1", "2\r\n", ""].into_iter().enumerate() {
        let id = n as u64 + 1;
        played.play(begin(id, 1, "p"));
        played.play(cell(id, 2 * id, printed));
    }
    let texts: Vec<String> = played.texts().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["1", "2\n", "<<repl status: idle>>\n"]);
    assert_eq!(played.page(), "[bot] >>> p\n1\n[bot] >>> p\n2\n[bot] >>> p");
}

#[test]
fn what_a_thread_draws_goes_on_below() {
    let mut played = of_two();
    played.play([(0, output("10%"))]);
    played.play([call(1, 1, "", 0)]);
    assert_eq!(played.text(), "10%");
    played.play([(0, output("\r20%"))]);
    played.play(begin(2, 1, "x"));
    played.play([(0, output("\r30%")), (0, output("\r40%"))]);
    played.play(cell(1, 2, ""));
    assert_eq!(played.text(), "\n20%\n40%");
    assert_eq!(played.page(), "20%\n[bot] >>> x\n40%");
}

#[test]
fn a_sequence_that_a_thread_has_begun_is_ended_first() {
    let mut played = of_two();
    played.play([(0, output("a\x1b[3"))]);
    played.play(begin(1, 1, "x"));
    played.play([(0, output("1mred\x1b[m\r\n"))]);
    played.play(cell(1, 2, ""));
    assert_eq!(played.text(), "a\nred\n");
    let shown = "a\x1b[31m<\r\n{A}[bot] >>> {B}x\r\n{C}>red\x1b[m\r\n<{D;0}>";
    assert_eq!(played.shown(), shown);
    assert_eq!(played.page(), "a\n[bot] >>> x\nred");
    // One that never ends is none of the next cell's.
    played.play([(0, output("\x1b]0;title"))]);
    played.play(begin(2, 1, "y"));
    played.play(cell(2, 4, " goes on"));
    assert_eq!(played.shown(), "\x1b]0;title goes on");
    played.play(begin(3, 1, "z"));
    played.play(cell(3, 6, "1\r\n"));
    assert_eq!(played.shown(), "<{A}[bot] >>> {B}z\r\n{C}>1\r\n<{D;0}>");
}

#[test]
fn a_program_that_has_the_screen_keeps_it() {
    for page in ["\x1b[?1049h\x1b[Hpage", "\x1b[?1h\x1b[Hpage\x1b[3;1H"] {
        let mut played = of_two();
        played.play([(0, output(page))]);
        played.shown();
        played.play(begin(1, 1, "x"));
        assert_eq!(played.shown(), "", "{page:?}");
        assert_eq!(played.page(), "page");
        played.play(cell(1, 2, ""));
        assert_eq!(played.shown(), "", "{page:?}");
    }
}

#[test]
fn a_page_that_is_told_has_no_cell_on_it() {
    let mut played = of_two();
    played.play(begin(1, 1, "run('top')"));
    played.play([(5, output("\x1b[?1h\x1b[3;1Htop - 1\x1b[4;1H"))]);
    played.play([look("top", 1, false), look("top", 1, false)]);
    let text = played.text();
    assert!(text.starts_with("\n\ntop - 1\n[screen] top"), "{text}");
    assert_eq!(played.page(), "[bot] >>> run('top')\n\ntop - 1");
    // One that begins at the top has drawn over it.
    played.play([(5, output("\x1b[H\x1b[Jtop - 2"))]);
    assert_eq!(played.page(), "top - 2");
}

#[test]
fn a_pager_on_the_primary_screen_is_read_without_the_cell() {
    let mut played = of_two();
    played.play(begin(1, 1, "run('less -X')"));
    let page = |from: u32, to: u32| (from..to).map(|n| format!("{n}\r\n")).collect::<String>();
    played.play([(5, output(&format!("{}:", page(1, 40))))]);
    played.play([look("less", 1, false), look("less", 1, false)]);
    played.play([(1, output(&format!("\r\x1b[K{}\x1b[7m(END)\x1b[27m", page(40, 60))))]);
    played.play([look("less", 2, false), look("less", 2, false), (1, output("\r\x1b[K"))]);
    played.play(cell(1, 2, ""));
    assert_eq!(played.text(), page(1, 60).replace("\r\n", "\n"));
}

#[test]
fn a_cell_that_does_not_run_is_not_shown() {
    let mut played = of_two();
    let soon = 100;
    played.play(begin(1, 1, "first"));
    played.shown();
    // One that waits for its turn is shown when that comes, one that was given up never.
    played.play([call(2, 2, "given up", HOUR), call(3, 2, "second", HOUR)]);
    played.play([(0, Input::Cancel { id: 2, interrupt: false })]);
    played.play([call(4, 1, "busy", soon), (soon, Input::Tick)]);
    assert_eq!(played.shown(), "");
    played.play(cell(1, 2, "1\r\n"));
    played.play([(0, Input::InputDropped { bytes: 0 })]);
    assert_eq!(played.shown(), "1\r\n<{D;0}><{A}>>> {B}second\r\n{C}>");
    played.play(cell(2, 4, ""));
    assert_eq!(played.shown(), "<{D;0}>");
}

#[test]
fn an_answer_is_the_programs_own_to_show() {
    let mut played = of_two();
    played.play(begin(1, 1, "input('? ')"));
    played.play([(1, output(&format!("? {}", mark(2))))]);
    let wait = ToServer::InputWait {
        mark: 2,
        wait: 1,
        reader: WorkerReader::Readline,
        prompt: "? ".into(),
        echo: true,
    };
    played.play([(0, message(wait))]);
    played.shown();
    played.play([call(2, 1, "yes", HOUR)]);
    assert_eq!(played.shown(), "");
}

#[test]
fn a_session_that_goes_ends_its_cell() {
    let mut played = of_two();
    played.play(begin(1, 1, "exit()"));
    played.play([(0, message(ToServer::Exiting { status: 0 }))]);
    played.play([(0, Input::Exited { exit: Exit::Status(0), missed_input: false })]);
    assert!(played.shown().ends_with("{C}><{D}>"));
    played.play([call(2, 1, "next", HOUR), (0, started()), (0, message(hello()))]);
    assert_eq!(played.page(), "");
    let ready = ToServer::Ready { mark: 1, discarded_bytes: 0 };
    played.play([(0, output(&mark(1))), (0, message(ready))]);
    assert_eq!(played.shown(), "<{A}[bot] >>> {B}next\r\n{C}>");
}

#[test]
fn the_working_directory_is_told_where_it_has_changed() {
    let mut played = Played::with(Watched::default());
    let pipeline = Pipeline::new(Paging::Through, Size::default(), BUDGET, Watched::default());
    played.pipeline = pipeline.on_machine("box".into());
    let directory = |path: &str| (0, message(ToServer::Directory { path: path.into() }));
    played.play(start());
    played.shown();
    let told = |path: &str| format!("<\x1b]7;file://box{path}}}>");
    played.play([directory("/tmp/a b")]);
    assert_eq!(played.shown(), told("/tmp/a%20b"));
    // At the end of a cell, once.
    let at_end = "{D;0}>".to_owned();
    for (id, path, expected) in [(1, "/", at_end.clone() + &told("/")), (2, "/", at_end.clone())] {
        played.play(begin(id, 1, "x"));
        played.play([directory(path)]);
        played.shown();
        played.play(cell(id, 2 * id, ""));
        assert_eq!(played.shown(), format!("<{expected}"));
    }
    // A shell in the session said another one.
    played.play(begin(3, 1, "shell()"));
    played.play(cell(3, 6, "\x1b]7;file://box/home\x07"));
    assert!(played.shown().ends_with(&(at_end + &told("/"))));
    // Who joins is told, too; that it is unknown is not.
    let dump = String::from_utf8(played.pipeline.screen().dump_in_line()).unwrap();
    assert!(dump.starts_with("\x1b]7;file://box/\x1b\\"), "{dump:?}");
    played.play([directory("")]);
    assert_eq!(played.shown(), "");
}

#[test]
fn who_follows_has_each_line_on_its_own() {
    let mut played = of_two();
    played.play([call(1, 1, "", 0), (0, output("27%"))]);
    played.play([call(2, 1, "", 0), (0, output("\r30%"))]);
    played.texts();
    played.effects.clear();
    played.play([(0, Input::Follow { client: 3, answers: false })]);
    played.play(begin(3, 3, "x"));
    played.play(cell(1, 2, "done\r\n"));
    let text = |piece: Content| match piece {
        Content::Text(text) => text,
        piece => format!("{piece:?}"),
    };
    let effects = std::mem::take(&mut played.effects).into_iter();
    let told = effects.filter_map(|effect| match effect {
        Effect::Tell { content, .. } => Some(content.into_iter().map(text).collect::<String>()),
        _ => None,
    });
    assert_eq!(told.collect::<String>(), "\n30%\ndone\n");
}
