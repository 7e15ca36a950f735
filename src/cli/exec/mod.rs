//! `mcp-repl exec`: run cells in a fresh session, or in one that lives, and print what they print.
//!
//! Through a pipe, standard output gets what the program printed and nothing else; prompts and the
//! bridge's own lines go to standard error. A terminal shows what the session's terminal shows, and
//! its keys go to the program.

mod asks;
mod attachments;
mod joined;
mod print;
mod source;

use std::{
    collections::VecDeque,
    ffi::OsString,
    io::{self, BufRead},
    path::PathBuf,
    process::ExitCode,
};

use clap::Args;
use mcp_repl_sideband::Outcome;
use tokio::sync::mpsc;

use self::{
    asks::{Asks, CtrlC},
    attachments::Attachments,
    print::{Out, Printer},
    source::Source,
};
use super::{
    config,
    limit_options::LimitArguments,
    record_options::RecordArguments,
    sandbox_options::{self, SandboxArguments},
    terminal::{self, Keyboard, Shown},
    with_session,
};
use crate::{
    pty::{self, Requests},
    registry::SessionName,
    remote::{Place, sandbox::to_wire},
    reply::{AttachmentRoom, Budget, Content, Exit, Notice, OUT_OF_MEMORY, Reply, Status},
    sandbox::Mode,
    session::{
        client::{Client, Follow, Following, Handle, Piece},
        launch::{Script, Target},
        rules::{
            payload::{Keys, Payload},
            state::Paging,
        },
    },
};

/// How often the program is told of the end of its input before it is ended.
const LONGEST_END: u32 = 100;

/// The arguments of `exec`.
#[derive(Debug, Args)]
pub(super) struct ExecArguments {
    /// Cells, run one after the other. Without any, and without --file, or for `-`, standard
    /// input is the cell.
    ///
    /// With --run, texts that are typed when the program asks for input, before what standard input
    /// has.
    cells: Vec<String>,
    /// Run them in the session of this name, which lives and goes on; whole replies are printed.
    #[arg(long, value_name = "NAME", conflicts_with = "arguments")]
    pub(super) session: Option<SessionName>,
    /// A file to run; lines that begin with `# %%` part it into cells. `-` is standard input.
    #[arg(long, short, value_name = "FILE", conflicts_with = "cells")]
    file: Option<PathBuf>,
    /// Print each reply as a JSON object on a line of its own, and what the program says at its end as a last one.
    #[arg(long)]
    json: bool,
    /// Write pictures and documents to files in this directory: `picture-1.png`, `page-2.html`.
    /// Those of an earlier run are replaced.
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// Run no cell behind one that raised. The default for a file and for standard input.
    #[arg(long, overrides_with = "keep_going")]
    stop_on_error: bool,
    /// Run the cells behind one that raised, too. The default for cells that are arguments.
    #[arg(long, overrides_with = "stop_on_error")]
    keep_going: bool,
    #[command(flatten)]
    record: RecordArguments,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    pub(super) sandbox: SandboxArguments,
    /// What the program finds in `sys.argv[1:]`.
    #[arg(last = true, value_name = "ARG")]
    arguments: Vec<OsString>,
}

/// Runs the cells; those in a living session in one of `place`, which is to be confined as the arguments say
/// where `asks_sandbox`. The exit status is 1 when one raised, its own when the program exited, and as a shell
/// has it when a signal killed it.
pub(super) fn exec(
    target: Target,
    arguments: &ExecArguments,
    place: &Place,
    asks_sandbox: bool,
) -> Result<ExitCode, String> {
    let source = Source::new(&arguments.cells, arguments.file.as_deref());
    let is_program = matches!(target, Target::Program(..));
    let cells = match &source {
        Source::File(_) if is_program => {
            return Err("--file is for cells, and a program that --run names takes none; what it \
                        asks for is read from standard input"
                .into());
        }
        // It is read as the program asks.
        Source::StandardInput if is_program => Vec::new(),
        source => source.cells()?,
    };
    let stops = match source {
        Source::Arguments(_) => arguments.stop_on_error,
        Source::File(_) | Source::StandardInput => !arguments.keep_going,
    };
    let attachments = Attachments::new(arguments.images.as_deref())?;
    if let Some(name) = &arguments.session {
        if arguments.record.is_given() {
            return Err("--record is for a fresh session, which is recorded from its start".into());
        }
        let wanted = match asks_sandbox {
            true => Some(to_wire(&arguments.sandbox.settings(Mode::Off, place)?)),
            false => None,
        };
        let open = joined::open(name, wanted);
        return joined::exec(place, open, cells, stops, arguments.json, attachments);
    }
    let target = with_arguments(target, source, &arguments.arguments);
    let budget = Budget { text: usize::MAX, attachments: AttachmentRoom::All };
    let mut config = config(target, Paging::Through, budget)?;
    config.size = terminal::size().unwrap_or(config.size);
    config.recording = arguments.record.file("exec")?;
    config.surroundings.limits = arguments.limits.limits();
    let settings = arguments.sandbox.settings(Mode::Off, place)?;
    let recordings = arguments.record.place();
    config.surroundings.sandbox = sandbox_options::sandbox(settings, recordings.as_deref());
    with_session(config, async |session: Handle| {
        let mut run = Run::new(&session, arguments.json, attachments, stops).await?;
        let ran = match is_program {
            true => run.program(cells).await,
            false => run.all(cells).await,
        };
        let ended = match ran {
            Ok(code) => run.end(&session).await.map(|()| code),
            stopped => stopped,
        };
        run.printer.end().await;
        exit_code(ended)
    })
}

/// What a shell is told of it.
fn exit_code(ended: Result<ExitCode, Stop>) -> Result<ExitCode, String> {
    match ended {
        Ok(code) => Ok(code),
        Err(Stop::Asked { signal }) => Ok(killed_by(signal)),
        // As for any program that writes into a pipe nobody reads.
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(killed_by("SIGPIPE"))
        }
        Err(stop) => Err(stop.to_string()),
    }
}

/// The same program, which is told what it is and what it is given.
fn with_arguments(target: Target, source: Source, given: &[OsString]) -> Target {
    let file = match source {
        Source::File(file) => Some(file),
        Source::Arguments(_) | Source::StandardInput => None,
    };
    match target {
        Target::Python(search) | Target::Script(search, _) => {
            let name = file.clone().unwrap_or_default().into_os_string();
            let arguments = [name].into_iter().chain(given.iter().cloned()).collect();
            let file = file.map(|file| std::path::absolute(&file).unwrap_or(file));
            Target::Script(search, Script { file, arguments })
        }
        Target::Custom(file, mut arguments) => {
            arguments.extend_from_slice(given);
            Target::Custom(file, arguments)
        }
        Target::Program(file, mut arguments) => {
            arguments.extend_from_slice(given);
            Target::Program(file, arguments)
        }
    }
}

/// Why the cells are not run to their end.
#[derive(Debug, thiserror::Error)]
enum Stop {
    /// Somebody asked for it.
    #[error("ended by {signal}")]
    Asked {
        /// The name of the signal.
        signal: &'static str,
    },
    #[error("can't print: {0}")]
    Output(#[from] io::Error),
    #[error("the session is gone")]
    Gone,
    #[error("the session waits for input of what runs there ({line}); nothing was run")]
    Waits {
        /// How things stand.
        line: String,
    },
}

/// Cells on their way through a session.
struct Run {
    client: Client,
    /// What is told as it comes; `None` where only whole replies are printed.
    following: Option<Following>,
    /// How many replies were told to be there, and were not taken.
    told: usize,
    asks: Asks,
    printer: Printer,
    /// Whether no cell is run behind one that raised.
    stops: bool,
    /// Whether the session lived before, and what asks there asks somebody else.
    is_joined: bool,
    /// Whether what comes has something of its own cells.
    has_begun: bool,
}

impl Run {
    async fn new(
        session: &Handle,
        json: bool,
        attachments: Attachments,
        stops: bool,
    ) -> Result<Run, String> {
        let requests = Requests::new().map_err(|error| format!("no signals: {error}"))?;
        let client = session.join();
        let shows = !json && terminal::can_show();
        let answers = shows && terminal::has_keyboard();
        let following = match (json, shows) {
            (true, _) => None,
            (false, true) => client.follow(Follow::Terminal { answers }).await,
            (false, false) => client.follow(Follow::Text).await,
        };
        let out = match (json, shows) {
            (true, _) => Out::Json(tokio::io::stdout()),
            (false, true) => Out::Terminal(Box::new(Shown::new())),
            (false, false) => Out::Text(tokio::io::stdout()),
        };
        let keyboard = answers.then(|| Keyboard::take(client.typist())).transpose();
        let keyboard = keyboard.map_err(|error| format!("no keyboard: {error}"))?;
        session.people(answers);
        let asks = Asks::new(requests, keyboard);
        let printer = Printer { out, attachments };
        Ok(Run {
            client,
            following,
            told: 0,
            asks,
            printer,
            stops,
            is_joined: false,
            has_begun: true,
        })
    }

    async fn all(&mut self, cells: Vec<String>) -> Result<ExitCode, Stop> {
        let mut answers = Answers::default();
        if let Some(code) = self.start(&mut answers).await? {
            return Ok(code);
        }
        let mut raised = false;
        for cell in cells {
            match self.cell(cell, &mut answers).await? {
                CellEnd::Done(Some(Outcome::Interrupted)) => return Ok(killed_by("SIGINT")),
                CellEnd::Done(Some(Outcome::Error)) => {
                    raised = true;
                    if self.stops {
                        break;
                    }
                }
                CellEnd::Done(Some(Outcome::Ok) | None) => {}
                CellEnd::Over(code) => return Ok(code),
            }
        }
        Ok(if raised { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    /// Waits until the session takes cells. The exit status, when it will not.
    async fn start(&mut self, answers: &mut Answers) -> Result<Option<ExitCode>, Stop> {
        self.asks.call(&self.client, Payload::poll());
        let reply = loop {
            let reply = self.reply(CtrlC::Ends).await?;
            if self.is_joined && reply.status.asks_for_input() {
                return Err(Stop::Waits { line: reply.status.line() });
            }
            if !matches!(reply.status, Status::StartWaits { .. }) {
                break reply;
            }
            self.print(&reply).await?;
            if !self.answer(answers).await? {
                return Ok(Some(ExitCode::FAILURE));
            }
        };
        // The first cell starts another session, or says why there is none.
        if let Status::Ended { .. } = reply.status {
            return Ok(None);
        }
        let is_ready = matches!(reply.status, Status::Ready { .. });
        if !is_ready || has_news(&reply) {
            self.print(&reply).await?;
        }
        Ok(if is_ready { None } else { ended(&reply.status) })
    }

    /// Follows a program to its end, and gives it what it asks for: these texts, then what standard
    /// input has.
    async fn program(&mut self, texts: Vec<String>) -> Result<ExitCode, Stop> {
        let mut answers = Answers { texts: texts.into(), ..Answers::default() };
        match self.run(Payload::poll(), &mut answers).await? {
            CellEnd::Over(code) => Ok(code),
            CellEnd::Done(_) => Ok(ExitCode::SUCCESS),
        }
    }

    /// Runs a cell to its end, and gives the program what it asks for.
    async fn cell(&mut self, cell: String, answers: &mut Answers) -> Result<CellEnd, Stop> {
        self.run(Payload::Text(cell), answers).await
    }

    /// Sends this, and gives the program what it asks for until that is over.
    async fn run(&mut self, payload: Payload, answers: &mut Answers) -> Result<CellEnd, Stop> {
        self.asks.call(&self.client, payload);
        self.has_begun = true;
        answers.ends = 0;
        loop {
            let reply = self.reply(CtrlC::Interrupts).await?;
            self.print(&reply).await?;
            match &reply.status {
                Status::Pager { .. } if self.asks.is_calling() => {}
                // There is room for all of a text, so a pager that stays open has none to turn.
                Status::Pager { .. } => self.asks.call(&self.client, Payload::Text("q".into())),
                Status::Waiting { .. } | Status::Reading { .. } | Status::FullScreen { .. } => {
                    if !self.answer(answers).await? {
                        return Ok(CellEnd::Over(ExitCode::FAILURE));
                    }
                }
                Status::Ready { outcome } => return Ok(CellEnd::Done(*outcome)),
                status => return Ok(CellEnd::Over(ended(status).unwrap_or(ExitCode::FAILURE))),
            }
        }
    }

    /// Ends the session, and prints what the program has to say at its end: exit handlers, finalisers; and
    /// what a terminal paints late.
    async fn end(&mut self, session: &Handle) -> Result<(), Stop> {
        if self.following.is_none() {
            // Whole replies are printed, and what comes behind the last one is in none.
            self.following = self.client.follow(Follow::Text).await;
        }
        session.shutdown();
        let mut behind = Vec::new();
        let Run { client, following: Some(following), asks, printer, .. } = self else {
            return Ok(());
        };
        asks.leave_program();
        loop {
            tokio::select! {
                biased;
                asked = asks.next(CtrlC::Ends) => asks.heed(asked, client, CtrlC::Ends).await?,
                piece = following.next() => {
                    let Some(mut piece) = piece else { break };
                    if let Piece::Content(content) = &mut piece {
                        content.retain(|part| !is_usual_end(part));
                        if printer.prints_whole_replies() {
                            behind.append(content);
                        }
                    }
                    asks.heeding(printer.piece(&piece), client, CtrlC::Ends).await?;
                }
            }
            asks.after_resize(printer);
        }
        if let Some(reply) = last_words(behind) {
            printer.reply(&reply, true).await?;
        }
        Ok(())
    }

    /// The reply to the last call, when there is one to each. What the others say is printed.
    async fn reply(&mut self, ctrl_c: CtrlC) -> Result<Reply, Stop> {
        loop {
            let reply = self.next_reply(ctrl_c).await?;
            if !self.asks.is_calling() {
                return Ok(reply);
            }
            // How things stand is in the reply of a later one.
            if has_news(&reply) {
                self.print(&reply).await?;
            }
        }
    }

    /// Prints what is told until the next reply is there. What interrupts this process meanwhile
    /// interrupts the program, which may handle it.
    async fn next_reply(&mut self, ctrl_c: CtrlC) -> Result<Reply, Stop> {
        let Run { client, following, told, asks, printer, .. } = self;
        let mut call = asks.next_call().ok_or(Stop::Gone)?;
        let mut reply = None;
        loop {
            let all_is_told = following.is_none() || *told > 0;
            if let Some(reply) = reply.take_if(|_| all_is_told) {
                *told = told.saturating_sub(1);
                return Ok(reply);
            }
            tokio::select! {
                biased;
                asked = asks.next(ctrl_c) => asks.heed(asked, client, ctrl_c).await?,
                given = &mut call, if reply.is_none() => reply = Some(given.ok_or(Stop::Gone)?),
                piece = next_piece(following), if !all_is_told => {
                    let piece = piece.ok_or(Stop::Gone)?;
                    *told += usize::from(matches!(piece, Piece::Reply));
                    asks.heeding(printer.piece(&piece), client, ctrl_c).await?;
                }
            }
            asks.after_resize(printer);
        }
    }

    async fn print(&mut self, reply: &Reply) -> Result<(), Stop> {
        let Run { client, asks, printer, has_begun, .. } = self;
        asks.heeding(printer.reply(reply, *has_begun), client, CtrlC::Interrupts).await
    }

    /// Gives the program that waits what it asks for: a line, the end of standard input, or an
    /// interrupt. Whether there is to be a reply: the end is not told for ever.
    async fn answer(&mut self, answers: &mut Answers) -> Result<bool, Stop> {
        let Run { client, following, told, asks, printer, .. } = self;
        // What was interrupted since it was found waiting may have moved on.
        while !asks.is_calling() {
            tokio::select! {
                biased;
                asked = asks.next(CtrlC::Interrupts) => {
                    asks.heed(asked, client, CtrlC::Interrupts).await?;
                }
                payload = answers.next() => {
                    let Some(payload) = payload else { return Ok(false) };
                    asks.call(client, payload);
                }
                piece = next_piece(following) => {
                    let piece = piece.ok_or(Stop::Gone)?;
                    *told += usize::from(matches!(piece, Piece::Reply));
                    asks.heeding(printer.piece(&piece), client, CtrlC::Interrupts).await?;
                }
            }
            asks.after_resize(printer);
        }
        Ok(true)
    }
}

/// Whether a reply says more than how things stand.
fn has_news(reply: &Reply) -> bool {
    !reply.content.iter().all(|part| matches!(part, Content::Status(_)))
}

/// What was said behind the last reply, as one that no call is made for; `None` when nothing was.
fn last_words(behind: Vec<Content>) -> Option<Reply> {
    let mut exit = Exit::Status(0);
    let mut content: Vec<Content> = Vec::new();
    for part in behind {
        match (content.last_mut(), part) {
            (Some(Content::Text(text)), Content::Text(more)) => text.push_str(&more),
            (_, Content::Text(text)) if text.is_empty() => {}
            (_, part) => {
                if let Content::Notice(Notice::SessionEnded { exit: how, .. }) = &part {
                    exit = how.clone();
                }
                content.push(part);
            }
        }
    }
    (!content.is_empty()).then_some(Reply { content, status: Status::Ended { exit } })
}

/// Whether it says that the session ended as it was told.
fn is_usual_end(part: &Content) -> bool {
    let Content::Notice(notice) = part else { return false };
    matches!(notice, Notice::SessionEnded { exit: Exit::Status(0), .. })
}

/// What is told next; where nothing is, never.
async fn next_piece(following: &mut Option<Following>) -> Option<Piece> {
    match following {
        Some(following) => following.next().await,
        None => std::future::pending().await,
    }
}

/// How a cell ended.
enum CellEnd {
    /// The session takes the next one.
    Done(Option<Outcome>),
    /// There is no session any more: the exit status.
    Over(ExitCode),
}

/// The exit status where the session has ended.
fn ended(status: &Status) -> Option<ExitCode> {
    match status {
        Status::Ended { exit: Exit::Status(status) } => {
            Some(ExitCode::from(u8::try_from(*status).unwrap_or(1)))
        }
        Status::Ended { exit: Exit::Signal(name) } => Some(killed_by(name)),
        Status::Ended { exit: Exit::OutOfMemory { .. } } => Some(killed_by(OUT_OF_MEMORY)),
        Status::Ended { exit: Exit::Unknown } | Status::Failed { .. } | Status::Busy { .. } => {
            Some(ExitCode::FAILURE)
        }
        _ => None,
    }
}

/// The exit status of what this signal killed, as a shell has it.
fn killed_by(signal: &str) -> ExitCode {
    pty::killed_status(signal).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// What there is for programs that ask. Standard input is read only once it is its turn.
#[derive(Debug, Default)]
struct Answers {
    /// What comes first.
    texts: VecDeque<String>,
    lines: Option<mpsc::Receiver<String>>,
    /// How often the program was told of the end.
    ends: u32,
}

impl Answers {
    /// The next line, or the end of the input, as a person types it. `None` once the program was
    /// told of the end often enough: one that reads single keys may take the key of the end for any.
    /// Cancel safe.
    async fn next(&mut self) -> Option<Payload> {
        if let Some(text) = self.texts.pop_front() {
            return Some(Payload::Text(text));
        }
        let lines = self.lines.get_or_insert_with(|| {
            let (sender, lines) = mpsc::channel(1);
            std::thread::spawn(move || {
                for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
                    let line = String::from_utf8_lossy(&line).into_owned() + "\n";
                    if sender.blocking_send(line).is_err() {
                        return;
                    }
                }
            });
            lines
        });
        if let Some(line) = lines.recv().await {
            return Some(Payload::Text(line));
        }
        if self.ends == LONGEST_END {
            return None;
        }
        self.ends += 1;
        Some(Payload::Keys(Keys(vec!["C-d".to_owned()])))
    }
}
