//! Which backend gets the next piece of work.
//!
//! [`Chooser`] is the rule alone, [`Balancer`] joins it with each backend's [`crate::health`] and counts what is open.
//! Neither reads a clock or draws chance: time is an argument, and a seed makes ties and samples.
//!
//! ```text
//!   key ──► Balancer::choose ──► views { weight x share, outstanding } ──► Chooser ──► backend
//!   probes, results of work ──► Health of each backend ──┘
//! ```

mod chooser;
mod least;
mod maglev;
mod pool;
mod smooth;

pub use chooser::{BackendView, Chooser};
pub use pool::{BackendId, BackendSpec, BackendStatus, Balancer, Outcome};

/// How a backend is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// In turn, by weight, never the heavy ones in bursts.
    #[default]
    RoundRobin,
    /// Who has the least open, by weight; for datagrams that is transactions not yet answered. Beyond sixteen
    /// backends the better of two drawn ones.
    LeastConnections,
    /// By the key; a backend that comes or goes moves few keys but its own.
    ConsistentHashing,
    /// By the key, modulo the weights: no table, but a changed list of backends moves most keys.
    IpHash,
}

impl Algorithm {
    pub const ALL: [Self; 4] = [
        Self::RoundRobin,
        Self::LeastConnections,
        Self::ConsistentHashing,
        Self::IpHash,
    ];

    /// The word that configurations and interfaces use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RoundRobin => "round_robin",
            Self::LeastConnections => "least_connections",
            Self::ConsistentHashing => "consistent_hashing",
            Self::IpHash => "ip_hash",
        }
    }

    /// The algorithm of that name, with `-` for `_` if one likes, or by HAProxy's names for the same.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.replace('-', "_");
        match text.as_str() {
            "roundrobin" => Some(Self::RoundRobin),
            "leastconn" => Some(Self::LeastConnections),
            "source" => Some(Self::IpHash),
            other => Self::ALL
                .into_iter()
                .find(|algorithm| algorithm.as_str() == other),
        }
    }

    /// Whether the key of the work decides, so that a client stays with its backend.
    #[must_use]
    pub const fn is_by_key(self) -> bool {
        matches!(self, Self::ConsistentHashing | Self::IpHash)
    }
}

/// The key of a client (its address, chaddr, a header): the same octets give the same key on every machine.
#[must_use]
pub fn key(client: &[u8]) -> u64 {
    crate::ring::of_bytes(client)
}

#[cfg(test)]
mod tests;
