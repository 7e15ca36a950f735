//! SGR: sets the pen's colours and attributes (ECMA-48 8.3.117, with xterm's and kitty's additions).

use super::params::Params;
use super::style::{Attributes, Color, Style};
use super::terminal::Terminal;

impl Terminal {
    pub(super) fn select_graphic_rendition(&mut self, params: &Params) {
        let mut groups = params.groups();
        while let Some(group) = groups.next() {
            let code = group[0];
            let on = code < 20;
            let pen = &mut self.cursor.pen;
            let attributes = &mut pen.attributes;
            match code {
                0 => {
                    let mut fresh = Style { extra: pen.extra, ..Style::default() };
                    fresh.attributes.set(Attributes::ECHO, pen.is_echo());
                    *pen = fresh;
                    self.set_underline_color(Color::DEFAULT);
                }
                1 => attributes.set(Attributes::BOLD, true),
                2 => attributes.set(Attributes::FAINT, true),
                22 => {
                    attributes.set(Attributes::BOLD, false);
                    attributes.set(Attributes::FAINT, false);
                }
                3 | 23 => attributes.set(Attributes::ITALIC, on),
                4 => attributes.set_underline(group.get(1).copied().unwrap_or(1)),
                21 => attributes.set_underline(2),
                24 => attributes.set_underline(0),
                5 | 6 | 25 => attributes.set(Attributes::BLINK, on),
                7 | 27 => attributes.set(Attributes::INVERSE, on),
                8 | 28 => attributes.set(Attributes::HIDDEN, on),
                9 | 29 => attributes.set(Attributes::STRIKE, on),
                53 => attributes.set(Attributes::OVERLINE, true),
                55 => attributes.set(Attributes::OVERLINE, false),
                30..=37 => pen.foreground = Color::palette(code as u8 - 30),
                90..=97 => pen.foreground = Color::palette(code as u8 - 90 + 8),
                40..=47 => pen.background = Color::palette(code as u8 - 40),
                100..=107 => pen.background = Color::palette(code as u8 - 100 + 8),
                39 => pen.foreground = Color::DEFAULT,
                49 => pen.background = Color::DEFAULT,
                59 => self.set_underline_color(Color::DEFAULT),
                38 | 48 | 58 => {
                    let color = if group.len() > 1 {
                        color_with_colons(&group[1..])
                    } else {
                        color_with_semicolons(&mut groups)
                    };
                    match (code, color) {
                        (38, Some(color)) => pen.foreground = color,
                        (48, Some(color)) => pen.background = color,
                        (_, Some(color)) => self.set_underline_color(color),
                        (_, None) => {}
                    }
                }
                _ => {}
            }
        }
    }

    fn set_underline_color(&mut self, color: Color) {
        if self.cursor.underline_color != color {
            self.cursor.underline_color = color;
            self.update_extra();
        }
    }
}

/// `38:5:INDEX`, `38:2:RED:GREEN:BLUE` or `38:2:SPACE:RED:GREEN:BLUE`.
fn color_with_colons(values: &[u16]) -> Option<Color> {
    match *values {
        [5, index, ..] => Some(Color::palette(u8::try_from(index).ok()?)),
        [2, red, green, blue] | [2, _, red, green, blue, ..] => rgb(red, green, blue),
        _ => None,
    }
}

/// `38;5;INDEX` or `38;2;RED;GREEN;BLUE`.
fn color_with_semicolons<'a>(groups: &mut impl Iterator<Item = &'a [u16]>) -> Option<Color> {
    let mut value = || groups.next().map(|group| group[0]);
    match value()? {
        5 => Some(Color::palette(u8::try_from(value()?).ok()?)),
        2 => rgb(value()?, value()?, value()?),
        _ => None,
    }
}

fn rgb(red: u16, green: u16, blue: u16) -> Option<Color> {
    let part = |value: u16| u8::try_from(value).ok();
    Some(Color::rgb(part(red)?, part(green)?, part(blue)?))
}
