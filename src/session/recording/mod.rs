//! Recordings of sessions: asciicast files that play in the usual players, with a line more for
//! each thing that happens beside what is printed, so that a replay gives the same replies
//! without a process.
//!
//! ```text
//! Input, echoes, replies ─► encoder ─► events ─► recorder, a thread ─► file
//! file ─► decoder ─► Recording ─► replay ─► replies, transcript, page
//! ```
//!
//! `docs/recordings.md` has the format.

mod answers;
mod decoder;
mod encoder;
mod recorder;
mod replay;
mod settings;
mod step;

pub use decoder::{Answered, Recording, RecordingError};
pub(super) use recorder::Recorder;
pub use recorder::RecordingFile;
pub use replay::{Cuts, Replayed, replay};
pub use settings::{Interpreter, Settings, SettingsError};
pub(super) use step::Hidden;
pub use step::hide;
