//! The settings compiled for the packet path: indexes instead of names, tables instead of lists.
//!
//! A plan never changes; a new revision makes a new plan, and every packet thread moves to it between two packets.

mod builtin;
mod pinned;
mod profiles;
mod reserve;
mod route;

pub(crate) use builtin::{BuiltIn, VENDOR_CLASS};
use pinned::Pins;
pub(crate) use profiles::{ProfilePlan, Profiles};
pub(crate) use reserve::{IdKind, Reservations};
pub(crate) use route::Routes;

use crate::expr::{Expr, Wanted};
use crate::pin::{Pin, PinConflict};
use crate::relay::RelayPieces;
use crate::settings::{Class, Reservation, Scope, Settings};
use crate::step::Arrival;
use purlin_dhcp_proto::message::Message;
use purlin_types::{Ipv4Range, Prefix4};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// At most this many classes: a client's memberships are one `u128`, of which the built-in classes take four bits.
pub const CLASSES_MAX: usize = 124;

/// Compiled settings, and the pins that lie over them. Plans that differ in these share all else.
#[derive(Debug, Clone)]
pub struct Plan {
    settings: Arc<Settings>,
    pub(crate) pins: Pins,
    pub(crate) networks: Arc<[NetworkPlan]>,
    pub(crate) subnets: Arc<[SubnetPlan]>,
    pub(crate) classes: Arc<[ClassPlan]>,
    pub(crate) flex_id: Option<Arc<Expr>>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) profiles: Arc<Profiles>,
    /// Whether anything gives boot files; without, no packet is looked at for them.
    pub(crate) boots: bool,
}

#[derive(Debug)]
pub(crate) struct NetworkPlan {
    pub(crate) name: String,
    /// Decides the packet thread; kept over revisions, so that a live change never moves a network.
    rank: u32,
    pub(crate) scope: Scope,
    /// Indexes into `Plan::subnets`.
    pub(crate) subnets: Vec<u16>,
    pub(crate) reservations: Reservations,
}

#[derive(Debug)]
pub(crate) struct SubnetPlan {
    pub(crate) name: String,
    pub(crate) network: u16,
    pub(crate) prefix: Prefix4,
    pub(crate) pools: Vec<PoolPlan>,
    pub(crate) scope: Scope,
    /// Classes of which a client must be in one; 0 admits all.
    pub(crate) guard: u128,
    pub(crate) reserved_only: bool,
    /// Another server gives the addresses.
    pub(crate) proxy: bool,
    /// How many of its addresses the configuration reserves.
    pub(crate) reserved: u64,
    pub(crate) conflict_check: Option<crate::settings::ConflictCheck>,
    pub(crate) relays: Vec<Ipv4Range>,
    pub(crate) interfaces: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct PoolPlan {
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) guard: u128,
    pub(crate) scope: Scope,
}

#[derive(Debug)]
pub(crate) struct ClassPlan {
    pub(crate) name: String,
    pub(crate) test: Option<Expr>,
    pub(crate) scope: Scope,
    pub(crate) drop: bool,
}

impl Plan {
    /// Compiles checked settings. With a `former` plan, networks of the same name stay on their packet threads, and its
    /// pins go on.
    #[must_use]
    pub fn compile(settings: &Settings, former: Option<&Self>) -> Arc<Self> {
        let classes: Vec<ClassPlan> = settings
            .classes
            .iter()
            .take(CLASSES_MAX)
            .map(|class| compile_class(class, settings))
            .collect();
        let mut subnets = Vec::new();
        let mut networks = Vec::new();
        let mut rank = former.map_or(0, |f| f.networks.iter().map(|n| n.rank + 1).max().unwrap_or(0));
        for network in &settings.networks {
            let kept = former
                .and_then(|f| f.networks.iter().find(|n| n.name == network.name))
                .map(|n| n.rank);
            let index = networks.len() as u16;
            let first = subnets.len() as u16;
            subnets.extend(network.subnets.iter().map(|s| compile_subnet(s, index, &classes)));
            let mine: Vec<u16> = (first..subnets.len() as u16).collect();
            let reserved = network.subnets.iter().flat_map(|s| &s.reservations);
            let global = settings
                .reservations
                .iter()
                .filter(|r| belongs(r, &network.subnets));
            networks.push(NetworkPlan {
                name: network.name.clone(),
                rank: kept.unwrap_or_else(|| {
                    rank += 1;
                    rank - 1
                }),
                scope: network.scope.clone(),
                subnets: mine,
                reservations: Reservations::new(reserved.chain(global), &classes),
            });
        }
        if networks.is_empty() && settings.proxy {
            subnets.push(everywhere());
            networks.push(NetworkPlan {
                name: EVERYWHERE.to_owned(),
                rank,
                scope: Scope::default(),
                subnets: vec![0],
                reservations: Reservations::new(settings.reservations.iter(), &classes),
            });
        }
        count_reserved(&networks, &mut subnets);
        let routes = Routes::new(&subnets);
        let flex_id = settings
            .flex_id
            .as_deref()
            .and_then(|text| compile_expr(text, Wanted::Value, settings));
        let boots = any_boot(settings);
        let profiles = Profiles::compile(&settings.profiles, &subnets);
        let plan = Self {
            settings: Arc::new(settings.clone()),
            pins: Pins::default(),
            networks: networks.into(),
            subnets: subnets.into(),
            classes: classes.into(),
            flex_id: flex_id.map(Arc::new),
            routes: Arc::new(routes),
            profiles: Arc::new(profiles),
            boots,
        };
        match former {
            Some(former) => plan.pinned(Arc::clone(former.pins.all())),
            None => Arc::new(plan),
        }
    }

    /// The same plan with these pins in place of the former ones.
    #[must_use]
    pub fn pinned(&self, pins: Arc<[Pin]>) -> Arc<Self> {
        Arc::new(Self {
            pins: Pins::new(self, pins),
            ..self.clone()
        })
    }

    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Addresses that another part of the installation gives to machines.
    #[must_use]
    pub fn pins(&self) -> &Arc<[Pin]> {
        self.pins.all()
    }

    /// What of these does not hold as it is meant.
    #[must_use]
    pub fn pin_conflicts(&self) -> &[PinConflict] {
        self.pins.conflicts()
    }

    /// The packet thread that owns the network which a relay, link or client address selects.
    #[must_use]
    pub fn shard_of(&self, address: Ipv4Addr, shards: u16) -> Option<u16> {
        let subnet = self.routes.subnet_of(address.into())?;
        Some(self.shard_of_network(self.subnets[usize::from(subnet)].network, shards))
    }

    pub(crate) fn shard_of_network(&self, network: u16, shards: u16) -> u16 {
        (self.networks[usize::from(network)].rank % u32::from(shards.max(1))) as u16
    }

    /// Which thread serves which addresses, sorted and disjoint: what a steering program is made of.
    #[must_use]
    pub fn steering(&self, shards: u16) -> Vec<(Ipv4Range, u16)> {
        let of = |subnet: u16| self.shard_of_network(self.subnets[usize::from(subnet)].network, shards);
        self.routes
            .ranges()
            .map(|(range, subnet)| (range, of(subnet)))
            .collect()
    }

    /// The packet thread that must decide about a datagram; 0 when no network matches.
    #[must_use]
    pub fn shard_of_arrival(&self, arrival: &Arrival<'_>, shards: u16) -> u16 {
        if shards <= 1 {
            return 0;
        }
        let Ok(message) = Message::parse(arrival.payload) else {
            return 0;
        };
        let pieces = RelayPieces::of(&message);
        let subnet = self.select(&message, pieces.agent(&message).as_ref(), arrival);
        subnet.map_or(0, |s| {
            self.shard_of_network(self.subnets[usize::from(s)].network, shards)
        })
    }

    /// Whether both addresses lie in the same subnet.
    #[must_use]
    pub fn in_one_subnet(&self, one: Ipv4Addr, other: Ipv4Addr) -> bool {
        let holds = |address: Ipv4Addr| move |subnet: &&SubnetPlan| subnet.prefix.contains(address);
        self.subnets
            .iter()
            .filter(holds(one))
            .any(|subnet| holds(other)(&subnet))
    }

    /// The index of the subnet that an address lies in.
    pub(crate) fn subnet_containing(&self, network: u16, address: u32) -> Option<u16> {
        let mine = &self.networks[usize::from(network)].subnets;
        mine.iter()
            .copied()
            .find(|&s| self.subnets[usize::from(s)].prefix.contains(address.into()))
    }

    pub(crate) fn subnet_name(&self, subnet: u16) -> Option<&str> {
        self.subnets.get(usize::from(subnet)).map(|s| s.name.as_str())
    }
}

fn count_reserved(networks: &[NetworkPlan], subnets: &mut [SubnetPlan]) {
    for network in networks {
        for address in network.reservations.addresses() {
            let inside = |s: &&u16| subnets[usize::from(**s)].prefix.contains(address.into());
            if let Some(&subnet) = network.subnets.iter().find(inside) {
                subnets[usize::from(subnet)].reserved += 1;
            }
        }
    }
}

fn belongs(reservation: &Reservation, subnets: &[crate::settings::Subnet]) -> bool {
    match reservation.address {
        Some(address) => subnets.iter().any(|s| s.network.contains(address)),
        None => true,
    }
}

/// An expression with its class names turned into positions. The reader has checked its syntax.
fn compile_expr(text: &str, wanted: Wanted, settings: &Settings) -> Option<Expr> {
    let mut expr = Expr::parse_with(text, wanted, &settings.option_defs).ok()?;
    let number = |name: &str| {
        settings
            .classes
            .iter()
            .position(|c| c.name == name)
            .map(|i| i as u16)
    };
    expr.resolve_classes(number);
    Some(expr)
}

fn any_boot(settings: &Settings) -> bool {
    let networks = settings.networks.iter().flat_map(|n| {
        let subnets = n.subnets.iter().flat_map(|s| {
            let inner = s
                .pools
                .iter()
                .map(|p| &p.scope)
                .chain(s.reservations.iter().map(|r| &r.scope));
            std::iter::once(&s.scope).chain(inner)
        });
        std::iter::once(&n.scope).chain(subnets)
    });
    let classes = settings.classes.iter().map(|c| &c.scope);
    let reserved = settings.reservations.iter().map(|r| &r.scope);
    std::iter::once(&settings.scope)
        .chain(networks)
        .chain(classes)
        .chain(reserved)
        .any(|s| !s.boot.is_empty() || s.boot_file.is_some())
        || !settings.profiles.is_empty()
}

/// The name of the subnet and network that stand for every link when only a proxy is wanted.
const EVERYWHERE: &str = "any";

/// All addresses: where another server gives them, nothing needs to be known of the subnets.
fn everywhere() -> SubnetPlan {
    SubnetPlan {
        name: EVERYWHERE.to_owned(),
        network: 0,
        prefix: Prefix4::try_new(Ipv4Addr::UNSPECIFIED, 0).expect("a network without host bits"),
        pools: Vec::new(),
        scope: Scope::default(),
        guard: 0,
        reserved_only: false,
        proxy: true,
        reserved: 0,
        conflict_check: None,
        relays: Vec::new(),
        interfaces: Vec::new(),
    }
}

fn compile_class(class: &Class, settings: &Settings) -> ClassPlan {
    ClassPlan {
        name: class.name.clone(),
        test: class
            .test
            .as_deref()
            .and_then(|text| compile_expr(text, Wanted::Test, settings)),
        scope: class.scope.clone(),
        drop: class.drop,
    }
}

fn compile_subnet(subnet: &crate::settings::Subnet, network: u16, classes: &[ClassPlan]) -> SubnetPlan {
    let pools = subnet.pools.iter().map(|pool| PoolPlan {
        first: pool.range.first().into(),
        last: pool.range.last().into(),
        guard: mask_of(&pool.classes, classes),
        scope: pool.scope.clone(),
    });
    SubnetPlan {
        name: subnet.name.clone(),
        network,
        prefix: subnet.network,
        pools: pools.collect(),
        scope: subnet.scope.clone(),
        guard: mask_of(&subnet.classes, classes),
        reserved_only: subnet.reserved_only,
        proxy: subnet.proxy,
        reserved: 0,
        conflict_check: subnet.conflict_check,
        relays: subnet.relays.clone(),
        interfaces: subnet.interfaces.clone(),
    }
}

/// The classes named, configured or built in, as bits.
pub(crate) fn mask_of(names: &[String], classes: &[ClassPlan]) -> u128 {
    let bit = |name: &String| match classes.iter().position(|c| c.name == *name) {
        Some(at) => 1u128 << at,
        None => BuiltIn::of(name).map_or(0, BuiltIn::bit),
    };
    names.iter().map(bit).fold(0, |all, bit| all | bit)
}
