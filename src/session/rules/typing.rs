//! Payloads as a person would type them into the terminal. Pure.

use super::reader::InputModes;

/// The longest line a canonical terminal holds, in bytes (Linux: `N_TTY_BUF_SIZE` less one for
/// the line's end; POSIX allows as few as 255).
pub(super) const LONGEST_LINE: usize = 4095;

/// What ends a line, ends a file (`VEOF`, Ctrl-D) or interrupts (`VINTR`, `VQUIT`: Ctrl-C, Ctrl-\)
/// as the worker's terminal has it.
const COMPLETING: &[u8] = b"\r\n\x04\x03\x1c";

/// What the terminal echoes of input is told where it is at most this long, in bytes: it makes the
/// reply read as a session does. Longer, it costs more than it says.
const LONGEST_TOLD_ECHO: usize = 80;

/// `VLNEXT` as the worker's terminal has it, Ctrl-V: what comes behind it is data.
const LITERAL_NEXT: u8 = 0x16;

/// The bytes that type `text`, its last line ended.
///
/// To a canonical terminal, control characters are quoted so that they arrive as data. To one
/// that is not, the end of a line is the Enter key, which sends a carriage return.
///
/// # Errors
/// The length in bytes of a line that a canonical terminal can't hold; it would be truncated.
pub(super) fn type_text(text: &str, canonical: bool) -> Result<Vec<u8>, usize> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let mut bytes = Vec::with_capacity(text.len() + 1);
    if !canonical {
        bytes.extend(text.bytes().map(|byte| if byte == b'\n' { b'\r' } else { byte }));
        bytes.push(b'\r');
        return Ok(bytes);
    }
    for line in text.split('\n') {
        if line.len() > LONGEST_LINE {
            return Err(line.len());
        }
        for byte in line.bytes() {
            if byte.is_ascii_control() && byte != b'\t' {
                bytes.push(LITERAL_NEXT);
            }
            bytes.push(byte);
        }
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// Whether the terminal echoes this text just as it is, and it is too long to be told.
pub(super) fn has_long_echo(text: &str, modes: InputModes) -> bool {
    let is_plain = !text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t'));
    modes.canonical && modes.echo && text.len() > LONGEST_TOLD_ECHO && is_plain
}

/// The bytes that paste `lines` and press Enter, for a program that asked to be told (xterm,
/// bracketed paste mode). It indents nothing by itself then, as line editors do with what is typed.
pub(super) fn paste(lines: &str) -> Vec<u8> {
    format!("\x1b[200~{}\x1b[201~\r", lines.replace('\n', "\r")).into_bytes()
}

/// Whether keys end a line or a file for a canonical reader, or interrupt it.
pub(super) fn completes_line(keys: &[u8]) -> bool {
    keys.iter().any(|key| COMPLETING.contains(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_ended_once() {
        assert_eq!(type_text("a", true).unwrap(), b"a\n");
        assert_eq!(type_text("a\n", true).unwrap(), b"a\n");
        assert_eq!(type_text("\n", true).unwrap(), b"\n");
        assert_eq!(type_text("a\n\n", true).unwrap(), b"a\n\n");
        assert_eq!(type_text("a\nb", false).unwrap(), b"a\rb\r");
    }

    #[test]
    fn control_characters_are_data_to_a_canonical_reader() {
        assert_eq!(type_text("\u{3}x\r\ty", true).unwrap(), b"\x16\x03x\x16\r\ty\n");
    }

    #[test]
    fn an_echo_is_long_where_the_terminal_makes_one() {
        let modes = |canonical, echo| InputModes { canonical, echo, bracketed_paste: false };
        let long = "x\ty\n".repeat(40);
        assert!(has_long_echo(&long, modes(true, true)));
        assert!(!has_long_echo(&long, modes(true, false)));
        assert!(!has_long_echo(&long, modes(false, true)));
        assert!(!has_long_echo("short", modes(true, true)));
        // As `^C`, and the like.
        assert!(!has_long_echo(&"\u{3}".repeat(100), modes(true, true)));
    }

    #[test]
    fn several_lines_are_pasted_at_once() {
        assert_eq!(paste("if x:\n  y"), b"\x1b[200~if x:\r  y\x1b[201~\r");
    }

    #[test]
    fn a_line_that_would_be_truncated_is_refused() {
        assert!(type_text(&"x".repeat(4095), true).is_ok());
        assert_eq!(type_text(&format!("a\n{}", "x".repeat(4096)), true), Err(4096));
        assert!(type_text(&"x".repeat(5000), false).is_ok());
    }
}
