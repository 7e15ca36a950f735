//! What the engine waits for: the only place where it does.

use std::{collections::HashMap, io, task::Poll};

use tokio::sync::mpsc;

use super::{Caller, Engine, Swept};
use crate::{
    sandbox::Denial,
    session::{
        client::EngineCommand, rules::state::CallId, sideband::Readable, subscribers::Subscribers,
        worker::Worker,
    },
};

/// What woke the loop.
pub(super) enum Woken {
    Command(Option<EngineCommand>),
    Sideband(Readable),
    SidebandWritable,
    Terminal(io::Result<()>),
    ProcessOver,
    Cancelled(CallId),
    /// The disk, or a client that is told all as it comes.
    CaughtUp,
    /// Why something was denied, if that was found.
    Explained(Option<Denial>),
    Time,
    Swept(Swept),
}
impl Engine {
    /// Waits for the next thing to happen: the only place that waits.
    pub(super) async fn wait(
        &mut self,
        commands: &mut mpsc::UnboundedReceiver<EngineCommand>,
    ) -> Woken {
        // All else comes behind it in order, as where nothing had to be looked for.
        if self.explanations.is_asked() {
            return Woken::Explained(self.explanations.answer().await);
        }
        let listens = !self.is_closing && !self.pipeline.awaits_message();
        if listens && let Some(command) = self.deferred.take() {
            return Woken::Command(Some(command));
        }
        if listens && let Some(command) = self.take_held() {
            return Woken::Command(Some(command));
        }
        let due = [
            self.pipeline.next_deadline(),
            self.worker.as_ref().and_then(Worker::deadline),
            self.progress_due,
        ];
        let due = due.into_iter().flatten().min();
        let due = due.map(|due| tokio::time::Instant::from_std(self.began + due));
        let takes_output = self.pipeline.takes_output();
        let Subscribers { followers, recorder, .. } = self.pipeline.observer_and_screen().0;
        let caught_up = followers.are_behind().then(|| followers.caught_up());
        let recorder = recorder.as_mut().filter(|recorder| recorder.is_behind());
        let Engine { worker, callers, sweeps, spills, attachments, .. } = self;
        // What the disk does not take waits in the terminal.
        let behind = spills.values_mut().find(|spill| spill.is_behind());
        let attachments = attachments.is_behind().then_some(attachments);
        let disk_is_behind = behind.is_some() || attachments.is_some() || recorder.is_some();
        let reads = takes_output && !disk_is_behind && caught_up.is_none();
        let worker = worker.as_mut();
        let (process, sideband, terminal) = match worker {
            Some(worker) => {
                let terminal =
                    Some(&worker.terminal).filter(|_| reads && worker.terminal_is_open());
                (Some(&mut worker.process), Some(&worker.sideband), terminal)
            }
            None => (None, None, None),
        };
        tokio::select! {
            biased;
            command = commands.recv(), if listens => Woken::Command(command),
            // Output that never ends must not keep what is due from being done.
            () = maybe(due.map(tokio::time::sleep_until)) => Woken::Time,
            readable = maybe(sideband.map(|sideband| sideband.readable())) => {
                Woken::Sideband(readable)
            }
            () = maybe(sideband.map(|sideband| sideband.writable())) => Woken::SidebandWritable,
            () = ended(process) => Woken::ProcessOver,
            readable = maybe(terminal.map(|terminal| terminal.io().readable())) => {
                Woken::Terminal(readable)
            }
            id = cancelled(callers) => Woken::Cancelled(id),
            () = maybe(behind.map(|spill| spill.catch_up())) => Woken::CaughtUp,
            () = maybe(attachments.map(|files| files.catch_up())) => Woken::CaughtUp,
            () = maybe(recorder.map(|recorder| recorder.catch_up())) => Woken::CaughtUp,
            () = maybe(caught_up.as_ref().map(|told| told.notified())) => Woken::CaughtUp,
            Some(swept) = sweeps.join_next() => Woken::Swept(swept.unwrap_or(Swept::Worker)),
        }
    }
}

/// What a future gives, if there is one; else nothing, for ever.
async fn maybe<T>(future: Option<impl Future<Output = T>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

/// The end of a process that has not been seen to end.
async fn ended(process: Option<&mut crate::pty::Process>) {
    match process {
        Some(process) if !process.is_over() => process.ended().await,
        _ => std::future::pending().await,
    }
}

/// The first call whose client has given up.
async fn cancelled(callers: &mut HashMap<CallId, Caller>) -> CallId {
    std::future::poll_fn(|context| {
        for (id, caller) in callers.iter_mut() {
            if caller.reply.poll_closed(context).is_ready() {
                return Poll::Ready(*id);
            }
        }
        Poll::Pending
    })
    .await
}
