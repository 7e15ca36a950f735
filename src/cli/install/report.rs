//! What `install` and `uninstall` say: the plan, differences, what was done; for people and as JSON.

use std::fmt::Write;

use similar::TextDiff;

use super::is_well;
use crate::install::{FileChange, Plan, State, backup_of};

/// A plan, and what became of it.
pub(super) struct Report<'a> {
    plan: &'a Plan,
    are_named: bool,
    /// Whether it takes the server out.
    takes_out: bool,
    notes: Vec<String>,
    /// Of each file that was to change: what became of it, once it was tried.
    results: Vec<Result<Vec<String>, String>>,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        are_named: bool,
        takes_out: bool,
        notes: Vec<String>,
    ) -> Self {
        Self { plan, are_named, takes_out, notes, results: Vec::new() }
    }

    /// What is found and would change.
    pub(super) fn plan(&self, with_differences: bool) -> String {
        let mut out = String::new();
        let clients = &self.plan.clients;
        let shown = |state: &State| {
            self.are_named || !matches!(state, State::Absent | State::NoProjectFile)
        };
        let titles = clients.iter().filter(|client| shown(&client.state));
        let width = titles.map(|client| client.client.title.chars().count()).max().unwrap_or(0) + 2;
        for client in clients.iter().filter(|client| shown(&client.state)) {
            let mut lines = Vec::new();
            match &client.state {
                State::Absent => lines.push("not found on this machine".to_owned()),
                State::NoProjectFile => lines.push("it has no file of its own in projects".into()),
                State::Unreadable(why) => lines.push(format!("LEFT ALONE: {why}")),
                State::Conflict(entry) => {
                    lines.push(client.file.display().to_string());
                    lines.push(format!(
                        "LEFT ALONE: an entry `repl` starts something else: {entry}"
                    ));
                    lines.push("(--replace replaces it)".into());
                }
                State::Nothing => {
                    lines.push(client.file.display().to_string());
                    lines.push("nothing to change".into());
                }
                State::Changes => {
                    for change in self.plan.files.iter() {
                        let Some(at) =
                            change.clients.iter().position(|one| one.id == client.client.id)
                        else {
                            continue;
                        };
                        lines.push(change.file.display().to_string());
                        lines.push(change.what[at].clone() + &how(change));
                    }
                }
            }
            lines.extend(client.notes.iter().cloned());
            let mut title = client.client.title.as_str();
            for line in lines {
                let _ = writeln!(out, "{title:<width$}{}", visible(&line));
                title = "";
            }
        }
        let absent: Vec<&str> = clients
            .iter()
            .filter(|client| !shown(&client.state))
            .map(|client| client.client.title.as_str())
            .collect();
        if absent.len() == clients.len() && !clients.is_empty() {
            out += "No client was found on this machine; name one, with --project, for a file in this \
                    directory.\n";
        } else if !absent.is_empty() {
            let _ = writeln!(out, "Not here: {}.", absent.join(", "));
        }
        for note in &self.notes {
            let _ = writeln!(out, "Note: {}.", visible(note));
        }
        if with_differences {
            for change in &self.plan.files {
                out.push('\n');
                out += &difference(change);
            }
        }
        out
    }

    /// Carries the plan out: a file that fails is told, and the others are written.
    pub(super) fn apply(&mut self) {
        let results = self.plan.files.iter().map(|change| change.apply());
        self.results = results.map(|result| result.map_err(|error| error.to_string())).collect();
    }

    /// What was done.
    pub(super) fn done(&self) -> String {
        let mut out = String::new();
        for (change, result) in self.plan.files.iter().zip(&self.results) {
            match result {
                Ok(notes) => {
                    let verb = if change.after.is_some() { "wrote" } else { "deleted" };
                    let _ = writeln!(out, "{verb} {}", visible(&change.file.display().to_string()));
                    for note in notes {
                        let _ = writeln!(out, "  {}", visible(note));
                    }
                }
                Err(why) => {
                    let _ = writeln!(out, "NOT WRITTEN: {}", visible(why));
                }
            }
        }
        let clients = self.plan.clients.iter();
        let mut changed = clients.filter(|client| self.is_changed(&client.client.id)).peekable();
        if self.takes_out && changed.peek().is_some() {
            out += "A client that runs has the server until it is started again.\n";
            return out;
        }
        for client in changed {
            let _ = writeln!(out, "{}: {}.", client.client.title, client.client.restart);
        }
        out
    }

    fn is_changed(&self, id: &str) -> bool {
        let of_client = |change: &FileChange| change.clients.iter().any(|client| client.id == id);
        let mut results = self.plan.files.iter().zip(&self.results);
        results.any(|(change, result)| of_client(change) && result.is_ok())
    }

    /// Whether all that was meant is done, or needs not be done.
    pub(super) fn is_well(&self) -> bool {
        let mut states = self.plan.clients.iter().map(|client| &client.state);
        let is_absent = |state: &State| matches!(state, State::Absent | State::NoProjectFile);
        let is_nowhere = !self.are_named && states.clone().all(is_absent);
        !is_nowhere
            && states.all(|state| is_well(state, self.are_named))
            && self.results.iter().all(Result::is_ok)
    }

    /// The same for programs.
    pub(super) fn json(&self) -> String {
        let files = |id: &str| {
            let changes = self.plan.files.iter().enumerate();
            let of_client = changes.filter_map(|(n, change)| {
                let at = change.clients.iter().position(|client| client.id == id)?;
                let result = self.results.get(n);
                let error = result.and_then(|result| result.as_ref().err());
                let notes = result.and_then(|result| result.as_ref().ok());
                Some(serde_json::json!({
                    "file": change.file.display().to_string(),
                    "change": change.what[at],
                    "written": result.is_some_and(Result::is_ok),
                    "error": error,
                    "notes": notes.cloned().unwrap_or_default(),
                    "difference": difference(change),
                }))
            });
            of_client.collect::<Vec<_>>()
        };
        let clients = self.plan.clients.iter().map(|client| {
            let (state, why) = match &client.state {
                State::Absent => ("absent", None),
                State::NoProjectFile => ("no project file", None),
                State::Unreadable(why) => ("unreadable", Some(why.to_string())),
                State::Conflict(entry) => ("conflict", Some(entry.clone())),
                State::Changes => ("changes", None),
                State::Nothing => ("nothing to change", None),
            };
            serde_json::json!({
                "client": client.client.id,
                "title": client.client.title,
                "file": client.file.display().to_string(),
                "state": state,
                "why": why,
                "notes": client.notes,
                "changes": files(&client.client.id),
                "restart": client.client.restart,
            })
        });
        let report =
            serde_json::json!({ "clients": clients.collect::<Vec<_>>(), "notes": self.notes });
        format!("{report:#}\n")
    }
}

/// By what a file is changed, and what is kept of it.
fn how(change: &FileChange) -> String {
    let mut how = String::new();
    if let Some((program, args)) = &change.command {
        let name = program.file_stem().unwrap_or_default().to_string_lossy();
        let words = args.iter().take_while(|word| {
            word.starts_with(|c: char| c.is_ascii_lowercase()) || *word == "--add-mcp"
        });
        let words: Vec<&str> = words.map(String::as_str).take(2).collect();
        let _ = write!(how, ", by `{name} {}`", words.join(" "));
    }
    if change.is_kept_now() {
        let _ = write!(how, " (what it was stays in {})", backup_of(&change.file).display());
    }
    how
}

/// What changes in a file, as `diff -u` shows it.
fn difference(change: &FileChange) -> String {
    let (before, after) = (change.before.as_deref(), change.after.as_deref());
    let name = change.file.display().to_string();
    let none = "/dev/null";
    let names = [before.map_or(none, |_| name.as_str()), after.map_or(none, |_| name.as_str())];
    let diff = TextDiff::from_lines(before.unwrap_or_default(), after.unwrap_or_default());
    visible(&diff.unified_diff().header(names[0], names[1]).to_string())
}

/// A text of somebody's file on a terminal: what is no character is shown as its code.
fn visible(text: &str) -> String {
    let is_plain = |c: char| !c.is_control() || c == '\n' || c == '\t';
    let mut visible = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) { visible.push(c) } else { visible.extend(c.escape_default()) }
    }
    visible
}
