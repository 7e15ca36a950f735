//! A program that carries bytes over its standard streams: `ssh`, `docker exec -i`.

use std::{
    io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    process::{Command, Stdio},
};

use tokio::net::unix::pipe;

use super::{child, process::Process};
use crate::pty::{Carrier, Program};

/// Runs `program` with a pipe on each of its standard streams, as the leader of a session of its own
/// without a terminal: what is typed at this process's terminal is not for it (a Ctrl-C there does
/// not cut it), and it can ask nobody for a password.
///
/// To be called in the running event loop. The end of this process is seen by the program as the
/// end of its input; where that does not end it, it is killed with all that is in its session.
///
/// # Errors
/// When the program can't be executed, or the system refuses a descriptor.
pub fn launch(program: &Program) -> io::Result<Carrier> {
    let mut command = Command::new(&program.file);
    command.args(&program.arguments);
    if let Some(directory) = &program.directory {
        command.current_dir(directory);
    }
    for (name, value) in &program.environment {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // SAFETY: the function runs between fork and exec and makes only async-signal-safe calls.
    unsafe { command.pre_exec(child::lead_bare_session) };
    let mut child = command.spawn()?;
    let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    // From here on a failure drops the process, which ends it.
    let process = Process::of(child, |_| None)?;
    let (Some(input), Some(output), Some(errors)) = streams else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    Ok(Carrier {
        process,
        input: Box::new(pipe::Sender::from_owned_fd(OwnedFd::from(input))?),
        output: Box::new(pipe::Receiver::from_owned_fd(OwnedFd::from(output))?),
        errors: Box::new(pipe::Receiver::from_owned_fd(OwnedFd::from(errors))?),
    })
}

/// The name of this machine, as `uname -n` prints it.
pub fn machine_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The name of the system and of its processors, as `uname -sm` prints them: `Linux x86_64`.
pub fn platform_name() -> String {
    let names = rustix::system::uname();
    format!("{} {}", names.sysname().to_string_lossy(), names.machine().to_string_lossy())
}
