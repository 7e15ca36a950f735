//! A connection between a test and what runs in a session: each waits for the other, and its
//! end tells that every process that held it is gone.

use std::{
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    sync::mpsc,
};

use tempfile::TempDir;

use super::{HANG, Server, quoted};

/// A line to the session. In the session it is the socket `line`.
pub(crate) struct Lifeline {
    stream: UnixStream,
}

/// A place where a program that a test starts lays its end of a line.
pub(crate) struct Listening {
    listener: UnixListener,
    place: TempDir,
}

impl Listening {
    pub(crate) fn new() -> Listening {
        let place = tempfile::tempdir_in("/tmp").unwrap();
        let listener = UnixListener::bind(place.path().join("line")).unwrap();
        Listening { listener, place }
    }

    /// `source` behind statements that lay the line.
    pub(crate) fn cell(&self, source: &str) -> String {
        let path = quoted(self.place.path().join("line"));
        format!(
            "import socket, sys\nline = socket.socket(socket.AF_UNIX)\nline.connect({path})\n{source}"
        )
    }

    /// Waits for the program's end.
    #[track_caller]
    pub(crate) fn accept(&self) -> Lifeline {
        Lifeline::accept(&self.listener)
    }
}

impl Lifeline {
    /// Lays a line to the session of `server`. Children get it as `line.fileno()`.
    #[track_caller]
    pub(crate) fn lay(server: &Server) -> Lifeline {
        let directory: TempDir = tempfile::tempdir_in("/tmp").unwrap();
        let path = directory.path().join("line");
        let listener = UnixListener::bind(&path).unwrap();
        let connect = format!(
            "import os, socket, subprocess, sys\n\
             line = socket.socket(socket.AF_UNIX)\n\
             line.connect({})\n\
             line.set_inheritable(True)",
            quoted(&path)
        );
        assert_eq!(server.repl(&connect), super::IDLE);
        Lifeline::accept(&listener)
    }

    /// Waits for a program that connects to `listener`.
    #[track_caller]
    pub(crate) fn accept(listener: &UnixListener) -> Lifeline {
        let (tell, told) = mpsc::channel();
        let listener = listener.try_clone().unwrap();
        std::thread::spawn(move || tell.send(listener.accept().unwrap().0));
        let stream = told.recv_timeout(HANG).expect("a program connects");
        stream.set_read_timeout(Some(HANG)).unwrap();
        Lifeline { stream }
    }

    /// Lets a `line.recv(1)` of the session return.
    pub(crate) fn release(&mut self) {
        self.stream.write_all(b"x").unwrap();
    }

    /// Waits until the session, or a child, has sent `text`.
    #[track_caller]
    pub(crate) fn hears(&mut self, text: &str) {
        let mut heard = vec![0; text.len()];
        self.stream.read_exact(&mut heard).expect("something is said on the line");
        assert_eq!(String::from_utf8_lossy(&heard), text);
    }

    /// Waits until every process that held the line is gone.
    #[track_caller]
    pub(crate) fn wait_until_cut(mut self) {
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            let result = self.stream.read_to_end(&mut rest);
            // A process that was killed with unread data on the line resets it.
            let reset = result
                .as_ref()
                .is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset);
            tell.send(result.is_ok() || reset)
        });
        let gone = told.recv_timeout(HANG * 2).unwrap_or(false);
        assert!(gone, "a process of the session is still there");
    }
}
