//! A snapshot of the running chain, as octets that go out while they are made.
//!
//! ```text
//!   a thread that may block: snapshot::write ─► pieces of 256 KiB ─► four may wait ─► who asked
//! ```
//!
//! Blocks go on meanwhile: what is written is the head of the moment at which it began. One goes out at a time, because each
//! keeps in the file what blocks replace while it is read. Who takes nothing for a minute gets no more.

use crate::consensus::{StepMissing, steps_up_to};
use crate::handle::Handle;
use alloy_primitives::Bytes;
use purlin_chain_evm::Chain;
use purlin_chain_evm::snapshot::{self, Manifest, Progress, SnapshotError};
use serde_json::Value;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

/// Octets that go out together.
const PIECE: usize = 256 << 10;
/// Pieces that wait for a slow reader.
const WAITING: usize = 4;
/// How long the reader may take for one of them.
const PATIENCE: Duration = Duration::from_secs(60);

/// Octets of a snapshot, in order. Whoever drops it ends the writing.
#[derive(Debug)]
pub struct Pieces {
    pieces: Receiver<io::Result<Bytes>>,
    /// Held by both ends: the next snapshot waits until nobody reads and nobody writes.
    _turn: Arc<OwnedSemaphorePermit>,
}

impl Pieces {
    /// The next ones; `None` at the end. An error is the last.
    pub async fn next(&mut self) -> Option<io::Result<Bytes>> {
        self.pieces.recv().await
    }
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotRefused {
    #[error("a snapshot of this chain goes out already, and one is taken at a time")]
    Busy,
    #[error("nobody could believe it: {0}")]
    Unproven(#[from] StepMissing),
    #[error("the node stops")]
    Stopping,
}

impl Handle {
    /// Begins a snapshot of the head.
    ///
    /// # Errors
    /// See [`SnapshotRefused`].
    pub async fn snapshot(&self) -> Result<Pieces, SnapshotRefused> {
        let node = self.node();
        let turn = Arc::clone(&node.snapshots).try_acquire_owned();
        let turn = turn.map_err(|_| SnapshotRefused::Busy)?;
        let (chain, home) = (node.source.0.clone(), node.settings.data_dir.clone());
        let runtime = runtime::Handle::current();
        let begun = tokio::task::spawn_blocking(move || {
            // Said now, while there is somebody to say it to; the head that is written may be a later one.
            steps_up_to(&chain, home.as_deref(), chain.head().header.number)?;
            let (sender, pieces) = channel(WAITING);
            let turn = Arc::new(turn);
            let _turn = Arc::clone(&turn);
            let out = Out {
                sender,
                runtime: runtime.clone(),
                piece: Vec::with_capacity(PIECE),
            };
            runtime.spawn_blocking(move || out.take(&chain, home.as_deref(), turn));
            Ok(Pieces { pieces, _turn })
        });
        begun.await.map_err(|_| SnapshotRefused::Stopping)?
    }
}

/// Writes a snapshot of the head, with what convinces a reader that it was decided: its certificate, and as proof a JSON list of
/// the steps from the genesis document's validators to those of now, no octets where there are none. `home` has the chain's
/// files, where it has any.
///
/// # Errors
/// When a step is missing, which is told as a write that failed; see [`SnapshotError`].
pub fn write_snapshot(
    chain: &Chain,
    home: Option<&Path>,
    out: &mut dyn Write,
    progress: Progress<'_>,
) -> Result<Manifest, SnapshotError> {
    let state = chain.store().latest()?;
    let steps = steps_up_to(chain, home, state.number());
    let steps = steps.map_err(|cause| SnapshotError::Write(io::Error::other(cause)))?;
    let proof = match steps.as_slice() {
        [] => Bytes::new(),
        steps => Value::from(steps).to_string().into_bytes().into(),
    };
    snapshot::write(&state, proof, out, progress)
}

/// The writer's end.
struct Out {
    sender: Sender<io::Result<Bytes>>,
    runtime: runtime::Handle,
    piece: Vec<u8>,
}

impl Out {
    fn take(mut self, chain: &Chain, home: Option<&Path>, turn: Arc<OwnedSemaphorePermit>) {
        let written = write_snapshot(chain, home, &mut self, &mut |_, _| ());
        let flushed = written.map_err(io::Error::other).and_then(|_| self.flush());
        if let Err(cause) = flushed {
            // Who has gone is told nothing.
            let _ = self.send(Err(cause));
        }
        drop(turn);
    }

    fn send(&self, piece: io::Result<Bytes>) -> io::Result<()> {
        let sent = self.runtime.block_on(timeout(PATIENCE, self.sender.send(piece)));
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl Write for Out {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(octets);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.send(Ok(piece.into()))
    }
}
