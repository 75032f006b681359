//! Load balancers.

use super::{EXTERNAL_IDS, OPTIONS, kind};
use crate::typed::{Field, Form, Kind, Of};

const BALANCER: &str = "Load_Balancer";

const CHECKS: [Field; 6] = [
    Field::same("vip", "the virtual address whose backends are checked").needed(),
    Field::key(
        "interval",
        "options",
        "interval",
        Form::Whole(1, 86_400),
        "Seconds between checks.",
    ),
    Field::key(
        "timeout",
        "options",
        "timeout",
        Form::Whole(1, 86_400),
        "Seconds until a check has failed.",
    ),
    Field::key(
        "success_count",
        "options",
        "success_count",
        Form::Whole(1, 1000),
        "Checks that must succeed.",
    ),
    Field::key(
        "failure_count",
        "options",
        "failure_count",
        Form::Whole(1, 1000),
        "Checks that must fail.",
    ),
    EXTERNAL_IDS,
];

pub(super) static LOAD_BALANCERS: Kind = kind!(
    "load-balancers",
    "load balancer",
    "Load_Balancer",
    "OvnLoadBalancer",
    "Virtual addresses, each with its backends.",
    r#"{"name": "api", "vips": {"10.0.0.100:80": "10.0.0.10:8080,10.0.0.11:8080"}, "protocol": "tcp", "switches": ["web"], "routers": ["edge"]}"#,
    None,
    &[
        Field::same("name", "Name, nobody else's among load balancers.")
            .needed()
            .filter("name"),
        Field::map(
            "vips",
            "Backends by virtual address: `IP:PORT` to `IP:PORT,IP:PORT`."
        ),
        Field::same("protocol", "Of the ports; null for addresses without ports.").filter("protocol"),
        Field::same(
            "selection_fields",
            "What of a packet chooses the backend; empty for all of its addresses and ports."
        ),
        Field::map(
            "ip_port_mappings",
            "Port and source address for health checks, by backend address."
        ),
        Field::new(
            "health_checks",
            Of::Children {
                table: "Load_Balancer_Health_Check",
                column: "health_check",
                fields: &CHECKS,
                key: &["vip"]
            },
            "How backends are checked, by virtual address.",
        ),
        Field::referrers(
            "switches",
            "Logical_Switch",
            "load_balancer",
            "Switches that it is attached to."
        )
        .filter("switch"),
        Field::referrers(
            "routers",
            "Logical_Router",
            "load_balancer",
            "Routers that it is attached to."
        )
        .filter("router"),
        Field::referrers(
            "groups",
            "Load_Balancer_Group",
            "load_balancer",
            "Groups of load balancers that it is in."
        )
        .filter("group"),
        Field::key(
            "hairpin_snat_ip",
            "options",
            "hairpin_snat_ip",
            Form::Text,
            "Source addresses for backends that reach themselves."
        ),
        Field::key(
            "skip_snat",
            "options",
            "skip_snat",
            Form::Flag,
            "Lets sources as they are."
        ),
        Field::key(
            "affinity_timeout",
            "options",
            "affinity_timeout",
            Form::Whole(0, 65_535),
            "Seconds for which a client keeps its backend."
        ),
        OPTIONS,
        EXTERNAL_IDS,
    ],
);

pub(super) static HEALTH_CHECKS: Kind = kind!(
    "health-checks",
    "health check",
    "Load_Balancer_Health_Check",
    "OvnHealthCheck",
    "How the backends of one virtual address are checked.",
    r#"{"load_balancer": "api", "vip": "10.0.0.100:80", "interval": 5, "timeout": 20, "success_count": 3, "failure_count": 3}"#,
    None,
    &[
        Field::parent(
            "load_balancer",
            BALANCER,
            "health_check",
            "The load balancer it belongs to."
        )
        .needed(),
        CHECKS[0].filter("vip"),
        CHECKS[1],
        CHECKS[2],
        CHECKS[3],
        CHECKS[4],
        OPTIONS,
        EXTERNAL_IDS,
    ],
);

pub(super) static LOAD_BALANCER_GROUPS: Kind = kind!(
    "load-balancer-groups",
    "group of load balancers",
    "Load_Balancer_Group",
    "OvnLoadBalancerGroup",
    "Load balancers that many switches and routers have in common.",
    r#"{"name": "cluster", "load_balancers": ["api"], "switches": ["web"]}"#,
    None,
    &[
        Field::same("name", "Name, nobody else's among such groups.")
            .needed()
            .filter("name"),
        Field::rows("load_balancers", "load_balancer", "Those in it.").filter("load_balancer"),
        Field::referrers(
            "switches",
            "Logical_Switch",
            "load_balancer_group",
            "Switches that have it."
        )
        .filter("switch"),
        Field::referrers(
            "routers",
            "Logical_Router",
            "load_balancer_group",
            "Routers that have it."
        )
        .filter("router"),
    ],
);
