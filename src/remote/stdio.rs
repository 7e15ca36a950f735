//! `mcp-repl host --stdio`: what `--via` runs elsewhere. Finds or starts the session there, and carries
//! the control protocol between its host and the standard streams.

use std::{io, time::Duration};

use mcp_repl_control::{Open, PROTOCOL, ToClient, ToHost, encode};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy};

use super::{
    open::{Found, find},
    via::Lines,
};
use crate::registry::Registry;

/// The longest first message, in bytes.
const LONGEST_OPEN: usize = 256 * 1024;

/// How long that may take which a host says last.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Reads which session is wanted from `input`, finds or starts it, and is what carries bytes between
/// its host and the one who asked, until one of the two ends. What goes wrong before is told to the
/// one who asked. The writer keeps nothing back.
///
/// # Errors
/// When nobody reads `output` any more.
pub async fn serve_stdio<R, W>(input: R, mut output: W) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut lines = Lines::new(input);
    let Some(line) = lines.next(LONGEST_OPEN).await? else { return Ok(()) };
    match reach(&line).await {
        Ok(found) => carry(lines.into_reader(), output, found).await,
        Err(message) => output.write_all(&encode(&ToClient::Error { message }, &[])).await,
    }
}

/// The session that the line asks for.
async fn reach(line: &[u8]) -> Result<Found, String> {
    let open = wanted(line)?;
    let registry = Registry::open().map_err(|error| error.to_string())?;
    find(&registry, open).await.map_err(|error| error.to_string())
}

/// What the line asks for.
fn wanted(line: &[u8]) -> Result<Open, String> {
    let unknown = |error| format!("an `open` of the control protocol was expected: {error}");
    let value: Value = serde_json::from_slice(line).map_err(unknown)?;
    // Before the rest, which other versions may write otherwise.
    let spoken = &value["hello"]["protocol"];
    if value["type"] == "open" && *spoken != PROTOCOL {
        return Err(format!(
            "mcp-repl {} there speaks version {PROTOCOL} of the control protocol, and version {spoken} \
             is spoken here; both sides have to be of one version of mcp-repl",
            env!("CARGO_PKG_VERSION")
        ));
    }
    match serde_json::from_value(value).map_err(unknown)? {
        ToHost::Open(open) => Ok(*open),
        _ => Err("an `open` of the control protocol was expected first".into()),
    }
}

/// Carries bytes both ways.
async fn carry<R, W>(mut input: R, mut output: W, found: Found) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    output.write_all(&encode(&ToClient::Welcome(found.welcome.clone()), &[])).await?;
    let (mut from_host, mut to_host, rest) = found.into_streams();
    output.write_all(&rest).await?;
    let says = async {
        // What the host says last is still to come.
        let _ = copy(&mut input, &mut to_host).await;
        let _ = to_host.shutdown().await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    let hears = async { copy(&mut from_host, &mut output).await.map(drop) };
    tokio::select! {
        () = says => Ok(()),
        result = hears => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_no_wish_for_a_session_is_refused() {
        let other = r#"{"type":"open","wanted":1,"hello":{"protocol":2}}"#;
        let refusals = [
            (other, "speaks version 1 of the control protocol, and version 2 is spoken here"),
            (r#"{"type":"open","hello":{"protocol":1}}"#, "missing field"),
            (r#"{"type":"describe"}"#, "an `open` of the control protocol was expected first"),
            ("GET / HTTP/1.1", "an `open` of the control protocol was expected: "),
        ];
        for (line, why) in refusals {
            let mut output = Vec::new();
            serve_stdio(format!("{line}\n").as_bytes(), &mut output).await.unwrap();
            let said: ToClient = serde_json::from_slice(&output).unwrap();
            assert!(
                matches!(&said, ToClient::Error { message } if message.contains(why)),
                "{said:?}"
            );
        }
    }

    #[tokio::test]
    async fn nothing_is_said_to_who_says_nothing() {
        let mut output = Vec::new();
        serve_stdio(&b""[..], &mut output).await.unwrap();
        assert!(output.is_empty());
    }
}
