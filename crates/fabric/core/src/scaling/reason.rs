//! Why a recommendation is what it is, in words.

use super::Metric;
use std::fmt;
use std::time::Duration;

/// Why no node may be removed now: removing one moves state, and one thing is moved at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Addresses wait for promises of a dead node to end.
    Quarantine,
    /// Slots are on their way to other owners.
    Rebalance,
    /// The claim store does not answer as it should.
    StoreTrouble,
    /// The database's standbys are behind.
    DatabaseLag,
    /// Another site is away and its clients may come here.
    SiteOutage,
}

/// Why the number of nodes should change, or why not.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// Utilisation is above the upper threshold.
    Above { metric: Metric, percent: f64 },
    /// Utilisation is below the lower threshold.
    Below { metric: Metric, percent: f64 },
    /// Utilisation is between the thresholds, on them included.
    Within { metric: Metric, percent: f64 },
    /// No ready node reports anything.
    NoMetrics,
    /// There are fewer nodes than `min_nodes`.
    BelowMinimum { min: u16 },
    /// There are more nodes than `max_nodes`.
    AboveMaximum { max: u16 },
    /// Nodes would be added, but there are as many as allowed.
    AtMaximum { max: u16 },
    /// A node would be removed, but there are as few as allowed.
    AtMinimum { min: u16 },
    /// The load is high because nodes that were ordered are not ready yet.
    OnTheirWay { nodes: u16 },
    /// Nodes would be added, but the load was not above the threshold all the time.
    NotSustained,
    /// A node would be removed, but so many were needed a short time ago.
    RecentlyNeeded { nodes: u16 },
    /// Not observed for long enough to say.
    Stabilising { left: Duration },
    /// An action was taken a short time ago.
    CoolingDown { left: Duration },
    /// A node would be removed, but not all are ready.
    NotReady { ready: u16, target: u16 },
    /// A node would be removed, but this is no time for it.
    Held(Hold),
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quarantine => "addresses of a lost node are in quarantine",
            Self::Rebalance => "slots are being moved",
            Self::StoreTrouble => "the database does not answer as it should",
            Self::DatabaseLag => "the database's standbys are behind",
            Self::SiteOutage => "another site is out",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Above { metric, percent } => {
                write!(f, "{metric} at {percent:.0} % is above the upper threshold")
            }
            Self::Below { metric, percent } => {
                write!(
                    f,
                    "{metric} at {percent:.0} % is the highest load and below the lower threshold"
                )
            }
            Self::Within { metric, percent } => {
                write!(
                    f,
                    "{metric} at {percent:.0} % is the highest load and between the thresholds"
                )
            }
            Self::NoMetrics => f.write_str("no ready node reports its load"),
            Self::BelowMinimum { min } => write!(f, "there must be at least {min} nodes"),
            Self::AboveMaximum { max } => write!(f, "there must be at most {max} nodes"),
            Self::AtMaximum { max } => write!(f, "the load asks for more than the allowed {max} nodes"),
            Self::AtMinimum { min } => write!(f, "the load is low, and {min} nodes are the minimum"),
            Self::OnTheirWay { nodes } => write!(f, "{nodes} nodes will do, once all of them are ready"),
            Self::NotSustained => f.write_str("the load has been high for a moment only"),
            Self::RecentlyNeeded { nodes } => write!(f, "a short time ago {nodes} nodes were needed"),
            Self::Stabilising { left } => {
                write!(
                    f,
                    "the load is watched for {} s more before anything is done",
                    left.as_secs()
                )
            }
            Self::CoolingDown { left } => {
                write!(f, "the last action is too young for {} s more", left.as_secs())
            }
            Self::NotReady { ready, target } => {
                write!(f, "the load is low, but only {ready} of {target} nodes are ready")
            }
            Self::Held(hold) => write!(f, "the load is low, but {hold}"),
        }
    }
}
