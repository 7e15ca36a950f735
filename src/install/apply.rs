//! Writes what was planned: whole files or nothing, and never over what somebody wrote meanwhile.

use std::{
    fs, io,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::{
    change,
    entry::Server,
    find::{self, Entry, FileError},
    plan::{FileChange, backup_of},
    table::Client,
};

/// How long a client's own command may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most that is told of what such a command says, in characters.
const LONGEST: usize = 300;

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It can't be read any more.
    #[error(transparent)]
    File(#[from] FileError),
    /// What the system says.
    #[error("{}: {error}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// It has been written since it was read.
    #[error("{}: somebody else has changed it meanwhile; run it again", .0.display())]
    Changed(PathBuf),
    /// It may not be written.
    #[error("{}: it is read-only", .0.display())]
    ReadOnly(PathBuf),
}

impl FileChange {
    /// Makes the change, and gives what a person should know of it.
    ///
    /// # Errors
    /// When the file was not changed.
    pub fn apply(&self) -> Result<Vec<String>, ApplyError> {
        self.unchanged()?;
        let is_kept_now = self.is_kept_now();
        if is_kept_now {
            self.keep()?;
        }
        let done = self.carry_out();
        if done.is_err() && is_kept_now && self.unchanged().is_ok() {
            remove(&backup_of(&self.file))?;
        }
        done
    }

    fn carry_out(&self) -> Result<Vec<String>, ApplyError> {
        let mut notes = Vec::new();
        if let (Some((program, args)), Some((client, server, allow))) =
            (&self.command, &self.server)
        {
            let words: Vec<&str> = args.iter().map(String::as_str).collect();
            let said = ask(program, &words);
            if self.finish(client, server, *allow)? {
                return Ok(notes);
            }
            let why = said.err().unwrap_or_else(|| "it has not changed the file".into());
            notes.push(format!(
                "`{}` was of no use ({why}); the file was written",
                program.display()
            ));
            self.unchanged()?;
        }
        match &self.after {
            Some(text) => write(&self.file, self.before.is_some(), text)?,
            None => remove(&self.file)?,
        }
        if self.backup_goes {
            remove(&backup_of(&self.file))?;
        }
        // A skill has a directory of its own, which stays where there is more in it.
        if self.after.is_none() && self.file.ends_with("SKILL.md") {
            let _ = self.file.parent().map(fs::remove_dir);
        }
        if self.server.is_none() && self.after.is_some() && !self.backup_goes && !self.is_kept {
            let backup = backup_of(&self.file);
            if backup.exists() {
                notes.push(format!(
                    "what it was before the first change stays in {}",
                    backup.display()
                ));
            }
        }
        Ok(notes)
    }

    /// Whether the file is as it was when the change was planned.
    fn unchanged(&self) -> Result<(), ApplyError> {
        if find::read(&self.file)? == self.before {
            Ok(())
        } else {
            Err(ApplyError::Changed(self.file.clone()))
        }
    }

    /// Keeps the text from before.
    fn keep(&self) -> Result<(), ApplyError> {
        let backup = backup_of(&self.file);
        // With the file's own mode: it may have a secret in it.
        let copied = fs::copy(&self.file, &backup);
        copied.map(drop).map_err(|error| ApplyError::Io { file: backup, error })
    }

    /// Whether the client's command has put the server in; then what it leaves out is added.
    fn finish(&self, client: &Client, server: &Server, allow: bool) -> Result<bool, ApplyError> {
        let Some(text) = find::read(&self.file)? else { return Ok(false) };
        match find::entry_in(client, &text) {
            Ok(Some(Entry::Ours(is))) if is == *server => {}
            _ => return Ok(false),
        }
        match change::with_server(client, &text, server, allow, false) {
            Ok(changed) if changed.text != text => write(&self.file, true, &changed.text)?,
            _ => {}
        }
        Ok(true)
    }
}

fn remove(file: &Path) -> Result<(), ApplyError> {
    fs::remove_file(file).map_err(|error| ApplyError::Io { file: file.to_owned(), error })
}

/// Writes a file as a whole, with its own mode, at the end of links.
fn write(file: &Path, is_there: bool, text: &str) -> Result<(), ApplyError> {
    let failed = |error| ApplyError::Io { file: file.to_owned(), error };
    let target = if is_there { fs::canonicalize(file).map_err(failed)? } else { file.to_owned() };
    let directory = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(failed)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mcp-repl-").suffix(".tmp");
    // A new one gets the mode that any new file gets, and not a private one.
    let mut temporary =
        builder.make_in(directory, |path| fs::File::create_new(path)).map_err(failed)?;
    temporary.write_all(text.as_bytes()).map_err(failed)?;
    if is_there {
        let permissions = target.metadata().map_err(failed)?.permissions();
        if permissions.readonly() {
            return Err(ApplyError::ReadOnly(file.to_owned()));
        }
        temporary.as_file().set_permissions(permissions).map_err(failed)?;
    }
    temporary.as_file().sync_all().map_err(failed)?;
    let persisted =
        if is_there { temporary.persist(&target) } else { temporary.persist_noclobber(&target) };
    match persisted {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(ApplyError::Changed(file.to_owned()))
        }
        Err(error) => Err(failed(error.error)),
    }
}

/// Runs a client's own command.
fn ask(program: &Path, args: &[&str]) -> Result<(), String> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let (sender, receiver) = mpsc::channel();
    let outputs: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|out| Box::new(out) as _),
        child.stderr.take().map(|out| Box::new(out) as _),
    ];
    for mut output in outputs.into_iter().flatten() {
        let sender = sender.clone();
        thread::spawn(move || {
            let mut said = Vec::new();
            let _ = output.read_to_end(&mut said);
            let _ = sender.send(String::from_utf8_lossy(&said).into_owned());
        });
    }
    drop(sender);
    let mut said = String::new();
    // Both are at their end, or somebody holds them open.
    for _ in 0..2 {
        match receiver.recv_timeout(PATIENCE) {
            Ok(more) => said += &more,
            Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it did not end within {} seconds", PATIENCE.as_secs()));
            }
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() {
        return Ok(());
    }
    let said: String =
        said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect();
    Err(format!("{status}: {said}"))
}
