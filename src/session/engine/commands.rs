//! What clients say to the engine.

use tokio::sync::oneshot;

use super::{Caller, Engine, PROGRESS_INTERVAL};
use crate::{
    reply::Reply,
    session::{
        client::{Answer, Description, EngineCommand, Follow, Request},
        pipeline::{Found, Input, NOBODY, Standing},
        rules::state::ClientId,
    },
};

impl Engine {
    pub(super) fn command(&mut self, command: EngineCommand) {
        match command {
            EngineCommand::Leave { client } => {
                self.held.retain(|command| command.caller() != Some(client));
                self.take(Input::Leave { client });
                self.last_outputs.remove(&client);
                let spill = self.spills.remove(&client);
                if let Some(spill) = spill.filter(|_| self.pipeline.keeps_for_nobody()) {
                    self.spills.insert(NOBODY, spill);
                }
            }
            EngineCommand::Call { client, .. } if self.answering.contains(&client) => {
                self.held.push(command);
            }
            EngineCommand::Call { client, request, reply } => self.call(client, request, reply),
            EngineCommand::Return { client, reply } => self.take(Input::Returned { client, reply }),
            EngineCommand::Keystrokes { client, bytes, taken } => {
                let background = self.background_reader();
                self.take(Input::Keystrokes { client, bytes: bytes.into(), background });
                self.typing.push(taken);
            }
            EngineCommand::Pin { client, size } => self.take(Input::Pin { client, size }),
            EngineCommand::Resize { size } => self.take(Input::Resize(size)),
            EngineCommand::Subscribe { wants, client, subscription } => {
                let now = self.now();
                let (subscribers, screen, situation) = self.pipeline.look_on(now);
                let _ = subscription.send(subscribers.add(client, wants, screen, situation));
            }
            EngineCommand::Follow { client, follow, following } => {
                let answers = follow == Follow::Terminal { answers: true };
                self.take(Input::Follow { client, answers });
                let (subscribers, _) = self.pipeline.observer_and_screen();
                let _ = following.send(subscribers.followers.add(client, follow));
            }
            EngineCommand::Repaint { subscriber } => {
                let now = self.now();
                let (subscribers, screen, situation) = self.pipeline.look_on(now);
                subscribers.repaint(subscriber, screen, situation);
            }
            EngineCommand::Introduce { client, who } => self.take(Input::Introduce { client, who }),
            EngineCommand::Show { client, part, answer } => {
                let room = self.pipeline.budget(client).text;
                let last = self.last_outputs.get(&client).cloned();
                self.shows.show(&part, self.directory.path(), last, room, answer);
            }
            EngineCommand::Complete { text, cursor, answer } => self.complete(text, cursor, answer),
            EngineCommand::People { attached } => self.take(Input::People { attached }),
            EngineCommand::Person { client, act } => self.take(Input::Person { client, act }),
            EngineCommand::Describe { answer } => {
                let _ = answer.send(self.describe());
            }
            EngineCommand::Tell { notice } => {
                // What was printed before stands before it.
                self.catch_up();
                self.take(Input::Tell(notice));
            }
            EngineCommand::Shutdown => {
                self.is_closing = true;
                self.take(Input::Shutdown);
            }
        }
    }

    fn call(&mut self, client: ClientId, request: Request, reply: oneshot::Sender<Answer>) {
        // What was printed before the call belongs to its reply.
        self.catch_up();
        if self.pipeline.awaits_message() {
            self.deferred = Some(EngineCommand::Call { client, request, reply });
            return;
        }
        let background = self.background_reader();
        if background.is_some() {
            // One of the worker's own readers waits behind a mark that it wrote before.
            self.catch_up();
            if self.pipeline.awaits_message() {
                self.deferred = Some(EngineCommand::Call { client, request, reply });
                return;
            }
        }
        self.calls += 1;
        let id = self.calls;
        let now = self.now();
        let Request { payload, timeout, progress, on_drop, person } = request;
        let mut found_line = String::new();
        if progress.is_some() {
            self.progress_due.get_or_insert(now + PROGRESS_INTERVAL);
            found_line = self.pipeline.screen().last_line();
        }
        let deadline = now.saturating_add(timeout);
        // What nobody was told is for the first that calls.
        if let Some(spill) = self.spills.remove(&NOBODY) {
            self.spills.insert(client, spill);
        }
        self.take(Input::Call { id, client, payload, deadline, background, person });
        // From here on it can be given up.
        self.callers.insert(id, Caller { reply, progress, on_drop, found_line });
    }

    fn describe(&self) -> Description {
        let standing = self.pipeline.standing(self.now());
        let has_ended = standing == Standing::Ended;
        let worker = self.pipeline.worker().filter(|_| !has_ended).cloned();
        let process = self.worker.as_ref().map(|worker| &worker.process);
        let worker_pid = process.filter(|process| !process.is_over()).map(|process| process.pid());
        let idle = self.pipeline.idle_for(self.now());
        Description { standing, idle, worker, worker_pid }
    }

    /// A reply that was on its way to a client was sent, or comes back.
    pub(super) fn answered(&mut self, client: ClientId, untold: Option<Reply>) {
        if let Some(place) = self.answering.iter().position(|&other| other == client) {
            self.answering.remove(place);
        }
        if let Some(reply) = untold {
            self.take(Input::Returned { client, reply });
        }
    }

    /// The first call that need not be held any more.
    pub(super) fn take_held(&mut self) -> Option<EngineCommand> {
        let may_go = |command: &EngineCommand| {
            command.caller().is_none_or(|client| !self.answering.contains(&client))
        };
        let place = self.held.iter().position(may_go)?;
        Some(self.held.remove(place))
    }

    /// Who reads the terminal although no cell runs. Looked for only where somebody could.
    pub(super) fn background_reader(&self) -> Option<Found> {
        let worker = self.worker.as_ref().filter(|_| self.pipeline.wants_background_look())?;
        if worker.may_have_background_reader() { worker.blocked_reader() } else { None }
    }
}
