//! Scripts in Markdown: fenced blocks whose info string says what they are. Pure.
//!
//! Of the words behind a fence the first one names a language, by which pages colour the block; the
//! one behind it, or the first one alone, says what the block is: `python cell`, `text reply`, `wait`.

mod settings;
mod transcript;

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use self::settings::duration;
use super::{
    pattern::Pattern,
    script::{Action, Expected, Script, Settings, Step},
};
use crate::session::rules::payload::{Keys, Payload};

/// How an HTML comment begins that has a part of the script which readers don't see.
const HIDDEN: &str = "<!-- verify";
const HIDDEN_END: &str = "-->";
/// What stands before and behind the settings at the top of a file.
const RULE: &str = "---";
/// How a call's own time is said behind what a block is.
const TIMEOUT: &str = "timeout_ms=";

/// What is wrong with a script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct MarkdownError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub why: String,
}

fn error(line: usize, why: impl Into<String>) -> MarkdownError {
    MarkdownError { line, why: why.into() }
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cell,
    Answer,
    Keys,
    Interrupt,
    Reset,
    Reply,
    Wait,
    /// Several calls and their replies, as one reads them.
    Session,
}

impl Kind {
    fn of_word(word: &str) -> Option<Kind> {
        Some(match word {
            "cell" => Kind::Cell,
            "answer" => Kind::Answer,
            "keys" => Kind::Keys,
            "interrupt" => Kind::Interrupt,
            "reset" => Kind::Reset,
            "reply" => Kind::Reply,
            "wait" => Kind::Wait,
            "session" => Kind::Session,
            _ => return None,
        })
    }

    /// What an info string says, and the words behind that.
    fn of_info(info: &str) -> Option<(Kind, Vec<&str>)> {
        let words: Vec<&str> = info.split_whitespace().collect();
        let kind = |n: usize| Some((Kind::of_word(words.get(n)?)?, words[n + 1..].to_vec()));
        kind(0).or_else(|| kind(1))
    }
}

/// A block of a script.
#[derive(Debug)]
struct Block<'a> {
    kind: Kind,
    /// The words behind that.
    options: Vec<&'a str>,
    content: String,
    /// The line of its first fence.
    line: usize,
    /// Its lines between the fences, in bytes of the file.
    place: Range<usize>,
    indent: String,
    fences: [Range<usize>; 2],
}

/// Whether a Markdown text has replies, and so is a script.
pub fn is_script(source: &str) -> bool {
    let mut found = false;
    // What is wrong is said when it is read.
    let _ = blocks(source, 0..source.len(), &mut |part| {
        found |= matches!(&part, Part::Block(Block { kind: Kind::Reply | Kind::Session, .. }));
        Ok(())
    });
    found
}

/// Reads a script.
///
/// # Errors
/// When it is malformed, or nothing in it can fail.
pub fn parse(source: &str) -> Result<Script, MarkdownError> {
    let mut settings = Settings::default();
    let start = top(source, &mut settings)?;
    let mut steps = Steps::default();
    blocks(source, start..source.len(), &mut |part| match part {
        Part::Setting(text, line) => settings.take(text, line),
        Part::Block(block) => steps.take(source, block),
    })?;
    let Steps { steps, .. } = steps;
    if !steps.iter().any(|step| matches!(step.action, Action::Reply(_))) {
        return Err(error(1, "there is no `reply` block, so that nothing in it can fail"));
    }
    let starts = matches!(steps.first(), Some(Step { action: Action::Send { .. }, .. }));
    if !starts && settings.run.is_none() {
        let line = steps.first().map_or(1, |step| step.line);
        return Err(error(
            line,
            "nothing was sent before (with `run:` the program shows something)",
        ));
    }
    Ok(Script { settings, steps })
}

/// Reads the settings at the top; where the rest begins.
fn top(source: &str, settings: &mut Settings) -> Result<usize, MarkdownError> {
    let mut end = 0;
    for (n, line) in source.split_inclusive('\n').enumerate() {
        end += line.len();
        match (n, line.trim_end()) {
            (0, RULE) => {}
            (0, _) => return Ok(0),
            (_, RULE) => return Ok(end),
            (_, text) => settings.take(text, n + 1)?,
        }
    }
    if source.is_empty() { Ok(0) } else { Err(error(1, "the settings have no end, `---`")) }
}

/// A part of a file that is one of a script.
enum Part<'a> {
    Block(Block<'a>),
    Setting(&'a str, usize),
}

/// The parts of a script within a range of the file, in order.
fn blocks<'a>(
    source: &'a str,
    range: Range<usize>,
    take: &mut impl FnMut(Part<'a>) -> Result<(), MarkdownError>,
) -> Result<(), MarkdownError> {
    let within = &source[range.clone()];
    let absolute = |place: Range<usize>| place.start + range.start..place.end + range.start;
    let mut open: Option<(Range<usize>, String)> = None;
    for (event, place) in Parser::new_ext(within, Options::empty()).into_offset_iter() {
        let place = absolute(place);
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => {
                open = Some((place, String::new()));
            }
            Event::Text(text) => {
                if let Some((_, content)) = &mut open {
                    content.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                if let Some((place, content)) = open.take()
                    && let Some(block) = block(source, place, content)?
                {
                    take(Part::Block(block))?;
                }
            }
            Event::Start(Tag::HtmlBlock) if is_hidden(&source[place.clone()]) => {
                hidden(source, place, take)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_hidden(html: &str) -> bool {
    let behind = html.trim_start().strip_prefix(HIDDEN);
    behind.is_some_and(|behind| behind.starts_with(['\n', '\r']))
}

/// The parts within a comment: settings, and blocks.
fn hidden<'a>(
    source: &'a str,
    place: Range<usize>,
    take: &mut impl FnMut(Part<'a>) -> Result<(), MarkdownError>,
) -> Result<(), MarkdownError> {
    let text = &source[place.clone()];
    let end = text.find(HIDDEN_END);
    let end = end.ok_or_else(|| error(line_of(source, place.start), "the comment has no end"))?;
    let mut start = text.len() - text.trim_start().len() + HIDDEN.len();
    for line in text[start..end].split_inclusive('\n') {
        if line.trim_start().starts_with(['`', '~']) {
            break;
        }
        take(Part::Setting(line, line_of(source, place.start + start)))?;
        start += line.len();
    }
    blocks(source, place.start + start..place.start + end, take)
}

/// The block of a script that a fenced one is, if it is one.
fn block(
    source: &str,
    place: Range<usize>,
    content: String,
) -> Result<Option<Block<'_>>, MarkdownError> {
    let text = source[place.clone()].trim_end();
    let line = line_of(source, place.start);
    let first = text.lines().next().unwrap_or_default();
    let fence = fence(first);
    let Some((kind, options)) = Kind::of_info(&first[fence..]) else { return Ok(None) };
    let closing = text.rfind('\n').map_or(text, |at| &text[at + 1..]);
    let closing = closing.trim_start_matches([' ', '>']);
    let is_closed = text.contains('\n')
        && closing.len() >= fence
        && closing.chars().all(|c| first.starts_with(c));
    if !is_closed {
        return Err(error(line, "the block is not closed"));
    }
    let end = place.start + text.len();
    let start_of_line = |at: usize| source[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let before = &source[start_of_line(place.start)..place.start];
    // The first line of a list's item has the item's mark.
    let indent = before.chars().map(|c| if c == '>' { c } else { ' ' }).collect();
    let lines = source[place.start..].find('\n').map_or(end, |at| place.start + at + 1);
    let place_of_lines = lines..start_of_line(end);
    let fences = [place.start..place.start + fence, end - closing.len()..end];
    Ok(Some(Block { kind, options, content, line, place: place_of_lines, indent, fences }))
}

/// How many characters the fence has that a line begins with.
pub(super) fn fence(line: &str) -> usize {
    let first = line.chars().next().filter(|c| ['`', '~'].contains(c));
    first.map_or(0, |first| line.len() - line.trim_start_matches(first).len())
}

fn line_of(source: &str, at: usize) -> usize {
    source[..at].matches('\n').count() + 1
}

/// The steps so far.
#[derive(Debug, Default)]
struct Steps {
    steps: Vec<Step>,
}

impl Steps {
    fn take(&mut self, source: &str, block: Block<'_>) -> Result<(), MarkdownError> {
        let line = block.line;
        let timeout = timeout(&block)?;
        let content = block.content.strip_suffix('\n').unwrap_or(&block.content);
        let text = |text: &str| {
            let parsed = Payload::parse(text, Vec::new());
            parsed.map_err(|why| error(line, why.to_string()))
        };
        let payload = match block.kind {
            Kind::Cell | Kind::Answer => text(content)?,
            Kind::Interrupt => Payload::Interrupt(Box::new(text(content)?)),
            Kind::Reset => Payload::Reset(Box::new(text(content)?)),
            Kind::Keys => Payload::Keys(keys(content, line)?),
            Kind::Wait => return self.wait(content, line),
            Kind::Reply => {
                let expected = Expected {
                    text: block.content,
                    place: block.place,
                    indent: block.indent,
                    fences: block.fences,
                };
                return self.reply(expected, line);
            }
            Kind::Session => return transcript::take(self, source, &block),
        };
        self.send(payload, timeout, line);
        Ok(())
    }

    fn send(&mut self, payload: Payload, timeout: Option<std::time::Duration>, line: usize) {
        self.steps.push(Step { line, action: Action::Send { payload, timeout } });
    }

    fn wait(&mut self, content: &str, line: usize) -> Result<(), MarkdownError> {
        let text = content.trim();
        if text.is_empty() {
            return Err(error(line, "nothing is waited for"));
        }
        if text.contains('\n') {
            return Err(error(line, "a `wait` block has one line; what follows is one of its own"));
        }
        self.steps.push(Step { line, action: Action::Wait(text.to_owned()) });
        Ok(())
    }

    fn reply(&mut self, expected: Expected, line: usize) -> Result<(), MarkdownError> {
        if Pattern::new(&expected.text).accepts_anything() {
            return Err(error(line, "the reply can't fail: it accepts anything, or is empty"));
        }
        if let Some(Step { action: Action::Reply(_), .. }) = self.steps.last() {
            return Err(error(line, "nothing was sent or waited for since the last reply"));
        }
        self.steps.push(Step { line, action: Action::Reply(expected) });
        Ok(())
    }
}

/// The time that a block says.
fn timeout(block: &Block<'_>) -> Result<Option<std::time::Duration>, MarkdownError> {
    let mut timeout = None;
    for option in &block.options {
        let sends = !matches!(block.kind, Kind::Reply | Kind::Wait | Kind::Session);
        let time = option.strip_prefix(TIMEOUT).filter(|_| sends);
        let time = time.and_then(|time| duration(&format!("{time}ms")).ok());
        let why = || error(block.line, format!("`{option}` means nothing there"));
        timeout = Some(time.ok_or_else(why)?);
    }
    Ok(timeout)
}

/// Keys as the tool takes them: words, or a list of strings in JSON.
fn keys(content: &str, line: usize) -> Result<Keys, MarkdownError> {
    let words = serde_json::from_str(content)
        .unwrap_or_else(|_| content.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    if words.is_empty() { Err(error(line, "there are no keys")) } else { Ok(Keys(words)) }
}

#[cfg(test)]
mod tests;
