//! What an answer is worth: held against the offer, the lease and everybody else's leases.

use std::net::Ipv4Addr;

use super::meters::Meters;
use super::options::Fleet;
use super::ownership::{Claim, Ownership, Violation, ViolationKind};
use super::slots::Slot;
use super::template::mac_of;
use crate::message::Answer;

/// A view of what judging needs; made afresh per answer.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) ownership: &'a Ownership,
    pub(crate) meters: &'a mut Meters,
    /// Number of the client in the fleet.
    pub(crate) client: u32,
    /// Seconds of the Unix epoch.
    pub(crate) now: u32,
}

impl Judge<'_> {
    /// An OFFER is good when it names an address nobody else holds, and a lease time.
    pub(crate) fn offer(&mut self, answer: &Answer) {
        self.meters.checked += 1;
        self.lease_time(answer);
        if let Claim::HeldBy(holder) = self.ownership.look(answer.yiaddr, self.client, self.now) {
            let other = self.mac(holder);
            self.report(ViolationKind::LiveAddressOffered, answer.yiaddr, other);
        }
    }

    /// An ACK that grants or extends a lease; `held` is the address the client had or was offered (0: none). Returns
    /// when the lease ends.
    pub(crate) fn ack(&mut self, slot: &Slot, answer: &Answer, held: u32, since: u32) -> u32 {
        self.meters.checked += 1;
        self.lease_time(answer);
        if held != 0 && answer.yiaddr != held {
            self.report(
                ViolationKind::AddressChanged,
                answer.yiaddr,
                Ipv4Addr::from(held).to_string(),
            );
        }
        if slot.server_id != 0 && answer.server_id != slot.server_id {
            let chosen = Ipv4Addr::from(slot.server_id).to_string();
            self.report(ViolationKind::ServerChanged, answer.yiaddr, chosen);
        }
        let until = since.saturating_add(answer.lease_secs.unwrap_or(0));
        if let Claim::HeldBy(holder) = self.ownership.claim(answer.yiaddr, self.client, self.now, until) {
            let other = self.mac(holder);
            self.report(ViolationKind::AddressGivenTwice, answer.yiaddr, other);
        }
        until
    }

    /// A NAK to a client that holds `held` until `until` breaks the promise of its last ACK.
    pub(crate) fn refusal_of_owner(&mut self, held: u32, until: u32) {
        self.meters.checked += 1;
        if held != 0 && until > self.now {
            self.report(ViolationKind::OwnerRefused, held, format!("lease until {until}"));
        }
    }

    pub(crate) fn wrong_client(&mut self, answer: &Answer) {
        self.report(ViolationKind::WrongClient, answer.yiaddr, answer.mac.to_string());
    }

    fn lease_time(&mut self, answer: &Answer) {
        if answer.yiaddr == 0 || answer.lease_secs.unwrap_or(0) == 0 {
            self.report(
                ViolationKind::NoLease,
                answer.yiaddr,
                "address and lease time wanted".to_owned(),
            );
        }
    }

    fn report(&mut self, kind: ViolationKind, address: u32, against: String) {
        let client = self.mac(self.client);
        self.meters.violation(kind, || Violation {
            kind,
            client,
            address: Ipv4Addr::from(address),
            against,
        });
    }

    fn mac(&self, client: u32) -> String {
        mac_of(self.fleet.seed, client).to_string()
    }
}
