//! Reservations of one network, found by any identifier a packet carries.

use super::{ClassPlan, mask_of};
use crate::settings::{Reservation, ReservedFor, Scope};
use hashbrown::HashMap;

/// Kinds of identifiers in the order of preference: the first that matches wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum IdKind {
    Flex = 0,
    CircuitId = 1,
    RemoteId = 2,
    ClientId = 3,
    Uuid = 4,
    Mac = 5,
}

impl IdKind {
    pub(crate) const ALL: [Self; 6] = [
        Self::Flex,
        Self::CircuitId,
        Self::RemoteId,
        Self::ClientId,
        Self::Uuid,
        Self::Mac,
    ];
}

/// A reservation for the packet path.
#[derive(Debug)]
pub(crate) struct Reserved {
    pub(crate) address: Option<u32>,
    pub(crate) hostname: Option<String>,
    pub(crate) classes: u128,
    pub(crate) scope: Scope,
}

#[derive(Debug, Default)]
pub(crate) struct Reservations {
    list: Vec<Reserved>,
    by_id: [HashMap<Vec<u8>, u32, foldhash::fast::FixedState>; 6],
    by_address: HashMap<u32, u32, foldhash::fast::FixedState>,
}

impl Reservations {
    pub(crate) fn new<'a>(all: impl Iterator<Item = &'a Reservation>, classes: &[ClassPlan]) -> Self {
        let mut made = Self::default();
        for reservation in all {
            let at = made.list.len() as u32;
            let (kind, id) = id_of(&reservation.client);
            made.by_id[kind as usize].entry(id).or_insert(at);
            let address = reservation.address.map(u32::from);
            if let Some(address) = address {
                made.by_address.insert(address, at);
            }
            made.list.push(Reserved {
                address,
                hostname: reservation.hostname.clone(),
                classes: mask_of(&reservation.classes, classes),
                scope: reservation.scope.clone(),
            });
        }
        made
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether any reservation is by this kind of identifier.
    pub(crate) fn uses(&self, kind: IdKind) -> bool {
        !self.by_id[kind as usize].is_empty()
    }

    pub(crate) fn find(&self, kind: IdKind, id: &[u8]) -> Option<u32> {
        self.by_id[kind as usize].get(id).copied()
    }

    pub(crate) fn get(&self, at: u32) -> &Reserved {
        &self.list[at as usize]
    }

    /// The reservation that has this address.
    pub(crate) fn at(&self, address: u32) -> Option<u32> {
        if self.by_address.is_empty() {
            return None;
        }
        self.by_address.get(&address).copied()
    }

    /// All reserved addresses.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = u32> + '_ {
        self.by_address.keys().copied()
    }
}

fn id_of(client: &ReservedFor) -> (IdKind, Vec<u8>) {
    match client {
        ReservedFor::Mac(mac) => (IdKind::Mac, mac.0.to_vec()),
        ReservedFor::ClientId(id) => (IdKind::ClientId, id.clone()),
        ReservedFor::CircuitId(id) => (IdKind::CircuitId, id.clone()),
        ReservedFor::RemoteId(id) => (IdKind::RemoteId, id.clone()),
        ReservedFor::Uuid(id) => (IdKind::Uuid, id.to_vec()),
        ReservedFor::Flex(id) => (IdKind::Flex, id.clone()),
    }
}
