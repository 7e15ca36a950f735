//! How much a session may take: memory and processes, and what is told of it.

use crate::support::{Builder, assert_has, text_of};

#[test]
fn who_wants_more_memory_than_there_is_to_be_gets_an_error_and_goes_on() {
    let repl = Builder::new().args(["--memory", "1G"]).start();
    let said = repl.repl("x = bytearray(2 << 30)");
    assert_has(&said, "MemoryError");
    repl.gives("x = bytearray(1 << 20)\nlen(x)", "1048576\n");
    // So does what it starts.
    let child = "import subprocess, sys\n\
        subprocess.run([sys.executable, '-c', 'bytearray(2 << 30)'], stderr=subprocess.PIPE).stderr[-12:]";
    repl.gives(child, "b'MemoryError\\n'\n");
    let hosted = Builder::new().args(["--memory", "1G"]).hosted().start();
    assert_has(&hosted.repl("x = bytearray(2 << 30)"), "MemoryError");
}

/// A limit of processes that the system can't hold is no limit that is left out without a word.
#[cfg(has = "posix")]
#[test]
fn the_number_of_processes_is_limited_or_the_session_does_not_start() {
    for builder in [Builder::new(), Builder::new().hosted()] {
        let repl = builder.args(["--max-processes", "20"]).start();
        let cell = "import threading\n\
            go_on = threading.Event()\n\
            n = 0\n\
            try:\n\
            \x20   for n in range(40): threading.Thread(target=go_on.wait, daemon=True).start()\n\
            except RuntimeError as error: print(error)\n\
            go_on.set()\n\
            n";
        let said = text_of(&repl.begin(cell).answer());
        if said.contains("`--max-processes` can't be held here") {
            // Root's processes are counted by a control group alone.
            assert!(rustix::process::geteuid().is_root(), "{said}");
            continue;
        }
        assert_has(&said, "can't start new thread");
        let started: u32 = said.lines().find_map(|line| line.parse().ok()).unwrap();
        assert!(started < 20, "{started} threads");
        repl.gives("1+1", "2\n");
    }
    let output = Builder::new().arg("--max-processes=9").output("");
    assert_has(&String::from_utf8_lossy(&output.stderr), "9 is not in 10..");
}
