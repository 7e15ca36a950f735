//! What would be changed, found out without changing anything.

use std::path::{Path, PathBuf};

use super::{
    change,
    document::DocumentError,
    entry::Server,
    find::{self, Entry, FileError, Presence},
    surroundings::Surroundings,
    table::{Client, Scope},
};

/// What is to be installed.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The command line that starts the server.
    pub server: Server,
    /// Calls of the tool are allowed, where the client can be told so in a file.
    pub allow: bool,
    /// The text of the skill.
    pub skill: Option<String>,
    /// Entries of the server's name that start something else are replaced.
    pub replace: bool,
    /// A project's file is made for clients that are not on this machine, too.
    pub absent_too: bool,
}

/// All that would be changed.
#[derive(Debug, Default)]
pub struct Plan {
    /// What becomes of each client.
    pub clients: Vec<ClientPlan>,
    /// The files that change, in the order in which they are written.
    pub files: Vec<FileChange>,
}

/// What becomes of a client.
#[derive(Debug)]
pub struct ClientPlan {
    /// Which one.
    pub client: &'static Client,
    /// The file in which its servers stand.
    pub file: PathBuf,
    /// What was found.
    pub state: State,
    /// What a person should know beside that.
    pub notes: Vec<String>,
}

/// What was found of a client.
#[derive(Debug)]
pub enum State {
    /// It is not on this machine.
    Absent,
    /// It has no file of its own in projects.
    NoProjectFile,
    /// Its file can't be read, or is one that can't be changed: left alone.
    Unreadable(FileError),
    /// Its file has an entry of the server's name that is something else, as JSON: left alone.
    Conflict(String),
    /// Files change.
    Changes,
    /// All is already as it is to be.
    Nothing,
}

/// A file that changes.
#[derive(Debug, Clone)]
pub struct FileChange {
    /// The file, as the client names it.
    pub file: PathBuf,
    /// For whom.
    pub clients: Vec<&'static Client>,
    /// What changes in it, a line each: the key, and what becomes of it.
    pub what: Vec<String>,
    /// Its text now; `None` if it is not there.
    pub before: Option<String>,
    /// Its text then; `None` if it goes.
    pub after: Option<String>,
    /// The client's own command by which it is changed, if it can be.
    pub command: Option<(PathBuf, Vec<String>)>,
    /// The client and the server that it gets, where the command is asked, to look at what it did.
    pub(super) server: Option<(&'static Client, Server, bool)>,
    /// Whether its text from before is kept beside it.
    pub(super) is_kept: bool,
    /// Whether the text kept beside it goes: it is what the file gets back, or of no use.
    pub(super) backup_goes: bool,
}

impl FileChange {
    /// Whether writing it begins with keeping its text.
    pub fn is_kept_now(&self) -> bool {
        self.is_kept && backup_of(&self.file).symlink_metadata().is_err()
    }
}

/// Where the text of a file from before its first change is kept.
pub fn backup_of(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".mcp-repl-backup");
    file.with_file_name(name)
}

impl Plan {
    /// What installing for these clients would change.
    pub fn install(
        clients: &[&'static Client],
        scope: Scope,
        wanted: &Wanted,
        around: &Surroundings,
    ) -> Self {
        let mut planner = Planner { scope, around, plan: Self::default() };
        for client in clients {
            let absent_too = scope == Scope::Project && wanted.absent_too;
            planner.add(client, absent_too, |planner, file, notes| {
                planner.install(client, wanted, file, notes)
            });
        }
        planner.plan
    }

    /// What taking it out of these clients would change.
    pub fn uninstall(clients: &[&'static Client], scope: Scope, around: &Surroundings) -> Self {
        let mut planner = Planner { scope, around, plan: Self::default() };
        for client in clients {
            planner.add(client, false, |planner, file, notes| {
                planner.uninstall(client, clients, file, notes)
            });
        }
        planner.plan
    }
}

/// A plan that grows, client by client.
struct Planner<'a> {
    scope: Scope,
    around: &'a Surroundings,
    plan: Plan,
}

impl Planner<'_> {
    /// Adds what becomes of a client, if there is something to be looked at.
    fn add(
        &mut self,
        client: &'static Client,
        absent_too: bool,
        look: impl FnOnce(&mut Self, &Path, &mut Vec<String>) -> Result<State, FileError>,
    ) {
        let mut notes = Vec::new();
        let found = find::find_in(client, self.scope, self.around);
        let state = match found.presence {
            _ if self.scope == Scope::Project && !client.has_project_file() => State::NoProjectFile,
            Presence::Unreadable(error) => State::Unreadable(error),
            Presence::Absent if !absent_too => State::Absent,
            Presence::Absent | Presence::Present => {
                let planned = self.plan.files.clone();
                look(self, &found.file, &mut notes).unwrap_or_else(|error| {
                    // All of it or nothing.
                    self.plan.files = planned;
                    State::Unreadable(error)
                })
            }
        };
        self.plan.clients.push(ClientPlan { client, file: found.file, state, notes });
    }

    fn install(
        &mut self,
        client: &'static Client,
        wanted: &Wanted,
        file: &Path,
        notes: &mut Vec<String>,
    ) -> Result<State, FileError> {
        let (scope, around) = (self.scope, self.around);
        let before = self.text(file)?;
        let text = before.as_deref().unwrap_or(client.new_file(scope));
        let entry = find::entry_in(client, text).map_err(|error| in_file(file, error))?;
        let (verb, anew) = match &entry {
            None => ("added", false),
            Some(Entry::Ours(_)) => ("brought up to date", false),
            Some(Entry::Foreign(_)) if wanted.replace => ("replaced", true),
            Some(Entry::Foreign(text)) => return Ok(State::Conflict(text.clone())),
        };
        let changed = change::with_server(client, text, &wanted.server, wanted.allow, anew);
        let changed = changed.map_err(|error| in_file(file, error))?;
        notes.extend(changed.notes);
        let mut changes = false;
        if before.as_deref() != Some(&changed.text) {
            let what = format!("{}: {verb}", client.entry_name());
            let is_kept = !matches!(entry, Some(Entry::Ours(_)));
            let change = self.change(client, file, before, Some(changed.text), what, is_kept);
            if scope == Scope::User && entry.is_none() {
                change.command = client.adding_command(&wanted.server, around);
                change.server = Some((client, wanted.server.clone(), wanted.allow));
            }
            changes = true;
        }
        if let Some(permission) = client.allow_item.as_ref().filter(|_| wanted.allow) {
            let file = permission.file(scope, around);
            let before = self.text(&file)?;
            let text = before.as_deref().unwrap_or_default();
            let changed =
                change::with_item(permission.format, text, &permission.key, &permission.item);
            let changed = changed.map_err(|error| in_file(&file, error))?;
            if before.as_deref() != Some(&changed) {
                let what = format!("{}: {:?} added", permission.key.join("."), permission.item);
                self.change(client, &file, before, Some(changed), what, true);
                changes = true;
            }
        }
        if let Some(skill) = &wanted.skill {
            match client.skills(scope, around) {
                Some(directory) => {
                    changes |= self.install_skill(client, &skill_in(&directory), skill, notes)?;
                }
                None => notes.push("it looks for no skills in files, as far as is known".into()),
            }
        }
        Ok(if changes { State::Changes } else { State::Nothing })
    }

    fn install_skill(
        &mut self,
        client: &'static Client,
        file: &Path,
        skill: &str,
        notes: &mut Vec<String>,
    ) -> Result<bool, FileError> {
        let before = self.text(file)?;
        match before.as_deref() {
            Some(text) if text == skill => return Ok(false),
            Some(text) if !is_our_skill(text) => {
                notes.push(format!("{} is another skill: left alone", file.display()));
                return Ok(false);
            }
            _ => {}
        }
        let verb = if before.is_some() { "brought up to date" } else { "added" };
        self.change(
            client,
            file,
            before,
            Some(skill.to_owned()),
            format!("the skill: {verb}"),
            true,
        );
        Ok(true)
    }

    fn uninstall(
        &mut self,
        client: &'static Client,
        all: &[&'static Client],
        file: &Path,
        notes: &mut Vec<String>,
    ) -> Result<State, FileError> {
        let (scope, around) = (self.scope, self.around);
        let before = self.text(file)?;
        let mut changes = false;
        if let Some(text) = before {
            match find::entry_in(client, &text).map_err(|error| in_file(file, error))? {
                Some(Entry::Foreign(entry)) => {
                    notes.push(format!(
                        "{} is something else: left alone: {entry}",
                        client.entry_name()
                    ));
                }
                Some(Entry::Ours(_)) => {
                    let original = find::read(&backup_of(file)).ok().flatten();
                    let after = change::without_server(client, &text, original.as_deref());
                    let after = after.map_err(|error| in_file(file, error))?;
                    let what = format!("{}: taken out", client.entry_name());
                    // What was made by an installation goes with it.
                    let goes =
                        original.is_none() && change::is_as_new(&after, client.new_file(scope));
                    let is_restored = original.as_ref() == Some(&after);
                    let after = Some(after).filter(|_| !goes);
                    self.change(client, file, Some(text), after, what, false).backup_goes =
                        is_restored;
                    changes = true;
                }
                None => {}
            }
        }
        if let Some(permission) = &client.allow_item {
            let file = permission.file(scope, around);
            if let Some(text) = self.text(&file)? {
                let original = find::read(&backup_of(&file)).ok().flatten();
                let (format, item) = (permission.format, &permission.item);
                let after =
                    change::without_item(format, &text, &permission.key, item, original.as_deref());
                let after = after.map_err(|error| in_file(&file, error))?;
                if after != text {
                    let what = format!("{}: {item:?} taken out", permission.key.join("."));
                    let goes = original.is_none() && change::is_as_new(&after, "");
                    let is_restored = original.as_ref() == Some(&after);
                    let after = Some(after).filter(|_| !goes);
                    self.change(client, &file, Some(text), after, what, false).backup_goes =
                        is_restored;
                    changes = true;
                }
            }
        }
        if let Some(directory) = client.skills(scope, around) {
            // Several look in one directory: it goes with the last of them.
            let uses_it = |other: &&Client| {
                !all.iter().any(|one| one.id == other.id)
                    && other.skills(scope, around).as_ref() == Some(&directory)
                    && matches!(find::find_in(other, scope, around).entry, Some(Entry::Ours(_)))
            };
            let file = skill_in(&directory);
            let text = self.text(&file)?.filter(|text| is_our_skill(text));
            if let Some(text) =
                text.filter(|_| !super::clients().iter().any(|other| uses_it(&other)))
            {
                let what = "the skill: taken out".to_owned();
                // What was kept of an older version.
                let kept = find::read(&backup_of(&file)).ok().flatten();
                self.change(client, &file, Some(text), None, what, false).backup_goes =
                    kept.is_some_and(|text| is_our_skill(&text));
                changes = true;
            }
        }
        Ok(if changes { State::Changes } else { State::Nothing })
    }

    /// The text that a file has, or will have by what is planned already.
    fn text(&self, file: &Path) -> Result<Option<String>, FileError> {
        match self.plan.files.iter().find(|change| change.file == file) {
            Some(change) => Ok(change.after.clone()),
            None => find::read(file),
        }
    }

    fn change(
        &mut self,
        client: &'static Client,
        file: &Path,
        before: Option<String>,
        after: Option<String>,
        what: String,
        is_kept: bool,
    ) -> &mut FileChange {
        if let Some(at) = self.plan.files.iter().position(|change| change.file == file) {
            let change = &mut self.plan.files[at];
            change.after = after;
            change.clients.push(client);
            change.what.push(what);
            return change;
        }
        let is_kept = is_kept && before.is_some();
        self.plan.files.push(FileChange {
            file: file.to_owned(),
            clients: vec![client],
            what: vec![what],
            before,
            after,
            command: None,
            server: None,
            is_kept,
            backup_goes: false,
        });
        let last = self.plan.files.len() - 1;
        &mut self.plan.files[last]
    }
}

fn in_file(file: &Path, error: DocumentError) -> FileError {
    FileError::Document { file: file.to_owned(), error }
}

fn skill_in(directory: &Path) -> PathBuf {
    directory.join(super::NAME).join("SKILL.md")
}

/// Whether a skill is this program's, of whatever version.
fn is_our_skill(text: &str) -> bool {
    text.starts_with("---") && text.contains("mcp-repl")
}
