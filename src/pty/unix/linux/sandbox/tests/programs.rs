//! Programs in a sandbox: what they can do to others, and what has to go on working.

use super::{files::check, *};

#[test]
fn other_processes_are_out_of_reach() {
    let ground = Ground::new();
    let host = std::process::id();
    let table = [
        format!("os.kill({host}, 0)"),
        format!("os.kill({host}, 9)"),
        format!("open('/proc/{host}/environ').read()"),
        format!("open('/proc/{host}/mem')"),
        format!("os.readlink('/proc/{host}/fd/0')"),
        format!("os.listdir('/proc/{host}/root/')"),
        format!("os.listdir('/proc/{host}/cwd/')"),
        format!("os.readlink('/proc/{host}/exe')"),
        format!("open('/proc/{host}/maps')"),
    ];
    let expected = ["EPERM", "EPERM"].into_iter().chain([["EACCES"; 7]].concat());
    let table: Vec<(&str, &str)> = table.iter().map(String::as_str).zip(expected).collect();
    check(&ground, &table);
    let source = format!(
        "import ctypes, errno, os\n\
         libc = ctypes.CDLL(None, use_errno=True)\n\
         def call(*a):\n\
         \x20   result = libc.syscall(*[ctypes.c_long(x) if isinstance(x, int) else x for x in a])\n\
         \x20   print('ok' if result >= 0 else errno.errorcode[ctypes.get_errno()])\n\
         call(101, 16, {host}, 0, 0)\n\
         buf = ctypes.create_string_buffer(8)\n\
         iov = (ctypes.c_long * 2)(ctypes.addressof(buf), 8)\n\
         call(310, {host}, iov, 1, iov, 1, 0)\n\
         fd = os.pidfd_open({host})\n\
         call(438, fd, 0, 0)\n\
         call(424, fd, 9, 0, 0)\n\
         limit = (ctypes.c_long * 2)(1, 1)\n\
         call(302, {host}, 0, limit, 0)\n\
         call(302, {host}, 0, 0, limit)\n"
    );
    if cfg!(target_arch = "x86_64") {
        let found = ground.python(&source);
        assert_eq!(lines(&found), ["EPERM", "EPERM", "EPERM", "EPERM", "EPERM", "ok"]);
    }
}

#[test]
fn there_is_no_network_but_between_programs_of_the_sandbox() {
    let ground = Ground::new();
    check(
        &ground,
        &[
            ("import socket; socket.socket()", "ENETUNREACH"),
            ("import socket; socket.socket(socket.AF_INET6)", "ENETUNREACH"),
            ("import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "ENETUNREACH"),
            ("import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)", "ENETUNREACH"),
            ("import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)", "ENETUNREACH"),
            ("import socket; socket.socket(socket.AF_VSOCK)", "ENETUNREACH"),
            ("import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4)", "ENETUNREACH"),
            (
                "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).bind((0, 0))",
                "ok",
            ),
            ("import socket; a, b = socket.socketpair(); a.send(b'x'); b.recv(1)", "ok"),
            (
                "import socket; a = socket.socket(socket.AF_UNIX); a.bind('sock'); a.listen(); b = socket.socket(socket.AF_UNIX); b.connect('sock'); a.accept(); a.getsockname() == 'sock' or 1 / 0",
                "ok",
            ),
            (
                "import socket; p = os.path.abspath('sock2'); a = socket.socket(socket.AF_UNIX); a.bind(p); a.listen(); b = socket.socket(socket.AF_UNIX); b.connect(p); a.getsockname() == p or 1 / 0",
                "ok",
            ),
            (
                "import socket; p = os.path.abspath('../tmp/sock'); a = socket.socket(socket.AF_UNIX); a.bind(p); a.listen(); b = socket.socket(socket.AF_UNIX); b.setblocking(False); b.connect(p)",
                "ok",
            ),
            ("import socket; socket.socket(socket.AF_UNIX).bind('.claude')", "EACCES"),
            ("import socket; socket.socket(socket.AF_UNIX).bind('../outside/sock')", "EACCES"),
            ("import socket; socket.socket(socket.AF_UNIX).connect('file')", "ECONNREFUSED"),
            ("import socket; socket.socket(socket.AF_UNIX).connect('none')", "ENOENT"),
        ],
    );
}

#[test]
fn sockets_of_programs_outside_are_not_reached() {
    use std::os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram, UnixListener},
    };
    let ground = Ground::new();
    let _outside = UnixListener::bind(ground.at("outside/docker.sock")).unwrap();
    let name = format!("mcp-repl-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
    let _abstract = UnixListener::bind_addr(&address).unwrap();
    let datagrams = format!("{name}-datagrams");
    let address = SocketAddr::from_abstract_name(datagrams.as_bytes()).unwrap();
    let _datagrams = UnixDatagram::bind_addr(&address).unwrap();
    check(
        &ground,
        &[
            (
                "import socket; socket.socket(socket.AF_UNIX).connect('../outside/docker.sock')",
                "EACCES",
            ),
            (
                "import socket; os.symlink('../outside/docker.sock', 's'); socket.socket(socket.AF_UNIX).connect('s')",
                "EACCES",
            ),
            ("import socket; os.link('../outside/docker.sock', 's2')", "EACCES"),
            (
                &format!("import socket; socket.socket(socket.AF_UNIX).connect('\\0{name}')"),
                "EPERM",
            ),
            (
                &format!(
                    "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', '\\0{datagrams}')"
                ),
                "ESOCKTNOSUPPORT",
            ),
            // Each of two that are connected can send elsewhere.
            (
                "import socket; socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
                "ESOCKTNOSUPPORT",
            ),
            ("import socket; socket.socket(socket.AF_UNIX, socket.SOCK_RAW)", "ESOCKTNOSUPPORT"),
            (
                "import socket; a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET); a.send(b'x'); b.recv(1)",
                "ok",
            ),
        ],
    );
}

#[test]
fn the_local_network_is_this_machine() {
    let mut ground = Ground::new();
    ground.rules.network = Network::Local;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let listens = |first: &str| {
        format!(
            "import socket; s = socket.socket()\n\
             {first}\n\
             s.listen()\n\
             socket.create_connection(('127.0.0.1', s.getsockname()[1])); s.accept()\n\
             if s.getsockopt(socket.SOL_SOCKET, 62) != 1: raise OSError(1, '')"
        )
    };
    check(
        &ground,
        &[
            (&format!("import socket; socket.create_connection(('127.0.0.1', {port}))"), "ok"),
            (
                &format!(
                    "import socket; socket.create_connection(('127.0.0.1', {port}), timeout=5)"
                ),
                "ok",
            ),
            (
                "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); socket.create_connection(s.getsockname()); s.accept()\n\
                 if s.getsockopt(socket.SOL_SOCKET, 62): raise OSError(1, '')",
                "ok",
            ),
            // What listens without an address, or on all, is bound to the loopback device (SO_BINDTOIFINDEX).
            (&listens("pass"), "ok"),
            (&listens("s.bind(('', 0))"), "ok"),
            (&listens("s = socket.socket(socket.AF_INET6); s.bind(('::', 0))"), "ok"),
            (&listens("s.bind(('127.0.0.1', 0)); s.listen(); s = socket.socket()"), "ok"),
            (&format!("{}\ns.setsockopt(socket.SOL_SOCKET, 62, 0)", listens("pass")), "EPERM"),
            // Of other sockets it is as without.
            (
                "import socket; s = socket.socket(socket.AF_UNIX); s.bind('s'); s.listen(); c = socket.socket(socket.AF_UNIX); c.connect('s'); s.accept()",
                "ok",
            ),
            (
                "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).listen()",
                "ENOTSUP",
            ),
            ("import socket; s = socket.socket(); s.listen(); s.listen(7)", "ok"),
            ("import socket; socket.create_connection(('10.255.255.1', 80))", "ENETUNREACH"),
            (
                "import socket; socket.create_connection(('10.255.255.1', 80), timeout=5)",
                "ENETUNREACH",
            ),
            ("import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "ENETUNREACH"),
            (
                "import socket; socket.socket().sendto(b'x', socket.MSG_FASTOPEN, ('10.255.255.1', 80))",
                "ENOTSUP",
            ),
            (
                "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)",
                "ENETUNREACH",
            ),
            (
                "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).bind((0, 0))",
                "ok",
            ),
            ("import socket; socket.getaddrinfo('localhost', 80)", "ok"),
            // A connection that nobody takes is waited for until there is a signal.
            (
                "import errno, signal, socket\n\
              def alarm(*_): raise OSError(errno.ECANCELED, '')\n\
              s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(0); full = [socket.socket() for _ in range(4)]\n\
              for one in full: one.setblocking(False); one.connect_ex(s.getsockname())\n\
              signal.signal(signal.SIGALRM, alarm); signal.setitimer(signal.ITIMER_REAL, 0.2)\n\
              socket.socket().connect(s.getsockname())",
                "ECANCELED",
            ),
        ],
    );
}

#[test]
fn the_terminal_works_as_without_and_nothing_is_typed_on_it() {
    let ground = Ground::new();
    check(
        &ground,
        &[
            ("import fcntl, termios; fcntl.ioctl(0, termios.TIOCSTI, b'x')", "EPERM"),
            ("import fcntl, termios; fcntl.ioctl(0, termios.TIOCSETD, b'0000')", "EPERM"),
            ("os.ttyname(0); open('/dev/tty', 'r+b', buffering=0)", "ok"),
            (
                "import termios; fd = os.open('/dev/tty', os.O_RDWR); termios.tcsetattr(fd, 0, termios.tcgetattr(fd)); os.tcgetpgrp(fd)",
                "ok",
            ),
            ("os.get_terminal_size()", "ok"),
            ("import pty; pty.openpty()", "ok"),
            ("import pty; os.waitpid(pty.fork()[0] or os._exit(0), 0)", "ok"),
        ],
    );
    let job =
        ground.shell("set -m; sleep 100 & kill -STOP %1; wait %1; jobs; kill -KILL %1; echo done");
    assert!(job.contains("Stopped") && job.contains("done"), "{job}");
}

#[test]
fn processes_work_with_each_other() {
    let ground = Ground::new();
    fs::write(
        ground.at("work/many.py"),
        "import multiprocessing as m, sys, signal, os\n\
         def f(x): return x * x\n\
         if __name__ == '__main__':\n\
         \x20   for how in ['fork', 'spawn', 'forkserver']:\n\
         \x20       c = m.get_context(how)\n\
         \x20       with c.Pool(2) as p: print(how, p.map(f, range(4)))\n\
         \x20   with m.Manager() as manager: print(len(manager.list([1, 2])))\n\
         \x20   from multiprocessing.shared_memory import SharedMemory\n\
         \x20   s = SharedMemory(create=True, size=10); s.buf[0] = 1; s.close(); s.unlink()\n\
         \x20   l = m.Lock(); l.acquire(); l.release(); print('locked')\n",
    )
    .unwrap();
    let found = ground.run("python3", &["many.py"]);
    let squares = "[0, 1, 4, 9]";
    let methods = ["fork", "spawn", "forkserver"].map(|how| format!("{how} {squares}"));
    assert_eq!(lines(&found), [&methods[0], &methods[1], &methods[2], "2", "locked"]);
}

#[test]
fn git_works_but_for_its_hooks() {
    let ground = Ground::new();
    fs::remove_dir_all(ground.at("work/.git")).unwrap();
    let made = std::process::Command::new("git")
        .args(["init", "-q"])
        .current_dir(ground.at("work"))
        .status()
        .unwrap();
    assert!(made.success());
    let found = ground.shell(
        "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a HOME=/nowhere\n\
         git add -A && git commit -qm one && echo two > file && git commit -qam two && git log --oneline | wc -l\n\
         git checkout -q HEAD~1 && cat file && git stash list && git gc -q; echo; git fsck; echo $?\n\
         echo x > .git/hooks/pre-commit; mv .git old; ls -d .git",
    );
    let found = lines(&found);
    assert_eq!(found[..2], ["2", "work/file"], "{found:?}");
    assert!(found.contains(&"0") && found.last() == Some(&".git"), "{found:?}");
    assert!(!ground.at("work/.git/hooks/pre-commit").exists());
}

#[test]
fn a_thread_that_swaps_what_a_path_leads_to_gains_nothing() {
    let ground = Ground::new();
    let found = ground.python(
        "import os, threading, ctypes\n\
         os.mkdir('d'); os.symlink('.git/hooks', 'evil'); os.symlink('d', 'way')\n\
         libc = ctypes.CDLL(None)\n\
         path = ctypes.create_string_buffer(b'./way/new' + b'\\0' * 20)\n\
         stop = False\n\
         def swap():\n\
         \x20   while not stop:\n\
         \x20       os.symlink('.git/hooks', 'n'); os.rename('n', 'way')\n\
         \x20       path.value = b'.git/hooks/new'\n\
         \x20       os.symlink('d', 'n'); os.rename('n', 'way')\n\
         \x20       path.value = b'./way/new'\n\
         t = threading.Thread(target=swap); t.start()\n\
         opened = refused = 0\n\
         # On a busy machine the threads take their turns seldom.\n\
         for i in range(1_000_000):\n\
         \x20   if i >= 3000 and opened and refused: break\n\
         \x20   fd = libc.open(path, os.O_WRONLY | os.O_CREAT, 0o644)\n\
         \x20   if fd >= 0:\n\
         \x20       opened += 1; os.close(fd)\n\
         \x20   else: refused += 1\n\
         \x20   libc.mkdir(path, 0o755); libc.rename(b'file', path); libc.rename(path, b'file')\n\
         stop = True; t.join()\n\
         print(opened > 0, refused > 0, sorted(os.listdir('.git/hooks')))\n",
    );
    assert_eq!(lines(&found), ["True True ['old']"], "{found}");
}

#[test]
fn what_a_kernel_offers_beside_files_is_refused() {
    let ground = Ground::new();
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    // Number, arguments, and the answer; of those that would harm the machine none is asked with right
    // arguments.
    let calls = [
        ("io_uring_setup", "425, 1, 0", "ENOSYS"),
        ("clone3", "435, 0, 0", "ENOSYS"),
        ("openat2", "437, -100, 0, 0, 0", "ENOSYS"),
        ("unknown", "600", "ENOSYS"),
        ("x32", "0x40000000 + 39", "ENOSYS"),
        ("unshare user", "272, 0x10000000", "EPERM"),
        ("unshare net", "272, 0x40000000", "EPERM"),
        ("unshare files", "272, 0x400", "ok"),
        ("clone user", "56, 0x10000000 | 17, 0, 0, 0, 0", "EPERM"),
        ("setns", "308, 0, 0", "EPERM"),
        ("mount", "165, 0, 0, 0, 0, 0", "EPERM"),
        ("umount2", "166, 0, 0", "EPERM"),
        ("open_tree", "428, -100, 0, 0", "EPERM"),
        ("fsopen", "430, 0, 0", "EPERM"),
        ("pivot_root", "155, 0, 0", "EPERM"),
        ("chroot", "161, 0", "EPERM"),
        ("bpf", "321, 0, 0, 0", "EPERM"),
        ("perf_event_open", "298, 0, 0, -1, -1, 0", "EPERM"),
        ("userfaultfd", "323, 0", "EPERM"),
        ("keyctl", "250, 0, 0", "EPERM"),
        ("add_key", "248, 0, 0, 0, 0, 0", "EPERM"),
        ("request_key", "249, 0, 0, 0, 0", "EPERM"),
        ("kexec_load", "246, 0, 0, 0, 0", "EPERM"),
        ("init_module", "175, 0, 0, 0", "EPERM"),
        ("open_by_handle_at", "304, 0, 0, 0", "EPERM"),
        ("fanotify_init", "300, 0, 0", "EPERM"),
        ("swapon", "167, 0, 0", "EPERM"),
        ("reboot", "169, 0, 0, 0, 0", "EPERM"),
        ("sethostname", "170, 0, 0", "EPERM"),
        ("fcntl F_SETLEASE", "72, 0, 1024, 0", "EPERM"),
        ("fcntl F_SETDELEG", "72, 0, 1040, 0", "EPERM"),
        ("fcntl F_GETFD", "72, 0, 1, 0", "ok"),
    ];
    let mut source = String::from(
        "import ctypes, errno\nlibc = ctypes.CDLL(None, use_errno=True)\n\
         def call(*a):\n\
         \x20   result = libc.syscall(*map(ctypes.c_long, a))\n\
         \x20   print('ok' if result >= 0 else errno.errorcode[ctypes.get_errno()], flush=True)\n",
    );
    for (_, arguments, _) in calls {
        source.push_str(&format!("call({arguments})\n"));
    }
    let found = ground.python(&source);
    let found = lines(&found);
    assert_eq!(found.len(), calls.len(), "{found:?}");
    for ((name, _, expected), found) in calls.into_iter().zip(found) {
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn a_call_by_another_architectures_entry_ends_the_program() {
    let ground = Ground::new();
    // mov eax, 20 (getpid); int 0x80; ret
    let found = ground.python(
        "import ctypes, mmap, os, signal\n\
         if os.fork() == 0:\n\
         \x20   code = mmap.mmap(-1, 4096, prot=7)\n\
         \x20   code.write(bytes.fromhex('b814000000cd80c3'))\n\
         \x20   at = ctypes.addressof(ctypes.c_char.from_buffer(code))\n\
         \x20   ctypes.CFUNCTYPE(ctypes.c_int)(at)()\n\
         \x20   os._exit(0)\n\
         print(signal.Signals(os.wait()[1] & 127).name)",
    );
    // A kernel without that entry has another signal.
    assert!(matches!(lines(&found)[..], ["SIGSYS" | "SIGSEGV"]), "{found}");
}

#[test]
fn programs_have_no_way_to_more_rights() {
    let ground = Ground::new();
    let found =
        ground.shell("grep -E 'NoNewPrivs|Seccomp:' /proc/self/status; ls /proc/self/fd | wc -l");
    // Those of ls: its streams and the directory.
    assert_eq!(lines(&found), ["NoNewPrivs:\t1", "Seccomp:\t2", "4"]);
}

#[test]
fn a_program_that_is_not_there_is_not_the_sandboxs_fault() {
    let ground = Ground::new();
    let program = Program {
        file: "/nowhere/python".into(),
        sandbox: Some(ground.rules.clone()),
        ..Program::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let result = runtime.block_on(async { spawn(&program, Size { columns: 80, rows: 24 }) });
    assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn the_supervisor_ends_with_the_last_program() {
    use std::{os::unix::process::CommandExt, process::Command};
    let ground = Ground::new();
    let (sandbox, inside) = super::super::Sandbox::prepare(&ground.rules).unwrap();
    let mut command = Command::new("bash");
    // One that outlives its leader.
    command.args(["-c", "cd /; exec 3<&0; (read line <&3; echo late > \"$0\") & exit 0"]);
    command.arg(ground.at("work/late"));
    let (reader, writer) = std::io::pipe().unwrap();
    command.stdin(reader);
    // SAFETY: the closure makes only async-signal-safe calls.
    unsafe { command.pre_exec(move || inside.enter()) };
    let mut child = command.spawn().unwrap();
    drop(command);
    let supervisor = sandbox.started().unwrap();
    assert!(child.wait().unwrap().success());
    assert!(!supervisor.is_finished());
    drop(writer);
    supervisor.join().unwrap();
    assert_eq!(text(&ground.at("work/late")), "late\n");
}

#[test]
fn without_a_supervisor_what_it_would_be_asked_of_fails() {
    use std::{os::unix::process::CommandExt, process::Command};
    let mut ground = Ground::new();
    // Else it would be asked of all that is read, too, and no program could be loaded.
    ground.rules.hidden.clear();
    let (sandbox, inside) = super::super::Sandbox::prepare(&ground.rules).unwrap();
    let mut command = Command::new("python3");
    command.args([
        "-c",
        "import os\ntry: open(os.sys.argv[1], 'w')\nexcept OSError as e: print(e.errno)",
    ]);
    command.arg(ground.at("work/file")).stdout(std::process::Stdio::piped());
    // SAFETY: the closure makes only async-signal-safe calls.
    unsafe { command.pre_exec(move || inside.enter()) };
    let child = command.spawn().unwrap();
    // As when it panics: its descriptor is closed.
    drop(sandbox);
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told.trim(), libc::ENOSYS.to_string());
    assert_eq!(text(&ground.at("work/file")), "work/file");
}
