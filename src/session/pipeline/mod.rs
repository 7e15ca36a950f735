//! A session without a process: what happens outside comes in, with its time; what is to be done
//! outside comes out. Pure: the same inputs make the same replies, in a live session and when a
//! recording is replayed.
//!
//! ```text
//! bytes, messages ─► stream ─► display ─► outboxes ─► replies
//!                      │          ▲
//!                      ▼          │
//! calls, time ─► rules::Session ──┴─► effects
//! schedule: when to ask the kernel who reads      typist: what the terminal is given to read
//! news: what was printed and typed when
//! ```

mod cells;
mod denials;
mod directory;
mod display;
pub(crate) mod echo;
mod hand_on;
mod hands;
mod input;
mod look;
mod news;
mod observer;
mod outboxes;
mod people;
mod prompt;
mod schedule;
mod size;
mod standing;
mod stream;
mod typist;
mod whose;

use std::collections::VecDeque;

use mcp_repl_sideband::{COMPLETION, ToServer};

pub use super::rules::state::NOBODY;
pub use hands::{Hands, Proposal, Roles, Situation};
pub use input::{ClientInfo, Effect, Found, Input, WorkerInfo};
pub use observer::Observer;
pub use standing::Standing;
use standing::Work;
pub use stream::{OrderError, Shown, Stream};
pub use typist::{InputState, Typist};

use display::Display;
use hands::ToldHands;
use news::News;
use schedule::LookSchedule;
use size::Sizes;

use super::rules::{
    Action, Audience, Event, Session,
    state::{ClientId, Paging, State, Time},
};
use crate::{
    reply::{Attachment, Budget, Failure, Notice},
    screen::{Screen, Size},
};

/// A session: its rules, its stream, its screen, and what its clients have not been told.
#[derive(Debug)]
pub struct Pipeline<O> {
    session: Session,
    /// That of the worker; `None` while there is none.
    stream: Option<Stream>,
    display: Display<O>,
    schedule: LookSchedule,
    news: News,
    /// Who the worker says it is.
    worker: Option<WorkerInfo>,
    /// Whether the worker's process was seen to end.
    is_over: bool,
    /// Whether an [`Effect::DropInput`] was not answered yet: no message takes effect before.
    is_dropping_input: bool,
    /// What an [`Effect::DropInput`] dropped, while a mark behind it waits for its message: somebody
    /// may ask for input there, which comes before what is done next.
    dropped: Option<u64>,
    /// Whether something was shown whose text was not taken yet.
    has_undrained: bool,
    /// How many pictures and documents there were.
    attachments: u64,
    /// What who looks on was last told.
    told_standing: Option<Standing>,
    work: Work,
    told_hands: ToldHands,
    sizes: Sizes,
    now: Time,
    effects: VecDeque<Effect>,
}

impl<O: Observer> Pipeline<O> {
    /// A session whose first worker is about to be started: that is the first effect. Its replies
    /// are within this budget.
    pub fn new(paging: Paging, size: Size, budget: impl Into<Budget>, observer: O) -> Pipeline<O> {
        Pipeline {
            session: Session::new(Time::ZERO, paging),
            stream: None,
            display: Display::new(size, budget.into(), observer),
            schedule: LookSchedule::default(),
            news: News::default(),
            worker: None,
            is_over: false,
            is_dropping_input: false,
            dropped: None,
            has_undrained: false,
            attachments: 0,
            told_standing: None,
            work: Work::default(),
            told_hands: ToldHands::default(),
            sizes: Sizes::new(size),
            now: Time::ZERO,
            effects: VecDeque::from([Effect::Start]),
        }
    }

    /// Where the worker stands.
    pub fn state(&self) -> &State {
        self.session.state()
    }

    /// What is on the screen.
    pub fn screen(&self) -> &Screen {
        self.display.screen()
    }

    /// Who looks on, with what they see.
    pub fn observer_and_screen(&mut self) -> (&mut O, &Screen) {
        self.display.observer_and_screen()
    }

    /// Whether what happens is kept for nobody in particular: no client has called, or all that did
    /// have gone.
    pub fn keeps_for_nobody(&self) -> bool {
        self.display.outboxes.has_nobodys()
    }

    /// Whether a client has not been told yet what became of the file of this attachment.
    pub fn names_attachment(&self, number: u64) -> bool {
        self.display.outboxes.name_attachment(number)
    }

    /// What the replies of a client have room for.
    pub fn budget(&self, client: ClientId) -> Budget {
        self.display.outboxes.budget_of(client)
    }

    /// Who the worker says it is, once it did.
    pub fn worker(&self) -> Option<&WorkerInfo> {
        self.worker.as_ref()
    }

    /// Whether the session has ended for good, after [`Input::Shutdown`].
    pub fn is_closed(&self) -> bool {
        self.session.is_closed()
    }

    /// Whether more of the terminal's bytes can be taken.
    pub fn takes_output(&self) -> bool {
        self.stream.as_ref().is_none_or(Stream::takes_bytes)
    }

    /// Whether a call has to wait: a mark was met, and the message that decides where a payload
    /// goes is on its way.
    pub fn awaits_message(&self) -> bool {
        awaits_message(self.stream.as_ref())
    }

    /// Whether the terminal hands marks on in their place. Else what it has to give is to be taken before
    /// each [`Input::Message`].
    pub fn has_marks(&self) -> bool {
        self.stream.as_ref().is_none_or(Stream::has_marks)
    }

    /// Whether a call is to come with a look for a reader in the background.
    pub fn wants_background_look(&self) -> bool {
        self.session.wants_background_look()
    }

    /// Whether who waits may ask for a secret: what is typed is not shown by the terminal.
    pub fn hides_typing(&self) -> bool {
        self.session.hides_typing()
    }

    /// Whether a program has a page, which asks for keys.
    pub fn shows_page(&self) -> bool {
        self.session.shows_page() || self.screen().is_alternate()
    }

    /// Whether a text that comes now waits until a program asks for input, for whatever that is.
    pub fn holds_text(&self) -> bool {
        self.session.holds_text()
    }

    /// Whether a look at the kernel is due, so that what was printed before is to be shown first.
    pub fn look_is_due(&self, now: Time) -> bool {
        self.schedule.is_due(now)
    }

    /// Whether a mark or a message has missed the other for too long, or a message takes effect: what there
    /// is of both is to be taken before [`Input::Tick`].
    pub fn order_is_overdue(&self, now: Time) -> bool {
        self.stream.as_ref().and_then(Stream::deadline).is_some_and(|deadline| deadline <= now)
    }

    /// Whether the time of a call is up, and [`Input::Tick`] would answer it as things stand: what
    /// there is of its end is to be taken before.
    pub fn has_late_call(&self, now: Time) -> bool {
        self.session.has_late_call(now)
    }

    /// When the next [`Input::Tick`] is due.
    pub fn next_deadline(&self) -> Option<Time> {
        let order = self.stream.as_ref().and_then(Stream::deadline);
        let due = [self.session.next_deadline(), self.schedule.deadline(), order];
        due.into_iter().flatten().min()
    }

    /// Takes what happened. What is to be done about it comes from [`Pipeline::next_effect`],
    /// which is to be called until there is nothing more.
    pub fn take(&mut self, input: Input<'_>, now: Time) {
        self.now = now;
        match input {
            Input::Introduce { client, who } => {
                let (is_person, is_reachable) = (who.is_person, who.attach.is_some());
                self.display.outboxes.introduce(client, who);
                self.step(Event::Introduced { client, is_person, is_reachable });
                if !is_person {
                    self.unpin(client);
                }
            }
            Input::Person { client, act } => self.step(Event::Person { client, act }),
            Input::Leave { client } => {
                self.news.forget(client);
                // Others are told by its name.
                self.step(Event::Left { client });
                self.display.outboxes.leave(client);
                self.step(Event::Answers { client, answers: false });
                self.unpin(client);
            }
            Input::Call { id, client, payload, deadline, background, person } => {
                self.drain();
                if self.display.outboxes.open(client) {
                    self.tell_whose(client);
                }
                let background = background.and_then(|found| self.sighting(found));
                let told = self.news.told(client);
                let person = person.map(|why| people::asked(&why));
                let event = Event::Call { id, client, payload, deadline, told, background, person };
                self.step(event);
                if deadline <= now {
                    self.step(Event::Tick);
                }
            }
            Input::Follow { client, answers } => {
                if self.display.outboxes.follow(client) {
                    self.tell_whose(client);
                }
                self.step(Event::Answers { client, answers });
            }
            Input::Keystrokes { client, bytes, background } => {
                let background = background.and_then(|found| self.sighting(found));
                let bytes = bytes.into_owned();
                self.step(Event::Keystrokes { client, bytes, background });
            }
            Input::Resize(size) => {
                self.effects.extend(self.sizes.wish(size).map(Effect::Resize));
            }
            Input::Pin { client, size } => {
                self.effects.push_back(Effect::Resize(self.sizes.pin(client, size)));
            }
            Input::PinOwn => self.sizes.pin_own(),
            Input::People { attached } => {
                self.effects.extend(self.sizes.people(attached).map(Effect::Resize));
                self.step(Event::People { attached });
            }
            Input::Cancel { id, interrupt } => self.step(Event::Cancel { id, interrupt }),
            Input::Returned { client, reply } => {
                self.news.forget(client);
                self.display.outboxes.put_back(client, reply.content);
                self.step(Event::Returned { client });
            }
            Input::Complete { id, text, cursor } => {
                let is_understood = self.worker().is_some_and(|worker| worker.can(COMPLETION));
                self.step(Event::Complete { id, text, cursor, is_understood });
            }
            Input::Started { nonce, size, marks, passed_over } => {
                for program in passed_over {
                    let notice = Notice::PassedOver(program);
                    self.display.outboxes.notice(Audience::Everyone, &notice);
                }
                self.stream = Some(Stream::new(&nonce, marks));
                self.worker = None;
                (self.is_over, self.is_dropping_input, self.dropped) = (false, false, None);
                self.display.restart(size);
            }
            Input::Confined => self.display.denials.watch(),
            Input::Explained(notice) => self.explained(notice),
            Input::RunsProgram { file } => {
                self.worker = Some(WorkerInfo::of_program(&file));
                self.step(Event::ProgramStarted);
            }
            Input::Output(bytes) => self.output(&bytes),
            Input::Resized(size) => self.display.resize(size),
            Input::Message(message) => {
                let taken = self.stream.as_mut().map(|stream| stream.message(message, now));
                self.expect_order(taken);
            }
            Input::SidebandClosed => {
                if let Some(stream) = &mut self.stream {
                    stream.sideband_closed();
                }
            }
            Input::InterruptTyped => self.step(Event::InterruptTyped),
            Input::InputDropped { bytes } => {
                self.is_dropping_input = false;
                self.dropped = Some(bytes);
                self.input_dropped();
            }
            Input::Looked { found, holds_input, took } => self.looked(found, holds_input, took),
            Input::ProcessOver => self.is_over = true,
            Input::Exited { exit, missed_input } => {
                self.finish_stream();
                self.step(Event::Exited { exit, missed_input });
            }
            Input::GivenUp => self.finish_stream(),
            Input::Failed(failure) => {
                self.finish_stream();
                self.step(Event::Failed(failure));
            }
            Input::Tell(notice) => self.tell_all(&notice),
            Input::Shutdown => self.step(Event::Shutdown),
            Input::Tick => self.tick(),
        }
    }

    /// A client has gone, or its people have.
    fn unpin(&mut self, client: ClientId) {
        self.effects.extend(self.sizes.leave(client).map(Effect::Resize));
    }

    /// What is to be done next, in this order; `None` until more happens. Messages take effect
    /// one at a time, when all that the one before brought about is done.
    pub fn next_effect(&mut self) -> Option<Effect> {
        loop {
            if let Some(effect) = self.effects.pop_front() {
                return Some(effect);
            }
            let next = if self.holds_messages() { None } else { self.next_message(Some(self.now)) };
            let Some(message) = next else {
                // Once for all that was shown, not for each piece of it.
                self.drain();
                self.keep_overflow();
                self.tell_followers();
                if !self.effects.is_empty() {
                    continue;
                }
                self.schedule.update(self.session.wants_look(), self.now);
                if let Some(stream) = &mut self.stream {
                    stream.watch(self.now, self.is_over);
                }
                return None;
            };
            self.message(message);
            self.input_dropped();
        }
    }

    /// Takes what was dropped, unless somebody is about to ask.
    fn input_dropped(&mut self) {
        if let Some(bytes) = self.dropped.take_if(|_| !awaits_message(self.stream.as_ref())) {
            self.step(Event::InputDropped { bytes });
        }
    }

    /// The next message that takes effect by now; any, when nothing more comes.
    fn next_message(&mut self, now: Option<Time>) -> Option<ToServer> {
        let Pipeline { stream, display, news, .. } = self;
        let mut has_shown = false;
        let message = stream.as_mut()?.next_message(now, &mut |shown| {
            has_shown = true;
            show(news, display, shown);
        });
        if has_shown {
            self.has_shown();
        }
        message
    }

    fn message(&mut self, message: ToServer) {
        self.drain();
        match &message {
            ToServer::Hello { .. } => {
                self.worker = WorkerInfo::from_hello(&message);
                self.display.is_painted = !self.has_marks();
            }
            ToServer::CellDone { outcome, .. } => self.cell_is_done(*outcome),
            ToServer::Directory { path } => self.set_directory(path),
            _ => {}
        }
        self.step(Event::Message(message));
    }

    fn output(&mut self, bytes: &[u8]) {
        let Pipeline { stream, display, news, .. } = self;
        if let Some(stream) = stream {
            stream.bytes(bytes, &mut |shown| show(news, display, shown));
        }
        self.has_shown();
    }

    /// After something was shown: programs are owed answers, and clients text.
    fn has_shown(&mut self) {
        let answers = self.display.take_answers();
        if !answers.is_empty() {
            self.effects.push_back(Effect::Answer(answers));
        }
        self.schedule.output(self.now);
        self.news.shown(self.now);
        self.has_undrained = true;
    }

    /// Nothing more comes from the worker: shows and takes all there is.
    fn finish_stream(&mut self) {
        while let Some(message) = self.next_message(None) {
            self.message(message);
        }
        let Pipeline { stream, display, news, .. } = self;
        if let Some(stream) = stream {
            stream.finish(&mut |shown| show(news, display, shown));
        }
        self.report();
    }

    /// Nobody listens to the worker any more.
    fn drop_stream(&mut self) {
        let Pipeline { stream, display, news, .. } = self;
        if let Some(mut stream) = stream.take() {
            stream.finish(&mut |shown| show(news, display, shown));
            self.report();
        }
    }

    fn tick(&mut self) {
        if self.schedule.is_due(self.now) {
            // A wait that the sideband is about to tell is not taken for another.
            if self.stream.as_ref().is_some_and(Stream::is_behind) {
                self.schedule.postpone(self.now);
            } else {
                let holds_input = self.session.awaits_background_reader();
                self.effects.push_back(Effect::Look { holds_input });
            }
        }
        let checked = self.stream.as_mut().map(|stream| stream.check(self.now));
        self.expect_order(checked);
        self.step(Event::Tick);
    }

    /// A worker that breaks the order of its two channels is given up.
    fn expect_order(&mut self, order: Option<Result<(), OrderError>>) {
        if let Some(Err(error)) = order {
            self.effects.push_back(Effect::GiveUp(Failure::Protocol(error.to_string())));
        }
    }

    fn step(&mut self, event: Event) {
        // What was shown before belongs to how things stood then.
        self.drain();
        for action in self.session.step(event, self.now) {
            self.perform(action);
        }
        self.note_work();
        self.tell_standing();
        self.tell_hands();
    }

    fn perform(&mut self, action: Action) {
        let awaits_pager = self.session.awaits_pager();
        let effect = match action {
            Action::TakePage => return self.display.take_pager_text(),
            Action::TakeScreen => return self.display.take_page(),
            Action::ResetScreen => return self.display.end_cell(),
            Action::LeaveOutEcho { client, text } => {
                // What was shown before it is no echo.
                self.display.report(awaits_pager);
                if let Some(outbox) = self.display.outboxes.of(client) {
                    outbox.leave_out_echo(text);
                }
                return;
            }
            Action::Notice { to, notice } => {
                return self.display.notice(to, &notice, awaits_pager);
            }
            Action::TellUnread { to, program } => {
                if !self.news.is_echoed() {
                    let notice = Notice::MaybeUnread { program };
                    self.display.notice(Audience::Client(to), &notice, awaits_pager);
                }
                return;
            }
            Action::TellOf { to, by, news } => return self.tell_of(to, by, news),
            Action::Did { client, deed } => return self.display.did(client, &deed, awaits_pager),
            Action::Attach { mime, data } => {
                self.attachments += 1;
                let attachment = Attachment::new(self.attachments, &mime, data.into());
                self.display.attach(&attachment, awaits_pager);
                Effect::KeepAttachment(attachment)
            }
            Action::Reply { call, client, status, has_text: false } => {
                Effect::Reply { call, client, reply: self.display.reply_without_text(status) }
            }
            Action::Reply { call, client, status, has_text: true } => {
                self.display.report_for(&status, awaits_pager);
                let running = self.running_cell(&status);
                let standing = self.standing_notices(client, &status);
                self.news.tell(client);
                self.display.outboxes.before_reply(client, running);
                self.keep_overflow();
                let reply = self.display.reply(client, status, standing);
                self.tell_whose(client);
                Effect::Reply { call, client, reply }
            }
            Action::TypeKeys(keys) => {
                self.type_bytes(keys.bytes(self.screen().wants_application_keys()))
            }
            Action::Send(message) => {
                self.news.sent(b"", self.now);
                Effect::Send(message)
            }
            Action::Complete(message) => Effect::Send(message),
            Action::Completed { id, completion } => Effect::Completed { id, completion },
            Action::Type(bytes) => self.type_bytes(bytes),
            Action::Interrupt { worker_reads, by_key } => {
                self.news.sent(b"", self.now);
                Effect::Interrupt { worker_reads, by_key }
            }
            Action::DropInput => {
                self.is_dropping_input = true;
                // What the terminal has echoed of it may have come already.
                let Pipeline { stream, display, news, .. } = self;
                if let Some(stream) = stream {
                    stream.show_up_to_mark(&mut |shown| show(news, display, shown));
                }
                self.has_shown();
                Effect::DropInput
            }
            Action::RestoreSize => Effect::RestoreSize,
            Action::Start => Effect::Start,
            Action::StartNext { exit } => Effect::StartNext { exit },
            Action::HangUp => Effect::HangUp,
            Action::Kill => Effect::Kill,
            Action::Retire => {
                self.drop_stream();
                self.display.end_echo();
                Effect::Retire
            }
        };
        self.effects.push_back(effect);
    }

    fn type_bytes(&mut self, bytes: Vec<u8>) -> Effect {
        self.news.sent(&bytes, self.now);
        Effect::Type(bytes)
    }
}

/// Shows what the stream gives.
fn show<O: Observer>(news: &mut News, display: &mut Display<O>, shown: Shown<'_>) {
    news.see(shown);
    display.show(shown);
}

/// Whether a mark was met whose message is on its way.
fn awaits_message(stream: Option<&Stream>) -> bool {
    stream.is_some_and(Stream::awaits_message)
}

#[cfg(test)]
mod tests;
