//! The place that a connection has in a host: before it has said who it is, and behind that.

use std::sync::Arc;

use mcp_repl_control::Hello;
use tokio::io::AsyncRead;

use crate::{
    host::{
        Host, hello,
        room::{Admitted, Closing, Number},
    },
    session::client::Client,
};

/// Reads who it is, and lets it in.
pub(super) async fn let_in<R: AsyncRead + Unpin>(
    host: &Host,
    reader: &mut R,
) -> Result<(Hello, Vec<u8>, Admitted), String> {
    let (stranger, closing) = Stranger::knock(host);
    let (hello, rest) = tokio::select! {
        biased;
        why = closing => return Err(why.unwrap_or_default()),
        hello = hello::read(reader, &host.token) => hello.map_err(|error| error.to_string())?,
    };
    let admitted = host.admit(&hello).await?;
    drop(stranger);
    Ok((hello, rest, admitted))
}

/// One that has not said who it is, as long as it is there.
struct Stranger<'a> {
    host: &'a Host,
    number: Number,
}

impl Stranger<'_> {
    fn knock(host: &Host) -> (Stranger<'_>, Closing) {
        let (number, closing) = host.room().knock();
        (Stranger { host, number }, closing)
    }
}

impl Drop for Stranger<'_> {
    fn drop(&mut self) {
        self.host.room().no_stranger(self.number);
        self.host.changed.notify_waiters();
    }
}

/// The place of a connection that was let in, as long as it is there.
pub(super) struct Seat {
    pub(super) host: Arc<Host>,
    pub(super) number: Number,
    /// Always there, until it is given back.
    pub(super) client: Option<Client>,
    /// Whether the session has something to tell the client.
    pub(super) has_called: bool,
}

impl Drop for Seat {
    fn drop(&mut self) {
        // One that never called has nothing to be told, and is nobody to go on as.
        let client = self.client.take().filter(|_| self.has_called);
        self.host.leave(self.number, client);
    }
}
