//! What a project's file may not say without the user's consent. Pure.

use std::path::{Component, Path};

use super::{Key, Value};

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

/// Whether it takes the user's consent for a file in this directory to say so.
pub fn needs_consent(key: &Key, value: &Value, directory: &Path) -> bool {
    let is_free_program = || match value {
        Value::Texts(texts) => texts.iter().all(|text| is_free_python(text, directory)),
        Value::Given(_) => false,
    };
    let is_python = key.table.is_empty() && key.name == "python";
    let is_harmless = is_free(key) || (is_python && is_free_program());
    !is_harmless
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
        needs_consent(&key, &Value::Texts(vec![value.into()]), Path::new("/p/q"))
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
        assert!(needs_consent(&key, &Value::Given(true), Path::new("/p/q")));
    }
}
