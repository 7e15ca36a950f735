//! A settings file's text → what it says, or what is wrong with it and where. Pure.

use std::{
    ops::Range,
    path::{Component, Path, PathBuf},
};

use toml::de::{DeTable, DeValue};

use super::{Holds, Key, Known, Takes, Value, Written};
use crate::words;

/// What a file's texts are taken relative to.
#[derive(Debug, Clone, Copy)]
pub struct Base<'a> {
    /// The file's directory.
    pub directory: &'a Path,
    /// The user's home directory, for `~/`.
    pub home: Option<&'a Path>,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub text: String,
}

/// The settings of which one session has one: what runs in it.
const WHAT_RUNS: [&str; 3] = ["python", "worker", "run"];
/// The setting by which sessions are elsewhere.
const VIA: &str = "via";
/// The most that is shown of a name that nobody knows, in characters.
const LONGEST_NAME: usize = 60;

/// Reads a file. Each value is looked at by `check`, which says what is wrong with one.
///
/// # Errors
/// All that is wrong, in the order of lines.
pub fn parse(
    text: &str,
    known: &[Known],
    base: Base<'_>,
    check: &dyn Fn(&Key, &str) -> Result<(), String>,
) -> Result<Vec<Written>, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = DeTable::parse(text).map_err(|error| {
        let line = line_of(text, &error.span().unwrap_or_default());
        // Its own text would show the line, which may be of another file that this is a link to.
        vec![Problem { line, text: format!("this is no TOML: {}", one_line(error.message())) }]
    })?;
    let reader = Reader { text, known, base, check, is_elsewhere: says_via(document.get_ref()) };
    let (mut settings, mut problems) = (Vec::new(), Vec::new());
    let mut take = |read: Result<Written, Problem>| match read {
        Ok(setting) => settings.push(setting),
        Err(problem) => problems.push(problem),
    };
    for (name, value) in document.get_ref() {
        let key = |table: &str, name: &str| Key { table: table.into(), name: name.into() };
        let is_table = known.iter().any(|known| known.key.table == **name.get_ref());
        match value.get_ref() {
            DeValue::Table(table) if is_table => {
                for (below, value) in table {
                    let key = key(name.get_ref(), below.get_ref());
                    take(reader.setting(key, &below.span(), value.get_ref()));
                }
            }
            value => take(reader.setting(key("", name.get_ref()), &name.span(), value)),
        }
    }
    let mut runs = settings
        .iter()
        .filter(|setting| setting.key.table.is_empty() && WHAT_RUNS.contains(&&*setting.key.name));
    if let Some(first) = runs.next() {
        problems.extend(runs.map(|other| Problem {
            line: other.line,
            text: format!(
                "`{}` and `{}` of line {} both say what runs in a session: take one of them out",
                other.key, first.key, first.line
            ),
        }));
    }
    problems.sort_by_key(|problem| problem.line);
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}

fn says_via(document: &DeTable<'_>) -> bool {
    document.iter().any(|(name, _)| **name.get_ref() == *VIA)
}

/// Whether a setting says what runs in a session.
pub(super) fn is_what_runs(key: &Key) -> bool {
    key.table.is_empty() && WHAT_RUNS.contains(&&*key.name)
}

struct Reader<'a> {
    text: &'a str,
    known: &'a [Known],
    base: Base<'a>,
    check: &'a dyn Fn(&Key, &str) -> Result<(), String>,
    is_elsewhere: bool,
}

impl Reader<'_> {
    fn setting(
        &self,
        key: Key,
        span: &Range<usize>,
        value: &DeValue<'_>,
    ) -> Result<Written, Problem> {
        let line = line_of(self.text, span);
        let problem = |text: String| Problem { line, text };
        let known = self.known.iter().find(|known| known.key == key);
        let known = known.ok_or_else(|| problem(self.unknown(&key)))?;
        // Where sessions are elsewhere is said by a command of this machine.
        let is_elsewhere = self.is_elsewhere && known.holds != Holds::Text && known.key.name != VIA;
        let text = |value: &DeValue<'_>| -> Result<String, Problem> {
            let text = scalar(value).ok_or_else(|| problem(wrong_type(known, value)))?;
            let text = if is_elsewhere { text } else { self.resolved(known.holds, text) };
            match (self.check)(&key, &text) {
                Ok(()) => Ok(text),
                Err(why) => {
                    Err(problem(format!("`{key} = {}`: {}", quoted(&text), one_line(&why))))
                }
            }
        };
        let value = match (known.takes, value) {
            (Takes::Nothing | Takes::MaybeValue, DeValue::Boolean(given)) => Value::Given(*given),
            // `--record-input yes`, say.
            (Takes::Value, DeValue::Boolean(yes))
                if ["yes", "no"].iter().all(|word| (self.check)(&key, word).is_ok()) =>
            {
                Value::Texts(vec![if *yes { "yes" } else { "no" }.into()])
            }
            (Takes::Values, DeValue::Array(values)) => {
                let texts = values.iter().map(|value| text(value.get_ref()));
                Value::Texts(texts.collect::<Result<_, _>>()?)
            }
            (Takes::Nothing, value) => return Err(problem(wrong_type(known, value))),
            (Takes::Value | Takes::MaybeValue | Takes::Values, value) => {
                Value::Texts(vec![text(value)?])
            }
        };
        let (holds, is_list) = (known.holds, known.takes == Takes::Values);
        Ok(Written { key, value, line, holds, is_list, is_elsewhere })
    }

    /// What is said of a name that is none of a setting's.
    fn unknown(&self, key: &Key) -> String {
        let shown: String = one_line(&key.to_string()).chars().take(LONGEST_NAME).collect();
        let elsewhere = self
            .known
            .iter()
            .find(|known| known.key.name == key.name && known.key.table != key.table);
        let hint = match (elsewhere, nearest(self.known, key)) {
            (Some(known), _) if known.key.table.is_empty() => {
                format!("; it stands at the top of the file, before `[{}]`", key.table)
            }
            (Some(known), _) => format!("; it stands in the table `[{}]`", known.key.table),
            (None, Some(near)) => format!("; `{near}` is the nearest there is"),
            (None, None) => {
                "; settings are called as the long options of `mcp-repl --help` are".into()
            }
        };
        format!("there is no setting `{shown}`{hint}")
    }

    /// A value whose relative path is one of the file's directory, and `~/` the home directory.
    fn resolved(&self, holds: Holds, text: String) -> String {
        let path = |text: &str| self.path(text);
        match holds {
            Holds::Text => text,
            Holds::Path if text.is_empty() => text,
            Holds::Path => path(&text),
            Holds::Program if is_path(&text) => path(&text),
            Holds::Program => text,
            Holds::Command => match words::split(&text) {
                Ok(mut words) if words.first().is_some_and(|first| is_path(first)) => {
                    words[0] = path(&words[0]);
                    shell_words::join(words)
                }
                // What can't be split is refused by its check.
                _ => text,
            },
        }
    }

    fn path(&self, text: &str) -> String {
        let place = match (text.strip_prefix("~/"), self.base.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.base.directory.join(text),
        };
        // `./x` is `x` there; `..` stays, since it may lead through a link.
        let plain: PathBuf = place.components().filter(|part| *part != Component::CurDir).collect();
        plain.to_string_lossy().into_owned()
    }
}

/// Whether a program is named by its path.
fn is_path(text: &str) -> bool {
    Path::new(text).components().count() > 1 || text.starts_with("~/")
}

/// What stands for a value on a command line.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|n| n.to_string())
        }
        _ => None,
    }
}

fn wrong_type(known: &Known, value: &DeValue<'_>) -> String {
    let is = match value {
        DeValue::Table(_) => "a table",
        DeValue::Array(_) => "a list",
        DeValue::Boolean(_) => "true or false",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Integer(_) => "a number",
        DeValue::Datetime(_) => "a date or time",
        DeValue::String(_) => "a text",
    };
    let wants = match known.takes {
        Takes::Nothing => "true or false",
        Takes::Value => "a text (in quotes), or a whole number",
        Takes::MaybeValue => "a text (in quotes), or true or false",
        Takes::Values => "a list of texts: [\"...\", \"...\"]",
    };
    format!("`{}` is {is} here, and wants {wants}", known.key)
}

/// The setting whose name is the nearest to one that is none.
fn nearest<'a>(known: &'a [Known], key: &Key) -> Option<&'a Key> {
    let plain = |name: &str| name.replace('_', "-").to_lowercase();
    let wanted = plain(&key.name);
    let distance = |known: &&Known| strsim::damerau_levenshtein(&plain(&known.key.name), &wanted);
    let near = known.iter().min_by_key(|known| (distance(known), known.key.table != key.table))?;
    let most = 1 + wanted.chars().count() / 4;
    (wanted.len() <= LONGEST_NAME && distance(&near) <= most).then_some(&near.key)
}

/// The line of a place in a text, from 1.
fn line_of(text: &str, span: &Range<usize>) -> usize {
    let before = text.as_bytes().get(..span.start).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

/// A value as TOML has it, shortened.
fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(2 * LONGEST_NAME).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("{:?}", shown + more)
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<Known> {
        let one = |key: &str, takes, holds| {
            let (table, name) = key.split_once('.').unwrap_or(("", key));
            Known { key: Key { table: table.into(), name: name.into() }, takes, holds }
        };
        vec![
            one("pager", Takes::Value, Holds::Text),
            one("reply-size", Takes::Value, Holds::Text),
            one("record-input", Takes::Value, Holds::Text),
            one("keep", Takes::MaybeValue, Holds::Text),
            one("via", Takes::Value, Holds::Command),
            one("via-install", Takes::Nothing, Holds::Text),
            one("python", Takes::Value, Holds::Program),
            one("worker", Takes::Value, Holds::Command),
            one("record", Takes::Value, Holds::Path),
            one("deny-read", Takes::Values, Holds::Path),
            one("attach.keys", Takes::Value, Holds::Text),
        ]
    }

    fn check(key: &Key, value: &str) -> Result<(), String> {
        let is_right = match &*key.name {
            "pager" => ["page", "plain"].contains(&value),
            "record-input" => ["yes", "no"].contains(&value),
            "reply-size" => value.parse::<u32>().is_ok(),
            _ => true,
        };
        if is_right { Ok(()) } else { Err("it is something else".into()) }
    }

    fn read(text: &str) -> Result<Vec<Written>, Vec<Problem>> {
        let base = Base { directory: Path::new("/p"), home: Some(Path::new("/home/ada")) };
        parse(text, &known(), base, &check)
    }

    /// Each setting of a text, as `KEY=VALUE:LINE`.
    #[track_caller]
    fn settings(text: &str) -> Vec<String> {
        let read = read(text).unwrap();
        read.iter().map(|one| format!("{}={}:{}", one.key, one.value, one.line)).collect()
    }

    /// What is wrong with a text, as `LINE: TEXT`.
    #[track_caller]
    fn problems(text: &str) -> Vec<String> {
        let problems = read(text).unwrap_err();
        problems.iter().map(|problem| format!("{}: {problem}", problem.line)).collect()
    }

    #[test]
    fn settings_are_options_by_their_long_names() {
        let text = "\u{feff}# mine\r\npager = \"page\"\r\nreply-size = 20_000\r\nkeep = true\r\n\
                    record-input = false\r\nvia-install=false\r\n\r\n[attach]\r\nkeys = 'vi'\r\n";
        assert_eq!(
            settings(text),
            [
                "pager=page:2",
                "reply-size=20000:3",
                "keep=true:4",
                "record-input=no:5",
                "via-install=false:6",
                "attach.keys=vi:9"
            ]
        );
        assert_eq!(settings("attach.keys = 'vi'\nkeep = '8h'"), ["attach.keys=vi:1", "keep=8h:2"]);
        assert_eq!(settings("reply-size = 0x4000"), ["reply-size=16384:1"]);
        assert_eq!(settings(""), [""; 0]);
    }

    #[test]
    fn relative_paths_are_of_the_files_directory() {
        assert_eq!(settings("python = 'python3.12'"), ["python=python3.12:1"]);
        assert_eq!(settings("python = '.venv/bin/python'"), ["python=/p/.venv/bin/python:1"]);
        assert_eq!(settings("python = './a/../b'"), ["python=/p/a/../b:1"]);
        assert_eq!(settings("python = '~/x'"), ["python=/home/ada/x:1"]);
        assert_eq!(settings("python = '/x'"), ["python=/x:1"]);
        assert_eq!(settings("record = 'casts'"), ["record=/p/casts:1"]);
        assert_eq!(settings("worker = './w -x \"a b\"'"), ["worker=/p/w -x 'a b':1"]);
        assert_eq!(settings("worker = 'node w.js'"), ["worker=node w.js:1"]);
        assert_eq!(
            settings("deny-read = ['a', '~/.ssh', '/b']"),
            ["deny-read=/p/a, /home/ada/.ssh, /b:1"]
        );
        // What is said of another machine is no path of this one.
        let there = read("via = 'ssh gpu'\npython = 'a/b'\npager = 'page'").unwrap();
        let elsewhere: Vec<bool> = there.iter().map(|one| one.is_elsewhere).collect();
        assert_eq!(there[1].value, Value::Texts(vec!["a/b".into()]));
        assert_eq!(elsewhere, [false, true, false]);
    }

    #[test]
    fn what_is_wrong_has_its_line_and_all_is_told_at_once() {
        assert_eq!(
            problems("pager = 'pgae'\n\nreply-size = 1.5\n[attach]\nkeys = []\n"),
            [
                "1: `pager = \"pgae\"`: it is something else",
                "3: `reply-size` is a number with a fraction here, and wants a text (in quotes), \
                 or a whole number",
                "5: `attach.keys` is a list here, and wants a text (in quotes), or a whole number",
            ]
        );
        for (text, said) in [
            (
                "x = 'a'",
                "1: there is no setting `x`; settings are called as the long options of \
                         `mcp-repl --help` are",
            ),
            ("pagr = 'page'", "1: there is no setting `pagr`; `pager` is the nearest there is"),
            (
                "reply_size = 1",
                "1: there is no setting `reply_size`; `reply-size` is the nearest \
                                there is",
            ),
            ("keys = 'vi'", "1: there is no setting `keys`; it stands in the table `[attach]`"),
            (
                "[attach]\npager = 'page'",
                "2: there is no setting `attach.pager`; it stands at the \
                                          top of the file, before `[attach]`",
            ),
            (
                "[attach]\nkey = 'vi'",
                "2: there is no setting `attach.key`; `attach.keys` is the \
                                      nearest there is",
            ),
            (
                "[exec]\njson = true",
                "1: there is no setting `exec`; settings are called as the long \
                                     options of `mcp-repl --help` are",
            ),
            (
                "attach = 1",
                "1: there is no setting `attach`; settings are called as the long options \
                            of `mcp-repl --help` are",
            ),
            ("via-install = 'yes'", "1: `via-install` is a text here, and wants true or false"),
            (
                "pager = true",
                "1: `pager` is true or false here, and wants a text (in quotes), or a \
                              whole number",
            ),
            (
                "python = 'a'\nworker = 'b'",
                "2: `worker` and `python` of line 1 both say what runs in \
                                            a session: take one of them out",
            ),
            (
                "reply-size = 99999999999999999999",
                "1: `reply-size` is a number here, and wants a \
                                                   text (in quotes), or a whole number",
            ),
        ] {
            assert_eq!(problems(text), [said]);
        }
    }

    /// What is in files, more or less.
    const PIECES: [&str; 20] = [
        "pager", "keys", "attach", "[", "]", "=", "'", "\"", "\"\"\"", "\n", "\r", ".", " ", "#",
        "{", "}", "1_0", "true", "\u{feff}", "é",
    ];

    proptest::proptest! {
        #[test]
        fn whatever_is_in_a_file_it_is_read_or_told(
            pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..40),
            other in ".*",
        ) {
            for text in [pieces.concat(), other] {
                let lines = 1 + text.matches('\n').count();
                match read(&text) {
                    Ok(settings) => assert!(settings.iter().all(|one| one.line <= lines)),
                    Err(problems) => assert!(problems.iter().all(|one| {
                        (1..=lines).contains(&one.line) && !one.text.contains('\n')
                    })),
                }
            }
        }
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line_and_without_its_text() {
        for (text, line) in [
            ("pager = 'page'\nsecret: hunter2\n", 2),
            ("pager = 'page'\npager = 'plain'\n", 2),
            ("\n[attach\n", 2),
            ("pager = \"", 1),
            ("\0", 1),
            ("a = [", 1),
        ] {
            let problems = read(text).unwrap_err();
            assert_eq!(problems[0].line, line, "{text:?}: {problems:?}");
            assert!(problems[0].text.starts_with("this is no TOML: "), "{problems:?}");
            assert!(!problems[0].text.contains("hunter2"), "{problems:?}");
        }
        // Nothing is too deep.
        let deep = format!("a = {}", "[".repeat(50_000));
        assert!(read(&deep).is_err());
        assert!(read(&format!("{} = 1", "k".repeat(60_000))).unwrap_err()[0].text.len() < 300);
    }
}
