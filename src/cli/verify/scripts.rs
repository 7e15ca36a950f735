//! Scripts in Markdown, run and compared.

use std::{env, fs, io::Write, path::Path};

use super::{
    report::Outcome,
    sessions::{Live, Ran, rules_of},
};
use crate::{
    pty,
    session::{
        launch::{Sandbox, Target},
        recording::RecordingFile,
    },
    verify::{
        accept::accept,
        diff::{Paint, diff},
        live::LiveError,
        markdown::parse,
        pattern::Pattern,
        rules::Rules,
        script::{Action, Expected, Script},
    },
};

/// Whether a session gives the replies that a script has.
pub(super) fn verify(file: &Path, live: &Live, accepts: bool, paint: Paint) -> Outcome {
    let read = || {
        let source = fs::read_to_string(file).map_err(|error| error.to_string())?;
        let script = parse(&source).map_err(|error| error.to_string())?;
        let rules = rules_of(file, script.settings.rules.as_deref())?;
        Ok::<_, String>((source, script, rules))
    };
    let (source, script, rules) = match read() {
        Ok(read) => read,
        Err(why) => return Outcome::Unreadable(why),
    };
    if let Some(need) = script.settings.needs.iter().find(|need| !is_on_path(need)) {
        return Outcome::Skipped(format!("there is no `{need}` on PATH"));
    }
    let found = match live.run(&script, file) {
        Ok(Ran::Replies(found)) => found,
        Ok(Ran::TooOld(version)) => {
            return Outcome::Skipped(format!("Python {version} is too old for it"));
        }
        Err(error @ LiveError::TimedOut { .. }) => return Outcome::TimedOut(error.to_string()),
        Err(error) => return Outcome::Differs(error.to_string()),
    };
    let others = others(&script, &rules, found);
    if others.is_empty() {
        return Outcome::Passed;
    }
    if accepts {
        let new: Vec<_> = others.into_iter().map(|other| (other.expected, other.found)).collect();
        let written = accept(&source, &new).map_err(|error| error.to_string());
        let written = written.and_then(|text| replace(file, &source, &text));
        return written.map_or_else(Outcome::Differs, |()| Outcome::Passed);
    }
    let told = others.iter().map(|Other { line, expected, found }| {
        let (expected, found) = Pattern::new(&rules.apply(&expected.text)).beside(found);
        let difference = diff(&expected, &found, paint);
        format!("line {line}: the reply is another one\n{difference}")
    });
    Outcome::Differs(told.collect())
}

/// Runs a script in a session that is recorded. Gives the replies, whatever the script has.
///
/// # Errors
/// When it does not come to its end.
pub(in crate::cli) fn record(
    file: &Path,
    target: Target,
    recording: Option<RecordingFile>,
    sandbox: Option<Sandbox>,
) -> Result<Vec<String>, String> {
    let wrong = |why: String| format!("{}: {why}", file.display());
    let source = fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let script = parse(&source).map_err(|error| wrong(error.to_string()))?;
    match (Live { target, recording, sandbox }).run(&script, file) {
        Ok(Ran::Replies(replies)) => Ok(replies),
        Ok(Ran::TooOld(version)) => Err(wrong(format!("Python {version} is too old for it"))),
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// Puts a text in the place of what a file had when it was read. Who reads it meanwhile has the one or
/// the other.
fn replace(file: &Path, source: &str, text: &str) -> Result<(), String> {
    let file = fs::canonicalize(file).map_err(|error| error.to_string())?;
    let told = |error: std::io::Error| error.to_string();
    if fs::read_to_string(&file).map_err(told)? != source {
        return Err("it was changed while it ran; nothing was written".into());
    }
    let mut new =
        tempfile::NamedTempFile::new_in(file.parent().unwrap_or(Path::new("."))).map_err(told)?;
    new.write_all(text.as_bytes()).map_err(told)?;
    let permissions = fs::metadata(&file).map_err(told)?.permissions();
    fs::set_permissions(new.path(), permissions).map_err(told)?;
    new.persist(&file).map(drop).map_err(|error| error.to_string())
}

/// A reply that is not the one that is expected.
struct Other<'a> {
    line: usize,
    expected: &'a Expected,
    /// What came, with placeholders.
    found: String,
}

fn others<'a>(script: &'a Script, rules: &Rules, found: Vec<String>) -> Vec<Other<'a>> {
    let replies = script.steps.iter().filter_map(|step| match &step.action {
        Action::Reply(expected) => Some((step.line, expected)),
        _ => None,
    });
    let others = replies.zip(found).filter_map(|((line, expected), found)| {
        let found = rules.apply(&found);
        let is_expected = Pattern::new(&rules.apply(&expected.text)).matches(&found);
        (!is_expected).then_some(Other { line, expected, found })
    });
    others.collect()
}

fn is_on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|place| place.join(program)).any(|file| pty::is_executable(&file))
}
