//! Routers and what hangs on them.

use super::{EXTERNAL_IDS, OPTIONS, kind, shown};
use crate::typed::{Fault, Field, Form, Kind, Of, Subject};
use purlin_ovn_core::model::Change;
use serde_json::{Map, Value, json};

const ROUTER: &str = "Logical_Router";

pub(super) static ROUTERS: Kind = kind!(
    "routers",
    "router",
    "Logical_Router",
    "OvnRouter",
    "A router between switches.",
    r#"{"name": "edge", "load_balancers": []}"#,
    None,
    &[
        Field::same("name", "Name, nobody else's among routers.")
            .needed()
            .filter("name"),
        Field::same("enabled", "Whether it routes; null as true.").filter("enabled"),
        Field::key(
            "chassis",
            "options",
            "chassis",
            Form::Text,
            "The one hypervisor that it runs on: a gateway router."
        ),
        Field::key(
            "always_learn_from_arp_request",
            "options",
            "always_learn_from_arp_request",
            Form::Flag,
            "Learns neighbours from any ARP request."
        ),
        Field::rows("load_balancers", "load_balancer", "Load balancers on it.").filter("load_balancer"),
        Field::rows(
            "load_balancer_groups",
            "load_balancer_group",
            "Groups of load balancers on it."
        ),
        Field::rows("copp", "copp", "Limits on what may be sent to controllers."),
        Field::shown("ports", shown::router_ports, shown::words, "Names of its ports."),
        Field::shown(
            "switches",
            shown::router_switches,
            shown::words,
            "Switches that it is plugged into."
        ),
        OPTIONS,
        EXTERNAL_IDS,
    ],
);

const GATEWAYS: [Field; 4] = [
    Field::column("chassis", "chassis_name", "the hypervisor").needed(),
    Field::same("priority", "the highest one that is alive has the port").needed(),
    Field::same("name", "a name, made of port and hypervisor when absent"),
    Field::map("options", "Options, by key."),
];

pub(super) static ROUTER_PORTS: Kind = kind!(
    "router-ports",
    "router port",
    "Logical_Router_Port",
    "OvnRouterPort",
    "A port of a router, with its networks.",
    r#"{"name": "edge-web", "router": "edge", "mac": "02:00:00:00:01:01", "networks": ["10.0.0.1/24"], "gateway_chassis": [{"chassis": "hv-1", "priority": 20}]}"#,
    Some(name_gateways),
    &[
        Field::parent("router", ROUTER, "ports", "The router it belongs to.").needed(),
        Field::same("name", "Name, nobody else's among ports.")
            .needed()
            .filter("name"),
        Field::same("mac", "MAC address.").needed(),
        Field::same(
            "networks",
            "Its addresses with the lengths of their networks: `10.0.0.1/24`."
        )
        .needed(),
        Field::column(
            "peer",
            "peer",
            "The router port that it is plugged into directly."
        ),
        Field::same("enabled", "Whether it takes part; null as true."),
        Field::new(
            "gateway_chassis",
            Of::Children {
                table: "Gateway_Chassis",
                column: "gateway_chassis",
                fields: &GATEWAYS,
                key: &["chassis"]
            },
            "Hypervisors that may have it, by priority.",
        ),
        Field::rows(
            "ha_group",
            "ha_chassis_group",
            "The same, as a group that other ports share."
        )
        .filter("ha_group"),
        Field::shown(
            "switch",
            shown::router_port_switch,
            shown::word,
            "The switch that it is plugged into."
        ),
        Field::shown(
            "switch_port",
            shown::router_port_plug,
            shown::word,
            "The port of that switch."
        ),
        Field::map("ipv6_ra_configs", "Router advertisements, by key."),
        Field::same("ipv6_prefix", "Prefixes that it was delegated.").read(),
        OPTIONS,
        EXTERNAL_IDS,
    ],
);

/// `PORT-CHASSIS`, as `ovn-nbctl` names them.
fn name_gateways(subject: &Subject<'_, '_>, body: &mut Map<String, Value>) -> Result<Vec<Change>, Fault> {
    let present = subject.state.text(subject.kind.table, subject.uuid, "name");
    let port = body.get("name").and_then(Value::as_str).or(present);
    let port = port.unwrap_or_default().to_owned();
    let gateways = body.get_mut("gateway_chassis").and_then(Value::as_array_mut);
    for gateway in gateways.into_iter().flatten().filter_map(Value::as_object_mut) {
        if let Some(chassis) = gateway.get("chassis").and_then(Value::as_str) {
            let name = format!("{port}-{chassis}");
            gateway.entry("name").or_insert_with(|| json!(name));
        }
    }
    Ok(Vec::new())
}

pub(super) static ROUTES: Kind = kind!(
    "routes",
    "route",
    "Logical_Router_Static_Route",
    "OvnRoute",
    "A route of a router; several of one prefix share the traffic.",
    r#"{"router": "edge", "prefix": "0.0.0.0/0", "nexthop": "192.0.2.1"}"#,
    None,
    &[
        Field::parent("router", ROUTER, "static_routes", "The router it belongs to.").needed(),
        Field::column("prefix", "ip_prefix", "Where it leads: `10.1.0.0/16`.")
            .needed()
            .filter("prefix"),
        Field::same("nexthop", "The next router, or `discard`.")
            .needed()
            .filter("nexthop"),
        Field::same(
            "output_port",
            "Name of the router port to send through, when the next router does not say it."
        ),
        Field::same(
            "policy",
            "Whether the prefix is about destinations (dst-ip) or sources (src-ip)."
        ),
        Field::same(
            "route_table",
            "Table of routes that it is in; empty for the main one."
        )
        .filter("route_table"),
        Field::rows("bfd", "bfd", "The BFD session that must be up.").filter("bfd"),
        Field::key(
            "ecmp_symmetric_reply",
            "options",
            "ecmp_symmetric_reply",
            Form::Flag,
            "Replies go back the way that requests came."
        ),
        OPTIONS,
        EXTERNAL_IDS,
    ],
);

pub(super) static POLICIES: Kind = kind!(
    "policies",
    "policy",
    "Logical_Router_Policy",
    "OvnPolicy",
    "A routing policy: what matches is let through, dropped, or sent another way.",
    r#"{"router": "edge", "priority": 100, "match": "ip4.src == 10.0.0.0/24", "action": "reroute", "nexthops": ["192.0.2.9"]}"#,
    None,
    &[
        Field::parent("router", ROUTER, "policies", "The router it belongs to.").needed(),
        Field::same("priority", "The highest one that matches decides.").needed(),
        Field::same("match", "An expression of OVN.").needed(),
        Field::same("action", "What happens.").needed().filter("action"),
        Field::same("nexthops", "Where it is sent; for reroute."),
        Field::same("nexthop", "The same, one only; older than nexthops."),
        OPTIONS,
        EXTERNAL_IDS,
    ],
);

pub(super) static NAT: Kind = kind!(
    "nat",
    "NAT rule",
    "NAT",
    "OvnNat",
    "Addresses that a router translates.",
    r#"{"router": "edge", "type": "snat", "external_ip": "192.0.2.2", "logical_ip": "10.0.0.0/24"}"#,
    None,
    &[
        Field::parent("router", ROUTER, "nat", "The router it belongs to.").needed(),
        Field::same("type", "snat, dnat, or both at once.")
            .needed()
            .filter("type"),
        Field::same("external_ip", "The address outside.")
            .needed()
            .filter("external_ip"),
        Field::same("logical_ip", "The address or network inside.")
            .needed()
            .filter("logical_ip"),
        Field::same(
            "external_mac",
            "MAC for the address outside, when the hypervisor of the port answers itself."
        ),
        Field::same(
            "logical_port",
            "The port inside, when its hypervisor translates itself."
        )
        .filter("logical_port"),
        Field::same(
            "external_port_range",
            "Ports outside that may be used: `2000-3000`."
        ),
        Field::rows(
            "gateway_port",
            "gateway_port",
            "The router port through which it goes."
        ),
        Field::rows(
            "allowed_ext_ips",
            "allowed_ext_ips",
            "Only towards these addresses."
        ),
        Field::rows(
            "exempted_ext_ips",
            "exempted_ext_ips",
            "Not towards these addresses."
        ),
        Field::key(
            "stateless",
            "options",
            "stateless",
            Form::Flag,
            "Without connection tracking; dnat_and_snat only."
        ),
        OPTIONS,
        EXTERNAL_IDS,
    ],
);

pub(super) static BFD: Kind = kind!(
    "bfd",
    "BFD session",
    "BFD",
    "OvnBfd",
    "Whether a next router is alive, asked many times a second.",
    r#"{"logical_port": "edge-uplink", "dst_ip": "192.0.2.1", "min_tx": 250, "min_rx": 250, "detect_mult": 5}"#,
    None,
    &[
        Field::same("logical_port", "Name of the router port that asks.")
            .needed()
            .filter("logical_port"),
        Field::same("dst_ip", "Who is asked.").needed().filter("dst_ip"),
        Field::same("min_tx", "Milliseconds between what is sent."),
        Field::same("min_rx", "Milliseconds between what is expected."),
        Field::same("detect_mult", "How many may be missed."),
        Field::same("status", "What OVN found.").read().filter("status"),
        Field::shown(
            "routes_count",
            shown::bfd_routes,
            shown::count,
            "How many routes rely on it."
        ),
        OPTIONS,
        EXTERNAL_IDS,
    ],
);

pub(super) static STATIC_MAC_BINDINGS: Kind = kind!(
    "static-mac-bindings",
    "static MAC binding",
    "Static_MAC_Binding",
    "OvnStaticMacBinding",
    "A neighbour of a router port that is not asked for.",
    r#"{"logical_port": "edge-web", "ip": "10.0.0.50", "mac": "02:00:00:00:00:32"}"#,
    None,
    &[
        Field::same("logical_port", "Name of the router port.")
            .needed()
            .filter("logical_port"),
        Field::same("ip", "Address of the neighbour.")
            .needed()
            .filter("ip"),
        Field::same("mac", "Its MAC.").needed(),
        Field::same(
            "override_dynamic_mac",
            "Whether it wins against what was learned."
        ),
    ],
);
