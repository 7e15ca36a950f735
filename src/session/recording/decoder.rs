//! The lines of a recording → what happened in its session.

use std::io::BufRead;

use super::{
    encoder::CODE,
    settings::{Settings, SettingsError},
    step::{Step, StepError},
};
use crate::{
    cast::{CastError, Event, Header, Kind, Reader},
    session::{
        pipeline::Input,
        rules::{
            payload::Payload,
            state::{CallId, ClientId, Time},
        },
    },
};

/// The most events of a recording that is replayed as a session, which has all of them in memory.
const MOST_EVENTS: usize = 4 << 20;
/// The most that they hold, in bytes.
const MOST_BYTES: usize = 512 << 20;

/// A recorded session.
#[derive(Debug, Clone)]
pub struct Recording {
    /// What the file says of the terminal.
    pub header: Header,
    /// What it says of the session.
    pub settings: Settings,
    /// What happened, and when.
    pub inputs: Vec<(Time, Input<'static>)>,
    /// How calls were answered, in order.
    pub replies: Vec<Answered>,
    /// Whether something typed is not in it.
    pub hides_typing: bool,
}

/// An answer to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The call's number.
    pub call: CallId,
    /// Who made it.
    pub client: ClientId,
    /// What it was told, as an agent reads it.
    pub text: String,
}

/// Why a file is no recording of a session that can be replayed.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It is no recording of a terminal.
    #[error(transparent)]
    Cast(#[from] CastError),
    /// It is one, and of no session.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// What the session did can't be read.
    #[error("line {line} is nothing that happens in a session: {why}")]
    NoStep {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// It is too long.
    #[error("it is too long to be replayed: more than {MOST_EVENTS} events, or {} MiB of them", MOST_BYTES >> 20)]
    TooLong,
}

impl Recording {
    /// Reads a recording to its end.
    ///
    /// # Errors
    /// When it is none, or one of something else.
    pub fn read(lines: impl BufRead) -> Result<Recording, RecordingError> {
        let mut reader = Reader::new(lines)?;
        let header = reader.header().clone();
        let settings = Settings::from_json(header.mcp_repl.as_ref())?;
        let mut recording = Recording {
            header,
            settings,
            inputs: Vec::new(),
            replies: Vec::new(),
            hides_typing: false,
        };
        let (mut is_for_players, mut bytes) = (false, 0);
        while let Some(event) = reader.next() {
            let Event { time, kind } = match event {
                // Its recorder was killed; what happened before is whole.
                Err(CastError::Cut { .. }) => break,
                event => event?,
            };
            let is_output = matches!(kind, Kind::Output(_));
            bytes += match &kind {
                Kind::Output(data) | Kind::Other { data, .. } => data.len(),
                _ => 0,
            };
            if recording.inputs.len() >= MOST_EVENTS || bytes > MOST_BYTES {
                return Err(RecordingError::TooLong);
            }
            match kind {
                Kind::Output(_) if is_for_players => {}
                Kind::Output(text) => {
                    let input = Input::Output(text.into_bytes().into());
                    recording.inputs.push((time, input));
                }
                Kind::Other { code: CODE, data } => {
                    let wrong = |why: String| RecordingError::NoStep { line: reader.line(), why };
                    let step: Step =
                        serde_json::from_str(&data).map_err(|error| wrong(error.to_string()))?;
                    is_for_players = matches!(step, Step::Shown | Step::Bytes { .. });
                    recording.step(time, step).map_err(|error| wrong(error.to_string()))?;
                }
                // For players.
                Kind::Input(_)
                | Kind::Resize(_)
                | Kind::Marker(_)
                | Kind::Exit(_)
                | Kind::Other { .. } => {}
            }
            if is_output {
                is_for_players = false;
            }
        }
        Ok(recording)
    }

    fn step(&mut self, time: Time, step: Step) -> Result<(), StepError> {
        match step {
            Step::Reply { call, client, text } => {
                self.replies.push(Answered { call, client, text });
                return Ok(());
            }
            Step::Call { hidden: true, .. } | Step::Keystrokes { hidden: true, .. } => {
                self.hides_typing = true;
            }
            _ => {}
        }
        if let Some(input) = step.into_input()? {
            self.inputs.push((time, input));
        }
        Ok(())
    }

    /// How much the terminal printed, in bytes.
    pub fn printed(&self) -> usize {
        let length = |(_, input): &(Time, Input<'_>)| match input {
            Input::Output(bytes) => bytes.len(),
            _ => 0,
        };
        self.inputs.iter().map(length).sum()
    }

    /// What its clients sent, in order: each call's number, its client, and what.
    pub fn calls(&self) -> impl Iterator<Item = (CallId, ClientId, &Payload)> {
        self.inputs.iter().filter_map(|(_, input)| match input {
            Input::Call { id, client, payload, .. } => Some((*id, *client, payload)),
            _ => None,
        })
    }
}
