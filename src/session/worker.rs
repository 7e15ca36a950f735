//! A running worker: its process, terminal, sideband and screen as one source of events.
//!
//! Here the two channels are put in order: a message takes effect when the byte stream has
//! come to its mark, and nothing behind a mark is read before the mark's message is there.

use std::{collections::VecDeque, io, time::Duration};

use mcp_repl_sideband::{Mark, ToServer, ToWorker};
use tokio::time::Instant;

use super::{
    launch::Launch,
    link::{Arrival, Link},
    pager,
    state::{Reading, View},
};
use crate::{
    pty::{self, Blocked, Modes, Process, Terminal},
    reply::Exit,
    screen::{MarkSplitter, Screen, Segment, Size},
};

/// How long a mark and its message may miss each other. They are written one right after the
/// other, so only a worker that breaks the protocol needs this.
const MARK_GRACE: Duration = Duration::from_secs(2);
/// How long the terminal of a program that ended may take to report its end. The kernel does it
/// at once when the leader of the session is gone.
const DRAIN_GRACE: Duration = Duration::from_secs(1);
/// The most that is read before other events get their turn, in bytes.
const TURN: usize = 256 * 1024;

/// How much a canonical terminal's line discipline holds, in bytes (Linux: `N_TTY_BUF_SIZE`).
const LINE_DISCIPLINE: usize = 4096;
/// How much of a write reaches the line discipline at once, in bytes (`iterate_tty_write` in
/// Linux's drivers/tty/tty_io.c): a reader may be done before the rest is there.
const AT_ONCE: usize = 2048;
/// How often a terminal that holds input is looked at while more is to be typed.
const TYPING_PACE: Duration = Duration::from_millis(2);

/// What a worker did.
#[derive(Debug)]
pub enum WorkerEvent {
    /// It printed; the screen has it.
    Output,
    /// It said something, and the text before it is on the screen.
    Message(ToServer),
    /// It broke the protocol.
    Broken(String),
    /// It ended, and all it printed is on the screen.
    Ended {
        /// How.
        exit: Exit,
        /// Whether it went before it had read the last input it was sent.
        missed_input: bool,
    },
}

/// A piece of the byte stream that has to wait.
#[derive(Debug)]
enum Item {
    Bytes(Vec<u8>),
    Echo(bool),
    Mark(u64),
}

/// A worker and all that belongs to it.
#[derive(Debug)]
pub struct Worker {
    process: Process,
    terminal: Terminal,
    link: Link,
    /// What the worker printed.
    pub screen: Screen,
    /// The size of the terminal between cells.
    size: Size,
    /// The size that the terminal was last found to have.
    found_size: Size,
    /// Text above a pager's prompt that was not taken yet.
    page: String,
    splitter: MarkSplitter,
    /// What came from the terminal behind a mark whose message is not there yet.
    behind: VecDeque<Item>,
    /// Messages whose mark was not met yet, and those behind them.
    early: VecDeque<ToServer>,
    /// The last mark met in the byte stream.
    met: u64,
    /// When the two have missed each other for too long.
    missed: Option<Instant>,
    /// What the terminal did not take yet.
    typed: VecDeque<u8>,
    /// Whether anything was typed since the last cell ended.
    fed: bool,
    /// Bytes of it that were dropped, and not told yet.
    dropped: u64,
    terminal_open: bool,
    /// Set once the process is over: when the wait for the terminal's end is, too.
    drained: Option<Instant>,
    link_open: bool,
    buffer: Vec<u8>,
    launch: Launch,
}

impl Worker {
    /// Starts the program that `launch` describes.
    ///
    /// # Errors
    /// When there is no terminal or socket, or the program can't be executed.
    pub fn start(launch: Launch, size: Size) -> io::Result<Worker> {
        let link = Link::listen(launch.socket(), launch.nonce().to_owned())?;
        let (terminal, process) = pty::spawn(launch.program(), size)?;
        Ok(Worker {
            process,
            terminal,
            link,
            screen: Screen::new(size),
            size,
            found_size: size,
            page: String::new(),
            splitter: MarkSplitter::new(launch.nonce()),
            behind: VecDeque::new(),
            early: VecDeque::new(),
            met: 0,
            missed: None,
            typed: VecDeque::new(),
            fed: false,
            dropped: 0,
            terminal_open: true,
            drained: None,
            link_open: true,
            buffer: vec![0; 64 * 1024],
            launch,
        })
    }

    /// Says something to the worker.
    pub fn send(&mut self, message: &ToWorker) {
        // What a reader in the background left is not for the cell.
        if matches!(message, ToWorker::Cell { .. }) {
            self.drop_typed();
        }
        self.link.send(message);
    }

    /// Types into the terminal.
    pub fn type_bytes(&mut self, bytes: &[u8]) {
        self.typed.extend(bytes);
        self.flush_typed();
    }

    /// Interrupts what runs. A raw terminal has no interrupt: its program gets the byte, and
    /// true is returned, since the worker won't tell that it was taken.
    ///
    /// A reader of Python's own, told of by `waits`, is interrupted whatever the modes.
    pub fn interrupt(&mut self, waits: bool) -> bool {
        let raw = !waits && self.terminal.modes().is_some_and(|modes| !modes.signals);
        if raw {
            self.type_bytes(&[3]);
        } else {
            self.send(&ToWorker::Interrupt);
        }
        raw
    }

    /// Who waits for the terminal, if the kernel tells, and what it shows. `room` tells whether
    /// a reply has room for another page.
    pub fn reading(&mut self, room: bool) -> Option<Reading> {
        let Blocked { thread, wakes, program, guessed } =
            self.process.blocked_reader(&self.terminal)?;
        let Modes { canonical, echo, .. } = self.terminal.modes()?;
        // A program that sleeps may wait for anything; one that switched the echo off and
        // sleeps asks for a secret.
        if guessed && echo {
            return None;
        }
        let place = if canonical { None } else { pager::place(&program, &self.screen) };
        let view = match place {
            Some(place) => {
                if self.screen.is_alternate() {
                    // What was printed before the pager took the screen comes before its text.
                    self.screen.report(&mut self.page);
                }
                let mut text = String::new();
                self.screen.report_above_cursor(&mut text);
                self.page.push_str(pager::without_filling(&text, &program, &place));
                View::Pager { place, news: !self.page.is_empty(), room }
            }
            None if self.shows_page(canonical, &program) => {
                View::Page { cursor: self.screen.cursor() }
            }
            None => View::Text,
        };
        let pastes = !canonical && self.screen.wants_bracketed_paste();
        Some(Reading { thread, wakes, program, canonical, echo, pastes, guessed, view })
    }

    /// Whether the program that reads has the screen to itself. One that reads lines has only
    /// where it says so; a pager that asks for a line has a place for it, and no page.
    fn shows_page(&self, canonical: bool, program: &str) -> bool {
        let painted = !canonical && !pager::is_pager(program) && self.screen.is_full();
        self.screen.is_alternate() || painted
    }

    /// Whether threads or children of the program could be reading the terminal in the
    /// background: it has more than its main thread and the one that reads the sideband.
    pub fn has_company(&self) -> bool {
        self.process.has_other_tasks(2)
    }

    /// Whether there is input in the terminal that nobody has read.
    pub fn holds_input(&self) -> bool {
        self.terminal.holds_input()
    }

    /// Takes the text above a pager's prompt.
    pub fn take_page(&mut self) -> String {
        std::mem::take(&mut self.page)
    }

    /// Hangs up on the program.
    pub fn hang_up(&self) {
        self.process.hang_up();
    }

    /// Kills the program and its session.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// Ends what is left in the worker's session and removes its directory.
    pub async fn sweep(self) {
        let Worker { process, launch, terminal, .. } = self;
        drop(terminal);
        process.end_leftovers().await;
        drop(launch);
    }

    /// Types on. A canonical terminal gets what its line discipline holds, and more only when
    /// its reader has taken that: what the kernel would queue in front of it could not be
    /// taken back at the end of the cell.
    fn flush_typed(&mut self) {
        while !self.typed.is_empty() {
            let canonical = self.terminal.modes().is_some_and(|modes| modes.canonical);
            let held = canonical && self.terminal.holds_input();
            let typed = self.typed.make_contiguous();
            let most = if canonical { next_lines(typed, held) } else { typed.len() };
            if most == 0 {
                return;
            }
            let written = self.terminal.io().try_write(&typed[..most]);
            self.typed.drain(..written);
            self.fed |= written > 0;
            // What was written takes a moment to show in what the terminal holds.
            if written == 0 || canonical {
                return;
            }
        }
    }

    /// The next event. Cancel safe.
    pub async fn next(&mut self) -> WorkerEvent {
        loop {
            if let Some(message) = self.join() {
                return WorkerEvent::Message(message);
            }
            let over = self.process.is_over();
            if over && !self.terminal_open && !self.link_open {
                self.finish();
                let missed_input = self.link.missed_input();
                return WorkerEvent::Ended { exit: self.process.exit(), missed_input };
            }
            // What the leader printed is there by now; a descendant that holds the terminal
            // open, or goes on printing, delays nothing.
            if over && self.terminal_open && self.behind.is_empty() {
                if self.read_terminal() {
                    return WorkerEvent::Output;
                }
                self.terminal_open = false;
                continue;
            }
            self.watch_missing();
            let reads = self.terminal_open && self.behind.is_empty();
            tokio::select! {
                biased;
                arrival = self.link.next() => match arrival {
                    Arrival::Message(message) => self.early.push_back(message),
                    Arrival::Broken(why) => return WorkerEvent::Broken(why),
                    Arrival::Closed => self.link_open = false,
                },
                readable = self.terminal.io().readable(), if reads => {
                    if readable.is_err() || self.read_terminal() {
                        return WorkerEvent::Output;
                    }
                }
                // Nothing tells when a reader has taken what was typed.
                () = tokio::time::sleep(TYPING_PACE), if !self.typed.is_empty() => {
                    self.flush_typed();
                }
                () = self.process.ended(), if !over => {
                    self.drained = Some(Instant::now() + DRAIN_GRACE);
                    self.missed = None;
                }
                () = until(self.missed), if self.missed.is_some() => {
                    return WorkerEvent::Broken(self.missing());
                }
                () = until(self.drained), if self.drained.is_some() => {
                    self.terminal_open = false;
                    self.link_open = false;
                }
            }
        }
    }

    /// Whether a mark was met whose message has not taken effect. When it has, there is an
    /// event: what is behind the mark alone makes none, and is no reason to wait.
    pub fn holds(&self) -> bool {
        matches!(self.behind.front(), Some(Item::Mark(_)))
    }

    /// Shows what the terminal has to give without waiting. Whether there was anything.
    pub fn catch_up(&mut self) -> bool {
        // A message that is due comes first, with the screen where it belongs.
        if self.early.is_empty() {
            self.show_behind();
        }
        self.terminal_open && self.behind.is_empty() && self.read_terminal()
    }

    /// Whether a mark and its message are on their way to each other.
    pub fn is_behind(&self) -> bool {
        !self.behind.is_empty() || !self.early.is_empty()
    }

    /// Reads what the terminal has, up to a turn's worth or a mark. Whether anything came.
    fn read_terminal(&mut self) -> bool {
        let mut total = 0;
        let mut buffer = std::mem::take(&mut self.buffer);
        while total < TURN && self.behind.is_empty() {
            match self.terminal.io().try_read(&mut buffer) {
                Some(0) => {
                    self.terminal_open = false;
                    break;
                }
                Some(n) => {
                    total += n;
                    self.follow_size();
                    self.take_bytes(&buffer[..n]);
                }
                None => break,
            }
        }
        self.buffer = buffer;
        if total > 0 {
            self.missed = None;
            self.answer_queries();
        }
        total > 0
    }

    /// Gives the screen the size that a program gave the terminal: nothing tells of it.
    fn follow_size(&mut self) {
        if let Some(size) = self.terminal.size().filter(|&size| size != self.found_size) {
            self.found_size = size;
            self.screen.resize(size);
        }
    }

    /// Gives the terminal the size back that a cell finds.
    fn restore_size(&mut self) {
        self.follow_size();
        if self.found_size != self.size {
            self.terminal.resize(self.size);
            self.follow_size();
        }
    }

    /// Types the answers that a terminal owes to programs which ask it something.
    ///
    /// One that means to read them has switched the terminal to single keys; into a canonical
    /// terminal the question came by accident, in a file that was printed, say, and the answer
    /// would be left over for somebody else.
    fn answer_queries(&mut self) {
        let mut answers = Vec::new();
        self.screen.take_answers(&mut answers);
        if !answers.is_empty() && self.terminal.modes().is_some_and(|modes| !modes.canonical) {
            self.type_bytes(&answers);
        }
    }

    /// Feeds bytes to the screen, up to the first mark; what is behind it waits.
    fn take_bytes(&mut self, bytes: &[u8]) {
        let Worker { splitter, screen, behind, .. } = self;
        splitter.split(bytes, &mut |segment| match segment {
            Segment::Bytes(bytes) if behind.is_empty() => screen.feed(bytes),
            Segment::Bytes(bytes) => behind.push_back(Item::Bytes(bytes.to_vec())),
            Segment::Mark(Mark::Point(number)) => behind.push_back(Item::Mark(number)),
            Segment::Mark(mark) => {
                let on = mark == Mark::EchoStart;
                if behind.is_empty() {
                    screen.set_echo(on)
                } else {
                    behind.push_back(Item::Echo(on))
                }
            }
        });
    }

    /// The next message that takes effect, the screen being just where it belongs.
    fn join(&mut self) -> Option<ToServer> {
        loop {
            let due = self.early.front().map(|message| message.mark().unwrap_or(0));
            if due.is_some_and(|due| due <= self.met) {
                return self.early.pop_front().map(|message| self.count_untyped(message));
            }
            self.show_behind();
            match self.behind.front()? {
                // A message refers to this mark or a later one.
                Item::Mark(number) if due.is_some() => self.met = self.met.max(*number),
                _ => return None,
            }
            self.behind.pop_front();
        }
    }

    /// Shows what came from the terminal up to the next mark.
    fn show_behind(&mut self) {
        while let Some(item) = self.behind.pop_front_if(|item| !matches!(item, Item::Mark(_))) {
            match item {
                Item::Bytes(bytes) => self.screen.feed(&bytes),
                Item::Echo(on) => self.screen.set_echo(on),
                Item::Mark(_) => {}
            }
        }
    }

    /// What was typed and not read at the end of a cell, or not typed yet, is for nobody: it is
    /// dropped, and counted with the input that the worker dropped.
    fn count_untyped(&mut self, message: ToServer) -> ToServer {
        match message {
            ToServer::CellDone { .. } => {
                self.restore_size();
                self.drop_typed();
                // The terminal has echoed it.
                if self.dropped > 0 {
                    self.show_behind();
                    self.read_terminal();
                }
                message
            }
            ToServer::Ready { mark, discarded_bytes } => {
                let untyped = std::mem::take(&mut self.typed).len() as u64;
                let untyped = untyped + std::mem::take(&mut self.dropped);
                ToServer::Ready { mark, discarded_bytes: discarded_bytes + untyped }
            }
            message => message,
        }
    }

    /// Drops what was typed and nobody has read.
    fn drop_typed(&mut self) {
        if std::mem::take(&mut self.fed) {
            self.dropped += self.terminal.drop_input();
        }
    }

    /// Starts the clock when a mark or a message waits for the other.
    fn watch_missing(&mut self) {
        let orphan = !self.link_open && !self.process.is_over();
        if self.early.is_empty() && self.behind.is_empty() && !orphan {
            self.missed = None;
        } else if self.missed.is_none() && self.drained.is_none() {
            self.missed = Some(Instant::now() + MARK_GRACE);
        }
    }

    /// What the clock ran out on.
    fn missing(&self) -> String {
        if let Some(mark) = self.early.front().and_then(ToServer::mark) {
            format!("the worker announced mark {mark}, which did not come on its terminal")
        } else if !self.behind.is_empty() {
            "the worker wrote a mark to its terminal and sent no message for it".into()
        } else {
            "the worker closed its sideband and went on".into()
        }
    }

    /// Shows all there is, from a worker that is given up.
    pub fn give_up(&mut self) {
        self.finish();
        if self.terminal_open {
            self.read_terminal();
            self.finish();
        }
    }

    /// Nothing more is to come: shows what was held back.
    fn finish(&mut self) {
        self.met = u64::MAX;
        for item in std::mem::take(&mut self.behind) {
            match item {
                Item::Bytes(bytes) => self.screen.feed(&bytes),
                Item::Echo(on) => self.screen.set_echo(on),
                Item::Mark(_) => {}
            }
        }
        let Worker { splitter, screen, .. } = self;
        splitter.finish(&mut |segment| {
            if let Segment::Bytes(bytes) = segment {
                screen.feed(bytes);
            }
        });
    }
}

async fn until(moment: Option<Instant>) {
    if let Some(moment) = moment {
        tokio::time::sleep_until(moment).await;
    }
}

/// How many bytes of whole lines the line discipline takes; 0 while it holds some.
fn next_lines(typed: &[u8], held: bool) -> usize {
    if held {
        return 0;
    }
    let is_end = |&byte: &u8| byte == b'\n';
    let room = |most: usize| &typed[..typed.len().min(most)];
    let whole = room(AT_ONCE).iter().rposition(is_end);
    let whole = whole.or_else(|| room(LINE_DISCIPLINE).iter().position(is_end));
    whole.map_or(room(LINE_DISCIPLINE).len(), |end| end + 1)
}
