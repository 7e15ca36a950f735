//! Tracebacks: the user's frames and source lines, and nothing of ours.

use crate::support::{IDLE, Server, assert_has, assert_has_not, on_every_python, without_carets};

#[test]
fn a_traceback_shows_the_users_frames_and_lines() {
    let repl = Server::start();
    let reply = repl.repl("def f(n):\n    return 1 / n\n\ndef g():\n    return f(0)\n\ng()");
    assert_eq!(
        without_carets(&reply),
        "\
Traceback (most recent call last):
  File \"<cell 1>\", line 7, in <module>
    g()
  File \"<cell 1>\", line 5, in g
    return f(0)
  File \"<cell 1>\", line 2, in f
    return 1 / n
ZeroDivisionError: division by zero
"
    );
}

#[test]
fn a_function_of_an_earlier_cell_shows_its_own_line() {
    let repl = Server::start();
    repl.gives("def f():\n    raise KeyError('old')", IDLE);
    repl.gives("def f2():\n    f()", IDLE);
    let reply = without_carets(&repl.repl("f2()"));
    assert_eq!(
        reply,
        "\
Traceback (most recent call last):
  File \"<cell 3>\", line 1, in <module>
    f2()
  File \"<cell 2>\", line 2, in f2
    f()
  File \"<cell 1>\", line 2, in f
    raise KeyError('old')
KeyError: 'old'
"
    );
}

#[test]
fn chained_exceptions_and_notes_show() {
    let repl = Server::start();
    let reply =
        repl.repl("try:\n    1 / 0\nexcept Exception as e:\n    raise ValueError('v') from e");
    assert_has(&reply, "The above exception was the direct cause of the following exception:");
    assert!(reply.ends_with("ValueError: v\n"), "{reply}");
    let reply = repl.repl("try:\n    1 / 0\nexcept Exception as e:\n    undefined");
    assert_has(&reply, "During handling of the above exception, another exception occurred:");
}

#[test]
fn excepthook_is_honoured() {
    let repl = Server::start();
    let hook = "\
import sys
def hook(kind, value, traceback):
    print('hooked:', kind.__name__, value, type(traceback).__name__)
sys.excepthook = hook";
    repl.gives(hook, IDLE);
    repl.gives("1 / 0", "hooked: ZeroDivisionError division by zero traceback\n");
    repl.gives_part("][", "hooked: SyntaxError");
    repl.gives("sys.excepthook = sys.__excepthook__", IDLE);
    repl.gives_part("1 / 0", "Traceback (most recent call last):");
}

#[test]
fn an_excepthook_that_raises_is_told_as_python_tells_it() {
    let repl = Server::start();
    repl.gives(
        "import sys\ndef bad(*args): raise RuntimeError('in hook')\nsys.excepthook = bad",
        IDLE,
    );
    let reply = repl.repl("1 / 0");
    assert_has(&reply, "Error in sys.excepthook:");
    assert_has(&reply, "RuntimeError: in hook");
    assert_has(&reply, "Original exception was:");
    assert_has(&reply, "ZeroDivisionError");
    repl.gives("sys.excepthook = None", IDLE);
    repl.repl("1 / 0");
    repl.gives("del sys.excepthook", IDLE);
    assert_has(&repl.repl("1 / 0"), "ZeroDivisionError: division by zero");
    repl.still_works();
}

#[test]
fn the_traceback_module_sees_source_lines() {
    let repl = Server::start();
    let cell = "\
import traceback
def f():
    raise ValueError('kept')
try:
    f()
except ValueError:
    traceback.print_exc()
print([frame.line for frame in traceback.extract_stack()])";
    let reply = without_carets(&repl.repl(cell));
    assert_eq!(
        reply,
        "\
Traceback (most recent call last):
  File \"<cell 1>\", line 5, in <module>
    f()
  File \"<cell 1>\", line 3, in f
    raise ValueError('kept')
ValueError: kept
['print([frame.line for frame in traceback.extract_stack()])']
"
    );
}

#[test]
fn inspect_and_linecache_have_the_source() {
    let repl = Server::start();
    repl.gives("def f(n):\n    # doubles\n    return 2 * n", IDLE);
    repl.gives("class C:\n    def m(self):\n        return 'm'", IDLE);
    repl.gives(
        "import inspect\nprint(inspect.getsource(f), end='')",
        "def f(n):\n    # doubles\n    return 2 * n\n",
    );
    repl.gives("print(inspect.getsource(C.m), end='')", "    def m(self):\n        return 'm'\n");
    repl.gives(
        "import linecache\nlinecache.getline(f.__code__.co_filename, 2)",
        "'    # doubles\\n'\n",
    );
    repl.gives("linecache.checkcache()\nprint(inspect.getsource(f)[:5])", "def f\n");
}

#[test]
fn source_lines_survive_what_is_done_to_linecache() {
    on_every_python(|repl| {
        repl.gives("def f(n):\n    return 1 / n  # of the first", IDLE);
        repl.gives("import importlib, linecache", IDLE);
        for cell in [
            "linecache.clearcache()",
            "linecache.checkcache()",
            "linecache.cache = {}",
            "linecache.cache.clear()",
            "_ = importlib.reload(linecache)",
            // So many other files are looked at that there is more in the cache than before.
            "linecache.clearcache()\n\
             import sys\n\
             for module in list(sys.modules.values()):\n\
             \x20   file = getattr(module, '__file__', None) or ''\n\
             \x20   if file.endswith('.py'): _ = linecache.getlines(file)",
        ] {
            repl.gives(cell, IDLE);
            let reply = repl.repl("x = 1\nf(0)  # of the last");
            assert_has(&reply, "    f(0)  # of the last\n");
            assert_has(&reply, "    return 1 / n  # of the first\n");
            // So they do for whoever else looks.
            repl.gives(cell, IDLE);
            repl.gives("import inspect\ninspect.getsource(f).count('first')", "1\n");
            // The cell that does it shows its own lines, too.
            let reply = repl.repl(&format!("{cell}\nf(0)  # here"));
            assert_has(&reply, "    f(0)  # here\n");
            assert_has(&reply, "    return 1 / n  # of the first\n");
        }
    });
}

#[test]
fn a_warning_shows_where_it_was_made() {
    let repl = Server::start();
    let reply = repl.repl("import warnings\nwarnings.warn('careful')");
    assert_eq!(reply, "<cell 1>:2: UserWarning: careful\n  warnings.warn('careful')\n");
    // Once a place: the same line of another cell is another place.
    assert_has(&repl.repl("warnings.warn('careful')"), "UserWarning: careful");
    repl.gives(
        "for _ in range(3): warnings.warn('thrice')",
        "<cell 3>:1: UserWarning: thrice\n  for _ in range(3): warnings.warn('thrice')\n",
    );
    assert_has(&repl.repl("def f(): 'x' is 'y'"), "SyntaxWarning");
}

#[test]
fn deprecations_in_the_users_own_code_show_as_in_main() {
    let repl = Server::start();
    assert_has(
        &repl.repl("import warnings\nwarnings.warn('old', DeprecationWarning)"),
        "DeprecationWarning: old",
    );
}

#[test]
fn a_thread_that_raises_tells_so() {
    let repl = Server::start();
    let reply = repl.repl(
        "import threading\ndef work(): 1 / 0\nt = threading.Thread(target=work, name='T')\nt.start(); t.join()",
    );
    assert_has(&reply, "Exception in thread T:");
    // Up to 3.12, a thread's traceback is printed by C code that knows no `linecache`: as at
    // Python's own prompt, there are no source lines.
    assert_has(&reply, ", in work\n");
    assert_has(&reply, "ZeroDivisionError: division by zero\n");
    assert_has_not(&reply, "mcp");
}

/// As CPython's own display cuts it (`PyTraceBack_LIMIT` in Python/traceback.c).
#[test]
fn a_very_deep_traceback_is_shown_to_its_last_thousand_entries() {
    on_every_python(|repl| {
        let cell = "\
import types
try: 1 / 0
except ZeroDivisionError as error: kept = error
deep = kept.__traceback__
for _ in range(100_000):
    deep = types.TracebackType(deep, deep.tb_frame, deep.tb_lasti, deep.tb_lineno)
raise kept.with_traceback(deep)";
        let reply = repl.repl(cell);
        assert!(reply.starts_with("Traceback (most recent call last):\n"), "{reply}");
        let end =
            "\n  [Previous line repeated 997 more times]\nZeroDivisionError: division by zero\n";
        assert!(reply.ends_with(end), "{reply}");
    });
}
