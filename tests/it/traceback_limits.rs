//! Tracebacks with more entries than anybody reads: cut as CPython's own display cuts them.

use crate::support::{IDLE, Server, assert_has, on_every_python, quoted, without_carets};

/// `deepened(error)`: the exception with a traceback of a million entries.
const DEEPENED: &str = "\
import sys, types
def deepened(error, entries=1_000_000):
    deep = error.__traceback__
    for _ in range(entries):
        deep = types.TracebackType(deep, deep.tb_frame, deep.tb_lasti, deep.tb_lineno)
    return error.with_traceback(deep)
def entries(error):
    count, entry = 0, error.__traceback__
    while entry: count, entry = count + 1, entry.tb_next
    return count
def caught(error):
    try: raise error
    except type(error) as same: return same";

/// `PyTraceBack_LIMIT` in Python/traceback.c is 1000, and three of the same line are shown.
const REPEATED: &str = "  [Previous line repeated 997 more times]\n";

/// What Python's own display says of a file's end, the file taken for the cell of this number.
fn plainly(repl: &Server, source: &str, cell: usize) -> String {
    repl.write_file("example.py", source);
    repl.repl(&format!(
        "import re, subprocess, sys\n\
         _ran = subprocess.run([sys.executable, 'example.py'], stderr=subprocess.PIPE, text=True)\n\
         print(re.sub('[^\"]*example.py', '<cell {cell}>', _ran.stderr), end='')"
    ))
}

#[test]
fn what_an_exception_came_from_is_cut_too() {
    on_every_python(|repl| {
        repl.gives(DEEPENED, IDLE);
        repl.gives("deep = deepened(caught(KeyError('deep')))", IDLE);
        for raise in ["raise ValueError('v') from deep", "try: raise deep\nexcept KeyError: 1 / 0"]
        {
            let reply = repl.repl(raise);
            assert!(reply.starts_with("Traceback (most recent call last):\n"), "{reply}");
            assert_eq!(reply.matches(REPEATED).count(), 1, "{reply}");
            assert_has(&reply, "\nKeyError: 'deep'\n\n");
            // The program's own are as they were, but for being raised once more.
            repl.gives("1_000_000 < entries(deep) < 1_000_010", "True\n");
            repl.gives("sys.last_traceback is sys.last_value.__traceback__", "True\n");
        }
    });
}

#[test]
fn what_a_group_is_made_of_is_cut_too() {
    on_every_python(|repl| {
        repl.gives(DEEPENED, IDLE);
        if repl.repl("import sys; sys.version_info >= (3, 11)") == "False\n" {
            return;
        }
        repl.gives("deep = deepened(caught(KeyError('deep')))", IDLE);
        let reply =
            repl.repl("raise ExceptionGroup('g', [OSError(), ExceptionGroup('h', [deep])])");
        assert_eq!(reply.matches("[Previous line repeated 997 more times]").count(), 1, "{reply}");
        repl.gives("entries(deep)", "1000001\n");
    });
}

#[test]
fn an_exception_is_whole_again_when_its_display_was_interrupted_or_changed_it() {
    on_every_python(|repl| {
        repl.gives(DEEPENED, IDLE);
        repl.gives("deep = deepened(caught(KeyError('deep')), 5000)", IDLE);
        let reply = repl.repl(
            "class Interrupted:\n    def write(self, text):\n        sys.stderr = sys.__stderr__\n        raise KeyboardInterrupt\n    def flush(self): pass\n\
             sys.stderr = Interrupted()\nraise OSError('o') from deep",
        );
        assert!(!reply.contains("OSError: o") || reply.contains("KeyError: 'deep'"), "{reply}");
        repl.gives("entries(deep)", "5001\n");
        repl.gives(
            "class Own(Exception):\n    def __str__(self):\n        self.__traceback__ = None\n        return 'own'\n\
             own = deepened(caught(Own()), 5000)",
            IDLE,
        );
        assert_has(&repl.repl("raise OSError('o') from own"), "Own: own\n");
        repl.gives("entries(own)", "0\n");
    });
}

#[test]
fn an_exception_of_ones_own_cannot_break_the_cut() {
    on_every_python(|repl| {
        repl.gives(DEEPENED, IDLE);
        repl.gives(
            "class Odd(Exception):\n    __cause__ = property(lambda self: 1 / 0)\n    exceptions = 5\n\
             odd = deepened(caught(Odd('odd')), 5000)",
            IDLE,
        );
        assert_has(&repl.repl("raise odd"), "odd");
        repl.gives("entries(odd) > 5000", "True\n");
        repl.gives("a, b = caught(OSError('a')), caught(OSError('b'))", IDLE);
        repl.gives("a.__context__, b.__context__ = b, a", IDLE);
        assert_has(&repl.repl("raise a"), "OSError: a\n");
        repl.still_works();
    });
}

#[test]
fn a_traceback_is_what_pythons_own_display_makes_of_it() {
    const CALLS: &str = "\
def f(n):
    if n: f(n - 1)
    else: 1 / 0
def g():
    try: f(5)
    except ZeroDivisionError as error: raise KeyError('k') from error
def h():
    try: g()
    except KeyError: undefined
";
    on_every_python(|repl| {
        let mut cell = 1;
        // From 3.13 on, Python's own display has no limit unless one is set.
        let mut limits = vec!["2", "1", "0", "-1", "10**30", "True", "2000"];
        if repl.repl("import sys; sys.version_info < (3, 13)") == "True\n" {
            limits.extend(["", "None"]);
        }
        for limit in limits {
            for call in ["f(1)", "f(20)", "g()", "h()", "f(900)", "f(3000)"] {
                let limited = match limit {
                    "" => String::new(),
                    limit => format!("sys.tracebacklimit = {limit}\n"),
                };
                let source =
                    format!("import sys\nsys.setrecursionlimit(5000)\n{limited}{CALLS}{call}\n");
                cell += 1;
                let reply = repl.repl(&source);
                let plain = plainly(repl, &source, cell);
                cell += 1;
                let (reply, plain) = (without_carets(&reply), without_carets(&plain));
                assert_eq!(reply, plain, "{}", quoted(&source));
            }
            cell += 1;
            repl.repl("if hasattr(sys, 'tracebacklimit'): del sys.tracebacklimit");
        }
    });
}
