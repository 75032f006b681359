//! Identifiers and units that every floor of Purlin speaks.
//!
//! Nothing here does I/O, reads a clock or knows a service. A type is here when two rooms that must not know
//! each other have to agree on it: who a node is, what an epoch is, how time is counted, what an address range is.

mod address;
mod identity;
mod size;
mod slot;
mod time;

pub use address::{ClientId, ClientIdError, Ipv4Range, Mac, Prefix4, RangeError};
pub use identity::{Epoch, Incarnation, NodeId, NodeIdError};
pub use size::{ByteSize, SizeError};
pub use slot::{BLOCK_BITS, SLOTS, Slot, SlotSet};
pub use time::{BootTime, Now, Tenure, WallTime};
