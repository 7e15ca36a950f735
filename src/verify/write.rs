//! A session written down as a script in Markdown. Pure.

use super::{
    accept::fence_around,
    markdown::{MarkdownError, parse},
    pattern::{Pattern, escaped},
    script::{Action, Settings, Step},
};
use crate::session::rules::payload::{INTERRUPT, Keys, Payload, RESET};

/// A call and its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What was sent; `None` for what a program shows by itself.
    pub payload: Option<Payload>,
    /// Whether it was sent to a program that asked for it.
    pub is_answer: bool,
    /// The reply.
    pub reply: String,
}

/// Why a session can't be written down.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// It would be no script.
    #[error("it would be no script: {0}")]
    Malformed(#[from] MarkdownError),
    /// Markdown has no form for a character.
    #[error("call {0} has a character that Markdown has no form for, a carriage return say")]
    Character(usize),
}

/// Writes a session down; it is read again as the same. Of the settings, `run` is written.
///
/// # Errors
/// When that can't be.
pub fn write(settings: &Settings, all: &[Told]) -> Result<String, WriteError> {
    let mut parts = Vec::new();
    if let Some(command) = &settings.run {
        parts.push(format!("---\nrun: {command}\n---\n"));
    }
    for Told { payload, is_answer, reply } in all {
        if let Some(payload) = payload {
            parts.push(sent(payload, *is_answer));
        }
        let text = escaped(reply);
        if !Pattern::new(&text).accepts_anything() {
            parts.push(block("text reply", text.strip_suffix('\n').unwrap_or(&text)));
        }
    }
    let source = parts.join("\n");
    let steps = parse(&source)?.steps;
    let mut steps = steps.iter();
    for (n, told) in all.iter().enumerate() {
        if !is_read(told, &mut steps) {
            return Err(WriteError::Character(n + 1));
        }
    }
    Ok(source)
}

/// Whether the next steps are this call and its reply.
fn is_read(told: &Told, steps: &mut std::slice::Iter<'_, Step>) -> bool {
    let is_sent = told.payload.as_ref().is_none_or(|sent| {
        let step = steps.next().map(|step| &step.action);
        matches!(step, Some(Action::Send { payload, .. }) if payload == sent)
    });
    let is_told = Pattern::new(&escaped(&told.reply)).accepts_anything() || {
        let step = steps.next().map(|step| &step.action);
        matches!(step, Some(Action::Reply(reply)) if Pattern::new(&reply.text).matches(&told.reply))
    };
    is_sent && is_told
}

fn sent(payload: &Payload, is_answer: bool) -> String {
    match payload {
        Payload::Text(text) if is_answer => block("text answer", text),
        Payload::Text(text) => block("python cell", text),
        Payload::Keys(Keys(words)) => {
            let line = words.join(" ");
            let is_plain = line.split_whitespace().eq(words) && !line.starts_with('[');
            let list = || serde_json::to_string(words).unwrap_or_default();
            block("keys", &if is_plain { line } else { list() })
        }
        Payload::Interrupt(rest) => block("interrupt", &text(rest)),
        Payload::Reset(rest) => block("reset", &text(rest)),
    }
}

/// What is sent behind a control character.
fn text(payload: &Payload) -> String {
    match payload {
        Payload::Text(text) => text.clone(),
        Payload::Interrupt(rest) => format!("{INTERRUPT}{}", text(rest)),
        Payload::Reset(rest) => format!("{RESET}{}", text(rest)),
        // Keys stand behind no control character.
        Payload::Keys(_) => String::new(),
    }
}

fn block(info: &str, content: &str) -> String {
    let fence = "`".repeat(fence_around(content, '`'));
    let end = if content.is_empty() { "" } else { "\n" };
    format!("{fence}{info}\n{content}{end}{fence}\n")
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn told(payload: Payload, reply: &str) -> Told {
        Told { payload: Some(payload), is_answer: false, reply: reply.into() }
    }

    #[test]
    fn a_session_reads_as_documentation() {
        let text = |text: &str| Payload::Text(text.into());
        let answer = Told { is_answer: true, ..told(text("Ada"), "") };
        let keys = Payload::Keys(Keys(vec!["Escape".into(), ":q".into()]));
        let typed = Payload::Keys(Keys(vec!["a b".into()]));
        let written = write(
            &Settings::default(),
            &[
                told(text("x = 1\nx"), "1\n"),
                answer,
                told(keys, "...\n"),
                told(typed, "```\n"),
                told(Payload::Interrupt(Box::new(text(""))), "end"),
            ],
        );
        let expected = "@python cell\nx = 1\nx\n@\n\n@text reply\n1\n@\n\n@text answer\nAda\n@\n\n@keys\nEscape :q\n@\n\n\
                        @text reply\n\\...\n@\n\n@keys\n[\"a b\"]\n@\n\n@`text reply\n@\n@`\n\n@interrupt\n@\n\n@text reply\nend\n@\n";
        assert_eq!(written.unwrap().replace("```", "@"), expected);
    }

    #[test]
    fn a_program_begins_with_what_it_shows() {
        let first = Told { payload: None, is_answer: false, reply: "menu\n".into() };
        let settings = Settings { run: Some("my-tui 'a b'".into()), ..Settings::default() };
        let written = write(&settings, &[first]).unwrap();
        assert_eq!(written, "---\nrun: my-tui 'a b'\n---\n\n```text reply\nmenu\n```\n");
        assert_eq!(parse(&written).unwrap().settings, settings);
    }

    #[test]
    fn what_can_not_be_written_is_told() {
        let error = |all: &[Told]| write(&Settings::default(), all).unwrap_err().to_string();
        let text = |text: &str| Payload::Text(text.into());
        assert!(error(&[]).starts_with("it would be no script: "));
        let calls = [told(text("x"), "x\n"), told(text("a\r\nb"), "y\n")];
        assert!(error(&calls).starts_with("call 2 has a character"));
    }

    fn payloads() -> impl Strategy<Value = Payload> {
        let text = "([ab>~` \t-]|```|\n|é|\\.\\.\\.|<!-- verify\n|-->|---|# ){0,8}";
        let key = "([a ]|\"|\\[|Enter){1,3}";
        prop_oneof![
            4 => text.prop_map(Payload::Text),
            1 => vec(key, 1..4).prop_map(|words| Payload::Keys(Keys(words))),
            1 => text.prop_map(|text| Payload::Interrupt(Box::new(Payload::Text(text)))),
            1 => text.prop_map(|text| {
                Payload::Reset(Box::new(Payload::Interrupt(Box::new(Payload::Text(text)))))
            }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(
            calls in vec((payloads(), any::<bool>(), "([ab>~` \t-]|```|\n|\\\\|é|\\.\\.\\.|\n\n|---){0,10}"), 1..5),
        ) {
            let all: Vec<Told> = calls.into_iter().map(|(payload, is_answer, reply)| Told {
                payload: Some(payload), is_answer, reply,
            }).collect();
            let is_empty = all.iter().all(|told| told.reply.trim().is_empty());
            // That it is read as the same is a part of writing it.
            match write(&Settings::default(), &all) {
                Ok(source) => {
                    let mut steps = parse(&source).unwrap().steps.into_iter();
                    for told in &all {
                        let Some(Step { action: Action::Send { payload, .. }, .. }) = steps.next() else {
                            return Err(TestCaseError::fail("nothing is sent"));
                        };
                        prop_assert_eq!(Some(&payload), told.payload.as_ref());
                        if !told.reply.trim().is_empty() {
                            let Some(Step { action: Action::Reply(reply), .. }) = steps.next() else {
                                return Err(TestCaseError::fail("nothing is told"));
                            };
                            prop_assert!(!reply.text.lines().any(|line| line.trim_end() == "..."));
                            prop_assert!(Pattern::new(&reply.text).matches(&told.reply));
                        }
                    }
                    prop_assert!(steps.next().is_none() && !is_empty);
                }
                Err(error) => prop_assert!(is_empty, "{error}"),
            }
        }
    }
}
