//! The checked DHCP settings: what the packet path is built from. A value of these types cannot be wrong.
//!
//! `reader` makes them from a configuration document and reports every fault; `plan` compiles them for the
//! packet path. Nothing here is on the packet path itself.

mod boot;
mod plain;

pub use boot::BootEntries;
pub(crate) use boot::Machines;

use purlin_types::{Ipv4Range, Mac, Prefix4};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// When a binding's ACK may leave (fabric rules R1, R2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckMode {
    /// After the record is durable; full lease at once.
    Durable,
    /// At once, promising at most [`Settings::mclt`] more than what is durable.
    Lead,
}

/// How an address is checked for a foreign user before it is offered for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictCheck {
    Off,
    /// ICMP echo; for relayed networks and local ones.
    Ping,
    /// ARP probe (RFC 5227); local segments only.
    Arp,
}

/// The whole `[dhcp]` section.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub enabled: bool,
    /// UDP sockets for relayed and unicast traffic.
    pub listen: Vec<SocketAddrV4>,
    /// Local segments by interface name: broadcast in, raw frames out.
    pub interfaces: Vec<String>,
    /// Packet threads; `None` is one per core.
    pub threads: Option<u16>,
    pub ack: AckMode,
    /// Maximum client lead time: how much more than what is durable a client may be promised.
    pub mclt: Duration,
    /// Whether unknown addresses on our networks are refused with DHCPNAK (RFC 2131, 4.3.2).
    pub authoritative: bool,
    /// The server identifier (option 54) for all networks; `None` takes the address the request came to.
    pub server_id: Option<Ipv4Addr>,
    /// Whether the client identifier is echoed (RFC 6842).
    pub echo_client_id: bool,
    /// Whether a DISCOVER that asks for it is answered by ACK at once (RFC 4039).
    pub rapid_commit: bool,
    /// Whether BOOTP clients (no option 53) are served.
    pub bootp: bool,
    /// How long an offered address stays reserved in memory.
    pub offer_hold: Duration,
    /// How long a declined address stays out of use.
    pub decline_hold: Duration,
    /// How long an expired or released lease is kept for its last client while others are free.
    pub affinity: Duration,
    pub conflict_check: ConflictCheck,
    /// How long a probe waits for an answer.
    pub conflict_wait: Duration,
    /// Whether boot clients are told what to boot while another server gives the addresses (PXE 2.1, section 2.2).
    /// Each subnet says for itself ([`Subnet::proxy`]); without any subnet this holds for every client.
    pub proxy: bool,
    pub limits: Limits,
    pub scope: Scope,
    pub option_defs: Vec<OptionDef>,
    pub classes: Vec<Class>,
    pub networks: Vec<Network>,
    /// Reservations that hold in whichever subnet contains their address.
    pub reservations: Vec<Reservation>,
    /// Expression that yields the flexible identifier for `flex_id` reservations.
    pub flex_id: Option<String>,
    /// Decisions kept per packet thread.
    pub decisions: u32,
    /// Boot answers for clients to whom no scope gives a boot file, from parts of the configuration outside of DHCP.
    pub profiles: Vec<BootProfile>,
}

impl Settings {
    /// Adds a boot answer behind those already there, for clients of the `subnets` named, or of all when none is. What
    /// the scopes say of boot files comes before it.
    pub fn add_boot(&mut self, entry: BootEntry, subnets: &[String]) {
        let subnets = subnets.to_vec();
        self.profiles.push(BootProfile { entry, subnets });
    }

    /// Whether any client is answered as beside another server.
    #[must_use]
    pub fn has_proxy(&self) -> bool {
        let mut subnets = self.networks.iter().flat_map(|network| &network.subnets);
        subnets.any(|subnet| subnet.proxy) || (self.proxy && self.networks.is_empty())
    }

    /// The longest lease that any client may be given; leases without an end are left out.
    #[must_use]
    pub fn longest_lease(&self) -> Duration {
        let subnets = || self.networks.iter().flat_map(|network| &network.subnets);
        let reservations = subnets()
            .flat_map(|subnet| &subnet.reservations)
            .chain(&self.reservations);
        let scopes = std::iter::once(&self.scope)
            .chain(self.classes.iter().map(|class| &class.scope))
            .chain(self.networks.iter().map(|network| &network.scope))
            .chain(subnets().map(|subnet| &subnet.scope))
            .chain(subnets().flat_map(|subnet| &subnet.pools).map(|pool| &pool.scope))
            .chain(reservations.map(|reservation| &reservation.scope));
        let fallback = Duration::from_secs(crate::template::LEASE_DEFAULT.into());
        scopes
            .flat_map(|scope| [scope.lease_time, scope.lease_time_min, scope.lease_time_max])
            .flatten()
            .filter(|lease| lease.as_secs() < u64::from(u32::MAX))
            .fold(fallback, Duration::max)
    }
}

/// Rate limits as packets per second with a burst of as many; 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub per_client: u32,
    pub per_relay: u32,
}

/// What every level (global, network, subnet, pool, class, reservation) may set for its clients.
/// Later levels win: global < network < subnet < pool < class < reservation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    pub lease_time: Option<Duration>,
    pub lease_time_min: Option<Duration>,
    pub lease_time_max: Option<Duration>,
    /// Renewal (T1) and rebinding (T2) times; defaults are 1/2 and 7/8 of the lease time.
    pub t1: Option<Duration>,
    pub t2: Option<Duration>,
    /// `siaddr`, `sname`, `file` of the fixed header.
    pub next_server: Option<Ipv4Addr>,
    pub server_name: Option<String>,
    pub boot_file: Option<String>,
    pub options: Vec<OptionValue>,
    /// RFC 8925: seconds for which the client may switch IPv4 off; sent when requested.
    pub v6_only_wait: Option<Duration>,
    /// Boot answers by client architecture and machine; first match wins.
    pub boot: BootEntries,
}

/// One option as it goes on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionValue {
    pub code: u8,
    /// Encoded value; more than 255 octets are split as RFC 3396 says.
    pub data: Vec<u8>,
    /// Sent even when the client did not ask for it.
    pub always: bool,
}

/// An option that the configuration defines by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionDef {
    pub name: String,
    pub code: u8,
    /// Type in the words of `purlin_dhcp_proto::catalog`, e.g. `ip`, `ip[]`, `u16`, `string`, `hex`.
    pub kind: String,
}

/// What a booting client gets when every condition that is set holds for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BootEntry {
    /// What decisions call it; without a name, its place in the list.
    pub name: Option<String>,
    /// Architecture codes of option 93 that match; empty matches all.
    pub architectures: Vec<u16>,
    /// User class (option 77) that must be there, e.g. `iPXE`. Of the entries in one place that fit, the first with a
    /// user class comes before those without: a boot program that asks again must not be told to load itself.
    pub user_class: Option<String>,
    /// Hardware addresses that match; empty matches all.
    pub macs: Vec<Mac>,
    /// File name, or a whole URI. `{server}` in it stands for this server's address.
    pub file: String,
    /// Where the file is; `None` is what the scopes say, else this server.
    pub next_server: Option<Ipv4Addr>,
}

/// A boot answer from outside of DHCP's own configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootProfile {
    pub entry: BootEntry,
    /// Names of the subnets it holds in; empty is all.
    pub subnets: Vec<String>,
}

/// A client class: members are found by expression, by a built-in test, or named by reservations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    pub name: String,
    /// Membership test in the expression language; `None` is by reservation only.
    pub test: Option<String>,
    pub scope: Scope,
    /// Members get no answer at all.
    pub drop: bool,
}

/// A shared network: subnets on one link, between which clients may move. A plain subnet is a network of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    pub name: String,
    pub scope: Scope,
    pub subnets: Vec<Subnet>,
}

/// One subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    pub name: String,
    pub network: Prefix4,
    pub pools: Vec<Pool>,
    pub scope: Scope,
    pub reservations: Vec<Reservation>,
    /// Relay (giaddr) or receiving addresses outside the subnet that nevertheless select it.
    pub relays: Vec<Ipv4Range>,
    /// Interfaces whose local clients belong here, besides those whose address lies in the subnet.
    pub interfaces: Vec<String>,
    /// Only members of one of these classes are served here; empty serves all.
    pub classes: Vec<String>,
    /// Overrides the service's conflict check.
    pub conflict_check: Option<ConflictCheck>,
    /// Only clients with a reservation are served.
    pub reserved_only: bool,
    /// Another server gives the addresses here; only boot clients are answered, and only with what to boot.
    pub proxy: bool,
}

/// A range of addresses for dynamic bindings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    pub range: Ipv4Range,
    /// Only members of one of these classes; empty admits all.
    pub classes: Vec<String>,
    pub scope: Scope,
}

/// Who a reservation is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReservedFor {
    Mac(Mac),
    ClientId(Vec<u8>),
    /// Option 82, sub-option 1.
    CircuitId(Vec<u8>),
    /// Option 82, sub-option 2.
    RemoteId(Vec<u8>),
    /// Option 97 (RFC 4578), 16 octets.
    Uuid([u8; 16]),
    /// The value of [`Settings::flex_id`].
    Flex(Vec<u8>),
}

/// A fixed answer for one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    pub client: ReservedFor,
    /// `None` gives a dynamic address with this reservation's options and classes.
    pub address: Option<Ipv4Addr>,
    pub hostname: Option<String>,
    pub classes: Vec<String>,
    pub scope: Scope,
}
