//! What may be executed and written, by a file's permissions and its file system.

use std::path::Path;

use rustix::fs::{Access, access};

use super::system;

/// Whether this user may execute a file.
pub fn is_executable(file: &Path) -> bool {
    access(file, Access::EXEC_OK).is_ok()
}

/// Whether this user may write a file, or make some in a directory.
pub fn is_writable(path: &Path) -> bool {
    access(path, Access::WRITE_OK).is_ok()
}

/// Whether a path is a file that has more names than this one.
pub fn has_other_names(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.nlink() > 1)
}

/// Whether programs and libraries in a directory can be loaded: its file system may forbid it.
pub fn allows_execution(directory: &Path) -> bool {
    system::is_noexec(directory).is_ok_and(|noexec| !noexec)
}

/// What tests need to lay out files, and to be told what a terminal tells.
#[cfg(test)]
pub(crate) mod testing {
    use std::{fs::Permissions, io, os::unix::fs::PermissionsExt, path::Path};

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

    /// Tells this process, and first this thread, that its terminal has another size.
    pub(crate) fn tell_size() {
        // SAFETY: the function takes no memory.
        unsafe { libc::raise(libc::SIGWINCH) };
    }

    /// Gives a file to another user, which root alone can do.
    pub(crate) fn give_away(file: &Path, user: u32) -> io::Result<()> {
        std::os::unix::fs::chown(file, Some(user), None)
    }
}
