//! Event objects: something that is set until it is reset, for which a thread can wait.

use std::{
    io,
    os::windows::io::{AsRawHandle, OwnedHandle, RawHandle},
    ptr,
    time::Duration,
};

use windows_sys::Win32::{
    Foundation::WAIT_TIMEOUT,
    System::Threading::{CreateEventW, ResetEvent, SetEvent, WaitForSingleObject},
};

use super::handle::owned;

/// An event, which stays set until it is reset.
#[derive(Debug)]
pub(super) struct Event(OwnedHandle);

impl Event {
    /// A new one, not set.
    ///
    /// # Errors
    /// When the process has as many handles as it may.
    pub(super) fn new() -> io::Result<Event> {
        // SAFETY: no memory is taken; the handle is nobody else's.
        let event = unsafe { owned(CreateEventW(ptr::null(), 1, 0, ptr::null())) }?;
        Ok(Event(event))
    }

    /// Its handle, open as long as it is.
    pub(super) fn handle(&self) -> RawHandle {
        self.0.as_raw_handle()
    }

    /// Sets it.
    pub(super) fn set(&self) {
        // SAFETY: the handle is open; no memory is taken.
        unsafe { SetEvent(self.handle()) };
    }

    /// Resets it.
    pub(super) fn reset(&self) {
        // SAFETY: as above.
        unsafe { ResetEvent(self.handle()) };
    }

    /// Waits until it is set, for this time at most. Whether it is; a wait that fails counts as a yes.
    pub(super) fn is_set_within(&self, time: Duration) -> bool {
        let milliseconds = u32::try_from(time.as_millis()).unwrap_or(u32::MAX - 1);
        // SAFETY: as above.
        unsafe { WaitForSingleObject(self.handle(), milliseconds) != WAIT_TIMEOUT }
    }
}
