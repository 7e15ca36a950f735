//! Who may be reading the terminal, where the kernel does not say what a thread waits for: guessed by what is known
//! of the processes of its foreground. The choice is pure; a test has it made on Linux, too.

use rustix::process::Pid;

use super::{process::Search, system};
use crate::pty::{Awaits, Blocked};

/// A process, as far as any system tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) pid: Pid,
    pub(super) parent: Option<Pid>,
    /// Its process group.
    pub(super) group: Option<Pid>,
    /// The name of its program.
    pub(super) name: String,
    /// A count that grows when one of its threads wakes.
    pub(super) wakes: u64,
    /// Whether all of its threads sleep.
    pub(super) sleeps: bool,
}

/// The process of the foreground that may wait for somebody to type.
pub(super) fn blocked_reader(search: Search) -> Option<Blocked> {
    let members = [search.leader].into_iter().chain(system::session_members(search.leader));
    let tasks: Vec<Task> = members.filter_map(system::task).collect();
    let task = reader(&tasks, &search)?;
    Some(Blocked {
        thread: task.pid.as_raw_nonzero().get().unsigned_abs(),
        wakes: task.wakes,
        program: task.name.clone(),
        guessed: true,
        awaits: Awaits::Unknown,
    })
}

/// Of the processes of the foreground that wait for no child of theirs there, the last one, if all of them sleep:
/// the others of a pipe feed it. A worker says itself what it reads, but for keys, and secrets.
fn reader<'a>(tasks: &'a [Task], search: &Search) -> Option<&'a Task> {
    let in_front = || tasks.iter().filter(|task| task.group == Some(search.foreground));
    let has_child = |task: &Task| in_front().any(|other| other.parent == Some(task.pid));
    let is_told = |task: &Task| {
        task.pid == search.leader
            && search.own_threads > 0
            && !search.gives_keys
            && search.shows_typing
    };
    let mut last = None;
    for task in in_front().filter(|task| !has_child(task)) {
        if !task.sleeps || is_told(task) {
            return None;
        }
        let is_later = |last: &&Task| last.pid.as_raw_nonzero() < task.pid.as_raw_nonzero();
        if last.as_ref().is_none_or(is_later) {
            last = Some(task);
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pid(number: i32) -> Pid {
        Pid::from_raw(number).unwrap()
    }

    /// A process of this number, parent and group that sleeps.
    fn task(number: i32, parent: i32, group: i32) -> Task {
        Task {
            pid: pid(number),
            parent: Some(pid(parent)),
            group: Some(pid(group)),
            name: format!("program {number}"),
            wakes: 1,
            sleeps: true,
        }
    }

    fn search(own_threads: u64, foreground: i32) -> Search {
        Search {
            leader: pid(10),
            own_threads,
            foreground: pid(foreground),
            device: 0,
            gives_keys: false,
            shows_typing: true,
        }
    }

    fn found(tasks: &[Task], search: &Search) -> Option<i32> {
        reader(tasks, search).map(|task| task.pid.as_raw_nonzero().get())
    }

    #[test]
    fn it_is_the_last_program_that_waits_for_no_child() {
        let worker = task(10, 1, 10);
        // `subprocess.run(["sh", "-c", "cat x | less"])`.
        let tasks = [worker.clone(), task(11, 10, 10), task(12, 11, 10), task(13, 11, 10)];
        assert_eq!(found(&tasks, &search(2, 10)), Some(13));
        // A shell with job control, whose job has the terminal or runs in the background.
        let tasks = [worker, task(11, 10, 11), task(12, 11, 12)];
        assert_eq!(found(&tasks, &search(2, 12)), Some(12));
        assert_eq!(found(&tasks, &search(2, 11)), Some(11));
    }

    #[test]
    fn while_one_of_them_runs_nobody_waits() {
        let runs = Task { sleeps: false, ..task(12, 11, 10) };
        let tasks = [task(10, 1, 10), task(11, 10, 10), runs, task(13, 11, 10)];
        assert_eq!(found(&tasks, &search(2, 10)), None);
        assert_eq!(found(&[], &search(2, 10)), None);
    }

    #[test]
    fn a_worker_says_itself_what_it_reads_but_for_keys_and_secrets() {
        let worker = [task(10, 1, 10)];
        assert_eq!(found(&worker, &search(2, 10)), None);
        assert_eq!(found(&worker, &Search { gives_keys: true, ..search(2, 10) }), Some(10));
        assert_eq!(found(&worker, &Search { shows_typing: false, ..search(2, 10) }), Some(10));
        // A program in its place says nothing.
        assert_eq!(found(&worker, &search(0, 10)), Some(10));
    }
}
