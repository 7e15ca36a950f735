//! What was printed and typed when: it tells of a program that may go on by itself whether it waits,
//! and of a client whether there is news. Pure.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::{Shown, prompt};
use crate::{
    screen::Screen,
    session::rules::{
        reader::{Awaits, Sighting, View},
        state::{ClientId, Time},
    },
};

/// How long a program that may go on by itself prints nothing when it waits.
const QUIET: Duration = Duration::from_millis(200);
/// The same while its children work, or when it reads the terminal and has not answered yet what was
/// sent: it may be on its way to another machine.
const LONG_QUIET: Duration = Duration::from_secs(1);

/// What was printed and typed.
#[derive(Debug, Default)]
pub(super) struct News {
    /// How often something was shown.
    shown: u64,
    /// The same when a client was last told how things stand.
    told: BTreeMap<ClientId, u64>,
    /// When something was last shown, or sent to the session.
    last: Time,
    /// Whether something was shown since something was sent.
    is_answered: bool,
    /// The last line that was sent.
    sent: String,
    /// Whether it was shown since.
    echo: Echo,
}

impl News {
    /// Something was shown.
    pub(super) fn shown(&mut self, now: Time) {
        self.shown += 1;
        (self.last, self.is_answered) = (now, true);
    }

    /// Something was sent for a program to read.
    pub(super) fn sent(&mut self, bytes: &[u8], now: Time) {
        let end = bytes.trim_ascii_end().len();
        let line = bytes[..end].rsplit(|byte| matches!(byte, b'\r' | b'\n')).next();
        let mut place = Place::default();
        let is_shown = |byte: &u8| place.step(*byte);
        let line: Vec<u8> = line.unwrap_or_default().iter().copied().filter(is_shown).collect();
        self.sent = String::from_utf8_lossy(&line).trim().to_owned();
        // Keys are not shown, and text that was sent before them may be.
        if !self.sent.is_empty() {
            self.echo = Echo::of(&self.sent);
        }
        (self.last, self.is_answered) = (now, false);
    }

    /// This is being shown.
    pub(super) fn see(&mut self, shown: Shown<'_>) {
        if let Shown::Bytes(bytes) = shown {
            self.echo.see(bytes);
        }
    }

    /// Whether the last line that was sent was shown since.
    pub(super) fn is_echoed(&self) -> bool {
        self.echo.is_seen
    }

    /// How often something was shown so far.
    pub(super) fn count(&self) -> u64 {
        self.shown
    }

    /// How often something had been shown when a client was last told how things stand.
    pub(super) fn told(&self, client: ClientId) -> u64 {
        self.told.get(&client).copied().unwrap_or(0)
    }

    /// A client is told.
    pub(super) fn tell(&mut self, client: ClientId) {
        self.told.insert(client, self.shown);
    }

    /// A client has gone, or what it was to be told did not reach it.
    pub(super) fn forget(&mut self, client: ClientId) {
        self.told.remove(&client);
    }

    /// From when on a program that may go on by itself waits, if nothing is shown until then.
    pub(super) fn quiet_from(&self, awaits: Awaits) -> Time {
        match awaits {
            Awaits::Terminal => self.last,
            Awaits::TerminalAndOthers { children_work } if children_work || !self.is_answered => {
                self.last + LONG_QUIET
            }
            Awaits::TerminalAndOthers { .. } | Awaits::Others | Awaits::Unknown => {
                self.last + QUIET
            }
        }
    }

    /// Whether a program that was found waits, as far as what it shows tells.
    pub(super) fn settles(&self, sighting: &Sighting, screen: &Screen, now: Time) -> bool {
        let Sighting { reader, modes, view, .. } = sighting;
        let is_quiet = self.quiet_from(reader.awaits) <= now;
        let shows_prompt = *view == View::Text && self.shows_prompt(screen);
        match reader.awaits {
            Awaits::Terminal => true,
            Awaits::TerminalAndOthers { .. } | Awaits::Others => is_quiet || shows_prompt,
            // It may sleep for anything, so that it is quiet says nothing.
            Awaits::Unknown if *view == View::Text => {
                let asks = shows_prompt && prompt::asks(&screen.line_at_cursor());
                is_quiet && (asks || modes.canonical && !modes.echo)
            }
            Awaits::Unknown => is_quiet,
        }
    }

    /// Whether the screen shows a prompt that was printed since something was sent: the cursor
    /// stands behind text, and that is not what was sent, whose echo is about to be ended.
    pub(super) fn shows_prompt(&self, screen: &Screen) -> bool {
        let line = screen.line_at_cursor();
        let line = line.trim();
        let is_echo = !self.sent.is_empty() && line.ends_with(&self.sent);
        let (_, column) = screen.cursor();
        self.is_answered && column > 0 && !line.is_empty() && !is_echo
    }
}

/// A text that is looked for among bytes, whatever escape sequences stand between its characters.
#[derive(Debug, Default)]
struct Echo {
    /// Without blanks.
    sought: Vec<u8>,
    /// As many of the last bytes, without blanks and sequences.
    last: VecDeque<u8>,
    is_seen: bool,
    place: Place,
}

/// Where in an escape sequence bytes are (ECMA-48, 5.4).
#[derive(Debug, Clone, Copy, Default)]
enum Place {
    #[default]
    Text,
    /// Behind ESC.
    Escape,
    /// Behind CSI.
    Sequence,
    /// In a string: OSC and the like.
    String,
}

/// How much of a line is looked for, in characters: line editors break longer ones.
const LOOKED_FOR: usize = 20;

impl Echo {
    fn of(line: &str) -> Echo {
        let sought: String =
            line.split_whitespace().flat_map(str::chars).take(LOOKED_FOR).collect();
        Echo { sought: sought.into_bytes(), ..Echo::default() }
    }

    fn see(&mut self, bytes: &[u8]) {
        if self.is_seen || self.sought.is_empty() {
            return;
        }
        for &byte in bytes {
            if self.place.step(byte) && byte != b' ' {
                self.last.push_back(byte);
                if self.last.len() > self.sought.len() {
                    self.last.pop_front();
                }
                self.is_seen |= self.last == self.sought;
            }
        }
    }
}

impl Place {
    /// A byte comes. Whether it is one of a character that is shown.
    fn step(&mut self, byte: u8) -> bool {
        let before = *self;
        *self = match (before, byte) {
            (_, 0x1b) => Place::Escape,
            (Place::Escape, b'[') => Place::Sequence,
            (Place::Escape, b']' | b'P' | b'X' | b'^' | b'_') => Place::String,
            (Place::Escape, b' '..=b'/') => Place::Escape,
            (Place::Escape, _) | (Place::Sequence, b'@'..=b'~') | (Place::String, 0x07) => {
                Place::Text
            }
            (place, _) => place,
        };
        matches!((before, byte), (Place::Text, b' '..=b'~' | 0x80..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        screen::Size,
        session::rules::reader::{FullScreenView, InputModes, Reader},
    };

    const fn ms(ms: u64) -> Time {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_prompt_is_an_open_line_that_is_no_echo() {
        let mut news = News::default();
        let mut screen = Screen::new(Size::default());
        screen.feed(b"$ ");
        // It was there before something was sent.
        news.sent(b"sleep 1\r", ms(1));
        assert!(!news.shows_prompt(&screen));
        for (printed, is_prompt) in [
            ("sleep 1", false),
            ("\r\n", false),
            ("Name: ", true),
            ("\r50 %\r", false),
            ("\x1b[2K\r\x1b[32m>\x1b[0m ", true),
        ] {
            screen.feed(printed.as_bytes());
            news.shown(ms(2));
            assert_eq!(news.shows_prompt(&screen), is_prompt, "{printed:?}");
        }
    }

    #[test]
    fn a_program_that_works_waits_when_it_was_quiet_for_longer() {
        let mut news = News::default();
        news.shown(ms(100));
        let reads = |children_work| Awaits::TerminalAndOthers { children_work };
        for awaits in [reads(false), Awaits::Others] {
            assert_eq!(news.quiet_from(awaits), ms(100) + QUIET);
        }
        assert_eq!(news.quiet_from(reads(true)), ms(100) + LONG_QUIET);
        news.sent(b"line\r", ms(200));
        assert_eq!(news.quiet_from(reads(false)), ms(200) + LONG_QUIET);
        assert_eq!(news.quiet_from(Awaits::Others), ms(200) + QUIET);
    }

    #[test]
    fn what_was_sent_is_found_among_what_is_shown() {
        for (sent, shown, is_echoed) in [
            ("sys.exit(0)", "\x1b[32msys\x1b[0m.exit\x1b[3C(0)\r\n", true),
            ("a b", "a \x1b]0;title\x07b", true),
            ("'a cell'", "CompletedProcess(args=['node', '-i'], returncode=0)", false),
            ("\x1b[200~x = 1\rexit()\x1b[201~\r", "exit()\r\n", true),
            ("exit", "\x1b[exit", false),
            ("", "anything", false),
        ] {
            let mut news = News::default();
            news.sent(sent.as_bytes(), ms(1));
            for byte in shown.bytes() {
                news.see(Shown::Bytes(&[byte]));
            }
            assert_eq!(news.is_echoed(), is_echoed, "{sent}: {shown:?}");
            // An interrupt, the end of a file, cursor up.
            for keys in ["", "\x04", "\x1b[A"] {
                news.sent(keys.as_bytes(), ms(2));
                assert_eq!(news.is_echoed(), is_echoed, "{sent}: {keys:?}");
            }
        }
    }

    #[test]
    fn pasted_text_is_no_prompt_while_its_line_is_not_ended() {
        let mut news = News::default();
        let mut screen = Screen::new(Size::default());
        news.sent(b"\x1b[200~x = 1\rwork()\x1b[201~\r", ms(1));
        screen.feed(b">>> x = 1\r\n... work()");
        news.shown(ms(2));
        assert!(!news.shows_prompt(&screen));
    }

    #[test]
    fn what_was_shown_since_a_client_was_told_is_news_to_it() {
        let mut news = News::default();
        news.shown(ms(1));
        news.tell(1);
        assert_eq!((news.told(1), news.told(2), news.count()), (1, 0, 1));
        news.forget(1);
        assert_eq!(news.told(1), 0);
    }

    #[test]
    fn of_one_of_which_nobody_tells_only_what_it_shows_says_whether_it_waits() {
        let settles = |printed: &[u8], echo: bool, view: View, now: Time| {
            let (mut news, mut screen) = (News::default(), Screen::new(Size::default()));
            news.sent(b"x", ms(0));
            screen.feed(printed);
            news.shown(ms(1));
            let program = "program".to_owned();
            let awaits = Awaits::Unknown;
            let reader = Reader { thread: 1, wakes: 1, program, guessed: true, awaits };
            let modes = InputModes { canonical: true, echo, bracketed_paste: false };
            let sighting = Sighting { reader, modes, view, is_settled: false, shown: 1 };
            news.settles(&sighting, &screen, now)
        };
        let (soon, later) = (ms(2), ms(1) + QUIET);
        assert!(settles(b"name: ", true, View::Text, later));
        assert!(!settles(b"name: ", true, View::Text, soon));
        for line in [&b"Loading..."[..], b"", b"name: \r\n"] {
            assert!(!settles(line, true, View::Text, later));
            assert!(!settles(line, true, View::Text, later + LONG_QUIET));
        }
        // One that hides what is typed asks for a secret, and a page is for whoever looks at it.
        assert!(settles(b"", false, View::Text, later));
        let page = View::FullScreen(FullScreenView { cursor: (0, 0) });
        assert!(settles(b"page", true, page, later));
    }
}
