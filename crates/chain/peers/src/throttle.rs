//! How much is told of strangers: whoever opens connections must not fill logs.

use std::time::{Duration, Instant};

const TOLD_PER_SECOND: u32 = 10;

/// Lets a few through each second.
#[derive(Debug)]
pub(crate) struct Throttle {
    since: Instant,
    told: u32,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self {
            since: Instant::now(),
            told: 0,
        }
    }

    pub(crate) fn pass(&mut self) -> bool {
        self.pass_at(Instant::now())
    }

    fn pass_at(&mut self, now: Instant) -> bool {
        if now.duration_since(self.since) >= Duration::from_secs(1) {
            (self.since, self.told) = (now, 0);
        }
        self.told = self.told.saturating_add(1);
        self.told <= TOLD_PER_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_pass_each_second() {
        let mut throttle = Throttle::new();
        let passed = |throttle: &mut Throttle, at| (0..1000).filter(|_| throttle.pass_at(at)).count();
        let start = throttle.since;
        assert_eq!(passed(&mut throttle, start), 10);
        assert_eq!(passed(&mut throttle, start + Duration::from_millis(999)), 0);
        assert_eq!(passed(&mut throttle, start + Duration::from_secs(1)), 10);
    }
}
