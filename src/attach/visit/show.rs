//! What the session shows, on the person's terminal: in line, so that what stands there stays.

use super::Visit;
use crate::{
    attach::{question::Proposal, told},
    reply::Deed,
    screen::{Screen, Size},
    session::{
        client::ScreenUpdate,
        pipeline::{Standing, echo::OUTPUT_MARK},
    },
};

/// A cell of which it was told that it begins.
pub(super) struct Begun {
    client: String,
    /// Whether it is this client's.
    is_own: bool,
}

/// What is said where the terminal was too slow to be shown all.
const LEFT_OUT: &str = "[repl] some of the output was left out here";

impl Visit {
    /// Shows an update.
    pub(super) fn show(&mut self, update: ScreenUpdate) {
        match update {
            ScreenUpdate::Bytes(bytes) => {
                self.program(&bytes);
                self.say_rest();
                self.bar_goes();
            }
            ScreenUpdate::Echo(bytes) => {
                self.echo(&bytes);
                self.bar_goes();
            }
            ScreenUpdate::Repaint { size, bytes } => {
                self.repaint(size, &bytes);
                self.crop();
                self.bar_changes();
            }
            ScreenUpdate::Standing(standing) => self.standing = standing,
            ScreenUpdate::Here(here) => {
                self.bar.here = here;
                self.bar_changes();
            }
            ScreenUpdate::Hands(hands) => {
                self.hands(hands);
                self.bar_changes();
            }
            ScreenUpdate::Proposed { id, client, source } => {
                self.proposed(Proposal { id, client, source });
            }
            ScreenUpdate::Settled { id } => self.settled(id),
            // That a repaint says.
            ScreenUpdate::Missed => {}
            ScreenUpdate::Attached(attachment) => self.attached(attachment),
            ScreenUpdate::Did { client, deed } => {
                let is_own = self.is_own_deed(&client, &deed);
                if let (false, Some(history), Deed::Ran { source }) = (is_own, &self.history, &deed)
                {
                    history.add(source);
                }
                if let Deed::Ran { .. } = deed {
                    self.begun = Some(Begun { client, is_own });
                } else if !is_own {
                    self.unsaid.push(told::deed(&client, &deed));
                    self.say_rest();
                }
            }
        }
    }

    /// A cell begins, or there is a mark of one. That of a cell of one's own that was edited here, and
    /// that nothing was printed behind, stands there.
    fn echo(&mut self, bytes: &[u8]) {
        if let Some(inner) = &mut self.inner {
            inner.feed(bytes);
            inner.drain(&mut |_| {});
        }
        let echo = String::from_utf8_lossy(bytes);
        let begun = self.begun.take();
        match (told::cell(&echo), begun) {
            (None, _) => self.outer.echo(&echo),
            (Some(_), Some(Begun { is_own: true, .. })) if self.outer.ends_with_edited() => {
                self.outer.echo(OUTPUT_MARK);
            }
            (Some((_, cell)), Some(Begun { client, is_own: false })) => {
                self.outer.cell(&told::labelled(cell, &client));
            }
            (Some((_, cell)), _) => self.outer.cell(cell),
        }
        self.say_rest();
    }

    /// Says what others did, once what they typed does not stand in the same row.
    pub(super) fn say_rest(&mut self) {
        if self.outer.column() == 0 {
            std::mem::take(&mut self.unsaid).iter().for_each(|line| self.outer.line(line));
        }
    }

    /// The whole page came: at first, when the size has changed, a new program was started, or this
    /// one fell behind.
    fn repaint(&mut self, size: Size, bytes: &[u8]) {
        let mut screen = Screen::new(size);
        screen.feed(bytes);
        screen.drain(&mut |_| {});
        let before = self.inner.replace(screen);
        let Some(screen) = &self.inner else { return };
        let is_between_programs =
            matches!(self.standing, Standing::Starting | Standing::Ending | Standing::Ended);
        match before {
            None => {
                self.outer.fresh_row();
                self.outer.print(&screen.dump_in_line());
                if self.observes && !screen.is_alternate() {
                    // Behind the page, which may be as long as the terminal.
                    self.unsaid.push(told::looks_on(self.escape));
                    self.say_rest();
                }
            }
            // Programs that draw it draw it anew, and terminals wrap lines by themselves.
            Some(before) if before.size() != size && !screen.is_alternate() => {}
            Some(before) if before.page_text() == screen.page_text() => {}
            // The page of a new program, and not what is left of one that was missed.
            Some(_) if is_between_programs && screen.page_text().is_empty() => {
                self.outer.restore();
                self.cropped = None;
            }
            Some(_) => {
                let sequences = screen.dump_in_line();
                self.outer.restore();
                self.cropped = None;
                if screen.is_alternate() {
                    self.outer.print(&screen.dump_alternate());
                } else {
                    self.outer.line(LEFT_OUT);
                    self.outer.print(&sequences);
                }
            }
        }
    }
}
