//! Modes: what SM, RM (ECMA-48) and DECSET, DECRST (xterm) switch.

/// Modes that other parts of the terminal act on, and those kept for the dump only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Modes {
    /// IRM, mode 4: printing moves what is behind to the right.
    pub(super) insert: bool,
    /// LNM, mode 20: LF also returns the carriage.
    pub(super) line_feed_new_line: bool,
    /// DECAWM, mode ?7.
    pub(super) autowrap: bool,
    /// DECTCEM, mode ?25.
    pub(super) cursor_visible: bool,
    /// DECNKM, mode ?66, and DECKPAM.
    pub(super) application_keypad: bool,
    /// DECSCUSR: 0 to 6.
    pub(super) cursor_shape: u16,
    /// Those of [`KEPT`] that are set, as bits.
    kept: u32,
}

/// Private modes that change what a client of the terminal sends, but not the screen: cursor
/// keys, reverse video, blinking cursor, mouse, focus, bracketed paste, colour-scheme notes. And
/// 40, which allows DECCOLM.
const KEPT: [u16; 18] =
    [1, 5, 9, 12, 40, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 1036, 2004, 2031];

/// The mouse modes, of which one is set at a time.
const MOUSE: [u16; 5] = [9, 1000, 1001, 1002, 1003];
/// How mouse events are written, of which one is set at a time.
const MOUSE_ENCODING: [u16; 4] = [1005, 1006, 1015, 1016];

impl Default for Modes {
    fn default() -> Modes {
        Modes {
            insert: false,
            line_feed_new_line: false,
            autowrap: true,
            cursor_visible: true,
            application_keypad: false,
            cursor_shape: 0,
            kept: 0,
        }
    }
}

impl Modes {
    /// Sets a private mode that is only kept; one not known is ignored.
    pub(super) fn keep(&mut self, mode: u16, on: bool) {
        for group in [&MOUSE[..], &MOUSE_ENCODING] {
            if on && group.contains(&mode) {
                group.iter().filter_map(|&mode| bit(mode)).for_each(|bit| self.kept &= !bit);
            }
        }
        if let Some(bit) = bit(mode) {
            self.kept = if on { self.kept | bit } else { self.kept & !bit };
        }
    }

    /// Whether a mode of [`Modes::keep`] is set; `None` if it is not one of them.
    pub(super) fn kept(&self, mode: u16) -> Option<bool> {
        bit(mode).map(|bit| self.kept & bit != 0)
    }

    /// The private modes of [`Modes::keep`] that are set.
    pub(super) fn kept_modes(&self) -> impl Iterator<Item = u16> {
        KEPT.into_iter().filter(|&mode| self.kept(mode) == Some(true))
    }
}

fn bit(mode: u16) -> Option<u32> {
    KEPT.iter().position(|&kept| kept == mode).map(|index| 1 << index)
}
