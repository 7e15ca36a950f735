//! Where a worker's sideband, or a session's client, connects: a named pipe for programs of this user
//! only. Its name is a secret, and stands in a file that is this user's alone, where Unix has a socket:
//! so it is found as that is, and nobody can lay a pipe of theirs in its place.

use std::{
    io::{self, Read, Write},
    os::windows::io::AsRawHandle,
    path::{Path, PathBuf},
};

use tokio::{
    net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer},
    sync::Mutex,
};
use windows_sys::Win32::{
    Foundation::{ERROR_FILE_NOT_FOUND, ERROR_PIPE_BUSY},
    System::{
        Pipes::WaitNamedPipeW,
        Threading::{OpenProcess, PROCESS_TERMINATE, TerminateProcess},
    },
};

use super::{
    handle::{c_wide, check, owned},
    pipe::{client_of, listen, new_name, server_of},
    private::{create_private_file, open_own_file},
    security::is_own_process,
    stream::ByteStream,
};
use crate::pty::{StdinStream, StdoutStream};

/// The longest name of a pipe, in bytes.
const LONGEST_NAME: u64 = 256;
/// How long a listener that is busy is waited for at a time, in milliseconds.
const BUSY: u32 = 1000;
/// The exit status of a listener that is killed.
const KILLED: u32 = 1;

/// A pipe that is listened on. Its file goes when it is dropped.
#[derive(Debug)]
pub struct Listener {
    name: String,
    path: PathBuf,
    /// The end for the next one that connects.
    next: Mutex<NamedPipeServer>,
}

impl Listener {
    /// Listens on a new pipe, whose name is in a new file at `path`.
    ///
    /// # Errors
    /// When it can't be made: there is a file already, say.
    pub fn bind(path: &Path) -> io::Result<Listener> {
        let name = new_name()?;
        let next = Mutex::new(listen(&name, true)?);
        let mut file = create_private_file(path)?;
        let listener = Listener { name, path: path.to_owned(), next };
        file.write_all(listener.name.as_bytes())?;
        Ok(listener)
    }

    /// Waits for the next program that connects. Cancel safe.
    ///
    /// # Errors
    /// `PermissionDenied` when the program runs under another user: it is refused. Others when the system
    /// has no other end. The next program may do better in any case.
    pub async fn accept(&self) -> io::Result<ByteStream> {
        self.accept_own().await.map(ByteStream::both_ways)
    }

    /// Waits for the next client that connects, and gives its stream in two halves. Cancel safe.
    ///
    /// # Errors
    /// As [`Listener::accept`].
    pub async fn accept_halves(&self) -> io::Result<(StdinStream, StdoutStream)> {
        let (reader, writer) = tokio::io::split(self.accept_own().await?);
        Ok((Box::new(reader), Box::new(writer)))
    }

    async fn accept_own(&self) -> io::Result<NamedPipeServer> {
        let mut next = self.next.lock().await;
        if let Err(error) = next.connect().await {
            // One that came and went before: that end is of no more use.
            *next = listen(&self.name, false)?;
            return Err(error);
        }
        let connected = std::mem::replace(&mut *next, listen(&self.name, false)?);
        let is_own = client_of(&connected).and_then(is_own_process);
        if is_own.is_ok_and(|is_own| is_own) {
            Ok(connected)
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Connects to a pipe of this user.
///
/// # Errors
/// `PermissionDenied` when whoever listens there runs under another user, or the file is not this user's
/// alone; `NotFound` when there is no such file, `ConnectionRefused` when nobody listens.
pub async fn connect(path: &Path) -> io::Result<(StdinStream, StdoutStream)> {
    let (reader, writer) = tokio::io::split(connect_to_own(path).await?);
    Ok((Box::new(reader), Box::new(writer)))
}

/// Kills the process that listens at a pipe of this user, as it may not do so by itself. What it is is
/// the system's word at this moment, so no number of an earlier one is used.
///
/// # Errors
/// As [`connect`]; when the process may not be killed.
pub async fn kill_listener(path: &Path) -> io::Result<()> {
    let pipe = connect_to_own(path).await?;
    let number = server_of(&pipe)?;
    // SAFETY: no memory is taken; the handle is nobody else's.
    let process = unsafe { owned(OpenProcess(PROCESS_TERMINATE, 0, number)) }?;
    // While it is connected its number is its own, and by the handle it stays so.
    if pipe.try_write(&[]).is_err_and(|error| error.kind() != io::ErrorKind::WouldBlock) {
        return Err(io::ErrorKind::NotFound.into());
    }
    // SAFETY: the handle is open; no memory is taken.
    unsafe { check(TerminateProcess(process.as_raw_handle(), KILLED)) }
}

async fn connect_to_own(path: &Path) -> io::Result<NamedPipeClient> {
    let mut name = String::new();
    open_own_file(path)?.take(LONGEST_NAME).read_to_string(&mut name)?;
    let pipe = loop {
        match ClientOptions::new().open(&name) {
            Ok(pipe) => break pipe,
            Err(error) if is_error(&error, ERROR_PIPE_BUSY) => wait_for(&name).await?,
            Err(error) if is_error(&error, ERROR_FILE_NOT_FOUND) => {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            Err(error) => return Err(error),
        }
    };
    if !is_own_process(server_of(&pipe)?)? {
        let message = "another user listens there";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    Ok(pipe)
}

/// Waits until a listener takes the next one: each has a moment in which it makes an end for that.
async fn wait_for(name: &str) -> io::Result<()> {
    let name = c_wide(name)?;
    let waiting = tokio::task::spawn_blocking(move || {
        // SAFETY: the name ends with a NUL. What comes of it is seen by the next attempt.
        unsafe { WaitNamedPipeW(name.as_ptr(), BUSY) };
    });
    waiting.await.map_err(io::Error::other)
}

fn is_error(error: &io::Error, number: u32) -> bool {
    error.raw_os_error() == Some(number.cast_signed())
}
