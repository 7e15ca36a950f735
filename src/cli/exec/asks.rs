//! What others ask of `exec` while it waits and prints: signals, Ctrl-C, another size.

use std::io;

use super::{Out, Printer, Stop};
use crate::{
    cli::terminal::{self, Keyboard},
    pty::{Request as Asked, Requests},
    screen::Size,
    session::{client::Client, rules::payload::INTERRUPT},
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
}

impl Asks {
    pub(super) fn new(requests: Requests, keyboard: Option<Keyboard>) -> Asks {
        Asks { requests, keyboard, resized: None }
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
            (Asked::Interrupt, CtrlC::Interrupts) => tokio::select! {
                biased;
                () = client.type_bytes(vec![INTERRUPT as u8]) => {}
                // It is on its way, whatever else waits to be typed.
                () = std::future::ready(()) => {}
            },
            (Asked::Resize, _) => self.resize(client),
            (Asked::Continue, _) => {
                if let Some(keyboard) = &self.keyboard {
                    keyboard.take_again();
                }
                self.resize(client);
            }
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
