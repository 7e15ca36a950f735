//! Hints: one line behind the error of a cell that is no Python, and only when that is sure.

use crate::support::{IDLE, Server, assert_has, assert_has_not, on_every_python};

/// The hint in a reply, which is its last line, behind the error.
#[track_caller]
fn hint(reply: &str) -> &str {
    let last = reply.trim_end_matches('\n').rsplit('\n').next().unwrap_or_default();
    assert!(reply.contains("Error: "), "the error comes first: {reply}");
    let hint = last.strip_prefix("[repl] hint: ");
    hint.unwrap_or_else(|| panic!("no hint: {reply}"))
}

#[cfg(has = "posix")]
#[test]
fn what_was_meant_is_said_behind_the_error() {
    on_every_python(|repl| {
        for (cell, part) in [
            ("!ls", "subprocess.run(\"ls\", shell=True)"),
            ("x = 1\nif x:\n    !pip install x", "subprocess.run(\"pip install x\", shell=True)"),
            ("!cd /tmp", "os.chdir(DIRECTORY)"),
            ("%timeit sum(range(3))", "timeit.timeit("),
            ("%%time\nx = 1", "timeit.timeit("),
            ("%%bash\nfor f in *; do echo $f; done", "subprocess.run(COMMAND, shell=True)"),
            ("%matplotlib inline\nx = 1", "%matplotlib is IPython's"),
            ("df?", "help(df)"),
            ("?df.head", "help(df.head)"),
            ("x = 1\ndf.head??", "inspect.getsource(df.head)"),
            (">>> x = 1\n>>> if x:\n...     print(x)\n...\n1\n>>> x\n1\n", "without >>> and ..."),
            ("    x = 1\n    if x:\n        y = 2\n", "first 4 characters"),
            ("\tx = 1\n\n\ty = 2", "first character of each line"),
            ("import asyncio\nawait asyncio.sleep(0)", "asyncio.run(main())"),
            ("async with x as y: pass", "asyncio.run(main())"),
        ] {
            assert_has(hint(&repl.repl(cell)), part);
        }
        // Nothing of it ran, and the session is as before.
        repl.gives(
            "'x' in globals(), 'y' in globals(), 'asyncio' in globals()",
            "(False, False, False)\n",
        );
    });
}

#[test]
fn where_it_is_not_sure_nothing_is_said() {
    on_every_python(|repl| {
        for cell in [
            "!ls\nx = = 1",
            "print('!ls'",
            "x = 1 ! 2",
            "%nosuchmagic",
            "%timeit x\n)",
            "really?!",
            "what is this?",
            "    x = 1\n  y = 2",
            "  x = = 1",
            ">>> x = = 1",
            "def f(:\n    await x",
            "def f():\n    await x",
            "return await x",
            "x = = 1",
        ] {
            let reply = repl.repl(cell);
            assert_has(&reply, "Error: ");
            assert_has_not(&reply, "hint");
        }
        // What is not this cell's own source is not its mistake.
        for cell in ["exec('!ls')", "compile('await x', 'f', 'exec')", "import broken"] {
            repl.write_file("broken.py", "!ls\n");
            let reply = repl.repl(cell);
            assert_has(&reply, "SyntaxError: ");
            assert_has_not(&reply, "hint");
        }
        // A program's own line does not pass for one.
        repl.gives("print('[repl] hint: x')", "\\[repl] hint: x\n");
    });
}

#[test]
fn a_hint_is_found_without_a_word_of_warnings() {
    on_every_python(|repl| {
        let reply = repl.repl("x = '\\d'\nassert (x, 1)\nawait x");
        assert_has(hint(&reply), "asyncio.run(main())");
        let told = reply.matches("Warning").count();
        let without = repl.repl("x = '\\d'\nassert (x, 1)\nreturn x").matches("Warning").count();
        assert!(told <= without, "{reply}");
        repl.gives("import warnings; len([f for f in warnings.filters if f[2] is Warning])", "0\n");
    });
}

#[test]
fn a_program_that_broke_what_a_hint_needs_gets_its_error() {
    let repl = Server::start();
    repl.gives("import sys; sys.modules['warnings'] = None", IDLE);
    let reply = repl.repl("!ls");
    assert_has(&reply, "SyntaxError: ");
    assert_has_not(&reply, "hint");
    repl.gives("1 + 1", "2\n");
}
