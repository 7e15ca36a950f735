//! The line in colours. They are of the terminal's own 16, so that they are read on a light screen and on
//! a dark one.

use nu_ansi_term::{Color, Style};
use reedline::{Highlighter, StyledText};

use super::{
    margin::Margins,
    python::{Token, tokens},
};

/// Python, in colours if `has_colors`; what is painted is told to `margins`, if there are any.
pub(super) struct PythonColors {
    pub(super) has_colors: bool,
    pub(super) margins: Option<Margins>,
}

impl Highlighter for PythonColors {
    fn highlight(&self, text: &str, cursor: usize) -> StyledText {
        if let Some(margins) = &self.margins {
            margins.painted(text, cursor);
        }
        let (mut styled, mut at) = (StyledText::new(), 0);
        let mut push = |style: Style, part: &str| {
            if !part.is_empty() {
                styled.push((style, part.to_owned()));
            }
        };
        let tokens = if self.has_colors { tokens(text) } else { Vec::new() };
        for (part, token) in tokens {
            push(Style::new(), &text[at..part.start]);
            push(style(token), &text[part.clone()]);
            at = part.end;
        }
        push(Style::new(), &text[at..]);
        styled
    }
}

fn style(token: Token) -> Style {
    match token {
        Token::Keyword => Color::Magenta.bold(),
        Token::Builtin => Color::Cyan.normal(),
        Token::Text => Color::Green.normal(),
        Token::Number => Color::Blue.normal(),
        Token::Comment => Color::Red.normal(),
        Token::Decorator => Color::Yellow.normal(),
        Token::Definition => Style::new().bold(),
    }
}
