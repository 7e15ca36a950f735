//! The sideband's stream: a named pipe. It is used by two threads at once, so that each use of it is an
//! overlapped one: the system has others that use a plain handle wait for each other.

use std::{
    ffi::{OsStr, c_int},
    fmt,
    fs::{self, File, OpenOptions},
    io,
    os::windows::{
        ffi::OsStrExt,
        fs::OpenOptionsExt,
        io::{AsRawHandle, RawHandle},
    },
    ptr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use windows_sys::Win32::{
    Foundation::{ERROR_BROKEN_PIPE, ERROR_IO_PENDING, ERROR_PIPE_BUSY, ERROR_PIPE_NOT_CONNECTED},
    Storage::FileSystem::{FILE_FLAG_OVERLAPPED, ReadFile, SECURITY_IDENTIFICATION, WriteFile},
    System::{
        IO::{GetOverlappedResult, OVERLAPPED},
        Pipes::WaitNamedPipeW,
    },
};

use super::{event::Event, handle::check};

/// How long a server that is busy is waited for at a time, in milliseconds.
const BUSY: u32 = 1000;
/// How much is read at once, in bytes.
const PART: usize = 64 * 1024;

/// What a handle stands for, which a program is not known to have exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity;

/// The stream.
#[derive(Debug)]
pub(crate) struct Connection {
    pipe: File,
    /// Signalled when what is written has gone.
    written: Event,
    reading: Mutex<Reading>,
}

/// The read that is under way, whose places do not move.
struct Reading {
    is_under_way: bool,
    /// Signalled when it is over.
    done: Event,
    overlapped: Box<OVERLAPPED>,
    buffer: Box<[u8]>,
    /// How much of the buffer was read and not handed on, at its end.
    left: std::ops::Range<usize>,
}

// SAFETY: what it points to is its own, and the event it names.
unsafe impl Send for Reading {}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("left", &self.left).finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects to the server whose pipe the file at `path` names.
    ///
    /// # Errors
    /// When there is no such file, or nobody listens.
    pub(crate) fn open(path: &OsStr) -> io::Result<Connection> {
        let name = fs::read_to_string(path)?;
        let mut options = OpenOptions::new();
        // Whoever listens there can ask who this is, and do nothing in its name.
        options.read(true).write(true);
        options.custom_flags(FILE_FLAG_OVERLAPPED).security_qos_flags(SECURITY_IDENTIFICATION);
        let pipe = loop {
            match options.open(&name) {
                Err(error) if is(&error, ERROR_PIPE_BUSY) => wait_for(&name),
                pipe => break pipe?,
            }
        };
        let done = Event::new()?;
        let reading = Reading {
            is_under_way: false,
            overlapped: Box::new(OVERLAPPED { hEvent: done.handle(), ..OVERLAPPED::default() }),
            done,
            buffer: vec![0; PART].into(),
            left: 0..0,
        };
        Ok(Connection { pipe, written: Event::new()?, reading: Mutex::new(reading) })
    }

    /// Writes all of `bytes`; one thread at a time.
    ///
    /// # Errors
    /// When the server is gone.
    pub(crate) fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        let pipe = self.pipe.as_raw_handle();
        while !bytes.is_empty() {
            let mut overlapped =
                OVERLAPPED { hEvent: self.written.handle(), ..OVERLAPPED::default() };
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            let mut written = 0;
            // SAFETY: the handle is open; the bytes and the structure are there until the write is over,
            // for which the second call waits.
            unsafe {
                let begun =
                    WriteFile(pipe, bytes.as_ptr(), length, ptr::null_mut(), &mut overlapped);
                is_begun(begun)?;
                check(GetOverlappedResult(pipe, &overlapped, &mut written, 1))?;
            }
            bytes = &bytes[(written as usize).min(bytes.len())..];
        }
        Ok(())
    }

    /// Reads what there is, and waits until there is something; 0 when the server is gone. For one thread.
    ///
    /// # Errors
    /// What `ReadFile` fails with.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut reading = self.reading();
        match reading.finish(self.pipe.as_raw_handle()) {
            Ok(()) => Ok(reading.take(buffer)),
            Err(error) if is(&error, ERROR_BROKEN_PIPE) => Ok(0),
            Err(error) if is(&error, ERROR_PIPE_NOT_CONNECTED) => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Whether there is something to read within this time. A wait that fails counts as a yes: the read
    /// that follows tells. For the thread that reads.
    pub(crate) fn is_readable(&self, time: Duration) -> bool {
        let mut reading = self.reading();
        match reading.begin(self.pipe.as_raw_handle()) {
            Ok(()) if reading.is_under_way => reading.done.is_set_within(time),
            _ => true,
        }
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What its handle stands for.
    pub(crate) fn identity(&self) -> Option<FileIdentity> {
        Some(FileIdentity)
    }
}

impl Reading {
    /// Begins to read, unless that was done, or there is something left.
    fn begin(&mut self, pipe: RawHandle) -> io::Result<()> {
        if self.is_under_way || !self.left.is_empty() {
            return Ok(());
        }
        // SAFETY: the handle is open; the buffer and the structure stay where they are until the read is
        // over: nothing else touches them before `finish` has waited for that, and the connection lives as
        // long as the process.
        let begun = unsafe {
            let (place, room) = (self.buffer.as_mut_ptr(), PART as u32);
            ReadFile(pipe, place, room, ptr::null_mut(), &mut *self.overlapped)
        };
        is_begun(begun)?;
        self.is_under_way = true;
        Ok(())
    }

    /// Waits until there is something left.
    fn finish(&mut self, pipe: RawHandle) -> io::Result<()> {
        self.begin(pipe)?;
        if self.is_under_way {
            let mut length = 0;
            // SAFETY: the handle is open, the structure is that of the read, and `length` takes how much
            // came.
            let read =
                unsafe { check(GetOverlappedResult(pipe, &*self.overlapped, &mut length, 1)) };
            self.is_under_way = false;
            read?;
            self.left = 0..length as usize;
        }
        Ok(())
    }

    fn take(&mut self, buffer: &mut [u8]) -> usize {
        let length = self.left.len().min(buffer.len());
        let end = self.left.start + length;
        buffer[..length].copy_from_slice(&self.buffer[self.left.start..end]);
        self.left.start = end;
        length
    }
}

/// What a read or write says that is done, or goes on by itself.
fn is_begun(result: i32) -> io::Result<()> {
    match check(result) {
        Err(error) if is(&error, ERROR_IO_PENDING) => Ok(()),
        begun => begun,
    }
}

fn is(error: &io::Error, number: u32) -> bool {
    error.raw_os_error() == Some(number.cast_signed())
}

/// Waits until a server takes the next one.
fn wait_for(name: &str) {
    let name: Vec<u16> = OsStr::new(name).encode_wide().chain([0]).collect();
    // SAFETY: the name ends with a NUL. What comes of it is seen by the next attempt.
    unsafe { WaitNamedPipeW(name.as_ptr(), BUSY) };
}

/// Nothing: a console lives as long as programs are on it, and ends with the server.
#[derive(Debug)]
pub(crate) struct Master;

impl Master {
    /// There is none.
    pub(crate) fn inherited(_number: c_int) -> Master {
        Master
    }
}

/// Does nothing: the session ends with the server's job.
pub(crate) fn outlive_server() {}
