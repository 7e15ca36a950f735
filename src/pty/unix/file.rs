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

/// Whether two files or directories are there and on one file system.
pub fn are_on_one_file_system(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| path.metadata().ok().map(|found| found.dev());
    device(one).is_some_and(|one| device(other) == Some(one))
}

/// Whether programs and libraries in a directory can be loaded: its file system may forbid it.
pub fn allows_execution(directory: &Path) -> bool {
    system::is_noexec(directory).is_ok_and(|noexec| !noexec)
}
