//! A process that outlives whoever started it.

use std::{
    env,
    ffi::OsStr,
    fs::{File, OpenOptions},
    io::{self, PipeWriter, Read, Write},
    os::windows::{
        io::{AsRawHandle, FromRawHandle, IntoRawHandle, OwnedHandle, RawHandle},
        process::CommandExt,
    },
    process::{self, Command},
    ptr,
};

use windows_sys::Win32::{
    Foundation::{
        ERROR_ACCESS_DENIED, HANDLE_FLAG_INHERIT, INVALID_HANDLE_VALUE, SetHandleInformation,
    },
    Storage::FileSystem::{FILE_TYPE_PIPE, GetFileType},
    System::{
        Console::{
            GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, SetStdHandle,
        },
        Threading::{CREATE_BREAKAWAY_FROM_JOB, DETACHED_PROCESS},
    },
};

use super::{handle::check, running::own_program};

/// By this variable the new process is told the number of the pipe on which its parent waits.
const PARENT: &str = "MCP_REPL_DETACHED_FROM";

/// A process that nothing of its starter's console reaches, whose parent waits to hear that it is well.
#[derive(Debug)]
pub struct Detached {
    parent: PipeWriter,
    /// Opened early: who was told that all is well is told nothing more.
    null: File,
}

/// Goes on as this program anew, with the same arguments and standard streams, without a console, where no Ctrl-C
/// and not its end is told, and outside of this process's job, which may end all that is in it: no process can
/// step out of one. Where the job lets nobody go, the new process is in it, too, and ends when it says so. This
/// process stays until [`Detached::settle`] and leaves with success; if the new one ends before, it leaves with
/// the exit status of that.
///
/// To be called before this process does anything: all of that is done again.
///
/// # Errors
/// When the system refuses another process, or has no null device.
pub fn detach() -> io::Result<Detached> {
    let Some(number) = env::var_os(PARENT) else { return go_on_anew() };
    // SAFETY: this system guards its environment, whatever other threads do.
    unsafe { env::remove_var(PARENT) };
    let null = OpenOptions::new().read(true).write(true).open("NUL")?;
    Ok(Detached { parent: inherited(&number)?, null })
}

/// The pipe of this number, which this process inherited, and its children do not.
fn inherited(number: &OsStr) -> io::Result<PipeWriter> {
    let number = number.to_str().and_then(|number| number.parse::<usize>().ok());
    let handle = ptr::without_provenance_mut(number.ok_or(io::ErrorKind::InvalidInput)?);
    // SAFETY: no memory is taken; what is no handle is refused.
    unsafe {
        if GetFileType(handle) != FILE_TYPE_PIPE {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        check(SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0))?;
    }
    // SAFETY: it is open, and was made for this process, which is told of it alone.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) }.into())
}

/// Starts this program anew, and leaves when that is settled or has ended.
fn go_on_anew() -> io::Result<Detached> {
    // What this process inherited is inherited by its children again, beside their copies of it: one that
    // nobody closes would keep who reads a stream to its end waiting.
    for which in [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE] {
        // SAFETY: no memory is taken. One that there is not is refused, and is nobody's.
        unsafe { SetHandleInformation(GetStdHandle(which), HANDLE_FLAG_INHERIT, 0) };
    }
    let (mut word, parent) = io::pipe()?;
    let handle = parent.as_raw_handle();
    // SAFETY: the handle is open; no memory is taken.
    unsafe { check(SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT))? };
    let mut anew = Command::new(own_program()?);
    anew.args(env::args_os().skip(1)).env(PARENT, handle.addr().to_string());
    let mut anew = match anew.creation_flags(DETACHED_PROCESS | CREATE_BREAKAWAY_FROM_JOB).spawn() {
        // So a job says that it lets nobody go.
        Err(error) if error.raw_os_error() == Some(ERROR_ACCESS_DENIED.cast_signed()) => {
            anew.creation_flags(DETACHED_PROCESS).spawn()?
        }
        anew => anew?,
    };
    drop(parent);
    let is_well = word.read_exact(&mut [0]).is_ok();
    let status = if is_well { Some(0) } else { anew.wait()?.code() };
    process::exit(status.unwrap_or(1))
}

impl Detached {
    /// Lets go of all that the starter gave: standard input, output and error are the null device from here
    /// on, and who reads the old ones reads their end once the parent has left, which is let go.
    ///
    /// # Errors
    /// When the system refuses, which it has no reason to.
    pub fn settle(mut self) -> io::Result<()> {
        for which in [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE] {
            let null = self.null.try_clone()?.into_raw_handle();
            // SAFETY: the standard handles are this process's. The old one is looked up by nobody any
            // more once it is replaced, and the new one is given away.
            unsafe {
                let old = GetStdHandle(which);
                check(SetStdHandle(which, null))?;
                close(old);
            }
        }
        // It may have been killed.
        let _ = self.parent.write_all(&[0]);
        Ok(())
    }
}

/// Closes a standard handle, if it is one.
///
/// # Safety
/// Nobody uses it any more.
unsafe fn close(handle: RawHandle) {
    if !handle.is_null() && handle != INVALID_HANDLE_VALUE {
        // SAFETY: as the caller says.
        drop(unsafe { OwnedHandle::from_raw_handle(handle) });
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use windows_sys::Win32::System::JobObjects::{
        JOB_OBJECT_LIMIT_BREAKAWAY_OK, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
        JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation,
        SetInformationJobObject,
    };

    use super::*;
    use crate::pty::{
        Limits, Lock, Program, create_private_file, lock_file, try_lock_file,
        windows::{
            create::{Streams, create},
            handle::wait,
            job::Job,
        },
    };

    /// Names the directory of the files that [`detaches`] locks.
    const PLACE: &str = "MCP_REPL_TEST_DETACHES";
    /// Held by who is detached, as long as it lives.
    const LIVES: &str = "lives";
    /// Held by the test, until that one is to end.
    const TO_END: &str = "to-end";

    fn opened(path: &Path) -> File {
        OpenOptions::new().read(true).open(path).unwrap()
    }

    /// A process of its own that detaches and lives until it is told to end.
    #[test]
    fn detaches() {
        let Some(place) = env::var_os(PLACE) else { return };
        let detached = detach().unwrap();
        let lives = opened(&Path::new(&place).join(LIVES));
        lock_file(&lives, Lock::Exclusive).unwrap();
        detached.settle().unwrap();
        lock_file(&opened(&Path::new(&place).join(TO_END)), Lock::Shared).unwrap();
        process::exit(0);
    }

    /// [`detaches`], which was started in a job and is settled.
    struct Started {
        job: Job,
        /// The process that was started.
        first: OwnedHandle,
        /// Locked by whoever is detached.
        lives: File,
        /// Locked by this.
        to_end: File,
        _place: tempfile::TempDir,
    }

    /// Runs [`detaches`] in a job that lets its processes go or not.
    fn started(lets_go: bool) -> Started {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        create_private_file(&at(LIVES)).unwrap();
        let to_end = create_private_file(&at(TO_END)).unwrap();
        lock_file(&to_end, Lock::Exclusive).unwrap();
        let job = Job::new(Limits::default()).unwrap();
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        if lets_go {
            limits.BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_BREAKAWAY_OK;
        }
        let (place_of_limits, length) = ((&raw const limits).cast(), size_of_val(&limits) as u32);
        let kind = JobObjectExtendedLimitInformation;
        // SAFETY: the limits are of the kind that is named, and as long as is said.
        unsafe {
            check(SetInformationJobObject(job.handle(), kind, place_of_limits, length)).unwrap();
        }
        let name = "pty::windows::detach::tests::detaches";
        let program = Program {
            file: own_program().unwrap(),
            arguments: [name, "--exact", "--nocapture"].map(Into::into).to_vec(),
            environment: vec![(PLACE.into(), Some(place.path().into()))],
            ..Program::default()
        };
        let null = || OpenOptions::new().read(true).write(true).open("NUL").unwrap();
        let (mut told, tell) = io::pipe().unwrap();
        let pipes = [null(), File::from(OwnedHandle::from(tell)), null()];
        let (first, _) = create(&program, &Streams::Pipes(&pipes), &job).unwrap();
        drop(pipes);
        // Once it is settled nobody writes there any more.
        told.read_to_end(&mut Vec::new()).unwrap();
        Started { job, first, lives: opened(&at(LIVES)), to_end, _place: place }
    }

    #[test]
    fn who_may_leave_the_job_outlives_it() {
        let Started { job, first, lives, to_end, _place } = started(true);
        wait(first.as_raw_handle());
        drop(job);
        assert!(try_lock_file(&lives, Lock::Shared).is_err());
        drop(to_end);
        lock_file(&lives, Lock::Shared).unwrap();
    }

    #[test]
    fn who_may_not_goes_on_in_the_job_and_ends_with_it() {
        let Started { job, first, lives, to_end: _to_end, _place } = started(false);
        wait(first.as_raw_handle());
        assert!(try_lock_file(&lives, Lock::Shared).is_err());
        drop(job);
        lock_file(&lives, Lock::Shared).unwrap();
    }
}
