//! Rounds of a test in which things happen at random moments, several at once, each with its seed.

use std::{
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::rounds;

/// The first seed, to see the rounds of an earlier run again.
const SEED: &str = "MCP_REPL_TEST_SEED";

/// So many rounds run at once: enough to keep a machine busy, and to disturb each other.
const AT_ONCE: usize = 4;

/// What a round decides by. The same seed makes the same choices; when what was chosen happens is up
/// to the machine.
pub(crate) struct Chance {
    seed: u64,
    state: u64,
}

impl Chance {
    /// Runs the round as often as [`rounds`] says, several at once. A seed that fails is printed.
    pub(crate) fn rounds(few: u32, round: impl Fn(&mut Chance) + Sync) {
        let first = std::env::var(SEED).ok().map_or_else(
            || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64,
            |seed| seed.parse().expect("a number"),
        );
        let (next, all) = (AtomicU32::new(0), rounds(few));
        std::thread::scope(|scope| {
            let runs = || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= all {
                        return;
                    }
                    let seed = first.wrapping_add(u64::from(number));
                    round(&mut Chance { seed, state: seed });
                }
            };
            let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(runs)).collect();
            for thread in threads {
                if let Err(panic) = thread.join() {
                    // The other threads need not go on.
                    next.store(all, Ordering::Relaxed);
                    std::panic::resume_unwind(panic);
                }
            }
        });
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // SplitMix64, by Steele, Lea and Flood.
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }

    /// One of these.
    pub(crate) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    /// Whether the coin shows heads.
    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    /// Lets a moment pass, up to this: a short one as likely as a long one.
    pub(crate) fn moment(&mut self, longest: Duration) {
        let scale = [1, 4, 16, 64][usize::try_from(self.below(4)).unwrap()];
        let micros = self.below((longest.as_micros() as u64 / scale).max(1));
        // Nobody will say anything.
        let (_silent, never) = mpsc::channel::<()>();
        let _ = never.recv_timeout(Duration::from_micros(micros));
    }
}

impl Drop for Chance {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this round: {SEED}={} MCP_REPL_TEST_ROUNDS=1", self.seed);
        }
    }
}
