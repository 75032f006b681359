//! Harm done to datagrams on purpose, repeatable from a seed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Shares of the datagrams of one direction that are harmed, each 0.0 to 1.0.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Faults {
    /// Never arrives.
    pub loss: f64,
    /// Arrives twice.
    pub duplicate: f64,
    /// Arrives late, behind what was sent after it.
    pub reorder: f64,
    /// Arrives with one octet changed and a valid checksum. The load generator ignores it: it would accuse the server.
    pub corrupt: f64,
}

impl Faults {
    /// Nothing is harmed.
    pub const NONE: Self = Self {
        loss: 0.0,
        duplicate: 0.0,
        reorder: 0.0,
        corrupt: 0.0,
    };

    /// Loses this share and does nothing else.
    #[must_use]
    pub fn loss(share: f64) -> Self {
        Self {
            loss: share,
            ..Self::NONE
        }
    }

    /// Whether nothing is harmed.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// The first share outside 0.0 to 1.0: its name and value.
    pub(crate) fn bad_share(&self) -> Option<(&'static str, f64)> {
        [
            ("loss", self.loss),
            ("duplicate", self.duplicate),
            ("reorder", self.reorder),
            ("corrupt", self.corrupt),
        ]
        .into_iter()
        .find(|(_, share)| !(0.0..=1.0).contains(share))
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.write_str("no faults");
        }
        let mut separator = "";
        for (name, share) in [
            ("loss", self.loss),
            ("duplicate", self.duplicate),
            ("reorder", self.reorder),
            ("corrupt", self.corrupt),
        ] {
            if share > 0.0 {
                write!(f, "{separator}{name} {:.3}%", share * 100.0)?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

/// What happens to one datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Arrives,
    Lost,
    Twice,
    Late,
    Corrupt,
}

/// Small, fast and the same everywhere: SplitMix64.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound` (at least 1).
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.roll()) * u128::from(bound.max(1))) >> 64) as u64
    }

    /// 0.0 to 1.0.
    fn share(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One throw decides: the shares are cut from one line in the order of the fields.
    pub(crate) fn fate(&mut self, faults: &Faults) -> Fate {
        let at = self.share();
        let mut end = 0.0;
        for (share, fate) in [
            (faults.loss, Fate::Lost),
            (faults.duplicate, Fate::Twice),
            (faults.reorder, Fate::Late),
            (faults.corrupt, Fate::Corrupt),
        ] {
            end += share;
            if at < end {
                return fate;
            }
        }
        Fate::Arrives
    }
}

/// The finishing step of SplitMix64: neighbouring inputs give unrelated outputs.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_come_out_and_a_seed_repeats_them() {
        let faults = Faults {
            loss: 0.1,
            duplicate: 0.2,
            reorder: 0.0,
            corrupt: 0.3,
        };
        let throw = |seed| {
            let mut dice = Dice::new(seed);
            (0..10_000).map(|_| dice.fate(&faults)).collect::<Vec<_>>()
        };
        let fates = throw(7);
        assert_eq!(fates, throw(7));
        assert_ne!(fates, throw(8));
        let count = |fate| fates.iter().filter(|&&found| found == fate).count();
        assert!((900..1100).contains(&count(Fate::Lost)), "{}", count(Fate::Lost));
        assert!((1850..2150).contains(&count(Fate::Twice)));
        assert_eq!(count(Fate::Late), 0);
        assert!((2850..3150).contains(&count(Fate::Corrupt)));
    }

    #[test]
    fn faults_read_as_text() {
        assert_eq!(Faults::NONE.to_string(), "no faults");
        assert_eq!(Faults::loss(0.015).to_string(), "loss 1.500%");
    }
}
