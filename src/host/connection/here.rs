//! Who is there, as one who looks on is told it.

use mcp_repl_control::{Member, ToClient};
use tokio::sync::watch;

use crate::host::{Host, room::Number};

/// What a connection was told of who is there.
pub(super) struct Here {
    own: Number,
    present: watch::Receiver<Vec<(Number, Member)>>,
}

impl Here {
    /// The connection of this number was told nothing, and is told nothing before it asks.
    pub(super) fn new(host: &Host, own: Number) -> Here {
        Here { own, present: host.present.subscribe() }
    }

    /// It is to be told anew.
    pub(super) fn is_due(&mut self) {
        self.present.mark_changed();
    }

    /// The next time that there is something to tell. Cancel safe.
    pub(super) async fn next(&mut self) -> ToClient {
        if self.present.changed().await.is_err() {
            // The host is gone.
            std::future::pending::<()>().await;
        }
        let members = self.present.borrow_and_update();
        let members = members
            .iter()
            .map(|(number, member)| Member { own: *number == self.own, ..member.clone() });
        ToClient::Here { members: members.collect() }
    }
}
