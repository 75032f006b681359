//! A stretch of a file as a body, chunk by chunk from the cache.

use super::record::Entry;
use axum::body::{Body, Bytes};
use futures_util::stream;
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
            let chunk = load(&content, index).await?;
            let from = (range.start - base) as usize;
            let to = ((range.end - base) as usize).min(chunk.len());
            if to <= from {
                // The length was promised; an error ends the connection, so that nobody takes a part for the whole.
                return Err(io::Error::other("the file changed while it was sent"));
            }
            let octets = Bytes::from_owner(chunk).slice(from..to);
            entry.sent(octets.len());
            Ok(Some((octets, (content, base + to as u64..range.end, entry))))
        },
    ))
}

async fn load(content: &Arc<Content>, index: u64) -> io::Result<Chunk> {
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
            _ => return Err(io::Error::other("the file could not be read")),
        }
    }
    Err(io::Error::other("the cache is too small for what is being read"))
}
