//! The end of the session's processes.

use windows_sys::Win32::{
    Foundation::STATUS_CONTROL_C_EXIT,
    System::Threading::{GetCurrentProcess, TerminateProcess},
};

/// The exit status of a session without a server, as of a program that SIGHUP ended.
const HUNG_UP: u32 = 128 + 1;

/// Ends this process: the server is gone, or can't be spoken with any more. All others of the session are
/// in the server's job, which ends with that.
pub(crate) fn end_session() -> ! {
    end(HUNG_UP)
}

/// Ends this process as the console does for Ctrl-C where the program leaves that to it.
pub(super) fn end_by_interrupt() -> ! {
    end(STATUS_CONTROL_C_EXIT.cast_unsigned())
}

fn end(status: u32) -> ! {
    // SAFETY: it ends this process, whatever its threads do, and runs nothing of the program's.
    unsafe { TerminateProcess(GetCurrentProcess(), status) };
    // It does not come back.
    std::process::abort()
}
