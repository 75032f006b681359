//! Pins laid over the settings: for which machine an address is, link by link.

use super::Plan;
use super::reserve::IdKind;
use crate::pin::{Pin, PinConflict, PinTrouble};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Hardware address of Ethernet machines, the only ones that pins are for.
type Octets = [u8; 6];
type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// All pins of a plan.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pins {
    all: Arc<[Pin]>,
    laid: Arc<Laid>,
}

/// Where they hold.
#[derive(Debug, Default)]
struct Laid {
    /// By network of the plan; none when there are no pins.
    links: Vec<Pinned>,
    /// How many addresses of each subnet are kept for machines.
    counts: Vec<u64>,
    conflicts: Vec<PinConflict>,
}

/// Those of one network.
#[derive(Debug, Default)]
struct Pinned {
    by_mac: Map<Octets, u32>,
    /// Every address that is kept, with the position of the first pin that says so.
    kept: Map<u32, u32>,
}

impl Pins {
    pub(super) fn new(plan: &Plan, all: Arc<[Pin]>) -> Self {
        let mut laid = Laid::default();
        if !all.is_empty() {
            laid.links.resize_with(plan.networks.len(), Pinned::default);
            laid.counts.resize(plan.subnets.len(), 0);
        }
        for (at, pin) in (0..).zip(all.iter()) {
            if let Some(trouble) = laid.put(plan, &all, at, pin) {
                let pin = pin.clone();
                laid.conflicts.push(PinConflict { pin, trouble });
            }
        }
        let laid = Arc::new(laid);
        Self { all, laid }
    }

    pub(crate) fn all(&self) -> &Arc<[Pin]> {
        &self.all
    }

    pub(crate) fn conflicts(&self) -> &[PinConflict] {
        &self.laid.conflicts
    }

    /// Whether there are none in a network.
    pub(crate) fn is_empty(&self, network: u16) -> bool {
        self.link(network).is_none_or(|link| link.kept.is_empty())
    }

    /// The address that is for the machine.
    pub(crate) fn of(&self, network: u16, hardware: &[u8]) -> Option<u32> {
        let octets: &Octets = hardware.try_into().ok()?;
        self.link(network)?.by_mac.get(octets).copied()
    }

    /// Whether the address is for some machine.
    pub(crate) fn keeps(&self, network: u16, address: u32) -> bool {
        self.link(network)
            .is_some_and(|link| !link.kept.is_empty() && link.kept.contains_key(&address))
    }

    /// All addresses of a network that are for some machine.
    pub(crate) fn kept(&self, network: u16) -> impl Iterator<Item = u32> + '_ {
        self.link(network)
            .into_iter()
            .flat_map(|link| link.kept.keys().copied())
    }

    /// How many addresses of a subnet are for some machine.
    pub(crate) fn count(&self, subnet: u16) -> u64 {
        self.laid.counts.get(usize::from(subnet)).copied().unwrap_or(0)
    }

    fn link(&self, network: u16) -> Option<&Pinned> {
        self.laid.links.get(usize::from(network))
    }
}

impl Laid {
    /// Lays the pin at this position over those before it; says what does not hold of it.
    fn put(&mut self, plan: &Plan, all: &[Pin], at: u32, pin: &Pin) -> Option<PinTrouble> {
        let Some((network, subnet)) = place(plan, pin.address) else {
            return Some(PinTrouble::NoSubnet);
        };
        if !plan.is_host_of(network, pin.address) {
            return Some(PinTrouble::NoSubnet);
        }
        if place(plan, pin.within).is_none_or(|(other, _)| other != network) {
            return Some(PinTrouble::OtherLink);
        }
        let address = u32::from(pin.address);
        let reservations = &plan.networks[usize::from(network)].reservations;
        let own = reservations.find(IdKind::Mac, &pin.mac.0);
        match reservations.at(address) {
            Some(owner) if own == Some(owner) => return None,
            Some(_) => return Some(PinTrouble::Reserved),
            None => {}
        }
        let link = &mut self.links[usize::from(network)];
        link.by_mac.entry(pin.mac.0).or_insert(address);
        let first = match link.kept.entry(address) {
            Entry::Occupied(first) => Some(*first.get()),
            Entry::Vacant(place) => {
                place.insert(at);
                self.counts[usize::from(subnet)] += 1;
                None
            }
        };
        let first = first.map(|first| &all[first as usize]);
        if let Some(first) = first.filter(|first| first.mac != pin.mac) {
            return Some(PinTrouble::Shared(first.by.clone()));
        }
        let given = own.and_then(|own| reservations.get(own).address);
        given.map(|given| PinTrouble::MachineHas(given.into()))
    }
}

/// Network and subnet of an address.
fn place(plan: &Plan, address: Ipv4Addr) -> Option<(u16, u16)> {
    let subnet = plan.routes.subnet_of(address.into())?;
    let found = &plan.subnets[usize::from(subnet)];
    found.prefix.contains(address).then_some((found.network, subnet))
}
