//! The MCP server: one client and its sessions, over lines of JSON. The only place that names rmcp.
//!
//! This layer does not know Python, the terminal or the sideband: it turns `tools/call` into a
//! [`Request`](crate::session::client::Request) and a [`Reply`](crate::reply::Reply) into content.
//!
//! ```text
//! transport  lines of JSON on those streams, as rmcp wants them
//! handler    what the server says and does: the handshake, the tool, progress, cancelling
//! sessions   the sessions by their names: found, started, and found again
//! replacing  whether a call is made in a session as it is, or in one that takes its place
//! live       one of them that calls are made in: what is said first, and when it is gone
//! receipts   which replies reached the client
//! cancel     which cancels interrupt their cell
//! tool       what a client is told about the tool
//! skill      the same for agents that read it as a file
//! guide      what both say
//! arguments  what a client may say to it
//! quirks     what single clients need
//! codex      what Codex says of its own sandbox
//! ```

mod arguments;
mod cancel;
mod codex;
mod guide;
mod handler;
mod live;
mod quirks;
mod receipts;
mod replacing;
mod sessions;
mod skill;
mod tool;
mod transport;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rmcp::service::serve_directly;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;

use crate::pty;

pub use self::cancel::OnCancel;
use self::handler::Server;
pub use self::live::Session;
pub use self::sessions::{EarlierSession, Opener, Opening, Sessions, WantedSession};
pub use self::skill::skill;
pub use self::tool::WorkerText;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub use self::transport::fuzzing;
use self::transport::{End, LineTransport};

/// How long calls in flight may still take when the client has closed its end: enough for
/// `printf ... | mcp-repl`, and no time for a loop that never ends.
const GRACE: Duration = Duration::from_millis(500);

/// Serves one client over standard input and output; `worker` is what it is told of the program
/// in the session, `on_cancel` what a cancelled call does to its cell.
///
/// Returns when standard input has ended or the client no longer reads. The sessions go on:
/// [`Sessions::close`] is the caller's business. It needs a tokio runtime with its I/O and time drivers.
///
/// # Errors
///
/// When standard input or output cannot be used, or the loop that serves the client fails.
pub async fn serve(
    sessions: Arc<Sessions>,
    worker: &WorkerText,
    on_cancel: OnCancel,
) -> io::Result<()> {
    let (reader, writer) = pty::stdio()?;
    serve_on(sessions, worker, on_cancel, reader, writer).await
}

/// Serves one client over any pair of streams, as [`serve`] does.
///
/// Calls reach a session in the order the client sent them when this runs on tokio's
/// current-thread runtime.
///
/// # Errors
///
/// When the loop that serves the client fails.
pub async fn serve_on<R, W>(
    sessions: Arc<Sessions>,
    worker: &WorkerText,
    on_cancel: OnCancel,
    reader: R,
    writer: W,
) -> io::Result<()>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let (ended, at_end) = oneshot::channel();
    let transport = LineTransport::new(reader, writer, ended);
    // Not `serve_server`: its handshake ends the connection at the first notification that
    // comes before `initialize`, and a handler can do everything else it does.
    let running = serve_directly(Server::new(sessions, worker, on_cancel), transport, None);
    let calls = running.cancellation_token();
    let mut over = std::pin::pin!(running.waiting());
    let end = tokio::select! {
        end = at_end => end,
        over = &mut over => return over.map(drop).map_err(io::Error::other),
    };
    // rmcp waits five seconds for the calls in flight; a server should end sooner than that.
    if end == Ok(End::Input)
        && let Ok(over) = tokio::time::timeout(GRACE, &mut over).await
    {
        return over.map(drop).map_err(io::Error::other);
    }
    calls.cancel();
    over.await.map(drop).map_err(io::Error::other)
}

#[cfg(test)]
mod tests;
