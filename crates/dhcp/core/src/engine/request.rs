//! DHCPREQUEST in its four states (RFC 2131, 4.3.2 and table 4).
//!
//! ```text
//!              server id   requested ip   ciaddr
//!  SELECTING   set         set            0        the client took an offer, ours or another's
//!  INIT-REBOOT 0           set            0        it wants its former address confirmed
//!  RENEWING    0           0              set      it extends, by unicast
//!  REBINDING   0           0              set      it extends, by broadcast or through a relay
//! ```

use super::turn::Turn;
use crate::lease::{FLAG_RECORDED, Lease};
use crate::reasons;
use crate::step::Verdict;
use crate::view::LeaseState;
use purlin_dhcp_proto::MessageType;

impl Turn<'_, '_> {
    pub(super) fn request(&mut self) -> Verdict {
        let ciaddr = u32::from(self.message.ciaddr());
        let requested = self.message.requested_address().map_or(0, u32::from);
        if let Some(other) = self.other_server() {
            return self.chose_another(other.into());
        }
        let selecting = self.message.server_id().is_some();
        // Some clients name the address in ciaddr while selecting; both forms name one address.
        let address = if requested != 0 { requested } else { ciaddr };
        if address == 0 {
            return self.silent(reasons::UNKNOWN_CLIENT, 0);
        }
        if let Some(verdict) = self.elsewhere(address) {
            return verdict;
        }
        if self.plan.subnet_containing(self.network.index, address).is_none() {
            return self.nak(reasons::NAK_WRONG_NETWORK, address);
        }
        if selecting {
            self.selecting(address)
        } else {
            self.keeping(address, ciaddr == 0)
        }
    }

    /// The client turned to another server: what we offered is free again.
    fn chose_another(&mut self, other: u32) -> Verdict {
        self.decision.with.a = other;
        if let Some(slot) = self.network.table.find(self.client.key, &self.client.who)
            && self.network.table.lease(slot).state == LeaseState::Offered
        {
            let now = self.secs();
            self.network.lapse(self.plan, slot, now);
        }
        self.silent(reasons::OTHER_SERVER, 0)
    }

    fn selecting(&mut self, address: u32) -> Verdict {
        if self.may_be_anothers(address) {
            return self.silent(reasons::QUARANTINE, address);
        }
        if let Some(refused) = self.refuse(address) {
            return refused;
        }
        self.bind(address, MessageType::Ack, None)
    }

    /// INIT-REBOOT, RENEWING, REBINDING: what is recorded for the client can be kept. A client that renews uses its
    /// address now; where nobody else has a claim on it, it keeps that too, so that a service that takes over from
    /// another one without its leases disturbs nobody.
    fn keeping(&mut self, address: u32, reboot: bool) -> Verdict {
        if self.network.doubted(address, self.secs()) {
            return self.keeping_in_doubt(address, reboot);
        }
        // Who renews has a lease of the time that was lost: at most one client has that.
        if reboot && self.may_be_anothers(address) {
            return self.silent(reasons::QUARANTINE, address);
        }
        if let Some(refused) = self.refuse(address) {
            return refused;
        }
        let slot = self.network.table.slot(address);
        let own = slot.filter(|&s| self.network.table.is(s, &self.client.who));
        let known = own.is_some_and(|s| {
            let lease = self.network.table.lease(s);
            lease.has(FLAG_RECORDED) && lease.state != LeaseState::Declined
        });
        let reserved = self.network.reserved_address(self.plan, &self.client) == Some(address);
        if known || reserved {
            return self.bind(address, MessageType::Ack, reboot.then_some(reasons::REBOOTED));
        }
        if let Some(held) = self.held_elsewhere(address) {
            self.decision.with.a = held;
            return self.nak(reasons::NAK_OTHER_LEASE, address);
        }
        if !reboot && self.plan.settings().authoritative && self.network.unclaimed(address) {
            return self.bind(address, MessageType::Ack, Some(reasons::ADOPTED));
        }
        self.nak(reasons::NAK_UNKNOWN, address)
    }

    /// The same of an address that may be somebody's whom a restored backup does not know. A client that renews has
    /// a lease of the service that was lost: at most one client has that, so it is believed, unless the backup's own
    /// lease still runs (then the two cannot be told apart, and nobody's word is taken against the other's). A client
    /// that has rebooted only remembers an address: it is not refused, and can ask anew.
    fn keeping_in_doubt(&mut self, address: u32, reboot: bool) -> Verdict {
        if self.in_quarantine(address) {
            return self.silent(reasons::QUARANTINE, address);
        }
        if let Some(refused) = self.refuse_by_plan(address) {
            return refused;
        }
        let now = self.secs();
        let slot = self.network.table.slot(address);
        let own = slot.is_some_and(|s| self.network.table.is(s, &self.client.who));
        let lease = slot.map_or(Lease::FREE, |s| *self.network.table.lease(s));
        let anothers = !own
            && match lease.state {
                LeaseState::Bound => lease.expires > now,
                state => state == LeaseState::Offered,
            };
        let reserved = self.network.reserved_address(self.plan, &self.client) == Some(address);
        let declined = own && lease.state == LeaseState::Declined;
        if anothers || declined || reboot {
            return self.held_back(address);
        }
        if own || reserved {
            return self.bind(address, MessageType::Ack, None);
        }
        // Where the backup says that it was elsewhere, it has moved since.
        if let Some(held) = self
            .held_elsewhere(address)
            .filter(|&held| !self.network.doubted(held, now))
        {
            self.decision.with.a = held;
            return self.nak(reasons::NAK_OTHER_LEASE, address);
        }
        if self.plan.settings().authoritative {
            return self.bind(address, MessageType::Ack, Some(reasons::ADOPTED));
        }
        self.held_back(address)
    }

    /// Neither confirmed nor refused, because a restored backup cannot know whose the address is.
    fn held_back(&mut self, address: u32) -> Verdict {
        self.decision.with.a = self.network.held_for(self.secs());
        self.silent(reasons::QUARANTINE, address)
    }

    /// Why the address cannot be this client's, whatever it has asked for it.
    fn refuse(&mut self, address: u32) -> Option<Verdict> {
        let now = self.secs();
        if self.in_quarantine(address) {
            return Some(self.silent(reasons::QUARANTINE, address));
        }
        if let Some(refused) = self.refuse_by_plan(address) {
            return Some(refused);
        }
        let first_come = self.message.server_id().is_some() && self.network.contested(address);
        if !first_come && !self.network.available(self.plan, &self.client, address, now) {
            if self.network.doubted(address, now) {
                return Some(self.held_back(address));
            }
            if self.waits_for_copy(address) {
                return Some(self.without_copy(address));
            }
            return Some(self.nak(reasons::NAK_TAKEN, address));
        }
        None
    }

    /// Why the plan does not give the address to this client.
    fn refuse_by_plan(&mut self, address: u32) -> Option<Verdict> {
        let now = self.secs();
        if let Some(reserved) = self.network.reserved_address(self.plan, &self.client)
            && reserved != address
            && self.knows(reserved)
            && self.network.available(self.plan, &self.client, reserved, now)
        {
            self.decision.with.a = reserved;
            return Some(self.nak(reasons::NAK_RESERVED, address));
        }
        if !self.network.admits(self.plan, &self.client, address) {
            return Some(self.nak(reasons::NAK_NOT_ADMITTED, address));
        }
        None
    }

    /// Rule R4: an unrecorded address below the window of an unclean start may be anybody's for a while; in a share,
    /// see [`Self::quarantine`].
    fn in_quarantine(&mut self, address: u32) -> bool {
        if self.share.is_some() {
            let left = self.quarantine(address);
            self.decision.with.a = if left == 0 { self.decision.with.a } else { left };
            return left > 0;
        }
        let now = self.secs();
        let table = &self.network.table;
        let recorded = table
            .slot(address)
            .is_some_and(|s| table.lease(s).has(FLAG_RECORDED));
        let Some(pool) = self.network.pool_of(address) else {
            return false;
        };
        if recorded || !pool.quarantined(address, now) {
            return false;
        }
        self.decision.with.a = pool.window.quarantine_until.saturating_sub(now);
        true
    }

    /// As [`Self::doubt_of_ended`], told with the decision.
    fn may_be_anothers(&mut self, address: u32) -> bool {
        let left = self.doubt_of_ended(address);
        self.decision.with.a = if left > 0 { left } else { self.decision.with.a };
        left > 0
    }

    /// Whether the address would be free if the store's second copy followed.
    fn waits_for_copy(&self, address: u32) -> bool {
        let ended = |slot| {
            self.network
                .has_ended(self.network.table.lease(slot), self.secs())
        };
        self.network.frozen && self.network.table.slot(address).is_some_and(ended)
    }

    /// Whether this node can tell who has an address.
    fn knows(&self, address: u32) -> bool {
        self.share
            .as_ref()
            .is_none_or(|share| share.holds_address(address))
    }

    /// The address that the client really holds.
    fn held_elsewhere(&self, address: u32) -> Option<u32> {
        let slot = self.network.table.find(self.client.key, &self.client.who)?;
        let held = self.network.table.address(slot);
        (held != address && self.network.table.lease(slot).state == LeaseState::Bound).then_some(held)
    }
}
