//! What a session in a sandbox finds, and who joins one: the options, the environment, the errors.

use std::{fs, path::Path};

use crate::support::{Builder, IDLE, Runtime, assert_has, assert_has_not};

fn sandboxed() -> Builder {
    Builder::new().args(["--sandbox", "workspace-write"])
}

#[cfg(has = "sandbox")]
#[test]
fn programs_are_told_the_mode_and_get_no_secrets() {
    let home = tempfile::tempdir().unwrap();
    let repl = sandboxed()
        .args(["--network", "local", "--keep-variable", "KEPT_TOKEN"])
        .env("HOME", home.path())
        .env("KEPT_TOKEN", "kept")
        .env("LOST_TOKEN", "lost")
        .env("lost_api_key", "lost")
        .env_remove("XDG_CACHE_HOME")
        .start();
    repl.gives(
        "import os, subprocess\n\
         e = os.environ\n\
         print(e['MCP_REPL_SANDBOX'], e['MCP_REPL_SANDBOX_NETWORK'], e['KEPT_TOKEN'])\n\
         print([n for n in e if 'lost' in n.lower()])\n\
         subprocess.run('echo $MCP_REPL_SANDBOX [$LOST_TOKEN]', shell=True).returncode",
        "workspace-write local kept\n[]\nworkspace-write []\n0\n",
    );
    // Caches and temporary files are where they can be written.
    repl.gives(
        "import tempfile\n\
         for place in e['XDG_CACHE_HOME'], e['PIP_CACHE_DIR'], tempfile.gettempdir():\n    \
             os.makedirs(place, exist_ok=True)\n    \
             open(os.path.join(place, 'x'), 'w').close()",
        IDLE,
    );
    let caches = home.path().canonicalize().unwrap().join(".cache/mcp-repl");
    repl.gives(&format!("e['XDG_CACHE_HOME'].startswith({caches:?})"), "True\n");
}

#[test]
fn without_a_sandbox_the_environment_is_the_users() {
    let repl = Builder::new().args(["--sandbox", "off"]).env("LOST_TOKEN", "here").start();
    repl.gives(
        "import os\nprint(os.environ['LOST_TOKEN'], 'MCP_REPL_SANDBOX' in os.environ)",
        "here False\n",
    );
}

#[cfg(has = "sandbox")]
#[test]
fn a_host_is_told_what_its_session_may_reach() {
    let repl = sandboxed().args(["--network", "on"]).hosted().start();
    repl.gives(
        "import os\nprint(os.environ['MCP_REPL_SANDBOX'], os.environ['MCP_REPL_SANDBOX_NETWORK'])",
        "workspace-write on\n",
    );
}

#[cfg(has = "sandbox")]
#[test]
fn what_is_to_be_written_must_be_there() {
    let repl = sandboxed().args(["--add-writable", "/nowhere/at-all"]).start();
    assert_eq!(
        repl.begin("1").error(),
        "[repl] the session could not start: no sandbox: /nowhere/at-all, which `--add-writable` names, does not \
         exist; `mcp-repl doctor` shows what holds here; `--sandbox off` in the server's arguments does \
         without\n"
    );
}

#[cfg(has = "sandbox")]
#[test]
fn what_runs_can_not_be_hidden() {
    let repl = sandboxed().args(["--deny-read", "/usr"]).start();
    let said = repl.begin("1").error();
    assert_has(&said, "could not start: no sandbox: `deny-read` hides /usr, and /usr/");
    assert_has(&said, "`mcp-repl config` shows whether an option or which file says it");
}

#[cfg(has = "sandbox")]
#[test]
fn a_denial_is_explained_where_a_cell_failed_of_it() {
    let outside = tempfile::tempdir().unwrap();
    let outside = outside.path().canonicalize().unwrap();
    let repl = sandboxed().start();
    repl.gives("import socket, subprocess", IDLE);
    let make = format!("mkdir {}", outside.join("new").display());
    let checked = format!("subprocess.run({make:?}, shell=True, check=True)");
    for cell in [
        format!("subprocess.run({make:?}, shell=True).returncode"),
        format!("try: {checked}\nexcept Exception as error: raise ValueError('no') from error"),
        checked,
    ] {
        let said = repl.repl(&cell);
        assert_eq!(said.matches("[repl] the sandbox (workspace-write)").count(), 1, "{said}");
        assert_has(&said, &format!("`--add-writable {}`", outside.display()));
    }
    // What a cell took care of is none of its failures.
    let write = format!("open({:?}, 'w')", outside.join("x").display().to_string());
    for cell in [
        format!("try: {write}\nexcept OSError as e: print(e)"),
        format!("try: {write}\nexcept OSError as e: print('no:', e)\nfor n in range(9): print(n)"),
        format!("try: {write}\nexcept OSError as e: print('no:', e)\n1 / 0"),
    ] {
        let said = repl.repl(&cell);
        assert_has(&said, "Permission denied");
        assert_has_not(&said, "[repl]");
    }
    // What no option is good for is not proposed.
    let said = repl.repl("open('/etc/mcp-repl-test', 'w')");
    assert_has_not(&said, "--add-writable");
    let said = repl.repl("socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)");
    assert_has(&said, "[repl] in the sandbox there are no datagrams");
}

#[test]
fn an_option_of_a_sandbox_that_there_is_not_is_an_error() {
    let output = Builder::new().args(["exec", "1", "--network", "on"]).output("");
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_has(
        &error,
        "--network is of a sandbox, and there is none: add `--sandbox workspace-write`",
    );
}

#[cfg(has = "sandbox")]
#[test]
fn a_session_that_allows_more_is_not_joined() {
    let runtime = Runtime::new();
    let loose = runtime.server().args(["--session", "shared", "--sandbox", "off"]).start();
    loose.gives("x = 6", IDLE);
    let wants = ["--session", "shared", "--sandbox", "workspace-write"];
    let strict = runtime.server().args(wants).start();
    let said = strict.begin("x").error();
    assert_has(&said, "its sandbox is `off`, and `workspace-write` is asked for");
    assert_has_not(&said, "6");
    let output = runtime.run(&["exec", "x", "--session", "shared", "--sandbox", "read-only"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_has(&error, "and `read-only` is asked for");
    // Who asks for nothing joins.
    let output = runtime.run(&["exec", "x", "--session", "shared"]);
    assert_has(&String::from_utf8(output.stdout).unwrap(), "6\n");
}

/// How many tests have their session outside of the sandbox that the suite is run in, each with a reason.
const UNCONFINED: usize = 3;

/// `.ci/run` runs all topics a second time, with the sessions of all servers in a sandbox: a new one as well, and
/// none does without it but by `Builder::unconfined`, where this counts it.
#[test]
fn the_whole_suite_is_run_in_a_sandbox() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ci = fs::read_to_string(root.join(".ci/run")).unwrap();
    assert_has(&ci, "MCP_REPL_TEST_SANDBOXED=1 cargo test --test it\n");
    let mut unconfined = 0;
    for file in fs::read_dir(root.join("tests/it")).unwrap() {
        let path = file.unwrap().path();
        let Some(topic) = path.file_stem().filter(|_| path.is_file()) else { continue };
        let source = fs::read_to_string(&path).unwrap();
        unconfined += source.matches(concat!(".unconfined", "(")).count();
        // These are about the option.
        let topic = topic.to_string_lossy();
        let is_about_it =
            topic.starts_with("sandboxed") || ["codex", "escape", "options"].contains(&&*topic);
        assert!(is_about_it || !source.contains("\"--sandbox"), "{topic} chooses a sandbox");
    }
    assert_eq!(unconfined, UNCONFINED);
}
