//! Pagers that stay open: turning pages, searching, keys, leaving; and `--pager`.
#![cfg(has = "posix")]

use crate::support::{
    IDLE, Server, assert_has, assert_has_not,
    paging::{PAGER, page_of, plain_environment, session, start},
};

/// Lines of 60 bytes with their numbers.
fn document(count: usize) -> String {
    (1..=count).map(|number| format!("{number:>5} {}\n", "-".repeat(53))).collect()
}

/// The number at the beginning of the text's first line.
#[track_caller]
fn first_number(text: &str) -> usize {
    let first = text.lines().next().unwrap_or_default();
    first.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_else(|| {
        panic!("the first line begins with a number:\n{text}");
    })
}

/// A session in which `less` shows a text of 2,000 lines, more than a reply holds, with the
/// reply. Behind `less`, `after` is printed.
fn in_less(options: Option<&str>) -> (Server, String) {
    let builder = plain_environment();
    let repl = start(match options {
        Some(options) => builder.env("LESS", options),
        None => builder,
    });
    repl.write_file("document", &document(2000));
    let reply = repl.repl("run('less', 'document'); print('after')");
    (repl, reply)
}

/// The `[pager]` line of a reply, which is its last.
#[track_caller]
fn status(reply: &str) -> &str {
    let page = page_of(reply).unwrap_or_else(|| panic!("a pager is open:\n{reply}"));
    reply[page.len()..].trim_end()
}

#[test]
fn a_text_longer_than_a_reply_stops_and_goes_on() {
    let text = document(2000);
    let (repl, reply) = in_less(None);
    let page = page_of(&reply).unwrap();
    assert!(text.starts_with(page), "{page}");
    assert!((15_000..20_000).contains(&page.len()), "{} bytes", page.len());
    let shown = page.lines().count();
    let place = format!("[pager] less: document lines {}-{shown}/2000 ", shown - 38);
    assert!(status(&reply).starts_with(&place), "{reply}");
    assert!(status(&reply).ends_with("%; \"\" next, \"/text\" search, \"q\" quit"), "{reply}");
    let next = repl.poll();
    assert!(text[page.len()..].starts_with(page_of(&next).unwrap()), "{next}");
    repl.gives("q", "after\n");
    repl.still_works();
}

#[test]
fn all_of_it_comes_by_empty_payloads() {
    let text = document(2000);
    for options in [None, Some(""), Some("-X"), Some("-M")] {
        let repl = start(match options {
            Some(options) => plain_environment().env("LESS", options),
            None => plain_environment(),
        });
        repl.write_file("document", &text);
        let (read, calls) = repl.read_through("run('less', 'document')");
        assert!(read == text, "with LESS={options:?}, {calls} calls");
        assert!((6..=9).contains(&calls), "{calls} calls");
        repl.still_works();
    }
}

#[test]
fn a_search_goes_to_its_place() {
    for options in [None, Some("-R"), Some("-X")] {
        let (repl, _) = in_less(options);
        let reply = repl.repl("/ 1500 ");
        let page = page_of(&reply).unwrap();
        let page = page.strip_prefix("...skipping...\n").unwrap_or(page);
        assert_eq!(first_number(page), 1500, "with {options:?}");
        let last = page.lines().last().unwrap();
        assert_eq!(first_number(last), 1538);
        // Only that page: from here on, the client turns them.
        assert_eq!(page.lines().count(), 39);
        repl.gives("q", "after\n");
    }
}

#[test]
fn a_search_may_be_repeated_and_may_fail() {
    let (repl, _) = in_less(None);
    // 1000, 1100, …
    repl.repl("/^ +1.00 ");
    let reply = repl.repl("n");
    assert_has(&reply, " 1100 ");
    let reply = repl.repl("/nowhere to be found\n");
    let expected = "[pager] less: Pattern not found  (press RETURN); \"\" next, \"/text\" search, \"q\" quit\n";
    assert_eq!(reply, expected);
    assert_has(&repl.repl("?^ +5[0-9][0-9] "), "  599 ");
    repl.gives("q", "after\n");
}

#[test]
fn quit_is_one_key_to_a_pager() {
    let (repl, _) = in_less(None);
    let reply = repl.repl("quit");
    assert_has_not(&reply, "discarded");
    assert_has_not(&reply, "[pager]");
    repl.gives("input('clean? ')", "clean? ");
    repl.gives("yes", "'yes'\n");
}

#[test]
fn any_keys_work() {
    let (repl, _) = in_less(None);
    let end = repl.repl("G");
    assert_has(&end, " 2000 ");
    assert_eq!(
        status(&end),
        "[pager] less: document lines 1962-2000/2000 (END); \"/text\" search, \"q\" quit"
    );
    assert_has(&repl.repl("g"), "    1 ");
    let down = repl.keys("Down");
    assert_eq!(page_of(&down).map(str::lines).unwrap().count(), 1, "{down}");
    assert_has(&down, "   40 ");
    assert_has(&repl.keys("Down Down PageDown"), "lines 43-81/2000");
    assert_has(&repl.keys("PageUp"), "lines 4-42/2000");
    assert_has(&repl.keys("5 0 0 g"), "  500 ");
    repl.gives("q", "after\n");
}

#[test]
fn a_search_may_be_typed_key_by_key() {
    let (repl, _) = in_less(Some("-R"));
    let reply = repl.keys("/");
    assert_has_not(&reply, PAGER);
    repl.keys("1 5 0 0");
    assert_has(&repl.keys("Enter"), " 1500 ");
    repl.gives("q", "after\n");
}

#[test]
fn an_empty_payload_at_the_end_closes_the_pager() {
    for options in [None, Some("-R")] {
        let (repl, _) = in_less(options);
        repl.repl("G");
        repl.gives("", "after\n");
        repl.still_works();
    }
}

#[test]
fn more_goes_on_and_is_left() {
    let text = document(2000);
    let repl = session();
    repl.write_file("document", &text);
    let reply = repl.repl("run('more', 'document'); print('after')");
    let page = page_of(&reply).unwrap();
    assert!(text.starts_with(page), "{page}");
    assert!(status(&reply).starts_with("[pager] more: --More--("), "{reply}");
    let next = repl.poll();
    assert!(text[page.len()..].starts_with(page_of(&next).unwrap()), "{next}");
    repl.gives("q", "after\n");
    let (read, _) = repl.read_through("run('more', 'document')");
    assert!(read == text);
}

#[test]
fn a_fresh_session_begins_out_of_a_pager() {
    let (repl, _) = in_less(None);
    let reply = repl.repl("\u{4}6 * 7");
    assert_has(&reply, "[repl] session ended");
    assert!(reply.ends_with("[repl] new session started\n42\n"), "{reply}");
}

#[test]
fn an_interrupt_in_a_pager_reaches_the_cell() {
    let (repl, _) = in_less(None);
    let reply = repl.repl("\u{3}");
    // `subprocess.run` waits for less, which stays; a person would quit it, too.
    if page_of(&reply).is_some() {
        assert_has(&repl.repl("q"), "KeyboardInterrupt");
    } else {
        assert_has(&reply, "KeyboardInterrupt");
    }
    repl.still_works();
}

#[test]
fn with_pager_page_each_call_gives_one_page() {
    let text = document(100);
    for options in [None, Some("-R")] {
        let builder = plain_environment().args(["--pager", "page"]);
        let repl = start(match options {
            Some(options) => builder.env("LESS", options),
            None => builder,
        });
        repl.write_file("document", &text);
        let reply = repl.repl("run('less', 'document'); print('after')");
        assert_eq!(page_of(&reply), Some(&*document(39)));
        assert!(status(&reply).starts_with("[pager] less: document"), "{reply}");
        let reply = repl.poll();
        assert_eq!(page_of(&reply).map(first_number), Some(40));
        let reply = repl.poll();
        assert_eq!(page_of(&reply).map(first_number), Some(79));
        assert_has(status(&reply), "(END)");
        repl.gives("q", "after\n");
    }
}

#[test]
fn with_pager_page_a_short_text_is_closed_by_less_itself() {
    let repl = start(plain_environment().args(["--pager", "page"]));
    repl.write_file("document", "a\nb\n");
    repl.gives("run('less', 'document')", "a\nb\n");
    repl.still_works();
}

#[test]
fn with_pager_plain_programs_print_their_text() {
    let repl = start(plain_environment().args(["--pager", "plain"]));
    let cell = "print(*[os.environ[name] for name in ('PAGER', 'MANPAGER', 'GIT_PAGER')])";
    repl.gives(cell, "cat cat cat\n");
    let reply = repl.repl("help(str)");
    assert_has_not(&reply, PAGER);
    assert!(reply.starts_with("Help on class str in module builtins:\n"), "{reply}");
    repl.write_file("document", &document(2000));
    repl.gives("os.system('$PAGER document | wc -l')", "2000\n0\n");
    // Who asks for a pager by its name gets it.
    let reply = repl.repl("run('less', 'document')");
    status(&reply);
    repl.gives("q", IDLE);
}
