//! Places for connections: so many over all listeners, and so many for each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The places of a set of listeners. A listener that waits for a client holds none.
#[derive(Debug)]
pub(super) struct Room {
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    most: usize,
    /// Most for one address; 0 is no limit.
    most_each: usize,
    all: usize,
    each: HashMap<IpAddr, usize>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// For nobody.
    All,
    /// For this address.
    Address,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    room: Arc<Room>,
    address: IpAddr,
}

impl Room {
    pub(super) fn new(most: usize, most_each: usize) -> Self {
        let held = Held {
            most,
            most_each,
            all: 0,
            each: HashMap::new(),
        };
        Self {
            held: Mutex::new(held),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Other bounds from now on. Whoever is in stays in.
    pub(super) fn resize(&self, most: usize, most_each: usize) {
        let mut held = self.held();
        (held.most, held.most_each) = (most, most_each);
    }

    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let address = address.to_canonical();
        let mut held = self.held();
        if held.all >= held.most {
            return Err(Full::All);
        }
        let most_each = held.most_each;
        let own = held.each.entry(address).or_default();
        if most_each > 0 && *own >= most_each {
            return Err(Full::Address);
        }
        *own += 1;
        held.all += 1;
        drop(held);
        Ok(Place {
            room: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.room.held();
        held.all -= 1;
        if let Some(own) = held.each.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                held.each.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_over_all_and_for_each_and_come_back() {
        let room = Arc::new(Room::new(3, 2));
        let [a, b, mapped] = ["10.0.0.1", "10.0.0.2", "::ffff:10.0.0.1"].map(|text| text.parse().unwrap());
        let first = room.enter(a).unwrap();
        let _second = room.enter(mapped).unwrap();
        assert_eq!(room.enter(a).unwrap_err(), Full::Address, "however it is written");
        let third = room.enter(b).unwrap();
        assert_eq!(room.enter(b).unwrap_err(), Full::All);
        drop(first);
        let _fourth = room.enter(a).unwrap();
        drop(third);
        assert_eq!(room.held().each.len(), 1, "who has gone is forgotten");
        room.resize(9, 0);
        let _fifth = room.enter(a).unwrap();
        room.resize(1, 1);
        assert_eq!(room.enter(b).unwrap_err(), Full::All, "whoever is in stays in");
    }
}
