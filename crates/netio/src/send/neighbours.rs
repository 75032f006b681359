//! Which replies may wait in the send buffer for a neighbour that does not answer.
//!
//! A datagram to a host on an attached link whose hardware address is unknown waits in the kernel until ARP is
//! answered or given up, about 3 s, and all that time it fills the buffer of the socket it was sent by. Relays
//! that answer no ARP (dead, filtered, or a forged giaddr) would so silence the server for everyone. Therefore:
//!
//! ```text
//!   octets that wait   0 ........ 1/4 ............ 1/2 ................ full
//!   resolved           sent       sent             sent
//!   unresolved         sent       one per 3 s      passed over
//! ```
//!
//! Below a quarter nothing is asked, so that in ordinary times this costs one look at the buffer per batch. One
//! datagram per neighbour is enough to make the kernel ask, and half of the buffer is always left for hosts that
//! can be reached. Asking takes the kernel's configuration lock before Linux 6.11, one more reason not to do it
//! for every packet.

use super::Outgoing;
use crate::interface::{Interface, interfaces};
use crate::{UdpPort, sys};
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// How long the kernel asks before it gives up: `mcast_solicit` times `retrans_time_ms`, 3 and 1000 by default.
const ASKING: Duration = Duration::from_secs(3);
/// How long a look at the machine's interfaces is believed.
const LINKS_FOR: Duration = Duration::from_secs(5);
/// As many neighbours as the kernel's table takes (`gc_thresh3`).
const TRIED_MAX: usize = 1024;

/// What is known about hosts on attached links; empty until a buffer fills.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    links: Vec<Interface>,
    looked: Option<Instant>,
    /// When a neighbour that was unresolved was last given a datagram.
    tried: HashMap<Ipv4Addr, Instant>,
}

/// How full a send buffer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pressure {
    None,
    /// A quarter waits.
    Some,
    /// Half waits: the other half is for those who can be reached.
    Much,
}

impl Pressure {
    pub(super) fn on(port: &UdpPort) -> Self {
        // A kernel that does not tell is one without this protection, not one that cannot send.
        let waiting = sys::unsent(port.as_fd()).unwrap_or(0);
        let room = port.send_buffer();
        match waiting {
            _ if waiting > room / 2 => Self::Much,
            _ if waiting > room / 4 => Self::Some,
            _ => Self::None,
        }
    }
}

impl Neighbours {
    /// Moves the datagrams that may be sent to the front, in their order, and tells how many they are.
    pub(super) fn sift(&mut self, port: &UdpPort, batch: &mut [Outgoing<'_>], pressure: Pressure) -> usize {
        if pressure == Pressure::None {
            return batch.len();
        }
        let now = Instant::now();
        self.look(now);
        let mut kept = 0;
        // A batch often has several for one relay.
        let mut last = None;
        for at in 0..batch.len() {
            let to = *batch[at].to.ip();
            let resolved = match last {
                Some((address, known)) if address == to => known,
                _ => self.resolved(port, to),
            };
            last = Some((to, resolved));
            if resolved || self.may_try(to, pressure, now) {
                batch.swap(kept, at);
                kept += 1;
            }
        }
        kept
    }

    fn look(&mut self, now: Instant) {
        if self.looked.is_none_or(|at| now.duration_since(at) >= LINKS_FOR) {
            self.looked = Some(now);
            self.links = interfaces().unwrap_or_default();
        }
    }

    /// False only for a host on an attached link whose hardware address the kernel does not know.
    fn resolved(&self, port: &UdpPort, address: Ipv4Addr) -> bool {
        let Some(link) = self.links.iter().find(|link| attached(link, address)) else {
            return true;
        };
        sys::neighbour_is_resolved(port.as_fd(), &link.name, address).unwrap_or(true)
    }

    fn may_try(&mut self, address: Ipv4Addr, pressure: Pressure, now: Instant) -> bool {
        if pressure == Pressure::Much {
            return false;
        }
        if self.tried.len() >= TRIED_MAX {
            self.tried.retain(|_, at| now.duration_since(*at) < ASKING);
        }
        let known = self.tried.get(&address);
        let waits = known.is_some_and(|at| now.duration_since(*at) < ASKING);
        if waits || known.is_none() && self.tried.len() >= TRIED_MAX {
            return false;
        }
        self.tried.insert(address, now);
        true
    }
}

/// Whether it is another host on this link, found by ARP.
fn attached(link: &Interface, address: Ipv4Addr) -> bool {
    let inside = |(own, length): &(Ipv4Addr, u8)| {
        let differs = u32::from(*own) ^ u32::from(address);
        u64::from(differs) >> (32 - u32::from(*length)) == 0
    };
    link.mac.is_some()
        && link.addresses.iter().any(inside)
        && link.addresses.iter().all(|(own, _)| *own != address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Interface {
        Interface {
            name: "eth0".to_owned(),
            index: 2,
            mac: Some([2, 0, 0, 0, 0, 1]),
            addresses: vec![(Ipv4Addr::new(10, 1, 2, 3), 16)],
            up: true,
            loopback: false,
        }
    }

    #[test]
    fn only_other_hosts_of_a_link_are_neighbours() {
        let link = link();
        assert!(attached(&link, Ipv4Addr::new(10, 1, 255, 9)));
        assert!(!attached(&link, Ipv4Addr::new(10, 2, 0, 1)));
        assert!(!attached(&link, Ipv4Addr::new(10, 1, 2, 3)), "our own address");
        let tunnel = Interface { mac: None, ..link };
        assert!(!attached(&tunnel, Ipv4Addr::new(10, 1, 255, 9)));
    }

    #[test]
    fn an_unresolved_neighbour_gets_one_datagram_while_the_kernel_asks() {
        let mut neighbours = Neighbours::default();
        let (address, start) = (Ipv4Addr::new(10, 1, 0, 9), Instant::now());
        assert!(neighbours.may_try(address, Pressure::Some, start));
        assert!(!neighbours.may_try(address, Pressure::Some, start + Duration::from_secs(2)));
        assert!(!neighbours.may_try(address, Pressure::Much, start + ASKING));
        assert!(neighbours.may_try(address, Pressure::Some, start + ASKING));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_forgotten_in_time() {
        let mut neighbours = Neighbours::default();
        let start = Instant::now();
        let hosts = (0..TRIED_MAX as u32).map(Ipv4Addr::from);
        assert!(
            hosts
                .into_iter()
                .all(|host| neighbours.may_try(host, Pressure::Some, start))
        );
        let one_more = Ipv4Addr::new(10, 9, 9, 9);
        assert!(!neighbours.may_try(one_more, Pressure::Some, start));
        assert!(neighbours.may_try(one_more, Pressure::Some, start + ASKING));
        assert_eq!(neighbours.tried.len(), 1);
    }
}
