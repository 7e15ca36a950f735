//! Who is there, as those who look on are told it.

use mcp_repl_control::{Hello, Role, ToHost};

use super::{TestHost, hello};
use crate::{screen::Size, session::client::ScreenUpdate};

#[tokio::test]
async fn who_looks_on_is_told_who_is_there_at_first_and_when_that_changes() {
    let mut host = TestHost::start();
    let mut one = host.join("one").await;
    let (subscriber, screen) = host.shown_to(&mut one, b"").await;
    assert_eq!(one.here().await, "=one");
    let two = host.join("two").await;
    assert_eq!(one.here().await, "=one two");
    let mut three = host.join_as(Hello { role: Role::Observer, ..hello("three") }).await.0;
    assert_eq!(one.here().await, "=one two -three");
    // Who only asks is nobody.
    let asker = host.join_as(Hello { role: Role::Status, ..hello("asker") }).await;
    one.send(&ToHost::People { attached: true }).await;
    assert_eq!(one.here().await, "+=one two -three");
    drop((two, asker));
    assert_eq!(one.here().await, "+=one -three");
    host.command().await;
    let (_other, _) = host.shown_to(&mut three, b"").await;
    assert_eq!(three.here().await, "+one -=three");
    // One that missed something is told again, behind the screen.
    let (size, bytes) = (Size { columns: 20, rows: 5 }, screen.dump());
    subscriber.show(ScreenUpdate::Repaint { size, bytes });
    assert_eq!(one.here().await, "+=one -three");
}
