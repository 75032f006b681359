//! Records of a node that starts: the database may go away, or be too busy, in the middle of that.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::failure::Failure;
use crate::postgres::{Postgres, Waiting, Work};

/// Between two attempts; doubles up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

type Told = Box<dyn Fn(&Waiting) + Send + Sync>;

/// Waits for what the server does not do now, until the node has started.
pub(super) struct Patience {
    over: AtomicBool,
    told: Told,
}

impl Patience {
    pub(super) fn new(told: impl Fn(&Waiting) + Send + Sync + 'static) -> Self {
        Self {
            over: AtomicBool::new(false),
            told: Box::new(told),
        }
    }

    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Release);
    }

    /// What came of it, and of how many attempts.
    pub(super) async fn call<W: Work>(&self, store: &Postgres, work: &W) -> Result<(W::Done, u32), Failure> {
        let (begun, mut pause) = (Instant::now(), PAUSES.0);
        let mut attempt = 1;
        loop {
            let failure = match store.call(work).await {
                Ok(done) => return Ok((done, attempt)),
                Err(failure) if self.over.load(Ordering::Acquire) || !failure.will_pass() => {
                    return Err(failure);
                }
                Err(failure) => failure,
            };
            (self.told)(&Waiting {
                attempt,
                waited: begun.elapsed(),
                pause,
                cause: failure.to_string(),
            });
            sleep(pause).await;
            (attempt, pause) = (attempt + 1, (pause * 2).min(PAUSES.1));
        }
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience")
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}
