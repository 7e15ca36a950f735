//! What is asked of processes that are none of this one's own.

use std::{
    collections::HashMap,
    io,
    os::windows::io::{AsRawHandle, OwnedHandle},
    path::PathBuf,
};

use windows_sys::Win32::{
    Foundation::FILETIME,
    System::{
        Diagnostics::ToolHelp::{
            CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW,
            TH32CS_SNAPPROCESS,
        },
        ProcessStatus::{K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS},
        Threading::{GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION},
    },
};

use super::handle::{check, is_signalled, owned};

/// The right to wait for a process (`SYNCHRONIZE`).
const SYNCHRONIZE: u32 = 0x0010_0000;

/// A process that has not ended. As long as the handle is there, its number means no other one.
pub(super) fn opened(number: u32) -> Option<OwnedHandle> {
    let rights = PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE;
    // SAFETY: no memory is taken; the handle is nobody else's.
    let process = unsafe { owned(OpenProcess(rights, 0, number)) }.ok()?;
    // One that has ended is there as long as somebody has a handle of it.
    (!is_signalled(process.as_raw_handle())).then_some(process)
}

/// What tells a process from all others there are and were since the system's start: its number and
/// its start time. `None` when there is none of this number that may be looked at.
pub fn process_identity(pid: u32) -> Option<String> {
    let started = start_time(&opened(pid)?)?;
    Some(format!("{pid}@{started}"))
}

fn start_time(process: &OwnedHandle) -> Option<u64> {
    let [mut start, mut end, mut kernel, mut user] = [FILETIME::default(); 4];
    let handle = process.as_raw_handle();
    // SAFETY: the handle is open, and the places take what is written.
    unsafe { check(GetProcessTimes(handle, &mut start, &mut end, &mut kernel, &mut user)).ok()? };
    Some(u64::from(start.dwHighDateTime) << 32 | u64::from(start.dwLowDateTime))
}

/// The identity of the process that started this one; `None` when that is gone. Its number may mean one
/// that was started since, which is not taken for it.
pub fn parent_identity() -> Option<String> {
    let parent = opened(*parents()?.get(&std::process::id())?)?;
    let own = start_time(&opened(std::process::id())?)?;
    let number = process_number(&parent)?;
    let started = start_time(&parent).filter(|&started| started <= own)?;
    Some(format!("{number}@{started}"))
}

fn process_number(process: &OwnedHandle) -> Option<u32> {
    // SAFETY: the handle is open; no memory is taken.
    let number =
        unsafe { windows_sys::Win32::System::Threading::GetProcessId(process.as_raw_handle()) };
    (number > 0).then_some(number)
}

/// For each process the number of the one that started it, which may have ended since.
pub(super) fn parents() -> Option<HashMap<u32, u32>> {
    // SAFETY: no memory is taken; the handle is nobody else's.
    let all = unsafe { owned(CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0)) }.ok()?;
    let mut parents = HashMap::new();
    let mut entry = PROCESSENTRY32W {
        dwSize: size_of::<PROCESSENTRY32W>() as u32,
        ..PROCESSENTRY32W::default()
    };
    // SAFETY: the entry is as long as it says, and takes what is written.
    let mut found = unsafe { Process32FirstW(all.as_raw_handle(), &mut entry) };
    while found != 0 {
        parents.insert(entry.th32ProcessID, entry.th32ParentProcessID);
        // SAFETY: as before.
        found = unsafe { Process32NextW(all.as_raw_handle(), &mut entry) };
    }
    Some(parents)
}

/// How much memory a process has in use (its working set), in bytes; `None` when there is no such
/// process, or the system does not tell.
pub fn resident_memory(pid: u32) -> Option<u64> {
    let (process, mut counts) = (opened(pid)?, PROCESS_MEMORY_COUNTERS::default());
    let length = size_of_val(&counts) as u32;
    // SAFETY: the handle is open, and the counts are as long as is said.
    let told =
        unsafe { check(K32GetProcessMemoryInfo(process.as_raw_handle(), &mut counts, length)) };
    told.ok().map(|()| counts.WorkingSetSize as u64)
}

/// The file of this process's program.
///
/// # Errors
/// When the system does not tell.
pub fn own_program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// The process that [`process_identity`] told so, opened with these rights.
///
/// # Errors
/// `ConnectionRefused` when it is gone, `PermissionDenied` when it may not be opened so.
pub(super) fn process_of(identity: &str, rights: u32) -> io::Result<OwnedHandle> {
    let (number, started) = identity.split_once('@').ok_or(io::ErrorKind::InvalidData)?;
    let number = number.parse().map_err(|_| io::ErrorKind::InvalidData)?;
    let is_gone = || io::Error::from(io::ErrorKind::ConnectionRefused);
    let rights = rights | PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE;
    // SAFETY: no memory is taken; the handle is nobody else's.
    let process = match unsafe { owned(OpenProcess(rights, 0, number)) } {
        Err(error) if error.kind() != io::ErrorKind::PermissionDenied => return Err(is_gone()),
        process => process?,
    };
    // As long as the handle is open the number means no other process.
    let is_same = start_time(&process).is_some_and(|time| time.to_string() == started);
    if is_same && !is_signalled(process.as_raw_handle()) { Ok(process) } else { Err(is_gone()) }
}
