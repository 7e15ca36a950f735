//! Rounds in which a client and a program do two things at the same moment. Each ends in one of a few
//! ways; in none is a payload lost, counted twice, or waited for in vain.
//!
//! `MCP_REPL_TEST_ROUNDS` says how many.

use std::time::Instant;

use crate::support::{HANG, IDLE, Server, assert_has_not, rounds};

/// Lets some of the time pass that two things are apart: from none to a few hundred microseconds,
/// another one each round.
fn spin(round: u32) {
    let turns = (round * 7919) % 64 * 2_000;
    (0..turns).for_each(|_| std::hint::spin_loop());
}

/// Polls until the session is idle and has said this, and answers who asks. All that was said, by
/// replies before, too.
#[track_caller]
fn settle(repl: &Server, mut said: String, part: &str, answer: &str) -> String {
    let end = Instant::now() + HANG;
    loop {
        let reply = repl.poll();
        if reply == IDLE && said.contains(part) {
            return said;
        }
        assert!(Instant::now() < end, "it does not end: {said}{reply}");
        let asks = reply.contains("waiting for input") || reply.ends_with("? ");
        said.push_str(&reply);
        if asks {
            said.push_str(&repl.repl(answer));
        }
    }
}

#[test]
fn a_payload_beside_a_reader_in_the_background_is_run_or_taken_or_refused() {
    let repl = Server::start();
    repl.gives("import threading, time", IDLE);
    let mut known_at_once = 0;
    let count = rounds(60);
    for n in 0..count {
        // The thread asks as its cell ends, or a moment later.
        let delay = [0, 0, 50, 200, 500, 1_000, 3_000, 6_000][n as usize % 8];
        let cell = format!(
            "threading.Thread(target=lambda: (time.sleep({delay}e-6), print('got ' + input('name? \
             ') + '\\n', end=''))).start()"
        );
        let payloads = [cell, format!("'answer {n}'"), format!("'cell {n}'")];
        let one_by_one = n / 8 % 2 == 0;
        let replies: Vec<String> = if one_by_one {
            payloads.iter().map(|payload| repl.repl(payload)).collect()
        } else {
            let calls = payloads.each_ref().map(|payload| {
                spin(n);
                repl.begin(payload)
            });
            calls.iter().map(|call| call.text()).collect()
        };
        known_at_once += u32::from(replies[0] == "name? ");
        let said = settle(&repl, replies.concat(), "got '", &format!("'rest {n}'"));
        let context = format!("round {n}: {replies:?}, all in all {said:?}");
        assert_has_not(&said, "<<repl status: busy");
        assert_has_not(&said, "unread input discarded");
        assert_eq!(said.matches("name? ").count(), 1, "{context}");
        assert_eq!(said.matches("got '").count(), 1, "{context}");
        for (payload, reply) in payloads.iter().zip(&replies).skip(1) {
            let times = usize::from(!reply.contains("[repl] not run: "));
            assert_eq!(said.matches(payload).count(), times, "{payload} in {context}");
        }
    }
    eprintln!("the prompt was in the cell's own reply in {known_at_once} of {count} rounds");
}

#[cfg(has = "posix")]
#[test]
fn an_interrupt_is_lost_nowhere() {
    let repl = Server::start();
    repl.gives("import subprocess, sys, time", IDLE);
    let asks_again = "\
while True:
    try: input('ask? ')
    except KeyboardInterrupt:
        print('KeyboardInterrupt')
        break";
    let cells = [
        "while True: pass",
        "time.sleep(3600)",
        "input('ask? ')",
        "sys.stdin.readline()",
        "_ = subprocess.run(['sleep', '3600'])",
        asks_again,
    ];
    for n in 0..rounds(60) {
        let cell = cells[n as usize % cells.len()];
        let call = repl.begin(cell);
        spin(n);
        let interrupt = repl.begin("\u{3}");
        let said = call.text() + &interrupt.text();
        let context = format!("round {n}, {cell}: {said}");
        assert_has_not(&said, "<<repl status: busy");
        assert_eq!(said.matches("KeyboardInterrupt\n").count(), 1, "{context}");
        // It strikes nothing else.
        repl.gives(&format!("('next', {n})"), &format!("('next', {n})\n"));
    }
}
