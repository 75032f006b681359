//! What kinds of transactions a load is made of, and in which shares.

use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// What one transaction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Ether from one sender to another.
    Transfers,
    /// A token's units from one sender to another: two slots read and written, one log.
    Erc20,
    /// A slot that was never used is written.
    Storage,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Transfers, Self::Erc20, Self::Storage];

    /// Gas that a transaction of this kind may use; what it does not use is not paid.
    ///
    /// A plain transfer is 21,000 exactly. A token transfer takes about 35,000 between accounts that hold some, and a
    /// new slot about 44,000.
    #[must_use]
    pub fn gas_limit(self) -> u64 {
        match self {
            Self::Transfers => 21_000,
            Self::Erc20 => 60_000,
            Self::Storage => 50_000,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Transfers => "transfers",
            Self::Erc20 => "erc20",
            Self::Storage => "storage",
        }
    }
}

/// Kinds with weights. The same number of a seed always chooses the same kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix(Vec<(Kind, u32)>);

/// A text is no mix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no load; write transfers, erc20, storage, mixed, or weights like transfers=5,erc20=3,storage=2"
)]
pub struct UnknownMix(String);

impl Mix {
    /// One kind alone.
    #[must_use]
    pub fn only(kind: Kind) -> Self {
        Self(vec![(kind, 1)])
    }

    /// The kind that falls to a random number.
    pub(crate) fn pick(&self, random: u64) -> Kind {
        let all: u64 = self.0.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut left = random % all;
        for (kind, weight) in &self.0 {
            match left.checked_sub(u64::from(*weight)) {
                Some(rest) => left = rest,
                None => return *kind,
            }
        }
        self.0[0].0
    }

    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.0.iter().any(|(one, _)| *one == kind)
    }
}

impl FromStr for Mix {
    type Err = UnknownMix;

    fn from_str(text: &str) -> Result<Self, UnknownMix> {
        if text == "mixed" {
            return "transfers=5,erc20=3,storage=2".parse();
        }
        let parts: Option<Vec<(Kind, u32)>> = text.split(',').map(part).collect();
        let wrong = || UnknownMix(text.to_owned());
        let mix = parts.ok_or_else(wrong)?;
        let twice = |kind: Kind| mix.iter().filter(|(one, _)| *one == kind).count() > 1;
        if mix.iter().any(|(kind, _)| twice(*kind)) {
            return Err(wrong());
        }
        Ok(Self(mix))
    }
}

fn part(text: &str) -> Option<(Kind, u32)> {
    let (name, weight) = text.split_once('=').unwrap_or((text, "1"));
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name)?;
    let weight: u32 = weight.parse().ok()?;
    (1..=1000).contains(&weight).then_some((kind, weight))
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [(kind, _)] = self.0.as_slice() {
            return f.write_str(kind.name());
        }
        let parts: Vec<String> = self
            .0
            .iter()
            .map(|(kind, weight)| format!("{}={weight}", kind.name()))
            .collect();
        f.write_str(&parts.join(","))
    }
}

impl Serialize for Mix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_read_and_shown() {
        for (text, shown) in [
            ("transfers", "transfers"),
            ("erc20=4", "erc20"),
            ("mixed", "transfers=5,erc20=3,storage=2"),
            ("storage,erc20=2", "storage=1,erc20=2"),
        ] {
            assert_eq!(text.parse::<Mix>().unwrap().to_string(), shown);
        }
        for bad in ["", "blobs", "erc20=0", "erc20=x", "erc20,erc20=2"] {
            assert!(bad.parse::<Mix>().is_err(), "{bad}");
        }
    }

    #[test]
    fn kinds_are_chosen_by_their_weights() {
        let mix: Mix = "mixed".parse().unwrap();
        let count = |kind| (0..100).filter(|random| mix.pick(*random) == kind).count();
        assert_eq!(Kind::ALL.map(count), [50, 30, 20]);
    }
}
