//! The terminal that this process is on: its size, its keyboard, and what it is shown of a session's
//! terminal. All of it is put back at the end, whatever the end is.

use std::{
    io::{self, IsTerminal, Write},
    sync::Once,
    time::Duration,
};

use crossterm::{
    event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
    terminal::{disable_raw_mode, enable_raw_mode, window_size},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Stdout},
    sync::mpsc,
};

use crate::{
    pty,
    screen::{QueryFilter, Screen, Size},
    session::{client::Client, rules::payload::INTERRUPT},
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
    let name = std::env::var_os("TERM").unwrap_or_default();
    io::stdout().is_terminal() && !name.is_empty() && name != "dumb"
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
    pub(crate) fn take(typist: Client) -> io::Result<Keyboard> {
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
        let _ = disable_raw_mode().and_then(|()| enable_raw_mode());
    }
}

/// Leaves the terminal's modes to others, as it was found: until it is made raw again.
pub(crate) fn leave_raw() {
    let _ = disable_raw_mode();
}

/// What was read of the keyboard for a line editor that has ended, and was not for it: as a terminal
/// sends it.
pub(crate) fn typed_ahead() -> Vec<u8> {
    let mut typed = Vec::new();
    while event::poll(Duration::ZERO).unwrap_or(false) {
        match event::read() {
            Ok(event) => encode_event(event, &mut typed),
            Err(_) => break,
        }
    }
    typed
}

/// Appends what a terminal sends when that happens.
pub(crate) fn encode_event(event: Event, out: &mut Vec<u8>) {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => encode(key, out),
        Event::Paste(text) => {
            out.extend(b"\x1b[200~");
            out.extend(text.as_bytes());
            out.extend(b"\x1b[201~");
        }
        _ => {}
    }
}

/// A key as a terminal sends it that was asked for nothing (xterm's `ctlseqs`).
fn encode(key: KeyEvent, out: &mut Vec<u8>) {
    let modifiers = key.modifiers;
    let number = 1
        + u8::from(modifiers.contains(KeyModifiers::SHIFT))
        + 2 * u8::from(modifiers.contains(KeyModifiers::ALT))
        + 4 * u8::from(modifiers.contains(KeyModifiers::CONTROL));
    let sequence = |parameter: &str, action: char| match (parameter, number) {
        ("", 1) => format!("\x1b[{action}"),
        ("", number) => format!("\x1b[1;{number}{action}"),
        (parameter, 1) => format!("\x1b[{parameter}{action}"),
        (parameter, number) => format!("\x1b[{parameter};{number}{action}"),
    };
    let text = match key.code {
        KeyCode::Char(c) => {
            if modifiers.contains(KeyModifiers::ALT) {
                out.push(0x1b);
            }
            match c.to_ascii_lowercase() {
                c @ 'a'..='z' if modifiers.contains(KeyModifiers::CONTROL) => {
                    return out.push(c as u8 & 0x1f);
                }
                ' ' if modifiers.contains(KeyModifiers::CONTROL) => return out.push(0),
                c @ ('\\' | ']' | '^' | '_') if modifiers.contains(KeyModifiers::CONTROL) => {
                    return out.push(c as u8 & 0x1f);
                }
                // As crossterm names the bytes from FS on.
                c @ '4'..='7' if modifiers.contains(KeyModifiers::CONTROL) => {
                    return out.push(c as u8 - b'4' + 0x1c);
                }
                _ => c.to_string(),
            }
        }
        KeyCode::Enter => "\r".into(),
        KeyCode::Tab => "\t".into(),
        KeyCode::BackTab => "\x1b[Z".into(),
        KeyCode::Backspace => "\x7f".into(),
        KeyCode::Esc => "\x1b".into(),
        KeyCode::Up => sequence("", 'A'),
        KeyCode::Down => sequence("", 'B'),
        KeyCode::Right => sequence("", 'C'),
        KeyCode::Left => sequence("", 'D'),
        KeyCode::Home => sequence("", 'H'),
        KeyCode::End => sequence("", 'F'),
        KeyCode::Insert => sequence("2", '~'),
        KeyCode::Delete => sequence("3", '~'),
        KeyCode::PageUp => sequence("5", '~'),
        KeyCode::PageDown => sequence("6", '~'),
        _ => String::new(),
    };
    out.extend(text.as_bytes());
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
                let _ = disable_raw_mode();
                hook(info);
            }));
        });
        enable_raw_mode().map(|()| RawMode)
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        let _ = disable_raw_mode();
    }
}
