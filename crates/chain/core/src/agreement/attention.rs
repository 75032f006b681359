//! When a validator is said to be missing, late, or back: not at the first height, and not for ever to and fro.

use super::Height;
use alloy_primitives::Address;
use std::collections::BTreeMap;

/// So many heights, more than those that are fine, until something is said.
const RAISED: u8 = 10;
/// What counts up no further, so that all is well again soon after it is.
const MOST: u8 = 15;

/// What changed about a validator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    pub validator: Address,
    pub way: Way,
    /// The height that made it plain.
    pub height: u64,
}

/// In which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Nothing of it came for some heights.
    Missing,
    /// Its votes come long after those of the others.
    Late,
    /// Its votes come, and in time.
    Back,
}

/// Counts of one validator: up with each bad height, down with each good one.
#[derive(Debug, Default)]
struct Score {
    silent: u8,
    slow: u8,
    said: Option<Way>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Attention(BTreeMap<Address, Score>);

impl Attention {
    /// A height of which nothing more is to come.
    pub(super) fn height(&mut self, height: &Height, turns: &mut Vec<Turn>) {
        if height.times.is_none() {
            return;
        }
        self.0.retain(|who, _| height.place(who).is_some());
        let slow_from = Height::slow_from(height.period);
        let excess = height.excess(&height.lateness());
        for (((who, _), seen), excess) in height.roll.iter().zip(&height.seen).zip(excess) {
            let score = self.0.entry(*who).or_default();
            step(&mut score.silent, Height::was_silent(seen));
            step(&mut score.slow, excess.is_some_and(|excess| excess >= slow_from));
            if let Some(way) = score.turns() {
                turns.push(Turn {
                    validator: *who,
                    way,
                    height: height.height,
                });
            }
        }
    }
}

fn step(score: &mut u8, bad: bool) {
    *score = if bad {
        score.saturating_add(1).min(MOST)
    } else {
        score.saturating_sub(1)
    };
}

impl Score {
    fn turns(&mut self) -> Option<Way> {
        let now = match (self.silent, self.slow) {
            (silent, _) if silent >= RAISED => Some(Way::Missing),
            (_, slow) if slow >= RAISED => Some(Way::Late),
            (0, 0) => None,
            // In between what was said stays so.
            _ => self.said,
        };
        if now == self.said {
            return None;
        }
        self.said = now;
        Some(now.unwrap_or(Way::Back))
    }
}
