//! What tests need of the system: to lay out files, and to be told what a terminal tells.

use std::{
    ffi::OsString,
    fs::Permissions,
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A program that prints a line and ends, and its arguments.
pub(crate) fn prints(text: &str) -> (PathBuf, Vec<OsString>) {
    ("echo".into(), vec![text.into()])
}

/// Lets everybody execute a file.
pub(crate) fn make_executable(file: &Path) -> io::Result<()> {
    std::fs::set_permissions(file, Permissions::from_mode(0o755))
}

/// Makes a symbolic link, `link`, to `target`, which need not exist.
pub(crate) fn link(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// Sets the permissions of a file.
pub(crate) fn set_mode(file: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(file, Permissions::from_mode(mode))
}

/// The place of the keyboard, of which a process has one: for one test at a time.
pub(crate) fn terminal() -> MutexGuard<'static, ()> {
    static TERMINAL: Mutex<()> = Mutex::new(());
    TERMINAL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells this process, and first this thread, that its terminal has another size.
pub(crate) fn tell_size() {
    // SAFETY: the function takes no memory.
    unsafe { libc::raise(libc::SIGWINCH) };
}

/// Makes a FIFO, where the system has those in its file systems. Whether it does.
pub(crate) fn make_fifo(path: &Path) -> bool {
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
    rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, 0).unwrap();
    true
}

/// Gives a file to another user, which root alone can do.
pub(crate) fn give_away(file: &Path, user: u32) -> io::Result<()> {
    std::os::unix::fs::chown(file, Some(user), None)
}
