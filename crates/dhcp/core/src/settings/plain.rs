//! What holds where a configuration says nothing: for whoever makes settings without a document.

use super::{AckMode, ConflictCheck, Limits, Network, Pool, Scope, Settings, Subnet};
use purlin_types::{Ipv4Range, Prefix4};
use std::time::Duration;

const HOUR: u64 = 3600;

impl Default for Settings {
    /// An empty `[dhcp]` section: off, with the defaults of the schema.
    fn default() -> Self {
        Self {
            enabled: false,
            listen: Vec::new(),
            interfaces: Vec::new(),
            threads: None,
            ack: AckMode::Durable,
            mclt: Duration::from_secs(600),
            authoritative: true,
            server_id: None,
            echo_client_id: true,
            rapid_commit: true,
            bootp: false,
            offer_hold: Duration::from_secs(30),
            decline_hold: Duration::from_secs(24 * HOUR),
            affinity: Duration::from_secs(7 * 24 * HOUR),
            conflict_check: ConflictCheck::Off,
            conflict_wait: Duration::from_millis(300),
            proxy: false,
            limits: Limits {
                per_client: 0,
                per_relay: 0,
            },
            scope: Scope {
                lease_time: Some(Duration::from_secs(HOUR)),
                ..Scope::default()
            },
            option_defs: Vec::new(),
            classes: Vec::new(),
            networks: Vec::new(),
            reservations: Vec::new(),
            flex_id: None,
            decisions: 65_536,
            profiles: Vec::new(),
        }
    }
}

impl Network {
    /// A subnet that shares its link with no other.
    #[must_use]
    pub fn of(subnet: Subnet) -> Self {
        Self {
            name: subnet.name.clone(),
            scope: Scope::default(),
            subnets: vec![subnet],
        }
    }
}

impl Subnet {
    /// A subnet with these pools, open to everybody.
    #[must_use]
    pub fn of(name: &str, network: Prefix4, pools: impl IntoIterator<Item = Ipv4Range>) -> Self {
        Self {
            name: name.to_owned(),
            network,
            pools: pools.into_iter().map(Pool::of).collect(),
            scope: Scope::default(),
            reservations: Vec::new(),
            relays: Vec::new(),
            interfaces: Vec::new(),
            classes: Vec::new(),
            conflict_check: None,
            reserved_only: false,
            proxy: false,
        }
    }
}

impl Pool {
    /// A pool that is open to everybody.
    #[must_use]
    pub fn of(range: Ipv4Range) -> Self {
        Self {
            range,
            classes: Vec::new(),
            scope: Scope::default(),
        }
    }
}
