//! A DHCP server of one screen, in a thread, with switches for every way of breaking its word.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What it does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Honest,
    /// Everybody gets the same address.
    OneAddressForAll,
    /// The ACK names another address than the OFFER.
    ChangesAddress,
    /// REQUESTs of clients that hold their address are refused.
    RefusesOwners,
    /// Leases of no time.
    NoTime,
    /// Another client's hardware address in the answers.
    WrongClient,
    /// The first sending of every message is ignored.
    DropsFirst,
    /// Nothing is answered.
    Silent,
    /// A proxy speaks before it; it tells what to boot.
    BesideProxy,
    /// There is only that proxy.
    OnlyProxy,
}

/// Leases survive `restart`, unless told to forget them.
#[derive(Debug, Clone)]
pub(crate) struct Leases {
    next: u32,
    by_client: HashMap<[u8; 6], u32>,
}

impl Default for Leases {
    fn default() -> Self {
        Self {
            next: u32::from(Ipv4Addr::new(10, 1, 0, 1)),
            by_client: HashMap::new(),
        }
    }
}

pub(crate) struct Responder {
    address: SocketAddrV4,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Leases>>,
}

impl Responder {
    pub(crate) fn start(manner: Manner) -> Self {
        Self::restart(manner, Leases::default())
    }

    pub(crate) fn restart(manner: Manner, leases: Leases) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback");
        let SocketAddr::V4(address) = socket.local_addr().expect("bound") else {
            panic!("bound to IPv4")
        };
        // Only so that the thread sees `stop`.
        socket
            .set_read_timeout(Some(Duration::from_millis(10)))
            .expect("set");
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || serve(&socket, manner, leases, &seen));
        Self {
            address,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn address(&self) -> SocketAddrV4 {
        self.address
    }

    /// Stops it and takes its lease table.
    pub(crate) fn stop(mut self) -> Leases {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .take()
            .expect("stopped once")
            .join()
            .expect("no panic")
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn serve(socket: &UdpSocket, manner: Manner, mut leases: Leases, stop: &AtomicBool) -> Leases {
    let mut request = [0; 1500];
    let mut seen: HashMap<(u32, u8), u32> = HashMap::new();
    while !stop.load(Ordering::Relaxed) {
        let Ok((_, source)) = socket.recv_from(&mut request) else {
            continue;
        };
        let xid = u32::from_be_bytes(request[4..8].try_into().expect("four octets"));
        let count = seen.entry((xid, request[242])).or_default();
        *count += 1;
        if request[242] == 1 && matches!(manner, Manner::BesideProxy | Manner::OnlyProxy) {
            socket
                .send_to(&proxy_offer(&request), source)
                .expect("loopback takes it");
        }
        let silent = matches!(manner, Manner::Silent | Manner::OnlyProxy);
        let ignored = silent || (manner == Manner::DropsFirst && *count == 1);
        if let Some(reply) = answer(&request, manner, &mut leases).filter(|_| !ignored) {
            socket.send_to(&reply, source).expect("loopback takes it");
        }
    }
    leases
}

/// An OFFER without an address: boot server 10.9.9.9, file `x.efi`.
fn proxy_offer(request: &[u8; 1500]) -> Vec<u8> {
    let mut reply = request[..240].to_vec();
    reply[0] = 2;
    reply[20..24].copy_from_slice(&[10, 9, 9, 9]);
    reply[108..113].copy_from_slice(b"x.efi");
    reply.extend_from_slice(b"\x35\x01\x02\x36\x04\x7f\x00\x00\x09\x3c\x09PXEClient\xff");
    reply
}

pub(crate) fn answer(request: &[u8; 1500], manner: Manner, leases: &mut Leases) -> Option<Vec<u8>> {
    let mac: [u8; 6] = request[28..34].try_into().expect("six octets");
    let holds = leases.by_client.contains_key(&mac);
    let ciaddr = u32::from_be_bytes(request[12..16].try_into().expect("four octets"));
    let kind = match request[242] {
        1 => 2,
        3 if manner == Manner::RefusesOwners && ciaddr != 0 => 6,
        3 | 8 => 5,
        _ => {
            leases.by_client.remove(&mac);
            return None;
        }
    };
    if !holds && request[242] != 8 {
        leases.by_client.insert(mac, leases.next);
        leases.next += 1;
    }
    let mut address = leases.by_client.get(&mac).copied().unwrap_or(0);
    match manner {
        Manner::OneAddressForAll => address = 0x0a01_0101,
        Manner::ChangesAddress if kind == 5 => address += 0x100,
        _ => {}
    }
    let mut reply = request[..240].to_vec();
    reply[0] = 2;
    if request[242] != 8 {
        reply[16..20].copy_from_slice(&address.to_be_bytes());
    }
    if manner == Manner::WrongClient {
        reply[33] ^= 1;
    }
    let lease = if manner == Manner::NoTime { 0_u32 } else { 3600 };
    reply.extend_from_slice(&[53, 1, kind, 54, 4, 127, 0, 0, 1, 51, 4]);
    reply.extend_from_slice(&lease.to_be_bytes());
    reply.extend_from_slice(&[58, 4, 0, 0, 7, 8, 1, 4, 255, 0, 0, 0, 3, 4, 10, 1, 0, 254]);
    if kind == 6 {
        reply.extend_from_slice(b"\x38\x07no more");
    }
    reply.push(255);
    Some(reply)
}
