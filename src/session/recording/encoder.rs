//! What happens in a session → the events of its recording. Pure.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::{
    answers::Answers,
    step::{Hidden, Step, hide, microseconds},
};
use crate::{
    cast::{Event, Kind},
    reply::{Content, Exit, OUT_OF_MEMORY, Reply},
    screen::Size,
    session::{
        pipeline::{
            Input,
            echo::{OUTPUT_MARK, PROMPT_MARK, TYPED_MARK},
        },
        rules::state::{CallId, ClientId, Time},
    },
};

/// The code of what other programs pass over.
pub(super) const CODE: char = 'p';

/// What a shell adds to a signal's number for an exit status.
const KILLED: i32 = 128;

/// Makes the events of a recording.
#[derive(Debug)]
pub(super) struct Encoder {
    /// Whether what is typed is recorded.
    records_input: bool,
    /// The beginning of a character whose end the terminal has not printed yet.
    carry: Vec<u8>,
    /// The size that players have.
    size: Size,
    /// How the last program ended.
    exit: Option<i32>,
    signal_number: SignalNumber,
    answers: Answers,
}

/// The number of a signal with this name on this system.
pub(super) type SignalNumber = fn(&str) -> Option<u8>;

impl Encoder {
    /// One for a terminal that has this size at the start.
    pub(super) fn new(size: Size, records_input: bool, signal_number: SignalNumber) -> Encoder {
        Encoder {
            records_input,
            carry: Vec::new(),
            size,
            exit: None,
            signal_number,
            answers: Answers::default(),
        }
    }

    /// Something happened, of which this is not recorded.
    pub(super) fn input(
        &mut self,
        time: Time,
        input: &Input<'_>,
        hidden: Hidden,
        out: &mut Vec<Event>,
    ) {
        match input {
            Input::Output(bytes) => return self.output(time, bytes, out),
            Input::Exited { .. } | Input::GivenUp | Input::Failed(_) | Input::Started { .. } => {
                self.end_output(time, out);
            }
            _ => {}
        }
        let hidden = if self.records_input { hidden } else { Hidden::Everything };
        if let Some(step) = Step::of(input, hidden) {
            out.push(private(time, &step));
        }
        match input {
            Input::Keystrokes { bytes, .. } if self.records_input => {
                let text = String::from_utf8_lossy(bytes);
                let is_hidden = hidden != Hidden::Nothing;
                let text = if is_hidden { hide(&text) } else { text.into_owned() };
                out.push(Event { time, kind: Kind::Input(text) });
            }
            Input::Started { size, .. } | Input::Resized(size) if *size != self.size => {
                self.size = *size;
                out.push(Event { time, kind: Kind::Resize(*size) });
            }
            Input::Exited { exit, .. } => {
                self.exit = Some(match exit {
                    Exit::Status(status) => *status,
                    Exit::Signal(name) => KILLED + (self.signal_number)(name).map_or(0, i32::from),
                    Exit::OutOfMemory { .. } => {
                        KILLED + (self.signal_number)(OUT_OF_MEMORY).map_or(0, i32::from)
                    }
                    Exit::Unknown => 1,
                });
            }
            _ => {}
        }
    }

    /// The terminal printed this. A character whose end is still to come waits for it: what the
    /// screen makes of it does not depend on where it is cut.
    fn output(&mut self, time: Time, bytes: &[u8], out: &mut Vec<Event>) {
        let joined;
        let bytes = if self.carry.is_empty() {
            bytes
        } else {
            self.carry.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.carry);
            &joined
        };
        let (whole, rest) = bytes.split_at(bytes.len() - incomplete(bytes));
        self.carry = rest.to_vec();
        push_output(time, whole, out);
    }

    /// No more is printed: the end of a character does not come.
    fn end_output(&mut self, time: Time, out: &mut Vec<Event>) {
        push_output(time, &std::mem::take(&mut self.carry), out);
    }

    /// The session shows this by itself. The working directory is left out: it says much of the
    /// machine, and no picture or text has it.
    pub(super) fn echoed(&mut self, time: Time, bytes: &[u8], out: &mut Vec<Event>) {
        let text = String::from_utf8_lossy(bytes);
        if text.starts_with("\x1b]7;") {
            return;
        }
        if let Some((_, cell)) = text.split_once(PROMPT_MARK) {
            let first = cell.split(['\r', '\n']).next().unwrap_or_default();
            let label = first.replace(TYPED_MARK, "").replace(OUTPUT_MARK, "");
            // It is for players, and quotes what was sent.
            let label = if self.records_input { label } else { String::new() };
            out.push(Event { time, kind: Kind::Marker(label) });
        }
        out.push(private(time, &Step::Shown));
        out.push(Event { time, kind: Kind::Output(text.into_owned()) });
    }

    /// A client that follows is told this, ahead of its next reply.
    pub(super) fn told(&mut self, client: ClientId, content: &[Content]) {
        self.answers.told(client, content);
    }

    /// A call is answered.
    pub(super) fn reply(
        &mut self,
        time: Time,
        call: CallId,
        client: ClientId,
        reply: &Reply,
        out: &mut Vec<Event>,
    ) {
        let text = self.answers.text(client, reply);
        // It may quote what others sent.
        if self.records_input {
            out.push(private(time, &Step::Reply { call, client, text }));
        }
    }

    /// Nothing more happens.
    pub(super) fn end(&mut self, time: Time, out: &mut Vec<Event>) {
        self.end_output(time, out);
        out.push(Event { time, kind: Kind::Exit(self.exit.unwrap_or(0)) });
    }
}

/// Bytes that the terminal printed; such that are no UTF-8 stand beside what players get.
fn push_output(time: Time, bytes: &[u8], out: &mut Vec<Event>) {
    if bytes.is_empty() {
        return;
    }
    let text = String::from_utf8_lossy(bytes);
    if matches!(text, std::borrow::Cow::Owned(_)) {
        out.push(private(time, &Step::Bytes { base64: BASE64_STANDARD.encode(bytes) }));
    }
    out.push(Event { time, kind: Kind::Output(text.into_owned()) });
}

/// How many bytes at the end are the beginning of a character, whose end is still to come.
fn incomplete(bytes: &[u8]) -> usize {
    let Some(last) = bytes.utf8_chunks().last() else { return 0 };
    match std::str::from_utf8(last.invalid()) {
        Err(error) if error.error_len().is_none() => last.invalid().len(),
        _ => 0,
    }
}

fn private(time: Time, step: &Step) -> Event {
    // What is made of strings and numbers can be written.
    let data = serde_json::to_string(step).unwrap_or_default();
    Event { time: Time::from_micros(microseconds(time)), kind: Kind::Other { code: CODE, data } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(pieces: &[&[u8]]) -> Vec<Kind> {
        let mut encoder = Encoder::new(Size::default(), true, |_| None);
        let mut out = Vec::new();
        for piece in pieces {
            encoder.input(Time::ZERO, &Input::Output((*piece).into()), Hidden::Nothing, &mut out);
        }
        encoder.end(Time::ZERO, &mut out);
        out.into_iter().map(|event| event.kind).collect()
    }

    fn printed(text: &str) -> Kind {
        Kind::Output(text.into())
    }

    #[test]
    fn characters_are_not_broken_where_reads_are() {
        let pieces: [&[u8]; 4] = [b"a\xe6", b"\xbc", b"\xa2b", b"c"];
        assert_eq!(output(&pieces), [printed("a"), printed("漢b"), printed("c"), Kind::Exit(0)]);
    }

    #[test]
    fn what_is_no_utf_8_stands_beside_what_players_get() {
        let bytes = Kind::Other { code: CODE, data: r#"{"bytes":{"base64":"Yf/DqQ=="}}"#.into() };
        let found = output(&[b"a\xff\xc3", b"\xa9"]);
        // The end of the second character comes with the next read.
        let first = Kind::Other { code: CODE, data: r#"{"bytes":{"base64":"Yf8="}}"#.into() };
        let cut = [first, printed("a\u{fffd}"), printed("é"), Kind::Exit(0)];
        assert_eq!(found, cut);
        assert_eq!(output(&[b"a\xff\xc3\xa9"])[..2], [bytes, printed("a\u{fffd}é")]);
        let open = Kind::Other { code: CODE, data: r#"{"bytes":{"base64":"4oI="}}"#.into() };
        assert_eq!(output(&[b"\xe2\x82"])[..2], [open, printed("\u{fffd}")]);
    }

    #[test]
    fn a_cell_has_a_marker_and_its_directory_is_left_out() {
        let mut encoder = Encoder::new(Size::default(), true, |_| None);
        let mut out = Vec::new();
        let echo = crate::session::pipeline::echo::of_cell(Some("bot"), "x = 1\ny");
        encoder.echoed(Time::ZERO, echo.as_bytes(), &mut out);
        encoder.echoed(Time::ZERO, b"\x1b]7;file://host/home/ada\x1b\\", &mut out);
        assert_eq!(out.len(), 3);
        assert_eq!(out[0].kind, Kind::Marker("[bot] >>> x = 1".into()));
        assert_eq!(out[2].kind, Kind::Output(echo));
    }

    #[test]
    fn secrets_are_not_recorded() {
        let keys = |text: &str| Input::Keystrokes {
            client: 1,
            bytes: text.as_bytes().to_vec().into(),
            background: None,
        };
        let mut encoder = Encoder::new(Size::default(), true, |_| None);
        let mut out = Vec::new();
        encoder.input(Time::ZERO, &keys("hunter2\r"), Hidden::Secret, &mut out);
        assert_eq!(out[1].kind, Kind::Input("*******\r".into()));
        let mut quiet = Encoder::new(Size::default(), false, |_| None);
        quiet.input(Time::ZERO, &keys("hunter2\r"), Hidden::Nothing, &mut out);
        assert_eq!(out.len(), 3);
        assert!(!format!("{out:?}").contains("hunter2"));
    }
}
