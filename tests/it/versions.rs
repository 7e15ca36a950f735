//! The version matrix: one binary serves CPython 3.9 to 3.13.

use crate::support::{Builder, IDLE, Lifeline, WAITING, assert_has, python, without_carets};

macro_rules! matrix {
    ($($test:ident: $version:literal,)*) => {
        $(#[test]
        fn $test() {
            if python::is_expected($version) {
                serves($version);
            }
        })*
    };
}

matrix! {
    cpython_3_9: "3.9",
    cpython_3_10: "3.10",
    cpython_3_11: "3.11",
    cpython_3_12: "3.12",
    cpython_3_13: "3.13",
}

/// Goes through what a session does, with this version.
fn serves(version: &str) {
    let repl = Builder::new().python(python::of_version(version)).start();
    repl.gives("import sys\nprint('%d.%d' % sys.version_info[:2])", &format!("{version}\n"));

    // Cells, and their errors.
    repl.gives("x = 20\ndef f(n):\n    return 1 / n\nx * 2 + 2", "42\n");
    let traceback = without_carets(&repl.repl("f(0)"));
    assert_eq!(
        traceback,
        "Traceback (most recent call last):\n  File \"<cell 3>\", line 1, in <module>\n    f(0)\n  \
         File \"<cell 2>\", line 3, in f\n    return 1 / n\nZeroDivisionError: division by zero\n"
    );
    repl.gives(
        "sys.last_type.__name__, sys.last_value is not None",
        "('ZeroDivisionError', True)\n",
    );
    repl.gives_part("y = 1\nawait f()", "SyntaxError: 'await' outside function");
    repl.gives_part("y", "NameError: name 'y' is not defined");
    repl.gives_part("def g():", "IndentationError: expected an indented block");
    repl.gives("from __future__ import annotations", IDLE);
    repl.gives("def g(a: missing): pass\ng.__annotations__", "{'a': 'missing'}\n");
    repl.gives(
        "import inspect\ninspect.stack()[0].function, len(inspect.stack())",
        "('<module>', 1)\n",
    );
    assert_has(&repl.repl("print(inspect.getsource(f))"), "def f(n):\n    return 1 / n");

    // Input.
    repl.gives("name = input('name? ')\nprint('hello', name)", "name? ");
    repl.gives("Ada é", "hello Ada é\n");
    repl.gives("line = sys.stdin.readline()", WAITING);
    repl.gives("a line", IDLE);
    repl.gives("line", "'a line\\n'\n");
    repl.gives("try: input('? ')\nexcept KeyboardInterrupt: print('interrupted')", "? ");
    repl.gives_part("\u{3}", "interrupted\n");

    // An interrupt.
    let mut line = Lifeline::lay(&repl);
    let running = repl.begin("line.send(b'!')\nwhile True: pass");
    line.hears("!");
    let both = repl.repl("\u{3}") + &running.text();
    assert_has(&both, "KeyboardInterrupt");

    // Threads and processes.
    let cell = "\
import concurrent.futures
with concurrent.futures.ThreadPoolExecutor(2) as pool: print(sum(pool.map(abs, range(-4, 0))))";
    repl.gives(cell, "10\n");
    // There is no `fork` elsewhere.
    let cell = "\
import math, multiprocessing, warnings
warnings.simplefilter('ignore')
def square(n): return n * n
with multiprocessing.get_context('fork').Pool(2) as pool: print(pool.map(square, range(4)))
with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.map(math.sqrt, [4.0]))
child = os.fork()
if child == 0: os._exit(5)
os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])";
    if cfg!(has = "posix") {
        repl.gives(cell, "[0, 1, 4, 9]\n[2.0]\n5\n");
    }
    repl.gives("import asyncio\nasyncio.run(asyncio.sleep(0, 'slept'))", "'slept'\n");

    // The debugger.
    assert!(repl.repl("import pdb\npdb.run('f(4)', globals())").ends_with("(Pdb) "));
    assert!(repl.repl("step").ends_with("(Pdb) "));
    assert_has(&repl.repl("step"), "-> return 1 / n");
    repl.gives("p n", "4\n(Pdb) ");
    repl.gives("continue", IDLE);

    // The end, and a fresh session.
    let reply = repl.repl("import atexit\natexit.register(print, 'goodbye')\nsys.exit(3)");
    assert!(reply.ends_with("goodbye\n[repl] session ended (exit status 3)\n"), "{reply}");
    repl.gives("1 + 1", "[repl] new session started\n2\n");
    repl.gives_part("\u{4}2 + 2", "[repl] new session started\n4\n");
}
