//! Another session, chosen from the list of those there are, while one is attached to.

use std::collections::VecDeque;

use super::{chosen, list, say};
use crate::{pty, registry::SessionName, remote::Place, terminal};

const QUESTION: &str = "Which one? A number or a name; Esc goes back: ";

/// The person's choice; `None` to go back to the one at hand.
///
/// # Errors
/// When the terminal can't be read, or this process is to end.
pub(super) async fn choose(place: &Place, current: &str) -> Result<Option<SessionName>, String> {
    let listed = match list(place).await {
        Ok(listed) => listed,
        Err(why) => {
            say(&format!("[repl] {why}"));
            return Ok(None);
        }
    };
    for (n, (name, line)) in listed.iter().enumerate() {
        let is_current = name.to_string() == current;
        let mark = if is_current { '*' } else { ' ' };
        say(&format!("{:>3}{mark} {line}", n + 1));
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
