//! Addresses that another part of the installation gives to machines, for as long as it says so.
//!
//! ```text
//!   pins ─► with the settings ─► address kept from everybody, and given to the machine that it is for
//!                            └─► conflict: what of them does not hold, and why
//! ```
//!
//! They are no configuration: they have no revisions, and come and go while packets are answered. What the configuration
//! reserves goes before them. The rules about leases hold as for every other address: one that is under a lease of somebody
//! else is not given before that has ended.

use purlin_types::Mac;
use std::fmt;
use std::net::Ipv4Addr;

/// An address and the machine that it is for.
///
/// Of several for one machine on one link the first is given; the others are kept from everybody. An address that is for
/// several machines goes to whichever comes first, and is kept from all others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin {
    pub mac: Mac,
    pub address: Ipv4Addr,
    /// An address on the machine's link: only what belongs to the same link holds, so that whoever says what is behind one
    /// link cannot take addresses of another.
    pub within: Ipv4Addr,
    /// Who says so, for people: `port web-1 of switch web`.
    pub by: String,
}

/// A pin that does not hold as it is meant, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinConflict {
    pub pin: Pin,
    pub trouble: PinTrouble,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinTrouble {
    /// No subnet has the address, or it is none that a machine may have.
    NoSubnet,
    /// Its subnet is on another link than `within`.
    OtherLink,
    /// The configuration reserves it for another client.
    Reserved,
    /// The configuration reserves this address for the machine.
    MachineHas(Ipv4Addr),
    /// Also for another machine: who says that.
    Shared(String),
}

impl fmt::Display for PinConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pin {
            mac,
            address,
            within,
            by,
        } = &self.pin;
        write!(f, "{address} for {mac} by {by}: ")?;
        match &self.trouble {
            PinTrouble::NoSubnet => f.write_str("no subnet has a machine's address of that kind"),
            PinTrouble::OtherLink => write!(f, "its subnet is on another link than {within}"),
            PinTrouble::Reserved => f.write_str("the configuration reserves it for another client"),
            PinTrouble::MachineHas(other) => {
                write!(f, "the configuration reserves {other} for this machine")
            }
            PinTrouble::Shared(other) => {
                write!(f, "it is also the address of {other}; the first to come has it")
            }
        }
    }
}

impl PinConflict {
    /// What to do about it.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self.trouble {
            PinTrouble::NoSubnet => "add a subnet with this address to [dhcp], or correct the address",
            PinTrouble::OtherLink => "correct the address, or put its subnet into the same shared network",
            PinTrouble::Reserved | PinTrouble::MachineHas(_) => {
                "remove the reservation from the configuration, or correct the address"
            }
            PinTrouble::Shared(_) => "give one of them another address",
        }
    }
}
