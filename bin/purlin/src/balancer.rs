//! The fronts of a node, or of a process that has nothing else.
//!
//! What the configuration says becomes fronts here; who the nodes are comes from the cluster's list of members.

use crate::exit::{Failure, chain};
use crate::settings::Settings;
use purlin_balancer::{
    Check as Probe, DhcpKey, FrontBackend, FrontKind, FrontSpec, Fronts, MemberNode, MemberPorts, Members,
    PoolSettings, TcpKey, TcpSettings, TftpKey, UdpService, UdpSettings,
};
use purlin_config::sections::balancer::{
    BackendSource, BalancerDefaults, CheckKind, FrontService, FrontSettings, HashKey,
};
use purlin_config::{Document, FromNode};
use purlin_fabric::balance::Algorithm;
use purlin_fabric::health::{Condition, HealthSettings};
use purlin_fabric::port::NodeState;
use purlin_fabric::{Member, Suspicion};
use purlin_fabric_runtime::Fabric;
use purlin_telemetry::health::{Bears, Check};
use std::sync::Arc;
use std::time::Duration;

/// Ejections grow up to so many times the first.
const EJECTIONS_MAX: u32 = 10;

/// What the services' own sections say about balancing.
pub(crate) fn defaults(document: &Document) -> BalancerDefaults {
    const SCALING: &str = "dhcp.datacenter.scaling.load_balancing";
    let text = |path: &str| document.get(path).and_then(String::from_node);
    // Where the guide's tables may be; one that says something else than the other is a fault of [tftp].
    let tftp = |key: &str| {
        let place = |table: &str| text(&format!("{table}.{key}"));
        place("load_balancing").or_else(|| place("tftp.datacenter.load_balancing"))
    };
    BalancerDefaults {
        algorithm: text(&format!("{SCALING}.algorithm")),
        tftp_algorithm: tftp("algorithm"),
        tftp_hash_key: tftp("hash_key"),
        health_check: document
            .get(&format!("{SCALING}.health_check"))
            .and_then(bool::from_node),
        health_check_interval: document
            .get(&format!("{SCALING}.health_check_interval"))
            .and_then(Duration::from_node),
    }
}

/// Starts the fronts; none when the configuration has none.
///
/// # Errors
/// With the one that cannot listen.
pub(crate) async fn start(settings: &Settings, fabric: &Fabric) -> Result<Fronts, Failure> {
    let mut specs = Vec::new();
    for front in &settings.balancer.fronts {
        specs.push(spec(front)?);
    }
    let members: Arc<dyn Members> = Arc::new(ClusterMembers(fabric.clone()));
    let started = Fronts::start(specs, &members, &(Arc::new(purlin_netio::now) as _)).await;
    started.map_err(|fault| {
        let fix = "set balancer.fronts.listen to an address of this machine and a free port";
        Failure::failed(chain(&fault), fix)
    })
}

/// One line for each front.
pub(crate) fn words(fronts: &Fronts) -> Vec<String> {
    let line = |front: &purlin_balancer::Front| {
        let (name, at, backends) = (&front.name, front.listen(), front.pool().status().len());
        format!("{name}: {} at {at}, {backends} backends", front.service)
    };
    fronts.all().iter().map(line).collect()
}

/// Whether clients of every front are served.
pub(crate) fn checks(fronts: &Fronts) -> Vec<Check> {
    let mut checks = Vec::new();
    for front in fronts.all() {
        let views = front.pool().views();
        let up = |view: &&purlin_balancer::BackendView| view.status.condition == Condition::Up;
        let (up, all, name) = (views.iter().filter(up).count(), views.len(), &front.name);
        let fix = "purlin lb status says why each backend is out";
        checks.push(if up == 0 {
            let says = format!("front {name} has no backend that is up, of {all}");
            Check::fail("balancer.backends", Bears::Ready, says, fix)
        } else if up < all {
            let says = format!("front {name} has {up} of {all} backends");
            Check::warn("balancer.backends", Bears::Advice, says, fix)
        } else {
            let says = format!("front {name} has all of its {all} backends");
            Check::pass("balancer.backends", Bears::Advice, says)
        });
    }
    checks
}

fn spec(front: &FrontSettings) -> Result<FrontSpec, Failure> {
    let (backends, members) = match &front.backends {
        BackendSource::Listed(listed) => (listed.as_slice(), None),
        BackendSource::Members { port, check_port } => (
            [].as_slice(),
            Some(MemberPorts {
                service: *port,
                check: *check_port,
            }),
        ),
    };
    let backend = |backend: &purlin_config::sections::balancer::BackendSettings| FrontBackend {
        name: backend.name.clone(),
        address: backend.address,
        check: backend.check,
        weight: backend.weight,
    };
    let random = getrandom::u64();
    let seed =
        random.map_err(|cause| Failure::failed(format!("asking for random numbers failed: {cause}"), ""))?;
    let pool = PoolSettings {
        algorithm: Algorithm::parse(&front.algorithm).unwrap_or_default(),
        health: health(front),
        check: match &front.check {
            CheckKind::Http(path) => Probe::Http {
                path: path.clone(),
                status: 200,
            },
            CheckKind::Tcp | CheckKind::None => Probe::Tcp,
        },
        backends: backends.iter().map(backend).collect(),
        seed,
    };
    let kind = if front.service.is_tcp() {
        FrontKind::Tcp(tcp(front, pool))
    } else {
        FrontKind::Udp(udp(front, pool))
    };
    Ok(FrontSpec {
        name: front.name.clone(),
        service: front.service.as_str(),
        kind,
        members,
    })
}

fn health(front: &FrontSettings) -> HealthSettings {
    HealthSettings {
        active: front.check != CheckKind::None,
        interval: front.check_interval,
        timeout: front.check_timeout,
        rise: front.rise,
        fall: front.fall,
        errors: front.eject_after,
        ejection: front.eject_time,
        ejection_max: front.eject_time * EJECTIONS_MAX,
        ejected_percent_max: front.eject_percent_max,
        panic_percent: front.panic_percent,
        slow_start: front.slow_start,
    }
}

fn udp(front: &FrontSettings, pool: PoolSettings) -> UdpSettings {
    let key = match front.hash_key {
        HashKey::Chaddr => DhcpKey::Chaddr,
        HashKey::Giaddr => DhcpKey::Giaddr,
        HashKey::ClientIp => DhcpKey::ClientIp,
        HashKey::Client | HashKey::File | HashKey::Header(_) => DhcpKey::Client,
    };
    UdpSettings {
        listen: front.listen,
        pool,
        service: match front.service {
            FrontService::Dhcp => UdpService::Dhcp { key },
            FrontService::Tftp => UdpService::Tftp {
                key: match front.hash_key {
                    HashKey::File => TftpKey::File,
                    _ => TftpKey::ClientIp,
                },
            },
            FrontService::Udp | FrontService::Tcp | FrontService::Http => UdpService::Other,
        },
        affinity: front.stickiness,
        patience: front.patience,
        flows_max: front.clients_max as usize,
    }
}

fn tcp(front: &FrontSettings, pool: PoolSettings) -> TcpSettings {
    TcpSettings {
        listen: front.listen,
        pool,
        connect_timeout: front.connect_timeout,
        idle: front.idle_timeout,
        attempts: front.attempts,
        connections_max: front.clients_max,
        proxy_protocol: front.proxy_protocol,
        key: match &front.hash_key {
            HashKey::Header(name) => TcpKey::Header(name.clone()),
            _ => TcpKey::ClientIp,
        },
        stickiness: front.stickiness,
    }
}

/// The nodes as this one sees them.
struct ClusterMembers(Fabric);

impl Members for ClusterMembers {
    fn now(&self) -> Vec<MemberNode> {
        self.0.snapshot().members.iter().filter_map(member).collect()
    }
}

fn member(member: &Member) -> Option<MemberNode> {
    let takes_work = match member.state {
        NodeState::Active => member.suspicion != Suspicion::Lapsed,
        NodeState::Joining | NodeState::Draining => false,
        NodeState::Removed => return None,
    };
    Some(MemberNode {
        name: member.id.to_string(),
        address: member.facts.address.parse().ok()?,
        api_port: member.facts.port,
        weight: member.facts.weight,
        takes_work,
    })
}

#[cfg(test)]
mod tests;
