//! Where the database is, and how patient to be with it.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::breaker::BreakerSettings;

/// One server in several places: the hosts of one connection URL, tried in order.
///
/// Its `Debug` and its errors never show the password.
#[derive(Clone)]
pub struct Target {
    hosts: Vec<Config>,
}

/// Why a text is no connection URL. Never quotes the text: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadUrl {
    /// No `postgresql://user@host/database` and no `host=... user=...` either.
    Malformed,
    /// It names no host.
    NoHost,
    /// As many ports as hosts, or one, or none.
    Ports { hosts: usize, ports: usize },
}

/// Everything that [`crate::Postgres::connect`] wants to know. [`Settings::new`] fills in what is usual.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The primary: of several hosts, the first that takes writes.
    pub primary: Target,
    /// Where pages for display are read; the primary when there is none, or when none answers.
    pub replica: Option<Target>,
    /// Connections at once, of each of the two. 25 by default.
    pub max_open: usize,
    /// Connections kept while nobody uses them. 5 by default.
    pub max_idle: usize,
    /// A connection older than this is not used again. 1 h by default.
    pub lifetime: Duration,
    /// For one host to accept a connection, and for one to become free. 5 s by default.
    pub connect_timeout: Duration,
    /// For one statement, and for one commit to reach the standby. 5 s by default. A transaction left open by a node
    /// that stands still ends after half of it, so that its locks keep no successor away.
    pub statement_timeout: Duration,
    /// How long [`crate::Postgres::connect`] waits for a server that is not there; `None`, the default: for ever.
    pub start_patience: Option<Duration>,
    pub breaker: BreakerSettings,
    /// Whether [`crate::Postgres::bell`] rings when somebody commits records. Not by default.
    pub listen: bool,
    /// What the server shows in `pg_stat_activity`.
    pub application_name: String,
    /// With which certificates servers are believed. `sslmode=require` in the address refuses all others; the default,
    /// `prefer`, goes on without TLS when the server has none.
    #[cfg(feature = "tls")]
    pub tls: Option<rustls::ClientConfig>,
}

impl Settings {
    /// The usual settings for a server.
    #[must_use]
    pub fn new(primary: Target) -> Self {
        Self {
            primary,
            replica: None,
            max_open: 25,
            max_idle: 5,
            lifetime: Duration::from_secs(3600),
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(5),
            start_patience: None,
            breaker: BreakerSettings::default(),
            listen: false,
            application_name: "purlin".to_owned(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

impl Target {
    /// Reads `postgresql://user:password@host1:port1,host2:port2/database?sslmode=...` or the form with `host=`.
    ///
    /// # Errors
    /// See [`BadUrl`].
    pub fn parse(url: &str) -> Result<Self, BadUrl> {
        let whole: Config = url.parse().map_err(|_| BadUrl::Malformed)?;
        let ports = whole.get_ports().len();
        let hosts = whole.get_hosts().len();
        match (hosts, ports) {
            (0, _) => Err(BadUrl::NoHost),
            (_, 0 | 1) => Ok(()),
            (hosts, ports) if hosts == ports => Ok(()),
            (hosts, ports) => Err(BadUrl::Ports { hosts, ports }),
        }?;
        Ok(Self {
            hosts: (0..hosts).map(|index| alone(&whole, index)).collect(),
        })
    }

    /// One configuration per host, with what every connection of ours has.
    pub(crate) fn hosts(&self, settings: &Settings, access: Access) -> Vec<Config> {
        let mut hosts = self.hosts.clone();
        for config in &mut hosts {
            config
                .application_name(&settings.application_name)
                .connect_timeout(settings.connect_timeout)
                .keepalives(true)
                .keepalives_idle(Duration::from_secs(10))
                .keepalives_interval(Duration::from_secs(3))
                .keepalives_retries(3)
                .tcp_user_timeout(settings.statement_timeout * 2)
                .target_session_attrs(match access {
                    Access::Write => TargetSessionAttrs::ReadWrite,
                    Access::Read => TargetSessionAttrs::Any,
                });
        }
        hosts
    }

    /// Where the servers are, `host:port` of each; those behind a socket of this machine are left out.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        let over_tcp = |config: &&Config| matches!(config.get_hosts().first(), Some(Host::Tcp(_)));
        self.hosts.iter().filter(over_tcp).map(place).collect()
    }

    /// Whether a connection without TLS would be refused.
    pub(crate) fn demands_tls(&self) -> bool {
        self.hosts
            .iter()
            .any(|config| config.get_ssl_mode() == SslMode::Require)
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Write,
    Read,
}

/// `whole` with its host number `index` only, so that each host gets a time limit of its own: a server that accepts and
/// then says nothing must not keep us from the next one.
fn alone(whole: &Config, index: usize) -> Config {
    let mut config = Config::new();
    match &whole.get_hosts()[index] {
        Host::Tcp(name) => config.host(name),
        Host::Unix(folder) => config.host_path(folder),
    };
    if let Some(&address) = whole.get_hostaddrs().get(index) {
        config.hostaddr(address);
    }
    if let Some(&port) = whole.get_ports().get(index).or(whole.get_ports().first()) {
        config.port(port);
    }
    if let Some(user) = whole.get_user() {
        config.user(user);
    }
    if let Some(password) = whole.get_password() {
        config.password(password);
    }
    if let Some(name) = whole.get_dbname() {
        config.dbname(name);
    }
    if let Some(options) = whole.get_options() {
        config.options(options);
    }
    config
        .ssl_mode(whole.get_ssl_mode())
        .ssl_negotiation(whole.get_ssl_negotiation())
        .channel_binding(whole.get_channel_binding());
    config
}

/// `host:port`, as people know the server.
pub(crate) fn place(config: &Config) -> String {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    match config.get_hosts().first() {
        Some(Host::Tcp(name)) if name.contains(':') => format!("[{name}]:{port}"),
        Some(Host::Tcp(name)) => format!("{name}:{port}"),
        Some(Host::Unix(folder)) => format!("{}:{port}", Path::new(folder).display()),
        None => "nowhere".to_owned(),
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, config) in self.hosts.iter().enumerate() {
            write!(f, "{}{}", if n == 0 { "" } else { "," }, place(config))?;
        }
        let database = self.hosts.first().and_then(Config::get_dbname);
        database.map_or(Ok(()), |name| write!(f, "/{name}"))
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

impl fmt::Display for BadUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str(
                "not a PostgreSQL address, which looks like postgresql://user:password@host:5432/database",
            ),
            Self::NoHost => f.write_str("the PostgreSQL address names no host"),
            Self::Ports { hosts, ports } => {
                write!(f, "the PostgreSQL address has {hosts} hosts and {ports} ports")
            }
        }
    }
}

impl std::error::Error for BadUrl {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_hosts_become_one_attempt_each() {
        let target =
            Target::parse("postgresql://purlin:geheim@a:1,b:2/net?sslmode=require").expect("well formed");
        assert_eq!(target.to_string(), "a:1,b:2/net");
        assert_eq!(target.places(), ["a:1", "b:2"]);
        let beside = Target::parse("host=/run/postgresql,db user=purlin").expect("well formed");
        assert_eq!(beside.places(), ["db:5432"], "a socket is nowhere else");
        assert!(target.demands_tls());
        let settings = Settings::new(target);
        let hosts = settings.primary.hosts(&settings, Access::Write);
        assert_eq!(hosts.iter().map(place).collect::<Vec<_>>(), ["a:1", "b:2"]);
        assert_eq!(hosts[1].get_password(), Some(&b"geheim"[..]));
        assert_eq!(hosts[1].get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
    }

    #[test]
    fn a_password_is_shown_nowhere() {
        let target = Target::parse("postgresql://purlin:geheim@db/net").expect("well formed");
        let settings = Settings::new(target);
        assert!(!format!("{settings:?} {}", settings.primary).contains("geheim"));
        for url in [
            "postgresql://purlin:geheim@db:port/net",
            "postgresql://purlin:geheim@db/net?geheim=1",
            "postgresql://purlin:geheim",
            "postgresql:purlin:geheim@db",
            "host=db password=geheim x",
            "password=geheim",
            "host=a,b,c port=1,2 password=geheim",
        ] {
            let refused = Target::parse(url).expect_err(url);
            assert!(!format!("{refused} {refused:?}").contains("geheim"), "{url}");
        }
    }

    #[test]
    fn a_target_without_a_host_is_refused() {
        assert_eq!(Target::parse("user=purlin").expect_err("no host"), BadUrl::NoHost);
        let ports = BadUrl::Ports { hosts: 3, ports: 2 };
        assert_eq!(Target::parse("host=a,b,c port=1,2").expect_err("uneven"), ports);
    }
}
