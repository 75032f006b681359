//! DHCPv4 messages: bytes to values and back.
//!
//! ```text
//!   payload ──► message::Message (view, one pass, no copy) ──► whoever decides
//!                                                                    │
//!   wire    ◄── compose::Composer (writes into the caller's buffer) ◄┘
//!
//!   configuration text ──► catalog::encode ──► option octets ──► catalog::render ──► people
//! ```
//!
//! Nothing here knows a lease, a subnet, a socket or a clock. Reading and composing allocate nothing; the
//! [`catalog`] does, because it works for configuration and for people. No input can make a reader panic or loop:
//! every walk moves forward by at least one octet inside a slice of known length.
//!
//! Source of the format: RFC 2131 section 2, RFC 2132 section 2, RFC 3396.

pub mod arch;
pub mod catalog;
pub mod code;
pub mod compose;
pub mod message;
mod message_type;

pub use arch::Arch;
pub use compose::{Composed, Composer};
pub use message::{Message, ParseError};
pub use message_type::MessageType;
