//! How clients start this program: by the path under which it was called, or by what fetched it.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use super::{entry::Server, surroundings::Surroundings};

/// What starts this program, and what a person should know of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Starter {
    /// The command line, without options of the server.
    pub server: Server,
    /// Said to the person, if there is something to say.
    pub note: Option<String>,
}

/// Why there is no command line that starts this program.
#[derive(Debug, thiserror::Error)]
pub enum StarterError {
    /// The path is no UTF-8, as configurations are.
    #[error("this program's path is no text in UTF-8, and no client could start it: {}", .0.display())]
    NoText(PathBuf),
}

/// How a process that was called by `name`, and runs the file `file`, is started again. The path is
/// not resolved: a link such as `~/.local/bin/mcp-repl` outlives updates.
///
/// # Errors
/// When its path can't be written down.
pub fn starter(name: &OsStr, file: &Path, around: &Surroundings) -> Result<Starter, StarterError> {
    let called = match name.to_str() {
        Some(name) if Path::new(name).components().count() <= 1 => around.program(name),
        _ => Some(around.directory.join(name)),
    };
    let is_it = |called: &PathBuf| {
        let (called, file) = (called.canonicalize(), file.canonicalize());
        called.is_ok_and(|called| file.is_ok_and(|file| called == file))
    };
    let path = called.filter(is_it).unwrap_or_else(|| file.to_owned());
    // Without the `.` of `./mcp-repl`.
    let path: PathBuf = path.components().collect();
    if let Some(runner) = [path.as_path(), file].into_iter().find_map(runner_of) {
        let program = around.program(runner[0]);
        let command = program.as_deref().and_then(Path::to_str).unwrap_or(runner[0]).to_owned();
        let args: Vec<String> = runner[1..].iter().map(|arg| (*arg).to_owned()).collect();
        let note = format!(
            "this copy is in a cache, which may be emptied: `{} {}` is written instead; `uv tool install \
             mcp-repl` or `npm install -g mcp-repl` starts faster",
            runner[0],
            args.join(" ")
        );
        return Ok(Starter { server: Server { command, args }, note: Some(note) });
    }
    match path.into_os_string().into_string() {
        Ok(command) => Ok(Starter { server: Server { command, args: Vec::new() }, note: None }),
        Err(path) => Err(StarterError::NoText(path.into())),
    }
}

/// What keeps a file in a cache of its own, and fetches it again.
fn runner_of(path: &Path) -> Option<&'static [&'static str]> {
    let names = path.components().filter_map(|component| component.as_os_str().to_str());
    names.into_iter().find_map(|name| match name {
        // uv's cache: https://docs.astral.sh/uv/concepts/cache/
        "archive-v0" => Some(&["uvx", "mcp-repl"][..]),
        name if name.starts_with("environments-v") => Some(&["uvx", "mcp-repl"]),
        // npm's cache of `npm exec`.
        "_npx" => Some(&["npx", "-y", "mcp-repl"]),
        name if name.starts_with("bunx-") => Some(&["bunx", "mcp-repl"]),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use super::*;
    use crate::install::Platform;

    /// A directory with `project/` and `bin/`, which is on PATH.
    fn around(root: &Path) -> Surroundings {
        for directory in ["project", "bin"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        let path = ("PATH".to_owned(), root.join("bin").into_os_string());
        Surroundings {
            home: root.to_owned(),
            directory: root.join("project"),
            variables: BTreeMap::from([path]),
            platform: Platform::Linux,
        }
    }

    fn command(name: &str, file: &Path, around: &Surroundings) -> (String, Vec<String>) {
        let starter = starter(name.as_ref(), file, around).unwrap();
        (starter.server.command, starter.server.args)
    }

    #[test]
    fn the_path_is_the_one_that_it_was_called_by() {
        let root = tempfile::tempdir().unwrap();
        let around = around(root.path());
        let file = root.path().join("bin").join("mcp-repl");
        fs::write(&file, "").unwrap();
        let expected = file.to_str().unwrap();
        assert_eq!(command("mcp-repl", &file, &around).0, expected);
        assert_eq!(command(expected, &file, &around).0, expected);
        let here = root.path().join("project").join("mcp-repl");
        fs::write(&here, "").unwrap();
        assert_eq!(command("./mcp-repl", &here, &around).0, here.to_str().unwrap());
        // What is called so is something else.
        assert_eq!(command("mcp-repl", &here, &around).0, here.to_str().unwrap());
        assert_eq!(command("", &here, &around).0, here.to_str().unwrap());
    }

    #[test]
    fn a_copy_in_a_cache_is_fetched_again_by_what_fetched_it() {
        let root = tempfile::tempdir().unwrap();
        let around = around(root.path());
        let uv = Path::new("/home/a/.cache/uv/archive-v0/x1/bin/mcp-repl");
        assert_eq!(command("mcp-repl", uv, &around), ("uvx".into(), vec!["mcp-repl".into()]));
        let npx = Path::new("/home/a/.npm/_npx/1f/node_modules/mcp-repl/mcp-repl");
        let program = root.path().join("bin").join("npx");
        fs::write(&program, "").unwrap();
        let (found, args) = command("mcp-repl", npx, &around);
        assert_eq!(found, program.to_str().unwrap());
        assert_eq!(args, ["-y", "mcp-repl"]);
        assert!(starter("mcp-repl".as_ref(), uv, &around).unwrap().note.is_some());
    }
}
