//! What other clients did, and what their cells printed: told as such.

use super::{Last, Outbox};
use crate::reply::{Content, Deed, MORE, Notice, PROMPT, PeopleNotice};

/// What an outbox knows of others.
#[derive(Debug, Clone, Default)]
pub(super) struct Others {
    /// The name of the other client whose cell prints what comes.
    prints: Option<String>,
    /// Whether that was said since the last reply.
    is_said: bool,
    /// Whether something of others is to be told in the next reply, and no cell of the client's own
    /// began behind it.
    has_some: bool,
    /// Whether a cell of the client's own began since the last reply, with nothing of others before.
    own_is_first: bool,
    /// Whether it was said since the last reply where one begins.
    own_is_said: bool,
}

impl Others {
    /// A reply was made.
    pub(super) fn told(&mut self) {
        let prints = self.prints.take();
        *self = Others { prints, ..Others::default() };
    }

    /// This comes back, to stand in front of what came since. Whether a cell of the client's own
    /// begins between the two, which is to be said.
    pub(super) fn put_back(&mut self, content: &[Content]) -> bool {
        let ends_with_others = content.iter().rev().find_map(|piece| match piece {
            Content::Notice(Notice::OwnCell) => Some(false),
            Content::Notice(notice) if notice.is_of_others() => Some(true),
            _ => None,
        });
        if ends_with_others != Some(true) {
            return false;
        }
        let begins_between = std::mem::take(&mut self.own_is_first);
        self.own_is_said |= begins_between;
        self.has_some |= !self.own_is_said;
        // What is printed from here on goes on with it.
        self.is_said |= !self.own_is_said;
        begins_between
    }
}

impl Outbox {
    /// Another client did something. Its cell is shown as it would stand at a prompt.
    pub fn meanwhile(&mut self, client: &str, deed: &Deed) {
        self.others.has_some = true;
        let Deed::Ran { source } = deed else {
            let (client, deed) = (client.to_owned(), deed.clone());
            // The page that comes of it is the one to be told.
            let page = self.take_last_page();
            self.notice(Notice::Meanwhile { client, deed });
            return page.into_iter().for_each(|page| self.push_page(&page));
        };
        (self.others.prints, self.others.is_said) = (Some(client.to_owned()), true);
        let deed = Deed::Ran { source: String::new() };
        self.notice(Notice::Meanwhile { client: client.to_owned(), deed });
        self.add(&at_prompt(source));
        self.last = Last::Other;
    }

    /// A person changed the client's cell to this, which is shown as it would stand at a prompt.
    pub fn cell_changed(&mut self, person: &str, source: &str) {
        self.notice(Notice::People(PeopleNotice::Edited { person: person.to_owned() }));
        self.add(&at_prompt(source));
        self.last = Last::Other;
    }

    /// A cell of the client's own begins.
    pub fn own_cell(&mut self) {
        self.others.prints = None;
        if std::mem::take(&mut self.others.has_some) {
            self.others.own_is_said = true;
            self.notice(Notice::OwnCell);
        } else {
            self.others.own_is_first |= !self.others.own_is_said;
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
        if !self.others.is_said
            && let Some(client) = self.others.prints.clone()
        {
            (self.others.is_said, self.others.has_some) = (true, true);
            self.notice(Notice::MeanwhilePrinted { client });
        }
    }
}

/// A cell as it would stand at a prompt, where nothing in it moves the cursor.
fn at_prompt(source: &str) -> String {
    let mut text = String::new();
    let mut prompt = PROMPT;
    for line in source.trim_end_matches('\n').split('\n') {
        text.push_str(prompt);
        text.extend(line.chars().filter(|&c| c == '\t' || !c.is_control()));
        text.push('\n');
        prompt = MORE;
    }
    text
}
