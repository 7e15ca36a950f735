//! Pictures on the person's terminal: which protocol it has for them, and how one is drawn with it.
//! Pure.
//!
//! ```text
//! draw     a picture's file as what the terminal is sent
//! sixel    pixels as sixels
//! ```

mod draw;
mod sixel;

pub(super) use draw::{Drawing, draw};

use crate::screen::Size;

/// What asks the terminal for what it has: kitty's graphics (a query for a picture of one pixel), its
/// name (XTVERSION), the size of a cell in pixels, and last DA, which each terminal answers.
pub(super) const QUESTIONS: &[u8] =
    b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[>0q\x1b[16t\x1b[c";

/// How a terminal is given a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// kitty's graphics protocol (sw.kovidgoyal.net/kitty/graphics-protocol).
    Kitty,
    /// iTerm2's OSC 1337 (iterm2.com/documentation-images.html).
    Iterm2,
    /// DEC's sixels.
    Sixel,
}

/// The size of a character's cell, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) width: u16,
    pub(super) height: u16,
}

impl Cell {
    /// Of a terminal that does not tell: a small one, so that nothing is larger than the place that is
    /// made for it.
    const UNKNOWN: Cell = Cell { width: 6, height: 12 };
}

/// Where a picture goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// The terminal's size in characters; a picture takes half its rows at most.
    pub(super) size: Size,
    /// `None` where it is not known.
    pub(super) cell: Option<Cell>,
}

/// What the environment says of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hint {
    /// It shows none, or something is between that does not hand them on, and may take questions for
    /// something else.
    None,
    /// It has this protocol, unless it says that it has a better one.
    Likely(Protocol),
    /// Nothing.
    Ask,
}

/// What the environment says of the terminal, by its variables.
pub(super) fn hint(variable: impl Fn(&str) -> Option<String>) -> Hint {
    let is = |name: &str, value: &str| variable(name).is_some_and(|given| given == value);
    let term = variable("TERM").unwrap_or_default();
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let is_between = is_set("TMUX") || is_set("STY") || is_set("ZELLIJ");
    // Terminals that print what they do not know.
    let is_plain =
        ["", "dumb", "linux", "cons25"].contains(&&*term) || is("TERM_PROGRAM", "Apple_Terminal");
    if is_between || is_plain || ["screen", "tmux"].iter().any(|name| term.starts_with(name)) {
        Hint::None
    } else if ["xterm-kitty", "xterm-ghostty"].contains(&&*term) {
        Hint::Likely(Protocol::Kitty)
    } else if is("TERM_PROGRAM", "iTerm.app")
        || is("LC_TERMINAL", "iTerm2")
        || is("TERM_PROGRAM", "WezTerm")
    {
        Hint::Likely(Protocol::Iterm2)
    } else {
        Hint::Ask
    }
}

/// What the terminal has answered so far.
#[derive(Debug, Default)]
pub(super) struct Answers {
    has_kitty: bool,
    has_sixel: bool,
    has_iterm2: bool,
    pub(super) cell: Option<Cell>,
}

impl Answers {
    /// Takes one; whether it is the last one.
    pub(super) fn take(&mut self, answer: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(answer) else { return false };
        if let Some(said) = text.strip_prefix("\x1b_G") {
            self.has_kitty |= said.trim_end_matches("\x1b\\").ends_with(";OK");
        } else if let Some(name) = text.strip_prefix("\x1bP>|") {
            self.has_iterm2 |= ["iTerm2", "WezTerm"].iter().any(|known| name.starts_with(known));
        } else if let Some(size) = text.strip_prefix("\x1b[6;").and_then(|s| s.strip_suffix('t')) {
            let sides = size.split_once(';').and_then(|(height, width)| {
                Some(Cell { width: width.parse().ok()?, height: height.parse().ok()? })
            });
            self.cell = sides.filter(|cell| cell.width > 0 && cell.height > 0);
        } else if let Some(features) =
            text.strip_prefix("\x1b[?").and_then(|rest| rest.strip_suffix('c'))
        {
            const SIXEL: &str = "4";
            self.has_sixel = features.split(';').skip(1).any(|feature| feature == SIXEL);
            return true;
        }
        false
    }

    /// What it has, if anything: what it says, or what is likely.
    pub(super) fn protocol(&self, hint: Hint) -> Option<Protocol> {
        match hint {
            Hint::None => None,
            _ if self.has_kitty => Some(Protocol::Kitty),
            _ if self.has_iterm2 => Some(Protocol::Iterm2),
            _ if self.has_sixel => Some(Protocol::Sixel),
            Hint::Likely(protocol) => Some(protocol),
            Hint::Ask => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(answers: &[&str], hint: Hint) -> (Option<Protocol>, Option<Cell>) {
        let mut all = Answers::default();
        let (last, before) = answers.split_last().unwrap();
        assert!(before.iter().all(|answer| !all.take(answer.as_bytes())));
        assert!(all.take(last.as_bytes()));
        (all.protocol(hint), all.cell)
    }

    #[test]
    fn a_terminal_says_what_it_has() {
        let cell = Some(Cell { width: 9, height: 18 });
        let kitty =
            ["\x1b_Gi=31;OK\x1b\\", "\x1bP>|kitty(0.42)\x1b\\", "\x1b[6;18;9t", "\x1b[?62;c"];
        assert_eq!(told(&kitty, Hint::Ask), (Some(Protocol::Kitty), cell));
        let xterm = ["\x1bP>|XTerm(390)\x1b\\", "\x1b[6;18;9t", "\x1b[?64;1;2;4;22c"];
        assert_eq!(told(&xterm, Hint::Ask), (Some(Protocol::Sixel), cell));
        let iterm = ["\x1bP>|iTerm2 3.5.14\x1b\\", "\x1b[?64;1;2;4;6;17;18;21;22c"];
        assert_eq!(told(&iterm, Hint::Ask), (Some(Protocol::Iterm2), None));
        assert_eq!(told(&["\x1b[?62;22c"], Hint::Ask), (None, None));
        // The 4 of a VT132 is its own name, and no feature.
        assert_eq!(told(&["\x1b[?4c"], Hint::Ask), (None, None));
        let error = ["\x1b_Gi=31;EINVAL:no\x1b\\", "\x1b[?62;c"];
        assert_eq!(told(&error, Hint::Ask).0, None);
        assert_eq!(told(&["\x1b[?62;c"], Hint::Likely(Protocol::Iterm2)).0, Some(Protocol::Iterm2));
        let nonsense = ["\x1b[6;0;9t", "\x1b[6;x;9t", "\x1b]11;rgb:0/0/0\x1b\\", "\x1b[?1;2c"];
        assert_eq!(told(&nonsense, Hint::Ask), (None, None));
    }

    #[test]
    fn nothing_is_asked_where_something_is_between() {
        let of = |variables: &[(&str, &str)]| {
            hint(|name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(of(&[("TERM", "xterm-256color")]), Hint::Ask);
        assert_eq!(of(&[("TERM", "xterm-kitty")]), Hint::Likely(Protocol::Kitty));
        let iterm = [("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")];
        assert_eq!(of(&iterm), Hint::Likely(Protocol::Iterm2));
        for none in [
            &[("TERM", "xterm-kitty"), ("TMUX", "/tmp/tmux-0/default,1,0")][..],
            &[("TERM", "screen-256color")],
            &[("TERM", "tmux-256color"), ("TERM_PROGRAM", "iTerm.app")],
            &[("TERM", "linux")],
            &[("TERM", "xterm-256color"), ("TERM_PROGRAM", "Apple_Terminal")],
            &[],
        ] {
            assert_eq!(of(none), Hint::None, "{none:?}");
        }
    }
}
