//! Programs on consoles, as they are started and ended. A console that paints a page writes a blank as a step of the
//! cursor, so that what is looked for has none.

use std::{env, fs::OpenOptions, io::Write, path::Path, process};

use super::*;
use crate::pty::own_program;

/// What [`is_on_a_console`] does.
const DOES: &str = "MCP_REPL_TEST_DOES";
/// The file that it uses.
const FILE: &str = "MCP_REPL_TEST_FILE";
const SIZE: Size = Size { columns: 90, rows: 30 };

/// A program on a console. Some consoles give it no standard streams, and all have these names.
#[test]
fn is_on_a_console() {
    let Ok(does) = env::var(DOES) else { return };
    let file = || env::var_os(FILE).unwrap();
    let console = OpenOptions::new().read(true).write(true).open("CONOUT$");
    match does.as_str() {
        "ends" => process::exit(3),
        "prints" => {
            let mut console = console.unwrap();
            (0..500).for_each(|line| writeln!(console, "line-{line}\r").unwrap());
            writeln!(console, "THE-END\r").unwrap();
            process::exit(0)
        }
        "waits" => {
            writeln!(console.unwrap(), "WAITS\r").unwrap();
            loop {
                std::thread::park();
            }
        }
        "tells" => {
            let directory = env::current_dir().unwrap();
            let arguments: Vec<String> = env::args().collect();
            std::fs::write(file(), format!("{directory:?} {arguments:?}")).unwrap();
            process::exit(0)
        }
        other => panic!("{other}"),
    }
}

fn arguments() -> [&'static str; 3] {
    ["--exact", "pty::windows::process::tests::is_on_a_console", "--nocapture"]
}

fn program(does: &str, file: &Path) -> Program {
    Program {
        file: own_program().unwrap(),
        arguments: arguments().map(Into::into).into(),
        environment: vec![(DOES.into(), Some(does.into())), (FILE.into(), Some(file.into()))],
        ..Program::default()
    }
}

/// Reads what is shown until that has a text in it, or its end.
async fn shown_until(terminal: &PtyMaster, text: &str) -> String {
    let (mut shown, mut part) = (Vec::new(), [0; 4096]);
    loop {
        terminal.io().readable().await.unwrap();
        match terminal.io().try_read(&mut part) {
            None => {}
            Some(0) => return String::from_utf8_lossy(&shown).into_owned(),
            Some(length) => shown.extend(&part[..length]),
        }
        let so_far = String::from_utf8_lossy(&shown);
        if !text.is_empty() && so_far.contains(text) {
            return so_far.into_owned();
        }
    }
}

#[tokio::test]
async fn the_exit_status_is_told_and_all_that_was_printed_came_before() {
    let place = tempfile::tempdir().unwrap();
    let (terminal, mut process) = spawn(&program("ends", place.path()), SIZE).unwrap();
    assert_eq!(process.exit(), Exit::Unknown);
    let end = async {
        process.ended().await;
        process
    };
    let (process, _) = tokio::join!(end, shown_until(&terminal, ""));
    assert!(process.is_over());
    assert_eq!(process.exit(), Exit::Status(3));
    let (terminal, mut process) = spawn(&program("prints", place.path()), SIZE).unwrap();
    let (shown, ()) = tokio::join!(shown_until(&terminal, ""), process.ended());
    assert!(shown.contains("line-") && shown.contains("THE-END"), "{shown}");
    assert!(terminal.modes().is_none());
}

#[tokio::test]
async fn who_is_hung_up_on_ends() {
    let place = tempfile::tempdir().unwrap();
    let (terminal, mut process) = spawn(&program("waits", place.path()), SIZE).unwrap();
    shown_until(&terminal, "WAITS").await;
    process.hang_up();
    tokio::join!(process.ended(), shown_until(&terminal, ""));
    assert_ne!(process.exit(), Exit::Unknown);
    assert!(terminal.modes().is_none());
}

#[tokio::test]
async fn a_program_gets_its_words_and_a_directory_as_programs_know_them() {
    let place = tempfile::tempdir().unwrap();
    let real = place.path().canonicalize().unwrap();
    assert!(real.to_str().unwrap().starts_with(r"\\?\"));
    let mut program = program("tells", &place.path().join("told"));
    program.directory = Some(real.clone());
    program.file = program.file.canonicalize().unwrap();
    let words = ["a b", "", r#"say "hi"\"#, "ä"];
    // What runs the test takes them for names of other tests.
    program.arguments.extend(words.map(Into::into));
    let (terminal, mut process) = spawn(&program, SIZE).unwrap();
    tokio::join!(process.ended(), shown_until(&terminal, ""));
    let told = std::fs::read_to_string(place.path().join("told")).unwrap();
    assert!(!told.contains('?'), "{told}");
    let words = format!("{words:?}");
    assert!(told.ends_with(&words[1..]), "{told}");
}

#[tokio::test]
async fn what_is_no_program_is_not_run() {
    let run = |file: &str| {
        let program = Program { file: file.into(), ..Program::default() };
        spawn(&program, SIZE).map(drop).unwrap_err()
    };
    assert_eq!(run("there-is-no-such-program").kind(), std::io::ErrorKind::NotFound);
    assert_eq!(run(r"C:\nowhere\x.exe").kind(), std::io::ErrorKind::NotFound);
    assert!(run("x.BAT").to_string().contains("batch file"));
}
