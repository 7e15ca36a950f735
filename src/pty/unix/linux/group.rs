//! A control group of a session's own (cgroups(7), version 2): what all that runs in it may take together.
//!
//! It is made where the kernel lets this process: in the nearest group around its own that hands the controllers
//! on, which one with processes in it can't do but the root's. What limits the groups between holds in the new one,
//! too, since it is no longer in them. That a group is somebody's is told by a lock on its directory, which ends
//! with its holder: who makes the next one removes those that nobody holds and in which nothing runs.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use crate::pty::{Limits, is_writable};

/// What the names of these groups begin with.
const PREFIX: &str = "mcp-repl-";

/// How long what was killed in a group may take to be gone, for the group to be removed at once.
const LONGEST_END: Duration = Duration::from_secs(5);

/// A group, made and not joined yet, or of a session that lives.
#[derive(Debug)]
pub(in crate::pty::unix) struct Group {
    directory: PathBuf,
    /// The most memory that is in use in it, in bytes.
    memory: Option<u64>,
    /// Held while the session lives.
    _lock: File,
}

/// The door to a group, to be passed between fork and exec.
#[derive(Debug)]
pub(in crate::pty::unix) struct Door(File);

/// Why there is no group.
#[derive(Debug, thiserror::Error)]
pub(in crate::pty::unix) enum NoGroup {
    #[error("there are no control groups of version 2")]
    Missing,
    #[error("no group around this process has the controllers ({0}) for others")]
    NoControllers(String),
    #[error("this process may make no group in {}: {error}", place.display())]
    Refused { place: PathBuf, error: io::Error },
}

impl Group {
    /// Makes one with these limits, of which there are some.
    ///
    /// # Errors
    /// When there is no place for it.
    pub(in crate::pty::unix) fn make(limits: Limits) -> Result<Group, NoGroup> {
        let text = |path| fs::read_to_string(path).unwrap_or_default();
        let (root, own) = own_group(&text("/proc/self/mountinfo"), &text("/proc/self/cgroup"))
            .ok_or(NoGroup::Missing)?;
        Group::make_around(&own, &root, limits)
    }

    /// The same for who is in the group `own` of those below `root`.
    fn make_around(own: &Path, root: &Path, mut limits: Limits) -> Result<Group, NoGroup> {
        let controllers =
            [("memory", limits.memory.is_some()), ("pids", limits.processes.is_some())];
        let needed: Vec<&str> =
            controllers.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
        let mut why = NoGroup::NoControllers(needed.join(" and "));
        for place in own.ancestors().take_while(|place| place.starts_with(root)) {
            let has = fs::read_to_string(place.join("cgroup.subtree_control")).unwrap_or_default();
            if needed.iter().all(|name| has.split_whitespace().any(|found| found == *name)) {
                match Group::make_in(place, limits) {
                    Ok(group) => return Ok(group),
                    Err(error) => why = NoGroup::Refused { place: place.to_owned(), error },
                }
            }
            let within = |limit: Option<u64>, file| {
                limit.map(|limit| limit.min(number(&place.join(file)).unwrap_or(u64::MAX)))
            };
            limits.memory = within(limits.memory, "memory.max");
            let processes = within(limits.processes.map(u64::from), "pids.max");
            limits.processes = processes.and_then(|most| u32::try_from(most).ok());
        }
        Err(why)
    }

    /// The same in this group.
    fn make_in(place: &Path, limits: Limits) -> io::Result<Group> {
        // Who joins one in it moves a process there from another: the kernel asks for this.
        if !is_writable(&place.join("cgroup.procs")) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        remove_left(place);
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let mut tries = 3;
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let directory = place.join(format!("{PREFIX}{}-{number}", std::process::id()));
            match fs::create_dir(&directory) {
                Ok(()) => {}
                // Left by one of the same number, and something lives in it.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries > 0 => {
                    tries -= 1;
                    continue;
                }
                Err(error) => return Err(error),
            }
            let locked = Group::locked(&directory, limits);
            if locked.is_err() {
                let _ = fs::remove_dir(&directory);
            }
            match locked {
                // Another removed it before it was locked.
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries > 0 => tries -= 1,
                locked => return locked,
            }
        }
    }

    fn locked(directory: &Path, limits: Limits) -> io::Result<Group> {
        let lock = File::open(directory)?;
        lock.lock()?;
        let group = Group { directory: directory.to_owned(), memory: limits.memory, _lock: lock };
        if let Some(bytes) = limits.memory {
            group.set("memory.max", &bytes.to_string())?;
            // What is swapped out would go beyond the limit. Without swap there is no such file.
            let _ = group.set("memory.swap.max", "0");
            // Of some that belong together all end, so that none waits for another for ever.
            let _ = group.set("memory.oom.group", "1");
        }
        if let Some(most) = limits.processes {
            group.set("pids.max", &most.to_string())?;
        }
        Ok(group)
    }

    fn set(&self, file: &str, value: &str) -> io::Result<()> {
        fs::write(self.directory.join(file), value)
    }

    /// Its door.
    ///
    /// # Errors
    /// When it can't be opened.
    pub(in crate::pty::unix) fn door(&self) -> io::Result<Door> {
        Ok(Door(File::options().write(true).open(self.directory.join("cgroup.procs"))?))
    }

    /// The memory that it may use, in bytes, if the kernel killed in it for want of that.
    pub(in crate::pty::unix) fn memory_that_ran_out(&self) -> Option<u64> {
        let events = fs::read_to_string(self.directory.join("memory.events")).ok()?;
        let has = |name: &str| {
            let mut lines = events.lines().filter_map(|line| line.split_once(' '));
            lines.any(|(found, count)| found == name && count != "0")
        };
        // Where it is the whole machine that has no more, only the second is counted.
        self.memory.filter(|_| has("oom") && has("oom_kill"))
    }

    /// Removes it when nothing runs in it any more. Where that takes long, whoever makes the next one does.
    /// Blocks.
    pub(in crate::pty::unix) fn remove(self) {
        let end = Instant::now() + LONGEST_END;
        loop {
            // The file tells when the last one goes, from when it was read on.
            let Ok(events) = File::open(self.directory.join("cgroup.events")) else { return };
            if !io::read_to_string(&events).is_ok_and(|text| text.contains("populated 1")) {
                return;
            }
            let Ok(left) = Timespec::try_from(end.saturating_duration_since(Instant::now())) else {
                return;
            };
            match poll(&mut [PollFd::new(&events, PollFlags::PRI)], Some(&left)) {
                Ok(1..) | Err(Errno::INTR) => {}
                _ => return,
            }
        }
    }
}

impl Drop for Group {
    /// Where something still runs in it, the kernel refuses.
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.directory);
    }
}

impl Door {
    /// Passes it. Async-signal-safe.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(in crate::pty::unix) fn pass(&self) -> io::Result<()> {
        Ok(rustix::io::write(&self.0, b"0").map(drop)?)
    }
}

/// A limit in a file, where there is one.
fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Removes the groups that nobody holds and in which nothing runs.
fn remove_left(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_ours
            && let Ok(directory) = File::open(entry.path())
            && directory.try_lock().is_ok()
        {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// The directory of the root of the groups that can be seen, and of the one that a process is in, by what
/// /proc/self/mountinfo and /proc/self/cgroup say.
fn own_group(mounts: &str, groups: &str) -> Option<(PathBuf, PathBuf)> {
    let own = Path::new(groups.lines().find_map(|line| line.strip_prefix("0::"))?);
    let below = |line: &str| {
        let (mount, kind) = line.split_once(" - ")?;
        if kind.split(' ').next() != Some("cgroup2") {
            return None;
        }
        let mut fields = mount.split(' ').skip(3);
        let (root, place) = (fields.next()?, PathBuf::from(fields.next()?));
        let rest = own.strip_prefix(root).ok()?;
        // One outside of what a name space shows.
        let is_below = !rest.iter().any(|name| name == "..");
        is_below
            .then(|| (place.clone(), if rest == Path::new("") { place } else { place.join(rest) }))
    };
    mounts.lines().find_map(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "24 30 0:22 / /proc rw - proc proc rw\n\
        35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn the_own_group_is_found_where_it_is_mounted() {
        let found = |mounts: &str, groups: &str| {
            let found = own_group(mounts, groups)?;
            Some([found.0, found.1].map(|path| path.display().to_string()))
        };
        let some = |root: &str, own: &str| Some([root, own].map(str::to_owned));
        let slice = "/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope";
        assert_eq!(
            found(MOUNTS, &format!("0::{slice}\n")),
            some("/sys/fs/cgroup", &format!("/sys/fs/cgroup{slice}"))
        );
        assert_eq!(found(MOUNTS, "1:cpu:/x\n0::/\n"), some("/sys/fs/cgroup", "/sys/fs/cgroup"));
        // As containers have it that see the host's tree below a name of theirs.
        let inner = MOUNTS.replace("0:30 / ", "0:30 /docker/1 ");
        assert_eq!(found(&inner, "0::/docker/1/a\n"), some("/sys/fs/cgroup", "/sys/fs/cgroup/a"));
        assert_eq!(found(&inner, "0::/docker/2\n"), None);
        assert_eq!(found(MOUNTS, "0::/../other\n"), None);
        assert_eq!(found(MOUNTS, "4:memory:/x\n"), None);
        assert_eq!(found("24 30 0:22 / /proc rw - proc proc rw\n", "0::/\n"), None);
    }

    const BOTH: Limits = Limits { memory: Some(1 << 30), processes: Some(100) };

    /// Lays out a directory with a group's files, as far as they are looked at.
    fn lay(place: &Path, controllers: &str, memory: &str) {
        fs::create_dir_all(place).unwrap();
        for (file, text) in [
            ("cgroup.subtree_control", controllers),
            ("cgroup.procs", ""),
            ("memory.max", memory),
            ("pids.max", "max"),
        ] {
            fs::write(place.join(file), text).unwrap();
        }
    }

    #[test]
    fn the_nearest_group_that_hands_the_controllers_on_is_the_place() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let (user, app, own) = (root.join("user"), root.join("user/app"), root.join("user/app/x"));
        lay(root, "cpu memory pids\n", "max");
        lay(&user, "memory pids\n", "max");
        lay(&app, "memory\n", "500\n");
        lay(&own, "\n", "max\n");
        let made = |limits| Group::make_around(&own, root, limits).unwrap();
        let set = |group: &Group, file| fs::read_to_string(group.directory.join(file)).unwrap();

        let group = made(Limits { memory: Some(100), processes: None });
        assert_eq!(group.directory.parent(), Some(&*app));
        assert_eq!(set(&group, "memory.max"), "100");
        assert_eq!(set(&group, "memory.oom.group"), "1");
        assert!(!group.directory.join("pids.max").exists());
        // What it would not be in any more limits it all the same.
        let group = made(BOTH);
        assert_eq!(group.directory.parent(), Some(&*user));
        assert_eq!((&*set(&group, "memory.max"), &*set(&group, "pids.max")), ("500", "100"));

        for place in [&user, &app] {
            fs::write(place.join("cgroup.subtree_control"), "").unwrap();
        }
        fs::write(root.join("cgroup.subtree_control"), "pids").unwrap();
        let why = Group::make_around(&own, root, BOTH).unwrap_err().to_string();
        let expected =
            "no group around this process has the controllers (memory and pids) for others";
        assert_eq!(why, expected);
    }

    #[test]
    fn memory_that_ran_out_is_told_where_it_was_the_groups_own() {
        let root = tempfile::tempdir().unwrap();
        lay(root.path(), "memory pids", "max");
        let group = Group::make_around(root.path(), root.path(), BOTH).unwrap();
        let ran_out = |events: &str| {
            fs::write(group.directory.join("memory.events"), events).unwrap();
            group.memory_that_ran_out()
        };
        assert_eq!(group.memory_that_ran_out(), None);
        assert_eq!(ran_out("low 0\nmax 7\noom 0\noom_kill 0\noom_group_kill 0\n"), None);
        assert_eq!(ran_out("low 0\nmax 7\noom 1\noom_kill 2\noom_group_kill 1\n"), BOTH.memory);
        // The machine's ran out.
        assert_eq!(ran_out("low 0\nmax 0\noom 0\noom_kill 1\noom_group_kill 0\n"), None);
    }

    #[test]
    fn groups_of_those_that_are_gone_are_removed_by_the_next() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        lay(root, "memory pids", "max");
        let [left, held, others] = [format!("{PREFIX}1-0"), format!("{PREFIX}2-0"), "x".into()]
            .map(|name| root.join(name));
        for place in [&left, &held, &others] {
            fs::create_dir(place).unwrap();
        }
        let lock = File::open(&held).unwrap();
        lock.lock().unwrap();
        let group = Group::make_around(root, root, BOTH).unwrap();
        assert_eq!([&left, &held, &others].map(|place| place.exists()), [false, true, true]);
        assert!(group.directory.exists());
    }

    /// A hierarchy in which this process may make groups, with no limits.
    fn real() -> Option<(PathBuf, PathBuf)> {
        let text = |path| fs::read_to_string(path).unwrap();
        let (root, own) = own_group(&text("/proc/self/mountinfo"), &text("/proc/self/cgroup"))?;
        is_writable(&own.join("cgroup.procs")).then_some((root, own))
    }

    #[test]
    fn a_process_joins_it_before_its_program_and_it_goes_with_the_last() {
        use std::os::unix::process::CommandExt;
        // Machines where nobody may make one have nothing to be tried.
        let Some((root, own)) = real() else { return };
        let none = Limits::default();
        let Ok(group) = Group::make_around(&own, &root, none) else { return };
        let directory = group.directory.clone();
        let name = directory.file_name().unwrap().to_string_lossy().into_owned();
        let door = group.door().unwrap();
        let mut command = std::process::Command::new("cat");
        command.arg("/proc/self/cgroup");
        // SAFETY: the closure makes one call, which is async-signal-safe.
        unsafe { command.pre_exec(move || door.pass()) };
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains(&name), "{said}");

        // One that is still there is waited for.
        let door = group.door().unwrap();
        let mut command = std::process::Command::new("cat");
        command.stdin(std::process::Stdio::piped());
        // SAFETY: as above.
        unsafe { command.pre_exec(move || door.pass()) };
        let mut child = command.spawn().unwrap();
        let remover = std::thread::spawn(move || group.remove());
        assert!(directory.exists());
        drop(child.stdin.take());
        remover.join().unwrap();
        child.wait().unwrap();
        assert!(!directory.exists());
    }
}
