//! What the engine does outside of the pipeline: orders to the worker, its start and end, replies.

use std::{io, path::Path, time::Instant};

use super::{Attachments, Engine, Swept, since};
use crate::{
    reply::{Attachment, Exit, Failure, FilePlace, Reply},
    session::{
        attachments,
        client::{Answer, Piece},
        launch::{Resolved, WorkerProgram},
        pipeline::{Effect, Input},
        rules::state::{CallId, ClientId},
        spill::Spill,
        worker::Worker,
    },
};

impl Engine {
    /// Performs what is to be done, until nothing is.
    pub(super) fn perform_all(&mut self) {
        while !self.explanations.is_asked()
            && let Some(effect) = self.pipeline.next_effect()
        {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
        let now = self.now();
        match effect {
            Effect::Start => self.start_first(),
            Effect::StartNext { exit } => self.start_next(exit),
            Effect::Keep { client, text } => self.keep(client, text),
            Effect::KeepAttachment(attachment) => self.keep_attachment(attachment),
            Effect::Reply { call, client, reply } => {
                if let Some(recorder) = self.recorder() {
                    recorder.reply(call, client, &reply);
                }
                self.reply(call, client, reply);
            }
            Effect::Tell { client, content } => {
                if let Some(recorder) = self.recorder() {
                    recorder.told(client, &content);
                }
                self.tell(client, &Piece::Content(content));
            }
            Effect::Completed { id, completion } => self.completions.answer(id, completion),
            Effect::Retire => self.retire_worker(),
            Effect::GiveUp(failure) => self.give_up(failure),
            Effect::DropInput => self.drop_input(),
            Effect::Look { holds_input } => self.look(holds_input),
            Effect::Explain { text, directory } => {
                let worker = self.worker.as_ref();
                let Some(explainer) = worker.and_then(Worker::explainer) else {
                    return self.take(Input::Explained(None));
                };
                self.explanations.ask(move || {
                    let directory = Some(Path::new(&directory)).filter(|path| path.is_absolute());
                    explainer.explain(&text, directory)
                });
            }
            Effect::Send(message) => self.with_worker(|worker| worker.send(&message)),
            Effect::Type(bytes) => self.with_worker(|worker| worker.type_bytes(&bytes, now)),
            Effect::Answer(bytes) => self.with_worker(|worker| worker.answer(&bytes, now)),
            Effect::HangUp => self.with_worker(|worker| worker.hang_up()),
            Effect::Kill => self.with_worker(|worker| worker.kill()),
            Effect::RestoreSize => {
                self.with_worker(Worker::restore_size);
                self.find_size();
            }
            Effect::Resize(size) => {
                self.config.size = size;
                self.with_worker(|worker| worker.resize(size));
                self.find_size();
            }
            Effect::Interrupt { worker_reads, by_key } => {
                let worker = self.worker.as_mut();
                if worker.is_some_and(|worker| worker.interrupt(worker_reads, by_key, now)) {
                    self.take(Input::InterruptTyped);
                }
            }
        }
    }

    fn with_worker(&mut self, order: impl FnOnce(&mut Worker)) {
        self.worker.as_mut().map(order);
    }

    fn find_size(&mut self) {
        if let Some(size) = self.worker.as_mut().and_then(Worker::find_size) {
            self.take(Input::Resized(size));
        }
    }

    fn drop_input(&mut self) {
        let bytes = self.worker.as_mut().map_or(0, Worker::drop_input);
        if bytes > 0 {
            // The terminal has echoed it.
            self.read_terminal();
        }
        self.take(Input::InputDropped { bytes });
    }

    /// Asks the kernel who reads the terminal.
    fn look(&mut self, holds_input: bool) {
        let began = Instant::now();
        let worker = self.worker.as_ref();
        let found = worker.and_then(Worker::blocked_reader);
        let holds_input = holds_input && worker.is_some_and(Worker::holds_input);
        self.take(Input::Looked { found, holds_input, took: since(began) });
    }

    fn reply(&mut self, call: CallId, client: ClientId, mut reply: Reply) {
        let Some(caller) = self.callers.remove(&call) else {
            // Its client gave up a moment ago: what there is to say is for its next call.
            return self.take(Input::Returned { client, reply });
        };
        self.tell(client, &Piece::Reply);
        let text = self.spills.get_mut(&client).and_then(Spill::finish);
        if let Some(text) = &text {
            self.last_outputs.insert(client, text.path().to_owned());
        }
        let mut files = self.attachments.pending(&mut reply);
        let limit = match self.config.attachments {
            Attachments::Kept(limit) if attachments::has_pictures(&mut reply) => Some(limit),
            _ => None,
        };
        if text.is_none() && files.is_empty() && limit.is_none() {
            let answer = Answer::new(client, reply, self.commands.clone());
            if let Err(untold) = caller.reply.send(answer) {
                let reply = untold.told();
                self.take(Input::Returned { client, reply });
            }
            return;
        }
        let (commands, disk) = (self.commands.clone(), self.config.output_disk.clone());
        self.answering.push(client);
        let mut to = caller.reply;
        self.sweeps.spawn(async move {
            if let Some(text) = text {
                reply.set_kept_text(text.done().await);
            }
            // One that nobody takes any more goes back as it is.
            let is_wanted = tokio::select! {
                biased;
                () = files.written() => true,
                () = to.closed() => false,
            };
            files.tell(&mut reply, is_wanted);
            reply.set_deleted_outputs(disk.take_deleted());
            if let Some(limit) = limit.filter(|_| is_wanted) {
                let shown = attachments::show(&mut reply, limit);
                tokio::select! {
                    biased;
                    () = shown => {}
                    () = to.closed() => {}
                }
            }
            let untold = to.send(Answer::new(client, reply, commands)).err();
            Swept::Reply { client, untold: untold.map(Answer::told) }
        });
    }

    fn keep_attachment(&mut self, attachment: Attachment) {
        let is_kept = matches!(self.config.attachments, Attachments::Kept(_));
        let path = || self.directory.path().join(&attachment.file.name).display().to_string();
        let place = if is_kept { FilePlace::At(path()) } else { FilePlace::Nowhere };
        self.pipeline.observer_and_screen().0.attached(&attachment, place);
        if is_kept {
            let is_named = |number| self.pipeline.names_attachment(number);
            self.attachments.keep(self.directory.path(), attachment, is_named);
        }
    }

    fn tell(&mut self, client: ClientId, piece: &Piece) {
        self.pipeline.observer_and_screen().0.followers.tell(client, piece);
    }

    fn keep(&mut self, client: ClientId, text: String) {
        let (directory, disk) = (self.directory.path(), &self.config.output_disk);
        let spill = self.spills.entry(client).or_insert_with(|| {
            Spill::new(directory.to_owned(), self.spilled.clone(), disk.clone())
        });
        spill.write(text);
    }

    /// The worker is of no use: shows all there is.
    pub(super) fn give_up(&mut self, failure: Failure) {
        self.take(Input::GivenUp);
        self.read_terminal();
        self.take(Input::Failed(failure));
    }

    fn start_first(&mut self) {
        match self.config.target.resolve() {
            Ok(resolved) => self.start_worker(resolved),
            Err(error) => self.take(Input::Failed(Failure::NoProgram(error.to_string()))),
        }
    }

    /// The worker ended before it was ready, which one that nobody asked for by name is passed
    /// over for.
    fn start_next(&mut self, exit: Exit) {
        let why = format!("it ended before it was ready ({exit})");
        match self.resolved.take().and_then(|resolved| resolved.next(&why)) {
            Some(next) => self.start_worker(next),
            None => self.take(Input::Failed(Failure::EndedAtStart { exit })),
        }
    }

    /// Starts this program, or the first of those that may be taken in its place and can be
    /// executed.
    fn start_worker(&mut self, mut resolved: Resolved) {
        self.retire_worker();
        let mut passed_over = Vec::new();
        loop {
            passed_over.append(&mut resolved.passed_over);
            let error = match self.launch(&resolved.program) {
                Ok(worker) => {
                    let (nonce, size) = (worker.nonce().to_owned(), self.config.size);
                    let (marks, is_confined) = (worker.marks(), worker.is_confined());
                    let program = &resolved.program;
                    let file = program.file.display().to_string();
                    let file = (!program.has_sideband).then_some(file);
                    self.worker = Some(worker);
                    self.resolved = Some(resolved);
                    self.take(Input::Started { nonce, size, marks, passed_over });
                    if is_confined {
                        self.take(Input::Confined);
                    }
                    if let Some(file) = file {
                        self.take(Input::RunsProgram { file });
                    }
                    return;
                }
                Err(error) if self.is_of_sandbox(&error) => {
                    let error = error.to_string();
                    return self.take(Input::Failed(Failure::NoSandbox { error }));
                }
                Err(error) => error.to_string(),
            };
            let program = resolved.program.file.display().to_string();
            match resolved.next(&error) {
                Some(next) => resolved = next,
                None => return self.take(Input::Failed(Failure::NotStarted { program, error })),
            }
        }
    }

    /// Whether that is why there is no sandbox. What the system says of a program has its number.
    fn is_of_sandbox(&self, error: &io::Error) -> bool {
        let is_of_program = match error.kind() {
            io::ErrorKind::ResourceBusy
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::Unsupported => false,
            _ => error.raw_os_error().is_some(),
        };
        self.config.surroundings.sandbox.is_some() && !is_of_program
    }

    fn launch(&mut self, program: &WorkerProgram) -> io::Result<Worker> {
        let paging = self.config.paging;
        let around = &self.config.surroundings;
        let mut launch = self.directory.launch(program, paging, around);
        if launch.is_err() {
            // Somebody swept the place for temporary files.
            if let Ok(directory) = self.config.runtime.session() {
                self.spills.clear();
                self.config.output_disk.forget_below(self.directory.path());
                self.directory = directory;
                launch = self.directory.launch(program, paging, around);
            }
        }
        let pictures = self.config.attachments.picture_limit();
        launch.and_then(|launch| Worker::start(launch, self.config.size, pictures))
    }

    /// Leaves a worker that ended to be swept up.
    fn retire_worker(&mut self) {
        if let Some(worker) = self.worker.take() {
            self.sweeps.spawn(async {
                worker.sweep().await;
                Swept::Worker
            });
        }
    }
}
