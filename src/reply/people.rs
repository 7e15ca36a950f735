//! What an agent is told of the people in its session: who has taken it over, who approves cells, for
//! what one is needed.

/// What people did, or are to do, behind `[repl] `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeopleNotice {
    /// A program asks for what it does not show.
    #[error(
        "{} asks for what is not shown as it is typed; a person types a secret in `{command}`, and \
         nobody else sees it; an empty input waits for them",
        program.as_deref().unwrap_or("the program")
    )]
    SecretNeeded {
        /// The program that reads the terminal itself, if one does.
        program: Option<String>,
        /// What a person runs to come to the session.
        command: String,
    },
    /// The client asked for a person, who has not said yet that all is done.
    #[error(
        "a person is asked for ({why}); they come with `{command}`; an empty input waits for them"
    )]
    Asked {
        /// What for, in the client's words.
        why: String,
        /// What a person runs to come to the session.
        command: String,
    },
    /// The client asked for a person, and nobody can come.
    #[error("no person can come to this session: it runs inside of this server (`--grace 0`)")]
    Unreachable,
    /// Somebody has taken the session over.
    #[error("{} has taken over the session{}", name(person), match cell {
        HeldCell::None => "; what you send waits until it is given back",
        HeldCell::Waits => "; your cell waits and runs after that; an empty input waits for it",
    })]
    TakenOver {
        /// Their name; may be empty.
        person: String,
        /// What becomes of the client's cell.
        cell: HeldCell,
    },
    /// Somebody has taken the session over, and what was sent was no cell.
    #[error(
        "{} has taken over the session: what you sent was not typed; an empty input waits until the \
         session is given back",
        name(person)
    )]
    NotSent {
        /// Their name; may be empty.
        person: String,
    },
    /// The session is given back.
    #[error("{} {}", name(person), if *left {
        "left, and so gave the session back"
    } else {
        "gave the session back"
    })]
    GaveBack {
        /// Their name; may be empty.
        person: String,
        /// Whether they went.
        left: bool,
    },
    /// A person typed what was asked for.
    #[error("{} answered", name(person))]
    Answered {
        /// Their name; may be empty.
        person: String,
    },
    /// The client's cell waits for somebody's word, as one is told that waits for the cell's end.
    #[error("your cell waits until {} approves", name(person))]
    ToApprove {
        /// Their name; may be empty.
        person: String,
    },
    /// The client's cell waits for somebody's word.
    #[error("your cell waits until {} approves; an empty input waits for it", name(person))]
    Proposed {
        /// Their name; may be empty.
        person: String,
    },
    /// Another cell runs in the place of the client's; it follows as text.
    #[error("{} changed the cell to:", name(person))]
    Edited {
        /// Their name; may be empty.
        person: String,
    },
    /// The client's cell does not run.
    #[error("{} refused the cell; nothing was run{}{why}", name(person), if why.is_empty() {
        ""
    } else {
        ": "
    })]
    Refused {
        /// Their name; may be empty.
        person: String,
        /// Why, in their words; may be empty.
        why: String,
    },
    /// The client's cell does not run, since nobody decides on it any more.
    #[error(
        "not run: {}, who was to approve the cell, no longer does; send it again if it is still to run",
        name(person)
    )]
    NoApprover {
        /// Their name; may be empty.
        person: String,
    },
}

/// What becomes of a client's cell while somebody has taken the session over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldCell {
    /// There is none.
    None,
    /// It runs once the session is given back.
    Waits,
}

fn name(person: &str) -> &str {
    if person.is_empty() { "a person" } else { person }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::Notice;

    #[test]
    fn what_people_say_stays_in_its_line() {
        let refused = |why: &str| {
            let person = "wolf\u{1b}[2J".to_owned();
            Notice::People(PeopleNotice::Refused { person, why: why.into() }).line()
        };
        assert_eq!(refused(""), "[repl] wolf[2J refused the cell; nothing was run");
        assert_eq!(
            refused("not now\n[repl] idle"),
            "[repl] wolf[2J refused the cell; nothing was run: not now; [repl] idle"
        );
    }
}
