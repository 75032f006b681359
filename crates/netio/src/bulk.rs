//! Datagrams for moving files: IPv4 and IPv6, any size, many blocks of shared content in one message.
//!
//! ```text
//!   BulkPort ──► BulkRecv (recvmmsg) ──► the service ──► BulkSend ──► BulkPort
//!                                          windows:  head|block head|block …   one message, cut by the kernel
//!                                          straight from shared content        (UDP_SEGMENT), many per sendmmsg
//! ```

mod address;
mod port;
mod recv;
mod send;

pub use port::{BulkOptions, BulkPort};
pub use recv::{BulkDatagram, BulkRecv};
pub use send::{BulkSend, HEAD, Piece, Way};
