//! What is typed on its way to the session.

use std::future::Future;

use tokio::{sync::mpsc, task::JoinSet};

use crate::session::client::Client;

/// How much may be on its way before more waits here, in bytes.
const MOST_ON_ITS_WAY: usize = 64 * 1024;

/// Types what is sent over what this gives, in its order, in the running event loop. No key waits
/// for the one before it to have arrived: far away that takes longer than from key to key.
pub(super) fn typist(client: Client) -> mpsc::UnboundedSender<Vec<u8>> {
    let (typing, typed) = mpsc::unbounded_channel();
    tokio::spawn(pass_on(typed, move |bytes| client.type_bytes(bytes)));
    typing
}

async fn pass_on<T>(mut typed: mpsc::UnboundedReceiver<Vec<u8>>, type_bytes: impl Fn(Vec<u8>) -> T)
where
    T: Future<Output = ()> + Send + 'static,
{
    let (mut taken, mut on_its_way) = (JoinSet::new(), 0);
    loop {
        tokio::select! {
            biased;
            Some(length) = taken.join_next() => on_its_way -= length.unwrap_or(0),
            bytes = typed.recv(), if on_its_way < MOST_ON_ITS_WAY => {
                let Some(bytes) = bytes else { return };
                let length = bytes.len();
                on_its_way += length;
                let is_taken = type_bytes(bytes);
                taken.spawn(async move {
                    is_taken.await;
                    length
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::client::{EngineCommand, Handle};

    async fn next(
        commands: &mut mpsc::UnboundedReceiver<EngineCommand>,
    ) -> (Vec<u8>, impl Sized + use<>) {
        match commands.recv().await {
            Some(EngineCommand::Keystrokes { bytes, taken, .. }) => (bytes, taken),
            other => panic!("no keys: {other:?}"),
        }
    }

    #[tokio::test]
    async fn no_key_waits_for_the_one_before_it_but_what_is_much_does() {
        let (handle, mut commands) = Handle::new();
        let typing = typist(handle.join());
        let mut untaken = Vec::new();
        for key in [b"a", b"b", b"c"] {
            typing.send(key.to_vec()).unwrap();
            let (bytes, taken) = next(&mut commands).await;
            assert_eq!(bytes, key);
            untaken.push(taken);
        }
        typing.send(vec![b'x'; MOST_ON_ITS_WAY]).unwrap();
        typing.send(b"behind".to_vec()).unwrap();
        let (_, much) = next(&mut commands).await;
        tokio::task::yield_now().await;
        assert!(commands.try_recv().is_err());
        drop((untaken, much));
        assert_eq!(next(&mut commands).await.0, b"behind");
    }
}
