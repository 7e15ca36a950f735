//! Recordings against what stands beside them, and against a session that runs.

use std::{
    fs::{self, File},
    io::{self, BufReader},
    path::Path,
};

use super::{
    report::Outcome,
    sessions::{Live, rules_of},
};
use crate::{
    session::{
        launch::Target,
        pipeline::Input,
        recording::{Answered, Recording},
    },
    verify::{
        diff::{Paint, diff},
        live::LiveError,
        recorded::{self, Difference, Problem},
        script::{Action, Expected, Step},
    },
};

/// What stands beside a recording has its name and this end.
const EXPECTED: &str = "reply.txt";

fn read(file: &Path) -> Result<Recording, String> {
    let lines = File::open(file).map_err(|error| error.to_string())?;
    Recording::read(BufReader::new(lines)).map_err(|error| error.to_string())
}

/// Whether a recording is as it should be.
pub(super) fn verify(file: &Path, accepts: bool, paint: Paint) -> Outcome {
    let recording = match read(file) {
        Ok(recording) => recording,
        Err(why) => return Outcome::Unreadable(why),
    };
    match problems(file, &recording, accepts, paint) {
        Ok(told) if told.is_empty() => Outcome::Passed,
        Ok(told) => Outcome::Differs(told),
        Err(why) => Outcome::Unreadable(why),
    }
}

/// What is wrong with a recording, in lines.
fn problems(
    file: &Path,
    recording: &Recording,
    accepts: bool,
    paint: Paint,
) -> Result<String, String> {
    let place = file.with_extension(EXPECTED);
    let expected = match fs::read_to_string(&place) {
        Ok(expected) => Some(expected),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(format!("{}: {error}", place.display())),
    };
    let mut problems = recorded::check(recording, expected.as_deref());
    if accepts {
        let is_settled = |problem: &Problem| {
            matches!(problem, Problem::Unexpected(_) | Problem::NothingExpected)
        };
        let count = problems.len();
        problems.retain(|problem| !is_settled(problem));
        if problems.len() < count {
            fs::write(&place, recorded::text(recording))
                .map_err(|error| format!("{}: {error}", place.display()))?;
        }
    }
    let told = problems.iter().map(|problem| words(problem, &place, paint));
    Ok(told.collect())
}

fn words(problem: &Problem, place: &Path, paint: Paint) -> String {
    let place = place.display();
    let (line, difference) = match problem {
        Problem::Empty => {
            ("nothing in it can fail: no call was answered, and nothing printed".into(), None)
        }
        Problem::Replies(difference) => {
            ("its replay gives other replies than were recorded".to_owned(), Some(difference))
        }
        Problem::Cuts(difference) => {
            ("what comes of it depends on where reads of the terminal end".into(), Some(difference))
        }
        Problem::Unexpected(difference) => (format!("it differs from {place}"), Some(difference)),
        Problem::NothingExpected => {
            (format!("there is no {place}, which says what is expected; --accept writes it"), None)
        }
    };
    let difference = difference
        .map(|Difference { expected, found }| diff(expected, found, paint))
        .unwrap_or_default();
    format!("{line}\n{difference}")
}

/// Whether a session that runs gives the replies that a recording has.
pub(super) fn verify_live(file: &Path, live: &Live, paint: Paint) -> Outcome {
    let checked = read(file).and_then(|recording| {
        let steps = steps(&recording, live)?;
        Ok((recording, steps, rules_of(file, None)?))
    });
    let (recording, steps, rules) = match checked {
        Ok(checked) => checked,
        Err(why) => return Outcome::Unreadable(why),
    };
    let found = match live.repeat(&recording, &steps) {
        Ok(found) => found,
        Err(error @ LiveError::TimedOut { .. }) => return Outcome::TimedOut(error.to_string()),
        Err(error) => return Outcome::Differs(error.to_string()),
    };
    let answered = recording.replies.iter().zip(found);
    let found: Vec<Answered> =
        answered.map(|(answered, text)| Answered { text, ..answered.clone() }).collect();
    let text = |replies: &[Answered]| rules.apply(&recorded::replies(&recording, replies));
    let (expected, found) = (text(&recording.replies), text(&found));
    if expected == found {
        return Outcome::Passed;
    }
    let difference = diff(&expected, &found, paint);
    Outcome::Differs(format!("a session that runs gives other replies\n{difference}"))
}

/// The calls of a recording and their replies, as steps whose lines are the numbers of calls.
fn steps(recording: &Recording, live: &Live) -> Result<Vec<Step>, String> {
    let refused = |why: &str| Err(format!("it can't be run again: {why}"));
    if recording.hides_typing {
        return refused("something that was typed is not in it");
    }
    let mut clients = recording.calls().map(|(_, client, _)| client);
    let client = clients.next();
    let is_typed = |input: &Input<'_>| matches!(input, Input::Keystrokes { .. });
    if clients.any(|other| Some(other) != client)
        || recording.inputs.iter().any(|(_, input)| is_typed(input))
    {
        return refused("several clients were in the session");
    }
    let runs_program = |input: &Input<'_>| matches!(input, Input::RunsProgram { .. });
    if recording.inputs.iter().any(|(_, input)| runs_program(input))
        && !matches!(live.target, Target::Program(..))
    {
        return refused("a program ran in place of Python; --run names it");
    }
    let mut steps = Vec::new();
    for (time, input) in &recording.inputs {
        let Input::Call { id, payload, deadline, .. } = input else { continue };
        let line = usize::try_from(*id).unwrap_or(usize::MAX);
        let timeout = Some(deadline.saturating_sub(*time));
        let payload = payload.clone();
        steps.push(Step { line, action: Action::Send { payload, timeout } });
        if recording.replies.iter().any(|answered| answered.call == *id) {
            let (text, place, indent) = (String::new(), 0..0, String::new());
            let expected = Expected { text, place, indent, fences: [0..0, 0..0] };
            steps.push(Step { line, action: Action::Reply(expected) });
        }
    }
    if recording.replies.is_empty() { refused("no reply is in it") } else { Ok(steps) }
}
