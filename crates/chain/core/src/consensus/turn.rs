//! Whose turn it is to propose.

use crate::quorum::ValidatorSet;
use alloy_primitives::Address;

/// 2^64 divided by the golden ratio: multiples of it spread over the 64-bit circle as evenly as any sequence can.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Who proposes in this round.
///
/// Equal validators take turns in the order of their addresses. With unequal power the first round of a height goes to each
/// in proportion to its power. Later rounds always go to the next address: a big validator that is down costs one round,
/// not as many as it has power.
#[must_use]
pub fn proposer(validators: &ValidatorSet, height: u64, round: u32) -> Address {
    let members = || validators.members();
    let count = validators.len();
    let mut powers = members().map(|(_, power)| power);
    let first = powers.next();
    let start = if powers.all(|power| Some(power) == first) {
        usize::try_from(height % count as u64).unwrap_or_default()
    } else {
        by_power(validators, height)
    };
    let index = (start + usize::try_from(round).unwrap_or_default() % count) % count;
    members().nth(index).map_or(Address::ZERO, |(address, _)| address)
}

/// The index of the validator on whose stretch of the circle this height falls.
fn by_power(validators: &ValidatorSet, height: u64) -> usize {
    let place = u128::from(height.wrapping_mul(GOLDEN)) * u128::from(validators.total());
    let mut place = u64::try_from(place >> 64).unwrap_or_default();
    for (index, (_, power)) in validators.members().enumerate() {
        match place.checked_sub(power) {
            Some(rest) => place = rest,
            None => return index,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn who(n: u8) -> Address {
        Address::repeat_byte(n)
    }

    #[test]
    fn equal_validators_take_turns() {
        let set = ValidatorSet::new((0..4).map(|n| (who(n), 5))).unwrap();
        let turns: Vec<_> = (4..9).map(|height| proposer(&set, height, 0)).collect();
        assert_eq!(turns, [0, 1, 2, 3, 0].map(who));
        assert_eq!(proposer(&set, 5, 2), who(3));
        assert_eq!(proposer(&set, 5, u32::MAX), who(0));
    }

    #[test]
    fn power_gives_turns_in_proportion_and_a_later_round_is_always_anothers() {
        let set = ValidatorSet::new([(who(1), 1), (who(2), 2), (who(3), 7)]).unwrap();
        let mut turns = BTreeMap::new();
        for height in 0..1_000 {
            *turns.entry(proposer(&set, height, 0)).or_insert(0_i32) += 1;
            assert_ne!(proposer(&set, height, 0), proposer(&set, height, 1));
        }
        for (n, share) in [(1, 100), (2, 200), (3, 700)] {
            let off = (turns[&who(n)] - share).abs();
            assert!(off <= 5, "{n}: {turns:?}");
        }
    }
}
