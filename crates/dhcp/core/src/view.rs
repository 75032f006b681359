//! Leases, utilisation and decisions as people and programs outside the packet path see them.

pub(crate) mod stored;

use purlin_telemetry::Decision;
use purlin_types::{Ipv4Range, Mac};
use std::net::Ipv4Addr;

/// Where an address stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum LeaseState {
    /// Never bound, or its record has been dropped.
    Free = 0,
    /// Offered in memory only (rule R6).
    Offered = 1,
    Bound = 2,
    /// Ended by time; kept for its last client while other addresses are free.
    Expired = 3,
    /// Ended by the client's RELEASE or by an operator; kept likewise.
    Released = 4,
    /// A client or a probe found somebody else using it.
    Declined = 5,
}

impl LeaseState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Offered => "offered",
            Self::Bound => "bound",
            Self::Expired => "expired",
            Self::Released => "released",
            Self::Declined => "declined",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Free,
            Self::Offered,
            Self::Bound,
            Self::Expired,
            Self::Released,
            Self::Declined,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
    }
}

/// One lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseView {
    pub address: Ipv4Addr,
    pub state: LeaseState,
    pub mac: Mac,
    /// Hardware type and full hardware address when it is no 48-bit Ethernet one.
    pub hardware: Option<(u8, Vec<u8>)>,
    pub client_id: Option<Vec<u8>>,
    pub hostname: Option<String>,
    pub circuit_id: Option<Vec<u8>>,
    pub remote_id: Option<Vec<u8>>,
    pub vendor_class: Option<String>,
    pub giaddr: Option<Ipv4Addr>,
    /// Seconds since the Unix epoch.
    pub last_seen: u32,
    pub expires: u32,
    pub reserved: bool,
    pub network: String,
    pub subnet: String,
}

/// What is known of a machine that boots, for those who make files for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootFacts {
    pub mac: Mac,
    /// As its reservation or else its lease has it.
    pub hostname: Option<String>,
    /// Name of the subnet.
    pub subnet: Option<String>,
    /// Name of the first architecture (option 93), or its number when it has none. As it was said last.
    pub architecture: Option<String>,
    /// The first user class (option 77), at most 64 octets. As it was said last.
    pub user_class: Option<String>,
    /// Option 97.
    pub uuid: Option<[u8; 16]>,
}

/// Which leases are wanted. All filters must hold; empty ones hold for all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeaseQuery {
    /// Part of anything, case-insensitive: address, MAC, client id, host name, circuit or remote id.
    pub text: String,
    pub subnet: String,
    pub state: Option<LeaseState>,
    /// Only addresses above this one: the cursor.
    pub after: Option<Ipv4Addr>,
    pub limit: usize,
}

/// A page of leases in address order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeasePage {
    pub leases: Vec<LeaseView>,
    /// Pass as `after` for the next page; `None` when this was the last.
    pub next: Option<Ipv4Addr>,
}

/// How full a subnet is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubnetUse {
    pub network: String,
    pub subnet: String,
    /// Addresses in its pools.
    pub size: u64,
    /// Here and below: of the whole subnet, reserved addresses outside of its pools among them.
    pub bound: u64,
    pub offered: u64,
    pub declined: u64,
    /// Expired or released, free for anyone once nothing fresher is left.
    pub reusable: u64,
    pub reserved: u64,
    /// In the order of the configuration.
    pub pools: Vec<PoolUse>,
}

/// How full a pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    pub range: Ipv4Range,
    pub bound: u64,
    pub offered: u64,
    pub declined: u64,
    /// Expired or released.
    pub reusable: u64,
}

impl PoolUse {
    /// Addresses in it that nobody new can have: bound, or found to be somebody's without a lease.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.bound + self.declined
    }
}

impl SubnetUse {
    /// Addresses in its pools that nobody new can have.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.pools.iter().map(PoolUse::taken).sum()
    }
}

/// Which decisions are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DecisionQuery {
    pub mac: Option<Mac>,
    pub address: Option<Ipv4Addr>,
    /// Hash of the client key, as a lease carries it.
    pub key: Option<u64>,
    pub reason: Option<u16>,
    /// Only refusals, silence and drops.
    pub notable_only: bool,
    pub limit: usize,
}

/// A decision with its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub decision: Decision,
    /// What came in, e.g. `DHCPDISCOVER`.
    pub event: &'static str,
    /// What went out, e.g. `DHCPOFFER`, or `-`.
    pub answer: &'static str,
    /// The reason in words with its parameters.
    pub text: String,
    pub slug: &'static str,
    pub subnet: Option<String>,
}
