//! The end of the session's processes.

use windows_sys::Win32::System::Threading::{GetCurrentProcess, TerminateProcess};

/// The exit status of a session without a server, as of a program that SIGHUP ended.
const HUNG_UP: u32 = 128 + 1;

/// Ends this process: the server is gone, or can't be spoken with any more. All others of the session are
/// in the server's job, which ends with that.
pub(crate) fn end_session() -> ! {
    // SAFETY: it ends this process, whatever its threads do, and runs nothing of the program's.
    unsafe { TerminateProcess(GetCurrentProcess(), HUNG_UP) };
    // It does not come back.
    std::process::abort()
}
