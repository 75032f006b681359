//! Named locks: how they are asked for, kept and lost.
//!
//! Two classes, by what may be lost. An [`Class::Advisory`] lock is a hint: it keeps work from being done twice, and
//! when the service behind it forgets, two may hold it. A [`Class::Fenced`] one is a claim in the durable store: its
//! token is an epoch that rises with every holder, and goes into the write that the lock protects, so that the resource
//! itself refuses a holder that has lost it. No lock that lapses can promise more to whoever pauses at the wrong moment
//! (Kleppmann, "How to do distributed locking", 2016).
//!
//! ```text
//!   Attempt ──refused──► Wait, longer each time ──► ... ──► Busy after `max_retries` tries
//!      │ granted
//!      ▼
//!   Hold ──due──► Renew ──answered──► Hold ...       Lost: lapsed, taken, held too long
//! ```

mod attempt;
mod hold;
mod name;

pub use attempt::{Attempt, Next};
pub use hold::{Due, Hold, Loss};
pub use name::{LockName, LockNameError};

use purlin_types::Epoch;
use std::fmt;
use std::time::Duration;

/// What a lock protects from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Class {
    /// Mutual exclusion where the resource checks the token.
    Fenced,
    /// Work done twice, at most times.
    #[default]
    Advisory,
}

/// How a lock is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockOptions {
    pub class: Class,
    /// The lock lapses when it was not renewed for so long; 100 ms to 1 h, defaults to 30 s. A fenced lock lapses with
    /// its node's lease instead.
    pub ttl: Duration,
    /// Tries before it is [`LockError::Busy`]; defaults to 10, 0 counts as 1.
    pub max_retries: u32,
    /// The wait after the first try, doubled after each further one; defaults to 100 ms.
    pub retry_first: Duration,
    /// The longest wait between tries; defaults to 2 s.
    pub retry_most: Duration,
    /// The lock is given up when it was held for so long, whatever its holder does; defaults to 1 h.
    pub max_hold: Duration,
}

impl Default for LockOptions {
    fn default() -> Self {
        Self {
            class: Class::Advisory,
            ttl: Duration::from_secs(30),
            max_retries: 10,
            retry_first: Duration::from_millis(100),
            retry_most: Duration::from_secs(2),
            max_hold: Duration::from_secs(3600),
        }
    }
}

impl LockOptions {
    /// The defaults for a fenced lock.
    #[must_use]
    pub fn fenced() -> Self {
        Self {
            class: Class::Fenced,
            ..Self::default()
        }
    }

    /// # Errors
    /// [`LockError::Options`] when a value is outside its range.
    pub fn check(&self) -> Result<(), LockError> {
        let ttls = Duration::from_millis(100)..=Duration::from_secs(3600);
        if !ttls.contains(&self.ttl) {
            return Err(LockError::Options("ttl is not within 100 ms to 1 h"));
        }
        if self.retry_first.is_zero() || self.retry_most < self.retry_first {
            return Err(LockError::Options(
                "retry_first is 0 or above retry_most: the lock would be asked for without a pause",
            ));
        }
        Ok(())
    }

    /// How long after a grant or a renewal the next renewal is due: a third of the ttl, so that two may fail.
    #[must_use]
    pub fn renew_after(&self) -> Duration {
        self.ttl / 3
    }
}

/// The number that goes along with what the lock protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockToken {
    /// Rises with every holder; the resource refuses a lower one than it has seen.
    Fenced(Epoch),
    /// Random: proves the holder, orders nothing.
    Advisory(crate::port::Token),
}

impl fmt::Display for LockToken {
    /// As people compare them; an advisory token is a secret of its holder, so that only its last 32 bits are shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fenced(epoch) => epoch.fmt(f),
            Self::Advisory(token) => write!(f, "~{:08x}", token.0 as u32),
        }
    }
}

/// Why a lock was not got, or is held no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockError {
    /// Somebody else had it at each of the tries.
    Busy {
        tries: u32,
        waited: Duration,
    },
    /// Whatever is behind this class of locks could not be asked, at the last of the tries.
    Away {
        tries: u32,
    },
    /// It was held, and is no more.
    Lost(Loss),
    /// This node has no claim store, or no lease of its own: it can hold no fenced lock.
    NoLease,
    Name(LockNameError),
    Options(&'static str),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy { tries, waited } => {
                let (times, secs) = (if *tries == 1 { "try" } else { "tries" }, waited.as_secs_f64());
                write!(f, "the lock was held by others at {tries} {times} in {secs:.1} s")
            }
            Self::Away { tries } => write!(f, "the lock could not be asked for in {tries} tries"),
            Self::Lost(loss) => loss.fmt(f),
            Self::NoLease => f.write_str("this node has no lease, so it can hold no fenced lock"),
            Self::Name(error) => error.fmt(f),
            Self::Options(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for LockError {}

impl From<LockNameError> for LockError {
    fn from(error: LockNameError) -> Self {
        Self::Name(error)
    }
}

/// A lock as its manager shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockView {
    pub name: String,
    pub class: Class,
    pub token: LockToken,
    pub held: Duration,
    /// Until it lapses, if nothing renews it.
    pub left: Duration,
    /// How many wait for it on this node.
    pub waiters: usize,
}
