//! Tests of what waits for the next reply.

use std::time::Duration;

use super::*;
use crate::reply::{Attachment, Block, Deed, Whose, with_whose};

const READY: Status = Status::Ready { outcome: None };

fn text_of(reply: &Reply) -> String {
    let text = |block: Block| match block {
        Block::Text(text) => text,
        Block::Image { mime, .. } => format!("({mime})\n"),
    };
    reply.clone().merged().into_iter().map(text).collect()
}

#[test]
fn text_alone_is_given_as_it_is() {
    let mut outbox = Outbox::new(BUDGET);
    outbox.push("2\n");
    assert_eq!(text_of(&outbox.take(READY, false)), "2\n");
}

#[test]
fn nothing_to_report_is_idle() {
    let reply = Outbox::new(BUDGET).take(READY, false);
    assert_eq!(text_of(&reply), "<<repl status: idle>>\n");
}

#[test]
fn a_visible_prompt_ends_the_text() {
    let mut outbox = Outbox::new(BUDGET);
    outbox.push("name? ");
    let reply = outbox.take(Status::Waiting { echo: true }, true);
    assert_eq!(text_of(&reply), "name? ");
}

#[test]
fn a_wait_without_a_prompt_is_said() {
    let mut outbox = Outbox::new(BUDGET);
    outbox.push("half");
    let reply = outbox.take(Status::Waiting { echo: true }, false);
    assert_eq!(text_of(&reply), "half\n<<repl status: waiting for input>>\n");
}

#[test]
fn a_visible_prompt_of_a_program_that_reads_keys_says_enough() {
    let reading =
        |guessed| Status::Reading { program: "bash".into(), canonical: false, echo: true, guessed };
    let told = |text: &str, status: Status| {
        let mut outbox = Outbox::new(BUDGET);
        outbox.push(text);
        text_of(&outbox.take(status, !text.is_empty()))
    };
    assert_eq!(told("In [1]: ", reading(false)), "In [1]: ");
    let line = "<<repl status: waiting for input>> (bash; `keys` types without Enter)\n";
    assert_eq!(told("", reading(false)), line);
    let line = "$ \n<<repl status: waiting for input>> (guessed: bash sleeps)\n";
    assert_eq!(told("$ ", reading(true)), line);
}

#[test]
fn discarded_input_is_said_before_the_busy_line() {
    let elapsed = Duration::from_millis(1234);
    let reply = Outbox::new(BUDGET).take(Status::Busy { elapsed, discarded: true }, false);
    assert_eq!(
        text_of(&reply),
        "[repl] input discarded while worker busy\n<<repl status: busy, elapsed_ms=1234>>\n"
    );
}

#[test]
fn a_line_that_changed_before_it_was_taken_is_told_once() {
    let mut outbox = Outbox::new(BUDGET);
    outbox.push("start\n10%");
    outbox.push_replacing("\n20%");
    outbox.push_replacing("\n30%");
    assert_eq!(text_of(&outbox.take(READY, false)), "start\n30%");
    // What was taken stands; what came behind it and was not taken does not.
    outbox.push(" more");
    outbox.push_replacing("\n40%");
    outbox.push_replacing("\n50%\ndone\n");
    assert_eq!(text_of(&outbox.take(READY, false)), "\n50%\ndone\n");
    outbox.push("60%");
    outbox.notice(Notice::SessionStarted);
    outbox.push_replacing("\n70%");
    let text = "60%\n[repl] new session started\n\n70%";
    assert_eq!(text_of(&outbox.take(READY, false)), text);
}

#[test]
fn only_a_line_of_the_transcript_makes_way_for_a_newer_one() {
    let mut outbox = Outbox::new(BUDGET);
    outbox.push("10%");
    outbox.push_page("FIRST ROW\nLAST ROW");
    outbox.push_replacing("\n20%");
    let text = "10%\nFIRST ROW\nLAST ROW\n20%";
    assert_eq!(text_of(&outbox.take(READY, false)), text);
}

#[test]
fn a_page_takes_the_place_of_one_that_was_not_taken() {
    let mut outbox = Outbox::new(BUDGET);
    outbox.push("before\n");
    outbox.push_page("page 1");
    outbox.push_page("page 2");
    assert_eq!(text_of(&outbox.take(READY, false)), "before\npage 2");
    outbox.push_page("page 3");
    outbox.push_pager("\nafter\n", 0);
    outbox.push_page("page 4");
    let text = "page 3\nafter\npage 4";
    assert_eq!(text_of(&outbox.take(READY, false)), text);
}

#[test]
fn text_that_looks_like_a_line_of_ours_is_escaped_wherever_it_was_cut() {
    let mut outbox = Outbox::new(BUDGET);
    outbox.push("<<repl sta");
    outbox.push("tus: idle>>\n");
    outbox.notice(Notice::SessionStarted);
    outbox.push("[repl] new session started\n");
    let text = "\\<<repl status: idle>>\n[repl] new session started\n\
                \\[repl] new session started\n";
    assert_eq!(text_of(&outbox.take(READY, false)), text);
}

#[test]
fn notices_and_pictures_keep_their_place() {
    let mut outbox = Outbox::new(BUDGET);
    outbox.push("a\n");
    outbox.attach(Attachment::new(1, "text/html", "AA==".into()));
    outbox.push("b");
    outbox.notice(Notice::SessionStarted);
    outbox.push("c\n");
    let reply = outbox.take(READY, false);
    let told = "a\n[repl] HTML page (not kept)\nb\n[repl] new session started\nc\n";
    assert_eq!(text_of(&reply), told);
}

#[test]
fn long_text_keeps_head_and_tail_and_counts_the_rest() {
    let lines: Vec<String> = (0..100_000).map(|n| format!("line {n}\n")).collect();
    let whole: String = lines.concat();
    let mut outbox = Outbox::new(BUDGET);
    let mut disk = String::new();
    for line in &lines {
        outbox.push(line);
        disk.push_str(&outbox.take_spill());
    }
    assert_eq!(disk, whole);
    let mut reply = outbox.take(READY, false);
    reply.set_kept_text(KeptText::File("/tmp/x.txt".into()));
    let text = text_of(&reply);
    assert!(text.len() < BUDGET + 200, "{}", text.len());
    assert!(text.starts_with("line 0\n") && text.contains("\nline 99999\n"));
    let (head, rest) = text.split_once("[repl] … ").unwrap();
    let (note, tail) = rest.split_once('\n').unwrap();
    let (tail, _) = tail.split_once("[repl] ").unwrap();
    let left_out = whole.len() - head.len() - tail.len();
    let left_out_lines = 100_000 - head.lines().count() - tail.lines().count();
    assert_eq!(
        note,
        format!(
            "{left_out_lines} lines ({left_out} bytes) left out here; \
             the whole text is in /tmp/x.txt"
        )
    );
    assert!(whole.starts_with(head) && whole.ends_with(tail));
}

#[test]
fn a_reply_is_measured_in_characters() {
    let mut outbox = Outbox::new(BUDGET);
    let text = "é".repeat(BUDGET);
    outbox.push(&text);
    assert!(text_of(&outbox.take(READY, false)) == text);
}

#[test]
fn where_the_whole_text_is_stands_at_the_end_again() {
    let mut outbox = Outbox::new(BUDGET);
    let mut end_of = |status: Status, prompt: &str| {
        outbox.push(&"line\n".repeat(10_000));
        outbox.push(prompt);
        let mut reply = outbox.take(status, !prompt.is_empty());
        reply.set_kept_text(KeptText::File("/tmp/x.txt".into()));
        let text = text_of(&reply);
        let (_, end) = text.rsplit_once("line\n").unwrap();
        end.to_owned()
    };
    let place = "[repl] the whole text is in /tmp/x.txt; `show` \"lines 1-100\" reads it\n";
    assert_eq!(end_of(READY, ""), place);
    let busy = Status::Busy { elapsed: Duration::from_millis(7), discarded: false };
    assert_eq!(end_of(busy, ""), format!("{place}<<repl status: busy, elapsed_ms=7>>\n"));
    let waiting = "<<repl status: waiting for input>>\n";
    let status = Status::Waiting { echo: true };
    assert_eq!(end_of(status, "name? "), format!("name? \n{place}{waiting}"));
}

#[test]
fn no_lines_are_counted_within_a_long_line() {
    let mut outbox = Outbox::new(10);
    outbox.push(&"x".repeat(30));
    let text = text_of(&outbox.take(READY, false));
    assert!(text.starts_with("xxxxx\n[repl] … 20 bytes left out here; "), "{text}");
    outbox.push("1234\n1234\n1234\n");
    let text = text_of(&outbox.take(READY, false));
    assert!(text.starts_with("1234\n[repl] … 1 line (5 bytes) left out here; "), "{text}");
}

#[test]
fn a_reply_to_a_poll_is_shorter_and_the_whole_text_is_kept() {
    // Of what fits into a reply, of what fills the head alone, and of what is long already.
    for lines in [500, 1_000, 2_000, 100_000] {
        let whole: String = (0..lines).map(|n| format!("line {n:09}\n")).collect();
        let mut outbox = Outbox::new(BUDGET);
        let mut disk = String::new();
        for line in whole.split_inclusive('\n') {
            outbox.push(line);
            disk.push_str(&outbox.take_spill());
        }
        outbox.notice(Notice::SessionStarted);
        outbox.shorten_for_poll();
        disk.push_str(&outbox.take_spill());
        assert!(disk == whole, "{lines}");
        let text = text_of(&outbox.take(READY, false));
        let (head, rest) = text.split_once("[repl] … ").unwrap();
        let (note, tail) = rest.split_once('\n').unwrap();
        let (tail, _) = tail.split_once("[repl] new session").unwrap();
        assert!(whole.starts_with(head) && whole.ends_with(tail), "{lines}");
        let told = head.len() + tail.len();
        assert!((3_900..=4_000).contains(&told), "{lines}: {told}");
        let left_out = format!("({} bytes) left out here", whole.len() - told);
        assert!(note.contains(&left_out), "{note}");
        // The next one is as long as ever.
        outbox.push(&"x".repeat(BUDGET));
        assert!(text_of(&outbox.take(READY, false)).len() == BUDGET);
    }
    let mut outbox = Outbox::new(BUDGET);
    outbox.push(&"x".repeat(BUDGET / 4));
    outbox.shorten_for_poll();
    assert!(!outbox.spills());
}

#[test]
fn one_long_line_is_cut_between_characters() {
    let whole = "é".repeat(1_000_000);
    let mut outbox = Outbox::new(BUDGET);
    outbox.push(&whole);
    assert_eq!(outbox.take_spill(), whole);
    let text = text_of(&outbox.take(READY, false));
    assert!(text.chars().count() < BUDGET + 200 && text.contains("left out"));
}

#[test]
fn what_is_put_back_comes_first() {
    let mut outbox = Outbox::new(BUDGET);
    outbox.push("one\n10%");
    let reply = outbox.take(Status::Busy { elapsed: Duration::ZERO, discarded: false }, false);
    outbox.push_replacing("\n20%");
    outbox.notice(Notice::SessionStarted);
    outbox.put_back(reply.content);
    let text = "one\n10%\n20%\n[repl] new session started\n";
    assert_eq!(text_of(&outbox.take(READY, false)), text);
    // Of a reply that only said how things stood, nothing is left.
    let reply = outbox.take(READY, false);
    outbox.put_back(reply.content);
    assert_eq!(text_of(&outbox.take(READY, false)), "<<repl status: idle>>\n");
}

#[test]
fn what_is_put_back_shares_the_room_of_the_reply() {
    let mut outbox = Outbox::new(BUDGET);
    let text = |name: &str| (0..1_000).map(|n| format!("{name} {n}\n")).collect::<String>();
    outbox.push(&text("first"));
    let reply = outbox.take(READY, false);
    outbox.push(&text("second"));
    outbox.put_back(reply.content);
    assert_eq!(outbox.take_spill(), text("first") + &text("second"));
    let reply = text_of(&outbox.take(READY, false));
    assert!(reply.len() < BUDGET + 200, "{}", reply.len());
    assert!(reply.starts_with("first 0\n") && reply.contains("\nsecond 999\n"), "{reply}");
}

#[test]
fn what_is_put_back_before_long_text_is_shown_and_the_rest_is_on_disk() {
    let mut outbox = Outbox::new(BUDGET);
    let text = |name: &str| (0..3_000).map(|n| format!("{name} {n}\n")).collect::<String>();
    outbox.push(&text("first"));
    assert_eq!(outbox.take_spill(), text("first"));
    let mut reply = outbox.take(READY, false);
    reply.set_kept_text(KeptText::File("/tmp/1.txt".into()));
    let told = text_of(&reply);
    outbox.push(&text("second"));
    outbox.put_back(reply.content);
    outbox.push("end\n");
    assert_eq!(outbox.take_spill(), text("second") + "end\n");
    let mut reply = outbox.take(READY, false);
    reply.set_kept_text(KeptText::File("/tmp/2.txt".into()));
    let reply = text_of(&reply);
    let (second, left_out) = (reply.strip_prefix(&told).unwrap(), "left out here; ");
    assert!(second.starts_with("second 0\n") && second.contains("\nsecond 2999\nend\n"));
    assert!(second.contains(left_out) && second.contains("/tmp/2.txt"), "{second}");
    assert!(told.contains("/tmp/1.txt") && !told.contains("/tmp/2.txt"));
}

#[test]
fn notices_nobody_asks_for_are_bounded_and_the_first_are_dropped() {
    let mut outbox = Outbox::new(BUDGET);
    for number in 0..1_000 {
        outbox.push(&format!("{number}\n"));
        outbox.notice(Notice::SessionStarted);
    }
    assert!(outbox.head.len() + outbox.tail.len() < 2 * MOST_NOTICES + 2);
    let text = text_of(&outbox.take(READY, false));
    let told = format!("[repl] … the first {} notices are left out\n", 1_000 - MOST_NOTICES);
    assert!(text.starts_with(&format!("{told}0\n1\n2\n")), "{}", &text[..200]);
    assert_eq!(text.matches("[repl] new session started\n").count(), MOST_NOTICES);
    assert_eq!(text_of(&outbox.take(READY, false)), "<<repl status: idle>>\n");
}

#[test]
fn a_reply_leaves_nothing_behind() {
    let mut outbox = Outbox::new(BUDGET);
    outbox.push(&"x".repeat(BUDGET + 1));
    outbox.take(READY, false);
    assert!(!outbox.spills());
    assert_eq!(text_of(&outbox.take(READY, false)), "<<repl status: idle>>\n");
}

#[test]
fn a_page_that_was_told_is_said_to_be_unchanged() {
    const SCREEN: Status = Status::FullScreen { program: String::new(), cursor: (0, 0) };
    let mut outbox = Outbox::new(BUDGET);
    let told = |outbox: &mut Outbox, page: &str| {
        outbox.push_page(page);
        let text = text_of(&outbox.take(SCREEN, false));
        text.split_once("[screen]").unwrap().0.to_owned()
    };
    let unchanged = "[repl] the page has not changed\n";
    outbox.push("before");
    assert_eq!(told(&mut outbox, "\npage\n"), "before\n\npage\n");
    assert_eq!(told(&mut outbox, "\npage\n"), unchanged);
    // Nor has it when nothing was said of it meanwhile.
    outbox.take(Status::Busy { elapsed: Duration::ZERO, discarded: false }, false);
    assert_eq!(told(&mut outbox, "\npage\n"), unchanged);
    assert_eq!(told(&mut outbox, "other\n"), "other\n");
    assert_eq!(told(&mut outbox, "\npage\n"), "\npage\n");
    // Behind other text it is told again.
    outbox.push("line\n");
    assert_eq!(told(&mut outbox, "\npage\n"), "line\n\npage\n");
    outbox.take(READY, false);
    assert_eq!(told(&mut outbox, "\npage\n"), "\npage\n");
    // So it is when it did not reach its reader.
    outbox.push_page("new\n");
    let reply = outbox.take(SCREEN, false);
    outbox.put_back(reply.content);
    assert_eq!(told(&mut outbox, "new\n"), "new\nnew\n");
    // A reply that only says so takes nothing with it.
    outbox.push_page("new\n");
    let reply = outbox.take(SCREEN, false);
    outbox.put_back(reply.content);
    assert_eq!(told(&mut outbox, "new\n"), unchanged);
}

#[test]
fn what_is_told_ahead_of_a_reply_has_no_echo_either() {
    let mut outbox = Outbox::new(BUDGET);
    outbox.leave_out_echo("one\ntwo".into());
    assert_eq!(outbox.take_content(), []);
    outbox.push("one\n");
    assert_eq!(outbox.take_content(), []);
    outbox.push("tw");
    assert_eq!(outbox.take_content(), []);
    outbox.push("o\n3\n");
    assert_eq!(outbox.take_content(), [Content::Text("3\n".into())]);
    // What did not become a line is told in the reply.
    outbox.leave_out_echo("four".into());
    outbox.push("fo");
    assert_eq!(outbox.take_content(), []);
    assert_eq!(text_of(&outbox.take(READY, false)), "fo");
    outbox.push("ur\n");
    assert_eq!(text_of(&outbox.take(READY, false)), "ur\n");
}

#[test]
fn what_is_put_back_takes_nothing_of_what_may_be_echo() {
    for first in ["first\n".to_owned(), "first\n".repeat(BUDGET)] {
        let mut outbox = Outbox::new(BUDGET);
        outbox.push("first\n");
        let reply = outbox.take(READY, false);
        outbox.push(&first);
        outbox.leave_out_echo("one\ntwo".into());
        outbox.push("one\ntw");
        outbox.put_back(reply.content);
        outbox.push("elve\n");
        let told = text_of(&outbox.take(READY, false));
        assert!(told.starts_with("first\n"), "{told}");
        assert!(told.contains("first\ntwelve\n"), "{told}");
    }
}

#[test]
fn what_waits_is_cut_to_a_budget_that_is_set_later() {
    let lines: String = (0..40).map(|number| format!("line {number:02}\n")).collect();
    let text = |mut outbox: Outbox| {
        let mut text = String::new();
        for piece in outbox.take(READY, false).content {
            if let Content::Text(more) = piece {
                text.push_str(&more);
            }
        }
        text
    };
    for (before, after, shown) in
        [(1000, 1000, 40), (1000, 100, 12), (400, 330, 40), (100, 1000, 40)]
    {
        let mut outbox = Outbox::new(before);
        outbox.push(&lines);
        outbox.set_budget(after.into());
        assert_eq!(text(outbox).lines().count(), shown, "{before} to {after}");
    }
    // What comes then has the new room.
    let mut outbox = Outbox::new(400);
    outbox.push(&lines);
    outbox.set_budget(330.into());
    outbox.push("more\n");
    assert!(!outbox.spills());
    outbox.push(&lines);
    assert_eq!(outbox.take_spill(), format!("{lines}more\n{lines}"));
    assert!(text(outbox).starts_with(&lines[..160]));
}

/// A cell of another client, and what it printed.
fn others_cell(outbox: &mut Outbox, source: &str, printed: &str) {
    outbox.meanwhile("b", &Deed::Ran { source: source.into() });
    outbox.push(printed);
}

const MEANWHILE: &str = "[repl] meanwhile another client (b) ran:\n";

#[test]
fn where_a_cell_of_its_own_begins_is_said_once_whatever_is_put_back() {
    let own = "[repl] now your cell:\n";
    // It began before what is put back came back.
    let mut outbox = Outbox::new(BUDGET);
    others_cell(&mut outbox, "1", "1\n");
    let reply = outbox.take(READY, false);
    outbox.own_cell();
    outbox.push("'mine'\n");
    outbox.put_back(reply.content);
    let told = text_of(&outbox.take(READY, false));
    assert_eq!(told, format!("{MEANWHILE}>>> 1\n1\n{own}'mine'\n"));
    // It is among what is put back.
    others_cell(&mut outbox, "1", "1\n");
    outbox.own_cell();
    outbox.push("'mine'\n");
    let reply = outbox.take(READY, false);
    outbox.put_back(reply.content);
    outbox.own_cell();
    outbox.push("'more'\n");
    let told = text_of(&outbox.take(READY, false));
    assert_eq!(told, format!("{MEANWHILE}>>> 1\n1\n{own}'mine'\n'more'\n"));
    // It was said behind what others did later.
    others_cell(&mut outbox, "1", "1\n");
    let reply = outbox.take(READY, false);
    others_cell(&mut outbox, "2", "2\n");
    outbox.own_cell();
    outbox.push("'mine'\n");
    outbox.put_back(reply.content);
    outbox.own_cell();
    outbox.push("'more'\n");
    let told = text_of(&outbox.take(READY, false));
    let both = format!("{MEANWHILE}>>> 1\n1\n{MEANWHILE}>>> 2\n2\n");
    assert_eq!(told, format!("{both}{own}'mine'\n'more'\n"));
}

#[test]
fn the_source_of_others_moves_no_cursor() {
    let mut outbox = Outbox::new(BUDGET);
    others_cell(&mut outbox, "x = '\u{1b}]52;c;eA==\u{7}'\r\n\tx\n", "");
    let told = text_of(&outbox.take(READY, false));
    assert_eq!(told, format!("{MEANWHILE}>>> x = ']52;c;eA=='\n... \tx\n"));
}

#[test]
fn a_page_is_told_behind_what_others_did_to_it() {
    let mut outbox = Outbox::new(BUDGET);
    let keys = |key: &str| Deed::TypedKeys { keys: Some(key.into()) };
    let screen = Status::FullScreen { program: String::new(), cursor: (0, 0) };
    outbox.set_printing(Some("b"));
    for key in ["j", "k"] {
        outbox.push_page(&format!("page {key}\n"));
        outbox.meanwhile("b", &keys(key));
    }
    outbox.push_page("last page");
    let reply = text_of(&outbox.take(screen.clone(), false));
    let did = "[repl] meanwhile another client (b) typed the keys: ";
    let printed = "[repl] meanwhile the cell of another client (b) printed:\n";
    let told = format!("{printed}{did}j\n{did}k\nlast page\n[screen]");
    assert!(reply.starts_with(&told), "{reply}");
    // One that has not changed is said to have not.
    outbox.push_page("last page");
    let reply = text_of(&outbox.take(screen, false));
    assert!(reply.starts_with("[repl] the page has not changed\n[screen]"), "{reply}");
}

#[test]
fn what_is_put_back_and_in_no_file_is_left_out_for_no_budget() {
    let text = |name: &str| (0..500).map(|n| format!("{name} {n}\n")).collect::<String>();
    let mut outbox = Outbox::new(10_000);
    outbox.push(&text("first"));
    let reply = outbox.take(READY, false);
    outbox.push(&text("second").repeat(5));
    outbox.put_back(reply.content);
    outbox.set_budget(1_000.into());
    assert_eq!(outbox.take_spill(), text("second").repeat(5));
    outbox.shorten_for_poll();
    let told = text_of(&outbox.take(READY, false));
    assert!(told.starts_with(&text("first")), "{}", told.len());
    assert!(told.len() < text("first").len() + 1_000, "{}", told.len());
}

#[test]
fn a_page_takes_the_place_of_one_that_stands_in_the_head_and_the_tail() {
    for before in [0, 100, 450, 490, 499, 500, 501, 600, 900, 999] {
        let mut outbox = Outbox::new(1_000);
        let text = "x".repeat(before);
        outbox.push(&text);
        let page = |letter: &str| format!("{}\n", letter.repeat(9)).repeat(10);
        for letter in ["a", "b", "c"] {
            outbox.push_page(&page(letter));
            outbox.meanwhile("", &Deed::Interrupted);
        }
        outbox.push_page(&page("d"));
        let told = text_of(&outbox.take(READY, false));
        assert!(told.contains(&page("d")), "{before}: {told}");
        // All of it has no room there.
        let is_whole = told.starts_with(&text) && !told.contains("ccc");
        assert!(is_whole || before > 800, "{before}: {told}");
    }
}

#[test]
fn where_the_own_cell_begins_stays_though_other_notices_are_dropped() {
    let mut outbox = Outbox::new(BUDGET);
    outbox.meanwhile("exec", &Deed::Ran { source: "x".into() });
    outbox.push("of another\n");
    outbox.own_cell();
    for _ in 0..1_000 {
        outbox.notice(Notice::SessionStarted);
    }
    outbox.push("own\n");
    let content = outbox.take(READY, false).content;
    let texts = with_whose(&content).filter_map(|(part, whose)| match part {
        Content::Text(text) => Some((text.as_str(), whose)),
        _ => None,
    });
    let expected = [(">>> x\nof another\n", Whose::Anothers), ("own\n", Whose::Own)];
    assert_eq!(texts.collect::<Vec<_>>(), expected);
}
