//! The player: a recording on the person's terminal, and their keys. All of the terminal is put back at
//! the end, whatever the end is.

use std::{
    io::{self, IsTerminal, Write},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use tokio::time::Instant;

use super::{
    canvas::Canvas,
    keys::{Key, keys},
    player::{Next, Player},
    source::{self, Source},
};
use crate::{
    cast::{CastError, Event, Header, Kind},
    cli::runtime,
    pty::{self, Request, Requests, Stopping, TerminalInput, TerminalOutput},
    screen::{Screen, Size},
    terminal::{self, RawMode},
};

/// Longer than anybody waits.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
/// How much is read of the keyboard at once, in bytes.
const MOST_TYPED: usize = 256;
/// How many events are played before somebody looks at the keyboard.
const MOST_AT_ONCE: usize = 64;
/// How much is printed at once, in bytes: less than a screen keeps rows of.
const MOST_FED: usize = 2048;
/// How many rows leave the page before it is painted.
const MOST_SCROLLED: usize = 256;
/// How far the terminal may be behind before nothing more is played, in bytes.
const MOST_BEHIND: usize = 64 * 1024;
/// How long a terminal that takes nothing is waited for at the end.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long after it was continued a process is told so.
const CONTINUED: Duration = Duration::from_millis(200);
/// What is said where there is no way back.
const ONE_WAY: &str = "[replay] there is no way back in what comes from a pipe";

/// Plays a recording on the terminal that this process is on.
pub(super) fn play(
    path: &Path,
    speed: f64,
    idle_limit: Option<Duration>,
) -> Result<ExitCode, String> {
    if !terminal::can_show() {
        return Err("a recording is played on a terminal that can move its cursor, and standard \
                    output is none; --text prints it, and --svg draws it"
            .into());
    }
    let has_keyboard = io::stdin().is_terminal() || pty::type_on_output_terminal().is_ok();
    // Before any thread is started.
    pty::guard_terminal();
    let wrong = |error: CastError| format!("{}: {error}", path.display());
    let recording = source::open(path).map_err(wrong)?;
    let header = recording.header().clone();
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let requests = Requests::new()?.with_stop()?;
        let raw = has_keyboard.then(RawMode::enter).transpose()?;
        let input = has_keyboard.then(TerminalInput::new).transpose()?;
        let idle_limit = idle_limit.or(header.idle_time_limit).unwrap_or(Duration::MAX);
        let mut stage = Stage::new(&header, Source::start(path, recording), speed, idle_limit);
        let ended = stage.run(input, requests).await;
        stage.end().await;
        drop(raw);
        io::Result::Ok(ended)
    });
    // A thread may wait for more of a pipe.
    runtime.shutdown_background();
    match ended.map_err(|error| error.to_string())? {
        Ended::Over => Ok(ExitCode::SUCCESS),
        Ended::Asked(signal) => {
            Ok(pty::killed_status(signal).map_or(ExitCode::FAILURE, ExitCode::from))
        }
        Ended::Wrong(error) => Err(wrong(error)),
    }
}

/// How it ended.
#[derive(Debug)]
enum Ended {
    /// All was shown, or the person has ended it.
    Over,
    /// A signal, or its key, asked for it.
    Asked(&'static str),
    /// The recording is wrong from there on.
    Wrong(CastError),
}

/// What the loop does next.
enum Step {
    /// The same again.
    GoOn,
    WaitUntil(Duration),
    /// Waits for the next event.
    NeedsEvent,
    Ended(Ended),
}

/// What is played, and where.
struct Stage {
    source: Source,
    player: Player,
    screen: Screen,
    canvas: Canvas,
    output: Output,
    /// What is printed and not on the screen so far, and from where on.
    printed: (String, usize),
    /// Whether the screen shows more than the terminal.
    is_stale: bool,
    /// What is wrong with the recording from here on.
    wrong: Option<CastError>,
    began: Instant,
}

impl Stage {
    fn new(header: &Header, source: Source, speed: f64, idle_limit: Duration) -> Stage {
        let mut stage = Stage {
            source,
            player: Player::new(speed, idle_limit, Duration::ZERO),
            screen: Screen::new(header.size),
            canvas: Canvas::new(terminal::size().unwrap_or_default()),
            output: Output::default(),
            printed: Default::default(),
            is_stale: false,
            wrong: None,
            began: Instant::now(),
        };
        stage.screen.keep_scrolled();
        stage.say_if_small(header.size, None);
        stage
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// The loop.
    async fn run(&mut self, input: Option<TerminalInput>, mut requests: Requests) -> Ended {
        let mut typed = [0; MOST_TYPED];
        loop {
            let step = self.advance();
            // Nothing is shown between things that happen at once.
            if !matches!(step, Step::GoOn) && !self.player.is_skipping() && !self.is_behind() {
                self.paint();
            }
            let wait = match step {
                Step::GoOn => Duration::ZERO,
                Step::WaitUntil(until) => until.saturating_sub(self.now()),
                Step::NeedsEvent => FOR_EVER,
                Step::Ended(ended) => return ended,
            };
            let needs_event = matches!(step, Step::NeedsEvent);
            tokio::select! {
                biased;
                read = read(&input, &mut typed) => match read {
                    Ok(length @ 1..) => {
                        for key in keys(&typed[..length]) {
                            if let Some(ended) = self.press(key, &mut requests).await {
                                return ended;
                            }
                        }
                    }
                    // The terminal is gone.
                    _ => return Ended::Asked("SIGHUP"),
                },
                request = requests.next() => {
                    if let Some(ended) = self.asked(request, &mut requests).await {
                        return ended;
                    }
                }
                written = self.output.write(), if self.output.has_more() => {
                    if written.is_err() {
                        return Ended::Asked("SIGHUP");
                    }
                }
                event = self.source.next(), if needs_event => self.take(event),
                () = tokio::task::yield_now(), if wait.is_zero() => {}
                () = tokio::time::sleep(wait), if !wait.is_zero() => {}
            }
        }
    }

    /// Plays some of what is due.
    fn advance(&mut self) -> Step {
        for _ in 0..MOST_AT_ONCE {
            if self.is_behind() {
                return Step::WaitUntil(FOR_EVER);
            }
            if self.print_some() {
                continue;
            }
            match self.player.next(self.now()) {
                Next::Happened(kind) => self.happened(kind),
                Next::WaitUntil(until) => return Step::WaitUntil(until),
                Next::Paused => return Step::WaitUntil(FOR_EVER),
                Next::NeedsEvent => match self.source.try_next() {
                    Some(event) => self.take(Some(event)),
                    None => return Step::NeedsEvent,
                },
                Next::Rewind => {
                    if let Err(error) = self.rewind() {
                        return Step::Ended(Ended::Wrong(error));
                    }
                }
                Next::Over => {
                    return Step::Ended(self.wrong.take().map_or(Ended::Over, Ended::Wrong));
                }
            }
        }
        Step::GoOn
    }

    /// The next event was read. One that is wrong is the end.
    fn take(&mut self, event: Option<Result<Event, CastError>>) {
        let event = event.transpose().unwrap_or_else(|error| {
            self.wrong = Some(error);
            None
        });
        self.player.take(event);
    }

    fn is_behind(&self) -> bool {
        self.output.behind() > MOST_BEHIND
    }

    /// Puts some of what is printed on the screen; whether there was any.
    fn print_some(&mut self) -> bool {
        let (text, from) = &mut self.printed;
        let bytes = &text.as_bytes()[*from..];
        let bytes = &bytes[..bytes.len().min(MOST_FED)];
        if bytes.is_empty() {
            return false;
        }
        self.screen.feed(bytes);
        *from += bytes.len();
        self.settle();
        true
    }

    /// Takes what the screen has beside its page.
    fn settle(&mut self) {
        self.is_stale = true;
        self.screen.drain(&mut |_| {});
        // Nobody reads them: a recording asks nobody anything.
        self.screen.take_answers(&mut Vec::new());
        let scrolled = self.canvas.take_scrolled(&mut self.screen);
        if self.player.is_skipping() {
            self.canvas.drop_scrolled();
        } else if scrolled > MOST_SCROLLED {
            self.paint();
        }
    }

    fn happened(&mut self, kind: Kind) {
        match kind {
            Kind::Output(text) => self.printed = (text, 0),
            Kind::Resize(size) => {
                let before = self.screen.size();
                self.screen.resize(size);
                self.settle();
                self.say_if_small(size, Some(before));
            }
            // The status says where it is.
            Kind::Marker(_) => self.is_stale = true,
            Kind::Input(_) | Kind::Exit(_) | Kind::Other { .. } => {}
        }
    }

    fn rewind(&mut self) -> Result<(), CastError> {
        let header = self.source.rewind()?;
        self.screen = Screen::new(header.size);
        self.screen.keep_scrolled();
        (self.printed, self.wrong, self.is_stale) = (Default::default(), None, true);
        self.canvas.clear();
        Ok(())
    }

    /// Says that a recording of this size does not fit, unless one of the size before did not, either.
    fn say_if_small(&mut self, size: Size, before: Option<Size>) {
        let is_known = before.is_some_and(|before| !self.canvas.fits(before));
        if !self.canvas.fits(size) && !is_known {
            let own = self.canvas.size();
            self.say(&format!(
                "[replay] this terminal is {}x{}, the recorded one {}x{}: the rest is not shown",
                own.columns, own.rows, size.columns, size.rows
            ));
        }
    }

    fn say(&mut self, line: &str) {
        self.canvas.say(line);
        self.is_stale = true;
        self.hand_on();
    }

    async fn press(&mut self, key: Key, requests: &mut Requests) -> Option<Ended> {
        match key {
            Key::Quit => return Some(Ended::Over),
            Key::Interrupt => return Some(Ended::Asked("SIGINT")),
            Key::Stop => return self.stop(requests).await,
            Key::PreviousMarker if !self.source.can_rewind() => self.say(ONE_WAY),
            Key::Pause | Key::Step | Key::NextMarker | Key::PreviousMarker => {
                let was_skipping = self.player.is_skipping();
                self.player.press(key, self.now());
                if self.player.is_skipping() && !was_skipping {
                    // What is in between is not to stand above what comes.
                    self.canvas.clear();
                }
                self.is_stale = true;
            }
        }
        None
    }

    async fn asked(&mut self, request: Request, requests: &mut Requests) -> Option<Ended> {
        match request {
            Request::Interrupt => return Some(Ended::Asked("SIGINT")),
            Request::End { signal } => return Some(Ended::Asked(signal)),
            Request::Stop => return self.stop(requests).await,
            Request::Continue => self.go_on(),
            Request::Resize => {
                let before = self.canvas.size();
                if let Some(size) = terminal::size().filter(|size| *size != before) {
                    self.canvas.resize(size);
                    self.is_stale = true;
                }
            }
        }
        None
    }

    /// Stops this process, with the terminal put back, until it is continued.
    async fn stop(&mut self, requests: &mut Requests) -> Option<Ended> {
        let since = self.now();
        self.put_back().await;
        terminal::leave_raw();
        let mut why = Stopping::Asked;
        loop {
            pty::stop_group(why);
            let was_continued = loop {
                match tokio::time::timeout(CONTINUED, requests.next()).await {
                    Ok(Request::Continue) => break true,
                    Ok(Request::End { signal }) => return Some(Ended::Asked(signal)),
                    Ok(Request::Interrupt) => return Some(Ended::Asked("SIGINT")),
                    Ok(Request::Resize | Request::Stop) => {}
                    // Nobody could stop it.
                    Err(_) => break false,
                }
            };
            if pty::has_the_terminal() {
                break;
            }
            if !was_continued {
                // Nobody can give it the terminal any more.
                return Some(Ended::Asked("SIGHUP"));
            }
            why = Stopping::InBackground;
        }
        let now = self.now();
        self.player.stood(since, now);
        self.go_on();
        None
    }

    /// Paints anew, below what others may have printed.
    fn go_on(&mut self) {
        terminal::make_raw_again();
        self.canvas.leave();
        if let Some(size) = terminal::size() {
            self.canvas.resize(size);
        }
        self.is_stale = true;
    }

    /// Has the terminal show what the screen does.
    fn paint(&mut self) {
        if std::mem::take(&mut self.is_stale) {
            self.canvas.paint(&self.screen, self.player.status().as_deref());
            self.hand_on();
        }
    }

    /// Has the output write what the canvas has for it.
    fn hand_on(&mut self) {
        let restoration = self.canvas.restoration();
        self.output.take(&mut self.canvas.out, restoration);
    }

    /// Puts the terminal back, below the page as it is without the status.
    async fn put_back(&mut self) {
        self.canvas.paint(&self.screen, None);
        self.canvas.leave();
        self.hand_on();
        let writing = async {
            while self.output.has_more() {
                self.output.write().await?;
            }
            io::Result::Ok(())
        };
        // One that is gone, or takes nothing, stays as it is.
        if let Ok(Ok(())) = tokio::time::timeout(PATIENCE, writing).await {
            self.output.is_put_back();
        }
    }

    /// Puts the terminal back for the last time. Of what is before a full-screen program not all may
    /// have been painted.
    async fn end(&mut self) {
        self.screen.feed(b"\x18\x1b[?1049l");
        self.put_back().await;
    }
}

/// Reads what is typed; never, where nobody can. Cancel safe.
async fn read(input: &Option<TerminalInput>, buffer: &mut [u8]) -> io::Result<usize> {
    match input {
        Some(input) => input.read(buffer).await,
        None => std::future::pending().await,
    }
}

/// What is written to the terminal, and what its guard was told of that.
#[derive(Debug, Default)]
struct Output {
    out: TerminalOutput,
    pending: Vec<u8>,
    is_unflushed: bool,
    /// What puts the terminal back once all is written.
    restoration: &'static str,
    /// What its guard was told.
    guarded: &'static str,
}

impl Output {
    fn behind(&self) -> usize {
        self.pending.len()
    }

    fn has_more(&self) -> bool {
        !self.pending.is_empty() || self.is_unflushed
    }

    /// Takes what is to be written; `restoration` puts the terminal back then.
    fn take(&mut self, text: &mut String, restoration: &'static str) {
        self.restoration = restoration;
        if restoration.len() > self.guarded.len() {
            self.guard(restoration);
        }
        self.pending.extend(text.drain(..).as_str().as_bytes());
    }

    /// All of the terminal is as it was found.
    fn is_put_back(&mut self) {
        self.restoration = "";
        self.guard("");
    }

    fn guard(&mut self, restoration: &'static str) {
        if self.guarded != restoration {
            self.guarded = restoration;
            pty::restore_by_guard(restoration.as_bytes());
        }
    }

    /// Writes on. Cancel safe.
    async fn write(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            self.out.flush().await?;
            self.is_unflushed = false;
            self.guard(self.restoration);
        } else {
            self.is_unflushed = true;
            let written = self.out.write(&self.pending).await?;
            self.pending.drain(..written);
        }
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = io::stdout().write_all(self.guarded.as_bytes());
            let _ = io::stdout().flush();
        }
    }
}
