//! A port per transfer, as RFC 1350 has it, for those who do not want everything on one port.

use purlin_netio::{BulkOptions, BulkPort};
use purlin_tftp_core::settings::Ports;
use purlin_tftp_core::{Peer, Slot};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Ports tried before a full range is believed.
const ATTEMPTS: u32 = 64;

#[derive(Debug)]
struct Own {
    slot: Slot,
    port: Arc<BulkPort>,
    /// Index of the socket that the request came to.
    listening: u16,
}

/// The ports of a thread's transfers.
#[derive(Debug)]
pub(crate) struct OwnPorts {
    policy: Ports,
    /// Where in the range the next search begins; threads begin at different places.
    next: u32,
    open: HashMap<u32, Own>,
}

impl OwnPorts {
    pub(crate) fn new(policy: Ports, thread: u16, threads: u16) -> Self {
        let next = match policy {
            Ports::Single => 0,
            Ports::Range { first, last } => {
                (u32::from(last - first) + 1) / u32::from(threads.max(1)) * u32::from(thread)
            }
        };
        Self {
            policy,
            next,
            open: HashMap::new(),
        }
    }

    pub(super) fn wanted(&self) -> bool {
        self.policy != Ports::Single
    }

    /// Opens a port for a transfer, on the address that the request came to.
    pub(super) fn open(&mut self, slot: Slot, peer: &Peer, listening: IpAddr) -> io::Result<Arc<BulkPort>> {
        let ip = peer.local.unwrap_or(listening);
        let options = BulkOptions {
            packet_info: ip.is_unspecified(),
            ..BulkOptions::default()
        };
        let mut fault = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..ATTEMPTS {
            let address = SocketAddr::new(ip, self.next_port());
            match BulkPort::bind(address, &options) {
                Ok(port) => {
                    let port = Arc::new(port);
                    let own = Own {
                        slot,
                        port: Arc::clone(&port),
                        listening: peer.port,
                    };
                    self.open.insert(slot.index, own);
                    return Ok(port);
                }
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => fault = e,
                Err(e) => return Err(e),
            }
        }
        Err(fault)
    }

    fn next_port(&mut self) -> u16 {
        match self.policy {
            Ports::Single | Ports::Range { first: 0, .. } => 0,
            Ports::Range { first, last } => {
                let count = u32::from(last - first) + 1;
                let port = u32::from(first) + self.next % count;
                self.next = (self.next + 1) % count;
                port as u16
            }
        }
    }

    pub(super) fn of(&self, slot: Slot) -> Option<Arc<BulkPort>> {
        if self.open.is_empty() {
            return None;
        }
        let own = self.open.get(&slot.index)?;
        (own.slot == slot).then(|| Arc::clone(&own.port))
    }

    /// The port behind a token, and the index of the socket that its request came to.
    pub(super) fn get(&self, index: u32) -> Option<(Arc<BulkPort>, u16)> {
        let own = self.open.get(&index)?;
        Some((Arc::clone(&own.port), own.listening))
    }

    pub(super) fn close(&mut self, slot: Slot) {
        self.open.remove(&slot.index);
    }
}
