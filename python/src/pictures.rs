//! Pictures and documents on their way to the server, at their place in the output.

use std::ops::ControlFlow;

use base64::{Engine, engine::general_purpose::STANDARD};
use mcp_repl_sideband::ToServer;
use pyo3::{exceptions::PyKeyboardInterrupt, prelude::*};

use crate::{
    system::{fork, symbols},
    worker::worker,
};

/// The largest picture or document that is sent, in bytes.
pub(crate) const LARGEST: usize = 20 << 20;

/// Sends a picture, behind what was printed so far. May be called from any thread.
///
/// # Errors
/// KeyboardInterrupt.
pub(crate) fn send_image(py: Python<'_>, mime: &str, bytes: &[u8]) -> PyResult<()> {
    send(py, mime, bytes, |mark, mime, data| ToServer::Image { mark, mime, data })
}

/// Sends something to look at that is no picture, if the server takes such. As [`send_image`].
///
/// # Errors
/// KeyboardInterrupt.
pub(crate) fn send_document(py: Python<'_>, mime: &str, bytes: &[u8]) -> PyResult<()> {
    if !worker().is_some_and(|worker| worker.channel.server_takes_documents()) {
        return Ok(());
    }
    send(py, mime, bytes, |mark, mime, data| ToServer::Document { mark, mime, data })
}

/// Says that a picture or document of this size, in bytes, was not sent. As [`send_image`].
///
/// # Errors
/// KeyboardInterrupt.
pub(crate) fn send_too_large(py: Python<'_>, mime: &str, bytes: usize) -> PyResult<()> {
    if !worker().is_some_and(|worker| worker.channel.server_takes_documents()) {
        return Ok(());
    }
    place(py, || {
        let (mime, bytes) = (mime.to_owned(), bytes as u64);
        move |mark| ToServer::TooLarge { mark, mime, bytes }
    })
}

/// Sends a document from a thread without the GIL.
pub(crate) fn send_document_detached(mime: &str, bytes: &[u8]) {
    let Some(worker) = worker() else { return };
    if fork::is_child() || !worker.channel.server_takes_documents() {
        return;
    }
    let mime = mime.to_owned();
    if bytes.len() > LARGEST {
        let bytes = bytes.len() as u64;
        worker.channel.send_marked(b"", |mark| [ToServer::TooLarge { mark, mime, bytes }]);
    } else {
        let data = STANDARD.encode(bytes);
        worker.channel.send_marked(b"", |mark| [ToServer::Document { mark, mime, data }]);
    }
}

fn send(
    py: Python<'_>,
    mime: &str,
    bytes: &[u8],
    message: fn(u64, String, String) -> ToServer,
) -> PyResult<()> {
    if bytes.len() > LARGEST {
        return send_too_large(py, mime, bytes.len());
    }
    place(py, || {
        let data = STANDARD.encode(bytes);
        let mime = mime.to_owned();
        move |mark| message(mark, mime, data)
    })
}

/// Sends what `prepare` gives, behind all that was printed.
fn place<M>(py: Python<'_>, prepare: impl FnOnce() -> M + Send) -> PyResult<()>
where
    M: FnOnce(u64) -> ToServer,
{
    let Some(worker) = worker() else { return Ok(()) };
    if fork::is_child() {
        return Ok(());
    }
    flush_streams(py)?;
    py.detach(|| {
        symbols::flush_c_streams();
        let message = prepare();
        worker.channel.send_marked(b"", |mark| [message(mark)]);
    });
    Ok(())
}

/// Flushes the streams that Python code writes to. Other errors than an interrupt are the
/// program's own making.
fn flush_streams(py: Python<'_>) -> PyResult<()> {
    let sys = py.import("sys")?;
    let flushed =
        ["stdout", "stderr", "__stdout__", "__stderr__"].into_iter().try_for_each(|name| match sys
            .getattr(name)
            .and_then(|stream| stream.call_method0("flush"))
        {
            Err(error) if error.is_instance_of::<PyKeyboardInterrupt>(py) => {
                ControlFlow::Break(error)
            }
            _ => ControlFlow::Continue(()),
        });
    match flushed {
        ControlFlow::Break(interrupt) => Err(interrupt),
        ControlFlow::Continue(()) => Ok(()),
    }
}
