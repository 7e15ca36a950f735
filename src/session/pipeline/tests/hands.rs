//! What who looks on is told of whose hands a session is in.

use super::*;
use crate::session::rules::hands::PersonAct;

fn person(client: ClientId, name: &str) -> Recorded {
    let who = ClientInfo { name: name.into(), budget: None, is_person: true, attach: None };
    (0, Input::Introduce { client, who })
}

#[test]
fn a_person_takes_the_session_over_and_lets_go_when_they_leave() {
    let mut played = Played::ready();
    let roles = |played: &mut Played| {
        let now = played.now;
        played.pipeline.look_on(now).2.roles
    };
    played.play([person(1, "ann"), person(2, "bob")]);
    // One that is no person.
    played.play([(0, Input::Person { client: 3, act: PersonAct::Hold { on: true } })]);
    assert_eq!(roles(&mut played), Roles::default());
    let ann = Some((1, "ann".to_owned()));
    let bob = Some((2, "bob".to_owned()));
    played.play([(0, Input::Person { client: 1, act: PersonAct::Hold { on: true } })]);
    played.play([(0, Input::Person { client: 1, act: PersonAct::Approve { on: true } })]);
    assert_eq!(
        roles(&mut played),
        Roles { holder: ann.clone(), approver: ann.clone(), ..Roles::default() }
    );
    played.play([(0, Input::Person { client: 2, act: PersonAct::Hold { on: true } })]);
    // It is not theirs any more.
    played.play([(0, Input::Person { client: 1, act: PersonAct::Hold { on: false } })]);
    assert_eq!(roles(&mut played), Roles { holder: bob, approver: ann, ..Roles::default() });
    played.play([(0, Input::Leave { client: 2 })]);
    let who = ClientInfo { name: "ann".into(), ..ClientInfo::default() };
    played.play([(0, Input::Introduce { client: 1, who })]);
    assert_eq!(roles(&mut played), Roles::default());
}
