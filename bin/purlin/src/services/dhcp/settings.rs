//! `[dhcp]`, and what of it the node itself must know.

use crate::cluster::scaling::Wishes;
use crate::ports::{Port, Transport};
use purlin_config::{Document, Faults};
use purlin_dhcp_core::reader::scaling::{Driver, Method, Scaling, scaling};
use purlin_dhcp_core::{reader, settings};
use purlin_dhcp_server::Switches;
use purlin_fabric::plan::PlanSettings;
use purlin_fabric::ring;
use purlin_fabric::scaling::ScalingSettings;
use std::net::SocketAddr;

/// Where boot clients ask again when another server gives the addresses (PXE 2.1, section 2.2.1).
const BOOT_SERVER: u16 = 4011;

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) service: settings::Settings,
    pub(crate) switches: Switches,
    /// Of the cluster; the scaling guide keeps it with DHCP.
    pub(crate) scaling: Scaling,
}

impl Settings {
    pub(crate) fn read(document: &Document, faults: &mut Faults) -> Option<Self> {
        reader::read(document, faults).map(|service| Self {
            service,
            switches: Switches::read(document),
            scaling: scaling(document),
        })
    }
}

/// What its keys say about the number of nodes and their shares.
pub(crate) fn wishes(settings: &Settings) -> Wishes {
    let Scaling { distribution, auto } = &settings.scaling;
    let usual = PlanSettings::default();
    let (method, load_bound) = match distribution.method {
        Method::ConsistentHashing => (ring::Method::ConsistentHashing, usual.load_bound),
        Method::Hash => (ring::Method::Rendezvous, usual.load_bound),
        Method::Even => (ring::Method::ConsistentHashing, 1.0),
    };
    Wishes {
        scaling: ScalingSettings {
            enabled: auto.enabled,
            min_nodes: auto.min_nodes,
            max_nodes: auto.max_nodes,
            scale_up_threshold: auto.scale_up_threshold,
            scale_down_threshold: auto.scale_down_threshold,
            cooldown: auto.cooldown,
            sustain: auto.scale_up_after,
            stabilisation: auto.scale_down_after,
            requests_per_node: auto.requests_per_node.map(f64::from),
            ..ScalingSettings::default()
        },
        planning: PlanSettings {
            method,
            load_bound,
            // More points than a u16 counts are more than there are slots.
            virtual_nodes: u16::try_from(distribution.virtual_nodes).unwrap_or(u16::MAX),
            replication_factor: distribution.replication_factor,
            ..usual
        },
        required_copies: distribution.required_copies,
        hook: match &auto.driver {
            Driver::Recommend => None,
            Driver::Exec { command, timeout } => Some((command.clone(), *timeout)),
        },
    }
}

/// The ports it wants.
pub(crate) fn ports(settings: &Settings) -> Vec<Port> {
    let settings = &settings.service;
    if !settings.enabled {
        return Vec::new();
    }
    let port = |address: SocketAddr, key| Port {
        transport: Transport::Udp,
        address,
        key,
    };
    let listen = settings.listen.iter();
    let mut ports: Vec<Port> = listen.map(|&at| port(at.into(), "dhcp.listen")).collect();
    if settings.has_proxy() {
        let beside = settings.listen.iter().filter(|at| at.port() == 67);
        ports.extend(beside.map(|at| port((*at.ip(), BOOT_SERVER).into(), "dhcp.proxy")));
    }
    ports
}

/// The subnets it serves, in words.
pub(crate) fn subnets(settings: &Settings) -> Vec<String> {
    let networks = settings.service.networks.iter();
    networks
        .flat_map(|network| &network.subnets)
        .map(|subnet| format!("{} {}", subnet.name, subnet.network))
        .collect()
}
