//! A job object: the processes of a session, which end together.

use std::{
    io,
    mem::offset_of,
    os::windows::io::{AsRawHandle, OwnedHandle, RawHandle},
    ptr,
};

use windows_sys::Win32::Foundation::ERROR_MORE_DATA;
use windows_sys::Win32::System::JobObjects::{
    CreateJobObjectW, JOB_OBJECT_LIMIT_ACTIVE_PROCESS, JOB_OBJECT_LIMIT_JOB_MEMORY,
    JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, JOBOBJECT_BASIC_ACCOUNTING_INFORMATION,
    JOBOBJECT_BASIC_PROCESS_ID_LIST, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
    JobObjectBasicAccountingInformation, JobObjectBasicProcessIdList,
    JobObjectExtendedLimitInformation, QueryInformationJobObject, SetInformationJobObject,
    TerminateJobObject,
};

use super::handle::{check, owned};
use crate::{pty::Limits, sandbox::Holds};

/// The exit status of who is ended so.
const ENDED: u32 = 1;

/// A job. What is in it ends when this is dropped or this process ends, in whatever way; nothing can
/// leave it.
#[derive(Debug)]
pub(super) struct Job(OwnedHandle);

impl Job {
    /// One whose processes may take so much, all together. Their threads are not counted.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn new(most: Limits) -> io::Result<Job> {
        // SAFETY: no memory is taken; the handle is nobody else's.
        let job = unsafe { owned(CreateJobObjectW(ptr::null(), ptr::null())) }?;
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        if let Some(memory) = most.memory {
            limits.BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_JOB_MEMORY;
            limits.JobMemoryLimit = usize::try_from(memory).unwrap_or(usize::MAX);
        }
        if let Some(processes) = most.processes {
            limits.BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_ACTIVE_PROCESS;
            limits.BasicLimitInformation.ActiveProcessLimit = processes;
        }
        let (handle, length) = (job.as_raw_handle(), size_of_val(&limits) as u32);
        // SAFETY: the limits are of the kind that is named, and as long as is said.
        unsafe {
            let place = (&raw const limits).cast();
            check(SetInformationJobObject(
                handle,
                JobObjectExtendedLimitInformation,
                place,
                length,
            ))?;
        }
        Ok(Job(job))
    }

    /// Its handle, valid as long as this.
    pub(super) fn handle(&self) -> RawHandle {
        self.0.as_raw_handle()
    }

    /// How many processes are in it; 0 when that can't be told.
    pub(super) fn processes(&self) -> u32 {
        let mut counts = JOBOBJECT_BASIC_ACCOUNTING_INFORMATION::default();
        let (class, length) = (JobObjectBasicAccountingInformation, size_of_val(&counts) as u32);
        // SAFETY: the counts are of the kind that is named, and as long as is said.
        let told = unsafe {
            let place = (&raw mut counts).cast();
            check(QueryInformationJobObject(self.handle(), class, place, length, ptr::null_mut()))
        };
        told.map_or(0, |()| counts.ActiveProcesses)
    }

    /// The numbers of the processes in it; none when that can't be told.
    pub(super) fn members(&self) -> Vec<u32> {
        // Numbers as the system gives them, behind two counts.
        let before =
            offset_of!(JOBOBJECT_BASIC_PROCESS_ID_LIST, ProcessIdList) / size_of::<usize>();
        let mut room = 64;
        loop {
            let mut list = vec![0_usize; before + room];
            let (class, length) = (JobObjectBasicProcessIdList, size_of_val(&*list) as u32);
            // SAFETY: the list is as long as is said, and as aligned as what is written there.
            let (told, counts) = unsafe {
                let place = list.as_mut_ptr().cast();
                let (handle, none) = (self.handle(), ptr::null_mut());
                let told = check(QueryInformationJobObject(handle, class, place, length, none));
                (told, place.cast::<[u32; 2]>().read())
            };
            let [there, listed] = counts.map(|count| count as usize);
            match told {
                Ok(()) => {
                    let numbers = list.iter().skip(before).take(listed);
                    return numbers.map(|&number| number as u32).collect();
                }
                // More may come until it is asked again.
                Err(error) if error.raw_os_error() == Some(ERROR_MORE_DATA.cast_signed()) => {
                    room = there.max(room) * 2;
                }
                Err(_) => return Vec::new(),
            }
        }
    }

    /// Ends all that is in it, at once.
    pub(super) fn end(&self) {
        // SAFETY: the handle is open; no memory is taken.
        unsafe { TerminateJobObject(self.handle(), ENDED) };
    }
}

/// What this system holds of limits.
pub fn limits_hold() -> Vec<Holds> {
    let whats = ["memory of all processes of a session together", "number of processes"];
    whats.map(|what| Holds { what, state: Ok(()) }).into()
}
