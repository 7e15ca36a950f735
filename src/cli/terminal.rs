//! The terminal that this process is on: its size.

use std::io::{self, IsTerminal};

use crossterm::terminal::window_size;

use crate::screen::Size;

/// The size of the terminal that this process is on; `None` where it is on none, or where nobody
/// has told that one its size.
pub(super) fn size() -> Option<Size> {
    let is_on_one =
        io::stdout().is_terminal() || io::stderr().is_terminal() || io::stdin().is_terminal();
    let size = window_size().ok().filter(|_| is_on_one)?;
    let size = Size { columns: size.columns, rows: size.rows };
    (size.columns > 0 && size.rows > 0).then_some(size)
}
