//! What others ask of `exec` while it waits and prints: signals, Ctrl-C, another size.

use std::{collections::VecDeque, io, pin::Pin};

use super::{Out, Printer, Stop};
use crate::{
    cli::terminal::{self, Keyboard},
    pty::{Request as Asked, Requests},
    reply::Reply,
    screen::Size,
    session::{
        client::{Client, FOR_EVER, Request},
        rules::payload::Payload,
    },
};

/// What Ctrl-C does.
#[derive(Debug, Clone, Copy)]
pub(super) enum CtrlC {
    /// It ends everything: no program runs yet.
    Ends,
    /// It interrupts the program.
    Interrupts,
}

/// What others ask of this process meanwhile: by signals, at the keyboard.
pub(super) struct Asks {
    requests: Requests,
    /// `None` where nobody types.
    keyboard: Option<Keyboard>,
    /// The size of this process's terminal, when it has changed.
    resized: Option<Size>,
    /// The calls whose replies are not awaited yet, in their order: an interrupt is one of its own,
    /// since the reply to an earlier one may cross it, and does not say what it did.
    calls: VecDeque<Call>,
}

/// A call that was made: its reply, or `None` when the session is gone.
pub(super) type Call = Pin<Box<dyn Future<Output = Option<Reply>> + Send>>;

impl Asks {
    pub(super) fn new(requests: Requests, keyboard: Option<Keyboard>) -> Asks {
        Asks { requests, keyboard, resized: None, calls: VecDeque::new() }
    }

    /// Makes a call; [`Asks::next_call`] has its reply.
    pub(super) fn call(&mut self, client: &Client, payload: Payload) {
        self.calls.push_back(Box::pin(client.call(Request::new(payload, FOR_EVER))));
    }

    /// The oldest call that was not taken yet.
    pub(super) fn next_call(&mut self) -> Option<Call> {
        self.calls.pop_front()
    }

    /// Whether a reply is still to come, behind which things may stand in another way.
    pub(super) fn is_calling(&self) -> bool {
        !self.calls.is_empty()
    }

    /// The program has gone: what was pressed for it is asked of nobody.
    pub(super) fn leave_program(&mut self) {
        if let Some(keyboard) = &mut self.keyboard {
            keyboard.forget_interrupts();
        }
    }

    /// What is asked next. Cancel safe.
    pub(super) async fn next(&mut self, ctrl_c: CtrlC) -> Asked {
        match (&mut self.keyboard, ctrl_c) {
            // The program gets what is typed; so before there is one.
            (Some(keyboard), CtrlC::Ends) => tokio::select! {
                asked = self.requests.next() => asked,
                () = keyboard.interrupt() => Asked::Interrupt,
            },
            _ => self.requests.next().await,
        }
    }

    /// Does what is asked.
    pub(super) async fn heed(
        &mut self,
        asked: Asked,
        client: &Client,
        ctrl_c: CtrlC,
    ) -> Result<(), Stop> {
        match (asked, ctrl_c) {
            (Asked::Interrupt, CtrlC::Ends) => return Err(Stop::Asked { signal: "SIGINT" }),
            (Asked::Interrupt, CtrlC::Interrupts) => {
                self.call(client, Payload::Interrupt(Box::new(Payload::poll())));
            }
            (Asked::Resize, _) => self.resize(client),
            (Asked::Continue, _) => {
                if let Some(keyboard) = &self.keyboard {
                    keyboard.take_again();
                }
                self.resize(client);
            }
            // It is stopped by the kernel itself.
            (Asked::Stop, _) => {}
            (Asked::End { signal }, _) => return Err(Stop::Asked { signal }),
        }
        Ok(())
    }

    fn resize(&mut self, client: &Client) {
        self.resized = terminal::size();
        if let Some(size) = self.resized {
            client.resize(size);
        }
    }

    /// Prints, and does meanwhile what is asked: whoever reads may take any time.
    pub(super) async fn heeding(
        &mut self,
        printing: impl Future<Output = io::Result<()>>,
        client: &Client,
        ctrl_c: CtrlC,
    ) -> Result<(), Stop> {
        let mut printing = std::pin::pin!(printing);
        loop {
            tokio::select! {
                biased;
                printed = &mut printing => return Ok(printed?),
                asked = self.next(ctrl_c) => self.heed(asked, client, ctrl_c).await?,
            }
        }
    }

    /// Between two prints: the printer learns of another size.
    pub(super) fn after_resize(&mut self, printer: &mut Printer) {
        if let (Some(size), Out::Terminal(shown)) = (self.resized.take(), &mut printer.out) {
            shown.resize(size);
        }
    }
}
