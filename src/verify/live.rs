//! A script in a session that runs.

use std::{future::Future, pin::Pin, time::Duration};

use tokio::time::{Instant, sleep, sleep_until};

use super::{
    page::{NAME, Page},
    script::{Action, Step},
};
use crate::{
    reply::{Content, Reply, Status},
    screen::Size,
    session::{
        client::{Client, ClientInfo, Handle, Request, ScreenUpdate, Subscription},
        rules::payload::Payload,
    },
};

/// How much longer than a call waits its answer may take.
const GRACE: Duration = Duration::from_secs(10);

/// Why a script was not run to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// What is waited for did not come.
    #[error("line {line}: {what} within {limit:?}; the page is\n{page}")]
    TimedOut {
        /// The line of the step.
        line: usize,
        /// What did not come.
        what: String,
        /// How long it was waited for.
        limit: Duration,
        /// What was on the terminal then.
        page: String,
    },
    /// The session could not be started, or broke.
    #[error("line {line}: {why}")]
    Failed {
        /// The line of the step.
        line: usize,
        /// What the session says.
        why: String,
    },
    /// The session's engine is gone.
    #[error("the session is gone")]
    Gone,
}

/// A client that makes the steps of a script.
#[derive(Debug)]
pub struct Player {
    client: Client,
    subscription: Subscription,
    page: Page,
    limit: Duration,
    call: Option<Pending>,
    /// What was told since the last reply that was looked at.
    told: Vec<Reply>,
    /// Whether something came behind what was told.
    is_behind: bool,
    /// How the session ended, if nothing more is shown before the next call.
    over: Option<String>,
    /// Whether the last call was waited for by what the page shows.
    was_awaited: bool,
}

/// A call that was not answered yet.
struct Pending {
    answer: Pin<Box<dyn Future<Output = Option<Reply>> + Send>>,
    /// Whether that its time is up is an answer.
    may_be_busy: bool,
    line: usize,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").field("line", &self.line).finish_non_exhaustive()
    }
}

impl Player {
    /// One of this session, whose steps take no longer than `limit`. `None` when the session is gone.
    pub async fn new(session: &Handle, size: Size, limit: Duration) -> Option<Player> {
        let client = session.join_as(ClientInfo { name: NAME.into(), ..ClientInfo::default() });
        let subscription = client.subscribe().await?;
        let (page, told) = (Page::new(size), Vec::new());
        let (is_behind, was_awaited) = (false, false);
        Some(Player {
            client,
            subscription,
            page,
            limit,
            call: None,
            told,
            is_behind,
            over: None,
            was_awaited,
        })
    }

    /// Waits until the session is up, and what a program shows by itself is there: that is what a
    /// reply in front of all calls tells.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn begin(&mut self, line: usize) -> Result<(), LiveError> {
        self.send(Payload::poll(), None, line);
        self.answer().await
    }

    /// Has the session begin, and what it shows be told, where the first step waits for that itself.
    pub fn begin_awaited(&mut self, line: usize) {
        let answer = Box::pin(self.client.call(Request::new(Payload::poll(), self.limit)));
        self.call = Some(Pending { answer, may_be_busy: true, line });
    }

    /// Makes all steps. Gives the replies, one for each [`Action::Reply`].
    ///
    /// # Errors
    /// When one can't be made, or does not end.
    pub async fn play(&mut self, steps: &[Step]) -> Result<Vec<String>, LiveError> {
        let mut replies = Vec::new();
        for Step { line, action } in steps {
            match action {
                Action::Send { payload, timeout } => {
                    // A call that was waited for by what the page shows is given up.
                    match self.was_awaited {
                        true => self.call = None,
                        false => self.answer().await?,
                    }
                    self.send(payload.clone(), *timeout, *line);
                }
                Action::Wait(text) => self.wait(text, *line).await?,
                Action::Reply(_) => replies.push(self.reply(*line).await?),
            }
        }
        if !self.was_awaited {
            self.answer().await?;
        }
        Ok(replies)
    }

    fn send(&mut self, payload: Payload, timeout: Option<Duration>, line: usize) {
        while let Some(update) = self.subscription.try_next() {
            self.look(update);
        }
        self.page.call();
        self.told.clear();
        (self.is_behind, self.was_awaited) = (false, false);
        self.over = None;
        let request = Request::new(payload, timeout.unwrap_or(self.limit));
        let answer = Box::pin(self.client.call(request));
        self.call = Some(Pending { answer, may_be_busy: timeout.is_some(), line });
    }

    async fn wait(&mut self, text: &str, line: usize) -> Result<(), LiveError> {
        self.was_awaited = true;
        self.page.wait_for(text);
        let deadline = Instant::now() + self.limit;
        while !self.page.has_shown() {
            if let Some(how) = &self.over {
                let why = format!("{text:?} was not shown: {how}");
                return Err(LiveError::Failed { line, why });
            }
            let Player { subscription, call, .. } = self;
            let answered = async {
                match call {
                    Some(pending) => pending.answer.as_mut().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                update = subscription.next() => {
                    let update = update.ok_or(LiveError::Gone)?;
                    self.look(update);
                }
                reply = answered => {
                    self.call = None;
                    let reply = reply.ok_or(LiveError::Gone)?;
                    while let Some(update) = self.subscription.try_next() {
                        self.look(update);
                    }
                    self.is_behind = !self.page.has_shown();
                    self.took(&reply);
                    self.told.push(reply);
                }
                () = sleep_until(deadline) => {
                    return Err(self.timed_out(line, format!("{text:?} was not shown")));
                }
            }
        }
        self.is_behind |= self.call.is_none() && self.told.is_empty();
        Ok(())
    }

    async fn reply(&mut self, line: usize) -> Result<String, LiveError> {
        self.answer().await?;
        if self.is_behind {
            let told = std::mem::take(&mut self.told);
            let request = Request::new(Payload::poll(), self.limit);
            let answer = Box::pin(self.client.call(request));
            self.call = Some(Pending { answer, may_be_busy: false, line });
            self.answer().await?;
            self.told.splice(0..0, told);
        }
        (self.is_behind, self.was_awaited) = (false, false);
        Ok(text(std::mem::take(&mut self.told)))
    }

    /// Waits for the answer of the call that is made, if there is one.
    async fn answer(&mut self) -> Result<(), LiveError> {
        let Some(mut pending) = self.call.take() else { return Ok(()) };
        let line = pending.line;
        let late = sleep(self.limit + GRACE);
        tokio::pin!(late);
        let reply = loop {
            tokio::select! {
                biased;
                update = self.subscription.next() => {
                    let update = update.ok_or(LiveError::Gone)?;
                    self.look(update);
                }
                reply = &mut pending.answer => break reply.ok_or(LiveError::Gone)?,
                () = &mut late => {
                    return Err(self.timed_out(line, "the session gave no answer".into()));
                }
            }
        };
        match &reply.status {
            Status::Busy { discarded: false, .. } if !pending.may_be_busy => {
                Err(self.timed_out(line, "there was no reply".into()))
            }
            Status::Failed { failure } => Err(LiveError::Failed { line, why: failure.to_string() }),
            _ => {
                self.took(&reply);
                self.told.push(reply);
                Ok(())
            }
        }
    }

    /// Notes whether something may still be shown.
    fn took(&mut self, reply: &Reply) {
        let is_over = matches!(reply.status, Status::Failed { .. } | Status::Ended { .. });
        self.over = is_over.then(|| reply.status.line());
    }

    fn look(&mut self, update: ScreenUpdate) {
        match update {
            ScreenUpdate::Repaint { size, bytes } => self.page.repaint(size, &bytes),
            ScreenUpdate::Bytes(bytes) => self.page.print(&bytes),
            ScreenUpdate::Echo(bytes) => self.page.echo(&bytes),
            _ => {}
        }
    }

    fn timed_out(&self, line: usize, what: String) -> LiveError {
        LiveError::TimedOut { line, what, limit: self.limit, page: self.page.text() }
    }
}

/// What a client was told, as an agent reads it: how things stood in between is left out, and where the
/// session's files are.
fn text(replies: Vec<Reply>) -> String {
    let count = replies.len();
    let mut content = Vec::new();
    let mut status = None;
    for (n, reply) in replies.into_iter().enumerate() {
        let is_last = n + 1 == count;
        // A page is told whole each time.
        if matches!(reply.status, Status::FullScreen { .. }) && !is_last {
            continue;
        }
        let has_more = !content.is_empty();
        let is_kept = |part: &Content| match part {
            Content::Status(_) if !is_last => false,
            Content::Status(_) if has_more => !matches!(reply.status, Status::Ready { .. }),
            _ => true,
        };
        content.extend(reply.content.iter().filter(|part| is_kept(part)).cloned());
        status = Some(reply.status);
    }
    let Some(status) = status else { return String::new() };
    let mut reply = Reply { content, status };
    reply.forget_place_of_text();
    reply.text()
}
