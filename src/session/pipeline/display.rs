//! What is shown, and what clients are told of it: the screen, a pager's text, the outboxes. Pure.

use std::fmt;

use super::{Found, Observer, Shown, outboxes::Outboxes};
use crate::{
    reply::{Notice, Reply, Status},
    screen::{Screen, Size, pager},
    session::rules::{
        Audience,
        reader::{FullScreenView, InputModes, PagerView, Sighting, View},
        state::ClientId,
    },
};

/// The screen of a session, and what was not told of it yet.
pub(super) struct Display<O> {
    screen: Screen,
    /// Text above a pager's prompt that was not taken yet.
    pager_text: String,
    pub(super) outboxes: Outboxes,
    pub(super) observer: O,
}

impl<O> fmt::Debug for Display<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Display").field("screen", &self.screen).finish_non_exhaustive()
    }
}

impl<O: Observer> Display<O> {
    /// An empty screen.
    pub(super) fn new(size: Size, budget: usize, observer: O) -> Display<O> {
        Display {
            screen: Screen::new(size),
            pager_text: String::new(),
            outboxes: Outboxes::new(budget),
            observer,
        }
    }

    /// What is on the screen.
    pub(super) fn screen(&self) -> &Screen {
        &self.screen
    }

    /// Who looks on, with what they see.
    pub(super) fn observer_and_screen(&mut self) -> (&mut O, &Screen) {
        (&mut self.observer, &self.screen)
    }

    /// A new worker has a screen of its own.
    pub(super) fn restart(&mut self, size: Size) {
        self.screen = Screen::new(size);
        self.pager_text.clear();
        self.observer.replaced(&self.screen);
    }

    /// Shows what came from the terminal. The one place where that happens.
    pub(super) fn show(&mut self, shown: Shown<'_>) {
        match shown {
            Shown::Bytes(bytes) => self.screen.feed(bytes),
            Shown::Echo(on) => self.screen.set_echo(on),
        }
        self.observer.shown(shown, &self.screen);
    }

    /// The terminal has another size.
    pub(super) fn resize(&mut self, size: Size) {
        self.screen.resize(size);
        self.observer.replaced(&self.screen);
    }

    /// The answers the terminal owes programs.
    pub(super) fn take_answers(&mut self) -> Vec<u8> {
        let mut answers = Vec::new();
        self.screen.take_answers(&mut answers);
        answers
    }

    /// A reader was found: how it gets its input and what it shows. `None` when it can't be one:
    /// a program that sleeps may wait for anything; one that switched the echo off and sleeps
    /// asks for a secret.
    pub(super) fn sighting(
        &mut self,
        found: Found,
        waiting: impl Iterator<Item = ClientId>,
    ) -> Option<Sighting> {
        let Found { reader, canonical, echo } = found;
        if reader.guessed && echo {
            return None;
        }
        let program = reader.program.as_str();
        let place = if canonical { None } else { pager::place(program, &self.screen) };
        let view = match place {
            Some(place) => {
                self.screen.report_pager(program, &place, &mut self.pager_text);
                let has_new_text = !self.pager_text.is_empty();
                View::Pager(PagerView { place, has_new_text, next_fits: self.next_fits(waiting) })
            }
            None if self.has_the_screen(canonical, program) => {
                View::FullScreen(FullScreenView { cursor: self.screen.cursor() })
            }
            None => View::Text,
        };
        let bracketed_paste = !canonical && self.screen.wants_bracketed_paste();
        let modes = InputModes { canonical, echo, bracketed_paste };
        Some(Sighting { reader, modes, view })
    }

    /// Whether the program that reads has the screen to itself. One that reads lines has only
    /// where it says so; a pager that asks for a line has a place for it, and no page.
    fn has_the_screen(&self, canonical: bool, program: &str) -> bool {
        let drawn = !canonical && !pager::is_pager(program) && self.screen.is_full_screen();
        self.screen.is_alternate() || drawn
    }

    /// Whether another page of a pager fits into the reply: one of ASCII, and one like the last.
    fn next_fits(&self, waiting: impl Iterator<Item = ClientId>) -> bool {
        let Size { columns, rows } = self.screen.size();
        let last = self.screen.page_text().len();
        self.outboxes.room(waiting) > last.max(usize::from(columns) * usize::from(rows))
    }

    /// Takes the text above a pager's prompt.
    pub(super) fn take_pager_text(&mut self) {
        let text = std::mem::take(&mut self.pager_text);
        self.outboxes.push(&text);
    }

    /// Takes the page of a full-screen program.
    pub(super) fn take_page(&mut self) {
        let mut text = std::mem::take(&mut self.pager_text);
        self.screen.report_page(&mut text);
        self.outboxes.push(&text);
    }

    /// Takes what a pager showed last, when it ended by itself. What other programs had on the
    /// alternate screen is gone with it.
    fn take_closed_pager(&mut self, feeds_pager: bool) {
        let shown = self.screen.take_closed_pager();
        if feeds_pager {
            self.take_pager_text();
            self.outboxes.push(&shown);
        }
    }

    /// Takes the text that can't change any more.
    pub(super) fn drain(&mut self, feeds_pager: bool) {
        self.take_closed_pager(feeds_pager);
        self.take_pager_text();
        let Display { screen, outboxes, .. } = self;
        let replaces_line = screen.take_replaces_line();
        screen.drain(&mut |text| match replaces_line {
            true => outboxes.push_replacing(text),
            false => outboxes.push(text),
        });
    }

    /// Takes all text that was not told yet.
    pub(super) fn report(&mut self, feeds_pager: bool) {
        self.take_closed_pager(feeds_pager);
        self.take_pager_text();
        let mut text = String::new();
        self.screen.report(&mut text);
        match self.screen.take_replaces_line() {
            true => self.outboxes.push_replacing(&text),
            false => self.outboxes.push(&text),
        }
    }

    /// The cell is over: puts the screen back as programs find it.
    pub(super) fn end_cell(&mut self) {
        // What the cell said last stands there, and would go with it.
        if self.screen.is_alternate() {
            self.take_page();
        }
        self.screen.reset_after_program();
    }

    /// Says something at this place in the text.
    pub(super) fn notice(&mut self, to: Audience, notice: &Notice, feeds_pager: bool) {
        self.report(feeds_pager);
        self.outboxes.notice(to, notice);
    }

    /// Shows a picture at this place in the text.
    pub(super) fn image(&mut self, mime: &str, data: &str, feeds_pager: bool) {
        self.report(feeds_pager);
        self.outboxes.image(mime, data);
    }

    /// Takes the text that goes with a status.
    pub(super) fn report_for(&mut self, status: &Status, feeds_pager: bool) {
        // A program that shows a page and does not read the terminal, or a pager that is not
        // being read.
        let shows_page = self.screen.is_full_screen() && !feeds_pager;
        match status {
            // A pager's prompt is no text; its page was taken when it was found.
            Status::Pager { .. } => {}
            Status::Busy { .. } | Status::Waiting { .. } if shows_page => self.take_page(),
            _ => self.report(feeds_pager),
        }
    }

    /// A reply that says how things stand and nothing else.
    pub(super) fn reply_without_text(&self, status: Status) -> Reply {
        Reply::without_text(status, self.shows_prompt())
    }

    fn shows_prompt(&self) -> bool {
        !self.screen.line_at_cursor().trim().is_empty()
    }

    /// The reply to a client: all that it was not told.
    pub(super) fn reply(&mut self, client: ClientId, status: Status) -> Reply {
        let prompt_visible = self.shows_prompt();
        match self.outboxes.of(client) {
            Some(outbox) => outbox.take(status, prompt_visible),
            None => Reply { content: Vec::new(), status },
        }
    }
}
