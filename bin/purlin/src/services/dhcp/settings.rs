//! `[dhcp]`, and what of it the node itself must know.

use crate::ports::{Port, Transport};
use purlin_config::{Document, Faults};
use purlin_dhcp_core::{reader, settings};
use purlin_dhcp_server::Switches;
use std::net::SocketAddr;

/// Where boot clients ask again when another server gives the addresses (PXE 2.1, section 2.2.1).
const BOOT_SERVER: u16 = 4011;

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) service: settings::Settings,
    pub(crate) switches: Switches,
}

impl Settings {
    pub(crate) fn read(document: &Document, faults: &mut Faults) -> Option<Self> {
        reader::read(document, faults).map(|service| Self {
            service,
            switches: Switches::read(document),
        })
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
