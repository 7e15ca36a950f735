//! What `mcp-repl verify` says at its end.

use std::{fmt::Write, path::PathBuf, time::Duration};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// A file that was looked at.
#[derive(Debug)]
pub(super) struct Verified {
    /// Which.
    pub(super) file: PathBuf,
    /// What is wrong with it, in lines.
    pub(super) result: Result<(), String>,
    /// How long it took.
    pub(super) took: Duration,
}

/// What is wrong, file by file, and a line that counts.
pub(super) fn text(verified: &[Verified], took: Duration) -> String {
    let mut out = String::new();
    let mut failed = 0;
    for Verified { file, result, .. } in verified {
        if let Err(why) = result {
            failed += 1;
            let _ = writeln!(out, "FAILED {}: {}\n", file.display(), why.trim_end());
        }
    }
    let passed = verified.len() - failed;
    let _ = writeln!(out, "{passed} passed, {failed} failed in {:.1} s", took.as_secs_f64());
    out
}

/// The same as programs read it.
///
/// # Errors
/// When it can't be written down.
pub(super) fn junit(verified: &[Verified], took: Duration) -> Result<String, String> {
    let mut suite = TestSuite::new("mcp-repl verify");
    for Verified { file, result, took } in verified {
        let status = match result {
            Ok(()) => TestCaseStatus::success(),
            Err(why) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(why.lines().next().unwrap_or_default());
                status.set_description(why.clone());
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
