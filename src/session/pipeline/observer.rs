//! Who looks on where bytes are shown: people who are attached, recordings. Pure.

use super::{Proposal, Roles, Shown, Standing};
use crate::{
    reply::Deed,
    screen::Screen,
    session::rules::{hands::ProposalId, state::ClientId},
};

/// Told of all that the screen shows, at the one place where it does.
pub trait Observer {
    /// The screen took this.
    fn shown(&mut self, shown: Shown<'_>, screen: &Screen);

    /// This is shown beside what programs print, and the screen took it: the echo of a cell, a mark
    /// where one is over, the working directory.
    fn echoed(&mut self, _bytes: &[u8]) {}

    /// The screen is another one than what was shown made it: that of a new worker, of another
    /// size, or put back at the end of a cell.
    fn replaced(&mut self, screen: &Screen);

    /// Whether anybody is told how things stand.
    fn looks_on(&self) -> bool {
        false
    }

    /// How things stand has changed.
    fn stands(&mut self, _standing: &Standing) {}

    /// In whose hands the session is has changed.
    fn hands(&mut self, _roles: &Roles) {}

    /// A cell waits for the word of the one who approves.
    fn proposed(&mut self, _proposal: &Proposal) {}

    /// A cell that this client was asked about waits no more.
    fn settled(&mut self, _id: ProposalId, _to: ClientId) {}

    /// A client, whose name may be empty, did something.
    fn did(&mut self, _client: &str, _deed: &Deed) {}
}

/// Nobody looks on.
impl Observer for () {
    fn shown(&mut self, _shown: Shown<'_>, _screen: &Screen) {}

    fn replaced(&mut self, _screen: &Screen) {}
}
