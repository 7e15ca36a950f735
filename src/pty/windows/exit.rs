//! How a process went, by its exit status: the system ends one with the number of what it did.

use crate::reply::Exit;

/// What the system ends a process with, and the signal that the C library makes of it (UCRT, `signal.h`), by
/// which ends are told elsewhere, with its number.
const ENDS: [(u32, &str, u8); 5] = [
    // STATUS_CONTROL_C_EXIT: it left an interrupt to the console.
    (0xc000_013a, "SIGINT", 2),
    // STATUS_ACCESS_VIOLATION.
    (0xc000_0005, "SIGSEGV", 11),
    // STATUS_STACK_OVERFLOW.
    (0xc000_00fd, "SIGSEGV", 11),
    // STATUS_ILLEGAL_INSTRUCTION.
    (0xc000_001d, "SIGILL", 4),
    // STATUS_INTEGER_DIVIDE_BY_ZERO.
    (0xc000_0094, "SIGFPE", 8),
];

/// The end that a status stands for.
pub(super) fn exit(status: u32) -> Exit {
    match ENDS.iter().find(|(end, ..)| *end == status) {
        Some((_, signal, _)) => Exit::Signal((*signal).to_owned()),
        None => Exit::Status(status.cast_signed()),
    }
}

/// The number of such a signal.
pub(super) fn number(signal: &str) -> Option<u8> {
    ENDS.iter().find(|(_, name, _)| *name == signal).map(|(.., number)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_ended_is_told_as_elsewhere() {
        let told = |status| exit(status).to_string();
        assert_eq!(told(0xc000_013a), "killed by SIGINT");
        assert_eq!(told(0xc000_0005), "killed by SIGSEGV");
        assert_eq!(told(0xc000_0094), "killed by SIGFPE");
        assert_eq!(number("SIGINT"), Some(2));
        assert_eq!(number("SIGHUP"), None);
    }

    #[test]
    fn a_programs_own_status_is_that() {
        for (status, told) in [(0, 0), (3, 3), (9009, 9009), (0xffff_ffff, -1)] {
            assert_eq!(exit(status), Exit::Status(told));
        }
    }
}
