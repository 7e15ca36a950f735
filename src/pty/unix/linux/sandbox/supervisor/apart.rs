//! What may have to wait for somebody, done in threads of their own.

use std::{
    os::fd::OwnedFd,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
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

/// Threads that wait in the supervisor's place.
#[derive(Debug)]
pub(super) struct Apart {
    listener: Arc<OwnedFd>,
    count: Arc<AtomicUsize>,
    waiting: Arc<Mutex<Vec<(u64, Waiting)>>>,
}

impl Apart {
    pub(super) fn new(listener: Arc<OwnedFd>) -> Apart {
        Apart { listener, count: Arc::default(), waiting: Arc::default() }
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
        if self.count.fetch_add(1, Ordering::Relaxed) >= MOST {
            self.count.fetch_sub(1, Ordering::Relaxed);
            return Err(Errno::AGAIN);
        }
        if let Ok(mut list) = self.waiting.lock() {
            list.push((id, waiting));
        }
        let (listener, count, list) =
            (self.listener.clone(), self.count.clone(), self.waiting.clone());
        let thread = std::thread::Builder::new().name("sandbox-waits".into());
        let started = thread.spawn(move || {
            let answer = act();
            notify::answer(&listener, id, answer);
            if let Ok(mut list) = list.lock() {
                list.retain(|(known, _)| *known != id);
            }
            count.fetch_sub(1, Ordering::Relaxed);
        });
        match started {
            Ok(_) => Ok(()),
            Err(_) => {
                self.count.fetch_sub(1, Ordering::Relaxed);
                Err(Errno::AGAIN)
            }
        }
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
