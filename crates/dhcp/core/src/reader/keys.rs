//! The keys of `[dhcp]` and of everything inside it except scopes.

mod scope;
mod seed;

pub(super) use scope::{BOOT, INFINITE, OPTION, SCOPE};
pub(super) use seed::{ALLOCATION, AUTO_SCALING, DATACENTER, FAILOVER, MULTI_SITE, SITE_KEYS};

use purlin_config::{Key, Kind, Section, TextFault};
use std::net::SocketAddrV4;
use std::time::Duration;

pub(super) static SECTION: Section = Section::new(
    "dhcp",
    "DHCPv4: where it listens, what it promises and which subnets it serves. Options and times set here hold for all subnets.",
    &[TOP, SCOPE],
);

const NAME: Kind = Kind::Form {
    what: "a name",
    check: check_name,
};
const NAMES: Kind = Kind::List(&NAME);
const CONFLICT: Kind = Kind::Enum(&["off", "ping", "arp"]);
const SOCKET: Kind = Kind::Form {
    what: "an IPv4 address with a port such as \"10.0.0.1:67\"",
    check: check_socket,
};
const DAY: u64 = 86_400;

const TOP: &[Key] = &[
    Key::new("enabled", Kind::Bool, "Whether DHCP is served. When not set: if there is an address or interface to listen on."),
    Key::new("listen", Kind::List(&SOCKET), "UDP addresses for relayed and unicast requests. On a port other than 67 answers to relays go back to the packet's source.")
        .default("[]").example("[\"10.0.0.1:67\"]"),
    Key::new("interfaces", Kind::List(&Kind::Text { max: 15 }), "Local segments by interface name: broadcasts in, raw frames out. Needs CAP_NET_RAW.")
        .default("[]").example("[\"eth0\"]"),
    Key::new("threads", Kind::Int { min: 1, max: 256 }, "Packet threads; one per core when not set.").restart(),
    Key::new("ack", Kind::Enum(&["durable", "lead"]), "When an ACK leaves: after its record is durable, or at once with a promise of at most mclt beyond what is durable. `lead` costs shorter first leases and gives a lower latency.")
        .default("durable"),
    Key::new("mclt", Kind::seconds(1, DAY), "Maximum client lead time: the most that `lead` promises beyond what is durable, and how long a failed owner's addresses rest.")
        .default("10m"),
    Key::new("authoritative", Kind::Bool, "Whether no other server gives addresses on these networks. A client that asks after a reboot for an address that is wrong or not recorded for it is then refused at once and asks anew, and one that renews an address nobody else has a claim on keeps it. RFC 2131, 4.3.2 has a server without a record stay silent, as another one may have it: beside such a server set it to false.")
        .default("true"),
    Key::new("server_id", Kind::Ip, "Server identifier (option 54) for all subnets; the address the request came to when not set."),
    Key::new("echo_client_id", Kind::Bool, "Whether the client identifier is sent back (RFC 6842).").default("true"),
    Key::new("bootp", Kind::Bool, "Whether clients without DHCP (BOOTP, RFC 951) get addresses; their leases never end.").default("false"),
    Key::new("rapid_commit", Kind::Bool, "Whether a client that asks for it gets its lease in two messages instead of four (RFC 4039).").default("true"),
    Key::new("offer_hold", Kind::seconds(1, 600), "How long an offered address is kept for the client that asked.").default("30s"),
    Key::new("decline_hold", Kind::seconds(0, 30 * DAY), "How long an address that a client found in use stays out of use.").default("24h"),
    Key::new("affinity", Kind::seconds(0, 3650 * DAY), "How long an expired or released lease is kept for its last client while other addresses are free.")
        .default("7d"),
    Key::new("conflict_check", CONFLICT, "How an address is probed before it is offered for the first time: not at all, by ICMP echo, or by ARP on local segments. A probe delays the first offer by conflict_wait.")
        .default("off"),
    Key::new("conflict_wait", Kind::Duration { min: Duration::from_millis(10), max: Duration::from_secs(5) }, "How long a probe waits for an answer.")
        .default("300ms"),
    Key::new("proxy", Kind::Bool, "Whether another DHCP server gives the addresses and this one only tells boot clients (PXE, HTTP) what to boot: proxy DHCP. Subnets may say otherwise for themselves; without subnets it holds on every link. Listens on UDP port 4011 too.")
        .default("false"),
    Key::new("limits", Kind::Table(&[LIMITS]), "Rate limits against broken or hostile clients."),
    Key::new("decisions", Kind::Int { min: 1024, max: 16_777_216 }, "Decisions kept per packet thread for `purlin why`; each costs about 64 octets.")
        .default("65536").restart(),
    Key::new("option_defs", Kind::List(&Kind::Table(&[OPTION_DEF])), "Own options beside the standard ones."),
    Key::new("classes", Kind::List(&Kind::Table(&[CLASS, SCOPE])), "Client classes, tested in this order."),
    Key::new("flex_id", Kind::Text { max: 4096 }, "Expression that yields the flexible identifier for flex_id reservations.")
        .example("concat(relay4[1].hex, pkt4.mac)"),
    Key::new("networks", Kind::List(&Kind::Table(&[NETWORK, SCOPE])), "Shared networks: several subnets on one link."),
    Key::new("subnets", Kind::List(&SUBNET_TABLE), "Subnets, each on a link of its own."),
    Key::new("reservations", Kind::List(&Kind::Table(&[RESERVATION, SCOPE])), "Reservations that hold in whichever subnet contains their address."),
    Key::new("datacenter", Kind::Table(&[DATACENTER]), "Cluster settings in the form of simple-dhcpd's datacenter guide; checked, and mapped where one node can honour them."),
];

pub(super) const LIMITS: &[Key] = &[
    Key::new(
        "per_client",
        Kind::Int {
            min: 0,
            max: 1_000_000,
        },
        "Packets per second from one hardware address, with a burst of as many; 0 is no limit.",
    )
    .default("0")
    .unit("packets per second"),
    Key::new(
        "per_relay",
        Kind::Int {
            min: 0,
            max: 10_000_000,
        },
        "Packets per second through one relay, with a burst of as many; 0 is no limit.",
    )
    .default("0")
    .unit("packets per second"),
];

pub(super) const OPTION_DEF: &[Key] = &[
    Key::new("name", NAME, "Name of the option, for `options` and expressions.")
        .required()
        .example("\"vendor-token\""),
    Key::new(
        "code",
        Kind::Int { min: 1, max: 254 },
        "Option code; 224 to 254 are free for private use.",
    )
    .required()
    .example("224"),
    Key::new(
        "type",
        Kind::Text { max: 32 },
        "Type of the value: ip, ip[], u8, u16, u32, bool, string, domain, seconds, hex and others.",
    )
    .required()
    .example("\"string\""),
];

pub(super) const CLASS: &[Key] = &[
    Key::new("name", NAME, "Name of the class.")
        .required()
        .example("\"phones\""),
    Key::new(
        "test",
        Kind::Text { max: 16_384 },
        "Expression that tells members; without one, only reservations name members.",
    )
    .example("option[60].text startswith 'Cisco'"),
    Key::new("drop", Kind::Bool, "Members get no answer at all.").default("false"),
];

pub(super) const NETWORK: &[Key] = &[
    Key::new("name", NAME, "Name of the shared network.")
        .required()
        .example("\"campus\""),
    Key::new("subnets", Kind::List(&SUBNET_TABLE), "The subnets on this link."),
];

const SUBNET_TABLE: Kind = Kind::Table(&[SUBNET, SCOPE]);

pub(super) const SUBNET: &[Key] = &[
    Key::new(
        "name",
        NAME,
        "Name of the subnet; the text of its network when not set.",
    )
    .example("main"),
    Key::new("network", Kind::Prefix, "The network, host bits zero.")
        .required()
        .example("\"10.0.0.0/8\""),
    Key::new(
        "pools",
        Kind::List(&Kind::OneOf(&[Kind::Range, Kind::Table(&[POOL, SCOPE])])),
        "Addresses for dynamic bindings: ranges, or tables with a range, a guard and options.",
    )
    .example("[\"10.1.0.0-10.200.255.255\"]"),
    Key::new(
        "relays",
        Kind::List(&Kind::Range),
        "Relay addresses outside the network that select this subnet.",
    )
    .example("[\"192.0.2.1\"]"),
    Key::new(
        "interfaces",
        Kind::List(&Kind::Text { max: 15 }),
        "Interfaces whose local clients belong here, besides those with an address in the network.",
    ),
    Key::new(
        "classes",
        NAMES,
        "Only members of one of these classes are served here. Built in: KNOWN (has a reservation), UNKNOWN, BOOTP, ALL.",
    ),
    Key::new("conflict_check", CONFLICT, "Overrides dhcp.conflict_check."),
    Key::new(
        "reserved_only",
        Kind::Bool,
        "Only clients with a reservation are served.",
    )
    .default("false"),
    Key::new(
        "proxy",
        Kind::Bool,
        "Overrides dhcp.proxy: here another DHCP server gives the addresses, and boot clients are only told what to boot.",
    ),
    Key::new(
        "reservations",
        Kind::List(&Kind::Table(&[RESERVATION, SCOPE])),
        "Fixed answers for single clients.",
    ),
];

pub(super) const POOL: &[Key] = &[
    Key::new("range", Kind::Range, "The addresses.")
        .required()
        .example("\"10.1.0.0-10.1.255.255\""),
    Key::new(
        "classes",
        NAMES,
        "Only members of one of these classes get these addresses. Built in: KNOWN (has a reservation), UNKNOWN, BOOTP, ALL.",
    )
    .example("[\"UNKNOWN\"]"),
];

const IDENTIFIER: Kind = Kind::Text { max: 255 };

pub(super) const RESERVATION: &[Key] = &[
    Key::new("mac", Kind::Mac, "For the client with this hardware address.").example("02:00:00:00:00:01"),
    Key::new("client_id", IDENTIFIER, "For the client with this identifier (option 61): pairs of hex digits with colons, 0x..., or plain text.")
        .example("01:02:00:00:00:00:01"),
    Key::new("circuit_id", IDENTIFIER, "For whoever is behind this circuit (option 82, sub-option 1): hex as above, or plain text.").example("eth0/1/12"),
    Key::new("remote_id", IDENTIFIER, "For whoever is behind this remote end (option 82, sub-option 2): hex as above, or plain text."),
    Key::new("uuid", Kind::Form { what: "a UUID", check: check_uuid }, "For the machine with this UUID (option 97).")
        .example("00112233-4455-6677-8899-aabbccddeeff"),
    Key::new("flex_id", IDENTIFIER, "For the client for which the expression dhcp.flex_id yields this: hex as above, or plain text."),
    Key::new("address", Kind::Ip, "The address; without one the client gets a dynamic address with these options and classes.").example("10.0.5.5"),
    Key::new("hostname", Kind::Form { what: "a host name", check: check_hostname }, "Host name to tell the client (option 12).").example("node-a"),
    Key::new("classes", NAMES, "Classes the client is a member of."),
];

fn check_name(text: &str) -> Result<(), TextFault> {
    let odd = text
        .char_indices()
        .find(|(_, c)| c.is_control() || matches!(c, '[' | ']'));
    match (text.len(), odd) {
        (0, _) => Err(TextFault::from("the name is empty".to_owned())),
        (129.., _) => Err(TextFault::from(format!(
            "the name has {} octets, at most 128 are allowed",
            text.len()
        ))),
        (_, Some((at, c))) => Err(TextFault {
            at: Some((at, c.len_utf8())),
            message: format!("a name cannot have the character {c:?}"),
            help: String::new(),
        }),
        _ => Ok(()),
    }
}

fn check_socket(text: &str) -> Result<(), TextFault> {
    if text.parse::<SocketAddrV4>().is_ok() {
        return Ok(());
    }
    let help = match text.parse::<std::net::Ipv4Addr>() {
        Ok(address) => format!("write the port too: \"{address}:67\""),
        Err(_) => String::new(),
    };
    let message = format!("expected an IPv4 address with a port, found {text:?}");
    Err(TextFault {
        at: None,
        message,
        help,
    })
}

/// A host name as RFC 1123 section 2.1 has it, alone or with its domain.
fn check_hostname(text: &str) -> Result<(), TextFault> {
    let fault = |at: Option<(usize, usize)>, message: String| TextFault {
        at,
        message,
        help: String::new(),
    };
    if text.is_empty() || text.len() > 253 {
        return Err(fault(
            None,
            format!("a host name has 1 to 253 characters, not {}", text.len()),
        ));
    }
    if let Some((at, c)) = text
        .char_indices()
        .find(|(_, c)| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')))
    {
        return Err(fault(
            Some((at, c.len_utf8())),
            format!("a host name cannot have the character {c:?}"),
        ));
    }
    let bad =
        |label: &str| label.is_empty() || label.len() > 63 || label.starts_with('-') || label.ends_with('-');
    match text.split('.').find(|label| bad(label)) {
        Some(label) => Err(fault(
            None,
            format!("{label:?} is no label: 1 to 63 characters, no '-' at its ends"),
        )),
        None => Ok(()),
    }
}

fn check_uuid(text: &str) -> Result<(), TextFault> {
    match super::reservation::uuid(text) {
        Some(_) => Ok(()),
        None => Err(TextFault {
            at: None,
            message: format!("expected a UUID, found {text:?}"),
            help: "write 00112233-4455-6677-8899-aabbccddeeff".to_owned(),
        }),
    }
}
