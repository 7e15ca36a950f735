//! Sessions of a server that was killed, which no longer can end by themselves.
#![cfg(has = "proc")]

use rustix::process::{Pid, Signal, kill_process_group};

use crate::support::{Builder, IDLE, Lifeline, Listening, Server, on_every_python, python};

/// The worker stops itself over and over, and so do children of it: `stop(line)` is told on the line
/// first.
const STOPPING: &str = "\
import signal
stop = '''
import os, signal, socket, sys
for s in 1, 2, 15: signal.signal(s, signal.SIG_IGN)
held = socket.socket(fileno=int(sys.argv[1]))
held.send(b'!')
while True: os.kill(os.getpid(), signal.SIGSTOP)
'''
stopper = [sys.executable, '-c', stop, str(line.fileno())]
children = [subprocess.Popen(stopper, pass_fds=[line.fileno()], preexec_fn=f)
            for f in (None, os.setpgrp)]
exec(stop.replace('sys.argv[1]', 'str(line.fileno())'))";

/// A line to a worker that stops itself.
fn lay_to_stopping(repl: &Server) -> Lifeline {
    let mut line = Lifeline::lay(repl);
    repl.begin(STOPPING);
    line.hears("!!!");
    line
}

#[test]
fn a_worker_that_stops_itself_over_and_over_does_not_outlive_a_server_that_is_killed() {
    on_every_python(|repl| {
        let line = lay_to_stopping(repl);
        repl.signal(Signal::KILL);
        line.wait_until_cut();
    });
}

/// As rude clients do it, and shells to a job.
#[test]
fn nor_one_whose_process_group_is_killed() {
    let repl = Builder::new().condition("os.setpgrp()").start();
    repl.gives("import os", IDLE);
    let group = Pid::from_raw(repl.repl("os.getppid()").trim().parse().unwrap()).unwrap();
    let line = lay_to_stopping(&repl);
    kill_process_group(group, Signal::KILL).unwrap();
    line.wait_until_cut();
}

#[test]
fn of_many_servers_that_are_killed_with_stopped_workers_nothing_is_left() {
    for _ in 0..3 {
        let servers: Vec<Server> = (0..4).map(|_| Server::start()).collect();
        let lines: Vec<Lifeline> = servers.iter().map(lay_to_stopping).collect();
        servers.iter().for_each(|repl| repl.signal(Signal::KILL));
        lines.into_iter().for_each(Lifeline::wait_until_cut);
    }
}

#[test]
fn what_is_in_a_session_of_its_own_lives_on() {
    let repl = Server::start();
    let mut detached = Lifeline::lay(&repl);
    let cell = "\
echo = 'import os, sys; n = int(sys.argv[1])\\nwhile os.read(n, 1): os.write(n, b\"y\")'
_ = subprocess.Popen([sys.executable, '-c', echo, str(line.fileno())],
                     pass_fds=[line.fileno()], start_new_session=True)
detached = line";
    repl.gives(cell, IDLE);
    let line = lay_to_stopping(&repl);
    repl.signal(Signal::KILL);
    line.wait_until_cut();
    detached.release();
    detached.hears("y");
}

/// A program that never connects to its sideband, on which the kernel hangs up, and that leaves
/// a child which does not care.
fn abandons(line: &Listening) -> String {
    format!(
        "import os, signal, socket\n\
         {}\n\
         if os.fork() == 0:\n\
         \x20   for s in 1, 2, 15: signal.signal(s, signal.SIG_IGN)\n\
         \x20   line.send(b'!')\n\
         while True: signal.pause()\n",
        line.lay()
    )
}

#[test]
fn a_child_of_a_worker_that_died_with_the_server_does_not_outlive_it() {
    let directory = tempfile::tempdir_in("/tmp").unwrap();
    let program = directory.path().join("abandons.py");
    let listening = Listening::new();
    std::fs::write(&program, abandons(&listening)).unwrap();
    let interpreter = python::default();
    let worker = [&*interpreter.to_string_lossy(), &*program.to_string_lossy()];
    let repl = Builder::new().worker(worker).start();
    let mut line = listening.accept();
    line.hears("!");
    repl.signal(Signal::KILL);
    line.wait_until_cut();
}
