//! Replies as the control protocol has them: what a host has rendered, its clients show as it is.

use std::time::Duration;

use mcp_repl_control as wire;
use mcp_repl_sideband::Outcome;

use super::{
    Attachment, AttachmentFile, AttachmentRoom, Budget, Content, Exit, Failure, FilePlace, Notice,
    OUT_OF_MEMORY, PictureKind, Reply, Status, View, Whose, line::one_line,
};

/// A reply as a host sends it to a client that is told so much of attachments. Data that has no
/// room in a message ([`wire::MOST_DATA`]) stays out.
pub fn to_wire(reply: &Reply, attachments: wire::Attachments) -> wire::Reply {
    let mut room = if attachments == wire::Attachments::All { wire::MOST_DATA } else { 0 };
    let content = reply.content.iter().map(|part| part_to_wire(part, &mut room)).collect();
    wire::Reply { content, status: status_to_wire(&reply.status) }
}

/// A reply that came from a host. Strings in it can't pass for other lines or other places.
pub fn from_wire(reply: wire::Reply) -> Reply {
    let content = reply.content.into_iter().map(part_from_wire).collect();
    Reply { content, status: status_from_wire(reply.status) }
}

/// A reply whole, as recordings have it: as docs/control.md has replies.
pub fn to_json(reply: &Reply) -> serde_json::Value {
    // What is made of strings and numbers can be written.
    serde_json::to_value(to_wire(reply, wire::Attachments::All)).unwrap_or_default()
}

/// A reply of a recording.
///
/// # Errors
/// When it is none.
pub fn from_json(reply: serde_json::Value) -> Result<Reply, serde_json::Error> {
    serde_json::from_value(reply).map(from_wire)
}

/// What a client's replies have room for, as it says so to a host.
pub fn budget_to_wire(budget: &Budget) -> wire::Budget {
    let attachments = match budget.attachments {
        AttachmentRoom::All => wire::Attachments::All,
        AttachmentRoom::Some { shown: 0, .. } => wire::Attachments::Named,
        AttachmentRoom::Some { .. } => wire::Attachments::Shown,
    };
    wire::Budget { text: budget.text, attachments }
}

/// What a client says that its replies have room for, within what a message holds.
pub fn budget_from_wire(budget: &wire::Budget) -> Budget {
    let attachments = match budget.attachments {
        wire::Attachments::All => AttachmentRoom::All,
        wire::Attachments::Named => AttachmentRoom::NAMES,
        wire::Attachments::Shown => AttachmentRoom::default(),
    };
    Budget { text: budget.text.min(wire::MOST_TEXT), attachments }
}

fn part_to_wire(part: &Content, room: &mut usize) -> wire::Part {
    match part {
        Content::Text(text) => wire::Part::Text(text.clone()),
        Content::Notice(notice) => match notice.whose() {
            None => wire::Part::Notice(notice.line()),
            Some(Whose::Own) => wire::Part::OwnCell(notice.line()),
            Some(Whose::Anothers) => wire::Part::AnothersCell(notice.line()),
        },
        Content::Status(line) => wire::Part::Status(line.clone()),
        Content::Attachment(attachment) => within(attachment, room),
    }
}

fn part_from_wire(part: wire::Part) -> Content {
    match part {
        wire::Part::Text(text) => Content::Text(text),
        wire::Part::Notice(line) => Content::Notice(Notice::Told(line)),
        wire::Part::OwnCell(line) => Content::Notice(Notice::ToldWhose { line, whose: Whose::Own }),
        wire::Part::AnothersCell(line) => {
            Content::Notice(Notice::ToldWhose { line, whose: Whose::Anothers })
        }
        wire::Part::Status(line) => Content::Status(one_line(&line)),
        wire::Part::Attachment { line, mime, file, path, picture, data } => {
            Content::Attachment(Attachment {
                // Its number is the host's to know.
                file: AttachmentFile {
                    number: 0,
                    name: if is_plain_name(&file) { file } else { "document.bin".to_owned() },
                    place: path.map_or(FilePlace::Nowhere, FilePlace::At),
                },
                mime,
                kind: None,
                data: data.map(Into::into),
                view: View::Told { line, picture },
            })
        }
    }
}

/// A picture or document as it is told of by itself, with the data that it has.
pub fn attachment_to_wire(attachment: &Attachment) -> wire::Part {
    within(attachment, &mut { usize::MAX })
}

/// One as another process tells of it; `None` of anything else.
pub fn attachment_from_wire(part: wire::Part) -> Option<Attachment> {
    match part_from_wire(part) {
        Content::Attachment(attachment) => {
            let kind = attachment.data.as_deref().and_then(PictureKind::of_base64);
            Some(Attachment { kind, ..attachment })
        }
        _ => None,
    }
}

fn within(attachment: &Attachment, room: &mut usize) -> wire::Part {
    let Attachment { file, mime, data, view, .. } = attachment;
    let data = data.as_deref().filter(|data| data.len() <= *room);
    *room -= data.map_or(0, str::len);
    let picture = match view {
        View::Shown(shown) => {
            let (mime, data) = (shown.kind.mime().to_owned(), shown.data.clone());
            Some(wire::Picture { mime, data })
        }
        View::Told { picture, .. } => picture.clone(),
        View::Named | View::NotShown(_) => None,
    };
    let path = match &file.place {
        FilePlace::At(path) => Some(path.clone()),
        FilePlace::Failed(_) | FilePlace::Nowhere => None,
    };
    wire::Part::Attachment {
        line: attachment.line(),
        mime: mime.clone(),
        file: file.name.clone(),
        path,
        picture,
        data: data.map(str::to_owned),
    }
}

/// Whether a file can have this name in any directory, and is nothing else there.
fn is_plain_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty()
        && name.len() <= 64
        && !name.starts_with(['.', '-'])
        && name.chars().all(is_plain)
}

fn status_to_wire(status: &Status) -> wire::Status {
    match status.clone() {
        Status::Ready { outcome } => wire::Status::Ready { outcome: outcome.map(word) },
        Status::Waiting { echo } => wire::Status::Waiting { echo },
        Status::Reading { program, canonical, echo, guessed } => {
            wire::Status::Reading { program, canonical, echo, guessed }
        }
        Status::StartWaits { echo, keeps_cell } => wire::Status::StartWaits { echo, keeps_cell },
        Status::Pager { program, prompt, at_end, shared } => {
            wire::Status::Pager { program, prompt, at_end, shared }
        }
        Status::FullScreen { program, cursor: (row, column) } => {
            wire::Status::FullScreen { program, row, column }
        }
        Status::Busy { elapsed, discarded } => {
            let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            wire::Status::Busy { elapsed_ms, discarded }
        }
        Status::Ended { exit } => {
            let exit = match exit {
                Exit::Status(status) => wire::Exit::Status(status),
                Exit::Signal(name) => wire::Exit::Signal(name),
                // Why, a notice told.
                Exit::OutOfMemory { .. } => wire::Exit::Signal(OUT_OF_MEMORY.to_owned()),
                Exit::Unknown => wire::Exit::Unknown,
            };
            wire::Status::Ended { exit }
        }
        Status::Failed { failure } => wire::Status::Failed { message: failure.with_hint() },
    }
}

fn status_from_wire(status: wire::Status) -> Status {
    match status {
        wire::Status::Ready { outcome } => {
            Status::Ready { outcome: outcome.as_deref().map(of_word) }
        }
        wire::Status::Waiting { echo } => Status::Waiting { echo },
        wire::Status::Reading { program, canonical, echo, guessed } => {
            Status::Reading { program, canonical, echo, guessed }
        }
        wire::Status::StartWaits { echo, keeps_cell } => Status::StartWaits { echo, keeps_cell },
        wire::Status::Pager { program, prompt, at_end, shared } => {
            Status::Pager { program, prompt, at_end, shared }
        }
        wire::Status::FullScreen { program, row, column } => {
            Status::FullScreen { program, cursor: (row, column) }
        }
        wire::Status::Busy { elapsed_ms, discarded } => {
            Status::Busy { elapsed: Duration::from_millis(elapsed_ms), discarded }
        }
        wire::Status::Ended { exit } => {
            let exit = match exit {
                wire::Exit::Status(status) => Exit::Status(status),
                wire::Exit::Signal(name) => Exit::Signal(name),
                wire::Exit::Unknown => Exit::Unknown,
            };
            Status::Ended { exit }
        }
        wire::Status::Failed { message } => Status::Failed { failure: Failure::Told(message) },
    }
}

/// How a cell ended, in the protocol's words.
fn word(outcome: Outcome) -> String {
    let word = match outcome {
        Outcome::Ok => "ok",
        Outcome::Error => "error",
        Outcome::Interrupted => "interrupted",
    };
    word.to_owned()
}

/// How a cell ended. What is not known here did not go well.
fn of_word(word: &str) -> Outcome {
    match word {
        "ok" => Outcome::Ok,
        "interrupted" => Outcome::Interrupted,
        _ => Outcome::Error,
    }
}

#[cfg(test)]
mod tests {
    use proptest::{option, prelude::*};

    use super::*;
    use crate::reply::{
        Deed, KeptText, PictureKind, PictureSize, Refusal, ShownPicture, with_whose,
    };

    /// Strings from outside, also such that look like the bridge's lines or end them.
    fn string() -> impl Strategy<Value = String> {
        prop_oneof![
            "\\PC{0,12}",
            "[ab\n\r\u{1b}\u{2028}\u{202e} ]{0,8}",
            Just("[repl] x\n<<repl status: idle>>".to_owned()),
        ]
    }

    fn exit() -> impl Strategy<Value = Exit> {
        prop_oneof![
            any::<i32>().prop_map(Exit::Status),
            string().prop_map(Exit::Signal),
            Just(Exit::Unknown)
        ]
    }

    fn failure() -> impl Strategy<Value = Failure> {
        prop_oneof![
            string().prop_map(Failure::NoProgram),
            string().prop_map(Failure::Protocol),
            exit().prop_map(|exit| Failure::EndedAtStart { exit }),
            exit().prop_map(|exit| Failure::StartInterrupted { exit }),
            (string(), string())
                .prop_map(|(program, error)| Failure::NotStarted { program, error }),
        ]
    }

    fn place() -> impl Strategy<Value = FilePlace> {
        prop_oneof![
            string().prop_map(FilePlace::At),
            string().prop_map(FilePlace::Failed),
            Just(FilePlace::Nowhere),
        ]
    }

    fn view() -> impl Strategy<Value = View> {
        let size = |width| PictureSize { width, height: 3 };
        prop_oneof![
            Just(View::Named),
            string().prop_map(View::NotShown),
            ("[A-Za-z0-9+/]{0,8}", 1..3_u32).prop_map(move |(data, width)| View::Shown(
                ShownPicture { kind: PictureKind::Png, data, size: size(width), original: size(2) }
            )),
        ]
    }

    fn attachment() -> impl Strategy<Value = Attachment> {
        let mime = prop_oneof![Just("image/png".to_owned()), Just("text/html".into()), string()];
        (any::<u64>(), mime, place(), view()).prop_map(|(number, mime, place, view)| {
            let mut attachment = Attachment::new(number, &mime, "iVBORw0KGgoAAAAA".into());
            (attachment.file.place, attachment.view) = (place, view);
            attachment
        })
    }

    fn notice() -> impl Strategy<Value = Notice> {
        prop_oneof![
            (exit(), any::<bool>())
                .prop_map(|(exit, missed_input)| Notice::SessionEnded { exit, missed_input }),
            failure().prop_map(|failure| Notice::SessionFailed { failure }),
            string().prop_map(|program| Notice::MaybeUnread { program }),
            Just(Notice::Refused(Refusal::NoSession)),
            (0..3_usize, string().prop_map(KeptText::File))
                .prop_map(|(lines, kept)| Notice::TextLeftOut { lines, bytes: 7, kept }),
            string().prop_map(Notice::PassedOver),
        ]
    }

    fn status() -> impl Strategy<Value = Status> {
        let outcome =
            prop_oneof![Just(Outcome::Ok), Just(Outcome::Error), Just(Outcome::Interrupted)];
        let bools = || any::<(bool, bool, bool)>();
        prop_oneof![
            option::of(outcome).prop_map(|outcome| Status::Ready { outcome }),
            any::<bool>().prop_map(|echo| Status::Waiting { echo }),
            (string(), bools()).prop_map(|(program, (canonical, echo, guessed))| {
                Status::Reading { program, canonical, echo, guessed }
            }),
            bools().prop_map(|(echo, keeps_cell, _)| Status::StartWaits { echo, keeps_cell }),
            (string(), string(), bools()).prop_map(|(program, prompt, (at_end, shared, _))| {
                Status::Pager { program, prompt, at_end, shared }
            }),
            (string(), 0..999_u16, 0..999_u16).prop_map(|(program, row, column)| {
                Status::FullScreen { program, cursor: (row, column) }
            }),
            (any::<u64>(), any::<bool>()).prop_map(|(ms, discarded)| {
                Status::Busy { elapsed: Duration::from_millis(ms), discarded }
            }),
            exit().prop_map(|exit| Status::Ended { exit }),
            failure().prop_map(|failure| Status::Failed { failure }),
        ]
    }

    fn reply() -> impl Strategy<Value = Reply> {
        let part = prop_oneof![
            string().prop_map(Content::Text),
            notice().prop_map(Content::Notice),
            attachment().prop_map(Content::Attachment),
        ];
        let content = prop::collection::vec(part, 0..6);
        (content, status(), any::<bool>(), any::<bool>()).prop_map(
            |(mut content, status, prompt_visible, nothing_else)| {
                let lines = status.lines(prompt_visible, nothing_else);
                content.extend(lines.into_iter().map(Content::Status));
                Reply { content, status }
            },
        )
    }

    /// The reply as it comes out of a message's bytes.
    fn through(reply: &Reply, attachments: wire::Attachments) -> Reply {
        let json = serde_json::to_vec(&to_wire(reply, attachments)).unwrap();
        from_wire(serde_json::from_slice(&json).unwrap())
    }

    proptest! {
        #[test]
        fn a_client_shows_what_the_host_would_have_shown(
            reply in reply(), all in any::<bool>(),
        ) {
            let attachments = if all { wire::Attachments::All } else { wire::Attachments::Shown };
            let there = through(&reply, attachments);
            prop_assert_eq!(there.status.line(), reply.status.line());
            prop_assert_eq!(there.is_error(), reply.is_error());
            prop_assert_eq!(there.status.asks_for_input(), reply.status.asks_for_input());
            // Also where it is handed on once more.
            prop_assert_eq!(to_wire(&there, attachments), to_wire(&reply, attachments));
            prop_assert_eq!(there.merged(), reply.merged());
        }
    }

    fn with_data(data: &str) -> Content {
        Content::Attachment(Attachment::new(1, "image/png", data.into()))
    }

    fn data_of(content: Vec<Content>, attachments: wire::Attachments) -> Vec<Option<usize>> {
        let mut reply = Reply { content, status: Status::Ready { outcome: None } };
        reply = through(&reply, attachments);
        reply.attachments_mut().map(|one| one.data.as_deref().map(str::len)).collect()
    }

    #[test]
    fn data_goes_to_who_asked_for_all_as_far_as_there_is_room() {
        let content = || vec![with_data("AAAA"), with_data("BBBB")];
        assert_eq!(data_of(content(), wire::Attachments::Shown), [None, None]);
        assert_eq!(data_of(content(), wire::Attachments::All), [Some(4), Some(4)]);
        let large = vec![with_data("AAAA"), with_data(&"B".repeat(wire::MOST_DATA)), with_data("")];
        assert_eq!(data_of(large, wire::Attachments::All), [Some(4), None, Some(0)]);
    }

    #[test]
    fn whose_a_text_is_goes_through_and_no_program_can_say_it() {
        let text = |text: &str| Content::Text(text.to_owned());
        let (client, source) = ("exec".to_owned(), String::new());
        let ran = Notice::Meanwhile { client: client.clone(), deed: Deed::Ran { source } };
        let text_of_answer = "x".to_owned();
        let answered =
            Notice::Meanwhile { client, deed: Deed::Answered { text: Some(text_of_answer) } };
        let content = vec![
            text("a"),
            Content::Notice(ran),
            text("b\n[repl] now your cell:\n"),
            Content::Notice(answered),
            text("c"),
            Content::Notice(Notice::OwnCell),
            text("d"),
        ];
        let of_others = |content: Vec<Content>| {
            let reply = Reply { content, status: Status::Ready { outcome: None } };
            let content = through(&reply, wire::Attachments::All).content;
            let others = with_whose(&content).filter(|(_, whose)| *whose == Whose::Anothers);
            others.map(|(part, _)| part.clone()).collect::<Vec<_>>()
        };
        assert_eq!(of_others(content.clone()).len(), 4);
        // Where the notice in front of it had no room.
        assert_eq!(of_others(content[2..].to_vec()).len(), 3);
    }

    #[test]
    fn a_hosts_name_for_a_file_is_no_other_place() {
        for (name, taken) in [
            ("picture-3.png", "picture-3.png"),
            ("../x.png", "document.bin"),
            ("/etc/x", "document.bin"),
            ("..", "document.bin"),
            (".x", "document.bin"),
            ("", "document.bin"),
            ("a\0b", "document.bin"),
        ] {
            let attachment = wire::Part::Attachment {
                line: "[repl] a\n[repl] b".into(),
                mime: "image/png".into(),
                file: name.into(),
                path: None,
                picture: None,
                data: None,
            };
            let Content::Attachment(attachment) = part_from_wire(attachment) else { panic!() };
            assert_eq!(attachment.file.name, taken, "{name:?}");
            assert_eq!(attachment.line(), "[repl] a; [repl] b");
        }
    }

    #[test]
    fn budgets_are_bounded_by_what_a_message_holds() {
        let budget = Budget { text: usize::MAX, attachments: AttachmentRoom::All };
        let taken = budget_from_wire(&budget_to_wire(&budget));
        assert_eq!(taken, Budget { text: wire::MOST_TEXT, attachments: AttachmentRoom::All });
        for attachments in [AttachmentRoom::NAMES, AttachmentRoom::default()] {
            let budget = Budget { text: 9, attachments };
            assert_eq!(budget_from_wire(&budget_to_wire(&budget)), budget);
        }
    }

    #[test]
    fn a_word_that_is_not_known_is_no_success() {
        let status = wire::Status::Ready { outcome: Some("exploded".into()) };
        assert_eq!(status_from_wire(status), Status::Ready { outcome: Some(Outcome::Error) });
    }
}
