//! The process's standard input and output as asynchronous streams, whatever they are: a thread each reads
//! and writes them, as what others gave need not be ready for the event loop.

use std::io;

use windows_sys::Win32::{
    Foundation::INVALID_HANDLE_VALUE,
    Storage::FileSystem::{FILE_TYPE_CHAR, GetFileType},
    System::Console::{GetConsoleMode, GetStdHandle, STD_INPUT_HANDLE},
};

use crate::pty::{StdinStream, StdoutStream};

/// Opens standard input and output, in the running event loop.
///
/// # Errors
/// [`io::ErrorKind::NotConnected`] when nobody can say anything on standard input, since it is closed or
/// the null device.
pub fn stdio() -> io::Result<(StdinStream, StdoutStream)> {
    if is_nobody() {
        let message = "standard input is closed, or NUL";
        return Err(io::Error::new(io::ErrorKind::NotConnected, message));
    }
    Ok((Box::new(tokio::io::stdin()), Box::new(tokio::io::stdout())))
}

/// Whether standard input is closed, or a device of single characters that is no console: the null device.
fn is_nobody() -> bool {
    let mut mode = 0;
    // SAFETY: the handle is looked at only; `mode` takes what is written.
    unsafe {
        let input = GetStdHandle(STD_INPUT_HANDLE);
        input.is_null()
            || input == INVALID_HANDLE_VALUE
            || GetFileType(input) == FILE_TYPE_CHAR && GetConsoleMode(input, &mut mode) == 0
    }
}

/// Never: the system tells it to the next write only, which fails.
pub async fn reader_has_gone() {
    std::future::pending().await
}
