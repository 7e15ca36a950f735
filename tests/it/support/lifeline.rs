//! A connection between a test and what runs in a session: each waits for the other, and its
//! end tells that every process that held it is gone.

use std::{
    io::{Read, Write},
    sync::mpsc,
};

use super::{HANG, Server};

use socket::{Place, Stream};

/// A line to the session. In the session it is the socket `line`.
pub(crate) struct Lifeline {
    stream: Stream,
}

/// A place where a program that a test starts lays its end of a line.
pub(crate) struct Listening(Place);

/// What a file system knows by a path, so that no network has to be there.
#[cfg(has = "posix")]
mod socket {
    use std::os::unix::net::UnixListener;

    use tempfile::TempDir;

    use crate::support::{quoted, runtime::short_directory};

    pub(super) use std::os::unix::net::UnixStream as Stream;

    pub(super) struct Place {
        pub(super) listener: UnixListener,
        directory: TempDir,
    }

    impl Place {
        pub(super) fn new() -> Place {
            let directory = short_directory();
            let listener = UnixListener::bind(directory.path().join("line")).unwrap();
            Place { listener, directory }
        }

        /// Statements that make `line`, on one line.
        pub(super) fn lay(&self) -> String {
            let path = quoted(self.directory.path().join("line"));
            format!("line = socket.socket(socket.AF_UNIX); line.connect({path})")
        }
    }
}

#[cfg(not(has = "posix"))]
mod socket {
    use std::net::TcpListener;

    pub(super) use std::net::TcpStream as Stream;

    pub(super) struct Place {
        pub(super) listener: TcpListener,
    }

    impl Place {
        pub(super) fn new() -> Place {
            Place { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
        }

        /// Statements that make `line`. Ctrl-C ends no wait in Winsock, so that `recv` looks now and then.
        pub(super) fn lay(&self) -> String {
            let port = self.listener.local_addr().unwrap().port();
            let ready = "__import__('select').select([self], [], [], 0.05)[0]";
            let recv =
                format!("next(socket.socket.recv(self, n) for _ in iter(int, 1) if {ready})");
            format!(
                "line = type('Line', (socket.socket,), {{'recv': lambda self, n: {recv}}})(socket.AF_INET); \
                 line.connect(('127.0.0.1', {port}))"
            )
        }
    }
}

impl Listening {
    pub(crate) fn new() -> Listening {
        Listening(Place::new())
    }

    /// `source` behind statements that lay the line.
    pub(crate) fn cell(&self, source: &str) -> String {
        format!("import socket, sys\n{}\n{source}", self.lay())
    }

    /// The statements alone, on one line, where `socket` is imported.
    pub(crate) fn lay(&self) -> String {
        self.0.lay()
    }

    /// Waits for the program's end.
    #[track_caller]
    pub(crate) fn accept(&self) -> Lifeline {
        let (tell, told) = mpsc::channel();
        let listener = self.0.listener.try_clone().unwrap();
        std::thread::spawn(move || tell.send(listener.accept().unwrap().0));
        let stream = told.recv_timeout(HANG).expect("a program connects");
        stream.set_read_timeout(Some(HANG)).unwrap();
        Lifeline { stream }
    }
}

impl Lifeline {
    /// Lays a line to the session of `server`. Children get it as `line.fileno()`.
    #[track_caller]
    pub(crate) fn lay(server: &Server) -> Lifeline {
        let listening = Listening::new();
        let connect = listening.cell("import os, subprocess\nline.set_inheritable(True)");
        assert_eq!(server.repl(&connect), super::IDLE);
        listening.accept()
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
