//! Who may talk with whom, and how much.

use super::{EXTERNAL_IDS, OPTIONS, kind, shown};
use crate::typed::{Field, Form, Kind, Of};

pub(super) static ACLS: Kind = kind!(
    "acls",
    "ACL",
    "ACL",
    "OvnAcl",
    "A rule of a switch or of a port group.",
    r#"{"port_group": "servers", "name": "web-in", "direction": "to-lport", "priority": 1000, "match": "outport == @servers && tcp.dst == 80", "action": "allow-related"}"#,
    None,
    &[
        Field::parent("switch", "Logical_Switch", "acls", "The switch it belongs to."),
        Field::parent(
            "port_group",
            "Port_Group",
            "acls",
            "The port group it belongs to."
        ),
        Field::same("name", "Name, for logs; 63 characters at most.").filter("name"),
        Field::same(
            "direction",
            "from-lport for what ports send, to-lport for what they get."
        )
        .needed()
        .filter("direction"),
        Field::same("priority", "The highest one that matches decides.")
            .needed()
            .filter("priority"),
        Field::same("match", "An expression of OVN.").needed(),
        Field::same("action", "What happens.").needed().filter("action"),
        Field::same("log", "Whether what matches is logged.").filter("log"),
        Field::same("severity", "Of the log's lines."),
        Field::same("meter", "Name of the meter that bounds the log."),
        Field::same("label", "A number that connections carry; 0 for none."),
        OPTIONS,
        EXTERNAL_IDS,
    ],
);

pub(super) static PORT_GROUPS: Kind = kind!(
    "port-groups",
    "port group",
    "Port_Group",
    "OvnPortGroup",
    "Ports with the same rules, of any switches; `@NAME` in matches.",
    r#"{"name": "servers", "ports": ["web-1", "web-2"]}"#,
    None,
    &[
        Field::same(
            "name",
            "Name, nobody else's among port groups: letters, digits, `_` and `.`."
        )
        .needed()
        .filter("name"),
        Field::rows("ports", "ports", "Ports in it.").filter("port"),
        Field::shown(
            "acls_count",
            shown::group_acls,
            shown::count,
            "How many ACLs it has."
        ),
        Field::shown(
            "address_sets",
            shown::group_sets,
            shown::words,
            "Address sets that OVN makes of its ports."
        ),
        EXTERNAL_IDS,
    ],
);

pub(super) static ADDRESS_SETS: Kind = kind!(
    "address-sets",
    "address set",
    "Address_Set",
    "OvnAddressSet",
    "Addresses with a name; `$NAME` in matches.",
    r#"{"name": "offices", "addresses": ["192.0.2.0/24", "198.51.100.7"]}"#,
    None,
    &[
        Field::same(
            "name",
            "Name, nobody else's among address sets: letters, digits, `_` and `.`."
        )
        .needed()
        .filter("name"),
        Field::same(
            "addresses",
            "Addresses and networks, all IPv4, all IPv6 or all MAC."
        )
        .filter("address"),
        EXTERNAL_IDS,
    ],
);

pub(super) static QOS: Kind = kind!(
    "qos",
    "QoS rule",
    "QoS",
    "OvnQos",
    "A mark or a bandwidth for what matches.",
    r#"{"switch": "web", "direction": "from-lport", "priority": 100, "match": "inport == \"web-1\"", "rate": 10000, "burst": 1000}"#,
    None,
    &[
        Field::parent(
            "switch",
            "Logical_Switch",
            "qos_rules",
            "The switch it belongs to."
        )
        .needed(),
        Field::same(
            "direction",
            "from-lport for what ports send, to-lport for what they get."
        )
        .needed()
        .filter("direction"),
        Field::same("priority", "The highest one that matches decides.").needed(),
        Field::same("match", "An expression of OVN.").needed(),
        Field::key(
            "dscp",
            "action",
            "dscp",
            Form::Whole(0, 63),
            "The mark that packets get."
        ),
        Field::key(
            "rate",
            "bandwidth",
            "rate",
            Form::Whole(1, 4_294_967_295),
            "Kilobits per second."
        ),
        Field::key(
            "burst",
            "bandwidth",
            "burst",
            Form::Whole(1, 4_294_967_295),
            "Kilobits at once."
        ),
        EXTERNAL_IDS,
    ],
);

const BANDS: [Field; 4] = [
    Field::same("rate", "what is let through in a second, in the meter's unit").needed(),
    Field::column(
        "burst",
        "burst_size",
        "What may come at once; 0 leaves it to the switch.",
    ),
    Field::same("action", "What happens to the rest: drop."),
    EXTERNAL_IDS,
];

pub(super) static METERS: Kind = kind!(
    "meters",
    "meter",
    "Meter",
    "OvnMeter",
    "A bound on logs and on what controllers are sent.",
    r#"{"name": "acl-log", "unit": "pktps", "bands": [{"rate": 10, "action": "drop"}]}"#,
    Some(super::services::bands_drop),
    &[
        Field::same("name", "Name, nobody else's among meters.")
            .needed()
            .filter("name"),
        Field::same("unit", "Kilobits or packets per second.")
            .needed()
            .filter("unit"),
        Field::same("fair", "Whether each ACL has the rate for itself."),
        Field::new(
            "bands",
            Of::Children {
                table: "Meter_Band",
                column: "bands",
                fields: &BANDS,
                key: &["rate"]
            },
            "From which rate on what happens.",
        )
        .needed(),
        EXTERNAL_IDS,
    ],
);

pub(super) static COPP: Kind = kind!(
    "copp",
    "control plane policy",
    "Copp",
    "OvnCopp",
    "Meters for what ports may send to controllers, by protocol.",
    r#"{"name": "edge", "meters": {"arp": "arp-limit"}, "routers": ["edge"]}"#,
    None,
    &[
        Field::same("name", "Name, nobody else's among such policies.")
            .needed()
            .filter("name"),
        Field::map(
            "meters",
            "Names of meters by protocol: arp, arp-resolve, dhcpv4-opts, dns, icmp4-error, and others."
        ),
        Field::referrers("switches", "Logical_Switch", "copp", "Switches that have it.").filter("switch"),
        Field::referrers("routers", "Logical_Router", "copp", "Routers that have it.").filter("router"),
        EXTERNAL_IDS,
    ],
);
