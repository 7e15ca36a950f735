//! What is there for a session in `strict`: places of the disk, and the links that lead to them. Pure.
//!
//! bubblewrap makes name spaces of it, in which nothing else of the machine's files is. The rules hold inside of
//! them as in the other modes, so a place that is shown may be larger than what is read or written in it.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{Look, Place, Settings, names::READ_IN_PLACE, place::without_dots};

/// What programs need of the system. What of it is not there is left out.
const SYSTEM: [&str; 17] = [
    "/usr",
    "/etc",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt",
    "/sys",
    "/nix/store",
    "/run/current-system",
    "/run/opengl-driver",
    "/home/linuxbrew/.linuxbrew",
    // Where `/etc/resolv.conf` leads.
    "/run/systemd/resolve",
    "/run/NetworkManager/resolv.conf",
    "/run/resolvconf",
];
/// Where control groups are made, for limits.
const CONTROL_GROUPS: &str = "/sys/fs/cgroup";
/// The settings of git.
const GIT_SETTINGS: [&str; 2] = ["~/.gitconfig", "{config}/git"];
/// What is new and empty, and as a system has it.
const NEW: [[&str; 2]; 3] = [["--proc", "/proc"], ["--dev", "/dev"], ["--tmpfs", "/tmp"]];
/// How many links a path has at most (`ELOOP`).
const MOST_LINKS: usize = 40;

/// How a place is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// It can be read.
    Read,
    /// It can be written, as far as the rules have it.
    Write,
}

/// What is there. Paths are absolute; those of places have no links in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    places: BTreeMap<PathBuf, Access>,
    links: BTreeMap<PathBuf, PathBuf>,
    devices: Vec<PathBuf>,
    home: Option<PathBuf>,
    directory: PathBuf,
    /// What a session may have written: a link there leads nowhere else.
    written: Vec<PathBuf>,
}

impl View {
    /// What is there for a session at this place: the system, the workspace with its repository, what is added,
    /// and what is the session's own.
    pub fn new(place: &Place, settings: &Settings, look: &dyn Look) -> View {
        let mut view = View {
            devices: if settings.gpu { place.gpus.clone() } else { Vec::new() },
            home: place.home.as_deref().map(|home| look.real(home)),
            directory: look.real(&place.directory),
            ..View::default()
        };
        let directory = Some(&place.directory).filter(|_| !place.is_too_wide());
        let written = settings.writable.iter().chain(directory).chain([&place.caches]);
        view.written = written.map(|path| look.real(path)).collect();
        for path in SYSTEM {
            view.show(Path::new(path), Access::Read, look);
        }
        view.show(Path::new(CONTROL_GROUPS), Access::Write, look);
        let own = GIT_SETTINGS.iter().copied().chain(READ_IN_PLACE.iter().map(|(_, path)| *path));
        for path in own.filter_map(|path| place.path(path)) {
            view.show_unless_wide(&path, place, look);
        }
        for path in &settings.readable {
            view.show(path, Access::Read, look);
        }
        if !place.is_too_wide() {
            view.show(&place.directory, Access::Write, look);
        }
        if let Some(git) = &place.git {
            // Without the files around, git would take those for removed.
            view.show_unless_wide(&git.top, place, look);
            git.writable.iter().for_each(|path| view.show(path, Access::Write, look));
        }
        for path in settings.writable.iter().chain([&place.private, &place.caches]) {
            view.show(path, Access::Write, look);
        }
        view
    }

    /// Shows what is at a path to be read, where nobody said that all of a home directory is meant.
    pub fn show_unless_wide(&mut self, path: &Path, place: &Place, look: &dyn Look) {
        if !place.is_around_home(&look.real(&without_dots(path))) {
            self.show(path, Access::Read, look);
        }
    }

    /// Shows what is at a path, if anything is, and the links by which the path leads there. Links that a session may
    /// have made are not followed, and processes and devices are the session's own.
    pub fn show(&mut self, path: &Path, access: Access, look: &dyn Look) {
        let mut path = without_dots(path);
        for _ in 0..MOST_LINKS {
            let is_real = |part: &&Path| look.real(part) == **part;
            let parts: Vec<&Path> = path.ancestors().collect();
            let Some(link) = parts.into_iter().rev().find(|part| !is_real(part)) else {
                let is_own = path.starts_with("/proc")
                    || path.starts_with("/dev") && !path.starts_with("/dev/shm/");
                if look.is_there(&path) && !is_own {
                    let there = self.places.entry(path).or_insert(access);
                    *there = access.max(*there);
                }
                return;
            };
            if self.written.iter().any(|place| link.starts_with(place)) {
                return;
            }
            let target = look.real(link);
            let rest = path.strip_prefix(link).unwrap_or(Path::new("")).to_owned();
            self.links.insert(link.to_owned(), target.clone());
            // As `join` has it where nothing is to be added.
            path = target.join(rest).components().collect();
        }
    }

    /// The arguments of bubblewrap (bwrap(1)) that come before the command.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments = Vec::new();
        let mut add = |option: &str, paths: &[&Path]| {
            arguments.push(option.into());
            arguments.extend(paths.iter().map(|path| path.as_os_str().to_owned()));
        };
        // The process that is its first outlives who starts it, and no key of that one's terminal gets there.
        add("--new-session", &[]);
        add("--unshare-pid", &[]);
        add("--unshare-ipc", &[]);
        let root = Path::new("/");
        let bind = |access: Access| match access {
            Access::Read => "--ro-bind",
            Access::Write => "--bind",
        };
        if let Some(access) = self.places.get(root) {
            add(bind(*access), &[root, root]);
        }
        NEW.iter().for_each(|[option, path]| add(option, &[Path::new(path)]));
        self.devices.iter().for_each(|device| add("--dev-bind-try", &[device, device]));
        // What programs look for in these fails as in empty ones.
        for directory in self.home.iter().chain([&self.directory]) {
            if self.around(directory).is_none() {
                add("--dir", &[directory]);
            }
        }
        // What a place lies in comes before it.
        for (path, access) in self.places.iter().filter(|(path, _)| *path != root) {
            let is_there = path.parent().and_then(|above| self.around(above));
            if is_there.is_none_or(|there| there < *access) {
                add(bind(*access), &[path, path]);
            }
        }
        for (link, target) in &self.links {
            if self.around(link).is_none() {
                add("--symlink", &[target, link]);
            }
        }
        add("--chdir", &[&self.directory]);
        arguments
    }

    /// How a path is there, with a place that it lies in.
    fn around(&self, path: &Path) -> Option<Access> {
        // What is new lies over all that there is.
        let is_new = NEW.iter().any(|[_, place]| path.starts_with(place));
        let around = path.ancestors().filter(|above| !is_new || above.parent().is_some());
        around.filter_map(|above| self.places.get(above)).copied().max()
    }
}

#[cfg(all(test, has = "posix"))]
mod tests {
    use super::*;
    use crate::sandbox::{Git, Mode, testing::Disk};

    fn place(directory: &str) -> Place {
        Place {
            directory: directory.into(),
            home: Some("/home/ada".into()),
            private: "/tmp/mcp-repl-1-a".into(),
            caches: "/home/ada/.cache/mcp-repl/0123".into(),
            ..Place::default()
        }
    }

    fn git(top: &str) -> Git {
        let writable = vec![Path::new(top).join(".git")];
        Git { top: top.into(), writable, protected: Vec::new() }
    }

    fn settings() -> Settings {
        Settings { mode: Mode::Strict, ..Settings::default() }
    }

    /// What is shown, without what is in every view.
    fn shown(view: &View) -> Vec<String> {
        let arguments = view.arguments();
        let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
        let words = words.join(" ");
        let (_, rest) = words.split_once("--tmpfs /tmp").unwrap();
        rest.split(" --").filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn the_system_the_workspace_and_what_is_the_sessions_own_are_there() {
        const DISK: Disk = Disk(
            &[("/bin", "/usr/bin")],
            &["/usr/bin", "/etc", "/w/x", "/tmp/mcp-repl-1-a", "/home/ada/.cache/mcp-repl/0123"],
        );
        let view = View::new(&place("/w"), &settings(), &DISK);
        assert_eq!(
            shown(&view),
            [
                "dir /home/ada",
                "ro-bind /etc /etc",
                "bind /home/ada/.cache/mcp-repl/0123 /home/ada/.cache/mcp-repl/0123",
                "bind /tmp/mcp-repl-1-a /tmp/mcp-repl-1-a",
                "ro-bind /usr /usr",
                "bind /w /w",
                "symlink /usr/bin /bin",
                "chdir /w",
            ]
        );
        let arguments = view.arguments();
        assert_eq!(arguments[..3], ["--new-session", "--unshare-pid", "--unshare-ipc"]);
    }

    #[test]
    fn a_repository_is_read_around_the_workspace_and_written_in_its_own_directory() {
        const DISK: Disk = Disk(&[], &["/home/ada/w/.git/refs", "/home/ada/w/sub/x"]);
        let in_repository = Place { git: Some(git("/home/ada/w")), ..place("/home/ada/w/sub") };
        assert_eq!(
            shown(&View::new(&in_repository, &settings(), &DISK))[1..],
            [
                "ro-bind /home/ada/w /home/ada/w",
                "bind /home/ada/w/.git /home/ada/w/.git",
                "bind /home/ada/w/sub /home/ada/w/sub",
                "chdir /home/ada/w/sub",
            ]
        );
        // Not all of a home directory that is one.
        const AT_HOME: Disk = Disk(&[], &["/home/ada/.git/refs", "/home/ada/w/x"]);
        let at_home = Place { git: Some(git("/home/ada")), ..place("/home/ada/w") };
        assert_eq!(
            shown(&View::new(&at_home, &settings(), &AT_HOME)),
            [
                "dir /home/ada",
                "bind /home/ada/.git /home/ada/.git",
                "bind /home/ada/w /home/ada/w",
                "chdir /home/ada/w",
            ]
        );
    }

    #[test]
    fn a_home_directory_is_empty_unless_somebody_says_so() {
        const DISK: Disk = Disk(&[], &["/home/ada/x"]);
        for directory in ["/home", "/home/ada"] {
            let view = View::new(&place(directory), &settings(), &DISK);
            let chdir = format!("chdir {directory}");
            assert_eq!(shown(&view), ["dir /home/ada", &format!("dir {directory}"), &chdir]);
        }
        let wide = Settings { writable: vec!["/home/ada".into()], ..settings() };
        let view = View::new(&place("/home/ada"), &wide, &DISK);
        assert_eq!(shown(&view), ["bind /home/ada /home/ada", "chdir /home/ada"]);
    }

    #[test]
    fn what_is_in_a_place_that_is_shown_is_not_shown_again() {
        const DISK: Disk =
            Disk(&[("/w/link", "/data/a")], &["/w/.venv/bin", "/data/a/b", "/tmp/x"]);
        let mut view = View { directory: "/w".into(), ..View::default() };
        view.show(Path::new("/w"), Access::Write, &DISK);
        view.show(Path::new("/w/.venv/../.venv"), Access::Read, &DISK);
        view.show(Path::new("/data"), Access::Read, &DISK);
        view.show(Path::new("/w/link/b"), Access::Write, &DISK);
        view.show(Path::new("/nowhere"), Access::Write, &DISK);
        let all = ["ro-bind /data /data", "bind /data/a/b /data/a/b", "bind /w /w", "chdir /w"];
        assert_eq!(shown(&view), all);
        // All that there is, but for what is new.
        view.show(Path::new("/"), Access::Write, &DISK);
        view.show(Path::new("/tmp/x"), Access::Read, &DISK);
        assert_eq!(shown(&view), ["ro-bind /tmp/x /tmp/x", "chdir /w"]);
        assert!(view.arguments().windows(2).any(|two| two == ["--bind", "/"]));
    }

    #[test]
    fn a_link_that_a_session_may_have_made_leads_nowhere_else() {
        const DISK: Disk = Disk(
            &[("/w/data", "/home/ada"), ("/home/ada/.gitconfig", "/home"), ("/data", "/home/ada")],
            &["/w/x", "/home/ada/x", "/proc/7", "/dev/shm/a", "/dev/kmsg"],
        );
        let named = |paths: &[&str]| Settings {
            readable: paths.iter().map(PathBuf::from).collect(),
            ..settings()
        };
        let view = View::new(&place("/w"), &named(&["/w/data", "/proc", "/dev/kmsg"]), &DISK);
        assert_eq!(shown(&view), ["dir /home/ada", "bind /w /w", "chdir /w"]);
        // What the user has linked, and named, is meant.
        let view = View::new(&place("/w"), &named(&["/data", "/dev/shm/a"]), &DISK);
        let home = "ro-bind /home/ada /home/ada";
        let all = [
            "ro-bind /dev/shm/a /dev/shm/a",
            home,
            "bind /w /w",
            "symlink /home/ada /data",
            "chdir /w",
        ];
        assert_eq!(shown(&view), all);
    }

    #[test]
    fn links_lead_on_however_many_there_are() {
        const DISK: Disk = Disk(
            &[("/home", "/var/home"), ("/var/home/ada/py", "/var/home/ada/py3")],
            &["/var/home/ada/py3/bin"],
        );
        let mut view = View { directory: "/var".into(), ..View::default() };
        view.show(Path::new("/home/ada/py/bin"), Access::Read, &DISK);
        let bin = "/var/home/ada/py3/bin";
        assert_eq!(shown(&view)[1], format!("ro-bind {bin} {bin}"));
        assert_eq!(
            shown(&view)[2..],
            ["symlink /var/home /home", "symlink /var/home/ada/py3 /var/home/ada/py", "chdir /var",]
        );
    }
}
