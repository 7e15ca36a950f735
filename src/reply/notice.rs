//! What the bridge itself has to say, each in one place in the text.

use super::Exit;

/// Something that happened to the session or to what a client sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Notice {
    /// The session ended.
    #[error("[repl] session ended ({exit}){}", missed(*.missed_input))]
    SessionEnded {
        /// How.
        exit: Exit,
        /// Whether it went before it had read the last input it was sent.
        missed_input: bool,
    },
    /// A session began that is not the first one.
    #[error("[repl] new session started")]
    SessionStarted,
    /// A program that came first can't be run; the text names it and says why.
    #[error("[repl] passed over {0}")]
    PassedOver(String),
    /// Nobody read what was sent for the last cell.
    #[error("[repl] {bytes} {} of unread input discarded", if *.bytes == 1 { "byte" } else { "bytes" })]
    InputDiscarded {
        /// How much.
        bytes: u64,
    },
    /// The input was no cell: a program in the background had the terminal.
    #[error("[repl] typed for {program}, which reads the terminal in the background")]
    TypedInBackground {
        /// Its name.
        program: String,
    },
    /// A cell that waited for the session to start was interrupted.
    #[error("[repl] interrupted before it was run")]
    InterruptedBeforeRun,
    /// The input could not be taken.
    #[error("[repl] {0}")]
    Refused(Refusal),
    /// Text had no room in the reply.
    #[error("[repl] … {lines} lines ({bytes} bytes) left out here; {kept}")]
    TextLeftOut {
        /// Its line ends.
        lines: usize,
        /// Its length.
        bytes: usize,
        /// Where the whole text is.
        kept: KeptText,
    },
}

/// Why input could not be taken. Nothing of it was typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Keys, and no session.
    #[error("there is no session to type into")]
    NoSession,
    /// A cell that waited for its turn, and what is before it asks for input.
    #[error("not run: the cell before it waits for input; send this again afterwards")]
    NotItsTurn,
    /// Keys, and nobody who would get them.
    #[error("nothing reads the terminal, so the keys were not typed")]
    NobodyReads,
    /// A line that the terminal would truncate.
    #[error(
        "nothing was typed: a line of {length} bytes is longer than the {most} bytes a terminal \
         holds for {program}; send shorter lines"
    )]
    LineTooLong {
        /// Its length in bytes.
        length: usize,
        /// The most that a canonical terminal holds.
        most: usize,
        /// The program that reads lines.
        program: String,
    },
}

/// Where the whole text is, of which a reply shows the head and the tail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeptText {
    /// In this file.
    #[error("the whole text is in {0}")]
    File(String),
    /// It could not be written, for this reason.
    #[error("the whole text could not be written to disk: {0}")]
    Failed(String),
    /// Nobody asked for it.
    #[error("the whole text was not kept")]
    Nowhere,
}

fn missed(missed_input: bool) -> &'static str {
    if missed_input { "; the last input did not reach it" } else { "" }
}
