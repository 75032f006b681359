//! A stretch of a file as a body, chunk by chunk from the cache.

use super::record::Entry;
use axum::body::{Body, Bytes};
use futures_util::stream;
use purlin_tftp_core::FileError;
use purlin_tftp_files::{CHUNK, Chunk, Content};
use std::io;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::oneshot;

/// The octets of `range`. Nothing is copied: each frame is a view of a cached chunk. `entry` goes with the body and is
/// written when that ends.
pub(super) fn of(content: Arc<Content>, range: Range<u64>, entry: Entry) -> Body {
    let start = (content, range, entry);
    Body::from_stream(stream::try_unfold(
        start,
        |(content, range, mut entry)| async move {
            if range.is_empty() {
                return Ok::<_, io::Error>(None);
            }
            let index = range.start / CHUNK as u64;
            let base = index * CHUNK as u64;
            let from = (range.start - base) as usize;
            let chunk = load(&content, index).await;
            let part = chunk.and_then(|chunk| {
                let to = ((range.end - base) as usize).min(chunk.len());
                if to <= from {
                    Err(Lost::Changed)
                } else {
                    Ok((chunk, to))
                }
            });
            let (chunk, to) = match part {
                Ok(part) => part,
                // The length was promised; an error ends the connection, so that nobody takes a part for the whole.
                Err(lost) => {
                    entry.lost(lost);
                    return Err(io::Error::other(lost.text()));
                }
            };
            let octets = Bytes::from_owner(chunk).slice(from..to);
            entry.sent(octets.len());
            Ok(Some((octets, (content, base + to as u64..range.end, entry))))
        },
    ))
}

/// Why the rest of a body cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// The file is shorter than it was, or cannot be read any more.
    Changed,
    /// Too much is waiting for the disk, or in use.
    Busy,
}

impl Lost {
    fn text(self) -> &'static str {
        match self {
            Self::Changed => "the file changed while it was sent",
            Self::Busy => "too much is waiting for the disk, or the cache is too small",
        }
    }
}

async fn load(content: &Arc<Content>, index: u64) -> Result<Chunk, Lost> {
    // A chunk can be given up again between its arrival and the look at it; with a cache that small, trying a few
    // times is all there is.
    for _ in 0..4 {
        if let Some(chunk) = content.chunk(index) {
            return Ok(chunk);
        }
        let (done, arrived) = oneshot::channel();
        content.want(
            index,
            Box::new(move |result| {
                // The client may have gone.
                let _ = done.send(result);
            }),
        );
        match arrived.await {
            Ok(Ok(())) => {}
            Ok(Err(FileError::Io | FileError::NotFound)) => return Err(Lost::Changed),
            _ => return Err(Lost::Busy),
        }
    }
    Err(Lost::Busy)
}
