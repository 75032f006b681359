//! When each pool will have nothing left, and which one is short first.

use purlin_dhcp_core::view::SubnetUse;
use purlin_fabric::capacity::{Confidence, Forecast, Sample, UseHistory, confidence, forecast, words};
use purlin_telemetry::metrics::{Collector, Encoder};
use purlin_types::Ipv4Range;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Pools shown by name; more are summed under `other`.
const POOL_SERIES_MAX: usize = 5000;
/// What ends later is no news for whoever asks about nodes.
const SOON: Duration = Duration::from_secs(30 * 86_400);

/// Addresses whose use is followed over time: those of all pools of a subnet, or of one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Track {
    /// Of its history: the subnet's name, for a pool beside others with the range behind it.
    pub(super) key: String,
    /// `None` for several pools together.
    pool: Option<Ipv4Range>,
    /// Whether it is one pool of several.
    pub(super) within: bool,
    size: u64,
    pub(super) used: u64,
}

impl Track {
    /// Of a subnet and its pools; one pool alone is the subnet. Without a pool nothing can be full.
    pub(super) fn all(used: &SubnetUse) -> Vec<Self> {
        let whole = Self {
            key: used.subnet.clone(),
            pool: None,
            within: false,
            size: used.size,
            used: used.taken(),
        };
        match &used.pools[..] {
            [] => Vec::new(),
            [only] => vec![Self {
                pool: Some(only.range),
                ..whole
            }],
            several => {
                let each = several.iter().map(|pool| Self {
                    // No name has a control character in it.
                    key: format!("{}\u{1f}{}", used.subnet, pool.range),
                    pool: Some(pool.range),
                    within: true,
                    size: pool.range.count(),
                    used: pool.taken(),
                });
                std::iter::once(whole).chain(each).collect()
            }
        }
    }
}

/// What is to be expected of a pool, or of all pools of a subnet.
#[derive(Debug, Clone, PartialEq)]
pub struct Prospect {
    pub subnet: String,
    /// `None` for several pools together.
    pub pool: Option<Ipv4Range>,
    /// Addresses.
    pub size: u64,
    /// Addresses that nobody new can have, over all nodes.
    pub used: u64,
    /// Samples that were seen, and the seconds from the first to the last of them.
    pub samples: usize,
    pub span: u64,
    pub seen: Forecast,
}

impl Prospect {
    /// How far it is to be believed.
    #[must_use]
    pub fn confidence(&self) -> Confidence {
        confidence(&self.seen, self.span)
    }

    /// The same in words.
    #[must_use]
    pub fn words(&self) -> String {
        words(&self.seen, self.span)
    }

    /// Until nothing is left; `None` when no end is in sight.
    #[must_use]
    pub fn full_in(&self) -> Option<Duration> {
        match self.seen {
            Forecast::Full => Some(Duration::ZERO),
            Forecast::Exhausted { after, .. } => Some(after),
            _ => None,
        }
    }
}

/// What is to be expected of every subnet and, where there are several, of each of its pools: with what is `known` of
/// them, and their use at `now`, in seconds.
#[must_use]
pub fn prospects(usage: &[SubnetUse], known: &BTreeMap<String, UseHistory>, now: u64) -> Vec<Prospect> {
    let of = |used: &SubnetUse| {
        let tracks = Track::all(used).into_iter();
        let each = tracks.map(|track| {
            let mut history = known.get(&track.key).cloned().unwrap_or_default();
            history.push(Sample {
                at: now,
                used: track.used,
            });
            let window = history.window();
            Prospect {
                subnet: used.subnet.clone(),
                pool: track.pool,
                size: track.size,
                used: track.used,
                samples: window.len(),
                span: history.span(),
                seen: forecast(window, track.size),
            }
        });
        each.collect::<Vec<_>>()
    };
    usage.iter().flat_map(of).collect()
}

/// What is expected at the node that leads, as of a few minutes ago; nothing at others. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Outlook(Arc<Mutex<Vec<Prospect>>>);

impl Outlook {
    pub fn set(&self, prospects: Vec<Prospect>) {
        *self.all() = prospects;
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    fn all(&self) -> MutexGuard<'_, Vec<Prospect>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What no further node would help against: the pool that is full first, if that is full now or, as far as is to be
    /// believed, within 30 days.
    #[must_use]
    pub fn shortage(&self) -> Option<String> {
        let all = self.all();
        let believed = |one: &&Prospect| !matches!(one.confidence(), Confidence::None | Confidence::Low);
        let soon = all
            .iter()
            .filter(|one| one.pool.is_some())
            .filter(believed)
            .filter_map(|one| Some((one.full_in().filter(|after| *after <= SOON)?, one)));
        let mut short: Vec<(Duration, &Prospect)> = soon.collect();
        short.sort_by_key(|(after, _)| *after);
        let (_, first) = short.first()?;
        let pool = first.pool?;
        let more = match short.len() - 1 {
            0 => String::new(),
            1 => "; another one is short as well".to_owned(),
            more => format!("; {more} others are short as well"),
        };
        Some(format!(
            "pool {pool} of subnet \"{}\" is {}{more}. More addresses help there, more nodes do not",
            first.subnet,
            first.words()
        ))
    }
}

impl Collector for Outlook {
    fn collect(&self, encoder: &mut Encoder) {
        let all = self.all();
        let pools = || all.iter().filter_map(|one| Some((one, one.pool?.to_string())));
        let help = "Part of a pool that nobody new can have, over all nodes; shown by the leader.";
        let mut ratios = encoder
            .gauge("purlin_dhcp_pool_used_ratio", help)
            .budget(POOL_SERIES_MAX);
        for (one, pool) in pools() {
            let labels = [("subnet", one.subnet.as_str()), ("pool", &pool)];
            ratios.value(&labels, one.used as f64 / one.size as f64);
        }
        let help = "Until a pool is full at current growth; no series where no end is in sight; shown by the leader.";
        let mut times = encoder
            .gauge("purlin_dhcp_pool_full_seconds", help)
            .budget(POOL_SERIES_MAX);
        for (one, pool) in pools() {
            let labels = [("subnet", one.subnet.as_str()), ("pool", &pool)];
            if let Some(after) = one.full_in() {
                times.count(&labels, after.as_secs());
            }
        }
    }
}

#[cfg(test)]
mod tests;
