//! Metadata that nodes share, over the fabric's hints.

use super::Neighbours;
use purlin_fabric::port::{HintFault, Later, Message};
use purlin_tftp_files::MetadataCache;
use purlin_tftp_files::metadata::{Away, Forgotten, Metadata, PREFIX, Place};
use purlin_types::WallTime;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

const CHANNEL: &str = "boot:forget";
/// How long a look at a name waits for what others know; the disk answers sooner than a service in trouble.
const PATIENCE: Duration = Duration::from_millis(250);
/// The line to the other nodes is tried again after this.
const AGAIN: Duration = Duration::from_secs(1);
/// What stands in the store where something was forgotten lapses after this.
const FORGOTTEN: Duration = Duration::from_secs(1);

/// An engine of the cluster for [`MetadataCache`]: places under [`PREFIX`], changes told on a channel.
///
/// A call takes one round trip and waits 250 ms at most. A change that is told while a node's line is cut does not reach
/// it: what that node remembers ends with its time.
pub struct HintedMetadata {
    neighbours: Neighbours,
    listeners: Arc<Listeners>,
}

type Listeners = Mutex<Vec<Forgotten>>;

/// A change, as nodes tell each other.
#[derive(Serialize, Deserialize)]
struct Told {
    node: String,
    root: String,
    path: String,
}

impl HintedMetadata {
    /// Begins to listen to the other nodes.
    #[must_use]
    pub fn new(neighbours: Neighbours) -> Self {
        let listeners = Arc::new(Listeners::default());
        let ear = listen(neighbours.clone(), Arc::downgrade(&listeners));
        neighbours.runtime.spawn(ear);
        Self {
            neighbours,
            listeners,
        }
    }

    /// Runs a question on the runtime and waits for its answer: callers are threads that may wait.
    fn ask<T: Send + 'static>(
        &self,
        question: impl for<'a> FnOnce(&'a Neighbours) -> Later<'a, Result<T, HintFault>> + Send + 'static,
    ) -> Result<T, Away> {
        let (answer, answered) = sync_channel(1);
        let neighbours = self.neighbours.clone();
        self.neighbours.runtime.spawn(async move {
            let result = question(&neighbours).await;
            // Whoever asked may have lost its patience.
            let _ = answer.send(result);
        });
        match answered.recv_timeout(PATIENCE) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) | Err(_) => Err(Away),
        }
    }
}

impl MetadataCache for HintedMetadata {
    fn recall(&self, place: &Place) -> Result<Option<Metadata>, Away> {
        let key = place.key(PREFIX);
        let kept = self.ask(move |near| Box::pin(async move { near.hints.recall(&key).await }))?;
        Ok(kept.as_deref().and_then(read))
    }

    fn keep(&self, place: &Place, found: Metadata, ttl: Duration) -> Result<(), Away> {
        if ttl.is_zero() {
            return self.erase(place);
        }
        let (key, value) = (place.key(PREFIX), write(found));
        self.ask(move |near| Box::pin(async move { near.hints.keep(&key, &value, ttl).await }))
    }

    fn forget(&self, place: &Place) -> Result<(), Away> {
        self.erase(place)?;
        tell(&self.listeners, place);
        let told = Told {
            node: self.neighbours.node.clone(),
            root: place.root.clone(),
            path: place.path.clone(),
        };
        let body = serde_json::to_vec(&told).expect("three texts");
        self.ask(move |near| Box::pin(async move { near.hints.publish(CHANNEL, &body).await }))
    }

    fn listen(&self, listener: Forgotten) {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(listener);
    }
}

impl HintedMetadata {
    /// One key, without a search by pattern: nothing is written over it, and lapses.
    fn erase(&self, place: &Place) -> Result<(), Away> {
        let key = place.key(PREFIX);
        self.ask(move |near| Box::pin(async move { near.hints.keep(&key, b"", FORGOTTEN).await }))
    }
}

impl fmt::Debug for HintedMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HintedMetadata").field(&self.neighbours).finish()
    }
}

fn tell(listeners: &Listeners, place: &Place) {
    let listeners = listeners.lock().unwrap_or_else(PoisonError::into_inner).clone();
    listeners.iter().for_each(|listener| listener(place));
}

/// Hears the other nodes for as long as somebody listens.
async fn listen(neighbours: Neighbours, listeners: Weak<Listeners>) {
    loop {
        let subscribed = neighbours.hints.subscribe(&[CHANNEL]).await;
        if let Ok(mut ear) = subscribed {
            while let Some(message) = ear.next().await {
                let Some(listeners) = listeners.upgrade() else {
                    return;
                };
                hear(&neighbours.node, &listeners, &message);
            }
        }
        if listeners.strong_count() == 0 {
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn hear(me: &str, listeners: &Listeners, message: &Message) {
    let Ok(told) = serde_json::from_slice::<Told>(&message.body) else {
        return;
    };
    if told.node != me {
        let (root, path) = (told.root, told.path);
        tell(listeners, &Place { root, path });
    }
}

/// `1` and the size, the time and, where known, the hash of a file, all big-endian; `0` for a missing one.
fn write(found: Metadata) -> Vec<u8> {
    let Metadata::File { size, modified, hash } = found else {
        return vec![0];
    };
    let mut out = vec![1];
    out.extend(size.to_be_bytes());
    out.extend(modified.0.to_be_bytes());
    out.extend(hash.into_iter().flat_map(u128::to_be_bytes));
    out
}

/// What [`write`] wrote; `None` for everything else.
fn read(kept: &[u8]) -> Option<Metadata> {
    match kept.split_first()? {
        (0, []) => Some(Metadata::Missing),
        (1, rest) => {
            let (size, rest) = rest.split_first_chunk()?;
            let (modified, rest) = rest.split_first_chunk()?;
            let hash = match rest {
                [] => None,
                rest => Some(u128::from_be_bytes(rest.try_into().ok()?)),
            };
            Some(Metadata::File {
                size: u64::from_be_bytes(*size),
                modified: WallTime(u64::from_be_bytes(*modified)),
                hash,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_noise_is_nothing() {
        let file = |hash| Metadata::File {
            size: u64::MAX,
            modified: WallTime(7),
            hash,
        };
        for found in [Metadata::Missing, file(None), file(Some(u128::MAX))] {
            assert_eq!(read(&write(found)), Some(found));
        }
        for noise in [&[][..], &[0, 0], &[1; 16], &[1; 18], &[2]] {
            assert_eq!(read(noise), None, "{noise:?}");
        }
    }
}
