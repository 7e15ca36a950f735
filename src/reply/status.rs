//! How things stand when a call returns, and the lines that say so.

use std::time::Duration;

use mcp_repl_sideband::Outcome;

use super::{Exit, Failure, line::one_line};

/// How things stand when a call returns.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// The next payload is a cell.
    Ready {
        /// How the last cell ended, if there was one.
        outcome: Option<Outcome>,
    },
    /// A reader waits: the next payload is its input.
    Waiting {
        /// Whether what is typed is shown; false for a secret.
        echo: bool,
    },
    /// A program reads the terminal itself: the next payload is typed for it.
    Reading {
        /// Its name.
        program: String,
        /// Whether it reads whole lines; otherwise single keys.
        canonical: bool,
        /// Whether what is typed is shown; false for a secret.
        echo: bool,
        /// Whether that it reads is a guess.
        guessed: bool,
    },
    /// The start of the session waits for input: the next payload is typed for it.
    StartWaits {
        /// Whether what is typed is shown; false for a secret.
        echo: bool,
        /// Whether a cell of this client is run once the session is up.
        keeps_cell: bool,
    },
    /// A pager shows a page: an empty payload turns it, all else is typed.
    Pager {
        /// Its name.
        program: String,
        /// What its prompt says of the place in the text.
        prompt: String,
        /// Whether the end of the text is shown.
        at_end: bool,
        /// Whether it is left to people who are attached, or to the client whose cell it is: an empty
        /// payload does not turn it.
        shared: bool,
    },
    /// A program has the screen to itself: the next payload is typed, as it is.
    FullScreen {
        /// Its name.
        program: String,
        /// The row and the column of the cursor, counted from 0.
        cursor: (u16, u16),
    },
    /// The caller's time is up, or its input could not be taken.
    Busy {
        /// How long the work has been going on.
        elapsed: Duration,
        /// Whether input of this call was thrown away.
        discarded: bool,
    },
    /// There is no session; the next payload starts one.
    Ended {
        /// How the last one went.
        exit: Exit,
    },
    /// The session could not be started, or its worker broke the protocol.
    Failed {
        /// What was tried and what happened.
        failure: Failure,
    },
}

impl Status {
    /// What says how things stand, even where it is plain.
    pub fn line(&self) -> String {
        self.lines(false, true).join("\n")
    }

    /// Whether a line is asked for that is not shown as it is typed.
    pub fn asks_for_secret(&self) -> bool {
        match self {
            Status::Waiting { echo } | Status::StartWaits { echo, .. } => !echo,
            Status::Reading { canonical, echo, .. } => *canonical && !echo,
            _ => false,
        }
    }

    /// Whether a program waits for somebody to type.
    pub fn asks_for_input(&self) -> bool {
        match self {
            Status::Waiting { .. }
            | Status::StartWaits { .. }
            | Status::Reading { .. }
            | Status::Pager { .. }
            | Status::FullScreen { .. } => true,
            Status::Ready { .. }
            | Status::Busy { .. }
            | Status::Ended { .. }
            | Status::Failed { .. } => false,
        }
    }

    /// The lines that say how things stand, where there is something to say.
    pub(super) fn lines(&self, prompt_visible: bool, nothing_else: bool) -> Vec<String> {
        let lines = self.raw_lines(prompt_visible, nothing_else);
        lines.iter().map(|line| one_line(line)).collect()
    }

    /// The same with strings from outside as they are.
    fn raw_lines(&self, prompt_visible: bool, nothing_else: bool) -> Vec<String> {
        let one = |line: &str| vec![line.to_owned()];
        match self {
            Status::Ready { .. } if nothing_else => one("<<repl status: idle>>"),
            Status::Ready { .. } => Vec::new(),
            Status::Waiting { echo: false } => {
                one("<<repl status: waiting for input>> (what is typed is not shown)")
            }
            Status::Waiting { .. } if prompt_visible && !nothing_else => Vec::new(),
            Status::Waiting { .. } => one("<<repl status: waiting for input>>"),
            Status::Reading { program, guessed: true, .. } => {
                vec![format!("<<repl status: waiting for input>> (guessed: {program} sleeps)")]
            }
            Status::Reading { canonical: true, echo, .. } => {
                Status::Waiting { echo: *echo }.raw_lines(prompt_visible, nothing_else)
            }
            Status::Reading { .. } if prompt_visible && !nothing_else => Vec::new(),
            Status::Reading { program, .. } => {
                vec![format!(
                    "<<repl status: waiting for input>> ({program}; `keys` types without Enter)"
                )]
            }
            Status::StartWaits { echo, keeps_cell } => {
                let shown = if *echo { "" } else { "; what is typed is not shown" };
                let cell = if *keeps_cell { "; your cell runs once it is up" } else { "" };
                vec![format!(
                    "<<repl status: waiting for input>> (the session's start asks: the next input \
                     is its answer{shown}{cell})"
                )]
            }
            Status::Pager { program, prompt, shared: true, .. } => {
                vec![format!(
                    "[pager] {program}: {prompt}; left to the other one who reads it; \"q\" quits \
                     for both"
                )]
            }
            Status::Pager { program, prompt, at_end, shared: false } => {
                let next = if *at_end { "" } else { "\"\" next, " };
                vec![format!("[pager] {program}: {prompt}; {next}\"/text\" search, \"q\" quit")]
            }
            Status::FullScreen { program, cursor: (row, column) } => {
                let (row, column) = (row + 1, column + 1);
                vec![format!(
                    "[screen] {program}, cursor at row {row}, column {column}; text is typed as it \
                     is, `keys` by name (Enter, Escape, C-c)"
                )]
            }
            Status::Busy { elapsed, discarded } => {
                let busy = format!("<<repl status: busy, elapsed_ms={}>>", elapsed.as_millis());
                let refused = "[repl] input discarded while worker busy".to_owned();
                if *discarded { vec![refused, busy] } else { vec![busy] }
            }
            Status::Ended { .. } if nothing_else => {
                one("[repl] session ended; the next input starts a new one")
            }
            Status::Ended { .. } => Vec::new(),
            Status::Failed { failure } if nothing_else => {
                vec![format!("[repl] {}", failure.with_hint())]
            }
            // A notice has said it, at its place in the text.
            Status::Failed { .. } => Vec::new(),
        }
    }
}
