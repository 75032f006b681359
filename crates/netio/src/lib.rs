//! The one crate that talks to the kernel: batched datagrams, raw frames, probes, steering, clocks.
//!
//! ```text
//!   UdpPort ──► RecvBatch (recvmmsg, 64) ──► the service ──► SendBatch (sendmmsg, 64) ──► UdpPort
//!      ▲                                                └──► FrameSocket (Ethernet frames)
//!      └─ steer: which socket of a group gets which packet     ArpProber, Pinger: who uses an address?
//! ```
//!
//! All `unsafe` of the project is here, in small functions around one system call each. The crate knows no
//! service: the only trace of DHCP is the payload offsets a caller hands to [`steer`].

mod arp;
mod bulk;
mod clock;
mod clock_sync;
mod event;
mod facts;
mod frame;
mod inbox;
mod interface;
mod packet;
mod ping;
mod poll;
mod recv;
mod send;
mod socket;
pub mod steer;
mod sys;
mod turns;

pub use arp::{ArpPacket, ArpProber};
pub use bulk::{BulkDatagram, BulkOptions, BulkPort, BulkRecv, BulkSend, HEAD, Piece, Way};
pub use clock::now;
pub use clock_sync::{ClockSync, clock_sync};
pub use event::Waker;
pub use facts::{Facts, boot_id, pin_to_core};
pub use frame::{FRAME_OVERHEAD, UdpFrame, internet_checksum};
pub use interface::{Interface, interface, interfaces};
pub use packet::FrameSocket;
pub use ping::Pinger;
pub use poll::{Poller, Ready, Trigger};
pub use recv::{BATCH, DATAGRAM_MAX, Datagram, RecvBatch};
pub use send::{Outgoing, SendBatch, SendReport};
pub use socket::{UdpOptions, UdpPort};
pub use turns::{prefer_this_thread, yield_when_woken};

#[cfg(any(test, feature = "netns"))]
pub mod netns;
