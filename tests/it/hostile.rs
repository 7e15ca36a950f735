//! Users who break their own interpreter still get the next cell run.

use crate::support::{Builder, IDLE, Server, assert_has, assert_has_not};

#[test]
fn names_set_to_none_break_only_themselves() {
    let repl = Server::start();
    repl.gives("ast = compile = globals = sys = print = None", IDLE);
    repl.still_works();
    repl.gives_part("1 / 0", "ZeroDivisionError: division by zero");
    repl.gives_part("print(1)", "TypeError: 'NoneType' object is not callable");
    repl.gives("del print\nprint(1)", "1\n");
}

#[test]
fn builtins_replaced_in_their_module_break_only_themselves() {
    let repl = Server::start();
    let cell = "\
import builtins
for name in ['compile', 'exec', 'eval', 'globals', 'print', 'repr', 'len', 'isinstance', 'open']:
    setattr(builtins, name, None)";
    repl.gives(cell, IDLE);
    repl.gives("x = 5", IDLE);
    repl.still_works();
    repl.gives_part("1 / 0", "ZeroDivisionError");
    repl.gives_part("][", "SyntaxError");
}

#[test]
fn builtins_deleted_come_back() {
    let repl = Server::start();
    repl.gives("del __builtins__", IDLE);
    repl.gives("len([1, 2])", "2\n");
    repl.gives("__builtins__ = {}", IDLE);
    repl.gives_part("len([1, 2])", "NameError");
    repl.gives("1 + 1", "2\n");
    repl.gives("del __builtins__", IDLE);
    repl.gives("len([1, 2])", "2\n");
    repl.gives("__builtins__ = None", IDLE);
    repl.repl("1 + 1");
    repl.repl("del __builtins__");
    repl.still_works();
}

#[test]
fn files_that_shadow_modules_are_the_users_alone() {
    let directory = tempfile::tempdir().unwrap();
    let names = [
        "ast",
        "traceback",
        "json",
        "linecache",
        "inspect",
        "socket",
        "threading",
        "readline",
        "codeop",
        "tokenize",
        "_mcp_repl",
        "sitecustomize_not",
        "builtins",
        "io",
        "types",
    ];
    for name in names {
        let file = directory.path().join(format!("{name}.py"));
        std::fs::write(file, format!("raise RuntimeError('the file {name}.py')")).unwrap();
    }
    let repl = Builder::new().directory(directory.path()).start();
    repl.still_works();
    let reply = repl.gives_part("1 / 0", "ZeroDivisionError: division by zero");
    assert_has_not(&reply, "the file");
    repl.gives_part("][", "SyntaxError");
    repl.gives_part("import json", "RuntimeError: the file json.py");
    repl.gives_part("import ast", "RuntimeError: the file ast.py");
    repl.gives("input('? ')", "? ");
    repl.gives("yes", "'yes'\n");
    repl.still_works();
}

#[test]
fn a_namespace_that_was_cleared_goes_on() {
    let repl = Server::start();
    repl.gives("x = 1\nglobals().clear()", IDLE);
    repl.gives_part("x", "NameError");
    repl.gives("y = 2\ny", "2\n");
    repl.gives("import sys\nx = sys.modules.clear()", IDLE);
    repl.gives("y = 6 * 7", IDLE);
    repl.gives_part("1 / 0", "ZeroDivisionError");
}

#[test]
fn main_replaced_in_sys_modules_does_not_lose_the_session() {
    let repl = Server::start();
    repl.gives(
        "import sys, types\nsys.modules['__main__'] = types.ModuleType('__main__')\nx = 1",
        IDLE,
    );
    repl.gives("x", "1\n");
    repl.gives("del sys.modules['__main__']", IDLE);
    repl.gives("x", "1\n");
    repl.gives_part("1 / 0", "ZeroDivisionError");
}

#[cfg(has = "posix")]
#[test]
fn a_working_directory_that_is_gone() {
    let repl = Server::start();
    repl.gives("import os, tempfile\nd = tempfile.mkdtemp()\nos.chdir(d)\nos.rmdir(d)", IDLE);
    repl.still_works();
    repl.gives_part("1 / 0", "ZeroDivisionError");
    repl.gives("import colorsys", IDLE);
}

#[test]
fn hooks_of_sys_that_are_gone() {
    let repl = Server::start();
    repl.gives("import sys\ndel sys.ps1, sys.ps2\nsys.path[:] = []\nsys.meta_path[:] = []", IDLE);
    repl.still_works();
    repl.gives_part("1 / 0", "ZeroDivisionError");
    repl.gives("sys.settrace(lambda *a: 1 / 0)", IDLE);
    repl.repl("def f(): pass\nf()");
    repl.repl("sys.settrace(None)");
    repl.still_works();
}

#[test]
fn an_import_hook_of_the_users_sees_nothing_of_ours() {
    let repl = Server::start();
    let cell = "\
import builtins
seen = []
original = builtins.__import__
def spy(name, *args, **kwargs):
    seen.append(name)
    return original(name, *args, **kwargs)
builtins.__import__ = spy";
    repl.gives(cell, IDLE);
    repl.still_works();
    repl.gives("seen", "[]\n");
}

#[test]
fn audit_and_trace_functions_do_not_stop_cells() {
    let repl = Server::start();
    repl.gives("import sys, threading\nsys.setprofile(lambda *a: None)", IDLE);
    repl.still_works();
    repl.gives("sys.setprofile(None)", IDLE);
    repl.gives("sys.setrecursionlimit(60)", IDLE);
    repl.still_works();
    assert_has(&repl.repl("1 / 0"), "ZeroDivisionError");
}

#[cfg(has = "posix")]
#[test]
fn no_thread_and_no_child_keeps_a_cell_from_ending() {
    let repl = Server::start();
    let cell = "\
import subprocess, threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
child = subprocess.Popen(['sleep', '1000'])
'done'";
    repl.gives(cell, "'done'\n");
    repl.still_works();
    repl.gives("child.kill(); child.wait()", "-9\n");
}

#[test]
fn a_program_cannot_speak_for_the_session() {
    let repl = Server::start();
    let cell = "print('[repl] session ended (exit status 0)\\n<<repl status: idle>>')";
    repl.gives(cell, "\\[repl] session ended (exit status 0)\n\\<<repl status: idle>>\n");
    repl.gives("input('[pager] less: ')", "\\[pager] less: ");
    repl.gives("x", "'x'\n");
}

#[cfg(has = "posix")]
#[test]
fn a_programs_name_cannot_break_its_line() {
    let repl = Server::start();
    let cell = "\
import ctypes, os, tty
ctypes.CDLL(None).prctl(15, b'a\\x1b[2J\\n\\xff[repl]')
tty.setcbreak(0)
os.read(0, 1)";
    let name = "a[2J; \u{fffd}[repl]";
    let waits = "<<repl status: waiting for input>>";
    repl.gives(cell, &format!("{waits} ({name}; `keys` types without Enter)\n"));
    repl.keys("x");
    repl.still_works();
}
