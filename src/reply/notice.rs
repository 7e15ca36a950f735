//! What the bridge itself has to say, each in one place in the text.

use std::fmt;

use mcp_repl_sideband::{Hint, Reader};

use crate::sandbox::{Denial, Mode, Network};

use super::{AttachmentFile, Deed, Exit, Failure, FilePlace, PeopleNotice, hint, line::one_line};

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
    /// The session is about to be ended from outside.
    #[error("[repl] the session is ended by {0}")]
    EndedBy(EndedBy),
    /// What happens from here on is not recorded any more.
    #[error("[repl] the recording of this session has ended: {why}")]
    RecordingEnded {
        /// Why.
        why: String,
    },
    /// The session could not be started, or its worker broke the protocol.
    #[error("[repl] {}", failure.with_hint())]
    SessionFailed {
        /// What was tried and what happened.
        failure: Failure,
    },
    /// A cell waited for a session that failed before it was up.
    #[error("[repl] the input that waited for the session was not run")]
    NotRun,
    /// A session began that is not the first one.
    #[error("[repl] new session started")]
    SessionStarted,
    /// A session began in the place of one that is gone.
    #[error("[repl] new session started: the earlier one is gone ({why})")]
    StartedInstead {
        /// Why.
        why: String,
    },
    /// This client goes on with the session that waited for it.
    #[error("[repl] rejoined the session of {started}{}", variables(*.keeps_variables))]
    Rejoined {
        /// When the session was started, as a clock shows it.
        started: String,
        /// Whether its program has not ended since.
        keeps_variables: bool,
    },
    /// This client has come to a session that others had used.
    #[error("[repl] joined the session of {started}{}{}", company(*.others), variables(*.keeps_variables))]
    Joined {
        /// When the session was started, as a clock shows it.
        started: String,
        /// How many others are there.
        others: usize,
        /// Whether there is a program in it.
        keeps_variables: bool,
    },
    /// The connection to the session had ended, and there is a new one.
    #[error("[repl] connected to the session again{}", variables(*.keeps_variables))]
    ConnectedAgain {
        /// Whether its program has not ended since.
        keeps_variables: bool,
    },
    /// What the session's program may reach, where the client was not told so before.
    #[error("[repl] sandbox: {mode}{}{}", reached(*.network), as_the_clients(*.is_clients))]
    Sandbox {
        /// The mode.
        mode: Mode,
        /// The network.
        network: Network,
        /// Whether that is so since the client's own sandbox is such.
        is_clients: bool,
    },
    /// What a settings file says is not in use.
    #[error("[repl] not in use: {what}: {why}")]
    NotInUse {
        /// Which of it, and which file.
        what: String,
        /// Why, and who can do something about it.
        why: String,
    },
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
    /// The input was no cell: a read of the program's own, in the background, waited for it, which
    /// its client had not been told.
    #[error("[repl] taken by {} in {}", read(*.reader), in_thread(.thread.as_deref()))]
    TakenInBackground {
        /// How it reads.
        reader: Reader,
        /// The name of its thread, if the worker says it.
        thread: Option<String>,
    },
    /// A program ended that may have left what was typed for it unread.
    #[error(
        "[repl] {program} ended and showed nothing of what was typed for it; it may not have read \
         that"
    )]
    MaybeUnread {
        /// Its name.
        program: String,
    },
    /// A program shows the page that the last reply had.
    #[error("[repl] the page has not changed")]
    PageUnchanged,
    /// A cell that waited for the session to start was interrupted.
    #[error("[repl] interrupted before it was run")]
    InterruptedBeforeRun,
    /// A call was cancelled whose input waited for its turn.
    #[error("[repl] the input of a cancelled call was not run")]
    CancelledBeforeRun,
    /// A call was cancelled, and with it its cell.
    #[error("[repl] a call was cancelled, and an interrupt sent to its cell")]
    CancelledCell,
    /// A call was cancelled, and nobody was told since how its cell goes on.
    #[error(r#"[repl] the cell of a cancelled call still runs; "\u0003" interrupts it"#)]
    StillRuns,
    /// Another client did something.
    #[error("[repl] meanwhile another client{} {deed}", named(.client))]
    Meanwhile {
        /// Its name; may be empty.
        client: String,
        /// What; the source of a cell follows as text.
        deed: Deed,
    },
    /// What follows was printed by a cell of another client, which had begun before the last reply.
    #[error("[repl] meanwhile the cell of another client{} printed:", named(.client))]
    MeanwhilePrinted {
        /// Its name; may be empty.
        client: String,
    },
    /// Behind what others did: what follows is of a cell that the client sent itself.
    #[error("[repl] now your cell:")]
    OwnCell,
    /// The cell on its way is another client's.
    #[error("[repl] the cell of another client{} {}", named(.client), if *.waits {
        "waits for input; what you send now is its answer"
    } else {
        "still runs"
    })]
    AnothersCell {
        /// Its name; may be empty.
        client: String,
        /// Whether it waits for somebody to type.
        waits: bool,
    },
    /// What people did in the session, or are to do.
    #[error("[repl] {0}")]
    People(PeopleNotice),
    /// A cell did not compile, and this is what it was meant to be.
    #[error("[repl] hint: {}", hint::said(.0))]
    Hint(Hint),
    /// Something was denied to a cell.
    #[error("[repl] {0}")]
    Denied(Denial),
    /// The input could not be taken.
    #[error("[repl] {0}")]
    Refused(Refusal),
    /// Text had no room in the reply.
    #[error("[repl] … {} left out here; {kept}", amount(*.lines, *.bytes))]
    TextLeftOut {
        /// Its line ends; none in the middle of a long line.
        lines: usize,
        /// Its length.
        bytes: usize,
        /// Where the whole text is.
        kept: KeptText,
    },
    /// Files of long texts were deleted, to make room for newer ones.
    #[error("[repl] {0}")]
    OutputsDeleted(DeletedOutputs),
    /// More notices came before a reply than are kept for one.
    #[error("[repl] … the first {notices} {} left out", if *.notices == 1 { "notice is" } else { "notices are" })]
    NoticesDropped {
        /// How many.
        notices: usize,
    },
    /// More pictures and documents came before a reply than one names.
    #[error("[repl] … {} left out here{}", attachments(*.count), range(.first, .last))]
    AttachmentsLeftOut {
        /// How many, at least one.
        count: usize,
        /// The first one's file.
        first: AttachmentFile,
        /// The last one's; the same where there is one.
        last: AttachmentFile,
    },
    /// A picture or document was too large for the worker to send.
    #[error("[repl] not kept: {mime} of {bytes} bytes, which is too large")]
    TooLarge {
        /// Its media type.
        mime: String,
        /// Its size.
        bytes: u64,
    },
    /// The same place again at the end: a client that shortens a reply cuts out its middle.
    #[error("[repl] {kept}{}", shown_by(kept))]
    WholeText {
        /// Where the whole text is.
        kept: KeptText,
    },
    /// The line of another process's notice.
    #[error("{0}")]
    Told(String),
    /// The same of one that says whose the cell is that follows.
    #[error("{line}")]
    ToldWhose {
        /// The line.
        line: String,
        /// Whose.
        whose: Whose,
    },
}

/// What ends a session from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndedBy {
    /// Another client.
    #[error("another client")]
    Client,
    /// A signal.
    #[error("a signal to its host")]
    Signal,
}

/// Whose a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// That of the client that is told.
    Own,
    /// Another client's.
    Anothers,
}

impl Notice {
    /// Whether what follows it is of another client.
    pub(super) fn is_of_others(&self) -> bool {
        matches!(self, Notice::Meanwhile { .. } | Notice::MeanwhilePrinted { .. })
    }

    /// Whether who looks on has seen it: what other clients did, how the session was come to, and a page.
    pub fn is_seen(&self) -> bool {
        let page = Notice::PageUnchanged.line();
        let is_told_seen = |line: &str| line.starts_with("[repl] meanwhile ") || line == page;
        self.whose().is_some()
            || match self {
                Notice::Meanwhile { .. }
                | Notice::MeanwhilePrinted { .. }
                | Notice::PageUnchanged
                | Notice::Rejoined { .. }
                | Notice::Joined { .. } => true,
                // Of another process's notices there is the line only.
                Notice::Told(line) => is_told_seen(line),
                _ => false,
            }
    }

    /// Where the whole text is of which a part had no room in the reply, in words, if it says that.
    pub fn kept(&self) -> Option<String> {
        match self {
            Notice::TextLeftOut { kept, .. } => Some(kept.to_string()),
            Notice::Told(line) => {
                let (amount, kept) = line.split_once(" left out here; ")?;
                amount.starts_with("[repl] … ").then(|| kept.to_owned())
            }
            _ => None,
        }
    }

    /// How much of what was typed for the last cell nobody has read, in bytes, where it says that.
    pub fn unread(&self) -> Option<u64> {
        match self {
            Notice::InputDiscarded { bytes } => Some(*bytes),
            Notice::Told(line) => {
                let number = line.split(' ').nth(1)?;
                let bytes = number.parse().ok()?;
                (*line == Notice::InputDiscarded { bytes }.line()).then_some(bytes)
            }
            _ => None,
        }
    }

    /// Whose cell what follows it is of, where it says so.
    pub fn whose(&self) -> Option<Whose> {
        match self {
            Notice::Meanwhile { deed: Deed::Ran { .. }, .. } | Notice::MeanwhilePrinted { .. } => {
                Some(Whose::Anothers)
            }
            Notice::OwnCell => Some(Whose::Own),
            Notice::ToldWhose { whose, .. } => Some(*whose),
            _ => None,
        }
    }

    /// It as one line, without a line end: strings from outside don't break it.
    pub fn line(&self) -> String {
        one_line(&self.to_string())
    }
}

/// Why input could not be taken. Nothing of it was typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Keys, and no session.
    #[error("there is no session to type into")]
    NoSession,
    /// A cell that waited for its turn, and what is before it asks for input.
    #[error("not run: what is before it waits for input; send this again afterwards")]
    NotItsTurn,
    /// A text for a program that ended before it asked for any.
    #[error("nothing was typed: the program ended before it asked for input")]
    ProgramEnded,
    /// What waited while somebody had taken the session over, and was meant for what is there no
    /// longer.
    #[error("not sent: what this was for is over, as the session was in other hands meanwhile")]
    OtherHands,
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

/// Files of long texts that were deleted, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeletedOutputs {
    files: usize,
    first: String,
    last: String,
    limit: u64,
}

impl DeletedOutputs {
    /// Adds one, deleted since all of them may take no more than `limit` bytes.
    pub fn add(&mut self, file: String, limit: u64) {
        if self.files == 0 {
            self.first.clone_from(&file);
        }
        self.files += 1;
        (self.last, self.limit) = (file, limit);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.files == 0
    }
}

impl fmt::Display for DeletedOutputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DeletedOutputs { files, first, last, limit } = self;
        write!(f, "long outputs take at most {limit} bytes on disk: deleted {first}")?;
        if *files > 1 { write!(f, " to {last} ({files} files)") } else { Ok(()) }
    }
}

fn named(client: &str) -> String {
    if client.is_empty() { String::new() } else { format!(" ({client})") }
}

fn shown_by(kept: &KeptText) -> &'static str {
    match kept {
        KeptText::File(_) => "; `show` \"lines 1-100\" reads it",
        KeptText::Failed(_) | KeptText::Nowhere => "",
    }
}

fn amount(lines: usize, bytes: usize) -> String {
    match lines {
        0 => format!("{bytes} bytes"),
        1 => format!("1 line ({bytes} bytes)"),
        _ => format!("{lines} lines ({bytes} bytes)"),
    }
}

fn read(reader: Reader) -> &'static str {
    match reader {
        Reader::Readline => "input()",
        Reader::Stdin => "a read of sys.stdin",
    }
}

fn in_thread(name: Option<&str>) -> String {
    name.map_or_else(|| "the background".to_owned(), |name| format!("thread {name}"))
}

fn reached(network: Network) -> &'static str {
    match network {
        Network::Off => ", no network",
        Network::Local => ", this machine only",
        Network::On => "",
    }
}

fn as_the_clients(is_clients: bool) -> &'static str {
    match is_clients {
        true => {
            "; this client's own sandbox is followed, and options of mcp-repl allow no more than that"
        }
        false => "",
    }
}

fn variables(keeps: bool) -> &'static str {
    if keeps { "; its variables are still there" } else { "" }
}

fn company(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => ", which another client uses, too".to_owned(),
        others => format!(", which {others} other clients use, too"),
    }
}

fn missed(missed_input: bool) -> &'static str {
    if missed_input { "; the last input did not reach it" } else { "" }
}

fn attachments(count: usize) -> String {
    match count {
        1 => "1 picture or document".to_owned(),
        _ => format!("{count} pictures and documents"),
    }
}

fn range(first: &AttachmentFile, last: &AttachmentFile) -> String {
    match (&first.place, &last.place) {
        (FilePlace::At(first), FilePlace::At(last)) if first == last => format!("; it is {first}"),
        (FilePlace::At(first), FilePlace::At(last)) => format!("; they are {first} to {last}"),
        _ if first == last => format!(": {}", first.name),
        _ => format!(": {} to {}", first.name, last.name),
    }
}
