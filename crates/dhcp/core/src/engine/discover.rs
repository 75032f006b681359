//! DHCPDISCOVER: choose an address, reserve it in memory, offer it (RFC 2131, 4.3.1; rule R6).

use super::probe::Probed;
use super::turn::Turn;
use crate::lease::{FLAG_CONTESTED, FLAG_OWN_OFFER};
use crate::reasons;
use crate::settings::ConflictCheck;
use crate::step::Verdict;
use crate::table::Slot;
use crate::view::LeaseState;
use purlin_dhcp_proto::MessageType;

impl Turn<'_, '_> {
    pub(super) fn discover(&mut self) -> Verdict {
        let requested = self.message.requested_address().map(u32::from);
        // A probe may have taken its time: what it found unused is what is asked for now.
        let wanted = self.probed.map(Probed::wanted).or(requested);
        let (address, why) = match self.choose(wanted) {
            Ok(chosen) => chosen,
            Err(verdict) => return verdict,
        };
        // An address that was held for its probe looks like the client's own.
        let why = self.probed.and_then(|probed| probed.why(address)).unwrap_or(why);
        let reason = match self.network.reserved_address(self.plan, &self.client) {
            Some(reserved) if reserved != address => {
                self.decision.with.a = reserved;
                reasons::RESERVATION_TAKEN
            }
            _ => why,
        };
        if self.should_probe(address) {
            self.to_probe = Some((address, why));
            self.hold(address);
            return self.silent(reasons::PROBING, address);
        }
        if self.message.rapid_commit() && self.plan.settings().rapid_commit {
            return self.bind(address, MessageType::Ack, Some(reasons::RAPID_COMMIT));
        }
        self.hold(address);
        self.answered(MessageType::Offer, reason, address);
        self.compose_offer(address);
        Verdict::Reply
    }

    /// Reserves the address for the client in memory until the offer lapses. A lease that it holds stays one, here
    /// and elsewhere; an earlier offer of another address is taken back.
    fn hold(&mut self, address: u32) {
        let secs = self.secs();
        let hold = self.plan.settings().offer_hold.as_secs() as u32;
        let slot = self.network.table.slot_or_new(address);
        let own = self.network.table.is(slot, &self.client.who);
        let before = self.network.table.lease(slot).state;
        let ends = self.network.table.lease(slot).expires;
        // What another program of the same machine holds stays its lease until this one takes the offer up.
        if before == LeaseState::Bound && (own || ends > secs) {
            return;
        }
        let ended_own = own && matches!(before, LeaseState::Expired | LeaseState::Released);
        let contested = !own && before == LeaseState::Offered;
        let former = self.network.former_of(&self.client, slot);
        let former = former.map_or(0, |s| self.network.table.address(s));
        self.take_back(slot);
        self.take(slot);
        self.network.change(self.plan, slot, |l| {
            l.state = LeaseState::Offered;
            l.expires = secs.saturating_add(hold);
            l.giaddr = former;
            l.flags &= if own {
                u8::MAX
            } else {
                !(FLAG_OWN_OFFER | FLAG_CONTESTED)
            };
            l.flags |= if ended_own { FLAG_OWN_OFFER } else { 0 };
            l.flags |= if contested { FLAG_CONTESTED } else { 0 };
        });
        if !own || before != LeaseState::Offered {
            self.network.note_offer(address);
        }
    }

    /// Ends an offer of another address to this client.
    fn take_back(&mut self, slot: Slot) {
        let found = self.network.table.find(self.client.key, &self.client.who);
        if let Some(other) = found.filter(|&other| other != slot)
            && self.network.table.lease(other).state == LeaseState::Offered
        {
            let now = self.secs();
            self.network.lapse(self.plan, other, now);
        }
    }

    /// Only an address that this client does not hold already is worth asking the link about.
    fn should_probe(&self, address: u32) -> bool {
        let subnet = &self.plan.subnets[usize::from(self.subnet)];
        let check = subnet
            .conflict_check
            .unwrap_or(self.plan.settings().conflict_check);
        if self.probed.is_some_and(|probed| probed.why(address).is_some()) {
            return false;
        }
        // What a restored backup cannot know is asked of the link, whatever the configuration says.
        if self.network.doubted(address, self.secs()) {
            return true;
        }
        if check == ConflictCheck::Off {
            return false;
        }
        let table = &self.network.table;
        let held = table.slot(address).is_some_and(|slot| {
            let same = || self.network.held_by_same_machine(self.plan, &self.client, slot);
            table.lease(slot).state == LeaseState::Bound && (table.is(slot, &self.client.who) || same())
        });
        !held
    }
}
