//! A running command of `--via`: its output with its end, and what it says meanwhile.

use std::{
    fmt,
    future::Future,
    io,
    path::PathBuf,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, ReadBuf},
    sync::watch,
    time::Sleep,
};

use super::trouble::{Said, Tail, ViaError, of_end};
use crate::{
    pty::{self, Process, Program, StdinStream, StdoutStream},
    reply::Exit,
};

/// How long a command has to end by itself once its input has ended, and what it started to let go
/// of its output once it has ended.
const PATIENCE: Duration = Duration::from_millis(500);

/// What is known of a running command. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Launcher {
    command: Arc<str>,
    tail: Arc<Mutex<Tail>>,
    exit: watch::Receiver<Option<Exit>>,
}

impl Launcher {
    /// The command.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// The last lines it printed to standard error.
    pub fn said(&self) -> Said {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).said()
    }

    /// That the connection by way of it has broken, and why; `None` when it has ended in good order.
    /// Known once its output was read to the end.
    pub(in crate::remote) fn cut(&self) -> Option<String> {
        let why = match self.trouble(b"") {
            ViaError::Ended { exit: Exit::Status(0), .. } => return None,
            ViaError::Ended { exit: Exit::Unknown, said, .. } => said.to_string(),
            ViaError::Ended { exit, said, .. } => format!(": it ended ({exit}){said}"),
            trouble => format!(": {trouble}"),
        };
        Some(format!("the connection through `{}` broke{why}", self.command))
    }

    /// Waits until it has ended, after what carries its output was dropped.
    pub(in crate::remote) async fn over(&self) {
        let _ = self.exit.clone().wait_for(Option::is_some).await;
    }

    /// Why it ended; known once its output was read to the end. Of one that printed nothing to standard
    /// error, what it `printed` besides may say it: `docker exec` says there that there is no such
    /// program.
    pub(super) fn trouble(&self, printed: &[u8]) -> ViaError {
        let exit = self.exit.borrow().clone().unwrap_or(Exit::Unknown);
        let mut said = self.said();
        if said.lines().is_empty() {
            let mut tail = Tail::default();
            tail.push(printed);
            said = tail.said();
        }
        of_end(&self.command, exit, said)
    }
}

/// Runs the words, which are those of `command`. Gives what it says, and where it listens.
///
/// # Errors
/// When the program can't be run.
pub(super) fn launch(
    command: &str,
    words: &[String],
) -> io::Result<(Output, StdoutStream, Launcher)> {
    let (file, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let program = Program {
        file: PathBuf::from(file),
        arguments: arguments.iter().map(Into::into).collect(),
        ..Program::default()
    };
    let carrier = pty::launch(&program)?;
    let (over, exit) = watch::channel(None);
    let launcher = Launcher { command: command.into(), tail: Arc::default(), exit };
    let tail = launcher.tail.clone();
    let mut errors = carrier.errors;
    let errors = tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = errors.read(&mut buffer).await {
            tail.lock().unwrap_or_else(PoisonError::into_inner).push(&buffer[..count]);
        }
    });
    let running = Running { output: carrier.output, process: carrier.process, errors, late: None };
    let output = Output { state: State::Running(running), over: Some(over) };
    Ok((output, carrier.input, launcher))
}

/// What a command says. Its end is read when the command has ended, and all that it printed to
/// standard error is known; dropped before that, the command has a moment to end by itself.
pub(super) struct Output {
    state: State,
    /// Where its end is told.
    over: Option<watch::Sender<Option<Exit>>>,
}

enum State {
    Running(Running),
    Ending(Pin<Box<dyn Future<Output = Exit> + Send>>),
    Over,
}

struct Running {
    output: StdinStream,
    process: Process,
    errors: tokio::task::JoinHandle<()>,
    /// The time until which what it started may hold its output: counts from its end.
    late: Option<Pin<Box<Sleep>>>,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").finish_non_exhaustive()
    }
}

impl Running {
    /// Whether it has said something, or has nothing more to say.
    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<bool> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.output).poll_read(context, buffer) {
            Poll::Ready(_) => return Poll::Ready(buffer.filled().len() > before),
            Poll::Pending => {}
        }
        if self.late.is_none() {
            ready!(pin!(self.process.ended()).poll(context));
        }
        let late = self.late.get_or_insert_with(|| Box::pin(tokio::time::sleep(PATIENCE)));
        ready!(late.as_mut().poll(context));
        Poll::Ready(false)
    }

    /// Waits for what tells how it went.
    async fn end(mut self) -> Exit {
        if tokio::time::timeout(PATIENCE, self.process.ended()).await.is_ok() {
            // What it started may hold its standard error for ever (`ControlPersist` of ssh).
            let _ = tokio::time::timeout(PATIENCE, self.errors).await;
        }
        self.process.exit()
    }
}

impl AsyncRead for Output {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let State::Running(running) = &mut self.state {
            if ready!(running.poll_read(context, buffer)) {
                return Poll::Ready(Ok(()));
            }
            if let State::Running(running) = std::mem::replace(&mut self.state, State::Over) {
                self.state = State::Ending(Box::pin(running.end()));
            }
        }
        if let State::Ending(ending) = &mut self.state {
            let exit = ready!(ending.as_mut().poll(context));
            if let Some(over) = self.over.take() {
                over.send_replace(Some(exit));
            }
            self.state = State::Over;
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // It was given the end of its input, and passes on what was written before that.
        if let State::Running(running) = std::mem::replace(&mut self.state, State::Over)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let over = self.over.take();
            runtime.spawn(async move {
                let exit = running.end().await;
                if let Some(over) = over {
                    over.send_replace(Some(exit));
                }
            });
        }
    }
}
