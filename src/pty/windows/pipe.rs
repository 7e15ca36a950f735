//! Named pipes that are this user's alone: byte streams, in the event loop on this process's side.

use std::{
    fs::{File, OpenOptions},
    io,
    os::windows::io::{AsRawHandle, RawHandle},
    pin::pin,
    task::{Context, Poll, Waker},
};

use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};
use windows_sys::Win32::{
    Foundation::HANDLE,
    System::Pipes::{GetNamedPipeClientProcessId, GetNamedPipeServerProcessId},
};

use super::{handle::check, security::Private};

/// How much a pipe holds that nobody has read, in bytes.
pub(super) const ROOM: u32 = 64 * 1024;

/// The most clients of one name at a time (`PIPE_UNLIMITED_INSTANCES` is one more).
const MOST: usize = 254;

/// A name that nobody can guess.
///
/// # Errors
/// When the system gives no random bits.
pub(super) fn new_name() -> io::Result<String> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)?;
    Ok(format!(r"\\.\pipe\mcp-repl-{:032x}", u128::from_ne_bytes(bits)))
}

/// An end for the next one that connects by this name: the first end there is, or another one. Only this
/// user's processes on this machine can.
///
/// # Errors
/// When it can't be made; `PermissionDenied` when it was to be the first and is not.
pub(super) fn listen(name: &str, is_first: bool) -> io::Result<NamedPipeServer> {
    let private = Private::new()?;
    let mut attributes = private.attributes();
    let mut options = ServerOptions::new();
    options.first_pipe_instance(is_first).reject_remote_clients(true).max_instances(MOST);
    options.in_buffer_size(ROOM).out_buffer_size(ROOM);
    // SAFETY: the attributes are ones, and live as long as the call.
    unsafe { options.create_with_security_attributes_raw(name, (&raw mut attributes).cast()) }
}

/// Which way a program uses its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It reads.
    Reads,
    /// It writes.
    Writes,
}

/// A pipe whose one end is this process's, in the event loop, and whose other end is for a program: that
/// waits when it reads or writes.
///
/// # Errors
/// When there is none to be had.
pub(super) fn pair(way: Way) -> io::Result<(NamedPipeServer, File)> {
    let name = new_name()?;
    let ours = listen(&name, true)?;
    let mut options = OpenOptions::new();
    options.read(way == Way::Reads).write(way == Way::Writes);
    let theirs = options.open(name)?;
    // Only one that knows it is connected reads. It is, so that this waits for nothing.
    let mut context = Context::from_waker(Waker::noop());
    match pin!(ours.connect()).poll(&mut context) {
        Poll::Ready(connected) => connected?,
        Poll::Pending => return Err(io::ErrorKind::NotConnected.into()),
    }
    Ok((ours, theirs))
}

/// The number of the process that has the other end.
///
/// # Errors
/// When nobody is connected.
pub(super) fn client_of(pipe: &NamedPipeServer) -> io::Result<u32> {
    number(pipe.as_raw_handle(), GetNamedPipeClientProcessId)
}

/// The number of the process that made the pipe, asked at the other end.
///
/// # Errors
/// When nobody is connected.
pub(super) fn server_of(pipe: &impl AsRawHandle) -> io::Result<u32> {
    number(pipe.as_raw_handle(), GetNamedPipeServerProcessId)
}

fn number(
    pipe: RawHandle,
    ask: unsafe extern "system" fn(HANDLE, *mut u32) -> i32,
) -> io::Result<u32> {
    let mut number = 0;
    // SAFETY: `pipe` is open, and `number` takes what is written.
    unsafe { check(ask(pipe, &mut number))? };
    Ok(number)
}
