//! Operating system commands: title, hyperlinks, and the colours programs ask for.

use std::sync::Arc;

use super::extras::Extra;
use super::scanner::LONGEST_STRING;
use super::terminal::Terminal;

impl Terminal {
    pub(super) fn operating_system_command(&mut self, params: &[&[u8]], bell: bool) {
        let end = if bell { "\x07" } else { "\x1b\\" };
        match params {
            [b"0" | b"2", text @ ..] => {
                let text = text.join(&b';');
                self.title.set(&String::from_utf8_lossy(&text));
            }
            [b"7", address @ ..] => self.title.set_directory(&address.join(&b';')),
            [b"8", parameters, address @ ..] => self.hyperlink(parameters, &address.join(&b';')),
            [b"4", pairs @ ..] => {
                for pair in pairs.chunks_exact(2) {
                    let index = str::from_utf8(pair[0]).ok().and_then(|index| index.parse().ok());
                    if let (Some(index), b"?") = (index, pair[1]) {
                        self.answers.palette(index, end);
                    }
                }
            }
            [number @ (b"10" | b"11" | b"12"), colors @ ..] => {
                // Each further colour belongs to the next number.
                let first = 10 + u16::from(number[1] - b'0');
                for (number, _) in (first..=12).zip(colors).filter(|(_, color)| **color == b"?") {
                    self.answers.dynamic_color(number, end);
                }
            }
            _ => {}
        }
    }

    /// OSC 8: what is printed from here on is a link to `address`, to none if it is empty.
    fn hyperlink(&mut self, parameters: &[u8], address: &[u8]) {
        let plain = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            text.chars().filter(|c| !c.is_control()).collect::<String>()
        };
        // One as long as a string can get was cut.
        let cut = parameters.len() + address.len() + 8 > LONGEST_STRING;
        self.title.link =
            (!address.is_empty() && !cut).then(|| Arc::new((plain(parameters), plain(address))));
        self.update_extra();
    }

    /// Gives the pen the number of its hyperlink and underline colour.
    pub(super) fn update_extra(&mut self) {
        let link = self.title.link.clone();
        let extra = Extra { link, underline_color: self.cursor.underline_color };
        let number = self.extras.intern(&extra).or_else(|| {
            let pages = [&self.primary, &self.alternate];
            let rows = pages.into_iter().flat_map(|page| page.rows.iter());
            self.extras.collect(rows.flat_map(|row| row.extras()));
            self.extras.intern(&extra)
        });
        self.cursor.pen.extra = number.unwrap_or(0);
    }
}
