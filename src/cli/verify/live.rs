//! A script, run in a real session.

use std::{
    fmt::Write,
    fs,
    future::Future,
    path::Path,
    pin::Pin,
    process::ExitCode,
    time::{Duration, Instant},
};

use crate::{
    cli::{LONGEST_EDGE, WorkerArguments, config, picture_limit, with_session},
    reply::{BUDGET, Reply, Status},
    screen::{Screen, Size},
    session::{
        client::{Client, Handle, Request, ScreenUpdate, Subscription, Wants},
        engine::Attachments,
        launch::Target,
        rules::payload::Payload,
    },
    verify::{
        diff::{Paint, diff},
        pattern,
        script::{Act, Script},
    },
};

/// Reads a script; `None` where a Markdown file has none.
pub(super) fn read(file: &Path) -> Result<Option<Script>, String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    Script::parse(&text).map_err(|error| error.to_string())
}

/// Whether what comes is as a script says; else what is wrong, in lines. What it runs, where it does
/// not say that itself, `worker` says.
pub(super) fn one(
    file: &Path,
    worker: &WorkerArguments,
    accepts: bool,
    paint: Paint,
) -> Result<(), String> {
    let script = read(file)?.ok_or("there is no block of a script in it: `cell`, `reply`, …")?;
    // Its own, wherever this process is.
    let place = fs::canonicalize(file).map_err(|error| error.to_string())?;
    let directory = place.parent().map(Path::to_owned).unwrap_or_default();
    let target = match &script.options.run {
        Some(command) => beside(WorkerArguments::run(command).target()?, &directory),
        None => worker.target()?,
    };
    let mut config = config(target, script.options.paging, BUDGET)?;
    config.attachments = Attachments::Kept(picture_limit(LONGEST_EDGE));
    config.surroundings.directory = Some(directory);
    config.size = script.options.size.unwrap_or(config.size);
    let mut played = Ok(Vec::new());
    with_session(config, async |session: Handle| {
        played = play(&session, &script).await;
        Ok(ExitCode::SUCCESS)
    })?;
    let differing = played?;
    if accepts && !differing.is_empty() {
        return fs::write(file, script.with_replies(&differing)).map_err(|error| error.to_string());
    }
    let mut told = String::new();
    for (step, found) in &differing {
        let step = &script.steps[*step];
        if let Act::Reply(expected) = &step.act {
            let _ = writeln!(told, "the reply of line {} is another one", step.line);
            told.push_str(&diff(&whole_lines(expected), &whole_lines(found), paint));
        }
    }
    if told.is_empty() { Ok(()) } else { Err(told) }
}

/// A program that a script names by a path, which is seen from the script.
fn beside(target: Target, directory: &Path) -> Target {
    match target {
        Target::Program(file, arguments) if file.components().count() > 1 => {
            Target::Program(directory.join(file), arguments)
        }
        target => target,
    }
}

/// As they are compared: without blanks at their ends.
fn whole_lines(text: &str) -> String {
    let lines = text.trim_end().lines();
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Does what a script says. The replies that are not as it says, each with its step's number.
async fn play(session: &Handle, script: &Script) -> Result<Vec<(usize, String)>, String> {
    let mut player = Player::new(session, script.options.timeout).await?;
    let mut differing = Vec::new();
    for (number, step) in script.steps.iter().enumerate() {
        match &step.act {
            Act::Send(payload) => player.send(payload.clone()).await?,
            Act::Wait(text) => {
                player.wait(text).await.map_err(|why| format!("line {}: {why}", step.line))?;
            }
            Act::Reply(expected) => {
                let found = player.reply().await?;
                if !pattern::matches(expected, &found) {
                    differing.push((number, found));
                }
            }
        }
    }
    Ok(differing)
}

type Call = Pin<Box<dyn Future<Output = Option<Reply>> + Send>>;

/// A client that does what a script says.
struct Player {
    client: Client,
    /// What tells that something is shown, so that nobody has to ask over and over.
    shown: Subscription,
    screen: Screen,
    /// A call that has no reply yet.
    pending: Option<Call>,
    /// Whether a `wait` was for what that call brings.
    is_waited_for: bool,
    /// The last reply, until a block is compared with it.
    last: Option<String>,
    /// All that came since something was sent: replies, and the lines of the screen.
    since: String,
    /// Whether the last reply says that there is no session.
    is_over: bool,
    /// The page when something was sent.
    page_before: String,
    timeout: Duration,
}

/// What is said when the session ends under a script.
const GONE: &str = "the session is gone";

impl Player {
    async fn new(session: &Handle, timeout: Duration) -> Result<Player, String> {
        let client = session.join();
        let wants = Wants { screen: true, pictures: false };
        let shown = client.look_on(wants).await.ok_or(GONE)?;
        Ok(Player {
            client,
            shown,
            screen: Screen::new(Size::default()),
            pending: None,
            is_waited_for: false,
            last: None,
            since: String::new(),
            is_over: false,
            page_before: String::new(),
            timeout,
        })
    }

    fn call(&mut self, payload: Payload, timeout: Duration) {
        self.is_waited_for = false;
        self.pending = Some(Box::pin(self.client.call(Request::new(payload, timeout))));
    }

    /// Sends this once what was sent before has its reply. What a `wait` was for has none while it runs,
    /// and can be interrupted.
    async fn send(&mut self, payload: Payload) -> Result<(), String> {
        // All else goes to a program that asks for it, or is what the one that runs is found to wait for.
        if self.is_waited_for && matches!(payload, Payload::Interrupt(_)) {
            self.pending = None;
        }
        self.take_pending().await?;
        self.take_shown();
        (self.last, self.since, self.page_before) = (None, String::new(), self.screen.page_text());
        self.call(payload, self.timeout);
        Ok(())
    }

    async fn take_pending(&mut self) -> Result<(), String> {
        if let Some(call) = self.pending.take() {
            let reply = call.await.ok_or(GONE)?;
            self.note(reply);
        }
        Ok(())
    }

    fn note(&mut self, reply: Reply) {
        self.is_over = matches!(reply.status, Status::Ended { .. } | Status::Failed { .. });
        let text = reply.text();
        self.since.push_str(&text);
        self.last = Some(text);
    }

    /// The last reply; that to a poll, where none is open.
    async fn reply(&mut self) -> Result<String, String> {
        if self.last.is_none() && self.pending.is_none() {
            self.call(Payload::poll(), self.timeout);
        }
        self.take_pending().await?;
        Ok(self.last.take().unwrap_or_default())
    }

    /// Waits until this text comes: what was there when something was sent last is none.
    async fn wait(&mut self, text: &str) -> Result<(), String> {
        let end = Instant::now() + self.timeout;
        let mut is_to_ask = self.pending.is_none();
        while !self.has_come(text) {
            let left = end.saturating_duration_since(Instant::now());
            let since = self.since.trim_end();
            if self.is_over && self.pending.is_none() {
                return Err(format!("{text:?} did not come before the end. What came:\n{since}\n"));
            }
            if left.is_zero() {
                let (page, seconds) = (self.screen.page_text(), self.timeout.as_secs());
                return Err(format!(
                    "{text:?} did not come within {seconds} s. What came:\n{since}\nThe page:\n{page}\n"
                ));
            }
            if std::mem::take(&mut is_to_ask) {
                self.call(Payload::poll(), left);
            }
            let pending = &mut self.pending;
            let reply = async {
                match pending {
                    Some(call) => call.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                reply = reply => {
                    self.pending = None;
                    self.note(reply.ok_or(GONE)?);
                }
                update = self.shown.next() => {
                    self.show(update.ok_or(GONE)?);
                    self.take_shown();
                    is_to_ask = self.pending.is_none();
                }
                () = tokio::time::sleep(left) => {}
            }
        }
        self.is_waited_for = self.pending.is_some();
        Ok(())
    }

    fn has_come(&self, text: &str) -> bool {
        // The lines of the other screen are in what came since.
        let is_on_page = || self.screen.is_alternate() && self.screen.page_text().contains(text);
        self.since.contains(text) || !self.page_before.contains(text) && is_on_page()
    }

    fn take_shown(&mut self) {
        while let Some(update) = self.shown.try_next() {
            self.show(update);
        }
    }

    fn show(&mut self, update: ScreenUpdate) {
        match update {
            ScreenUpdate::Repaint { size, bytes } => {
                self.screen = Screen::new(size);
                self.screen.feed(&bytes);
                // What is shown anew was there before, as far as anybody knows.
                self.screen.report(&mut String::new());
            }
            ScreenUpdate::Bytes(bytes) => {
                self.screen.feed(&bytes);
                self.screen.report(&mut self.since);
            }
            ScreenUpdate::Echo(bytes) => {
                self.screen.feed(&bytes);
                self.screen.report(&mut String::new());
            }
            _ => {}
        }
    }
}
