//! Programs in a sandbox, as `spawn` starts them.

mod files;
mod programs;

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{
    pty::{Program, spawn},
    reply::Exit,
    sandbox::{Network, Rules},
    screen::Size,
};

/// A directory with what the rules of a test are about, and a program's way into it.
struct Ground {
    place: TempDir,
    rules: Rules,
}

impl Ground {
    /// A workspace `work`, in which `.git/hooks` and `.claude` are protected, the latter of which does not
    /// exist; `tmp`, which can be written as a whole; `secret`, which is hidden; `outside`.
    fn new() -> Ground {
        let place = TempDir::new().unwrap();
        let at = |path: &str| place.path().canonicalize().unwrap().join(path);
        for directory in ["work/.git/hooks", "work/sub", "tmp", "secret", "outside"] {
            fs::create_dir_all(at(directory)).unwrap();
        }
        for file in
            ["work/file", "work/.git/hooks/old", "work/.git/index", "secret/key", "outside/file"]
        {
            fs::write(at(file), file).unwrap();
        }
        let rules = Rules {
            hidden: vec![at("secret")],
            writable: vec![at("work"), at("tmp"), "/dev/shm".into()],
            protected: vec![at("work/.git/hooks"), at("work/.claude")],
            devices: Vec::new(),
            network: Network::Off,
        };
        Ground { place, rules }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.place.path().canonicalize().unwrap().join(path)
    }

    /// What a Python program prints that runs in `work`, without carriage returns.
    fn python(&self, source: &str) -> String {
        self.run("python3", &["-c", source])
    }

    fn shell(&self, source: &str) -> String {
        self.run("bash", &["-c", source])
    }

    fn run(&self, file: &str, arguments: &[&str]) -> String {
        let program = Program {
            file: file.into(),
            arguments: arguments.iter().map(Into::into).collect(),
            directory: Some(self.at("work")),
            environment: vec![("TMPDIR".into(), Some(self.at("tmp").into()))],
            master_variable: None,
            limits: crate::pty::Limits::default(),
            sandbox: Some(self.rules.clone()),
        };
        output(&program)
    }
}

/// All that a program prints on its terminal.
fn output(program: &Program) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (terminal, mut process) = spawn(program, Size { columns: 200, rows: 24 }).unwrap();
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            terminal.io().readable().await.unwrap();
            match terminal.io().try_read(&mut buffer) {
                Some(0) => break,
                Some(count) => bytes.extend_from_slice(&buffer[..count]),
                None => {}
            }
        }
        process.ended().await;
        assert_ne!(process.exit(), Exit::Unknown);
        String::from_utf8_lossy(&bytes).replace('\r', "")
    })
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| error.to_string())
}
