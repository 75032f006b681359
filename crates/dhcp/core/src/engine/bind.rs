//! The moment of promise: an address becomes a client's, or stays so for longer (rules R1, R2, R3).

use super::turn::Turn;
use crate::lease::{
    FLAG_INHERITED, FLAG_LAPSED, FLAG_OWN_OFFER, FLAG_QUEUED, FLAG_RECORDED, FLAG_RESERVED, Lease,
};
use crate::reasons;
use crate::record::{self, Record};
use crate::settings::AckMode;
use crate::step::Verdict;
use crate::table::Slot;
use crate::view::LeaseState;
use purlin_dhcp_proto::message::RelayAgent;
use purlin_dhcp_proto::{Message, MessageType};
use purlin_telemetry::ReasonCode;
use purlin_types::WallTime;

/// What of an address's past its next binding leaves as it was.
const FLAGS_KEPT: u8 = FLAG_RECORDED | FLAG_QUEUED | FLAG_LAPSED;

/// What it takes before a promise may be given: its record is on its way, durable, or on the second copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Written,
    Durable,
    Copied,
}

/// A promise: its length in seconds and what it takes.
struct Grant {
    secs: u32,
    wait: Wait,
}

impl Grant {
    fn of(secs: u32, wait: Wait) -> Self {
        Self { secs, wait }
    }
}

impl Turn<'_, '_> {
    /// Binds or extends `address` for the client and composes the ACK. `reason` overrides the ordinary one.
    pub(super) fn bind(&mut self, address: u32, kind: MessageType, reason: Option<ReasonCode>) -> Verdict {
        if let Some(verdict) = self.unwritable(address) {
            return verdict;
        }
        let now = self.secs();
        let terms = self.terms(address);
        let full = self.lease_secs(&terms);
        let slot = self.network.table.slot_or_new(address);
        let before = *self.network.table.lease(slot);
        let (renewal, another) = self.change_of(slot);
        if let Some(verdict) = self.uncopied(address, another) {
            return verdict;
        }
        let inherited = before.has(FLAG_INHERITED) && self.network.table.is(slot, &self.client.who);
        let former = self.take(slot);
        let grant = if renewal {
            self.grant_renewal(address, &before, full, another)
        } else {
            self.grant_new(address, &before, full, another)
        };
        let first = !renewal || self.is_unrecorded(&before);
        // A request that comes twice may be granted less the second time, and the client keeps whichever answer it got.
        let promised = if renewal { before.expires } else { 0 };
        let expires = now.saturating_add(grant.secs).max(promised);
        self.write(slot, expires, pot(now, full), (first, another));
        if inherited && grant.secs < full && self.share.is_some() {
            self.rest(slot, before.pot);
        }
        self.append(slot);
        let ordinary = if renewal {
            reasons::RENEWED
        } else {
            reasons::BOUND_NEW
        };
        // Behind the new binding: when the frame is cut in two, the client has one address too many, not none.
        if let Some(former) = former {
            self.leave(former);
        }
        self.decision.with.a = grant.secs;
        self.answered(kind, reason.unwrap_or(ordinary), address);
        self.compose_ack(address, grant.secs, &terms);
        match grant.wait {
            Wait::Written => Verdict::WriteThenReply,
            Wait::Durable => Verdict::CommitThenReply,
            Wait::Copied => Verdict::CopyThenReply,
        }
    }

    /// Whether binding the address extends the client's lease, and whether it changes whose the address is.
    fn change_of(&self, slot: Slot) -> (bool, bool) {
        let lease = self.network.table.lease(slot);
        let own = self.network.table.is(slot, &self.client.who);
        let renewal = own && lease.state == LeaseState::Bound && lease.expires > self.secs();
        (renewal, self.changes_client(lease, own, renewal))
    }

    /// Whether a failover to the second copy could bring a former client of the address back: what is recorded there
    /// is, or may be, another's.
    fn changes_client(&self, lease: &Lease, own: bool, renewal: bool) -> bool {
        if renewal {
            return lease.another && self.is_unrecorded(lease);
        }
        let ended_own = match lease.state {
            LeaseState::Offered => lease.has(FLAG_OWN_OFFER),
            _ => own,
        };
        let unsure = lease.another && self.is_unrecorded(lease);
        lease.has(FLAG_RECORDED) && (!ended_own || unsure)
    }

    /// No promise of an address that changes its client while there is a second copy that does not follow (rule R3).
    pub(super) fn uncopied(&mut self, address: u32, another: bool) -> Option<Verdict> {
        (another && self.is_uncopied()).then(|| self.without_copy(address))
    }

    fn is_uncopied(&self) -> bool {
        self.log.copy.is_some_and(|copy| !copy.follows)
    }

    /// Whether the address could not be bound for the client now if it asked for it, for want of a second copy that
    /// follows: it is not worth an offer.
    pub(super) fn is_stuck(&self, address: u32) -> bool {
        let slot = self.network.table.slot(address);
        slot.is_some_and(|slot| self.is_uncopied() && self.change_of(slot).1)
    }

    /// What is said about an address that cannot change its client now.
    ///
    /// Who takes up an offer of ours is refused, so that it asks anew at once and is offered an address that nobody had,
    /// for no longer than the client lead time. That takes nothing from it: it names this service (option 54), so it waits
    /// for no other authority; the slot of the address is held here under a tenure that is looked at once more before
    /// this leaves (rule R0), so no other node decides about it; and it cannot have the address, because nobody was ever
    /// told so whose record is not on the copy (rule R3).
    ///
    /// Who renews or has rebooted may have a lease by a record that was lost: silence. It goes on by what it was told last.
    pub(super) fn without_copy(&mut self, address: u32) -> Verdict {
        let selecting =
            self.message.message_type() == Some(MessageType::Request) && self.message.server_id().is_some();
        match selecting {
            true => self.nak(reasons::NAK_NO_COPY, address),
            false => self.silent(reasons::NO_COPY, address),
        }
    }

    /// Makes the address the client's in memory. Gives the other one that it still holds here, if any: binding this
    /// one gives that one back.
    pub(super) fn take(&mut self, slot: Slot) -> Option<Slot> {
        let now = self.secs();
        let former = self.network.former_of(&self.client, slot);
        let lease = *self.network.table.lease(slot);
        if lease.state == LeaseState::Offered && !self.network.table.is(slot, &self.client.who) {
            self.network.lapse(self.plan, slot, now);
        }
        self.network.table.assign(slot, self.client.key, &self.client.who);
        former
    }

    /// Up to when everything recorded outlives whatever may happen to the store, in seconds.
    fn safe_upto(&self) -> u32 {
        self.safe().secs()
    }

    fn safe(&self) -> WallTime {
        let copied = self.log.copy.map_or(WallTime(u64::MAX), |copy| copy.upto);
        self.log.durable.min(copied)
    }

    /// Whether a lease's record outlives whatever may happen to the store. What was read of it when its slot was taken
    /// over may not have been on the second copy then.
    pub(super) fn is_safe(&self, address: u32, lease: &Lease) -> bool {
        let read = self
            .share
            .as_deref()
            .map_or(WallTime(0), |share| share.since(address));
        lease.last_seen < self.safe_upto() && (self.log.copy.is_none() || read < self.safe())
    }

    /// Whether no record of the client's binding is known to be durable: to who asks again before it is, nothing may
    /// be promised that a first binding is not (rules R2 and R3).
    fn is_unrecorded(&self, lease: &Lease) -> bool {
        lease.first && lease.last_seen >= self.safe_upto()
    }

    /// R1: a steady renewal never waits, because the record before it allows the full lease plus the client lead
    /// time. Where it does not, durable mode waits for the new record and lead mode promises less; so does every mode
    /// while there is a second copy that has not got the record yet.
    fn grant_renewal(&self, address: u32, lease: &Lease, full: u32, another: bool) -> Grant {
        let now = self.secs();
        if self.is_unrecorded(lease) {
            return match self.log.copy {
                Some(_) if another => Grant::of(full, Wait::Copied),
                Some(_) if lease.last_seen < self.log.durable.secs() => {
                    Grant::of(full.min(self.mclt()), Wait::Written)
                }
                Some(_) => Grant::of(full.min(self.mclt()), Wait::Durable),
                None => Grant::of(full, Wait::Durable),
            };
        }
        // The record of an inherited lease was read from the store; after an unclean start it may be an older one.
        let sure = self.share.is_some() || !lease.has(FLAG_INHERITED);
        let known = if self.is_safe(address, lease) && sure {
            lease.pot
        } else {
            now
        };
        let bound = known.max(now).saturating_add(self.mclt()) - now;
        let waits = self.plan.settings().ack == AckMode::Durable && self.log.copy.is_none();
        match full <= bound {
            true => Grant::of(full, Wait::Written),
            false if waits => Grant::of(full, Wait::Durable),
            false => Grant::of(bound, Wait::Written),
        }
    }

    /// R2 and R3: a first binding waits for its record; lead mode may answer ahead only for an address that was
    /// never recorded and lies in the durable window, and promises no more than the client lead time. With a second
    /// copy that follows in its own time no mode promises more than that before the copy has the record, and an
    /// address that was another's waits for it: this makes "the copy's row is that client's" true.
    fn grant_new(&mut self, address: u32, lease: &Lease, full: u32, another: bool) -> Grant {
        let copy = self.log.copy.is_some();
        if copy && another {
            return Grant::of(full, Wait::Copied);
        }
        let ahead = full.min(self.mclt());
        let secs = if copy { ahead } else { full };
        if self.plan.settings().ack == AckMode::Durable || lease.has(FLAG_RECORDED) {
            return Grant::of(secs, Wait::Durable);
        }
        if self.leads(address) {
            Grant::of(ahead, Wait::Written)
        } else {
            Grant::of(secs, Wait::Durable)
        }
    }

    /// Whether the address lies in a window that is durable (rule R2); moves windows on, too.
    fn leads(&mut self, address: u32) -> bool {
        let (now, durable) = (self.now.wall, self.safe());
        let (leads, window) = if let Some(share) = self.share.as_deref_mut() {
            (share.leads(address, durable), share.open_window(address, now))
        } else {
            let mut pools = self.network.pools.iter_mut();
            let Some(pool) = pools.find(|p| p.contains(address)) else {
                return false;
            };
            (pool.leads(address, durable), pool.extend_window(now))
        };
        if let Some((first, end)) = window {
            Record::Window { first, end }.encode(self.records);
            self.written += 1;
        }
        leads
    }

    /// The address goes on resting for what a row that may be lost has promised its client: less than that was granted
    /// now, and a client that does not hear of it keeps what it had (rule R3). A full lease ends this.
    fn rest(&mut self, slot: Slot, pot: u32) {
        self.network.change(self.plan, slot, |l| {
            l.flags |= FLAG_INHERITED;
            l.pot = l.pot.max(pot);
        });
    }

    /// Makes the lease the client's in memory.
    fn write(&mut self, slot: Slot, expires: u32, pot: u32, (first, another): (bool, bool)) {
        let now = self.secs();
        let giaddr = self.message.giaddr().into();
        let address = self.network.table.address(slot);
        let reserved = self.network.reserved_address(self.plan, &self.client) == Some(address);
        let mut baggage = Vec::new();
        collect_extra(self.message, self.relay.as_ref(), &mut baggage);
        self.network.table.set_extra(slot, &baggage);
        let seen = self.network.stamp_bound(now);
        self.network.change(self.plan, slot, |l| {
            l.state = LeaseState::Bound;
            l.flags = (l.flags | FLAG_RECORDED) & FLAGS_KEPT;
            l.flags |= if reserved { FLAG_RESERVED } else { 0 };
            l.version += 1;
            l.expires = expires;
            l.pot = pot;
            l.last_seen = seen;
            l.giaddr = giaddr;
            (l.first, l.another) = (first, another);
        });
    }

    /// Appends the lease's record as it stands.
    pub(super) fn append(&mut self, slot: Slot) {
        super::replay::encode(self.network, slot, self.records);
        self.written += 1;
    }

    fn mclt(&self) -> u32 {
        self.plan.settings().mclt.as_secs() as u32
    }
}

/// The promise bound written with every record: one and a half leases on.
fn pot(now: u32, full: u32) -> u32 {
    now.saturating_add(full).saturating_add(full / 2)
}

/// What a lease remembers of its client for people: host name, option 82, vendor class.
fn collect_extra(message: &Message<'_>, relay: Option<&RelayAgent<'_>>, out: &mut Vec<u8>) {
    record::put_extra(
        out,
        record::EXTRA_HOSTNAME,
        message.host_name().unwrap_or_default(),
    );
    if let Some(relay) = relay {
        record::put_extra(out, record::EXTRA_CIRCUIT, relay.circuit_id().unwrap_or_default());
        record::put_extra(out, record::EXTRA_REMOTE, relay.remote_id().unwrap_or_default());
    }
    record::put_extra(
        out,
        record::EXTRA_VENDOR,
        message.vendor_class().unwrap_or_default(),
    );
}
