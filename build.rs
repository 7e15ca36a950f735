//! Builds the worker's extension and names its file to the binary, which carries it; and tells tests what
//! their target has.
//!
//! A cargo of its own does it, in `OUT_DIR`: the extension is built for release whatever the
//! profile, and `cargo run`, `cargo build` and `cargo install` all give one whole file.

use std::{env, path::PathBuf, process::Command};

/// Names a file that the binary carries in place of an extension that is built here.
const GIVEN: &str = "MCP_REPL_BUILT_EXTENSION";

/// What a target has, as tests say that they need it: `#![cfg(has = "posix")]`. What each one means is in
/// tests/README.md.
const CAPABILITIES: [(&str, &[&str]); 5] = [
    ("posix", &["linux", "macos"]),
    ("proc", &["linux"]),
    ("readers", &["linux"]),
    ("person", &["linux"]),
    ("sandbox", &["linux"]),
];

fn main() {
    tell_capabilities();
    for input in ["python", "src/sideband", "Cargo.lock", "build.rs"] {
        println!("cargo::rerun-if-changed={input}");
    }
    println!("cargo::rerun-if-env-changed={GIVEN}");
    // For a check of the binary alone, of a target that the extension is not written for yet.
    if let Some(file) = env::var_os(GIVEN) {
        println!("cargo::rustc-env=MCP_REPL_EXTENSION_FILE={}", PathBuf::from(file).display());
        return;
    }
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let target_directory = PathBuf::from(variable("OUT_DIR")).join("worker");
    let target = variable("TARGET");

    let mut cargo = Command::new(variable("CARGO"));
    // The outer cargo's variables describe its own build (its flags, its target directory, a
    // coverage wrapper), not this one.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let of_cargo = name.starts_with("CARGO_") && !is_of_machine(&name);
        if of_cargo || name.starts_with("RUSTC") || name == "RUSTFLAGS" {
            cargo.env_remove(&*name);
        }
    }
    // The limited API needs no interpreter to build against, and the extension links none.
    cargo.env("PYO3_NO_PYTHON", "1").env("PYO3_BUILD_EXTENSION_MODULE", "1");
    // Rust links the musl C library into everything it builds, and then makes no shared object:
    // the extension takes that of the Python that loads it.
    if variable("CARGO_CFG_TARGET_ENV") == "musl" {
        cargo.env("RUSTFLAGS", "-Ctarget-feature=-crt-static");
    }
    cargo
        .current_dir(&root)
        .args(["build", "--release", "--package", "mcp-repl-python", "--target", &target])
        .arg("--target-dir")
        .arg(&target_directory);
    let status = cargo.status();
    assert!(
        status.as_ref().is_ok_and(|status| status.success()),
        "building the worker's extension failed: {status:?}"
    );

    let name = match variable("CARGO_CFG_TARGET_OS").as_str() {
        "macos" => "lib_mcp_repl.dylib",
        "windows" => "_mcp_repl.dll",
        _ => "lib_mcp_repl.so",
    };
    let library = target_directory.join(target).join("release").join(name);
    assert!(library.is_file(), "the extension is not at {}", library.display());
    println!("cargo::rustc-env=MCP_REPL_EXTENSION_FILE={}", library.display());
}

fn tell_capabilities() {
    let names = CAPABILITIES.map(|(name, _)| format!("{name:?}")).join(", ");
    println!("cargo::rustc-check-cfg=cfg(has, values({names}))");
    let system = variable("CARGO_CFG_TARGET_OS");
    for (name, systems) in CAPABILITIES {
        if systems.contains(&system.as_str()) {
            println!("cargo::rustc-cfg=has={name:?}");
        }
    }
}

/// What tells of the machine holds for both builds: how the registry is reached, where cargo's
/// files are, and which linker makes programs for a target, without which the extension is for
/// another C library or processor than the binary.
fn is_of_machine(name: &str) -> bool {
    name == "CARGO_HOME"
        || (name.starts_with("CARGO_TARGET_") && name.ends_with("_LINKER"))
        || ["CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTR", "CARGO_SOURCE_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}
