//! What programs do: other processes, threads, event loops, signals, pickles, debuggers.
#![cfg(has = "posix")]

use crate::support::{IDLE, Server, assert_has, assert_has_not, on_every_python};

#[test]
fn classes_of_a_cell_pickle() {
    let repl = Server::start();
    let cell = "\
import pickle
class Point:
    def __init__(self, x): self.x = x
data = pickle.dumps(Point(42))
pickle.loads(data).x";
    repl.gives(cell, "42\n");
    repl.gives("type(pickle.loads(data)) is Point, Point.__module__", "(True, '__main__')\n");
}

#[test]
fn multiprocessing_forks() {
    let repl = Server::start();
    let cell = "\
import multiprocessing
def square(n): return n * n
context = multiprocessing.get_context('fork')
with context.Pool(2) as pool:
    print(pool.map(square, range(5)))";
    repl.gives(cell, "[0, 1, 4, 9, 16]\n");
    let cell = "\
child = context.Process(target=print, args=('from the child',))
child.start(); child.join()
child.exitcode";
    repl.gives(cell, "from the child\n0\n");
    repl.still_works();
}

#[test]
fn multiprocessing_spawns() {
    let repl = Server::start();
    let cell = "\
import math, multiprocessing
context = multiprocessing.get_context('spawn')
child = context.Process(target=print, args=('from the child',))
child.start(); child.join()
print(child.exitcode)
with context.Pool(2) as pool:
    print(pool.map(math.sqrt, [1, 4, 9]))";
    repl.gives(cell, "from the child\n0\n[1.0, 2.0, 3.0]\n");
    repl.still_works();
}

#[test]
fn a_process_pool_executor_runs_functions_of_a_cell() {
    let repl = Server::start();
    let cell = "\
import concurrent.futures, multiprocessing
def cube(n): return n ** 3
with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context('fork')) as pool:
    print(list(pool.map(cube, range(4))))";
    repl.gives(cell, "[0, 1, 8, 27]\n");
}

#[test]
fn a_forked_child_that_falls_through_ends_and_says_nothing_as_the_session() {
    let repl = Server::start();
    let cell = "\
import os
pid = os.fork()
if pid == 0:
    print('child')
else:
    print('parent', os.waitpid(pid, 0)[1])";
    repl.gives(cell, "child\nparent 0\n");
    let cell = "\
pid = os.fork()
if pid == 0:
    raise SystemExit(7)
os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])";
    repl.gives(cell, "7\n");
    repl.still_works();
}

#[test]
fn a_forked_child_that_raises_tells_so_on_the_terminal() {
    let repl = Server::start();
    let cell = "\
import os
pid = os.fork()
if pid == 0:
    1 / 0
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))";
    let reply = repl.repl(cell);
    assert_has(&reply, "ZeroDivisionError");
    assert!(reply.ends_with("1\n"), "{reply}");
    assert_has_not(&reply, "session ended");
    repl.still_works();
}

#[test]
fn asyncio_runs() {
    let repl = Server::start();
    let cell = "\
import asyncio
async def tick(name):
    for n in range(2):
        print(name, n)
        await asyncio.sleep(0)
    return name
async def main():
    return await asyncio.gather(tick('a'), tick('b'))
asyncio.run(main())";
    repl.gives(cell, "a 0\nb 0\na 1\nb 1\n['a', 'b']\n");
    let cell = "\
async def child():
    process = await asyncio.create_subprocess_exec('echo', 'hi', stdout=asyncio.subprocess.PIPE)
    return (await process.communicate())[0]
asyncio.run(child())";
    repl.gives(cell, "b'hi\\n'\n");
}

#[test]
fn threads_run_and_print() {
    let repl = Server::start();
    let cell = "\
import concurrent.futures, threading
lock = threading.Lock()
def work(n):
    with lock: print('work', n)
    return n
with concurrent.futures.ThreadPoolExecutor(1) as pool:
    print(sum(pool.map(work, range(3))))
threading.current_thread() is threading.main_thread()";
    repl.gives(cell, "work 0\nwork 1\nwork 2\n3\nTrue\n");
}

#[test]
fn signal_handlers_run() {
    let repl = Server::start();
    let cell = "\
import os, signal
def handle(number, frame): print('got', signal.Signals(number).name)
before = signal.signal(signal.SIGUSR1, handle)
os.kill(os.getpid(), signal.SIGUSR1)";
    repl.gives(cell, "got SIGUSR1\n");
    repl.gives("signal.raise_signal(signal.SIGUSR1)", "got SIGUSR1\n");
    repl.gives("signal.getsignal(signal.SIGINT) is signal.default_int_handler", "True\n");
    let cell = "\
def alarm(*args): raise TimeoutError('too late')
signal.signal(signal.SIGALRM, alarm)
signal.setitimer(signal.ITIMER_REAL, 0.01)
signal.pause()";
    repl.gives_part(cell, "TimeoutError: too late");
}

#[test]
fn faulthandler_dumps_to_the_terminal() {
    let repl = Server::start();
    repl.gives("import faulthandler\nfaulthandler.enable()", IDLE);
    let reply = repl.repl("def f(): faulthandler.dump_traceback()\nf()");
    assert_has(&reply, "File \"<cell 2>\", line 1 in f");
    let reply = repl.repl("faulthandler._sigsegv()");
    assert_has(&reply, "Fatal Python error: Segmentation fault");
    assert_has(&reply, "File \"<cell 3>\", line 1 in <module>");
    assert_has(&reply, "[repl] session ended (killed by SIGSEGV)");
    repl.gives("1 + 1", "[repl] new session started\n2\n");
}

#[test]
fn pdb_steps_through_a_function() {
    let repl = Server::start();
    repl.gives("def f(n):\n    m = n + 1\n    return m * 2", IDLE);
    let reply = repl.repl("import pdb\npdb.run('f(20)', globals())");
    assert!(reply.ends_with("(Pdb) "), "{reply}");
    assert!(repl.repl("step").ends_with("(Pdb) "));
    let reply = repl.repl("step");
    assert_has(&reply, "-> m = n + 1");
    assert!(repl.repl("next").ends_with("-> return m * 2\n(Pdb) "));
    repl.gives("p m", "21\n(Pdb) ");
    assert_has(&repl.repl("list"), "  3  ->\t    return m * 2");
    repl.repl("continue");
    repl.still_works();
}

#[test]
fn a_debugger_that_was_left_keeps_no_interrupts() {
    on_every_python(|repl| {
        repl.gives("import signal\ndef f():\n    import pdb; pdb.set_trace()\n    return 1", IDLE);
        let debug = || {
            assert!(repl.repl("f()").ends_with("(Pdb) "));
            repl.gives("c", "1\n");
        };
        debug();
        repl.starts_running("print('begun')\nwhile True: pass");
        let reply = repl.repl("\u{3}");
        assert!(reply.ends_with("\nKeyboardInterrupt\n"), "{reply}");
        repl.gives("signal.getsignal(2) is signal.default_int_handler", "True\n");
        // What the user has installed is put back, and left alone whatever its name.
        repl.gives("def own(*_): pass\n_ = signal.signal(2, own)", IDLE);
        debug();
        repl.gives("signal.getsignal(2) is own", "True\n");
        repl.gives(
            "class Own:\n    def sigint_handler(self, *_): pass\nown = Own().sigint_handler\n_ = \
             signal.signal(2, own)",
            IDLE,
        );
        repl.gives("signal.getsignal(2) is own", "True\n");
    });
}

#[test]
fn a_breakpoint_stops_in_the_cell() {
    let repl = Server::start();
    let reply = repl.repl("def f(x):\n    breakpoint()\n    return x + 1\nf(41)");
    assert_has(&reply, "<cell 1>");
    assert!(reply.ends_with("(Pdb) "), "{reply}");
    repl.gives("x", "41\n(Pdb) ");
    repl.gives("x = 99", "(Pdb) ");
    repl.gives("continue", "100\n");
}

#[test]
fn post_mortem_debugging_finds_the_failed_frame() {
    let repl = Server::start();
    repl.gives_part(
        "def f(n):\n    local = n + 1\n    return local / 0\nf(6)",
        "ZeroDivisionError",
    );
    let reply = repl.repl("import pdb\npdb.pm()");
    assert_has(&reply, "-> return local / 0");
    assert!(reply.ends_with("(Pdb) "), "{reply}");
    repl.gives("p local", "7\n(Pdb) ");
    repl.gives("up", "> <cell 1>(4)<module>()\n-> f(6)\n(Pdb) ");
    repl.gives("q", IDLE);
    repl.still_works();
}

#[test]
fn weak_references_and_finalizers_of_dropped_values_run() {
    let repl = Server::start();
    repl.gives("class C:\n    def __del__(self): print('gone')\nc = C()", IDLE);
    repl.gives("del c", "gone\n");
}

#[test]
fn imports_from_the_working_directory_work() {
    let repl = Server::start();
    std::fs::write(repl.directory().join("mine.py"), "value = 42\ndef fail(): 1 / 0\n").unwrap();
    repl.gives("import mine\nmine.value", "42\n");
    let reply = repl.gives_part("mine.fail()", "ZeroDivisionError");
    assert_has(&reply, "mine.py\", line 2, in fail\n    def fail(): 1 / 0\n");
}

#[test]
fn code_module_runs_a_console_inside() {
    let repl = Server::start();
    let cell = "\
import code
try: code.interact(banner='inner', exitmsg='', local={})
except SystemExit: pass";
    repl.gives(cell, "inner\n>>> ");
    repl.gives("y = 5", ">>> ");
    repl.gives("y + 1", "6\n>>> ");
    repl.repl("import sys; raise SystemExit");
    repl.still_works();
}
