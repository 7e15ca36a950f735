//! The worker's end of the sideband: one socket, a thread that reads it, and the marks.

use std::{
    env, io,
    io::{Read, Write},
    os::{
        fd::{AsRawFd, FromRawFd, IntoRawFd},
        unix::net::UnixStream,
    },
    sync::Mutex,
    time::Duration,
};

use mcp_repl_sideband::{
    LineDecoder, Mark, NONCE_VARIABLE, PROTOCOL, SOCKET_VARIABLE, ToServer, ToWorker, encode,
    mark_bytes,
};

use crate::{
    fork, nudge, orphan,
    session::Worker,
    terminal::{self, Device, Terminal, device},
    wake::move_up,
};

/// The longest line the server may send: more than any client's message can hold.
const LONGEST_LINE: usize = 1 << 30;

/// What is said when the program closed descriptors of ours, before the session ends.
const CLOSED: &[u8] =
    b"mcp-repl: the program closed the session's own descriptors; the session ends\n";

/// The writing half, shared by all threads.
///
/// Never locked while the GIL is held, nor is the GIL taken under the lock.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) terminal: Terminal,
    nonce: String,
    descriptor: i32,
    /// The descriptors without which there is no session, and what they stand for.
    vital: [(i32, Option<Device>); 3],
    /// The master side of the terminal, held so that the kernel does not hang up when the
    /// server is gone: the reading thread ends the session then, and has to live for it.
    master: i32,
    out: Mutex<Out>,
}

#[derive(Debug)]
struct Out {
    socket: UnixStream,
    marks: u64,
}

/// Who the worker is, for its `hello`.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) version: String,
    pub(crate) executable: String,
}

impl Channel {
    /// Connects to the socket the environment names and says hello. `master` is the descriptor
    /// of the terminal's master side that the server let this process inherit.
    ///
    /// Returns the reading half too, for [`read_messages`].
    pub(crate) fn connect(identity: Identity, master: i32) -> io::Result<(Channel, UnixStream)> {
        let missing =
            |name: &str| io::Error::new(io::ErrorKind::NotFound, format!("{name} is not set"));
        let path = env::var_os(SOCKET_VARIABLE).ok_or_else(|| missing(SOCKET_VARIABLE))?;
        let nonce = env::var(NONCE_VARIABLE).map_err(|_| missing(NONCE_VARIABLE))?;
        let socket = UnixStream::connect(path)?;
        let descriptor = move_up(socket.into_raw_fd());
        // SAFETY: `move_up` gave the descriptor over; nothing else owns it.
        let mut socket = unsafe { UnixStream::from_raw_fd(descriptor) };
        socket.write_all(&encode(&ToServer::Hello {
            protocol: PROTOCOL,
            nonce: nonce.clone(),
            implementation: "cpython".into(),
            version: identity.version,
            executable: identity.executable,
            pid: std::process::id(),
            capabilities: Vec::new(),
        }))?;
        // One descriptor serves both directions, so that the program has as many as can be.
        // SAFETY: the reading half lives in a thread that never ends before the process.
        let reader = unsafe { UnixStream::from_raw_fd(socket.as_raw_fd()) };
        let master = move_up(master);
        let terminal = Terminal::open()?;
        let [writer, typed] = terminal.descriptors();
        let channel = Channel {
            terminal,
            nonce,
            descriptor,
            vital: [descriptor, writer, typed].map(|number| (number, device(number))),
            master,
            out: Mutex::new(Out { socket, marks: 0 }),
        };
        Ok((channel, reader))
    }

    /// The descriptors that a forked child must not keep.
    pub(crate) fn descriptors(&self) -> [i32; 4] {
        let [terminal, reader] = self.terminal.descriptors();
        [self.descriptor, terminal, reader, self.master]
    }

    /// Sends a message. Without the GIL.
    pub(crate) fn send(&self, message: &ToServer) {
        if fork::is_child() {
            return;
        }
        if let Ok(mut out) = self.out.lock() {
            self.check();
            write(&mut out, &encode(message));
        }
    }

    /// Writes `text` and a mark behind it to the terminal, then sends the messages made with
    /// the mark's number. Without the GIL.
    pub(crate) fn send_marked<const N: usize>(
        &self,
        text: &[u8],
        messages: impl FnOnce(u64) -> [ToServer; N],
    ) {
        if fork::is_child() {
            return;
        }
        let Ok(mut out) = self.out.lock() else { return };
        self.check();
        out.marks += 1;
        let mark = out.marks;
        let mut bytes = text.to_vec();
        bytes.extend(mark_bytes(&self.nonce, Mark::Point(mark)));
        self.terminal.write(&bytes);
        let lines: Vec<u8> = messages(mark).iter().flat_map(encode).collect();
        write(&mut out, &lines);
    }

    /// Ends the session if the program closed what it needs (`os.closerange`): the numbers may
    /// be files of its own by now.
    fn check(&self) {
        if self.vital.iter().any(|&(number, before)| device(number) != before) {
            terminal::last_words(CLOSED);
            orphan::end_session();
        }
    }

    /// Shows a payload on the terminal as if it had been typed, marked as an echo.
    pub(crate) fn echo(&self, payload: &[u8]) {
        let mut bytes = mark_bytes(&self.nonce, Mark::EchoStart);
        for &byte in payload {
            match byte {
                b'\n' | b'\t' => bytes.push(byte),
                // ECHOCTL (POSIX's extension in Linux, BSD): a control character X as ^X.
                0..32 | 127 => bytes.extend([b'^', byte ^ 0x40]),
                _ => bytes.push(byte),
            }
        }
        bytes.extend(mark_bytes(&self.nonce, Mark::EchoEnd));
        self.terminal.write(&bytes);
    }
}

/// Whether there is something to read within this time.
fn is_readable(socket: &UnixStream, time: Duration) -> bool {
    let mut set = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: a set of one live entry.
    unsafe { libc::poll(&mut set, 1, time.as_millis() as libc::c_int) != 0 }
}

/// Without its server the session is over.
fn write(out: &mut Out, lines: &[u8]) {
    if out.socket.write_all(lines).is_err() {
        orphan::end_session();
    }
}

/// Reads the server's messages until the session ends. The body of the reading thread.
///
/// The thread never takes the GIL, so it serves while Python is busy.
pub(crate) fn read_messages(worker: &Worker, mut socket: UnixStream) {
    let mut decoder = LineDecoder::new(LONGEST_LINE);
    let mut chunk = vec![0; 64 * 1024];
    // When the main thread is to be woken after an interrupt.
    let mut paces = [].iter();
    loop {
        match decoder.next_message::<ToWorker>() {
            Ok(Some(message)) => match message {
                ToWorker::Hello { protocol, nonce, .. } => {
                    if protocol != PROTOCOL || nonce != worker.channel.nonce {
                        orphan::end_session();
                    }
                }
                ToWorker::Cell { id, source } => worker.fifo.push_cell(id, source),
                ToWorker::Stdin { data } => {
                    if let Some(discarded_bytes) = worker.fifo.push_input(data.as_bytes()) {
                        worker
                            .channel
                            .send_marked(b"", |mark| [ToServer::Ready { mark, discarded_bytes }]);
                    }
                }
                ToWorker::Interrupt => {
                    worker.fifo.interrupt(|| worker.channel.terminal.interrupt_foreground());
                    worker.channel.send(&ToServer::Interrupted);
                    paces = nudge::PACES.iter();
                }
                ToWorker::Shutdown => worker.fifo.shut_down(),
            },
            Ok(None)
                if paces.as_slice().first().is_some_and(|&pace| !is_readable(&socket, pace)) =>
            {
                paces.next();
                worker.fifo.while_in_cell(|| worker.sleeper.wake());
            }
            Ok(None) => match socket.read(&mut chunk) {
                Ok(n @ 1..) => decoder.push(&chunk[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => {
                    worker.channel.check();
                    orphan::end_session();
                }
            },
            // A server that breaks the protocol is not ours.
            Err(_) => orphan::end_session(),
        }
    }
}
