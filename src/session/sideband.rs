//! The server's end of the sideband: one socket, one peer.
//!
//! The one peer must run under this user and know the session's nonce; then nobody else is
//! listened to.

use std::{collections::VecDeque, io, path::Path, time::Duration};

use mcp_repl_sideband::{
    DIRECTORY, DOCUMENTS, FrameError, HINTS, LineDecoder, NO_MARKS, PROTOCOL, PictureLimit,
    ToServer, ToWorker, encode,
};

use crate::pty::{ByteStream, Listener};

/// The longest line a worker may send: a large picture fits.
const LONGEST_LINE: usize = 64 << 20;

/// How long nobody is accepted after that failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The sideband of one worker.
#[derive(Debug)]
pub(super) struct Sideband {
    stage: Stage,
    nonce: String,
    /// How large the worker's pictures may be, for the hello.
    picture_limit: PictureLimit,
    /// Whether the worker may show what it takes: marks tell where.
    has_marks: bool,
    decoder: LineDecoder,
    out: VecDeque<u8>,
    /// Whether the last message has input for the worker, a cell or a line.
    last_is_input: bool,
    /// Whether the worker went before it had read the last message.
    lost: bool,
}

#[derive(Debug)]
enum Stage {
    Listening(Listener),
    /// Connected, but the peer did not say hello yet.
    Greeting(Listener, ByteStream),
    Open(ByteStream),
    Closed,
}

/// What arrived.
#[derive(Debug)]
pub(super) enum Arrival {
    /// A message; the first is the worker's hello.
    Message(ToServer),
    /// The peer broke the protocol: nothing more is read.
    Broken(ProtocolError),
    /// The peer closed the connection: nothing more is to come.
    Closed,
}

/// How a worker broke the protocol.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProtocolError {
    #[error("the worker's hello does not carry the session's nonce")]
    WrongNonce,
    #[error(
        "the worker speaks version {theirs} of the sideband protocol, this server version {ours}"
    )]
    WrongVersion { theirs: u32, ours: u32 },
    #[error("the worker said hello twice")]
    SecondHello,
    #[error("the worker's first message is not a hello")]
    NoHello,
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// What [`Sideband::readable`] waited for.
#[derive(Debug)]
pub(super) enum Readable {
    /// Somebody connected.
    Connection(ByteStream),
    /// There is something to read, or the end.
    Bytes,
}

impl Sideband {
    /// Listens at `path`, which nobody else can reach.
    ///
    /// # Errors
    /// When that can't be done.
    pub(super) fn listen(
        path: &Path,
        nonce: String,
        picture_limit: PictureLimit,
    ) -> io::Result<Sideband> {
        Ok(Sideband {
            stage: Stage::Listening(Listener::bind(path)?),
            nonce,
            picture_limit,
            has_marks: true,
            decoder: LineDecoder::new(LONGEST_LINE),
            out: VecDeque::new(),
            last_is_input: false,
            lost: false,
        })
    }

    /// That of a program that has none: nothing comes, and what is sent is dropped.
    pub(super) fn none() -> Sideband {
        Sideband {
            stage: Stage::Closed,
            nonce: String::new(),
            picture_limit: PictureLimit { edge: 0, area: 0 },
            has_marks: true,
            decoder: LineDecoder::new(LONGEST_LINE),
            out: VecDeque::new(),
            last_is_input: false,
            lost: false,
        }
    }

    /// Queues a message, and sends what the socket takes at once.
    pub(super) fn send(&mut self, message: &ToWorker) {
        // A question is none, and leaves open whether what came before it was read.
        if !matches!(message, ToWorker::Complete { .. }) {
            self.last_is_input = matches!(message, ToWorker::Cell { .. } | ToWorker::Stdin { .. });
        }
        if !matches!(self.stage, Stage::Closed) {
            self.out.extend(encode(message));
            self.flush();
        }
    }

    /// Whether input was sent that the worker, which is gone, has never read.
    pub(super) fn missed_input(&self) -> bool {
        self.lost && self.last_is_input
    }

    /// The stream to the worker that has said hello.
    pub(super) fn peer(&self) -> Option<&ByteStream> {
        if let Stage::Open(stream) = &self.stage { Some(stream) } else { None }
    }

    /// Whether nobody has connected yet.
    pub(super) fn is_awaited(&self) -> bool {
        matches!(self.stage, Stage::Listening(_))
    }

    /// Sends what the socket takes.
    pub(super) fn flush(&mut self) {
        let Stage::Open(socket) = &self.stage else { return };
        while !self.out.is_empty() {
            let (front, _) = self.out.as_slices();
            let written = socket.try_write(front);
            if written == 0 {
                return;
            }
            self.out.drain(..written);
        }
    }

    /// Waits until the socket takes more of what is queued, for [`Sideband::flush`]. Cancel safe;
    /// pends for ever when nothing is.
    pub(super) async fn writable(&self) {
        match &self.stage {
            Stage::Open(socket) if !self.out.is_empty() => {
                if socket.writable().await.is_err() {
                    std::future::pending().await
                }
            }
            _ => std::future::pending().await,
        }
    }

    /// Waits until there is something for [`Sideband::receive`]. Cancel safe; pends for ever once
    /// closed or broken.
    pub(super) async fn readable(&self) -> Readable {
        match &self.stage {
            Stage::Closed => std::future::pending().await,
            Stage::Listening(listener) => loop {
                // A program of another user is refused. Out of descriptors, the peer may come
                // when some are free again, and until then the session is starting.
                match listener.accept().await {
                    Ok(socket) => return Readable::Connection(socket),
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                }
            },
            Stage::Greeting(_, socket) | Stage::Open(socket) => {
                // An error is seen by the read.
                let _ = socket.readable().await;
                Readable::Bytes
            }
        }
    }

    /// Takes what [`Sideband::readable`] gave: what arrived, in order. A worker that says hello is told
    /// whether its terminal hands marks on.
    pub(super) fn receive(&mut self, readable: Readable, has_marks: bool) -> Vec<Arrival> {
        self.has_marks = has_marks;
        let open = match readable {
            Readable::Connection(socket) => {
                self.greet(socket);
                return Vec::new();
            }
            Readable::Bytes => self.read(),
        };
        let mut arrivals = Vec::new();
        loop {
            match self.decoder.next_message::<ToServer>() {
                Ok(Some(message)) => match self.check(&message) {
                    Ok(()) => arrivals.push(Arrival::Message(message)),
                    Err(error) => {
                        arrivals.push(self.broken(error));
                        return arrivals;
                    }
                },
                Ok(None) => break,
                Err(error) => {
                    arrivals.push(self.broken(error.into()));
                    return arrivals;
                }
            }
        }
        if !open {
            arrivals.extend(self.ended());
        }
        arrivals
    }

    /// Reads a chunk. Whether the stream goes on.
    fn read(&mut self) -> bool {
        let (Stage::Greeting(_, socket) | Stage::Open(socket)) = &self.stage else { return true };
        let mut chunk = [0; 16 * 1024];
        match socket.try_read(&mut chunk) {
            Some(0) => false,
            Some(n) => {
                self.decoder.push(&chunk[..n]);
                true
            }
            None => true,
        }
    }

    /// The peer has gone.
    fn ended(&mut self) -> Option<Arrival> {
        match std::mem::replace(&mut self.stage, Stage::Closed) {
            // A stranger that left: the worker may still come.
            Stage::Greeting(listener, _) => {
                self.decoder = LineDecoder::new(LONGEST_LINE);
                self.stage = Stage::Listening(listener);
                None
            }
            Stage::Open(socket) => {
                self.lost = !self.out.is_empty() || socket.has_lost_writes();
                Some(Arrival::Closed)
            }
            stage => {
                self.stage = stage;
                None
            }
        }
    }

    /// The first message must be a hello with our nonce; a later one must not.
    fn check(&mut self, message: &ToServer) -> Result<(), ProtocolError> {
        let greeting = matches!(self.stage, Stage::Greeting(..));
        match message {
            ToServer::Hello { protocol, nonce, .. } if greeting => {
                if *nonce != self.nonce {
                    return Err(ProtocolError::WrongNonce);
                }
                if *protocol != PROTOCOL {
                    let (theirs, ours) = (*protocol, PROTOCOL);
                    return Err(ProtocolError::WrongVersion { theirs, ours });
                }
                self.open();
            }
            ToServer::Hello { .. } => return Err(ProtocolError::SecondHello),
            _ if greeting => return Err(ProtocolError::NoHello),
            _ => {}
        }
        Ok(())
    }

    /// Nobody else is listened to from here on.
    fn open(&mut self) {
        let stage = std::mem::replace(&mut self.stage, Stage::Closed);
        let Stage::Greeting(_, socket) = stage else { return };
        self.stage = Stage::Open(socket);
        let mut capabilities = vec![HINTS.into(), DOCUMENTS.into(), DIRECTORY.into()];
        if !self.has_marks {
            capabilities.push(NO_MARKS.into());
        }
        let hello = ToWorker::Hello {
            protocol: PROTOCOL,
            nonce: self.nonce.clone(),
            capabilities,
            picture_limit: Some(self.picture_limit),
        };
        let queued = std::mem::replace(&mut self.out, encode(&hello).into());
        self.out.extend(queued);
        self.flush();
    }

    fn greet(&mut self, socket: ByteStream) {
        let stage = std::mem::replace(&mut self.stage, Stage::Closed);
        if let Stage::Listening(listener) = stage {
            self.stage = Stage::Greeting(listener, socket);
        }
    }

    fn broken(&mut self, error: ProtocolError) -> Arrival {
        self.stage = Stage::Closed;
        self.decoder = LineDecoder::new(LONGEST_LINE);
        Arrival::Broken(error)
    }
}
