//! A real sshd on loopback, with keys and configuration of the test's own, that runs what is asked of
//! it as this user.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{BINARY, HANG, Runtime, python, runtime::RUNTIME};

/// How often a port is tried that another program takes in between.
const MOST_PORTS: u32 = 20;

/// A machine that is reached over ssh: this one, with a home of its own, in which nothing is.
/// Everything is killed when the test is done.
pub(crate) struct Sshd {
    daemon: Child,
    place: TempDir,
    runtime: Runtime,
}

impl Sshd {
    /// One where `mcp-repl` is on `PATH`.
    pub(crate) fn with_binary() -> Sshd {
        let sshd = Sshd::start();
        std::os::unix::fs::symlink(BINARY, sshd.place.path().join("bin/mcp-repl")).unwrap();
        sshd
    }

    /// One where it is not.
    pub(crate) fn start() -> Sshd {
        let place = tempfile::tempdir_in("/tmp").unwrap();
        for directory in ["bin", "home", "tmp"] {
            fs::create_dir(place.path().join(directory)).unwrap();
        }
        let runtime = Runtime::new();
        for key in ["host", "key"] {
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(place.path().join(key));
            assert!(keygen.status().expect("openssh-client is installed").success());
        }
        // Debian's sshd wants this of root, and its package makes it at the machine's start.
        let _ = fs::create_dir("/run/sshd");
        let daemon =
            (0..MOST_PORTS).find_map(|_| listen(place.path(), &runtime)).expect("sshd listens");
        let sshd = Sshd { daemon, place, runtime };
        sshd.write_program(
            "through",
            "echo $$ >>\"$0.pids\"\nexec ssh -F \"${0%/*}/config\" box \"$@\"",
        );
        sshd
    }

    /// A command that leads there.
    pub(crate) fn ssh(&self) -> String {
        format!("ssh -F {}/config box", self.place.path().display())
    }

    /// One that does the same, and tells the numbers of its processes.
    pub(crate) fn via(&self) -> String {
        self.place.path().join("through").display().to_string()
    }

    /// The home there.
    pub(crate) fn home(&self) -> PathBuf {
        self.place.path().join("home")
    }

    /// The temporary directory there.
    pub(crate) fn tmp(&self) -> PathBuf {
        self.place.path().join("tmp")
    }

    /// A directory that is on `PATH` there.
    pub(crate) fn bin(&self) -> PathBuf {
        self.place.path().join("bin")
    }

    /// The configuration of the client here.
    pub(crate) fn config(&self) -> PathBuf {
        self.place.path().join("config")
    }

    /// Where hosts there list their sessions.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Kills the ssh client that was started last by [`Sshd::via`].
    #[track_caller]
    pub(crate) fn kill_client(&self) {
        let pids = fs::read_to_string(self.place.path().join("through.pids")).unwrap();
        let last = pids.lines().last().unwrap().parse().unwrap();
        kill_process(Pid::from_raw(last).unwrap(), Signal::KILL).unwrap();
    }

    /// Sends a signal to the daemon's processes for the connections there are.
    #[track_caller]
    pub(crate) fn signal_connections(&self, signal: Signal) {
        let mut told = 0;
        for pid in descendants(self.daemon.id()) {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            if name.starts_with("sshd") {
                let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
                told += u32::from(kill_process(pid, signal).is_ok());
            }
        }
        assert!(told > 0, "there is no connection");
    }

    /// A program there that comes before all others on `PATH`.
    pub(crate) fn write_binary(&self, name: &str, script: &str) {
        self.write_program(&format!("bin/{name}"), script);
    }

    fn write_program(&self, name: &str, script: &str) {
        let file = self.place.path().join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let left = descendants(self.daemon.id());
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        for pid in left {
            let _ = kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), Signal::KILL);
        }
    }
}

/// A daemon on a port that was free; `None` when another program has taken it.
fn listen(place: &Path, runtime: &Runtime) -> Option<Child> {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    let user = String::from_utf8(user).unwrap();
    let (user, place_there) = (user.trim(), place.display());
    let client = format!(
        "Host box\nHostName 127.0.0.1\nPort {port}\nUser {user}\nBatchMode yes\nLogLevel ERROR\n\
         IdentityFile {place_there}/key\nIdentitiesOnly yes\nStrictHostKeyChecking no\n\
         UserKnownHostsFile {place_there}/known\n"
    );
    fs::write(place.join("config"), client).unwrap();
    let path = std::env::var("PATH").unwrap();
    let server = format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {place_there}/host\n\
         AuthorizedKeysFile {place_there}/key.pub\nPidFile none\nUsePAM no\nStrictModes no\n\
         PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
         SetEnv \"PATH={place_there}/bin:{path}\" HOME={place_there}/home TMPDIR={place_there}/tmp \
         {RUNTIME}={} MCP_REPL_PYTHON={}\n",
        runtime.path().display(),
        python::default().display()
    );
    fs::write(place.join("sshd_config"), server).unwrap();
    // It wants its full path, and is not on everybody's PATH.
    let mut daemon = Command::new("/usr/sbin/sshd")
        .args(["-D", "-e", "-f"])
        .arg(place.join("sshd_config"))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssh-server is installed");
    let log = BufReader::new(daemon.stderr.take().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut seen = String::new();
        for line in log.lines().map_while(Result::ok) {
            if line.contains("Server listening") {
                let _ = tell.send(Ok(()));
            }
            seen.push_str(&line);
            seen.push('\n');
        }
        let _ = tell.send(Err(seen));
    });
    match told.recv_timeout(HANG).expect("sshd says that it listens") {
        Ok(()) => Some(daemon),
        Err(log) => {
            let _ = daemon.wait();
            assert!(log.contains("Bind to port"), "{log}");
            None
        }
    }
}

/// The children of a process, and theirs.
fn descendants(pid: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.unwrap_or_default();
    let children = children.split_whitespace().map(|child| child.parse().unwrap());
    children.flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}
