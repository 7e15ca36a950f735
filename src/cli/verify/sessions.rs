//! The sessions in which scripts and recorded calls are run.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::super::{LONGEST_EDGE, config, picture_limit, with_session, words};
use crate::{
    pty,
    reply::{BUDGET, Budget},
    screen::Size,
    session::{
        engine::Attachments,
        launch::{Sandbox, Surroundings, Target},
        recording::{Recording, RecordingFile},
        rules::state::Paging,
    },
    verify::{
        live::{LiveError, Player},
        rules::Rules,
        script::{Action, Script, Step, Version},
    },
};

/// How long a step may take that says nothing of it.
const LIMIT: Duration = Duration::from_secs(30);
/// The file of rules beside or above a script.
const RULES: &str = "rules.toml";

/// Whether this process was asked to end, and begins no more.
static STOPPED: AtomicBool = AtomicBool::new(false);

/// Whether this process was asked to end while a session ran.
pub(super) fn is_stopped() -> bool {
    STOPPED.load(Ordering::Relaxed)
}

/// What sessions are made of.
#[derive(Debug)]
pub(super) struct Live {
    /// What runs where a script says nothing of it.
    pub(super) target: Target,
    /// The file that they are recorded in, if they are.
    pub(super) recording: Option<RecordingFile>,
    /// What it may reach, where that is not all.
    pub(super) sandbox: Option<Sandbox>,
}

/// What came of a script that was run.
#[derive(Debug)]
pub(super) enum Ran {
    /// The replies, in order.
    Replies(Vec<String>),
    /// This Python is too old for it.
    TooOld(Version),
}

/// What a session is like.
struct Form {
    target: Target,
    paging: Paging,
    budget: Budget,
    size: Size,
    /// Where it works, if not in an empty directory.
    directory: Option<PathBuf>,
    recording: Option<RecordingFile>,
    sandbox: Option<Sandbox>,
}

impl Live {
    /// Those of this program.
    pub(super) fn new(target: Target) -> Live {
        Live { target, recording: None, sandbox: None }
    }

    /// Runs the script of a file in a fresh session.
    ///
    /// # Errors
    /// When it does not come to its end.
    pub(super) fn run(&self, script: &Script, file: &Path) -> Result<Ran, LiveError> {
        let settings = &script.settings;
        let beside = |name: &String| file.parent().unwrap_or(Path::new("")).join(name);
        let directory = settings.directory.as_ref().map(beside).map(fs::canonicalize).transpose();
        let directory = directory.map_err(|error| LiveError::Failed {
            line: 1,
            why: format!("the directory that it names: {error}"),
        })?;
        let target = match &settings.run {
            Some(command) => {
                words("run", command).map(|(file, words)| Target::Program(file, words))
            }
            None => Ok(self.target.clone()),
        };
        let target = target.map_err(|why| LiveError::Failed { line: 1, why })?;
        let is_program = matches!(target, Target::Program(..));
        let size = settings.size.unwrap_or_default();
        let (paging, budget) = (Paging::Through, BUDGET.into());
        let recording = self.recording.clone();
        let sandbox = self.sandbox.clone();
        let form = Form { target, paging, budget, size, directory, recording, sandbox };
        let limit = settings.timeout.unwrap_or(LIMIT);
        let first = script.steps.first().map_or(1, |step| step.line);
        in_session(form, limit, async |session, player| {
            // A program that goes on by itself asks for nothing: what it shows is waited for.
            let waits = matches!(script.steps.first(), Some(Step { action: Action::Wait(_), .. }));
            if is_program && waits {
                player.begin_awaited(first);
            } else if is_program || settings.python.is_some() {
                player.begin(first).await?;
            }
            if let Some(least) = &settings.python
                && let Some(worker) = session.worker().await
                && let Some(version) = Version::parse(&worker.version)
                && version < *least
            {
                return Ok(Ran::TooOld(version));
            }
            player.play(&script.steps).await.map(Ran::Replies)
        })
    }

    /// Makes the calls of a recording in a fresh session. Gives the replies.
    ///
    /// # Errors
    /// When they are not all answered.
    pub(super) fn repeat(
        &self,
        recording: &Recording,
        steps: &[Step],
    ) -> Result<Vec<String>, LiveError> {
        let settings = &recording.settings;
        let form = Form {
            target: self.target.clone(),
            paging: settings.paging,
            budget: settings.budget,
            size: recording.header.size,
            directory: None,
            recording: None,
            sandbox: self.sandbox.clone(),
        };
        // Calls that were recorded to wait for ever are given up all the same.
        let shortened = steps.iter().cloned().map(|mut step| {
            if let Action::Send { timeout, .. } = &mut step.action {
                *timeout = timeout.filter(|timeout| *timeout < LIMIT);
            }
            step
        });
        let steps: Vec<Step> = shortened.collect();
        in_session(form, LIMIT, async |_, player| player.play(&steps).await)
    }
}

/// Runs `play` with a fresh session, in a directory that is empty, or the one that is wanted, and an environment that is the same
/// everywhere.
fn in_session<T>(
    form: Form,
    limit: Duration,
    play: impl AsyncFnOnce(&crate::session::client::Handle, &mut Player) -> Result<T, LiveError>,
) -> Result<T, LiveError> {
    let failed = |why: String| LiveError::Failed { line: 1, why };
    let place = tempfile::tempdir().map_err(|error| failed(error.to_string()))?;
    let inside = |name: &str| {
        let path = place.path().join(name);
        fs::create_dir(&path).map(|()| path).map_err(|error| failed(error.to_string()))
    };
    let (directory, home) = (inside("work")?, inside("home")?);
    let mut config = config(form.target, form.paging, form.budget).map_err(failed)?;
    config.size = form.size;
    config.recording = form.recording;
    let directory = form.directory.unwrap_or(directory);
    config.surroundings = Surroundings::pinned(&directory, &home);
    config.surroundings.sandbox = form.sandbox;
    config.attachments = Attachments::Kept(picture_limit(LONGEST_EDGE));
    let played = with_session(config, async |session| {
        let all = async {
            let mut player =
                Player::new(&session, form.size, limit).await.ok_or(LiveError::Gone)?;
            play(&session, &mut player).await
        };
        Ok(tokio::select! {
            played = all => played,
            _ = pty::asked_to_end() => {
                STOPPED.store(true, Ordering::Relaxed);
                Err(failed("this program was asked to end".into()))
            }
        })
    });
    played.map_err(failed)?
}

/// The rules for a file: of `rules.toml` beside it or above, else those built in; of them, those of
/// these names, or all.
pub(super) fn rules_of(file: &Path, names: Option<&[String]>) -> Result<Rules, String> {
    let whole = fs::canonicalize(file).map_err(|error| error.to_string())?;
    let places = whole.ancestors().skip(1).map(|place| place.join(RULES));
    let rules = match places.into_iter().find(|place| place.is_file()) {
        Some(place) => {
            let wrong = |why: String| format!("{}: {why}", place.display());
            let text = fs::read_to_string(&place).map_err(|error| wrong(error.to_string()))?;
            Rules::parse(&text).map_err(|error| wrong(error.to_string()))?
        }
        None => Rules::built_in().map_err(|error| error.to_string())?,
    };
    match names {
        Some(names) => rules.named(names).map_err(|error| error.to_string()),
        None => Ok(rules),
    }
}
