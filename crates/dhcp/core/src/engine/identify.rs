//! Who sent a packet: its key, its reservation, its classes.

use super::Engine;
use crate::expr::{ClassRef, Scratch, Subject};
use crate::lease::Identity;
use crate::plan::{BuiltIn, IdKind, Plan, VENDOR_CLASS};
use crate::step::Arrival;
use purlin_dhcp_proto::Message;
use purlin_dhcp_proto::message::RelayAgent;
use std::cell::OnceCell;
use std::net::Ipv4Addr;

/// What identification found.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) who: Identity<'a>,
    pub(super) key: u64,
    pub(super) reservation: Option<u32>,
    pub(super) pinned: Option<u32>,
    pub(super) classes: u128,
    pub(super) drop: bool,
}

impl Engine {
    /// `None` when the packet carries neither a hardware address nor a client identifier.
    pub(super) fn identify<'a>(
        &mut self,
        plan: &Plan,
        network: u16,
        message: &Message<'a>,
        relay: Option<&RelayAgent<'_>>,
        arrival: &Arrival<'a>,
    ) -> Option<Found<'a>> {
        let client_id = message.client_id().filter(|id| !id.is_empty());
        let who = Identity {
            htype: message.htype(),
            chaddr: message.chaddr(),
            client_id,
        };
        if who.chaddr.is_empty() && who.client_id.is_none() {
            return None;
        }
        let key = self.networks[usize::from(network)].as_ref()?.table.key_of(&who);
        let reservations = &plan.networks[usize::from(network)].reservations;
        let mut found = Found {
            who,
            key,
            reservation: None,
            pinned: None,
            classes: BuiltIn::of_client(false, message.is_bootp()),
            drop: false,
        };
        if !plan.pins.is_empty(network) {
            found.pinned = plan.pins.of(network, who.chaddr);
            found.classes = BuiltIn::of_client(found.pinned.is_some(), message.is_bootp());
        }
        if reservations.is_empty() && plan.classes.is_empty() {
            return Some(found);
        }
        let mut sight = Sight {
            message,
            arrival,
            plan,
            classes: found.classes,
            split: OnceCell::new(),
        };
        if !reservations.is_empty() {
            found.reservation = reservation_of(plan, network, &sight, relay, &who, &mut self.scratch);
            if let Some(at) = found.reservation {
                let named = reservations.get(at).classes;
                found.classes = BuiltIn::of_client(true, message.is_bootp()) | named;
            }
        }
        sight.classes = found.classes;
        for (i, class) in plan.classes.iter().enumerate() {
            if class
                .test
                .as_ref()
                .is_some_and(|test| test.test(&sight, &mut self.scratch))
            {
                sight.classes |= 1 << i;
            }
        }
        found.classes = sight.classes;
        found.drop = plan
            .classes
            .iter()
            .enumerate()
            .any(|(i, c)| c.drop && found.classes >> i & 1 == 1);
        Some(found)
    }
}

fn reservation_of(
    plan: &Plan,
    network: u16,
    sight: &Sight<'_, '_>,
    relay: Option<&RelayAgent<'_>>,
    who: &Identity<'_>,
    scratch: &mut Scratch,
) -> Option<u32> {
    let reservations = &plan.networks[usize::from(network)].reservations;
    IdKind::ALL
        .into_iter()
        .filter(|&kind| reservations.uses(kind))
        .find_map(|kind| match kind {
            IdKind::Mac => reservations.find(kind, who.chaddr),
            IdKind::ClientId => reservations.find(kind, who.client_id?),
            IdKind::CircuitId => reservations.find(kind, relay?.circuit_id()?),
            IdKind::RemoteId => reservations.find(kind, relay?.remote_id()?),
            IdKind::Uuid => reservations.find(kind, &sight.message.uuid()?),
            IdKind::Flex => {
                let mut value = Vec::new();
                plan.flex_id.as_ref()?.value(sight, scratch, &mut value);
                reservations.find(kind, &value)
            }
        })
}

/// A packet as class expressions see it.
struct Sight<'s, 'a> {
    message: &'s Message<'a>,
    arrival: &'s Arrival<'a>,
    plan: &'s Plan,
    classes: u128,
    /// Options that came in pieces (RFC 3396), joined when first asked for.
    split: OnceCell<Vec<(u8, Vec<u8>)>>,
}

impl Sight<'_, '_> {
    fn joined(&self) -> &[(u8, Vec<u8>)] {
        self.split.get_or_init(|| {
            let mut joined: Vec<(u8, Vec<u8>)> = Vec::new();
            for (code, part) in self.message.options() {
                if self.message.whole(code).is_none() {
                    match joined.iter_mut().find(|j| j.0 == code) {
                        Some(known) => known.1.extend_from_slice(part),
                        None => joined.push((code, part.to_vec())),
                    }
                }
            }
            joined
        })
    }
}

impl Subject for Sight<'_, '_> {
    fn option(&self, code: u8) -> Option<&[u8]> {
        if let Some(whole) = self.message.whole(code) {
            return Some(whole);
        }
        if !self.message.has(code) {
            return None;
        }
        self.joined().iter().find(|j| j.0 == code).map(|j| j.1.as_slice())
    }

    fn mac(&self) -> &[u8] {
        self.message.chaddr()
    }
    fn htype(&self) -> u8 {
        self.message.htype()
    }
    fn hlen(&self) -> u8 {
        self.message.hlen()
    }
    fn ciaddr(&self) -> Ipv4Addr {
        self.message.ciaddr()
    }
    fn yiaddr(&self) -> Ipv4Addr {
        self.message.yiaddr()
    }
    fn siaddr(&self) -> Ipv4Addr {
        self.message.siaddr()
    }
    fn giaddr(&self) -> Ipv4Addr {
        self.message.giaddr()
    }
    fn transid(&self) -> u32 {
        self.message.xid()
    }

    fn interface(&self) -> &str {
        let name = self
            .arrival
            .interface
            .and_then(|i| self.plan.settings().interfaces.get(usize::from(i)));
        name.map_or("", String::as_str)
    }
    fn source(&self) -> Ipv4Addr {
        *self.arrival.source.ip()
    }
    fn destination(&self) -> Ipv4Addr {
        self.arrival.local
    }
    fn length(&self) -> u32 {
        self.arrival.payload.len() as u32
    }

    /// A configured class, a [`BuiltIn`] one, or `VENDOR_CLASS_<option 60>`.
    fn member(&self, class: &ClassRef) -> bool {
        if let Some(number) = class.number {
            return self.classes >> number & 1 == 1;
        }
        if let Some(built_in) = BuiltIn::of(&class.name) {
            return self.classes & built_in.bit() != 0;
        }
        let vendor = class.name.strip_prefix(VENDOR_CLASS);
        vendor.is_some_and(|vendor| self.message.vendor_class() == Some(vendor.as_bytes()))
    }
}
