//! What other clients did, and what their cells printed: told as such.

use super::{Last, Outbox};
use crate::reply::{Content, Deed, Notice};

/// What an outbox knows of others.
#[derive(Debug, Clone, Default)]
pub(super) struct Others {
    /// The name of the other client whose cell prints what comes.
    prints: Option<String>,
    /// Whether that was said since the last reply.
    is_said: bool,
    /// Whether something of others is to be told in the next reply.
    has_some: bool,
}

impl Others {
    /// A reply was made.
    pub(super) fn told(&mut self) {
        (self.is_said, self.has_some) = (false, false);
    }

    /// This comes back.
    pub(super) fn put_back(&mut self, content: &[Content]) {
        let is_of_others = |piece: &Content| {
            matches!(
                piece,
                Content::Notice(Notice::Meanwhile { .. } | Notice::MeanwhilePrinted { .. })
            )
        };
        self.has_some |= content.iter().any(is_of_others);
    }
}

impl Outbox {
    /// Another client did something. Its cell is shown as it would stand at a prompt.
    pub fn meanwhile(&mut self, client: &str, deed: &Deed) {
        self.others.has_some = true;
        let Deed::Ran { source } = deed else {
            let (client, deed) = (client.to_owned(), deed.clone());
            return self.notice(Notice::Meanwhile { client, deed });
        };
        (self.others.prints, self.others.is_said) = (Some(client.to_owned()), true);
        let deed = Deed::Ran { source: String::new() };
        self.notice(Notice::Meanwhile { client: client.to_owned(), deed });
        self.add(&at_prompt(source));
        self.last = Last::Other;
    }

    /// A cell of the client's own begins.
    pub fn own_cell(&mut self) {
        self.others.prints = None;
        if std::mem::take(&mut self.others.has_some) {
            self.notice(Notice::OwnCell);
        }
    }

    /// The client does something about another's cell: it knows whose it is.
    pub fn takes_part(&mut self) {
        self.others.is_said = true;
    }

    /// From here on this client's cell prints what comes, or none of another's.
    pub fn set_printing(&mut self, client: Option<&str>) {
        self.others.prints = client.map(str::to_owned);
    }

    /// Something was printed: says whose it is, where that is another's and was not said.
    pub(super) fn say_whose(&mut self) {
        if let Some(client) = self.others.prints.clone()
            && !std::mem::replace(&mut self.others.is_said, true)
        {
            self.others.has_some = true;
            self.notice(Notice::MeanwhilePrinted { client });
        }
    }
}

/// A cell as it would stand at a prompt.
fn at_prompt(source: &str) -> String {
    let mut text = String::new();
    let mut prompt = ">>> ";
    for line in source.trim_end_matches('\n').split('\n') {
        text.extend([prompt, line, "\n"]);
        prompt = "... ";
    }
    text
}
