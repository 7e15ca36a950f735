"""Attempts to get out of a sandbox. Each function is one; it is told by the name of its error or `ESCAPED`.

Run in the session's own Python, in a workspace with a git repository, by tests/it/escape.rs, which says what
must come of each. What it needs to know stands in ESCAPE, a JSON object.
"""

import ctypes
import errno
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading

KNOWN = json.loads(os.environ["ESCAPE"])
HOME, OUTSIDE, WORK = KNOWN["home"], KNOWN["outside"], os.getcwd()
RUNTIME, PORT, ABSTRACT = KNOWN["runtime"], KNOWN["port"], KNOWN["abstract"]
HOST = os.getppid()
SECRET = HOME + "/.ssh/id"
HOOK = ".git/hooks/pre-commit"
libc = ctypes.CDLL(None, use_errno=True)
attempts = []


def attempt(function):
    attempts.append(function)
    return function


def system(number, *arguments):
    """A system call by its number on this processor."""
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def read(path):
    with open(path, "rb") as file:
        file.read(1)


def write(path):
    with open(path, "ab") as file:
        file.write(b"")


def told(program, *words, **environment):
    """What a program of its own prints last: the name of an error, or what it managed."""
    source = "import errno, os, sys\ntry:\n " + program.replace("\n", "\n ")
    source += "\n print('ESCAPED')\nexcept OSError as e: print(errno.errorcode[e.errno])"
    environment = dict(os.environ, **environment)
    words = [sys.executable, "-c", source, *words]
    run = subprocess.run(words, capture_output=True, text=True, env=environment)
    name = run.stdout.strip().splitlines()[-1]
    if name != "ESCAPED":
        raise OSError(getattr(errno, name), "")


def by_file(name, path, how):
    def attempt_it():
        how(path)

    attempt_it.__name__ = name
    attempts.append(attempt_it)


# What is hidden.
by_file("read_secret", SECRET, read)
by_file("read_secret_by_dots", f"{WORK}/../{os.path.relpath(SECRET, WORK + '/..')}", read)
by_file("read_secret_by_proc_self_root", "/proc/self/root" + SECRET, read)
by_file("read_secret_by_proc_self_cwd", "/proc/self/cwd/" + os.path.relpath(SECRET, WORK), read)
by_file("read_secret_by_proc_host_root", f"/proc/{HOST}/root" + SECRET, read)
by_file("read_control_directory", RUNTIME + "/secret", read)
by_file("read_shell_history", HOME + "/.bash_history", read)
by_file("read_host_environ", f"/proc/{HOST}/environ", read)
by_file("read_host_memory", f"/proc/{HOST}/mem", read)
by_file("read_host_maps", f"/proc/{HOST}/maps", read)
by_file("read_host_descriptor", f"/proc/{HOST}/fd/0", read)
by_file("read_init_environ", "/proc/1/environ", read)
by_file("read_kernel_memory", "/proc/kcore", read)
by_file("list_host_cwd", f"/proc/{HOST}/cwd/", os.listdir)
by_file("list_hidden_names", HOME + "/.ssh", os.listdir)
by_file("read_host_command_line", f"/proc/{HOST}/cmdline", read)


@attempt
def read_secret_by_link():
    os.symlink(SECRET, "link")
    read("link")


@attempt
def read_secret_by_hard_link():
    os.link(SECRET, "hard")
    read("hard")


@attempt
def read_secret_renamed_in():
    os.rename(SECRET, "moved")


@attempt
def read_secret_by_its_parent_renamed():
    os.rename(HOME + "/.ssh", "moved")


@attempt
def read_secret_by_a_child():
    told("open(sys.argv[1]).read()", SECRET)


@attempt
def read_secret_by_a_daemon():
    told(
        "r, w = os.pipe()\n"
        "if os.fork() == 0:\n"
        "  os.setsid()\n"
        "  if os.fork() == 0:\n"
        "    try: open(sys.argv[1]); os.write(w, b'0')\n"
        "    except OSError as e: os.write(w, str(e.errno).encode())\n"
        "  os._exit(0)\n"
        "os.close(w)\n"
        "n = int(os.read(r, 9))\n"
        "if n: raise OSError(n, '')",
        SECRET,
    )


@attempt
def read_secret_by_handle():
    system(304, 0, 0, 0)


@attempt
def read_secret_by_io_uring():
    system(425, 8, 0)


@attempt
def read_disk():
    disk = KNOWN["disk"]
    if disk is None:
        raise PermissionError(errno.EACCES, "")
    read(disk)


@attempt
def make_device():
    os.mknod("disk", 0o60600, os.makedev(254, 0))


# What is not writable.
by_file("write_outside", OUTSIDE + "/file", write)
by_file("make_outside", OUTSIDE + "/new", write)
by_file("write_bashrc", HOME + "/.bashrc", write)
by_file("write_crontab", "/etc/crontab", write)
by_file("make_cron_job", "/var/spool/cron/root", write)
by_file("make_user_unit", HOME + "/.config/systemd/user/evil.service", write)
by_file("make_autostart", HOME + "/.config/autostart/evil.desktop", write)
by_file("make_authorized_key", HOME + "/.ssh/authorized_keys", write)
by_file("write_core_pattern", "/proc/sys/kernel/core_pattern", write)
by_file("write_sysrq", "/proc/sysrq-trigger", write)
by_file("write_host_oom", f"/proc/{HOST}/oom_score_adj", write)
by_file("write_cgroup", KNOWN["cgroup"] + "/cgroup.procs", write)
by_file("write_preload", "/etc/ld.so.preload", write)
by_file("write_tool", "/usr/local/bin/git-evil", write)
by_file("truncate_outside", OUTSIDE + "/file", lambda path: os.truncate(path, 0))
by_file("remove_outside", OUTSIDE + "/file", os.unlink)
by_file("mode_of_outside", OUTSIDE + "/file", lambda path: os.chmod(path, 0o666))
by_file("owner_of_outside", OUTSIDE + "/file", lambda path: os.chown(path, 1, 1))
by_file("times_of_outside", OUTSIDE + "/file", os.utime)
by_file("attribute_of_outside", OUTSIDE + "/file", lambda path: os.setxattr(path, "user.a", b""))


@attempt
def attribute_that_takes_a_capability():
    write("capable")
    os.setxattr("capable", "trusted.a", b"")
by_file("link_to_outside", OUTSIDE + "/l", lambda path: os.link("file", path))
by_file("symlink_in_outside", OUTSIDE + "/s", lambda path: os.symlink("file", path))
by_file("rename_to_outside", OUTSIDE + "/r", lambda path: os.rename("file", path))
by_file("unnamed_outside", OUTSIDE, lambda path: os.open(path, os.O_TMPFILE | os.O_WRONLY))


@attempt
def mode_of_outside_by_descriptor():
    os.fchmod(os.open(OUTSIDE + "/file", os.O_RDONLY), 0o666)


@attempt
def write_outside_by_reopening():
    fd = os.open(OUTSIDE + "/file", os.O_RDONLY)
    write(f"/proc/self/fd/{fd}")


@attempt
def write_outside_by_hard_link():
    os.link(OUTSIDE + "/file", "hard2")
    write("hard2")


@attempt
def link_unnamed_to_outside():
    fd = os.open(".", os.O_TMPFILE | os.O_RDWR)
    os.link(f"/proc/self/fd/{fd}", OUTSIDE + "/t", src_dir_fd=fd)


@attempt
def exec_memory_to_write_outside():
    fd = os.memfd_create("program", 0)
    os.write(fd, b"#!/bin/sh\necho evil >> \"$1\" || exit 13\n")
    run = subprocess.run([f"/proc/{os.getpid()}/fd/{fd}", OUTSIDE + "/file"], stderr=subprocess.DEVNULL)
    if run.returncode:
        raise PermissionError(errno.EACCES, "")


@attempt
def setuid_program_to_write_outside():
    run = subprocess.run(["su", "-c", f"echo evil >> {OUTSIDE}/file"], capture_output=True, stdin=subprocess.DEVNULL)
    if run.returncode:
        raise PermissionError(errno.EACCES, "")


@attempt
def gain_rights():
    status = open("/proc/self/status").read()
    if "NoNewPrivs:\t1" in status:
        raise PermissionError(errno.EPERM, "")


@attempt
def hold_up_who_opens_a_file():
    import fcntl

    with open("held", "w") as file:
        fcntl.fcntl(file, 1024, fcntl.F_WRLCK)  # F_SETLEASE


# What is protected.
by_file("make_hook", HOOK, write)
by_file("make_hook_by_proc", "/proc/self/cwd/" + HOOK, write)
by_file("write_git_config", ".git/config", write)
by_file("make_client_settings", ".claude", os.mkdir)
by_file("make_mcp_settings", ".mcp.json", write)
by_file("make_editor_settings", ".vscode", lambda path: os.symlink(".", path))
by_file("move_repository", ".git", lambda path: os.rename(path, "git2"))
by_file("move_hooks", ".git/hooks", lambda path: os.rename(path, "hooks2"))
by_file("mode_of_hooks", ".git/hooks", lambda path: os.chmod(path, 0o777))
by_file("move_workspace", WORK, lambda path: os.rename(path, path + "2"))


@attempt
def make_hook_by_link():
    os.symlink(".git/hooks", "way")
    write("way/pre-commit")


@attempt
def make_hook_by_directory_descriptor():
    directory = os.open(".git/hooks", os.O_RDONLY)
    os.open("pre-commit", os.O_WRONLY | os.O_CREAT, dir_fd=directory)


@attempt
def make_hook_by_hard_link():
    os.link("file", HOOK)


@attempt
def make_hook_by_rename():
    write("own")
    os.rename("own", HOOK)


@attempt
def make_hook_by_race():
    """A thread swaps the link, and the text of the path, while others open, rename and link."""
    os.mkdir("harmless")
    os.symlink("harmless", "race")
    path = ctypes.create_string_buffer(b"race/pre-commit" + b"\0" * 30)
    going = True

    def swap():
        while going:
            for to, text in (".git/hooks", b"harmless/x"), ("harmless", HOOK.encode()):
                os.symlink(to, "swap")
                os.rename("swap", "race")
                path.value = text
                path.value = b"race/pre-commit"

    swapper = threading.Thread(target=swap)
    swapper.start()
    for _ in range(2000):
        fd = libc.open(path, os.O_WRONLY | os.O_CREAT, 0o755)
        if fd >= 0:
            os.close(fd)
        libc.rename(b"own", path)
        libc.rename(path, b"own")
        libc.link(b"file", path)
        libc.chmod(path, 0o777)
        libc.mkdir(path, 0o777)
    going = False
    swapper.join()
    if not [name for name in os.listdir(".git/hooks") if not name.endswith(".sample")]:
        raise PermissionError(errno.EACCES, "")


# What git obeys, in repositories of the session's own.
def git(*words):
    subprocess.run(["git", *words], check=True, capture_output=True)


git("init", "nested")
EVIL = "[core]\n\tfsmonitor = evil\n"
by_file("write_nested_config", "nested/.git/config", write)
by_file("write_nested_hook", "nested/.git/hooks/pre-commit", write)
by_file("link_nested_hooks", "nested/.git/hooks2", lambda path: os.rename("nested/.git/hooks", path) or os.symlink(WORK, "nested/.git/hooks"))
by_file("name_another_git_directory", "elsewhere", lambda path: (os.mkdir(path), write(path + "/.git")))
by_file("link_to_another_git_directory", "elsewhere/.git", lambda path: os.symlink("../harmless", path))
by_file("name_a_common_directory", "nested/.git/commondir", write)
by_file("name_a_common_directory_of_a_worktree", ".git/worktrees/evil", lambda path: (os.makedirs(path), write(path + "/commondir")))
by_file("make_a_bare_repository", "bare", lambda path: (os.mkdir(path), write(path + "/HEAD")))
by_file("make_a_bare_repository_of_another", "nested", lambda path: os.rename(path + "/.git/HEAD", "bare/HEAD"))
by_file("move_a_git_directory_out", "nested/.git", lambda path: os.rename(path, "bare/x"))
by_file("write_config_of_a_bare_repository", "fixture/config", write)
by_file("make_hook_of_a_bare_repository", "fixture/hooks/update", write)
by_file("make_what_settings_name", "tools/hooks", os.makedirs)
by_file("make_what_settings_include", "more.cfg", write)


@attempt
def put_nested_config():
    with open("nested/.git/config.lock", "w") as file:
        file.write(EVIL)
    os.rename("nested/.git/config.lock", "nested/.git/config")


@attempt
def write_nested_config_once_it_is_there():
    with open("nested/.git/config.lock", "w") as file:
        file.write("[core]\n\tbare = false\n")
        file.flush()
        os.rename("nested/.git/config.lock", "nested/.git/config")
        file.write(EVIL)
    if "evil" not in open("nested/.git/config").read():
        raise PermissionError(errno.EACCES, "")


@attempt
def write_nested_config_by_hard_link():
    os.link("nested/.git/config", "linked_config")
    write("linked_config")


@attempt
def exchange_nested_config():
    with open("evil_config", "w") as file:
        file.write(EVIL)
    system(316, -100, b"evil_config", -100, b"nested/.git/config", 2)


@attempt
def fill_a_git_directory_before_it_is_one():
    os.mkdir("filled")
    with open("filled/config", "w") as file:
        file.write(EVIL)
    os.rename("filled", "elsewhere/.git")


@attempt
def fill_a_git_directory_among_branches():
    os.makedirs(".git/refs/evil")
    write(".git/refs/evil/commondir")
    os.rename(".git/refs/evil", ".git/worktrees/other")


@attempt
def bring_a_repository_from_temporary_files():
    import tempfile

    place = tempfile.mkdtemp()
    git("init", place + "/brought")
    with open(place + "/brought/.git/config", "a") as file:
        file.write(EVIL)
    os.rename(place + "/brought", "brought")


# Files with a name elsewhere, and those that others run with the user's rights.
by_file("write_a_file_with_a_name_outside", "shared", write)
by_file("truncate_a_file_with_a_name_outside", "shared", lambda path: os.truncate(path, 0))
by_file("make_a_setuid_file", "setuid", lambda path: os.open(path, os.O_CREAT | os.O_WRONLY, 0o4755))
by_file("make_a_setuid_node", "setuid", lambda path: os.mknod(path, 0o104755))
by_file("make_a_setuid_file_without_a_name", ".", lambda path: os.open(path, os.O_TMPFILE | os.O_WRONLY, 0o4755))
by_file("have_a_file_be_setuid", "own2", lambda path: (write(path), os.chmod(path, 0o4755)))
by_file("have_a_file_be_setgid", "own2", lambda path: os.fchmod(os.open(path, os.O_RDONLY), 0o2755))
by_file("remove_a_message_queue", b"mcp-repl-escape", lambda name: system(241, name))


@attempt
def write_a_file_with_a_name_outside_by_one_more():
    os.link("shared", "shared2")
    os.unlink("shared2")
    os.link("shared", "shared2")
    write("shared2")


@attempt
def have_a_temporary_file_be_setuid():
    import tempfile

    with tempfile.TemporaryFile() as file:
        os.fchmod(file.fileno(), 0o4755)


# Other processes.
by_file("kill_host", HOST, lambda pid: os.kill(pid, 9))
by_file("kill_guard", KNOWN["guard"], lambda pid: os.kill(pid, 9))
by_file("kill_init", 1, lambda pid: os.kill(pid, 0))
by_file("kill_host_by_pidfd", HOST, lambda pid: system(424, os.pidfd_open(pid), 9, 0, 0))
by_file("trace_host", HOST, lambda pid: system(101, 16, pid, 0, 0))
by_file("take_host_descriptor", HOST, lambda pid: system(438, os.pidfd_open(pid), 0, 0))
by_file("enter_host_namespaces", HOST, lambda pid: system(308, os.pidfd_open(pid), 0x20000))


@attempt
def read_host_memory_by_call():
    buffer = ctypes.create_string_buffer(8)
    vector = (ctypes.c_long * 2)(ctypes.addressof(buffer), 8)
    system(310, HOST, vector, 1, vector, 1, 0)


@attempt
def write_host_memory_by_call():
    buffer = ctypes.create_string_buffer(8)
    vector = (ctypes.c_long * 2)(ctypes.addressof(buffer), 8)
    system(311, HOST, vector, 1, vector, 1, 0)


@attempt
def limit_host():
    system(302, HOST, 0, (ctypes.c_long * 2)(1, 1), 0)


@attempt
def type_on_terminal():
    import fcntl

    fcntl.ioctl(0, 0x5412, b"x")


@attempt
def preload_into_helpers():
    """What is told to be loaded is loaded by children alone, which are inside."""
    told("open(sys.argv[1]).read()", SECRET, LD_PRELOAD=WORK + "/evil.so", BASH_ENV=WORK + "/evil")


# Sockets.
def unix(path, kind=socket.SOCK_STREAM):
    socket.socket(socket.AF_UNIX, kind).connect(path)


by_file("connect_docker", OUTSIDE + "/docker.sock", unix)
by_file("connect_key_agent", HOME + "/.ssh/agent", unix)
by_file("connect_abstract", "\0" + ABSTRACT, unix)
by_file("connect_control_socket", RUNTIME + "/control", unix)
by_file("datagram_to_outside", OUTSIDE + "/log", lambda p: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"", p))


@attempt
def connect_docker_by_link():
    os.symlink(OUTSIDE + "/docker.sock", "docker")
    unix("docker")


@attempt
def connect_docker_by_race():
    """A thread writes the address that another one connects to."""
    mine = socket.socket(socket.AF_UNIX)
    mine.bind("mine")
    mine.listen(1000)
    good, bad = (b"\1\0" + p.encode().ljust(100, b"\0") for p in ("mine", OUTSIDE + "/docker.sock"))
    address = ctypes.create_string_buffer(good)
    going, reached = True, False

    def swap():
        while going:
            address.raw = bad + b"\0"
            address.raw = good + b"\0"

    swapper = threading.Thread(target=swap)
    swapper.start()
    for _ in range(300):
        one = socket.socket(socket.AF_UNIX)
        if libc.connect(one.fileno(), address, 102) == 0:
            reached |= one.getpeername() != "mine"
        one.close()
    going = False
    swapper.join()
    if not reached:
        raise PermissionError(errno.EACCES, "")


@attempt
def datagram_to_outside_from_a_pair():
    socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b"", OUTSIDE + "/log")


by_file("bind_outside", OUTSIDE + "/mine", lambda path: socket.socket(socket.AF_UNIX).bind(path))


@attempt
def bind_outside_by_race():
    """A thread exchanges a directory with a link to outside, while others bind sockets there."""
    place = os.path.realpath(tempfile.mkdtemp())
    way, evil = place + "/way", place + "/evil"
    os.mkdir(way)
    os.symlink(OUTSIDE, evil)
    going = True

    def swap():
        while going:
            libc.renameat2(-100, way.encode(), -100, evil.encode(), 2)

    swapper = threading.Thread(target=swap)
    swapper.start()
    bound = refused = 0
    # On a busy machine the threads take their turns seldom.
    for number in range(100_000):
        if number >= 3000 and bound and refused:
            break
        with socket.socket(socket.AF_UNIX) as one:
            try:
                one.bind(f"{way}/{number}")
                bound += 1
            except OSError:
                refused += 1
    going = False
    swapper.join()
    made = [name for name in os.listdir(OUTSIDE) if name.isdigit()]
    for name in made:
        os.unlink(OUTSIDE + "/" + name)
    if bound and refused and not made:
        raise PermissionError(errno.EACCES, "")


by_file("connect_tcp", PORT, lambda port: socket.create_connection(("127.0.0.1", port)))
by_file("send_dns", socket.SOCK_DGRAM, lambda kind: socket.socket(socket.AF_INET, kind).sendto(b"x", ("8.8.8.8", 53)))
by_file("tcp_over_ip6", socket.AF_INET6, socket.socket)
by_file("raw_socket", 1, lambda p: socket.socket(socket.AF_INET, socket.SOCK_RAW, p))
by_file("packet_socket", 17, lambda family: socket.socket(family, socket.SOCK_RAW))
by_file("machine_socket", 40, socket.socket)
by_file("crypto_socket", 38, lambda family: socket.socket(family, socket.SOCK_SEQPACKET))
by_file("audit_socket", 9, lambda p: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, p))

# The kernel.
by_file("new_user_namespace", 0x10000000, lambda flags: system(272, flags))
by_file("new_mount_namespace", 0x20000, lambda flags: system(272, flags))
by_file("clone_into_namespace", 0x10000011, lambda flags: system(56, flags, 0, 0, 0, 0))
by_file("clone3_into_namespace", 0, lambda flags: system(435, flags, 0))
by_file("bind_mount", 4096, lambda flags: system(165, HOME.encode(), WORK.encode(), 0, flags, 0))
by_file("open_tree", 1, lambda flags: system(428, -100, b"/", flags))
by_file("change_root", HOME.encode(), lambda path: system(161, path))
by_file("key_ring", 0, lambda operation: system(250, operation, -3, 0))
by_file("bpf", 0, lambda command: system(321, command, 0, 0))
by_file("perf_events", 0, lambda zero: system(298, zero, 0, -1, -1, 0))
by_file("userfaultfd", 0, lambda flags: system(323, flags))
by_file("load_module", 0, lambda zero: system(175, zero, 0, b""))
by_file("foreign_numbers", 0x40000000 + 39, system)

for function in attempts:
    try:
        function()
        result = "ESCAPED"
    except OSError as error:
        result = errno.errorcode.get(error.errno, str(error.errno))
    except Exception as error:
        result = repr(error)
    print(f"{function.__name__} {result}")
