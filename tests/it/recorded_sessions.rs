//! Sessions that nobody thought of: recorded, replayed, and the replies are the same, wherever what was
//! printed is cut.
#![cfg(has = "posix")]

use std::time::Duration;

use mcp_repl::{
    screen::Size,
    session::{
        client::{Client, Request},
        recording::{Cuts, replay},
        rules::payload::Payload,
    },
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed},
};

use crate::replay::Live;

/// What is sent, by whom.
#[derive(Debug, Clone)]
enum Act {
    /// A text: a cell, an answer, what is typed.
    Send {
        by: usize,
        text: String,
    },
    Keys {
        by: usize,
        keys: Vec<String>,
    },
    /// Somebody types at the terminal.
    Type(Vec<u8>),
    Resize(Size),
    /// A client that has not called joins in the place of one that goes.
    Change {
        who: usize,
    },
}

const CELLS: [&str; 22] = [
    "1 + 1",
    "x = input('name? '); print('Hello', x)",
    "1 / 0",
    "def f(:",
    "print('half', end='')",
    "import sys\nfor n in range(30): print('\\r', n, 'of 30', end='')",
    "for n in range(3000): print('line', n)",
    "import subprocess; subprocess.run(['cat']).returncode",
    "import os; n = os.write(1, b'caf\\xc3\\xa9 \\xff\\xe6\\xbc')",
    "print('\\x1b[2J\\x1b[5;5Hthere\\x1b[31m red\\x1b[0m 漢字 e\\u0301')",
    "import threading; t = threading.Timer(0.002, print, ['from a thread']); t.start()",
    "import threading; threading.Thread(target=lambda: print(input('in the background? '))).start()",
    "subprocess.run(['sh', '-c', 'seq 200 | less'])",
    "import time\nwhile True: time.sleep(0.005)",
    "help(len)",
    "import pdb; pdb.run('y = 1\\nz = 2')",
    "import getpass; p = getpass.getpass('secret? ')",
    "print('\\x1b[?1049h full \\x1b[6n')",
    "import os; os._exit(7)",
    "exit()",
    "print('[repl] session ended')",
    "os.get_terminal_size()",
];

fn act() -> impl Strategy<Value = Act> {
    let by = 0..2_usize;
    let cell = (by.clone(), prop::sample::select(&CELLS[..]))
        .prop_map(|(by, cell)| Act::Send { by, text: cell.into() });
    let words = prop::sample::select(vec![
        "",
        "Ada",
        "q",
        "c",
        "two\nlines",
        "\u{3}",
        "\u{3}'after'",
        "\u{4}",
        "\u{4}'fresh'",
        "42",
    ]);
    let word = (by.clone(), words).prop_map(|(by, text)| Act::Send { by, text: text.into() });
    let keys = prop::sample::select(vec!["C-d", "C-c", "q", "Enter", "Escape", "Down", ":q!"]);
    let keys = (by, prop::collection::vec(keys, 1..3)).prop_map(|(by, keys)| Act::Keys {
        by,
        keys: keys.into_iter().map(str::to_owned).collect(),
    });
    let typed = prop::sample::select(vec![&b"hello\r"[..], b"\x03", b"q", b"\x04", b"\xff\r"]);
    let sizes = prop::sample::select(vec![(80, 24), (40, 10), (132, 50)]);
    prop_oneof![
        6 => cell,
        4 => word,
        1 => keys,
        1 => typed.prop_map(|bytes| Act::Type(bytes.into())),
        1 => sizes.prop_map(|(columns, rows)| Act::Resize(Size { columns, rows })),
        1 => (0..2_usize).prop_map(|who| Act::Change { who }),
    ]
}

/// What of a waiting call is waited for: some are answered as things stand then.
const PATIENCE: Duration = Duration::from_millis(120);

async fn run(acts: Vec<Act>) -> Result<(), TestCaseError> {
    let live = Live::start();
    let mut clients: Vec<Client> = vec![live.session.join(), live.session.join()];
    for act in acts {
        match act {
            Act::Send { by, text } => {
                let payload = Payload::parse(&text, Vec::new()).unwrap();
                clients[by].call(Request::new(payload, PATIENCE)).await;
            }
            Act::Keys { by, keys } => {
                let payload = Payload::parse("", keys).unwrap();
                clients[by].call(Request::new(payload, PATIENCE)).await;
            }
            Act::Type(bytes) => {
                clients[0].type_bytes(bytes).await;
            }
            Act::Resize(size) => clients[0].resize(size),
            Act::Change { who } => clients[who] = live.session.join(),
        }
    }
    drop(clients);
    let (_, recording) = live.end().await;
    let whole = replay(&recording, Cuts::AsRecorded);
    prop_assert_eq!(&whole.replies, &recording.replies);
    for cuts in [Cuts::Whole, Cuts::Everywhere { most: 20_000, seed: 3 }] {
        let again = replay(&recording, cuts);
        prop_assert_eq!(&again, &whole, "{:?}", cuts);
    }
    Ok(())
}

/// Runs so many generated sessions.
fn sessions(cases: u32, seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // A session that is run again is another one: there is no sense in making it smaller.
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        max_shrink_iters: 0,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let acts = prop::collection::vec(act(), 1..8);
    runner.run(&acts, |acts| runtime.block_on(run(acts))).unwrap();
}

#[test]
fn fifty_sessions_replay() {
    sessions(50, 1);
}

#[test]
fn fifty_more_sessions_replay() {
    sessions(50, 2);
}

#[test]
fn again_fifty_sessions_replay() {
    sessions(50, 3);
}

#[test]
fn the_last_fifty_sessions_replay() {
    sessions(50, 4);
}
