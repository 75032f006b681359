//! The ports of one thread's clients.
//!
//! ```text
//!   own      a socket per transfer                  epoll token: slot and turn
//!   shared   a few sockets on 0.0.0.0               epoll token: the socket; which client is meant says the address
//!            client n is 127.x.y.z, n counted up    in 127.0.0.0/8 the datagram came to
//! ```

use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use purlin_netio::{BulkOptions, BulkPort, BulkSend, Piece, Way};
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::net::{SendFlags, sendto};

use super::options::{BenchOptions, PortUse};

/// Sockets told of per wait; the rest are told of by the next.
const EVENTS: usize = 256;
/// Clients per shared socket: addresses of one thread.
const ADDRESSES: u32 = 1 << 14;
const SHARED_BUFFER: u32 = 16 << 20;
/// Smallest receive buffer that kernels give by default; nothing is asked for below.
const USUAL_BUFFER: usize = 200 << 10;
const SHARED: u64 = 1 << 63;
/// Ports of clients: what kernels give out by default.
const PORTS: std::ops::Range<u32> = 32_768..61_000;
/// Ports in use by others that are passed over.
const TRIES: u32 = 256;

/// Where a client sends from.
#[derive(Debug)]
pub(crate) enum Place {
    None,
    Own(BulkPort),
    /// Socket, and the client's number at it.
    Shared {
        socket: u32,
        address: u32,
    },
}

/// What has something to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Own { index: u32, turn: u32 },
    Shared { socket: u32 },
}

#[derive(Debug)]
enum Kind {
    Own {
        sources: Vec<IpAddr>,
        /// Opened before they are needed.
        spare: Vec<BulkPort>,
        next: u32,
    },
    Shared {
        sockets: Vec<BulkPort>,
        /// Slot and turn by client number, socket by socket.
        owners: Vec<(u32, u32)>,
        thread: u32,
        next: u32,
    },
}

#[derive(Debug)]
pub(crate) struct Ports {
    kind: Kind,
    options: BulkOptions,
    thread: u32,
    threads: u32,
    poll: OwnedFd,
    send: BulkSend,
    /// The shared socket that `send` has messages for.
    gathered: Option<u32>,
    tokens: Vec<u64>,
    pub(crate) failures: u64,
    pub(crate) sent: u64,
}

impl Ports {
    /// `window` is the largest window in octets that will come at once, `first` where port numbers begin.
    pub(crate) fn open(bench: &BenchOptions, thread: u32, window: usize, first: u32) -> io::Result<Self> {
        let (server, threads) = (bench.server, bench.threads);
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        // The kernel charges a block with its bookkeeping, about twice its octets.
        let wanted = (window * 4 > USUAL_BUFFER).then(|| (window * 4).min(64 << 20) as u32);
        let mut options = BulkOptions {
            trains: true,
            receive_buffer: wanted,
            ..BulkOptions::default()
        };
        let kind = match &bench.ports {
            PortUse::Own { sources } => Kind::Own {
                sources: if sources.is_empty() {
                    vec![any(server)]
                } else {
                    sources.clone()
                },
                spare: Vec::new(),
                next: first,
            },
            PortUse::Shared { sockets } => {
                options.packet_info = true;
                options.receive_buffer = Some(SHARED_BUFFER.max(wanted.unwrap_or(0)));
                let bind = SocketAddr::new(any(server), 0);
                let sockets = (0..*sockets)
                    .map(|_| BulkPort::bind(bind, &options))
                    .collect::<io::Result<Vec<_>>>()?;
                for (number, socket) in (0_u64..).zip(&sockets) {
                    let data = epoll::EventData::new_u64(SHARED | number);
                    epoll::add(&poll, socket, data, epoll::EventFlags::IN)?;
                }
                Kind::Shared {
                    owners: vec![(u32::MAX, 0); sockets.len() * ADDRESSES as usize],
                    sockets,
                    thread,
                    next: 0,
                }
            }
        };
        Ok(Self {
            kind,
            options,
            thread,
            threads,
            poll,
            send: BulkSend::new(),
            gathered: None,
            tokens: Vec::with_capacity(EVENTS),
            failures: 0,
            sent: 0,
        })
    }

    /// Opens ports for so many clients ahead, so that a storm is not slowed down by it.
    pub(crate) fn prepare(&mut self, clients: u32) -> io::Result<()> {
        let Kind::Own { spare, .. } = &self.kind else {
            return Ok(());
        };
        for _ in spare.len()..clients as usize {
            let port = self.bind()?;
            if let Kind::Own { spare, .. } = &mut self.kind {
                spare.push(port);
            }
        }
        Ok(())
    }

    /// Port numbers go up and around, so that one comes back as late as possible: a server may still be sending to who
    /// had it before.
    fn bind(&mut self) -> io::Result<BulkPort> {
        let Kind::Own { sources, next, .. } = &mut self.kind else {
            return Err(io::Error::from(io::ErrorKind::Unsupported));
        };
        let per_source = (PORTS.end - PORTS.start) / self.threads;
        for _ in 0..TRIES {
            *next = next.wrapping_add(1);
            let (source, at) = (*next / per_source, *next % per_source);
            let source = sources[source as usize % sources.len()];
            let port = PORTS.start + at * self.threads + self.thread;
            match BulkPort::bind(SocketAddr::new(source, port as u16), &self.options) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                other => return other,
            }
        }
        // Somebody has them nearly all: the kernel knows best which are left.
        BulkPort::bind(SocketAddr::new(sources[0], 0), &self.options)
    }

    /// A port nobody else uses, for one request.
    pub(crate) fn take(&mut self, index: u32, turn: u32) -> io::Result<Place> {
        if let Kind::Shared {
            sockets,
            owners,
            next,
            ..
        } = &mut self.kind
        {
            // In turn over sockets and addresses: a number comes back only after all others. One still in use would
            // belong to a transfer as old as that.
            for _ in 0..owners.len() {
                *next = (*next + 1) % owners.len() as u32;
                let owner = &mut owners[*next as usize];
                if owner.0 == u32::MAX {
                    *owner = (index, turn);
                    let count = sockets.len() as u32;
                    return Ok(Place::Shared {
                        socket: *next % count,
                        address: *next / count,
                    });
                }
            }
            return Err(io::Error::from(io::ErrorKind::AddrInUse));
        }
        let port = match &mut self.kind {
            Kind::Own { spare, .. } => spare.pop(),
            Kind::Shared { .. } => None,
        };
        let port = match port {
            Some(port) => port,
            None => self.bind()?,
        };
        let data = epoll::EventData::new_u64(u64::from(turn & 0x7fff_ffff) << 32 | u64::from(index));
        epoll::add(&self.poll, &port, data, epoll::EventFlags::IN)?;
        Ok(Place::Own(port))
    }

    /// Gives a port back: its own is closed, so that what still comes is answered as on a real client.
    pub(crate) fn give_back(&mut self, place: Place) {
        if let (Place::Shared { socket, address }, Kind::Shared { sockets, owners, .. }) =
            (&place, &mut self.kind)
        {
            owners[(address * sockets.len() as u32 + socket) as usize] = (u32::MAX, 0);
        }
        drop(place);
    }

    /// The slot and turn a datagram at a shared socket is for.
    pub(crate) fn owner(&self, socket: u32, local: Option<IpAddr>) -> Option<(u32, u32)> {
        let (
            Kind::Shared {
                sockets,
                owners,
                thread,
                ..
            },
            Some(IpAddr::V4(local)),
        ) = (&self.kind, local)
        else {
            return None;
        };
        let address = u32::from(local).checked_sub(first_address(*thread))?;
        let at = (address.checked_mul(sockets.len() as u32)?).checked_add(socket)?;
        owners
            .get(at as usize)
            .copied()
            .filter(|owner| owner.0 != u32::MAX)
    }

    pub(crate) fn shared(&self, socket: u32) -> Option<&BulkPort> {
        match &self.kind {
            Kind::Shared { sockets, .. } => sockets.get(socket as usize),
            Kind::Own { .. } => None,
        }
    }

    pub(crate) fn send(&mut self, place: &Place, to: SocketAddr, octets: &[u8]) {
        self.sent += 1;
        match place {
            Place::None => {}
            Place::Own(port) => {
                let sent = sendto(port, octets, SendFlags::DONTWAIT, &to);
                // An ICMP answer to an earlier datagram is no failure of this one; the timers deal with both.
                self.failures += u64::from(!matches!(sent, Ok(_) | Err(Errno::CONNREFUSED)));
            }
            &Place::Shared { socket, address } => {
                let way = self.gather(socket, address, to);
                if let Kind::Shared { sockets, .. } = &self.kind {
                    self.send.datagram(&sockets[socket as usize], &way, octets);
                }
            }
        }
    }

    /// Sends blocks straight from the content.
    pub(crate) fn send_window(
        &mut self,
        place: &Place,
        to: SocketAddr,
        block: usize,
        heads: impl ExactSizeIterator<Item = [u8; 4]>,
        piece: &Piece,
    ) {
        self.sent += heads.len() as u64;
        let pieces = std::slice::from_ref(piece);
        match place {
            Place::None => {}
            Place::Own(port) => {
                let way = Way {
                    to,
                    from: None,
                    interface: 0,
                };
                self.send.window(port, &way, block, heads, pieces);
                self.send.flush(port);
            }
            &Place::Shared { socket, address } => {
                let way = self.gather(socket, address, to);
                if let Kind::Shared { sockets, .. } = &self.kind {
                    self.send
                        .window(&sockets[socket as usize], &way, block, heads, pieces);
                }
            }
        }
    }

    /// Messages are gathered for one socket at a time.
    fn gather(&mut self, socket: u32, address: u32, to: SocketAddr) -> Way {
        if self.gathered != Some(socket) {
            self.flush();
            self.gathered = Some(socket);
        }
        let thread = match &self.kind {
            Kind::Shared { thread, .. } => *thread,
            Kind::Own { .. } => 0,
        };
        Way {
            to,
            from: Some(Ipv4Addr::from(first_address(thread) + address).into()),
            interface: 0,
        }
    }

    pub(crate) fn flush(&mut self) {
        if let (Some(socket), Kind::Shared { sockets, .. }) = (self.gathered.take(), &self.kind) {
            self.send.flush(&sockets[socket as usize]);
        }
        let report = self.send.take_report();
        self.failures += report.failed + report.blocked;
    }

    /// Waits at most this long for something to read; `token` tells what.
    pub(crate) fn wait(&mut self, at_most_ns: u64) -> usize {
        let timeout = Timespec {
            tv_sec: (at_most_ns / 1_000_000_000) as i64,
            tv_nsec: (at_most_ns % 1_000_000_000) as i64,
        };
        self.tokens.clear();
        let mut events = [const { MaybeUninit::<epoll::Event>::uninit() }; EVENTS];
        // An interrupted wait is a short wait.
        if let Ok((ready, _)) = epoll::wait(&self.poll, &mut events[..], Some(&timeout)) {
            self.tokens.extend(ready.iter().map(|event| event.data.u64()));
        }
        self.tokens.len()
    }

    pub(crate) fn token(&self, at: usize) -> Token {
        let token = self.tokens[at];
        if token & SHARED == 0 {
            Token::Own {
                index: token as u32,
                turn: (token >> 32) as u32,
            }
        } else {
            Token::Shared { socket: token as u32 }
        }
    }
}

fn any(server: SocketAddr) -> IpAddr {
    match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// Threads have 127.64.0.0, 127.64.64.0 and so on: away from the addresses that services on loopback use.
fn first_address(thread: u32) -> u32 {
    u32::from(Ipv4Addr::new(127, 64, 0, 0)) + thread * ADDRESSES
}
