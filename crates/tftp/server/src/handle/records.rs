//! Looking back into the records of all packet threads.

use super::Handle;
use purlin_telemetry::decision::Page;
use purlin_tftp_core::{BootRecord, RecordQuery};

impl Handle {
    /// Each thread's newest records that are wanted, below its bound: a number of its own, or `None` for all of them.
    pub(crate) async fn records_before(
        &self,
        query: &RecordQuery,
        bounds: &[Option<u64>],
    ) -> Vec<Page<BootRecord>> {
        let limit = query.limit.max(1);
        let asked: Vec<_> = (self.0.doors.iter().zip(bounds))
            .map(|(door, &bound)| {
                let query = query.clone();
                door.send(move |worker| {
                    let ring = worker.engine.records();
                    ring.before(bound, limit, |record| query.fits(record))
                })
            })
            .collect();
        let mut pages = Vec::new();
        for (answer, bound) in asked.into_iter().zip(bounds) {
            // A thread that has ended has nothing more to tell.
            pages.push(answer.await.unwrap_or(Page {
                found: Vec::new(),
                bound: bound.unwrap_or(0),
                overwritten: Some(0),
            }));
        }
        pages
    }
}
