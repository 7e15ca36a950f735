//! What tests say that they need (`#[cfg(has = "posix")]`): the words are those of build.rs, tests/README.md says
//! what each means, and no test says for which system it is.

use std::{collections::BTreeSet, fs, path::Path};

/// What would say for which system a test is.
const SYSTEMS: [&str; 4] = ["(unix", "(windows", "target_os", "target_family"];

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The conditions in a source text.
fn conditions(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
    lines.filter(|line| line.contains("cfg"))
}

#[test]
fn tests_say_what_they_need_and_not_for_which_system_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    for place in [root.clone(), root.join("support")] {
        for entry in fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            // Two name them all.
            if path.is_dir() || path.ends_with("architecture.rs") || path.ends_with(file!()) {
                continue;
            }
            for line in conditions(&read(&path)) {
                let named = SYSTEMS.iter().find(|system| line.contains(**system));
                assert_eq!(named, None, "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn what_each_capability_means_is_written_down() {
    let source = read("build.rs");
    let (_, table) = source.split_once("const CAPABILITIES").unwrap();
    let (table, _) = table.split_once("\n];").unwrap();
    let names: BTreeSet<&str> = table.lines().filter_map(|line| line.split('"').nth(1)).collect();
    assert!(names.contains("posix"), "{names:?}");
    let page = read("tests/README.md");
    let (_, page) = page.split_once("## What a test needs").unwrap();
    let (page, _) = page.split_once("\n## ").unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(rows.collect::<BTreeSet<_>>(), names);
}
