//! The settings of a git repository, read from a file of them (git-config(1), "CONFIGURATION FILE").
//!
//! Only what has a line of its own is understood, without backslashes: that is what git itself writes, but for odd
//! values. So nothing that git reads as a setting is read as something else here.

/// The longest file of settings that is read, in bytes.
pub const LONGEST: u64 = 64 * 1024;

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    /// The section, in small letters.
    pub(super) section: String,
    /// The key, in small letters.
    pub(super) key: String,
    /// The value, without quotation marks.
    pub(super) value: String,
}

/// Settings by which git neither runs a program, nor reads more settings, nor asks another machine unless it is told
/// to, whatever their values.
const HARMLESS: &[(&str, &[&str])] = &[
    (
        "core",
        &[
            "abbrev",
            "autocrlf",
            "bare",
            "commitgraph",
            "compression",
            "eol",
            "filemode",
            "ignorecase",
            "logallrefupdates",
            "precomposeunicode",
            "protecthfs",
            "protectntfs",
            "quotepath",
            "repositoryformatversion",
            "safecrlf",
            "sparsecheckout",
            "sparsecheckoutcone",
            "symlinks",
            "untrackedcache",
        ],
    ),
    ("extensions", &["objectformat", "refstorage"]),
    ("remote", &["fetch", "mirror", "prune", "push", "tagopt", "url"]),
    ("branch", &["description", "merge", "rebase", "remote"]),
    ("submodule", &["active", "url"]),
    ("user", &["email", "name"]),
    ("fetch", &["prune"]),
    ("gc", &["auto"]),
    ("index", &["sparse", "version"]),
    ("init", &["defaultbranch"]),
    ("pull", &["ff", "rebase"]),
    ("push", &["autosetupremote", "default"]),
];

/// Keys whose values name programs, or files with more settings, in any section.
const NAMING: &[&str] = &[
    "askpass",
    "attributesfile",
    "clean",
    "cmd",
    "command",
    "driver",
    "editor",
    "external",
    "fsmonitor",
    "helper",
    "hookspath",
    "pager",
    "path",
    "process",
    "program",
    "smudge",
    "sshcommand",
    "textconv",
];

/// The settings of a file, one after the other; `None` for what is not understood.
pub(super) fn settings(text: &str) -> impl Iterator<Item = Option<Setting>> {
    let mut section = None;
    text.split('\n').filter_map(move |line| {
        let line = line.trim_matches([' ', '\t']);
        let is_odd = |c: char| c == '\\' || c.is_control() && c != '\t';
        if line.contains(is_odd) {
            return Some(None);
        }
        if line.is_empty() || line.starts_with(['#', ';']) {
            return None;
        }
        if let Some(header) = line.strip_prefix('[') {
            section = named(header);
            return section.is_none().then_some(None);
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        let key = word(key.trim_end_matches([' ', '\t']));
        let setting = |section: &String, key| {
            Some(Setting { section: section.clone(), key, value: unquoted(value)? })
        };
        Some(section.as_ref().zip(key).and_then(|(section, key)| setting(section, key)))
    })
}

/// Whether settings make git do nothing but what it does with any repository.
pub fn is_harmless(text: &str) -> bool {
    settings(text).all(|setting| {
        let Some(Setting { section, key, value }) = setting else { return false };
        let known = HARMLESS.iter().find(|(name, _)| *name == section);
        // Such an address names a program that is to fetch from it.
        let is_address = !value.contains("::");
        let is_advice = section == "advice";
        is_address && (is_advice || known.is_some_and(|(_, keys)| keys.contains(&&*key)))
    })
}

/// What a value, or a word of one, may be the path of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// The directory of hooks.
    Hooks,
    /// A file with more settings, named from the directory of this one.
    Settings,
    /// A program, or what a program is given.
    Program,
}

/// What the values of settings name.
pub(super) fn named_files(text: &str) -> Vec<(String, Names)> {
    let mut found = Vec::new();
    for Setting { section, key, value } in settings(text).flatten() {
        if key == "path" && section.starts_with("include") {
            found.push((value, Names::Settings));
        } else if key == "hookspath" {
            found.push((value, Names::Hooks));
        } else if NAMING.contains(&&*key) || section == "pager" {
            let words = value.split([' ', '\t', '\'', '"', ';', '!', '(', ')', '|', '&']);
            let words = words.filter(|word| !word.is_empty());
            found.extend(words.map(|word| (word.to_owned(), Names::Program)));
        }
    }
    found
}

/// The section of a header, without its name (`core]`, `remote "origin"]`).
fn named(header: &str) -> Option<String> {
    let inner = header.strip_suffix(']')?;
    match inner.split_once([' ', '\t']) {
        None => word(inner),
        Some((section, name)) => {
            let name = name.trim_start_matches([' ', '\t']);
            let name = name.strip_prefix('"')?.strip_suffix('"')?;
            (!name.contains('"')).then(|| word(section))?
        }
    }
}

/// A name of letters, digits and `-`, in small letters.
fn word(text: &str) -> Option<String> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_one = !text.is_empty() && text.bytes().all(is_part);
    is_one.then(|| text.to_ascii_lowercase())
}

/// A value without quotation marks and what is a comment behind it.
fn unquoted(text: &str) -> Option<String> {
    let (mut value, mut in_quotes) = (String::new(), false);
    for c in text.chars() {
        match c {
            '"' => in_quotes = !in_quotes,
            '#' | ';' if !in_quotes => break,
            c => value.push(c),
        }
    }
    (!in_quotes).then(|| value.trim_matches([' ', '\t']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_writes_by_itself_is_harmless() {
        for text in [
            "",
            "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n",
            "[remote \"origin\"]\n\turl = https://example.org/x.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n\
             [branch \"main\"]\n\tremote = origin\n\tmerge = refs/heads/main\n",
            "[advice]\n\tdetachedHead = false\n[user]\n\tname = Ada \"L\" # who\n; more\n",
            "[core]\n\tbare\n",
        ] {
            assert!(is_harmless(text), "{text}");
        }
    }

    #[test]
    fn what_runs_a_program_or_is_not_understood_is_not_harmless() {
        for text in [
            "[core]\n\tfsmonitor = evil\n",
            "[core]\n\thooksPath = x\n",
            "[CORE]\n\tFSMonitor=evil\n",
            "[core] fsmonitor = evil\n",
            "[core]fsmonitor=evil\n",
            "[include]\n\tpath = evil\n",
            "[includeIf \"gitdir:/\"]\n\tpath = evil\n",
            "[alias]\n\tst = !evil\n",
            "[filter \"x\"]\n\tclean = evil\n",
            "[core]\n\tworktree = /\n",
            "[extensions]\n\tworktreeConfig = true\n",
            "[remote \"o\"]\n\tuploadpack = evil\n",
            "[remote \"o\"]\n\turl = ext::evil\n",
            "[remote \"o\"]\n\tpromisor = true\n",
            // The end of the line is none, so that the next one is a part of a value, or of a comment.
            "[user]\n\tname = x\\\n[core]\n\tbare = true\n",
            "[user]\n\tname = \"x\\\"\n",
            "[user]\n\tname = \"x\n",
            "[core\n]\n\tfsmonitor = evil\n",
            "[core.x]\n\tbare = true\n",
            "[core \"a\"b\"]\n\tbare = true\n",
            "[core]\r\n\tfsmonitor = evil\r\n",
            "[core]\rfsmonitor = evil",
            "\u{feff}[core]\n\tfsmonitor = evil\n",
            "bare = true\n",
            "[core]\n\tba re = true\n",
            "[core]\n\0\n",
        ] {
            assert!(!is_harmless(text), "{text}");
        }
    }

    #[test]
    fn files_that_settings_name_are_found() {
        let text = "[core]\n\thooksPath = tools/hooks\n\thooksPath = mine\n\teditor = vim\n\tfsmonitor = \"./watch --all\"\n\
                    [include]\n\tpath = ../shared.cfg\n[filter \"x\"]\n\tclean = python ./tools/clean.py %f\n\
                    [remote \"o\"]\n\turl = ../other\n[core]\n\tpager = \"less\\\n";
        let found = named_files(text);
        let found: Vec<_> = found.iter().map(|(word, names)| (&**word, *names)).collect();
        let expected = [
            ("tools/hooks", Names::Hooks),
            ("mine", Names::Hooks),
            ("vim", Names::Program),
            ("./watch", Names::Program),
            ("--all", Names::Program),
            ("../shared.cfg", Names::Settings),
            ("python", Names::Program),
            ("./tools/clean.py", Names::Program),
            ("%f", Names::Program),
        ];
        assert_eq!(found, expected);
    }
}
