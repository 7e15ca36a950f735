//! What the sandbox is worth here: what this system holds of it, line by line, and whether a session
//! in it works; and the same of limits.

use std::{path::PathBuf, process::ExitCode};

use super::{LONGEST_TEXT, Report, Trouble, try_session};
use crate::{
    cli::{config, sandbox_options::sandbox, with_session},
    pty,
    sandbox::{Holds, Mode, Settings},
    session::{
        client::Handle,
        launch::{Target, gpus, strict},
        rules::state::Paging,
    },
};

/// Tries it with the program that runs without it.
pub(super) fn examine(target: &Target, report: &mut Report) {
    let settings = Settings { mode: Mode::WorkspaceWrite, ..Settings::default() };
    let tried = config(target.clone(), Paging::Through, LONGEST_TEXT).and_then(|mut config| {
        config.surroundings.sandbox = sandbox(settings, None);
        let mut result = Ok(());
        with_session(config, async |session: Handle| {
            result = try_session(&session, &mut Report::default()).await;
            Ok(ExitCode::SUCCESS)
        })?;
        result.map_err(|trouble: Trouble| trouble.to_string())
    });
    let mut holds = pty::sandbox_holds();
    holds.push(strict::holds());
    report.row("sandbox", lines(&holds, tried.as_ref().err(), &gpus()).join("\n"));
}

/// What holds of limits, which need no sandbox.
pub(super) fn limits(report: &mut Report) {
    report.row("limits", pty::limits_hold().iter().map(line).collect::<Vec<_>>().join("\n"));
}

fn line(Holds { what, state }: &Holds) -> String {
    match state {
        Ok(()) => format!("held: {what}"),
        Err(why) => format!("NOT held: {what}: {why}"),
    }
}

/// What there is to say of it.
fn lines(holds: &[Holds], trouble: Option<&String>, gpus: &[PathBuf]) -> Vec<String> {
    let mut lines = vec![match trouble {
        None => "ok, `--sandbox workspace-write` works here".to_owned(),
        Some(why) => format!("none here: {why}"),
    }];
    lines.extend(holds.iter().map(line));
    if !gpus.is_empty() {
        let names: Vec<_> = gpus.iter().map(|path| path.display().to_string()).collect();
        lines.push(format!("`--gpu` lets programs in it use {}", names.join(", ")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_a_line_with_why_it_is_not_held() {
        let held = Holds { what: "files", state: Ok(()) };
        let not = Holds { what: "signals", state: Err("Linux 6.12 and newer".into()) };
        assert_eq!(
            lines(&[held, not], None, &["/dev/kfd".into()]),
            [
                "ok, `--sandbox workspace-write` works here",
                "held: files",
                "NOT held: signals: Linux 6.12 and newer",
                "`--gpu` lets programs in it use /dev/kfd",
            ]
        );
        assert_eq!(lines(&[], Some(&"no Landlock".into()), &[]), ["none here: no Landlock"]);
    }
}
