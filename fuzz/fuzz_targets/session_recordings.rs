//! Whatever a file says of a session, it is refused with its line, or replayed.
//!
//! `cargo +nightly fuzz run session_recordings`; `.ci/run` does the same with the stable compiler.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_repl::{
    session::recording::{Cuts, Recording, replay},
    verify::recorded,
};

fuzz_target!(|file: &[u8]| {
    let recording = match Recording::read(file) {
        Ok(recording) => recording,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    replay(&recording, Cuts::Everywhere { most: 50, seed: 1 });
    recorded::text(&recording);
});
