//! The sandbox of a session's program: what is on this machine's disk, for the rules to be made of.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use sha2::{Digest, Sha256};

use super::{Surroundings, strict};
use crate::{
    pty,
    sandbox::{
        self, Bounds, Changes, Confined, Denial, Facts, GPU_DEVICES, Kind, Look, Mode, Place,
        Rules, Settings,
    },
};

/// Where the libraries are that programs are loaded with.
const LIBRARIES: [&str; 4] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"];

/// What a session's program may reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// What is wanted.
    pub settings: Settings,
    /// What of this program's own can't be read by those in it: other sessions, histories, recordings.
    pub own: Vec<PathBuf>,
}

/// What holds in name spaces, as it was found outside of them: there links lead where they do not inside.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Outer {
    hidden: Vec<PathBuf>,
    protected: Vec<PathBuf>,
}

/// A sandbox that a program is started in.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) rules: Rules,
    pub(super) environment: Changes,
    pub(super) confinement: Confinement,
}

/// What is known of a sandbox that a program runs in, beside its rules.
#[derive(Debug, Clone)]
pub(super) struct Confinement {
    mode: Mode,
    writable: PathBuf,
    directory: PathBuf,
    home: Option<PathBuf>,
    bounds: Option<Bounds>,
    began: SystemTime,
}

/// Who knows what was denied to a program, by itself: it looks at files, and takes as long as their disk does.
#[derive(Debug)]
pub struct Explainer {
    pub(super) confinement: Confinement,
    pub(super) rules: Rules,
}

impl Sandbox {
    /// Makes the places that programs in it may write, and the rules. `private` is the worker's own
    /// directory, `temporary` that for its temporary files.
    ///
    /// # Errors
    /// When what may be written is not there or can't be made, or there is no working directory; when
    /// `program` could not run, since it is to be hidden.
    pub(super) fn prepare(
        &self,
        program: &Path,
        private: &Path,
        temporary: &Path,
        around: &Surroundings,
        changes: &Changes,
    ) -> io::Result<Prepared> {
        if self.settings.mode == Mode::Strict && !strict::is_inside() {
            return Err(io::Error::other(strict::NOT_INSIDE));
        }
        let variables = changed(changes);
        let disk = Disk::default();
        let place = self.place(private, around.directory.as_deref(), &variables, &disk)?;
        let mut rules = place.rules(&self.settings, &disk).map_err(io::Error::other)?;
        if let Some(Outer { hidden, protected }) = strict::outer()? {
            rules.hidden.extend(hidden);
            rules.protected.extend(protected);
            for paths in [&mut rules.hidden, &mut rules.protected] {
                paths.sort_unstable();
                paths.dedup();
            }
        }
        if let Some((hidden, needed)) = self.hides_what_runs(program, &variables, &rules) {
            return Err(io::Error::other(format!(
                "`deny-read` hides {}, and {} is there, without which nothing runs; `mcp-repl config` \
                 shows whether an option or which file says it",
                hidden.display(),
                needed.display(),
            )));
        }
        let environment =
            sandbox::changes(&self.settings, &rules, &place, variables, &|path| path.exists());
        let is_workspace = rules.writable.contains(&place.directory);
        let confinement = Confinement {
            mode: self.settings.mode,
            writable: if is_workspace { place.directory.clone() } else { temporary.to_owned() },
            directory: place.directory,
            home: place.home,
            bounds: self.settings.bounds.as_ref().map(|bounds| bounds.real(&disk)),
            began: SystemTime::now(),
        };
        Ok(Prepared { rules, environment, confinement })
    }

    /// What holds in it, for a place in which name spaces are made.
    pub(super) fn outer(&self, place: &Place, disk: &Disk) -> io::Result<Outer> {
        let rules = place.rules(&self.settings, disk).map_err(io::Error::other)?;
        Ok(Outer { hidden: rules.hidden, protected: rules.protected })
    }

    /// Where it is made, with the places of it that are made for it; in this process's working directory where
    /// no other is given.
    pub(super) fn place(
        &self,
        private: &Path,
        directory: Option<&Path>,
        variables: &BTreeMap<OsString, OsString>,
        disk: &Disk,
    ) -> io::Result<Place> {
        let absolute = |name: &str| {
            let path = variables.get(OsStr::new(name)).map(PathBuf::from);
            path.filter(|path| path.is_absolute())
        };
        let directory = match directory {
            Some(directory) => std::path::absolute(directory)?,
            None => std::env::current_dir().map_err(|error| {
                io::Error::new(error.kind(), format!("the working directory: {error}"))
            })?,
        };
        let directory = disk.real(&directory);
        let home = absolute("HOME").map(|home| disk.real(&home));
        Ok(Place {
            caches: caches(home.as_deref(), &directory, private)?,
            git: sandbox::find_repository(&directory, disk),
            directory,
            home,
            named: named(variables),
            // Nobody else may change it.
            is_root: pty::is_writable(Path::new("/etc/shadow")),
            config: absolute("XDG_CONFIG_HOME"),
            runtime: absolute("XDG_RUNTIME_DIR"),
            private: private.to_owned(),
            own: self.own.clone(),
            gpus: if self.settings.gpu { gpus() } else { Vec::new() },
        })
    }

    /// What is to be hidden of which a program is made, and what of that.
    fn hides_what_runs(
        &self,
        program: &Path,
        variables: &BTreeMap<OsString, OsString>,
        rules: &Rules,
    ) -> Option<(&Path, PathBuf)> {
        if self.settings.deny_read.is_empty() {
            return None;
        }
        let program = on_path(program, variables);
        let libraries = LIBRARIES.iter().map(PathBuf::from).filter(|place| place.is_dir());
        let needed = program.into_iter().chain(libraries).map(|path| followed(&path));
        let needed: Vec<PathBuf> = needed.collect();
        self.settings.deny_read.iter().find_map(|hidden| {
            let real = followed(hidden);
            let is_hidden = |needed: &&PathBuf| {
                let opens = |open: &PathBuf| open.starts_with(&real) && needed.starts_with(open);
                needed.starts_with(&real) && !rules.writable.iter().any(opens)
            };
            Some((hidden.as_path(), needed.iter().find(is_hidden)?.clone()))
        })
    }
}

impl Explainer {
    /// What was denied, if the text that a cell printed tells of something that these rules deny. Relative
    /// paths begin at `directory`, if that is known.
    pub fn explain(&self, text: &str, directory: Option<&Path>) -> Option<Denial> {
        let Explainer { confinement, rules } = self;
        let directory = directory.unwrap_or(&confinement.directory);
        let Confinement { mode, writable, began, home, bounds, .. } = confinement;
        let (home, bounds) = (home.as_deref(), bounds.as_ref());
        let confined = Confined { rules, mode: *mode, writable, directory, home, bounds };
        sandbox::explain(text, &confined, &Outside { began: *began })
    }
}

/// The file of a program, which is looked for where `PATH` says if it is only named.
pub(super) fn on_path(program: &Path, variables: &BTreeMap<OsString, OsString>) -> Option<PathBuf> {
    if program.parent() != Some(Path::new("")) {
        return Some(program.to_owned());
    }
    let places = variables.get(OsStr::new("PATH")).map(std::env::split_paths);
    places.into_iter().flatten().map(|place| place.join(program)).find(|file| file.is_file())
}

/// The variables of this process, with changes to them.
pub(super) fn changed(changes: &Changes) -> BTreeMap<OsString, OsString> {
    let mut variables: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
    for (name, value) in changes {
        match value {
            Some(value) => drop(variables.insert(name.clone(), value.clone())),
            None => drop(variables.remove(name)),
        }
    }
    variables
}

/// The variables that are absolute paths.
fn named(variables: &BTreeMap<OsString, OsString>) -> BTreeMap<String, PathBuf> {
    let paths = variables.iter().filter(|(_, value)| Path::new(value).is_absolute());
    paths.filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value.into()))).collect()
}

/// The caches of programs in the sandbox: kept for those who work in the same directory, so that what is fetched
/// once is there the next time, and no session gets what one of another project laid there. Where there
/// is no such place, they go with the session.
fn caches(home: Option<&Path>, directory: &Path, private: &Path) -> io::Result<PathBuf> {
    let kept = || {
        let home = home?;
        // One around it would be writable, too, and what is in it could be changed for a link.
        let caches = home.join(".cache");
        let digest = Sha256::digest(directory.as_os_str().as_encoded_bytes());
        let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let place = caches.join("mcp-repl").join(name);
        fs::create_dir_all(&caches).ok()?;
        for path in [place.parent()?, &place] {
            // It may be there already.
            let _ = pty::create_private_directory(path);
            pty::keep_private(path).ok()?;
        }
        Some(place)
    };
    if let Some(place) = kept() {
        return Ok(place);
    }
    let place = private.join("cache");
    pty::create_private_directory(&place)?;
    Ok(place)
}

/// The devices of the machine's GPUs.
pub fn gpus() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for device in GPU_DEVICES {
        match device.strip_suffix('*') {
            None if Path::new(device).exists() => found.push(PathBuf::from(device)),
            None => {}
            Some(beginning) => {
                let beginning = Path::new(beginning);
                let (Some(place), Some(name)) = (beginning.parent(), beginning.file_name()) else {
                    continue;
                };
                let entries = fs::read_dir(place).into_iter().flatten().flatten();
                let is_one = |entry: &fs::DirEntry| {
                    let bytes = entry.file_name();
                    bytes.as_encoded_bytes().starts_with(name.as_encoded_bytes())
                };
                found.extend(entries.filter(is_one).map(|entry| entry.path()));
            }
        }
    }
    found.sort();
    found
}

/// This machine's disk, as this process sees it at one time.
#[derive(Default)]
pub(super) struct Disk {
    /// Where paths lead that were looked up before, by their text: many lie in the same few directories.
    real: RefCell<HashMap<OsString, Found>>,
}

/// A path that was looked up.
#[derive(Debug, Clone)]
struct Found {
    /// Without links, as far as it is there.
    real: PathBuf,
    is_there: bool,
}

impl Disk {
    fn find(&self, path: &Path) -> Found {
        if let Some(found) = self.real.borrow().get(path.as_os_str()) {
            return found.clone();
        }
        let found = match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) if parent != Path::new("") => {
                let parent = self.find(parent);
                let named = parent.real.join(name);
                // Most of what is looked for is not there, and often what it would be in is not.
                let kind = if parent.is_there { fs::symlink_metadata(&named).ok() } else { None };
                match kind {
                    Some(kind) if kind.is_symlink() => {
                        let real = followed(&named);
                        Found { is_there: real.symlink_metadata().is_ok(), real }
                    }
                    kind => Found { real: named, is_there: kind.is_some() },
                }
            }
            _ => {
                let real = followed(path);
                Found { is_there: real.symlink_metadata().is_ok(), real }
            }
        };
        self.real.borrow_mut().insert(path.as_os_str().to_owned(), found.clone());
        found
    }
}

impl Look for Disk {
    fn kind(&self, path: &Path) -> Kind {
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => Kind::Directory,
            Ok(found) if found.is_file() => Kind::File,
            Ok(_) => Kind::Other,
            Err(_) => Kind::Missing,
        }
    }

    fn is_there(&self, path: &Path) -> bool {
        path.exists()
    }

    fn text(&self, path: &Path) -> Option<String> {
        use std::io::Read;
        if self.kind(path) != Kind::File {
            return None;
        }
        let mut text = String::new();
        fs::File::open(path)
            .ok()?
            .take(sandbox::GIT_SETTINGS_LONGEST)
            .read_to_string(&mut text)
            .ok()?;
        Some(text)
    }

    fn real(&self, path: &Path) -> PathBuf {
        self.find(path).real
    }
}

/// A path without links, as far as it is there.
fn followed(path: &Path) -> PathBuf {
    // What is not there has no links, but what it is in may.
    for (above, around) in path.ancestors().enumerate() {
        if let Ok(mut real) = around.canonicalize() {
            let names: Vec<_> = path.components().collect();
            // `join` with nothing would end a file's path with a slash.
            real.extend(&names[names.len() - above..]);
            return real;
        }
    }
    path.to_owned()
}

/// What this process knows of files, which is in no sandbox.
struct Outside {
    began: SystemTime,
}

impl Facts for Outside {
    fn can_write(&self, path: &Path) -> bool {
        let there = path.ancestors().find(|path| path.symlink_metadata().is_ok());
        there.is_some_and(pty::is_writable)
    }

    fn has_other_names(&self, path: &Path) -> bool {
        pty::has_other_names(path)
    }

    fn is_newer(&self, path: &Path) -> bool {
        let made = fs::symlink_metadata(path).and_then(|found| found.created());
        made.is_ok_and(|made| made > self.began)
    }

    fn is_own(&self, path: &Path) -> bool {
        let there = path.ancestors().find(|path| path.is_dir());
        there.is_some_and(pty::is_own_directory)
    }

    fn is_shown(&self, path: &Path) -> bool {
        // What is there of the others are directories that lead to what is shown.
        let there = path.ancestors().find(|path| path.symlink_metadata().is_ok());
        there.is_some_and(|there| {
            let is_of = |new: &&str| pty::are_on_one_file_system(there, Path::new(new));
            !["/", "/tmp"].iter().any(is_of)
        })
    }

    fn exists(&self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok()
    }

    fn real(&self, path: &Path) -> PathBuf {
        followed(path)
    }
}

#[cfg(all(test, has = "posix"))]
mod tests {
    use super::*;
    use crate::sandbox::Network;

    fn prepared(directory: &Path, home: &Path) -> Prepared {
        let settings = Settings { mode: Mode::WorkspaceWrite, ..Settings::default() };
        let sandbox = Sandbox { settings, own: Vec::new() };
        let around = Surroundings::pinned(directory, home);
        let private = home.join("private");
        let python = Path::new("python3");
        sandbox.prepare(python, &private, &private, &around, &around.environment).unwrap()
    }

    #[test]
    fn rules_are_made_of_what_is_on_the_disk() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let (work, home) = (root.join("work/sub"), root.join("home"));
        for place in ["work/.git/refs", "work/.git/objects", "work/sub", "home/private"] {
            fs::create_dir_all(root.join(place)).unwrap();
        }
        fs::write(root.join("work/.git/HEAD"), "ref: refs/heads/main\n").unwrap();
        pty::testing::link(&work, &root.join("link")).unwrap();
        let Prepared { rules, environment, .. } = prepared(&root.join("link"), &home);
        assert_eq!(rules.network, Network::Off);
        for place in [&work, &root.join("work/.git"), &home.join("private")] {
            assert!(rules.writable.contains(place), "{} in {rules:?}", place.display());
        }
        assert!(rules.protected.contains(&root.join("work/.git/hooks")));
        assert!(rules.protected.contains(&work.join(".git")));
        assert!(rules.hidden.contains(&home.join(".ssh")));
        let value = |name: &str| {
            let found = environment.iter().rev().find(|(found, _)| found == OsStr::new(name));
            found.and_then(|(_, value)| value.as_ref()).map(PathBuf::from)
        };
        let caches = value("XDG_CACHE_HOME").unwrap();
        assert!(caches.starts_with(home.join(".cache/mcp-repl")) && caches.is_dir());
        assert!(rules.writable.iter().any(|place| caches.starts_with(place)));
        assert_eq!(value("MCP_REPL_SANDBOX"), Some("workspace-write".into()));
        // The next session in that directory has the same, one in another has not.
        let again = prepared(&work, &home);
        assert_eq!(again.rules, rules);
        assert_ne!(prepared(&root.join("work"), &home).environment, environment);
    }

    #[test]
    fn a_denial_is_told_by_what_is_on_the_disk() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let (work, home) = (root.join("work"), root.join("home"));
        for place in [&work, &home.join("private")] {
            fs::create_dir_all(place).unwrap();
        }
        let Prepared { rules, confinement, .. } = prepared(&work, &home);
        let explainer = Explainer { confinement, rules };
        let told = |path: &Path| {
            let text =
                format!("PermissionError: [Errno 13] Permission denied: '{}'", path.display());
            explainer.explain(&text, None)
        };
        assert!(matches!(told(&root.join("x")), Some(Denial::Outside { .. })));
        assert!(matches!(told(&home.join(".ssh/id")), Some(Denial::Hidden { .. })));
        assert!(matches!(told(&work.join(".vscode/x")), Some(Denial::Protected { .. })));
        assert_eq!(told(&work.join("x")), None);
        let late = home.join("late.csv");
        // A file system keeps times by its own, coarser clock.
        let tells_late = || {
            let _ = fs::remove_file(&late);
            fs::write(&late, "").unwrap();
            matches!(told(&late), Some(Denial::MadeLater { .. }))
        };
        let keeps_times = fs::metadata(&work).unwrap().created().is_ok();
        assert!(!keeps_times || (0..100_000).any(|_| tells_late()));
        assert_eq!(followed(&late).as_os_str(), late.as_os_str());
    }

    #[test]
    fn what_was_looked_up_leads_where_it_would_by_itself() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("file"), "").unwrap();
        for (to, link) in
            [("a", "to_a"), ("nowhere", "to_nothing"), ("loop", "loop"), ("../file", "a/up")]
        {
            pty::testing::link(Path::new(to), &root.join(link)).unwrap();
        }
        let disk = Disk::default();
        for _ in 0..2 {
            for name in [
                "",
                "a",
                "a/b/",
                "to_a",
                "to_a/b",
                "to_a/b/../../file",
                "to_a/new/er",
                "to_nothing",
                "to_nothing/x",
                "loop",
                "loop/x",
                "file/x",
                "a/up",
                "to_a/up/x",
                "a/./b",
                "..",
                "a/..",
            ] {
                let path = root.join(name);
                assert_eq!(disk.real(&path), followed(&path), "{name}");
            }
        }
        assert_eq!(disk.real(Path::new("/")), Path::new("/"));
    }

    #[test]
    fn what_a_program_is_made_of_can_not_be_hidden() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let (work, home) = (root.join("work"), root.join("home"));
        for place in
            [&work.join("bin"), &work.join("data"), &home.join("private"), &root.join("opt")]
        {
            fs::create_dir_all(place).unwrap();
        }
        let (own, others) = (work.join("bin/python"), root.join("opt/python"));
        for program in [&own, &others] {
            fs::write(program, "").unwrap();
        }
        let hides = |program: &Path, hidden: &Path| {
            let deny_read = vec![hidden.to_owned()];
            let settings =
                Settings { mode: Mode::WorkspaceWrite, deny_read, ..Settings::default() };
            let sandbox = Sandbox { settings, own: Vec::new() };
            let around = Surroundings::pinned(&work, &home);
            let private = home.join("private");
            let made = sandbox.prepare(program, &private, &private, &around, &around.environment);
            made.err().map(|error| error.to_string())
        };
        let told = hides(&others, &root.join("opt")).unwrap();
        let (place, there) = (root.join("opt"), others.display());
        let begins =
            format!("`deny-read` hides {}, and {there} is there, without", place.display());
        assert!(told.starts_with(&begins), "{told}");
        assert!(told.contains("`mcp-repl config`"), "{told}");
        assert!(hides(&others, Path::new("/")).is_some());
        assert!(hides(&others, &work.join("data")).is_none());
        assert!(hides(&others, &root.join("work")).is_none());
        // What is in a workspace is read whatever is hidden around it.
        assert!(hides(&own, &root).is_none());
        if Path::new("/usr/lib").is_dir() {
            assert!(hides(&others, Path::new("/usr")).is_some());
        }
    }
}
