//! What `pending` means: the block that would come next if it were made now, of what waits in the pool.
//!
//! It is made when somebody asks, and kept until the head or the pool is another. Where a full pool changes all the
//! time, it is made again only after four times as long as it took: asking costs a fifth of one processor at most.

use crate::fault::Fault;
use crate::node::{Node, unix_now};
use crate::produce::{attributes, offered};
use crate::source::Draft;
use purlin_chain_proto::B256;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How much longer a draft is kept than it took to make.
const REST: u32 = 4;

/// The last one that was asked for.
#[derive(Debug, Default)]
pub(crate) struct Pending(Mutex<Option<Made>>);

#[derive(Debug)]
struct Made {
    parent: B256,
    /// Of the pool, when it was made.
    seen: [u64; 2],
    at: Instant,
    took: Duration,
    draft: Option<Arc<Draft>>,
}

impl Node {
    /// The block after the head; `None` where none can be made here.
    ///
    /// # Errors
    /// When the state cannot be read, or `until` has passed.
    pub(crate) fn pending(&self, until: Instant) -> Result<Option<Arc<Draft>>, Fault> {
        // Locked while it is made: who asks meanwhile wants the same one.
        let mut last = self.pending.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (head, seen) = (self.head(), self.seen());
        if let Some(made) = &*last
            && made.parent == head.hash
            && (made.seen == seen || made.at.elapsed() < made.took * REST)
        {
            return Ok(made.draft.clone());
        }
        let began = Instant::now();
        let earliest = self.source.spec().earliest_timestamp(&head.header);
        let attributes = attributes(self, head.hash, unix_now().max(earliest));
        let offered = offered(self).into_iter().take_while(|_| Instant::now() < until);
        let draft = self.source.draft(head.header.number, attributes, offered)?;
        if Instant::now() >= until {
            return Err(Fault::timeout());
        }
        let draft = draft.map(Arc::new);
        *last = Some(Made {
            parent: head.hash,
            seen,
            at: Instant::now(),
            took: began.elapsed(),
            draft: draft.clone(),
        });
        Ok(draft)
    }

    /// What has come into the pool and gone out of it, ever.
    fn seen(&self) -> [u64; 2] {
        [&self.counts.accepted, &self.counts.dropped].map(|count| count.load(Ordering::Relaxed))
    }
}
