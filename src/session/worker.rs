//! A running worker: its process, its terminal and its sideband. It performs; it decides nothing
//! and knows no calls, replies or screen.

use std::io;

use mcp_repl_sideband::{PictureLimit, ToWorker};

use super::{
    launch::{Explainer, Launch},
    pipeline::{Found, InputState, Typist},
    rules::{
        payload::INTERRUPT,
        reader::{Awaits, Reader},
        state::Time,
    },
    sideband::{Arrival, Readable, Sideband},
};
use crate::{
    pty::{self, Blocked, Modes, Process, PtyMaster},
    reply::Exit,
    screen::{Marks, Size},
};

/// How long the terminal of a program that ended may take to report its end. The kernel does it
/// at once when the leader of the session is gone.
const DRAIN_GRACE: Time = Time::from_secs(1);

/// More than a terminal holds of what was printed (Linux: `TTYB_DEFAULT_MEM_LIMIT`, 640 KiB), in
/// bytes.
pub(super) const MOST_HELD: usize = 1 << 20;

/// A worker and all that belongs to it.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) process: Process,
    pub(super) terminal: PtyMaster,
    pub(super) sideband: Sideband,
    typist: Typist,
    /// The size of the terminal between cells.
    size: Size,
    /// The size that the terminal was last found to have.
    found_size: Size,
    terminal_open: bool,
    sideband_open: bool,
    /// Once the process is over: until when the rest is waited for.
    drained: Option<Time>,
    /// How much of what the process printed may be left once it is over, in bytes.
    undrained: usize,
    launch: Launch,
}

/// What a read of the terminal gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    /// How many bytes were read.
    pub(super) length: usize,
    /// The size that the terminal was found to have, if it is another one than before.
    pub(super) resized: Option<Size>,
}

impl Worker {
    /// Starts the program that `launch` describes, and tells it how large pictures may be.
    ///
    /// # Errors
    /// When there is no terminal or socket, or the program can't be executed.
    pub(super) fn start(launch: Launch, size: Size, pictures: PictureLimit) -> io::Result<Worker> {
        let has_sideband = launch.has_sideband();
        let sideband = match has_sideband {
            true => Sideband::listen(launch.socket(), launch.nonce().to_owned(), pictures)?,
            false => Sideband::none(),
        };
        let (terminal, process) = pty::spawn(launch.program(), size)?;
        Ok(Worker {
            process,
            terminal,
            sideband,
            typist: Typist::default(),
            size,
            found_size: size,
            terminal_open: true,
            sideband_open: has_sideband,
            drained: None,
            undrained: MOST_HELD,
            launch,
        })
    }

    /// The nonce that its marks carry.
    pub(super) fn nonce(&self) -> &str {
        self.launch.nonce()
    }

    /// What its terminal makes of marks.
    pub(super) fn marks(&self) -> Marks {
        self.terminal.marks()
    }

    /// Whether there is something that it may not reach.
    pub(super) fn is_confined(&self) -> bool {
        self.launch.is_confined()
    }

    /// Who knows what was denied to it.
    pub(super) fn explainer(&self) -> Option<Explainer> {
        self.launch.explainer()
    }

    /// Says something to the worker.
    pub(super) fn send(&mut self, message: &ToWorker) {
        self.sideband.send(message);
    }

    /// Takes what the sideband has. The process is told who the worker is, once that has shown it.
    pub(super) fn receive(&mut self, readable: Readable, has_marks: bool) -> Vec<Arrival> {
        let was_known = self.sideband.peer().is_some();
        let arrivals = self.sideband.receive(readable, has_marks);
        if let (false, Some(peer)) = (was_known, self.sideband.peer()) {
            self.process.has_worker(peer);
        }
        arrivals
    }

    /// Whether the terminal may still give something.
    pub(super) fn terminal_is_open(&self) -> bool {
        self.terminal_open
    }

    /// The terminal gives nothing more.
    pub(super) fn close_terminal(&mut self) {
        self.terminal_open = false;
    }

    /// The process is over, and the terminal gave so much since. When that is nothing, or more than
    /// a terminal holds, all that the process printed was read: the rest is of others.
    pub(super) fn drained(&mut self, length: usize) {
        self.undrained = self.undrained.saturating_sub(length);
        if length == 0 || self.undrained == 0 {
            self.close_terminal();
        }
    }

    /// How much waits to be typed, in bytes.
    pub(super) fn to_be_typed(&self) -> usize {
        self.typist.backlog()
    }

    /// The sideband gives nothing more.
    pub(super) fn close_sideband(&mut self) {
        self.sideband_open = false;
    }

    /// The process was seen to end.
    pub(super) fn is_over(&self) -> bool {
        self.process.is_over()
    }

    /// The process ended: the rest of what it printed and said is waited for, within bounds.
    pub(super) fn start_draining(&mut self, now: Time) {
        self.drained = Some(now + DRAIN_GRACE);
        // One that did not connect has nothing to say any more.
        if self.sideband.is_awaited() {
            self.close_sideband();
        }
    }

    /// How it went, and whether it missed input, once it has ended and all it gave was taken.
    pub(super) fn end(&self) -> Option<(Exit, bool)> {
        let ended = self.is_over() && !self.terminal_open && !self.sideband_open;
        ended.then(|| (self.process.exit(), self.sideband.missed_input()))
    }

    /// Types into the terminal.
    pub(super) fn type_bytes(&mut self, bytes: &[u8], now: Time) {
        self.typist.push(bytes);
        self.type_on(now);
    }

    /// Types what the terminal takes.
    fn type_on(&mut self, now: Time) {
        while self.typist.is_typing() {
            let canonical = self.is_canonical();
            let asks = canonical && self.typist.asks_for_input();
            let holds_input = asks && self.terminal.holds_input();
            let state = InputState { canonical, holds_input };
            let bytes = self.typist.next_write(state);
            let written = if bytes.is_empty() { 0 } else { self.terminal.io().try_write(bytes) };
            if !self.typist.wrote(written, state, now) {
                return;
            }
        }
    }

    fn is_canonical(&self) -> bool {
        self.terminal.modes().is_some_and(|modes| modes.canonical)
    }

    /// Types what a terminal owes a program that asked it something, if the program means to read
    /// it.
    pub(super) fn answer(&mut self, bytes: &[u8], now: Time) {
        if self.terminal.modes().is_some_and(|modes| !modes.canonical) {
            self.type_bytes(bytes, now);
        }
    }

    /// When [`Worker::tick`] is due.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.typist.deadline().into_iter().chain(self.drained).min()
    }

    /// Does what is due. What the process printed last waits in the terminal as long as it `is_held`
    /// back there.
    pub(super) fn tick(&mut self, now: Time, is_held: bool) {
        if self.typist.deadline().is_some_and(|due| due <= now) {
            self.type_on(now);
        }
        if is_held {
            self.drained = self.drained.map(|_| now + DRAIN_GRACE);
        }
        if self.drained.is_some_and(|due| due <= now) {
            (self.terminal_open, self.sideband_open, self.drained) = (false, false, None);
        }
    }

    /// Interrupts what runs. A raw terminal has no interrupt: its program gets the byte; and one
    /// without a sideband is struck by the signal. Then true is returned, since the worker won't tell
    /// that it was taken.
    ///
    /// A reader of the worker's own is interrupted whatever the modes. A key takes back what was typed
    /// before it and nobody has read (POSIX: ISIG without NOFLSH).
    pub(super) fn interrupt(&mut self, worker_reads: bool, by_key: bool, now: Time) -> bool {
        let has_signals = self.terminal.modes().is_none_or(|modes| modes.signals);
        match (has_signals || worker_reads, self.launch.has_sideband()) {
            (false, _) => self.type_bytes(&[INTERRUPT as u8], now),
            // What was typed before may fill the terminal, and the key would wait behind it.
            (true, false) => {
                self.drop_input();
                self.process.interrupt_foreground(&self.terminal);
            }
            (true, true) => {
                if by_key && has_signals {
                    self.drop_input();
                }
                self.send(&ToWorker::Interrupt);
                return false;
            }
        }
        true
    }

    /// Drops what was typed and nobody has read; how much, in bytes.
    pub(super) fn drop_input(&mut self) -> u64 {
        let (untyped, has_typed) = self.typist.drop_all();
        if has_typed { untyped + self.terminal.drop_input() } else { untyped }
    }

    /// Whether there is input in the terminal that nobody has read.
    pub(super) fn holds_input(&self) -> bool {
        self.terminal.holds_input()
    }

    /// Whether the terminal does not show what is typed: a secret may be asked for, in lines or, where
    /// no page `is_shown` that takes keys, key by key.
    pub(super) fn hides_typing(&self, is_shown: bool) -> bool {
        let hides = |modes: Modes| !modes.echo && (modes.canonical || !is_shown);
        self.terminal.modes().is_some_and(hides)
    }

    /// Who is blocked reading the terminal, if the kernel tells.
    pub(super) fn blocked_reader(&self) -> Option<Found> {
        let Blocked { thread, wakes, program, guessed, awaits } =
            self.process.blocked_reader(&self.terminal, self.launch.own_threads())?;
        let Modes { canonical, echo, .. } = self.terminal.modes()?;
        let awaits = match awaits {
            pty::Awaits::Terminal => Awaits::Terminal,
            pty::Awaits::Unknown => Awaits::Unknown,
            pty::Awaits::TerminalAndOthers { children_work } => {
                Awaits::TerminalAndOthers { children_work }
            }
            pty::Awaits::Others => Awaits::Others,
        };
        let reader = Reader { thread, wakes, program, guessed, awaits };
        Some(Found { reader, canonical, echo })
    }

    /// Whether other threads or children of the program could be reading the terminal in the
    /// background.
    pub(super) fn may_have_background_reader(&self) -> bool {
        self.process.has_other_tasks(self.launch.own_threads())
    }

    /// Reads what the terminal has into `buffer`; `None` when there is nothing for now, or
    /// nothing more.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Option<Chunk> {
        match self.terminal.io().try_read(buffer)? {
            0 => {
                self.terminal_open = false;
                None
            }
            length => Some(Chunk { length, resized: self.find_size() }),
        }
    }

    /// The size that a program gave the terminal, if it is another one than before: nothing tells
    /// of it.
    pub(super) fn find_size(&mut self) -> Option<Size> {
        let size = self.terminal.size().filter(|&size| size != self.found_size)?;
        self.found_size = size;
        Some(size)
    }

    /// Gives the terminal the size that it has between cells.
    pub(super) fn restore_size(&mut self) {
        if self.terminal.size().is_some_and(|size| size != self.size) {
            self.terminal.resize(self.size);
        }
    }

    /// Gives the terminal another size, which it has between cells from here on.
    pub(super) fn resize(&mut self, size: Size) {
        self.size = size;
        self.restore_size();
    }

    /// Hangs up on the program.
    pub(super) fn hang_up(&self) {
        self.process.hang_up();
    }

    /// Kills the program and its session.
    pub(super) fn kill(&self) {
        self.process.kill();
    }

    /// Ends what is left in the worker's session and removes its directory.
    pub(super) async fn sweep(self) {
        let Worker { process, launch, terminal, .. } = self;
        drop(terminal);
        process.end_leftovers().await;
        drop(launch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{
        launch::{RuntimeDirectory, WorkerProgram},
        rules::state::Paging,
    };

    const LIMIT: PictureLimit = PictureLimit { edge: 1568, area: 1_150_000 };

    #[tokio::test]
    async fn a_worker_that_ends_before_it_connects_is_not_waited_for_on_its_sideband() {
        let runtime = RuntimeDirectory::new().unwrap();
        let mut session = runtime.session().unwrap();
        let (file, arguments) = pty::testing::prints("");
        let program = WorkerProgram::custom(file, arguments);
        let launch = session.launch(&program, Paging::Through, &Default::default()).unwrap();
        let mut worker = Worker::start(launch, Size::default(), LIMIT).unwrap();
        worker.process.ended().await;
        worker.start_draining(Time::ZERO);
        while worker.end().is_none() {
            let read = worker.read(&mut [0; 64]);
            worker.drained(read.map_or(0, |chunk| chunk.length));
            assert!(worker.terminal_is_open() || worker.end().is_some(), "the sideband is open");
        }
        worker.sweep().await;
    }

    #[tokio::test]
    async fn what_is_held_back_in_the_terminal_is_waited_for() {
        let runtime = RuntimeDirectory::new().unwrap();
        let mut session = runtime.session().unwrap();
        let (file, arguments) = pty::testing::prints("last words");
        let program = WorkerProgram::custom(file, arguments);
        let launch = session.launch(&program, Paging::Through, &Default::default()).unwrap();
        let mut worker = Worker::start(launch, Size::default(), LIMIT).unwrap();
        worker.process.ended().await;
        worker.start_draining(Time::ZERO);
        worker.tick(DRAIN_GRACE, true);
        assert!(worker.terminal_is_open());
        worker.tick(2 * DRAIN_GRACE - Time::from_millis(1), false);
        assert!(worker.terminal_is_open());
        worker.tick(2 * DRAIN_GRACE, false);
        assert!(!worker.terminal_is_open());
        worker.sweep().await;
    }
}
