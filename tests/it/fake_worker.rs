//! Workers that misbehave on purpose: each gives a clear reply and a usable next session, and a
//! thousand sessions leave nothing behind.
#![cfg(has = "posix")]

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::support::{Builder, HANG, IDLE, Server, assert_has, text_of};

/// A server whose worker misbehaves in one way, once.
pub(crate) struct Fake {
    pub(crate) repl: Server,
    _directory: TempDir,
}

impl Fake {
    fn start(how: &str) -> Fake {
        Fake::start_with(how, Builder::new())
    }

    /// One of a server with these options.
    pub(crate) fn start_with(how: &str, options: Builder) -> Fake {
        let directory = tempfile::tempdir().unwrap();
        let repl = options
            .worker(crate::support::fake_worker(how, &directory.path().join("file")))
            .start();
        Fake { repl, _directory: directory }
    }

    /// The next payload starts a session that works.
    #[track_caller]
    fn starts_anew(&self) {
        self.repl.gives("next", "[repl] new session started\nran next\n");
    }
}

/// The protocol is broken in this way: the reply says so, and the next session works.
#[track_caller]
fn is_told(how: &str, parts: &[&str]) {
    let fake = Fake::start(how);
    let error = fake.repl.begin("cell").error();
    for part in parts {
        assert_has(&error, part);
    }
    fake.starts_anew();
}

/// What the worker does in this way is within the rules, or does no harm.
#[track_caller]
fn does_no_harm(how: &str, reply: &str) {
    let fake = Fake::start(how);
    let said = fake.repl.repl("cell");
    // Of a flood, the end names the file.
    let (said, _) = said.split_once("[repl] the whole text is in ").unwrap_or((&said, ""));
    assert!(said.ends_with(reply), "{}", &said[said.len().saturating_sub(500)..]);
    fake.repl.gives("next", "ran next\n");
}

#[test]
fn a_worker_that_behaves_works() {
    let fake = Fake::start("well");
    fake.repl.gives("cell", "ran cell\n");
    fake.repl.gives(
        "\u{4}cell",
        "[repl] session ended (exit status 0)\n[repl] new session started\nran cell\n",
    );
}

#[test]
fn what_is_wrong_with_the_first_message_is_told() {
    is_told("says_hello_twice", &["hello twice"]);
    is_told("says_no_hello", &["not a hello"]);
    is_told("leaves_out_the_nonce", &["nonce"]);
}

#[test]
fn a_worker_that_hangs_up_before_its_hello_can_be_replaced() {
    let fake = Fake::start("hangs_up_before_hello");
    let reply = fake.repl.call(&serde_json::json!({"input": "cell", "timeout_ms": 5000})).answer();
    let reply = text_of(&reply);
    assert!(!reply.is_empty());
    let reply = fake.repl.repl("\u{4}next");
    assert!(reply.ends_with("[repl] new session started\nran next\n"), "{reply}");
}

#[test]
fn a_worker_that_comes_late_works() {
    does_no_harm("comes_late", "ran cell\n");
}

#[test]
fn a_cell_that_ended_while_the_server_had_no_turn_is_told_though_the_time_is_up() {
    let options = Builder::new().unconfined("it stops its host, by a signal");
    let fake = Fake::start_with("runs_while_the_server_is_stopped", options);
    fake.repl.gives("0", "ran 0\n");
    assert_eq!(fake.repl.repl_with("2", 2000), "ran 2\n");
}

#[test]
fn capabilities_nobody_knows_do_no_harm() {
    does_no_harm("names_capabilities_nobody_knows", "ran cell\n");
}

#[test]
fn a_mark_that_never_comes_is_told() {
    is_told("announces_a_mark_that_never_comes", &["mark 99"]);
}

#[test]
fn marks_out_of_order_hang_nobody() {
    let fake = Fake::start("places_marks_out_of_order");
    // Whether they are refused or understood, the next payload is served.
    let answer = fake.repl.begin("cell").answer();
    assert_has(&text_of(&answer), "before\n");
    let reply = fake.repl.repl("next");
    assert!(reply.ends_with("ran next\n"), "{reply}");
}

#[test]
fn a_cell_that_a_dying_worker_has_not_read_is_told_as_not_taken() {
    let fake = Fake::start("ends_without_reading_the_cell");
    fake.repl
        .gives("cell", "[repl] session ended (exit status 5); the last input did not reach it\n");
    fake.starts_anew();
}

#[test]
fn malformed_fields_are_told() {
    is_told("sends_a_word_for_a_number", &["not a message", "one"]);
    is_told("leaves_out_a_field", &["not a message", "mark"]);
    is_told("has_an_outcome_of_its_own", &["not a message", "splendid"]);
    is_told("says_nonsense_about_bytes", &["not a message", "-1"]);
}

#[test]
fn a_worker_that_is_ready_twice_does_no_harm() {
    does_no_harm("is_ready_twice", IDLE);
}

#[test]
fn news_of_a_wait_nobody_knows_does_no_harm() {
    does_no_harm("takes_what_nobody_waits_for", "went on\n");
}

#[test]
fn a_reader_whose_answer_was_thrown_away_asks_for_another() {
    let fake = Fake::start("throws_an_answer_away");
    fake.repl.gives("cell", "name? ");
    // The prompt is on the screen still.
    fake.repl.gives("one", "[repl] 4 bytes of unread input discarded\n");
    fake.repl.gives("two", "heard two\n");
    fake.repl.gives("next", "ran next\n");
}

#[test]
fn a_worker_that_exits_in_the_middle_of_a_line_ends_the_session() {
    let fake = Fake::start("exits_in_the_middle_of_a_line");
    fake.repl.gives("cell", "half a line\n[repl] session ended (exit status 7)\n");
    fake.starts_anew();
}

#[test]
fn a_worker_that_never_exits_after_it_said_so_is_killed() {
    let fake = Fake::start("never_exits_after_exiting");
    let began = Instant::now();
    fake.repl.gives("cell", "bye\n[repl] session ended (killed by SIGKILL)\n");
    assert!(began.elapsed() < Duration::from_secs(20));
    fake.starts_anew();
}

#[test]
fn a_child_that_keeps_the_sideband_delays_no_end() {
    let fake = Fake::start("leaves_a_child_with_the_sideband");
    let began = Instant::now();
    fake.repl.gives("cell", "bye\n[repl] session ended (exit status 4)\n");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    fake.starts_anew();
}

#[test]
fn floods_are_taken() {
    does_no_harm("floods_the_terminal", "flood of text\n");
    does_no_harm("floods_the_sideband", "flooded\n");
}

#[test]
fn of_a_flood_of_pictures_the_first_and_the_last_are_named_and_all_are_files() {
    let fake = Fake::start("floods_with_pictures");
    let reply = fake.repl.repl("cell");
    let named: Vec<&str> =
        reply.lines().filter_map(|line| line.strip_prefix("[repl] picture: ")).collect();
    assert_eq!(named.len(), 20, "{reply}");
    // What was printed between them is there.
    assert_eq!(reply.lines().filter(|line| *line == "picture").count(), 300);
    let (_, left_out) = reply
        .split_once("[repl] … 280 pictures and documents left out here; they are ")
        .expect(&reply);
    let range = left_out.lines().next().unwrap();
    let (first, last) = range.split_once(" to ").unwrap();
    assert!(first.ends_with("/picture-11.png") && last.ends_with("/picture-290.png"), "{range}");
    let directory = Path::new(first).parent().unwrap();
    for number in 1..=300 {
        let file = directory.join(format!("picture-{number}.png"));
        assert_eq!(std::fs::metadata(file).unwrap().len(), 75_000);
    }
    fake.repl.gives("next", "ran next\n");
}

/// What a server holds: descriptors, threads, children, files in its directory.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Holdings {
    descriptors: usize,
    threads: usize,
    children: usize,
    files: usize,
}

impl Holdings {
    fn of(server: i32, directory: &Path) -> Holdings {
        let count = |place: PathBuf| std::fs::read_dir(place).map_or(0, Iterator::count);
        let place = |name: &str| PathBuf::from(format!("/proc/{server}/{name}"));
        let children = std::fs::read_dir(place("task")).unwrap().flatten().map(|task| {
            let children = std::fs::read_to_string(task.path().join("children"));
            children.unwrap_or_default().split_whitespace().count()
        });
        Holdings {
            descriptors: count(place("fd")),
            threads: count(place("task")),
            children: children.sum(),
            files: count(directory.to_owned()),
        }
    }

    fn exceeds(self, other: Holdings) -> bool {
        self.descriptors > other.descriptors
            || self.threads > other.threads
            || self.children > other.children
            || self.files > other.files
    }
}

/// Sessions for as long as this, at most so many.
const TIME: Duration = Duration::from_secs(50);
const SESSIONS: usize = 1000;

#[cfg(has = "proc")]
#[test]
fn a_thousand_sessions_leave_nothing_behind() {
    let fake = Fake::start("well");
    let reply = fake.repl.repl("server");
    let server: i32 = reply.strip_prefix("ran ").unwrap().trim().parse().unwrap();
    let prefix = format!("mcp-repl-{server}-");
    let own = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(&prefix);
    let mut places = std::fs::read_dir(fake.repl.directory().join("tmp")).unwrap().flatten();
    let directory = places.find(|entry| own(&entry.file_name())).expect("its directory").path();
    let reset = |number: usize| {
        let reply = fake.repl.repl(&format!("\u{4}{number}"));
        assert!(reply.ends_with(&format!("ran {number}\n")), "{reply}");
    };
    (0..10).for_each(reset);
    let settled = |limit: Holdings| {
        let end = Instant::now() + HANG;
        let mut now = Holdings::of(server, &directory);
        while now.exceeds(limit) && Instant::now() < end {
            fake.repl.poll();
            now = Holdings::of(server, &directory);
        }
        now
    };
    let before = Holdings::of(server, &directory);
    let began = Instant::now();
    let mut sessions = 0;
    while sessions < SESSIONS && began.elapsed() < TIME {
        reset(sessions);
        sessions += 1;
    }
    eprintln!("{sessions} sessions in {:?}", began.elapsed());
    let after = settled(before);
    assert!(!after.exceeds(before), "before {before:?}, after {sessions} sessions {after:?}");
}
