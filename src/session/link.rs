//! The server's end of the sideband: one socket, one peer.
//!
//! A Unix socket in a private directory. The one peer must run under this user and know the
//! session's nonce; then nobody else is listened to.

use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
};

use mcp_repl_sideband::{LineDecoder, PROTOCOL, ToServer, ToWorker, encode};
use tokio::net::{UnixListener, UnixStream};

use crate::pty::{Descriptor, Kind};

/// The longest line a worker may send: a large picture fits.
const LONGEST_LINE: usize = 64 << 20;

/// The sideband of one worker.
#[derive(Debug)]
pub struct Link {
    stage: Stage,
    nonce: String,
    path: PathBuf,
    decoder: LineDecoder,
    out: VecDeque<u8>,
    /// Whether the last message has input for the worker, a cell or a line.
    last_is_input: bool,
    /// Whether the worker went before it had read the last message.
    lost: bool,
    /// What the worker's hello said it understands beyond the protocol's version.
    capabilities: Vec<String>,
}

#[derive(Debug)]
enum Stage {
    Listening(UnixListener),
    /// Connected, but the peer did not say hello yet.
    Greeting(UnixListener, Descriptor),
    Open(Descriptor),
    Closed,
}

/// What arrived.
#[derive(Debug)]
pub enum Arrival {
    /// A message; the first is the worker's hello.
    Message(ToServer),
    /// The peer broke the protocol: nothing more is read.
    Broken(String),
    /// The peer closed the connection: nothing more is to come.
    Closed,
}

impl Link {
    /// Listens on a socket at `path`, which nobody else can reach.
    ///
    /// # Errors
    /// When the socket can't be made.
    pub fn listen(path: &Path, nonce: String) -> io::Result<Link> {
        Ok(Link {
            stage: Stage::Listening(UnixListener::bind(path)?),
            nonce,
            path: path.to_owned(),
            decoder: LineDecoder::new(LONGEST_LINE),
            out: VecDeque::new(),
            last_is_input: false,
            lost: false,
            capabilities: Vec::new(),
        })
    }

    /// Queues a message; [`Link::next`] sends what the socket does not take at once.
    pub fn send(&mut self, message: &ToWorker) {
        self.last_is_input = matches!(message, ToWorker::Cell { .. } | ToWorker::Stdin { .. });
        self.out.extend(encode(message));
        self.flush();
    }

    /// Whether input was sent that the worker, which is gone, has never read.
    pub fn missed_input(&self) -> bool {
        self.lost && self.last_is_input
    }

    /// What the worker's hello said it understands beyond the protocol's version; empty before.
    /// A message that came after the version is sent only when it is named here.
    pub fn capabilities(&self) -> &[String] {
        &self.capabilities
    }

    fn flush(&mut self) {
        let Stage::Open(socket) = &self.stage else { return };
        while !self.out.is_empty() {
            let written = socket.try_write(self.out.make_contiguous());
            if written == 0 {
                return;
            }
            self.out.drain(..written);
        }
    }

    /// The next thing that arrives. Cancel safe. Pends for ever once closed or broken.
    pub async fn next(&mut self) -> Arrival {
        loop {
            match self.decoder.next_message::<ToServer>() {
                Ok(Some(message)) => match self.check(message) {
                    Ok(Some(arrival)) => return arrival,
                    Ok(None) => continue,
                    Err(why) => return self.broken(why),
                },
                Ok(None) => {}
                Err(error) => return self.broken(error.to_string()),
            }
            match &mut self.stage {
                Stage::Closed => return std::future::pending().await,
                Stage::Listening(listener) => {
                    // Out of descriptors, say: the peer may come when some are free again,
                    // and until then the session is starting.
                    let Ok((socket, _)) = listener.accept().await else { continue };
                    if is_own_user(&socket)
                        && let Ok(socket) = socket.into_std()
                        && let Ok(socket) = Descriptor::new(socket.into(), Kind::Stream)
                    {
                        self.greet(socket);
                    }
                }
                Stage::Greeting(_, socket) => {
                    if !read(socket, &mut self.decoder, false).await {
                        // A stranger that left: the worker may still come.
                        self.listen_on();
                    }
                }
                Stage::Open(socket) => {
                    let open = read(socket, &mut self.decoder, !self.out.is_empty()).await;
                    if !open {
                        self.lost = !self.out.is_empty() || socket.has_lost();
                        self.stage = Stage::Closed;
                        return Arrival::Closed;
                    }
                    self.flush();
                }
            }
        }
    }

    /// The first message must be a hello with our nonce; a later one must not.
    fn check(&mut self, message: ToServer) -> Result<Option<Arrival>, String> {
        let greeting = matches!(self.stage, Stage::Greeting(..));
        match &message {
            ToServer::Hello { protocol, nonce, capabilities, .. } if greeting => {
                if *nonce != self.nonce {
                    return Err("the worker's hello does not carry the session's nonce".into());
                }
                if *protocol != PROTOCOL {
                    return Err(format!(
                        "the worker speaks version {protocol} of the sideband protocol, \
                         this server version {PROTOCOL}"
                    ));
                }
                let Stage::Greeting(_, socket) = std::mem::replace(&mut self.stage, Stage::Closed)
                else {
                    return Ok(None);
                };
                self.stage = Stage::Open(socket);
                self.capabilities.clone_from(capabilities);
                let _ = std::fs::remove_file(&self.path);
                let hello = ToWorker::Hello {
                    protocol: PROTOCOL,
                    nonce: self.nonce.clone(),
                    capabilities: Vec::new(),
                };
                let queued = std::mem::replace(&mut self.out, encode(&hello).into());
                self.out.extend(queued);
                self.flush();
            }
            ToServer::Hello { .. } => return Err("the worker said hello twice".into()),
            _ if greeting => return Err("the worker's first message is not a hello".into()),
            _ => {}
        }
        Ok(Some(Arrival::Message(message)))
    }

    fn greet(&mut self, socket: Descriptor) {
        if let Stage::Listening(listener) = std::mem::replace(&mut self.stage, Stage::Closed) {
            self.stage = Stage::Greeting(listener, socket);
        }
    }

    fn listen_on(&mut self) {
        if let Stage::Greeting(listener, _) = std::mem::replace(&mut self.stage, Stage::Closed) {
            self.decoder = LineDecoder::new(LONGEST_LINE);
            self.stage = Stage::Listening(listener);
        }
    }

    fn broken(&mut self, why: String) -> Arrival {
        self.stage = Stage::Closed;
        self.decoder = LineDecoder::new(LONGEST_LINE);
        Arrival::Broken(why)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn is_own_user(socket: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    socket.peer_cred().is_ok_and(|peer| peer.uid() == own)
}

/// Reads a chunk into `decoder`, or returns once there is room to write if `write` asks for
/// that; false at the end of the stream. Cancel safe.
async fn read(socket: &Descriptor, decoder: &mut LineDecoder, write: bool) -> bool {
    tokio::select! {
        biased;
        readable = socket.readable() => {
            if readable.is_err() {
                return false;
            }
        }
        writable = socket.writable(), if write => return writable.is_ok(),
    }
    let mut chunk = [0; 16 * 1024];
    match socket.try_read(&mut chunk) {
        Some(0) => false,
        Some(n) => {
            decoder.push(&chunk[..n]);
            true
        }
        None => true,
    }
}
