//! The entry of a server in a client's configuration: made of the client's template, and read back.

use serde_json::Value;

use super::{NAME, table::Client};

/// The command line that starts a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The program: a path, or a name on the client's PATH.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
}

impl Server {
    /// Whether it is this program, by its name: itself, or started by `uvx`, `npx` or the like.
    pub fn is_ours(&self) -> bool {
        let starter = ["uvx", "uv", "pipx", "npx", "bunx", "pnpm"].contains(&stem(&self.command));
        stem(&self.command) == OURS || (starter && self.args.iter().any(|word| is_package(word)))
    }

    /// The arguments that are this program's own, without those of what starts it.
    pub fn options(&self) -> &[String] {
        if stem(&self.command) == OURS {
            return &self.args;
        }
        let package = self.args.iter().position(|word| is_package(word));
        package.map_or(&[], |at| &self.args[at + 1..])
    }
}

const OURS: &str = "mcp-repl";

/// A program's name, without its directory (of whatever system) and the ending that Windows wants.
fn stem(command: &str) -> &str {
    let name = command.rsplit(['/', '\\']).next().unwrap_or(command);
    let endings = [".exe", ".cmd", ".bat"];
    endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// Whether a word names the package, of whatever version: `mcp-repl`, `mcp-repl@1.2`, `mcp-repl==1.2`.
fn is_package(word: &str) -> bool {
    let rest = word.strip_prefix(OURS);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['@', '=']))
}

impl Client {
    /// The entry of this server.
    pub(super) fn make_entry(&self, server: &Server) -> toml::Table {
        let fill = |value: &toml::Value| {
            let args = || server.args.iter().cloned().map(toml::Value::String);
            let command = || toml::Value::String(server.command.clone());
            match value.as_str() {
                Some("$name") => NAME.into(),
                Some("$command") => command(),
                Some("$args") => toml::Value::Array(args().collect()),
                Some("$command_and_args") => {
                    toml::Value::Array([command()].into_iter().chain(args()).collect())
                }
                _ => value.clone(),
            }
        };
        self.entry.iter().map(|(key, value)| (key.clone(), fill(value))).collect()
    }

    /// What the entry's place is called: `mcpServers.repl`.
    pub(super) fn entry_name(&self) -> String {
        let key = self.key.join(".");
        if self.list { format!("{key}[{NAME}]") } else { format!("{key}.{NAME}") }
    }

    /// The fields of an entry that say what is run.
    pub(super) fn is_command_field(&self, field: &str) -> bool {
        let value = self.entry.get(field).and_then(toml::Value::as_str);
        value.is_some_and(|value| value.starts_with('$'))
    }

    /// What an entry starts. `None` if it starts no program.
    pub(super) fn read_entry(&self, entry: &Value) -> Option<Server> {
        let field = |wanted: &str| {
            let is_it = |(_, value): &(&String, &toml::Value)| value.as_str() == Some(wanted);
            self.entry.iter().find(is_it).map(|(key, _)| entry.get(key).unwrap_or(&Value::Null))
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let texts = |value: &Value| match value {
            Value::Null => Some(Vec::new()),
            value => value.as_array()?.iter().map(text).collect(),
        };
        if let Some(words) = field("$command_and_args") {
            let mut words: Vec<String> = texts(words)?;
            if words.is_empty() {
                return None;
            }
            return Some(Server { command: words.remove(0), args: words });
        }
        Some(Server { command: text(field("$command")?)?, args: texts(field("$args")?)? })
    }
}

#[cfg(test)]
mod tests {
    use super::{super::clients, *};

    fn server(command: &str, args: &[&str]) -> Server {
        Server { command: command.into(), args: args.iter().map(|arg| (*arg).into()).collect() }
    }

    #[test]
    fn an_entry_is_read_as_it_was_made_by_every_client() {
        let servers = [server("/usr/bin/mcp-repl", &[]), server("mcp-repl", &["--pager", "page"])];
        for (client, server) in
            clients().iter().flat_map(|one| servers.iter().map(move |s| (one, s)))
        {
            let entry = serde_json::to_value(client.make_entry(server)).unwrap();
            assert_eq!(client.read_entry(&entry).as_ref(), Some(server), "{}", client.id);
        }
    }

    #[test]
    fn what_is_ours_is_told_by_the_program() {
        for (command, args) in [
            ("mcp-repl", &[][..]),
            ("/usr/bin/mcp-repl", &["--pager", "page"]),
            (r"C:\Program Files\mcp-repl.exe", &[]),
            ("uvx", &["mcp-repl", "--pager", "page"]),
            ("/usr/bin/uvx", &["mcp-repl@1.2"]),
            ("npx", &["-y", "mcp-repl"]),
            ("uv", &["tool", "run", "mcp-repl"]),
        ] {
            assert!(server(command, args).is_ours(), "{command}");
        }
        for (command, args) in [
            ("repl", &[][..]),
            ("/opt/mcp-repl/bin/other", &[]),
            ("python", &["mcp-repl"]),
            ("npx", &["-y", "mcp-repl-other"]),
            ("mcp-repl-other", &[]),
            ("", &[]),
        ] {
            assert!(!server(command, args).is_ours(), "{command}");
        }
        assert_eq!(server("npx", &["-y", "mcp-repl", "--keep"]).options(), ["--keep"]);
        assert_eq!(server("/x/mcp-repl", &["--keep"]).options(), ["--keep"]);
    }

    #[test]
    fn entries_that_start_nothing_are_not_read() {
        let cursor = super::super::client("cursor").unwrap();
        for entry in [
            serde_json::json!({"url": "https://example.org"}),
            serde_json::json!({"command": 7}),
            serde_json::json!({"command": "x", "args": "y"}),
            serde_json::json!({"command": "x", "args": [1]}),
            serde_json::json!("x"),
            Value::Null,
        ] {
            assert_eq!(cursor.read_entry(&entry), None, "{entry}");
        }
        let bare = serde_json::json!({"command": "x"});
        assert_eq!(cursor.read_entry(&bare), Some(server("x", &[])));
    }
}
