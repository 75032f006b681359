//! How often others are given blocks: reading them takes this node's time, which its own height needs too.
//!
//! Whoever catches up asks, executes what came, and asks again, some ten times a second. Who asks more often is told that there
//! is nothing, and looks for another. Guests have one allowance of their own together: however many there are, validators get
//! on.

use alloy_primitives::Address;
use std::collections::BTreeMap;
use std::time::Duration;

/// What one peer may have: an answer each, and so many at once.
const EACH: Allowance = Allowance {
    every: Duration::from_millis(20),
    at_once: 16,
};
/// What all that are no validators may have together.
const GUESTS: Allowance = Allowance {
    every: Duration::from_millis(10),
    at_once: 32,
};

/// A rate, and how much of it may come at once.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    every: Duration,
    at_once: u32,
}

impl Allowance {
    /// Whether one more is within it. `used` is the time until which all is used up (the generic cell rate algorithm, ITU-T I.371).
    fn grants(self, used: Duration, now: Duration) -> bool {
        used <= now.saturating_add(self.every * (self.at_once - 1))
    }

    fn after(self, used: Duration, now: Duration) -> Duration {
        used.max(now).saturating_add(self.every)
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Courtesy {
    each: BTreeMap<Address, Duration>,
    guests: Duration,
}

impl Courtesy {
    /// Whether a peer that asks now is given blocks.
    pub(super) fn grants(&mut self, now: Duration, peer: Address, validator: bool) -> bool {
        let used = self.each.entry(peer).or_default();
        let granted = EACH.grants(*used, now) && (validator || GUESTS.grants(self.guests, now));
        if granted {
            *used = EACH.after(*used, now);
            if !validator {
                self.guests = GUESTS.after(self.guests, now);
            }
        }
        granted
    }

    /// A peer is gone. If it comes back it begins anew; meetings are limited elsewhere.
    pub(super) fn forget(&mut self, peer: Address) {
        self.each.remove(&peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn who(n: u8) -> Address {
        Address::repeat_byte(n)
    }

    /// How many are granted of one question each millisecond, for a second after `begin`.
    fn granted(courtesy: &mut Courtesy, begin: Duration, peers: &[u8], validator: bool) -> usize {
        let times = (0..1_000).map(|n| begin + Duration::from_millis(n));
        times
            .flat_map(|now| peers.iter().map(move |peer| (now, *peer)))
            .filter(|(now, peer)| courtesy.grants(*now, who(*peer), validator))
            .count()
    }

    #[test]
    fn who_asks_all_the_time_gets_its_share_and_what_it_saved() {
        let mut courtesy = Courtesy::default();
        assert_eq!(granted(&mut courtesy, SECOND, &[1], true), 65);
        assert_eq!(granted(&mut courtesy, 2 * SECOND, &[1], true), 50);
        assert_eq!(
            granted(&mut courtesy, 10 * SECOND, &[1], true),
            65,
            "a rest saves no more"
        );
    }

    #[test]
    fn many_guests_share_and_a_validator_is_served_beside_them() {
        let mut courtesy = Courtesy::default();
        let crowd: Vec<u8> = (1..=50).collect();
        assert_eq!(granted(&mut courtesy, SECOND, &crowd, false), 131);
        assert!(courtesy.grants(2 * SECOND, who(99), true));
        assert!(!courtesy.grants(2 * SECOND - Duration::from_millis(1), who(98), false));
    }

    #[test]
    fn who_is_gone_takes_no_memory() {
        let mut courtesy = Courtesy::default();
        courtesy.grants(SECOND, who(1), false);
        courtesy.forget(who(1));
        assert!(courtesy.each.is_empty());
    }
}
