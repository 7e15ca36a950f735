//! Where a recording comes from. A thread reads it, since a pipe may have nothing for a while, and is no
//! further ahead than a few pieces.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use tokio::sync::mpsc;

use super::is_standard;
use crate::cast::{CastError, Event, Header, Reader};

/// How much of a recording is handed over at once, in bytes; what is longer comes alone.
const PIECE: usize = 64 * 1024;
/// What an event takes beside its text.
const EVENT: usize = size_of::<Event>();
/// How many pieces wait.
const MOST_WAITING: usize = 2;

/// A recording as it is read.
type Recording = Reader<Box<dyn BufRead + Send>>;

/// Opens a recording.
pub(super) fn lines(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    Ok(match is_standard(path) {
        true => Box::new(BufReader::new(io::stdin())),
        false => Box::new(BufReader::new(File::open(path)?)),
    })
}

/// Opens a recording and reads its header.
pub(super) fn open(path: &Path) -> Result<Recording, CastError> {
    Reader::new(lines(path)?)
}

/// The events of a recording.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    pieces: mpsc::Receiver<Vec<Result<Event, CastError>>>,
    piece: std::vec::IntoIter<Result<Event, CastError>>,
}

impl Source {
    /// Reads on, in a thread of its own.
    pub(super) fn start(path: &Path, recording: Recording) -> Source {
        let (tell, pieces) = mpsc::channel(MOST_WAITING);
        std::thread::spawn(move || {
            let (mut piece, mut size) = (Vec::new(), 0);
            for event in recording {
                size += EVENT + event.as_ref().map_or(0, Event::size);
                piece.push(event);
                if size > PIECE {
                    size = 0;
                    if tell.blocking_send(std::mem::take(&mut piece)).is_err() {
                        return;
                    }
                }
            }
            let _ = tell.blocking_send(piece);
        });
        Source { path: path.to_owned(), pieces, piece: Vec::new().into_iter() }
    }

    /// The next event, if it was read already.
    pub(super) fn try_next(&mut self) -> Option<Result<Event, CastError>> {
        if self.piece.len() == 0 {
            self.piece = self.pieces.try_recv().ok()?.into_iter();
        }
        self.piece.next()
    }

    /// The next event; `None` where there are no more. Cancel safe.
    pub(super) async fn next(&mut self) -> Option<Result<Event, CastError>> {
        loop {
            if let Some(event) = self.piece.next() {
                return Some(event);
            }
            self.piece = self.pieces.recv().await?.into_iter();
        }
    }

    /// Whether it can be begun again.
    pub(super) fn can_rewind(&self) -> bool {
        // Others, a FIFO say, have nothing more where they were read once.
        !is_standard(&self.path) && std::fs::metadata(&self.path).is_ok_and(|file| file.is_file())
    }

    /// Begins again.
    pub(super) fn rewind(&mut self) -> Result<Header, CastError> {
        let recording = open(&self.path)?;
        let header = recording.header().clone();
        *self = Source::start(&self.path.clone(), recording);
        Ok(header)
    }
}
