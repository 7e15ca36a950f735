//! Progress bars: each costs what its last state costs, however often it was painted.
#![cfg(has = "posix")]

use crate::support::{
    IDLE, Server, assert_has, assert_has_not,
    packages::environment,
    paging::{plain_environment, start},
    python,
};

/// The packages whose bars are painted.
const REQUIREMENTS: &str = "tqdm==4.67.1\nrich==14.0.0\n";

/// A session that has the packages.
fn with_packages() -> Server {
    let python = environment("bars", &python::default(), REQUIREMENTS);
    start(plain_environment().python(python))
}

/// The lines of a reply that has no escape sequences and no carriage returns left.
#[track_caller]
fn lines(reply: &str) -> Vec<&str> {
    assert!(!reply.contains(['\u{1b}', '\r', '\u{8}']), "{reply:?}");
    reply.lines().collect()
}

#[test]
fn a_bar_of_a_thousand_steps_is_one_line() {
    let repl = Server::start();
    let cell = "\
import sys
for step in range(1001):
    sys.stdout.write('\\r%4d/1000 %s' % (step, '#' * (step // 20)))
    sys.stdout.flush()
print()";
    repl.gives(cell, &format!("1000/1000 {}\n", "#".repeat(50)));
}

#[test]
fn bars_in_other_ways_of_painting_are_one_line() {
    let repl = Server::start();
    for (paint, last) in [
        ("'\\b' * 9 + '%8d%%' % step", "    1000%"),
        ("'\\r\\x1b[K%d' % step", "1000"),
        ("'\\x1b[2K\\x1b[1G%d' % step", "1000"),
        ("'%d\\n\\x1b[A' % step", "1000"),
        ("'\\x1b[s%d\\x1b[u' % step", "1000"),
        ("'\\r\\x1b[32m%d\\x1b[0m' % step", "1000"),
    ] {
        let cell = format!(
            "import sys\nfor step in range(1001):\n    print({paint}, end='', flush=True)\nprint()"
        );
        repl.gives(&cell, &format!("{last}\n"));
    }
}

#[test]
fn a_bar_that_is_polled_is_told_as_it_stands() {
    let repl = Server::start();
    let cell = "\
import sys, threading
step, go = 0, threading.Event()
def work():
    for step in range(500): print('\\r%d%%' % step, end='', flush=True)
    input()
    for step in range(500, 1001): print('\\r%d%%' % step, end='', flush=True)
    print()
work()";
    repl.gives(cell, "499%");
    let reply = repl.repl("");
    assert_has_not(&reply, "498%");
    let reply = repl.repl("go on");
    assert_has(&reply, "1000%\n");
    assert_has_not(&reply, "999%");
}

#[test]
fn tqdm_costs_a_line() {
    let repl = with_packages();
    let reply = repl.repl("from tqdm import tqdm\nfor _ in tqdm(range(1000), mininterval=0): pass");
    let lines = lines(&reply);
    assert_eq!(lines.len(), 1, "{reply}");
    assert!(lines[0].starts_with("100%|█") && lines[0].contains("| 1000/1000 ["), "{reply}");
}

#[test]
fn nested_tqdm_costs_a_line_a_bar() {
    let repl = with_packages();
    let cell = "\
from tqdm import tqdm
for outer in tqdm(range(3), desc='outer', mininterval=0):
    for _ in tqdm(range(100), desc=f'inner {outer}', mininterval=0): pass";
    let reply = repl.repl(cell);
    let bars = lines(&reply);
    assert_eq!(bars.len(), 4, "{reply}");
    for (name, count) in [("outer", "3/3"), ("inner 0", "100/100"), ("inner 2", "100/100")] {
        let bar = bars.iter().find(|line| line.starts_with(name)).expect(name);
        assert_has(bar, &format!("| {count} ["));
    }
    let cell = "\
for outer in tqdm(range(20), desc='outer', mininterval=0):
    for _ in tqdm(range(100), desc=f'inner {outer}', mininterval=0, leave=False): pass";
    let reply = repl.repl(cell);
    let bars = lines(&reply);
    assert_eq!(bars.len(), 1, "{reply}");
    assert_has(bars[0], "| 20/20 [");
}

#[test]
fn lines_written_around_tqdm_keep_their_order() {
    let repl = with_packages();
    let cell = "\
from tqdm import tqdm
for step in tqdm(range(100), mininterval=0):
    if step % 50 == 0: tqdm.write(f'at {step}')
print('done')";
    let reply = repl.repl(cell);
    let told = lines(&reply);
    assert_eq!((told.len(), told[0], told[1], told[3]), (4, "at 0", "at 50", "done"), "{reply}");
    assert!(told[2].starts_with("100%|█"), "{reply}");
}

#[test]
fn a_bar_that_is_cleared_leaves_nothing() {
    let repl = with_packages();
    let cell = "\
from tqdm import tqdm
for _ in tqdm(range(100), mininterval=0, leave=False): pass";
    repl.gives(cell, IDLE);
    repl.gives("print('\\r75%', end='\\r' + ' ' * 80 + '\\r'); print('done')", "done\n");
    repl.gives("print('on purpose   ')", "on purpose   \n");
}

#[test]
fn rich_progress_costs_a_line_a_task() {
    let repl = with_packages();
    let bar = "━".repeat(40);
    let cell = "\
from rich.progress import Progress
with Progress() as progress:
    tasks = [progress.add_task(name, total=200) for name in 'ab']
    for _ in range(200):
        for task in tasks: progress.advance(task)
        progress.refresh()
    progress.console.print('between')
print('after')";
    let expected = format!("between\na {bar} 100% 0:00:00\nb {bar} 100% 0:00:00\nafter\n");
    repl.gives(cell, &expected);
    let cell = "\
from rich.progress import track
for _ in track(range(1000), description='work', update_period=0): pass";
    repl.gives(cell, &format!("work {bar} 100% 0:00:00\n"));
}

#[test]
fn rich_live_and_status_leave_their_last_state() {
    let repl = with_packages();
    let cell = "\
from rich.live import Live
from rich.table import Table
with Live(auto_refresh=False) as live:
    for number in range(100):
        table = Table('number')
        table.add_row(str(number))
        live.update(table, refresh=True)";
    repl.gives(cell, "┏━━━━━━━━┓\n┃ number ┃\n┡━━━━━━━━┩\n│ 99     │\n└────────┘\n");
    let cell = "\
from rich.console import Console
with Console().status('thinking') as status:
    for _ in range(50): status._live.refresh()
print('done')";
    repl.gives(cell, "done\n");
}

/// Makes a wheel of 3 MB, and serves it to pip from the session itself.
const INDEX: &str = "\
import functools, http.server, os, threading, zipfile
wheel = 'demo-1.0-py3-none-any.whl'
with zipfile.ZipFile(wheel, 'w') as file:
    file.writestr('demo/data', os.urandom(3_000_000))
    file.writestr('demo-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: demo\\nVersion: 1.0\\n')
    file.writestr('demo-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    file.writestr('demo-1.0.dist-info/RECORD', '')
class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f'http://127.0.0.1:{server.server_port}/{wheel}'
import sys
def pip(*arguments):
    run(sys.executable, '-m', 'pip', 'install', '--disable-pip-version-check', '--no-cache-dir',
        '--no-deps', '--isolated', '--target', 'installed', *arguments)";

#[test]
fn pip_install_costs_its_last_state() {
    let repl = with_packages();
    repl.gives(INDEX, IDLE);
    let reply = repl.repl("pip(url)");
    let told = lines(&reply);
    assert_eq!(told.iter().filter(|line| line.contains('━')).count(), 1, "{reply}");
    assert_has(&reply, "3.0/3.0 MB");
    assert_has(&reply, "Successfully installed demo-1.0");
    assert!(reply.len() < 1000, "{reply}");
    // One from a file has no bar.
    let reply = repl.repl("pip('--upgrade', './' + wheel)");
    assert!(lines(&reply).last().unwrap().contains("Successfully installed demo-1.0"), "{reply}");
}
