//! `mcp-repl verify`: scripts in Markdown, run in sessions.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use mcp_repl::verify::markdown::is_script;

use crate::support::{Builder, assert_has, assert_has_not, python};

/// The scripts of the documentation.
const DOCUMENTS: [&str; 5] =
    ["README.md", "docs/agents.md", "docs/first-steps.md", "docs/output.md", "docs/scripts.md"];

/// A directory with scripts in which `@` stands for a fence.
struct Scripts(tempfile::TempDir);

impl Scripts {
    fn new(scripts: &[(&str, &str)]) -> Scripts {
        let scripts_of = Scripts(tempfile::tempdir().unwrap());
        for (name, text) in scripts {
            fs::write(scripts_of.file(name), text.replace('@', "```")).unwrap();
        }
        scripts_of
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap().replace("```", "@")
    }
}

/// The exit status of `verify`, what it prints, and what it says to standard error.
fn verify(path: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let builder = Builder::new().arg("verify").arg(path.to_str().unwrap()).args(arguments);
    let Output { status, stdout, stderr } = builder.output("");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[track_caller]
fn passes(script: &str) {
    let scripts = Scripts::new(&[("script.md", script)]);
    let (status, told, error) = verify(&scripts.file("script.md"), &[]);
    assert_eq!((status, &*error), (Some(0), ""), "{told}");
    assert_has(&told, "1 passed, 0 failed in ");
}

#[test]
fn documents_and_fixtures_hold_on_every_python() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for version in python::versions() {
        let builder = Builder::new().python(python::of_version(version)).arg("verify");
        let paths = DOCUMENTS.iter().chain(&["fixtures"]).map(|name| root.join(name));
        let builder = paths.fold(builder, |builder, path| builder.arg(path.to_str().unwrap()));
        let output = builder.output("");
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "with Python {version}: {told}");
        assert_has(&told, " passed, 0 failed in ");
    }
}

#[test]
fn all_documents_that_show_replies_are_looked_at() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documents = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    for path in documents.chain([root.join("README.md")]) {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        let is_script = name.ends_with(".md") && is_script(&fs::read_to_string(&path).unwrap());
        assert_eq!(is_script, DOCUMENTS.contains(&&*name), "{name}");
        let runs = fs::read_to_string(root.join(".ci/run")).unwrap();
        assert!(!is_script || runs.contains(&name), ".ci/run leaves {name} out");
    }
}

#[test]
fn a_script_is_run_from_its_first_block_to_its_last() {
    passes(
        "@python cell\nx = 41\nx + 1\n@\n@text reply\n42\n@\n@python cell\nname = input('Who? ')\n@\n@reply\nWho?\n@\n\
         @answer\nAda\n@\n@cell\nname, hex(id(name))\n@\n@reply\n('Ada', '<address>')\n@\n@keys\nC-c\n@\n@cell\n1 / 0\n@\n\
         @reply\nTraceback (most recent call last):\n...\nZeroDivisionError: division by zero\n@\n\
         @reset\n@\n@cell\n'x' in globals()\n@\n@reply\nFalse\n@\n",
    );
}

#[test]
fn what_runs_on_is_waited_for_by_what_the_page_shows() {
    passes(
        "@cell\nimport time\nprint('begun')\nwhile True: time.sleep(0.01)\n@\n@wait\nbegun\n@\n@interrupt\n@\n\
         @reply\nbegun\n...\nKeyboardInterrupt\n@\n\
         @cell\nimport threading\nthread = threading.Timer(0.1, print, ['later']); thread.start()\n@\n@reply\n<<repl status: idle>>\n@\n\
         @wait\nlater\n@\n@reply\nlater\n@\n\
         @cell timeout_ms=50\ntime.sleep(100)\n@\n@reply\n<<repl status: busy, elapsed_ms=<ms>>>\n@\n@interrupt\n'over'\n@\n@reply\n...\n'over'\n@\n",
    );
}

#[test]
#[cfg(has = "proc")]
fn a_script_may_be_of_any_program() {
    passes(
        "---\nrun: sh -c 'stty size; read name; echo \"hello, $name\"; read rest'\nsize: 70x20\n---\n@reply\n20 70\n...\n@\n\
         @answer\nAda\n@\n@reply\nAda\nhello, Ada\n...\n@\n@keys\nEnter\n@\n@reply\n...\n[repl] session ended (exit status 0)\n@\n",
    );
}

#[test]
#[cfg(has = "proc")]
fn a_program_that_asks_for_nothing_is_waited_for() {
    passes(
        "---\nrun: sh -c 'trap \"echo got; exit 3\" INT; echo up; while :; do sleep 0.1; done'\n---\n@wait\nup\n@\n@interrupt\n@\n\
         @reply\n...\ngot\n[repl] session ended (exit status 3)\n@\n",
    );
}

#[test]
#[cfg(has = "proc")]
fn a_script_is_recorded() {
    let text = "---\nrun: cat\n---\n@keys\na b Enter\n@\n@wait\nab\n@\n@keys\nC-d\n@\n@reply\n...\n[repl] session ended (exit status 0)\n@\n";
    let scripts = Scripts::new(&[("script.md", text)]);
    let cast = scripts.file("script.cast");
    let record = Builder::new().args(["record", "-o"]).arg(&cast).arg("--script");
    let output = record.arg(scripts.file("script.md")).output("");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let verified = Builder::new().args(["verify", "--accept"]).arg(&cast).output("");
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    let replies = Builder::new().arg("replay").arg(&cast).arg("--replies").output("");
    assert!(
        String::from_utf8_lossy(&replies.stdout).contains("=== reply 3: keys C-d\nab\nab\n"),
        "{replies:?}"
    );
}

#[test]
fn sessions_have_a_directory_and_an_environment_of_their_own() {
    let script = "@cell\nimport os\nos.listdir(), os.environ.get('MY_VARIABLE'), os.environ['LANG'], os.listdir(os.environ['HOME'])\n@\n\
                  @reply\n([], None, 'C.UTF-8', [])\n@\n";
    let scripts = Scripts::new(&[("script.md", script)]);
    let file = scripts.file("script.md");
    let startup = scripts.file("startup.py");
    fs::write(&startup, "print('from outside')\n").unwrap();
    let builder = Builder::new().env("MY_VARIABLE", "x").env("LANG", "de_DE.UTF-8");
    let builder = builder.env("PYTHONSTARTUP", startup.to_str().unwrap());
    let output = builder.arg("verify").arg(file.to_str().unwrap()).output("");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn what_differs_is_told_with_its_line_and_can_be_accepted() {
    let script = "@cell\n1\n@\n@text reply\n2\n@\n@cell\nprint('a\\nb\\n@')\n@\n@reply\n...\n@@`\n@\n@cell\nobject()\n@\n\
                  - @reply\n  <object>\n  @\n";
    let script = script.replace("@@`\n", "b\n...\n");
    let scripts = Scripts::new(&[("script.md", &script), ("notes.md", "@text\nno script\n@\n")]);
    let (status, told, _) = verify(scripts.0.path(), &[]);
    assert_eq!(status, Some(1));
    assert_has(&told, "script.md: line 4: the reply is another one\n    1 -2\n      +1\nline 18: ");
    assert_has(&told, "+<object object at <address>>\n");
    assert_has(&told, "0 passed, 1 failed in ");
    let dots = "@cell\nfor n in range(9): print(n)\n@\n@reply\n0\n...\n7\neight\n@\n";
    let dots = Scripts::new(&[("dots.md", dots)]);
    let (_, told, _) = verify(&dots.file("dots.md"), &[]);
    assert_has(&told, "    8  7\n    9 -eight\n      +8\n");
    assert_has_not(&told, "+1\n");
    assert_eq!(verify(scripts.0.path(), &["--accept"]).0, Some(0));
    let expected = script.replacen("reply\n2\n", "reply\n1\n", 1).replacen(
        "  <object>\n",
        "  <object object at <address>>\n",
        1,
    );
    assert_eq!(scripts.text("script.md"), expected);
    assert_eq!(verify(scripts.0.path(), &[]).0, Some(0));
}

#[test]
fn what_does_not_come_in_its_time_has_a_status_of_its_own() {
    let front = "---\ntimeout: 300ms\n---\n";
    for script in [
        "@cell\nimport time; print('begun'); time.sleep(100)\n@\n@wait\ndone\n@\n@reply\nx\n@\n",
        "@cell\nimport time; print('begun'); time.sleep(100)\n@\n@reply\nbegun\n@\n",
        // What was shown before the call does not count.
        "@cell\nimport time; print('begun'); time.sleep(1e-9)\n@\n@cell\ntime.sleep(100)\n@\n@wait\nbegun\n@\n@reply\nx\n@\n",
    ] {
        let scripts = Scripts::new(&[("script.md", &format!("{front}{script}"))]);
        let (status, told, _) = verify(scripts.0.path(), &[]);
        assert_eq!(status, Some(3), "{told}");
        assert_has(&told, "within 300ms; the page is\n");
        assert_has(&told, "\nbegun\n");
    }
}

#[test]
#[cfg(has = "proc")]
fn what_ends_is_not_waited_for() {
    for (script, why) in [
        (
            "@cell\nexit(3)\n@\n@wait\nnever\n@\n@reply\nx\n@\n",
            "was not shown: [repl] session ended",
        ),
        (
            "---\nrun: true\n---\n@wait\nnever\n@\n@reply\nx\n@\n",
            "was not shown: [repl] session ended",
        ),
        (
            "---\nrun: /nowhere/program\n---\n@wait\nnever\n@\n@reply\nx\n@\n",
            "could not be started",
        ),
    ] {
        // Nobody would wait for so long.
        let script = match script.strip_prefix("---\n") {
            Some(script) => format!("---\ntimeout: 9999s\n{script}"),
            None => format!("---\ntimeout: 9999s\n---\n{script}"),
        };
        let scripts = Scripts::new(&[("script.md", &script)]);
        let (status, told, _) = verify(scripts.0.path(), &[]);
        assert_eq!(status, Some(1), "{told}");
        assert_has(&told, why);
    }
}

#[test]
fn what_is_no_script_is_told_with_its_line() {
    let scripts = Scripts::new(&[
        ("any.md", "@cell\n1\n@\n@reply\n...\n@\n"),
        ("form.md", "---\nsise: 3\n---\n@cell\n1\n@\n@reply\n1\n@\n"),
        ("none.md", "# Nothing\n"),
        ("rules.md", "---\nrules: nothing\n---\n@cell\n1\n@\n@reply\n1\n@\n"),
    ]);
    for (name, why) in [
        ("any.md", "line 4: the reply can't fail"),
        ("form.md", "line 2: `sise: 3`: there are `run`"),
        ("none.md", "line 1: there is no `reply` block"),
        ("rules.md", "there is no rule `nothing`: there are elapsed, "),
    ] {
        let (status, told, _) = verify(&scripts.file(name), &[]);
        assert_eq!(status, Some(2), "{told}");
        assert_has(&told, why);
    }
}

#[test]
fn what_the_machine_lacks_is_skipped_and_counted() {
    let script = "@cell\n1\n@\n@reply\n1\n@\n";
    let scripts = Scripts::new(&[
        ("needs.md", &format!("---\nneeds: sh, no-such-program\n---\n{script}")),
        ("new.md", &format!("---\npython: \">=4.1\"\n---\n{script}")),
        ("old.md", &format!("---\npython: \">=3.9\"\nneeds: sh\n---\n{script}")),
    ]);
    let junit = scripts.file("junit.xml");
    let (status, told, _) = verify(scripts.0.path(), &["--junit", junit.to_str().unwrap()]);
    assert_eq!(status, Some(0), "{told}");
    assert_has(&told, "needs.md: there is no `no-such-program` on PATH\n");
    assert_has(&told, " is too old for it\n");
    assert_has(&told, "1 passed, 0 failed, 2 skipped in ");
    assert_has(&fs::read_to_string(junit).unwrap(), r#"tests="3" skipped="2" failures="0""#);
}

#[test]
fn rules_beside_a_script_are_used_in_place_of_those_built_in() {
    let script = "@cell\n'abc', 0x7fffffff00\n@\n@reply\n('<letters>', 549755813632)\n@\n";
    let rules = "[[rule]]\nname = 'letters'\nregex = 'abc'\nplaceholder = '<letters>'\n";
    let scripts = Scripts::new(&[("script.md", script), ("rules.toml", rules)]);
    let (status, told, _) = verify(scripts.0.path(), &[]);
    assert_eq!(status, Some(0), "{told}");
    fs::write(scripts.file("rules.toml"), "[[rule]]\nname = 'x'\nregex = '('\n").unwrap();
    let (status, told, _) = verify(scripts.0.path(), &[]);
    assert_eq!(status, Some(2));
    assert_has(&told, "rules.toml: ");
    assert_has_not(&told, "1 passed");
}

#[test]
fn a_session_is_written_down_as_a_script_that_holds() {
    let scripts = Scripts::new(&[]);
    let file = scripts.file("session.md");
    let record = |arguments: &[&str]| {
        let builder = Builder::new().args(["record", "--md", file.to_str().unwrap()]);
        let Output { status, stdout, stderr } = builder.args(arguments).output("");
        (status.code(), String::from_utf8([stdout, stderr].concat()).unwrap())
    };
    let cells =
        ["x = 41", "print('```\\n...')", "name = input('Who? ')", "Ada", "object()", "1 / 0"];
    let (status, printed) = record(&cells);
    assert_eq!(status, Some(0), "{printed}");
    assert_has(&printed, "```\n...\nWho? ");
    let written = scripts.text("session.md");
    assert_has(&written, "@python cell\nx = 41\n@\n\n@text reply\n<<repl status: idle>>\n@\n");
    assert_has(&written, "@`text reply\n@\n\\...\n@`\n");
    assert_has(&written, "@text answer\nAda\n@\n");
    assert_has(&written, "<object object at <address>>\n");
    let (status, told, _) = verify(&file, &[]);
    assert_eq!(status, Some(0), "{told}");
    assert_eq!(record(&["1"]).0, Some(2));
    assert_eq!(record(&["--overwrite", "1"]).0, Some(0));
    assert_has(&record(&["--overwrite"]).1, "call it on a terminal");
}

#[test]
#[cfg(has = "proc")]
fn a_program_is_written_down_as_a_script_that_holds() {
    let scripts = Scripts::new(&[]);
    let file = scripts.file("session.md");
    let program = "sh -c 'echo menu; read a; echo \"got $a\"; read b'";
    let arguments = ["record", "--md", file.to_str().unwrap(), "--run", program, "--", "one"];
    let output = Builder::new().any_python().args(arguments).output("");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let written = scripts.text("session.md");
    assert!(
        written.starts_with(&format!("---\nrun: {program}\n---\n\n@text reply\nmenu\n")),
        "{written}"
    );
    assert_has(&written, "@text answer\none\n@\n");
    let (status, told, _) = verify(&file, &[]);
    assert_eq!(status, Some(0), "{told}");
}
