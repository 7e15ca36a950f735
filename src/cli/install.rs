//! `mcp-repl install` and `mcp-repl uninstall`: the server into the clients of this machine, and out of
//! them.

mod report;

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::{Args, FromArgMatches};

use self::report::Report;
use crate::{
    install::{self, Client, Plan, Scope, Server, State, Surroundings, Wanted},
    pty,
    sandbox::Holds,
};

/// What of the machine, and how.
#[derive(Debug, Args)]
struct Choice {
    /// The clients; without one, all that are on this machine.
    #[arg(value_name = "CLIENT")]
    clients: Vec<String>,
    /// All clients that are on this machine, as without names.
    #[arg(long, conflicts_with = "clients")]
    all: bool,
    /// The files of the project in the working directory, which may be shared with others, in place of
    /// your own.
    #[arg(long)]
    project: bool,
    /// Show what would change, as a difference, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    /// Print what is found and done as JSON. Needs `--yes` or `--dry-run`.
    #[arg(long)]
    json: bool,
}

/// What is put into which clients.
#[derive(Debug, Args)]
#[command(
    override_usage = "mcp-repl install [OPTIONS] [CLIENT]... [-- SERVER_OPTIONS...]",
    after_help = known()
)]
pub(super) struct InstallArguments {
    #[command(flatten)]
    choice: Choice,
    /// Have the client call the tool without asking you each time, where a file can say so.
    #[arg(long)]
    allow: bool,
    /// Also put the skill where the client looks for skills: how an agent works in the session.
    #[arg(long)]
    skill: bool,
    /// Replace an entry `repl` that starts something else. Otherwise it is left alone.
    #[arg(long)]
    replace: bool,
    /// Options that the client starts the server with: `-- --python .venv/bin/python --pager page`.
    #[arg(last = true, value_name = "SERVER_OPTIONS", allow_hyphen_values = true)]
    options: Vec<String>,
}

/// Which clients it is taken out of.
#[derive(Debug, Args)]
#[command(override_usage = "mcp-repl uninstall [OPTIONS] [CLIENT]...", after_help = known())]
pub(super) struct UninstallArguments {
    #[command(flatten)]
    choice: Choice,
}

/// The clients that are known, for people.
fn known() -> String {
    let names = install::clients().iter().map(|client| client.id.as_str());
    format!("Clients: {}.", names.collect::<Vec<_>>().join(", "))
}

/// Puts the server into clients. The exit status is 1 when one of those that were meant did not get it.
pub(super) fn install(arguments: &InstallArguments) -> Result<ExitCode, String> {
    let mut notes = check_options(&arguments.options)?;
    let around = surroundings()?;
    let name = std::env::args_os().next().unwrap_or_default();
    let file = std::env::current_exe()
        .map_err(|error| format!("the path of this program is unknown: {error}"))?;
    let starter = install::starter(&name, &file, &around).map_err(|error| error.to_string())?;
    let mut args = starter.server.args;
    args.extend(arguments.options.iter().cloned());
    let wanted = Wanted {
        server: Server { command: starter.server.command, args },
        allow: arguments.allow,
        skill: arguments.skill.then(super::skill::text),
        replace: arguments.replace,
        // It may be for others, who have the client.
        absent_too: !arguments.choice.clients.is_empty(),
    };
    let clients = arguments.choice.clients()?;
    let plan = Plan::install(&clients, arguments.choice.scope(), &wanted, &around);
    notes.extend(starter.note);
    arguments.choice.carry_out(plan, false, notes)
}

/// Takes the server out of clients. The exit status is 1 when one of those that were meant still has it.
pub(super) fn uninstall(arguments: &UninstallArguments) -> Result<ExitCode, String> {
    let around = surroundings()?;
    let clients = arguments.choice.clients()?;
    let plan = Plan::uninstall(&clients, arguments.choice.scope(), &around);
    arguments.choice.carry_out(plan, true, Vec::new())
}

fn surroundings() -> Result<Surroundings, String> {
    let around = Surroundings::of_process();
    around.ok_or_else(|| "there is no home directory (`HOME`), or no working directory".into())
}

/// Options are those of the server's own command line: a wrong one is told now, and not by the client.
/// Gives what a person should know of them.
fn check_options(options: &[String]) -> Result<Vec<String>, String> {
    let words = ["mcp-repl".to_owned()].into_iter().chain(options.iter().cloned());
    let wrong = |error: clap::Error| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        let first = first.strip_prefix("error: ").unwrap_or(first);
        match error.use_stderr() {
            true => format!("the options behind `--` are no server's: {first}"),
            false => "`--help` and `--version` start no server".to_owned(),
        }
    };
    let matches = super::command_line().try_get_matches_from(words).map_err(wrong)?;
    let arguments = super::Arguments::from_arg_matches(&matches).map_err(wrong)?;
    if arguments.command.is_some() {
        return Err("behind `--` stand options of the server, and no command".into());
    }
    arguments.worker.target()?;
    arguments.via.place()?;
    let python = arguments.worker.python.filter(|python| python.components().count() > 1);
    let relative = python.filter(|python| python.is_relative());
    let mut notes = Vec::from_iter(relative.map(|python| {
        format!(
            "{} is looked for in the directory in which a client starts the server: that of the project \
             for those in a terminal, any other for those with a window",
            python.display()
        )
    }));
    notes.extend(about_sandbox(arguments.session.sandbox.is_given(), &pty::sandbox_holds()));
    Ok(notes)
}

/// What to know where a server that was told of no sandbox starts no session, since the system has none.
fn about_sandbox(is_given: bool, holds: &[Holds]) -> Option<String> {
    let is_missing = !is_given && holds.iter().all(|holds| holds.state.is_err());
    is_missing.then(|| {
        "there is no sandbox on this system, and without one the server starts no session unless it is told to: \
         `mcp-repl install -- --sandbox off`"
            .to_owned()
    })
}

impl Choice {
    fn scope(&self) -> Scope {
        if self.project { Scope::Project } else { Scope::User }
    }

    fn clients(&self) -> Result<Vec<&'static Client>, String> {
        if self.json && !self.yes && !self.dry_run {
            return Err("--json asks nothing: add --yes, or --dry-run to change nothing".into());
        }
        if self.clients.is_empty() {
            return Ok(install::clients().iter().collect());
        }
        let mut clients: Vec<&'static Client> = Vec::new();
        for name in &self.clients {
            let client = install::client(name)
                .ok_or_else(|| format!("no client {name:?} is known. {}", known()))?;
            if !clients.iter().any(|one| one.id == client.id) {
                clients.push(client);
            }
        }
        Ok(clients)
    }

    /// Shows a plan, asks, and carries it out.
    fn carry_out(
        &self,
        plan: Plan,
        takes_out: bool,
        notes: Vec<String>,
    ) -> Result<ExitCode, String> {
        let mut report = Report::new(&plan, !self.clients.is_empty(), takes_out, notes);
        let out = &mut io::stdout().lock();
        if !self.json {
            let shown = report.plan(self.dry_run);
            // The stream may be closed, which must not be a panic.
            let _ = out.write_all(shown.as_bytes()).and_then(|()| out.flush());
        }
        let mut is_declined = false;
        if !self.dry_run && !plan.files.is_empty() {
            if self.yes || agreed(plan.files.len())? {
                report.apply();
            } else {
                is_declined = true;
            }
        }
        let shown = match self.json {
            true => report.json(),
            false if is_declined => "Nothing was written.\n".to_owned(),
            false => report.done(),
        };
        let _ = out.write_all(shown.as_bytes());
        Ok(if report.is_well() && !is_declined { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Asks whether the files are to be written.
fn agreed(files: usize) -> Result<bool, String> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err("nothing was written: there is no terminal to ask at; add --yes".into());
    }
    let files = if files == 1 { "this file".to_owned() } else { format!("these {files} files") };
    let _ = write!(io::stderr(), "Write {files}? [y/N] ");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|error| format!("no answer: {error}"))?;
    Ok(["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()))
}

/// Whether a client that was meant gets, or loses, what it should.
fn is_well(state: &State, is_named: bool) -> bool {
    match state {
        State::Changes | State::Nothing => true,
        State::Unreadable(_) | State::Conflict(_) => false,
        State::Absent | State::NoProjectFile => !is_named,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_without_a_sandbox_is_told_of_unless_one_was_chosen() {
        let holds =
            |state: Result<(), &str>| Holds { what: "files", state: state.map_err(Into::into) };
        let none = [holds(Err("none yet"))];
        assert!(about_sandbox(false, &none).is_some_and(|note| note.contains("-- --sandbox off")));
        assert_eq!(about_sandbox(true, &none), None);
        assert_eq!(about_sandbox(false, &[holds(Err("Linux 6.12")), holds(Ok(()))]), None);
    }
}
