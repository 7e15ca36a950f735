//! What all threads of the worker share.

use std::sync::OnceLock;

use crate::{channel::Channel, fifo::Fifo, system::main_thread::MainThread};

/// The shared state. One a process.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) channel: Channel,
    pub(crate) fifo: Fifo,
    pub(crate) main_thread: MainThread,
}

static WORKER: OnceLock<Worker> = OnceLock::new();

/// The process's worker, once installed.
pub(crate) fn worker() -> Option<&'static Worker> {
    WORKER.get()
}

/// Makes `worker` the process's.
pub(crate) fn install(worker: Worker) -> &'static Worker {
    WORKER.get_or_init(|| worker)
}
