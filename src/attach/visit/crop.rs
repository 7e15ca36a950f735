//! A program that has a screen to itself which is larger than the person's terminal: that shows a part of
//! it, painted anew as it changes, with the status in its last row.

use super::Visit;
use crate::screen::{Screen, Size};

impl Visit {
    /// Whether the session's terminal is larger than the person's.
    fn is_larger(&self) -> bool {
        self.inner.as_ref().is_some_and(|inner| {
            let Size { columns, rows } = inner.size();
            columns > self.size.columns || rows > self.size.rows
        })
    }

    /// Shows what programs print. What is for a screen of their own that is larger than the person's is
    /// printed nowhere as it is.
    pub(super) fn program(&mut self, bytes: &[u8]) {
        if self.cropped.is_none() && !self.is_larger() {
            if let Some(inner) = &mut self.inner {
                feed(inner, bytes);
            }
            self.outer.program(bytes);
            return;
        }
        // What ends the sequences that go to that screen and back.
        for piece in bytes.split_inclusive(|byte| matches!(byte, b'h' | b'l' | b'c')) {
            let Some(inner) = &mut self.inner else { return self.outer.program(bytes) };
            let was_alternate = inner.is_alternate();
            feed(inner, piece);
            let is_alternate = inner.is_alternate();
            if !was_alternate {
                self.outer.program(piece);
            } else if !is_alternate {
                self.crop();
            }
        }
        self.crop();
    }

    /// Paints the part of the session's page that the person's terminal has room for, where that is due;
    /// where it is no longer, the terminal is the session's again.
    pub(super) fn crop(&mut self) {
        let is_larger = self.is_larger();
        let Some(inner) = &self.inner else { return };
        if is_larger && inner.is_alternate() {
            let modes = inner.dump_modes();
            let is_new = self.cropped.as_ref() != Some(&modes);
            let Size { mut rows, columns } = self.size;
            let mut painted = String::new();
            if !self.outer.is_alternate() {
                painted += "\x1b[?1049h\x1b[2J";
            }
            if is_new {
                painted += &self.outer.settings_off();
            }
            if self.has_bar() {
                painted += &format!("\x1b[r\x1b[?6l\x1b[m\x1b[{rows}H{}\x1b[K", self.status_row());
                rows -= 1;
            }
            let mut painted = painted.into_bytes();
            painted.extend(inner.dump_crop(Size { columns, rows }));
            if is_new {
                painted.extend(&modes);
            }
            self.outer.print(&painted);
            if self.cropped.replace(modes).is_none() {
                self.retitle();
            }
        } else if self.cropped.take().is_some() {
            let page =
                if inner.is_alternate() { inner.dump_alternate() } else { inner.dump_modes() };
            self.outer.restore();
            self.outer.print(&page);
            self.retitle();
        }
    }
}

fn feed(inner: &mut Screen, bytes: &[u8]) {
    inner.feed(bytes);
    inner.drain(&mut |_| {});
}
