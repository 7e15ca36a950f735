//! What `mcp-repl verify` says at its end.

use std::{fmt::Write, path::PathBuf, time::Duration};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// A file that was looked at.
#[derive(Debug)]
pub(super) struct Verified {
    /// Which.
    pub(super) file: PathBuf,
    /// What came of it.
    pub(super) outcome: Outcome,
    /// How long it took.
    pub(super) took: Duration,
}

/// What came of a file; why, in lines.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is as it should be.
    Passed,
    /// It was not looked at.
    Skipped(String),
    /// It is not what is expected.
    Differs(String),
    /// What a script waits for did not come.
    TimedOut(String),
    /// It is none of those that can be looked at.
    Unreadable(String),
}

impl Outcome {
    /// What is wrong.
    fn failure(&self) -> Option<&str> {
        match self {
            Outcome::Passed | Outcome::Skipped(_) => None,
            Outcome::Differs(why) | Outcome::TimedOut(why) | Outcome::Unreadable(why) => Some(why),
        }
    }
}

/// What is wrong, file by file, and a line that counts.
pub(super) fn text(verified: &[Verified], took: Duration) -> String {
    let mut out = String::new();
    let (mut failed, mut skipped) = (0, 0);
    for Verified { file, outcome, .. } in verified {
        if let Outcome::Skipped(why) = outcome {
            skipped += 1;
            let _ = writeln!(out, "SKIPPED {}: {why}\n", file.display());
        }
        if let Some(why) = outcome.failure() {
            failed += 1;
            let _ = writeln!(out, "FAILED {}: {}\n", file.display(), why.trim_end());
        }
    }
    let passed = verified.len() - failed - skipped;
    let left_out = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    let took = took.as_secs_f64();
    let _ = writeln!(out, "{passed} passed, {failed} failed{left_out} in {took:.1} s");
    out
}

/// The same as programs read it.
///
/// # Errors
/// When it can't be written down.
pub(super) fn junit(verified: &[Verified], took: Duration) -> Result<String, String> {
    let mut suite = TestSuite::new("mcp-repl verify");
    for Verified { file, outcome, took } in verified {
        let status = match (outcome, outcome.failure()) {
            (Outcome::Skipped(why), _) => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(why.clone());
                status
            }
            (_, None) => TestCaseStatus::success(),
            (_, Some(why)) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(why.lines().next().unwrap_or_default());
                status.set_description(why);
                status
            }
        };
        let mut case = TestCase::new(file.display().to_string(), status);
        case.set_time(*took);
        suite.add_test_case(case);
    }
    suite.set_time(took);
    let mut report = Report::new("mcp-repl verify");
    report.set_time(took);
    report.add_test_suite(suite);
    report.to_string().map_err(|error| format!("no report: {error}"))
}
