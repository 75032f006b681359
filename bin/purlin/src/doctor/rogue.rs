//! Other DHCP servers on a segment: two that answer the same clients hand out each other's addresses.

use super::Finding;
use crate::cli::Context;
use crate::client::NodeFile;
use purlin_dhcp_client::{DiscoverError, FoundServer, Patience, discover_servers};
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::task::JoinHandle;

const CHECK: &str = "rogue";
/// Long enough for servers that look for conflicts before they offer: dnsmasq waits 3 s for an answer to its ping.
/// Asked again, as its clients do, because one datagram may be lost.
const PATIENCE: Patience = Patience {
    times: 3,
    every: Duration::from_secs(2),
    wait: Duration::from_secs(7),
};

pub(super) async fn check(interfaces: &[String], context: &Context) -> Vec<Finding> {
    let ours = our_addresses(context);
    let mut findings = Vec::new();
    if !interfaces.is_empty() {
        // Not of the report: whoever waits shall see for what.
        let (names, secs) = (interfaces.join(", "), PATIENCE.wait.as_secs());
        eprintln!("listening for other DHCP servers on {names} for {secs} s ...");
    }
    // All at once: so many seconds in all.
    let asking: Vec<_> = interfaces.iter().cloned().map(ask).collect();
    for (name, asked) in interfaces.iter().zip(asking) {
        match asked.await {
            Ok(Ok(servers)) => findings.push(judged(name, &servers, &ours)),
            Ok(Err(cause)) => findings.push(Finding::warn(
                CHECK,
                format!("cannot ask on {name}: {}", crate::exit::chain(&cause)),
                "run as root or with CAP_NET_RAW, on an Ethernet interface that is up",
            )),
            Err(_) => findings.push(Finding::warn(
                CHECK,
                format!("asking on {name} failed"),
                "try again",
            )),
        }
    }
    findings
}

fn ask(interface: String) -> JoinHandle<Result<Vec<FoundServer>, DiscoverError>> {
    tokio::task::spawn_blocking(move || discover_servers(&interface, PATIENCE))
}

/// Addresses of this machine, when a node of ours runs on it: its own answers are no rogue's.
fn our_addresses(context: &Context) -> Vec<Ipv4Addr> {
    if !NodeFile::read(context.data_dir()).is_some_and(|node| node.is_alive()) {
        return Vec::new();
    }
    let interfaces = purlin_netio::interfaces().unwrap_or_default();
    interfaces
        .into_iter()
        .flat_map(|found| found.addresses)
        .map(|(address, _)| address)
        .collect()
}

fn judged(interface: &str, servers: &[FoundServer], ours: &[Ipv4Addr]) -> Finding {
    let name = |server: &FoundServer| server.server_id.unwrap_or(*server.source.ip());
    let foreign: Vec<String> = servers
        .iter()
        // A proxy that only tells what to boot gives nobody's address away.
        .filter(|server| !server.offered.is_unspecified() && !ours.contains(&name(server)))
        .map(|server| {
            format!(
                "{} (from {}, offered {})",
                name(server),
                server.source.ip(),
                server.offered
            )
        })
        .collect();
    if foreign.is_empty() {
        return Finding::pass(CHECK, format!("no other DHCP server answers on {interface}"));
    }
    Finding::fail(
        CHECK,
        format!("other DHCP servers answer on {interface}: {}", foreign.join(", ")),
        "find the port of its MAC address on the switch, or stop the old server before this one serves the segment",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    #[test]
    fn our_own_answer_is_no_rogue() {
        let server = FoundServer {
            server_id: Some(Ipv4Addr::new(10, 0, 0, 1)),
            source: "10.0.0.1:67".parse().unwrap(),
            relay: None,
            offered: Ipv4Addr::new(10, 0, 1, 1),
            took_ms: 1.0,
            options: Vec::new(),
        };
        let servers = [server];
        assert_eq!(judged("eth0", &servers, &[]).grade, Grade::Fail);
        assert_eq!(
            judged("eth0", &servers, &[Ipv4Addr::new(10, 0, 0, 1)]).grade,
            Grade::Pass
        );
        let [mut proxy] = servers;
        proxy.offered = Ipv4Addr::UNSPECIFIED;
        assert_eq!(judged("eth0", &[proxy], &[]).grade, Grade::Pass);
    }
}
