//! Another session, chosen from the list of those there are, while one is attached to.

use std::collections::VecDeque;

use super::{chosen, say};
use crate::{
    cli::{ls, sessions},
    pty,
    registry::{Registry, SessionName},
    remote::Place,
    terminal,
};

const QUESTION: &str = "Which one? A number or a name; Esc goes back: ";

/// The person's choice; `None` to go back to the one at hand.
///
/// # Errors
/// When the terminal can't be read, or this process is to end.
pub(super) async fn choose(place: &Place, current: &str) -> Result<Option<SessionName>, String> {
    if *place != Place::Here {
        say("[repl] sessions elsewhere are listed by `CMD mcp-repl ls`");
        return Ok(None);
    }
    let registry = Registry::open().map_err(|error| error.to_string())?;
    let listed = sessions::all(&registry).await;
    for (n, one) in listed.iter().enumerate() {
        let is_current = one.entry.record().name.to_string() == current;
        let mark = if is_current { '*' } else { ' ' };
        say(&format!("{:>3}{mark} {}", n + 1, ls::line(one)));
    }
    let mut ahead = VecDeque::new();
    loop {
        let line = tokio::select! {
            line = terminal::read_line(QUESTION, &mut ahead) => line,
            _ = pty::asked_to_end() => return Err("it was asked to end".into()),
        };
        say("");
        let Ok(line) = line else { return Err("the terminal can't be read".into()) };
        let Some(line) = line.filter(|line| !line.trim().is_empty()) else { return Ok(None) };
        if let Some(name) = chosen(&listed, line.trim()) {
            return Ok(Some(name).filter(|name| name.to_string() != current));
        }
    }
}
