//! Pagers that the session reads through: one call gives the text, whole and in order.
#![cfg(has = "posix")]

use std::{fmt::Write, path::Path, process::Command};

use crate::support::{
    IDLE, Server, assert_has,
    paging::{assert_same_lines, plain_environment, session, start},
    python,
};

/// A line for each number, as `line` makes it.
fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (1..=count).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "{}", line(number));
        text
    })
}

/// Texts that are hard to read page by page, with what they are. The terminal has 40 rows of
/// 120 columns, and a pager's prompt takes one.
fn documents() -> Vec<(&'static str, String)> {
    let numbered = |count| lines(count, |number| format!("line {number}"));
    vec![
        ("a line", numbered(1)),
        ("shorter than a page", numbered(3)),
        ("a line shorter than the page", numbered(38)),
        ("exactly a page", numbered(39)),
        ("as long as the terminal", numbered(40)),
        ("a line longer than the terminal", numbered(41)),
        ("exactly two pages", numbered(78)),
        ("a line longer than two pages", numbered(79)),
        ("many pages", numbered(400)),
        ("equal lines", "same\n".repeat(150)),
        ("equal pages", lines(200, |number| format!("row {}", number % 39))),
        (
            "long lines that wrap",
            lines(80, |number| format!("{number} {}", "x".repeat(number * 7 % 400))),
        ),
        ("lines as wide as the page", lines(60, |_| "z".repeat(120))),
        (
            "lines twice as wide, which wrap",
            lines(60, |number| "z".repeat(if number % 3 == 0 { 1 } else { 240 })),
        ),
        ("trailing blanks", lines(90, |number| format!("line {number}   "))),
        ("wide characters", lines(90, |number| format!("日本語 {number} é"))),
        ("wide characters that wrap", lines(40, |number| "日本語".repeat(number))),
        (
            "blank lines between",
            lines(200, |number| if number % 5 == 0 { "x".into() } else { String::new() }),
        ),
        ("tildes", lines(70, |number| if number == 20 { "not one".into() } else { "~".into() })),
        ("nothing but tildes", "~\n".repeat(60)),
        ("few tildes", "a\n~\n~\n".into()),
        ("prompts", "(END)\n:\n--More--\nlines 1-39/100 38%\n".repeat(20)),
        ("what looks like a search", "/x\n?y\n&z\n".repeat(30)),
    ]
}

/// Reads each text and finds the pager closed.
#[track_caller]
fn comes_whole(repl: &Server, pager: &str, documents: &[(&str, String)]) {
    for (what, text) in documents {
        repl.write_file("document", text);
        let reply = repl.repl(&format!("run({pager}, 'document')"));
        assert_same_lines(&reply, text, &format!("{pager}, {what}"));
        repl.still_works();
    }
}

#[test]
fn less_gives_any_text() {
    let mut documents = documents();
    documents.push(("trailing blank lines", format!("a\n{}", "\n".repeat(60))));
    documents.push(("nothing but blank lines", "\n".repeat(50)));
    comes_whole(&session(), "'less'", &documents);
}

#[test]
fn less_gives_any_text_with_options_of_the_users_own() {
    let mut documents = documents();
    documents.push(("trailing blank lines", format!("a\n{}", "\n".repeat(60))));
    for options in ["", "-R", "-X", "-F", "-FRX", "-M", "-i", "-~", "-Ps%f %pb\\%?e (END).$"] {
        eprintln!("with LESS={options}:");
        comes_whole(&start(plain_environment().env("LESS", options)), "'less'", &documents);
    }
}

#[test]
fn less_gives_any_text_from_a_pipe() {
    let repl = session();
    repl.gives("def less(name): subprocess.run('cat ' + name + ' | less', shell=True)", IDLE);
    for (what, text) in documents() {
        repl.write_file("document", &text);
        assert_same_lines(&repl.repl("less('document')"), &text, what);
    }
}

#[test]
fn less_that_paints_each_page_anew_loses_nothing() {
    // Nothing tells that a line on a new page goes on from the last one.
    let documents: Vec<_> =
        documents().into_iter().filter(|(what, _)| !what.contains("wrap")).collect();
    let repl = start(plain_environment().env("LESS", "-c"));
    comes_whole(&repl, "'less'", &documents);
    let text = lines(80, |number| format!("{number} {}", "x".repeat(number * 7 % 400)));
    repl.write_file("document", &text);
    let reply = repl.repl("run('less', 'document')");
    assert_eq!(reply.replace('\n', ""), text.replace('\n', ""));
}

#[test]
fn less_numbers_and_chops_lines_as_the_user_wants_it() {
    let text = lines(90, |number| format!("line {number} {}", "x".repeat(150)));
    let repl = start(plain_environment().env("LESS", "-SN"));
    repl.write_file("document", &text);
    let shown = lines(90, |number| {
        let line = format!("{number:>7} line {number} {}", "x".repeat(150));
        format!("{}>", &line[..119])
    });
    assert_same_lines(&repl.repl("run('less', 'document')"), &shown, "-SN");
}

#[test]
fn less_shows_tabs_as_blanks_and_ends_the_last_line() {
    let repl = session();
    repl.write_file("document", &("a\tb\n".repeat(60) + "c"));
    assert_eq!(repl.repl("run('less', 'document')"), "a       b\n".repeat(60) + "c\n");
}

#[test]
fn less_stays_open_while_it_has_another_file() {
    let repl = start(plain_environment().env("LESS", "-M"));
    for name in ["a", "b"] {
        let text: String = (1..=50).map(|n| format!("{name} {n}\n")).collect();
        repl.write_file(name, &text);
    }
    let reply = repl.repl("run('less', 'a', 'b'); print('after')");
    assert_has(&reply, "a 1\n");
    assert_has(&reply, "a 50\n[pager] less: a lines 12-50/50 (END) - Next: b;");
    assert_has(&repl.repl(":n"), "b 1\n");
    let reply = repl.repl("");
    assert!(reply.ends_with("b 49\nb 50\nafter\n"), "{reply}");
    repl.still_works();
}

#[test]
fn less_asks_before_it_shows_what_is_no_text() {
    let repl = session();
    let reply = repl.repl("run('less', '/bin/ls')");
    assert!(reply.trim_end().ends_with("may be a binary file.  See it anyway?"), "{reply}");
    repl.repl("n");
    repl.still_works();
}

#[test]
fn a_pager_started_in_a_shell_is_read_through() {
    let repl = session();
    let text: String = (1..=200).map(|n| format!("line {n}\n")).collect();
    repl.write_file("document", &text);
    repl.repl("run('env', 'PS1=$ ', 'bash', '--norc', '-i')");
    let reply = repl.repl("less document");
    assert!(reply.contains(&text), "{reply}");
    assert!(reply.ends_with("$ "), "{reply}");
    repl.repl("exit");
    repl.still_works();
}

#[test]
fn less_shows_nothing_of_an_empty_text() {
    let repl = session();
    repl.write_file("document", "");
    repl.gives("run('less', 'document')", IDLE);
    repl.still_works();
}

#[test]
fn less_says_why_it_shows_nothing() {
    let repl = session();
    repl.gives("run('less', 'nowhere')", "nowhere: No such file or directory\n");
}

#[test]
fn a_prompt_that_does_not_tell_the_end() {
    let repl = start(plain_environment().env("LESS", "-PsPage %d$"));
    comes_whole(&repl, "'less'", &documents());
}

#[test]
fn less_that_ends_by_itself_does_not_take_its_last_page_with_it() {
    // It leaves the alternate screen without waiting for a key.
    let repl = start(plain_environment().env("LESS", "-E"));
    for count in [45, 100, 400] {
        let text: String = (1..=count).map(|n| format!("line {n}\n")).collect();
        repl.write_file("document", &text);
        repl.gives("run('less', 'document'); print('after')", &format!("{text}after\n"));
    }
    repl.still_works();
}

#[test]
fn a_text_that_fits_but_for_its_last_page_comes_whole() {
    let repl = session();
    // Ten pages of 39 lines fit into 20,000 characters, and the last ten lines do not.
    let text = lines(400, |number| format!("{number:050}"));
    repl.write_file("document", &text);
    let reply = repl.repl("run('less', 'document'); print('after')");
    assert_same_lines(&reply, &(text + "after\n"), "less");
    repl.still_works();
}

#[test]
fn less_that_ends_by_itself_and_leaves_the_text() {
    comes_whole(&start(plain_environment().env("LESS", "-EX")), "'less'", &documents());
}

#[test]
fn more_gives_any_text() {
    // It breaks lines wider than the page itself.
    let documents: Vec<_> =
        documents().into_iter().filter(|(what, _)| !what.contains("wrap")).collect();
    comes_whole(&session(), "'more'", &documents);
}

#[test]
fn more_fills_its_last_page_with_blank_rows() {
    let repl = session();
    repl.write_file("document", &("x\n".repeat(60) + "\n\n"));
    // Those of the text can't be told from them.
    repl.gives("run('more', 'document')", &"x\n".repeat(60));
}

#[test]
fn a_manual_page_comes_whole() {
    let page = lines(100, |number| {
        format!(".SS Section {number}\nIt is \\fBbold\\fP {}", "and so on ".repeat(number % 20))
    });
    let page = format!(".TH PROGRAM 1 2024-01-01 Tests Manual\n.SH NAME\nprogram\n{page}");
    let read = |repl: &Server| {
        repl.write_file("program.1", &page);
        repl.read_through("run('man', './program.1')").0
    };
    let expected = read(&start(plain_environment().args(["--pager", "plain"])));
    assert!(expected.lines().count() > 300, "{expected}");
    assert_same_lines(&read(&session()), &expected, "man");
}

/// Makes a repository of commits whose messages have long, equal and blank lines.
fn make_repository(directory: &Path, commits: usize) {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(directory).env("GIT_CONFIG_GLOBAL", "/dev/null");
        command
    };
    assert!(git(&["init", "-q", "."]).status().unwrap().success());
    let mut stream = String::new();
    for number in 0..commits {
        let message = format!(
            "Change {number}\n\n{}\n\n- same\n- same\n\n- same\n",
            "word ".repeat(number % 60)
        );
        let time = 1_600_000_000 + number * 60;
        let _ = write!(
            stream,
            "commit refs/heads/main\ncommitter A U Thor <a@example.com> {time} +0000\n\
             data {}\n{message}\nM 100644 inline file\ndata 1\nx\n",
            message.len()
        );
    }
    std::fs::write(directory.join("stream"), stream).unwrap();
    let stream = std::fs::File::open(directory.join("stream")).unwrap();
    assert!(git(&["fast-import", "--quiet"]).stdin(stream).status().unwrap().success());
    assert!(git(&["symbolic-ref", "HEAD", "refs/heads/main"]).status().unwrap().success());
}

#[test]
fn git_log_of_2000_commits_comes_over_several_calls() {
    let repl = session();
    make_repository(repl.directory(), 2000);
    let log = ["--no-pager", "log", "--decorate", "--no-color"];
    let expected = Command::new("git").args(log).current_dir(repl.directory()).output().unwrap();
    let expected = String::from_utf8(expected.stdout).unwrap();
    let (text, calls) = repl.read_through("run('git', 'log')");
    assert_same_lines(&text, &expected, "git log");
    // A reply holds 20,000 characters, and is filled but for a page.
    let least = expected.len() / 20_000;
    assert!((least..=least * 4 / 3 + 1).contains(&calls), "{calls} calls");
    repl.still_works();
}

/// What `help` shows, made without a pager.
fn rendered(python: &Path, thing: &str) -> String {
    let code = format!(
        "import pydoc\n\
         print(pydoc.render_doc({thing}, 'Help on %s:', renderer=pydoc.plaintext))"
    );
    let output = Command::new(python).args(["-c", &code]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_gives_what_pydoc_renders() {
    for version in python::versions() {
        let python = python::of_version(version);
        let repl = start(plain_environment().python(&python));
        for thing in ["dict", "str", "len", "'os.path'", "int"] {
            let reply = repl.repl(&format!("help({thing})"));
            let what = format!("help({thing}) of Python {version}");
            assert_same_lines(&reply, &rendered(&python, thing), &what);
        }
        repl.still_works();
    }
}

#[test]
fn the_pydoc_program_uses_a_pager_too() {
    let repl = session();
    let reply = repl.repl("import sys\nrun(sys.executable, '-m', 'pydoc', 'dict')");
    assert_same_lines(&reply, &rendered(&python::default(), "'dict'"), "pydoc dict");
}

#[test]
fn interactive_help_pages_and_asks_on() {
    let repl = session();
    assert!(repl.repl("help()").ends_with("\nhelp> "));
    let expected = rendered(&python::default(), "'dict'");
    let reply = repl.repl("dict");
    assert_same_lines(&reply, &(expected + "help> "), "dict");
    let reply = repl.repl("len");
    assert!(reply.starts_with("Help on built-in function len"), "{reply}");
    assert!(reply.ends_with("\n\nhelp> "), "{reply}");
    repl.gives_part("q", "You are now leaving help");
    repl.still_works();
}

#[test]
fn a_program_pipes_its_output_into_the_pager_of_the_environment() {
    // As psql and many others do it.
    let table = lines(150, |number| format!(" {number:>4} | a name"));
    for pager in [None, Some("less"), Some("more"), Some("less -R"), Some("cat")] {
        let builder = plain_environment();
        let repl = start(match pager {
            Some(pager) => builder.env("PAGER", pager),
            None => builder,
        });
        repl.write_file("table", &table);
        let cell = "\
with os.popen(os.environ.get('PAGER', 'less'), 'w') as pager:
    pager.write(open('table').read())";
        assert_same_lines(&repl.repl(cell), &table, &format!("PAGER={pager:?}"));
        repl.still_works();
    }
}

#[test]
fn what_is_printed_around_pagers_keeps_its_place() {
    let text = lines(100, |number| format!("line {number}"));
    let cell = "\
print('before')
run(PAGER, 'document')
print('between')
run(PAGER, 'document')
print('after')";
    for (pager, options) in [("less", "-R"), ("less", "-X"), ("more", "")] {
        let repl = start(plain_environment().env("LESS", options));
        repl.write_file("document", &text);
        repl.gives(&format!("PAGER = '{pager}'"), IDLE);
        let expected = format!("before\n{text}between\n{text}after\n");
        assert_same_lines(&repl.repl(cell), &expected, pager);
    }
}
