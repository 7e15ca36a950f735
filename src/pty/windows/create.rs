//! How a process is made: on a console or with pipes, in a job from its first moment.

use std::{
    env,
    ffi::{OsString, c_void},
    fs::File,
    io,
    os::windows::{
        ffi::OsStringExt,
        io::{AsRawHandle, OwnedHandle},
    },
    path::{Path, PathBuf},
    ptr,
};

use windows_sys::Win32::{
    Foundation::{HANDLE_FLAG_INHERIT, SetHandleInformation},
    System::{
        Console::{HPCON, SetConsoleCtrlHandler},
        Threading::{
            CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW, CREATE_UNICODE_ENVIRONMENT, CreateProcessW,
            DeleteProcThreadAttributeList, EXTENDED_STARTUPINFO_PRESENT,
            InitializeProcThreadAttributeList, LPPROC_THREAD_ATTRIBUTE_LIST,
            PROC_THREAD_ATTRIBUTE_HANDLE_LIST, PROC_THREAD_ATTRIBUTE_JOB_LIST,
            PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE, PROCESS_INFORMATION, STARTF_USESTDHANDLES,
            STARTUPINFOEXW, UpdateProcThreadAttribute,
        },
    },
};

use super::{
    command_line::{Unsayable, command_line, environment_block},
    handle::{c_wide, check, owned, wide},
    job::Job,
    plain::plain,
};
use crate::pty::Program;

/// What a program's standard streams are.
pub(super) enum Streams<'a> {
    /// A console.
    Console(HPCON),
    /// Pipes: input, output, errors.
    Pipes(&'a [File; 3]),
}

/// Makes the process of a program in a job. It inherits no other handle of this process's.
///
/// # Errors
/// When the program is not found or can't be executed, or can't be told what it was to be.
pub(super) fn create(
    program: &Program,
    streams: &Streams<'_>,
    job: &Job,
) -> io::Result<(OwnedHandle, u32)> {
    if program.sandbox.is_some() {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "Windows has no sandbox for it yet",
        ));
    }
    let file = plain_path(found(program)?);
    let arguments: Vec<Vec<u16>> = program.arguments.iter().map(wide).collect();
    let mut line = command_line(&wide(&file), &arguments).map_err(invalid)?;
    let environment = environment_block(
        env::vars_os().map(|(name, value)| (wide(name), wide(value))),
        program.environment.iter().map(|(name, value)| (wide(name), value.as_ref().map(wide))),
    )
    .map_err(invalid)?;
    let directory = program.directory.clone().map(plain_path).map(c_wide).transpose()?;
    let file = c_wide(file)?;

    let mut start = STARTUPINFOEXW::default();
    start.StartupInfo.cb = size_of::<STARTUPINFOEXW>() as u32;
    // On a console the streams are that one's. Without the flag they would be this process's own where
    // those are no console.
    start.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    let (job, mut handles) = ([job.handle()], Vec::new());
    let mut attributes = Attributes::new()?;
    attributes.set(PROC_THREAD_ATTRIBUTE_JOB_LIST, job.as_ptr().cast(), size_of_val(&job))?;
    let mut flags = EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT;
    match streams {
        Streams::Console(console) => {
            // A process group's first one ignores Ctrl-C, and so do all that it starts: nothing that is typed here
            // would interrupt a program. Only this process can take that back, for itself and for its children.
            // SAFETY: without a function the call changes only whether Ctrl-C is ignored.
            unsafe { SetConsoleCtrlHandler(None, 0) };
            // This attribute is the handle itself, not a place that has it.
            let value = *console as *const c_void;
            attributes.set(PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE, value, size_of::<HPCON>())?;
        }
        Streams::Pipes(files) => {
            handles.extend(files.iter().map(AsRawHandle::as_raw_handle));
            for &handle in &handles {
                // SAFETY: the handle is open; no memory is taken.
                unsafe {
                    check(SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT))?
                };
            }
            let length = size_of_val(handles.as_slice());
            attributes.set(PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles.as_ptr().cast(), length)?;
            start.StartupInfo.hStdInput = handles[0];
            start.StartupInfo.hStdOutput = handles[1];
            start.StartupInfo.hStdError = handles[2];
            // What is typed at this process's console is not for it.
            flags |= CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP;
        }
    }
    start.lpAttributeList = attributes.list();
    let inherits = i32::from(!handles.is_empty());
    let mut made = PROCESS_INFORMATION::default();
    // SAFETY: the texts end with a NUL and the line may be written to; what the attributes point to, the
    // job's handle and the pipes', is alive; `made` takes handles that are nobody else's.
    unsafe {
        check(CreateProcessW(
            file.as_ptr(),
            line.as_mut_ptr(),
            ptr::null(),
            ptr::null(),
            inherits,
            flags,
            environment.as_ptr().cast(),
            directory.as_ref().map_or(ptr::null(), |directory| directory.as_ptr()),
            &start.StartupInfo,
            &mut made,
        ))?;
        drop(owned(made.hThread)?);
        Ok((owned(made.hProcess)?, made.dwProcessId))
    }
}

fn invalid(why: Unsayable) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why.to_string())
}

/// A path as programs take it.
fn plain_path(path: PathBuf) -> PathBuf {
    plain(&wide(&path)).map_or(path, |path| OsString::from_wide(&path).into())
}

/// The file of a program. A bare name is looked up on the `PATH` that the program will have, and never in
/// the working directory; what does not
/// say that it is a program is looked for as an `.exe` first.
fn found(program: &Program) -> io::Result<PathBuf> {
    let is_batch = |file: &Path| {
        let extension = file.extension().unwrap_or_default().to_ascii_lowercase();
        extension == "bat" || extension == "cmd"
    };
    if is_batch(&program.file) {
        let message = "a batch file is no program: run it by `cmd.exe /c`";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let is_named = program.file.extension().is_some_and(|extension| {
        ["exe", "com"].iter().any(|name| extension.eq_ignore_ascii_case(name))
    });
    let mut with_extension = program.file.clone().into_os_string();
    if !is_named {
        with_extension.push(".exe");
    }
    let names = [PathBuf::from(with_extension), program.file.clone()];
    let in_place =
        |place: &Path| names.iter().map(|name| place.join(name)).find(|file| file.is_file());
    if program.file.components().count() > 1 || program.file.is_absolute() {
        // One that is not there is told by who executes it.
        return Ok(in_place(Path::new("")).unwrap_or_else(|| program.file.clone()));
    }
    let is_path = |name: &std::ffi::OsStr| name.eq_ignore_ascii_case("PATH");
    let own = program.environment.iter().rev().find(|(name, _)| is_path(name));
    let path = match own {
        Some((_, path)) => path.clone(),
        None => env::var_os("PATH"),
    };
    env::split_paths(&path.unwrap_or_default())
        .filter(|place| place.is_absolute())
        .find_map(|place| in_place(&place))
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// What is said of a process beyond its start-up data.
struct Attributes(Vec<usize>);

/// How many there may be.
const MOST: u32 = 2;

impl Attributes {
    fn new() -> io::Result<Attributes> {
        let mut length = 0;
        // SAFETY: without a place the call only tells the length.
        unsafe { InitializeProcThreadAttributeList(ptr::null_mut(), MOST, 0, &mut length) };
        let mut attributes = vec![0; length.div_ceil(size_of::<usize>())];
        let list = attributes.as_mut_ptr().cast();
        // SAFETY: the place is as long as was asked for.
        unsafe { check(InitializeProcThreadAttributeList(list, MOST, 0, &mut length))? };
        // Only one that was initialised is deleted.
        Ok(Attributes(attributes))
    }

    fn list(&mut self) -> LPPROC_THREAD_ATTRIBUTE_LIST {
        self.0.as_mut_ptr().cast()
    }

    /// What `value` points to is to live as long as this.
    fn set(&mut self, what: u32, value: *const c_void, length: usize) -> io::Result<()> {
        let (list, none): (_, *mut c_void) = (self.list(), ptr::null_mut());
        // SAFETY: the list was initialised, and only keeps the pointer.
        check(unsafe {
            UpdateProcThreadAttribute(list, 0, what as usize, value, length, none, ptr::null())
        })
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: it was initialised, and nobody uses it any more.
        unsafe { DeleteProcThreadAttributeList(self.list()) };
    }
}
