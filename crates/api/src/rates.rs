//! How many requests a caller may send: a rate and a burst for reads, for writes, and for logins of one address.
//!
//! The generic cell rate algorithm: one number per caller and class says when all that it has sent would be paid for.
//! A request is taken when that is less than a burst ahead.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::clock::Clock;
use crate::problem::Problem;
use crate::reasons;

/// Callers that are remembered; beyond them those that owe nothing are forgotten, then all.
const CALLERS_MAX: usize = 16_384;

/// A rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests in a minute, evenly; at least 1.
    pub per_minute: u32,
    /// Requests at once, after a pause; at least 1.
    pub burst: u32,
}

/// The rates of an API; `None` is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    pub reads: Option<Rate>,
    pub writes: Option<Rate>,
    /// Per source address.
    pub logins: Option<Rate>,
}

impl Default for Rates {
    /// Whoever has a token is trusted with the machine; strangers are not.
    fn default() -> Self {
        Self {
            reads: None,
            writes: None,
            logins: Some(Rate {
                per_minute: 20,
                burst: 20,
            }),
        }
    }
}

/// What a request is, to the rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    Read,
    Write,
    Login,
}

/// Counts. Clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Meter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rates: Rates,
    clock: Clock,
    /// When all would be paid for, in microseconds of the clock.
    debts: Mutex<HashMap<(String, Class), i64>>,
}

/// How a caller stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    limit: u32,
    remaining: u32,
    /// Seconds until the whole burst is there again.
    reset: i64,
}

impl Allowance {
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        for (name, value) in self.lines() {
            headers.insert(name, value);
        }
    }

    fn lines(self) -> [(HeaderName, HeaderValue); 3] {
        [
            (
                HeaderName::from_static("x-ratelimit-limit"),
                HeaderValue::from(self.limit),
            ),
            (
                HeaderName::from_static("x-ratelimit-remaining"),
                HeaderValue::from(self.remaining),
            ),
            (
                HeaderName::from_static("x-ratelimit-reset"),
                HeaderValue::from(self.reset),
            ),
        ]
    }
}

impl Meter {
    pub(crate) fn new(rates: Rates, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            rates,
            clock,
            debts: Mutex::new(HashMap::new()),
        }))
    }

    /// Takes one request; `None` where there is no rate.
    ///
    /// # Errors
    /// 429 for a caller that is too fast.
    pub(crate) fn take(&self, caller: &str, class: Class) -> Result<Option<Allowance>, Problem> {
        let rate = match class {
            Class::Read => self.0.rates.reads,
            Class::Write => self.0.rates.writes,
            Class::Login => self.0.rates.logins,
        };
        let Some(rate) = rate else { return Ok(None) };
        let now = self.0.clock.now().as_microsecond();
        let every = 60_000_000 / i64::from(rate.per_minute.max(1));
        let ahead = every * i64::from(rate.burst.max(1));
        let mut debts = self
            .0
            .debts
            .lock()
            .expect("no code panics while it holds the debts");
        let key = (caller.to_owned(), class);
        if debts.len() >= CALLERS_MAX && !debts.contains_key(&key) {
            debts.retain(|_, debt| *debt > now);
            if debts.len() >= CALLERS_MAX {
                debts.clear();
            }
        }
        // A clock that was set back must not lock anybody out.
        let debt = debts.get(&key).copied().unwrap_or(now).clamp(now, now + ahead);
        let next = debt + every;
        let stand = |debt: i64| Allowance {
            limit: rate.burst,
            remaining: u32::try_from((now + ahead - debt) / every).unwrap_or(0),
            reset: secs(debt - now),
        };
        if next > now + ahead {
            let wait = secs(next - now - ahead);
            let detail = format!(
                "{} requests at once and {} in a minute; wait {wait} s",
                rate.burst, rate.per_minute
            );
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, &reasons::TOO_MANY_REQUESTS, detail)
                .header(header::RETRY_AFTER, HeaderValue::from(wait));
            return Err(stand(debt)
                .lines()
                .into_iter()
                .fold(problem, |problem, (name, value)| problem.header(name, value)));
        }
        debts.insert(key, next);
        Ok(Some(stand(next)))
    }
}

/// Whole seconds, rounded up.
fn secs(micros: i64) -> i64 {
    micros.max(0).div_euclid(1_000_000) + i64::from(micros.rem_euclid(1_000_000) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn meter() -> (Meter, Clock) {
        let clock = Clock::stepped("2026-01-01T00:00:00Z".parse().unwrap());
        let rates = Rates {
            writes: Some(Rate {
                per_minute: 60,
                burst: 3,
            }),
            ..Rates::default()
        };
        (Meter::new(rates, clock.clone()), clock)
    }

    #[test]
    fn a_burst_is_taken_and_then_one_at_a_time() {
        let (meter, clock) = meter();
        let left = || {
            meter
                .take("a", Class::Write)
                .map(|taken| taken.unwrap().remaining)
        };
        assert_eq!([left().unwrap(), left().unwrap(), left().unwrap()], [2, 1, 0]);
        assert_eq!(left().unwrap_err().status(), StatusCode::TOO_MANY_REQUESTS);
        clock.step(Duration::from_secs(1));
        assert_eq!(left().unwrap(), 0);
        assert!(left().is_err());
        clock.step(Duration::from_secs(60));
        assert_eq!(left().unwrap(), 2);
    }

    #[test]
    fn callers_and_classes_are_counted_apart() {
        let (meter, _) = meter();
        for _ in 0..3 {
            meter.take("a", Class::Write).unwrap();
        }
        assert!(meter.take("a", Class::Write).is_err());
        assert!(meter.take("b", Class::Write).is_ok());
        assert_eq!(meter.take("a", Class::Read).unwrap(), None);
        assert!(meter.take("a", Class::Login).is_ok());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let (meter, _) = meter();
        meter
            .0
            .debts
            .lock()
            .unwrap()
            .insert(("a".into(), Class::Write), i64::MAX);
        let refused = meter.take("a", Class::Write).unwrap_err();
        assert!(refused.detail().ends_with("wait 1 s"), "{}", refused.detail());
    }
}
