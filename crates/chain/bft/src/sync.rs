//! Catching up: who is ahead, and whom to ask.
//!
//! Peers tell their heads. Whoever is behind asks one of those ahead for the blocks that follow, with their certificates, and
//! needs to trust nobody for it: a certificate proves its block. A peer may lie about its head, answer nothing, or
//! send junk; it is then asked less and less often, and another takes its place.

use crate::message::Ask;
use alloy_primitives::Address;
use purlin_chain_core::consensus::Decided;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Blocks per request.
pub(crate) const BATCH_MAX: u64 = 64;
/// Octets per answer, but for a first block that is bigger.
pub(crate) const BATCH_OCTETS: usize = 8 << 20;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// A validator that is one block behind decides it itself in this time, as a rule.
const GRACE: Duration = Duration::from_millis(500);
/// How long a peer that failed is not asked; doubled with every further failure.
const PENANCE: Duration = Duration::from_secs(1);
const PENANCE_MAX: Duration = Duration::from_secs(60);

/// What is known of a peer.
#[derive(Debug, Clone, Copy, Default)]
struct Peer {
    head: u64,
    failures: u32,
    /// Not asked before.
    at: Duration,
    /// When it was asked last.
    asked: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Request {
    peer: Address,
    deadline: Duration,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Sync {
    peers: BTreeMap<Address, Peer>,
    request: Option<Request>,
    /// Blocks that came and are not applied, and who sent them.
    batch: VecDeque<Decided>,
    from: Address,
    /// Since when somebody is exactly one block ahead.
    ahead_since: Option<Duration>,
}

impl Sync {
    pub(crate) fn up(&mut self, peer: Address) {
        self.peers.entry(peer).or_default();
    }

    pub(crate) fn down(&mut self, peer: Address) {
        self.peers.remove(&peer);
        if self.request.is_some_and(|request| request.peer == peer) {
            self.request = None;
        }
    }

    /// A peer told its head.
    pub(crate) fn head(&mut self, peer: Address, head: u64) {
        if let Some(known) = self.peers.get_mut(&peer) {
            known.head = head;
        }
    }

    /// The heads that were told.
    pub(crate) fn heads(&self) -> BTreeMap<Address, u64> {
        self.peers
            .iter()
            .map(|(peer, known)| (*peer, known.head))
            .collect()
    }

    /// The best head of a peer that has not failed since.
    pub(crate) fn best(&self) -> u64 {
        let honest = self.peers.values().filter(|peer| peer.failures == 0);
        honest.map(|peer| peer.head).max().unwrap_or(0)
    }

    /// Whether blocks were asked for, or wait to be applied.
    pub(crate) fn is_busy(&self) -> bool {
        self.request.is_some() || !self.batch.is_empty()
    }

    /// Whom to ask for what, when `next` is the first height that is not decided here; at most one question is open.
    /// `votes` says whether this node can decide the next height by itself.
    pub(crate) fn poll(&mut self, now: Duration, next: u64, votes: bool) -> Option<(Address, Ask)> {
        if let Some(request) = self.request {
            if now < request.deadline {
                return None;
            }
            self.blame(now, request.peer);
        }
        let ahead = |peer: &Peer| peer.head >= next;
        if !self.batch.is_empty() || !self.peers.values().any(ahead) {
            self.ahead_since = None;
            return None;
        }
        let since = *self.ahead_since.get_or_insert(now);
        let far = self.peers.values().any(|peer| peer.head > next);
        if votes && !far && now < since.saturating_add(GRACE) {
            return None;
        }
        let able = self.peers.iter_mut().filter(|(_, it)| ahead(it) && it.at <= now);
        let (peer, known) = able.min_by_key(|(_, it)| (it.failures, it.asked))?;
        known.asked = now;
        self.request = Some(Request {
            peer: *peer,
            deadline: now.saturating_add(PATIENCE),
        });
        let count = (known.head - next).saturating_add(1).min(BATCH_MAX);
        Some((*peer, Ask { from: next, count }))
    }

    /// An answer. `false` when nobody asked this peer.
    pub(crate) fn answer(&mut self, now: Duration, from: Address, batch: Vec<Decided>) -> bool {
        if self.request.is_none_or(|request| request.peer != from) {
            return false;
        }
        self.request = None;
        if batch.is_empty() {
            self.blame(now, from);
        } else {
            self.from = from;
            self.batch = batch.into();
        }
        true
    }

    /// The block of `next` from the batch, with who sent it; older ones are dropped.
    pub(crate) fn take(&mut self, next: u64) -> Option<(Address, Decided)> {
        while let Some(decided) = self.batch.pop_front() {
            if decided.certificate.height >= next {
                return Some((self.from, decided));
            }
        }
        None
    }

    /// A block was applied: its sender told the truth.
    pub(crate) fn praise(&mut self, peer: Address) {
        if let Some(known) = self.peers.get_mut(&peer) {
            known.failures = 0;
        }
    }

    /// A peer failed: the rest of its batch is dropped, and it is not asked for a while.
    pub(crate) fn blame(&mut self, now: Duration, peer: Address) {
        if self.request.is_some_and(|request| request.peer == peer) {
            self.request = None;
        }
        if self.from == peer {
            self.batch.clear();
        }
        if let Some(known) = self.peers.get_mut(&peer) {
            let penance = PENANCE.saturating_mul(1 << known.failures.min(6));
            known.at = now.saturating_add(penance.min(PENANCE_MAX));
            known.failures = known.failures.saturating_add(1);
        }
    }

    /// When [`poll`](Self::poll) may have something new to say without anything having happened.
    pub(crate) fn next_timer(&self, next: u64) -> Option<Duration> {
        if let Some(request) = self.request {
            return Some(request.deadline);
        }
        let ahead = self.peers.values().filter(|peer| peer.head >= next);
        let at = ahead.map(|peer| peer.at).min()?;
        Some(
            self.ahead_since
                .map_or(at, |since| at.max(since.saturating_add(GRACE))),
        )
    }
}

#[cfg(test)]
mod tests;
