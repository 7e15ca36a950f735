//! What a program and all that it starts may take: a control group's limits, where it can have a group of
//! its own, and those of each process (getrlimit(2)).

use std::io;

use rustix::process::{Resource, getuid};

use super::{
    child,
    system::{Door, Group, NoGroup, tasks_of_user},
};
use crate::{pty::Limits, sandbox::Holds};

/// How much less one process may take than all of a group together: a 32nd. So one that wants too much is refused
/// it, and may go on; what else the kernel counts in a group, for its own ends, would have it killed before.
const LESS: u64 = 32;

/// Limits that were made ready for a program.
#[derive(Debug, Default)]
pub(super) struct Held {
    group: Option<Group>,
    each: Each,
}

/// What holds of each process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Each {
    /// Its data and what it maps for itself alone, in bytes. What it only reserves counts, too, but not files
    /// and what processes share.
    data: Option<u64>,
    /// The threads of its user, those outside included.
    tasks: Option<u64>,
}

/// What the child does for them.
#[derive(Debug)]
pub(super) struct Entrance {
    door: Option<Door>,
    each: Each,
}

impl Held {
    /// Makes limits ready.
    ///
    /// # Errors
    /// When the number of processes can't be limited.
    pub(super) fn of(limits: Limits) -> io::Result<Held> {
        if limits == Limits::default() {
            return Ok(Held::default());
        }
        match Group::make(limits) {
            Ok(group) => {
                let data = limits.memory.map(|bytes| bytes - bytes / LESS);
                Ok(Held { group: Some(group), each: Each { data, tasks: None } })
            }
            Err(why) => Held::without_group(limits, &why),
        }
    }

    /// Makes those ready that hold without a group.
    ///
    /// # Errors
    /// As above.
    pub(super) fn of_each(limits: Limits) -> io::Result<Held> {
        Held::without_group(limits, &NoGroup::Missing)
    }

    fn without_group(limits: Limits, why: &NoGroup) -> io::Result<Held> {
        let tasks = match limits.processes {
            None => None,
            Some(_) if getuid().is_root() => {
                let says = format!("{why}, and root's processes are not counted without one");
                return Err(unheld(&says));
            }
            // What runs already is none of the session's.
            Some(most) => {
                let others = tasks_of_user().ok_or_else(|| unheld(&why.to_string()))?;
                Some(others + u64::from(most))
            }
        };
        Ok(Held { group: None, each: Each { data: limits.memory, tasks } })
    }

    /// What the child does for them.
    ///
    /// # Errors
    /// When the group is gone.
    pub(super) fn entrance(&self) -> io::Result<Entrance> {
        let door = self.group.as_ref().map(Group::door).transpose()?;
        Ok(Entrance { door, each: self.each })
    }

    /// The memory that all may take together, in bytes, if the kernel killed some of them for want of that.
    pub(super) fn memory_that_ran_out(&self) -> Option<u64> {
        self.group.as_ref().and_then(Group::memory_that_ran_out)
    }

    /// Takes the group away when nothing runs in it any more. Blocks.
    pub(super) fn remove(self) {
        if let Some(group) = self.group {
            group.remove();
        }
    }

    /// Whether there is something to take away.
    pub(super) fn has_group(&self) -> bool {
        self.group.is_some()
    }
}

impl Entrance {
    /// Has this process be limited, for good. Async-signal-safe.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(super) fn enter(&self) -> io::Result<()> {
        let Entrance { door, each: Each { data, tasks } } = self;
        door.as_ref().map_or(Ok(()), Door::pass)?;
        data.map_or(Ok(()), |most| child::limit(Resource::Data, most))?;
        tasks.map_or(Ok(()), |most| child::limit(Resource::Nproc, most))
    }
}

fn unheld(why: &str) -> io::Error {
    let says = format!("`--max-processes` can't be held here: {why}");
    io::Error::new(io::ErrorKind::Unsupported, says)
}

/// What this system holds of limits.
pub fn limits_hold() -> Vec<Holds> {
    let memory = Limits { memory: Some(1 << 40), processes: None };
    let processes = Limits { memory: None, processes: Some(1 << 20) };
    let holds = |what, state| Holds { what, state };
    let together = Group::make(memory).map(drop).map_err(|why| why.to_string());
    let number = match Group::make(processes) {
        Ok(_) => holds("number of processes, by a control group", Ok(())),
        Err(why) => holds(
            "number of processes, as a limit of all of this user's",
            Held::without_group(processes, &why).map(drop).map_err(|why| why.to_string()),
        ),
    };
    vec![
        holds("memory of each process", Ok(())),
        holds("memory of all processes of a session together, by a control group", together),
        number,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn without_a_group_what_runs_already_is_not_counted_and_root_is_told() {
        let limits = Limits { memory: Some(1 << 30), processes: Some(100) };
        match Held::without_group(limits, &NoGroup::Missing) {
            Ok(held) => {
                assert!(!getuid().is_root());
                assert_eq!(held.each.data, Some(1 << 30));
                assert!(held.each.tasks.unwrap() > 100);
            }
            Err(error) => {
                assert!(getuid().is_root(), "{error}");
                assert_eq!(
                    error.to_string(),
                    "`--max-processes` can't be held here: there are no control groups of version 2, and root's \
                     processes are not counted without one"
                );
            }
        }
        let memory = Limits { processes: None, ..limits };
        let held = Held::without_group(memory, &NoGroup::Missing).unwrap();
        assert_eq!(held.each, Each { data: Some(1 << 30), tasks: None });
    }
}
