//! The clients of a front whose answers come back through it, each at its backend.

use super::flow::Flow;
use super::{Seen, TftpKey, Turn};
use crate::key_of;
use purlin_fabric::balance::{BackendId, Outcome, key};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

/// What a TFTP client is told whose server is gone in the middle of a file: it may begin anew at once, instead of asking
/// somebody who knows nothing of it. ERROR, code 5 (RFC 1350, section 5 and appendix).
pub(super) const GONE: &[u8] = b"\0\x05\0\x05the server of this transfer is gone\0";

/// What is done with a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Sent on by this flow, which may be new: its port must be watched then.
    Send {
        flow: usize,
        new: bool,
    },
    /// The client is told that its conversation is over.
    Gone,
    Drop,
}

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tftp(TftpKey),
    Other,
}

#[derive(Debug)]
pub(super) struct Flows {
    kind: Kind,
    affinity: Duration,
    patience: Option<Duration>,
    most: usize,
    slots: Vec<Option<Flow>>,
    free: Vec<usize>,
    by_client: HashMap<SocketAddr, usize>,
}

impl Flows {
    pub(super) fn new(kind: Kind, affinity: Duration, patience: Option<Duration>, most: usize) -> Self {
        Self {
            kind,
            affinity,
            patience,
            most,
            slots: Vec::new(),
            free: Vec::new(),
            by_client: HashMap::new(),
        }
    }

    pub(super) fn get(&mut self, slot: usize) -> Option<&mut Flow> {
        self.slots.get_mut(slot)?.as_mut()
    }

    /// What to do with a client's datagram. Backends in `tried` were chosen for this very datagram and failed.
    pub(super) fn ask(
        &mut self,
        turn: &Turn<'_>,
        seen: Seen,
        octets: &[u8],
        tried: &mut Vec<BackendId>,
    ) -> Step {
        let begins = !self.is_tftp() || is_request(octets);
        if let Some(&slot) = self.by_client.get(&seen.from) {
            match self.verdict(turn, slot, begins) {
                Verdict::Good => {
                    let flow = self.slots[slot].as_mut().expect("named by its client");
                    flow.ask(seen, turn.now);
                    if flow.ends_with(octets) {
                        turn.pool.finish(flow.backend, Outcome::Succeeded);
                    }
                    return Step::Send {
                        flow: slot,
                        new: false,
                    };
                }
                Verdict::Over => self.end(turn, slot, Outcome::Unknown),
                Verdict::Failed(outcome) => {
                    tried.extend(self.get(slot).map(|flow| flow.backend));
                    self.end(turn, slot, outcome);
                }
            }
            if !begins {
                return Step::Gone;
            }
        }
        if begins {
            self.begin(turn, seen, octets, tried)
        } else {
            // Of a transfer that we know nothing of, or a late word of one that is over.
            turn.counters.unreadable.add();
            Step::Drop
        }
    }

    /// A flow's datagram could not be delivered: nobody listens there.
    pub(super) fn fail(&mut self, turn: &Turn<'_>, slot: usize, tried: &mut Vec<BackendId>) {
        tried.extend(self.get(slot).map(|flow| flow.backend));
        self.end(turn, slot, Outcome::Failed);
    }

    /// Forgets whoever was silent for long.
    pub(super) fn sweep(&mut self, turn: &Turn<'_>) {
        let affinity = self.affinity.as_millis() as u64;
        for slot in 0..self.slots.len() {
            let silent = |flow: &Flow| turn.now.millis_since(flow.heard) >= affinity;
            if self.slots[slot].as_ref().is_some_and(silent) {
                self.end(turn, slot, Outcome::Unknown);
            }
        }
    }

    fn verdict(&self, turn: &Turn<'_>, slot: usize, begins: bool) -> Verdict {
        let flow = self.slots[slot].as_ref().expect("named by its client");
        if flow.refused {
            // Its backend's record has it already.
            Verdict::Failed(Outcome::Unknown)
        } else if self
            .patience
            .is_some_and(|patience| flow.is_unanswered(patience, turn.now))
        {
            Verdict::Failed(Outcome::Failed)
        } else if !turn.pool.keeps(flow.backend) || (self.is_tftp() && begins && flow.answered) {
            // Or a new transfer from the same port, which begins at the server's own again.
            Verdict::Over
        } else {
            Verdict::Good
        }
    }

    const fn is_tftp(&self) -> bool {
        matches!(self.kind, Kind::Tftp(_))
    }

    fn begin(&mut self, turn: &Turn<'_>, seen: Seen, octets: &[u8], tried: &[BackendId]) -> Step {
        if self.by_client.len() >= self.most {
            turn.counters.full.add();
            return Step::Drop;
        }
        let key = match self.kind {
            Kind::Tftp(TftpKey::File) => key(file_of(octets)),
            Kind::Tftp(TftpKey::ClientIp) | Kind::Other => key_of(seen.from.ip()),
        };
        let Some((id, to)) = turn.pool.choose(key, tried) else {
            turn.counters.refused.add();
            return Step::Drop;
        };
        if !tried.is_empty() {
            turn.counters.retried.add();
        }
        let Ok(mut flow) = Flow::new(seen, id, to, self.is_tftp(), turn.now) else {
            // No socket to be had: a limit of this machine, not the backend's fault.
            turn.pool.finish(id, Outcome::Unknown);
            turn.counters.full.add();
            return Step::Drop;
        };
        flow.ask(seen, turn.now);
        let slot = self.free.pop().unwrap_or(self.slots.len());
        if slot == self.slots.len() {
            self.slots.push(None);
        }
        self.slots[slot] = Some(flow);
        self.by_client.insert(seen.from, slot);
        Step::Send {
            flow: slot,
            new: true,
        }
    }

    fn end(&mut self, turn: &Turn<'_>, slot: usize, outcome: Outcome) {
        if let Some(flow) = self.slots[slot].take() {
            self.by_client.remove(&flow.asked.from);
            self.free.push(slot);
            if !flow.is_over() {
                turn.pool.finish(flow.backend, outcome);
            }
        }
    }
}

enum Verdict {
    Good,
    /// No longer of use, by nobody's fault.
    Over,
    /// Its backend left the client alone, and this is what its record gets.
    Failed(Outcome),
}

/// The file's name in a request (RFC 1350, section 5): the octets between the code and the first zero.
fn file_of(request: &[u8]) -> &[u8] {
    let name = request.get(2..).unwrap_or_default();
    name.split(|&octet| octet == 0).next().unwrap_or_default()
}

/// RRQ or WRQ: what a transfer begins with.
fn is_request(octets: &[u8]) -> bool {
    matches!(octets, [0, 1 | 2, ..])
}
