//! Scripts of sessions, written by hand in Markdown: fenced blocks say what is sent and what is to
//! come back, and all else is for people. Pure.

use std::{ops::Range, time::Duration};

use super::pattern;
use crate::{
    screen::Size,
    session::rules::{
        payload::{Keys, Payload},
        state::Paging,
    },
};

/// How long a call or a `wait` may take, unless the script says otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);
/// What stands around the options at the beginning.
const FRONT: &str = "---";
/// The smallest fence, in characters (CommonMark 0.31, 4.5).
const FENCE: usize = 3;

/// A script.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// What it says of its session.
    pub options: Options,
    /// What is done, in this order.
    pub steps: Vec<Step>,
    lines: Vec<String>,
}

/// What a script says of its session, between two lines `---` at its beginning.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// `run`: a program that has the terminal, in place of Python.
    pub run: Option<String>,
    /// `size`: that of the terminal, `80x24`.
    pub size: Option<Size>,
    /// `timeout`: how long a call or a `wait` may take.
    pub timeout: Duration,
    /// `pager`: what is done about pagers.
    pub paging: Paging,
}

/// A block.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What it says.
    pub act: Act,
    /// The line of its fence, counted from 1.
    pub line: usize,
    /// The lines between its fences, counted from 0.
    body: Range<usize>,
}

/// What a block says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// `cell`, `answer`, `keys`, `interrupt`: this is sent.
    Send(Payload),
    /// `wait`: the replies since something was sent must have this text, or get it.
    Wait(String),
    /// `reply`: the last reply is this; where none is open, what is shown is asked for.
    Reply(String),
}

/// Why a file is no script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// A block has no end.
    #[error("line {0}: the block that begins here has no end")]
    Open(usize),
    /// A block that needs a text has none.
    #[error("line {line}: the `{block}` block is empty")]
    Empty {
        /// The line.
        line: usize,
        /// The block's name.
        block: &'static str,
    },
    /// The options have no end.
    #[error("line 1: the options that begin here have no end: a line `---`")]
    NoFrontEnd,
    /// No line `NAME: VALUE`.
    #[error("line {0}: an option is `NAME: VALUE`")]
    NoOption(usize),
    /// An option that is none.
    #[error(
        "line {line}: there is no option `{name}`; there are `run`, `size`, `timeout` and `pager`"
    )]
    UnknownOption {
        /// The line.
        line: usize,
        /// The name.
        name: String,
    },
    /// A value that can't be.
    #[error("line {line}: `{name}` is {is}")]
    Value {
        /// The line.
        line: usize,
        /// The option's name.
        name: &'static str,
        /// What it is.
        is: &'static str,
    },
    /// All would be as expected.
    #[error("nothing in it can fail: no `reply` or `wait` block says what is to come")]
    CanNotFail,
}

impl Script {
    /// Reads a file; `None` where it has no block of a script.
    ///
    /// # Errors
    /// When what it says can't be meant.
    pub fn parse(text: &str) -> Result<Option<Script>, ScriptError> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let front = front(&lines);
        let mut steps = Vec::new();
        let mut at = front.as_ref().map_or(0, |front| front.end + 1);
        while at < lines.len() {
            let Some(fence) = Fence::of(&lines[at]) else {
                at += 1;
                continue;
            };
            let body = at + 1;
            let end = lines[body..].iter().position(|line| fence.is_ended_by(line));
            let end = end.map(|end| body + end);
            if let Some(block) = fence.block {
                let end = end.ok_or(ScriptError::Open(at + 1))?;
                let act = act(block, &lines[body..end], at + 1)?;
                steps.push(Step { act, line: at + 1, body: body..end });
            }
            at = end.map_or(lines.len(), |end| end + 1);
        }
        if steps.is_empty() {
            return Ok(None);
        }
        let options = match front {
            Some(front) => Options::parse(&lines, front)?,
            None if lines.first().is_some_and(|line| line.trim_end() == FRONT) => {
                return Err(ScriptError::NoFrontEnd);
            }
            None => Options::default(),
        };
        let can_fail = steps.iter().any(|step| match &step.act {
            Act::Wait(_) => true,
            Act::Reply(expected) => !pattern::accepts_anything(expected),
            Act::Send(_) => false,
        });
        if can_fail {
            Ok(Some(Script { options, steps, lines }))
        } else {
            Err(ScriptError::CanNotFail)
        }
    }

    /// The file with these replies in the places of those that its `reply` blocks of these numbers have.
    pub fn with_replies(&self, replies: &[(usize, String)]) -> String {
        let mut out = String::new();
        let mut next = 0;
        for (step, reply) in replies {
            let Step { body, line, .. } = &self.steps[*step];
            self.push(&mut out, next..line - 1);
            let fence = &self.lines[line - 1];
            let longest = reply.lines().map(fence_length).max().unwrap_or(0);
            // What is in a reply does not end its block.
            let more = match (longest + 1).saturating_sub(fence_length(fence)) {
                more if longest >= FENCE => fence_mark(fence).to_string().repeat(more),
                _ => String::new(),
            };
            let reply = reply.trim_end();
            out.push_str(&format!("{more}{fence}\n"));
            reply.lines().for_each(|line| out.push_str(&format!("{}\n", line.trim_end())));
            let end = self.lines.get(body.end).map_or("", String::as_str);
            out.push_str(&format!("{more}{end}\n"));
            next = body.end + 1;
        }
        self.push(&mut out, next..self.lines.len());
        out
    }

    fn push(&self, out: &mut String, lines: Range<usize>) {
        self.lines[lines].iter().for_each(|line| out.push_str(&format!("{line}\n")));
    }
}

impl Default for Options {
    fn default() -> Options {
        Options { run: None, size: None, timeout: TIMEOUT, paging: Paging::Through }
    }
}

impl Options {
    fn parse(lines: &[String], front: Range<usize>) -> Result<Options, ScriptError> {
        let mut options = Options::default();
        for at in front {
            let (number, text) = (at + 1, lines[at].trim());
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let (name, value) = text.split_once(':').ok_or(ScriptError::NoOption(number))?;
            let value = value.trim();
            let wrong = |name, is| ScriptError::Value { line: number, name, is };
            match name.trim() {
                "run" if value.is_empty() => return Err(wrong("run", "a command")),
                "run" => options.run = Some(value.to_owned()),
                "size" => {
                    let size = value.split_once('x').and_then(|(columns, rows)| {
                        Some(Size { columns: columns.parse().ok()?, rows: rows.parse().ok()? })
                    });
                    let size = size.filter(|size| {
                        (1..=1000).contains(&size.columns) && (1..=1000).contains(&size.rows)
                    });
                    let size = size.ok_or_else(|| wrong("size", "columns and rows, `80x24`"))?;
                    options.size = Some(size);
                }
                "timeout" => {
                    let seconds =
                        value.parse().ok().filter(|seconds| (1..=86_400).contains(seconds));
                    let seconds = seconds.ok_or_else(|| wrong("timeout", "a number of seconds"))?;
                    options.timeout = Duration::from_secs(seconds);
                }
                "pager" => {
                    options.paging = match value {
                        "through" => Paging::Through,
                        "page" => Paging::Page,
                        "plain" => Paging::Plain,
                        _ => return Err(wrong("pager", "one of `through`, `page` and `plain`")),
                    };
                }
                name => {
                    return Err(ScriptError::UnknownOption { line: number, name: name.to_owned() });
                }
            }
        }
        Ok(options)
    }
}

/// The lines of the options, counted from 0, if there are any and they have an end.
fn front(lines: &[String]) -> Option<Range<usize>> {
    lines.first().filter(|line| line.trim_end() == FRONT)?;
    let end = lines[1..].iter().position(|line| line.trim_end() == FRONT)?;
    Some(1..end + 1)
}

/// The names of the blocks.
#[derive(Debug, Clone, Copy)]
enum Block {
    Text,
    Keys,
    Interrupt,
    Wait,
    Reply,
}

fn act(block: Block, body: &[String], line: usize) -> Result<Act, ScriptError> {
    let text = body.join("\n");
    let needs = |block| match text.trim().is_empty() {
        true => Err(ScriptError::Empty { line, block }),
        false => Ok(()),
    };
    Ok(match block {
        Block::Text => {
            needs("cell")?;
            Act::Send(Payload::Text(text))
        }
        Block::Keys => {
            needs("keys")?;
            let words = text.split_whitespace().map(str::to_owned).collect();
            Act::Send(Payload::Keys(Keys(words)))
        }
        Block::Interrupt => Act::Send(Payload::Interrupt(Box::new(Payload::Text(text)))),
        Block::Wait => {
            needs("wait")?;
            Act::Wait(text.trim_end().to_owned())
        }
        Block::Reply => Act::Reply(text),
    })
}

/// The line at which a block of code begins.
#[derive(Debug, Clone, Copy)]
struct Fence {
    mark: char,
    length: usize,
    /// What it begins, if that is for us.
    block: Option<Block>,
}

impl Fence {
    fn of(line: &str) -> Option<Fence> {
        let length = fence_length(line);
        if length < FENCE {
            return None;
        }
        let (mark, text) = (fence_mark(line), line.trim_start());
        let info = text[length..].trim();
        // Code that is on one line with its fences.
        if mark == '`' && info.contains('`') {
            return None;
        }
        let block = match info.split_whitespace().next().unwrap_or_default() {
            "cell" | "answer" => Some(Block::Text),
            "keys" => Some(Block::Keys),
            "interrupt" => Some(Block::Interrupt),
            "wait" => Some(Block::Wait),
            "reply" => Some(Block::Reply),
            _ => None,
        };
        Some(Fence { mark, length, block })
    }

    fn is_ended_by(self, line: &str) -> bool {
        let text = line.trim();
        fence_length(line) >= self.length && text.chars().all(|c| c == self.mark)
    }
}

/// How many fence characters a line begins with; none where it is indented as code is.
fn fence_length(line: &str) -> usize {
    let text = line.trim_start_matches(' ');
    let mark = fence_mark(line);
    if line.len() - text.len() > 3 || !matches!(mark, '`' | '~') {
        return 0;
    }
    text.chars().take_while(|&c| c == mark).count()
}

fn fence_mark(line: &str) -> char {
    line.trim_start().chars().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn steps(text: &str) -> Vec<Act> {
        let script = Script::parse(text).unwrap().unwrap();
        script.steps.into_iter().map(|step| step.act).collect()
    }

    fn text(text: &str) -> Act {
        Act::Send(Payload::Text(text.into()))
    }

    #[test]
    fn blocks_are_steps_and_all_else_is_for_people() {
        let script = "\
# A title

```cell
x = 1
x
```
and then
```reply
1
```
~~~~ keys what they do
Up Enter
C-d
~~~~
```interrupt
```
  ```wait
done
  ```
````markdown
```cell
not this
```
````
``` cell``` is no block
";
        let keys = ["Up", "Enter", "C-d"].map(str::to_owned).to_vec();
        assert_eq!(
            steps(script),
            [
                text("x = 1\nx"),
                Act::Reply("1".into()),
                Act::Send(Payload::Keys(Keys(keys))),
                Act::Send(Payload::Interrupt(Box::new(Payload::poll()))),
                Act::Wait("done".into()),
            ]
        );
    }

    #[test]
    fn options_stand_at_the_beginning() {
        let script = "---\nrun: my-tui --demo\nsize: 80x24\n# a remark\ntimeout: 5\npager: page\n---\n```wait\nx\n```\n";
        let options = Script::parse(script).unwrap().unwrap().options;
        assert_eq!(
            options,
            Options {
                run: Some("my-tui --demo".into()),
                size: Some(Size { columns: 80, rows: 24 }),
                timeout: Duration::from_secs(5),
                paging: Paging::Page,
            }
        );
    }

    #[test]
    fn what_is_no_script_is_none() {
        for text in ["", "# Title\n", "---\nauthor: me\n---\n", "```python\n1\n```\n", "```rust\n"]
        {
            assert_eq!(Script::parse(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let wrong = |text: &str| Script::parse(text).unwrap_err().to_string();
        let with = |option: &str| format!("---\n{option}\n---\n```wait\nx\n```\n");
        assert_eq!(wrong("a\n```reply\n1\n"), "line 2: the block that begins here has no end");
        assert_eq!(wrong("```keys\n \n```\n"), "line 1: the `keys` block is empty");
        assert_eq!(wrong("---\nrun: x\n```wait\nx\n```\n").split(':').next(), Some("line 1"));
        assert_eq!(wrong(&with("run x")), "line 2: an option is `NAME: VALUE`");
        assert_eq!(wrong(&with("run:")), "line 2: `run` is a command");
        assert_eq!(wrong(&with("size: 0x5")), "line 2: `size` is columns and rows, `80x24`");
        assert_eq!(wrong(&with("timeout: 0")), "line 2: `timeout` is a number of seconds");
        assert!(wrong(&with("shell: x")).starts_with("line 2: there is no option `shell`"));
        for text in ["```cell\n1\n```\n", "```cell\n1\n```\n```reply\n...\n```\n"] {
            assert_eq!(wrong(text), ScriptError::CanNotFail.to_string());
        }
    }

    #[test]
    fn replies_are_put_into_their_places() {
        let script = "a\n```cell\n1\n```\n```reply\n```\nb\n```reply\nold\n```\nc\n";
        let parsed = Script::parse(script).unwrap().unwrap();
        let with = parsed.with_replies(&[(1, "new  \n```\n".into()), (2, "2\n".into())]);
        let expected = "a\n```cell\n1\n```\n````reply\nnew\n```\n````\nb\n```reply\n2\n```\nc\n";
        assert_eq!(with, expected);
        assert_eq!(steps(&with)[1..], [Act::Reply("new\n```".into()), Act::Reply("2".into())]);
        assert_eq!(parsed.with_replies(&[]), script);
    }

    proptest! {
        #[test]
        fn any_reply_is_read_as_it_was_put(reply in "[a`~ \n]{0,30}") {
            let parsed = Script::parse("```wait\nx\n```\n```reply\n```\n").unwrap().unwrap();
            let with = parsed.with_replies(&[(1, reply.clone())]);
            let Act::Reply(read) = &steps(&with)[1] else { panic!("{with}") };
            prop_assert!(pattern::matches(read, &reply), "{with}");
        }

        #[test]
        fn any_text_is_a_script_or_not(text in "([`~]{2,5}|cell|reply|wait|---|run:|\n|\\PC){0,20}") {
            let _ = Script::parse(&text);
        }
    }
}
