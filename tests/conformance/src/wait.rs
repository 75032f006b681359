//! Waiting for a condition, never for a duration.

use std::time::{Duration, Instant};

/// How long anything may take here before it counts as not happening. Generous: a busy machine is no failure.
pub const LIMIT: Duration = Duration::from_secs(45);

/// How often a condition is looked at.
const EVERY: Duration = Duration::from_millis(20);

/// The first value that `look` yields, or `None` when it yields none within `limit`.
pub fn within<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::park_timeout(EVERY);
    }
}

/// Waits until `holds`.
///
/// # Panics
///
/// When it does not hold within [`LIMIT`]; `what` then tells what was waited for.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    assert!(
        within(LIMIT, || holds().then_some(())).is_some(),
        "waited in vain until {what}"
    );
}
