//! Character sets: ASCII and the DEC special graphics (VT100), designated as G0 to G3.

/// A set that can be designated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Charset {
    #[default]
    Ascii,
    /// Line drawing and a few symbols in the place of `_` to `~`.
    SpecialGraphics,
}

/// What stands for the bytes `_` to `~` in the special graphics.
const SPECIAL: [char; 32] = [
    ' ', '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─',
    '⎼', '⎽', '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
];

impl Charset {
    pub(super) fn map(self, c: char) -> char {
        match (self, c) {
            (Charset::SpecialGraphics, '_'..='~') => SPECIAL[c as usize - '_' as usize],
            _ => c,
        }
    }
}

/// The designated sets and the one in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Charsets {
    pub(super) designated: [Charset; 4],
    /// The one that SI (G0), SO (G1), LS2 and LS3 chose.
    pub(super) active: u8,
    /// The one that SS2 or SS3 chose for the next character only.
    pub(super) single: Option<u8>,
}

impl Charsets {
    /// Whether ASCII stands for itself.
    pub(super) fn is_plain(&self) -> bool {
        self.single.is_none() && self.current() == Charset::Ascii
    }

    fn current(&self) -> Charset {
        self.designated[usize::from(self.active & 3)]
    }

    /// The character that the program means by `c`; a single shift ends with it.
    pub(super) fn map(&mut self, c: char) -> char {
        match self.single.take() {
            Some(set) => self.designated[usize::from(set & 3)].map(c),
            None => self.current().map(c),
        }
    }
}
