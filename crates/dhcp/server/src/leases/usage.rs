//! How full the subnets of all nodes are: counted by the store, for a few seconds at a time.

use super::{Leases, away};
use purlin_dhcp_core::rows::LEASES;
use purlin_dhcp_core::rows::shown::{Parts, STATE_OCTET};
use purlin_dhcp_core::view::SubnetUse;
use std::time::{Duration, Instant};

/// How old a count may be. It reads every row of the subnets where the rows are: some 0.2 s per million.
const COUNTED_FOR: Duration = Duration::from_secs(5);

/// How full subnets are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// By network and subnet name. `offered` counts what this node offered: offers are nowhere but in memory.
    pub subnets: Vec<SubnetUse>,
    /// How long ago it was counted.
    pub age: Duration,
    /// Set when leases of other nodes are not counted: why.
    pub partial: Option<String>,
}

/// A count that is kept.
#[derive(Debug)]
pub(super) struct Counted {
    at: Instant,
    usage: Usage,
}

impl Leases {
    /// How full every subnet is, over all nodes; as of a few seconds ago when there are others.
    pub async fn usage(&self) -> Usage {
        if self.0.others.is_none() {
            return Usage {
                subnets: self.0.handle.usage().await,
                ..Usage::default()
            };
        }
        // Who comes while somebody counts waits for that count.
        let mut kept = self.0.counted.lock().await;
        if let Some(counted) = kept.as_ref().filter(|counted| counted.at.elapsed() < COUNTED_FOR) {
            return Usage {
                age: counted.at.elapsed(),
                ..counted.usage.clone()
            };
        }
        let usage = self.count().await;
        *kept = Some(Counted {
            at: Instant::now(),
            usage: usage.clone(),
        });
        usage
    }

    async fn count(&self) -> Usage {
        let handle = &self.0.handle;
        let (held, mut subnets, plan) = (handle.slots().await, handle.usage().await, handle.plan());
        let Some(others) = &self.0.others else {
            return Usage::default();
        };
        let parts = Parts::of(&plan);
        let tally = others.rows.tally(LEASES, STATE_OCTET, &parts.keys, &held);
        let partial = match tally.await {
            Ok(tally) => {
                for part in tally {
                    parts.add(&plan, &mut subnets, part.range, part.value, part.rows);
                }
                None
            }
            Err(fault) => Some(away(&fault)),
        };
        Usage {
            subnets,
            age: Duration::ZERO,
            partial,
        }
    }
}
