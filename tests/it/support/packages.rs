//! Virtual environments with packages from PyPI, made once and kept between runs.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

/// The Python of a virtual environment of `base` that has `requirements`, as pip reads them from
/// a file, installed. It stands in the directory `name` among the files of the tests, as `.venv`.
pub(crate) fn environment(name: &str, base: &Path, requirements: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).unwrap();
    // Another run may be at it.
    let lock = File::create(directory.join("lock")).unwrap();
    lock.lock().unwrap();
    let place = directory.join(".venv");
    let programs = if cfg!(has = "posix") { "bin/python" } else { "Scripts/python.exe" };
    let python = place.join(programs);
    let installed = directory.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == requirements) {
        return python;
    }
    run(Command::new(base).args(["-m", "venv", "--clear"]).arg(&place));
    let list = directory.join("requirements.txt");
    fs::write(&list, requirements).unwrap();
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--no-input", "--only-binary", ":all:", "--requirement"])
        .arg(&list));
    fs::write(installed, requirements).unwrap();
    python
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{told}");
}
