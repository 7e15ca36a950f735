//! A connection to a session's host over any pair of streams: how it is made, what is known of it,
//! and why it ends.

use std::io;

use mcp_repl_control::{
    Decoder, FrameError, LONGEST_LINE, MOST_BYTES, SessionInfo, ToClient, ToHost, Welcome, encode,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{mpsc, oneshot, watch},
};

use super::{
    player::{Player, Streams},
    via::Launcher,
};
use crate::session::client::Handle;

/// How much is read at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// A session elsewhere.
#[derive(Debug)]
pub struct Opened {
    /// The session. When all of its clones and clients are gone the connection is closed; the
    /// session goes on. When the connection ends, calls give `None`.
    pub handle: Handle,
    /// What its host said first.
    pub welcome: Welcome,
    /// What is known of the connection.
    pub connection: Connection,
}

/// What is known of a connection. Clones are of the same one, and keep nothing open.
#[derive(Debug, Clone)]
pub struct Connection {
    end: watch::Receiver<Option<End>>,
    described: mpsc::UnboundedSender<oneshot::Sender<SessionInfo>>,
}

/// Why a connection has ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum End {
    /// Nobody holds the session any more.
    #[error("nobody holds the session any more")]
    Left,
    /// The other side has closed it: the host has ended, or what carries the connection has.
    #[error("the other side closed the connection")]
    Closed,
    /// The command that carries it has ended: how, and its last words.
    #[error("{0}")]
    Cut(String),
    /// It can't be read or written any more.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The host refused what it was sent.
    #[error("the session's host refused: {0}")]
    Refused(String),
    /// What came is not the control protocol.
    #[error("not the control protocol: {0}")]
    Protocol(String),
    /// The host does not read what it is sent, or does not answer in time.
    #[error("the session's host does not answer")]
    Silent,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The host does not let this client in, in its own words.
    #[error("{0}")]
    Refused(String),
    /// The other side closed the connection before it said anything.
    #[error("the other side closed the connection")]
    Closed,
    /// It can't be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What came is not the control protocol.
    #[error("not the control protocol: {0}")]
    Protocol(String),
}

impl From<FrameError> for ConnectError {
    fn from(error: FrameError) -> ConnectError {
        ConnectError::Protocol(error.to_string())
    }
}

impl Connection {
    /// Why it has ended; `None` while it has not.
    pub fn end(&self) -> Option<End> {
        self.end.borrow().clone()
    }

    /// Waits until it has ended, and what was said last is written.
    pub async fn ended(&self) -> End {
        let mut end = self.end.clone();
        let ended = end.wait_for(Option::is_some).await;
        ended.ok().and_then(|end| end.clone()).unwrap_or(End::Left)
    }

    /// What there is to tell of the session; `None` when the connection has ended.
    pub async fn describe(&self) -> Option<SessionInfo> {
        let (answer, told) = oneshot::channel();
        self.described.send(answer).ok()?;
        told.await.ok()
    }
}

/// A host that has let this client in.
pub(super) struct Entered<R, W> {
    pub(super) welcome: Welcome,
    streams: Streams<R, W>,
}

/// Speaks with a host, or with what leads to one, over any pair of streams; the writer keeps
/// nothing back. Gives the session once the host has let this client in, and a task of the running
/// event loop that carries the rest. How long that may take is the caller's business.
///
/// # Errors
/// When the host refuses, is no host, or goes.
pub async fn connect<R, W>(reader: R, writer: W, first: &ToHost) -> Result<Opened, ConnectError>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    Ok(enter(reader, writer, first).await?.carry(None))
}

/// The same up to the welcome.
///
/// # Errors
/// As those of [`connect`].
pub(super) async fn enter<R, W>(
    mut reader: R,
    mut writer: W,
    first: &ToHost,
) -> Result<Entered<R, W>, ConnectError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    writer.write_all(&encode(first, &[])).await?;
    let mut decoder = Decoder::new(LONGEST_LINE, MOST_BYTES);
    let mut buffer = vec![0; CHUNK];
    let welcome = loop {
        match decoder.next_message()? {
            Some((ToClient::Welcome(welcome), _)) => break welcome,
            Some((ToClient::Error { message }, _)) => return Err(ConnectError::Refused(message)),
            Some(_) => return Err(ConnectError::Protocol("no welcome came first".into())),
            None => match reader.read(&mut buffer).await? {
                0 => return Err(ConnectError::Closed),
                length => decoder.push(&buffer[..length]),
            },
        }
    };
    Ok(Entered { welcome, streams: Streams { reader, writer, decoder, buffer } })
}

impl<R, W> Entered<R, W> {
    /// Of a welcome that was read already.
    pub(super) fn new(welcome: Welcome, reader: R, writer: W) -> Entered<R, W> {
        let decoder = Decoder::new(LONGEST_LINE, MOST_BYTES);
        Entered { welcome, streams: Streams { reader, writer, decoder, buffer: vec![0; CHUNK] } }
    }

    /// The streams, and what was read of them behind the welcome.
    pub(super) fn into_streams(self) -> (R, W, Vec<u8>) {
        let Streams { reader, writer, decoder, .. } = self.streams;
        (reader, writer, decoder.into_rest())
    }
}

impl<R, W> Entered<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    /// Becomes the host's client. `launcher` is the command that carries it, if there is one.
    pub(super) fn carry(self, launcher: Option<Launcher>) -> Opened {
        let Entered { welcome, streams } = self;
        let (handle, commands) = Handle::new();
        let (end, at_end) = watch::channel(None);
        let (described, describe) = mpsc::unbounded_channel();
        let mut player = Player::new(handle.downgrade());
        tokio::spawn(async move {
            let mut why = player.run(streams, commands, describe).await;
            if let Some(launcher) = launcher {
                // It passes on what was said last, and then says why it ended: in good order when
                // the host has.
                launcher.over().await;
                if matches!(why, End::Closed | End::Broken(_))
                    && let Some(cut) = launcher.cut()
                {
                    why = End::Cut(cut);
                }
            }
            // Who finds a call without a reply looks for the reason.
            end.send_replace(Some(why));
            drop(player);
        });
        Opened { handle, welcome, connection: Connection { end: at_end, described } }
    }
}
