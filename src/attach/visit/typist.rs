//! What is typed on its way to the session.

use std::future::Future;

use tokio::{sync::mpsc, task::JoinSet};

use crate::session::client::Typist;

/// How much may be on its way before more waits here, in bytes.
const MOST_ON_ITS_WAY: usize = 64 * 1024;
/// How long a key is at most, in bytes, and how much of keys may be on its way that nobody waits for.
const KEY: usize = 64;
const MOST_KEYS: usize = 4 * 1024;

/// Types what is sent over what this gives, in its order, in the running event loop. No key waits
/// for the one before it to have arrived: far away that takes longer than from key to key.
pub(super) fn typist(typist: Typist) -> mpsc::UnboundedSender<Vec<u8>> {
    let (typing, typed) = mpsc::unbounded_channel();
    tokio::spawn(pass_on(typed, move |bytes| typist.type_bytes(bytes)));
    typing
}

async fn pass_on<T>(mut typed: mpsc::UnboundedReceiver<Vec<u8>>, type_bytes: impl Fn(Vec<u8>) -> T)
where
    T: Future<Output = ()> + Send + 'static,
{
    let (mut taken, mut on_its_way, mut keys) = (JoinSet::new(), 0, 0);
    loop {
        tokio::select! {
            biased;
            Some(length) = taken.join_next() => on_its_way -= length.unwrap_or(0),
            bytes = typed.recv(), if on_its_way < MOST_ON_ITS_WAY => {
                let Some(bytes) = bytes else { return };
                let mut length = bytes.len();
                let is_taken = type_bytes(bytes);
                if length <= KEY && keys + length <= MOST_KEYS {
                    // A receipt would come in front of the key's echo.
                    keys += length;
                    continue;
                }
                length += std::mem::take(&mut keys);
                on_its_way += length;
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
    use tokio::sync::oneshot;

    use super::*;
    use crate::session::client::{EngineCommand, Handle};

    async fn next(
        commands: &mut mpsc::UnboundedReceiver<EngineCommand>,
    ) -> (Vec<u8>, oneshot::Sender<()>) {
        match commands.recv().await {
            Some(EngineCommand::Keystrokes { bytes, taken, .. }) => (bytes, taken),
            other => panic!("no keys: {other:?}"),
        }
    }

    #[tokio::test]
    async fn no_key_waits_for_the_one_before_it_but_what_is_much_does() {
        let (handle, mut commands) = Handle::new();
        let client = handle.join();
        let typing = typist(client.typist());
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

    #[tokio::test]
    async fn of_keys_only_every_some_thousand_are_waited_for() {
        let (handle, mut commands) = Handle::new();
        let client = handle.join();
        let typing = typist(client.typist());
        let mut keys = 0;
        let waited_for = loop {
            typing.send(vec![b'x'; KEY]).unwrap();
            tokio::task::yield_now().await;
            let (_, taken) = next(&mut commands).await;
            match taken.is_closed() {
                true => keys += KEY,
                false => break taken,
            }
        };
        assert_eq!(keys, MOST_KEYS);
        // It stands for those before it.
        typing.send(vec![b'x'; MOST_ON_ITS_WAY - MOST_KEYS - KEY]).unwrap();
        typing.send(b"behind".to_vec()).unwrap();
        let (_, much) = next(&mut commands).await;
        tokio::task::yield_now().await;
        assert!(commands.try_recv().is_err());
        drop((waited_for, much));
        assert_eq!(next(&mut commands).await.0, b"behind");
    }
}
