//! Cells: what runs as one, what is kept, what is shown.

use crate::support::{IDLE, Server, assert_has};

#[test]
fn definitions_and_top_level_code_in_one_cell() {
    let repl = Server::start();
    let cell = "\
def double(n):
    return 2 * n

class Point:
    x = double(21)

print(Point.x)
for n in range(3):
    print(n, end=',')
print()
Point.x + 1";
    repl.gives(cell, "42\n0,1,2,\n43\n");
}

#[test]
fn state_persists() {
    let repl = Server::start();
    repl.gives("x = 41", IDLE);
    repl.gives("import math", IDLE);
    repl.gives("def f(): return x + 1", IDLE);
    repl.gives("f(), math.floor(2.5)", "(42, 2)\n");
    repl.gives("del x", IDLE);
    repl.gives_part("f()", "NameError: name 'x' is not defined");
}

#[test]
fn the_last_expression_shows() {
    let repl = Server::start();
    repl.gives("1 + 1", "2\n");
    repl.gives("1 + 1;", "2\n");
    repl.gives("'text'", "'text'\n");
    repl.gives("None", IDLE);
    repl.gives("print('p')", "p\n");
    repl.gives("1\n2\n3", "3\n");
    repl.gives("'a string first'\n2", "2\n");
    repl.gives("x = 5\nx", "5\n");
    repl.gives("x = 5", IDLE);
    repl.gives("if True:\n    6", IDLE);
    repl.gives("# nothing but a comment", IDLE);
    repl.gives("   \n\t\n", IDLE);
    repl.gives("7  # a comment behind", "7\n");
    repl.gives("(1,\n 2)", "(1, 2)\n");
}

#[test]
fn the_last_value_is_underscore() {
    let repl = Server::start();
    repl.gives("40 + 2", "42\n");
    repl.gives("_ + 1", "43\n");
    repl.gives("None", IDLE);
    repl.gives("_", "43\n");
}

#[test]
fn a_custom_displayhook_is_honoured() {
    let repl = Server::start();
    repl.gives("import sys\nsys.displayhook = lambda value: print('shown:', value)", IDLE);
    repl.gives("1 + 1", "shown: 2\n");
    repl.gives("None", "shown: None\n");
    repl.gives("sys.displayhook = sys.__displayhook__", IDLE);
    repl.gives("1 + 1", "2\n");
}

#[test]
fn a_displayhook_that_raises_is_an_error_of_the_cell() {
    let repl = Server::start();
    repl.gives("import sys\ndef bad(value): raise ValueError('no')\nsys.displayhook = bad", IDLE);
    repl.gives_part("1 + 1", "ValueError: no");
    repl.gives("del sys.displayhook", IDLE);
    repl.gives_part("1 + 1", "RuntimeError: lost sys.displayhook");
    repl.gives("sys.displayhook = sys.__displayhook__", IDLE);
    repl.still_works();
}

#[test]
fn a_value_whose_repr_raises_is_an_error_of_the_cell() {
    let repl = Server::start();
    repl.gives("class Bad:\n    def __repr__(self): raise ValueError('unshowable')", IDLE);
    let reply = repl.gives_part("Bad()", "ValueError: unshowable");
    assert_has(&reply, "in __repr__");
    repl.still_works();
}

#[test]
fn exceptions_are_normal_replies_and_what_came_before_is_shown() {
    let repl = Server::start();
    let reply = repl.repl("print('before')\nx = 1\n1 / 0\nprint('after')");
    assert!(reply.starts_with("before\nTraceback (most recent call last):\n"), "{reply}");
    assert!(reply.ends_with("ZeroDivisionError: division by zero\n"), "{reply}");
    repl.gives("x", "1\n");
}

#[test]
fn the_last_exception_is_kept_as_at_the_prompt() {
    let repl = Server::start();
    repl.gives_part("1 / 0", "ZeroDivisionError");
    let cell = "\
import sys
print(sys.last_type, repr(sys.last_value), sys.last_traceback.tb_lineno)
getattr(sys, 'last_exc', sys.last_value) is sys.last_value";
    repl.gives(cell, "<class 'ZeroDivisionError'> ZeroDivisionError('division by zero') 1\nTrue\n");
    repl.gives_part("][", "SyntaxError");
    repl.gives("sys.last_type", "<class 'SyntaxError'>\n");
}

#[test]
fn a_future_import_holds_in_later_cells() {
    let repl = Server::start();
    repl.gives("from __future__ import annotations", IDLE);
    repl.gives("def f(x: not_defined_anywhere): pass", IDLE);
    repl.gives("f.__annotations__", "{'x': 'not_defined_anywhere'}\n");
    repl.gives("import __future__\ndef g(x: int): pass\ng.__annotations__", "{'x': 'int'}\n");
}

#[test]
fn a_cell_that_does_not_compile_changes_no_flags() {
    let repl = Server::start();
    repl.gives_part("from __future__ import annotations\nreturn 1", "SyntaxError");
    repl.gives("def f(x: int): pass\nf.__annotations__", "{'x': <class 'int'>}\n");
    repl.gives_part("from __future__ import annotations\n][", "SyntaxError");
    repl.gives("def f(x: int): pass\nf.__annotations__", "{'x': <class 'int'>}\n");
    repl.gives_part("x = 1\nfrom __future__ import annotations", "SyntaxError");
    repl.gives("def f(x: int): pass\nf.__annotations__", "{'x': <class 'int'>}\n");
}

#[test]
fn the_namespace_is_the_users() {
    let repl = Server::start();
    repl.gives("__name__", "'__main__'\n");
    let names = "sorted(name for name in globals() if not name.startswith('__'))";
    repl.gives(names, "[]\n");
    repl.gives(
        "import sys\nsys.argv, sys.path[0], sys.ps1, sys.ps2",
        "([''], '', '>>> ', '... ')\n",
    );
    repl.gives("sys.modules['__main__'].__dict__ is globals()", "True\n");
    repl.gives("sys.orig_argv[1:] if hasattr(sys, 'orig_argv') else []", "[]\n");
    // What the test itself set is inherited.
    let ours = "[name for name in __import__('os').environ if 'MCP_REPL' in name \
                and not name.endswith(('_GRACE', '_RUNTIME_DIR')) and 'TEST' not in name and 'SANDBOX' not in name]";
    repl.gives(ours, "[]\n");
    repl.gives("sys.flags.interactive, sys.flags.inspect", "(0, 0)\n");
    repl.gives("hasattr(sys, '__interactivehook__')", "True\n");
}

#[test]
fn no_helper_frame_is_below_a_cell() {
    let repl = Server::start();
    repl.gives("import sys\nsys._getframe().f_back is None", "True\n");
    repl.gives("import inspect\nlen(inspect.stack())", "1\n");
}

#[test]
fn a_deep_recursion_is_an_error_of_the_cell() {
    let repl = Server::start();
    let reply = repl.gives_part("def f(): return f()\nf()", "RecursionError: maximum recursion");
    assert_has(&reply, "[Previous line repeated");
    repl.still_works();
}

#[test]
fn exceptions_of_every_kind_end_the_cell_and_not_the_session() {
    let repl = Server::start();
    repl.gives_part("raise KeyboardInterrupt", "KeyboardInterrupt");
    repl.gives_part("raise GeneratorExit", "GeneratorExit");
    repl.gives_part("raise MemoryError", "MemoryError");
    repl.gives_part("class Odd(BaseException): pass\nraise Odd('odd')", "Odd: odd");
    repl.gives_part("raise StopIteration", "StopIteration");
    repl.gives_part("assert False, 'text'", "AssertionError: text");
    repl.still_works();
}
