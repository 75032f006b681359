//! Where the ACLs alone say what becomes of a packet, and where only the whole pipeline can tell.

use super::{Policy, Rule, Verdict};
use crate::address::{parse_port_security, vip_address};
use crate::expr::Formula;
use crate::model::State;
use crate::trace::{Protocol, Query};
use purlin_ovsdb::Uuid;
use purlin_types::Mac;
use std::net::IpAddr;

const PORT: &str = "Logical_Switch_Port";
const SWITCH: &str = "Logical_Switch";

/// Ports that OVN itself listens to: DNS and DHCP of both versions.
const ANSWERED: [u16; 5] = [53, 67, 68, 546, 547];

impl Policy {
    /// Why a verdict of this policy may differ from what OVN does with the packet; `None` when it does not.
    ///
    /// A verdict is exact for two ordinary ports of one switch, both enabled, whose own addresses pass their port
    /// security, when no load balancer has the destination and no rule looks at what a first packet does not say. A
    /// packet that is dropped where it enters is dropped wherever it was to go.
    pub fn inexact(
        &self,
        state: &State<'_>,
        query: &Query,
        to: &str,
        verdict: &Verdict,
    ) -> Option<&'static str> {
        let (Some(from_switch), Some(to_switch)) = (self.switches.get(&query.port), self.switches.get(to))
        else {
            return Some("one of the ports is on no switch");
        };
        let lists = &self.lists[from_switch];
        if lists.from_port.iter().chain(&lists.to_port).any(Rule::asks_more) {
            return Some("a rule of the switch looks at more than a first packet says");
        }
        if lists.from_port.iter().any(|rule| rule.after_lb) {
            return Some("a rule is applied after load balancing");
        }
        if matches!(query.protocol, Protocol::Udp(_, port) if ANSWERED.contains(&port)) {
            return Some("OVN may answer this protocol by itself");
        }
        if let Some(why) = odd_port(state, &query.port, query.source) {
            return Some(why);
        }
        if balanced(state, *from_switch, query.destination.1) {
            return Some("a load balancer has the destination's address");
        }
        if !verdict.allowed && verdict.arriving.is_none() && verdict.leaving.is_some() {
            return None;
        }
        if from_switch != to_switch {
            return Some("the packet is routed");
        }
        odd_port(state, to, query.destination)
    }
}

/// Why a port is not as plain as the ACLs take it for.
fn odd_port(state: &State<'_>, name: &str, (mac, ip): (Mac, IpAddr)) -> Option<&'static str> {
    let port = state.by_name(PORT, name)?;
    if state
        .text(PORT, port, "type")
        .is_some_and(|kind| !kind.is_empty())
    {
        return Some("one of the ports is of a special type");
    }
    let enabled = state
        .value(PORT, port, "enabled")
        .and_then(|value| value.one()?.as_bool());
    if enabled == Some(false) {
        return Some("one of the ports is disabled");
    }
    let (macs, ips) = state.port_addresses(port);
    if !macs.contains(&mac) || !ips.contains(&ip) {
        return Some("the packet's addresses are not those of the port");
    }
    let texts = state.texts(PORT, port, "port_security");
    if texts.is_empty() {
        return None;
    }
    let (allowed, problems) = parse_port_security(texts.iter().map(|text| &**text));
    let passes = allowed.iter().any(|allowed| {
        let networks = &allowed.networks;
        allowed.mac == mac && (networks.is_empty() || networks.iter().any(|network| network.address() == ip))
    });
    (!passes || !problems.is_empty()).then_some("port security may drop it")
}

/// Whether a load balancer of the switch may have the address.
fn balanced(state: &State<'_>, switch: Uuid, address: IpAddr) -> bool {
    let mut balancers = state.targets(SWITCH, switch, "load_balancer");
    for group in state.targets(SWITCH, switch, "load_balancer_group") {
        balancers.extend(state.targets("Load_Balancer_Group", group, "load_balancer"));
    }
    balancers.into_iter().any(|balancer| {
        let vips = state.map("Load_Balancer", balancer, "vips");
        // One that cannot be read may be a template: it has any address.
        vips.keys()
            .any(|vip| vip_address(vip).is_none_or(|vip| vip == address))
    })
}

impl Rule {
    /// Whether the rule's match is about what a question does not say: connections that are there already, registers,
    /// where a port is bound.
    pub(super) fn asks_more(&self) -> bool {
        asks_more(&self.formula)
    }
}

fn asks_more(formula: &Formula) -> bool {
    // Fields of ARP and ND need their own kinds of packets, which a question is not about: they are known to be false.
    const SAID: [&str; 12] = [
        "eth", "ip", "ip4", "ip6", "tcp", "udp", "sctp", "icmp4", "icmp6", "arp", "rarp", "nd",
    ];
    match formula {
        Formula::And(parts) | Formula::Or(parts) => parts.iter().any(asks_more),
        Formula::Resident { .. } => true,
        Formula::Text { .. } | Formula::Constant(_) => false,
        Formula::Bits(bits) => {
            let name = bits.symbol.whole().0.name;
            let group = name.split('.').next().unwrap_or(name);
            !SAID.contains(&group)
                || matches!(
                    name,
                    "ip.ttl" | "ip.dscp" | "ip.ecn" | "ip.frag" | "tcp.flags" | "ip6.label"
                )
        }
    }
}
