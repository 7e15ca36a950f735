//! What a call gets back: the text and pictures since the last reply, and how things stand.
//! Pure.

mod exit;
mod failure;
mod notice;
mod outbox;
mod status;

pub use exit::Exit;
pub use failure::Failure;
pub use notice::{KeptText, Notice, Refusal};
pub use outbox::{BUDGET, Outbox};
pub use status::Status;

/// The answer to one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Text and pictures in the order they were made. May be empty.
    pub content: Vec<Content>,
    /// How things stand, for callers that act on it.
    pub status: Status,
}

impl Reply {
    /// A reply that says how things stand, and leaves all else to another.
    pub fn without_text(status: Status, prompt_visible: bool) -> Reply {
        let lines = status.lines(prompt_visible, true);
        Reply { content: lines.into_iter().map(Content::Status).collect(), status }
    }

    /// Whether the bridge itself failed. A Python exception is not an error of the bridge.
    pub fn is_error(&self) -> bool {
        matches!(self.status, Status::Failed { .. })
    }

    /// Says where the text is that had no room, where that was not said before.
    pub fn set_kept_text(&mut self, place: KeptText) {
        for part in &mut self.content {
            if let Content::Notice(Notice::TextLeftOut { kept, .. }) = part
                && *kept == KeptText::Nowhere
            {
                *kept = place.clone();
            }
        }
    }

    /// The content for a client that shows text and pictures: notices and the status stand in
    /// the text, each on a line of its own.
    pub fn merged(self) -> Vec<Block> {
        let mut merged: Vec<Block> = Vec::new();
        for part in self.content {
            let (text, is_line) = match part {
                Content::Text(text) => (text, false),
                Content::Notice(notice) => (notice.to_string(), true),
                Content::Status(line) => (line, true),
                Content::Image { mime, data } => {
                    merged.push(Block::Image { mime, data });
                    continue;
                }
            };
            if !matches!(merged.last(), Some(Block::Text(_))) {
                merged.push(Block::Text(String::new()));
            }
            let Some(Block::Text(last)) = merged.last_mut() else { continue };
            if is_line && !last.is_empty() && !last.ends_with('\n') {
                last.push('\n');
            }
            last.push_str(&text);
            if is_line {
                last.push('\n');
            }
        }
        merged
    }
}

/// A part of a reply as a client is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Text.
    Text(String),
    /// A picture.
    Image {
        /// Its media type, `image/png`.
        mime: String,
        /// Its bytes in base64 (RFC 4648, section 4).
        data: String,
    },
}

/// A part of a reply.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Text as a person would have read it.
    Text(String),
    /// What the bridge itself has to say at this place.
    Notice(Notice),
    /// A line that says how things stand, at the end, without its line end.
    Status(String),
    /// A picture.
    Image {
        /// Its media type, `image/png`.
        mime: String,
        /// Its bytes in base64 (RFC 4648, section 4).
        data: String,
    },
}
