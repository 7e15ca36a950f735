//! What a whole session costs: the release binary, driven over MCP as a client drives it.
//!
//! Each line of the table is a ratio to a baseline measured in turns with it in the same run,
//! since machines drift; where no baseline makes sense, to the bound itself. Arguments choose
//! topics by their names; `--check` makes the exit status 1 when a line misses its bound.
//!
//! A topic that fails is reported like a missed bound, and the others are still measured.

#[cfg(target_os = "linux")]
mod attached;
#[cfg(target_os = "linux")]
mod hosts;
#[cfg(target_os = "linux")]
mod latency;
#[cfg(target_os = "linux")]
mod pictures;
#[cfg(target_os = "linux")]
mod proc;
#[cfg(target_os = "linux")]
mod pty;
#[cfg(target_os = "linux")]
mod recordings;
#[cfg(target_os = "linux")]
mod relays;
#[cfg(target_os = "linux")]
mod rest;
#[cfg(target_os = "linux")]
mod runtime;
#[cfg(target_os = "linux")]
mod sandbox;
#[cfg(target_os = "linux")]
mod server;
#[cfg(target_os = "linux")]
mod start;
#[cfg(target_os = "linux")]
mod table;
#[cfg(target_os = "linux")]
mod throughput;
#[cfg(target_os = "linux")]
mod waits;

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("session: memory and processor time are read from Linux's /proc; nothing measured");
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use std::process::ExitCode;

    if let Some(end) = relays::be_one() {
        return end;
    }
    // cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let check = arguments.iter().any(|argument| argument == "--check");
    let wanted: Vec<_> = arguments.iter().filter(|name| !name.starts_with("--")).collect();

    let python = match server::python() {
        Ok(python) => python,
        Err(error) => {
            eprintln!("session: no Python to measure with: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("python: {}", python.display());
    table::heading();
    let mut all_good = true;
    for (name, measure) in TOPICS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| name.contains(wanted.as_str())) {
            continue;
        }
        match measure(&python) {
            Ok(lines) => {
                for line in lines {
                    all_good &= line.is_good();
                    println!("{line}");
                }
            }
            Err(error) => {
                all_good = false;
                println!("{name}: FAILED: {error}");
            }
        }
    }
    if check && !all_good { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// What measures one topic with the interpreter at a path.
#[cfg(target_os = "linux")]
type Topic = fn(&std::path::Path) -> std::io::Result<Vec<table::Line>>;

#[cfg(target_os = "linux")]
const TOPICS: [(&str, Topic); 17] = [
    ("latency", latency::measure),
    ("start", start::measure),
    ("throughput", throughput::measure),
    ("sandbox", sandbox::measure),
    ("idle", rest::idle),
    ("busy", rest::busy),
    ("waits", waits::measure),
    ("pictures", pictures::measure),
    ("recordings", recordings::measure),
    ("hosts: latency", hosts::latency),
    ("hosts: start", hosts::start),
    ("hosts: throughput", throughput::measure_hosted),
    ("hosts: many", hosts::many),
    ("attached: keys", attached::keys),
    ("attached: keys in a flood", attached::keys_in_a_flood),
    ("attached: latency", attached::latency),
    ("attached: throughput", attached::throughput),
];
