//! TFTP packets: bytes to values and back.
//!
//! ```text
//!   datagram ──► packet::Packet ──► request::Request ──► wishes::Wishes ──► whoever decides
//!                                                                               │
//!   wire     ◄── compose (four octets, or a Composer over the caller's buffer) ◄┘
//! ```
//!
//! Nothing here knows a file, a socket or a clock, and nothing allocates. No input can make a reader panic or loop.
//! [`block`] holds the arithmetic of block numbers that wrap, [`netascii`] the text mode.
//!
//! Sources: RFC 1350 (protocol), 2347 (options), 2348 (`blksize`), 2349 (`timeout`, `tsize`), 7440 (`windowsize`), and
//! the options `utimeout`, `rollover` and `blksize2` as tftp-hpa defines them.

pub mod block;
pub mod compose;
mod error_code;
pub mod netascii;
pub mod option;
pub mod packet;
pub mod request;
pub mod wishes;

pub use block::Rollover;
pub use compose::Composer;
pub use error_code::ErrorCode;
pub use option::{OptionName, Options};
pub use packet::{Packet, ParseError};
pub use request::{Mode, Request};
pub use wishes::{Fault, Terms, Wishes};

/// Octets before the payload of a DATA packet; an ACK is as long.
pub const HEADER: usize = 4;
/// Octets per block when nothing was negotiated (RFC 1350, section 2).
pub const BLKSIZE_DEFAULT: u16 = 512;
/// RFC 2348: "valid values range between 8 and 65464 octets, inclusive".
pub const BLKSIZE_MIN: u16 = 8;
/// See [`BLKSIZE_MIN`].
pub const BLKSIZE_MAX: u16 = 65_464;
