//! How a cell looks: colours and attributes, as SGR (ECMA-48 8.3.117, ITU T.416) sets them.

use std::fmt::Write;

/// A colour: the terminal's default, one of the palette of 256, or red, green and blue.
///
/// Packed: 0 is the default, `0x0100_00NN` the palette, `0x02RR_GGBB` a direct colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Color(u32);

impl Color {
    pub(super) const DEFAULT: Color = Color(0);

    pub(super) fn palette(index: u8) -> Color {
        Color(0x0100_0000 | u32::from(index))
    }

    pub(super) fn rgb(red: u8, green: u8, blue: u8) -> Color {
        Color(0x0200_0000 | u32::from(red) << 16 | u32::from(green) << 8 | u32::from(blue))
    }

    /// Its place in the palette, if it is of that.
    pub(super) fn index(self) -> Option<u8> {
        (self.0 >> 24 == 1).then_some(self.0 as u8)
    }

    /// Red, green and blue, if it says them itself.
    pub(super) fn direct(self) -> Option<[u8; 3]> {
        let [kind, rgb @ ..] = self.0.to_be_bytes();
        (kind == 2).then_some(rgb)
    }

    /// Writes the SGR parameters of this colour; `base` is 30 (foreground), 40 or 50 (underline).
    fn write(self, out: &mut String, base: u16) {
        let index = self.0 as u8;
        let _ = match self.0 >> 24 {
            0 => write!(out, ";{}", base + 9),
            1 if index < 8 && base != 50 => write!(out, ";{}", base + u16::from(index)),
            1 if index < 16 && base != 50 => write!(out, ";{}", base + 52 + u16::from(index)),
            1 => write!(out, ";{}:5:{index}", base + 8),
            _ => {
                let [_, red, green, blue] = self.0.to_be_bytes();
                write!(out, ";{}:2::{red}:{green}:{blue}", base + 8)
            }
        };
    }
}

/// The on-off attributes of a cell, as bits, and the kind of underline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Attributes(u16);

impl Attributes {
    pub(super) const BOLD: Attributes = Attributes(1);
    pub(super) const FAINT: Attributes = Attributes(1 << 1);
    pub(super) const ITALIC: Attributes = Attributes(1 << 2);
    pub(super) const BLINK: Attributes = Attributes(1 << 3);
    pub(super) const INVERSE: Attributes = Attributes(1 << 4);
    pub(super) const HIDDEN: Attributes = Attributes(1 << 5);
    pub(super) const STRIKE: Attributes = Attributes(1 << 6);
    pub(super) const OVERLINE: Attributes = Attributes(1 << 7);
    /// Printed while echo was on: on the page, not in the transcript. Not an attribute of SGR.
    pub(super) const ECHO: Attributes = Attributes(1 << 15);
    /// The echo is that of a cell, which no program has asked for: in no page that is told, either.
    pub(super) const CELL: Attributes = Attributes(1 << 14);
    const UNDERLINE: u16 = 0b111 << 8;

    /// The attributes with the SGR parameter that sets each.
    const CODES: [(Attributes, u16); 8] = [
        (Attributes::BOLD, 1),
        (Attributes::FAINT, 2),
        (Attributes::ITALIC, 3),
        (Attributes::BLINK, 5),
        (Attributes::INVERSE, 7),
        (Attributes::HIDDEN, 8),
        (Attributes::STRIKE, 9),
        (Attributes::OVERLINE, 53),
    ];

    pub(super) fn contains(self, other: Attributes) -> bool {
        self.0 & other.0 == other.0
    }

    pub(super) fn set(&mut self, other: Attributes, on: bool) {
        self.0 = if on { self.0 | other.0 } else { self.0 & !other.0 };
    }

    /// The kind of underline: 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed.
    pub(super) fn underline(self) -> u16 {
        (self.0 & Self::UNDERLINE) >> 8
    }

    pub(super) fn set_underline(&mut self, kind: u16) {
        self.0 = self.0 & !Self::UNDERLINE | (kind.min(5) << 8);
    }
}

/// All that a cell has beside its character. `extra` names what few cells have; see [`Extras`].
///
/// [`Extras`]: super::extras::Extras
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Style {
    pub(super) foreground: Color,
    pub(super) background: Color,
    pub(super) attributes: Attributes,
    pub(super) extra: u16,
}

impl Style {
    /// The style of a cell that was erased while `background` was set (xterm's BCE).
    pub(super) fn erased(background: Color) -> Style {
        Style { background, ..Style::default() }
    }

    pub(super) fn is_echo(self) -> bool {
        self.attributes.contains(Attributes::ECHO)
    }

    pub(super) fn is_cell(self) -> bool {
        self.attributes.contains(Attributes::CELL)
    }

    /// The style of what a tab skips in this one: nothing but whether it was echo.
    pub(super) fn tab(self) -> Style {
        let mut style = Style::default();
        style.attributes.set(Attributes::ECHO, self.is_echo());
        style
    }

    /// The style without the notes that it was echo, and whose: what can be seen.
    pub(super) fn visible(mut self) -> Style {
        self.attributes.set(Attributes::ECHO, false);
        self.attributes.set(Attributes::CELL, false);
        self
    }

    /// Writes the `SGR` sequence that sets exactly this style on any pen.
    pub(super) fn write_sgr(self, underline_color: Color, out: &mut String) {
        out.push_str("\x1b[0");
        for (attribute, code) in Attributes::CODES {
            if self.attributes.contains(attribute) {
                let _ = write!(out, ";{code}");
            }
        }
        match self.attributes.underline() {
            0 => {}
            1 => out.push_str(";4"),
            kind => {
                let _ = write!(out, ";4:{kind}");
            }
        }
        if self.foreground != Color::DEFAULT {
            self.foreground.write(out, 30);
        }
        if self.background != Color::DEFAULT {
            self.background.write(out, 40);
        }
        if underline_color != Color::DEFAULT {
            underline_color.write(out, 50);
        }
        out.push('m');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_is_written_as_sgr() {
        let mut style = Style { foreground: Color::palette(1), ..Style::default() };
        style.background = Color::palette(12);
        style.attributes.set(Attributes::BOLD, true);
        style.attributes.set_underline(3);
        let mut out = String::new();
        style.write_sgr(Color::rgb(1, 2, 3), &mut out);
        assert_eq!(out, "\x1b[0;1;4:3;31;104;58:2::1:2:3m");
    }
}
