//! What a session's program may reach: the options of the command line, and what stands behind them.

use std::path::{Path, PathBuf};

use clap::Args;

use super::state::state_directory;
use crate::{
    registry::Registry,
    remote::Place,
    sandbox::{Mode, Network, Settings},
    session::launch::Sandbox,
};

/// What the server's sessions have where nothing is said.
pub(super) const OF_SERVER: Mode = Mode::WorkspaceWrite;

/// What a session's program may reach.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Sandbox")]
pub(super) struct SandboxArguments {
    /// What the session's program may change: the working directory, temporary files and what is added
    /// (`workspace-write`), temporary files and what is added (`read-only`), the same as in `workspace-write`, with
    /// no other files there than the system's and what is added, and no other processes (`strict`), or all that you
    /// can (`off`). But for `off` it can't read your keys and tokens, and reaches the network that --network says.
    /// Where it is not said: `workspace-write` for the sessions of the server, `off` for those of other commands.
    #[arg(long, value_name = "MODE", value_parser = mode)]
    sandbox: Option<Mode>,
    /// A file or directory that may be written besides.
    #[arg(long, value_name = "PATH")]
    add_writable: Vec<PathBuf>,
    /// A file or directory that is there in the sandbox `strict`, too, and can be read.
    #[arg(long, value_name = "PATH")]
    add_readable: Vec<PathBuf>,
    /// Which network is reached in the sandbox: none (`off`), only programs on this machine (`local`), or
    /// all (`on`). `off` where it is not said.
    #[arg(long, value_name = "REACH", value_parser = network)]
    network: Option<Network>,
    /// A file or directory that can't be read in the sandbox, besides those that hold secrets by their names.
    #[arg(long, value_name = "PATH")]
    deny_read: Vec<PathBuf>,
    /// Lets programs in the sandbox use the GPUs.
    #[arg(long)]
    gpu: bool,
    /// A variable of the environment that is handed to programs in the sandbox though its name is that of a
    /// secret, as all that end in _TOKEN or _KEY or have SECRET or PASSWORD in them.
    #[arg(long, value_name = "NAME")]
    keep_variable: Vec<String>,
}

fn mode(value: &str) -> Result<Mode, &'static str> {
    value.parse()
}

fn network(value: &str) -> Result<Network, &'static str> {
    value.parse()
}

impl SandboxArguments {
    /// Whether it is said what the mode is.
    pub(super) fn is_given(&self) -> bool {
        self.sandbox.is_some()
    }

    /// Looks at what was asked for on the command line, where `holds` is what holds of that and of files,
    /// and `default` the mode where neither says one.
    ///
    /// # Errors
    /// When an option means nothing, since there is no sandbox, and nobody said that there is to be none.
    pub(super) fn check(&self, holds: &SandboxArguments, default: Mode) -> Result<(), String> {
        let of_sandbox = [
            ("--add-writable", !self.add_writable.is_empty()),
            ("--add-readable", !self.add_readable.is_empty()),
            ("--network", self.network.is_some()),
            ("--deny-read", !self.deny_read.is_empty()),
            ("--gpu", self.gpu),
            ("--keep-variable", !self.keep_variable.is_empty()),
        ];
        let asked = of_sandbox.iter().find(|(_, is_asked)| *is_asked);
        match (holds.sandbox, asked) {
            // Who says both may keep the others for later.
            (None, Some((option, _))) if !default.is_on() => Err(format!(
                "{option} is of a sandbox, and there is none: add `--sandbox workspace-write`"
            )),
            _ => Ok(()),
        }
    }

    /// What is wanted of sessions at this place; `default` where no mode is given.
    ///
    /// # Errors
    /// When a path can't be handed on.
    pub(super) fn settings(&self, default: Mode, place: &Place) -> Result<Settings, String> {
        let SandboxArguments {
            sandbox,
            add_writable,
            add_readable,
            network,
            deny_read,
            gpu,
            keep_variable,
        } = self;
        let mode = sandbox.unwrap_or(default);
        let paths = |option: &str, paths: &[PathBuf]| {
            paths.iter().map(|path| whole(option, path, place)).collect::<Result<Vec<_>, _>>()
        };
        Ok(Settings {
            mode,
            writable: paths("--add-writable", add_writable)?,
            network: network.unwrap_or_default(),
            readable: paths("--add-readable", add_readable)?,
            deny_read: paths("--deny-read", deny_read)?,
            gpu: *gpu,
            keep_variables: keep_variable.clone(),
            bounds: None,
        })
    }
}

/// A path that means the same wherever a session is started.
fn whole(option: &str, path: &Path, place: &Place) -> Result<PathBuf, String> {
    if path.to_str().is_none() {
        return Err(format!("{option}: {} is no text", path.display()));
    }
    match place {
        Place::Via(_) if path.is_relative() => Err(format!(
            "{option} names a place on the machine that the session is on, by its whole path"
        )),
        Place::Via(_) => Ok(path.to_owned()),
        Place::Here => std::path::absolute(path).map_err(|error| format!("{option}: {error}")),
    }
}

/// The sandbox of a session in this process, or of a host's, whose recordings are in `recordings`, a directory or
/// a file; `None` where it is to have none.
pub(super) fn sandbox(settings: Settings, recordings: Option<&Path>) -> Option<Sandbox> {
    if !settings.mode.is_on() {
        return None;
    }
    let recordings = recordings.and_then(|place| std::path::absolute(place).ok());
    let own = [Registry::place().ok(), state_directory(), recordings];
    Some(Sandbox { settings, own: own.into_iter().flatten().collect() })
}

#[cfg(test)]
mod tests {
    use clap::{Args, FromArgMatches};

    use super::*;

    fn arguments(words: &[&str]) -> SandboxArguments {
        let command = clap::Command::new("x").no_binary_name(true);
        let matches = SandboxArguments::augment_args(command).try_get_matches_from(words).unwrap();
        SandboxArguments::from_arg_matches(&matches).unwrap()
    }

    fn settings(words: &[&str], default: Mode) -> Result<Settings, String> {
        arguments(words).settings(default, &Place::Here)
    }

    #[test]
    fn options_that_mean_nothing_without_a_sandbox_say_so() {
        for words in [&["--network", "on"][..], &["--gpu"], &["--add-writable", "/data"]] {
            let asked = arguments(words);
            let error = asked.check(&asked, Mode::Off).unwrap_err();
            assert!(error.contains("add `--sandbox workspace-write`"), "{error}");
            assert_eq!(asked.check(&asked, Mode::WorkspaceWrite), Ok(()));
            // Also where a file says that there is one.
            let holds = arguments(&[words, &["--sandbox", "read-only"]].concat());
            assert_eq!(asked.check(&holds, Mode::Off), Ok(()));
            // What files say is for sessions that have one.
            assert_eq!(arguments(&[]).check(&asked, Mode::Off), Ok(()));
            let said = [words, &["--sandbox", "off"]].concat();
            assert_eq!(settings(&said, Mode::WorkspaceWrite).unwrap().mode, Mode::Off);
        }
        assert_eq!(settings(&[], Mode::Off), Ok(Settings::default()));
    }

    #[test]
    fn paths_are_those_of_this_process() {
        let motd = std::path::absolute("/etc/motd").unwrap();
        let words = [
            "--sandbox",
            "read-only",
            "--add-writable",
            "out",
            "--deny-read",
            motd.to_str().unwrap(),
        ];
        let settings = settings(&words, Mode::Off).unwrap();
        let here = std::env::current_dir().unwrap();
        assert_eq!(settings.writable, [here.join("out")]);
        assert_eq!(settings.deny_read, [motd.as_path()]);
        assert_eq!((settings.mode, settings.network), (Mode::ReadOnly, Network::Off));
    }
}
