//! The keys of `dhcp.datacenter` as the datacenter and multi-site guides write them. Bare numbers of time are
//! seconds, except `latency`, which is milliseconds; a bare bandwidth is Mbit/s.

use purlin_config::{Key, Kind, TextFault};

const PERCENT: Kind = Kind::Int { min: 1, max: 100 };
const BATCH: Kind = Kind::Int {
    min: 1,
    max: 1_000_000,
};
const PERIOD: Kind = Kind::seconds(1, 86_400);
const SITE: Kind = Kind::Text { max: 64 };
const SITES: Kind = Kind::List(&SITE);
const BANDWIDTH: Kind = Kind::OneOf(&[
    Kind::Int {
        min: 1,
        max: 1_000_000,
    },
    Kind::Form {
        what: "a bandwidth such as 1000 or \"1Gbit\"",
        check: check_bandwidth,
    },
]);
const METHODS: Kind = Kind::Enum(&[
    "consistent_hashing",
    "round_robin",
    "least_connections",
    "weighted_round_robin",
    "ip_hash",
    "least_load",
]);

pub(in crate::reader) const DATACENTER: &[Key] = &[
    Key::new("scaling", Kind::Table(&[SCALING]), "How nodes share the work."),
    Key::new("performance", Kind::Table(&[PERFORMANCE]), "How one node works."),
    Key::new(
        "multi_site",
        Kind::Table(&[MULTI_SITE]),
        "How sites work together.",
    ),
];

const SCALING: &[Key] = &[
    Key::new(
        "load_distribution",
        Kind::Table(&[&[
            Key::new("method", METHODS, "How shares of the addresses are given to nodes: consistent_hashing by a ring; ip_hash by a draw per share; round_robin and weighted_round_robin by the ring with exactly even parts. Parts follow cluster.weight. The other words are a balancer's and mean consistent_hashing here.")
                .default("consistent_hashing"),
            Key::new(
                "replication_factor",
                Kind::Int { min: 1, max: 16 },
                "Nodes that the plan names for each share: its owner and who stands by, in turn. Leases themselves are in [store], as often as its database keeps them. When it is set, a drain or removal that would leave fewer nodes is refused.",
            )
            .default("3"),
            Key::new(
                "virtual_nodes",
                Kind::Int { min: 1, max: 100_000 },
                "Points per node on the ring; there are 4096 shares, and more points than that are 4096.",
            )
            .default("100"),
        ]]),
        "How clients are mapped to nodes.",
    ),
    Key::new(
        "load_balancing",
        Kind::Table(&[&[
            Key::new("algorithm", METHODS, "The balancer's choice rule."),
            Key::new("health_check", Kind::Bool, "Whether back ends are probed."),
            Key::new("health_check_interval", PERIOD, "Probe period."),
        ]]),
        "How a balancer in front chooses.",
    ),
    Key::new(
        "auto_scaling",
        Kind::Table(&[AUTO_SCALING]),
        "When nodes are added and removed.",
    ),
];

pub(in crate::reader) const AUTO_SCALING: &[Key] = &[
    Key::new(
        "enabled",
        Kind::Bool,
        "Whether the autoscaler acts. Recommendations are made in any case.",
    )
    .default("false"),
    Key::new(
        "min_nodes",
        Kind::Int { min: 1, max: 1000 },
        "Never fewer nodes. A drain or removal that would leave fewer is refused.",
    )
    .default("1"),
    Key::new("max_nodes", Kind::Int { min: 1, max: 1000 }, "Never more nodes.").default("10"),
    Key::new(
        "scale_up_threshold",
        PERCENT,
        "Utilisation above which a node is added; at it, none is.",
    )
    .unit("percent")
    .default("70"),
    Key::new(
        "scale_down_threshold",
        PERCENT,
        "Utilisation below which a node is removed; at it, none is.",
    )
    .unit("percent")
    .default("30"),
    Key::new(
        "cooldown_period",
        PERIOD,
        "No second action of the same direction within this time, and no removal after an addition.",
    )
    .default("5m"),
    Key::new(
        "scale_up_after",
        Kind::seconds(0, 3600),
        "How long the load must be above the upper threshold without a break: a spike is no load.",
    )
    .default("1m"),
    Key::new(
        "scale_down_after",
        Kind::seconds(0, 3600),
        "How long no more nodes must have been needed before one goes.",
    )
    .default("5m"),
    Key::new(
        "requests_per_node",
        Kind::Int {
            min: 1,
            max: 10_000_000,
        },
        "Requests per second that a node is meant for: with it, their rate counts as utilisation.",
    ),
    Key::new(
        "driver",
        Kind::Enum(&["recommend", "exec", "local", "docker", "kubernetes"]),
        "Who acts: nobody here (recommend), or a program that the leader runs once for each decision (exec). The others are not in this version.",
    )
    .default("recommend"),
    Key::new(
        "command",
        Kind::Text { max: 255 },
        "Name of the program of the driver exec, in /etc/purlin/hooks or where the node's PURLIN_HOOKS_DIR says.",
    )
    .example("scale"),
    Key::new("command_timeout", Kind::seconds(1, 3600), "How long the program may take.").default("1m"),
];

const PERFORMANCE: &[Key] = &[Key::new(
    "optimization",
    Kind::Table(&[&[
        Key::new(
            "batch_processing",
            Kind::Bool,
            "One commit for the packets of a receive call; switched off, one for each packet that changes a lease.",
        )
        .default("true"),
        Key::new(
            "batch_size",
            BATCH,
            "Most packets per commit and per receive call; what is above 64 is 64.",
        )
        .default("64"),
        Key::new(
            "async_operations",
            Kind::Bool,
            "Answers do not wait for side jobs; switched off, nothing else is read while an address is checked (conflict_check).",
        )
        .default("true"),
        Key::new(
            "parallel_processing",
            Kind::Bool,
            "Many packet threads, as many as dhcp.threads says; switched off, one.",
        )
        .default("true")
        .restart(),
        Key::new(
            "cache_optimization",
            Kind::Bool,
            "Options are encoded once per kind of client; switched off, for every answer.",
        )
        .default("true"),
        Key::new(
            "network_optimization",
            Kind::Bool,
            "Many datagrams per system call; switched off, one.",
        )
        .default("true"),
    ]]),
    "Switches of the packet path. All are on; one that is off only costs, and is for comparing.",
)];

pub(in crate::reader) const MULTI_SITE: &[Key] = &[
    Key::new("enabled", Kind::Bool, "Whether sites exchange anything."),
    Key::new("local_site", SITE, "The site this node is in."),
    Key::new("sites", Kind::List(&Kind::Table(&[SITE_KEYS])), "All sites."),
    Key::new(
        "synchronization",
        Kind::Table(&[&[
            Key::new(
                "mode",
                Kind::Enum(&["async", "sync"]),
                "Whether an ACK waits for the other site.",
            ),
            Key::new("interval", PERIOD, "Period of a round."),
            Key::new("batch_size", BATCH, "Records per message."),
            Key::new("compression", Kind::Bool, "Compressed messages."),
            Key::new("encryption", Kind::Bool, "Encrypted messages."),
        ]]),
        "How leases are copied between sites.",
    ),
    Key::new(
        "allocation",
        Kind::Table(&[ALLOCATION]),
        "From which site's pools a client is served.",
    ),
    Key::new(
        "failover",
        Kind::Table(&[FAILOVER]),
        "What happens when a site is gone.",
    ),
    Key::new(
        "bandwidth",
        Kind::Table(&[&[
            Key::new("optimization", Kind::Bool, "Shape the traffic between sites."),
            Key::new("max_bandwidth", BANDWIDTH, "Cap.").unit("Mbit/s"),
            Key::new("compression", Kind::Bool, "Compress bulk."),
            Key::new("deduplication", Kind::Bool, "Send the same record once."),
        ]]),
        "Traffic between sites.",
    ),
];

pub(in crate::reader) const SITE_KEYS: &[Key] = &[
    Key::new("name", SITE, "Name of the site.")
        .required()
        .example("\"us-east\""),
    Key::new(
        "nodes",
        Kind::List(&Kind::Text { max: 253 }),
        "Host names of its nodes.",
    ),
    Key::new("priority", Kind::Int { min: 1, max: 1000 }, "Lower is preferred."),
    Key::new(
        "latency",
        Kind::Int { min: 0, max: 60_000 },
        "Expected latency from the local site.",
    )
    .unit("milliseconds"),
];

pub(in crate::reader) const ALLOCATION: &[Key] = &[
    Key::new(
        "strategy",
        Kind::Enum(&["geographic", "local", "round_robin", "priority"]),
        "How the site is chosen.",
    ),
    Key::new("prefer_local", Kind::Bool, "Local pools first."),
    Key::new(
        "fallback_sites",
        SITES,
        "Order when the local site has none left.",
    ),
];

pub(in crate::reader) const FAILOVER: &[Key] = &[
    Key::new("enabled", Kind::Bool, "Automatic takeover."),
    Key::new("detection_interval", PERIOD, "Probe period."),
    Key::new(
        "failover_timeout",
        PERIOD,
        "After which a silent site counts as gone.",
    ),
    Key::new("preferred_sites", SITES, "Who takes over, in this order."),
];

fn check_bandwidth(text: &str) -> Result<(), TextFault> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit = text[digits..].trim().to_ascii_lowercase();
    let known = [
        "", "kbit", "mbit", "gbit", "kbit/s", "mbit/s", "gbit/s", "kbps", "mbps", "gbps",
    ];
    if digits > 0 && known.contains(&unit.as_str()) {
        return Ok(());
    }
    Err(TextFault::from(format!(
        "expected a bandwidth such as 1000 or \"1Gbit\", found {text:?}"
    )))
}
