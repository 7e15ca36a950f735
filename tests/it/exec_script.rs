//! `mcp-repl exec` as a script runner: statuses, signals, what the script is told of itself.

use std::{
    io::Write,
    path::Path,
    process::{Child, Output, Stdio},
    sync::mpsc,
};

#[cfg(has = "posix")]
use rustix::process::Signal;

use crate::support::{Builder, HANG, Lifeline, Listening, Pid, assert_has, python, real};

/// Runs `exec` with these arguments, which may end with those of the script.
#[track_caller]
fn exec(arguments: &[&str], stdin: &str) -> (Option<i32>, String, String) {
    let builder = Builder::new().any_python().env("MCP_REPL_PYTHON", python::default());
    let Output { status, stdout, stderr } = builder.arg("exec").args(arguments).output(stdin);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// A file in this directory.
fn file(directory: &Path, name: &str, text: &str) -> String {
    let file = real(directory).join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// `exec` with a cell on its way that was heard of.
struct Begun {
    child: Child,
    line: Lifeline,
    _directory: tempfile::TempDir,
}

impl Begun {
    /// Runs a cell that says `!` with `tell()`, behind which comes `source`.
    #[track_caller]
    fn new(arguments: &[&str], source: &str) -> Begun {
        Begun::with_more(arguments, source, &[])
    }

    /// The same with more cells behind that one.
    #[track_caller]
    fn with_more(arguments: &[&str], source: &str, more: &[&str]) -> Begun {
        let listening = Listening::new();
        let cell = listening.cell(&format!("import time\ndef tell(): line.send(b'!')\n{source}"));
        let (mut command, directory) = Builder::new()
            .arg("exec")
            .args(arguments.iter().copied())
            .arg(cell)
            .args(more.iter().copied())
            .command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let mut line = listening.accept();
        line.hears("!");
        Begun { child, line, _directory: directory }
    }

    #[cfg(has = "posix")]
    fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// How it ends while nobody closes its standard input, nor types anything there.
    #[track_caller]
    fn ends(mut self) -> (Option<i32>, String) {
        let _stdin = self.child.stdin.take();
        let (tell, told) = mpsc::channel();
        let child = self.child;
        std::thread::spawn(move || tell.send(child.wait_with_output().unwrap()));
        let output = told.recv_timeout(HANG).expect("it ends");
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }
}

const SLEEP: &str = "tell()\ntime.sleep(1000)";

#[cfg(has = "posix")]
#[test]
fn what_a_signal_killed_has_the_status_that_a_shell_gives_it() {
    let kill = |signal| format!("import os, signal\nos.kill(os.getpid(), signal.{signal})");
    assert_eq!(exec(&[&kill("SIGKILL")], "").0, Some(137));
    assert_eq!(exec(&[&kill("SIGSEGV")], "").0, Some(139));
}

#[cfg(has = "posix")]
#[test]
fn ctrl_c_interrupts_the_program_and_ends_the_script() {
    let begun = Begun::new(&["--keep-going", "1"], SLEEP);
    begun.signal(Signal::INT);
    let (status, stdout) = begun.ends();
    assert_eq!(status, Some(130), "{stdout}");
    assert_has(&stdout, "Traceback (most recent call last):\n");
    assert!(stdout.ends_with("KeyboardInterrupt\n"), "{stdout}");
}

#[cfg(has = "posix")]
#[test]
fn a_program_that_handles_ctrl_c_goes_on() {
    let source = "try:\n    tell()\n    time.sleep(1000)\n\
        except KeyboardInterrupt: print('handled')\nprint('on')";
    let begun = Begun::new(&[], source);
    begun.signal(Signal::INT);
    assert_eq!(begun.ends(), (Some(0), "handled\non\n".into()));
}

/// How often something is tried that shows a race in about half of the cases.
const ROUNDS: usize = 8;

/// Lets the program go on that waits in `line.recv(1)`, and interrupts it.
#[cfg(has = "posix")]
fn interrupt(begun: &mut Begun) {
    begun.line.release();
    begun.signal(Signal::INT);
}

#[cfg(has = "posix")]
#[test]
fn ctrl_c_interrupts_a_program_that_waits_for_input() {
    for _ in 0..ROUNDS {
        // The signal crosses the word that `input()` waits.
        let mut begun = Begun::new(&[], "tell()\nline.recv(1)\ninput('? ')");
        interrupt(&mut begun);
        let (status, stdout) = begun.ends();
        assert_eq!(status, Some(130), "{stdout}");
        assert!(stdout.ends_with("KeyboardInterrupt\n"), "{stdout}");
    }
}

#[cfg(has = "posix")]
#[test]
fn ctrl_c_at_input_leaves_standard_input_to_the_next_question() {
    let source = "def struck():\n    try:\n        tell()\n        line.recv(1)\n        input()\n    \
        except KeyboardInterrupt:\n        print('handled')\n        tell()\n\
        struck()\nprint(input('again? '))";
    // Each of these ends behind an interrupt, though not by it.
    let mut begun = Begun::with_more(&[], source, &["struck()"; ROUNDS]);
    interrupt(&mut begun);
    begun.line.hears("!");
    begun.child.stdin.as_mut().unwrap().write_all(b"answer\n").unwrap();
    for _ in 0..ROUNDS {
        begun.line.hears("!");
        interrupt(&mut begun);
        begun.line.hears("!");
    }
    let (status, stdout) = begun.ends();
    assert_eq!(status, Some(0), "{stdout}");
    assert_eq!(stdout, format!("handled\nanswer\n{}", "handled\n".repeat(ROUNDS)));
}

#[cfg(has = "posix")]
#[test]
fn a_signal_that_ends_it_is_its_status() {
    let begun = Begun::new(&[], SLEEP);
    begun.signal(Signal::TERM);
    assert_eq!(begun.ends().0, Some(143));
}

#[test]
fn a_file_stops_at_an_error_and_arguments_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let script = file(directory.path(), "s.py", "1 / 0\n# %%\nprint('on')\n");
    let goes_on = |arguments: &[&str]| {
        let (status, stdout, _) = exec(arguments, "1 / 0\n# %%\nprint('on')\n");
        assert_eq!(status, Some(1));
        stdout.ends_with("\non\n")
    };
    assert!(!goes_on(&["--file", &script]));
    assert!(goes_on(&["--file", &script, "--keep-going"]));
    assert!(!goes_on(&[]));
    assert!(!goes_on(&["-"]));
    assert!(goes_on(&["1 / 0", "print('on')"]));
    assert!(!goes_on(&["--stop-on-error", "1 / 0", "print('on')"]));
}

#[test]
fn a_script_is_told_its_name_and_what_it_is_given() {
    let directory = tempfile::tempdir().unwrap();
    file(directory.path(), "d/beside.py", "name = 'beside'\n");
    let source = "import sys, beside\nprint(sys.argv, __file__, __name__, beside.name)\n";
    let script = file(directory.path(), "d/s.py", source);
    let (status, stdout, stderr) = exec(&["--file", &script, "--", "a b", "-c"], "");
    assert_eq!(status, Some(0), "{stderr}");
    let written = script.replace('\\', "\\\\");
    assert_eq!(stdout, format!("['{written}', 'a b', '-c'] {script} __main__ beside\n"));
    let argv = "import sys\nprint(sys.argv, '__file__' in globals())";
    assert_eq!(exec(&[argv, "--", "--file"], "").1, "['', '--file'] False\n");
    assert_eq!(exec(&["-", "--", "x"], argv).1, "['', 'x'] False\n");
    assert_eq!(exec(&[argv], "").1, "[''] False\n");
}

#[test]
fn tracebacks_name_the_file_and_its_lines() {
    let directory = tempfile::tempdir().unwrap();
    let source = "def divide(a):\n    return a / 0\n# %%\nimport inspect\n\
        print(inspect.getsource(divide), end='')\n# %% last\ndivide(1)\n";
    let script = file(directory.path(), "s.py", source);
    let (status, stdout, _) = exec(&["--file", &script], "");
    assert_eq!(status, Some(1));
    assert!(stdout.starts_with("def divide(a):\n    return a / 0\n"), "{stdout}");
    assert_has(&stdout, &format!("  File \"{script}\", line 7, in <module>\n    divide(1)\n"));
    assert_has(&stdout, &format!("  File \"{script}\", line 2, in divide\n    return a / 0\n"));
    let broken = file(directory.path(), "broken.py", "x = 1\n# %%\ny = (\n");
    assert_has(&exec(&["--file", &broken], "").1, &format!("File \"{broken}\", line 3\n"));
}

#[cfg(has = "posix")]
#[test]
fn a_reader_that_is_gone_ends_it_as_it_ends_any_program() {
    let (mut command, _directory) =
        Builder::new().args(["exec", "for n in range(10**6): print(n)"]).command();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn what_the_program_says_at_its_end_is_printed() {
    let handler = "import atexit\n_ = atexit.register(print, 'handler', end='')";
    let object = "class F:\n    def __del__(self): print('finaliser')\nf = F()";
    let (status, stdout, stderr) = exec(&[handler, object, "print('last')"], "");
    assert_eq!((status, &*stderr), (Some(0), ""));
    assert_eq!(stdout, "last\nhandlerfinaliser\n");
    assert_eq!(exec(&[handler, "1 / 0"], "").0, Some(1));
}
