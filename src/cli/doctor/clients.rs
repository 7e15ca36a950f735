//! In which clients of this machine the server is configured, with which options, and whether what
//! they start is there.

use crate::install::{self, Client, Entry, Presence, Scope, Surroundings};

/// A line for each client that is here, and each project file that names the server.
pub(super) fn lines(around: &Surroundings) -> Vec<String> {
    let of = |client, scope| line(client, scope, around);
    let both = |client| [of(client, Scope::User), of(client, Scope::Project)];
    install::clients().iter().flat_map(both).flatten().collect()
}

/// What there is to say of a client; `None` where it is not here, or its project file does not name
/// the server.
fn line(client: &Client, scope: Scope, around: &Surroundings) -> Option<String> {
    if scope == Scope::Project && !client.has_project_file() {
        return None;
    }
    let found = install::find_in(client, scope, around);
    let (id, title) = (&client.id, &client.title);
    let (title, project) = match scope {
        Scope::User => (title.clone(), ""),
        Scope::Project => (format!("{title} in this project"), " --project"),
    };
    let mends = format!("`mcp-repl install {id}{project}`");
    let text = match (found.presence, &found.entry) {
        (Presence::Absent, _) => return None,
        (Presence::Unreadable(error), _) => format!("its file can't be read: {error}"),
        (Presence::Present, None) if scope == Scope::Project => return None,
        (Presence::Present, None) => format!("not configured; {mends}"),
        (Presence::Present, Some(Entry::Foreign(_))) => {
            format!("`{}` starts another program ({})", install::NAME, found.file.display())
        }
        (Presence::Present, Some(entry @ Entry::Ours(server))) => {
            let words = [std::slice::from_ref(&server.command), &server.args].concat();
            let command = shell_words::join(words);
            match entry.program_exists(around) {
                true => format!("ok, {command}"),
                false => format!("{} is not there ({command}); {mends} mends that", server.command),
            }
        }
    };
    Some(format!("{title}: {text}"))
}
