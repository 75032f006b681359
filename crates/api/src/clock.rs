//! Wall-clock time as the API writes it, from one place that tests can replace.

use jiff::Timestamp;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Where the API reads the time of day. Clones share one clock.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    /// Milliseconds since the Unix epoch, moved by hand.
    Stepped(Arc<AtomicI64>),
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`Clock::step`].
    #[must_use]
    pub fn stepped(start: Timestamp) -> Self {
        Self(Source::Stepped(Arc::new(AtomicI64::new(start.as_millisecond()))))
    }

    /// Moves a stepped clock on; does nothing to the system's clock.
    pub fn step(&self, by: Duration) {
        if let Source::Stepped(millis) = &self.0 {
            millis.fetch_add(
                i64::try_from(by.as_millis()).unwrap_or(i64::MAX),
                Ordering::SeqCst,
            );
        }
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::now(),
            Source::Stepped(millis) => {
                Timestamp::from_millisecond(millis.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Whole seconds since the Unix epoch.
    #[must_use]
    pub fn secs(&self) -> i64 {
        self.now().as_second()
    }

    /// The present time as RFC 3339 with milliseconds.
    #[must_use]
    pub fn text(&self) -> String {
        rfc3339(self.now())
    }
}

/// RFC 3339 in UTC with exactly three decimals, so that texts sort as times do.
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// The time so many milliseconds after the Unix epoch, as RFC 3339.
#[must_use]
pub fn rfc3339_millis(millis: u64) -> String {
    let at = i64::try_from(millis)
        .ok()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok());
    rfc3339(at.unwrap_or(Timestamp::MAX))
}

/// The time so many seconds after the Unix epoch, as RFC 3339 without decimals.
#[must_use]
pub fn rfc3339_secs(secs: u32) -> String {
    Timestamp::from_second(i64::from(secs))
        .expect("u32 seconds are inside jiff's range")
        .to_string()
}
