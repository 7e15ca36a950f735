//! What each escape sequence means: from `vte`'s callbacks to the terminal's operations.

use vte::Perform;

use super::charset::Charset;
use super::modes::{IRM, LNM, private::*};
use super::params::Params;
use super::terminal::Terminal;

/// A device control string is looked at up to this length.
const LONGEST_REQUEST: usize = 64;

/// The receiver of the parser's callbacks: the terminal and the string being received.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) terminal: Terminal,
    /// The intermediate and the content of a device control string that asks something.
    request: Option<(u8, Vec<u8>)>,
}

impl Receiver {
    pub(super) fn new(terminal: Terminal) -> Receiver {
        Receiver { terminal, request: None }
    }
}

impl Perform for Receiver {
    fn execute(&mut self, byte: u8) {
        self.terminal.control(byte);
    }

    fn hook(&mut self, _: &vte::Params, intermediates: &[u8], ignore: bool, action: char) {
        self.request = match (intermediates, action) {
            ([kind @ (b'$' | b'+')], 'q') if !ignore => Some((*kind, Vec::new())),
            _ => None,
        };
    }

    fn put(&mut self, byte: u8) {
        if let Some((_, content)) = &mut self.request
            && content.len() < LONGEST_REQUEST
        {
            content.push(byte);
        }
    }

    fn unhook(&mut self) {
        if let Some((kind, content)) = self.request.take() {
            self.terminal.device_control_string(kind, &content);
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], bell_terminated: bool) {
        self.terminal.operating_system_command(params, bell_terminated);
    }

    fn csi_dispatch(&mut self, params: &vte::Params, between: &[u8], ignore: bool, action: char) {
        if !ignore {
            self.terminal.control_sequence(&Params::from_vte(params), between, action);
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], ignore: bool, byte: u8) {
        if !ignore {
            self.terminal.escape_sequence(intermediates, byte);
        }
    }
}

impl Terminal {
    /// Executes a control sequence; one not known is ignored.
    pub(super) fn control_sequence(&mut self, params: &Params, between: &[u8], action: char) {
        let homed = std::mem::take(&mut self.homed);
        let count = params.count(0);
        match (between, action) {
            ([], 'm') => self.select_graphic_rendition(params),
            ([], 'H' | 'f') => {
                self.address(count - 1, params.count(1) - 1);
                self.homed = (self.cursor.row, self.cursor.column) == (0, 0);
            }
            ([] | [b'?'], 'K') => self.erase_in_line(params.get(0)),
            ([] | [b'?'], 'J') => {
                self.homed = homed;
                self.erase_in_display(params.get(0));
            }
            ([], 'A') => self.up(count),
            ([], 'B' | 'e') => self.down(count),
            ([], 'C' | 'a') => self.forward(count),
            ([], 'D') => self.backward(count),
            ([], 'E') => {
                self.down(count);
                self.carriage_return();
            }
            ([], 'F') => {
                self.up(count);
                self.carriage_return();
            }
            ([], 'G' | '`') => self.go_to_column(count - 1),
            ([], 'd') => self.go_to_row(count - 1),
            ([], 'I') => self.tab_forward(count),
            ([], 'Z') => self.tab_backward(count),
            ([], '@') => self.insert_characters(count),
            ([], 'P') => self.delete_characters(count),
            ([], 'X') => self.erase_characters(count),
            ([], 'L') => self.insert_lines(count),
            ([], 'M') => self.delete_lines(count),
            ([], 'S') => self.scroll_up(count),
            // With more parameters it is xterm's highlight mouse tracking.
            ([], 'T') if params.values().len() < 2 => self.scroll_down(count),
            ([], '^') => self.scroll_down(count),
            ([], 'b') => self.repeat(count),
            ([], 'r') => self.set_region(count, usize::from(params.get(1))),
            ([], 's') => self.save_cursor(),
            ([], 'u') => self.restore_cursor(),
            ([], 'g') => match params.get(0) {
                0 => self.tabs.set(self.cursor.column, false),
                3 => self.tabs.clear(),
                _ => {}
            },
            ([], 'h' | 'l') => params.values().iter().for_each(|&mode| match mode {
                IRM => self.modes.insert = action == 'h',
                LNM => self.modes.line_feed_new_line = action == 'h',
                _ => {}
            }),
            ([b'?'], 'h' | 'l') => {
                params.values().iter().for_each(|&mode| self.set_mode(mode, action == 'h'));
            }
            ([b'>'], 'u') => self.modes.keyboard.push(params.get(0)),
            ([b'<'], 'u') => self.modes.keyboard.pop(params.get(0)),
            ([b'='], 'u') => self.modes.keyboard.set(params.get(0), params.get(1)),
            ([b'>'], 'm') if matches!(params.get(0), 0 | 4) => {
                self.modes.keyboard.modify_other_keys(params.get(1));
            }
            ([b'>'], 'n') if params.get(0) == 4 => self.modes.keyboard.modify_other_keys(0),
            ([b' '], 'q') => self.modes.cursor_shape = params.get(0).min(6),
            ([b'!'], 'p') => self.soft_reset(),
            ([], 'c') if params.get(0) == 0 => self.primary_attributes(),
            ([b'>'], 'c') if params.get(0) == 0 => self.secondary_attributes(),
            ([b'='], 'c') if params.get(0) == 0 => self.tertiary_attributes(),
            ([b'>'], 'q') if params.get(0) == 0 => self.version(),
            ([], 'n') => self.device_status(params.get(0), false),
            ([b'?'], 'n') => self.device_status(params.get(0), true),
            ([b'$'], 'p') => self.request_mode(params.get(0), false),
            ([b'?', b'$'], 'p') => self.request_mode(params.get(0), true),
            ([], 't') => self.window(params),
            ([], 'x') => self.terminal_parameters(params.get(0)),
            _ => {}
        }
    }

    /// DECSET and DECRST.
    fn set_mode(&mut self, mode: u16, on: bool) {
        match mode {
            DECCOLM => self.set_column_mode(),
            DECOM => {
                self.cursor.origin = on;
                self.go_to(0, 0);
            }
            DECAWM => self.modes.autowrap = on,
            DECTCEM => self.modes.cursor_visible = on,
            DECNKM => self.modes.application_keypad = on,
            ALTERNATE_SCREEN | ALTERNATE_SCREEN_ERASED | ALTERNATE_SCREEN_AND_CURSOR => {
                self.switch_screen(mode, on);
            }
            SAVE_CURSOR if on => self.save_cursor(),
            SAVE_CURSOR => self.restore_cursor(),
            _ => {
                self.addressed &= on || mode != DECCKM;
                self.modes.keep(mode, on);
            }
        }
    }

    /// Executes an escape sequence without parameters; one not known is ignored.
    fn escape_sequence(&mut self, intermediates: &[u8], byte: u8) {
        self.homed = false;
        match (intermediates, byte) {
            ([], b'7') => self.save_cursor(),
            ([], b'8') => self.restore_cursor(),
            ([], b'D') => self.line_feed(),
            ([], b'E') => {
                self.line_feed();
                self.carriage_return();
            }
            ([], b'M') => self.reverse_index(),
            ([], b'H') => self.tabs.set(self.cursor.column, true),
            ([], b'Z') => self.primary_attributes(),
            ([], b'c') => self.reset(),
            ([], b'=') => self.modes.application_keypad = true,
            ([], b'>') => self.modes.application_keypad = false,
            ([], b'N') => self.cursor.charsets.single = Some(2),
            ([], b'O') => self.cursor.charsets.single = Some(3),
            ([], b'n') => self.cursor.charsets.active = 2,
            ([], b'o') => self.cursor.charsets.active = 3,
            ([b'#'], b'8') => self.align(),
            ([set @ b'('..=b'+'], _) => {
                let charset = if byte == b'0' { Charset::SpecialGraphics } else { Charset::Ascii };
                self.cursor.charsets.designated[usize::from(set - b'(')] = charset;
            }
            _ => {}
        }
    }
}
