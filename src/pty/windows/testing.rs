//! What tests need of the system, as far as it has that.

use std::{
    ffi::OsString,
    fs::OpenOptions,
    io,
    os::windows::{
        fs::{OpenOptionsExt, symlink_dir, symlink_file},
        io::AsRawHandle,
    },
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use windows_sys::Win32::{
    Storage::FileSystem::{
        FILE_FLAG_BACKUP_SEMANTICS, FILE_READ_ATTRIBUTES, READ_CONTROL, WRITE_DAC,
    },
    System::Console::{
        AllocConsole, INPUT_RECORD, INPUT_RECORD_0, WINDOW_BUFFER_SIZE_EVENT,
        WINDOW_BUFFER_SIZE_RECORD, WriteConsoleInputW,
    },
};

use super::{
    keyboard::{keyboard, type_on_output_terminal},
    security::share,
};

/// A program that prints a line and ends, and its arguments.
pub(crate) fn prints(text: &str) -> (PathBuf, Vec<OsString>) {
    ("cmd.exe".into(), vec!["/c".into(), "echo".into(), text.into()])
}

/// Lets everybody execute a file, which needs nothing here: its name says whether it is a program.
pub(crate) fn make_executable(file: &Path) -> io::Result<()> {
    file.metadata().map(drop)
}

/// Makes a symbolic link, `link`, to `target`, which need not exist. The user needs the right to do so.
pub(crate) fn link(target: &Path, link: &Path) -> io::Result<()> {
    let around = link.parent().unwrap_or(Path::new(""));
    match around.join(target).is_dir() {
        true => symlink_dir(target, link),
        false => symlink_file(target, link),
    }
}

/// Sets the permissions of a file, as POSIX has them: whether others read, and whether they write.
pub(crate) fn set_mode(file: &Path, mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.access_mode(FILE_READ_ATTRIBUTES | READ_CONTROL | WRITE_DAC);
    let file = options.custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(file)?;
    share(&file, mode & 0o044 != 0, mode & 0o022 != 0)
}

/// The console, of which a process has one: for one test at a time. It need not be standard input.
pub(crate) fn terminal() -> MutexGuard<'static, ()> {
    static TERMINAL: Mutex<()> = Mutex::new(());
    let terminal = TERMINAL.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: no memory is taken. It fails where there is a console.
    unsafe { AllocConsole() };
    type_on_output_terminal().expect("a console");
    terminal
}

/// Tells this process that its terminal has another size.
pub(crate) fn tell_size() {
    let size = WINDOW_BUFFER_SIZE_RECORD::default();
    let record = INPUT_RECORD {
        EventType: WINDOW_BUFFER_SIZE_EVENT as u16,
        Event: INPUT_RECORD_0 { WindowBufferSizeEvent: size },
    };
    let mut written = 0;
    let console = keyboard().expect("a console").as_raw_handle();
    // SAFETY: the record is of the kind that it says, and `written` takes a number.
    unsafe { WriteConsoleInputW(console, &record, 1, &mut written) };
}

/// Makes a FIFO, where the system has those in its file systems. Whether it does.
pub(crate) fn make_fifo(_path: &Path) -> bool {
    false
}

/// Gives a file to another user, which nobody here can do for a user by their number.
pub(crate) fn give_away(_file: &Path, _user: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
