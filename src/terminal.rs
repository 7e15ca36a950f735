//! The terminal that this process is on: its size, its keyboard, and what it is shown of a session's
//! terminal. All of it is put back at the end, whatever the end is.

use std::{
    collections::VecDeque,
    io::{self, IsTerminal, Write},
    sync::Once,
    time::Duration,
};

use crossterm::{
    event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseEventKind},
    terminal::window_size,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Stdout},
    sync::mpsc,
};

use crate::{
    pty::{self, EditorInput, TerminalInput},
    screen::{QueryFilter, Screen, Size},
    session::{client::Typist, rules::payload::INTERRUPT},
};

/// How much is read of the keyboard at once, in bytes.
const MOST_TYPED: usize = 4096;
/// How long a terminal that takes nothing (Ctrl-S) is waited for before it is left as it is.
const PATIENCE: Duration = Duration::from_secs(1);

/// The size of the terminal that this process is on; `None` where it is on none, or where nobody
/// has told that one its size.
pub(crate) fn size() -> Option<Size> {
    let is_on_one =
        io::stdout().is_terminal() || io::stderr().is_terminal() || io::stdin().is_terminal();
    let size = window_size().ok().filter(|_| is_on_one)?;
    let size = Size { columns: size.columns, rows: size.rows };
    (size.columns > 0 && size.rows > 0).then_some(size)
}

/// The width and height of a character's cell there, in pixels; `None` where nobody has told that.
pub(crate) fn cell() -> Option<(u16, u16)> {
    let size = window_size().ok()?;
    let cell = (size.width.checked_div(size.columns)?, size.height.checked_div(size.rows)?);
    (cell.0 > 0 && cell.1 > 0).then_some(cell)
}

/// Whether standard output is a terminal that can show what is printed on a session's.
pub(crate) fn can_show() -> bool {
    io::stdout().is_terminal() && takes_marks()
}

/// Whether standard output is to have colours: it can show them, and nobody said that none are wanted
/// (<https://no-color.org>).
pub(crate) fn takes_colors() -> bool {
    can_show() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether it takes escape sequences that it does not know without showing them.
pub(crate) fn takes_marks() -> bool {
    let name = std::env::var_os("TERM").unwrap_or_default();
    !name.is_empty() && name != "dumb"
}

/// Whether somebody types there, and this process may take it.
pub(crate) fn has_keyboard() -> bool {
    io::stdin().is_terminal() && pty::has_the_terminal()
}

/// Standard output, a terminal, in line with what else it shows: what a session's terminal shows is
/// passed through, but for what asks the terminal something, which the session answers.
#[derive(Debug)]
pub(crate) struct Shown {
    out: Stdout,
    queries: QueryFilter,
    /// What the terminal shows, as far as it came from here.
    screen: Screen,
}

impl Shown {
    /// Standard output as it is.
    pub(crate) fn new() -> Shown {
        let screen = Screen::new(size().unwrap_or_default());
        Shown { out: tokio::io::stdout(), queries: QueryFilter::default(), screen }
    }

    /// Shows what programs printed.
    pub(crate) async fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut shown = Vec::with_capacity(bytes.len());
        self.queries.filter(bytes, &mut shown);
        self.write(&shown).await
    }

    /// Shows a line of this process's own, below what programs printed.
    pub(crate) async fn line(&mut self, line: &str) -> io::Result<()> {
        let start = if self.screen.cursor().1 > 0 { "\r\n" } else { "" };
        self.write(format!("{start}{line}\r\n").as_bytes()).await
    }

    /// Puts back what programs left otherwise than they found it.
    pub(crate) async fn restore(&mut self) -> io::Result<()> {
        self.screen.drain(&mut |_| {});
        let sequences = self.screen.restore();
        self.out.write_all(&sequences).await?;
        self.out.flush().await
    }

    /// The same for the last time.
    pub(crate) async fn end(mut self) {
        // A terminal that is gone needs none.
        let _ = tokio::time::timeout(PATIENCE, self.restore()).await;
    }

    /// The terminal has another size.
    pub(crate) fn resize(&mut self, size: Size) {
        self.screen.resize(size);
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.screen.feed(bytes);
        // Nobody reads the text or fetches answers here.
        self.screen.drain(&mut |_| {});
        self.out.write_all(bytes).await?;
        self.out.flush().await
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = io::stdout().write_all(&self.screen.restore());
            let _ = io::stdout().flush();
        }
    }
}

/// The keyboard, of which every key goes to the session's terminal, and with it the modes of this
/// process's: raw, until this is dropped.
#[derive(Debug)]
pub(crate) struct Keyboard {
    interrupts: mpsc::UnboundedReceiver<()>,
    _raw: RawMode,
}

impl Keyboard {
    /// Takes the keyboard, in the running event loop; `typist` types what comes.
    pub(crate) fn take(typist: Typist) -> io::Result<Keyboard> {
        let _raw = RawMode::enter()?;
        let (tell, interrupts) = mpsc::unbounded_channel();
        // It ends with the event loop: a read of a terminal can't be taken back.
        tokio::spawn(async move {
            let (mut stdin, mut buffer) = (tokio::io::stdin(), vec![0; MOST_TYPED]);
            while let Ok(length @ 1..) = stdin.read(&mut buffer).await {
                let typed = &buffer[..length];
                if typed.contains(&(INTERRUPT as u8)) {
                    let _ = tell.send(());
                }
                typist.type_bytes(typed.to_vec()).await;
            }
        });
        Ok(Keyboard { interrupts, _raw })
    }

    /// After a shell had the terminal, which has left it in modes of its own.
    pub(crate) fn take_again(&self) {
        make_raw_again();
    }

    /// Those that were pressed before were for the program.
    pub(crate) fn forget_interrupts(&mut self) {
        while self.interrupts.try_recv().is_ok() {}
    }

    /// The next time that Ctrl-C is pressed, which has gone to the session, too. Cancel safe.
    pub(crate) async fn interrupt(&mut self) {
        if self.interrupts.recv().await.is_none() {
            std::future::pending().await
        }
    }
}

/// Makes the terminal raw again, after others have left it in modes of their own.
pub(crate) fn make_raw_again() {
    // In the background it would be stopped for that.
    if pty::has_the_terminal() {
        let _ = pty::set_raw_mode(false).and_then(|()| pty::set_raw_mode(true));
    }
}

/// Leaves the terminal's modes to others, as it was found: until it is made raw again.
pub(crate) fn leave_raw() {
    let _ = pty::set_raw_mode(false);
}

/// Shows a question, and reads a line by its keys, which are shown; `None` when Esc, Ctrl-C or Ctrl-D
/// ended it, or the terminal is gone. To be dropped where something else comes first. What was typed
/// behind the line is left in `ahead`, for the next one.
///
/// # Errors
/// When the terminal can't be used.
pub(crate) async fn read_line(
    question: &str,
    ahead: &mut VecDeque<u8>,
) -> io::Result<Option<String>> {
    let _raw = RawMode::enter()?;
    let input = TerminalInput::new()?;
    let (mut line, mut out) = (String::new(), io::stdout());
    out.write_all(question.as_bytes())?;
    loop {
        while let Some(key) = ahead.pop_front() {
            match key {
                // What was typed before the terminal was raw has its Enter as LF (POSIX: ICRNL).
                b'\r' | b'\n' => return Ok(Some(line)),
                0x03 | 0x04 => return Ok(None),
                // With more behind it, it begins a key that means nothing here.
                0x1b if ahead.is_empty() => return Ok(None),
                0x1b => ahead.clear(),
                0x08 | 0x7f if line.pop().is_some() => out.write_all(b"\x08 \x08")?,
                b' '..=b'~' => {
                    line.push(key.into());
                    out.write_all(&[key])?;
                }
                _ => {}
            }
        }
        out.flush()?;
        let mut keys = [0; 256];
        let length = input.read(&mut keys).await?;
        if length == 0 {
            return Ok(None);
        }
        ahead.extend(&keys[..length]);
    }
}

/// What a line editor reads in the place of the keyboard.
///
/// # Errors
/// When there is nothing to be had that can stand there.
pub(crate) fn editor_input() -> io::Result<EditorInput> {
    // Who is not waited for finds its terminal, and does not read.
    EditorInput::new(|| crossterm::event::poll(Duration::ZERO).map(drop))
}

/// The key that this event is.
pub(crate) fn key_of(event: &Event) -> Option<(KeyModifiers, KeyCode)> {
    let key = event.as_key_press_event()?;
    Some((key.modifiers, key.code))
}

/// The event that this key is.
pub(crate) fn event_of(character: char) -> Event {
    let shift = if character.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
    Event::Key(KeyEvent::new(KeyCode::Char(character), shift))
}

/// What a line editor of this process is told in between what is typed, in the words of a terminal that
/// says where its mouse is and which keys are held: no editor here has asked for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It is to say when it has come so far.
    Reached(u16),
    /// The same, and a line that was begun in front of it is to be indented.
    Begun(u16),
    /// The same, and something was pasted here.
    Pasted(u16),
    /// Text was typed here, which it was told elsewhere.
    Typed,
    /// The editor of this number is to stop.
    Stop(u16),
}

impl Mark {
    /// The greatest number of one.
    pub(crate) const LAST: u16 = 60_000;

    /// How it is given to the editor.
    pub(crate) fn sequence(self) -> String {
        let (number, held) = match self {
            Mark::Reached(number) => (number, KeyModifiers::NONE),
            Mark::Begun(number) => (number, KeyModifiers::ALT),
            Mark::Pasted(number) => (number, KeyModifiers::SHIFT),
            Mark::Stop(number) => (number, KeyModifiers::SHIFT | KeyModifiers::ALT),
            Mark::Typed => (0, KeyModifiers::CONTROL),
        };
        let bit = |key, bit| if held.contains(key) { bit } else { 0 };
        let keys = bit(KeyModifiers::SHIFT, 4)
            + bit(KeyModifiers::ALT, 8)
            + bit(KeyModifiers::CONTROL, 16);
        // Moved with no button down; places are counted from 1 (xterm's `ctlseqs`).
        format!("\x1b[<{};{};1M", 35 + keys, number + 1)
    }

    /// The one that this event is.
    pub(crate) fn of(event: &Event) -> Option<Mark> {
        const BOTH: KeyModifiers = KeyModifiers::SHIFT.union(KeyModifiers::ALT);
        let Event::Mouse(mouse) = event else { return None };
        if mouse.kind != MouseEventKind::Moved {
            return None;
        }
        match mouse.modifiers {
            KeyModifiers::NONE => Some(Mark::Reached(mouse.column)),
            KeyModifiers::ALT => Some(Mark::Begun(mouse.column)),
            KeyModifiers::SHIFT => Some(Mark::Pasted(mouse.column)),
            BOTH => Some(Mark::Stop(mouse.column)),
            KeyModifiers::CONTROL => Some(Mark::Typed),
            _ => None,
        }
    }
}

/// The terminal's raw mode (cfmakeraw(3)): each key comes as it is pressed, and is not shown.
#[derive(Debug)]
pub(crate) struct RawMode;

impl RawMode {
    /// Until it is dropped.
    ///
    /// # Errors
    /// When the terminal has no such mode.
    pub(crate) fn enter() -> io::Result<RawMode> {
        static PANIC_HOOK: Once = Once::new();
        PANIC_HOOK.call_once(|| {
            let hook = std::panic::take_hook();
            // What a panic says is for people.
            std::panic::set_hook(Box::new(move |info| {
                let _ = pty::set_raw_mode(false);
                hook(info);
            }));
        });
        pty::set_raw_mode(true).map(|()| RawMode)
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        pty::put_modes_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes up to Enter, but for that; `None` where the terminal's size is not to be known.
    fn line(turn: &mut pty::EditorTurn) -> Vec<Option<Event>> {
        let mut events = Vec::new();
        turn.wait();
        loop {
            assert!(
                crossterm::event::poll(Duration::from_secs(60)).unwrap_or(true),
                "nothing comes"
            );
            let event = crossterm::event::read().ok();
            match event.as_ref().and_then(key_of) {
                Some((_, KeyCode::Enter)) => return events,
                _ => events.push(event),
            }
        }
    }

    #[test]
    fn an_editor_reads_marks_and_a_key_that_comes_with_another_size_at_once() {
        let _terminal = pty::testing::terminal();
        let (input, mut turn) = (editor_input().unwrap(), pty::EditorTurn::begin());
        // From then on another size is an event.
        input.give(b"a\r").unwrap();
        line(&mut turn);
        for is_first in [true, false] {
            if is_first {
                pty::testing::tell_size();
            }
            input.give(b"b\r").unwrap();
            if !is_first {
                pty::testing::tell_size();
            }
            let events = line(&mut turn);
            let keys = events.iter().flatten().filter_map(key_of).map(|(_, code)| code);
            assert_eq!(keys.collect::<Vec<_>>(), [KeyCode::Char('b')], "{events:?}");
        }
        let marks = [
            Mark::Reached(0),
            Mark::Begun(1),
            Mark::Pasted(2),
            Mark::Typed,
            Mark::Stop(Mark::LAST),
        ];
        marks.iter().for_each(|mark| input.give(mark.sequence().as_bytes()).unwrap());
        input.give(b"\r").unwrap();
        let events = line(&mut turn);
        assert_eq!(events.iter().flatten().filter_map(Mark::of).collect::<Vec<_>>(), marks);
    }
}
