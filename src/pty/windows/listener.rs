//! Where a worker's sideband, or a session's client, connects: a named pipe for programs of this user
//! only. Its name is a secret, and stands in a file that is this user's alone, where Unix has a socket:
//! so it is found as that is, and nobody can lay a pipe of theirs in its place. It says which process
//! listens, which so can be killed when it takes nobody any more.

use std::{
    io::{self, Read, Write},
    os::windows::io::AsRawHandle,
    path::{Path, PathBuf},
};

use tokio::{
    net::windows::named_pipe::{ClientOptions, NamedPipeServer},
    sync::Mutex,
};
use windows_sys::Win32::{
    Foundation::{ERROR_FILE_NOT_FOUND, ERROR_PIPE_BUSY},
    System::{
        Pipes::WaitNamedPipeW,
        Threading::{PROCESS_TERMINATE, TerminateProcess},
    },
};

use super::{
    halves::{End, halves},
    handle::{c_wide, check},
    pipe::{client_of, listen, new_name, server_of},
    private::{create_private_file, open_own_file},
    running::{process_identity, process_of},
    security::is_own_process,
    stream::ByteStream,
};
use crate::pty::{StdinStream, StdoutStream};

/// The longest name of a pipe, in bytes.
const LONGEST_NAME: u64 = 256;
/// How long a listener that is busy is waited for at a time, in milliseconds.
const BUSY: u32 = 1000;
/// How often it is: one that lives takes the next one at once.
const MOST_WAITS: u32 = 3;
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
        let own = process_identity(std::process::id()).ok_or(io::ErrorKind::NotFound)?;
        let name = format!("{}-{own}", new_name()?);
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
        Ok(streams(End::Server(self.accept_own().await?)))
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
/// alone; `NotFound` when there is no such file, `ConnectionRefused` when nobody listens, `WouldBlock` when who
/// listens takes nobody.
pub async fn connect(path: &Path) -> io::Result<(StdinStream, StdoutStream)> {
    let name = name_at(path)?;
    let mut waits = MOST_WAITS;
    let pipe = loop {
        match ClientOptions::new().open(&name) {
            Ok(pipe) => break pipe,
            Err(error) if is_error(&error, ERROR_PIPE_BUSY) => {
                waits = waits.checked_sub(1).ok_or(io::ErrorKind::WouldBlock)?;
                wait_for(&name).await?;
            }
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
    Ok(streams(End::Client(pipe)))
}

fn streams(end: End) -> (StdinStream, StdoutStream) {
    let (reader, writer) = halves(end);
    (Box::new(reader), Box::new(writer))
}

/// Kills the process that listens at a pipe of this user, as it may not do so by itself. Which one that is its
/// name says, as no other process has it since the system's start.
///
/// # Errors
/// `NotFound` when there is no such file, `ConnectionRefused` when the process is gone; when it may not be killed.
pub async fn kill_listener(path: &Path) -> io::Result<()> {
    let name = name_at(path)?;
    let (_, identity) = name.rsplit_once('-').ok_or(io::ErrorKind::InvalidData)?;
    let process = process_of(identity, PROCESS_TERMINATE)?;
    // SAFETY: the handle is open; no memory is taken.
    unsafe { check(TerminateProcess(process.as_raw_handle(), KILLED)) }
}

/// The name of a pipe that a file of this user has.
fn name_at(path: &Path) -> io::Result<String> {
    let mut name = String::new();
    open_own_file(path)?.take(LONGEST_NAME).read_to_string(&mut name)?;
    Ok(name)
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

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Names the file of [`listens_and_takes_nobody`].
    const PLACE: &str = "MCP_REPL_TEST_LISTENS";

    #[tokio::test]
    async fn who_connects_is_heard_and_hears() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("pipe");
        let listener = Listener::bind(&path).unwrap();
        for round in 0..3 {
            let (ours, theirs) = tokio::join!(listener.accept_halves(), connect(&path));
            let ((mut hears, mut says), (mut reads, mut writes)) = (ours.unwrap(), theirs.unwrap());
            writes.write_all(&[round]).await.unwrap();
            assert_eq!(hears.read_u8().await.unwrap(), round);
            says.write_all(b"yes").await.unwrap();
            drop((hears, says));
            let mut heard = String::new();
            reads.read_to_string(&mut heard).await.unwrap();
            assert_eq!(heard, "yes");
        }
        // One that came and went keeps nobody away.
        drop(connect(&path).await.unwrap());
        let accepted = async {
            loop {
                if let Ok(streams) = listener.accept_halves().await {
                    return streams;
                }
            }
        };
        let (_ours, theirs) = tokio::join!(accepted, connect(&path));
        theirs.unwrap();
        drop(listener);
        assert!(!path.exists());
        assert_eq!(connect(&path).await.err().unwrap().kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn a_file_that_is_left_over_names_nobody() {
        let place = tempfile::tempdir().unwrap();
        let (path, left) = (place.path().join("pipe"), place.path().join("left"));
        let listener = Listener::bind(&path).unwrap();
        std::fs::hard_link(&path, &left).unwrap();
        drop(listener);
        let refused = connect(&left).await.err().unwrap();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }

    /// A process of its own that listens and takes nobody.
    #[tokio::test]
    async fn listens_and_takes_nobody() {
        let Some(path) = std::env::var_os(PLACE) else { return };
        let _listener = Listener::bind(Path::new(&path)).unwrap();
        println!("it listens");
        let _ = std::io::stdin().read(&mut [0]);
    }

    fn listening(path: &Path) -> Child {
        let mut other = Command::new(std::env::current_exe().unwrap());
        let name = "pty::windows::listener::tests::listens_and_takes_nobody";
        other.args(["--exact", name, "--nocapture"]).env(PLACE, path);
        let mut other = other.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let told = std::io::BufReader::new(other.stdout.as_mut().unwrap());
        let mut lines = std::io::BufRead::lines(told).map_while(Result::ok);
        assert!(lines.any(|line| line.contains("it listens")));
        other
    }

    #[tokio::test]
    async fn one_that_takes_nobody_is_given_up_and_killed() {
        let place = tempfile::tempdir().unwrap();
        let (path, left) = (place.path().join("pipe"), place.path().join("left"));
        let mut other = listening(&path);
        let (mut reads, _writes) = connect(&path).await.unwrap();
        let given_up = connect(&path).await.err().unwrap();
        assert_eq!(given_up.kind(), io::ErrorKind::WouldBlock);
        std::fs::hard_link(&path, &left).unwrap();
        kill_listener(&path).await.unwrap();
        assert_eq!(other.wait().unwrap().code(), Some(KILLED.cast_signed()));
        // Whoever is connected sees the end, and nobody is killed in its place.
        assert_eq!(reads.read(&mut [0]).await.unwrap_or(0), 0);
        let gone = kill_listener(&left).await.unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::ConnectionRefused);
    }
}
