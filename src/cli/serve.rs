//! `mcp-repl`: serve one MCP client over standard input and output.

use std::{io, process::ExitCode};

use tokio::signal::unix::{SignalKind, signal};

use super::runtime;
use crate::{
    mcp, reply,
    screen::Size,
    session::{
        engine::{self, Config},
        launch::Target,
        state::Paging,
    },
};

/// Serves until the client closes standard input, or a signal asks to end.
pub(super) fn serve(target: Target, paging: Paging) -> Result<ExitCode, String> {
    let runtime = runtime()?;
    let result = runtime.block_on(async {
        let config = Config { target, size: Size::default(), budget: reply::BUDGET, paging };
        let (session, engine) = engine::start(config)?;
        let client = async {
            let result = tokio::select! {
                result = mcp::serve(session.clone()) => result,
                result = asked_to_end() => result,
            };
            session.shutdown();
            result
        };
        let result = client.await;
        // The task ends by itself; only a panic in it is an error, which it has told.
        let _ = engine.await;
        result
    });
    // A read of standard input may still be blocked in a thread of the runtime.
    runtime.shutdown_background();
    result.map(|()| ExitCode::SUCCESS).map_err(|error| error.to_string())
}

/// Waits for a signal that asks this process to end.
pub(super) async fn asked_to_end() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}
