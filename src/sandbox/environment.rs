//! What a program in a sandbox finds in its environment: no secrets, caches that it can write, and the mode.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{
    Place, Rules, Settings,
    names::{AGENTS, CACHES, LINKS, READ_IN_PLACE, SECRET_ENDS, SECRET_PARTS},
};

/// The variable that tells programs which mode they run in.
pub const MODE_VARIABLE: &str = "MCP_REPL_SANDBOX";
/// The variable that tells programs which network they reach.
pub const NETWORK_VARIABLE: &str = "MCP_REPL_SANDBOX_NETWORK";

/// Changes to an environment: a value, or `None` to leave the name out.
pub type Changes = Vec<(OsString, Option<OsString>)>;

/// Whether a variable's name is that of a secret, or leads to who holds one.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    // `MONKEY` is none: the word stands alone, or behind an underscore.
    let ends_with = |word: &&str| {
        name.strip_suffix(*word).is_some_and(|before| before.is_empty() || before.ends_with('_'))
    };
    let is_joined = ["APIKEY", "AUTHTOKEN"].iter().any(|word| name.ends_with(word));
    is_joined
        || SECRET_ENDS.iter().any(ends_with)
        || SECRET_PARTS.iter().any(|word| name.contains(word))
        || AGENTS.contains(&&*name)
}

/// The changes to the environment of a program under `rules`, which has these variables.
pub fn changes(
    settings: &Settings,
    rules: &Rules,
    place: &Place,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    exists: &dyn Fn(&Path) -> bool,
) -> Changes {
    let variables: Vec<_> = variables.into_iter().collect();
    let value = |wanted: &str| {
        variables.iter().find(|(name, _)| name == wanted).map(|(_, value)| PathBuf::from(value))
    };
    let mut changes = Changes::new();
    for (name, _) in &variables {
        let text = name.to_string_lossy();
        if is_secret(&text) && !settings.keep_variables.iter().any(|kept| *kept == *text) {
            changes.push((name.clone(), None));
        }
    }
    let can_write = |path: &PathBuf| rules.writable.iter().any(|place| path.starts_with(place));
    for (name, below) in CACHES {
        if !value(name).as_ref().is_some_and(can_write) {
            let cache = place.caches.join(below);
            changes.push((name.into(), Some(cache.into())));
        }
    }
    for (name, path) in READ_IN_PLACE {
        if value(name).is_none()
            && let Some(path) = place.path(path).filter(|path| exists(path))
        {
            changes.push((name.into(), Some(path.into())));
        }
    }
    for (name, what) in LINKS {
        changes.push((name.into(), Some(what.into())));
    }
    changes.push((MODE_VARIABLE.into(), Some(settings.mode.name().into())));
    changes.push((NETWORK_VARIABLE.into(), Some(settings.network.name().into())));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Mode, Network};

    #[test]
    fn names_of_secrets_are_known() {
        for name in [
            "GITHUB_TOKEN",
            "token",
            "OPENAI_API_KEY",
            "api_key",
            "MY_APIKEY",
            "AWS_SECRET_ACCESS_KEY",
            "DB_PASSWORD",
            "PGPASSWORD",
            "PASSWORD_FILE",
            "client_secret_id",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "SSH_AUTH_SOCK",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["PATH", "HOME", "MONKEY", "KEYBOARD", "TOKENIZERS_PARALLELISM", "LS_COLORS"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn secrets_stay_outside_and_caches_go_where_they_can_be_written() {
        let settings = Settings {
            mode: Mode::WorkspaceWrite,
            keep_variables: vec!["HF_TOKEN".into()],
            network: Network::Local,
            ..Settings::default()
        };
        let place = Place {
            home: Some("/home/ada".into()),
            caches: "/home/ada/.cache/mcp-repl/x".into(),
            ..Place::default()
        };
        let rules = Rules { writable: vec!["/work".into()], ..Rules::default() };
        let variables = [
            ("A_TOKEN", "1"),
            ("HF_TOKEN", "2"),
            ("PIP_CACHE_DIR", "/work/pip"),
            ("UV_CACHE_DIR", "/workspace/uv"),
            ("TORCH_HOME", "/models"),
        ];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let exists = |path: &Path| !path.ends_with("matplotlibrc");
        let changes = changes(&settings, &rules, &place, variables, &exists);
        let told: Vec<String> = changes
            .iter()
            .map(|(name, value)| match value {
                Some(value) => format!("{}={}", name.display(), value.display()),
                None => format!("-{}", name.display()),
            })
            .map(|change| change.replace(std::path::MAIN_SEPARATOR, "/"))
            .collect();
        assert_eq!(
            told,
            [
                "-A_TOKEN",
                "XDG_CACHE_HOME=/home/ada/.cache/mcp-repl/x/",
                "UV_CACHE_DIR=/home/ada/.cache/mcp-repl/x/uv",
                "MPLCONFIGDIR=/home/ada/.cache/mcp-repl/x/matplotlib",
                "NUMBA_CACHE_DIR=/home/ada/.cache/mcp-repl/x/numba",
                "HF_HOME=/home/ada/.cache/huggingface",
                "UV_LINK_MODE=copy",
                "MCP_REPL_SANDBOX=workspace-write",
                "MCP_REPL_SANDBOX_NETWORK=local",
            ]
        );
    }
}
