//! RELEASE, DECLINE, INFORM and BOOTP (RFC 2131, 4.3.3 to 4.3.5; RFC 1534).

use super::turn::Turn;
use crate::lease::{FLAG_BOOTP, FLAG_RECORDED};
use crate::reasons;
use crate::step::Verdict;
use crate::table::Slot;
use crate::view::LeaseState;
use purlin_dhcp_proto::MessageType;
use purlin_telemetry::Outcome;

impl Turn<'_, '_> {
    /// Rule R5: the end is written down; the address is reused only by a record behind that one.
    pub(super) fn release(&mut self) -> Verdict {
        let address = u32::from(self.message.ciaddr());
        if let Some(other) = self.other_server() {
            self.decision.with.a = other.into();
            return self.silent(reasons::OTHER_SERVER, address);
        }
        if let Some(verdict) = self.elsewhere(address) {
            return verdict;
        }
        let table = &self.network.table;
        let own = table.slot(address).filter(|&s| table.is(s, &self.client.who));
        let Some(slot) = own.filter(|&s| table.lease(s).state == LeaseState::Bound) else {
            return self.silent(reasons::NOT_OURS_TO_RELEASE, address);
        };
        if let Some(verdict) = self.unwritable(address) {
            return verdict;
        }
        self.give_up(slot);
        self.note(Outcome::Noted, reasons::RELEASED, address);
        Verdict::Commit
    }

    /// Somebody else uses the address: it is out of use for a while, also over a restart.
    pub(super) fn decline(&mut self) -> Verdict {
        let address = self.message.requested_address().map_or(0, u32::from);
        if let Some(other) = self.other_server() {
            self.decision.with.a = other.into();
            return self.silent(reasons::OTHER_SERVER, address);
        }
        if let Some(verdict) = self.elsewhere(address) {
            return verdict;
        }
        let table = &self.network.table;
        let own = table.slot(address).filter(|&s| table.is(s, &self.client.who));
        // What was only offered was never anybody's to find in use: declining offers must not empty a pool.
        let Some(slot) = own.filter(|&s| table.lease(s).state == LeaseState::Bound) else {
            return self.silent(reasons::NOT_OURS_TO_DECLINE, address);
        };
        if let Some(verdict) = self.unwritable(address) {
            return verdict;
        }
        let now = self.secs();
        if !self.declines.admit(self.client.key, self.now.boot) {
            self.give_up(slot);
            self.note(Outcome::Noted, reasons::DECLINED_TOO_OFTEN, address);
            return Verdict::Commit;
        }
        self.network.quarantine(self.plan, slot, now);
        self.append(slot);
        self.note(Outcome::Noted, reasons::DECLINED, address);
        Verdict::Commit
    }

    /// Ends a lease that its client has given back, durably.
    pub(super) fn give_up(&mut self, slot: Slot) {
        let now = self.secs();
        self.network.end_now(self.plan, slot, now);
        self.append(slot);
    }

    /// Ends a lease whose client takes another address here. Among nodes a request can be late, and the client be back at
    /// this one: then the address rests.
    pub(super) fn leave(&mut self, slot: Slot) {
        if self.share.is_none() {
            return self.give_up(slot);
        }
        let now = self.secs();
        self.network.leave(self.plan, slot, now);
        self.append(slot);
    }

    /// Options without a lease, to the address that the client has by other means.
    pub(super) fn inform(&mut self) -> Verdict {
        let ciaddr = self.message.ciaddr();
        let address = u32::from(ciaddr);
        if !ciaddr.is_unspecified() && !self.plan.is_host_of(self.network.index, ciaddr) {
            return self.silent(reasons::NAK_WRONG_NETWORK, address);
        }
        let verdict = if address == 0 {
            self.elsewhere_by_client()
        } else {
            self.elsewhere(address)
        };
        if let Some(verdict) = verdict {
            return verdict;
        }
        let terms = self.terms(address);
        self.answered(MessageType::Ack, reasons::INFORMED, address);
        self.compose_inform(&terms);
        Verdict::Reply
    }

    /// A BOOTP client: an address for ever, by reservation or from a pool.
    pub(super) fn bootp(&mut self) -> Verdict {
        if !self.plan.settings().bootp {
            return self.silent(reasons::BOOTP_OFF, 0);
        }
        let now = self.secs();
        let address = match self.choose(None) {
            Ok((address, _)) => address,
            Err(verdict) => return verdict,
        };
        if let Some(verdict) = self.unwritable(address) {
            return verdict;
        }
        let terms = self.terms(address);
        let slot = self.network.table.slot_or_new(address);
        let lease = self.network.table.lease(slot);
        let known = self.network.table.is(slot, &self.client.who)
            && lease.state == LeaseState::Bound
            && lease.has(FLAG_BOOTP)
            && self.is_safe(address, lease);
        // A promise without an end is none that a failover may take back.
        if let Some(verdict) = self.uncopied(address, !known) {
            return verdict;
        }
        self.take(slot);
        let seen = self.network.stamp_bound(now);
        self.network.change(self.plan, slot, |l| {
            l.state = LeaseState::Bound;
            l.flags |= FLAG_BOOTP | FLAG_RECORDED;
            l.version += 1;
            l.expires = u32::MAX;
            l.pot = u32::MAX;
            l.last_seen = seen;
        });
        self.append(slot);
        self.note(Outcome::Answered, reasons::BOOTP_BOUND, address);
        self.compose_bootp(address, &terms);
        match self.log.copy {
            _ if known => Verdict::WriteThenReply,
            Some(_) => Verdict::CopyThenReply,
            None => Verdict::CommitThenReply,
        }
    }
}
