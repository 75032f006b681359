//! Who keeps a height from being decided, as one node sees it: those who are away, those who are here and say nothing, and those
//! who vote for no block.

use super::words::named;
use crate::quorum::ValidatorSet;
use alloy_primitives::Address;
use std::collections::BTreeSet;
use std::fmt;

/// What a validator said last at the height that is being decided, as far as its own connection brought it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voice {
    pub validator: Address,
    /// `None`: nothing at this height.
    pub last: Option<Said>,
}

/// A validator's newest vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    pub round: u32,
    /// Whether it was for a block, not for none.
    pub block: bool,
}

/// A height that is not decided in time. Its words name whom an operator should look at.
#[derive(Debug, Clone, Copy)]
pub struct Stall<'a> {
    /// Who decides.
    pub set: &'a ValidatorSet,
    /// Who runs as far as this node sees; itself too.
    pub up: &'a BTreeSet<Address>,
    /// What each said; empty at a node that hears no votes.
    pub voices: &'a [Voice],
    /// The round that is under way.
    pub round: u32,
}

impl Stall<'_> {
    /// Those who are connected and did not vote: neither in this round, which may have just begun, nor in the one before.
    #[must_use]
    pub fn silent(&self) -> Vec<Voice> {
        let spoke = |said: &Said| said.round.saturating_add(1) >= self.round;
        let silent = |voice: &&Voice| !voice.last.is_some_and(|said| spoke(&said));
        self.here().filter(silent).copied().collect()
    }

    fn here(&self) -> impl Iterator<Item = &Voice> {
        let member = |voice: &&Voice| self.set.power(&voice.validator).is_some();
        let up = |voice: &&Voice| self.up.contains(&voice.validator);
        self.voices.iter().filter(member).filter(up)
    }

    /// Those who vote, and for no block: they have none, or find it invalid.
    fn against(&self) -> impl Iterator<Item = String> {
        let silent = self.silent();
        let against =
            move |voice: &&Voice| !silent.contains(voice) && voice.last.is_some_and(|said| !said.block);
        self.here()
            .filter(against)
            .map(|voice| voice.validator.to_string())
    }
}

impl fmt::Display for Stall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let standing = self.set.standing(self.up);
        if standing.decides() {
            let (up, total, quorum) = (standing.up, standing.total, standing.quorum);
            write!(
                f,
                "power {up} of {total} is connected, {quorum} must agree, and they do not"
            )?;
        } else {
            write!(f, "{standing}")?;
        }
        let gone = self.set.members().filter(|(who, _)| !self.up.contains(who));
        let gone = named(gone.map(|(who, power)| match power {
            1 => who.to_string(),
            power => format!("{who} (power {power})"),
        }));
        let silent = named(self.silent().iter().map(|voice| match voice.last {
            None => voice.validator.to_string(),
            Some(Said { round, .. }) => format!("{} (last in round {round})", voice.validator),
        }));
        let against = named(self.against());
        for (words, names) in [
            ("not seen from here", gone),
            ("connected, and no votes come from", silent),
            ("for no block vote", against),
        ] {
            if !names.is_empty() {
                write!(f, "; {words}: {names}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(n: u8) -> Address {
        Address::with_last_byte(n)
    }

    /// Four validators, `up` of them connected, who said last (round, for a block) or nothing; the words after the first
    /// sentence.
    fn check(up: u8, voices: [Option<(u32, bool)>; 4], round: u32, says: &[&str]) {
        let set = ValidatorSet::new((1..=4).map(|n| (who(n), 1))).expect("a set");
        let up: BTreeSet<_> = (1..=up).map(who).collect();
        let voice = |(n, last): (u8, Option<(u32, bool)>)| Voice {
            validator: who(n),
            last: last.map(|(round, block)| Said { round, block }),
        };
        let voices: Vec<_> = (1..).zip(voices).map(voice).collect();
        let stall = Stall {
            set: &set,
            up: &up,
            voices: &voices,
            round,
        };
        let told = stall.to_string();
        let told: Vec<_> = told.split("; ").skip(1).collect();
        assert_eq!(told, says);
    }

    #[test]
    fn who_is_connected_and_says_nothing_is_named() {
        let votes = Some((0, true));
        let (three, four) = (who(3), who(4));
        let says = format!("connected, and no votes come from: {three}, {four}");
        check(4, [votes, votes, None, None], 0, &[&says]);
        let says = format!("connected, and no votes come from: {four} (last in round 3)");
        let votes = Some((9, true));
        check(4, [votes, votes, votes, Some((3, true))], 9, &[&says]);
    }

    #[test]
    fn a_round_that_has_just_begun_accuses_nobody() {
        let before = Some((4, true));
        check(4, [before; 4], 5, &[]);
    }

    #[test]
    fn who_is_away_is_not_called_silent_and_who_votes_for_nothing_is_told_apart() {
        let (three, four) = (who(3), who(4));
        let away = format!("not seen from here: {four}");
        let against = format!("for no block vote: {three}");
        let votes = Some((1, true));
        check(3, [votes, votes, Some((1, false)), None], 1, &[&away, &against]);
    }

    #[test]
    fn a_node_that_hears_no_votes_names_nobody() {
        let set = ValidatorSet::new((1..=4).map(|n| (who(n), 1))).expect("a set");
        let up: BTreeSet<_> = (1..=4).map(who).collect();
        let stall = Stall {
            set: &set,
            up: &up,
            voices: &[],
            round: 7,
        };
        assert_eq!(
            stall.to_string(),
            "power 4 of 4 is connected, 3 must agree, and they do not"
        );
    }
}
