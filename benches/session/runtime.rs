//! A run-time directory of the bench's own, in which the sessions of hosted servers are.

use std::{
    fs, io,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::server::BINARY;

/// A run-time directory. Its sessions are ended when it is dropped.
#[derive(Debug)]
pub(crate) struct Runtime(TempDir);

impl Runtime {
    /// A new one, without sessions.
    pub(crate) fn new() -> io::Result<Runtime> {
        // The paths of sockets are short.
        tempfile::tempdir_in("/tmp").map(Runtime)
    }

    /// The program under test, for sessions that are here.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        command.env("MCP_REPL_RUNTIME_DIR", self.0.path()).env_remove("MCP_REPL_GRACE");
        // What the user of this machine has set makes another program of it.
        command.env("XDG_CONFIG_HOME", self.0.path());
        command
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The hosts of all sessions.
    pub(crate) fn hosts(&self) -> io::Result<Vec<u32>> {
        let mut hosts = Vec::new();
        for entry in fs::read_dir(self.0.path())? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "session") {
                let entry: Value = serde_json::from_slice(&fs::read(path)?)?;
                let host = entry["host_pid"].as_u64().and_then(|host| u32::try_from(host).ok());
                hosts.push(host.ok_or_else(|| io::Error::other(format!("no host: {entry}")))?);
            }
        }
        Ok(hosts)
    }

    /// The host of the one session.
    pub(crate) fn only_host(&self) -> io::Result<u32> {
        match self.hosts()?[..] {
            [host] => Ok(host),
            ref hosts => Err(io::Error::other(format!("{} sessions", hosts.len()))),
        }
    }

    /// Ends all sessions.
    pub(crate) fn end_all(&self) -> io::Result<()> {
        self.command().args(["end", "--all"]).stdout(Stdio::null()).status().map(drop)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let _ = self.end_all();
    }
}
