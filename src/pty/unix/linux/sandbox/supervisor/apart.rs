//! What may have to wait for somebody, done in threads of their own.

use std::{
    os::fd::OwnedFd,
    sync::{Arc, Mutex},
    thread::Builder,
};

use rustix::{
    fs::{Mode, OFlags, open},
    io::{Errno, Result},
    net::Shutdown,
};

use super::{
    lookup::held,
    notify::{self, Answer},
};

/// How many wait at once.
const MOST: usize = 64;

/// What a thread waits with.
#[derive(Debug, Clone)]
pub(super) enum Waiting {
    /// A FIFO, for its other end.
    Fifo(Arc<OwnedFd>),
    /// A socket, for its connection.
    Socket(Arc<OwnedFd>),
}

/// Those that wait, by what the kernel knows their calls by.
type List = Arc<Mutex<Vec<(u64, Waiting)>>>;

/// Threads that wait in the supervisor's place.
#[derive(Debug)]
pub(super) struct Apart {
    listener: Arc<OwnedFd>,
    waiting: List,
}

/// A place in the list, as long as somebody waits.
#[derive(Debug)]
struct Listed {
    list: List,
    id: u64,
}

impl Listed {
    /// # Errors
    /// `EAGAIN` when too many wait.
    fn new(list: &List, id: u64, waiting: Waiting) -> Result<Listed> {
        let mut waits = list.lock().map_err(|_| Errno::AGAIN)?;
        if waits.len() >= MOST {
            return Err(Errno::AGAIN);
        }
        waits.push((id, waiting));
        Ok(Listed { list: list.clone(), id })
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        if let Ok(mut list) = self.list.lock() {
            list.retain(|(known, _)| *known != self.id);
        }
    }
}

impl Apart {
    pub(super) fn new(listener: Arc<OwnedFd>) -> Apart {
        Apart { listener, waiting: Arc::default() }
    }

    /// Answers a call by what `act` gives, whenever that is.
    ///
    /// # Errors
    /// `EAGAIN` when too many wait, or no thread can be started.
    pub(super) fn answer(
        &self,
        id: u64,
        waiting: Waiting,
        act: impl FnOnce() -> Result<Answer> + Send + 'static,
    ) -> Result<()> {
        let listener = self.listener.clone();
        let thread = Builder::new().name("sandbox-waits".into());
        self.answer_in(thread, id, waiting, move || notify::answer(&listener, id, act()))
    }

    fn answer_in(
        &self,
        thread: Builder,
        id: u64,
        waiting: Waiting,
        answer: impl FnOnce() + Send + 'static,
    ) -> Result<()> {
        let listed = Listed::new(&self.waiting, id, waiting)?;
        // Without a thread its place goes with what it would have done.
        let started = thread.spawn(move || {
            answer();
            drop(listed);
        });
        started.map(drop).map_err(|_| Errno::AGAIN)
    }
}

impl Drop for Apart {
    /// Nobody is left for whom they wait.
    fn drop(&mut self) {
        let Ok(list) = self.waiting.lock().map(|list| list.clone()) else { return };
        for (_, waiting) in list {
            match waiting {
                // Both of its ends are open for a moment.
                Waiting::Fifo(fifo) => {
                    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
                    let _ = open(held(&fifo), flags, Mode::empty());
                }
                Waiting::Socket(socket) => {
                    let _ = rustix::net::shutdown(socket, Shutdown::Both);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_wait_any_more_or_never_did_has_no_place() {
        let file = || Arc::new(OwnedFd::from(std::fs::File::open("/dev/null").unwrap()));
        let apart = Apart::new(file());
        let waiting = || Waiting::Fifo(file());
        let (done, is_done) = std::sync::mpsc::channel();
        apart.answer_in(Builder::new(), 1, waiting(), move || done.send(()).unwrap()).unwrap();
        is_done.recv().unwrap();
        // No memory has room for that.
        let too_large = Builder::new().stack_size(usize::MAX / 8);
        let refused = apart.answer_in(too_large, 2, waiting(), || unreachable!());
        assert_eq!(refused, Err(Errno::AGAIN));
        let ids = || apart.waiting.lock().unwrap().iter().map(|(id, _)| *id).collect::<Vec<_>>();
        assert!(!ids().contains(&2), "{:?}", ids());
        // As many as there may be, and no more.
        let listed: Vec<_> = (10..=10 + MOST as u64)
            .map_while(|id| Listed::new(&apart.waiting, id, waiting()).ok())
            .collect();
        assert!((MOST - 1..=MOST).contains(&listed.len()), "{}", listed.len());
        drop(listed);
        assert!(ids().iter().all(|&id| id < 10));
    }
}
