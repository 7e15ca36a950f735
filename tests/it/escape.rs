//! Attempts to get out of a session's sandbox, each with the rule that stops it. The attempts themselves
//! are in tests/sandbox/escapes.py, and run in the session's own Python.
//!
//! What is not stopped has an honest row here and in docs/sandbox.md.
#![cfg(all(has = "sandbox", target_arch = "x86_64"))]

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram, UnixListener},
    },
    path::Path,
    process::Command,
};

use crate::support::{Builder, Runtime};

/// Landlock: it is not among what can be read, or written.
const FILES: &str = "Landlock, files";
/// Landlock's ptrace hook: the other process is not of its domain.
const PROCESSES: &str = "Landlock, ptrace hook";
/// Landlock's scopes.
const SCOPE: &str = "Landlock, scope";
/// The supervisor: below a directory that holds something protected, attributes, addresses.
const SUPERVISOR: &str = "supervisor";
/// seccomp: there is no such call, or not with these arguments.
const CALLS: &str = "seccomp";
/// Nothing: docs/sandbox.md says so.
const NOTHING: &str = "not stopped";

/// An attempt, the rule that stops it, and how that is told; `ENOENT` where not each machine has it.
const ATTEMPTS: &[(&str, &str, &str)] = &[
    ("read_secret", FILES, "EACCES"),
    ("read_secret_by_dots", FILES, "EACCES"),
    ("read_secret_by_proc_self_root", FILES, "EACCES"),
    ("read_secret_by_proc_self_cwd", FILES, "EACCES"),
    ("read_secret_by_proc_host_root", PROCESSES, "EACCES"),
    ("read_secret_by_link", FILES, "EACCES"),
    ("read_secret_by_hard_link", SUPERVISOR, "EACCES"),
    ("read_secret_renamed_in", SUPERVISOR, "EACCES"),
    ("read_secret_by_its_parent_renamed", SUPERVISOR, "EACCES"),
    ("read_secret_by_a_child", FILES, "EACCES"),
    ("read_secret_by_a_daemon", FILES, "EACCES"),
    ("read_secret_by_handle", CALLS, "EPERM"),
    ("read_secret_by_io_uring", CALLS, "ENOSYS"),
    ("read_control_directory", FILES, "EACCES"),
    ("read_shell_history", FILES, "EACCES"),
    ("read_host_environ", PROCESSES, "EACCES"),
    ("read_host_memory", PROCESSES, "EACCES"),
    ("read_host_maps", PROCESSES, "EACCES"),
    ("read_host_descriptor", PROCESSES, "EACCES"),
    ("read_init_environ", PROCESSES, "EACCES"),
    ("read_kernel_memory", "capabilities", "EPERM|ENOENT"),
    ("list_host_cwd", PROCESSES, "EACCES"),
    ("list_hidden_names", NOTHING, "ESCAPED"),
    ("read_host_command_line", NOTHING, "ESCAPED"),
    ("read_disk", FILES, "EACCES"),
    ("make_device", SUPERVISOR, "EPERM"),
    ("write_outside", FILES, "EACCES"),
    ("make_outside", FILES, "EACCES"),
    ("write_bashrc", FILES, "EACCES"),
    ("write_crontab", FILES, "EACCES"),
    ("make_cron_job", FILES, "EACCES|ENOENT"),
    ("make_user_unit", FILES, "EACCES"),
    ("make_autostart", FILES, "EACCES"),
    ("make_authorized_key", FILES, "EACCES"),
    ("write_core_pattern", FILES, "EACCES"),
    ("write_sysrq", FILES, "EACCES|ENOENT"),
    ("write_host_oom", FILES, "EACCES"),
    ("write_cgroup", FILES, "EACCES"),
    ("write_preload", FILES, "EACCES"),
    ("write_tool", FILES, "EACCES"),
    ("truncate_outside", FILES, "EACCES"),
    ("remove_outside", FILES, "EACCES"),
    ("attribute_that_takes_a_capability", SUPERVISOR, "EPERM"),
    ("mode_of_outside", SUPERVISOR, "EACCES"),
    ("mode_of_outside_by_descriptor", SUPERVISOR, "EACCES"),
    ("owner_of_outside", SUPERVISOR, "EACCES"),
    ("times_of_outside", SUPERVISOR, "EACCES"),
    ("attribute_of_outside", SUPERVISOR, "EACCES"),
    ("link_to_outside", FILES, "EACCES"),
    ("symlink_in_outside", FILES, "EACCES"),
    ("rename_to_outside", SUPERVISOR, "EACCES"),
    ("unnamed_outside", FILES, "EACCES"),
    ("write_outside_by_reopening", FILES, "EACCES"),
    ("write_outside_by_hard_link", SUPERVISOR, "EACCES"),
    ("link_unnamed_to_outside", FILES, "EACCES"),
    ("exec_memory_to_write_outside", FILES, "EACCES"),
    ("setuid_program_to_write_outside", "no_new_privs, Landlock", "EACCES"),
    ("gain_rights", "no_new_privs", "EPERM"),
    ("make_hook", SUPERVISOR, "EACCES"),
    ("make_hook_by_proc", FILES, "EACCES"),
    ("make_hook_by_link", SUPERVISOR, "EACCES"),
    ("make_hook_by_directory_descriptor", SUPERVISOR, "EACCES"),
    ("make_hook_by_hard_link", SUPERVISOR, "EACCES"),
    ("make_hook_by_rename", SUPERVISOR, "EACCES"),
    ("make_hook_by_race", SUPERVISOR, "EACCES"),
    ("write_git_config", SUPERVISOR, "EACCES"),
    ("make_client_settings", SUPERVISOR, "EACCES"),
    ("make_mcp_settings", SUPERVISOR, "EACCES"),
    ("make_editor_settings", SUPERVISOR, "EACCES"),
    ("move_repository", SUPERVISOR, "EACCES"),
    ("move_hooks", SUPERVISOR, "EACCES"),
    ("mode_of_hooks", SUPERVISOR, "EACCES"),
    ("move_workspace", SUPERVISOR, "EACCES"),
    ("write_nested_config", SUPERVISOR, "EACCES"),
    ("write_nested_hook", SUPERVISOR, "EACCES"),
    ("link_nested_hooks", SUPERVISOR, "EACCES"),
    ("name_another_git_directory", SUPERVISOR, "EACCES"),
    ("link_to_another_git_directory", SUPERVISOR, "EACCES"),
    ("name_a_common_directory", SUPERVISOR, "EACCES"),
    ("name_a_common_directory_of_a_worktree", SUPERVISOR, "EACCES"),
    ("make_a_bare_repository", SUPERVISOR, "EACCES"),
    ("make_a_bare_repository_of_another", SUPERVISOR, "EACCES"),
    ("move_a_git_directory_out", SUPERVISOR, "EACCES"),
    ("write_config_of_a_bare_repository", SUPERVISOR, "EACCES"),
    ("make_hook_of_a_bare_repository", SUPERVISOR, "EACCES"),
    ("make_what_settings_name", SUPERVISOR, "EACCES"),
    ("make_what_settings_include", SUPERVISOR, "EACCES"),
    ("put_nested_config", SUPERVISOR, "EACCES"),
    ("write_nested_config_once_it_is_there", SUPERVISOR, "EACCES"),
    ("write_nested_config_by_hard_link", SUPERVISOR, "EACCES"),
    ("exchange_nested_config", SUPERVISOR, "EACCES"),
    ("fill_a_git_directory_before_it_is_one", SUPERVISOR, "EACCES"),
    ("fill_a_git_directory_among_branches", SUPERVISOR, "EACCES"),
    ("bring_a_repository_from_temporary_files", SUPERVISOR, "EXDEV"),
    ("write_a_file_with_a_name_outside", SUPERVISOR, "EACCES"),
    ("truncate_a_file_with_a_name_outside", SUPERVISOR, "EACCES"),
    ("write_a_file_with_a_name_outside_by_one_more", SUPERVISOR, "EACCES"),
    ("make_a_setuid_file", CALLS, "EPERM"),
    ("make_a_setuid_node", CALLS, "EPERM"),
    ("make_a_setuid_file_without_a_name", CALLS, "EPERM"),
    ("have_a_file_be_setuid", SUPERVISOR, "EPERM"),
    ("have_a_file_be_setgid", SUPERVISOR, "EPERM"),
    ("have_a_temporary_file_be_setuid", SUPERVISOR, "EPERM"),
    ("remove_a_message_queue", CALLS, "ENOSYS"),
    ("kill_host", SCOPE, "EPERM"),
    ("kill_host_by_pidfd", SCOPE, "EPERM"),
    ("kill_guard", SCOPE, "EPERM"),
    ("kill_init", SCOPE, "EPERM"),
    ("trace_host", PROCESSES, "EPERM"),
    ("take_host_descriptor", PROCESSES, "EPERM"),
    ("read_host_memory_by_call", PROCESSES, "EPERM"),
    ("write_host_memory_by_call", PROCESSES, "EPERM"),
    ("enter_host_namespaces", CALLS, "EPERM"),
    ("limit_host", CALLS, "EPERM"),
    ("type_on_terminal", CALLS, "EPERM"),
    ("preload_into_helpers", FILES, "EACCES"),
    ("connect_docker", SUPERVISOR, "EACCES"),
    ("connect_docker_by_link", SUPERVISOR, "EACCES"),
    ("connect_docker_by_race", SUPERVISOR, "EACCES"),
    ("connect_key_agent", SUPERVISOR, "EACCES"),
    ("connect_control_socket", SUPERVISOR, "EACCES"),
    ("connect_abstract", SUPERVISOR, "EPERM"),
    ("datagram_to_outside", CALLS, "ESOCKTNOSUPPORT"),
    ("datagram_to_outside_from_a_pair", CALLS, "ESOCKTNOSUPPORT"),
    ("bind_outside", FILES, "EACCES"),
    ("bind_outside_by_race", FILES, "EACCES"),
    ("hold_up_who_opens_a_file", CALLS, "EPERM"),
    ("connect_tcp", CALLS, "ENETUNREACH"),
    ("send_dns", CALLS, "ENETUNREACH"),
    ("tcp_over_ip6", CALLS, "ENETUNREACH"),
    ("raw_socket", CALLS, "ENETUNREACH"),
    ("packet_socket", CALLS, "ENETUNREACH"),
    ("machine_socket", CALLS, "ENETUNREACH"),
    ("crypto_socket", CALLS, "ENETUNREACH"),
    ("audit_socket", CALLS, "ENETUNREACH"),
    ("new_user_namespace", CALLS, "EPERM"),
    ("new_mount_namespace", CALLS, "EPERM"),
    ("clone_into_namespace", CALLS, "EPERM"),
    ("clone3_into_namespace", CALLS, "ENOSYS"),
    ("bind_mount", CALLS, "EPERM"),
    ("open_tree", CALLS, "EPERM"),
    ("change_root", CALLS, "EPERM"),
    ("key_ring", CALLS, "EPERM"),
    ("bpf", CALLS, "EPERM"),
    ("perf_events", CALLS, "EPERM"),
    ("userfaultfd", CALLS, "EPERM"),
    ("load_module", CALLS, "EPERM"),
    ("foreign_numbers", CALLS, "ENOSYS"),
];

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sandbox/escapes.py");

/// A file with its directories.
fn lay(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "as it was").unwrap();
}

#[test]
fn nothing_gets_out_of_a_sandbox_that_is_not_said_to() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path().canonicalize().unwrap();
    let (home, work, outside) = (place.join("home"), place.join("work"), place.join("outside"));
    for file in
        [".ssh/id", ".bash_history", ".bashrc", ".config/systemd/user/x", ".config/autostart/x"]
    {
        lay(&home.join(file));
    }
    lay(&outside.join("file"));
    lay(&work.join("file"));
    let git = |words: &[&str]| {
        let git = Command::new("git").args(words).current_dir(&work).status();
        assert!(git.unwrap().success(), "{words:?}");
    };
    git(&["init", "-q"]);
    git(&["config", "core.hooksPath", "tools/hooks"]);
    git(&["config", "include.path", "../more.cfg"]);
    git(&["init", "-q", "--bare", "fixture"]);
    fs::hard_link(outside.join("file"), work.join("shared")).unwrap();
    let runtime = Runtime::new();
    lay(&runtime.path().join("secret"));
    let _listeners =
        [outside.join("docker.sock"), home.join(".ssh/agent"), runtime.path().join("control")]
            .map(|path| UnixListener::bind(path).unwrap());
    let _log = UnixDatagram::bind(outside.join("log")).unwrap();
    let name = format!("mcp-repl-escape-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
    let _abstract = UnixListener::bind_addr(&address).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let disk =
        ["/dev/vda", "/dev/sda", "/dev/nvme0n1"].into_iter().find(|disk| Path::new(disk).exists());
    let cgroups = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
    let cgroup = cgroups.into_iter().find(|path| Path::new(path).join("cgroup.procs").exists());

    let repl = runtime
        .server()
        .args(["--sandbox", "workspace-write"])
        .directory(&work)
        .env("HOME", &home)
        .start();
    // A process may end while the others are looked at.
    let guard = "import os
def guard():
    for process in filter(str.isdigit, os.listdir('/proc')):
        try: stat = open(f'/proc/{process}/stat').read().split(' ')
        except OSError: continue
        if stat[1] == '(session-guard)' and int(stat[3]) == os.getppid(): return int(process)
guard()";
    let guard: i32 = repl.repl(guard).trim().parse().unwrap();
    let known = serde_json::json!({
        "home": home, "outside": outside, "runtime": runtime.path(), "guard": guard, "disk": disk,
        "cgroup": cgroup.unwrap_or("/sys/fs/cgroup"), "abstract": name,
        "port": tcp.local_addr().unwrap().port(),
    });
    let run = format!(
        "import os, json; os.environ['ESCAPE'] = {:?}; exec(open({SCRIPT:?}).read())",
        known.to_string()
    );
    let reply = repl.repl_with(&run, 120_000);
    let found: BTreeMap<&str, &str> =
        reply.lines().filter_map(|line| line.split_once(' ')).collect();
    let mut wrong = Vec::new();
    for &(attempt, rule, expected) in ATTEMPTS {
        let result = found.get(attempt).copied().unwrap_or("no such attempt");
        if !expected.split('|').any(|expected| expected == result) {
            wrong.push(format!("{attempt}: {result}, not {expected} ({rule})"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{reply}", wrong.join("\n"));
    let escaped = found.values().filter(|&&result| result == "ESCAPED").count();
    let said = ATTEMPTS.iter().filter(|(_, rule, _)| *rule == NOTHING).count();
    assert_eq!(escaped, said, "{reply}");
    // Whatever they said of themselves.
    assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "as it was");
    assert_eq!(fs::read_to_string(home.join(".bashrc")).unwrap(), "as it was");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 3);
    assert!(!work.join(".git/hooks/pre-commit").exists() && !work.join(".claude").exists());
    let said = fs::read_to_string(work.join("nested/.git/config")).unwrap();
    assert!(said.contains("bare = false") && !said.contains("evil"), "{said}");
    repl.still_works();
}

#[test]
fn a_worker_inherits_nothing_but_its_own() {
    let repl = Builder::new().args(["--sandbox", "workspace-write"]).start();
    // The terminal, its master side (the kernel hangs up without it), the sideband, and a pipe of the
    // worker's own.
    let reply = repl.repl(
        "import os, re\n\
         found = set()\n\
         for fd in os.listdir('/proc/self/fd'):\n    \
             try: found.add(re.sub('[0-9]+', 'N', os.readlink('/proc/self/fd/' + fd)))\n    \
             except OSError: pass\n\
         for name in sorted(found - {'/proc/N/fd'}): print(name)",
    );
    let mut names: Vec<&str> = reply.lines().collect();
    names.dedup();
    assert_eq!(names, ["/dev/ptmx", "/dev/pts/N", "pipe:[N]", "socket:[N]"]);
}
