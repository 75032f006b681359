//! `[api]`: where the HTTP API, the console and the metrics listen, and who may come from where.

use crate::{Document, Fault, Faults, Key, Kind, Reader, Section, TextFault, check_section, codes};
use purlin_types::Prefix4;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

static SECTION: Section = Section::new(
    "api",
    "The HTTP API: addresses, TLS and limits. Plain HTTP stays on loopback unless allowed.",
    &[KEYS],
);

const SOCKETS: Kind = Kind::List(&Kind::Socket);

const RATE: Kind = Kind::Int {
    min: 0,
    max: 10_000_000,
};

const KEYS: &[Key] = &[
    Key::new("enabled", Kind::Bool, "Whether the API is served at all.")
        .default("true")
        .restart(),
    Key::new(
        "http",
        SOCKETS,
        "Addresses for plain HTTP. Other addresses than loopback need allow_remote_http.",
    )
    .default("127.0.0.1:8080")
    .restart()
    .example("[\"127.0.0.1:8080\"]"),
    Key::new(
        "https",
        SOCKETS,
        "Addresses for HTTPS, with the certificate below or one from the self-made authority.",
    )
    .default("127.0.0.1:8081")
    .restart()
    .example("[\"0.0.0.0:8081\"]"),
    Key::new(
        "metrics",
        SOCKETS,
        "Addresses for /metrics and /health alone, in plain HTTP and without a token: for Prometheus and balancers.",
    )
    .default("127.0.0.1:9090")
    .restart()
    .example("[\"0.0.0.0:9090\"]"),
    Key::new(
        "allow_remote_http",
        Kind::Bool,
        "Allows plain HTTP beyond loopback: tokens then cross the network unencrypted.",
    )
    .default("false")
    .restart(),
    Key::new(
        "trusted_proxies",
        Kind::List(&Kind::Form { what: "an address or an IPv4 network", check: check_proxy }),
        "Balancers whose X-Forwarded-For is believed: audit and login limits then see the client. What others send is ignored.",
    )
    .default("[]")
    .restart()
    .example("[\"10.0.0.1\", \"172.18.0.0/16\"]"),
    Key::new(
        "tls_cert",
        Kind::Path,
        "PEM file with the certificate chain; needs tls_key.",
    )
    .restart()
    .example("/etc/purlin/tls.crt"),
    Key::new(
        "tls_key",
        Kind::Path,
        "PEM file with the private key; needs tls_cert.",
    )
    .restart()
    .example("/etc/purlin/tls.key"),
    Key::new(
        "tls_names",
        Kind::List(&Kind::Text { max: 253 }),
        "Extra names and addresses for the self-made certificate.",
    )
    .default("[]")
    .restart()
    .example("[\"purlin.example.com\"]"),
    Key::new(
        "cors_origins",
        Kind::List(&Kind::Text { max: 253 }),
        "Web origins whose scripts may call the API.",
    )
    .default("[]")
    .restart()
    .example("[\"https://console.example.com\"]"),
    Key::new(
        "max_body",
        Kind::Size {
            min: 1024,
            max: 1 << 30,
        },
        "Largest request body. Whole configurations are sent as bodies.",
    )
    .default("16Mi")
    .restart(),
    Key::new(
        "max_connections",
        Kind::Int {
            min: 1,
            max: 1_000_000,
        },
        "Open connections over all API addresses; more are refused at once.",
    )
    .default("1024")
    .restart(),
    Key::new(
        "request_timeout",
        Kind::seconds(1, 3600),
        "How long one request may take; event streams are exempt.",
    )
    .default("30s")
    .restart(),
    Key::new(
        "read_rate",
        RATE,
        "Requests that read, per caller and minute; 0 is no limit. Two seconds' worth may come at once.",
    )
    .default("0")
    .restart()
    .example("6000"),
    Key::new(
        "write_rate",
        RATE,
        "Requests that write, per caller and minute; 0 is no limit. Two seconds' worth may come at once.",
    )
    .default("0")
    .restart()
    .example("1200"),
    Key::new(
        "login_rate",
        RATE,
        "Logins with a password, per source address and minute; 0 is no limit.",
    )
    .default("20")
    .restart(),
    Key::new(
        "shutdown_grace",
        Kind::seconds(0, 600),
        "How long running requests may finish after SIGTERM.",
    )
    .default("10s")
    .restart(),
];

/// The checked `[api]` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiSettings {
    pub enabled: bool,
    pub http: Vec<SocketAddr>,
    pub https: Vec<SocketAddr>,
    pub metrics: Vec<SocketAddr>,
    pub allow_remote_http: bool,
    /// Addresses and IPv4 networks, as text that reads as one of the two.
    pub trusted_proxies: Vec<String>,
    /// Paths of certificate chain and key; `None` takes the self-made authority.
    pub tls: Option<(String, String)>,
    pub tls_names: Vec<String>,
    pub cors_origins: Vec<String>,
    /// Octets.
    pub max_body: u64,
    pub max_connections: u32,
    pub request_timeout: Duration,
    /// Requests per caller and minute; 0 is no limit.
    pub read_rate: u32,
    pub write_rate: u32,
    /// Logins per source address and minute; 0 is no limit.
    pub login_rate: u32,
    pub shutdown_grace: Duration,
}

/// The schema of `[api]`.
#[must_use]
pub fn section() -> &'static Section {
    &SECTION
}

/// Reads `[api]`; `None` when it has errors, which are then in `faults`.
#[must_use]
pub fn read(document: &Document, faults: &mut Faults) -> Option<ApiSettings> {
    let before = faults.errors();
    check_section(document, &SECTION, faults);
    let reader = Reader::section(document, &SECTION);
    let settings = ApiSettings {
        enabled: reader.get("enabled"),
        http: reader.get("http"),
        https: reader.get("https"),
        metrics: reader.get("metrics"),
        allow_remote_http: reader.get("allow_remote_http"),
        trusted_proxies: reader.get("trusted_proxies"),
        tls: tls(&reader, faults),
        tls_names: reader.get("tls_names"),
        cors_origins: reader.get("cors_origins"),
        max_body: reader.get::<purlin_types::ByteSize>("max_body").0,
        max_connections: reader.get("max_connections"),
        request_timeout: reader.get("request_timeout"),
        read_rate: reader.get("read_rate"),
        write_rate: reader.get("write_rate"),
        login_rate: reader.get("login_rate"),
        shutdown_grace: reader.get("shutdown_grace"),
    };
    guard_plain_http(&reader, &settings, faults);
    (faults.errors() == before).then_some(settings)
}

fn check_proxy(text: &str) -> Result<(), TextFault> {
    if text.parse::<IpAddr>().is_ok() || text.parse::<Prefix4>().is_ok() {
        return Ok(());
    }
    Err(TextFault::from(format!(
        "\"{text}\" is neither an address nor an IPv4 network"
    )))
}

fn tls(reader: &Reader<'_>, faults: &mut Faults) -> Option<(String, String)> {
    match (reader.opt("tls_cert"), reader.opt("tls_key")) {
        (Some(cert), Some(key)) => Some((cert, key)),
        (None, None) => None,
        (cert, _) => {
            let (there, missing) = if cert.is_some() {
                ("tls_cert", "tls_key")
            } else {
                ("tls_key", "tls_cert")
            };
            let message = format!("`{there}` is set without `{missing}`");
            let fault = Fault::error(
                codes::CONTRADICTION,
                reader.path_of(there),
                reader.span_of(there),
                message,
            );
            faults.push(fault.help(format!(
                "set both, or neither to use the self-made certificate authority ({missing})"
            )));
            None
        }
    }
}

fn guard_plain_http(reader: &Reader<'_>, settings: &ApiSettings, faults: &mut Faults) {
    if settings.allow_remote_http {
        return;
    }
    for (i, node) in reader.items("http").iter().enumerate() {
        let address = node.as_str().and_then(|text| text.parse::<SocketAddr>().ok());
        if let Some(address) = address.filter(|address| !address.ip().is_loopback()) {
            let message = format!("{address} would serve plain HTTP beyond this machine");
            let path = format!("{}[{i}]", reader.path_of("http"));
            let fault = Fault::error(codes::CONTRADICTION, path, node.span, message);
            faults.push(
                fault.help("use `https`, or set allow_remote_http = true when something in front adds TLS"),
            );
        }
    }
}
