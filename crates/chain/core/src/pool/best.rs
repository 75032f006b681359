//! The pending transactions in the order in which a block should take them.

use super::Pool;
use super::pooled::Pooled;
use super::settings::Settings;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::btree_map::Range;
use std::sync::Arc;

/// Gives pending transactions by effective tip, the older first among equals, and in nonce order for each sender.
///
/// A sender's first transaction that does not cover the base fee, or tips less than asked for, ends that sender's part.
#[derive(Debug)]
pub struct Best<'a> {
    demand: Demand<'a>,
    turns: BinaryHeap<Turn<'a>>,
    /// The sender whose transaction was given last: its next one enters when the next is asked for.
    current: Option<Range<'a, u64, Arc<Pooled>>>,
}

/// What a block asks for.
#[derive(Debug, Clone, Copy)]
struct Demand<'a> {
    base_fee: u64,
    tip_min: u128,
    settings: &'a Settings,
}

#[derive(Debug)]
struct Turn<'a> {
    tip: u128,
    arrival: Reverse<u64>,
    transaction: &'a Arc<Pooled>,
    rest: Range<'a, u64, Arc<Pooled>>,
}

impl Pool {
    /// What a block with this base fee should take, if its producer wants `tip_min` per gas at least (of what is kept before
    /// all else, nothing).
    #[must_use]
    pub fn best(&self, base_fee: u64, tip_min: u128) -> Best<'_> {
        let demand = self.demand(base_fee, tip_min);
        let turns = self
            .senders
            .values()
            .filter_map(|sender| Turn::of(sender.pending(), demand));
        Best {
            turns: turns.collect::<Vec<_>>().into(),
            demand,
            current: None,
        }
    }

    /// Whether the next block could take anything, if its producer wants `tip_min` per gas at least: what a sealer that
    /// makes no empty blocks waits for. Pending transactions below the base fee do not count.
    #[must_use]
    pub fn is_ready(&self, tip_min: u128) -> bool {
        let demand = self.demand(self.head.base_fee, tip_min);
        self.senders
            .values()
            .any(|sender| Turn::of(sender.pending(), demand).is_some())
    }

    const fn demand(&self, base_fee: u64, tip_min: u128) -> Demand<'_> {
        Demand {
            base_fee,
            tip_min,
            settings: &self.settings,
        }
    }
}

impl Best<'_> {
    /// The transaction that was given last does not go in: nothing more of its sender.
    pub fn skip_sender(&mut self) {
        self.current = None;
    }
}

impl<'a> Iterator for Best<'a> {
    type Item = &'a Arc<Pooled>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(rest) = self.current.take() {
            self.turns.extend(Turn::of(rest, self.demand));
        }
        let Turn {
            transaction, rest, ..
        } = self.turns.pop()?;
        self.current = Some(rest);
        Some(transaction)
    }
}

impl<'a> Turn<'a> {
    fn of(mut rest: Range<'a, u64, Arc<Pooled>>, demand: Demand<'a>) -> Option<Self> {
        let (_, transaction) = rest.next()?;
        let tip = transaction.effective_tip(demand.base_fee)?;
        if tip < demand.tip_min && !demand.settings.keeps(transaction) {
            return None;
        }
        let arrival = Reverse(transaction.arrival());
        Some(Self {
            tip,
            arrival,
            transaction,
            rest,
        })
    }

    const fn key(&self) -> (u128, Reverse<u64>) {
        (self.tip, self.arrival)
    }
}

impl Ord for Turn<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Turn<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Turn<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Turn<'_> {}
