//! The messages themselves, as bare structs: what is on the wire and nothing else.
//!
//! Unknown fields are ignored, so that a newer side may say more. An unknown `type` is an
//! error, since ignoring one would lose what it means.

use serde::{Deserialize, Serialize};

use crate::Hint;

/// The version of the protocol, said in the first message of each side.
///
/// Messages that came after it are covered by the `capabilities` of the two `hello`s instead: a
/// side sends one only when the other side's `hello` named the capability for it.
pub const PROTOCOL: u32 = 1;

/// The capability of a server that takes `document` and `too_large`.
pub const DOCUMENTS: &str = "documents";

/// The capability of a server that takes `directory`.
pub const DIRECTORY: &str = "directory";

/// The word of a server whose terminal does not hand marks on: a worker writes none there, and shows nothing of
/// the input that it takes, since nothing would tell that from what its program prints.
pub const NO_MARKS: &str = "no_marks";

/// The capability of a worker that takes `complete`.
pub const COMPLETION: &str = "completion";

/// A message from the worker to the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToServer {
    /// The first message: who the worker is.
    Hello {
        /// The protocol version, [`PROTOCOL`].
        protocol: u32,
        /// The nonce from the worker's environment.
        nonce: String,
        /// The program, `cpython` for the built-in worker.
        implementation: String,
        /// Its version, `3.12.1`.
        version: String,
        /// Its file.
        #[serde(default)]
        executable: String,
        /// Its process.
        pid: u32,
        /// What the worker understands beyond the protocol's version: lower-case words, those
        /// this side does not know included: [`COMPLETION`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        capabilities: Vec<String>,
    },
    /// The worker takes the next cell.
    Ready {
        /// Everything printed before stands before this mark.
        mark: u64,
        /// Bytes of input that nobody read and that were thrown away since the last `ready`.
        #[serde(default)]
        discarded_bytes: u64,
    },
    /// A reader waits for a payload.
    InputWait {
        /// The prompt, if any, stands before this mark.
        mark: u64,
        /// A number for this wait, repeated when it is over.
        wait: u64,
        /// How it reads.
        reader: Reader,
        /// The prompt it printed, without which there is nothing to see.
        #[serde(default)]
        prompt: String,
        /// Whether the terminal echoes what is typed. False for a secret.
        #[serde(default = "yes")]
        echo: bool,
    },
    /// A wait is over: answered from the queue or the terminal, interrupted or at end of file.
    InputTaken {
        /// The wait that is over.
        wait: u64,
        /// How many bytes of payload it took; 0 when it was not answered from the queue.
        bytes: u64,
        /// The name of the thread that read, when that is not the program's main one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thread: Option<String>,
    },
    /// A cell came to its end.
    CellDone {
        /// The number of the cell.
        id: u64,
        /// What it printed stands before this mark.
        mark: u64,
        /// How it ended.
        outcome: Outcome,
    },
    /// A picture, at this place in the text.
    Image {
        /// The text before the picture stands before this mark.
        mark: u64,
        /// Its media type, `image/png`.
        mime: String,
        /// Its bytes in base64 (RFC 4648, section 4).
        data: String,
    },
    /// What the cell was meant to be, whose error stands before this mark. Only for a server with
    /// the capability [`HINTS`](crate::HINTS).
    Hint {
        /// The error stands before this mark.
        mark: u64,
        /// What it was meant to be.
        hint: Hint,
    },
    /// Something to look at that is no picture, an HTML page, say, at this place in the text.
    /// Covered by the capability [`DOCUMENTS`].
    Document {
        /// The text before it stands before this mark.
        mark: u64,
        /// Its media type, `text/html`.
        mime: String,
        /// Its bytes in base64 (RFC 4648, section 4).
        data: String,
    },
    /// A picture or document that was too large to send, at this place in the text. Covered by the
    /// capability [`DOCUMENTS`].
    TooLarge {
        /// The text before it stands before this mark.
        mark: u64,
        /// Its media type.
        mime: String,
        /// Its size in bytes.
        bytes: u64,
    },
    /// The program's working directory, when it is first known and where it has changed, in front of
    /// `ready`. Covered by the capability [`DIRECTORY`].
    Directory {
        /// Its absolute path; empty where that is unknown, or no text.
        path: String,
    },
    /// An interrupt was taken: sent to what ran or waited, or there was nothing to interrupt.
    Interrupted,
    /// What may stand at a place of a cell, as far as the worker knows. Sent only for `complete`.
    ///
    /// It has no mark: it changes nothing that is shown.
    Completion {
        /// The number that `complete` gave.
        id: u64,
        /// Where what is to be replaced begins, in Unicode code points; it ends at the cursor.
        start: u64,
        /// What may stand there; empty when nothing is known.
        matches: Vec<String>,
        /// Whether the cell as it stands goes on: it has no end yet, so that running it would be an
        /// error for that alone.
        #[serde(default)]
        is_incomplete: bool,
    },
    /// The program is about to end; the process's own exit status has the last word.
    Exiting {
        /// The status it means to exit with.
        status: i32,
    },
}

/// A message from the server to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToWorker {
    /// The first message: the server knows this worker.
    Hello {
        /// The protocol version, [`PROTOCOL`].
        protocol: u32,
        /// The session's nonce, by which the worker knows its server.
        nonce: String,
        /// What the server understands beyond the protocol's version, as in the worker's hello:
        /// [`HINTS`](crate::HINTS).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        capabilities: Vec<String>,
        /// How large pictures that the worker draws itself should be at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        picture_limit: Option<PictureLimit>,
    },
    /// Source to run as one.
    Cell {
        /// A number for this cell.
        id: u64,
        /// Its text.
        source: String,
    },
    /// Input for whoever waits for it.
    Stdin {
        /// Its text, exactly; a line ends with `\n`.
        data: String,
    },
    /// Interrupt what runs or waits. To be ignored when nothing does.
    Interrupt,
    /// Say what may stand at a place of a cell that is not sent yet. Only to a ready worker with the
    /// capability [`COMPLETION`].
    Complete {
        /// A number for the answer.
        id: u64,
        /// The cell as it stands.
        text: String,
        /// Where in it, in Unicode code points.
        cursor: u64,
    },
    /// End in good order.
    Shutdown,
}

/// How large a picture may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureLimit {
    /// Its longer side, in pixels.
    pub edge: u32,
    /// Its width times its height, in pixels.
    pub area: u32,
}

/// How a program reads its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reader {
    /// A line through the prompt function: `input()`.
    Readline,
    /// A read of the standard input stream: `sys.stdin.readline()`.
    Stdin,
}

/// How a cell ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It ran to its end.
    Ok,
    /// It raised, or did not compile.
    Error,
    /// It was interrupted.
    Interrupted,
}

impl ToServer {
    /// The mark this message refers to: it takes effect when the terminal has shown it.
    pub fn mark(&self) -> Option<u64> {
        match self {
            ToServer::Ready { mark, .. }
            | ToServer::InputWait { mark, .. }
            | ToServer::CellDone { mark, .. }
            | ToServer::Hint { mark, .. }
            | ToServer::Image { mark, .. }
            | ToServer::Document { mark, .. }
            | ToServer::TooLarge { mark, .. } => Some(*mark),
            ToServer::Hello { .. }
            | ToServer::Directory { .. }
            | ToServer::InputTaken { .. }
            | ToServer::Interrupted
            | ToServer::Completion { .. }
            | ToServer::Exiting { .. } => None,
        }
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_are_ignored() {
        let message: ToServer =
            serde_json::from_str(r#"{"type":"ready","mark":3,"new":[1]}"#).unwrap();
        assert_eq!(message, ToServer::Ready { mark: 3, discarded_bytes: 0 });
    }

    /// The capabilities in a worker's and a server's hello with this text in it.
    fn capabilities(text: &str) -> [Vec<String>; 2] {
        let worker = format!(
            r#"{{"type":"hello","protocol":1,"nonce":"n","implementation":"i","version":"1","pid":2{text}}}"#
        );
        let server = format!(r#"{{"type":"hello","protocol":1,"nonce":"n"{text}}}"#);
        let ToServer::Hello { capabilities: of_worker, .. } =
            serde_json::from_str(&worker).unwrap()
        else {
            panic!("{worker}")
        };
        let ToWorker::Hello { capabilities: of_server, .. } =
            serde_json::from_str(&server).unwrap()
        else {
            panic!("{server}")
        };
        [of_worker, of_server]
    }

    #[test]
    fn a_hello_without_capabilities_has_none() {
        assert_eq!(capabilities(""), [const { Vec::<String>::new() }; 2]);
        assert_eq!(capabilities(r#","capabilities":[]"#), [const { Vec::<String>::new() }; 2]);
    }

    #[test]
    fn capabilities_are_read_those_nobody_knows_too() {
        let both = capabilities(r#","capabilities":["completion","made_up"]"#);
        assert_eq!(both, [["completion", "made_up"]; 2]);
    }

    #[test]
    fn capabilities_that_are_no_list_of_words_are_an_error() {
        for text in [r#""completion""#, "[1]", "null", "{}"] {
            let hello =
                format!(r#"{{"type":"hello","protocol":1,"nonce":"n","capabilities":{text}}}"#);
            assert!(serde_json::from_str::<ToWorker>(&hello).is_err(), "{hello}");
        }
    }

    #[test]
    fn an_empty_list_of_capabilities_is_not_on_the_wire() {
        let hello = |capabilities: &[&str]| {
            let capabilities = capabilities.iter().map(ToString::to_string).collect();
            let (nonce, picture_limit) = ("n".into(), None);
            serde_json::to_string(&ToWorker::Hello {
                protocol: 1,
                nonce,
                capabilities,
                picture_limit,
            })
        };
        assert_eq!(hello(&[]).unwrap(), r#"{"type":"hello","protocol":1,"nonce":"n"}"#);
        assert_eq!(
            hello(&["completion"]).unwrap(),
            r#"{"type":"hello","protocol":1,"nonce":"n","capabilities":["completion"]}"#
        );
        let worker = ToServer::Hello {
            protocol: 1,
            nonce: "n".into(),
            implementation: "i".into(),
            version: "1".into(),
            executable: String::new(),
            pid: 2,
            capabilities: Vec::new(),
        };
        assert!(!serde_json::to_string(&worker).unwrap().contains("capabilities"));
    }

    #[test]
    fn an_unknown_type_is_an_error_that_names_it() {
        let error = serde_json::from_str::<ToServer>(r#"{"type":"reday","mark":3}"#).unwrap_err();
        assert!(error.to_string().contains("reday"), "{error}");
    }

    #[test]
    fn a_unit_message_is_its_type_alone() {
        assert_eq!(serde_json::to_string(&ToWorker::Interrupt).unwrap(), r#"{"type":"interrupt"}"#);
    }
}
