//! Scripts in Markdown, read.

use proptest::prelude::*;

use super::*;
use crate::{screen::Size, verify::script::Version};

const FENCE: &str = "```";

/// A Markdown text in which `@` stands for a fence.
fn source(text: &str) -> String {
    text.replace('@', FENCE)
}

/// The steps, each with its line, as a person would say them.
fn steps(text: &str) -> Vec<(usize, String)> {
    let said = |step: Step| {
        let said = match step.action {
            Action::Send { payload, timeout: None } => format!("{payload:?}"),
            Action::Send { payload, timeout: Some(time) } => format!("{payload:?} for {time:?}"),
            Action::Wait(text) => format!("wait {text}"),
            Action::Reply(expected) => format!("reply {:?}", expected.text),
        };
        (step.line, said)
    };
    parse(&source(text)).unwrap().steps.into_iter().map(said).collect()
}

#[track_caller]
fn refused(text: &str) -> String {
    parse(&source(text)).unwrap_err().to_string()
}

#[test]
fn blocks_are_steps_and_all_else_is_text() {
    let text = "# A title\n\n@python cell\nfor n in 1, 2:\n    print(n)\n\n@\n\n@python\nnot me\n@\n@text reply\n1\n2\n@\n\
                @answer\n\n@\n@keys\nEscape :q Enter\n@\n@keys\n[\"typed \", \"Enter\"]\n@\n@interrupt\n@\n@python interrupt\n1\n@\n\
                @reset\n@\n@wait\n 10 of 10\n@\n@cell timeout_ms=200\nx\n@\n@reply\n...\nx\n@\n";
    let expected = [
        (3, r#"Text("for n in 1, 2:\n    print(n)\n")"#),
        (12, r#"reply "1\n2\n""#),
        (16, r#"Text("")"#),
        (19, r#"Keys(Keys(["Escape", ":q", "Enter"]))"#),
        (22, r#"Keys(Keys(["typed ", "Enter"]))"#),
        (25, r#"Interrupt(Text(""))"#),
        (27, r#"Interrupt(Text("1"))"#),
        (30, r#"Reset(Text(""))"#),
        (32, "wait 10 of 10"),
        (35, r#"Text("x") for 200ms"#),
        (38, r#"reply "...\nx\n""#),
    ];
    assert_eq!(steps(text), expected.map(|(line, said)| (line, said.to_owned())));
}

#[test]
fn a_block_may_stand_in_a_list_and_have_longer_fences() {
    let text = "- first\n\n  @@cell\n  @\n  x\n  @@\n\n> ~~~text reply\n> y\n>\n> ~~~\n";
    assert_eq!(
        steps(text),
        [(3, r#"Text("```\nx")"#.to_owned()), (8, r#"reply "y\n\n""#.to_owned())]
    );
    let source = source(text);
    let script = parse(&source).unwrap();
    let Action::Reply(expected) = &script.steps[1].action else { panic!() };
    assert_eq!(&source[expected.place.clone()], "> y\n>\n");
    assert_eq!(expected.indent, "> ");
    let fences = expected.fences.clone().map(|place| source[place].to_owned());
    assert_eq!(fences, ["~~~", "~~~"]);
}

#[test]
fn a_session_in_one_block_is_read_as_it_reads() {
    let text = "@text session\n> def f():\n      return 1\n  f()\n1\n\n> pdb\n> not sent\n(Pdb) \n\n> f   (x)\n\n> \\u0003name      (interrupt)\n\n7\n\
                \n> wait()      (with timeout_ms 800)\nbusy\n@\n";
    let expected = [
        (2, r#"Text("def f():\n    return 1\nf()")"#),
        (5, r#"reply "1\n""#),
        (7, r#"Text("pdb")"#),
        (8, r#"reply "> not sent\n(Pdb) \n""#),
        (11, r#"Text("f   (x)")"#),
        (13, r#"Interrupt(Text("name"))"#),
        (14, r#"reply "\n7\n""#),
        (17, r#"Text("wait()") for 800ms"#),
        (18, r#"reply "busy\n""#),
    ];
    assert_eq!(steps(text), expected.map(|(line, said)| (line, said.to_owned())));
    let source = source(text);
    for step in parse(&source).unwrap().steps {
        if let Action::Reply(expected) = step.action {
            assert_eq!(source[expected.place], expected.text);
        }
    }
    assert_eq!(refused("@session\n1\n@\n"), "line 1: a session begins with what is sent, `> `");
}

#[test]
fn what_readers_do_not_see_is_in_a_comment() {
    let text = "# Title\n\n<!-- verify\npython: >=3.11\n\n@cell\nx = 1\n@\n@reset\n@\n-->\n\n@cell\nx\n@\n@reply\n1\n@\n\n<!-- verifying -->\n";
    assert_eq!(
        steps(text),
        [
            (6, r#"Text("x = 1")"#.to_owned()),
            (9, r#"Reset(Text(""))"#.to_owned()),
            (13, r#"Text("x")"#.to_owned()),
            (16, r#"reply "1\n""#.to_owned())
        ]
    );
    let settings = parse(&source(text)).unwrap().settings;
    assert_eq!(settings.python, Some(Version(vec![3, 11])));
    assert_eq!(steps(&text.replace('\n', "\r\n")).len(), 4);
}

#[test]
fn settings_stand_at_the_top() {
    let text = "---\nrun: my-tui --demo: x\nsize: 100x30\ntimeout: 500ms\nneeds: less, vim\npython: \">=3.9\"\nrules: time\n---\n@reply\nx\n@\n";
    let settings = parse(&source(text)).unwrap().settings;
    let expected = Settings {
        run: Some("my-tui --demo: x".into()),
        directory: None,
        size: Some(Size { columns: 100, rows: 30 }),
        timeout: Some(std::time::Duration::from_millis(500)),
        needs: vec!["less".into(), "vim".into()],
        python: Some(Version(vec![3, 9])),
        rules: Some(vec!["time".into()]),
    };
    assert_eq!(settings, expected);
    for (line, part) in [
        ("sise: 80x24", "line 2: `sise: 80x24`: there are `run`"),
        ("size: 80", "it is columns and rows"),
        ("size: 0x24", "it is columns and rows"),
        ("timeout: soon", "it is a time"),
        ("python: 3.9", "it is the least version"),
        ("run:", "there is no value"),
        ("words", "it is no `key: value`"),
    ] {
        let why = refused(&format!("---\n{line}\n---\n@reply\nx\n@\n"));
        assert!(why.contains(part), "{why}");
    }
    assert_eq!(refused("---\nsize: 80x24\n"), "line 1: the settings have no end, `---`");
}

#[test]
fn what_is_malformed_or_can_not_fail_is_refused_with_its_line() {
    let call = "@cell\nx\n@\n";
    for (text, why) in [
        ("".into(), "line 1: there is no `reply` block, so that nothing in it can fail"),
        (call.to_owned(), "line 1: there is no `reply` block, so that nothing in it can fail"),
        (
            format!("{call}@reply\n...\n@\n"),
            "line 4: the reply can't fail: it accepts anything, or is empty",
        ),
        (
            format!("{call}@reply\n@\n"),
            "line 4: the reply can't fail: it accepts anything, or is empty",
        ),
        (
            format!("{call}@reply\nx\n@\n@reply\ny\n@\n"),
            "line 7: nothing was sent or waited for since the last reply",
        ),
        (
            "@reply\nx\n@\n".into(),
            "line 1: nothing was sent before (with `run:` the program shows something)",
        ),
        (format!("{call}@reply\nx\n"), "line 4: the block is not closed"),
        (format!("{call}@wait\n@\n"), "line 4: nothing is waited for"),
        (
            format!("{call}@wait\na\nb\n@\n"),
            "line 4: a `wait` block has one line; what follows is one of its own",
        ),
        (format!("{call}@keys\n@\n"), "line 4: there are no keys"),
        (format!("{call}@reply exactly\nx\n@\n"), "line 4: `exactly` means nothing there"),
        (format!("{call}@cell timeout_ms=x\nx\n@\n"), "line 4: `timeout_ms=x` means nothing there"),
    ] {
        assert_eq!(refused(&text), why, "{text}");
    }
}

#[test]
fn texts_with_replies_are_scripts() {
    assert!(is_script(&source("text\n\n@text reply\nx\n@\n")));
    assert!(is_script(&source("@session\n@\n")));
    assert!(!is_script(&source("```text\nreply\n@\n\n`reply`\n@cell\n@\n")));
}

proptest! {
    #[test]
    fn no_text_is_too_strange(pieces in proptest::collection::vec(prop_oneof![
        Just("```cell\n"), Just("```"), Just("~~~~"), Just("\n"), Just(" reply\n"), Just("---\n"),
        Just("> "), Just("  "), Just("<!-- verify\n"), Just("-->\n"), Just("session\n"), Just("é\r\n"),
        Just("- "), Just("...\n"), Just("\t"), Just("size: 9x9\n"), Just("> x   (with timeout_ms 1)\n"),
    ], 0..24)) {
        let source: String = pieces.concat();
        is_script(&source);
        if let Ok(script) = parse(&source) {
            for step in script.steps {
                if let Action::Reply(expected) = step.action {
                    prop_assert!(source.get(expected.place).is_some());
                    prop_assert!(expected.fences.into_iter().all(|fence| source.get(fence).is_some()));
                }
            }
        }
    }
}
