//! `mcp-repl exec --session NAME`: cells in a session that lives, and goes on.

use std::process::ExitCode;

use mcp_repl_control::{
    Attachments as Wanted, Budget, Hello, MOST_TEXT, Open, Role, Sandbox, SessionOptions,
    Wanted as Session,
};
use tokio::io::stdout;

use super::{Asks, Attachments, Out, Printer, Run, Stop, exit_code};
use crate::{
    cli::runtime,
    pty::Requests,
    registry::SessionName,
    remote::{self, Opened, Place, Underway},
};

/// Runs the cells in the session that is wanted, and prints whole replies.
pub(super) fn exec(
    place: &Place,
    wanted: Open,
    cells: Vec<String>,
    stops: bool,
    json: bool,
    attachments: Attachments,
) -> Result<ExitCode, String> {
    let runtime = runtime()?;
    let result = runtime.block_on(async {
        let requests = Requests::new().map_err(|error| format!("no signals: {error}"))?;
        let opened = remote::open(place, wanted, &Underway::default()).await;
        let Opened { handle, connection, welcome, .. } =
            opened.map_err(|error| error.to_string())?;
        let out = if json { Out::Json(stdout()) } else { Out::Text(stdout()) };
        let mut run = Run {
            client: handle.join(),
            following: None,
            told: 0,
            asks: Asks::new(requests, None),
            printer: Printer { out, attachments },
            stops,
            is_joined: true,
            // What the first reply has was printed before.
            has_begun: false,
        };
        let ended = run.all(cells).await;
        // What was told is said to the host before it is left.
        drop((run, handle));
        let end = connection.ended().await;
        match ended {
            Err(Stop::Gone) => Err(format!("the session {} is gone: {end}", welcome.session)),
            ended => exit_code(ended),
        }
    });
    // A read of standard input may still be blocked in a thread of the runtime.
    runtime.shutdown_background();
    result
}

/// The session of this name, if it lives and allows no more than this, with room for whole replies.
pub(super) fn open(name: &SessionName, sandbox: Option<Sandbox>) -> Open {
    Open {
        wanted: Session::Named { name: name.to_string(), start: false },
        options: SessionOptions { sandbox, ..SessionOptions::default() },
        hello: Hello {
            budget: Some(Budget { text: MOST_TEXT, attachments: Wanted::All }),
            once: true,
            ..Hello::new(Role::Client, "exec")
        },
    }
}
