//! What is wanted of a sandbox, as it is on the wire.

use std::path::{Path, PathBuf};

use mcp_repl_control::{Sandbox, SandboxBounds};

use crate::sandbox::{Bounds, Mode, Settings};

/// Why what came over the wire is no sandbox: the option, its value, and what is wrong with that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid value '{value}' for '{option}': {why}")]
pub struct WireError {
    option: &'static str,
    value: String,
    why: &'static str,
}

/// The settings as they travel. What is no text in a path has none there, so it is refused before.
pub fn to_wire(settings: &Settings) -> Sandbox {
    let Settings { mode, writable, network, readable, deny_read, gpu, keep_variables, bounds } =
        settings;
    let texts =
        |paths: &[PathBuf]| paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    Sandbox {
        mode: mode.to_string(),
        network: network.to_string(),
        writable: texts(writable),
        readable: texts(readable),
        deny_read: texts(deny_read),
        gpu: *gpu,
        keep_variables: keep_variables.clone(),
        bounds: bounds.as_ref().map(|Bounds { writable, read_only }| SandboxBounds {
            writable: texts(writable),
            read_only: texts(read_only),
        }),
    }
}

/// The settings that came.
///
/// # Errors
/// When there is no such mode or network, or a path depends on a working directory.
pub fn from_wire(sandbox: &Sandbox) -> Result<Settings, WireError> {
    let Sandbox { mode, network, writable, readable, deny_read, gpu, keep_variables, bounds } =
        sandbox;
    let wrong = |option, value: &str, why| WireError { option, value: value.to_owned(), why };
    let paths = |option, texts: &[String]| {
        let is_relative = |text: &&String| !Path::new(text).is_absolute();
        match texts.iter().find(is_relative) {
            Some(text) => Err(wrong(option, text, "it is no whole path")),
            None => Ok(texts.iter().map(PathBuf::from).collect()),
        }
    };
    let bounds = bounds.as_ref().map(|SandboxBounds { writable, read_only }| {
        let paths = |texts| paths("the client's sandbox", texts);
        Ok(Bounds { writable: paths(writable)?, read_only: paths(read_only)? })
    });
    Ok(Settings {
        mode: mode.parse().map_err(|why| wrong("--sandbox", mode, why))?,
        network: network.parse().map_err(|why| wrong("--network", network, why))?,
        writable: paths("--add-writable", writable)?,
        readable: paths("--add-readable", readable)?,
        deny_read: paths("--deny-read", deny_read)?,
        gpu: *gpu,
        keep_variables: keep_variables.clone(),
        bounds: bounds.transpose()?,
    })
}

/// One that is on; one that is off is none.
pub fn on(sandbox: Option<&Sandbox>) -> Option<&Sandbox> {
    sandbox.filter(|sandbox| sandbox.mode != Mode::Off.name())
}

/// In what a session with the sandbox `there` allows more than what is `wanted`, in words; `None` where it is
/// as strict, or nothing is wanted.
pub(super) fn looser(there: Option<&Sandbox>, wanted: Option<&Sandbox>) -> Option<String> {
    let wanted = from_wire(wanted?).ok()?;
    // One that says what this program does not know is taken for one that has none.
    let there = there.and_then(|there| from_wire(there).ok()).unwrap_or_default();
    there.looser_than(&wanted).map(|looser| looser.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Network;

    #[test]
    fn settings_travel_whole() {
        let at = |path: &str| vec![std::path::absolute(path).unwrap()];
        let settings = Settings {
            mode: Mode::WorkspaceWrite,
            writable: at("/data"),
            network: Network::Local,
            readable: at("/models"),
            deny_read: at("/etc/motd"),
            gpu: true,
            keep_variables: vec!["HF_TOKEN".into()],
            bounds: Some(Bounds { writable: at("/w"), read_only: at("/w/.git") }),
        };
        let wire = to_wire(&settings);
        assert_eq!(from_wire(&wire), Ok(settings));
        let error = |sandbox| from_wire(&sandbox).unwrap_err().to_string();
        assert_eq!(
            error(Sandbox { mode: "new".into(), ..wire.clone() }),
            "invalid value 'new' for '--sandbox': it is one of `workspace-write`, `read-only`, `strict` and `off`"
        );
        assert_eq!(
            error(Sandbox { deny_read: vec!["motd".into()], ..wire }),
            "invalid value 'motd' for '--deny-read': it is no whole path"
        );
    }

    #[test]
    fn a_session_of_which_nothing_is_known_has_no_sandbox() {
        let write = Settings { mode: Mode::WorkspaceWrite, ..Settings::default() };
        let (write, off) = (to_wire(&write), to_wire(&Settings::default()));
        assert!(looser(None, Some(&write)).is_some());
        let newer = Sandbox { mode: "new".into(), ..write.clone() };
        assert!(looser(Some(&newer), Some(&write)).is_some());
        for (there, wanted) in
            [(Some(&write), Some(&write)), (Some(&write), None), (None, Some(&off)), (None, None)]
        {
            assert_eq!(looser(there, wanted), None);
        }
    }
}
