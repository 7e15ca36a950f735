//! Who looks on where bytes are shown: people who are attached, recordings. Pure.

use super::{Shown, Standing};
use crate::{reply::Deed, screen::Screen};

/// Told of all that the screen shows, at the one place where it does.
pub trait Observer {
    /// The screen took this.
    fn shown(&mut self, shown: Shown<'_>, screen: &Screen);

    /// The screen is another one than what was shown made it: that of a new worker, of another
    /// size, or put back at the end of a cell.
    fn replaced(&mut self, screen: &Screen);

    /// Whether anybody is told how things stand.
    fn looks_on(&self) -> bool {
        false
    }

    /// How things stand has changed.
    fn stands(&mut self, _standing: &Standing) {}

    /// A client, whose name may be empty, did something.
    fn did(&mut self, _client: &str, _deed: &Deed) {}
}

/// Nobody looks on.
impl Observer for () {
    fn shown(&mut self, _shown: Shown<'_>, _screen: &Screen) {}

    fn replaced(&mut self, _screen: &Screen) {}
}
