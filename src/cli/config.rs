//! `mcp-repl config`: which settings hold and where each stands, and the user's consent to a project's file.

mod trust;

use std::{ffi::OsStr, path::Path, process::ExitCode};

use clap::{Arg, ArgMatches, Args, Command, Subcommand, parser::ValueSource};
use serde_json::{Value, json};

use super::{
    Arguments,
    settings::{Found, NotInUse, PYTHON, beneath, options, python_of_variable, usage_of_server},
};
use crate::{
    reply::printable,
    settings::{Key, Level, Origin, PROJECT_FILE, Setting, SettingsFile, State},
};

/// What is said of the settings.
#[derive(Debug, Args)]
pub(super) struct ConfigArguments {
    /// Print a JSON object, with the files that were looked at.
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<ConfigCommand>,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Consent to what a project's file says, as it is now; once it is changed, it takes your consent again.
    ///
    /// Without it, a project's file can neither have programs run nor recordings made, nor change what a
    /// session may do.
    Trust(trust::TrustArguments),
}

/// Prints what holds.
///
/// # Errors
/// When a file is wrong.
pub(super) fn config(
    arguments: &ConfigArguments,
    command: &Command,
    matches: &ArgMatches,
    given: &Arguments,
) -> Result<ExitCode, String> {
    let found = Found::look(command);
    if let Some(ConfigCommand::Trust(wanted)) = &arguments.command {
        return trust::trust(wanted, command, &found);
    }
    let problems = found.problems();
    if !problems.is_empty() {
        return Err(problems.join("\n"));
    }
    let rows = rows(command, matches, given, &found)?;
    let text = match arguments.json {
        true => {
            let all = to_json(&rows, &found);
            serde_json::to_string_pretty(&all).map_err(|error| error.to_string())? + "\n"
        }
        false => as_text(&rows, &found),
    };
    super::print(text.as_bytes())
}

/// A setting that holds.
struct Row {
    key: Key,
    values: Vec<String>,
    is_list: bool,
    from: From,
}

/// Where it stands.
enum From {
    Option,
    Variable(String),
    Files(Vec<Origin>),
    BuiltIn,
}

fn rows(
    command: &Command,
    matches: &ArgMatches,
    given: &Arguments,
    found: &Found,
) -> Result<Vec<Row>, String> {
    let python = python_of_variable();
    let usage = usage_of_server(given, python.as_deref());
    let holding = found.holding(command, &usage);
    let with_files = beneath(command.clone(), &holding);
    let told = |error: clap::Error| error.to_string();
    let server = with_files.clone().try_get_matches().map_err(told)?;
    let attach = with_files.find_subcommand("attach").cloned().unwrap_or_default();
    let attach = attach.no_binary_name(true).try_get_matches_from::<_, &str>([]).map_err(told)?;
    let mut rows = Vec::new();
    for (known, option) in options(command) {
        let id = option.get_id().as_str();
        let (values, source) = match &*known.key.table {
            "" => (&server, matches.value_source(id)),
            _ => (&attach, attach.value_source(id)),
        };
        let of_files = holding.iter().find(|setting| setting.key == known.key);
        let from = match (source, of_files) {
            (Some(ValueSource::CommandLine), _) => From::Option,
            (Some(ValueSource::EnvVariable), _) => From::Variable(variable(&option)),
            (_, Some(setting)) => From::Files(setting.origins.clone()),
            _ => From::BuiltIn,
        };
        let values = values.get_raw(id).into_iter().flatten().map(OsStr::to_string_lossy);
        let values: Vec<String> = values.map(std::borrow::Cow::into_owned).collect();
        // What is not set, and what is off as long as nobody says that it is on.
        let is_off = !option.get_action().takes_values() && values == ["false"];
        let is_unset = is_off && matches!(from, From::BuiltIn);
        if !values.is_empty() && !is_unset {
            let is_list = matches!(option.get_action(), clap::ArgAction::Append);
            rows.push(Row { key: known.key, values, is_list, from });
        }
    }
    if let Some(python) = python.filter(|_| !given.worker.is_given()) {
        let key = Key { table: String::new(), name: "python".into() };
        let values = vec![python.to_string_lossy().into_owned()];
        rows.insert(0, Row { key, values, is_list: false, from: From::Variable(PYTHON.into()) });
    }
    Ok(rows)
}

fn variable(option: &Arg) -> String {
    option.get_env().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn as_text(rows: &[Row], found: &Found) -> String {
    let not_in_use = &found.layers.withheld;
    let of_rows = rows.iter().map(|row| {
        let from = match &row.from {
            From::Option => format!("--{}", row.key.name),
            From::Variable(name) => name.clone(),
            From::Files(origins) => places(origins),
            From::BuiltIn => "built in".into(),
        };
        [row.key.to_string(), row.values.join(", "), from]
    });
    let mut text = table(of_rows.collect());
    text += "\n";
    text += &table(files(found).map(|(level, path, state)| [level.into(), path, state]).into());
    let untold = found.not_in_use(|_| true);
    if !not_in_use.is_empty() {
        text += "\nWhat a project may not say without your consent, and is not in use:\n\n";
        let rows = not_in_use.iter().map(|setting| {
            [setting.key.to_string(), setting.value.to_string(), places(&setting.origins)]
        });
        text += &table(rows.collect());
        text += &format!("\n{}\n", trust::how(&not_in_use[0].origins[0].file));
    } else if let Some(NotInUse { remedy: Some(remedy), .. }) = untold.first() {
        text += &format!("\n{remedy}.\n");
    }
    text
}

fn places(origins: &[Origin]) -> String {
    origins.iter().map(Origin::to_string).collect::<Vec<_>>().join(", ")
}

/// Each file: whose it is, where, and what came of it.
fn files(found: &Found) -> [(&'static str, String, String); 2] {
    let one = |level: Level, file: &Option<SettingsFile>, otherwise: Option<&Path>| {
        let path = file.as_ref().map(|file| &*file.path).or(otherwise);
        let path = path.map_or_else(|| "-".to_owned(), |path| path.display().to_string());
        (level.name(), path, file.as_ref().map_or_else(|| "is not there".into(), state))
    };
    let project = found.places.directory.as_ref().map(|directory| directory.join(PROJECT_FILE));
    [
        one(Level::Project, &found.files.project, project.as_deref()),
        one(Level::User, &found.files.user, found.places.user.as_deref()),
    ]
}

/// What came of a file, in words.
pub(super) fn state(file: &SettingsFile) -> String {
    match &file.state {
        State::Read { is_consented: true, .. } if file.level == Level::Project => {
            "read, with your consent".into()
        }
        State::Read { .. } => "read".into(),
        State::Broken(_) => "wrong".into(),
        State::Unreadable(why) | State::Foreign(why) => format!("not in use: {why}"),
    }
}

/// Lines of columns.
fn table(rows: Vec<[String; 3]>) -> String {
    use unicode_width::UnicodeWidthStr;
    let rows: Vec<[String; 3]> =
        rows.into_iter().map(|row| row.map(|text| printable(&text))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let blanks = |text: &str, width: usize| " ".repeat(width - text.width());
    let lines = rows.iter().map(|[name, value, from]| {
        format!("{name}{}  {value}{}  {from}\n", blanks(name, first), blanks(value, second))
    });
    lines.collect()
}

fn to_json(rows: &[Row], found: &Found) -> Value {
    let origins = |origins: &[Origin]| -> Value {
        let one = |origin: &Origin| json!({ "file": origin.file, "line": origin.line });
        origins.iter().map(one).collect()
    };
    let settings: Vec<Value> = rows
        .iter()
        .map(|row| {
            let value = match &row.values[..] {
                [value] if !row.is_list => json!(value),
                values => json!(values),
            };
            let mut one = json!({ "name": row.key.to_string(), "value": value });
            match &row.from {
                From::Option => one["from"] = json!("option"),
                From::Variable(name) => {
                    one["from"] = json!("variable");
                    one["variable"] = json!(name);
                }
                From::Files(places) => {
                    one["from"] = json!(places.first().map_or("user", |place| place.level.name()));
                    one["places"] = origins(places);
                }
                From::BuiltIn => one["from"] = json!("built in"),
            }
            one
        })
        .collect();
    let withheld = |setting: &Setting| {
        json!({
            "name": setting.key.to_string(),
            "value": setting.value.to_string(),
            "places": origins(&setting.origins),
        })
    };
    let withheld: Vec<Value> = found.layers.withheld.iter().map(withheld).collect();
    let files = files(found)
        .map(|(level, path, state)| json!({ "whose": level, "path": path, "state": state }));
    json!({ "settings": settings, "needs_consent": withheld, "files": files })
}
