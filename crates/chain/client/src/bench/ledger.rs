//! Where each transaction stands: what is sent next on which connection, what is in which block. Pure: times are told.
//!
//! ```text
//!            take            accepted            mined
//!   unsent ───────► asked ─────────────► held ─────────► mined
//!                     ▲  refused, or       │               │
//!                     │  not answered      │ silence       │ its block is taken back
//!                   again ◄────────────────┘◄──────────────┘
//! ```

use super::refusals::{Meaning, Refusals, meaning};
use alloy_primitives::B256;
use purlin_load::{Due, Plan as LoadPlan, Recent, Schedule, Times};
use std::collections::VecDeque;

/// After so many refusals a transaction is given up, and its sender with it: nothing behind it could run.
const REFUSALS_MAX: u8 = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Unsent,
    /// In a request that is under way.
    Asked,
    /// Waits in a connection's `again`.
    Again,
    /// The server has said that it has it.
    Held,
    Mined,
    GivenUp,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    standing: Standing,
    /// Whether a server has ever accepted it: then it has to be in a block at the end.
    accepted: bool,
    refusals: u8,
    /// Nanoseconds since the load began, as all times here.
    due_ns: u64,
}

/// One connection's share.
#[derive(Debug)]
struct Lane {
    schedule: Schedule,
    /// Numbers that were never sent.
    fresh: VecDeque<u32>,
    again: VecDeque<u32>,
    /// Sent and not in a block.
    in_flight: u32,
}

/// A block of the chain that was followed.
#[derive(Debug, Clone)]
pub(crate) struct SeenBlock {
    pub(crate) hash: B256,
    pub(crate) seen_ns: u64,
    pub(crate) gas_used: u64,
    pub(crate) gas_limit: u64,
    /// Transactions of ours.
    pub(crate) ours: Vec<u32>,
}

/// What a connection does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Send,
    /// Nothing before this time.
    At(u64),
    /// Nothing until a block comes, or a refusal.
    WhenChanged,
}

/// What has been counted; [`Ledger::counts`] tells it at any time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Transactions that were sent at least once.
    pub(crate) started: u64,
    /// Requests for one transaction, also those that were sent again.
    pub(crate) attempts: u64,
    pub(crate) accepted: u64,
    pub(crate) mined: u64,
    pub(crate) refused: u64,
    pub(crate) given_up: u64,
    pub(crate) resent: u64,
    pub(crate) blocks_taken_back: u64,
    pub(crate) last_accepted_ns: u64,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    entries: Vec<Entry>,
    senders: u32,
    /// Senders of whom a transaction was given up.
    stopped: Vec<bool>,
    lanes: Vec<Lane>,
    /// Transactions that may still change.
    open: u64,
    counts: Counts,
    pub(crate) acceptance: Times,
    pub(crate) recent: Recent,
    pub(crate) refusals: Refusals,
    pub(crate) failures: Refusals,
    pub(crate) blocks: Vec<SeenBlock>,
}

impl Ledger {
    /// Transaction `n` belongs to sender `n % senders`, and each sender to one of the connections.
    pub(crate) fn new(transactions: u32, senders: u32, connections: u32, load: &LoadPlan) -> Self {
        let entry = Entry {
            standing: Standing::Unsent,
            accepted: false,
            refusals: 0,
            due_ns: 0,
        };
        let lane = |at| Lane {
            schedule: Schedule::new(load, at, connections),
            fresh: (0..transactions)
                .filter(|number| number % senders % connections == at)
                .collect(),
            again: VecDeque::new(),
            in_flight: 0,
        };
        Self {
            entries: vec![entry; transactions as usize],
            senders,
            stopped: vec![false; senders as usize],
            lanes: (0..connections).map(lane).collect(),
            open: transactions.into(),
            counts: Counts::default(),
            acceptance: Times::new(),
            recent: Recent::new(),
            refusals: Refusals::default(),
            failures: Refusals::default(),
            blocks: Vec::new(),
        }
    }

    /// Fills `batch` with up to `most` numbers that a connection sends now.
    pub(crate) fn take(&mut self, lane: usize, most: usize, now_ns: u64, batch: &mut Vec<u32>) -> Next {
        batch.clear();
        while batch.len() < most
            && let Some(number) = self.lanes[lane].again.pop_front()
        {
            let entry = &mut self.entries[number as usize];
            // Meanwhile it may have been seen in a block.
            if entry.standing == Standing::Again {
                entry.standing = Standing::Asked;
                self.counts.resent += 1;
                batch.push(number);
            }
        }
        let next = self.take_fresh(lane, most, now_ns, batch);
        self.counts.attempts += batch.len() as u64;
        if batch.is_empty() { next } else { Next::Send }
    }

    fn take_fresh(&mut self, at: usize, most: usize, now_ns: u64, batch: &mut Vec<u32>) -> Next {
        let lane = &mut self.lanes[at];
        while batch.len() < most {
            let due_ns = match lane.schedule.due(now_ns, lane.in_flight) {
                Due::Now { intended_ns } => intended_ns,
                Due::At(time) => return Next::At(time),
                Due::WhenOneEnds | Due::Over => return Next::WhenChanged,
            };
            let Some(number) = lane.fresh.pop_front() else {
                return Next::WhenChanged;
            };
            if self.stopped[(number % self.senders) as usize] {
                self.open -= 1;
                continue;
            }
            lane.schedule.started();
            lane.in_flight += 1;
            self.counts.started += 1;
            let entry = &mut self.entries[number as usize];
            (entry.standing, entry.due_ns) = (Standing::Asked, due_ns);
            batch.push(number);
        }
        Next::Send
    }

    /// A server has a transaction.
    pub(crate) fn accepted(&mut self, number: u32, now_ns: u64) {
        let entry = &mut self.entries[number as usize];
        if !entry.accepted {
            entry.accepted = true;
            let took = now_ns.saturating_sub(entry.due_ns);
            self.counts.accepted += 1;
            self.counts.last_accepted_ns = now_ns;
            self.acceptance.record(took);
        }
        if entry.standing == Standing::Asked {
            entry.standing = Standing::Held;
        }
    }

    /// A server does not take a transaction; returns whether its connection should pause.
    pub(crate) fn refused(&mut self, number: u32, message: &str, now_ns: u64) -> bool {
        let meaning = meaning(message);
        if meaning == Meaning::Known {
            self.accepted(number, now_ns);
            return false;
        }
        self.refusals.count(message);
        self.counts.refused += 1;
        let lane = self.lane(number);
        let entry = &mut self.entries[number as usize];
        if entry.standing != Standing::Asked {
            return false;
        }
        entry.refusals += 1;
        if meaning == Meaning::Past && entry.refusals == 1 {
            // It is in a block that was not seen yet, or its place was taken; another try will be made when it is silent.
            entry.standing = Standing::Held;
            return false;
        }
        if entry.refusals < REFUSALS_MAX {
            entry.standing = Standing::Again;
            self.lanes[lane].again.push_back(number);
            return true;
        }
        entry.standing = Standing::GivenUp;
        self.stopped[(number % self.senders) as usize] = true;
        self.counts.given_up += 1;
        self.lanes[lane].in_flight -= 1;
        self.open -= 1;
        false
    }

    /// A request was not answered: whether it was carried out, nobody knows.
    pub(crate) fn unanswered(&mut self, batch: &[u32], cause: &str) {
        self.failures.count(cause);
        for number in batch.iter().rev() {
            let lane = self.lane(*number);
            let entry = &mut self.entries[*number as usize];
            if entry.standing == Standing::Asked {
                entry.standing = Standing::Again;
                self.lanes[lane].again.push_front(*number);
            }
        }
    }

    /// Whether a request for it is under way, or was answered with no word about it.
    pub(crate) fn is_asked(&self, number: u32) -> bool {
        let entry = self.entries.get(number as usize);
        entry.is_some_and(|entry| entry.standing == Standing::Asked)
    }

    /// All that servers have said they hold goes out again: they may have lost it.
    pub(crate) fn send_held_again(&mut self) {
        for number in 0..self.entries.len() as u32 {
            let lane = self.lane(number);
            let entry = &mut self.entries[number as usize];
            if entry.standing == Standing::Held {
                entry.standing = Standing::Again;
                self.lanes[lane].again.push_back(number);
            }
        }
    }

    /// A block follows the last one.
    pub(crate) fn block(&mut self, block: SeenBlock) {
        for number in &block.ours {
            let lane = self.lane(*number);
            let entry = &mut self.entries[*number as usize];
            match entry.standing {
                // A second time, or without us: the verification judges it.
                Standing::Mined | Standing::Unsent => continue,
                Standing::GivenUp => self.counts.given_up -= 1,
                Standing::Asked | Standing::Again | Standing::Held => {
                    self.open -= 1;
                    self.lanes[lane].in_flight -= 1;
                }
            }
            if !entry.accepted {
                // Its answer is late, or was lost.
                entry.accepted = true;
                self.counts.accepted += 1;
                self.counts.last_accepted_ns = block.seen_ns;
                self.acceptance.record(block.seen_ns.saturating_sub(entry.due_ns));
            }
            entry.standing = Standing::Mined;
            self.counts.mined += 1;
            self.recent.record(block.seen_ns.saturating_sub(entry.due_ns));
        }
        self.blocks.push(block);
    }

    /// The last block is no part of the chain any more: what was in it waits again.
    pub(crate) fn take_back(&mut self) {
        let Some(block) = self.blocks.pop() else {
            return;
        };
        self.counts.blocks_taken_back += 1;
        for number in block.ours {
            let lane = self.lane(number);
            let entry = &mut self.entries[number as usize];
            if entry.standing == Standing::Mined {
                entry.standing = Standing::Again;
                self.counts.mined -= 1;
                self.open += 1;
                self.lanes[lane].in_flight += 1;
                self.lanes[lane].again.push_back(number);
            }
        }
    }

    /// Nothing that was not sent yet will be.
    pub(crate) fn stop(&mut self) {
        for lane in &mut self.lanes {
            lane.schedule.stop();
            self.open -= lane.fresh.len() as u64;
            lane.fresh.clear();
        }
    }

    /// Whether nothing can change any more.
    pub(crate) fn is_over(&self) -> bool {
        self.open == 0
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.lanes.iter().map(|lane| u64::from(lane.in_flight)).sum()
    }

    /// How long transactions took from being due to being seen in a block.
    pub(crate) fn inclusion(&self) -> Times {
        let mut times = Times::new();
        for block in &self.blocks {
            for number in &block.ours {
                let due_ns = self.entries[*number as usize].due_ns;
                times.record(block.seen_ns.saturating_sub(due_ns));
            }
        }
        times
    }

    /// Which transactions a server has accepted: each has to have a receipt.
    pub(crate) fn promised(&self) -> Vec<bool> {
        self.entries.iter().map(|entry| entry.accepted).collect()
    }

    fn lane(&self, number: u32) -> usize {
        (number % self.senders) as usize % self.lanes.len()
    }
}

#[cfg(test)]
mod tests;
