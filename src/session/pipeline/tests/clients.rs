//! Sessions with several clients: who they are, and what they are told of each other.

use super::*;
use crate::reply::{AttachmentRoom, Budget};

/// A client says who it is.
fn introduce(client: ClientId, name: &str, text: Option<usize>) -> Recorded {
    let budget = text.map(|text| Budget { text, attachments: AttachmentRoom::default() });
    (0, Input::Introduce { client, name: name.into(), budget })
}

/// A session that is ready, with clients 1 and 2, of which the second has a name.
fn of_two() -> Played {
    let mut played = Played::ready();
    played.play([introduce(2, "exec", None), call(90, 1, "", 0), call(91, 2, "", 0)]);
    played.texts();
    played.effects.clear();
    played
}

/// The clients that have text on disk.
fn kept(played: &mut Played) -> Vec<ClientId> {
    let effects = std::mem::take(&mut played.effects).into_iter();
    let client = |effect| match effect {
        Effect::Keep { client, .. } => Some(client),
        _ => None,
    };
    effects.filter_map(client).collect()
}

#[test]
fn each_client_has_a_budget_of_its_own() {
    let mut played = of_two();
    played.play([introduce(2, "exec", Some(100)), call(92, 3, "", 0)]);
    played.texts();
    played.play([(0, output(&"line\r\n".repeat(50)))]);
    played.play([call(1, 1, "", 0), call(2, 2, "", 0), call(3, 3, "", 0)]);
    let texts = played.texts();
    let all = "line\n".repeat(50);
    assert_eq!([&texts[0].1, &texts[2].1], [&all, &all]);
    assert!(texts[1].1.contains("[repl] … 31 lines (155 bytes) left out here"), "{texts:?}");
    assert_eq!(kept(&mut played), [2]);
    // What nobody was told is cut to what the next one takes.
    played.play([1, 2, 3].map(|client| (0, Input::Leave { client })));
    played.play([(0, output(&"line\r\n".repeat(50))), introduce(4, "", Some(100))]);
    played.play([call(4, 4, "", 0)]);
    assert!(played.text().contains("[repl] … 31 lines (155 bytes) left out here"));
    // One that leaves takes its budget with it.
    played.play([(0, Input::Leave { client: 4 }), (0, output(&"line\r\n".repeat(50)))]);
    played.play([call(5, 5, "", 0)]);
    assert_eq!(played.text(), all);
}
