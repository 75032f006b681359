//! One front: its keys, and what they must say together.

use super::keys::{ALGORITHMS, BACKEND};
use super::{
    BackendSettings, BackendSource, BalancerDefaults, CheckKind, FrontService, FrontSettings, HashKey,
};
use crate::{Fault, Faults, Reader, codes};
use std::net::SocketAddr;
use std::time::Duration;

/// Where probes of UDP services go: the port that nodes have for metrics and health, in plain HTTP.
const HEALTH_PORT: u16 = 9090;

pub(super) fn front(
    reader: &Reader<'_>,
    defaults: &BalancerDefaults,
    faults: &mut Faults,
) -> Option<FrontSettings> {
    let service = match reader.opt::<String>("service")?.as_str() {
        "dhcp" => FrontService::Dhcp,
        "tftp" => FrontService::Tftp,
        "udp" => FrontService::Udp,
        "tcp" => FrontService::Tcp,
        "http" => FrontService::Http,
        _ => return None,
    };
    let hash_key = hash_key(reader, service, defaults, faults);
    only_for(reader, service, faults);
    let backends = backends(reader, service, faults);
    let is_tcp = service.is_tcp();
    let usual_stickiness = Duration::from_secs(if is_tcp { 0 } else { 60 });
    let usual_patience =
        matches!(service, FrontService::Dhcp | FrontService::Tftp).then_some(Duration::from_secs(3));
    let patience = reader.opt("patience").or(usual_patience);
    Some(FrontSettings {
        name: reader.opt("name")?,
        service,
        listen: reader.opt("listen")?,
        algorithm: reader
            .opt("algorithm")
            .unwrap_or_else(|| defaults.algorithm(service)),
        hash_key: hash_key?,
        stickiness: reader.opt("stickiness").unwrap_or(usual_stickiness),
        backends: backends?,
        check: check(reader, defaults),
        check_interval: reader
            .opt("check_interval")
            .or(defaults.health_check_interval)
            .unwrap_or(Duration::from_secs(10)),
        check_timeout: reader.get("check_timeout"),
        rise: reader.get("rise"),
        fall: reader.get("fall"),
        eject_after: reader.get("eject_after"),
        eject_time: reader.get("eject_time"),
        eject_percent_max: reader.get("eject_percent_max"),
        panic_percent: reader.get("panic_percent"),
        slow_start: reader.get("slow_start"),
        patience: patience.filter(|patience| !patience.is_zero()),
        clients_max: reader.get("clients_max"),
        connect_timeout: reader.get("connect_timeout"),
        attempts: reader.get("attempts"),
        idle_timeout: reader.get("idle_timeout"),
        proxy_protocol: reader.get("proxy_protocol"),
    })
}

impl BalancerDefaults {
    fn algorithm(&self, service: FrontService) -> String {
        let said = match service {
            FrontService::Tftp => self.tftp_algorithm.as_ref().or(self.algorithm.as_ref()),
            _ => self.algorithm.as_ref(),
        };
        // A word that only shares of addresses can follow is its nearest here.
        let said = said.map(|word| match word.as_str() {
            "weighted_round_robin" => "round_robin".to_owned(),
            word => word.to_owned(),
        });
        let usual = if service.is_tcp() {
            "least_connections"
        } else {
            "consistent_hashing"
        };
        said.filter(|word| ALGORITHMS.contains(&word.as_str()))
            .unwrap_or_else(|| usual.to_owned())
    }
}

fn hash_key(
    reader: &Reader<'_>,
    service: FrontService,
    defaults: &BalancerDefaults,
    faults: &mut Faults,
) -> Option<HashKey> {
    let Some(word) = reader.opt::<String>("hash_key") else {
        let file = defaults.tftp_hash_key.as_deref() == Some("file");
        return Some(match service {
            FrontService::Dhcp => HashKey::Client,
            FrontService::Tftp if file => HashKey::File,
            _ => HashKey::ClientIp,
        });
    };
    let (key, wants) = match word.as_str() {
        "client_ip" => return Some(HashKey::ClientIp),
        "client" => (HashKey::Client, FrontService::Dhcp),
        "chaddr" => (HashKey::Chaddr, FrontService::Dhcp),
        "giaddr" => (HashKey::Giaddr, FrontService::Dhcp),
        "file" => (HashKey::File, FrontService::Tftp),
        other => (
            HashKey::Header(other.strip_prefix("header:")?.to_owned()),
            FrontService::Http,
        ),
    };
    if service != wants {
        let message = format!("clients of a {} front have no {word}", service.as_str());
        contradiction(reader, "hash_key", &message, "use client_ip", faults);
    }
    Some(key)
}

/// Keys that another kind of front would not heed.
fn only_for(reader: &Reader<'_>, service: FrontService, faults: &mut Faults) {
    let others: &[&str] = if service.is_tcp() {
        &["patience"]
    } else {
        &["connect_timeout", "attempts", "idle_timeout", "proxy_protocol"]
    };
    for key in others.iter().filter(|key| reader.node(key).is_some()) {
        let message = format!("`{key}` means nothing to a {} front", service.as_str());
        contradiction(reader, key, &message, "remove it", faults);
    }
    let listen = reader.opt::<SocketAddr>("listen");
    if service == FrontService::Dhcp && listen.is_some_and(|listen| listen.is_ipv6()) {
        contradiction(
            reader,
            "listen",
            "DHCPv4 is spoken over IPv4",
            "listen at an IPv4 address",
            faults,
        );
    }
}

fn check(reader: &Reader<'_>, defaults: &BalancerDefaults) -> CheckKind {
    match reader.opt::<String>("check").as_deref() {
        Some("tcp") => CheckKind::Tcp,
        Some("none") => CheckKind::None,
        None if defaults.health_check == Some(false) => CheckKind::None,
        _ => CheckKind::Http(reader.get("check_path")),
    }
}

fn backends(reader: &Reader<'_>, service: FrontService, faults: &mut Faults) -> Option<BackendSource> {
    let (members, listed): (bool, _) = (reader.get("members"), reader.items("backends"));
    if members && !listed.is_empty() {
        let message = "backends are either listed or the members";
        contradiction(reader, "members", message, "remove one of the two", faults);
        return None;
    }
    if members {
        return Some(of_members(reader, service, faults));
    }
    if reader.node("members_port").is_some() {
        let message = "`members_port` is for `members`";
        contradiction(
            reader,
            "members_port",
            message,
            "remove it, or set members = true",
            faults,
        );
    }
    if listed.is_empty() {
        missing(
            reader,
            "backends",
            "a front needs backends, or members = true",
            faults,
        );
        return None;
    }
    let tables = reader.tables("backends", &[BACKEND]);
    let check_port: Option<u16> = reader.opt("check_port");
    let all: Vec<_> = tables
        .iter()
        .map(|table| backend(table, service, check_port))
        .collect();
    for (index, (table, backend)) in tables.iter().zip(&all).enumerate() {
        let Some(backend) = backend else { continue };
        if all[..index]
            .iter()
            .flatten()
            .any(|other| other.name == backend.name)
        {
            let message = "two backends of one front have one name";
            contradiction(table, "name", message, "name them apart", faults);
        }
        if service == FrontService::Dhcp && backend.address.is_ipv6() {
            let message = "DHCPv4 is spoken over IPv4";
            contradiction(table, "address", message, "give an IPv4 address", faults);
        }
    }
    all.into_iter().collect::<Option<_>>().map(BackendSource::Listed)
}

fn of_members(reader: &Reader<'_>, service: FrontService, faults: &mut Faults) -> BackendSource {
    let usual = match service {
        FrontService::Dhcp => Some(67),
        FrontService::Tftp => Some(69),
        FrontService::Udp | FrontService::Tcp | FrontService::Http => None,
    };
    let port = reader.opt("members_port").or(usual);
    if service == FrontService::Udp && port.is_none() {
        missing(
            reader,
            "members_port",
            "nobody knows the port of a udp service",
            faults,
        );
    }
    let check_port = reader.opt("check_port");
    BackendSource::Members {
        port,
        check_port: check_port.or((!service.is_tcp()).then_some(HEALTH_PORT)),
    }
}

fn backend(table: &Reader<'_>, service: FrontService, check_port: Option<u16>) -> Option<BackendSettings> {
    let address: SocketAddr = table.opt("address")?;
    let usual = if service.is_tcp() {
        address.port()
    } else {
        HEALTH_PORT
    };
    let check = SocketAddr::new(address.ip(), check_port.unwrap_or(usual));
    Some(BackendSettings {
        name: table.opt("name").unwrap_or_else(|| address.to_string()),
        address,
        check: table.opt("check").unwrap_or(check),
        weight: table.get("weight"),
    })
}

pub(super) fn contradiction(reader: &Reader<'_>, key: &str, message: &str, help: &str, faults: &mut Faults) {
    let (path, span) = (reader.path_of(key), reader.span_of(key));
    faults.push(Fault::error(codes::CONTRADICTION, path, span, message).help(help));
}

pub(super) fn missing(reader: &Reader<'_>, key: &str, message: &str, faults: &mut Faults) {
    let (path, span) = (reader.path_of(key), reader.span());
    faults.push(Fault::error(codes::MISSING_KEY, path, span, message));
}
