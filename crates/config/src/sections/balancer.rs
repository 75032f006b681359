//! `[balancer]`: fronts before the nodes.

mod front;
mod keys;

use crate::{Document, Faults, Reader, Section, check_section};
use front::{contradiction, front, missing};
use keys::{FRONT, HEALTH, LIMITS};
use std::net::SocketAddr;
use std::time::Duration;

static SECTION: Section = Section::new(
    "balancer",
    "Fronts that spread clients over nodes.",
    &[keys::BALANCER],
);

/// What is spoken through a front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrontService {
    Dhcp,
    Tftp,
    Udp,
    Tcp,
    Http,
}

/// What tells clients apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HashKey {
    Client,
    Chaddr,
    Giaddr,
    ClientIp,
    /// The file that is asked for.
    File,
    /// A header of HTTP.
    Header(String),
}

/// How backends are probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckKind {
    None,
    Tcp,
    /// `GET` of this path must answer 200.
    Http(String),
}

/// A listed backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendSettings {
    pub name: String,
    pub address: SocketAddr,
    pub check: SocketAddr,
    pub weight: u16,
}

/// Where backends come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackendSource {
    Listed(Vec<BackendSettings>),
    /// The nodes of the cluster; the port of the service, and of probes, where they are not a node's API port.
    Members {
        port: Option<u16>,
        check_port: Option<u16>,
    },
}

/// A checked front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontSettings {
    pub name: String,
    pub service: FrontService,
    pub listen: SocketAddr,
    /// One of the four words.
    pub algorithm: String,
    pub hash_key: HashKey,
    pub stickiness: Duration,
    pub backends: BackendSource,
    pub check: CheckKind,
    pub check_interval: Duration,
    pub check_timeout: Duration,
    pub rise: u8,
    pub fall: u8,
    pub eject_after: u16,
    pub eject_time: Duration,
    pub eject_percent_max: u8,
    pub panic_percent: u8,
    pub slow_start: Duration,
    pub patience: Option<Duration>,
    pub clients_max: u32,
    pub connect_timeout: Duration,
    pub attempts: u8,
    pub idle_timeout: Duration,
    pub proxy_protocol: bool,
}

/// The checked `[balancer]` section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BalancerSettings {
    pub fronts: Vec<FrontSettings>,
}

/// What other sections say for fronts that do not say it themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BalancerDefaults {
    pub algorithm: Option<String>,
    /// The rule for TFTP, where that has one of its own.
    pub tftp_algorithm: Option<String>,
    /// What TFTP hashes; a word that is none of a TFTP front's is the usual one.
    pub tftp_hash_key: Option<String>,
    pub health_check: Option<bool>,
    pub health_check_interval: Option<Duration>,
}

/// The schema of `[balancer]`.
#[must_use]
pub fn section() -> &'static Section {
    &SECTION
}

/// Reads `[balancer]`; `None` when it has errors, which are then in `faults`. Without the section there are no fronts.
#[must_use]
pub fn read(
    document: &Document,
    defaults: &BalancerDefaults,
    faults: &mut Faults,
) -> Option<BalancerSettings> {
    let before = faults.errors();
    check_section(document, &SECTION, faults);
    let reader = Reader::section(document, &SECTION);
    if reader.is_present() && reader.items("fronts").is_empty() {
        missing(&reader, "fronts", "a balancer needs a front", faults);
    }
    let tables = reader.tables("fronts", &[FRONT, HEALTH, LIMITS]);
    let fronts: Vec<_> = tables
        .iter()
        .map(|table| front(table, defaults, faults))
        .collect();
    twice(&tables, &fronts, faults);
    let fronts = fronts.into_iter().collect::<Option<_>>()?;
    (faults.errors() == before).then_some(BalancerSettings { fronts })
}

impl FrontService {
    /// Whether it takes connections, not datagrams.
    #[must_use]
    pub const fn is_tcp(self) -> bool {
        matches!(self, Self::Tcp | Self::Http)
    }

    /// The word of the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dhcp => "dhcp",
            Self::Tftp => "tftp",
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Http => "http",
        }
    }
}

/// Two fronts with one name or at one address.
fn twice(tables: &[Reader<'_>], fronts: &[Option<FrontSettings>], faults: &mut Faults) {
    for (index, (table, front)) in tables.iter().zip(fronts).enumerate() {
        let Some(front) = front else { continue };
        let before = || fronts[..index].iter().flatten();
        if before().any(|other| other.name == front.name) {
            contradiction(
                table,
                "name",
                "two fronts have one name",
                "name them apart",
                faults,
            );
        }
        let same = |other: &FrontSettings| {
            other.listen == front.listen
                && other.listen.port() != 0
                && other.service.is_tcp() == front.service.is_tcp()
        };
        if before().any(same) {
            contradiction(
                table,
                "listen",
                "two fronts listen at one address",
                "give each a port of its own",
                faults,
            );
        }
    }
}

#[cfg(test)]
mod tests;
