//! What a test says to a session in which somebody waits or something runs on, and how it waits
//! for what happens there.

use std::time::Instant;

use super::{HANG, IDLE, Server, WAITING, assert_has};

/// Defines `in_kernel(thread)` in a session: it returns when the thread sleeps in a system call
/// that waits for descriptors (`read`, `poll`, `select` and the like), not in one that waits for
/// the GIL or a lock, or is gone. It looks now and then: one that never rests would keep the GIL from
/// the thread it looks at. `start(function)` starts a thread; with `later(function)` it
/// begins when the cell has returned and the session is ready.
pub(crate) const IN_KERNEL: &str = "\
import os, platform, sys, threading, time
_waits = ((0, 7, 23, 219, 232, 270, 271, 281) if platform.machine() == 'x86_64'
          else (22, 63, 72, 73, 128))
def in_kernel(thread):
    while True:
        try:
            with open(f'/proc/self/task/{thread.native_id}/syscall') as file: call = file.read()
        except OSError: return
        if call.split()[0] in map(str, _waits): return
        time.sleep(0.001)
def start(function):
    thread = threading.Thread(target=function)
    thread.start()
    return thread
def later(function):
    def when_ready():
        in_kernel(threading.main_thread())
        function()
    return start(when_ready)";

impl Server {
    /// Starts a cell that prints `begun` and goes on, and returns once it has.
    #[track_caller]
    pub(crate) fn starts_running(&self, cell: &str) {
        let end = Instant::now() + HANG;
        // The session has started.
        self.poll();
        let mut said = self.repl_with(cell, 20);
        while !said.contains("begun\n") {
            assert!(Instant::now() < end, "it does not begin: {said}");
            said += &self.repl_with("", 20);
        }
        assert_has(&said, "<<repl status: busy");
        // The terminal may give the line's end later than the line.
        let more = self.repl_with("", 20);
        let more = more.strip_prefix('\n').unwrap_or(&more);
        assert!(more.starts_with("<<repl status: busy"), "{more}");
    }

    /// Sends a cell that waits and shows no prompt.
    #[track_caller]
    pub(crate) fn waits(&self, input: &str) {
        self.gives(input, WAITING);
    }

    /// Answers a program that reads the terminal itself. The terminal echoes what is typed, as
    /// it does for a person; then comes `output`.
    #[track_caller]
    pub(crate) fn types(&self, answer: &str, output: &str) {
        self.gives(answer, &format!("{answer}\n{output}"));
    }

    /// Polls until the replies have this in them, and gives what they said beyond that.
    #[track_caller]
    pub(crate) fn poll_until(&self, part: &str) -> String {
        self.poll_on(String::new(), part)
    }

    /// Polls until what was said before and the replies have this in them.
    #[track_caller]
    fn poll_on(&self, mut said: String, part: &str) -> String {
        let end = Instant::now() + HANG;
        while !said.contains(part) {
            assert!(Instant::now() < end, "{part:?} does not come; there is:\n{said}");
            let reply = self.poll();
            assert!(!reply.contains("session ended"), "{part:?} does not come: {said}{reply}");
            if reply != IDLE && reply != WAITING {
                said.push_str(&reply);
            }
        }
        said
    }

    /// Polls until somebody waits who shows no prompt.
    #[track_caller]
    pub(crate) fn poll_until_waiting(&self) {
        let end = Instant::now() + HANG;
        while self.poll() != WAITING {
            assert!(Instant::now() < end, "nobody waits");
        }
    }

    /// Sends a payload and polls until the replies have this in them, and gives what they said.
    ///
    /// For a payload whose call returns before all is done: because of a reader in the
    /// background, say.
    #[track_caller]
    pub(crate) fn brings(&self, input: &str, part: &str) -> String {
        // A line may come in pieces.
        self.poll_on(self.repl(input), part)
    }

    /// Sends a payload and polls until a reader in the background waits behind this prompt.
    ///
    /// The prompt may be seen a moment before the worker has said that somebody waits.
    #[track_caller]
    pub(crate) fn asks(&self, input: &str, prompt: &str) -> String {
        let said = self.brings(input, prompt);
        self.poll_until_waiting();
        said
    }
}
