//! Programs that have the screen to themselves: their page, keys for them, and the terminal
//! they leave behind.
#![cfg(has = "posix")]

use crate::support::{
    IDLE, Server, assert_has, assert_has_not,
    paging::{plain_environment, session, start},
    python,
};

/// The page a full-screen program shows, and its status line.
#[track_caller]
fn page(reply: &str) -> (&str, &str) {
    let last = reply.trim_end_matches('\n').rfind('\n').map_or(0, |end| end + 1);
    let status = reply[last..].trim_end();
    assert!(status.starts_with("[screen] "), "a program has the screen:\n{reply}");
    (&reply[..last], status)
}

/// What a `[screen]` line says of keys.
const KEYS: &str = "; text is typed as it is, `keys` by name (Enter, Escape, C-c)";

/// What stands in the place of a page that the reply before had.
const UNCHANGED: &str = "[repl] the page has not changed\n";

/// Without the user's set-up and without a swap file.
const VIM: &str = "run('vim', '-u', 'NONE', '-i', 'NONE', '-N', '-n', 'file'); print('after')";

#[test]
fn vim_edits_a_file() {
    let repl = session();
    let reply = repl.repl(&format!("print('before')\n{VIM}"));
    let (shown, status) = page(&reply);
    assert!(shown.starts_with("before\n\n~\n~\n"), "{reply}");
    assert_has(shown, "\"file\" [New]");
    assert_eq!(status, format!("[screen] vim, cursor at row 1, column 1{KEYS}"));

    let reply = repl.repl("ihello\nworld");
    let (shown, status) = page(&reply);
    assert!(shown.starts_with("hello\nworld\n~\n"), "{reply}");
    assert!(shown.ends_with("-- INSERT --\n"), "{reply}");
    assert_eq!(status, format!("[screen] vim, cursor at row 2, column 6{KEYS}"));

    let reply = repl.keys("Escape g g");
    assert_eq!(page(&reply).1, format!("[screen] vim, cursor at row 1, column 1{KEYS}"));
    repl.keys("A Space there Escape");
    // Of all that, the transcript has nothing.
    assert_eq!(repl.keys(":wq Enter"), "after\n");
    repl.gives("open('file').read()", "'hello there\\nworld\\n'\n");
}

#[test]
fn vim_shows_a_text_from_another_place() {
    let repl = session();
    let text: String = (1..=300).map(|number| format!("line {number}\n")).collect();
    repl.write_file("file", &text);
    let reply = repl.repl(VIM);
    assert!(page(&reply).0.starts_with("line 1\n"), "{reply}");
    let reply = repl.keys("G");
    assert_has(page(&reply).0, "line 300\n");
    let reply = repl.keys("1 5 0 g g z t");
    assert!(page(&reply).0.starts_with("line 150\n"), "{reply}");
    assert_eq!(repl.keys(":q Enter"), "after\n");
}

#[test]
fn nano_edits_a_file() {
    let repl = session();
    let reply = repl.repl("run('nano', '--ignorercfiles', 'file'); print('after')");
    assert_has(page(&reply).0, "GNU nano");
    let reply = repl.repl("some text");
    assert_has(page(&reply).0, "\nsome text\n");
    assert_has(page(&reply).1, "[screen] nano, cursor at row 2, column 10;");
    let reply = repl.keys("C-o");
    assert_has(page(&reply).0, "File Name to Write: file");
    let reply = repl.keys("Enter");
    assert_has(page(&reply).0, "Wrote 1 line");
    assert_eq!(repl.keys("C-x"), "after\n");
    repl.gives("open('file').read()", "'some text\\n'\n");
}

#[test]
fn top_shows_processes_until_it_is_left() {
    let repl = session();
    // It does not use the alternate screen: what it showed last stays, and is told once.
    let reply = repl.repl("print('before'); run('top', '-d', '3600'); print('after')");
    let (shown, status) = page(&reply);
    assert!(shown.starts_with("before\ntop - "), "{shown}");
    assert_has(status, "[screen] top, cursor at row");
    // Each reply has the whole page, if it is another one.
    let reply = repl.repl("c");
    let (shown, _) = page(&reply);
    assert!(shown.starts_with("top - "), "{shown}");
    assert_has(shown, "PID USER");
    assert_eq!(page(&repl.repl("")).0, UNCHANGED);
    repl.gives("q", "\nafter\n");
    repl.still_works();
}

#[test]
fn a_shell_is_no_full_screen_program_after_one() {
    let repl = session();
    // A visible prompt needs no line that says so.
    let prompt = "$ ";
    assert!(repl.repl("run('env', 'PS1=$ ', 'bash', '--norc', '-i')").ends_with(prompt));
    assert_has(&repl.repl("top -d 3600"), "[screen] top");
    assert!(repl.repl("q").ends_with(prompt));
    for command in ["clear", "tput cup 3 10", "echo out"] {
        let reply = repl.repl(command);
        assert!(reply.ends_with(prompt), "{command}: {reply}");
    }
    repl.repl("exit");
    repl.still_works();
}

/// A program that asks for a key on a page of its own.
const CURSES: &str = "\
import curses
def main(window):
    window.addstr(3, 5, 'press a key')
    window.addstr(5, 5, 'or an arrow')
    window.refresh()
    return window.getkey()
print(curses.wrapper(main))
";

#[test]
fn curses_runs_in_the_session() {
    let repl = session();
    repl.gives("print('before')", "before\n");
    for (key, value) in [("x", "x\n"), ("Down", "KEY_DOWN\n"), ("F5", "KEY_F(5)\n")] {
        let reply = repl.repl(CURSES);
        let (shown, status) = page(&reply);
        assert_eq!(shown, "\n\n\n     press a key\n\n     or an arrow\n");
        assert_has(status, "cursor at row 6, column 17;");
        assert_eq!(repl.keys(key), value);
    }
    repl.still_works();
}

#[test]
fn curses_runs_in_a_child() {
    let repl = session();
    repl.write_file("program.py", CURSES);
    let reply = repl.repl("import sys\nrun(sys.executable, 'program.py')");
    assert_eq!(page(&reply).0, "\n\n\n     press a key\n\n     or an arrow\n");
    assert_eq!(repl.keys("Up"), "KEY_UP\n");
    repl.still_works();
}

/// A menu on the primary screen: each key paints it over.
const MENU: &str = "\
import os, sys, termios, tty
def menu(*items):
    modes = termios.tcgetattr(0)
    tty.setraw(0)
    chosen = 0
    try:
        while True:
            for number, item in enumerate(items):
                sys.stdout.write(('> ' if number == chosen else '  ') + item + '\\r\\n')
            sys.stdout.flush()
            key = os.read(0, 10)
            if key == b'\\r': return items[chosen]
            chosen = (chosen + {b'\\x1b[B': 1, b'\\x1b[A': -1}.get(key, 0)) % len(items)
            sys.stdout.write(f'\\x1b[{len(items)}A')
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, modes)
menu('one', 'two', 'three')";

#[test]
fn a_menu_of_single_keys_is_driven() {
    let repl = session();
    let reply = repl.repl(MENU);
    assert!(
        reply.starts_with("> one\n  two\n  three\n<<repl status: waiting for input>>"),
        "{reply}"
    );
    // What changed is told.
    let reply = repl.keys("Down");
    assert!(reply.starts_with("  one\n> two\n"), "{reply}");
    assert_eq!(repl.keys("Enter"), "'two'\n");
    repl.still_works();
}

/// Programs that spoil the terminal and die.
const DEBRIS: [(&str, &str); 6] = [
    ("raw", "tty.setraw(0)"),
    ("alternate screen", "show('\\x1b[?1049h\\x1b[Hdebris')"),
    ("cursor and region", "show('\\x1b[?25l\\x1b[3;5r\\x1b[5;1H')"),
    ("modes", "show('\\x1b[?7l\\x1b[4h\\x1b[?6h\\x1b[?1h\\x1b=')"),
    ("colours and character sets", "show('\\x1b[7;31m\\x1b(0\\x0e')"),
    ("all of it", "tty.setraw(0); show('\\x1b[?1049h\\x1b[2;4r\\x1b[?25l\\x1b[?7l\\x1b(0debris')"),
];

#[test]
fn a_program_that_dies_leaves_a_sane_terminal() {
    for death in ["os._exit(1)", "os.kill(os.getpid(), 9)"] {
        for (what, spoil) in DEBRIS {
            let repl = session();
            repl.gives(
                "def state():\n    return termios.tcgetattr(0)[:4]\nimport sys, termios",
                IDLE,
            );
            let sane = repl.repl("state()");
            let program = format!(
                "import os, sys, tty\n\
                 def show(text): sys.stdout.write(text); sys.stdout.flush()\n{spoil}\n{death}\n"
            );
            repl.write_file("program.py", &program);
            let reply = repl.repl("run(sys.executable, 'program.py')");
            // What stands on the alternate screen when the cell ends is told before it goes.
            assert_eq!(reply != IDLE, spoil.contains("1049h"), "{what}: {reply}");
            assert_eq!(repl.repl("state()"), sane, "{what}");
            let text: String = (1..=60).map(|number| format!("line {number}\n")).collect();
            repl.gives("for n in range(1, 61): print('line', n)", &text);
            repl.gives("print('y' * 200)", &format!("{}\n", "y".repeat(200)));
            repl.gives("input('name? ')", "name? ");
            repl.gives("Ada", "'Ada'\n");
            // The next full-screen program finds it as it should be, too.
            let reply = repl.repl(CURSES);
            assert_eq!(page(&reply).0, "\n\n\n     press a key\n\n     or an arrow\n", "{what}");
            assert_eq!(repl.keys("Down"), "KEY_DOWN\n", "{what}");
        }
    }
}

#[test]
fn what_a_cell_says_on_a_screen_that_it_did_not_leave_is_told() {
    let repl = session();
    let cell = "import curses\nw = curses.initscr(); w.addstr('shown'); w.refresh()\n1 / 0";
    let reply = repl.repl(cell);
    assert_has(&reply, "shown");
    assert_has(&reply, "ZeroDivisionError: division by zero");
    assert_has(&repl.repl("print('\\x1b[?1049h'); 6 * 7"), "42");
    repl.still_works();
}

#[test]
fn the_page_of_a_program_that_reads_nothing_is_shown_when_the_time_is_up() {
    let repl = session();
    repl.repl("import time");
    let cell = "print('\\x1b[?1049h\\x1b[Hclock', flush=True)\ntime.sleep(1000)";
    for (input, shown) in [(cell, "clock\n"), ("", UNCHANGED)] {
        let reply = repl.repl_with(input, 500);
        let busy = format!("{shown}<<repl status: busy, elapsed_ms=");
        assert!(reply.starts_with(&busy), "{reply}");
    }
    assert_has(&repl.repl("\u{3}"), "KeyboardInterrupt");
    repl.gives("print('\\x1b[?1049h\\x1b[Hmenu'); input('choice? ')", "menu\nchoice?");
    repl.repl("a");
    repl.still_works();
}

#[test]
fn a_full_screen_program_may_be_interrupted() {
    let repl = session();
    let reply = repl.repl(CURSES);
    page(&reply);
    let reply = repl.repl("\u{3}");
    assert_has(&reply, "KeyboardInterrupt");
    assert_has_not(&reply, "[screen]");
    repl.still_works();
}

#[test]
fn a_fresh_session_begins_out_of_a_full_screen_program() {
    let repl = session();
    page(&repl.repl(VIM));
    let reply = repl.repl("\u{4}6 * 7");
    assert!(reply.ends_with("[repl] new session started\n42\n"), "{reply}");
    assert_has_not(&reply, "~\n");
}

/// Asks the terminal something and gives what it answers, up to a last character.
const ASK: &str = "\
import os, termios, tty
def ask(question, last):
    modes = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        os.write(1, question)
        answer = b''
        while not answer.endswith(last): answer += os.read(0, 100)
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, modes)
    return answer";

#[test]
fn the_terminal_answers_what_programs_ask() {
    let repl = session();
    repl.gives(ASK, IDLE);
    for (question, last, answer) in [
        (r"\x1b7\x1b[5;7H\x1b[6n\x1b8", "R", r"\x1b[5;7R"),
        (r"\x1b[5n", "n", r"\x1b[0n"),
        (r"\x1b[c", "c", r"\x1b[?62;22c"),
        (r"\x1b[>c", "c", r"\x1b[>1;10;0c"),
        (r"\x1b[18t", "t", r"\x1b[8;40;120t"),
        (r"\x1b[?25$p", "y", r"\x1b[?25;1$y"),
        (r"\x1b]11;?\x07", r"\x07", r"\x1b]11;rgb:0000/0000/0000\x07"),
    ] {
        repl.gives(&format!("ask(b'{question}', b'{last}')"), &format!("b'{answer}'\n"));
    }
    repl.gives_part(r"ask(b'\x1b[>q', b'\x1b\\')", "mcp-repl(");
    // A hundred questions in a row, and nobody's input is disturbed.
    repl.gives(r"len({ask(b'\x1b[6n', b'R') for _ in range(100)})", "1\n");
    repl.gives("input('name? ')", "name? ");
    repl.gives("Ada", "'Ada'\n");
}

#[test]
fn full_screen_programs_run_on_every_python() {
    for version in python::versions() {
        let repl: Server = start(plain_environment().python(python::of_version(version)));
        page(&repl.repl(VIM));
        assert_eq!(repl.keys(":q Enter"), "after\n", "Python {version}");
        repl.still_works();
    }
}
