//! Standard input as any program has it.

use std::io;

use rustix::{io::read, stdio::stdin, termios};

/// Reads it, and waits until there is something: at most `limit` bytes, none at end of file.
///
/// # Errors
/// What read(2) fails with; `Interrupted` by a signal.
pub(crate) fn read_once(limit: usize) -> io::Result<Vec<u8>> {
    let mut chunk = vec![0; limit.min(1 << 16)];
    let length = read(stdin(), &mut chunk)?;
    chunk.truncate(length);
    Ok(chunk)
}

/// Whether it is a terminal.
pub(crate) fn is_terminal() -> bool {
    termios::isatty(stdin())
}
