//! What Codex says of its own sandbox with each call, to a server that asks for it.
//!
//! Seen of Codex 0.171.0, and in its sources (codex-rs, `codex-mcp/src/runtime.rs`, `protocol/src/models.rs` and
//! `permissions.rs`): a `permissionProfile`, and in older versions a `sandboxPolicy`. Names of fields are in camel
//! case outside and in snake case within. What is not understood of it is taken for what allows least; what it
//! keeps from being read and a session's sandbox can't keep is an error, so that nothing is allowed that Codex
//! does not allow.

use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::sandbox::{Bounds, ClientSandbox, Network};

/// The capability by which a server asks for it, and the name of the metadata.
pub(super) const CAPABILITY: &str = "codex/sandbox-state-meta";

/// What Codex has in each place that may be written (`default_read_only_subpaths_for_writable_root`). A profile
/// names them, an older policy does not.
const READ_ONLY: [&str; 3] = [".git", ".agents", ".codex"];

/// Why it can't be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum StateError {
    /// It is not what Codex sends.
    #[error("what this client says of its sandbox can't be understood: {0}")]
    Malformed(&'static str),
    /// Something can't be read there that could be read here.
    #[error("this client's sandbox keeps {0} from being read, and the one of a session here can't")]
    Hides(String),
}

/// Reads the metadata.
///
/// # Errors
/// When it has another form than Codex gives it, or can't be kept to.
pub(super) fn sandbox(state: &Value) -> Result<ClientSandbox, StateError> {
    let Value::Object(fields) = state else {
        return Err(StateError::Malformed("it is no object"));
    };
    let directory = fields.get("sandboxCwd").and_then(Value::as_str).and_then(path);
    let said = |name| fields.get(name).filter(|value| !value.is_null());
    match (said("permissionProfile"), said("sandboxPolicy")) {
        (Some(profile), _) => of_profile(profile, directory.as_deref()),
        (None, Some(policy)) => of_policy(policy, directory.as_deref()),
        (None, None) => Err(StateError::Malformed("it has no permissionProfile")),
    }
}

fn of_profile(profile: &Value, directory: Option<&Path>) -> Result<ClientSandbox, StateError> {
    let network = network(&profile["network"]);
    match kind(profile)? {
        "disabled" => Ok(ClientSandbox::NONE),
        // Files are somebody else's business, who confines Codex and all that it starts.
        "external" => Ok(ClientSandbox { network, ..ClientSandbox::NONE }),
        "managed" => {
            let files = &profile["file_system"];
            match kind(files)? {
                "unrestricted" => Ok(ClientSandbox { network, ..ClientSandbox::NONE }),
                "restricted" => of_entries(&files["entries"], directory, network),
                _ => Ok(ClientSandbox { network, ..ClientSandbox::STRICTEST }),
            }
        }
        _ => Ok(ClientSandbox::STRICTEST),
    }
}

/// What the entries of a profile allow together. Of two that hold for a path, the one that names more of it counts.
fn of_entries(
    entries: &Value,
    directory: Option<&Path>,
    network: Network,
) -> Result<ClientSandbox, StateError> {
    let Value::Array(entries) = entries else {
        return Err(StateError::Malformed("its entries are no list"));
    };
    let (mut bounds, mut hidden) = (Bounds::default(), Vec::new());
    let (mut reads_all, mut is_understood) = (false, true);
    for entry in entries {
        let place = &entry["path"];
        let found = match place["type"].as_str() {
            Some("path") => place["path"].as_str().and_then(path),
            Some("special") => special(&place["value"], directory),
            _ => None,
        };
        match (entry["access"].as_str(), found) {
            (Some("write"), Some(path)) => {
                reads_all |= path.parent().is_none();
                bounds.writable.push(path);
            }
            // What is not known where, is not allowed there.
            (Some("write"), None) => {}
            (Some("read"), Some(path)) if path.parent().is_none() => reads_all = true,
            (Some("read"), Some(path)) => bounds.read_only.push(path),
            // They can be read as all else can, and are none of what a session writes.
            (Some("read"), None) if has_no_place(&place["value"]) => {}
            (Some("none" | "deny"), Some(path)) if path.parent().is_some() => hidden.push(path),
            (Some("none" | "deny"), _) => return Err(StateError::Hides(words(place))),
            _ => is_understood = false,
        }
    }
    if !reads_all {
        return Err(StateError::Hides("all but a few places".into()));
    }
    // As Codex has it where one place has two entries.
    let Bounds { writable, read_only } = &mut bounds;
    writable.retain(|path| !hidden.contains(path));
    read_only.retain(|path| !writable.contains(path));
    let files = Some(if is_understood { bounds } else { Bounds::default() });
    Ok(ClientSandbox { files, hidden, network })
}

/// Where a special entry is; `None` where that is not known here.
fn special(value: &Value, directory: Option<&Path>) -> Option<PathBuf> {
    match value["kind"].as_str()? {
        "root" => Some("/".into()),
        "slash_tmp" => Some("/tmp".into()),
        "current_working_directory" | "project_roots" => {
            let directory = directory?;
            match value.get("subpath").filter(|subpath| !subpath.is_null()) {
                None => Some(directory.to_owned()),
                Some(subpath) => plain(directory.join(subpath.as_str()?)),
            }
        }
        _ => None,
    }
}

/// Whether a special entry is none of one place: what a system needs, and the client's own temporary directory.
fn has_no_place(value: &Value) -> bool {
    matches!(value["kind"].as_str(), Some("minimal" | "tmpdir"))
}

/// What an older version says.
fn of_policy(policy: &Value, directory: Option<&Path>) -> Result<ClientSandbox, StateError> {
    let reads_little = |name: &str| {
        let access = &policy[name];
        !access.is_null() && access["type"] != "full-access"
    };
    if reads_little("access") || reads_little("read_only_access") {
        return Err(StateError::Hides("all but a few places".into()));
    }
    let kind = policy["type"].as_str().or_else(|| policy["mode"].as_str());
    let network = match &policy["network_access"] {
        Value::Bool(true) => Network::On,
        word => network(word),
    };
    match kind {
        None => Err(StateError::Malformed("its sandboxPolicy has no type")),
        Some("danger-full-access") => Ok(ClientSandbox::NONE),
        Some("external-sandbox") => Ok(ClientSandbox { network, ..ClientSandbox::NONE }),
        Some("workspace-write") => {
            let roots = policy["writable_roots"].as_array();
            let roots = roots.into_iter().flatten().filter_map(|root| path(root.as_str()?));
            let mut writable: Vec<PathBuf> = roots.chain(directory.map(Path::to_owned)).collect();
            let places = writable.iter();
            let read_only = places.flat_map(|place| READ_ONLY.map(|name| place.join(name)));
            let read_only = read_only.collect();
            if policy["exclude_slash_tmp"] == false {
                writable.push("/tmp".into());
            }
            let files = Some(Bounds { writable, read_only });
            Ok(ClientSandbox { files, hidden: Vec::new(), network })
        }
        Some("read-only") => Ok(ClientSandbox { network, ..ClientSandbox::STRICTEST }),
        Some(_) => Ok(ClientSandbox::STRICTEST),
    }
}

fn kind(value: &Value) -> Result<&str, StateError> {
    value["type"].as_str().ok_or(StateError::Malformed("a part of its profile has no type"))
}

fn network(value: &Value) -> Network {
    if value == "enabled" { Network::On } else { Network::Off }
}

/// An absolute path, as it is or as a `file:` URI (RFC 8089) of this machine.
fn path(text: &str) -> Option<PathBuf> {
    let Some(rest) = text.strip_prefix("file://") else { return plain(text.into()) };
    let rest = rest.strip_prefix("localhost").unwrap_or(rest);
    let path = percent_decode_str(rest).decode_utf8().ok()?;
    // One of a drive begins behind the slash.
    let of_drive = path.strip_prefix('/').filter(|path| Path::new(path).is_absolute());
    plain(of_drive.unwrap_or(&path).into())
}

/// A path that can be held against others by its parts.
fn plain(path: PathBuf) -> Option<PathBuf> {
    let is_plain = path.is_absolute()
        && path.components().all(|part| part != Component::ParentDir)
        && !path.as_os_str().as_encoded_bytes().contains(&0);
    // Without slashes too many.
    is_plain.then(|| path.components().collect())
}

/// What an entry is of, for people.
fn words(place: &Value) -> String {
    let said = match place["type"].as_str() {
        Some("glob_pattern") => &place["pattern"],
        Some("special") => &place["value"]["kind"],
        _ => &place["path"],
    };
    let said: String = said.as_str().unwrap_or("something").chars().take(100).collect();
    format!("`{said}`")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As Codex 0.171.0 says it.
    fn state(entries: Value, network: &str) -> Value {
        let files = json!({"type": "restricted", "entries": entries});
        json!({
            "permissionProfile": {"type": "managed", "file_system": files, "network": network},
            "codexLinuxSandboxExe": "/usr/bin/codex", "sandboxCwd": uri("/home/ada/my%20proj"),
            "useLegacyLandlock": false, "useMxc": false
        })
    }

    /// A path from the root, as the system has it.
    fn absolute(path: &str) -> PathBuf {
        let root = std::path::absolute("/").unwrap();
        root.join(path.trim_start_matches('/'))
    }

    /// The same as Codex says it; what is none stays.
    fn said(path: &str) -> String {
        let is_path = path.starts_with('/');
        if is_path { absolute(path).to_str().unwrap().to_owned() } else { path.to_owned() }
    }

    fn uri(path: &str) -> String {
        let path = said(path).replace(std::path::MAIN_SEPARATOR, "/");
        format!("file:///{}", path.trim_start_matches('/'))
    }

    fn special(kind: &str, access: &str) -> Value {
        json!({"path": {"type": "special", "value": {"kind": kind}}, "access": access})
    }

    fn at(path: &str, access: &str) -> Value {
        json!({"path": {"type": "path", "path": said(path)}, "access": access})
    }

    fn paths(paths: &[&str]) -> Vec<PathBuf> {
        // What is called by its kind is the same everywhere.
        let is_kind = |path: &str| ["/", "/tmp"].contains(&path);
        let path = |path: &&str| if is_kind(path) { path.into() } else { said(path).into() };
        paths.iter().map(path).collect()
    }

    fn files(state: &Value) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let Bounds { writable, read_only } = sandbox(state).unwrap().files.unwrap();
        (writable, read_only)
    }

    #[test]
    fn the_usual_profiles_are_understood() {
        let read_only = state(json!([special("root", "read")]), "restricted");
        assert_eq!(sandbox(&read_only), Ok(ClientSandbox::STRICTEST));
        let workspace = state(
            json!([
                special("root", "read"),
                at("/home/ada/proj", "write"),
                special("slash_tmp", "write"),
                special("tmpdir", "write"),
                at("/home/ada/proj/.git", "read"),
                {"path": {"type": "path", "path": said("/home/ada/proj/.codex")}, "access": "read",
                 "missing_path_behavior": "skip"},
            ]),
            "enabled",
        );
        let read_only = paths(&["/home/ada/proj/.git", "/home/ada/proj/.codex"]);
        assert_eq!(files(&workspace), (paths(&["/home/ada/proj", "/tmp"]), read_only));
        assert_eq!(sandbox(&workspace).unwrap().network, Network::On);
        let off = json!({"permissionProfile": {"type": "disabled"}, "sandboxCwd": "file:///w"});
        assert_eq!(sandbox(&off), Ok(ClientSandbox::NONE));
        let by_others = json!({"permissionProfile": {"type": "external", "network": "restricted"}});
        let no_network = ClientSandbox { network: Network::Off, ..ClientSandbox::NONE };
        assert_eq!(sandbox(&by_others), Ok(no_network.clone()));
        let managed = json!({"type": "managed", "file_system": {"type": "unrestricted"}, "network": "restricted"});
        assert_eq!(sandbox(&json!({"permissionProfile": managed})), Ok(no_network));
    }

    #[test]
    fn places_are_found_by_what_they_are_called() {
        let root = special("root", "read");
        let subpath =
            json!({"type": "special", "value": {"kind": "project_roots", "subpath": "out"}});
        let entries = json!([
            root,
            special("current_working_directory", "write"),
            {"path": subpath, "access": "read"},
            at(&uri("/data/a%2Fb"), "write"),
            at("/data//c/", "write"),
        ]);
        let cwd = "/home/ada/my proj";
        let read_only = vec![absolute(cwd).join("out")];
        assert_eq!(files(&state(entries, "")), (paths(&[cwd, "/data/a/b", "/data/c"]), read_only));
        for nowhere in [
            "data",
            "",
            "file://elsewhere/w",
            "file:///%00/x",
            "http://w",
            "/w/../x",
            "file:///%ff",
        ] {
            let entries = json!([root, at(nowhere, "write")]);
            assert_eq!(files(&state(entries, "")), (vec![], vec![]), "{nowhere}");
        }
    }

    #[test]
    fn of_two_entries_of_one_place_the_one_counts_that_codex_takes() {
        let entries = json!([
            special("root", "write"),
            at("/a", "read"),
            at("/a", "write"),
            at("/b", "write"),
            at("/b", "none"),
        ]);
        let found = sandbox(&state(entries, "enabled")).unwrap();
        assert_eq!(found.hidden, paths(&["/b"]));
        assert_eq!(found.files, Some(Bounds { writable: paths(&["/", "/a"]), read_only: vec![] }));
    }

    #[test]
    fn what_is_not_understood_allows_nothing() {
        let root = special("root", "read");
        let proj = at("/proj", "write");
        for odd in [
            special("new", "read"),
            at("/x", "execute"),
            json!({"path": {"type": "new"}, "access": "read"}),
            at("proj", "read"),
            json!(7),
        ] {
            let entries = json!([root, proj, odd]);
            let found = sandbox(&state(entries, "enabled")).unwrap();
            assert_eq!(found.files, ClientSandbox::STRICTEST.files, "{odd}");
        }
        let files = json!({"type": "new", "entries": [proj]});
        for profile in [
            json!({"type": "new", "network": "enabled"}),
            json!({"type": "managed", "file_system": files, "network": "new"}),
        ] {
            let state = json!({"permissionProfile": profile});
            assert_eq!(sandbox(&state), Ok(ClientSandbox::STRICTEST), "{state}");
        }
        let policy = json!({"sandboxPolicy": {"type": "new", "network_access": true}});
        assert_eq!(sandbox(&policy), Ok(ClientSandbox::STRICTEST));
    }

    #[test]
    fn what_cannot_be_kept_from_being_read_is_an_error() {
        let root = special("root", "read");
        let glob =
            json!({"path": {"type": "glob_pattern", "pattern": "**/*.env"}, "access": "deny"});
        for (entries, what) in [
            (json!([root, glob]), "`**/*.env`"),
            (json!([root, special("new", "none")]), "`new`"),
            (json!([special("root", "none")]), "`root`"),
            (json!([special("minimal", "read"), at("/w", "write")]), "all but a few places"),
            (json!([]), "all but a few places"),
        ] {
            let error = sandbox(&state(entries, "enabled")).unwrap_err();
            assert_eq!(error, StateError::Hides(what.into()));
        }
        let access = json!({"type": "restricted", "readable_roots": []});
        let policy = json!({"sandboxPolicy": {"type": "read-only", "access": access}});
        assert!(matches!(sandbox(&policy), Err(StateError::Hides(_))));
    }

    #[test]
    fn what_has_another_form_is_an_error() {
        for state in [
            json!(null),
            json!("off"),
            json!([]),
            json!({}),
            json!({"permissionProfile": null}),
            json!({"permissionProfile": "disabled"}),
            json!({"permissionProfile": {}}),
            json!({"permissionProfile": {"type": "managed", "network": "enabled"}}),
            json!({"permissionProfile": {"type": "managed", "file_system": {"type": "restricted"}}}),
            json!({"sandboxPolicy": {}}),
            json!({"sandboxPolicy": 7}),
        ] {
            let error = sandbox(&state).unwrap_err();
            assert!(matches!(error, StateError::Malformed(_)), "{state}: {error}");
        }
    }

    #[test]
    fn older_versions_say_a_policy() {
        let of = |policy: Value| {
            sandbox(&json!({"sandboxPolicy": policy, "sandboxCwd": said("/proj")})).unwrap()
        };
        assert_eq!(of(json!({"type": "danger-full-access"})), ClientSandbox::NONE);
        assert_eq!(of(json!({"mode": "read-only"})), ClientSandbox::STRICTEST);
        let read = of(json!({"type": "read-only", "network_access": true}));
        assert_eq!(read, ClientSandbox { network: Network::On, ..ClientSandbox::STRICTEST });
        let write = of(json!({
            "type": "workspace-write", "writable_roots": [said("/data")], "network_access": false,
            "exclude_tmpdir_env_var": false, "exclude_slash_tmp": false
        }));
        let bounds = write.files.unwrap();
        assert_eq!(bounds.writable, paths(&["/data", "/proj", "/tmp"]));
        assert!(bounds.read_only.contains(&absolute("/proj/.git")));
        assert_eq!(write.network, Network::Off);
        let by_others = of(json!({"type": "external-sandbox", "network_access": "enabled"}));
        assert_eq!(by_others, ClientSandbox::NONE);
        // Where both are said, the newer one counts.
        let both = json!({"permissionProfile": {"type": "disabled"}, "sandboxPolicy": {"type": "read-only"}});
        assert_eq!(sandbox(&both), Ok(ClientSandbox::NONE));
    }
}
