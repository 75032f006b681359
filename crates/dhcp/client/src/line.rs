//! How a single client reaches servers: as a relay by unicast, or on a segment by broadcast.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use purlin_netio::{FRAME_OVERHEAD, FrameSocket, RecvBatch, UdpFrame, UdpOptions, UdpPort, interface};
use purlin_types::Mac;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

const SERVER_PORT: u16 = 67;
const CLIENT_PORT: u16 = 68;
const PAYLOAD_MAX: usize = 1472;
const ANYBODY: [u8; 6] = [0xff; 6];

/// Why there is no way to the servers.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    #[error("cannot bind {bind}; is the address on this machine, the port free, and allowed to this user?")]
    Bind { bind: SocketAddrV4, source: io::Error },
    #[error("cannot list the network interfaces")]
    Interfaces(#[source] io::Error),
    #[error("there is no interface {0:?}")]
    NoInterface(String),
    #[error("interface {0:?} is down; try: ip link set {0} up")]
    Down(String),
    #[error("interface {0:?} is not Ethernet")]
    NotEthernet(String),
    #[error("cannot send raw frames on {name:?}; run as root or with CAP_NET_RAW")]
    Raw { name: String, source: io::Error },
    #[error("cannot send to the server")]
    Send(#[source] io::Error),
    #[error("cannot receive")]
    Receive(#[source] io::Error),
}

#[derive(Debug)]
enum Way {
    Relay { server: SocketAddrV4 },
    Segment { frames: FrameSocket, index: u32 },
}

/// A way to one server or to all on a segment.
#[derive(Debug)]
pub(crate) struct Line {
    port: UdpPort,
    batch: Box<RecvBatch>,
    /// Datagrams of the batch already handed out.
    taken: usize,
    way: Way,
}

impl Line {
    /// Speaks to one server from `bind`; answers come back there.
    pub(crate) fn relay(server: SocketAddrV4, bind: SocketAddrV4) -> Result<Self, LineError> {
        let port =
            UdpPort::bind(bind, &UdpOptions::default()).map_err(|source| LineError::Bind { bind, source })?;
        Ok(Self::over(port, Way::Relay { server }))
    }

    /// Broadcasts on an interface, whether or not it has an address.
    pub(crate) fn segment(name: &str) -> Result<Self, LineError> {
        let found = interface(name).map_err(LineError::Interfaces)?;
        let found = found.ok_or_else(|| LineError::NoInterface(name.to_owned()))?;
        if !found.up {
            return Err(LineError::Down(name.to_owned()));
        }
        if found.mac.is_none() {
            return Err(LineError::NotEthernet(name.to_owned()));
        }
        let raw = |source| LineError::Raw {
            name: name.to_owned(),
            source,
        };
        let frames = FrameSocket::open().map_err(raw)?;
        let bind = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT);
        let options = UdpOptions {
            device: Some(name),
            broadcast: true,
            ..UdpOptions::default()
        };
        let port = UdpPort::bind(bind, &options).map_err(|source| LineError::Bind { bind, source })?;
        Ok(Self::over(
            port,
            Way::Segment {
                frames,
                index: found.index,
            },
        ))
    }

    fn over(port: UdpPort, way: Way) -> Self {
        Self {
            port,
            batch: Box::new(RecvBatch::new()),
            taken: 0,
            way,
        }
    }

    /// Where answers are expected.
    pub(crate) fn local(&self) -> SocketAddrV4 {
        self.port.local_address()
    }

    /// On a segment the broadcast flag must be set: without an address nobody could send to us otherwise.
    pub(crate) fn is_segment(&self) -> bool {
        matches!(self.way, Way::Segment { .. })
    }

    /// Sends a message; on a segment as from `mac` and `from`, to everybody's port 67 at `to`.
    pub(crate) fn send(
        &self,
        message: &[u8],
        mac: Mac,
        from: Ipv4Addr,
        to: Ipv4Addr,
    ) -> Result<(), LineError> {
        match &self.way {
            Way::Relay { server } => {
                rustix::net::sendto(&self.port, message, rustix::net::SendFlags::empty(), server)
                    .map_err(|e| LineError::Send(e.into()))?;
                Ok(())
            }
            Way::Segment { frames, index } => {
                let frame = UdpFrame {
                    source_mac: mac.0,
                    target_mac: ANYBODY,
                    source: SocketAddrV4::new(from, CLIENT_PORT),
                    target: SocketAddrV4::new(to, SERVER_PORT),
                    payload: message,
                };
                let mut out = [0; FRAME_OVERHEAD + PAYLOAD_MAX];
                let frame = frame
                    .compose(&mut out)
                    .ok_or_else(|| LineError::Send(io::ErrorKind::InvalidInput.into()))?;
                frames.send(*index, frame).map_err(LineError::Send)
            }
        }
    }

    /// The next datagram and who sent it; `None` when `deadline` passes.
    pub(crate) fn receive(
        &mut self,
        deadline: Instant,
    ) -> Result<Option<(Vec<u8>, SocketAddrV4)>, LineError> {
        loop {
            if self.taken < self.batch.len() {
                let datagram = self.batch.get(self.taken);
                self.taken += 1;
                return Ok(Some((datagram.payload.to_vec(), datagram.source)));
            }
            self.taken = 0;
            // A refused datagram comes back as an error here; the wait goes on, the server may start meanwhile.
            if self.batch.receive(&self.port).unwrap_or(0) > 0 {
                continue;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.wait(left)?;
        }
    }

    fn wait(&self, at_most: Duration) -> Result<(), LineError> {
        let timeout = Timespec {
            tv_sec: at_most.as_secs() as i64,
            tv_nsec: i64::from(at_most.subsec_nanos()),
        };
        match poll(
            &mut [PollFd::from_borrowed_fd(self.port.as_fd(), PollFlags::IN)],
            Some(&timeout),
        ) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(e) => Err(LineError::Receive(e.into())),
        }
    }
}

/// Differs from run to run; transaction ids need no more (RFC 2131, section 4.4.1).
pub(crate) fn some_xid() -> u32 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    (since.as_nanos() as u32).wrapping_mul(0x9e37_79b1) ^ std::process::id().rotate_left(16)
}
