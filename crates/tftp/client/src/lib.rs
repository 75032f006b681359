//! The other side of the wire: a TFTP client, and ten thousand of them at once, every octet verified.
//!
//! ```text
//!   transfer   get and put one file                   (RFC 1350, 2347-2349, 7440)
//!   bench      load: profiles of boot clients, faults, percentiles, verification
//!   proxy      a UDP proxy that loses, doubles, delays and changes datagrams by seed
//!     receiver ── which DATA is wanted, when to acknowledge     (pure)
//!     sender ──── which blocks an ACK calls for                 (pure)
//!     faults ──── what happens to a datagram                    (pure)
//! ```
//!
//! It knows nothing of Purlin's server and works against any other just the same.

pub mod bench;
mod faults;
#[cfg(test)]
mod pair;
pub mod proxy;
mod receiver;
mod sender;
mod transfer;

pub use faults::Faults;
pub use purlin_tftp_proto::{Mode, Rollover};
pub use transfer::{
    OnProgress, OptionsError, TransferError, TransferOptions, TransferProgress, TransferReport, get,
    get_to_file, put, put_file,
};
