//! Whatever is in a file of settings, it is read or told, with lines that are there.
//!
//! `cargo +nightly fuzz run settings -- -max_total_time=120`; `.ci/run` does the same with the stable
//! compiler. The data are the file.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use mcp_repl::settings::{Base, Holds, Key, Known, Takes, Value, needs_consent, parse_bytes};

const DIRECTORY: &str = "/p";

fuzz_target!(|data: &[u8]| {
    let option = |table: &str, name: &str, takes, holds| Known {
        key: Key { table: table.into(), name: name.into() },
        takes,
        holds,
    };
    let known = [
        option("", "pager", Takes::Value, Holds::Text),
        option("", "keep", Takes::MaybeValue, Holds::Text),
        option("", "python", Takes::Value, Holds::Program),
        option("", "worker", Takes::Value, Holds::Command),
        option("", "via", Takes::Value, Holds::Command),
        option("", "via-install", Takes::Nothing, Holds::Text),
        option("", "deny-read", Takes::Values, Holds::Path),
        option("attach", "keys", Takes::Value, Holds::Text),
    ];
    let base = Base { directory: Path::new(DIRECTORY), home: Some(Path::new("/home/ada")) };
    let check = |_: &Key, value: &str| match value.is_empty() {
        true => Err("it is empty".to_owned()),
        false => Ok(()),
    };
    let lines = 1 + data.iter().filter(|byte| **byte == b'\n').count();
    match parse_bytes(data, &known, base, &check) {
        Ok(settings) => {
            for one in &settings {
                assert!((1..=lines).contains(&one.line), "{one:?}");
                assert!(known.iter().any(|known| known.key == one.key), "{one:?}");
                // A program that a project runs by itself is its own, or has a usual name.
                let is_free = !needs_consent(&one.key, &one.value, None, Path::new(DIRECTORY));
                if let (true, Holds::Program | Holds::Command, Value::Texts(texts)) =
                    (is_free, one.holds, &one.value)
                {
                    let is_own = |text: &String| text.starts_with("/p/");
                    assert!(texts.iter().all(|text| is_own(text) || text.starts_with("python")));
                }
            }
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                assert!((1..=lines).contains(&problem.line), "{problem:?}");
                assert!(!problem.text.contains(char::is_control), "{problem:?}");
            }
        }
    }
});
