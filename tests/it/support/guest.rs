//! A peer of a session's control socket that says what a test wants, as bytes.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::PathBuf,
};

use serde_json::{Value, json};

use super::{HANG, Runtime};

/// A connection to a session.
pub(crate) struct Guest {
    stream: UnixStream,
    heard: BufReader<UnixStream>,
}

impl Guest {
    /// Connects to the one session that is there, and says nothing.
    #[track_caller]
    pub(crate) fn connect(runtime: &Runtime) -> Guest {
        let stream = UnixStream::connect(only(runtime, "sock")).unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        stream.set_write_timeout(Some(HANG)).unwrap();
        let heard = BufReader::new(stream.try_clone().unwrap());
        Guest { stream, heard }
    }

    /// Connects and is let in.
    #[track_caller]
    pub(crate) fn welcome(runtime: &Runtime) -> Guest {
        let mut guest = Guest::connect(runtime);
        guest.says(&hello(runtime));
        assert_eq!(guest.hears()["type"], "welcome");
        guest
    }

    /// Writes bytes; whether the host took them.
    pub(crate) fn writes(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Writes a message; whether the host took it.
    pub(crate) fn says(&mut self, message: &Value) -> bool {
        self.writes(format!("{message}\n").as_bytes())
    }

    /// Says no more.
    pub(crate) fn falls_silent(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Reads a message.
    #[track_caller]
    pub(crate) fn hears(&mut self) -> Value {
        let mut line = String::new();
        self.heard.read_line(&mut line).expect("the host says something");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no message: {line:?}"))
    }

    /// Reads on to a message of this type that is as said. Bytes that follow a message go to `bytes`.
    #[track_caller]
    pub(crate) fn hears_of(
        &mut self,
        kind: &str,
        bytes: &mut Vec<u8>,
        is_it: impl Fn(&Value) -> bool,
    ) -> Value {
        loop {
            let message = self.hears();
            if let Some(length) = message["length"].as_u64() {
                let mut follows = (&mut self.heard).take(length);
                follows.read_to_end(bytes).expect("the host sends what it said");
            }
            if message["type"] == kind && is_it(&message) {
                return message;
            }
        }
    }

    /// Reads on to the end, which a host brings about. What it said before, if that was a word of
    /// why.
    #[track_caller]
    pub(crate) fn last_words(mut self) -> String {
        let mut why = String::new();
        loop {
            let mut line = Vec::new();
            match self.heard.read_until(b'\n', &mut line) {
                Ok(1..) => {}
                Ok(0) => return why,
                // The host had more to read.
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return why,
                Err(error) => panic!("the connection is not ended: {error}"),
            }
            let message: Value = serde_json::from_slice(&line).unwrap_or_default();
            if message["type"] == "error" {
                message["message"].as_str().unwrap().clone_into(&mut why);
            }
        }
    }
}

/// A hello that lets a client in to the one session that is there.
#[track_caller]
pub(crate) fn hello(runtime: &Runtime) -> Value {
    let token = std::fs::read_to_string(only(runtime, "token")).unwrap();
    json!({
        "type": "hello", "protocol": 1, "token": token.trim_end(), "role": "client", "name": "guest",
    })
}

/// The one file of this kind.
#[track_caller]
pub(crate) fn only(runtime: &Runtime, extension: &str) -> PathBuf {
    let mut files = runtime.files();
    files.retain(|file| file.extension().is_some_and(|other| other == extension));
    match &files[..] {
        [file] => file.clone(),
        _ => panic!("not one {extension}: {files:?}"),
    }
}
