//! The sessions of a server, by their names: found or started when they are needed, and found again
//! when the connection to one has ended.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};

use super::live::{Before, Link, Live, Session, first_notice};
use super::replacing::{self, Admission};
use crate::{
    registry::SessionName,
    remote::{Connection, Underway},
    reply::Notice,
    sandbox::{ClientSandbox, Settings},
    session::client::{Answer, Handle, Request},
};

/// How long what was said last to all hosts may take when the server ends.
const CLOSING: Duration = Duration::from_secs(2);

/// What is said of a call whose time is up before its session is there.
fn not_yet(underway: &Underway) -> String {
    let why = underway.words().unwrap_or_else(|| "it is still being opened".into());
    format!("[repl] the session is not there yet: {why}. Nothing was run; send it again")
}

/// What is said of a call that comes as the server ends.
const CLOSED: &str = "the server is about to end. Nothing was run.";

/// How the sessions of a server are opened.
pub trait Opener: fmt::Debug + Send + Sync {
    /// Finds the session, or starts it. What comes of it is an error in words for the agent.
    /// What that waits for is told to `underway`.
    fn open(&self, wanted: WantedSession, underway: Underway) -> Opening;

    /// What a session may reach that is opened for a client whose own sandbox is this one; `None` of a client
    /// that said nothing of one.
    fn sandbox(&self, client: Option<&ClientSandbox>) -> Settings;
}

/// A session that is about to be there.
pub type Opening = Pin<Box<dyn Future<Output = Result<Session, String>> + Send>>;

/// Which session a server wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedSession {
    /// How the MCP client introduced itself; may be empty.
    pub client: String,
    /// The session's name; `None` for the one of calls that name none, where nobody named that.
    pub name: Option<String>,
    /// The session that it was before its connection ended.
    pub earlier: Option<EarlierSession>,
    /// Whether it is started where it is not there.
    pub start: bool,
    /// What it may reach at most.
    pub sandbox: Settings,
}

/// Who makes a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Caller {
    /// How the client introduced itself; may be empty.
    pub(super) name: String,
    /// Its own sandbox, if it told one.
    pub(super) sandbox: Option<ClientSandbox>,
}

/// A session that was connected to, by its welcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierSession {
    /// Its name, which another may have by now.
    pub name: String,
    /// When it was started, in milliseconds since 1970-01-01 UTC.
    pub started_ms: u64,
    /// What is said to go on as the same client.
    pub resume: String,
}

/// The sessions of a server.
#[derive(Debug)]
pub struct Sessions {
    opener: Box<dyn Opener>,
    /// The name of the one for calls that name none, where somebody named it.
    own_name: Option<String>,
    most: usize,
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    all: Vec<Slot>,
    /// What the first reply of all begins with.
    news: Vec<Notice>,
    last_id: u64,
    is_closed: bool,
}

/// The place of one session.
#[derive(Debug)]
struct Slot {
    id: u64,
    /// What calls name it by; `None` of the one for calls that name none.
    asked: Option<String>,
    /// Its name, as far as it is known.
    name: Option<String>,
    state: State,
    /// What it waits for while it is being opened.
    underway: Underway,
    /// What it was before its connection ended.
    before: Option<Before>,
    /// The session that gives way to the one that is being opened.
    giving_way: Option<Arc<Live>>,
}

#[derive(Debug)]
enum State {
    Closed,
    Opening(Vec<Waiting>),
    Open(Arc<Live>),
}

/// A call that waits for its session.
struct Waiting {
    /// `None` of one that only needs the session to be there.
    request: Option<Request>,
    caller: Caller,
    /// When its time is up; `None` for never.
    deadline: Option<Instant>,
    made: oneshot::Sender<Result<MadeCall, String>>,
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("request", &self.request).finish_non_exhaustive()
    }
}

/// A call that was made, and its session.
type MadeCall = (Arc<Live>, CallAnswer);

type CallAnswer = Pin<Box<dyn Future<Output = Option<Answer>> + Send>>;

/// A call that waits, as its caller holds it.
struct Pending {
    made: oneshot::Receiver<Result<MadeCall, String>>,
    /// What the session waits for.
    underway: Underway,
}

/// When a call is made.
enum Turn<Made> {
    /// It was made.
    Now(Arc<Live>, Made),
    /// Once its session is there.
    Later(Pending),
}

impl Sessions {
    /// At most so many sessions; `own_name` is the name of the one for calls that name none.
    pub fn new(
        opener: impl Opener + 'static,
        own_name: Option<SessionName>,
        most: usize,
    ) -> Arc<Sessions> {
        let own_name = own_name.map(String::from);
        let opener = Box::new(opener);
        Arc::new(Sessions { opener, own_name, most: most.max(1), slots: Mutex::default() })
    }

    /// One session, which is there, and no other.
    pub fn only(session: Handle) -> Arc<Sessions> {
        let sessions = Sessions::new(NoOthers, None, 1);
        let mut slots = sessions.slots();
        let slot = sessions.slot(&mut slots, None);
        let sandbox = Settings::default();
        slot.state = State::Open(Arc::new(Live::new(session.into(), sandbox, Vec::new())));
        drop(slots);
        sessions
    }

    /// Has the first reply of all begin with this.
    pub fn tell_first(&self, news: Vec<Notice>) {
        self.slots().news.extend(news);
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the session for calls that name none, if nobody has, for a client of this name.
    pub fn prepare(self: &Arc<Self>, client: &str) {
        let mut slots = self.slots();
        if !slots.is_closed && slots.find(None).is_none() {
            let slot = self.slot(&mut slots, None);
            let caller = Caller { name: client.to_owned(), sandbox: None };
            self.start_opening(slot, &caller, true);
        }
    }

    /// Makes a call in the session of this name, or in the one for calls that name none, and waits
    /// for its reply. One that is not there is found or started; the call waits for that within its
    /// time. Calls reach a session in the order of the first polls of what this gives.
    ///
    /// # Errors
    /// In words for the agent: what is wrong, and whether anything was run.
    pub(super) async fn ask(
        self: &Arc<Self>,
        caller: &Caller,
        session: Option<&SessionName>,
        request: Request,
    ) -> Result<Answer, String> {
        let timeout = request.timeout;
        let (live, answer) = match self.turn(caller, session, request)? {
            Turn::Now(live, answer) => (live, answer.await),
            Turn::Later(pending) => {
                let (live, answer) = pending.made_within(timeout).await?;
                (live, answer.await)
            }
        };
        match answer {
            Some(answer) => Ok(live.with_news(answer)),
            None => Err(live.lost()),
        }
    }

    /// Shows a part of a long output that was kept in the session of this name, which is not
    /// started for that.
    ///
    /// # Errors
    /// In words for the agent: what is wrong.
    pub(super) async fn show(
        self: &Arc<Self>,
        caller: &Caller,
        session: Option<&SessionName>,
        timeout: Duration,
        part: String,
    ) -> Result<String, String> {
        let waits = {
            let mut slots = self.slots();
            let slot = self.ready_slot(&mut slots, caller, session, false)?;
            match &mut slot.state {
                State::Open(live) => Ok(live.clone()),
                _ => Err(slot.wait(None, timeout, caller)),
            }
        };
        let live = match waits {
            Ok(live) => live,
            Err(pending) => pending.made_within(timeout).await?.0,
        };
        let shown = live.client.show(part).await;
        shown.map_err(|why| format!("{why}. Nothing was run."))
    }

    fn turn(
        self: &Arc<Self>,
        caller: &Caller,
        session: Option<&SessionName>,
        mut request: Request,
    ) -> Result<Turn<impl Future<Output = Option<Answer>> + Send + use<>>, String> {
        let mut slots = self.slots();
        let slot = self.ready_slot(&mut slots, caller, session, true)?;
        if let State::Open(live) = &slot.state {
            let live = live.clone();
            match self.admits(&live, caller, &request) {
                Admission::Made => {
                    live.is_used();
                    return Ok(Turn::Now(live.clone(), live.client.ask(request)));
                }
                Admission::Refused(why) => return Err(why),
                Admission::Replaces => {
                    request.payload = replacing::rest(request.payload);
                    self.start_replacing(slot, live, caller);
                }
            }
        }
        let timeout = request.timeout;
        Ok(Turn::Later(slot.wait(Some(request), timeout, caller)))
    }

    /// Whether a call is made in a session that is there.
    fn admits(&self, live: &Live, caller: &Caller, request: &Request) -> Admission {
        let wanted = self.opener.sandbox(caller.sandbox.as_ref());
        replacing::admits(live, &wanted, &request.payload)
    }

    /// Has another session take the place of this one, under what its client's sandbox allows now.
    fn start_replacing(self: &Arc<Self>, slot: &mut Slot, live: Arc<Live>, caller: &Caller) {
        slot.state = State::Opening(Vec::new());
        slot.giving_way = Some(live.clone());
        slot.underway = Underway::default();
        let wanted = self.wanted(slot, caller, true);
        let opening = self.opener.open(wanted.clone(), slot.underway.clone());
        let is_named = wanted.name.is_some();
        let (sessions, id) = (self.clone(), slot.id);
        tokio::spawn(async move {
            let opened = match replacing::give_way(&live, is_named).await {
                Ok(()) => opening.await,
                Err(why) => Err(why),
            };
            sessions.opened(id, &wanted, opened);
        });
    }

    /// What is wanted at this place.
    fn wanted(&self, slot: &Slot, caller: &Caller, start: bool) -> WantedSession {
        WantedSession {
            client: caller.name.clone(),
            name: slot.asked.clone().or_else(|| self.own_name.clone()),
            earlier: slot.before.as_ref().map(|before| before.session.clone()),
            start,
            sandbox: self.opener.sandbox(caller.sandbox.as_ref()),
        }
    }

    /// The place of this session, which is there or is being opened; with a name of its own it is
    /// started only if that is said.
    fn ready_slot<'slots>(
        self: &Arc<Self>,
        slots: &'slots mut Slots,
        caller: &Caller,
        session: Option<&SessionName>,
        start: bool,
    ) -> Result<&'slots mut Slot, String> {
        if slots.is_closed {
            return Err(CLOSED.into());
        }
        let name = session.map(SessionName::as_str);
        let slot = match slots.find(name) {
            Some(place) => &mut slots.all[place],
            None => {
                self.make_room(slots)?;
                self.slot(slots, name)
            }
        };
        let needs_opening = match &slot.state {
            State::Open(live) => !live.is_there(),
            State::Opening(_) => false,
            State::Closed => true,
        };
        if needs_opening {
            let start = start || slot.asked.is_none();
            self.start_opening(slot, caller, start);
        }
        Ok(slot)
    }

    /// A new place for the session of this name.
    fn slot<'slots>(&self, slots: &'slots mut Slots, asked: Option<&str>) -> &'slots mut Slot {
        slots.last_id += 1;
        let asked = asked.map(str::to_owned);
        let name = asked.clone().or_else(|| self.own_name.clone());
        let (id, state) = (slots.last_id, State::Closed);
        let underway = Underway::default();
        slots.all.push(Slot { id, asked, name, state, underway, before: None, giving_way: None });
        let last = slots.all.len() - 1;
        &mut slots.all[last]
    }

    /// Has room for one session more, where one has ended.
    fn make_room(&self, slots: &mut Slots) -> Result<(), String> {
        if slots.all.len() < self.most {
            return Ok(());
        }
        let is_over = |slot: &Slot| slot.asked.is_some() && slot.is_over();
        if let Some(place) = slots.all.iter().position(is_over) {
            slots.all.remove(place).leave();
            return Ok(());
        }
        let names =
            slots.all.iter().map(|slot| slot.name.as_deref().unwrap_or("(the one without a name)"));
        let names: Vec<&str> = names.collect();
        Err(format!(
            "no more than {} sessions at a time (`--max-sessions`), and there are: {}. Use one of \
             these, or end one with a cell `exit()` in it. Nothing was run.",
            self.most,
            names.join(", ")
        ))
    }

    /// Has the session of this place found, or if that is said, started.
    fn start_opening(self: &Arc<Self>, slot: &mut Slot, caller: &Caller, start: bool) {
        if let State::Open(live) = std::mem::replace(&mut slot.state, State::Opening(Vec::new())) {
            slot.before = live.before();
        }
        slot.underway = Underway::default();
        let wanted = self.wanted(slot, caller, start);
        let opening = self.opener.open(wanted.clone(), slot.underway.clone());
        let (sessions, id) = (self.clone(), slot.id);
        tokio::spawn(async move {
            let opened = opening.await;
            sessions.opened(id, &wanted, opened);
        });
    }

    /// What became of it. The calls that waited are made, in their order.
    fn opened(self: &Arc<Self>, id: u64, wanted: &WantedSession, opened: Result<Session, String>) {
        let mut slots = self.slots();
        let Some(place) = slots.all.iter().position(|slot| slot.id == id) else { return };
        let slot = &mut slots.all[place];
        let State::Opening(waiting) = std::mem::replace(&mut slot.state, State::Closed) else {
            return;
        };
        let giving_way = slot.giving_way.take();
        let session = match opened {
            Ok(session) => session,
            Err(why) => {
                let mut waiting = waiting;
                waiting.retain(|call| !call.made.is_closed());
                // Calls that came meanwhile start what only a part of was to be shown of.
                let starts = |call: &Waiting| !wanted.start && call.request.is_some();
                let (calls, failed): (Vec<_>, Vec<_>) = waiting.into_iter().partition(starts);
                for call in failed {
                    let _ = call.made.send(Err(format!("[repl] {why}. Nothing was run.")));
                }
                if let Some(first) = calls.first() {
                    let caller = first.caller.clone();
                    self.start_opening(slot, &caller, true);
                    slot.state = State::Opening(calls);
                } else if let Some(live) = giving_way.filter(|live| live.is_there()) {
                    slot.state = State::Open(live);
                } else if slot.asked.is_some() && slot.before.is_none() {
                    slots.all.remove(place);
                }
                return;
            }
        };
        let is_own = slot.asked.is_none() && self.own_name.is_none();
        let mut news = std::mem::take(&mut slots.news);
        let slot = &mut slots.all[place];
        if let Some(Link { welcome, .. }) = &session.link {
            news.extend(first_notice(welcome, slot.before.as_ref(), is_own));
            slot.name = Some(welcome.session.clone());
        }
        if giving_way.is_some_and(|live| live.was_used()) {
            news.push(Notice::SessionStarted);
        }
        slot.before = None;
        let live = Arc::new(Live::new(session, wanted.sandbox.clone(), news));
        // Of what the server's instructions say, it knows.
        let said = self.opener.sandbox(None);
        if *live.sandbox() != said {
            live.tell(replacing::notice(live.sandbox(), wanted.sandbox != said));
        }
        slot.state = State::Open(live.clone());
        let mut waiting = waiting.into_iter();
        while let Some(mut call) = waiting.next() {
            // Who gave it up is told nothing, and nothing is run.
            if call.made.is_closed() {
                continue;
            }
            let admission = match &call.request {
                Some(request) => self.admits(&live, &call.caller, request),
                None => Admission::Made,
            };
            match admission {
                Admission::Made => call.make(&live),
                Admission::Refused(why) => drop(call.made.send(Err(why))),
                // It was opened for a call like this one, and would be again and again.
                Admission::Replaces
                    if wanted.sandbox == self.opener.sandbox(call.caller.sandbox.as_ref()) =>
                {
                    let _ = call.made.send(Err(replacing::LOOSER.into()));
                }
                Admission::Replaces => {
                    let caller = call.caller.clone();
                    call.request = call.request.map(|request| Request {
                        payload: replacing::rest(request.payload),
                        ..request
                    });
                    self.start_replacing(slot, live, &caller);
                    slot.state = State::Opening([call].into_iter().chain(waiting).collect());
                    return;
                }
            }
        }
    }

    /// Leaves all sessions, which live on as long as their hosts have them, and waits until those
    /// know what was told. Nothing is opened any more.
    pub async fn close(&self) {
        let all = {
            let mut slots = self.slots();
            slots.is_closed = true;
            std::mem::take(&mut slots.all)
        };
        let connections = all.iter().filter_map(|slot| match &slot.state {
            State::Open(live) => live.session.link.as_ref().map(|link| link.connection.clone()),
            State::Closed | State::Opening(_) => None,
        });
        let connections: Vec<Connection> = connections.collect();
        drop(all);
        let _ = tokio::time::timeout(CLOSING, async {
            for connection in connections {
                connection.ended().await;
            }
        })
        .await;
    }
}

impl Waiting {
    /// Makes it, now that its session is there.
    fn make(self, live: &Arc<Live>) {
        let Waiting { request, deadline, made, .. } = self;
        let answer: CallAnswer = match request {
            Some(mut request) => {
                if let Some(deadline) = deadline {
                    request.timeout = deadline.saturating_duration_since(Instant::now());
                }
                live.is_used();
                Box::pin(live.client.ask(request))
            }
            None => Box::pin(std::future::ready(None)),
        };
        let _ = made.send(Ok((live.clone(), answer)));
    }
}

impl Pending {
    /// Waits until the session is there and the call made.
    async fn made_within(self, timeout: Duration) -> Result<MadeCall, String> {
        match tokio::time::timeout(timeout, self.made).await {
            Ok(Ok(made)) => made,
            Ok(Err(_)) => Err(CLOSED.into()),
            Err(_) => Err(not_yet(&self.underway)),
        }
    }
}

impl Slots {
    fn find(&self, name: Option<&str>) -> Option<usize> {
        self.all.iter().position(|slot| match name {
            None => slot.asked.is_none(),
            Some(_) => slot.name.as_deref() == name || slot.asked.as_deref() == name,
        })
    }
}

impl Slot {
    /// A call that is made once the session is there, which is being opened.
    fn wait(&mut self, request: Option<Request>, timeout: Duration, caller: &Caller) -> Pending {
        let (made, turn) = oneshot::channel();
        let deadline = Instant::now().checked_add(timeout);
        if let State::Opening(waiting) = &mut self.state {
            waiting.retain(|call| !call.made.is_closed());
            waiting.push(Waiting { request, deadline, made, caller: caller.clone() });
        }
        Pending { made: turn, underway: self.underway.clone() }
    }

    /// Whether there is nothing in it any more: its host is gone, or its program has ended.
    fn is_over(&self) -> bool {
        match &self.state {
            State::Opening(_) => false,
            State::Closed => true,
            // Calls under way hold it, too.
            State::Open(live) => {
                let is_idle = Arc::strong_count(live) == 1;
                is_idle && (!live.is_there() || live.has_ended())
            }
        }
    }

    /// Nobody here needs it any more: one in this process ends.
    fn leave(self) {
        if let State::Open(live) = self.state
            && live.session.link.is_none()
        {
            live.session.handle.shutdown();
        }
    }
}

/// Opens nothing.
#[derive(Debug)]
struct NoOthers;

impl Opener for NoOthers {
    fn open(&self, _wanted: WantedSession, _underway: Underway) -> Opening {
        Box::pin(async { Err("there is one session only".to_owned()) })
    }

    fn sandbox(&self, _client: Option<&ClientSandbox>) -> Settings {
        Settings::default()
    }
}
