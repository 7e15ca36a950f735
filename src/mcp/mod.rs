//! The MCP server: one client on one session, over lines of JSON. The only place that names rmcp.
//!
//! This layer does not know Python, the terminal or the sideband: it turns `tools/call` into a
//! [`Request`](crate::session::handle::Request) and a [`Reply`](crate::reply::Reply) into content.
//!
//! ```text
//! transport  lines in, messages out; what is not a message is answered here
//! handler    what the server says and does: the handshake, the tool, progress, cancelling
//! tool       what a client is told about the tool
//! arguments  what a client may say to it
//! ```

mod arguments;
mod handler;
mod tool;

use std::io;

use rmcp::service::serve_directly;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::session::handle::Handle;

use self::handler::Server;

/// Serves one client over standard input and output.
///
/// Returns when standard input has ended. The session goes on: ending it is the caller's
/// business.
///
/// # Errors
///
/// When the loop that serves the client ends by itself.
pub async fn serve(session: Handle) -> io::Result<()> {
    let (reader, writer) = rmcp::transport::stdio_pipes();
    serve_on(session, reader, writer).await
}

/// Serves one client over any pair of streams, as [`serve`] does.
///
/// Calls reach the session in the order the client sent them when this runs on tokio's
/// current-thread runtime.
///
/// # Errors
///
/// When the loop that serves the client ends by itself.
pub async fn serve_on<R, W>(session: Handle, reader: R, writer: W) -> io::Result<()>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    // Not `serve_server`: its handshake ends the connection at the first notification that
    // comes before `initialize`, and a handler can do everything else it does.
    let running = serve_directly(Server::new(session), (reader, writer), None);
    running.waiting().await.map(drop).map_err(io::Error::other)
}

#[cfg(test)]
mod tests;
