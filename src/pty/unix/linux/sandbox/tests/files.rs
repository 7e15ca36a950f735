//! Files: what can be read, what can be written, and what is protected.

use super::*;

/// Runs each of these statements, and prints how it went: `ok`, or the name of its error.
fn attempts(ground: &Ground, statements: &[&str]) -> Vec<String> {
    let mut source = String::from(
        "import os, errno, sys\n\
         def attempt(what):\n\
         \x20   try:\n\
         \x20       exec(what, {'os': os})\n\
         \x20       print('ok')\n\
         \x20   except OSError as error:\n\
         \x20       print(errno.errorcode.get(error.errno, error.errno))\n",
    );
    for statement in statements {
        source.push_str(&format!("attempt({statement:?})\n"));
    }
    lines(&ground.python(&source)).into_iter().map(str::to_owned).collect()
}

#[track_caller]
pub(super) fn check(ground: &Ground, table: &[(&str, &str)]) {
    let statements: Vec<&str> = table.iter().map(|(statement, _)| *statement).collect();
    let found = attempts(ground, &statements);
    assert_eq!(found.len(), table.len(), "{found:?}");
    for ((statement, expected), found) in table.iter().zip(&found) {
        assert_eq!(found, expected, "{statement}");
    }
}

#[test]
fn what_is_hidden_is_not_read_and_all_else_is() {
    let ground = Ground::new();
    check(
        &ground,
        &[
            ("open('../secret/key')", "EACCES"),
            ("open('/proc/self/root' + os.path.realpath('../secret/key'))", "EACCES"),
            ("os.symlink('../secret/key', 'link'); open('link')", "EACCES"),
            ("os.link('../secret/key', 'hard')", "EACCES"),
            ("os.rename('../secret/key', 'key')", "EACCES"),
            ("os.rename('../secret', 'moved')", "EACCES"),
            ("open('../secret/key', 'w')", "EACCES"),
            ("open('../outside/file').read()", "ok"),
            ("open('/etc/passwd').read()", "ok"),
            ("os.listdir('/')", "ok"),
            (
                "open('/dev/vda', 'rb')",
                if Path::new("/dev/vda").exists() { "EACCES" } else { "ENOENT" },
            ),
            ("open('/dev/null', 'w').write('x')", "ok"),
            ("open('/dev/urandom', 'rb').read(3)", "ok"),
            ("open('/dev/tty', 'w').write('')", "ok"),
            (
                "open('/dev/shm/mcp-repl-test-%d' % os.getpid(), 'w'); os.unlink('/dev/shm/mcp-repl-test-%d' % os.getpid())",
                "ok",
            ),
        ],
    );
}

#[test]
fn what_is_not_writable_is_not_changed() {
    let ground = Ground::new();
    check(
        &ground,
        &[
            ("open('../outside/file', 'w')", "EACCES"),
            ("open('../outside/file', 'r+')", "EACCES"),
            ("open('../outside/new', 'w')", "EACCES"),
            ("os.truncate('../outside/file', 0)", "EACCES"),
            ("os.unlink('../outside/file')", "EACCES"),
            ("os.rename('../outside/file', 'file2')", "EACCES"),
            ("os.rename('file', '../outside/file2')", "EACCES"),
            ("os.link('../outside/file', 'hard')", "EACCES"),
            ("os.mkdir('../outside/d')", "EACCES"),
            ("os.rmdir('../outside')", "EACCES"),
            ("os.symlink('x', '../outside/l')", "EACCES"),
            ("os.mkfifo('../outside/f')", "EACCES"),
            ("os.chmod('../outside/file', 0o777)", "EACCES"),
            ("os.chown('../outside/file', 0, 0)", "EACCES"),
            ("os.utime('../outside/file')", "EACCES"),
            ("os.setxattr('../outside/file', 'user.a', b'b')", "EACCES"),
            ("os.fchmod(os.open('../outside/file', os.O_RDONLY), 0o777)", "EACCES"),
            ("os.utime(os.open('../outside/file', os.O_RDONLY))", "EACCES"),
            ("os.setxattr(os.open('../outside/file', os.O_RDONLY), 'user.a', b'b')", "EACCES"),
            ("os.mknod('node', 0o60600, os.makedev(254, 0))", "EPERM"),
            ("os.mknod('../tmp/node', 0o20600, os.makedev(1, 1))", "EPERM"),
            ("os.open('../outside', os.O_TMPFILE | os.O_WRONLY)", "EACCES"),
            ("open('/proc/sys/kernel/core_pattern', 'w')", "EACCES"),
        ],
    );
    assert_eq!(text(&ground.at("outside/file")), "outside/file");
}

#[test]
fn what_is_protected_is_neither_changed_nor_moved_nor_made() {
    let ground = Ground::new();
    check(
        &ground,
        &[
            ("open('.git/hooks/old', 'w')", "EACCES"),
            ("open('.git/hooks/old').read()", "ok"),
            ("open('.git/hooks/new', 'w')", "EACCES"),
            ("open('sub/../.git/hooks/new', 'w')", "EACCES"),
            ("open('/proc/self/cwd/.git/hooks/new', 'w')", "EACCES"),
            ("os.symlink('.git/hooks/new', 'l1'); open('l1', 'w')", "EACCES"),
            ("os.symlink('.git/hooks', 'l2'); open('l2/new', 'w')", "EACCES"),
            ("os.symlink('.git', 'l3'); os.mkdir('l3/hooks/d')", "EACCES"),
            ("os.chmod('.git/hooks/old', 0o777)", "EACCES"),
            ("os.unlink('.git/hooks/old')", "EACCES"),
            ("os.rename('.git/hooks/old', 'x')", "EACCES"),
            ("os.rename('file', '.git/hooks/old')", "EACCES"),
            ("os.rename('.git/hooks', 'x')", "EACCES"),
            ("os.rename('.git', 'x')", "EACCES"),
            ("os.link('.git/hooks/old', 'x')", "EACCES"),
            ("os.link('file', '.git/hooks/x')", "EACCES"),
            ("os.rmdir('.git/hooks')", "EACCES"),
            ("os.mkdir('.claude')", "EACCES"),
            ("open('.claude', 'w')", "EACCES"),
            ("os.symlink('sub', '.claude')", "EACCES"),
            ("os.mkdir('y'); os.rename('y', '.claude')", "EACCES"),
            ("os.mkdir('.git/hooks')", "EEXIST"),
            ("os.makedirs('.git/hooks', exist_ok=True)", "ok"),
            ("os.open('.git/hooks', os.O_TMPFILE | os.O_WRONLY)", "EACCES"),
            (
                "fd = os.open('.', os.O_TMPFILE | os.O_WRONLY); os.link('/proc/self/fd/%d' % fd, '.git/hooks/t', src_dir_fd=fd)",
                "EACCES",
            ),
            ("open('.git/index', 'w').write('x')", "ok"),
            ("os.rename('../work', '../work2')", "EACCES"),
        ],
    );
    assert_eq!(text(&ground.at("work/.git/hooks/old")), "work/.git/hooks/old");
    assert!(!ground.at("work/.claude").exists());
}

#[test]
fn a_workspace_can_be_worked_in() {
    let ground = Ground::new();
    check(
        &ground,
        &[
            (
                "open('new', 'w').write('text'); assert_ = open('new').read() == 'text' or 1 / 0",
                "ok",
            ),
            ("open('new', 'a').write('more'); open('new').read() == 'textmore' or 1 / 0", "ok"),
            ("open('new', 'x')", "EEXIST"),
            ("open('none')", "ENOENT"),
            ("open('none', 'r+')", "ENOENT"),
            ("open('sub', 'w')", "EISDIR"),
            ("open('new/x', 'w')", "ENOTDIR"),
            ("open('nowhere/x', 'w')", "ENOENT"),
            (
                "os.umask(0o077); open('masked', 'w'); os.stat('masked').st_mode & 0o777 == 0o600 or 1 / 0",
                "ok",
            ),
            ("os.makedirs('a/b/c')", "ok"),
            ("os.makedirs('a/b/c', exist_ok=True)", "ok"),
            ("os.rename('new', 'a/b/new')", "ok"),
            ("os.replace('a/b/new', '../tmp/new')", "ok"),
            ("os.rename('../tmp/new', 'new')", "ok"),
            ("os.link('new', 'new2')", "ok"),
            ("os.link('../tmp/x', 'x')", "ENOENT"),
            ("open('../tmp/x', 'w'); os.link('../tmp/x', 'x')", "ok"),
            ("os.symlink('nowhere', 'dangling'); open('dangling', 'w'); os.stat('nowhere')", "ok"),
            ("os.symlink('loop', 'loop'); open('loop', 'w')", "ELOOP"),
            ("os.truncate('new', 2); os.stat('new').st_size == 2 or 1 / 0", "ok"),
            ("f = open('new', 'r+'); f.truncate(1); os.stat('new').st_size == 1 or 1 / 0", "ok"),
            ("os.chmod('new', 0o640); os.stat('new').st_mode & 0o777 == 0o640 or 1 / 0", "ok"),
            ("os.chmod('new', 0o4755)", "EPERM"),
            ("os.mkdir('shared'); os.chmod('shared', 0o2775)", "ok"),
            ("os.chown('new', -1, -1)", "ok"),
            ("os.utime('new', (5, 7)); os.stat('new').st_mtime == 7 or 1 / 0", "ok"),
            ("os.utime('new')", "ok"),
            (
                "os.utime('dangling', (5, 7), follow_symlinks=False); os.lstat('dangling').st_mtime == 7 or 1 / 0",
                "ok",
            ),
            (
                "os.setxattr('new', 'user.a', b'b'); os.getxattr('new', 'user.a') == b'b' or 1 / 0",
                "ok",
            ),
            ("os.removexattr('new', 'user.a')", "ok"),
            (
                "fd = os.open('new', os.O_RDWR); os.fchmod(fd, 0o600); os.fchown(fd, -1, -1); os.utime(fd)",
                "ok",
            ),
            (
                "fd = os.open('.', os.O_TMPFILE | os.O_RDWR); os.fchmod(fd, 0o600); os.link('/proc/self/fd/%d' % fd, 'linked', src_dir_fd=fd); os.stat('linked')",
                "ok",
            ),
            ("os.fchmod(os.memfd_create('m'), 0o600)", "ok"),
            (
                "d = os.open('a', os.O_RDONLY); open('f', 'w', opener=lambda p, f: os.open(p, f, dir_fd=d)); os.stat('a/f')",
                "ok",
            ),
            (
                "d = os.open('a', os.O_RDONLY); os.mkdir('d', dir_fd=d); os.rmdir('d', dir_fd=d); os.unlink('f', dir_fd=d)",
                "ok",
            ),
            ("os.chdir('a'); open('here', 'w'); os.chdir('..'); os.stat('a/here')", "ok"),
            (
                "os.mkfifo('fifo'); r = os.open('fifo', os.O_RDONLY | os.O_NONBLOCK); w = os.open('fifo', os.O_WRONLY); os.write(w, b'x'); os.read(r, 1) == b'x' or 1 / 0",
                "ok",
            ),
            ("os.unlink('fifo')", "ok"),
            ("os.unlink('sub')", "EISDIR"),
            ("os.rmdir('new')", "ENOTDIR"),
            ("os.rmdir('a')", "ENOTEMPTY"),
            ("os.unlink('none')", "ENOENT"),
            ("os.rmdir('sub')", "ok"),
            (
                "import tempfile; tempfile.TemporaryFile().write(b'x'); tempfile.NamedTemporaryFile(dir='.').write(b'x')",
                "ok",
            ),
            (
                "import sqlite3; c = sqlite3.connect('db'); c.execute('pragma journal_mode=wal'); c.execute('create table t(a)'); c.commit()",
                "ok",
            ),
            (
                "import subprocess; subprocess.run('echo out > /dev/stdout; echo err > /dev/stderr', shell=True, check=True, stdout=open('out', 'w'), stderr=open('err', 'w'))",
                "ok",
            ),
            ("open('out').read() == 'out\\n' or 1 / 0", "ok"),
        ],
    );
}

#[test]
fn what_is_new_beside_something_hidden_is_read_in_a_shared_directory() {
    use std::os::unix::fs::PermissionsExt;
    let ground = Ground::new();
    // As in /tmp, which the directories of these tests lie in.
    fs::set_permissions(ground.place.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    check(
        &ground,
        &[
            ("open('made', 'w').write('x'); open('made').read() == 'x' or 1 / 0", "ok"),
            (
                "open('../tmp/made', 'w').write('x'); open('../tmp/made').read() == 'x' or 1 / 0",
                "ok",
            ),
            ("os.symlink('../secret/key', 'way'); open('way')", "EACCES"),
            ("os.symlink('/proc/self/cwd/../secret/key', 'way2'); open('way2')", "EACCES"),
            ("open('../secret/key')", "EACCES"),
            ("open('/etc/passwd').read()", "ok"),
            ("open('/proc/self/status').read()", "ok"),
            ("open('/proc/self/fd/0')", "ok"),
            ("open('/dev/null').read()", "ok"),
            ("os.listdir('..')", "ok"),
        ],
    );
}

#[test]
fn what_was_there_beside_something_hidden_in_a_shared_directory_is_read_and_run() {
    use std::os::unix::fs::PermissionsExt;
    let ground = Ground::new();
    fs::set_permissions(ground.place.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    for (name, mode) in [("program", 0o755), ("plain", 0o644), ("outside/program", 0o755)] {
        fs::write(ground.at(name), "#!/bin/sh\n").unwrap();
        fs::set_permissions(ground.at(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    check(
        &ground,
        &[
            ("import subprocess; subprocess.run(['../program'], check=True)", "ok"),
            ("import subprocess; subprocess.run(['../outside/program'], check=True)", "ok"),
            ("open('../plain').read() == '#!/bin/sh\\n' or 1 / 0", "ok"),
            ("open('../plain', 'a')", "EACCES"),
        ],
    );
}

#[test]
fn a_hidden_file_in_a_workspace_is_hidden_and_what_is_made_beside_it_is_not() {
    let mut ground = Ground::new();
    fs::write(ground.at("work/key"), "key").unwrap();
    ground.rules.hidden.push(ground.at("work/key"));
    check(
        &ground,
        &[
            ("open('key')", "EACCES"),
            ("open('key', 'w')", "EACCES"),
            ("os.rename('key', 'k')", "EACCES"),
            ("os.link('key', 'k')", "EACCES"),
            ("os.unlink('key')", "EACCES"),
            ("open('new', 'w').write('x'); open('new').read() == 'x' or 1 / 0", "ok"),
            ("os.replace('new', 'file'); open('file').read() == 'x' or 1 / 0", "ok"),
        ],
    );
}

#[test]
fn root_that_became_somebody_else_makes_and_changes_files_as_that() {
    use std::os::unix::fs::PermissionsExt;
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let ground = Ground::new();
    fs::set_permissions(ground.place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(ground.at("work/theirs")).unwrap();
    fs::set_permissions(ground.at("work/theirs"), fs::Permissions::from_mode(0o777)).unwrap();
    check(
        &ground,
        &[
            ("os.setegid(4321); os.seteuid(1234)", "ok"),
            ("open('mine', 'w')", "EACCES"),
            ("open('file', 'w')", "EACCES"),
            ("os.unlink('file')", "EACCES"),
            ("os.chmod('file', 0o777)", "EPERM"),
            (
                "open('theirs/x', 'w'); s = os.stat('theirs/x'); (s.st_uid, s.st_gid) == (1234, 4321) or 1 / 0",
                "ok",
            ),
            ("os.mkdir('theirs/d'); os.stat('theirs/d').st_uid == 1234 or 1 / 0", "ok"),
            (
                "os.seteuid(0); os.setegid(0); open('mine', 'w'); os.stat('mine').st_uid == 0 or 1 / 0",
                "ok",
            ),
        ],
    );
}
