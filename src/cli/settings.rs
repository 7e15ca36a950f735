//! Settings of files: which options they may say, and what they say put beneath the command line and its
//! variables.

use std::{
    any::TypeId,
    env,
    error::Error as _,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches, parser::ValueSource};

use super::{Arguments, Command as Subcommand, state::state_directory, words};
use crate::{
    install::Surroundings,
    remote::via::ViaCommand,
    reply::{Notice, printable},
    settings::{
        self, Base, Files, Holds, Key, Known, Layers, Level, Origin, Places, Problem, Setting,
        State, Takes, Trust, Value, Written, at,
    },
};

/// The variable that says which Python runs, which no option's definition names.
pub(super) const PYTHON: &str = "MCP_REPL_PYTHON";
/// Where the consents are, in the user's state directory.
const TRUSTED: &str = "trusted";
/// The options of subcommands alone that are settings, each in the table of its subcommand: how somebody
/// likes it, and not what is to be done.
const TABLES: [(&str, &[&str]); 1] =
    [("attach", &["escape-key", "keys", "no-pictures", "no-status"])];

/// What files say.
#[derive(Debug)]
pub(super) struct Found {
    /// Where they were looked for.
    pub(super) places: Places,
    /// The files.
    pub(super) files: Files,
    /// What they say together.
    pub(super) layers: Layers,
}

/// A part of the files that is not in use, though it is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotInUse {
    /// Which.
    pub(super) what: String,
    /// Why.
    pub(super) why: String,
    /// What the user can do.
    pub(super) remedy: Option<String>,
}

/// Which settings a command line has a use for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use<'a> {
    /// The subcommand; `None` of the server.
    pub(super) subcommand: Option<&'a str>,
    /// Whether files say what runs in its session; else something else does.
    pub(super) runs: bool,
    /// Whether it starts sessions: files say where they are recorded.
    pub(super) starts: bool,
    /// Whether files say where sessions are.
    pub(super) leads_elsewhere: bool,
    /// Whether the command line says where sessions are.
    pub(super) is_elsewhere: bool,
}

/// What the user has consented to.
pub(super) fn trust() -> Trust {
    Trust::in_directory(state_directory().map(|state| state.join(TRUSTED)))
}

impl Found {
    /// Looks for the files, and reads them.
    pub(super) fn look(command: &Command) -> Found {
        Found::in_places(command, places(), &trust())
    }

    fn in_places(command: &Command, places: Places, trust: &Trust) -> Found {
        let options = options(command);
        let files = settings::find(&places, &known_of(&options), &checks(&options), trust);
        let layers = settings::layers(&files);
        Found { places, files, layers }
    }

    /// What is wrong with the files, a line each; nothing of them holds then.
    pub(super) fn problems(&self) -> Vec<String> {
        self.problems_of(|_| true)
    }

    /// What is wrong with the user's own file.
    fn problems_of_user(&self) -> Vec<String> {
        self.problems_of(|level| level == Level::User)
    }

    fn problems_of(&self, counts: impl Fn(Level) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        for file in self.files.all().filter(|file| counts(file.level)) {
            let path = file.path.display();
            match &file.state {
                State::Broken(problems) => lines.extend(problems_of(&file.path, problems)),
                State::Unreadable(why) if file.level == Level::User => {
                    lines.push(format!("{path}: {why}"));
                }
                State::Foreign(why) if file.level == Level::User => {
                    lines.push(format!("{path}: {why}; {}", has_it_count(&path.to_string())));
                }
                State::Read { .. } | State::Unreadable(_) | State::Foreign(_) => {}
            }
        }
        lines.iter().map(|line| printable(line)).collect()
    }

    /// Those that hold for a command line.
    pub(super) fn holding(&self, command: &Command, usage: &Use<'_>) -> Vec<&Setting> {
        let via = self.layers.settings.iter().find(|setting| setting.key.name == "via");
        // A place that no file names has no settings in any.
        let nowhere = Path::new("");
        let via = match (usage.is_elsewhere, via) {
            (true, _) => Some(nowhere),
            (false, Some(via)) if usage.leads_elsewhere => Some(via.file()),
            (false, _) => None,
        };
        let is_of_all = |setting: &Setting| setting.is_what_runs() || is_via(&setting.key);
        let holds = |setting: &&Setting| {
            let is_meant = !is_of_all(setting) || has(command, usage.subcommand, &setting.key);
            is_meant && usage.is_for(setting) && setting.is_of(via)
        };
        self.layers.settings.iter().filter(holds).collect()
    }

    /// What of the project's file is not in use, of what `is_wanted`.
    pub(super) fn not_in_use(&self, is_wanted: impl Fn(&Setting) -> bool) -> Vec<NotInUse> {
        let mut all = Vec::new();
        let Some(project) = &self.files.project else { return all };
        let path = printable(&project.path.to_string_lossy());
        match &project.state {
            State::Unreadable(why) => {
                all.push(NotInUse { what: path.clone(), why: why.clone(), remedy: None });
            }
            State::Foreign(why) => all.push(NotInUse {
                what: path.clone(),
                why: why.clone(),
                remedy: Some(has_it_count(&path)),
            }),
            State::Broken(problems) => {
                let first = problems.first().map(ToString::to_string).unwrap_or_default();
                let line = problems.first().map_or(1, |problem| problem.line);
                all.push(NotInUse {
                    what: printable(&at(&project.path, line)),
                    why: printable(&format!(
                        "{first}; until that is right, no session is started here"
                    )),
                    remedy: None,
                });
            }
            State::Read { .. } => {}
        }
        let withheld: Vec<String> = self
            .layers
            .withheld
            .iter()
            .filter(|one| is_wanted(one))
            .map(|setting| format!("`{}`", setting.key))
            .collect();
        if !withheld.is_empty() {
            all.push(NotInUse {
                what: format!("{} in {path}", withheld.join(", ")),
                why: "a project may not say that without the user's consent".into(),
                remedy: Some("`mcp-repl config` shows it, `mcp-repl config trust` consents".into()),
            });
        }
        all
    }
}

fn has_it_count(path: &str) -> String {
    format!("`mcp-repl config trust {}` has it count as it is now", shell_words::quote(path))
}

impl std::fmt::Display for NotInUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not in use: {}: {}", self.what, self.why)?;
        self.remedy.iter().try_for_each(|remedy| write!(f, "; {remedy}"))
    }
}

impl NotInUse {
    /// The same for an agent, who is to leave it to the user.
    pub(super) fn notice(&self) -> Notice {
        let consent = "; they give it in a terminal of their own: mcp-repl config trust";
        let by_whom = if self.remedy.is_some() { consent } else { "" };
        Notice::NotInUse { what: self.what.clone(), why: format!("{}{by_whom}", self.why) }
    }
}

impl Use<'_> {
    /// Whether the command line has a use for a setting, but for what the subcommand has no option for.
    fn is_for(&self, setting: &Setting) -> bool {
        match &*setting.key.name {
            _ if setting.is_what_runs() => self.runs,
            "record" | "record-input" | "record-format" => self.starts,
            _ if is_via(&setting.key) => self.leads_elsewhere && !self.is_elsewhere,
            _ => true,
        }
    }

    /// Whether it would make a difference here what a setting says.
    pub(super) fn wants(&self, command: &Command, setting: &Setting) -> bool {
        self.is_for(setting)
            && setting.is_of(self.is_elsewhere.then_some(Path::new("")))
            && has(command, self.subcommand, &setting.key)
    }
}

/// Whether a setting says where sessions are.
fn is_via(key: &Key) -> bool {
    ["via", "via-install"].contains(&&*key.name)
}

/// Where files are looked for by this process.
fn places() -> Places {
    let directory = env::current_dir().ok();
    // Without a working directory the user's own file holds all the same.
    let around = Surroundings::in_directory(directory.clone().unwrap_or_default());
    Places {
        user: around.as_ref().map(Surroundings::settings_file),
        directory,
        home: around.map(|around| around.home),
    }
}

/// The options that are settings.
pub(super) fn options(command: &Command) -> Vec<(Known, Arg)> {
    let mut options = Vec::new();
    for argument in command.get_arguments().filter(|argument| is_setting(argument)) {
        options.extend(known("", argument).map(|known| (known, argument.clone())));
    }
    for (table, names) in TABLES {
        let arguments = command.find_subcommand(table).into_iter().flat_map(Command::get_arguments);
        for argument in arguments {
            if argument.get_long().is_some_and(|long| names.contains(&long)) {
                options.extend(known(table, argument).map(|known| (known, argument.clone())));
            }
        }
    }
    options
}

fn known_of(options: &[(Known, Arg)]) -> Vec<Known> {
    options.iter().map(|(known, _)| known.clone()).collect()
}

/// How values are looked at.
fn checks(options: &[(Known, Arg)]) -> impl Fn(&Key, &str) -> Result<(), String> {
    |key, value| {
        let option = options.iter().find(|(known, _)| known.key == *key);
        option.map_or(Ok(()), |(known, argument)| check(known, argument, value))
    }
}

/// What a file with this in it says, if it is right.
///
/// # Errors
/// All that is wrong, a line each.
pub(super) fn read(command: &Command, file: &Path, bytes: &[u8]) -> Result<Vec<Written>, String> {
    let options = options(command);
    let home = places().home;
    let base = Base { directory: file.parent().unwrap_or(file), home: home.as_deref() };
    let read = settings::parse_bytes(bytes, &known_of(&options), base, &checks(&options));
    read.map_err(|problems| problems_of(file, &problems).join("\n"))
}

/// What is wrong with a file, a line each.
fn problems_of(file: &Path, problems: &[Problem]) -> Vec<String> {
    let line = |problem: &Problem| printable(&format!("{}: {problem}", at(file, problem.line)));
    problems.iter().map(line).collect()
}

fn is_setting(argument: &Arg) -> bool {
    let is_of_clap = matches!(argument.get_action(), ArgAction::Help | ArgAction::Version);
    !argument.is_hide_set() && !is_of_clap
}

fn known(table: &str, argument: &Arg) -> Option<Known> {
    let name = argument.get_long()?.to_owned();
    let takes = match argument.get_action() {
        ArgAction::SetTrue => Takes::Nothing,
        ArgAction::Append => Takes::Values,
        _ if argument.get_num_args().is_some_and(|number| number.min_values() == 0) => {
            Takes::MaybeValue
        }
        _ => Takes::Value,
    };
    let holds = match &*name {
        "python" => Holds::Program,
        "worker" | "run" | "via" => Holds::Command,
        _ if argument.get_value_parser().type_id() == TypeId::of::<PathBuf>() => Holds::Path,
        _ => Holds::Text,
    };
    Some(Known { key: Key { table: table.to_owned(), name }, takes, holds })
}

/// Looks at a value as the option itself does.
fn check(known: &Known, argument: &Arg, value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Err("it is empty".into());
    }
    match &*known.key.name {
        "worker" | "run" => words(&format!("--{}", known.key.name), value).map(drop)?,
        "via" => ViaCommand::new(value, false).map(drop).map_err(|error| error.to_string())?,
        _ => {}
    }
    let argument =
        Arg::new("value").long("value").value_parser(argument.get_value_parser().clone());
    let command = Command::new("check").no_binary_name(true).disable_help_flag(true).arg(argument);
    match command.try_get_matches_from([format!("--value={value}")]) {
        Ok(_) => Ok(()),
        Err(error) => Err(error
            .source()
            .map_or_else(|| "no option has such a value".to_owned(), ToString::to_string)),
    }
}

/// Whether an option of a subcommand is the same as one of the server's. Others have the same name.
fn is_same(one: &Arg, other: &Arg) -> bool {
    (one.get_id(), one.get_long(), one.get_value_names())
        == (other.get_id(), other.get_long(), other.get_value_names())
        && one.get_value_parser().type_id() == other.get_value_parser().type_id()
}

/// Whether a subcommand, or the server, has the option.
fn has(command: &Command, subcommand: Option<&str>, key: &Key) -> bool {
    let of_server = command.get_arguments().find(|one| one.get_long() == Some(&key.name));
    let Some(name) = subcommand else { return key.table.is_empty() && of_server.is_some() };
    if !key.table.is_empty() {
        return key.table == name;
    }
    let (Some(option), Some(subcommand)) = (of_server, command.find_subcommand(name)) else {
        return false;
    };
    match subcommand.get_arguments().find(|one| one.get_id() == option.get_id()) {
        // `ls --via` is for few and hidden, and works all the same.
        Some(own) => is_same(own, option) && (is_via(key) || !own.is_hide_set()),
        None => option.is_global_set(),
    }
}

/// What an option of the server's means that is given without a value.
fn without_value(command: &Command, option: &Arg) -> Vec<String> {
    if !option.get_action().takes_values() {
        return vec!["true".into()];
    }
    let line = ["mcp-repl".to_owned(), format!("--{}", option.get_long().unwrap_or_default())];
    let matches = command.clone().try_get_matches_from(line).ok();
    let values = matches.as_ref().and_then(|matches| matches.get_raw(option.get_id().as_str()));
    values.into_iter().flatten().map(|value| value.to_string_lossy().into_owned()).collect()
}

/// The command line with what files say beneath it.
pub(super) fn beneath(mut command: Command, holding: &[&Setting]) -> Command {
    for setting in holding {
        let Key { table, .. } = &setting.key;
        let option = options(&command).into_iter().find(|(known, _)| known.key == setting.key);
        let Some((_, option)) = option else { continue };
        let values: Vec<String> = match &setting.value {
            Value::Texts(texts) => texts.clone(),
            Value::Given(true) => without_value(&command, &option),
            // As if nothing were said.
            Value::Given(false) => continue,
        };
        let id = option.get_id().clone();
        let says = |argument: Arg| argument.default_values(values.clone());
        if table.is_empty() {
            command = command.mut_arg(&id, says);
        }
        let has_it: Vec<String> = command
            .get_subcommands()
            .filter(|subcommand| match &**table {
                "" => subcommand
                    .get_arguments()
                    .any(|own| is_same(own, &option) && !own.is_hide_set()),
                table => subcommand.get_name() == table,
            })
            .map(|subcommand| subcommand.get_name().to_owned())
            .collect();
        for subcommand in has_it {
            command = command.mut_subcommand(subcommand, |own| own.mut_arg(&id, says));
        }
    }
    command
}

/// The command line, with what files say beneath it.
pub(super) struct WithFiles {
    /// The definitions, with the files' values where no option is given.
    pub(super) command: Command,
    /// What holds.
    pub(super) arguments: Arguments,
    /// What of the files is not in use, though it would make a difference.
    pub(super) not_in_use: Vec<NotInUse>,
    /// What files say; `None` where they were not asked.
    pub(super) found: Option<Found>,
}

impl WithFiles {
    /// Looks for files, where the command line has a use for any.
    ///
    /// # Errors
    /// When they are wrong, but for `doctor`, which tells it, and for a project's where no session is started.
    pub(super) fn beneath(
        command: Command,
        matches: &ArgMatches,
        given: &Arguments,
    ) -> Result<WithFiles, String> {
        let told = |error: clap::Error| error.to_string();
        let without = |command, found| {
            let arguments = Arguments::from_arg_matches(matches).map_err(told)?;
            Ok(WithFiles { command, arguments, not_in_use: Vec::new(), found })
        };
        let python = python_of_variable();
        let Some(usage) = usage(given, python.as_deref()) else { return without(command, None) };
        let found = Found::look(&command);
        // A project can only make a sandbox stricter, so a session is not started without what its file says;
        // what starts none goes on.
        let stops = usage.starts || !found.problems_of_user().is_empty();
        let problems = found.problems();
        if stops && !problems.is_empty() {
            return match given.command {
                Some(Subcommand::Doctor) => without(command, Some(found)),
                _ => Err(problems.join("\n")),
            };
        }
        let wants = |setting: &Setting| {
            usage.wants(&command, setting) && !is_given(matches, &command, setting)
        };
        let not_in_use = found.not_in_use(wants);
        let holding = found.holding(&command, &usage);
        let python = holding.iter().find(|setting| setting.key.name == "python");
        let python_from = python.and_then(|setting| setting.origins.first()).map(Origin::to_string);
        if holding.is_empty() {
            return Ok(WithFiles { not_in_use, ..without(command, Some(found))? });
        }
        let command = beneath(command.clone(), &holding);
        let matches = command.clone().try_get_matches().map_err(told)?;
        let mut arguments = Arguments::from_arg_matches(&matches).map_err(told)?;
        arguments.worker.python_from = python_from;
        Ok(WithFiles { command, arguments, not_in_use, found: Some(found) })
    }
}

/// Whether the command line or a variable says what a setting says.
fn is_given(matches: &ArgMatches, command: &Command, setting: &Setting) -> bool {
    let option = options(command).into_iter().find(|(known, _)| known.key == setting.key);
    let Some((_, option)) = option else { return false };
    let id = option.get_id().as_str();
    let own = matches.subcommand().map_or(matches, |(_, own)| own);
    let said = [ValueSource::CommandLine, ValueSource::EnvVariable].map(Some);
    own.try_contains_id(id).is_ok() && said.contains(&own.value_source(id))
}

/// Which settings a command line has a use for; `None` where it has none for any. `python` is what a
/// variable says of it.
fn usage(given: &Arguments, python: Option<&OsStr>) -> Option<Use<'static>> {
    let server = usage_of_server(given, python);
    let here = |name| Use { subcommand: Some(name), leads_elsewhere: false, ..server };
    let of_others = |name| Use { subcommand: Some(name), runs: false, starts: false, ..server };
    match &given.command {
        None => Some(server),
        Some(Subcommand::Attach(_)) => Some(Use { subcommand: Some("attach"), ..server }),
        Some(Subcommand::Exec(exec)) if exec.session.is_some() => Some(of_others("exec")),
        Some(Subcommand::Exec(_)) => Some(here("exec")),
        Some(Subcommand::Record(_)) => Some(here("record")),
        Some(Subcommand::Verify(_)) => Some(here("verify")),
        Some(Subcommand::Doctor) => Some(here("doctor")),
        Some(Subcommand::Host(host)) if host.is_by_hand() => Some(here("host")),
        Some(Subcommand::Ls(_)) => Some(of_others("ls")),
        Some(Subcommand::End(_)) => Some(of_others("end")),
        Some(Subcommand::Events(_)) => Some(of_others("events")),
        // It looks for itself, as the server does.
        Some(Subcommand::Config(_)) => None,
        // What a host runs is decided by who starts it.
        Some(Subcommand::Host(_)) => None,
        Some(
            Subcommand::Replay(_)
            | Subcommand::Install(_)
            | Subcommand::Uninstall(_)
            | Subcommand::Skill
            | Subcommand::Completions(_)
            | Subcommand::Man(_),
        ) => None,
    }
}

/// The Python that a variable names.
pub(super) fn python_of_variable() -> Option<OsString> {
    env::var_os(PYTHON).filter(|python| !python.is_empty())
}

/// The use of the server, whatever the subcommand. `python` is what a variable says of it.
pub(super) fn usage_of_server(given: &Arguments, python: Option<&OsStr>) -> Use<'static> {
    Use {
        subcommand: None,
        runs: !given.worker.is_given() && python.is_none(),
        starts: true,
        leads_elsewhere: true,
        is_elsewhere: given.via.is_given(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{super::command_line, *};

    /// A user's file and a project's, and what the user consents to.
    struct Files(tempfile::TempDir);

    impl Files {
        fn new(user: &str, project: &str) -> Files {
            let files = Files(tempfile::tempdir().unwrap());
            fs::create_dir(files.0.path().join("project")).unwrap();
            for (file, text) in [("user.toml", user), ("project/mcp-repl.toml", project)] {
                fs::write(files.0.path().join(file), text).unwrap();
            }
            files
        }

        fn trust(&self) -> Trust {
            Trust::in_directory(Some(self.0.path().join("state/mcp-repl/trusted")))
        }

        fn consented(self) -> Files {
            let file = self.0.path().join("project/mcp-repl.toml");
            self.trust().give(&file, &fs::read(&file).unwrap()).unwrap();
            self
        }

        fn found(&self) -> Found {
            let places = Places {
                user: Some(self.0.path().join("user.toml")),
                directory: Some(self.0.path().join("project")),
                home: Some(self.0.path().to_owned()),
            };
            Found::in_places(&command_line(), places, &self.trust())
        }

        /// What holds for a command line.
        fn beneath(&self, line: &str) -> Arguments {
            let words = line.split(' ').filter(|word| !word.is_empty());
            let words: Vec<&str> = ["mcp-repl"].into_iter().chain(words).collect();
            let command = command_line();
            let parse = |command: &Command| {
                let matches = command.clone().try_get_matches_from(&words).unwrap();
                Arguments::from_arg_matches(&matches).unwrap()
            };
            let given = parse(&command);
            let Some(usage) = usage(&given, None) else { return given };
            let found = self.found();
            assert_eq!(found.problems(), [""; 0]);
            parse(&beneath(command.clone(), &found.holding(&command, &usage)))
        }

        fn problems(&self) -> String {
            self.found().problems().join("\n").replace(&*self.0.path().to_string_lossy(), "")
        }
    }

    fn names(options: &[(Known, Arg)]) -> Vec<String> {
        options.iter().map(|(known, _)| known.key.to_string()).collect()
    }

    #[test]
    fn settings_are_these_options() {
        let command = command_line();
        // A new option of the server's is one by itself; think of whether a project may set it.
        let all = "python worker run pager max-output-disk image-size size grace keep record \
                   record-input record-format memory max-processes sandbox add-writable add-readable network \
                   deny-read gpu keep-variable reply-size on-cancel images session max-sessions via \
                   via-install attach.no-pictures attach.escape-key attach.no-status attach.keys";
        assert_eq!(names(&options(&command)), all.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn a_subcommand_has_the_settings_that_are_its_options() {
        let command = command_line();
        let of = |name| {
            let keys = options(&command).into_iter().map(|(known, _)| known.key);
            let keys = keys.filter(|key| has(&command, Some(name), key)).map(|key| key.to_string());
            keys.collect::<Vec<_>>().join(" ")
        };
        // `--images` and `--session` of exec are other options than the server's.
        assert_eq!(
            of("exec"),
            "python worker run record record-input record-format memory max-processes sandbox \
             add-writable add-readable network deny-read gpu keep-variable via via-install"
        );
        assert_eq!(of("ls"), "via via-install");
        assert_eq!(of("doctor"), "python worker via via-install");
        assert!(of("attach").contains("grace") && of("attach").contains("attach.keys"));
        assert!(of("host").contains("pager") && !of("host").contains("reply-size"));
    }

    #[test]
    fn options_beat_projects_beat_users_beat_what_is_built_in() {
        let files = Files::new(
            "reply-size = 20000\nmax-sessions = 3\nkeep = '1h'",
            "reply-size = 30000\npager = 'page'",
        );
        let server = files.beneath("");
        assert_eq!((server.reply_size, server.max_sessions), (30_000, 3));
        assert_eq!(server.session.pager, super::super::Paging::Page);
        assert_eq!(server.session.image_size, 1568);
        assert_eq!(files.beneath("--reply-size 5000").reply_size, 5000);
        let Some(Subcommand::Attach(attach)) = files.beneath("attach").command else { panic!() };
        assert_eq!(attach.options.pager, super::super::Paging::Page);
        assert_eq!(attach.options.keep.map(|keep| keep.as_secs()), Some(3600));
    }

    #[test]
    fn what_runs_is_one_question() {
        let files = Files::new("worker = 'w'", "python = 'python3'");
        let runs = |arguments: Arguments| {
            let worker = arguments.worker;
            (worker.python.map(|file| file.display().to_string()), worker.worker, worker.run)
        };
        assert_eq!(runs(files.beneath("")), (Some("python3".into()), None, None));
        assert_eq!(runs(files.beneath("--run vim")), (None, None, Some("vim".into())));
        assert_eq!(runs(files.beneath("exec 1 --worker x")), (None, Some("x".into()), None));
        assert_eq!(runs(files.beneath("exec 1")).0.as_deref(), Some("python3"));
        assert_eq!(runs(files.beneath("exec 1 --session s")), (None, None, None));
        assert_eq!(runs(files.beneath("ls")), (None, None, None));
        assert_eq!(runs(Files::new("run = 'vim'", "").beneath("doctor")), (None, None, None));
        // A started host is told what to run.
        assert_eq!(runs(files.beneath("host --detached")), (None, None, None));
        assert_eq!(runs(files.beneath("host --stdio")), (None, None, None));
        assert_eq!(runs(files.beneath("host")).0.as_deref(), Some("python3"));
    }

    #[test]
    fn where_sessions_are_is_for_those_who_use_them() {
        let files = Files::new("via = 'ssh gpu'\npython = 'bin/python'\nrecord = 'x'", "");
        let server = files.beneath("");
        assert!(server.via.is_given());
        // Places there.
        assert_eq!(server.worker.python, Some("bin/python".into()));
        assert!(files.beneath("ls").via.is_given());
        assert!(files.beneath("exec 1 --session s").via.is_given());
        let here = files.beneath("exec 1");
        assert!(!here.via.is_given() && here.worker.python.is_none());
        // What files say of this machine is not said of another.
        let files = Files::new("python = '/usr/bin/python3'\npager = 'page'", "");
        let there = files.beneath("--via sh");
        assert!(there.worker.python.is_none());
        assert_eq!(there.session.pager, super::super::Paging::Page);
        assert!(Files::new("via = 'ssh gpu'", "").beneath("--via-install").via.is_given());
    }

    #[test]
    fn switches_and_what_may_have_a_value_can_be_off() {
        let server = Files::new("keep = true\nvia = 'ssh x'\nvia-install = true", "").beneath("");
        assert_eq!(server.session.keep.map(|keep| keep.as_secs()), Some(8 * 3600));
        assert!(server.via.place().is_ok());
        assert!(Files::new("keep = '1h'", "keep = false").beneath("").session.keep.is_none());
        let files = Files::new("record-input = false", "");
        let Some(Subcommand::Host(_)) = files.beneath("host").command else { panic!() };
    }

    #[test]
    fn a_project_gets_what_it_may_say_and_the_rest_with_consent() {
        let project = "worker = './w'\nrecord = 'casts'\nsize = '100x30'";
        let files = Files::new("", project);
        let server = files.beneath("");
        assert!(server.worker.worker.is_none() && !server.session.record.is_given());
        assert!(server.session.size.is_some());
        let found = files.found();
        let told = found.not_in_use(|_| true);
        assert_eq!(told.len(), 1);
        let start = format!("`worker`, `record` in {}", files.0.path().display());
        assert!(told[0].what.starts_with(&start), "{told:?}");
        assert!(found.not_in_use(|_| false).is_empty());
        let files = files.consented();
        let server = files.beneath("");
        let worker = files.0.path().join("project").join("w").display().to_string();
        let worker = shell_words::quote(&worker).into_owned();
        assert_eq!(server.worker.worker, Some(worker));
        assert!(server.session.record.is_given());
        assert!(files.found().not_in_use(|_| true).is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_in_the_words_of_the_options() {
        let files = Files::new(
            "pager = 'pages'\nsize = '1x1'\npython = ''\nworker = \"vim 'x\"\n[attach]\nkeys = 'ed'",
            "max-sessions = 0\n",
        );
        let problems = files.problems().replace(std::path::MAIN_SEPARATOR, "/");
        for line in [
            "/user.toml:1: `pager = \"pages\"`: it is one of `through`, `page` and `plain`",
            "/user.toml:3: `python = \"\"`: it is empty",
            "/project/mcp-repl.toml:1: `max-sessions = \"0\"`: it is a number, 1 to 1000",
        ] {
            assert!(problems.lines().any(|one| one == line), "{line}\n{problems}");
        }
        for start in ["/user.toml:2: ", "/user.toml:4: ", "/user.toml:6: `attach.keys = \"ed\"`: "]
        {
            assert!(problems.lines().any(|one| one.starts_with(start)), "{start}\n{problems}");
        }
    }
}
