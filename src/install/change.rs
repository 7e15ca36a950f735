//! What an installation makes of the texts of files, and what taking it out makes of them. Pure.

use serde_json::Value;

use super::{
    NAME,
    document::{self, DocumentError, Edit, Format},
    entry::Server,
    find::{entry_of, is_named},
    table::{Client, ListItem},
};

/// A text that was changed, and what could not be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) text: String,
    pub(super) notes: Vec<String>,
}

/// The text of a client's file with the server in it. An entry that is there keeps what it has beside
/// the command; `anew` replaces it.
///
/// # Errors
/// When the text is broken or has a form that is not changed.
pub(super) fn with_server(
    client: &Client,
    text: &str,
    server: &Server,
    allow: bool,
    anew: bool,
) -> Result<Changed, DocumentError> {
    let document = document::parse(client.format, text)?;
    let entry = entry_of(client, &document).filter(|_| !anew);
    let wanted = wanted_entry(client, entry, server, allow);
    let mut text = match entry {
        // Whole, where there is none yet, or where the format has no way to change a part.
        entry if entry.is_none() || client.list || client.format == Format::Yaml => {
            let is_there = entry == Some(&document::json(&wanted.clone().into()));
            if is_there { text.to_owned() } else { put(client, text, &document, &wanted.into())? }
        }
        _ => {
            let mut text = text.to_owned();
            for (field, value) in &wanted {
                let path = path_of(client, Some(field));
                text = document::edit(client.format, &text, Edit::Set { path: &path, value })?;
            }
            text
        }
    };
    let mut notes = Vec::new();
    for ListItem { key, item } in &client.items {
        match with_item(client.format, &text, key, item) {
            Ok(changed) => text = changed,
            Err(why) => notes.push(format!("{item:?} was not added to {}: {why}", key.join("."))),
        }
    }
    Ok(Changed { text, notes })
}

/// What the entry is to have: what it has, but for the command; what the template has beyond that; what
/// calls are allowed by.
fn wanted_entry(
    client: &Client,
    entry: Option<&Value>,
    server: &Server,
    allow: bool,
) -> toml::Table {
    let empty = serde_json::Map::new();
    let has = entry.and_then(Value::as_object).unwrap_or(&empty);
    let mut wanted = toml::Table::new();
    for (field, value) in client.make_entry(server) {
        let kept = has.get(&field).filter(|_| !client.is_command_field(&field)).and_then(of_json);
        wanted.insert(field, kept.unwrap_or(value));
    }
    // One list may have more in it.
    for (field, value) in client.allow.iter().filter(|_| allow) {
        let kept = has.get(field).and_then(of_json);
        let value = match (kept, value) {
            (Some(toml::Value::Array(mut items)), toml::Value::Array(more)) => {
                items.extend(more.iter().filter(|item| !has_item(has.get(field), item)).cloned());
                toml::Value::Array(items)
            }
            (_, value) => value.clone(),
        };
        wanted.insert(field.clone(), value);
    }
    for (field, value) in has {
        if let Some(value) = of_json(value).filter(|_| !wanted.contains_key(field)) {
            wanted.insert(field.clone(), value);
        }
    }
    wanted
}

fn has_item(list: Option<&Value>, item: &toml::Value) -> bool {
    let items = list.and_then(Value::as_array);
    items.is_some_and(|items| items.contains(&document::json(item)))
}

/// The same value for an editor. `None` for what only JSON has.
fn of_json(value: &Value) -> Option<toml::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(is) => (*is).into(),
        Value::Number(number) => match number.as_i64() {
            Some(number) => number.into(),
            None => number.as_f64()?.into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => toml::Value::Array(items.iter().filter_map(of_json).collect()),
        Value::Object(members) => {
            let member = |(key, value): (&String, &Value)| Some((key.clone(), of_json(value)?));
            toml::Value::Table(members.iter().filter_map(member).collect())
        }
    })
}

/// Where the entry stands, or a field of it.
fn path_of(client: &Client, field: Option<&str>) -> Vec<String> {
    client.key.iter().map(String::as_str).chain([NAME]).chain(field).map(str::to_owned).collect()
}

/// The text with a whole entry, in place of one that is there.
fn put(
    client: &Client,
    text: &str,
    document: &Value,
    entry: &toml::Value,
) -> Result<String, DocumentError> {
    if !client.list {
        let path = path_of(client, None);
        return document::edit(client.format, text, Edit::Set { path: &path, value: entry });
    }
    let mut text = text.to_owned();
    if let Some(index) = place_in_list(client, document) {
        text = document::edit(client.format, &text, Edit::Take { path: &client.key, index })?;
    }
    document::edit(client.format, &text, Edit::Push { path: &client.key, item: entry })
}

/// Whether a text of the client's file has an entry that starts this program.
pub(super) fn has_ours(client: &Client, text: &str) -> bool {
    let document = document::parse(client.format, text).ok();
    let server = document.as_ref().and_then(|document| entry_of(client, document));
    server.and_then(|entry| client.read_entry(entry)).is_some_and(|server| server.is_ours())
}

fn place_in_list(client: &Client, document: &Value) -> Option<usize> {
    document::at(document, &client.key)?.as_array()?.iter().position(is_named)
}

/// The text with an item in a list.
///
/// # Errors
/// As [`document::edit`].
pub(super) fn with_item(
    format: Format,
    text: &str,
    key: &[String],
    item: &str,
) -> Result<String, DocumentError> {
    let document = document::parse(format, text)?;
    let item = toml::Value::from(item);
    if has_item(document::at(&document, key), &item) {
        return Ok(text.to_owned());
    }
    document::edit(format, text, Edit::Push { path: key, item: &item })
}

/// The text of a client's file without the server, and without what came with it. What was there before
/// stays; `original` is the text from before, where it is known.
///
/// # Errors
/// When the text is broken or has a form that is not changed.
pub(super) fn without_server(
    client: &Client,
    text: &str,
    original: Option<&str>,
) -> Result<String, DocumentError> {
    let document = document::parse(client.format, text)?;
    let Some(entry) = entry_of(client, &document) else { return Ok(text.to_owned()) };
    // What has the server in it is from no time before.
    let original = original.filter(|text| !has_ours(client, text));
    // Where only the installation has changed it, the very text that was there comes back.
    if let (Some(original), Some(server)) = (original, client.read_entry(entry)) {
        let document = document::parse(client.format, original).ok();
        let had_another = document.is_some_and(|document| entry_of(client, &document).is_some());
        for allow in [false, true] {
            let again = with_server(client, original, &server, allow, had_another);
            if again.is_ok_and(|again| again.text == text) {
                return Ok(original.to_owned());
            }
        }
    }
    let before = original.and_then(|text| document::parse(client.format, text).ok());
    let mut without = if client.list {
        let index = place_in_list(client, &document).unwrap_or_default();
        document::edit(client.format, text, Edit::Take { path: &client.key, index })?
    } else {
        let path = path_of(client, None);
        document::edit(client.format, text, Edit::Remove { path: &path })?
    };
    // What was replaced comes back.
    let replaced = before.as_ref().and_then(|before| of_json(entry_of(client, before)?));
    if let Some(replaced) = replaced {
        let document = document::parse(client.format, &without)?;
        without = put(client, &without, &document, &replaced)?;
    }
    without = without_empty(client.format, without, &client.key, before.as_ref())?;
    for ListItem { key, item } in &client.items {
        let was_there = before.as_ref().and_then(|before| document::at(before, key));
        if !has_item(was_there, &item.as_str().into()) {
            without = take_item(client.format, without, key, item, before.as_ref())?;
        }
    }
    Ok(as_before(client.format, without, original))
}

/// The text without an item of a list, which was not there before.
///
/// # Errors
/// As [`document::edit`].
pub(super) fn without_item(
    format: Format,
    text: &str,
    key: &[String],
    item: &str,
    original: Option<&str>,
) -> Result<String, DocumentError> {
    if let Some(original) = original
        && with_item(format, original, key, item).is_ok_and(|again| again == text)
    {
        return Ok(original.to_owned());
    }
    let before = original.and_then(|text| document::parse(format, text).ok());
    let was_there = before.as_ref().and_then(|before| document::at(before, key));
    if has_item(was_there, &item.into()) {
        return Ok(text.to_owned());
    }
    let without = take_item(format, text.to_owned(), key, item, before.as_ref())?;
    Ok(as_before(format, without, original))
}

fn take_item(
    format: Format,
    text: String,
    key: &[String],
    item: &str,
    before: Option<&Value>,
) -> Result<String, DocumentError> {
    let document = document::parse(format, &text)?;
    let items = document::at(&document, key).and_then(Value::as_array);
    let Some(index) = items.and_then(|items| items.iter().position(|one| one == item)) else {
        return Ok(text);
    };
    let without = document::edit(format, &text, Edit::Take { path: key, index })?;
    without_empty(format, without, key, before)
}

/// The text without the tables and lists on the way to a key that are empty and were not there before.
fn without_empty(
    format: Format,
    mut text: String,
    key: &[String],
    before: Option<&Value>,
) -> Result<String, DocumentError> {
    for depth in (1..=key.len()).rev() {
        let path = &key[..depth];
        let document = document::parse(format, &text)?;
        let is_empty = match document::at(&document, path) {
            Some(Value::Object(members)) => members.is_empty(),
            Some(Value::Array(items)) => items.is_empty(),
            Some(_) => false,
            // Gone with what was in it.
            None => continue,
        };
        if !is_empty || before.is_some_and(|before| document::at(before, path).is_some()) {
            break;
        }
        text = document::edit(format, &text, Edit::Remove { path })?;
    }
    Ok(text)
}

/// The text from before, if this one differs from it only in how it is set: a client that adds servers
/// by itself writes its whole file anew.
fn as_before(format: Format, text: String, original: Option<&str>) -> String {
    let solid =
        |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != ',').collect::<String>();
    match original {
        Some(original)
            if solid(&text) == solid(original)
                && document::parse(format, &text) == document::parse(format, original) =>
        {
            original.to_owned()
        }
        _ => text,
    }
}

/// Whether a file of this text says nothing but what a new one begins with.
pub(super) fn is_as_new(text: &str, new: &str) -> bool {
    let text = text.trim();
    text == new.trim() || (new.is_empty() && ["", "{}"].contains(&text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::install::{client, clients};

    fn server(args: &[&str]) -> Server {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Server { command: "/usr/local/bin/mcp-repl".into(), args }
    }

    fn with(name: &str, text: &str, args: &[&str], allow: bool) -> String {
        let client = client(name).unwrap();
        let changed = with_server(client, text, &server(args), allow, false).unwrap();
        assert_eq!(changed.notes, [""; 0]);
        let again = with_server(client, &changed.text, &server(args), allow, false).unwrap();
        assert_eq!(again.text, changed.text, "twice is once");
        changed.text
    }

    #[test]
    fn every_client_takes_it_into_a_new_file_and_is_read_back() {
        for client in clients() {
            for allow in [false, true] {
                for new in [client.new_file(super::super::Scope::User), ""] {
                    let text = with(&client.id, new, &["--pager", "page"], allow);
                    let document = document::parse(client.format, &text).unwrap();
                    let entry = entry_of(client, &document).unwrap();
                    let read = client.read_entry(entry).unwrap();
                    assert_eq!(read, server(&["--pager", "page"]), "{}", client.id);
                    let without = without_server(client, &text, None).unwrap();
                    assert!(is_as_new(&without, new), "{}: {without:?}", client.id);
                }
            }
        }
    }

    #[test]
    fn codex_gets_a_time_limit_and_its_list_of_direct_tools() {
        assert_eq!(
            with("codex", "model = \"x\"\n", &[], true),
            r#"model = "x"

[mcp_servers.repl]
command = "/usr/local/bin/mcp-repl"
args = []
tool_timeout_sec = 600
default_tools_approval_mode = "approve"

[features.code_mode]
direct_only_tool_namespaces = ["mcp__repl"]
"#
        );
        let without = with("codex", "", &[], false);
        assert!(!without.contains("approve"), "{without}");
        // A flag in the place of the table is the user's, and said.
        let codex = client("codex").unwrap();
        let text = "[features]\ncode_mode = true\n";
        let changed = with_server(codex, text, &server(&[]), false, false).unwrap();
        assert!(changed.text.starts_with(text));
        let says = "\"mcp__repl\" was not added to features.code_mode.direct_only_tool_namespaces: `features.code_mode` in it is no table";
        assert_eq!(changed.notes, [says]);
    }

    #[test]
    fn what_the_user_added_to_the_entry_stays_and_the_command_is_brought_up_to_date() {
        let text = r#"{"mcpServers": {"repl": {
  "command": "/old/mcp-repl", // here
  "args": [],
  "env": {"A": "b"},
  "disabled": true
}}}"#;
        let changed = with("kiro", text, &["--keep"], false);
        assert!(changed.contains("\"command\": \"/usr/local/bin/mcp-repl\", // here"), "{changed}");
        assert!(
            changed.contains("\"args\": [\"--keep\"]") && changed.contains("\"disabled\": true")
        );
        let text = "[mcp_servers.repl]\ncommand = 'mcp-repl' # c\ntool_timeout_sec = 90\nenv = { A = 'b' }\n";
        let changed = with("codex", text, &[], false);
        assert!(changed.contains("tool_timeout_sec = 90\nenv = { A = 'b' }\n"), "{changed}");
        let text = "extensions:\n  repl:\n    cmd: mcp-repl\n    enabled: false\n    envs:\n      A: b\n    extra: x\n";
        let changed = with("goose", text, &[], false);
        assert!(
            changed.contains("enabled: false") && changed.contains("envs: { A: b }"),
            "{changed}"
        );
        assert!(changed.contains("extra: x") && changed.contains("cmd: /usr/local/bin/mcp-repl"));
        let text = "mcpServers:\n- name: a\n  command: x\n- name: repl\n  command: mcp-repl\n  env: {A: b}\n";
        let changed = with("continue", text, &[], false);
        assert!(changed.contains("- name: a\n  command: x\n- name: repl\n"), "{changed}");
        assert!(changed.contains("env: { A: b }"), "{changed}");
    }

    #[test]
    fn calls_are_allowed_beside_those_that_were() {
        let text = r#"{"mcpServers": {"repl": {"command": "mcp-repl", "autoApprove": ["x"]}}}"#;
        let changed = with("kiro", text, &[], true);
        assert!(changed.contains(r#""autoApprove": ["x", "repl"]"#), "{changed}");
    }

    #[test]
    fn taking_out_leaves_what_was_there() {
        let kiro = client("kiro").unwrap();
        // The table of servers was there and empty, or not there.
        let text = "{\"mcpServers\": {}}\n";
        let changed = with("kiro", text, &[], false);
        assert_eq!(without_server(kiro, &changed, Some(text)).unwrap(), text);
        assert_eq!(without_server(kiro, &changed, None).unwrap().trim(), "{}");
        // What was replaced comes back, too.
        let had = "{\"mcpServers\": {\"repl\": {\"command\": \"other\"}}}";
        let changed_had = with_server(kiro, had, &server(&[]), false, true).unwrap().text;
        assert_eq!(without_server(kiro, &changed_had, Some(had)).unwrap(), had);
        let meanwhile = changed_had.replacen('{', "{ \"a\": 1,", 1);
        let without = without_server(kiro, &meanwhile, Some(had)).unwrap();
        let value = document::parse(Format::Json, &without).unwrap();
        assert_eq!(value["mcpServers"]["repl"]["command"], "other");
        // Somebody changed something else meanwhile, and wrote a comment.
        let meanwhile = changed.replacen('{', "{\n  // mine\n  \"a\": 1,", 1);
        let without = without_server(kiro, &meanwhile, Some(text)).unwrap();
        assert!(without.contains("// mine") && without.contains("\"mcpServers\": {}"), "{without}");
        // A client wrote the file anew.
        let value: Value = document::parse(Format::Json, &changed).unwrap();
        let anew = serde_json::to_string_pretty(&value).unwrap();
        assert_eq!(without_server(kiro, &anew, Some(text)).unwrap(), text);
        // What the user had in the list stays.
        let codex = client("codex").unwrap();
        let text = "[features.code_mode]\ndirect_only_tool_namespaces = [\"mcp__repl\"]\n";
        let changed = with("codex", text, &[], false) + "# more\n";
        let without = without_server(codex, &changed, Some(text)).unwrap();
        assert!(without.starts_with(text) && !without.contains("mcp_servers"), "{without}");
    }

    #[test]
    fn a_permission_comes_and_goes_beside_others() {
        let key = ["permissions".to_owned(), "allow".to_owned()];
        for text in [
            "{}",
            "{\n  \"permissions\": {\n    \"allow\": [\n      \"Bash(ls)\"\n    ]\n  }\n}\n",
            "{\"permissions\": {\"allow\": [], \"deny\": []}}",
        ] {
            let changed = with_item(Format::Json, text, &key, "mcp__repl__repl").unwrap();
            assert_eq!(
                with_item(Format::Json, &changed, &key, "mcp__repl__repl").unwrap(),
                changed
            );
            let without = |original| {
                without_item(Format::Json, &changed, &key, "mcp__repl__repl", original).unwrap()
            };
            assert_eq!(without(Some(text)), text);
            let expected = document::parse(Format::Json, text).unwrap();
            let value = document::parse(Format::Json, &without(None)).unwrap();
            assert!(value == expected || text.contains("[]"), "{value}");
        }
    }

    /// Texts of a client's file, as it may have been written by a person or a program.
    fn texts() -> impl Strategy<Value = (&'static Client, String)> {
        let all = prop::sample::select(clients().iter().collect::<Vec<_>>());
        (all, any::<[bool; 6]>(), 1..5usize).prop_map(
            |(client, [other, empty, comment, crlf, end, more], indent)| {
                let mut text = String::new();
                let key = client.key.join(".");
                let tab = " ".repeat(indent);
                let mark = if client.format == Format::Json { "//" } else { "#" };
                if comment {
                    text += &format!("{mark} above\n");
                }
                match client.format {
                    Format::Json => {
                        text += "{\n";
                        if more {
                            text += &format!("{tab}\"model\":\"x\", {mark} the model\n");
                        }
                        let inside = if other { r#""other": { "command": "x" }"# } else { "" };
                        if other || empty {
                            text += &format!("{tab}\"{key}\": {{{inside}}}\n");
                        }
                        text += "}";
                    }
                    Format::Toml => {
                        if more {
                            text += "model = 'x' # the model\n";
                        }
                        if empty {
                            text += &format!("[{key}]\n");
                        }
                        if other {
                            text += &format!("[{key}.other]\n{tab}command = 'x'\n");
                        }
                    }
                    Format::Yaml => {
                        if more {
                            text += "model: x  # the model\n";
                        }
                        let inside =
                            if client.list { "- name: other\n" } else { "other: { cmd: x }\n" };
                        if other {
                            text += &format!("{key}:\n{tab}{inside}");
                        } else if empty {
                            text += &format!("{key}:\n");
                        }
                    }
                }
                if comment {
                    text += &format!("\n{mark} below");
                }
                if end {
                    text += "\n";
                }
                (client, if crlf { text.replace('\n', "\r\n") } else { text })
            },
        )
    }

    /// Texts of what stands in such files, in any order.
    fn mixtures() -> impl Strategy<Value = String> {
        let pieces = [
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\n",
            " ",
            "  ",
            "\r\n",
            "\t",
            "\"mcpServers\"",
            "\"repl\"",
            "\"a\"",
            "1",
            "null",
            "true",
            "// c\n",
            "/* c */",
            "# c\n",
            "[mcp_servers]\n",
            "[mcp_servers.a]\n",
            "[features]\n",
            "features.code_mode.a = 1\n",
            "a = 1\n",
            "= ",
            "extensions:",
            "mcpServers:",
            "a: 1\n",
            "- ",
            "name: repl\n",
            "- name: a\n",
            "  a:\n",
            "|\n",
            "'",
            "\"",
            "&x ",
            "*x ",
            "---\n",
            "...\n",
            "{}",
            "[]",
            "\u{feff}",
            "é",
            "\"mcp__repl\"",
            "\"command\": \"x\"",
        ];
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12)
            .prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn whatever_takes_it_gives_the_bytes_back(
            client in prop::sample::select(clients().iter().collect::<Vec<_>>()),
            text in mixtures(),
        ) {
            let server = server(&["--keep"]);
            let Ok(changed) = with_server(client, &text, &server, true, true) else { return Ok(()) };
            let twice = with_server(client, &changed.text, &server, true, false).unwrap();
            prop_assert_eq!(&twice.text, &changed.text);
            let back = without_server(client, &changed.text, Some(&text)).unwrap();
            prop_assert_eq!(&back, &text);
            let back = without_server(client, &changed.text, None).unwrap();
            prop_assert!(!has_ours(client, &back));
        }
    }

    proptest! {
        #[test]
        fn taking_out_restores_the_bytes((client, text) in texts(), allow: bool, argument in "\\PC{0,8}") {
            let server = server(&["--run", &argument]);
            let changed = with_server(client, &text, &server, allow, false).unwrap();
            prop_assert_eq!(&changed.notes, &Vec::<String>::new());
            let twice = with_server(client, &changed.text, &server, allow, false).unwrap();
            prop_assert_eq!(&twice.text, &changed.text);
            let document = document::parse(client.format, &changed.text).unwrap();
            let read = client.read_entry(entry_of(client, &document).unwrap());
            prop_assert_eq!(read.as_ref(), Some(&server));
            let back = without_server(client, &changed.text, Some(&text)).unwrap();
            prop_assert_eq!(&back, &text);
            // Without the text from before, too, it says the same, and has its comments.
            let back = without_server(client, &changed.text, None).unwrap();
            let document = document::parse(client.format, &back).unwrap();
            prop_assert_eq!(entry_of(client, &document), None);
            for comment in ["above", "below", "the model"] {
                prop_assert_eq!(back.contains(comment), text.contains(comment));
            }
        }
    }
}
