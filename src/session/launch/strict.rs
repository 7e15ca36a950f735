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
    sync::{Mutex, OnceLock, PoisonError},
};

use super::{
    Sandbox, Target,
    directory::OuterDirectory,
    sandbox::{Disk, Outer, changed, on_path},
};
use crate::{
    pty,
    sandbox::{Access, Holds, Look, View},
};

/// Where the files are of this process, which is in name spaces.
static INSIDE: OnceLock<PathBuf> = OnceLock::new();
/// The file there that says what was found outside.
const OUTER: &str = "outer.json";
/// Why there is no sandbox for a session that was to be in name spaces.
pub const NOT_INSIDE: &str =
    "`strict` is for sessions that have a host: those of a server and of `mcp-repl attach`";
/// What makes name spaces (bwrap(1)), where systems have it. It is run outside of them, so it is not looked for on
/// PATH: a session may write in a directory that stands there.
const BUBBLEWRAP: [&str; 5] = [
    "/usr/bin/bwrap",
    "/bin/bwrap",
    "/usr/local/bin/bwrap",
    "/run/wrappers/bin/bwrap",
    "/run/current-system/sw/bin/bwrap",
];
/// What of an environment or an installation a Python is made of.
const PARTS: [&str; 8] = ["bin", "lib", "lib64", "include", "share", "etc", "ssl", "pyvenv.cfg"];
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

/// This process is the host that was started in name spaces, with this place for its files.
pub fn enter(directory: PathBuf) {
    let _ = INSIDE.set(directory);
}

/// The place for this process's files, if it is in name spaces.
pub(super) fn directory() -> Option<&'static Path> {
    INSIDE.get().map(PathBuf::as_path)
}

/// Whether this process is in name spaces.
pub fn is_inside() -> bool {
    directory().is_some()
}

/// What was found outside, if this process is in name spaces.
///
/// # Errors
/// When that can't be read: nothing is to be run then.
pub(super) fn outer() -> io::Result<Option<Outer>> {
    let Some(directory) = directory() else { return Ok(None) };
    // Read once: the directory may be gone when the next program is started.
    static FOUND: Mutex<Option<Outer>> = Mutex::new(None);
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if found.is_none() {
        let text = io::read_to_string(pty::open_own_file(&directory.join(OUTER))?)?;
        *found = Some(serde_json::from_str(&text)?);
    }
    Ok(found.clone())
}

fn bubblewrap() -> Option<&'static Path> {
    BUBBLEWRAP.iter().map(Path::new).find(|file| file.is_file())
}

/// Why a host can't be had in name spaces.
#[derive(Debug, thiserror::Error)]
pub enum StrictError {
    /// There is nothing that makes them.
    #[error(
        "`--sandbox strict` takes bubblewrap, and there is none ({}): install it (`apt install bubblewrap`), or use \
         `--sandbox workspace-write`", BUBBLEWRAP[0]
    )]
    NoBubblewrap,
    /// All that there is was named.
    #[error("in `strict` all of the machine can't be shown: name the places that are to be there")]
    All,
    /// Something of what is to be there fails.
    #[error("no sandbox: {0}")]
    Io(#[from] io::Error),
}

/// Whether this system makes them, tried.
pub fn holds() -> Holds {
    let what = "name spaces, which `--sandbox strict` takes besides (bubblewrap)";
    let Some(bubblewrap) = bubblewrap() else {
        return Holds { what, state: Err(format!("there is no {}", BUBBLEWRAP[0])) };
    };
    let tried = Command::new(bubblewrap)
        .args(["--unshare-pid", "--unshare-ipc", "--ro-bind", "/", "/", "--proc", "/proc", "true"])
        .output();
    let state = match tried {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(error.to_string()),
    };
    Holds { what, state }
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
    /// The host's arguments, behind which the place for its files is put.
    pub arguments: Vec<OsString>,
}

impl Host<'_> {
    /// Starts it in this process's working directory, with `input` on its standard input, and waits until it
    /// lives on by itself, or has ended.
    ///
    /// # Errors
    /// When there is no bubblewrap, or no place for its files. What bubblewrap fails of, it says itself.
    pub fn start(&self, input: &[u8]) -> Result<ExitStatus, StrictError> {
        let bubblewrap = bubblewrap().ok_or(StrictError::NoBubblewrap)?;
        let named = self.sandbox.settings.writable.iter().chain(&self.sandbox.settings.readable);
        let disk = Disk::default();
        if { named }.any(|path| disk.real(path).parent().is_none()) {
            return Err(StrictError::All);
        }
        let program = pty::own_program()?;
        let place = OuterDirectory::new()?;
        let view = self.view(&program, place.path(), &disk)?;
        let mut stdin = tempfile::tempfile_in(place.path())?;
        stdin.write_all(input)?;
        stdin.rewind()?;
        let status = Command::new(bubblewrap)
            .args(view.arguments())
            .arg("--")
            .arg(&program)
            .args(&self.arguments)
            .arg(place.path())
            .stdin(Stdio::from(stdin))
            .status()?;
        if status.success() {
            place.leave();
        }
        Ok(status)
    }

    /// What is there for it, whose own files are in `private`.
    fn view(&self, program: &Path, private: &Path, disk: &Disk) -> io::Result<View> {
        let variables = changed(&Vec::new());
        let place = self.sandbox.place(private, None, &variables, disk)?;
        let outer = serde_json::to_vec(&self.sandbox.outer(&place, disk)?)?;
        pty::create_private_file(&private.join(OUTER))?.write_all(&outer)?;
        let mut view = View::new(&place, &self.sandbox.settings, disk);
        let mut read = vec![program.to_owned()];
        if let Ok(found) = self.target.resolve() {
            let files = found.files().filter_map(|file| on_path(file, &variables));
            read.extend(files.flat_map(|file| made_of(&file, disk)));
        }
        read.extend(named(&variables));
        read.extend(place.home.iter().flat_map(|home| libraries(&home.join(".local/lib"))));
        for path in read {
            view.show_unless_wide(&path, &place, disk);
        }
        for path in &self.written {
            view.show(path, Access::Write, disk);
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

/// The files and directories that a program is made of, without links in their paths, as far as they are not the
/// system's. Of a Python these are parts of its environment and of the installation that is of. Files and links in a
/// workspace may say what they like of that, so what they lead to is taken for a program only if it is a file that
/// can be executed, and what is around it only if it has Python's library or is an environment.
fn made_of(program: &Path, disk: &Disk) -> Vec<PathBuf> {
    let (mut programs, mut found) = (vec![program.to_owned()], Vec::new());
    let mut next = 0;
    while next < programs.len().min(MOST_PROGRAMS) {
        let named = programs[next].clone();
        next += 1;
        let file = disk.real(&named);
        if !(file.is_file() && pty::is_executable(&file)) {
            continue;
        }
        found.extend([named.clone(), file.clone()]);
        if !programs.contains(&file) {
            programs.push(file);
        }
        let Some(bin) = named.parent() else { continue };
        let Some(prefix) = bin.parent().map(|prefix| disk.real(prefix)) else { continue };
        let parts = PARTS.iter().map(|part| prefix.join(part));
        if bin.ends_with("shims") && prefix.join("versions").is_dir() {
            // Those of pyenv lead to any of its versions.
            found.extend(
                ["bin", "libexec", "shims", "versions", "version"].map(|part| prefix.join(part)),
            );
        } else if let Some(home) = home_of(&prefix, disk) {
            found.extend(parts);
            let name = named.file_name().unwrap_or(OsStr::new("python"));
            let names = [name, OsStr::new("python3"), OsStr::new("python")];
            programs.extend(names.map(|name| home.join(name)));
        } else if libraries(&prefix.join("lib")).iter().any(|place| place.join("os.py").is_file()) {
            found.extend(parts);
        }
    }
    found
}

/// Where the Python of a virtual environment is (`home` in its `pyvenv.cfg`).
fn home_of(environment: &Path, disk: &Disk) -> Option<PathBuf> {
    let text = disk.text(&environment.join("pyvenv.cfg"))?;
    let mut settings = text.lines().filter_map(|line| line.split_once('='));
    let (_, home) = settings.find(|(name, _)| name.trim() == "home")?;
    Some(PathBuf::from(home.trim())).filter(|home| home.is_absolute())
}

#[cfg(all(test, has = "posix"))]
mod tests {
    use super::*;

    /// A directory with these files in it.
    fn tree(files: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let real = root.path().canonicalize().unwrap();
        for file in files {
            let file = real.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "").unwrap();
            pty::testing::make_executable(&file).unwrap();
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
        let found = made_of(&at.join("w/.venv/bin/python"), &Disk::default());
        for place in ["w/.venv/lib", "uv/cpython-3.13.1/lib", "uv/cpython-3.13.1/bin/python3.13"] {
            assert!(found.contains(&at.join(place)), "{place} in {found:?}");
        }
        assert!(!found.iter().any(|place| at.join("uv/cpython-3.13.1").starts_with(place)));
    }

    #[test]
    fn a_file_in_a_workspace_opens_no_place_that_has_no_python() {
        let (_root, at) = tree(&["w/.venv/bin/x", "papers/bin/python3", "papers/lib/x", "w/x/y"]);
        pty::testing::link(Path::new("/"), &at.join("w/x/python")).unwrap();
        pty::testing::link(&at.join("w/x/python"), &at.join("w/.venv/bin/python")).unwrap();
        let made_of = || made_of(&at.join("w/.venv/bin/python"), &Disk::default());
        assert_eq!(made_of(), [] as [PathBuf; 0]);
        fs::remove_file(at.join("w/.venv/bin/python")).unwrap();
        fs::copy(at.join("w/.venv/bin/x"), at.join("w/.venv/bin/python")).unwrap();
        for home in [at.join("papers/bin"), at.join("w/x")] {
            fs::write(at.join("w/.venv/pyvenv.cfg"), format!("home = {}\n", home.display()))
                .unwrap();
            let found = made_of();
            let file = at.join("papers/bin/python3");
            let is_ours = |place: &PathBuf| place.starts_with(at.join("w/.venv")) || *place == file;
            assert!(found.iter().all(is_ours), "{found:?}");
        }
        // Nor is anything waited for.
        let settings = at.join("w/.venv/pyvenv.cfg");
        fs::remove_file(&settings).unwrap();
        assert!(Command::new("mkfifo").arg(&settings).status().unwrap().success());
        assert!(made_of().iter().all(|place| place.starts_with(at.join("w/.venv"))));
    }

    #[test]
    fn shims_lead_to_all_versions_and_other_programs_to_themselves() {
        let (_root, at) =
            tree(&[".pyenv/shims/python", ".pyenv/versions/3.12.1/bin/python", "bin/x"]);
        let shim = at.join(".pyenv/shims/python");
        let disk = Disk::default();
        let found = made_of(&shim, &disk);
        assert!(found.contains(&shim) && found.contains(&at.join(".pyenv/versions")), "{found:?}");
        assert!(made_of(&at.join("bin/x"), &disk).iter().all(|path| *path == at.join("bin/x")));
    }

    #[test]
    fn an_installation_in_the_home_directory_does_not_show_all_of_that() {
        let (_root, at) = tree(&["bin/python3", "lib/python3.12/os.py", "papers/x"]);
        let found = made_of(&at.join("bin/python3"), &Disk::default());
        assert!(found.contains(&at.join("lib")) && !found.contains(&at), "{found:?}");
    }
}
