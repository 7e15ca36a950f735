//! The worker's own grip on its terminal: marks, echo, modes, and what to do after a cell.
//!
//! All goes through a duplicate of the terminal's descriptor, since the program may close or
//! redirect its standard streams.

use std::{
    ffi::{CString, c_int},
    io,
    mem::MaybeUninit,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{capi::errno, orphan, wake::move_up};

/// The worker's terminal.
#[derive(Debug)]
pub(crate) struct Terminal {
    descriptor: c_int,
    /// A description of its own that does not block.
    reader: c_int,
    /// The device it is.
    device: Option<Device>,
    /// The modes a cell finds, captured before the first.
    modes: OnceLock<libc::termios>,
}

impl Terminal {
    /// Takes a duplicate of standard input, which the server made the terminal.
    pub(crate) fn open() -> io::Result<Terminal> {
        // SAFETY: duplicates a descriptor or fails.
        let copy = unsafe { libc::dup(0) };
        if copy < 0 {
            return Err(io::Error::last_os_error());
        }
        let descriptor = move_up(copy);
        let device = device(descriptor);
        let terminal =
            Terminal { descriptor, reader: reopen(descriptor), device, modes: OnceLock::new() };
        if let Some(modes) = terminal.modes() {
            let _ = terminal.modes.set(modes);
        }
        Ok(terminal)
    }

    /// The numbers that are ours.
    pub(crate) fn descriptors(&self) -> [c_int; 2] {
        [self.descriptor, self.reader]
    }

    /// Writes all of `bytes`. Without the GIL: the terminal may be slow.
    pub(crate) fn write(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // SAFETY: the slice is live for the call.
            let n = unsafe { libc::write(self.descriptor, bytes.as_ptr().cast(), bytes.len()) };
            match usize::try_from(n) {
                Ok(written) => bytes = &bytes[written..],
                Err(_) if errno() == libc::EINTR => {}
                Err(_) if errno() == libc::EAGAIN => self.wait_writable(),
                // The terminal is gone, and the session with it: the sideband tells.
                Err(_) => return,
            }
        }
    }

    /// A program may have made the shared description non-blocking.
    fn wait_writable(&self) {
        let mut set = libc::pollfd { fd: self.descriptor, events: libc::POLLOUT, revents: 0 };
        // SAFETY: a set of one live entry.
        unsafe { libc::poll(&mut set, 1, -1) };
    }

    /// Reads what is there now, without waiting: at most `most` bytes, none at end of file.
    pub(crate) fn read(&self, most: usize) -> io::Result<Vec<u8>> {
        let mut chunk = vec![0; most];
        // SAFETY: the buffer is live and of the length that is passed.
        let n = unsafe { libc::read(self.reader, chunk.as_mut_ptr().cast(), chunk.len()) };
        let n = usize::try_from(n).map_err(|_| io::Error::last_os_error())?;
        chunk.truncate(n);
        Ok(chunk)
    }

    /// Whether there is something to read now.
    pub(crate) fn has_input(&self) -> bool {
        let mut set = libc::pollfd { fd: self.reader, events: libc::POLLIN, revents: 0 };
        // SAFETY: a set of one live entry.
        unsafe { libc::poll(&mut set, 1, 0) > 0 && set.revents & libc::POLLIN != 0 }
    }

    /// The current modes.
    fn modes(&self) -> Option<libc::termios> {
        let mut modes = MaybeUninit::uninit();
        // SAFETY: tcgetattr fills the structure when it returns 0.
        unsafe {
            (libc::tcgetattr(self.descriptor, modes.as_mut_ptr()) == 0).then(|| modes.assume_init())
        }
    }

    /// Whether what is typed is shown.
    pub(crate) fn echoes(&self) -> bool {
        self.modes().is_none_or(|modes| modes.c_lflag & libc::ECHO != 0)
    }

    /// Whether the Enter key sends a carriage return, as in raw mode, and nothing makes a
    /// newline of it.
    pub(crate) fn enter_is_return(&self) -> bool {
        self.modes().is_some_and(|modes| modes.c_iflag & libc::ICRNL == 0)
    }

    /// Lets output flow again that a program stopped (TCOOFF), and makes writes wait for room
    /// again if it made them not to: all who have the terminal share that flag.
    pub(crate) fn resume_output(&self) {
        // SAFETY: these calls take no memory.
        unsafe {
            libc::tcflow(self.descriptor, libc::TCOON);
            let flags = libc::fcntl(self.descriptor, libc::F_GETFL);
            if flags >= 0 && flags & libc::O_NONBLOCK != 0 {
                libc::fcntl(self.descriptor, libc::F_SETFL, flags & !libc::O_NONBLOCK);
            }
        }
    }

    /// Whether the standard descriptor `number` is the terminal.
    pub(crate) fn is_on(&self, number: c_int) -> bool {
        device(number) == self.device
    }

    /// Gives the terminal back its modes and its foreground group, and puts it back on the
    /// standard descriptors. Input that nobody read is the server's to drop, who typed it.
    pub(crate) fn restore(&self) {
        self.restore_standard_descriptors();
        self.restore_foreground();
        self.restore_modes();
    }

    /// Gives the terminal back the modes a cell finds.
    pub(crate) fn restore_modes(&self) {
        if let (Some(before), Some(now)) = (self.modes.get(), self.modes())
            && !same_modes(before, &now)
        {
            // SAFETY: the structure is a whole one that tcgetattr filled.
            unsafe { libc::tcsetattr(self.descriptor, libc::TCSADRAIN, before) };
        }
    }

    fn restore_foreground(&self) {
        // SAFETY: these calls take no memory; SIGTTOU is blocked around the change, since a
        // background process that calls tcsetpgrp is stopped by it otherwise (POSIX).
        unsafe {
            let own = libc::getpgrp();
            if libc::tcgetpgrp(self.descriptor) == own {
                return;
            }
            let mut set = MaybeUninit::uninit();
            let mut before = MaybeUninit::uninit();
            libc::sigemptyset(set.as_mut_ptr());
            libc::sigaddset(set.as_mut_ptr(), libc::SIGTTOU);
            libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), before.as_mut_ptr());
            libc::tcsetpgrp(self.descriptor, own);
            libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut());
        }
    }

    /// A cell may have closed or redirected descriptors 0 to 2.
    fn restore_standard_descriptors(&self) {
        for standard in 0..=2 {
            if device(standard) != self.device {
                // SAFETY: both numbers are plain; dup2 replaces `standard` or fails.
                unsafe { libc::dup2(self.descriptor, standard) };
            }
        }
    }

    /// Interrupts the foreground group, as the terminal does for Ctrl-C; our own where nobody
    /// of that lives.
    pub(crate) fn interrupt_foreground(&self) {
        self.resume_output();
        // SAFETY: no memory involved; a group that is gone makes killpg fail.
        unsafe {
            let (group, own) = (libc::tcgetpgrp(self.descriptor), libc::getpgrp());
            let lives = group > 0 && (group == own || orphan::has_living(group));
            if !lives || libc::killpg(group, libc::SIGINT) != 0 {
                libc::killpg(own, libc::SIGINT);
            } else {
                // A stopped program gets the signal only when it goes on.
                libc::killpg(group, libc::SIGCONT);
            }
        }
    }
}

/// Writes to the controlling terminal when no descriptor of ours can be relied on. Once.
pub(crate) fn last_words(text: &[u8]) {
    static SAID: AtomicBool = AtomicBool::new(false);
    if SAID.swap(true, Ordering::Relaxed) {
        return;
    }
    let flags = libc::O_WRONLY | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: the path is a C string and the text a live slice.
    unsafe {
        let terminal = libc::open(c"/dev/tty".as_ptr(), flags);
        libc::tcflow(terminal, libc::TCOON);
        libc::write(terminal, text.as_ptr().cast(), text.len());
    }
}

/// Opens the terminal anew, not to block; the descriptor itself where that can't be done.
fn reopen(descriptor: c_int) -> c_int {
    let Ok(path) = CString::new(format!("/dev/fd/{descriptor}")) else { return descriptor };
    let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: the path is a C string.
    let opened = unsafe { libc::open(path.as_ptr(), flags) };
    if opened < 0 { descriptor } else { move_up(opened) }
}

/// What tells one file from another: file system, inode, device.
pub(crate) type Device = (libc::dev_t, libc::ino_t, libc::dev_t);

/// The device a descriptor stands for; `None` when it is closed.
pub(crate) fn device(descriptor: c_int) -> Option<Device> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: fstat fills the structure when it returns 0.
    unsafe {
        (libc::fstat(descriptor, stat.as_mut_ptr()) == 0).then(|| {
            let stat = stat.assume_init();
            (stat.st_dev, stat.st_ino, stat.st_rdev)
        })
    }
}

fn same_modes(a: &libc::termios, b: &libc::termios) -> bool {
    (a.c_iflag, a.c_oflag, a.c_cflag, a.c_lflag, a.c_cc)
        == (b.c_iflag, b.c_oflag, b.c_cflag, b.c_lflag, b.c_cc)
}
