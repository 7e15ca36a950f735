//! What packages are made of, as far as it shows without a build for release: `.ci/packages` makes
//! them, installs them and uses them.
#![cfg(has = "posix")]

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

use crate::support::python;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Runs a script of `packaging`.
fn script(name: &str, arguments: &[&Path]) -> Output {
    let mut command = Command::new(python::default());
    // What Python compiles is no part of the sources.
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("CARGO", env!("CARGO"));
    command.arg(root().join("packaging").join(name)).args(arguments).output().unwrap()
}

#[track_caller]
fn printed(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn executable(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
    fs::set_permissions(file, PermissionsExt::from_mode(0o755)).unwrap();
}

/// The words in quotes of the lines that have one of Rust's targets.
fn targets(text: &str) -> Vec<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut found: Vec<String> = text
        .split(|c| !word(c))
        .filter(|word| word.starts_with("x86_64-") || word.starts_with("aarch64-"))
        .filter(|word| word.matches('-').count() >= 2)
        .map(str::to_owned)
        .collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn the_version_stands_in_one_place() {
    let project = read("pyproject.toml");
    let project: toml::Table = project.parse().unwrap();
    let project = project["project"].as_table().unwrap();
    assert!(project.get("version").is_none(), "maturin takes it from Cargo.toml");
    assert!(project["dynamic"].as_array().unwrap().iter().any(|it| it.as_str() == Some("version")));
    for file in ["src/control/Cargo.toml", "src/sideband/Cargo.toml", "python/Cargo.toml"] {
        let crate_: toml::Table = read(file).parse().unwrap();
        assert_eq!(crate_["package"]["version"].as_str(), Some(VERSION), "{file}");
    }
}

#[test]
fn the_descriptions_are_one() {
    let project: toml::Table = read("pyproject.toml").parse().unwrap();
    let of = |field: &str| project["project"][field].as_str().unwrap().to_owned();
    assert_eq!(of("description"), env!("CARGO_PKG_DESCRIPTION"));
    assert_eq!(of("license"), env!("CARGO_PKG_LICENSE"));
}

#[test]
fn server_json_is_as_the_registry_asks() {
    let server: Value = serde_json::from_str(&printed(&script("server_json.py", &[]))).unwrap();
    let is_name = |text: &str| {
        let word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        text.split_once('/').is_some_and(|(space, name)| {
            !space.is_empty() && !name.is_empty() && space.chars().chain(name.chars()).all(word)
        })
    };
    assert!(is_name(server["name"].as_str().unwrap()), "{server:#}");
    for (field, most) in [("description", 100), ("title", 100)] {
        let length = server[field].as_str().unwrap().chars().count();
        assert!((1..=most).contains(&length), "{field}: {length}");
    }
    assert_eq!(server["version"], VERSION);
    let packages = server["packages"].as_array().unwrap();
    assert_eq!(packages.len(), 2, "without a bundle");
    for package in packages {
        assert_eq!(package["version"], VERSION);
        assert_eq!(package["transport"]["type"], "stdio");
        assert!(package["registryType"].is_string() && package["identifier"].is_string());
    }
}

#[test]
fn the_owner_is_named_in_cargo_toml_and_the_readme_alone() {
    // Scripts that replace the placeholder, and the page about it, name it too.
    let explains = ["packaging/owner.py", "docs/packaging.md"];
    let listed = Command::new("git").current_dir(root()).args(["ls-files", "-z"]).output().unwrap();
    if !listed.status.success() {
        // A source distribution is no repository.
        return;
    }
    let placeholder = ["github.com/OW", "io.github.OW"].map(|start| format!("{start}NER"));
    for file in String::from_utf8(listed.stdout).unwrap().split('\0') {
        let Ok(text) = fs::read_to_string(root().join(file)) else { continue };
        let names = placeholder.iter().any(|it| text.contains(it));
        let may = ["Cargo.toml", "README.md"].contains(&file) || explains.contains(&file);
        assert!(may || !names, "{file} names the owner: take it from Cargo.toml");
    }
}

#[test]
fn all_speak_of_the_same_platforms() {
    let platforms = targets(&read("packaging/project.py"));
    assert_eq!(platforms.len(), 6, "{platforms:?}");
    assert_eq!(targets(&read("deny.toml")), platforms);
    assert_eq!(targets(&read(".github/workflows/release.yml")), platforms);
}

#[test]
fn what_a_release_says_is_cut_from_the_changelog() {
    let directory = tempfile::tempdir().unwrap();
    let changelog = directory.path().join("CHANGELOG.md");
    let text = "# Changelog\n\n## Unreleased\n\n- later\n\n## 1.2.3 - 2026-11-27\n\n### Added\n- it\n\n\
                ```\n## no heading\n```\n\n## 1.2.30\n\n- other\n\n## [1.2]\n\n## 1.1.0\n\n- first\n";
    fs::write(&changelog, text).unwrap();
    let of = |version: &str| script("notes.py", &[&changelog, Path::new(version)]);
    assert_eq!(printed(&of("1.2.3")), "### Added\n- it\n\n```\n## no heading\n```\n");
    assert_eq!(printed(&of("1.1.0")), "- first\n");
    for (version, told) in [("2.0.0", "has no section for 2.0.0"), ("1.2", "says nothing of 1.2")] {
        let output = of(version);
        assert!(!output.status.success());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn a_file_that_wants_a_younger_c_library_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("program");
    let fits = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        script("glibc.py", &[Path::new("2.17"), &file]).status.success()
    };
    assert!(fits(b"\0GLIBC_2.2.5\0memcpy\0GLIBC_2.17\0GLIBC_PRIVATE\0"));
    assert!(!fits(b"\0GLIBC_2.17\0GLIBC_2.18\0"));
    assert!(!fits(b"\0GLIBC_2.9\0GLIBC_3.0\0"));
    assert!(!fits(b"nothing that could be told"), "what is not looked at is not right");
}

/// An installation of npm's packages: the launcher, and programs of platforms that say who they are.
struct Installed {
    directory: tempfile::TempDir,
}

/// What npm calls this machine's package, with glibc's name and musl's.
fn platforms() -> [String; 2] {
    let cpu = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    match std::env::consts::OS {
        "macos" => [format!("darwin-{cpu}"), format!("darwin-{cpu}")],
        _ => [format!("linux-{cpu}-gnu"), format!("linux-{cpu}-musl")],
    }
}

impl Installed {
    fn new(launcher: &str, programs: &[&str]) -> Installed {
        let directory = tempfile::tempdir().unwrap();
        executable(&directory.path().join(launcher), &read("packaging/npm/mcp-repl"));
        for program in programs {
            let text = format!("#!/bin/sh\necho \"{program} $#:$*\"\nexit 7\n");
            executable(&directory.path().join(program), &text);
        }
        Installed { directory }
    }

    fn at(&self, place: &str) -> PathBuf {
        self.directory.path().join(place)
    }

    /// Its status and what it printed.
    fn run(&self, place: &str) -> (Option<i32>, String) {
        let output = Command::new(self.at(place)).args(["a b", ""]).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), String::from_utf8(output.stdout).unwrap() + &error)
    }
}

#[test]
fn npms_launcher_runs_the_package_of_the_platform() {
    let [usual, other] = platforms();
    let main = "node_modules/mcp-repl/bin/mcp-repl";
    // Beside it; within it; as pnpm has it; with one for another C library only.
    let places = [
        (main, format!("node_modules/@mcp-repl/{usual}/bin/mcp-repl")),
        (main, format!("node_modules/mcp-repl/node_modules/@mcp-repl/{usual}/bin/mcp-repl")),
        (main, format!("node_modules/@mcp-repl/{other}/bin/mcp-repl")),
        (
            "node_modules/.pnpm/mcp-repl@1/node_modules/mcp-repl/bin/mcp-repl",
            format!("node_modules/.pnpm/mcp-repl@1/node_modules/@mcp-repl/{usual}/bin/mcp-repl"),
        ),
    ];
    for (launcher, program) in places {
        let installed = Installed::new(launcher, &[&program]);
        // As npm links it: relative, and from a directory of programs elsewhere, absolute.
        fs::create_dir_all(installed.at("node_modules/.bin")).unwrap();
        let relative = Path::new("..").join(launcher.strip_prefix("node_modules/").unwrap());
        symlink(relative, installed.at("node_modules/.bin/mcp-repl")).unwrap();
        fs::create_dir_all(installed.at("a place/bin")).unwrap();
        let linked = installed.at("node_modules/.bin/mcp-repl");
        symlink(linked, installed.at("a place/bin/mcp-repl")).unwrap();
        for place in [launcher, "node_modules/.bin/mcp-repl", "a place/bin/mcp-repl"] {
            assert_eq!(installed.run(place), (Some(7), format!("{program} 2:a b \n")), "{place}");
        }
    }
}

#[test]
fn npms_launcher_says_what_to_do_without_it() {
    let main = "node_modules/mcp-repl/bin/mcp-repl";
    let installed = Installed::new(main, &["node_modules/@mcp-repl/plan9-mips/bin/mcp-repl"]);
    let (status, told) = installed.run(main);
    assert_eq!(status, Some(1));
    assert!(told.contains("is not installed") && told.contains("--include=optional"), "{told}");
}
