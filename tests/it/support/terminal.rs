//! A terminal of a person, on which the binary runs.

use std::{
    io::{Read, Write},
    path::Path,
    process::Command,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use mcp_repl::screen::{Screen, Size};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{BINARY, Builder, HANG, gone};

type Keyboard = Arc<Mutex<Box<dyn Write + Send>>>;

/// How a terminal shows pictures, and says so when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Graphics {
    None,
    /// It answers nothing, whatever it is asked.
    Mute,
    Kitty,
    Iterm2,
    Sixel,
}

impl Graphics {
    /// What a terminal with cells of 10 by 20 pixels says to the questions that end with DA.
    fn answers(self) -> &'static str {
        match self {
            Graphics::None => "\x1b[?62;22c",
            Graphics::Mute => "",
            Graphics::Kitty => {
                "\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.42.1)\x1b\\\x1b[6;20;10t\x1b[?62;c"
            }
            Graphics::Iterm2 => "\x1bP>|iTerm2 3.5.14\x1b\\\x1b[6;20;10t\x1b[?64;1;2;4;6;22c",
            Graphics::Sixel => "\x1bP>|XTerm(390)\x1b\\\x1b[6;20;10t\x1b[?64;1;2;4;22c",
        }
    }
}

/// How those questions begin, and how they end.
const BEGINS: &[u8] = b"\x1b_Gi=31";
const ASKS: &[u8] = b"\x1b[16t\x1b[c";

/// Answers that are kept back, and whether the next one is to be.
#[derive(Default)]
struct Late {
    keeps_next: AtomicBool,
    kept: Mutex<Vec<u8>>,
}

/// A terminal with a program on it, and what it shows.
pub(crate) struct Terminal {
    master: Box<dyn MasterPty + Send>,
    /// Keeps the terminal as it is when the program has gone.
    slave: Box<dyn SlavePty + Send>,
    keyboard: Keyboard,
    child: Box<dyn Child + Send + Sync>,
    printed: mpsc::Receiver<Vec<u8>>,
    flow: Arc<Flow>,
    /// What is on it as it takes what is printed, which may be further than `screen`.
    answering: Arc<Mutex<Screen>>,
    late: Arc<Late>,
    screen: Screen,
    /// All that was printed so far.
    pub(crate) bytes: Vec<u8>,
    modes_before: String,
    _directory: TempDir,
}

/// Whether the terminal takes what is printed on it.
#[derive(Default)]
struct Flow {
    is_stopped: AtomicBool,
    stopping: Mutex<()>,
    goes_on: Condvar,
}

impl Flow {
    fn wait(&self) {
        let mut stopping = self.stopping.lock().unwrap();
        while self.is_stopped.load(Ordering::Relaxed) {
            stopping = self.goes_on.wait(stopping).unwrap();
        }
    }

    fn set_stopped(&self, is_stopped: bool) {
        let _stopping = self.stopping.lock().unwrap();
        self.is_stopped.store(is_stopped, Ordering::Relaxed);
        self.goes_on.notify_all();
    }
}

impl Terminal {
    /// Runs the binary on a terminal of 80 by 24.
    #[track_caller]
    pub(crate) fn run(builder: Builder) -> Terminal {
        Terminal::run_with(builder, Graphics::None)
    }

    /// The same on one that shows pictures so.
    #[track_caller]
    pub(crate) fn run_with(builder: Builder, graphics: Graphics) -> Terminal {
        let (command, directory) = builder.env("TERM", "xterm-256color").command();
        let mut program = CommandBuilder::new(command.get_program());
        program.args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => program.env(name, value),
                None => program.env_remove(name),
            }
        }
        program.cwd(command.get_current_dir().unwrap());
        Terminal::start(program, directory, graphics)
    }

    /// Runs a shell with job control, whose prompt is `$ ` and which finds the binary and this
    /// run-time directory, on a terminal of 80 by 24.
    #[track_caller]
    pub(crate) fn shell(builder: Builder) -> Terminal {
        let (command, directory) = builder.env("TERM", "xterm-256color").command();
        let mut program = CommandBuilder::new("bash");
        program.args(["--norc", "--noprofile", "-i"]);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => program.env(name, value),
                None => program.env_remove(name),
            }
        }
        let path =
            [Path::new(BINARY).parent().unwrap().as_os_str(), &std::env::var_os("PATH").unwrap()]
                .join(std::ffi::OsStr::new(":"));
        program.env("PATH", path);
        program.env("PS1", "$ ");
        program.env("HISTFILE", "");
        program.cwd(command.get_current_dir().unwrap());
        Terminal::start(program, directory, Graphics::None)
    }

    fn start(program: CommandBuilder, directory: TempDir, graphics: Graphics) -> Terminal {
        let screen = || Screen::new(Size { columns: 80, rows: 24 });
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let modes_before = modes(&*pty.master);
        let child = pty.slave.spawn_command(program).unwrap();
        let mut output = pty.master.try_clone_reader().unwrap();
        let (tell, printed) = mpsc::channel();
        let flow = Arc::new(Flow::default());
        let keyboard: Keyboard = Arc::new(Mutex::new(pty.master.take_writer().unwrap()));
        let answering = Arc::new(Mutex::new(screen()));
        let late = Arc::new(Late::default());
        let (reading, answers, typing) = (flow.clone(), answering.clone(), keyboard.clone());
        let keeping = late.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = {
                reading.wait();
                output.read(&mut buffer)
            } {
                answer(&answers, &buffer[..length], &typing, graphics, &keeping);
                if tell.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Terminal {
            keyboard,
            master: pty.master,
            slave: pty.slave,
            child,
            printed,
            flow,
            answering,
            late,
            screen: screen(),
            bytes: Vec::new(),
            modes_before,
            _directory: directory,
        }
    }

    /// Waits until the page has this on it.
    #[track_caller]
    pub(crate) fn shows(&mut self, part: &str) {
        self.shows_when(part, |page| page.contains(part));
    }

    fn take(&mut self, bytes: &[u8]) {
        self.screen.feed(bytes);
        self.bytes.extend(bytes);
    }

    /// Waits until the page ends with this.
    #[track_caller]
    pub(crate) fn ends_with(&mut self, end: &str) {
        self.shows_when(end, |page| page.ends_with(end));
    }

    /// Waits until the page has what is looked for; `what` says what that is.
    #[track_caller]
    pub(crate) fn shows_when(&mut self, what: &str, is_there: impl Fn(&str) -> bool) {
        let end = Instant::now() + HANG;
        while !is_there(&self.page()) {
            let left = end.saturating_duration_since(Instant::now());
            match self.printed.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes),
                Err(_) => panic!(
                    "{what:?} does not come; there is:\n{}\nprinted last:\n{:?}",
                    self.page(),
                    String::from_utf8_lossy(&self.bytes[self.bytes.len().saturating_sub(3000)..]),
                ),
            }
        }
    }

    pub(crate) fn page(&self) -> String {
        self.screen.page_text()
    }

    /// Takes nothing more of what is printed, as terminals do on Ctrl-S.
    pub(crate) fn stops_taking(&self) {
        self.flow.set_stopped(true);
    }

    /// Takes it again.
    pub(crate) fn goes_on_taking(&self) {
        self.flow.set_stopped(false);
    }

    /// Says nothing the next time that it is asked something, and that in front of what it says the time
    /// after.
    pub(crate) fn answers_late(&self) {
        self.late.keeps_next.store(true, Ordering::SeqCst);
    }

    /// Presses keys.
    pub(crate) fn types(&mut self, keys: &str) {
        self.keyboard.lock().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn resize(&mut self, cols: u16, rows: u16) {
        let size = Size { columns: cols, rows };
        self.screen.resize(size);
        self.answering.lock().unwrap().resize(size);
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// Does with the terminal what a shell does when it gets it back.
    pub(crate) fn is_taken_by_a_shell(&self) {
        let name = self.master.tty_name().unwrap();
        assert!(Command::new("stty").arg("-F").arg(name).arg("sane").status().unwrap().success());
    }

    /// Kills the program, and waits until its guard has ended; what the page shows then. The terminal is
    /// as the program found it.
    #[track_caller]
    pub(crate) fn dies(mut self) -> String {
        let guards = children(self.pid());
        assert_eq!(guards.len(), 1, "{guards:?}");
        kill_process(Pid::from_raw(self.pid()).unwrap(), Signal::KILL).unwrap();
        self.child.wait().unwrap();
        assert!(gone(guards[0]), "the guard does not end");
        assert_eq!(modes(&*self.master), self.modes_before);
        drop((self.slave, self.keyboard));
        while let Ok(bytes) = self.printed.recv_timeout(HANG) {
            self.screen.feed(&bytes);
        }
        assert_eq!(self.screen.mode_restoration(), "");
        assert_eq!(title(&self.screen), None);
        self.screen.page_text()
    }

    /// Waits until the title is this.
    #[track_caller]
    pub(crate) fn is_titled(&mut self, wanted: &str) {
        let end = Instant::now() + HANG;
        while title(&self.screen).as_deref() != Some(wanted) {
            match self.printed.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(_) => panic!("{wanted:?} is not the title, but {:?}", title(&self.screen)),
            }
        }
    }

    /// What the program has set otherwise than it found it, as sequences that put it back.
    pub(crate) fn set_modes(&self) -> String {
        self.screen.mode_restoration()
    }

    /// Whether what is typed comes by the key (POSIX: not `ICANON`).
    pub(crate) fn is_raw(&self) -> bool {
        modes(&*self.master) != self.modes_before
    }

    pub(crate) fn pid(&self) -> i32 {
        self.child.process_id().unwrap().try_into().unwrap()
    }

    /// Waits until the program has ended; gives its exit status and what the page shows then. The
    /// terminal is as the program found it.
    #[track_caller]
    pub(crate) fn ends(mut self) -> (u32, String) {
        let (tell, told) = mpsc::channel();
        let mut child = self.child;
        std::thread::spawn(move || tell.send(child.wait().unwrap().exit_code()));
        let end = Instant::now() + HANG;
        let status = loop {
            while let Ok(bytes) = self.printed.try_recv() {
                self.screen.feed(&bytes);
            }
            match told.recv_timeout(Duration::from_millis(20)) {
                Ok(status) => break status,
                Err(_) if Instant::now() < end => {}
                Err(_) => panic!("it does not end; there is:\n{}", self.screen.page_text()),
            }
        };
        assert_eq!(modes(&*self.master), self.modes_before);
        drop((self.slave, self.keyboard));
        while let Ok(bytes) = self.printed.recv_timeout(HANG) {
            self.screen.feed(&bytes);
        }
        let page = self.screen.page_text();
        assert_eq!(title(&self.screen), None);
        assert_eq!(String::from_utf8_lossy(&self.screen.restore()), "", "{page}");
        (status, page)
    }
}

/// The title, if it is another than at the start.
fn title(screen: &Screen) -> Option<String> {
    let dump = String::from_utf8(screen.dump()).unwrap();
    let (title, _) = dump.strip_prefix("\x1b]2;")?.split_once("\x1b\\")?;
    Some(title.to_owned())
}

/// Answers what the terminal is asked, as any terminal does when it comes to that.
fn answer(
    screen: &Mutex<Screen>,
    printed: &[u8],
    keyboard: &Keyboard,
    graphics: Graphics,
    late: &Late,
) {
    let mut screen = screen.lock().unwrap();
    let mut answers = Vec::new();
    let mut take = |printed: &[u8], answers: &mut Vec<u8>| {
        screen.feed(printed);
        screen.drain(&mut |_| {});
        screen.take_answers(answers);
    };
    let at = |what: &[u8]| printed.windows(what.len()).position(|part| part == what);
    let end = at(ASKS).map_or(0, |at| at + ASKS.len());
    if end > 0 {
        let begin = at(BEGINS).unwrap_or(0);
        take(&printed[..begin], &mut answers);
        take(&printed[begin..end], &mut Vec::new());
        answers.extend(graphics.answers().as_bytes());
    }
    take(&printed[end..], &mut answers);
    drop(screen);
    if graphics == Graphics::Mute || answers.is_empty() {
        return;
    }
    let mut kept = late.kept.lock().unwrap();
    // Where more was asked at once, what was kept would be followed by nothing that lets it go.
    let is_one = answers.iter().filter(|&&byte| byte == b'\x1b').count() == 1;
    if late.keeps_next.swap(false, Ordering::SeqCst) && is_one {
        return kept.append(&mut answers);
    }
    answers.splice(..0, kept.drain(..));
    // The program may have gone.
    let _ = keyboard.lock().unwrap().write_all(&answers);
}

/// How the terminal treats what is typed, and what is printed.
fn modes(master: &(dyn MasterPty + Send)) -> String {
    let modes = master.get_termios().unwrap();
    format!("{:?}", (modes.local_flags, modes.input_flags, modes.output_flags))
}

/// The children of a process.
pub(crate) fn children(pid: i32) -> Vec<Pid> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let children = std::fs::read_to_string(path).unwrap_or_default();
    children.split_whitespace().map(|pid| Pid::from_raw(pid.parse().unwrap()).unwrap()).collect()
}
