//! What is shown, and what clients are told of it: the screen, a pager's text, the outboxes. Pure.

use std::fmt;

use super::{
    Found, Observer, Shown, cells::CellEcho, denials::Denials, directory::Directory,
    outboxes::Outboxes,
};
use crate::{
    reply::{Attachment, Budget, Deed, Notice, Reply, Status},
    screen::{
        Screen, Size,
        pager::{self, Place},
    },
    session::rules::{
        Audience,
        reader::{Awaits, FullScreenView, InputModes, PagerView, Sighting, View},
        state::ClientId,
    },
};

/// The screen of a session, and what was not told of it yet.
pub(super) struct Display<O> {
    pub(super) screen: Screen,
    /// Text above a pager's prompt that was not taken yet.
    pager_text: String,
    pub(super) outboxes: Outboxes,
    pub(super) observer: O,
    pub(super) cells: CellEcho,
    /// Whether the terminal keeps a page of its own and paints that on the screen: what the session put there
    /// or changed it would know nothing of, and paint over.
    pub(super) is_painted: bool,
    pub(super) directory: Directory,
    pub(super) denials: Denials,
}

impl<O> fmt::Debug for Display<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Display").field("screen", &self.screen).finish_non_exhaustive()
    }
}

impl<O: Observer> Display<O> {
    /// An empty screen.
    pub(super) fn new(size: Size, budget: Budget, observer: O) -> Display<O> {
        Display {
            screen: Screen::new(size),
            pager_text: String::new(),
            outboxes: Outboxes::new(budget),
            observer,
            cells: CellEcho::default(),
            is_painted: false,
            directory: Directory::default(),
            denials: Denials::default(),
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
        self.cells = CellEcho::default();
        self.denials = Denials::default();
        self.observer.replaced(&self.screen);
    }

    /// Shows what came from the terminal. The one place where that happens.
    pub(super) fn show(&mut self, shown: Shown<'_>) {
        let shown = match shown {
            Shown::Bytes(bytes) => Shown::Bytes(self.show_before_cell(bytes)),
            shown => shown,
        };
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
    /// asks for a secret; one that reads nothing is one only where it shows a page. Whether it
    /// waits is for others to say.
    pub(super) fn sighting(
        &mut self,
        found: Found,
        waiting: impl Iterator<Item = ClientId>,
    ) -> Option<Sighting> {
        let Found { reader, canonical, echo } = found;
        if reader.guessed && echo && reader.awaits != Awaits::Unknown {
            return None;
        }
        let program = reader.program.as_str();
        // One of which nothing is known may be on a console that paints all that is printed.
        let takes_lines = canonical || reader.is_unknown();
        let reads = !matches!(reader.awaits, Awaits::Others);
        if !reads && (pager::is_pager(program) || !self.has_the_screen(takes_lines, program)) {
            return None;
        }
        let place = if canonical { None } else { pager::place(program, &self.screen) };
        let view = match place {
            Some(place) => {
                self.screen.report_pager(program, &place, &mut self.pager_text);
                // It stands among other text, where nothing takes the place of anything.
                self.screen.take_replaces_line();
                let has_new_text = !self.pager_text.is_empty();
                let next_fits = self.next_fits(&place, waiting);
                View::Pager(PagerView { place, has_new_text, next_fits })
            }
            None if self.has_the_screen(takes_lines, program) => {
                View::FullScreen(FullScreenView { cursor: self.screen.cursor() })
            }
            None => View::Text,
        };
        let bracketed_paste = !canonical && self.screen.wants_bracketed_paste();
        let modes = InputModes { canonical, echo, bracketed_paste };
        Some(Sighting { reader, modes, view, is_settled: false, shown: 0 })
    }

    /// Whether the program that reads has the screen to itself. One that reads lines has only
    /// where it says so; a pager that asks for a line has a place for it, and no page.
    fn has_the_screen(&self, takes_lines: bool, program: &str) -> bool {
        let drawn = !takes_lines && !pager::is_pager(program) && self.screen.is_full_screen();
        self.screen.is_alternate() || drawn
    }

    /// Whether another page of a pager fits into the reply: one of ASCII, and one like the last; or
    /// all that is left, by the lines the prompt counts, but for a page, by which the reply is longer.
    fn next_fits(&self, place: &Place, waiting: impl Iterator<Item = ClientId>) -> bool {
        let Size { columns, rows } = self.screen.size();
        let (columns, rows) = (usize::from(columns), usize::from(rows));
        let (room, last) = (self.outboxes.room(waiting), self.screen.page_text().len());
        let rest = place.lines_below.map(|lines| last.saturating_mul(lines) / rows);
        room > last.max(columns * rows) || rest.is_some_and(|rest| rest <= room + last)
    }

    /// Takes the text above a pager's prompt.
    pub(super) fn take_pager_text(&mut self) {
        let text = std::mem::take(&mut self.pager_text);
        let Size { columns, rows } = self.screen.size();
        let page = usize::from(columns) * usize::from(rows);
        self.outboxes.for_all(|outbox| outbox.push_pager(&text, page));
    }

    /// Takes the page of a full-screen program.
    pub(super) fn take_page(&mut self) {
        self.take_pager_text();
        let mut before = String::new();
        let page = self.screen.report_page(&mut before);
        self.push_transcript(&before);
        self.outboxes.for_all(|outbox| outbox.push_page(&page));
    }

    /// Hands on what the transcript has just reported.
    fn push_transcript(&mut self, text: &str) {
        let replaces_line = self.screen.take_replaces_line();
        self.denials.printed(text);
        self.outboxes.for_all(|outbox| match replaces_line {
            true => outbox.push_replacing(text),
            false => outbox.push(text),
        });
    }

    /// Takes what a pager showed last, when it ended by itself. What other programs had on the
    /// alternate screen is gone with it.
    fn take_closed_pager(&mut self, awaits_pager: bool) {
        let shown = self.screen.take_closed_pager();
        if awaits_pager {
            self.pager_text.push_str(&shown);
            self.take_pager_text();
        }
    }

    /// Takes the text that can't change any more.
    pub(super) fn drain(&mut self, awaits_pager: bool) {
        self.take_closed_pager(awaits_pager);
        self.take_pager_text();
        let Display { screen, outboxes, denials, .. } = self;
        let replaces_line = screen.take_replaces_line();
        screen.drain(&mut |text| {
            denials.printed(text);
            outboxes.for_all(|outbox| match replaces_line {
                true => outbox.push_replacing(text),
                false => outbox.push(text),
            });
        });
    }

    /// Takes the lines on the page that are finished, ahead of a reply.
    pub(super) fn report_finished(&mut self) {
        let mut text = String::new();
        self.screen.report_finished(&mut text);
        self.push_transcript(&text);
    }

    /// Takes all text that was not told yet.
    pub(super) fn report(&mut self, awaits_pager: bool) {
        self.take_closed_pager(awaits_pager);
        self.take_pager_text();
        let mut text = String::new();
        self.screen.report(&mut text);
        self.push_transcript(&text);
    }

    /// The cell is over: puts the screen back as programs find it.
    pub(super) fn end_cell(&mut self) {
        // What the cell said last stands there, and would go with it.
        if self.screen.is_alternate() {
            self.take_page();
        }
        // A cell that left nothing to put back is over without a word: who looks on sees that already.
        if !self.is_painted && self.screen.reset_after_program() {
            self.observer.replaced(&self.screen);
        }
        self.end_echo();
        self.show_directory();
    }

    /// A client did something: the others are told, at this place in the text.
    pub(super) fn did(&mut self, client: ClientId, deed: &Deed, awaits_pager: bool) {
        // A page is no text, and is taken when its program is found waiting.
        let shows_page = self.screen.is_full_screen();
        let source = match deed {
            Deed::Ran { source } if !shows_page => Some(source),
            _ => None,
        };
        let is_told = source.is_some() || self.outboxes.has_others(client);
        if is_told && !shows_page && !awaits_pager {
            self.report(awaits_pager);
        }
        if source.is_some() && !self.is_painted {
            self.end_line_before_cell();
        }
        self.outboxes.did(client, deed);
        self.observer.did(self.outboxes.name(client), deed);
        if let Some(source) = source {
            self.forget_denials();
            if !self.is_painted {
                self.begin_cell(client, source);
            }
        }
    }

    /// Says something at this place in the text.
    pub(super) fn notice(&mut self, to: Audience, notice: &Notice, awaits_pager: bool) {
        self.report(awaits_pager);
        self.outboxes.notice(to, notice);
    }

    /// Shows or names a picture or document at this place in the text.
    pub(super) fn attach(&mut self, attachment: &Attachment, awaits_pager: bool) {
        self.report(awaits_pager);
        self.outboxes.for_all(|outbox| outbox.attach(attachment.clone()));
    }

    /// Takes the text that goes with a status.
    pub(super) fn report_for(&mut self, status: &Status, awaits_pager: bool) {
        // A program that shows a page and does not read the terminal, or a pager that is not
        // being read.
        let shows_page = self.screen.is_full_screen() && !awaits_pager;
        match status {
            // A pager's prompt is no text; its page was taken when it was found.
            Status::Pager { .. } => {}
            Status::Busy { .. } | Status::Waiting { .. } if shows_page => self.take_page(),
            _ => self.report(awaits_pager),
        }
    }

    /// A reply that says how things stand and nothing else.
    pub(super) fn reply_without_text(&self, status: Status) -> Reply {
        Reply::without_text(status, self.shows_prompt())
    }

    fn shows_prompt(&self) -> bool {
        !self.screen.line_at_cursor().trim().is_empty()
    }

    /// The reply to a client: all that it was not told, and notices of how things stand.
    pub(super) fn reply(
        &mut self,
        client: ClientId,
        status: Status,
        standing: Vec<Notice>,
    ) -> Reply {
        let prompt_visible = self.shows_prompt();
        match self.outboxes.of(client) {
            Some(outbox) => outbox.take_of(status, prompt_visible, standing),
            None => Reply::without_text(status, prompt_visible),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{reply::Block, session::rules::reader::Reader};

    /// What an observer was told: bytes, and how often the screen was another one.
    #[derive(Debug, Default)]
    struct Watched {
        bytes: Vec<u8>,
        replaced: usize,
    }

    impl Observer for Watched {
        fn shown(&mut self, shown: Shown<'_>, _screen: &Screen) {
            if let Shown::Bytes(bytes) = shown {
                self.bytes.extend(bytes);
            }
        }

        fn replaced(&mut self, _screen: &Screen) {
            self.replaced += 1;
        }
    }

    const CLIENT: ClientId = 1;
    const SIZE: Size = Size { columns: 20, rows: 4 };

    fn display(budget: usize) -> Display<Watched> {
        let mut display = Display::new(SIZE, budget.into(), Watched::default());
        display.outboxes.open(CLIENT);
        display
    }

    fn show(display: &mut Display<Watched>, text: &str) {
        display.show(Shown::Bytes(text.as_bytes()));
    }

    fn found(program: &str, canonical: bool, guessed: bool, echo: bool) -> Found {
        let awaits = Awaits::Terminal;
        let reader = Reader { thread: 1, wakes: 1, program: program.into(), guessed, awaits };
        Found { reader, canonical, echo }
    }

    /// The text of a reply with this status.
    fn told(display: &mut Display<Watched>, status: Status) -> String {
        display.report_for(&status, false);
        let reply = display.reply(CLIENT, status, Vec::new());
        let text = |block| match block {
            Block::Text(text) => text,
            Block::Image { mime, .. } => format!("({mime})"),
        };
        reply.merged().into_iter().map(text).collect()
    }

    const READY: Status = Status::Ready { outcome: None };

    #[test]
    fn what_a_reader_shows_tells_what_it_is() {
        let mut display = display(1000);
        let view = |display: &mut Display<Watched>, found| {
            display.sighting(found, [CLIENT].into_iter()).map(|sighting| sighting.view)
        };
        show(&mut display, "name? ");
        let cat = || found("cat", true, false, true);
        assert_eq!(view(&mut display, cat()), Some(View::Text));
        // One that may wait for anything is a reader only where it asks for a secret.
        assert_eq!(view(&mut display, found("sudo", true, true, true)), None);
        assert_eq!(view(&mut display, found("sudo", true, true, false)), Some(View::Text));
        show(&mut display, "\x1b[?1049h\x1b[H1\r\n2\r\n3\r\n:");
        let Some(View::Pager(pager)) = view(&mut display, found("less", false, false, false))
        else {
            panic!("no pager");
        };
        assert!(pager.has_new_text && pager.next_fits && !pager.place.at_end);
        let vim = found("vim", false, false, false);
        let shown = FullScreenView { cursor: (3, 1) };
        assert_eq!(view(&mut display, vim), Some(View::FullScreen(shown)));
    }

    #[test]
    fn a_page_fits_while_the_reply_has_room() {
        let mut display = display(100);
        show(&mut display, "\x1b[?1049h\x1b[Hone\r\ntwo\r\nthree\r\nlines 1-3/");
        let fits = |display: &mut Display<Watched>, clients: &[ClientId], all: &str| {
            show(display, &format!("\x1b[4;11H{all}\x1b[K"));
            let found = found("less", false, false, false);
            match display.sighting(found, clients.iter().copied()).map(|sighting| sighting.view) {
                Some(View::Pager(pager)) => pager.next_fits,
                view => panic!("{view:?}"),
            }
        };
        assert!(fits(&mut display, &[CLIENT], "99"));
        // Of these pages with 28 characters in 4 rows there are two more, and a bit.
        display.outboxes.for_all(|outbox| outbox.push(&"x".repeat(70)));
        assert!(!fits(&mut display, &[CLIENT], "99"));
        assert!(fits(&mut display, &[CLIENT], "9"));
        assert!(!fits(&mut display, &[CLIENT], "12"));
        // One that is the last is not left for another call.
        display.outboxes.for_all(|outbox| outbox.push(&"x".repeat(30)));
        assert!(fits(&mut display, &[CLIENT], "6"));
        assert!(!fits(&mut display, &[CLIENT], "9"));
        // Others' room is not asked for.
        assert!(fits(&mut display, &[], "99"));
    }

    #[test]
    fn a_reply_is_longer_by_the_last_page_and_leaves_nothing_out() {
        let mut display = display(100);
        let page = "0123456789 23456789\n".repeat(3);
        for number in 1..=2 {
            display.pager_text.push_str(&page);
            display.take_pager_text();
            assert!(!display.outboxes.of(CLIENT).unwrap().spills(), "{number}");
        }
        show(&mut display, "closed\r\n");
        assert_eq!(told(&mut display, READY), page.repeat(2) + "closed\n");
        // One page longer, and no more.
        display.pager_text = page.repeat(4);
        display.take_pager_text();
        assert!(display.outboxes.of(CLIENT).unwrap().spills());
    }

    #[test]
    fn the_end_of_a_cell_takes_what_stands_there_and_shows_the_screen_anew() {
        let mut display = display(1000);
        show(&mut display, "before\r\n\x1b[?1049h\x1b[Hlast words");
        display.end_cell();
        assert!(!display.screen().is_alternate());
        assert_eq!(display.observer.replaced, 1);
        assert_eq!(told(&mut display, READY), "before\nlast words");
        assert_eq!(display.observer.bytes, b"before\r\n\x1b[?1049h\x1b[Hlast words");
    }

    #[test]
    fn the_screen_is_not_shown_anew_where_a_cell_left_nothing_to_put_back() {
        let mut display = display(1000);
        show(&mut display, "2\r\n");
        display.end_cell();
        assert_eq!(display.observer.replaced, 0);
        show(&mut display, "\x1b[31mred\r\n");
        display.end_cell();
        assert_eq!(display.observer.replaced, 1);
    }

    #[test]
    fn pictures_and_notices_stand_where_they_were_made() {
        let mut display = display(1000);
        show(&mut display, "one");
        display.attach(&Attachment::new(1, "text/html", "AA==".into()), false);
        show(&mut display, " two\r\n");
        display.notice(Audience::Client(CLIENT), &Notice::SessionStarted, false);
        display.notice(Audience::Client(CLIENT + 1), &Notice::InterruptedBeforeRun, false);
        show(&mut display, "three\r\n");
        let text = "one\n[repl] HTML page (not kept)\n two\n[repl] new session started\nthree\n";
        assert_eq!(told(&mut display, READY), text);
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_cut_changes_nothing(
            parts in prop::collection::vec(prop::sample::select(&[
                "text", "\r\n", "\r", "a longer line than the page is wide", "\x1b[2K", "\x1b[A",
                "\x1b[?1049h", "\x1b[?1049l", "\x1b[1m", "é", "\t",
            ][..]), 0..30),
            size in 1usize..12,
        ) {
            let bytes = parts.concat().into_bytes();
            let told = |size: usize| {
                let mut display = display(10_000);
                for chunk in bytes.chunks(size) {
                    display.show(Shown::Bytes(chunk));
                    display.drain(false);
                }
                told(&mut display, READY)
            };
            prop_assert_eq!(told(size), told(usize::MAX));
        }
    }
}
