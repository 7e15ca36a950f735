//! Who is there: the connections that were let in, those that have not said who they are, and the
//! clients that were cut off and are kept until they come back.

use std::collections::VecDeque;

use mcp_repl_control::{self as wire, Hello, Role};
use tokio::sync::oneshot;

use super::lifetime::{Lifetime, Time};
use crate::session::client::{Client, ClientInfo};

/// How many clients and observers may be there.
pub(super) const MOST_MEMBERS: usize = 64;
/// How many may be there besides that only ask, or end the session.
pub(super) const MOST_ASKING: usize = 16;
/// How many of those may be told of what happens, who are not counted as asking then.
pub(super) const MOST_WATCHING: usize = 64;
/// How many connections may be there that have not said who they are. Beyond, the oldest is closed.
pub(super) const MOST_STRANGERS: usize = 128;
/// How many clients that were cut off are kept. Beyond, the oldest is forgotten.
pub(super) const MOST_KEPT: usize = 16;

/// What those are told who come too late.
const ENDING: &str = "the session is about to end";

/// Numbers a connection within a host.
pub(super) type Number = u64;

/// Tells a connection that it is to be closed: with what to tell the peer before; dropped, without.
type Closer = oneshot::Sender<String>;
/// The connection's end of that.
pub(super) type Closing = oneshot::Receiver<String>;

/// Who is there.
#[derive(Debug)]
pub(super) struct Room {
    /// How long the session lives on.
    pub(super) lifetime: Lifetime,
    members: Vec<Member>,
    strangers: VecDeque<(Number, Closer)>,
    /// The oldest first.
    kept: VecDeque<Kept>,
    last: Number,
    /// Whether nobody is let in any more.
    is_ending: bool,
}

/// A connection that was let in.
#[derive(Debug)]
struct Member {
    number: Number,
    role: Role,
    name: String,
    /// What a later hello says to go on as this one.
    resume: String,
    /// Whether nobody comes back as this one.
    once: bool,
    /// Whether people sit at its terminal.
    has_people: bool,
    /// Whether it is told of what happens.
    watches: bool,
    /// `None` once it was told to close.
    closer: Option<Closer>,
}

/// A client that was cut off.
#[derive(Debug)]
struct Kept {
    name: String,
    resume: String,
    client: Client,
}

impl Kept {
    /// Whether one says its secret.
    fn is_of(&self, hello: &Hello) -> bool {
        hello.resume.as_ref() == Some(&self.resume)
    }
}

/// What becomes of one who said who it is.
#[derive(Debug)]
pub(super) enum Admission {
    /// It is let in.
    In(Admitted),
    /// The connection that it takes over has to end first.
    Later,
    /// It is not let in, for this reason.
    Refused(String),
}

/// One that was let in.
#[derive(Debug)]
pub(super) struct Admitted {
    /// Its number.
    pub(super) number: Number,
    /// The client it goes on as, if there is one.
    pub(super) client: Option<Client>,
    /// What a later hello says to go on as this one.
    pub(super) resume: String,
    /// How many clients and observers are there besides.
    pub(super) others: usize,
    /// Whether one had made a call, or typed, before.
    pub(super) had_clients: bool,
    /// When it is to be closed.
    pub(super) closing: Closing,
}

impl Room {
    /// An empty one.
    pub(super) fn new(lifetime: Lifetime) -> Room {
        Room {
            lifetime,
            members: Vec::new(),
            strangers: VecDeque::new(),
            kept: VecDeque::new(),
            last: 0,
            is_ending: false,
        }
    }

    /// Somebody connected, and has not said who it is.
    pub(super) fn knock(&mut self) -> (Number, Closing) {
        while self.strangers.len() >= MOST_STRANGERS
            && let Some((_, closer)) = self.strangers.pop_front()
        {
            let _ = closer.send(format!(
                "more than {MOST_STRANGERS} connections have not said who they are; this one was \
                 the oldest"
            ));
        }
        self.last += 1;
        let (closer, closing) = oneshot::channel();
        self.strangers.push_back((self.last, closer));
        (self.last, closing)
    }

    /// One who knocked is let in, or goes.
    pub(super) fn no_stranger(&mut self, number: Number) {
        self.strangers.retain(|(other, _)| *other != number);
    }

    /// Lets one in that knows the token, or not. `secret` is for a client that is new.
    pub(super) fn admit(&mut self, hello: &Hello, secret: &str) -> Admission {
        if self.is_ending {
            return Admission::Refused(ENDING.into());
        }
        let is_same = |member: &Member| {
            member.role == hello.role && Some(&member.resume) == hello.resume.as_ref()
        };
        let company = self.company().filter(|member| !is_same(member));
        let company: Vec<&str> = company.map(|member| member.name.as_str()).collect();
        let others = company.len();
        // Whose session it is comes back to it, whoever else is there.
        if hello.only_waiting && others > 0 && !self.knows(hello) {
            let names = company.join(", ");
            return Admission::Refused(format!("the session is in use by {names}"));
        }
        if let Some(before) = self.members.iter_mut().find(|member| is_same(member)) {
            if let Some(closer) = before.closer.take() {
                let _ = closer.send("the client goes on over another connection".into());
            }
            return Admission::Later;
        }
        let (there, most) = match hello.role {
            Role::Status => (self.asking().filter(|member| !member.watches).count(), MOST_ASKING),
            Role::Client | Role::Observer => (others, MOST_MEMBERS),
        };
        if there >= most {
            return Admission::Refused(format!(
                "{most} connections are there already, and no more are let in"
            ));
        }
        let kept = match hello.role {
            Role::Client => self.take_kept(hello, others == 0),
            Role::Observer | Role::Status => None,
        };
        let had_clients = self.lifetime.was_used();
        if hello.role != Role::Status {
            self.lifetime.joined();
        }
        if let Some(ms) = hello.keep_ms.filter(|_| hello.role == Role::Client) {
            self.lifetime.keep(Time::from_millis(ms));
        }
        // Who only takes another's place gets no claim of that one: it may come back.
        let is_own = kept.as_ref().is_some_and(|kept| kept.is_of(hello));
        let resume = hello.resume.clone().filter(|_| is_own).unwrap_or_else(|| secret.to_owned());
        let client = kept.map(|kept| kept.client);
        let (closer, closing) = oneshot::channel();
        self.last += 1;
        let number = self.last;
        self.members.push(Member {
            number,
            role: hello.role,
            name: hello.name.clone(),
            resume: resume.clone(),
            once: hello.once,
            has_people: false,
            watches: false,
            closer: Some(closer),
        });
        Admission::In(Admitted { number, client, resume, others, had_clients, closing })
    }

    /// Whether one says the secret of a client that is there or kept.
    fn knows(&self, hello: &Hello) -> bool {
        let there = self.members.iter().map(|member| &member.resume);
        let mut all = there.chain(self.kept.iter().map(|kept| &kept.resume));
        all.any(|resume| Some(resume) == hello.resume.as_ref())
    }

    /// The client that one goes on as: its own, or if nobody is there, the last one that was cut
    /// off and has its name, or else, if it asked for what waits, the last one.
    fn take_kept(&mut self, hello: &Hello, is_alone: bool) -> Option<Kept> {
        let is_own = |kept: &Kept| kept.is_of(hello);
        let is_like = |kept: &Kept| is_alone && kept.name == hello.name;
        let is_any = |_: &Kept| is_alone && hello.only_waiting;
        let place = self.kept.iter().rposition(is_own);
        let place = place.or_else(|| self.kept.iter().rposition(is_like));
        let place = place.or_else(|| self.kept.iter().rposition(is_any))?;
        self.kept.remove(place)
    }

    /// A connection that was let in has ended; its client, if there is one to go on as, is kept.
    /// Gives whether there are people at all, if that has changed.
    pub(super) fn leave(
        &mut self,
        number: Number,
        client: Option<Client>,
        now: Time,
    ) -> Option<bool> {
        let people = self.people(number, false);
        let place = self.members.iter().position(|member| member.number == number)?;
        let Member { role, name, resume, once, .. } = self.members.remove(place);
        if role != Role::Status {
            self.lifetime.left(now);
        }
        if let Some(client) = client.filter(|_| !self.is_ending && !once) {
            // While nobody takes what it is told, that is bounded, pictures and documents, too.
            client.introduce(ClientInfo { name: name.clone(), ..ClientInfo::default() });
            self.kept.push_back(Kept { name, resume, client });
            if self.kept.len() > MOST_KEPT {
                self.kept.pop_front();
            }
        }
        people
    }

    /// From here on this connection is told of what happens.
    ///
    /// # Errors
    /// When it only asks, and too many of those are told already; in words for its user.
    pub(super) fn watch(&mut self, number: Number) -> Result<(), String> {
        let watching = self.asking().filter(|member| member.watches).count();
        let Some(member) = self.members.iter_mut().find(|member| member.number == number) else {
            return Ok(());
        };
        if member.role == Role::Status && !member.watches && watching >= MOST_WATCHING {
            return Err(format!(
                "{MOST_WATCHING} connections watch already, and no more are let in"
            ));
        }
        member.watches = true;
        Ok(())
    }

    /// Whether people sit at this connection's terminal. Gives whether there are any at all, if
    /// that has changed.
    pub(super) fn people(&mut self, number: Number, attached: bool) -> Option<bool> {
        let there_were = self.members.iter().any(|member| member.has_people);
        let member = self.members.iter_mut().find(|member| member.number == number)?;
        member.has_people = attached;
        let there_are = self.members.iter().any(|member| member.has_people);
        (there_are != there_were).then_some(there_are)
    }

    /// From here on nobody is let in.
    pub(super) fn close_door(&mut self) {
        self.is_ending = true;
        self.kept.clear();
    }

    /// Has all connections closed.
    pub(super) fn close_all(&mut self) {
        for (_, closer) in self.strangers.drain(..) {
            let _ = closer.send(ENDING.into());
        }
        for member in &mut self.members {
            member.closer = None;
        }
    }

    /// The clients and observers that are there, with the numbers of their connections.
    pub(super) fn present(&self) -> Vec<(Number, wire::Member)> {
        let member = |member: &Member| {
            let Member { number, role, has_people: person, .. } = *member;
            (number, wire::Member { name: member.name.clone(), role, person, own: false })
        };
        self.company().map(member).collect()
    }

    /// The names of the clients and observers that are there.
    pub(super) fn names(&self) -> Vec<String> {
        self.company().map(|member| member.name.clone()).collect()
    }

    fn asking(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.role == Role::Status)
    }

    fn company(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.role != Role::Status)
    }
}
