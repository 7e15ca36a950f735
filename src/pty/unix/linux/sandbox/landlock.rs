//! Which files can be reached: a Landlock ruleset (landlock(7)), which the kernel holds.
//!
//! Landlock knows what is allowed, with all beneath it, and nothing else. What is hidden is hence
//! hidden by allowing all that lies beside the way to it; and below a directory in which something
//! is protected no writing is allowed at all: the supervisor does it.

use std::{
    ffi::OsStr,
    fs::{self, FileType},
    io,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
};

use landlock::{
    ABI, Access, AccessFs, BitFlags, PathBeneath, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, Scope, make_bitflags,
};
use rustix::fs::{AtFlags, Mode, OFlags, open, openat, statat};

use super::places::Places;

/// The newest rights that are asked for. The crate leaves out what the kernel does not know.
const RIGHTS: ABI = ABI::V9;

/// How a file is held for a rule.
const HELD: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Somebody may execute it.
const EXECUTABLE: Mode = Mode::XUSR.union(Mode::XGRP).union(Mode::XOTH);

/// Where devices are: of those, only the ones that are named can be reached.
const DEVICES: &str = "/dev";

/// What every program needs.
const COMMON_DEVICES: [&str; 8] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts",
];

/// Makes the ruleset, to be entered by [`restrict`].
///
/// # Errors
/// When the kernel has no Landlock, or it is not switched on; when a writable path can't be opened.
pub(super) fn ruleset(places: &Places, devices: &[PathBuf]) -> io::Result<OwnedFd> {
    let ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(RIGHTS))
        .and_then(|ruleset| ruleset.scope(Scope::AbstractUnixSocket | Scope::Signal))
        .and_then(Ruleset::create)
        .map_err(io::Error::other)?;
    let mut rules = Rules { ruleset, places };
    rules.allow(Path::new("/"), AccessFs::ReadDir.into())?;
    rules.allow_reading(Path::new("/"));
    for place in places.partly_writable() {
        // Where it lies in something hidden, the way from the root did not come to it.
        rules.allow_reading(place);
    }
    for place in places.plainly_writable() {
        rules.allow(place, writing() | reading()).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", place.display()))
        })?;
    }
    let _ = rules.allow(Path::new("/dev/shm"), reading());
    let named = devices.iter().map(PathBuf::as_path);
    for device in COMMON_DEVICES.iter().map(Path::new).chain(named) {
        // One that this machine does not have is none that could be reached.
        let _ = rules.allow(
            device,
            make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate | IoctlDev | ReadDir}),
        );
    }
    Option::<OwnedFd>::from(rules.ruleset).ok_or_else(missing)
}

/// What is told where the kernel has no Landlock.
pub(super) fn missing() -> io::Error {
    let (why, remedy) = ("this kernel holds no Landlock rules", "lsm=landlock,… at boot");
    io::Error::other(format!("{why} (Linux 5.13 and newer can; it may need {remedy})"))
}

fn reading() -> BitFlags<AccessFs> {
    make_bitflags!(AccessFs::{Execute | ReadFile | ReadDir})
}

/// All but making devices: who may do that, as root, can make one by which all that is hidden is read.
fn writing() -> BitFlags<AccessFs> {
    AccessFs::from_write(RIGHTS) & !make_bitflags!(AccessFs::{MakeChar | MakeBlock | IoctlDev})
}

struct Rules<'a> {
    ruleset: RulesetCreated,
    places: &'a Places,
}

impl Rules<'_> {
    /// Allows reading of all below a path but what is hidden, and devices.
    fn allow_reading(&mut self, path: &Path) {
        let devices = Path::new(DEVICES);
        if path == devices || self.places.is_hidden_root(path) {
            return;
        }
        let mut kept = self.places.names_towards_hidden(path);
        kept.extend(devices.strip_prefix(path).ok().and_then(|rest| rest.iter().next()));
        if kept.is_empty() {
            // One that is gone meanwhile, or can't be opened, can't be read then.
            let _ = self.allow(path, make_bitflags!(AccessFs::{Execute | ReadFile}));
            return;
        }
        let Ok(entries) = fs::read_dir(path) else { return };
        let Ok(directory) = open(path, HELD | OFlags::DIRECTORY, Mode::empty()) else { return };
        // There may be thousands in /tmp: the supervisor opens files there, which can't be executed anyway.
        let is_supervised = self.places.is_beside_hidden(path);
        let is_executable = |name: &OsStr| {
            let found = statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW);
            found.is_ok_and(|found| Mode::from_raw_mode(found.st_mode).intersects(EXECUTABLE))
        };
        for entry in entries.flatten() {
            let (name, kind) = (entry.file_name(), entry.file_type());
            // A link is followed to what the rule of that says.
            if kind.as_ref().is_ok_and(FileType::is_symlink) {
                continue;
            }
            if kept.contains(&*name) {
                self.allow_reading(&entry.path());
            } else if !is_supervised
                || !kind.is_ok_and(|kind| kind.is_file())
                || is_executable(&name)
            {
                let access = make_bitflags!(AccessFs::{Execute | ReadFile});
                let held = openat(&directory, &name, HELD, Mode::empty());
                let _ =
                    held.map_err(io::Error::from).and_then(|file| self.allow_held(&file, access));
            }
        }
    }

    fn allow(&mut self, path: &Path, access: BitFlags<AccessFs>) -> io::Result<()> {
        let file = open(path, HELD, Mode::empty())?;
        self.allow_held(&file, access)
    }

    fn allow_held(&mut self, file: &OwnedFd, access: BitFlags<AccessFs>) -> io::Result<()> {
        let rule = PathBeneath::new(file.as_fd(), access);
        (&mut self.ruleset).add_rule(rule).map_err(io::Error::other)?;
        Ok(())
    }
}

/// Restricts this thread and all that comes of it. Async-signal-safe.
///
/// # Errors
/// When the kernel refuses: 16 rulesets are in force already.
pub(super) fn restrict(ruleset: &OwnedFd) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: landlock_restrict_self takes a descriptor and flags, and no memory.
    let result = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The version of Landlock that the kernel has; 0 for none.
pub(super) fn version() -> i32 {
    const CREATE_RULESET_VERSION: libc::c_uint = 1;
    let nothing = std::ptr::null::<libc::c_void>();
    // SAFETY: asked for the version, landlock_create_ruleset takes no memory.
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0, CREATE_RULESET_VERSION)
    };
    i32::try_from(version).map_or(0, |version| version.max(0))
}
