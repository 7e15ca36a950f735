//! The line in colours. They are of the terminal's own 16, so that they are read on a light screen and on
//! a dark one.

use nu_ansi_term::{Color, Style};
use reedline::{Highlighter, StyledText};

use super::python::{Token, tokens};

/// Python in colours.
pub(super) struct PythonColors;

impl Highlighter for PythonColors {
    fn highlight(&self, text: &str, _cursor: usize) -> StyledText {
        let (mut styled, mut at) = (StyledText::new(), 0);
        let mut push = |style: Style, part: &str| {
            if !part.is_empty() {
                styled.push((style, part.to_owned()));
            }
        };
        for (part, token) in tokens(text) {
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
