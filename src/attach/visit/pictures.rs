//! Pictures that programs give: shown where the terminal has a protocol for them, else named. What
//! comes behind one waits while the terminal is asked what it has, once, and while one is made fit
//! for it.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use tokio::{
    task::{JoinError, JoinHandle},
    time::Instant,
};

use super::{Told, Visit};
use crate::{
    attach::{
        graphics::{self, Answers, Cell, Drawing, Hint, Protocol, QUESTIONS, Room},
        told,
    },
    reply::Attachment,
    session::client::ScreenUpdate,
    terminal,
};

/// How long the terminal has to answer. All that are known answer at once, wherever they are.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many pictures and documents are remembered to have been told of; more than a reply names.
const MOST_NAMES: usize = 1000;
/// How many pictures wait until a program gives the screen back; the last ones.
const MOST_LATER: usize = 16;

/// The pictures of a visit.
#[derive(Debug)]
pub(super) struct Pictures {
    terminal: Terminal,
    hint: Hint,
    drawing: Option<(JoinHandle<Option<Drawing>>, Attachment)>,
    /// Those that came while a program had the whole screen.
    later: VecDeque<Attachment>,
    /// The files that were told of.
    names: BTreeSet<String>,
}

/// What is known of the terminal.
#[derive(Debug)]
enum Terminal {
    /// Nothing.
    Unknown,
    /// It was asked.
    Asked {
        answers: Answers,
        until: Instant,
        first: Box<Attachment>,
    },
    Known {
        protocol: Option<Protocol>,
        cell: Option<Cell>,
    },
}

impl Pictures {
    /// They are shown where that can be, if they are wanted at all.
    pub(super) fn new(are_wanted: bool) -> Pictures {
        let hint = match are_wanted {
            true => graphics::hint(|name| std::env::var(name).ok()),
            false => Hint::None,
        };
        let terminal = match hint {
            Hint::None => Terminal::Known { protocol: None, cell: None },
            _ => Terminal::Unknown,
        };
        let (later, names) = (VecDeque::new(), BTreeSet::new());
        Pictures { terminal, hint, drawing: None, later, names }
    }

    /// Whether they are wanted, as far as is known.
    pub(super) fn are_wanted(&self) -> bool {
        !matches!(self.terminal, Terminal::Known { protocol: None, .. })
    }

    /// Whether what comes behind a picture waits.
    pub(super) fn is_busy(&self) -> bool {
        self.drawing.is_some() || matches!(self.terminal, Terminal::Asked { .. })
    }

    /// Notes that this is told of.
    pub(super) fn note(&mut self, update: &ScreenUpdate) {
        if let ScreenUpdate::Attached(attachment) = update {
            if self.names.len() >= MOST_NAMES {
                self.names.clear();
            }
            self.names.insert(attachment.file.name.clone());
        }
    }

    /// Whether this was told of.
    pub(super) fn has_told(&self, attachment: &Attachment) -> bool {
        self.names.contains(&attachment.file.name)
    }

    /// When the terminal has been waited for long enough.
    pub(super) fn until(&self) -> Option<Instant> {
        match &self.terminal {
            Terminal::Asked { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// Waits until a picture is fit for the terminal.
    pub(super) async fn drawn(&mut self) -> Result<Option<Drawing>, JoinError> {
        match &mut self.drawing {
            Some((drawing, _)) => drawing.await,
            None => std::future::pending().await,
        }
    }
}

impl Visit {
    /// Shows a picture, or names it.
    pub(super) fn attached(&mut self, attachment: Attachment) {
        if self.outer.is_alternate() {
            self.pictures.later.push_back(attachment);
            if self.pictures.later.len() > MOST_LATER {
                self.pictures.later.pop_front();
            }
            return;
        }
        let Some(data) = attachment.data.clone() else { return self.name(&attachment) };
        match &self.pictures.terminal {
            Terminal::Known { protocol: None, .. } => self.name(&attachment),
            Terminal::Known { protocol: Some(protocol), cell } => {
                let told = terminal::cell().map(|(width, height)| Cell { width, height });
                let (protocol, cell) = (*protocol, told.or(*cell));
                let room = Room { size: self.size, cell };
                let draw = move || graphics::draw(&data, protocol, room);
                let drawing = tokio::task::spawn_blocking(draw);
                self.pictures.drawing = Some((drawing, attachment));
            }
            Terminal::Unknown | Terminal::Asked { .. } => {
                self.outer.print_aside(QUESTIONS);
                self.pictures.terminal = Terminal::Asked {
                    answers: Answers::default(),
                    until: Instant::now() + PATIENCE,
                    first: Box::new(attachment),
                };
            }
        }
    }

    /// The terminal has answered.
    pub(super) fn heard(&mut self, answer: &[u8]) {
        if let Terminal::Asked { answers, .. } = &mut self.pictures.terminal
            && answers.take(answer)
        {
            self.know_terminal();
        }
    }

    /// All is known of the terminal that there is to know.
    pub(super) fn know_terminal(&mut self) {
        let nothing = Terminal::Known { protocol: None, cell: None };
        let asked = std::mem::replace(&mut self.pictures.terminal, nothing);
        self.take_row_off();
        if let Terminal::Asked { answers, first, .. } = asked {
            let protocol = answers.protocol(self.pictures.hint);
            self.pictures.terminal = Terminal::Known { protocol, cell: answers.cell };
            self.attached(*first);
            self.show_waiting();
        }
    }

    /// A picture is fit for the terminal, or can't be shown.
    pub(super) fn drawn(&mut self, drawn: Result<Option<Drawing>, JoinError>) {
        let Some((_, attachment)) = self.pictures.drawing.take() else { return };
        self.take_row_off();
        match drawn {
            Ok(Some(Drawing { bytes, rows })) => self.outer.picture(&bytes, rows),
            Ok(None) | Err(_) => self.name(&attachment),
        }
        self.show_waiting();
    }

    /// Shows what waits, as far as no picture comes in between.
    pub(super) fn show_waiting(&mut self) {
        while !self.pictures.is_busy()
            && let Some(told) = self.waiting.pop_front()
        {
            self.show_one(told);
        }
    }

    /// Those that came while a program had the whole screen are next, once it has not.
    pub(super) fn show_later(&mut self) {
        if !self.pictures.later.is_empty() && !self.outer.is_alternate() {
            for attachment in std::mem::take(&mut self.pictures.later).into_iter().rev() {
                self.waiting.push_front(Told::Update(ScreenUpdate::Attached(attachment)));
            }
            self.show_waiting();
        }
    }

    fn name(&mut self, attachment: &Attachment) {
        let line = told::plain(&attachment.line());
        self.outer.line(&line);
    }
}
