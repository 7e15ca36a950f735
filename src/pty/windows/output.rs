//! What is printed on the console that this process is on.

use std::{
    fs::File,
    io::{self, Write},
    os::windows::io::BorrowedHandle,
    sync::Arc,
};

use windows_sys::Win32::System::Console::{
    GetConsoleOutputCP, GetStdHandle, STD_OUTPUT_HANDLE, SetConsoleOutputCP,
};

/// UTF-8 as a console's code page (`CP_UTF8`).
const UTF_8: u32 = 65001;

/// Standard output, a console that takes UTF-8. A thread writes to it.
#[derive(Debug, Default)]
pub struct TerminalOutput {
    console: Option<Arc<File>>,
    /// The code page that the console had, which it gets back.
    code_page: u32,
    /// The write that is on its way: it can't be taken back.
    writing: Option<tokio::task::JoinHandle<io::Result<usize>>>,
}

impl TerminalOutput {
    /// Has all that was written reach the console. Cancel safe.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn flush(&mut self) -> io::Result<()> {
        self.settle().await.map(drop)
    }

    /// Writes what the console takes of it, once it takes something. Cancel safe: what was being written
    /// then counts as written by the next call, which is to begin with the same bytes.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.writing.is_none() {
            let (console, bytes) = (self.console()?, bytes.to_owned());
            let write = move || (&*console).write(&bytes);
            self.writing = Some(tokio::task::spawn_blocking(write));
        }
        self.settle().await
    }

    /// What came of the write that is on its way; 0 when there is none.
    async fn settle(&mut self) -> io::Result<usize> {
        let Some(writing) = &mut self.writing else { return Ok(0) };
        let written = writing.await;
        self.writing = None;
        written.map_err(io::Error::other)?
    }

    fn console(&mut self) -> io::Result<Arc<File>> {
        if let Some(console) = &self.console {
            return Ok(console.clone());
        }
        // SAFETY: no memory is taken; a standard handle stays open.
        let output = unsafe {
            self.code_page = GetConsoleOutputCP();
            SetConsoleOutputCP(UTF_8);
            BorrowedHandle::borrow_raw(GetStdHandle(STD_OUTPUT_HANDLE))
        };
        let console = Arc::new(File::from(output.try_clone_to_owned()?));
        Ok(self.console.insert(console).clone())
    }
}

impl Drop for TerminalOutput {
    fn drop(&mut self) {
        if self.code_page != 0 {
            // SAFETY: no memory is taken.
            unsafe { SetConsoleOutputCP(self.code_page) };
        }
    }
}

/// Does nothing: a console stays as a process leaves it that is killed. There is no fork of it that could
/// put it back.
pub fn guard_terminal() {}

/// See [`guard_terminal`].
pub fn restore_by_guard(_sequences: &[u8]) {}
