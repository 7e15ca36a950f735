//! The worker's end of the sideband: what is sent, and the marks that tie it to the terminal.

use std::{
    env, io,
    sync::{Mutex, OnceLock},
};

use mcp_repl_sideband::{
    COMPLETION, DIRECTORY, DOCUMENTS, HINTS, Hint, Mark, NO_MARKS, NONCE_VARIABLE, PROTOCOL,
    PictureLimit, SOCKET_VARIABLE, ToServer, encode, mark_bytes,
};

use crate::system::{
    connection::{Connection, FileIdentity, Master},
    fork,
    processes::end_session,
    terminal::{WorkerTerminal, write_to_controlling_terminal},
};

/// What is said when the program closed descriptors of ours, before the session ends.
const CLOSED: &[u8] =
    b"mcp-repl: the program closed the session's own descriptors; the session ends\n";

/// The sideband and the terminal, shared by all threads.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) terminal: WorkerTerminal,
    nonce: String,
    connection: Connection,
    /// What the descriptors of the connection and the terminal stand for: without them there is no
    /// session.
    identities: [Option<FileIdentity>; 3],
    _master: Master,
    /// How many marks were placed. Who writes to the server, or places a mark and sends its
    /// messages, holds the lock meanwhile.
    ///
    /// Never locked while the GIL is held, nor is the GIL taken under the lock. The fifo's lock may
    /// be taken under this one, never the other way round.
    marks: Mutex<u64>,
    /// What the server said of itself, once it has.
    server: OnceLock<Server>,
    /// The working directory that the server was told last. Nothing else is locked under it but
    /// `marks`.
    directory: Mutex<Option<String>>,
}

/// What a server takes, from its `hello`.
#[derive(Debug)]
struct Server {
    hints: bool,
    documents: bool,
    directory: bool,
    /// Whether the terminal hands no marks on: none are written, and nothing is shown of the input that is taken.
    no_marks: bool,
    picture_limit: Option<PictureLimit>,
}

/// Who the worker is, for its `hello`.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) version: String,
    pub(crate) executable: String,
}

impl Channel {
    /// Connects to the server that the environment names and says hello. `master` is the terminal's
    /// master side.
    ///
    /// # Errors
    /// When the environment does not name a server that listens, or standard input is closed.
    pub(crate) fn connect(identity: Identity, master: Master) -> io::Result<Channel> {
        let missing =
            |name: &str| io::Error::new(io::ErrorKind::NotFound, format!("{name} is not set"));
        let path = env::var_os(SOCKET_VARIABLE).ok_or_else(|| missing(SOCKET_VARIABLE))?;
        let nonce = env::var(NONCE_VARIABLE).map_err(|_| missing(NONCE_VARIABLE))?;
        let connection = Connection::open(&path)?;
        connection.write_all(&encode(&ToServer::Hello {
            protocol: PROTOCOL,
            nonce: nonce.clone(),
            implementation: "cpython".into(),
            version: identity.version,
            executable: identity.executable,
            pid: std::process::id(),
            capabilities: vec![COMPLETION.into()],
        }))?;
        let terminal = WorkerTerminal::open()?;
        Ok(Channel {
            identities: identities(&connection, &terminal),
            terminal,
            nonce,
            connection,
            _master: master,
            marks: Mutex::new(0),
            server: OnceLock::new(),
            directory: Mutex::default(),
        })
    }

    /// Keeps what the server's `hello` says, and tells what it takes by now.
    pub(crate) fn meet_server(&self, capabilities: &[String], picture_limit: Option<PictureLimit>) {
        let names = |capability| capabilities.iter().any(|name| name == capability);
        let [hints, documents, directory, no_marks] =
            [HINTS, DOCUMENTS, DIRECTORY, NO_MARKS].map(names);
        let _ = self.server.set(Server { hints, documents, directory, no_marks, picture_limit });
        self.tell_directory();
    }

    /// Tells the working directory, if that is another than was told last. Without the GIL.
    pub(crate) fn tell_directory(&self) {
        if !self.server.get().is_some_and(|server| server.directory) {
            return;
        }
        let path =
            env::current_dir().ok().and_then(|path| path.into_os_string().into_string().ok());
        let path = path.unwrap_or_default();
        let Ok(mut told) = self.directory.lock() else { return };
        if told.as_ref() != Some(&path) {
            self.send(&ToServer::Directory { path: path.clone() });
            *told = Some(path);
        }
    }

    /// Whether documents may be sent, and what was too large be told.
    pub(crate) fn server_takes_documents(&self) -> bool {
        self.server.get().is_some_and(|server| server.documents)
    }

    /// How large pictures should be at most.
    pub(crate) fn picture_limit(&self) -> Option<PictureLimit> {
        self.server.get()?.picture_limit
    }

    /// The stream, for the reading thread.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether this is the session's nonce.
    pub(crate) fn has_nonce(&self, nonce: &str) -> bool {
        self.nonce == nonce
    }

    /// Sends a message. Without the GIL.
    pub(crate) fn send(&self, message: &ToServer) {
        if fork::is_child() {
            return;
        }
        if let Ok(_marks) = self.marks.lock() {
            self.end_if_closed();
            self.write(&encode(message));
        }
    }

    /// Does what a message acknowledges, then sends it: what other threads send of the effect
    /// comes behind. Without the GIL.
    ///
    /// The terminal's output has to flow, or who holds the lock may never let go of it.
    pub(crate) fn acknowledge(&self, message: &ToServer, action: impl FnOnce()) {
        if fork::is_child() {
            return;
        }
        let Ok(_marks) = self.marks.lock() else { return };
        action();
        self.end_if_closed();
        self.write(&encode(message));
    }

    /// As [`Channel::send_marked`], if `wanted` under the lock. Returns whether it was.
    pub(crate) fn send_marked_if<const N: usize>(
        &self,
        wanted: impl FnOnce() -> bool,
        text: &[u8],
        messages: impl FnOnce(u64) -> [ToServer; N],
    ) -> bool {
        if fork::is_child() {
            return true;
        }
        let Ok(mut marks) = self.marks.lock() else { return true };
        let is_wanted = wanted();
        if is_wanted {
            self.write_marked(&mut marks, text, messages);
        }
        is_wanted
    }

    /// Writes `text` and a mark behind it, where there are any, to the terminal, then sends the messages made with
    /// the mark's number. Without the GIL.
    pub(crate) fn send_marked<const N: usize>(
        &self,
        text: &[u8],
        messages: impl FnOnce(u64) -> [ToServer; N],
    ) {
        self.send_marked_if(|| true, text, messages);
    }

    fn write_marked<const N: usize>(
        &self,
        marks: &mut u64,
        text: &[u8],
        messages: impl FnOnce(u64) -> [ToServer; N],
    ) {
        self.end_if_closed();
        *marks += 1;
        let mut bytes = text.to_vec();
        // A server says hello as soon as it knows its worker, which has nothing to tell it before.
        if !self.server.wait().no_marks {
            bytes.extend(mark_bytes(&self.nonce, Mark::Point(*marks)));
        }
        self.terminal.write(&bytes);
        let lines: Vec<u8> = messages(*marks).iter().flat_map(encode).collect();
        self.write(&lines);
    }

    /// Gives a hint at this place in the text, to a server that understands hints. Without the GIL.
    pub(crate) fn hint(&self, hint: Hint) {
        if self.server.get().is_some_and(|server| server.hints) {
            self.send_marked(b"", |mark| [ToServer::Hint { mark, hint }]);
        }
    }

    /// Says that the next cell may come. Without the GIL.
    pub(crate) fn send_ready(&self, discarded_bytes: u64) {
        self.tell_directory();
        self.send_marked(b"", |mark| [ToServer::Ready { mark, discarded_bytes }]);
    }

    /// Writes to the server. Without it the session is over.
    fn write(&self, lines: &[u8]) {
        if self.connection.write_all(lines).is_err() {
            end_session();
        }
    }

    /// Ends the session if the program closed what it needs (`os.closerange`): the numbers may
    /// be files of its own by now.
    pub(crate) fn end_if_closed(&self) {
        if identities(&self.connection, &self.terminal) != self.identities {
            write_to_controlling_terminal(CLOSED);
            end_session();
        }
    }

    /// Shows a payload on the terminal as if it had been typed, marked as an echo, unless the server wants
    /// none.
    pub(crate) fn echo(&self, payload: &[u8]) {
        if self.server.get().is_some_and(|server| server.no_marks) {
            return;
        }
        let mut bytes = mark_bytes(&self.nonce, Mark::EchoStart);
        for &byte in payload {
            match byte {
                b'\n' | b'\t' => bytes.push(byte),
                // ECHOCTL (POSIX's extension in Linux, BSD): a control character X as ^X.
                0..32 | 127 => bytes.extend([b'^', byte ^ 0x40]),
                _ => bytes.push(byte),
            }
        }
        bytes.extend(mark_bytes(&self.nonce, Mark::EchoEnd));
        self.terminal.write(&bytes);
    }
}

fn identities(connection: &Connection, terminal: &WorkerTerminal) -> [Option<FileIdentity>; 3] {
    let [output, input] = terminal.identities();
    [connection.identity(), output, input]
}
