//! Where Redis is and how to speak to it: checked values, never a secret in a message.

mod address;
mod url;
mod variables;

pub use address::Address;

use std::fmt;
use std::time::Duration;

/// The port of a Redis server when none is named.
pub const REDIS_PORT: u16 = 6379;
/// The port of a Sentinel when none is named.
pub const SENTINEL_PORT: u16 = 26379;

/// Longest key prefix, in octets: it is paid for in every key.
const PREFIX_MAX: usize = 128;
/// Most connections of one pool. One already carries tens of thousands of calls per second.
const CONNECTIONS_MAX: u16 = 64;

/// A password. `Debug` does not show it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// How the servers are arranged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topology {
    /// One master. Of several addresses, the first that is reachable and is a master serves.
    Single(Vec<Address>),
    /// Sentinels know where the master is; one of them alive is enough.
    Sentinel {
        /// The name under which the Sentinels watch the master.
        master: String,
        nodes: Vec<Address>,
        /// What the Sentinels themselves ask for, often nothing.
        password: Option<Secret>,
    },
    /// Redis Cluster. One address alive is enough; the others are learnt.
    Cluster(Vec<Address>),
}

/// TLS for every connection, to Sentinels too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// Certificates to trust (PEM); `None` trusts those of the system.
    pub roots: Option<Vec<u8>>,
}

/// Everything that a client of Redis needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub topology: Topology,
    pub tls: Option<Tls>,
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// Number of the database, from 0. A Cluster has 0 only.
    pub database: u32,
    /// Connections that commands are spread over (in a Cluster: to each node), 1 to 64, default 1. Listening uses
    /// one more.
    pub connections: u16,
    /// What every key and channel starts with, at most 128 octets, default `purlin:`.
    pub key_prefix: String,
    /// Longest wait for the answer to one command, default 1 s.
    pub timeout: Duration,
    /// How often a plain command that got no answer is sent again before the hints count as away, default 0. Each takes
    /// up to `timeout`.
    pub max_retries: u32,
    /// Longest wait for a connection, greeting included, default 2 s.
    pub connect_timeout: Duration,
    /// How often a quiet line is tried, default 1 s. A fail-over is noticed within this time and one `timeout`.
    pub probe_every: Duration,
    /// The shortest and the longest pause between two attempts to connect, default 100 ms to 2 s, with jitter.
    pub back_off: (Duration, Duration),
}

/// One thing that is wrong with a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingFault {
    /// The setting or variable.
    pub key: &'static str,
    /// What is expected of it. Never what was given: it may be a secret.
    pub says: String,
}

impl fmt::Display for SettingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.says)
    }
}

impl std::error::Error for SettingFault {}

impl SettingFault {
    pub(crate) fn new(key: &'static str, says: impl Into<String>) -> Self {
        Self {
            key,
            says: says.into(),
        }
    }
}

impl Settings {
    /// The defaults around a topology.
    #[must_use]
    pub fn new(topology: Topology) -> Self {
        Self {
            topology,
            tls: None,
            username: None,
            password: None,
            database: 0,
            connections: 1,
            key_prefix: "purlin:".to_owned(),
            timeout: Duration::from_secs(1),
            max_retries: 0,
            connect_timeout: Duration::from_secs(2),
            probe_every: Duration::from_secs(1),
            back_off: (Duration::from_millis(100), Duration::from_secs(2)),
        }
    }

    /// Reads `redis://[[user]:password@]host[:port][,host[:port]...][/database]`, or `rediss://` for TLS.
    ///
    /// # Errors
    /// The part of the URL that cannot be read, without its text.
    pub fn from_url(text: &str) -> Result<Self, SettingFault> {
        url::read("url", text)
    }

    /// Reads the environment's variables through `lookup`: `REDIS_URL`, `REDIS_USERNAME`, `REDIS_PASSWORD`,
    /// `REDIS_CLUSTER_MODE`, `REDIS_SENTINEL_MASTER`, `REDIS_SENTINEL_NODES`, `REDIS_SENTINEL_PASSWORD`,
    /// `REDIS_POOL_SIZE`, `CACHE_KEY_PREFIX`. An empty one counts as absent. `None` when none says where Redis is.
    ///
    /// With a Sentinel master the URL gives scheme, user, password and database; its addresses are not used.
    ///
    /// # Errors
    /// All faults in one pass, none with the value that was given.
    pub fn from_variables(
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, Vec<SettingFault>> {
        variables::read(lookup)
    }

    /// What cannot work, whatever the servers say.
    #[must_use]
    pub fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Vec::new();
        let mut claim = |holds: bool, key: &'static str, says: &str| {
            if !holds {
                faults.push(SettingFault::new(key, says));
            }
        };
        let (addresses, cluster) = match &self.topology {
            Topology::Single(nodes) => (nodes, false),
            Topology::Cluster(nodes) => (nodes, true),
            Topology::Sentinel { master, nodes, .. } => {
                claim(!master.is_empty(), "sentinel.master", "the master has a name");
                (nodes, false)
            }
        };
        claim(!addresses.is_empty(), "addresses", "at least one address");
        claim(
            !cluster || self.database == 0,
            "database",
            "a Redis Cluster has database 0 only",
        );
        claim(
            (1..=CONNECTIONS_MAX).contains(&self.connections),
            "connections",
            &format!("a number from 1 to {CONNECTIONS_MAX}"),
        );
        claim(
            self.key_prefix.len() <= PREFIX_MAX,
            "key_prefix",
            &format!("at most {PREFIX_MAX} octets"),
        );
        // Braces would move the hash tags on which the scripts of a Cluster depend.
        claim(
            !self
                .key_prefix
                .contains(|c: char| c == '{' || c == '}' || c.is_control()),
            "key_prefix",
            "no braces and no control characters",
        );
        let times = [
            self.timeout,
            self.connect_timeout,
            self.probe_every,
            self.back_off.0,
        ];
        claim(
            times.iter().all(|time| *time >= Duration::from_millis(1)),
            "timeouts",
            "at least 1 ms",
        );
        claim(
            self.back_off.0 <= self.back_off.1,
            "back_off",
            "the shortest pause comes first",
        );
        faults
    }
}

#[cfg(test)]
mod tests;
