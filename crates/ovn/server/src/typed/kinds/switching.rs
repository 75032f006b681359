//! Switches and what hangs on them.

use super::{EXTERNAL_IDS, OPTIONS, kind, shown};
use crate::typed::{Field, Form, Kind};

const SWITCH: &str = "Logical_Switch";
const PORT: &str = "Logical_Switch_Port";
const CONFIG: &str = "other_config";

pub(super) static SWITCHES: Kind = kind!(
    "switches",
    "switch",
    "Logical_Switch",
    "OvnSwitch",
    "A network: ports that reach each other without a router.",
    r#"{"name": "web", "subnet": "10.0.0.0/24", "exclude_ips": ["10.0.0.1..10.0.0.9"]}"#,
    None,
    &[
        Field::same("name", "Name, nobody else's among switches.")
            .needed()
            .filter("name"),
        Field::key(
            "subnet",
            CONFIG,
            "subnet",
            Form::Text,
            "IPv4 network out of which `dynamic` ports get addresses."
        ),
        Field::key(
            "exclude_ips",
            CONFIG,
            "exclude_ips",
            Form::Words,
            "Addresses and ranges (`10.0.0.2..10.0.0.9`) that it gives to nobody."
        ),
        Field::key(
            "ipv6_prefix",
            CONFIG,
            "ipv6_prefix",
            Form::Text,
            "IPv6 network out of which `dynamic` ports get addresses."
        ),
        Field::key(
            "mac_only",
            CONFIG,
            "mac_only",
            Form::Flag,
            "Gives out MAC addresses only."
        ),
        Field::key(
            "mcast_snoop",
            CONFIG,
            "mcast_snoop",
            Form::Flag,
            "Learns who listens to which multicast group."
        ),
        Field::key(
            "mcast_querier",
            CONFIG,
            "mcast_querier",
            Form::Flag,
            "Asks who listens to which multicast group."
        ),
        Field::key(
            "vlan_passthru",
            CONFIG,
            "vlan-passthru",
            Form::Flag,
            "Lets tagged frames through."
        ),
        Field::rows("load_balancers", "load_balancer", "Load balancers for its ports.")
            .filter("load_balancer"),
        Field::rows(
            "load_balancer_groups",
            "load_balancer_group",
            "Groups of load balancers for its ports."
        ),
        Field::rows("dns", "dns_records", "Names that it answers for."),
        Field::rows(
            "copp",
            "copp",
            "Limits on what its ports may send to controllers."
        ),
        Field::shown(
            "ports_count",
            shown::switch_ports,
            shown::count,
            "How many ports it has."
        ),
        Field::shown(
            "acls_count",
            shown::switch_acls,
            shown::count,
            "How many ACLs it has of its own."
        ),
        Field::map(
            "other_config",
            "Everything else that OVN knows about switches, by key."
        ),
        EXTERNAL_IDS,
    ],
);

pub(super) static PORTS: Kind = kind!(
    "ports",
    "port",
    "Logical_Switch_Port",
    "OvnPort",
    "A port of a switch: a machine, a router, or a way out.",
    r#"{"name": "web-1", "switch": "web", "addresses": ["02:00:00:00:00:01 10.0.0.10"]}"#,
    None,
    &[
        Field::parent("switch", SWITCH, "ports", "The switch it belongs to.").needed(),
        Field::same(
            "name",
            "Name, nobody else's among ports; interfaces say it as `iface-id`."
        )
        .needed()
        .filter("name"),
        Field::same(
            "type",
            "Empty for a machine; router, localnet, localport, l2gateway, vtep, external, virtual, remote."
        )
        .filter("type"),
        Field::same(
            "addresses",
            "`MAC`, `MAC IP...`, `dynamic`, `MAC dynamic`, `unknown` or `router`."
        ),
        Field::same("dynamic_addresses", "What OVN chose for `dynamic`.").read(),
        Field::same(
            "port_security",
            "MACs and addresses that it may send from; empty for any."
        ),
        Field::same("up", "Whether a hypervisor has it.")
            .read()
            .filter("up"),
        Field::same("enabled", "Whether it takes part; null as true.").filter("enabled"),
        Field::key(
            "router_port",
            "options",
            "router-port",
            Form::Text,
            "The router port that it is plugged into; for type router."
        ),
        Field::key(
            "network_name",
            "options",
            "network_name",
            Form::Text,
            "The physical network; for type localnet."
        ),
        Field::key(
            "requested_chassis",
            "options",
            "requested-chassis",
            Form::Text,
            "The hypervisor that may have it."
        ),
        Field::column(
            "parent_port",
            "parent_name",
            "The port within which it is, by tag."
        )
        .filter("parent_port"),
        Field::same(
            "tag",
            "VLAN of its frames in the parent or on the physical network."
        ),
        Field::same("tag_request", "The tag that is wished; 0 for any."),
        Field::rows(
            "dhcpv4_options",
            "dhcpv4_options",
            "What the DHCP of OVN answers it."
        )
        .filter("dhcpv4_options"),
        Field::rows(
            "dhcpv6_options",
            "dhcpv6_options",
            "What the DHCPv6 of OVN answers it."
        )
        .filter("dhcpv6_options"),
        Field::referrers("port_groups", "Port_Group", "ports", "Groups it belongs to.").filter("port_group"),
        Field::rows("mirrors", "mirror_rules", "Mirrors that see its frames."),
        Field::rows(
            "ha_group",
            "ha_chassis_group",
            "Hypervisors that stand in for each other; for type external."
        ),
        OPTIONS,
        EXTERNAL_IDS,
    ],
);

pub(super) static FORWARDING_GROUPS: Kind = kind!(
    "forwarding-groups",
    "forwarding group",
    "Forwarding_Group",
    "OvnForwardingGroup",
    "Ports behind one virtual address of a switch.",
    r#"{"name": "pool", "switch": "web", "vip": "10.0.0.200", "vmac": "02:00:00:00:00:c8", "ports": ["web-1", "web-2"]}"#,
    None,
    &[
        Field::parent("switch", SWITCH, "forwarding_groups", "The switch it belongs to.").needed(),
        Field::same("name", "Name.").needed().filter("name"),
        Field::same("vip", "The virtual address.").needed(),
        Field::same("vmac", "The MAC of the virtual address.").needed(),
        Field::column("ports", "child_port", "Names of the ports behind it.").needed(),
        Field::same("liveness", "Whether dead ports are left out."),
        EXTERNAL_IDS,
    ],
);

pub(super) static MIRRORS: Kind = kind!(
    "mirrors",
    "mirror",
    "Mirror",
    "OvnMirror",
    "Copies of what ports send or get, through a tunnel.",
    r#"{"name": "watch", "filter": "to-lport", "type": "gre", "sink": "192.0.2.9", "index": 1, "ports": ["web-1"]}"#,
    None,
    &[
        Field::same("name", "Name, nobody else's among mirrors.")
            .needed()
            .filter("name"),
        Field::same(
            "filter",
            "from-lport for what ports send, to-lport for what they get."
        )
        .needed()
        .filter("filter"),
        Field::same("type", "Kind of the tunnel.").needed(),
        Field::same("sink", "Where the tunnel ends.").needed(),
        Field::same("index", "Key of the tunnel."),
        Field::referrers("ports", PORT, "mirror_rules", "Ports that are watched.").filter("port"),
        EXTERNAL_IDS,
    ],
);
