//! Everything about a run that is settled before it begins, drawn from its seed.

use crate::clock::{MILLI, SECOND};
use crate::database::Standby;
use crate::mutation::Mutation;
use crate::random::Random;
use purlin_dhcp_core::settings::{AckMode, Network, Reservation, ReservedFor, Scope, Settings, Subnet};
use purlin_fabric::Timing;
use purlin_types::{Ipv4Range, Mac, Slot};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

pub(crate) const RELAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// The cluster's address, which is the server identifier of all nodes.
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// What a run is about: everything, or faults that must come together to show what a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mix {
    /// All kinds, as the seed draws them.
    #[default]
    Any,
    /// Wall clocks that are set while their node cannot hear that they are wrong, and addresses that run out.
    Clocks,
    /// Slots that change hands in order right before a failover that loses it, unnoticed by who has them now.
    Handovers,
    /// Announcements that do not arrive, and failovers that lose the notes that they were about.
    News,
}

impl Mix {
    pub const ALL: [Self; 4] = [Self::Any, Self::Clocks, Self::Handovers, Self::News];

    /// What `--mix` takes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Clocks => "clocks",
            Self::Handovers => "handovers",
            Self::News => "news",
        }
    }
}

/// A run's world.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) mix: Mix,
    pub(crate) nodes: usize,
    pub(crate) clients: u16,
    pub(crate) standby: Standby,
    pub(crate) ack: AckMode,
    pub(crate) timing: Timing,
    /// Takeover within 5 s instead of 20 s.
    pub(crate) fast: bool,
    /// What services promise beyond the record; the fabric's quarantine is in `timing`.
    pub(crate) mclt: Duration,
    pub(crate) lease: Duration,
    /// First and last address of each pool.
    pub(crate) pools: Vec<(Ipv4Addr, Ipv4Addr)>,
    /// Clients below this number have an address reserved.
    pub(crate) reserved: u16,
    /// Relays give each packet to all nodes, or to one that they choose.
    pub(crate) fan_out: bool,
    /// Whether a packet may come twice.
    pub(crate) repeats: bool,
    /// What a client waits for an answer, about; everything that clients do is measured in it.
    pub(crate) pace: u64,
    /// Faults happen from `calm_until` to `trouble_until`.
    pub(crate) calm_until: u64,
    pub(crate) trouble_until: u64,
    /// Mean time between two faults.
    pub(crate) fault_every: u64,
    /// Kinds of faults that happen, by their number.
    pub(crate) kinds: u32,
    /// Of a thousand faults: those that the next one follows at once.
    pub(crate) bursts: u64,
    /// There is no Redis at all.
    pub(crate) hintless: bool,
    /// The last of the clients, two by two, have one client identifier.
    pub(crate) twins: u16,
    /// Of a thousand clients: those that come late.
    pub(crate) newcomers: u64,
    /// Of a thousand renewals: those that never come because another machine takes the client's place.
    pub(crate) turnover: u64,
    /// Of a thousand packets: lost, doubled, late.
    pub(crate) loss: u64,
    pub(crate) doubles: u64,
    pub(crate) lates: u64,
    /// Of a thousand statements: those whose fate the node does not learn, and those that take long.
    pub(crate) unknowns: u64,
    pub(crate) slow: u64,
    /// How long a declined address is left alone.
    pub(crate) decline_hold: u64,
    /// Mean time between two catch-ups of an asynchronous standby.
    pub(crate) lag: u64,
}

impl Scene {
    pub(crate) fn draw(random: &mut Random, mix: Mix, mutation: Option<Mutation>) -> Self {
        let fast = !random.chance(200);
        let base = if fast { Timing::fast() } else { Timing::default() };
        let unit = if fast { SECOND } else { 4 * SECOND };
        let mclt = Duration::from_nanos(unit * random.between(4, 13));
        let lease = Duration::from_nanos(unit * random.between(10, 30));
        let timing = Timing {
            mclt: mclt.max(base.ttl),
            node_timeout: base
                .node_timeout
                .min(Duration::from_nanos(6 * unit))
                .max(base.ttl + base.guard),
            ..base
        };
        let mclt = timing.mclt
            * if mutation == Some(Mutation::LongLead) {
                4
            } else {
                1
            };
        let crowded = random.chance(600) || mix == Mix::Clocks;
        let pools = pools(random, crowded);
        let size: u64 = pools
            .iter()
            .map(|(first, last)| u64::from(last.to_bits() - first.to_bits() + 1))
            .sum();
        let crowd = match random.below(20) {
            0 => 100 + random.below(200),
            _ if crowded => size / 2 + random.below(size),
            _ => 20 + random.below(40),
        };
        let clients = crowd.max(2) as u16;
        let troubled = unit * random.between(40, 120);
        let ack = *random.pick(&[AckMode::Durable, AckMode::Lead]);
        let repeats = random.chance(700);
        let fan_out = random.chance(500) && repeats;
        let doubles = *random.pick(&[0, 10, 100]) * u64::from(repeats);
        let kinds = random.next() as u32;
        let reserved = (random.below(3) as u16).min(clients);
        let twins = if random.chance(150) {
            2 * random.between(1, 3) as u16
        } else {
            0
        };
        let scene = Self {
            mix,
            repeats,
            nodes: random.between(3, 6) as usize,
            clients,
            standby: *random.pick(&[Standby::None, Standby::Async, Standby::Sync, Standby::Sync]),
            ack,
            timing,
            fast,
            mclt,
            lease,
            pools,
            reserved,
            fan_out,
            pace: unit,
            calm_until: 6 * unit,
            trouble_until: 6 * unit + troubled,
            fault_every: unit * random.between(1, 8),
            // A quarter, a half or three quarters of all kinds: the fewer there are, the more often each comes.
            kinds: match random.below(3) {
                0 => kinds & random.next() as u32,
                1 => kinds,
                _ => kinds | random.next() as u32,
            },
            bursts: *random.pick(&[0, 300, 600]),
            hintless: random.chance(100),
            twins: twins.min((clients - reserved) / 2 * 2),
            newcomers: if crowded { *random.pick(&[0, 300]) } else { 700 },
            turnover: if crowded { 0 } else { *random.pick(&[200, 500]) },
            loss: *random.pick(&[0, 5, 50, 200]),
            doubles,
            lates: *random.pick(&[0, 20, 200]),
            unknowns: *random.pick(&[0, 5, 50]),
            slow: *random.pick(&[0, 10, 100]),
            decline_hold: 15 * unit,
            lag: *random.pick(&[20 * MILLI, 300 * MILLI, 4 * SECOND]),
        };
        scene.about()
    }

    /// The same with what its mix is about.
    fn about(self) -> Self {
        let often = self.pace * 2;
        match self.mix {
            Mix::Any => self,
            Mix::Clocks => Self {
                fault_every: often,
                turnover: 0,
                loss: 0,
                unknowns: 0,
                ..self
            },
            Mix::News => Self {
                standby: Standby::Async,
                fault_every: 2 * often,
                bursts: 0,
                lag: 20 * MILLI,
                hintless: false,
                // Every other one.
                loss: 500,
                unknowns: 0,
                ..self
            },
            Mix::Handovers => Self {
                standby: Standby::Async,
                ack: AckMode::Lead,
                // Long enough to recover in between.
                fault_every: 2 * self.timing.patience().as_nanos() as u64,
                bursts: 0,
                // What is lost is what a fault holds back, not that the nodes are there.
                lag: 20 * MILLI,
                loss: 0,
                unknowns: 0,
                ..self
            },
        }
    }

    /// Who a client is by its client identifier.
    pub(crate) const fn identity(&self, client: u16) -> u16 {
        let nth = self.clients - 1 - client;
        if nth < self.twins {
            self.clients - 1 - nth / 2 * 2
        } else {
            client
        }
    }

    /// Whether two clients have this one's identifier: no server can tell them apart.
    pub(crate) const fn is_twin(&self, client: u16) -> bool {
        self.clients - 1 - client < self.twins
    }

    /// The slots that matter: those of the pools.
    pub(crate) fn slots(&self) -> Vec<Slot> {
        let blocks = self
            .pools
            .iter()
            .flat_map(|(first, last)| first.to_bits() >> 6..=last.to_bits() >> 6);
        let mut slots: Vec<Slot> = blocks.map(Slot::of_block).collect();
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// The address that is reserved for a client: from the end of the last pool.
    pub(crate) fn reservation(&self, client: u16) -> Option<Ipv4Addr> {
        let (first, last) = *self.pools.last()?;
        let address = last.to_bits() - u32::from(client);
        (client < self.reserved && address > first.to_bits()).then(|| address.into())
    }

    /// The service's settings, with that client lead time.
    pub(crate) fn settings(&self, ack: AckMode, mclt: Duration) -> Settings {
        let reservations = (0..self.reserved).filter_map(|n| self.reservation(n).map(|address| (n, address)));
        let ranges = self.pools.iter().map(|pool| range(*pool));
        let subnet = Subnet {
            reservations: reservations.map(|(n, address)| reserve(n, address)).collect(),
            ..Subnet::of("main", "10.0.0.0/16".parse().expect("a prefix"), ranges)
        };
        Settings {
            enabled: true,
            listen: vec![SocketAddrV4::new(SERVER, 67)],
            threads: Some(1),
            ack,
            mclt,
            server_id: Some(SERVER),
            offer_hold: Duration::from_nanos(3 * self.pace),
            decline_hold: Duration::from_nanos(self.decline_hold),
            affinity: Duration::from_nanos(20 * self.pace),
            scope: Scope {
                lease_time: Some(self.lease),
                ..Scope::default()
            },
            networks: vec![Network::of(subnet)],
            decisions: 64,
            ..Settings::default()
        }
    }
}

/// Addresses in each of a few blocks, so that they lie with different nodes: so few that they run out and change hands, or
/// so many that some never had a client before.
fn pools(random: &mut Random, crowded: bool) -> Vec<(Ipv4Addr, Ipv4Addr)> {
    let blocks = random.between(3, 9) as u32;
    let most = if crowded { 6 } else { 50 };
    let base = Ipv4Addr::new(10, 0, 1, 0).to_bits();
    let of_block = |block: u32| {
        let first = base + block * 64 + random.below(4) as u32;
        (first.into(), (first + random.below(most) as u32).into())
    };
    (0..blocks).map(of_block).collect()
}

fn range((first, last): (Ipv4Addr, Ipv4Addr)) -> Ipv4Range {
    format!("{first}-{last}").parse().expect("a range")
}

fn reserve(client: u16, address: Ipv4Addr) -> Reservation {
    Reservation {
        client: ReservedFor::Mac(Mac(mac(client, 0))),
        address: Some(address),
        hostname: None,
        classes: Vec::new(),
        scope: Scope::default(),
    }
}

/// A client's hardware address says its number, and which of its machines it is.
pub(crate) const fn mac(client: u16, generation: u8) -> [u8; 6] {
    let [high, low] = client.to_be_bytes();
    [2, 0, 0, generation, high, low]
}

/// The client of a hardware address.
pub(crate) const fn client_of(mac: [u8; 6]) -> u16 {
    u16::from_be_bytes([mac[4], mac[5]])
}
