//! What a client sends, as one value: made where its words come in. Pure.

use super::keys;

/// `ETX`, what Ctrl-C types: interrupt.
pub const INTERRUPT: char = '\u{3}';
/// `EOT`, what Ctrl-D types: end the session and start a fresh one.
pub const RESET: char = '\u{4}';

/// The most control characters in front of a payload.
const MOST_CONTROLS: usize = 16;

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// A cell, an answer, or what is typed; empty for a poll.
    Text(String),
    /// Keys to be typed into the terminal.
    Keys(Keys),
    /// An interrupt, and what is sent once that was taken.
    Interrupt(Box<Payload>),
    /// The end of the session, and what is sent in the fresh one.
    Reset(Box<Payload>),
}

/// Why a client's words are no payload. Nothing of them was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Text and keys at once.
    #[error("`input` and `keys` can't be sent in one call")]
    TextAndKeys,
    /// More control characters in front than anybody means.
    #[error("`input` begins with more than {MOST_CONTROLS} control characters")]
    TooManyControls,
}

/// Keys by their names, as `tmux send-keys` has them; a word that is no name is typed as it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Keys(pub Vec<String>);

impl Payload {
    /// Nothing to send: what happened since is asked for.
    pub fn poll() -> Payload {
        Payload::Text(String::new())
    }

    /// Reads the text and the keys of a call, of which at most one is given.
    ///
    /// # Errors
    /// When both are, or the text can't be meant.
    pub fn parse(text: &str, keys: Vec<String>) -> Result<Payload, PayloadError> {
        match (text.is_empty(), keys.is_empty()) {
            (false, false) => Err(PayloadError::TextAndKeys),
            (true, false) => Ok(Payload::Keys(Keys(keys))),
            _ => Payload::parse_text(text),
        }
    }

    fn parse_text(text: &str) -> Result<Payload, PayloadError> {
        let rest = text.trim_start_matches([INTERRUPT, RESET]);
        let controls = &text[..text.len() - rest.len()];
        if controls.len() > MOST_CONTROLS {
            return Err(PayloadError::TooManyControls);
        }
        let wrap = |rest, control| match control {
            INTERRUPT => Payload::Interrupt(Box::new(rest)),
            _ => Payload::Reset(Box::new(rest)),
        };
        Ok(controls.chars().rev().fold(Payload::Text(rest.to_owned()), wrap))
    }

    /// Whether there is nothing to route: a poll.
    pub fn is_empty(&self) -> bool {
        match self {
            Payload::Text(text) => text.is_empty(),
            Payload::Keys(Keys(words)) => words.is_empty(),
            Payload::Interrupt(_) | Payload::Reset(_) => false,
        }
    }
}

impl Keys {
    /// The bytes a terminal sends for them. `application` tells whether the program switched the
    /// cursor keys to their application form (DECCKM).
    pub fn bytes(&self, application: bool) -> Vec<u8> {
        keys::encode(self.0.iter().map(String::as_str), application)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Payload {
        Payload::Text(text.into())
    }

    fn parse(text: &str) -> Result<Payload, PayloadError> {
        Payload::parse(text, Vec::new())
    }

    #[test]
    fn control_characters_in_front_stand_for_what_they_do() {
        assert_eq!(parse(""), Ok(Payload::poll()));
        assert_eq!(parse("1\u{3}"), Ok(text("1\u{3}")));
        assert_eq!(parse("\u{3}"), Ok(Payload::Interrupt(Box::new(Payload::poll()))));
        let rest = Payload::Interrupt(Box::new(text("1 + 1")));
        assert_eq!(parse("\u{4}\u{3}1 + 1"), Ok(Payload::Reset(Box::new(rest))));
    }

    #[test]
    fn what_nobody_means_is_refused() {
        let keys = vec!["Enter".to_owned()];
        assert_eq!(Payload::parse("x", keys.clone()), Err(PayloadError::TextAndKeys));
        assert_eq!(Payload::parse("", keys.clone()), Ok(Payload::Keys(Keys(keys))));
        assert!(parse(&"\u{3}".repeat(MOST_CONTROLS)).is_ok());
        assert_eq!(parse(&"\u{3}\u{4}".repeat(100_000)), Err(PayloadError::TooManyControls));
    }
}
