//! What a project's file may not say without the user's consent. Pure.

use std::{
    path::{Component, Path},
    str::FromStr,
};

use super::{Key, Value};
use crate::sandbox::{Mode, Network};

/// The settings that any project may have: they run nothing, write nothing anywhere else and open
/// nothing. What is not listed needs the user's consent, and so does each new option, until somebody
/// has thought about it.
const FREE: [&str; 12] = [
    "deny-read",
    "grace",
    "image-size",
    "images",
    "keep",
    "max-output-disk",
    "max-sessions",
    "on-cancel",
    "pager",
    "record-format",
    "reply-size",
    "size",
];

/// Whether any project may have the setting, whatever it is set to.
pub fn is_free(key: &Key) -> bool {
    key.table.is_empty() && FREE.contains(&&*key.name)
}

/// Whether it takes the user's consent for a file in this directory to say so, where the user's own file says
/// `beneath`.
pub fn needs_consent(key: &Key, value: &Value, beneath: Option<&Value>, directory: &Path) -> bool {
    let is_free_program = || match value {
        Value::Texts(texts) => texts.iter().all(|text| is_free_python(text, directory)),
        Value::Given(_) => false,
    };
    // Of two modes the greater one is the stricter, of two networks the smaller one. Where the user says
    // nothing, it is what an agent's sessions have by themselves.
    let is_strict_mode = || {
        let beneath = beneath.map_or(Some(Mode::WorkspaceWrite), word);
        word::<Mode>(value).zip(beneath).is_some_and(|(mode, beneath)| mode >= beneath)
    };
    let is_strict_network = || {
        let beneath = beneath.map_or(Some(Network::Off), word);
        word::<Network>(value).zip(beneath).is_some_and(|(network, beneath)| network <= beneath)
    };
    let is_harmless = is_free(key)
        || (key.table.is_empty()
            && match &*key.name {
                "python" => is_free_program(),
                "sandbox" => is_strict_mode(),
                "network" => is_strict_network(),
                _ => false,
            });
    !is_harmless
}

/// What a value of one word stands for.
fn word<T: FromStr>(value: &Value) -> Option<T> {
    match value {
        Value::Texts(texts) => match &texts[..] {
            [word] => word.parse().ok(),
            _ => None,
        },
        Value::Given(_) => None,
    }
}

/// Whether a project may say that this Python runs: one of its own directory, as the nearest `.venv`
/// is run without being named; or one of a usual name, which is the user's own on `PATH`.
fn is_free_python(file: &str, directory: &Path) -> bool {
    if is_name_of_python(file) {
        return true;
    }
    let path = Path::new(file);
    // `..` behind a link leads anywhere.
    let is_plain = path.components().all(|part| part != Component::ParentDir);
    let is_below =
        path.strip_prefix(directory).is_ok_and(|rest| rest.components().next().is_some());
    is_plain && is_below && path.is_absolute()
}

/// `python`, `python3`, `python3.12`, `python3.13t`.
fn is_name_of_python(name: &str) -> bool {
    let Some(version) = name.strip_prefix("python") else { return false };
    let version = version.strip_suffix('t').unwrap_or(version);
    version.split('.').all(|part| part.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(key: &str, value: &str) -> bool {
        let (table, name) = key.split_once('.').unwrap_or(("", key));
        let key = Key { table: table.into(), name: name.into() };
        needs_consent(&key, &Value::Texts(vec![value.into()]), None, Path::new("/p/q"))
    }

    #[test]
    fn what_is_not_known_to_be_harmless_needs_consent() {
        for key in ["pager", "size", "grace", "images", "deny-read", "reply-size"] {
            assert!(!needs(key, "x"), "{key}");
        }
        for key in [
            "worker",
            "run",
            "via",
            "via-install",
            "record",
            "record-input",
            "session",
            "sandbox",
            "add-writable",
            "network",
            "gpu",
            "attach.keys",
            "attach.pager",
            "whatever-comes",
        ] {
            assert!(needs(key, "x"), "{key}");
        }
    }

    #[test]
    fn a_project_makes_the_sandbox_stricter_but_not_looser() {
        let needs = |name: &str, value: &str, beneath: Option<&str>| {
            let key = Key { table: String::new(), name: name.into() };
            let texts = |text: &str| Value::Texts(vec![text.into()]);
            needs_consent(&key, &texts(value), beneath.map(texts).as_ref(), Path::new("/p"))
        };
        for (name, value, beneath, wanted) in [
            ("sandbox", "read-only", None, false),
            ("sandbox", "workspace-write", None, false),
            ("sandbox", "strict", None, false),
            ("sandbox", "strict", Some("workspace-write"), false),
            // Each of the two allows what the other does not.
            ("sandbox", "strict", Some("read-only"), true),
            ("sandbox", "read-only", Some("strict"), true),
            ("sandbox", "workspace-write", Some("strict"), true),
            ("sandbox", "off", None, true),
            ("sandbox", "danger-full-access", None, true),
            ("sandbox", "workspace-write", Some("read-only"), true),
            ("sandbox", "read-only", Some("read-only"), false),
            ("sandbox", "workspace-write", Some("off"), false),
            ("sandbox", "none", None, true),
            ("network", "off", None, false),
            ("network", "local", None, true),
            ("network", "local", Some("on"), false),
            ("network", "on", Some("local"), true),
        ] {
            assert_eq!(needs(name, value, beneath), wanted, "{name} {value} {beneath:?}");
        }
    }

    #[test]
    fn a_python_of_the_project_or_of_a_usual_name_needs_none() {
        for free in
            ["/p/q/.venv/bin/python", "/p/q/x", "python", "python3", "python3.12", "python3.13t"]
        {
            assert!(!needs("python", free), "{free}");
        }
        for bound in [
            "/usr/bin/python3",
            "/p/qx/python",
            "/p/python",
            "/p/q",
            "/p/q/../x",
            "/p/q/a/../../x",
            "rm",
            "python-x",
            "pythonx",
            "pypy3",
            "q/x",
            "",
            "python3/x",
            "python3.x",
        ] {
            assert!(needs("python", bound), "{bound}");
        }
        let key = Key { table: String::new(), name: "python".into() };
        assert!(needs_consent(&key, &Value::Given(true), None, Path::new("/p/q")));
    }
}
