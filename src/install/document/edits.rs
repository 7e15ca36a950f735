//! Tests of changes: what each format's documents look like before and after.

use proptest::prelude::*;

use super::*;

fn path(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

fn entry() -> toml::Value {
    toml::from_str::<toml::Table>("command = '/x/mcp-repl'\nargs = ['--keep', 'a b']\nenv = {}")
        .unwrap()
        .into()
}

fn set(format: Format, text: &str, keys: &[&str]) -> String {
    let value = entry();
    let changed = edit(format, text, Edit::Set { path: &path(keys), value: &value });
    changed.unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn remove(format: Format, text: &str, keys: &[&str]) -> String {
    let changed = edit(format, text, Edit::Remove { path: &path(keys) });
    changed.unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

#[track_caller]
fn comes_and_goes(format: Format, keys: &[&str], before: &str, with: &str) {
    let changed = set(format, before, keys);
    assert_eq!(changed, with);
    assert_eq!(set(format, &changed, keys), changed, "twice is once");
    assert_eq!(remove(format, &changed, keys), before);
}

#[test]
fn an_entry_comes_into_json_and_goes() {
    comes_and_goes(
        Format::Json,
        &["mcpServers", "repl"],
        r#"// top
{
    "theme": "dark", // dark
    "mcpServers": {
        /* mine */
        "other": { "command": "x" }
        // last
    }
}
"#,
        r#"// top
{
    "theme": "dark", // dark
    "mcpServers": {
        /* mine */
        "other": { "command": "x" },
        "repl": {
            "command": "/x/mcp-repl",
            "args": ["--keep", "a b"],
            "env": {}
        }
        // last
    }
}
"#,
    );
}

#[test]
fn an_entry_comes_into_toml_and_goes() {
    comes_and_goes(
        Format::Toml,
        &["mcp_servers", "repl"],
        r#"model = "x" # the model
# commented = 1

[mcp_servers.other]
command = "y"
# the end
"#,
        r#"model = "x" # the model
# commented = 1

[mcp_servers.other]
command = "y"
# the end

[mcp_servers.repl]
command = "/x/mcp-repl"
args = ["--keep", "a b"]
env = {}
"#,
    );
}

#[test]
fn an_entry_comes_into_yaml_and_goes() {
    comes_and_goes(
        Format::Yaml,
        &["extensions", "repl"],
        r#"# top
extensions:   # all of them
  # the first
  developer:
    enabled: true  # yes
    text: |
      several
      lines

# below
GOOSE_MODEL: 'x'
"#,
        r#"# top
extensions:   # all of them
  # the first
  developer:
    enabled: true  # yes
    text: |
      several
      lines
  repl:
    command: /x/mcp-repl
    args: ["--keep", "a b"]
    env: {}

# below
GOOSE_MODEL: 'x'
"#,
    );
}

#[test]
fn every_form_that_a_document_has_takes_an_entry_and_says_the_same_behind_it() {
    let keys = ["servers", "repl"];
    for (format, texts) in [
        (
            Format::Json,
            &[
                "",
                "\n",
                "{}",
                "{}\n",
                "// nothing\n",
                "{ \"servers\": {} }",
                "{\"servers\":{\"a\":{\"b\":1}},\"c\":2}",
                "{\"servers\": null}",
                "{\n\t\"servers\": {\n\t\t\"a\": {},\n\t},\n}\n",
                "{\n  // c\n}\n",
                "{\"servers\": {\"a\": 1} // c\n}",
                "{\"a\": 1}\n// end",
                "\u{feff}{\r\n  \"a\": 1\r\n}\r\n",
                "{\r\n  \"a\": 1,\n  \"b\": 2\r\n}",
            ][..],
        ),
        (
            Format::Toml,
            &[
                "",
                "\n\n",
                "# nothing",
                "a = 1",
                "a = 1\n",
                "[servers]\n",
                "[servers]\n[servers.a]\nb = 1\n\n[c]\nd = 2\n",
                "servers = {}\n",
                "servers = { a = { b = 1 } } # c\n",
                "servers.a.b = 1 # c\n",
                "[servers]\na = { b = 1 }\n",
                "[servers]\na.b = 1\n# end\n",
                "[[list]]\na = 1\n[[list]]\nb = 2\n",
                "\u{feff}a = 1\r\n# c\r\n[b]\r\nc = 2\r\n",
                "a = 1\r\nb = 2\n",
                "d = 2026-11-27T10:00:00Z\nt = \"\"\"\nx\n\"\"\"\n",
            ],
        ),
        (
            Format::Yaml,
            &[
                "",
                "\n",
                "# nothing\n",
                "---\n",
                "{}\n",
                "{}",
                "{a: 1}\n",
                "{servers: {a: 1}, b: 2}\n",
                "a: 1",
                "a: 1\n# end\n",
                "servers:\n",
                "servers: # c\nb: 1\n",
                "servers: {}\nb: 1\n",
                "servers: {} # c\nb: 1\n",
                "servers: null\n",
                "servers: ~\nb: 1\n",
                "servers:\n  a: 1\n",
                "servers:\n    a:\n        b: 1 # c\n    # in\n# out\nc: 2\n",
                "servers:\n  a: { b: [1, 2] }\n\n\nc: 2\n",
                "servers:\n  a: >+\n    text\n\n\nc: 2\n",
                "servers: { a: { b: 1 } }\n",
                "servers:\n  a: 'x\n\n    y'\nb: 1\n",
                "---\na: 1\nservers:\n  a: &x\n    b: 1\n  c: *x\n",
                "---\nservers:\n  a: 1\n...\n",
                "\u{feff}servers:\r\n  a: 1\r\nb: 2\r\n",
                "a: 1\r\nservers:\n  b: 2\r\n",
                "\"servers\":\n  é: ü\n",
            ],
        ),
    ] {
        for text in texts {
            let before = parse(format, text).unwrap();
            let changed = set(format, text, &keys);
            assert_eq!(set(format, &changed, &keys), changed, "{text:?}");
            for kept in ["c", "nothing", "end", "in", "out"] {
                let comment = format!("# {kept}")
                    .replace("# ", if format == Format::Json { "// " } else { "# " });
                assert_eq!(
                    changed.contains(&comment),
                    text.contains(&comment),
                    "{text:?} {changed}"
                );
            }
            assert_eq!(changed.starts_with(BOM), text.starts_with(BOM), "{text:?}");
            let back = remove(format, &changed, &keys);
            // The table around it may be one that came with it.
            let said = parse(format, &back).unwrap();
            let said = match before.get("servers") {
                None | Some(Value::Null) => {
                    let path = path(&["servers"]);
                    assert!(
                        at(&said, &path).is_none_or(|table| table.as_object().unwrap().is_empty())
                    );
                    let without = Edit::Remove { path: &path };
                    let back = edit(format, &back, without).unwrap();
                    (parse(format, &back).unwrap(), without.apply(before).unwrap())
                }
                Some(_) => (said, before),
            };
            assert_eq!(said.0, said.1, "{text:?} {changed} {back}");
        }
    }
}

#[test]
fn forms_that_can_not_be_changed_are_refused_and_named() {
    let value = entry();
    for (format, text, says) in [
        (Format::Json, "{\"servers\": 1}", "`servers` in it is no table"),
        (Format::Toml, "servers = [1]", "`servers` in it is no table"),
        (Format::Yaml, "servers: [1]", "`servers` in it is no table"),
        (
            Format::Json,
            "{\"servers\": {}, \"servers\": {}}",
            "`servers.repl` in it stands in a form",
        ),
        (Format::Yaml, "? a\n: 1\n", "`servers.repl` in it stands in a form"),
        (Format::Yaml, "a: &x {}\nservers: *x\n", "`servers` in it is no table"),
    ] {
        let path = path(&["servers", "repl"]);
        let error = edit(format, text, Edit::Set { path: &path, value: &value }).unwrap_err();
        assert!(error.to_string().contains(says), "{text:?}: {error}");
    }
}

#[test]
fn lists_get_and_lose_an_item() {
    let item = toml::Value::from("mcp__repl");
    for (format, text, with) in [
        (Format::Toml, "[f]\nl = [\"a\"] # c\n", "[f]\nl = [\"a\", \"mcp__repl\"] # c\n"),
        (
            Format::Toml,
            "[f]\nl = [\n  \"a\", # c\n  \"b\",\n]\n",
            "[f]\nl = [\n  \"a\", # c\n  \"b\",\n  \"mcp__repl\",\n]\n",
        ),
        (Format::Toml, "[f]\nx = 1\n# c\n[g]\n", "[f]\nx = 1\nl = [\"mcp__repl\"]\n# c\n[g]\n"),
        (Format::Toml, "f.x = 1 # c\n", "f.x = 1 # c\nf.l = [\"mcp__repl\"]\n"),
        (Format::Toml, "f = { x = 1 }\n", "f = { x = 1, l = [\"mcp__repl\"] }\n"),
        (Format::Toml, "x = 1\n", "x = 1\n\n[f]\nl = [\"mcp__repl\"]\n"),
        (Format::Json, "{\"f\": {\"l\": [\"a\"]}}", "{\"f\": {\"l\": [\"a\", \"mcp__repl\"]}}"),
        (Format::Yaml, "f:\n  l:\n  - a # c\n# d\n", "f:\n  l:\n  - a # c\n  - mcp__repl\n# d\n"),
        (Format::Yaml, "f:\n  l: [a]\n", "f:\n  l: [a, mcp__repl]\n"),
        (Format::Yaml, "f:\n  l: []\ng: 1\n", "f:\n  l:\n    - mcp__repl\ng: 1\n"),
    ] {
        let path = path(&["f", "l"]);
        let changed = edit(format, text, Edit::Push { path: &path, item: &item }).unwrap();
        assert_eq!(changed, with);
        let list = at(&parse(format, &changed).unwrap(), &path).unwrap().as_array().unwrap().len();
        let back = edit(format, &changed, Edit::Take { path: &path, index: list - 1 }).unwrap();
        if list > 1 {
            assert_eq!(back, text);
        } else {
            assert_eq!(at(&parse(format, &back).unwrap(), &path), Some(&Value::Array(Vec::new())));
        }
    }
}

#[test]
fn a_field_gets_another_value_where_it_stands() {
    for (format, text, with) in [
        (
            Format::Json,
            "{\"s\": { \"repl\": {\n  \"a\": 1, // c\n  \"b\": 2\n}}}",
            "{\"s\": { \"repl\": {\n  \"a\": \"x\", // c\n  \"b\": 2\n}}}",
        ),
        (Format::Toml, "[s.repl]\na = 1 # c\nb = 2\n", "[s.repl]\na = \"x\" # c\nb = 2\n"),
        (Format::Toml, "s = { repl = { a = 1 } }\n", "s = { repl = { a = \"x\" } }\n"),
        (
            Format::Yaml,
            "s:\n  repl:\n    a: 1\n    b: 2 # c\n",
            "s:\n  repl:\n    b: 2 # c\n    a: x\n",
        ),
    ] {
        let path = path(&["s", "repl", "a"]);
        let value = toml::Value::from("x");
        assert_eq!(edit(format, text, Edit::Set { path: &path, value: &value }).unwrap(), with);
    }
}

#[test]
fn texts_are_written_so_that_every_format_reads_them_back() {
    let hard = [
        "",
        " ",
        "yes",
        "1",
        "1.5",
        "null",
        "~",
        "a: b",
        "# c",
        "- x",
        "'",
        "\"",
        "\\",
        "C:\\Program Files\\x.exe",
        "\n",
        "\t",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "é",
        "😀",
        "{",
        "[a]",
        "&a",
        "*a",
        "!t",
        "%x",
        "@x",
        "`",
        "|",
        ">",
        "0x1",
        "1e3",
        "\u{1}",
    ];
    for format in [Format::Json, Format::Toml, Format::Yaml] {
        for text in hard {
            let value = toml::Value::Array(vec![text.into()]);
            let path = path(&["a", "b"]);
            let changed = edit(format, "", Edit::Set { path: &path, value: &value }).unwrap();
            assert_eq!(
                at(&parse(format, &changed).unwrap(), &path),
                Some(&json(&value)),
                "{text:?}"
            );
        }
    }
}

/// A document of some tables and values, as somebody writes one, with comments that tell where they are.
fn documents() -> impl Strategy<Value = (Format, String)> {
    let scalar = prop_oneof![Just("1"), Just("true"), Just("\"text\""), Just("[1, 2]"), Just("[]")];
    let members = prop::collection::btree_map("[a-d]", scalar, 0..4);
    let table =
        (prop_oneof![Just("servers"), Just("x"), Just("y")], members, any::<bool>(), any::<bool>());
    let tables = prop::collection::vec(table, 0..4);
    let format = prop_oneof![Just(Format::Json), Just(Format::Toml), Just(Format::Yaml)];
    (format, tables, 1..5usize, any::<[bool; 3]>()).prop_map(
        |(format, tables, indent, [crlf, blank, compact])| {
            let mut names = std::collections::HashSet::new();
            let tables: Vec<_> = tables.into_iter().filter(|table| names.insert(table.0)).collect();
            let tab = " ".repeat(indent);
            let space = if compact { "" } else { " " };
            let mut text = String::new();
            let gap = if blank { "\n" } else { "" };
            match format {
                Format::Json => {
                    text += "{\n";
                    for (at, (name, members, above, behind)) in tables.iter().enumerate() {
                        if *above {
                            text += &format!("{tab}// above {name}\n");
                        }
                        let members: Vec<String> = members
                            .iter()
                            .map(|(key, value)| format!("\"{key}\":{space}{value}"))
                            .collect();
                        let comma = if at + 1 == tables.len() && !compact { "" } else { "," };
                        text += &format!(
                            "{tab}\"{name}\":{space}{{\"o\": {{ {} }}}}{comma}",
                            members.join(", ")
                        );
                        text += if *behind { " // behind\n" } else { "\n" };
                        text += gap;
                    }
                    text += "}\n";
                }
                Format::Toml => {
                    for (name, members, above, behind) in &tables {
                        if *above {
                            text += &format!("# above {name}\n");
                        }
                        text += &format!("[{name}.o]{}\n", if *behind { " # behind" } else { "" });
                        for (key, value) in members {
                            text += &format!("{tab}{key}{space}={space}{value}\n");
                        }
                        text += gap;
                    }
                }
                Format::Yaml => {
                    for (name, members, above, behind) in &tables {
                        if *above {
                            text += &format!("# above {name}\n");
                        }
                        text += &format!(
                            "{name}:{}\n{tab}o:\n",
                            if *behind { " # behind" } else { "" }
                        );
                        for (key, value) in members {
                            text += &format!("{tab}{tab}{key}: {value}\n");
                        }
                        text += gap;
                    }
                }
            }
            (format, if crlf { text.replace('\n', "\r\n") } else { text })
        },
    )
}

proptest! {
    #[test]
    fn an_entry_changes_nothing_else((format, text) in documents()) {
        let keys = ["servers", "repl"];
        let before = parse(format, &text).unwrap();
        let changed = set(format, &text, &keys);
        prop_assert_eq!(set(format, &changed, &keys), changed.clone());
        // Each line is still there, in its order; in JSON one may have a comma more.
        let bare = |line: &str| line.trim_end().replace([',', ' '], "");
        let mut lines = changed.lines().map(bare);
        for line in text.lines() {
            let line = bare(line);
            // A table of JSON that stood on one line gets one for each of its members, and takes the
            // empty line before its end.
            let is_parted = format == Format::Json && (line.contains("servers") || line.is_empty());
            prop_assert!(line == "{}" || is_parted || lines.any(|other| other == line), "{:?} {}", line, changed);
        }
        let crlf = text.matches("\r\n").count() == text.matches('\n').count() && text.contains('\r');
        prop_assert_eq!(changed.contains('\r'), crlf);
        let mut back = remove(format, &changed, &keys);
        if before.get("servers").is_none() {
            back = remove(format, &back, &keys[..1]);
        }
        prop_assert_eq!(parse(format, &back).unwrap(), before);
        let comments = |text: &str| text.matches("above").count() + text.matches("behind").count();
        prop_assert_eq!(comments(&back), comments(&text));
    }

    #[test]
    fn no_text_makes_it_panic(text in "[{}\\[\\]:,\"'#/\\-|>&*!%a-c \\n\\r\\t=.]{0,60}") {
        for format in [Format::Json, Format::Toml, Format::Yaml] {
            let value = entry();
            for keys in [path(&["a"]), path(&["a", "b"])] {
                let item = toml::Value::from("x");
                for change in [
                    Edit::Set { path: &keys, value: &value },
                    Edit::Push { path: &keys, item: &item },
                    Edit::Remove { path: &keys },
                    Edit::Take { path: &keys, index: 0 },
                ] {
                    if let Ok(changed) = edit(format, &text, change) {
                        let expected = change.apply(parse(format, &text).unwrap()).unwrap();
                        prop_assert_eq!(parse(format, &changed).unwrap(), expected);
                    }
                }
            }
        }
    }
}
