//! Modes: what SM, RM (ECMA-48) and DECSET, DECRST (xterm) switch.

use super::keyboard::Keyboard;
use private::*;

/// IRM, an ANSI mode: printing moves what is behind to the right (ECMA-48, 7.2.10).
pub(super) const IRM: u16 = 4;
/// LNM, an ANSI mode: LF also returns the carriage (VT100).
pub(super) const LNM: u16 = 20;

/// The numbers of the private modes, as DEC (VT510) and xterm's `ctlseqs` name them; the names that
/// `ctlseqs` has for mouse modes stand without their `SET_`.
pub(super) mod private {
    /// The cursor keys send their application form.
    pub(in crate::screen) const DECCKM: u16 = 1;
    /// 132 columns.
    pub(in crate::screen) const DECCOLM: u16 = 3;
    /// Reverse video.
    pub(in crate::screen) const DECSCNM: u16 = 5;
    /// Rows count from the top of the scroll region.
    pub(in crate::screen) const DECOM: u16 = 6;
    /// A line that is longer than the page is wide goes on in the next row.
    pub(in crate::screen) const DECAWM: u16 = 7;
    /// Button presses are sent.
    pub(in crate::screen) const X10_MOUSE: u16 = 9;
    /// The cursor blinks.
    pub(in crate::screen) const BLINKING_CURSOR: u16 = 12;
    /// The cursor is shown.
    pub(in crate::screen) const DECTCEM: u16 = 25;
    /// DECCOLM has an effect.
    pub(in crate::screen) const ALLOW_DECCOLM: u16 = 40;
    /// The alternate screen is shown, as it was left.
    pub(in crate::screen) const ALTERNATE_SCREEN: u16 = 47;
    /// The keypad sends its application form, as DECKPAM.
    pub(in crate::screen) const DECNKM: u16 = 66;
    /// Button presses and releases are sent.
    pub(in crate::screen) const VT200_MOUSE: u16 = 1000;
    /// The program says what the mouse highlights.
    pub(in crate::screen) const VT200_HIGHLIGHT_MOUSE: u16 = 1001;
    /// Movements are sent, too, while a button is down.
    pub(in crate::screen) const BTN_EVENT_MOUSE: u16 = 1002;
    /// All movements are sent.
    pub(in crate::screen) const ANY_EVENT_MOUSE: u16 = 1003;
    /// It is sent when the window gets and loses the focus.
    pub(in crate::screen) const FOCUS_EVENT_MOUSE: u16 = 1004;
    /// Mouse events are written in UTF-8.
    pub(in crate::screen) const EXT_MODE_MOUSE: u16 = 1005;
    /// Mouse events are written as control sequences, in cells.
    pub(in crate::screen) const SGR_EXT_MODE_MOUSE: u16 = 1006;
    /// The wheel sends cursor keys on the alternate screen.
    pub(in crate::screen) const ALTERNATE_SCROLL: u16 = 1007;
    /// Mouse events are written as urxvt does.
    pub(in crate::screen) const URXVT_EXT_MODE_MOUSE: u16 = 1015;
    /// Mouse events are written as control sequences, in pixels.
    pub(in crate::screen) const PIXEL_POSITION_MOUSE: u16 = 1016;
    /// The Meta key sends ESC before the key.
    pub(in crate::screen) const META_SENDS_ESCAPE: u16 = 1036;
    /// The alternate screen is shown, and erased when it is left.
    pub(in crate::screen) const ALTERNATE_SCREEN_ERASED: u16 = 1047;
    /// The cursor is saved when set, restored when reset, as by DECSC and DECRC.
    pub(in crate::screen) const SAVE_CURSOR: u16 = 1048;
    /// The cursor is saved, the alternate screen erased and shown; the cursor comes back after.
    pub(in crate::screen) const ALTERNATE_SCREEN_AND_CURSOR: u16 = 1049;
    /// What is pasted is marked as such.
    pub(in crate::screen) const BRACKETED_PASTE: u16 = 2004;
    /// What is printed is shown when the mode is reset (contour's extension).
    pub(in crate::screen) const SYNCHRONIZED_OUTPUT: u16 = 2026;
    /// A grapheme cluster takes the columns of one character (contour's extension).
    pub(in crate::screen) const GRAPHEME_CLUSTERS: u16 = 2027;
    /// It is sent when the colours become light or dark (contour's extension).
    pub(in crate::screen) const COLOR_SCHEME_UPDATES: u16 = 2031;
}

/// Modes that other parts of the terminal act on, and those kept for the dump only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Modes {
    /// [`IRM`].
    pub(super) insert: bool,
    /// [`LNM`].
    pub(super) line_feed_new_line: bool,
    /// [`DECAWM`].
    pub(super) autowrap: bool,
    /// [`DECTCEM`].
    pub(super) cursor_visible: bool,
    /// [`DECNKM`], and DECKPAM.
    pub(super) application_keypad: bool,
    /// DECSCUSR: 0 to 6.
    pub(super) cursor_shape: u16,
    /// How keys are to be encoded.
    pub(super) keyboard: Keyboard,
    /// Those of [`KEPT`] that are set, as bits.
    kept: u32,
}

/// Private modes that change what a client of the terminal sends, but not the screen; and
/// [`ALLOW_DECCOLM`].
const KEPT: [u16; 18] = [
    DECCKM,
    DECSCNM,
    X10_MOUSE,
    BLINKING_CURSOR,
    ALLOW_DECCOLM,
    VT200_MOUSE,
    VT200_HIGHLIGHT_MOUSE,
    BTN_EVENT_MOUSE,
    ANY_EVENT_MOUSE,
    FOCUS_EVENT_MOUSE,
    EXT_MODE_MOUSE,
    SGR_EXT_MODE_MOUSE,
    ALTERNATE_SCROLL,
    URXVT_EXT_MODE_MOUSE,
    PIXEL_POSITION_MOUSE,
    META_SENDS_ESCAPE,
    BRACKETED_PASTE,
    COLOR_SCHEME_UPDATES,
];

/// Which mouse events are sent: one of these is set at a time.
const MOUSE_EVENTS: [u16; 5] =
    [X10_MOUSE, VT200_MOUSE, VT200_HIGHLIGHT_MOUSE, BTN_EVENT_MOUSE, ANY_EVENT_MOUSE];
/// How mouse events are written: one of these is set at a time.
const MOUSE_ENCODINGS: [u16; 4] =
    [EXT_MODE_MOUSE, SGR_EXT_MODE_MOUSE, URXVT_EXT_MODE_MOUSE, PIXEL_POSITION_MOUSE];

impl Default for Modes {
    fn default() -> Modes {
        Modes {
            insert: false,
            line_feed_new_line: false,
            autowrap: true,
            cursor_visible: true,
            application_keypad: false,
            cursor_shape: 0,
            keyboard: Keyboard::default(),
            kept: 0,
        }
    }
}

impl Modes {
    /// Sets a private mode that is only kept; one not known is ignored.
    pub(super) fn keep(&mut self, mode: u16, on: bool) {
        for group in [&MOUSE_EVENTS[..], &MOUSE_ENCODINGS] {
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

    /// Whether a mode of [`Modes::keep`] is set.
    pub(super) fn is_set(&self, mode: u16) -> bool {
        self.kept(mode) == Some(true)
    }

    /// The private modes of [`Modes::keep`] that are set.
    pub(super) fn kept_modes(&self) -> impl Iterator<Item = u16> {
        KEPT.into_iter().filter(|&mode| self.is_set(mode))
    }
}

fn bit(mode: u16) -> Option<u32> {
    KEPT.iter().position(|&kept| kept == mode).map(|index| 1 << index)
}
