//! What a call gets back: the text and pictures since the last reply, and how things stand.

/// The answer to one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Text and pictures in the order they were made. May be empty.
    pub content: Vec<Content>,
    /// Whether the bridge itself failed. A Python exception is not an error of the bridge.
    pub is_error: bool,
    /// How things stand, for callers that act on it.
    pub status: Status,
}

/// A part of a reply.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Text as a person would have read it.
    Text(String),
    /// A picture.
    Image {
        /// Its media type, `image/png`.
        mime: String,
        /// Its bytes in base64 (RFC 4648, section 4).
        data: String,
    },
}

/// How things stand when a call returns.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// The next cell may come.
    Ready,
}
