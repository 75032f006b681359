//! The keys that every level may set for its clients: global, network, subnet, pool, class, reservation.

use purlin_config::{Key, Kind, TextFault, parse_duration};

const IPS: Kind = Kind::List(&Kind::Ip);
const IP_OR_LIST: Kind = Kind::OneOf(&[Kind::Ip, IPS]);
const TEXT: Kind = Kind::Text { max: 1200 };
const TEXT_OR_LIST: Kind = Kind::OneOf(&[TEXT, Kind::List(&TEXT)]);
/// Ten years; longer leases are typing errors.
const LEASE_MAX: u64 = 3650 * 86_400;
const DOMAIN: Kind = Kind::Form {
    what: "a domain name",
    check: check_domain,
};
const TIME: Kind = Kind::seconds(1, LEASE_MAX);
/// A lease time that may also have no end.
const LEASE: Kind = Kind::OneOf(&[
    Kind::Form {
        what: "a duration such as \"12h\", or \"infinite\"",
        check: check_lease,
    },
    TIME,
]);
/// The word for a lease that never ends (RFC 2131, section 3.3).
pub(in crate::reader) const INFINITE: &str = "infinite";

/// Options and times. Later levels win: global < network < subnet < pool < class < reservation.
pub(in crate::reader) const SCOPE: &[Key] = &[
    Key::new("lease_time", LEASE, "How long an address may be used; 1h when no level says otherwise. Shorter leases mean more renewals. An infinite one never ends unless its client or you release it.").unit("seconds").example("12h"),
    Key::new("lease_time_min", TIME, "The shortest lease a client may ask for; lease_time when not set."),
    Key::new("lease_time_max", LEASE, "The longest lease a client may ask for; lease_time when not set.").unit("seconds"),
    Key::new("t1", TIME, "When the client renews with its server (option 58); half of the lease when not set."),
    Key::new("t2", TIME, "When the client asks any server (option 59); 7/8 of the lease when not set."),
    Key::new("gateway", IP_OR_LIST, "Routers (option 3). With static_routes it becomes their default route too, because clients that know option 121 ignore option 3 (RFC 3442).").example("10.0.0.1"),
    Key::new("dns_servers", IPS, "Name servers (option 6).").example("[\"10.0.0.1\"]"),
    Key::new("domain_name", DOMAIN, "Domain of the client (option 15).").example("example.com"),
    Key::new("domain_search", Kind::List(&TEXT), "Search list (option 119).").example("[\"example.com\", \"example.net\"]"),
    Key::new("ntp_servers", IPS, "Time servers (option 42).").example("[\"10.0.0.1\"]"),
    Key::new("mtu", Kind::Int { min: 68, max: 65_535 }, "Interface MTU (option 26).").unit("octets").example("9000"),
    Key::new("broadcast", Kind::Ip, "Broadcast address (option 28).").example("10.255.255.255"),
    Key::new("static_routes", TEXT_OR_LIST, "Classless routes (option 121).").example("[\"10.0.0.0/8 via 10.1.1.1\"]"),
    Key::new("tftp_server", TEXT, "TFTP server name (option 66).").example("10.0.0.5"),
    Key::new("boot_file", Kind::Text { max: 255 }, "Boot file: header field and option 67.").example("pxelinux.0"),
    Key::new("next_server", Kind::Ip, "Next server of the boot (header field siaddr). With a boot file and no word about its server it is this server.").example("10.0.0.5"),
    Key::new("server_name", Kind::Text { max: 63 }, "Server name (header field sname).").example("boot"),
    Key::new("captive_portal", TEXT, "URI of the captive portal's API (option 114, RFC 8910).").example("https://portal.example.com/api"),
    Key::new("v6_only_wait", Kind::seconds(300, u32::MAX as u64), "For how long a client that can may switch IPv4 off (option 108, RFC 8925); sent when asked for.").example("30m"),
    Key::new("dnr", TEXT_OR_LIST, "Encrypted resolvers (option 162, RFC 9463): priority, name, addresses, parameters.").example("[\"1 dns.example.com 10.0.0.1 alpn=dot\"]"),
    Key::new("vendor_options", TEXT_OR_LIST, "Vendor options (option 43) as CODE=VALUE.").example("[\"1=\\\"text\\\"\", \"2=ca:fe\"]"),
    Key::new("options", Kind::Map(&OPTION_VALUE), "Any option by name or code: a value, or a table with value, type, hex and always.")
        .example("{ time-offset = 3600 }"),
    Key::new("boot", Kind::List(&Kind::Table(&[BOOT])), "Boot files by architecture, user class and hardware address. The first that fits wins; one that names the client's user class comes before those that name none."),
];

const OPTION_VALUE: Kind = Kind::OneOf(&[
    TEXT,
    Kind::Int {
        // The option's own type says which numbers it takes.
        min: i64::MIN,
        max: i64::MAX,
    },
    Kind::Bool,
    Kind::List(&Kind::Any),
    Kind::Table(&[OPTION]),
]);

pub(in crate::reader) const OPTION: &[Key] = &[
    Key::new("value", Kind::Any, "The value in the option's type."),
    Key::new("hex", Kind::Hex, "The octets themselves, instead of a value."),
    Key::new(
        "type",
        Kind::Text { max: 32 },
        "Another type than the catalog's, such as hex or string.",
    ),
    Key::new(
        "always",
        Kind::Bool,
        "Sent even when the client does not ask for it.",
    )
    .default("false"),
];

const ARCH: Kind = Kind::OneOf(&[Kind::Text { max: 32 }, Kind::Int { min: 0, max: 65_535 }]);

pub(in crate::reader) const BOOT: &[Key] = &[
    Key::new(
        "arch",
        Kind::OneOf(&[
            Kind::Text { max: 32 },
            Kind::Int { min: 0, max: 65_535 },
            Kind::List(&ARCH),
        ]),
        "Architectures (option 93) by name or code; all when not set.",
    )
    .example("uefi-x64"),
    Key::new(
        "user_class",
        Kind::Text { max: 255 },
        "User class (option 77) that must be there.",
    )
    .example("iPXE"),
    Key::new(
        "macs",
        Kind::List(&Kind::Mac),
        "Hardware addresses it is for; all when not set.",
    )
    .example("[\"02:00:00:00:00:01\"]"),
    Key::new(
        "file",
        Kind::Text { max: 255 },
        "File name, or a whole URI for HTTP clients. {server} in it stands for this server's address.",
    )
    .required()
    .example("\"bootx64.efi\""),
    Key::new(
        "next_server",
        Kind::Ip,
        "Where this file is; this server when nothing else is said.",
    ),
    Key::new(
        "name",
        Kind::Text { max: 64 },
        "What decisions call this entry; its number when not set.",
    ),
];

/// Names as in RFC 1035, section 2.3.4, without a word on letters. Some clients take several, with spaces between them.
fn check_domain(text: &str) -> Result<(), TextFault> {
    let wrong = |message: String| Err(TextFault::from(message));
    if text.len() > 255 {
        return wrong(format!(
            "the name has {} octets, at most 255 fit the option",
            text.len()
        ));
    }
    for name in text.split(' ') {
        let labels = name.strip_suffix('.').unwrap_or(name).split('.');
        for label in labels {
            match label.len() {
                0 => return wrong(format!("{text:?} has a label without a letter")),
                64.. => return wrong(format!("the label {label:?} has more than 63 octets")),
                _ => {}
            }
        }
    }
    Ok(())
}

fn check_lease(text: &str) -> Result<(), TextFault> {
    if text == INFINITE {
        return Ok(());
    }
    let wrong = |message: String| TextFault::from(message);
    let secs = parse_duration(text)
        .map_err(|_| {
            wrong(format!(
                "{text:?} is neither a duration like \"12h\" nor \"{INFINITE}\""
            ))
        })?
        .as_secs();
    if (1..=LEASE_MAX).contains(&secs) {
        return Ok(());
    }
    Err(wrong(format!(
        "{text} is not from 1s to 3650d; a lease without end is \"{INFINITE}\""
    )))
}
