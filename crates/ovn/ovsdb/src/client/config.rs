//! What a client is told.

use super::endpoint::Endpoint;
use super::tls::Tls;
use crate::session::Limits;
use std::time::Duration;

/// What a client is told. Everything but the database and the endpoints has a default.
#[derive(Debug, Clone)]
pub struct Config {
    /// The database, such as `OVN_Northbound`.
    pub database: String,
    /// All members of the cluster; the one server of a database that is none.
    pub endpoints: Vec<Endpoint>,
    /// For `ssl:` endpoints.
    pub tls: Option<Tls>,
    /// How long connecting, and each step of the greeting, may take. Default 3 s.
    pub connect_timeout: Duration,
    /// After how long a silence a server is asked whether it lives; after as long again it is given up. Default 5 s.
    pub probe: Duration,
    /// First and longest wait before a member is tried again. Default 50 ms and 2 s.
    pub back_off: (Duration, Duration),
    /// How long a write may take, all retries included. Default 30 s.
    pub write_timeout: Duration,
    /// What a server may ask of our memory.
    pub limits: Limits,
    /// Octets of updates that wait to be applied, per connection, before it is given up (and resumed later).
    /// Default 512 MiB.
    pub backlog_max: usize,
    /// Whether a member that follows may take writes, where no leader is among the endpoints: it hands them on.
    /// Default no.
    pub forward: bool,
    /// How concurrent small writes travel together.
    pub group: Group,
    /// Where [`super::Client::commit`] leaves the mark of a transaction that was told to leave one: a column that maps
    /// strings to strings, and the key. Default `external_ids`, `ovsdb:txn`.
    pub marker: (String, String),
}

/// How concurrent small writes travel together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Operations of one transaction, at most; a larger transaction travels alone. Default 100, range 1 to 10,000.
    pub operations_max: usize,
    /// Writes that travel as one transaction, at most. Default 100, range 1 to 10,000.
    pub writes_max: usize,
    /// How long a write waits for company, beyond the wait for its turn. Default 0: it goes as soon as there is room, and
    /// under load others have come by then. More makes each write slower, and lets `ovn-northd` see fewer changes.
    pub wait: Duration,
    /// Transactions on their way at once. Default 8, range 1 to 64.
    pub in_flight_max: usize,
    /// Writes that wait for their turn; more must wait to get in. Default 16,384.
    pub queue_max: usize,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            operations_max: 100,
            writes_max: 100,
            wait: Duration::ZERO,
            in_flight_max: 8,
            queue_max: 16_384,
        }
    }
}

impl Config {
    /// A client of this database at these endpoints.
    #[must_use]
    pub fn new(database: &str, endpoints: Vec<Endpoint>) -> Self {
        Self {
            database: database.to_owned(),
            endpoints,
            tls: None,
            connect_timeout: Duration::from_secs(3),
            probe: Duration::from_secs(5),
            back_off: (Duration::from_millis(50), Duration::from_secs(2)),
            write_timeout: Duration::from_secs(30),
            limits: Limits::default(),
            backlog_max: 512 << 20,
            forward: false,
            group: Group::default(),
            marker: ("external_ids".to_owned(), "ovsdb:txn".to_owned()),
        }
    }

    /// With certificates for `ssl:` endpoints.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }
}
