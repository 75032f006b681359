//! What a service sees of the claims: the term under which it may decide about each slot.
//!
//! A service checks right before it sends (rule R0), in this order: read the tenure, then the holdings; the tenure holds
//! now, and the slot's epoch is still the one that the decision was made under. Whoever publishes does it the other way
//! round: first new holdings, then the tenure. So no slot that was lost is ever seen under a tenure that was renewed.

use crate::coordinator::Origin;
use purlin_types::{BootTime, Epoch, NodeId, SLOTS, Slot, SlotSet, Tenure};

/// Slots by holder, with the epoch and the quarantine of those that are this node's. Shared whole, never changed.
#[derive(Debug, Clone, Default)]
pub struct Holdings {
    slots: SlotSet,
    leaving: SlotSet,
    /// By slot; empty when nothing is held, or when one epoch is for all.
    terms: Vec<Term>,
    sole: Option<Epoch>,
    nodes: Vec<NodeId>,
    /// By slot: index into `nodes`; empty when nobody is known.
    homes: Vec<u16>,
    distance: Option<i64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Term {
    epoch: Epoch,
    suspect_until: Option<BootTime>,
    origin: Origin,
}

const NOBODY: u16 = u16::MAX;

impl Holdings {
    /// The holdings of a node that shares its addresses with nobody: everything, for ever, without doubt.
    #[must_use]
    pub fn sole() -> Self {
        Self {
            slots: SlotSet::FULL,
            sole: Some(Tenure::SOLE.epoch),
            ..Self::default()
        }
    }

    /// The term under which this node may decide about `slot` while its tenure holds.
    ///
    /// A changed epoch is a new takeover even if the slot never was somebody else's: what is not recorded is in doubt.
    #[must_use]
    pub fn epoch(&self, slot: Slot) -> Option<Epoch> {
        self.slots
            .contains(slot)
            .then(|| self.sole.unwrap_or_else(|| self.term(slot).epoch))
    }

    /// The term under which records of a slot that is being given up may still be written; no decisions any more.
    #[must_use]
    pub fn leaving(&self, slot: Slot) -> Option<Epoch> {
        self.leaving.contains(slot).then(|| self.term(slot).epoch)
    }

    /// Until when unrecorded addresses of `slot` may have been promised to somebody by a former holder (rule R4). Over a
    /// store without a synchronous standby a recorded window may be lost, too: then this goes for everything that is
    /// unrecorded, inside windows or not.
    #[must_use]
    pub fn suspect_until(&self, slot: Slot) -> Option<BootTime> {
        self.slots
            .contains(slot)
            .then(|| self.term(slot).suspect_until)
            .flatten()
    }

    /// The epoch under which somebody held `slot` before and gave it back in order, with nothing in doubt: what the rows
    /// of that epoch say is all that its holder promised.
    #[must_use]
    pub fn given_back(&self, slot: Slot) -> Option<Epoch> {
        match self.slots.contains(slot).then(|| self.term(slot).origin) {
            Some(Origin::GivenBack(epoch)) => Some(epoch),
            _ => None,
        }
    }

    /// The epoch under which this node itself held `slot` until the grant of the present one, without a break: what it
    /// knows of it is all there is to know, whatever the store has lost.
    #[must_use]
    pub fn continues(&self, slot: Slot) -> Option<Epoch> {
        match self.slots.contains(slot).then(|| self.term(slot).origin) {
            Some(Origin::Continued(epoch)) => Some(epoch),
            _ => None,
        }
    }

    /// Wall time less boot time in milliseconds, as it was when the node's wall clock was last compared with the store's and
    /// found right. What is decided about slots counts from this: the wall clock may have been set since.
    #[must_use]
    pub const fn wall_less_boot(&self) -> Option<i64> {
        self.distance
    }

    /// The slots that this node may decide about.
    #[must_use]
    pub const fn slots(&self) -> &SlotSet {
        &self.slots
    }

    /// Who holds a slot, as far as is known: for forwarding, never for deciding.
    #[must_use]
    pub fn home(&self, slot: Slot) -> Option<&NodeId> {
        let index = *self.homes.get(usize::from(slot.index()))?;
        self.nodes.get(usize::from(index))
    }

    fn term(&self, slot: Slot) -> Term {
        self.terms
            .get(usize::from(slot.index()))
            .copied()
            .unwrap_or_default()
    }
}

/// Puts holdings together, slot by slot.
#[derive(Debug, Default)]
pub(crate) struct Builder(Holdings);

impl Builder {
    /// `nodes` are whom [`Builder::home`] refers to.
    pub(crate) fn new(nodes: Vec<NodeId>, distance: Option<i64>) -> Self {
        Self(Holdings {
            nodes,
            distance,
            ..Holdings::default()
        })
    }

    pub(crate) fn hold(&mut self, slot: Slot, epoch: Epoch, suspect_until: Option<BootTime>, origin: Origin) {
        self.0.slots.insert(slot);
        *self.term(slot) = Term {
            epoch,
            suspect_until,
            origin,
        };
    }

    pub(crate) fn leave(&mut self, slot: Slot, epoch: Epoch) {
        self.0.leaving.insert(slot);
        self.term(slot).epoch = epoch;
    }

    pub(crate) fn home(&mut self, slot: Slot, node: u16) {
        self.0.homes.resize(usize::from(SLOTS), NOBODY);
        self.0.homes[usize::from(slot.index())] = node;
    }

    pub(crate) fn finish(self) -> Holdings {
        self.0
    }

    fn term(&mut self, slot: Slot) -> &mut Term {
        self.0.terms.resize(usize::from(SLOTS), Term::default());
        &mut self.0.terms[usize::from(slot.index())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_node_alone_holds_everything_without_doubt() {
        let last = Slot::new(SLOTS - 1).expect("the last slot");
        let sole = Holdings::sole();
        assert_eq!(
            (sole.epoch(last), sole.suspect_until(last)),
            (Some(Tenure::SOLE.epoch), None)
        );
    }

    #[test]
    fn a_slot_that_is_left_is_not_decided_about() {
        let slot = Slot::new(7).expect("a slot");
        let mut builder = Builder::new(Vec::new(), None);
        builder.leave(
            slot,
            Epoch {
                timeline: 1,
                counter: 2,
            },
        );
        let holdings = builder.finish();
        assert_eq!(
            (
                holdings.epoch(slot),
                holdings.leaving(slot).map(|epoch| epoch.counter)
            ),
            (None, Some(2))
        );
    }
}
