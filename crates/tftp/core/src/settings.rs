//! The checked boot-file settings: what packet threads, the file library and the HTTP side are built from. A value of
//! these types cannot be wrong.
//!
//! `reader` makes them from a configuration document and reports every fault; `plan` compiles names and rules.

mod default;
mod files;
mod text;

pub use files::{Action, Body, Family, Files, Links, MacPrefix, On, Rule, Template, Uploads, Who};

use crate::rule::Pattern;
use purlin_types::{ByteSize, Mac};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// How many packet threads there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Threads {
    /// One for two cores, and one at least. Fewer threads take more datagrams with each call, and the other cores have
    /// the kernel's part of receiving, disks, HTTP and whatever else runs there.
    #[default]
    PerTwoCores,
    PerCore,
    Count(u16),
}

impl Threads {
    /// The number on a machine of so many cores.
    #[must_use]
    pub fn on(self, cores: u16) -> u16 {
        let count = match self {
            Self::PerTwoCores => cores / 2,
            Self::PerCore => cores,
            Self::Count(count) => count,
        };
        count.max(1)
    }
}

/// The whole `[tftp]` section, with the boot profiles of `[boot]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub enabled: bool,
    /// UDP addresses, IPv4 and IPv6.
    pub listen: Vec<SocketAddr>,
    pub threads: Threads,
    /// Most threads of all kinds that may block on disks; `None` leaves it to `io.threads` alone.
    pub blocking_threads: Option<u16>,
    pub affinity: Affinity,
    pub ports: Ports,
    /// Octets of socket buffers asked for; the kernel may give less.
    pub receive_buffer: u32,
    pub send_buffer: u32,
    pub backend: Backend,
    /// Whether `MSG_ZEROCOPY` may be used where it pays.
    pub zero_copy: bool,
    /// Decision records kept per packet thread.
    pub decisions: u32,
    pub limits: Limits,
    pub timing: Timing,
    /// What every client may ask for, unless one of `classes` fits first.
    pub caps: Caps,
    pub classes: Vec<ClientClass>,
    pub files: Files,
    pub cache: Cache,
    pub io: Io,
    pub http: Http,
    /// How boot events are gathered before they leave for the event stream.
    pub batch: Batch,
    pub profiles: Vec<Profile>,
}

/// Gathering of events. Off, every event leaves alone; nothing is lost or changed either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    pub enabled: bool,
    /// Most events in one batch, 1 to 1,000,000.
    pub size: u32,
    /// The longest that an event waits for others.
    pub wait: Duration,
}

/// Which cores packet threads run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Affinity {
    /// Thread n on core n.
    Auto,
    Off,
    /// Thread n on the n-th of these, over and over.
    Cores(Vec<u16>),
}

/// Which port a transfer is answered from (RFC 1350, section 4: the server's transfer identifier).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ports {
    /// The listening port for everything: passes NAT and simple firewalls.
    Single,
    /// A port of its own per transfer out of this range, first <= last; 0-0 lets the kernel choose.
    Range { first: u16, last: u16 },
}

/// How packet threads wait and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Epoll,
    IoUring,
}

/// How many transfers may be open at once; 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Per machine: by hardware address where the lease is known here, else by IP address.
    pub per_client: u32,
    pub per_ip: u32,
    /// Over all clients; in a cluster of each node, where the other two count all nodes.
    pub total: u32,
    /// Transfers whose memory is taken at the start, so that the first storm allocates nothing. At most `total`; each
    /// packet thread takes its share.
    pub prepared: u32,
}

/// Patience. All are upper or lower bounds around what the measured round trip asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// First retransmission while no round trip is known. 10 ms to 10 s.
    pub first: Duration,
    /// Shortest and longest wait before a retransmission. A `timeout` option lowers `longest` to its value.
    pub shortest: Duration,
    pub longest: Duration,
    /// Retransmissions in a row without an answer before a transfer is given up; those count that came after at least
    /// `first` of silence, or `longest` when that is shorter. 1 to 255.
    pub attempts: u8,
    /// A transfer whose first answer (OACK, DATA 1 or ACK 0) stays without any answer for this long ends.
    pub answer: Duration,
    /// A transfer without any sign of the client for this long ends, whatever else holds.
    pub idle: Duration,
    /// A transfer ends after this long even when it moves; zero is never.
    pub lifetime: Duration,
    /// How long a finished transfer still answers repeated last packets (RFC 1350, section 6).
    pub dally: Duration,
}

/// What a client may negotiate at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Octets per DATA block, 8 to 65464 (RFC 2348).
    pub blksize: u16,
    /// Blocks per ACK, 1 to 65535 (RFC 7440); larger wishes are answered with this value.
    pub windowsize: u16,
    /// Path MTU in octets: blksize is lowered until a block fits; 0 does not look.
    pub mtu: u16,
    /// The block number after 65535: 0 or 1.
    pub rollover: u8,
    /// Whether options are understood at all; without, everything goes by RFC 1350 alone.
    pub options: bool,
}

/// Caps for some clients. The first class that fits counts; every condition that is set must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientClass {
    pub name: String,
    pub networks: Vec<Network>,
    /// Regular expression over the name as it was asked for.
    pub file: Option<Pattern>,
    /// What the client asks for: the blksize that tells an iPXE (1432) from an EDK2 (1468).
    pub asks_blksize: Option<u16>,
    pub asks_windowsize: Option<bool>,
    pub caps: Caps,
}

/// An IPv4 or IPv6 prefix without host bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    pub address: IpAddr,
    pub length: u8,
}

impl Network {
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.length)).unwrap_or(0);
                u32::from(net) & mask == u32::from(ip) & mask
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.length)).unwrap_or(0);
                u128::from(net) & mask == u128::from(ip) & mask
            }
            _ => false,
        }
    }
}

/// The content cache that TFTP and HTTP share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    pub enabled: bool,
    /// Octets of content at most; `None` is a quarter of the machine's memory. Never more than three quarters of it,
    /// whatever is asked for.
    pub size_max: Option<ByteSize>,
    /// How long metadata, listings and misses are believed without a look at the disk, unless a change was noticed.
    pub ttl: Duration,
    /// Metadata shared with other nodes.
    pub shared: Shared,
}

/// Where shared metadata lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shared {
    /// In this process.
    Local,
    /// Wherever `[coordination]` has the nodes meet.
    Cluster,
    /// In a Redis of its own, without a password.
    Redis { nodes: Vec<String>, cluster: bool },
}

/// How disks are read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Io {
    pub threads: u16,
    /// Read on I/O threads; off reads on the asking thread.
    pub asynchronous: bool,
    /// `O_DIRECT`: past the page cache, where the file system can.
    pub direct: bool,
    /// Octets read ahead of a transfer.
    pub read_ahead: ByteSize,
}

/// HTTP and HTTPS boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    pub listen: Vec<SocketAddr>,
    /// Listeners with TLS, by the node's certificate.
    pub https: Vec<SocketAddr>,
    pub nodelay: bool,
    pub keepalive: bool,
    /// Connections at most over all.
    pub connections_max: u32,
    /// Connections at most for one address; 0 is no limit.
    pub per_ip: u32,
    /// An idle connection is closed after this.
    pub idle: Duration,
    /// A connection is closed after its request when it is older; zero is never.
    pub lifetime: Duration,
    /// How long a request may take to arrive.
    pub request: Duration,
    pub compression: Compression,
}

/// gzip for HTTP clients that ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compression {
    pub enabled: bool,
    /// 0 to 9.
    pub level: u8,
    /// Smaller files go plain.
    pub size_min: u64,
}

/// What a kind of machine boots: `[[boot.profiles]]`. [`crate::profile::select`] chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub name: String,
    pub fits: Fits,
    /// The boot file: a name in the boot tree, or a whole URL.
    pub file: String,
    /// The server to fetch it from; `None` is this one.
    pub server: Option<Ipv4Addr>,
    /// Values for templates.
    pub values: Vec<(String, String)>,
}

/// Which clients a profile is for; every condition that is set must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fits {
    /// Architecture names of option 93 as DHCP spells them: `bios`, `uefi-x64`, `uefi-arm64`, `uefi-x64-http`, ...
    pub architectures: Vec<String>,
    /// A user class (option 77) such as `iPXE`.
    pub user_class: Option<String>,
    pub macs: Vec<Mac>,
    /// Names of subnets.
    pub subnets: Vec<String>,
}
