//! A host in name spaces of its own, for sessions in `strict`: bubblewrap starts it where only what its session
//! needs is there, and no process but its own. What is there is gathered here, by files alone.

use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
    fs,
    io::{self, Seek, Write},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

use super::{
    Sandbox, Target,
    directory::Outer,
    sandbox::{Disk, changed, on_path},
};
use crate::{
    pty,
    sandbox::{Access, Holds, View},
};

/// The variable that tells a host that it is in name spaces, and where its files are.
pub(super) const VARIABLE: &str = "MCP_REPL_STRICT_DIR";
/// Why there is no sandbox for a session that was to be in name spaces.
pub(super) const NOT_INSIDE: &str =
    "`strict` is for sessions with a host: those of a server and of `mcp-repl attach`";
/// What makes name spaces (bwrap(1)).
const BUBBLEWRAP: &str = "bwrap";
/// Variables that name what programs read: a path, or several.
const READ: [&str; 7] = [
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "LD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "TERMINFO",
];
/// How many files are followed from a program to what it is made of.
const MOST_PROGRAMS: usize = 16;

/// The place for this process's files, if it is in name spaces.
pub(super) fn directory() -> Option<PathBuf> {
    env::var_os(VARIABLE).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Whether this process is in name spaces.
pub fn is_inside() -> bool {
    directory().is_some()
}

/// Why a host can't be had in name spaces.
#[derive(Debug, thiserror::Error)]
pub enum StrictError {
    /// There is nothing that makes them.
    #[error(
        "`--sandbox strict` takes bubblewrap, and there is no `{BUBBLEWRAP}` on PATH: install it (`apt install \
         bubblewrap`), or use `--sandbox workspace-write`"
    )]
    NoBubblewrap,
    /// Something of what is to be there fails.
    #[error("no sandbox: {0}")]
    Io(#[from] io::Error),
}

/// Whether this system makes them, tried.
pub fn holds() -> Holds {
    let tried = Command::new(BUBBLEWRAP)
        .args(["--unshare-pid", "--unshare-ipc", "--ro-bind", "/", "/", "--proc", "/proc", "true"])
        .output();
    let state = match tried {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(format!("there is no `{BUBBLEWRAP}` on PATH"))
        }
        Err(error) => Err(error.to_string()),
    };
    Holds { what: "name spaces, which `--sandbox strict` takes besides (bubblewrap)", state }
}

/// A host that is to be started in name spaces.
#[derive(Debug)]
pub struct Host<'a> {
    /// What its session may reach.
    pub sandbox: &'a Sandbox,
    /// What it runs.
    pub target: &'a Target,
    /// What the host itself writes: the run-time directory, and that of recordings.
    pub written: Vec<PathBuf>,
    /// The host's arguments.
    pub arguments: Vec<OsString>,
}

impl Host<'_> {
    /// Starts it in this process's working directory, with `input` on its standard input, and waits until it
    /// lives on by itself, or has ended.
    ///
    /// # Errors
    /// When there is no bubblewrap, or no place for its files. What bubblewrap fails of, it says itself.
    pub fn start(&self, input: &[u8]) -> Result<ExitStatus, StrictError> {
        let program = pty::own_program()?;
        let place = Outer::new()?;
        let view = self.view(&program, place.path())?;
        let mut stdin = tempfile::tempfile()?;
        stdin.write_all(input)?;
        stdin.rewind()?;
        let status = Command::new(BUBBLEWRAP)
            .args(view.arguments())
            .arg("--")
            .arg(&program)
            .args(&self.arguments)
            .env(VARIABLE, place.path())
            .stdin(Stdio::from(stdin))
            .status();
        match status {
            Ok(status) => {
                if status.success() {
                    place.leave();
                }
                Ok(status)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StrictError::NoBubblewrap),
            Err(error) => Err(error.into()),
        }
    }

    /// What is there for it, whose own files are in `private`.
    fn view(&self, program: &Path, private: &Path) -> io::Result<View> {
        let variables = changed(&Vec::new());
        let disk = Disk::default();
        let place = self.sandbox.place(private, None, &variables, &disk)?;
        let mut view = View::new(&place, &self.sandbox.settings, &disk);
        let mut read = vec![program.to_owned()];
        if let Ok(found) = self.target.resolve()
            && let Some(file) = on_path(&found.program.file, &variables)
        {
            read.extend(made_of(&file, place.home.as_deref()));
        }
        read.extend(named(&variables));
        read.extend(place.home.iter().flat_map(|home| libraries(&home.join(".local/lib"))));
        for path in read {
            // What is named may be anything, and all of a home directory is too much to be meant.
            if !place.is_around_home(&path) {
                view.show(&path, Access::Read, &disk);
            }
        }
        for path in &self.written {
            view.show(path, Access::Write, &disk);
        }
        Ok(view)
    }
}

/// What the variables name that programs read.
fn named(variables: &BTreeMap<OsString, OsString>) -> Vec<PathBuf> {
    let values = READ.iter().filter_map(|name| variables.get(OsStr::new(name)));
    let paths = values.flat_map(env::split_paths);
    paths.filter(|path| path.is_absolute()).collect()
}

/// The directories of Python's libraries in one of libraries.
fn libraries(place: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    let is_one =
        |entry: &fs::DirEntry| entry.file_name().as_encoded_bytes().starts_with(b"python3");
    entries.filter(is_one).map(|entry| entry.path()).collect()
}

/// The files and directories that a program is made of, as far as they are not the system's. Of a Python these are
/// its environment and the installation that is of. Files in a workspace may say what they like of that: a place is
/// taken for an installation only if it has Python's library.
fn made_of(program: &Path, home: Option<&Path>) -> Vec<PathBuf> {
    let (mut programs, mut found) = (vec![program.to_owned()], Vec::new());
    let mut next = 0;
    while next < programs.len().min(MOST_PROGRAMS) {
        let file = programs[next].clone();
        next += 1;
        let real = file.canonicalize().ok().filter(|real| *real != file);
        found.push(file.clone());
        programs.extend(real.filter(|real| !programs.contains(real)));
        let Some(bin) = file.parent() else { continue };
        let Some(prefix) = bin.parent() else { continue };
        if bin.ends_with("shims") && prefix.join("versions").is_dir() {
            // Those of pyenv lead to any of its versions.
            found.push(prefix.to_owned());
        } else if let Some(home) = home_of(prefix) {
            found.push(prefix.to_owned());
            let name = file.file_name().unwrap_or(OsStr::new("python"));
            let names = [name, OsStr::new("python3"), OsStr::new("python")];
            let others = names.map(|name| home.join(name));
            programs.extend(others.into_iter().find(|file| file.exists()));
        } else if libraries(&prefix.join("lib")).iter().any(|place| place.join("os.py").is_file()) {
            if home.is_some_and(|home| home.starts_with(prefix)) {
                found.extend(["bin", "lib"].map(|name| prefix.join(name)));
            } else {
                found.push(prefix.to_owned());
            }
        }
    }
    found
}

/// Where the Python of a virtual environment is (`home` in its `pyvenv.cfg`).
fn home_of(environment: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(environment.join("pyvenv.cfg")).ok()?;
    let mut settings = text.lines().filter_map(|line| line.split_once('='));
    let (_, home) = settings.find(|(name, _)| name.trim() == "home")?;
    Some(PathBuf::from(home.trim())).filter(|home| home.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory with these files in it.
    fn tree(files: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let real = root.path().canonicalize().unwrap();
        for file in files {
            let file = real.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        (root, real)
    }

    #[test]
    fn a_virtual_environment_leads_to_the_installation_that_it_is_of() {
        let (_root, at) = tree(&[
            "uv/cpython-3.13.1/bin/python3.13",
            "uv/cpython-3.13.1/lib/python3.13/os.py",
            "w/.venv/bin/activate",
        ]);
        let link = |to: &str, link: &str| pty::testing::link(&at.join(to), &at.join(link)).unwrap();
        link("uv/cpython-3.13.1", "uv/cpython-3.13");
        link("uv/cpython-3.13/bin/python3.13", "w/.venv/bin/python");
        let settings =
            format!("home = {}\nversion = 3.13\n", at.join("uv/cpython-3.13/bin").display());
        fs::write(at.join("w/.venv/pyvenv.cfg"), settings).unwrap();
        let found = made_of(&at.join("w/.venv/bin/python"), None);
        for place in ["w/.venv", "uv/cpython-3.13.1"] {
            assert!(found.contains(&at.join(place)), "{place} in {found:?}");
        }
        assert!(!found.contains(&at.join("uv")));
    }

    #[test]
    fn a_file_in_a_workspace_opens_no_place_that_has_no_python() {
        let (_root, at) = tree(&["w/.venv/bin/python", "papers/bin/python3", "papers/lib/x"]);
        let settings = format!("home = {}\n", at.join("papers/bin").display());
        fs::write(at.join("w/.venv/pyvenv.cfg"), settings).unwrap();
        let found = made_of(&at.join("w/.venv/bin/python"), None);
        assert!(!found.contains(&at.join("papers")), "{found:?}");
    }

    #[test]
    fn shims_lead_to_all_versions_and_other_programs_to_themselves() {
        let (_root, at) =
            tree(&[".pyenv/shims/python", ".pyenv/versions/3.12.1/bin/python", "bin/x"]);
        let shim = at.join(".pyenv/shims/python");
        assert_eq!(made_of(&shim, None), [shim, at.join(".pyenv")]);
        assert_eq!(made_of(&at.join("bin/x"), None), [at.join("bin/x")]);
    }

    #[test]
    fn an_installation_in_the_home_directory_does_not_show_all_of_that() {
        let (_root, at) = tree(&["bin/python3", "lib/python3.12/os.py", "papers/x"]);
        let found = made_of(&at.join("bin/python3"), Some(&at));
        assert!(found.contains(&at.join("lib")) && !found.contains(&at), "{found:?}");
    }
}
