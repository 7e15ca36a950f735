//! Calls: when they return, what they bring, and how several live side by side.

use serde_json::{Value, json};

use crate::support::{Builder, IDLE, Lifeline, Server, assert_has, text_of};

/// A reply that says the session is still busy; gives the text before.
#[track_caller]
fn before_busy(reply: &str) -> &str {
    let (text, status) = reply.split_once("<<repl status: busy, elapsed_ms=").expect(reply);
    let elapsed = status.strip_suffix(">>\n").expect(reply);
    elapsed.parse::<u64>().expect(reply);
    text
}

#[test]
fn a_call_that_times_out_says_busy_and_polls_drain_it() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let reply =
        repl.repl_with("print('one')\n_ = line.recv(1)\nprint('two')\n_ = line.recv(1)", 200);
    assert_eq!(before_busy(&reply), "one\n");
    assert_eq!(before_busy(&repl.repl_with("", 0)), "");
    line.release();
    // The second part comes with a poll that waits for it.
    let mut seen = String::new();
    while seen.is_empty() {
        seen.push_str(before_busy(&repl.repl_with("", 50)));
    }
    assert_eq!(seen, "two\n");
    line.release();
    repl.gives("", IDLE);
    repl.gives("", IDLE);
}

#[test]
fn polls_neither_lose_nor_repeat() {
    // On a busy machine one poll may get nearly all of it, which is not to be shortened.
    let repl = Builder::new().args(["--reply-size", "100000"]).start();
    let mut line = Lifeline::lay(&repl);
    let cell = "\
for part in range(20):
    _ = line.recv(1)
    for n in range(100): print(part, n)";
    let mut all = before_busy(&repl.repl_with(cell, 0)).to_owned();
    for _ in 0..20 {
        line.release();
        for timeout_ms in [0, 1, 2] {
            let reply = repl.repl_with("", timeout_ms);
            if reply.contains("<<repl status: busy") {
                all.push_str(before_busy(&reply));
            } else if reply != IDLE {
                all.push_str(&reply);
            }
        }
    }
    let rest = repl.poll();
    all.push_str(if rest == IDLE { "" } else { &rest });
    let part = |part: usize| (0..100).map(move |n| format!("{part} {n}\n"));
    let expected: String = (0..20).flat_map(part).collect();
    // A status line stands on a line of its own: one that was cut ends there.
    let [all, expected] = [all, expected].map(|text| text.replace('\n', ""));
    assert!(all == expected, "{} bytes of {}: {all}", all.len(), expected.len());
}

#[test]
fn what_a_thread_prints_while_idle_comes_with_the_next_call() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let cell = "\
import threading
def work():
    for name in 'first', 'second':
        line.recv(1)
        print(name, flush=True)
        line.send(b'!')
threading.Thread(target=work, daemon=True).start()";
    repl.gives(cell, IDLE);
    line.release();
    line.hears("!");
    repl.gives("'cell'", "first\n'cell'\n");
    repl.gives("", IDLE);
    line.release();
    line.hears("!");
    // The kernel may hand it over a moment later.
    let mut reply = repl.poll();
    while reply == IDLE {
        reply = repl.poll();
    }
    assert_eq!(reply, "second\n");
    repl.gives("", IDLE);
}

#[test]
fn input_while_busy_is_refused_and_told() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let running = repl.begin("line.recv(1)\n'first'");
    before_busy(&repl.repl_with("", 0));
    let reply = repl.repl("'second'");
    let refused = reply.strip_prefix("[repl] input discarded while worker busy\n").expect(&reply);
    assert_eq!(before_busy(refused), "");
    line.release();
    assert_eq!(running.text(), "'first'\n");
    repl.gives("1 + 1", "2\n");
}

#[test]
fn the_cells_of_one_turn_are_run_in_order() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let cells = ["_ = line.recv(1)\nx = [1]\nx", "x.append(2)\nx", "x.append(3)\nx"];
    let calls = cells.map(|cell| repl.begin(cell));
    line.release();
    assert_eq!(calls.map(|call| call.text()), ["[1]\n", "[1, 2]\n", "[1, 2, 3]\n"]);
    // One that waits while the cell before it asks for input is no answer.
    let asks = repl.begin("_ = line.recv(1)\ninput('Name? ')");
    let cell = repl.begin("x = 'not run'");
    // Both have reached the session when a poll behind them has its reply.
    assert_has(&repl.repl_with("", 0), "busy");
    line.release();
    assert_eq!(asks.text(), "Name? ");
    assert_has(&cell.text(), "[repl] not run: what is before it waits for input");
    repl.gives("Ada", "'Ada'\n");
    repl.gives("x", "[1, 2, 3]\n");
}

#[test]
fn a_poll_and_an_interrupt_pass_a_call_that_waits() {
    let repl = Server::start();
    let _line = Lifeline::lay(&repl);
    // The cell may not even have begun: what comes behind it finds it all the same.
    let waiting = repl.begin("line.recv(1)");
    assert_eq!(before_busy(&repl.repl_with("", 0)), "");
    let after = repl.repl("\u{3}");
    assert_has(&(waiting.text() + &after), "KeyboardInterrupt");
    repl.still_works();
}

#[test]
fn a_reset_passes_a_call_that_waits() {
    let repl = Server::start();
    let line = Lifeline::lay(&repl);
    let waiting = repl.begin("line.recv(1)");
    repl.gives_part("\u{4}1 + 1", "[repl] new session started\n2\n");
    waiting.answer();
    line.wait_until_cut();
    repl.still_works();
}

#[test]
fn two_calls_at_once_each_get_an_answer() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let one = repl.begin("_ = line.recv(1)\nprint('done')");
    let polls: Vec<_> = (0..10).map(|_| repl.begin("")).collect();
    line.release();
    let mut all = one.text();
    for poll in polls {
        all.push_str(&poll.text());
    }
    assert_eq!(all.matches("done\n").count(), 1, "{all}");
    repl.still_works();
}

#[test]
fn a_cancelled_call_ends_the_wait_and_not_the_work() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let call = repl.begin("line.send(b'!')\n_ = line.recv(1)\nprint('finished')");
    line.hears("!");
    repl.notify("notifications/cancelled", &json!({"requestId": call.id, "reason": "test"}));
    let still_runs = "[repl] the cell of a cancelled call still runs; \"\\u0003\" interrupts it\n";
    assert_eq!(before_busy(&repl.repl_with("", 0)), still_runs);
    line.release();
    repl.gives("", "finished\n");
    let id = call.id;
    assert!(repl.messages(|message| message["id"] == id).is_empty(), "a reply to nobody");
}

#[test]
fn a_cancelled_call_frees_the_way_at_once() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let call = repl.begin("line.send(b'!')\nline.recv(1)");
    line.hears("!");
    repl.notify("notifications/cancelled", &json!({"requestId": call.id}));
    let reply = repl.repl("\u{3}");
    assert_has(&reply, "KeyboardInterrupt");
    repl.still_works();
}

#[test]
fn a_long_call_tells_its_progress() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let arguments = json!({"input": "print('step 1 of 2')\n_ = line.recv(1)"});
    let params =
        json!({"name": "repl", "arguments": arguments, "_meta": {"progressToken": "mine"}});
    let id = repl.send_request("tools/call", &params);
    let first = repl.notification("notifications/progress");
    assert_eq!(first["params"]["progressToken"], "mine");
    assert_eq!(first["params"]["message"], "step 1 of 2");
    let second = repl.notification("notifications/progress");
    let amount = |told: &Value| told["params"]["progress"].as_f64().unwrap();
    assert!(amount(&second) > amount(&first), "{first} {second}");
    assert!(amount(&second) - amount(&first) > 0.9, "at most one a second: {first} {second}");
    line.release();
    let answer = repl.answer(&json!(id));
    assert_eq!(text_of(&answer), "step 1 of 2\n");
}

#[test]
fn progress_shows_nothing_of_what_came_before_the_call() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    repl.gives("print('from before')", "from before\n");
    let arguments = json!({"input": "_ = line.recv(1)\nprint('own')\n_ = line.recv(1)"});
    let params = json!({"name": "repl", "arguments": arguments, "_meta": {"progressToken": 1}});
    let id = repl.send_request("tools/call", &params);
    let told = repl.notification("notifications/progress");
    assert!(told["params"].get("message").is_none(), "{told}");
    line.release();
    let mut told = repl.notification("notifications/progress");
    while told["params"].get("message").is_none() {
        told = repl.notification("notifications/progress");
    }
    assert_eq!(told["params"]["message"], "own");
    line.release();
    assert_eq!(text_of(&repl.answer(&json!(id))), "own\n");
}

#[test]
fn a_call_without_a_token_gets_no_progress() {
    let repl = Server::start();
    let reply = repl.repl_with("import time\nwhile True: time.sleep(60)", 1500);
    before_busy(&reply);
    let told = repl.messages(|message| message.get("method").is_some());
    assert!(told.is_empty(), "{told:?}");
}

#[cfg(has = "marks")]
#[test]
fn ten_megabytes_come_back_within_the_budget_and_whole_on_disk() {
    let repl = Server::start();
    let line = "0123456789abcdef".repeat(4) + "~~~~~~~";
    let cell = format!("for n in range(131072): print(f'{{n:08}}{line}')");
    let reply = repl.repl(&cell);
    let whole: String = (0..131_072).map(|n| format!("{n:08}{line}\n")).collect();
    assert!(whole.len() > 10_000_000);
    assert!(reply.len() < 16_500, "{} bytes", reply.len());
    let (head, rest) = reply.split_once("[repl] … ").expect("what is left out is told");
    let (note, rest) = rest.split_once('\n').unwrap();
    let (tail, end) = rest.split_once("[repl] ").expect("it is told at the end again");
    assert!(whole.starts_with(head) && whole.ends_with(tail));
    assert!(head.len() > 5_000 && tail.len() > 5_000, "{} {}", head.len(), tail.len());
    let bytes = whole.len() - head.len() - tail.len();
    let lines = 131_072 - head.lines().count() - tail.lines().count();
    let place =
        note.strip_prefix(&format!("{lines} lines ({bytes} bytes) left out here; ")).expect(note);
    assert_eq!(end, format!("{place}; `show` \"lines 1-100\" reads it\n"));
    let path = place.strip_prefix("the whole text is in ").expect(note);
    assert!(std::fs::read(path).unwrap() == whole.as_bytes(), "the file is not the output");
    repl.still_works();
}

#[cfg(has = "marks")]
#[test]
fn a_single_line_of_ten_megabytes_too() {
    let repl = Server::start();
    let reply = repl.repl("print('0123456789' * 1_000_000)");
    assert!(reply.len() < 25_000, "{} bytes", reply.len());
    let place = "[repl] … 9984001 bytes left out here; the whole text is in ";
    let (_, path) = reply.split_once(place).expect("a file is named");
    let path = path.lines().next().unwrap();
    let written = std::fs::read(path).unwrap();
    assert!(written == ("0123456789".repeat(1_000_000) + "\n").as_bytes(), "{}", written.len());
}

#[test]
fn the_size_of_replies_is_an_option() {
    let repl = Builder::new().args(["--reply-size", "4000"]).start();
    let reply = repl.repl("print('line\\n' * 10_000)");
    assert!((3_900..4_400).contains(&reply.len()), "{} bytes", reply.len());
    let refused = Builder::new().args(["--reply-size", "12"]).output("");
    assert_has(&String::from_utf8_lossy(&refused.stderr), "1000 to 1000000");
}

#[test]
fn polls_of_a_running_cell_give_less_and_the_last_one_all() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let cell = "\
for part in range(2):
    for n in range(1_000): print(f'{n:09}')
    line.send(b'1')
    _ = line.recv(1)";
    before_busy(&repl.repl_with(cell, 0));
    line.hears("1");
    let poll = repl.repl_with("", 0);
    before_busy(&poll);
    assert_has(&poll, " left out here; the whole text is in ");
    assert!(poll.len() < 4_500, "{} bytes", poll.len());
    line.release();
    line.hears("1");
    line.release();
    let rest = repl.poll();
    assert!(rest.ends_with("000000999\n") && rest.len() >= 10_000, "{rest}");
}

#[test]
fn a_python_exception_is_a_normal_reply() {
    let repl = Server::start();
    let answer = repl.begin("1 / 0").answer();
    assert_ne!(answer["result"]["isError"], true);
    assert!(answer["result"].get("structuredContent").is_none(), "{answer}");
}

#[test]
fn a_client_that_takes_json_for_something_else_gets_a_status_behind_it() {
    let repl = Builder::new().start_silent();
    let client = json!({"name": "gemini-cli-mcp-client", "version": "1"});
    let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
    repl.request("initialize", &params);
    repl.notify("notifications/initialized", &json!({}));
    repl.gives("[1, 2]", &format!("[1, 2]\n{IDLE}"));
    repl.gives("1, 2", "(1, 2)\n");
}

#[test]
fn an_empty_input_and_none_are_polls() {
    let repl = Server::start();
    assert_eq!(repl.call(&json!({})).text(), IDLE);
    assert_eq!(repl.call(&json!({"input": ""})).text(), IDLE);
    assert_eq!(repl.call(&json!({"input": null, "timeout_ms": null})).text(), IDLE);
}
