//! What a call gets back: the text and pictures since the last reply, and how things stand.
//! Pure.

mod attachment;
mod deed;
mod exit;
mod failure;
mod hint;
mod line;
mod notice;
mod outbox;
mod people;
mod status;
mod wire;

pub use attachment::{
    Attachment, AttachmentFile, AttachmentRoom, Budget, FilePlace, PICTURE_BUDGET, PictureKind,
    PictureSize, ShownPicture, View, base64_capacity, base64_length, shares,
};
pub use deed::Deed;
pub use exit::{Exit, OUT_OF_MEMORY};
pub use failure::Failure;
pub(crate) use line::{MORE, PROMPT, one_line, printable, push_escaped, reorders};
pub use notice::{DeletedOutputs, EndedBy, KeptText, Notice, Refusal, Whose};
pub use outbox::{BUDGET, Outbox};
pub use people::{HeldCell, PeopleNotice};
pub use status::Status;
pub use wire::{
    attachment_from_wire, attachment_to_wire, budget_from_wire, budget_to_wire, from_json,
    from_wire, to_json, to_wire,
};

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
            if let Content::Notice(Notice::TextLeftOut { kept, .. } | Notice::WholeText { kept }) =
                part
                && *kept == KeptText::Nowhere
            {
                *kept = place.clone();
            }
        }
    }

    /// Says nothing of where the text is that had no room: that is another place each time.
    pub fn forget_place_of_text(&mut self) {
        self.set_kept_text(KeptText::File("a file of the session".into()));
    }

    /// Says which files of earlier texts made room for that of this one.
    pub fn set_deleted_outputs(&mut self, deleted: DeletedOutputs) {
        let is_left_out =
            |part: &Content| matches!(part, Content::Notice(Notice::TextLeftOut { .. }));
        let place = self.content.iter().position(is_left_out).map_or(0, |place| place + 1);
        if !deleted.is_empty() {
            self.content.insert(place, Content::Notice(Notice::OutputsDeleted(deleted)));
        }
    }

    /// Its text alone, pictures by their names.
    pub fn text(self) -> String {
        let texts = self.merged().into_iter().filter_map(|block| match block {
            Block::Text(text) => Some(text),
            Block::Image { .. } => None,
        });
        texts.collect()
    }

    /// The content for a client that shows text and pictures: notices, the names of pictures and
    /// documents, and the status stand in the text, each on a line of its own. A program's line that looks like one of these has a
    /// backslash in front.
    pub fn merged(self) -> Vec<Block> {
        let mut merged = Vec::new();
        let mut block = String::new();
        // A program's lines are whole only when something else comes.
        let mut text = String::new();
        let mut picture = None;
        for part in self.content {
            let line = match part {
                Content::Text(more) => {
                    text.push_str(&more);
                    continue;
                }
                Content::Notice(notice) => notice.line(),
                Content::Status(line) => line,
                Content::Attachment(attachment) => {
                    let line = attachment.line();
                    picture = attachment.block();
                    line
                }
            };
            line::push_escaped(&mut block, &std::mem::take(&mut text));
            if !block.is_empty() && !block.ends_with('\n') {
                block.push('\n');
            }
            block.push_str(&line);
            block.push('\n');
            if let Some(picture) = picture.take() {
                merged.push(Block::Text(std::mem::take(&mut block)));
                merged.push(picture);
            }
        }
        line::push_escaped(&mut block, &text);
        if !block.is_empty() {
            merged.push(Block::Text(block));
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

/// Each part, and whose cell it is of; a notice that says so is with what it stands in front of.
pub fn with_whose(content: &[Content]) -> impl Iterator<Item = (&Content, Whose)> {
    let said = |part: &Content| match part {
        Content::Notice(notice) => notice.whose(),
        _ => None,
    };
    // Whose the first is may have been said by a notice that had no room.
    let mut whose = match content.iter().find_map(said) {
        Some(Whose::Own) => Whose::Anothers,
        Some(Whose::Anothers) | None => Whose::Own,
    };
    content.iter().map(move |part| {
        whose = said(part).unwrap_or(whose);
        (part, whose)
    })
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
    /// A picture or document of the program's.
    Attachment(Attachment),
}
