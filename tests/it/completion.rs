//! Completions from the live session: what a client may put at the cursor of a cell it has not sent,
//! and that asking changes nothing.

use std::{path::Path, sync::Arc};

use mcp_repl::{
    reply::Block,
    session::{
        client::{Client, Completion, Handle, Request},
        engine::{self, Config},
        launch::{RuntimeDirectory, Target, python::PythonSearch},
        rules::payload::Payload,
    },
};

use crate::support::{HANG, IDLE, Listening, assert_has, python, quoted, rounds};

/// A session in this process, and a client of it.
pub(crate) struct Live {
    pub(crate) session: Handle,
    client: Client,
    engine: tokio::task::JoinHandle<()>,
}

impl Live {
    fn start(target: Target) -> Live {
        let config = Config::new(target, RuntimeDirectory::new().unwrap());
        let (session, engine) = engine::start(config).unwrap();
        Live { client: session.join(), session, engine }
    }

    pub(crate) async fn of_python(file: &Path) -> Live {
        let live = Live::start(Target::Python(PythonSearch::of_process(Some(file.to_owned()))));
        assert_eq!(live.send("").await, IDLE);
        live
    }

    async fn of_fake(how: &str, directory: &Path) -> Live {
        let [program, arguments @ ..] = crate::support::fake_worker(how, &directory.join("file"));
        let arguments = arguments.into_iter().map(Into::into).collect();
        let live = Live::start(Target::Custom(program.into(), arguments));
        assert_eq!(live.send("").await, IDLE);
        live
    }

    pub(crate) async fn send(&self, input: &str) -> String {
        let payload = Payload::parse(input, Vec::new()).unwrap();
        let request = Request::new(payload, HANG);
        let blocks = self.client.call(request).await.expect("the engine lives").merged();
        let text = |block| match block {
            Block::Text(text) => text,
            Block::Image { mime, .. } => mime,
        };
        blocks.into_iter().map(text).collect()
    }

    /// What may stand at the `|` of a cell.
    pub(crate) async fn completes(&self, cell: &str) -> Completion {
        let cursor = cell.chars().position(|character| character == '|').expect("a cursor");
        self.client.complete(cell.replacen('|', "", 1), cursor).await
    }

    #[track_caller]
    pub(crate) fn knows(
        &self,
        cell: &str,
        start: usize,
        matches: &[&str],
    ) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let known = self.completes(cell).await;
            let found: Vec<&str> = known.matches.iter().map(String::as_str).collect();
            assert_eq!((known.start, &found[..]), (start, matches), "{cell}, at {caller}");
        }
    }

    pub(crate) async fn knows_nothing(&self, cell: &str) {
        assert_eq!(self.completes(cell).await.matches, [""; 0], "{cell}");
    }

    /// What is known begins so, and has these among it and those not.
    pub(crate) async fn has(&self, cell: &str, start: usize, these: &[&str], others: &[&str]) {
        let known = self.completes(cell).await;
        assert_eq!(known.start, start, "{cell}: {known:?}");
        let has = |name: &&&str| known.matches.iter().any(|found| found == **name);
        assert!(these.iter().all(|name| has(&name)), "{cell}: {known:?}");
        assert!(!others.iter().any(|name| has(&name)), "{cell}: {known:?}");
        assert!(known.matches.is_sorted() && known.matches.len() <= 500, "{cell}");
    }

    pub(crate) async fn end(self) {
        self.session.shutdown();
        self.engine.await.unwrap();
    }
}

/// Runs a test in a session of each version.
pub(crate) async fn on_every_python(test: impl AsyncFn(&Live)) {
    for version in python::versions() {
        eprintln!("with Python {version}:");
        let live = Live::of_python(&python::of_version(version)).await;
        test(&live).await;
        live.end().await;
    }
}

#[tokio::test]
async fn python_says_whether_a_cell_has_an_end() {
    on_every_python(async |live| {
        let is_incomplete =
            async |cell: &str| live.client.complete(cell.into(), 0).await.is_incomplete;
        for cell in [
            "f(",
            "f(a,\nb",
            "'''x",
            "x = [\n1,",
            "if x:",
            "@d",
            "try:\n    x",
            "x = \\",
            "class A:\n",
            "if x:\n    f(",
        ] {
            assert!(is_incomplete(cell).await, "{cell:?}");
        }
        for cell in [
            "",
            "x",
            "f(1)",
            "if x:\n    y",
            "if x: y",
            "x = 1\ny = 2",
            "'x",
            "1 +",
            "f(1))",
            "for",
            "class A:\n    x = 1\n\n",
            r#""\d""#,
        ] {
            assert!(!is_incomplete(cell).await, "{cell:?}");
        }
    })
    .await;
}

#[cfg(has = "posix")]
#[tokio::test]
async fn names_are_those_of_the_live_session_as_rlcompleter_has_them() {
    on_every_python(async |live| {
        let before = "names = set(dir()); import sys; modules = set(sys.modules)";
        assert_eq!(live.send(before).await, IDLE);
        assert_eq!(live.send("import os\nwärme = 1\ndef wand(a): pass").await, IDLE);
        live.has("os.pathc|", 0, &["os.pathconf("], &["os.path"]).await;
        live.knows("os.no_such|", 0, &[]).await;
        live.has("os.pa|", 0, &["os.path", "os.pardir", "os.pathsep"], &["os.pa"]).await;
        live.has("os.path.jo|", 0, &["os.path.join("], &[]).await;
        live.knows("w = [wä|, 1]", 5, &["wärme"]).await;
        live.has("(wa|", 1, &["wand("], &["wärme"]).await;
        live.has("impo|", 0, &["import "], &[]).await;
        live.has("prin|", 0, &["print("], &[]).await;
        live.has("x = os.|", 4, &["os.path"], &["os._exit("]).await;
        live.has("f'{os.pa|", 3, &["os.path"], &[]).await;
        for cell in ["|", "  |", "x.|", "1.|", "os.getcwd().|", "'a'.up|", "x = 1 # os.pa|"] {
            live.knows_nothing(cell).await;
        }
        // All but what the library itself needs is as it was.
        let after =
            "sorted(set(dir()) - names - {'names', 'modules', 'sys', 'os', 'wand', 'wärme'})";
        assert_eq!(live.send(after).await, "[]\n");
        assert_eq!(live.send("'rlcompleter' in sys.modules").await, "False\n");
        let completer = "import readline; print(readline.get_completer())";
        assert_eq!(live.send(completer).await, "None\n");
        let both = "import rlcompleter; print(readline.get_completer() is not None)";
        assert_eq!(live.send(both).await, "True\n");
        for word in ["os.pa", "os.path.", "im", "os.environ.k", "wä", "sys.st"] {
            let library = format!(
                "c = rlcompleter.Completer(globals()); found = c.complete({word:?}, 0)\n\
                 print(*sorted(c.matches), sep='\\n')"
            );
            let library = live.send(&library).await;
            let ours = live.completes(&format!("{word}|")).await.matches;
            assert_eq!(ours, library.lines().collect::<Vec<_>>(), "{word}");
        }
    })
    .await;
}

#[tokio::test]
async fn imports_and_files_are_known_and_nothing_is_imported() {
    on_every_python(async |live| {
        let directory = tempfile::tempdir().unwrap();
        for file in ["alpha.csv", "al pha.txt", ".hidden", "alcove"] {
            std::fs::write(directory.path().join(file), "").unwrap();
        }
        std::fs::create_dir(directory.path().join("albums")).unwrap();
        std::fs::write(directory.path().join("mymodule.py"), "raise SystemExit").unwrap();
        live.send(&format!("import os; os.chdir({})", quoted(directory.path()))).await;
        live.knows("import mymod|", 7, &["mymodule"]).await;
        live.has("import os, zip|", 11, &["zipfile", "zipimport"], &["zlib"]).await;
        live.has("import xml.|", 7, &["xml.etree", "xml.dom"], &["xml"]).await;
        live.has("from xml.et|", 5, &["xml.etree"], &[]).await;
        live.has("from xml.dom import mini|", 20, &["minidom"], &[]).await;
        live.has("if x: from os import (path, pa|", 28, &["path", "pardir"], &["pa"]).await;
        live.has("from os imp|", 8, &["import "], &[]).await;
        live.knows_nothing("import os as o|").await;
        assert_eq!(
            live.send("import sys; {'mymodule', 'xml'} & set(sys.modules)").await,
            "set()\n"
        );
        live.knows("open('al|", 6, &["al pha.txt", "albums/", "alcove", "alpha.csv"]).await;
        live.knows("open(\"./alp|\")", 8, &["alpha.csv"]).await;
        live.has("open('|", 6, &["albums/", "mymodule.py"], &[".hidden"]).await;
        live.knows("open('.h|", 6, &[".hidden"]).await;
        let place = directory.path().display().to_string().replace('\\', "/");
        live.knows(&format!("open('{place}/alc|"), "open('/".len() + place.len(), &["alcove"])
            .await;
        for cell in ["open('no/such/|", "'''\nal|", "'\\al|", "'al' + |"] {
            live.knows_nothing(cell).await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_programs_own_code_prints_raises_and_reads_goes_nowhere() {
    on_every_python(async |live| {
        let class = "import sys, warnings\n\
            class Loud:\n    \
                def __dir__(self):\n        \
                    print('printed'); print('error', file=sys.stderr); warnings.warn('warned')\n        \
                    sys.stdout.buffer.write(b'bytes'); sys.stdout.writelines(['lines'])\n        \
                    return ['one', 'two']\n    \
                def __getattr__(self, name): print('asked', name); return 1\n\
            class Raises:\n    \
                def __init__(self, error): self.__dict__['error'] = error\n    \
                def __dir__(self): raise self.error\n\
            class Reads:\n    \
                def __dir__(self):\n        \
                    try: input('? ')\n        \
                    except EOFError: return ['at_end' + sys.stdin.readline()]\n\
            loud, reads, kept = Loud(), Reads(), sys.stdout";
        assert_eq!(live.send(class).await, IDLE);
        live.has("loud.|", 0, &["loud.one", "loud.two"], &[]).await;
        live.has("reads.|", 0, &["reads.at_end"], &[]).await;
        for error in ["ValueError()", "KeyboardInterrupt()", "SystemExit(3)", "BaseException()"] {
            assert_eq!(live.send(&format!("raises = Raises({error})")).await, IDLE);
            live.knows_nothing("raises.|").await;
        }
        assert_eq!(live.send("").await, IDLE);
        assert_eq!(live.send("print('shown', sys.stdout is kept)").await, "shown True\n");
        assert_eq!(live.send("hasattr(sys, 'last_value')").await, "False\n");
        assert_has(&live.send("input('more? ')").await, "more? ");
        assert_eq!(live.send("answer").await, "'answer'\n");
    })
    .await;
}

#[tokio::test]
async fn one_that_hangs_holds_up_no_cell_and_no_other_completion() {
    let listening = Arc::new(Listening::new());
    on_every_python(async |live| {
        let class = format!(
            "import signal, socket, time\n\
             class Hangs:\n    \
                 def __dir__(self):\n        \
                     {}\n        \
                     while True: time.sleep(1000)\n\
             hangs, ok, handled = Hangs(), 1, []\n\
             _ = signal.signal(signal.SIGINT, lambda *_: handled.append(1))",
            listening.lay()
        );
        assert_eq!(live.send(&class).await, IDLE);
        let hanging = async || {
            let session = live.session.clone();
            let known = tokio::spawn(async move {
                session.join().complete("hangs.".into(), "hangs.".len()).await
            });
            let listening = listening.clone();
            let line = tokio::task::spawn_blocking(move || listening.accept());
            (known, line.await.unwrap())
        };
        let (known, _line) = hanging().await;
        assert_eq!(live.send("1 + 1").await, "2\n");
        assert_eq!(known.await.unwrap(), Completion::default());
        let (known, _line) = hanging().await;
        live.knows("ok|", 0, &["ok"]).await;
        assert_eq!(known.await.unwrap(), Completion::default());
        // The worker gives it up by itself, and the program's handler is none the wiser.
        let (known, _line) = hanging().await;
        assert_eq!(known.await.unwrap(), Completion::default());
        live.knows("ok|", 0, &["ok"]).await;
        let handler = "(handled, signal.getsignal(signal.SIGINT).__name__)";
        assert_eq!(live.send(handler).await, "([], '<lambda>')\n");
        let (known, _line) = hanging().await;
        assert_has(&live.send("\u{4}2 + 2").await, "4\n");
        assert_eq!(known.await.unwrap(), Completion::default());
    })
    .await;
}

#[tokio::test]
async fn a_cell_that_crosses_a_completion_is_never_struck() {
    on_every_python(async |live| {
        let class = "import time\n\
            class Slow:\n    \
                def __dir__(self):\n        \
                    until = time.perf_counter() + wait\n        \
                    while time.perf_counter() < until: pass\n        \
                    return ['one']\n\
            slow = Slow()";
        assert_eq!(live.send(class).await, IDLE);
        let mut struck = 0;
        for round in 0..rounds(30) {
            // Some end before the cell comes, some are struck, some are struck as they end.
            let wait = f64::from(round % 10) * 0.000_05;
            assert_eq!(live.send(&format!("wait = {wait}")).await, IDLE);
            let cell = async {
                for _ in 0..round * 7 % 100 {
                    tokio::task::yield_now().await;
                }
                live.send("for n in range(2000): n += 1\nprint(n)").await
            };
            let (known, told) = tokio::join!(live.completes("slow.|"), cell);
            assert_eq!(told, "2000\n", "round {round}");
            struck += u32::from(known == Completion::default());
        }
        assert!(struck > 0);
    })
    .await;
}

#[tokio::test]
async fn while_a_cell_runs_or_waits_nothing_is_known() {
    let live = Live::of_python(&python::default()).await;
    assert_has(&live.send("input('name? ')").await, "name? ");
    live.knows_nothing("prin|").await;
    assert_eq!(live.send("x").await, "'x'\n");
    live.has("prin|", 0, &["print("], &[]).await;
    assert_has(&live.send("exit()").await, "ended");
    live.knows_nothing("prin|").await;
    live.end().await;
}

#[tokio::test]
async fn a_thread_prints_while_a_completion_is_looked_for() {
    let live = Live::of_python(&python::default()).await;
    let cell = "import threading\n\
        class Waits:\n    \
            def __dir__(self):\n        \
                thread = threading.Thread(target=print, args=['from a thread'])\n        \
                thread.start(); thread.join(); print('from here')\n        \
                return ['done']\n\
        waits = Waits()";
    assert_eq!(live.send(cell).await, IDLE);
    live.has("waits.|", 0, &["waits.done"], &[]).await;
    let told = live.send("print('cell')").await;
    assert_eq!(told, "from a thread\ncell\n");
    live.end().await;
}

#[cfg(has = "posix")]
#[tokio::test]
async fn a_worker_without_the_capability_is_never_asked() {
    let directory = tempfile::tempdir().unwrap();
    let live = Live::of_fake("tells_what_it_was_sent", directory.path()).await;
    live.knows_nothing("os.pa|").await;
    assert_eq!(live.send("next").await, "hello cell\n");
    live.knows_nothing("os.pa|").await;
    assert_eq!(live.send("next").await, "cell\n");
    live.end().await;
}

#[cfg(has = "posix")]
#[tokio::test]
async fn answers_that_are_late_wrong_or_never_come_do_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    let live = Live::of_fake("completes", directory.path()).await;
    live.knows("well|", 0, &["well!"]).await;
    for how in ["never|", "wrong|", "beyond|", "late|"] {
        live.knows_nothing(how).await;
    }
    assert_eq!(live.send("cell").await, "ran cell\n");
    live.knows("well|", 0, &["well!"]).await;
    live.end().await;
}
