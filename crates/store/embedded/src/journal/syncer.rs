//! The sync thread: group commit. While one write and sync run, frames gather for the next.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Instant;

use super::shared::{Segment, Shared};
use super::tail::Patience;

pub(crate) fn run(shared: &Shared) {
    // Acknowledgements wait for this thread, which needs little of a processor but at once. A wish: without the
    // privilege it runs like any other.
    let _ = rustix::process::setpriority_process(None, -5);
    let mut last = None;
    loop {
        // Refused or not, what is written must be synced; the refusal is in `health`, and whoever finds space or
        // a segment unparks this thread.
        let _ = shared.tail().write_gathered(shared, Patience::Later);
        // Before the list of segments: a frame counted here is in a segment listed there.
        let target = shared.written.load(Ordering::Acquire);
        if target == shared.durable.load(Ordering::Acquire) || shared.failed() {
            if shared.stop.load(Ordering::Acquire) {
                return;
            }
            thread::park();
            continue;
        }
        if rested(shared, last) {
            continue;
        }
        let segments = unsynced(shared);
        let start = Instant::now();
        last = Some(start);
        // Oldest first: a position counts only when everything before it is durable.
        let synced = segments.iter().try_for_each(|segment| segment.file.sync());
        match synced {
            Ok(()) => {
                shared.counters.synced(start.elapsed());
                if let [_, .., last] = &segments[..] {
                    shared.files().unsynced_from = last.number;
                }
                shared.publish(target);
            }
            Err(error) => drop(shared.fail(error)),
        }
    }
}

/// Frames that nobody waits for (promises within the client lead time) gather for a while after a sync: one costs the
/// same for one frame as for hundreds, and its processor time is the packet thread's loss. True when it has waited.
fn rested(shared: &Shared, last: Option<Instant>) -> bool {
    let Some(left) = last.and_then(|last| shared.options.rest.checked_sub(last.elapsed())) else {
        return false;
    };
    shared.resting.store(true, Ordering::SeqCst);
    // From here on only those who wait, space, a segment and the end wake this thread. Whoever came before is seen.
    let awaited = shared.awaited.load(Ordering::SeqCst) > shared.durable.load(Ordering::Acquire);
    let rests = !awaited && !shared.stop.load(Ordering::Acquire);
    if rests {
        thread::park_timeout(left);
    }
    shared.resting.store(false, Ordering::SeqCst);
    rests
}

fn unsynced(shared: &Shared) -> Vec<Arc<Segment>> {
    let files = shared.files();
    let dirty = files
        .segments
        .iter()
        .filter(|entry| entry.segment.number >= files.unsynced_from);
    dirty.map(|entry| entry.segment.clone()).collect()
}
