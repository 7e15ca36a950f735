//! `mcp-repl exec` while the program runs: what it prints through a pipe, and the terminal's size.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
};

use serde_json::{Value, json};

use crate::support::{Builder, HANG, Lifeline, Listening, assert_has};

/// `exec` with a cell that talks to the test over `line`.
struct Live {
    child: Child,
    /// Its lines, each read when it is asked for, or the one before was.
    out: mpsc::Receiver<String>,
    line: Lifeline,
    _directory: tempfile::TempDir,
}

impl Live {
    /// Runs a cell that begins by connecting `line` to the test.
    #[track_caller]
    fn new(source: &str, more: &[&str]) -> Live {
        let listening = Listening::new();
        let cell = listening.cell(source);
        let (mut command, _directory) =
            Builder::new().args(["exec", &cell]).args(more.iter().copied()).command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (tell, out) = mpsc::sync_channel(0);
        std::thread::spawn(move || {
            let mut line = String::new();
            while let Ok(1..) = stdout.read_line(&mut line) {
                if tell.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        Live { child, out, line: listening.accept(), _directory }
    }

    #[track_caller]
    fn prints(&self, expected: &str) {
        assert_eq!(self.out.recv_timeout(HANG).expect("a line comes"), expected);
    }

    /// What it prints from here on, and its exit status.
    #[track_caller]
    fn ends(mut self) -> (String, Option<i32>) {
        let lines = std::iter::from_fn(|| self.out.recv_timeout(HANG).ok());
        (lines.collect(), self.child.wait().unwrap().code())
    }
}

#[test]
fn a_line_is_there_before_the_program_goes_on() {
    let source = "print('first')\nline.recv(1)\nprint('sec', end='', flush=True)\nline.send(b'!')\n\
                  line.recv(1)\nprint('ond')\nline.recv(1)\nprint('last', end='')";
    let mut live = Live::new(source, &["print(' cell')"]);
    live.prints("first\n");
    live.line.release();
    live.line.hears("!");
    live.line.release();
    live.prints("second\n");
    live.line.release();
    assert_eq!(live.ends(), ("last cell\n".into(), Some(0)));
}

#[test]
fn a_bar_is_its_last_state_and_lines_beside_it_come_at_once() {
    let source = "for n in range(5): print(f'\\r{n}', end='', flush=True)\nprint('\\rbar done')\n\
                  line.recv(1)\nprint('a\\nb\\x1b[A', end='', flush=True)\nprint('\\rA\\nB')\n1 / 0";
    let mut live = Live::new(source, &[]);
    live.prints("bar done\n");
    live.line.release();
    let (rest, status) = live.ends();
    assert_eq!(status, Some(1));
    assert_has(&rest, "A\nB\n");
    assert!(rest.ends_with("ZeroDivisionError: division by zero\n"), "{rest}");
}

#[cfg(has = "posix")]
#[test]
fn a_program_without_end_is_ended_by_a_reader_that_goes() {
    let mut live = Live::new("n = 0\nwhile True:\n    n += 1\n    print(n)", &[]);
    live.prints("1\n");
    drop(live.out);
    assert_eq!(live.child.wait().unwrap().code(), Some(141));
}

#[test]
fn a_reader_that_is_slow_misses_nothing() {
    let source = "for n in range(100_000): print(n, 'x' * 50)";
    let live = Live::new(source, &[]);
    live.prints(&format!("0 {}\n", "x".repeat(50)));
    // More than all on the way holds together is to come.
    let (rest, status) = live.ends();
    assert_eq!((rest.lines().count(), status), (99_999, Some(0)));
    assert_has(&rest, &format!("\n99999 {}\n", "x".repeat(50)));
}

#[cfg(has = "posix")]
#[test]
fn the_size_is_that_of_the_callers_terminal() {
    let terminal = "\
import fcntl, struct, termios
master, slave = os.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 50, 77, 0, 0))
os.set_inheritable(master, True)
if os.fork(): os.wait(); os._exit(0)
os.setsid()
fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
os.dup2(slave, 2)";
    let cell = "import os\nprint(os.get_terminal_size())";
    let output = Builder::new().condition(terminal).args(["exec", cell]).output("");
    let size = "os.terminal_size(columns=77, lines=50)\n";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), size);
}

const PICTURE: &str = "out/picture-1.png";

/// `exec --images out` with a worker that prints a line, shows a picture of 4 by 3, says so to who
/// opens `fifo`, and prints another line.
fn pictured(directory: &Path, more: &[&str]) -> Builder {
    let fifo = directory.join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let steps =
        json!([["print", "one\n"], ["png", 4, 3, [255, 0, 0]], ["says", fifo], ["print", "two\n"]]);
    let words = crate::support::fake_worker("does_as_told", &directory.join("file"));
    let options = Builder::new().directory(directory).arg("exec").worker(words);
    options.args(["--images", "out"]).args(more.iter().copied()).arg(steps.to_string())
}

#[track_caller]
fn is_written(directory: &Path) {
    assert_eq!(image::image_dimensions(directory.join(PICTURE)).unwrap(), (4, 3));
}

#[cfg(has = "posix")]
#[test]
fn a_picture_is_written_before_the_program_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let (mut command, _other) = pictured(directory.path(), &[]).command();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut notes = BufReader::new(child.stderr.take().unwrap());
    let mut note = String::new();
    notes.read_line(&mut note).unwrap();
    assert_eq!(note, format!("[repl] {PICTURE}\n"));
    is_written(directory.path());
    assert_eq!(fs::read(directory.path().join("fifo")).unwrap(), b"!");
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "one\ntwo\n");
    notes.read_line(&mut note).unwrap();
    assert_eq!((note, output.status.code()), (format!("[repl] {PICTURE}\n"), Some(0)));
}

#[cfg(has = "person")]
#[test]
fn on_a_terminal_a_line_names_the_picture() {
    let directory = tempfile::tempdir().unwrap();
    let mut terminal = crate::support::Terminal::run(pictured(directory.path(), &[]));
    terminal.shows(PICTURE);
    is_written(directory.path());
    assert_eq!(fs::read(directory.path().join("fifo")).unwrap(), b"!");
    assert_eq!(terminal.ends(), (0, format!("one\n[repl] {PICTURE}\ntwo")));
}

#[cfg(has = "posix")]
#[test]
fn json_names_the_picture_and_nothing_else_does() {
    let directory = tempfile::tempdir().unwrap();
    let (mut command, _other) = pictured(directory.path(), &["--json"]).command();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    assert_eq!(fs::read(directory.path().join("fifo")).unwrap(), b"!");
    let output = child.wait_with_output().unwrap();
    let reply: Value = serde_json::from_slice(&output.stdout).unwrap();
    let picture = json!({"type": "image", "mimeType": "image/png", "path": PICTURE});
    let text = |text| json!({"type": "text", "text": text});
    assert_eq!(reply["content"].as_array().unwrap()[..3], [text("one\n"), picture, text("two\n")]);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    is_written(directory.path());
}
