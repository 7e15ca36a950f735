//! The thread that reads the sideband. It never takes the GIL, so it serves while Python is busy.

use std::{io, thread, time::Duration};

use mcp_repl_sideband::{LineDecoder, PROTOCOL, ToServer, ToWorker};

use crate::{
    fifo::Unfinished,
    system::{processes::end_session, signals},
    worker::Worker,
};

/// The longest line the server may send: more than any client's message can hold.
const LONGEST_LINE: usize = 1 << 30;

/// How long after an interrupt the main thread is woken first, and how long after that again: it may have
/// been about to wait.
const WAKE_DELAYS: [Duration; 4] = [
    Duration::from_millis(10),
    Duration::from_millis(40),
    Duration::from_millis(160),
    Duration::from_millis(640),
];

/// How long a completion is looked for at most. The server waits for one a little longer.
const LONGEST_COMPLETION: Duration = Duration::from_secs(1);

/// Starts the thread, with all signals blocked in it: they are for Python's threads.
///
/// # Errors
/// When the process has as many threads as it may.
pub(crate) fn start(worker: &'static Worker) -> io::Result<()> {
    let thread = thread::Builder::new().name("mcp-repl".into());
    signals::with_all_blocked(|| thread.spawn(|| read_messages(worker))).map(drop)
}

/// Reads the server's messages until the session ends.
fn read_messages(worker: &Worker) {
    let connection = worker.channel.connection();
    let mut decoder = LineDecoder::new(LONGEST_LINE);
    let mut chunk = vec![0; 64 * 1024];
    // When the main thread is to be woken after an interrupt.
    let mut wake_delays = [].as_slice();
    // Whether a completion may have to be struck first.
    let mut is_completing = false;
    loop {
        match decoder.next_message::<ToWorker>() {
            Ok(Some(message)) => {
                is_completing |= matches!(message, ToWorker::Complete { .. });
                if matches!(message, ToWorker::Cell { .. }) {
                    // What was interrupted is over, and the next cell is not struck for it: a system call that
                    // nothing else would end may come to an end in it.
                    wake_delays = &[];
                }
                if receive(worker, message) {
                    wake_delays = &WAKE_DELAYS;
                }
            }
            Ok(None) => match wake_delays {
                [delay, later @ ..] if !connection.is_readable(*delay) => {
                    wake_delays = later;
                    worker.fifo.while_running(|| worker.main_thread.wake());
                }
                [] if is_completing && !connection.is_readable(LONGEST_COMPLETION) => {
                    is_completing = false;
                    worker.fifo.strike_completion(|| {
                        worker.main_thread.strike();
                        wake_delays = &WAKE_DELAYS;
                    });
                }
                _ => match connection.read(&mut chunk) {
                    Ok(length @ 1..) => decoder.push(&chunk[..length]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Ok(_) | Err(_) => {
                        worker.channel.end_if_closed();
                        end_session();
                    }
                },
            },
            // A server that breaks the protocol is not ours.
            Err(_) => end_session(),
        }
    }
}

/// Takes a message. Whether something may have been interrupted for it.
fn receive(worker: &Worker, message: ToWorker) -> bool {
    let Worker { channel, fifo, main_thread } = worker;
    let mut is_interrupted = matches!(message, ToWorker::Interrupt);
    // A completion gives way to what comes.
    let strike = || {
        main_thread.strike();
        is_interrupted = true;
    };
    match message {
        ToWorker::Hello { protocol, nonce, capabilities, picture_limit } => {
            if protocol != PROTOCOL || !channel.has_nonce(&nonce) {
                end_session();
            }
            channel.meet_server(&capabilities, picture_limit);
        }
        ToWorker::Cell { id, source } => fifo.push_cell(id, source, strike),
        ToWorker::Complete { id, text, cursor } => {
            let cursor = usize::try_from(cursor).unwrap_or(usize::MAX);
            fifo.push_completion(Unfinished { id, text, cursor }, strike);
        }
        ToWorker::Stdin { data } => {
            if let Some(discarded_bytes) = fifo.push_input(data.as_bytes()) {
                channel.send_ready(discarded_bytes);
            }
        }
        ToWorker::Interrupt => {
            // Who holds the channel may be writing to a terminal that the program stopped.
            channel.terminal.resume_output();
            channel.acknowledge(&ToServer::Interrupted, || {
                fifo.interrupt(|| channel.terminal.interrupt_foreground(), strike);
            });
        }
        ToWorker::Shutdown => fifo.shut_down(strike),
    }
    is_interrupted
}
