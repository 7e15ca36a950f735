//! A session that calls are made in: what its first reply begins with, and what is said when it is
//! gone.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use mcp_repl_control::Welcome;

use super::sessions::EarlierSession;
use crate::{
    remote::{Connection, End, Opened, local_time, sandbox::from_wire},
    reply::{Notice, Status},
    sandbox::Settings,
    session::client::{Answer, Client, Handle},
};

/// A session that is there.
#[derive(Debug)]
pub struct Session {
    pub(super) handle: Handle,
    /// What is known of one in another process.
    pub(super) link: Option<Link>,
}

/// A connection to a session, and what its host said first.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) welcome: Welcome,
    pub(super) connection: Connection,
}

impl From<Handle> for Session {
    /// One in this process.
    fn from(handle: Handle) -> Session {
        Session { handle, link: None }
    }
}

impl From<Opened> for Session {
    fn from(Opened { handle, welcome, connection }: Opened) -> Session {
        Session { handle, link: Some(Link { welcome, connection }) }
    }
}

/// A session that was connected to.
#[derive(Debug)]
pub(super) struct Before {
    pub(super) session: EarlierSession,
    end: End,
}

/// A session that calls are made in.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) client: Client,
    pub(super) session: Session,
    /// What its program may reach.
    sandbox: Settings,
    /// What its first reply begins with.
    news: Mutex<Vec<Notice>>,
    /// Whether a call was made in it.
    was_used: AtomicBool,
    /// Whether its last reply said that its program has ended.
    has_ended: AtomicBool,
}

impl Live {
    /// One whose first reply begins with this, which was opened to reach no more than `sandbox` says.
    pub(super) fn new(session: Session, sandbox: Settings, news: Vec<Notice>) -> Live {
        let client = session.handle.join();
        let welcome = session.link.as_ref().map(|link| &link.welcome);
        let told = welcome.and_then(|welcome| welcome.sandbox.as_ref());
        let sandbox = told.and_then(|told| from_wire(told).ok()).unwrap_or(sandbox);
        let was_used = welcome.is_some_and(|welcome| welcome.had_clients || welcome.others > 0);
        Live {
            client,
            session,
            sandbox,
            news: Mutex::new(news),
            was_used: was_used.into(),
            has_ended: AtomicBool::new(false),
        }
    }

    /// What its program may reach, or less than that.
    pub(super) fn sandbox(&self) -> &Settings {
        &self.sandbox
    }

    /// A call is made in it.
    pub(super) fn is_used(&self) {
        self.was_used.store(true, Ordering::Relaxed);
    }

    /// Whether anybody may have something in it.
    pub(super) fn was_used(&self) -> bool {
        self.was_used.load(Ordering::Relaxed)
    }

    /// Has its first reply begin with this, too.
    pub(super) fn tell(&self, notice: Notice) {
        self.news().push(notice);
    }

    /// Whether calls can be made in it.
    pub(super) fn is_there(&self) -> bool {
        self.session.link.as_ref().is_none_or(|link| link.connection.end().is_none())
    }

    /// What it was, of one whose connection has ended.
    pub(super) fn before(&self) -> Option<Before> {
        let Link { welcome, connection } = self.session.link.as_ref()?;
        Some(Before {
            session: EarlierSession {
                name: welcome.session.clone(),
                started_ms: welcome.started_ms,
                resume: welcome.resume.clone(),
            },
            end: connection.end()?,
        })
    }

    /// The reply, with what is to be said first, until that was told.
    pub(super) fn with_news(self: &Arc<Self>, mut answer: Answer) -> Answer {
        let has_ended = matches!(answer.reply().status, Status::Ended { .. });
        self.has_ended.store(has_ended, Ordering::Relaxed);
        let news = std::mem::take(&mut *self.news());
        if news.is_empty() {
            return answer;
        }
        let is_told = answer.begin_with(news.iter().cloned());
        let live = self.clone();
        tokio::spawn(async move {
            if is_told.await != Ok(true) {
                live.news().splice(0..0, news);
            }
        });
        answer
    }

    /// Whether its last reply said that its program has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }

    fn news(&self) -> MutexGuard<'_, Vec<Notice>> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is said of a call that has no reply, since its session is gone.
    pub(super) fn lost(&self) -> String {
        let Some(Link { connection, .. }) = &self.session.link else {
            return "the session is gone; restart the server `mcp-repl`".into();
        };
        match connection.end() {
            Some(End::Closed) | None => {
                "[repl] the session's host is gone: it was ended or killed, \
                                         and what ran in it is gone, too. The next call starts a \
                                         new session, or goes on with this one if only the \
                                         connection was cut"
                    .into()
            }
            Some(end) => format!(
                "[repl] {end}. What ran may go on; the next call connects again, or starts a new \
                 session if this one is gone"
            ),
        }
    }
}

/// What the first reply of a session begins with: whose it was before.
pub(super) fn first_notice(
    welcome: &Welcome,
    before: Option<&Before>,
    is_own: bool,
) -> Option<Notice> {
    let is_same = |before: &Before| {
        let EarlierSession { name, started_ms, .. } = &before.session;
        (*started_ms, name) == (welcome.started_ms, &welcome.session)
    };
    let keeps_variables = welcome.is_alive;
    match before {
        Some(before) if is_same(before) => Some(Notice::ConnectedAgain { keeps_variables }),
        _ if welcome.had_clients => {
            let started = local_time(welcome.started_ms);
            Some(match is_own {
                true => Notice::Rejoined { started, keeps_variables },
                false => Notice::Joined { started, others: welcome.others, keeps_variables },
            })
        }
        Some(Before { end: End::Closed, .. }) => {
            Some(Notice::StartedInstead { why: "its host was ended or killed".into() })
        }
        Some(Before { end, .. }) => Some(Notice::StartedInstead { why: end.to_string() }),
        None => None,
    }
}
