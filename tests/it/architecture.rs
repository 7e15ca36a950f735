//! The rules of docs/architecture.md that can be checked: who names what, and that every file
//! says what it is for.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The most lines a source file may have.
const LONGEST: usize = 800;
/// The most lines a source file of the product may have before its tests.
const LONGEST_BEFORE_TESTS: usize = 600;
/// Half of them have fewer lines than this.
const LARGEST_MEDIAN: usize = 200;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All `.rs` files below a directory, with their path from the root and their text.
fn sources(below: &str) -> Vec<(String, String)> {
    fn walk(place: &Path, found: &mut Vec<PathBuf>) {
        if place.is_file() {
            found.push(place.to_owned());
            return;
        }
        for entry in fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            // What fuzzing built stands below its own folder.
            if path.ends_with("target") {
                continue;
            }
            if path.is_dir() || path.extension().is_some_and(|extension| extension == "rs") {
                walk(&path, found);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(below), &mut found);
    found.sort();
    let text = |path: &PathBuf| {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        (name, fs::read_to_string(path).unwrap())
    };
    found.iter().map(text).collect()
}

/// The source files of the product, its extension and their tests.
fn all_sources() -> Vec<(String, String)> {
    let places = ["build.rs", "src", "python/src", "tests", "benches", "fuzz"];
    let places = places.into_iter().filter(|place| root().join(place).exists());
    places.flat_map(sources).collect()
}

/// Whether a line of code (comments left out) names this word.
fn names(text: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).any(|code| {
        code.match_indices(word).any(|(at, _)| {
            !code[..at].ends_with(part_of_word)
                && !code[at + word.len()..].starts_with(part_of_word)
        })
    })
}

#[track_caller]
fn only_in(word: &str, places: &[&str]) {
    for (name, text) in all_sources() {
        let allowed = places.iter().any(|place| name.starts_with(place));
        // This file names them all.
        if !allowed && !name.starts_with("tests/") {
            assert!(!names(&text, word), "{name} names {word}, which only {places:?} may");
        }
    }
}

#[test]
fn the_pure_core_does_no_io_and_reads_no_clock() {
    let core = [
        "src/screen",
        "src/session/rules",
        "src/session/pipeline",
        "src/session/recording/answers.rs",
        "src/session/recording/encoder.rs",
        "src/session/recording/replay.rs",
        "src/session/recording/step.rs",
        "src/verify/recorded.rs",
        "src/verify/diff.rs",
        "src/reply",
        "src/sideband",
        "src/control",
        "src/install/change.rs",
        "src/install/document",
        "src/install/entry.rs",
        "src/settings/consent.rs",
        "src/settings/document.rs",
        "src/settings/layers.rs",
        "src/sandbox",
    ];
    let words = [
        "tokio",
        "rmcp",
        "crossterm",
        "libc",
        "rustix",
        "pty",
        "Instant",
        "SystemTime",
        "std::fs",
        "std::net",
        "std::process",
        "std::thread",
        "std::io",
        "std::env",
        "std::os",
        "getrandom",
        // What is beside the core in `session`, and does I/O.
        "engine",
        "launch",
        "subscribers",
    ];
    // What a player does is decided without I/O, too; recordings are read and written by `std::io`'s traits.
    let player = ["src/cli/replay/player.rs", "src/cli/replay/canvas.rs", "src/cli/replay/keys.rs"];
    for (name, text) in player.into_iter().flat_map(sources) {
        for word in words {
            assert!(!names(&text, word), "{name} names {word}");
        }
    }
    for (name, text) in sources("src/cast") {
        for word in words.into_iter().filter(|word| *word != "std::io") {
            assert!(!names(&text, word), "{name} names {word}");
        }
    }
    // What the core is compared with is on disk.
    let is_test = |(name, _): &(String, String)| name.contains("/tests/");
    for (name, text) in core.into_iter().flat_map(sources).filter(|file| !is_test(file)) {
        for word in words {
            assert!(!names(&text, word), "{name} names {word}");
        }
    }
}

#[test]
fn the_crates_of_wire_types_depend_on_serde_only() {
    for name in ["src/control", "src/sideband"] {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        let (_, behind) = manifest.split_once("[dependencies]\n").unwrap();
        let lines = behind.lines().take_while(|line| !line.starts_with('['));
        let dependencies = lines.filter_map(|line| Some(line.split_once('=')?.0.trim()));
        assert_eq!(dependencies.collect::<Vec<_>>(), ["serde", "serde_json"], "{name}");
    }
}

#[test]
fn the_extension_depends_on_the_sideband_only() {
    let manifest = fs::read_to_string(root().join("python/Cargo.toml")).unwrap();
    let paths: Vec<&str> = manifest.lines().filter(|line| line.contains("path =")).collect();
    assert_eq!(paths, ["mcp-repl-sideband = { path = \"../src/sideband\" }"]);
}

/// The modules of its own crate that a source text names, after `crate::`.
fn own_modules(text: &str) -> Vec<String> {
    let code: String = text.lines().flat_map(|line| line.split("//").next()).collect();
    let mut found = Vec::new();
    for (at, path) in code.match_indices("crate::") {
        let behind = &code[at + path.len()..];
        // The names at depth 1 of `{a, b::{c, d}}`, or the one name of `a::b`.
        let (mut depth, mut name) = (0, String::new());
        for c in behind.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => found.push(std::mem::take(&mut name)),
                _ if depth <= 1 => name.push(c),
                _ => {}
            }
            if depth == 0 && !(c.is_alphanumeric() || c == '_') {
                break;
            }
        }
        found.push(name);
    }
    let module = |name: String| {
        name.trim_start()
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .next()
            .map(str::to_owned)
    };
    found.into_iter().filter_map(module).filter(|name| !name.is_empty()).collect()
}

#[test]
fn own_modules_are_found_in_every_form_of_a_path() {
    let text = "use crate::a; use crate::{\n b::{c, d}, // e\n f,\n}; let x = crate::g::h(1, 2);\n\
                use crate::i::{j, k};";
    assert_eq!(own_modules(text), ["a", "b", "f", "g", "i"]);
}

/// The platform door of the worker's extension.
const WORKER_DOOR: &str = "python/src/system/";

#[test]
fn modules_of_the_extension_use_those_declared_before_them() {
    let map = fs::read_to_string(root().join("python/src/lib.rs")).unwrap();
    let declared: Vec<&str> =
        map.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';')).collect();
    let (door, files): (Vec<_>, Vec<_>) =
        sources("python/src").into_iter().partition(|(name, _)| name.starts_with(WORKER_DOOR));
    for (name, text) in door {
        assert_eq!(own_modules(&text), [""; 0], "{name} uses what is above it");
    }
    // Without the door, and with `lib.rs` itself.
    assert_eq!((declared[0], declared.len()), ("system", files.len()), "{declared:?}");
    let declared = &declared[1..];
    for (place, module) in declared.iter().enumerate() {
        let name = format!("python/src/{module}.rs");
        let (_, text) = files.iter().find(|file| file.0 == name).expect(&name);
        for used in own_modules(text) {
            let before = used == "system" || declared[..place].contains(&used.as_str());
            assert!(before, "{name} uses {used}, which lib.rs does not declare before it");
        }
    }
}

/// What of the product may use which of its other modules: not what is above it, nor beside.
const NOT_BELOW: [(&str, &[&str]); 12] = [
    (
        "src/sandbox",
        &["pty", "session", "reply", "registry", "host", "remote", "mcp", "attach", "cli"],
    ),
    ("src/pty", &["session", "registry", "host", "remote", "mcp", "cli"]),
    ("src/screen", &["pty", "reply", "session", "registry", "host", "remote", "mcp", "cli"]),
    (
        "src/cast",
        &["pty", "reply", "session", "registry", "host", "remote", "mcp", "attach", "cli"],
    ),
    ("src/session", &["registry", "host", "remote", "mcp", "cli"]),
    ("src/registry", &["session", "host", "remote", "mcp", "cli"]),
    ("src/host", &["remote", "mcp", "cli"]),
    ("src/remote", &["host", "mcp", "cli"]),
    (
        "src/install",
        &["pty", "session", "reply", "registry", "host", "remote", "mcp", "attach", "cli"],
    ),
    (
        "src/settings",
        &["session", "reply", "registry", "host", "remote", "mcp", "attach", "install", "cli"],
    ),
    ("src/terminal.rs", &["registry", "host", "remote", "mcp", "attach", "cli"]),
    ("src/attach", &["registry", "host", "remote", "mcp", "cli"]),
];

#[test]
fn modules_use_what_is_below_them() {
    let places = NOT_BELOW.into_iter().filter(|(place, _)| root().join(place).exists());
    for (place, not_below) in places {
        // Tests may have two layers speak with each other.
        for (name, text) in sources(place).iter().filter(|(name, _)| !name.contains("/tests")) {
            let used = own_modules(text);
            let wrong = used.iter().find(|used| not_below.contains(&used.as_str()));
            assert_eq!(wrong, None, "{name} uses what is not below it");
        }
    }
}

#[test]
fn foreign_things_are_named_in_one_place() {
    only_in("rmcp", &["src/mcp"]);
    only_in("crossterm", &["src/terminal.rs"]);
    only_in("reedline", &["src/attach/editor"]);
    only_in("libc", &["src/pty", "python"]);
    only_in("portable_pty", &["src/pty/unix/stdio/tests.rs", "benches"]);
    only_in("vte", &["src/screen", "benches", "fuzz"]);
    only_in("pyo3", &["python"]);
    only_in("clap", &["src/cli"]);
    only_in("toml_edit", &["src/install/document"]);
    only_in("jsonc_parser", &["src/install/document"]);
    only_in("saphyr_parser", &["src/install/document"]);
    only_in("strsim", &["src/settings"]);
    // An engine does not know who asks it.
    let clients = ["src/host", "src/registry", "src/remote", "src/mcp", "src/cli", "benches"];
    only_in("mcp_repl_control", &[&clients[..], &["src/reply", "fuzz"]].concat());
}

#[test]
fn pixels_are_looked_at_in_one_place() {
    for (name, text) in sources("src") {
        // Its tests make pictures.
        let code = text.split("mod tests {").next().unwrap_or_default();
        assert!(name == "src/picture.rs" || !code.contains("image::"), "{name} names image");
    }
}

#[test]
fn what_an_operating_system_has_is_named_behind_the_platform_door() {
    let words = [
        "unix",
        "target_os",
        "target_family",
        "target_vendor",
        "std::os",
        "OwnedFd",
        "BorrowedFd",
        "RawFd",
        "AsyncFd",
        "UnixListener",
        "UnixStream",
        "UnixDatagram",
        "rustix",
        "libc",
        "use nix",
        "portable_pty",
        "windows_sys",
    ];
    let (door, above): (Vec<_>, Vec<_>) =
        sources("src").into_iter().partition(|(name, _)| name.starts_with("src/pty/"));
    for (name, text) in above {
        for word in words {
            assert!(!names(&text, word), "{name} names {word}, which only src/pty may");
        }
        for condition in ["cfg(windows", "cfg(not(windows"] {
            assert!(!text.contains(condition), "{name} has {condition}), which only src/pty may");
        }
    }
    for (name, text) in sources("python/src") {
        for word in words.iter().filter(|word| **word != "libc") {
            let may = name.starts_with(WORKER_DOOR) || !names(&text, word);
            assert!(may, "{name} names {word}, which only {WORKER_DOOR} may");
        }
    }
    // The door itself picks a folder by the target, and names nothing that one target has.
    let (_, text) = door.iter().find(|(name, _)| name == "src/pty/mod.rs").unwrap();
    for word in words.iter().filter(|word| !["unix", "target_os"].contains(word)) {
        assert!(!names(text, word), "src/pty/mod.rs names {word}");
    }
}

#[test]
fn unsafe_is_confined_and_argued() {
    for form in ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "unsafe trait"] {
        only_in(form, &["src/pty", "python"]);
    }
    for (name, text) in all_sources() {
        let mut lines: Vec<&str> = Vec::new();
        for line in text.lines() {
            let code = line.split("//").next().unwrap_or_default();
            if code.contains("unsafe {") {
                let near = lines.iter().rev().take(12).any(|line| line.contains("// SAFETY:"));
                let here = name.starts_with("tests/");
                assert!(near || here, "{name}: no reason for: {}", line.trim());
            }
            lines.push(line);
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for (name, text) in all_sources() {
        assert!(text.starts_with("//! "), "{name} does not open with a //! line");
        let first = text.lines().next().unwrap_or_default();
        assert!(first.len() > 20, "{name} says too little: {first}");
    }
}

#[test]
fn files_can_be_read_in_one_sitting() {
    for (name, text) in all_sources() {
        let lines = text.lines().count();
        assert!(lines <= LONGEST, "{name} has {lines} lines");
        if name.starts_with("tests/it/") {
            assert!(lines < 400, "{name} has {lines} lines");
        }
    }
}

#[test]
fn most_files_are_small() {
    let product = ["src", "python/src"].into_iter().flat_map(sources);
    let lengths = product.filter(|(name, _)| !name.contains("/tests")).map(|(name, text)| {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = code.lines().count();
        assert!(lines <= LONGEST_BEFORE_TESTS, "{name} has {lines} lines before its tests");
        lines
    });
    let mut lengths: Vec<usize> = lengths.collect();
    lengths.sort_unstable();
    assert!(lengths[lengths.len() / 2] < LARGEST_MEDIAN);
}

#[test]
fn tests_never_sleep() {
    for (name, text) in sources("tests/it") {
        let sleeps = ["thread::", "time::"].map(|place| format!("{place}{}", "sleep"));
        for word in sleeps {
            assert!(!text.contains(&word), "{name} sleeps");
        }
    }
}
