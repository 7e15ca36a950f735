//! matplotlib's figures where something else goes on: threads, reads, interrupts, errors, children.

use crate::support::{
    IDLE, Lifeline, Server, assert_has, assert_has_not,
    pictures::{Shown, on_oldest_and_newest, plain, session},
};

const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];

/// A function that makes a figure of a colour, and an artist that is as awkward as a test wants.
const MAKE: &str = "\
import matplotlib.pyplot as plt
from matplotlib.lines import Line2D
def make(color):
    figure = plt.figure()
    figure.add_axes([0, 0, 1, 1]).set_facecolor(color)
    return figure
class Awkward(Line2D):
    def __init__(self, action):
        super().__init__([0, 1], [0, 1])
        self.action = action
    def draw(self, renderer):
        self.action()
def awkward(action):
    plt.gca().add_line(Awkward(action))";

#[test]
fn a_figure_that_cannot_be_drawn_is_a_traceback() {
    on_oldest_and_newest(|repl| {
        repl.gives(MAKE, IDLE);
        repl.shows("_ = make('red')").picture();
        let shown = repl.shows("awkward(lambda: 1 / 0); print('done')");
        assert!(shown.text.starts_with("done\nTraceback (most recent call last):\n"));
        assert!(shown.text.ends_with("ZeroDivisionError: division by zero\n"), "{}", shown.text);
        assert_has_not(&shown.text, "mcp_repl");
        shown.has_no_picture();
        // Said once, and again where it is asked for.
        repl.gives("6 * 7", "42\n");
        let shown = repl.shows("plt.show()\nprint('not reached')");
        assert_has(&shown.text, "in <module>\n    plt.show()\n");
        assert!(shown.text.ends_with("ZeroDivisionError: division by zero\n"), "{}", shown.text);
        assert_has_not(&shown.text, "mcp_repl");
        assert_eq!(repl.shows("_ = make('red')").picture().middle(), RED);
    });
}

#[test]
fn figures_of_a_cell_that_raised_are_shown() {
    let repl = session();
    repl.gives(MAKE, IDLE);
    let shown = repl.shows("figure = make('red')\n1 / 0");
    assert!(shown.text.ends_with("ZeroDivisionError: division by zero\n<image/png>\n"));
    assert_eq!(shown.picture().middle(), RED);
}

/// Sends a cell that says on the line when it is where it is to be interrupted, and interrupts it.
#[track_caller]
fn interrupted(repl: &Server, line: &mut Lifeline, cell: &str) -> Shown {
    assert_has(&repl.repl_with(cell, 1), "busy");
    line.hears("x");
    let shown = repl.shows("\u{3}");
    assert_has(&shown.text, "KeyboardInterrupt");
    assert_has_not(&shown.text, "mcp_repl");
    shown.has_no_picture();
    shown
}

#[test]
fn an_interrupt_while_a_figure_is_drawn_leaves_the_session_whole() {
    on_oldest_and_newest(|repl| {
        repl.gives(MAKE, IDLE);
        let mut line = Lifeline::lay(repl);
        repl.gives("def forever():\n    line.send(b'x')\n    while True: pass", IDLE);
        for cell in [
            "awkward(forever)",
            "awkward(forever); plt.show()",
            "awkward(forever); plt.gcf().show()",
        ] {
            interrupted(repl, &mut line, cell);
            // It is not tried again.
            repl.still_works();
            repl.gives("plt.close('all')", IDLE);
        }
        assert_eq!(repl.shows("_ = make('red')").picture().middle(), RED);
    });
}

#[test]
fn what_an_interrupted_cell_plotted_comes_with_the_next() {
    let repl = session();
    repl.gives(MAKE, IDLE);
    let mut line = Lifeline::lay(&repl);
    let cell = "figure = make('red'); line.send(b'x')\nwhile True: pass";
    interrupted(&repl, &mut line, cell);
    let shown = repl.shows("6 * 7");
    assert_eq!(shown.text, "42\n<image/png>\n");
    assert_eq!(shown.picture().middle(), RED);
    repl.still_works();
}

#[test]
fn a_picture_comes_with_the_prompt_that_follows_it() {
    let repl = session();
    repl.gives(MAKE, IDLE);
    let shown = repl.shows("figure = make('red'); plt.show(); answer = input('like it? ')");
    assert_eq!(shown.text, "<image/png>\nlike it? ");
    assert_eq!(shown.picture().middle(), RED);
    repl.gives("yes", IDLE);
    repl.gives("answer", "'yes'\n");
}

/// Starts a thread that does this to the figure each time the test asks for it.
fn with_thread(repl: &Server, action: &str) -> Lifeline {
    let line = Lifeline::lay(repl);
    let cell = format!(
        "import threading\ndef work():\n    while line.recv(1):\n        {action}\n        \
         line.send(b'x')\nthread = threading.Thread(target=work, daemon=True)\nthread.start()"
    );
    repl.gives(&cell, IDLE);
    line
}

#[test]
fn what_a_thread_changes_between_cells_is_no_plot_of_the_next() {
    on_oldest_and_newest(|repl| {
        repl.gives(MAKE, IDLE);
        repl.shows("figure = make('red'); axes = figure.axes[0]").picture();
        for action in ["axes.set_facecolor('blue')", "figure.canvas.draw()", "other = make('red')"]
        {
            let mut line = with_thread(repl, action);
            line.release();
            line.hears("x");
            repl.gives("6 * 7", "42\n");
            repl.gives("None", IDLE);
        }
        // Asked for, it is shown as it is by then.
        let shown = repl.shows("plt.show()");
        assert_eq!(shown.pictures[0].middle(), BLUE);
    });
}

#[test]
fn a_thread_that_plots_while_the_main_thread_asks_does_so() {
    on_oldest_and_newest(|repl| {
        repl.gives(MAKE, IDLE);
        let mut line = with_thread(repl, "make('red'); plt.show()");
        repl.gives("answer = input('? ')", "? ");
        line.release();
        line.hears("x");
        let shown = repl.shows("an answer");
        assert_eq!(shown.picture().middle(), RED);
        repl.gives("answer", "'an answer'\n");
        // While nothing runs.
        line.release();
        line.hears("x");
        assert_eq!(repl.shows("").picture().middle(), RED);
        repl.still_works();
    });
}

#[test]
fn threads_that_plot_and_show_at_the_same_time_end() {
    let repl = session();
    repl.gives(MAKE, IDLE);
    let cell = "\
import threading
def work():
    for _ in range(5): make('red').show()
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
plt.close('all')";
    let shown = repl.shows(cell);
    assert!(shown.pictures.iter().all(|picture| picture.middle() == RED));
    assert_has_not(&shown.text, "Error");
    repl.still_works();
}

#[cfg(has = "posix")]
#[test]
fn children_inherit_nothing() {
    on_oldest_and_newest(|repl| {
        repl.write_file(
            "plot.py",
            // A sandbox has a place for what matplotlib keeps.
            "import os, sys, matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\n\
             names = [name for name in os.environ if 'MPL' in name and name != 'MPLCONFIGDIR']\n\
             print(plt.get_backend().lower(), names)\n\
             print([type(finder).__name__ for finder in sys.meta_path[:1]])\n",
        );
        repl.gives(MAKE, IDLE);
        let cell = "import subprocess, sys\nresult = subprocess.run([sys.executable, 'plot.py'], \
            capture_output=True, text=True)\nprint(result.stdout)";
        let shown = repl.shows(cell);
        assert_has(&shown.text, "agg []\n");
        assert_has_not(&shown.text, "ImportHook");
        shown.has_no_picture();
        // On the terminal, too.
        repl.shows("_ = subprocess.run([sys.executable, 'plot.py'])").has_no_picture();
        // A forked one shows nothing in the session, and ends.
        let cell = "\
import os
if (child := os.fork()) == 0:
    figure = make('red'); figure.show(); plt.show(); os._exit(plt.get_fignums() == [])
os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])";
        let shown = repl.shows(cell);
        assert!(shown.text.ends_with("0\n"), "{}", shown.text);
        shown.has_no_picture();
        let cell = "\
import multiprocessing
def work():
    make('red'); plt.show(); print('worked')
child = multiprocessing.get_context('fork').Process(target=work)
child.start(); child.join(); child.exitcode";
        let shown = repl.shows(cell);
        assert!(shown.text.ends_with("worked\n0\n"), "{}", shown.text);
        shown.has_no_picture();
    });
}

#[test]
fn no_frame_and_no_name_of_ours_shows() {
    on_oldest_and_newest(|repl| {
        let names = "import sys\n{'matplotlib', 'PIL', 'numpy', 'webbrowser'} & set(sys.modules)";
        repl.gives(names, "set()\n");
        repl.gives(MAKE, IDLE);
        repl.gives(
            "import matplotlib, inspect\n\
             [type(loader).__name__ for loader in (matplotlib.__loader__, matplotlib.__spec__.loader)]",
            "['SourceFileLoader', 'SourceFileLoader']\n",
        );
        let cell = "awkward(lambda: print([frame.function for frame in inspect.stack()][-2:]))\n\
                    plt.show()";
        assert_has(&repl.repl(cell), "['show', '<module>']\n");
        // At the end of a cell, what draws is called by nobody.
        let cell = "awkward(lambda: print(inspect.stack()[-1].function))";
        assert_has(&repl.repl(cell), "print_figure\n");
        repl.gives("'mcp' in repr(vars())", "False\n");
    });
}

#[test]
fn a_module_that_fails_to_load_fails_as_ever() {
    let repl = plain().env("PYTHONSAFEPATH", "").start();
    repl.write_file("matplotlib.py", "1 / 0\n");
    let reply = repl.repl("import matplotlib");
    let traceback = "Traceback (most recent call last):\n  File \"<cell 1>\", line 1, in <module>\n    \
                     import matplotlib\n";
    assert!(reply.starts_with(traceback), "{reply}");
    assert_eq!(reply.matches("  File ").count(), 2, "{reply}");
    repl.write_file("matplotlib.py", "a = 1\n");
    repl.gives("import matplotlib; matplotlib.a", "1\n");
    repl.still_works();
}

#[test]
fn the_finders_may_be_any_iterable() {
    let repl = session();
    repl.gives("import sys\nsys.meta_path = tuple(sys.meta_path)", IDLE);
    repl.gives(MAKE, IDLE);
    assert_eq!(repl.shows("_ = make('red')").picture().middle(), RED);
}

#[test]
fn matplotlib_may_be_loaded_anew() {
    let repl = session();
    repl.gives(MAKE, IDLE);
    let again = "import importlib, matplotlib; importlib.reload(matplotlib); importlib.reload(plt)";
    repl.repl(&format!("{again}\nNone"));
    let shown = repl.shows("_ = make('red'); plt.show(); print('behind')");
    assert!(shown.text.ends_with("<image/png>\nbehind\n"), "{}", shown.text);
}

#[test]
fn figures_go_with_their_session() {
    let repl = session();
    repl.gives(MAKE, IDLE);
    repl.shows("figure = make('red')").picture();
    let answer = repl.begin("\u{4}1 + 1").answer();
    let shown = Shown::of(&answer);
    shown.has_no_picture();
}
