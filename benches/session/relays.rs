//! The least that a terminal costs which is in another process: a program's terminal, and two processes
//! between that and a person's which do nothing but read and write.
//!
//! A session has a host, and a person who is attached a client. What keys take through these is what no
//! such design is below.

use std::{
    env,
    io::{self, Read, Write},
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Command, ExitCode, Stdio},
    thread,
    time::Duration,
};

use portable_pty::CommandBuilder;

use crate::pty::{Discipline, OnTerminal};

/// What the bench is told to be one of the two.
const NEAR: &str = "--relay-to-person";
const FAR: &str = "--relay-to-program";
/// What the program runs that has the terminal in canonical mode with its echo on.
const PROGRAM: &str = "cat";

/// A person's terminal, two relays behind it, and a program's terminal that shows what is typed.
pub(crate) struct Relays(OnTerminal);

impl Relays {
    pub(crate) fn start() -> io::Result<Relays> {
        let mut command = CommandBuilder::new(env::current_exe()?);
        command.arg(NEAR);
        let mut relays = Relays(OnTerminal::run(command, Discipline::Raw)?);
        relays.key(b'#')?;
        Ok(relays)
    }

    /// Types a key and waits until it shows.
    pub(crate) fn key(&mut self, key: u8) -> io::Result<Duration> {
        self.0.exchange(&[key], 1)
    }

    /// Takes so many keys away again.
    pub(crate) fn takes_away(&mut self, count: usize) -> io::Result<()> {
        const SHOWN: &[u8] = b"\x08 \x08";
        for _ in 0..count {
            self.0.exchange(b"\x7f", SHOWN.len())?;
        }
        Ok(())
    }
}

/// Is one of the two, where the bench is told to be that.
pub(crate) fn be_one() -> Option<ExitCode> {
    let relayed = match env::args().nth(1).as_deref() {
        Some(NEAR) => near(),
        Some(FAR) => far(),
        _ => return None,
    };
    Some(relayed.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS))
}

fn near() -> io::Result<()> {
    let (socket, theirs) = UnixStream::pair()?;
    let mut far = Command::new(env::current_exe()?)
        .arg(FAR)
        .stdin(Stdio::from(OwnedFd::from(theirs.try_clone()?)))
        .stdout(Stdio::from(OwnedFd::from(theirs)))
        .spawn()?;
    let to_far = socket.try_clone()?;
    thread::spawn(move || pass_on(&mut io::stdin(), &mut &to_far));
    pass_on(&mut &socket, &mut io::stdout());
    let _ = far.kill();
    far.wait().map(drop)
}

fn far() -> io::Result<()> {
    let mut program = OnTerminal::start(PROGRAM, &[], Discipline::Shown)?;
    let (mut input, output) = (program.keyboard(), program.output());
    thread::scope(|scope| {
        scope.spawn(move || pass_on(output, &mut io::stdout()));
        pass_on(&mut io::stdin(), &mut input);
        // Its other end is gone, and the program's terminal goes on.
        std::process::exit(0)
    })
}

/// Passes on what comes until either side ends.
fn pass_on(from: &mut (impl Read + ?Sized), to: &mut (impl Write + ?Sized)) {
    let mut buffer = [0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..length]).and_then(|()| to.flush()).is_err() {
            return;
        }
    }
}
