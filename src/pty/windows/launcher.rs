//! A program that carries bytes over its standard streams: `ssh`, `docker exec -i`.

use std::io;

use windows_sys::Win32::System::SystemInformation::{
    ComputerNamePhysicalDnsHostname, GetComputerNameExW,
};

use super::{
    create::{Streams, create},
    handle::check,
    job::Job,
    pipe::{Way, pair},
    process::Process,
};
use crate::pty::{Carrier, Program};

/// Runs `program` with a pipe on each of its standard streams and without a console: what is typed at
/// this process's is not for it, and it can ask nobody for a password.
///
/// To be called in the running event loop. It ends with this process.
///
/// # Errors
/// When the program can't be executed, or the system refuses a pipe.
pub fn launch(program: &Program) -> io::Result<Carrier> {
    let (input, reads) = pair(Way::Reads)?;
    let (output, writes) = pair(Way::Writes)?;
    let (errors, complains) = pair(Way::Writes)?;
    let job = Job::new(program.limits)?;
    // Its ends are closed here as soon as it has them.
    let (handle, number) = create(program, &Streams::Pipes(&[reads, writes, complains]), &job)?;
    let process = Process::of(handle, number, job, None)?;
    Ok(Carrier {
        process,
        input: Box::new(input),
        output: Box::new(output),
        errors: Box::new(errors),
    })
}

/// The name of this machine, as it has it in a network.
pub fn machine_name() -> String {
    let mut name = [0_u16; 256];
    let mut length = name.len() as u32;
    let (kind, place) = (ComputerNamePhysicalDnsHostname, name.as_mut_ptr());
    // SAFETY: the place is as long as is said.
    match unsafe { check(GetComputerNameExW(kind, place, &mut length)) } {
        Ok(()) => String::from_utf16_lossy(&name[..length as usize]),
        Err(_) => String::new(),
    }
}

/// The name of the system and of its processors: `Windows x86_64`.
pub fn platform_name() -> String {
    format!("Windows {}", std::env::consts::ARCH)
}
