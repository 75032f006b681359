//! The leases of all nodes, as each of them shows them.
//!
//! ```text
//!   asked ─┬─ slots held here:      the packet threads' memory, the freshest there is, offers included
//!          └─ slots held elsewhere: the rows of the shared store, as of their last record
//! ```
//!
//! Every question reads a bounded number of rows. When the store does not answer, what this node holds is shown and the
//! answer says that it is only that.

mod usage;

pub use usage::Usage;

use crate::error::ControlError;
use crate::handle::{Handle, leases::merge};
use purlin_dhcp_core::rows::{LEASES, shown, stored_lease};
use purlin_dhcp_core::view::{LeasePage, LeaseQuery, LeaseState, LeaseView};
use purlin_netio::now;
use purlin_store::{FenceFault, FencedRows, StoredRow};
use purlin_types::{Mac, NodeId, Slot, SlotSet};
use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use usage::Counted;

/// Rows that one question reads at most; a page is short then, and has a cursor.
const READ_MAX: usize = 20_000;
/// Rows per question to the store when filters may throw most of them away.
const READ_AT_ONCE: usize = 5000;
/// Most leases that a search by name finds.
const FOUND_MAX: usize = 100;

/// A node that holds an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub node: NodeId,
    /// Where its API is, as far as that is known: `10.0.0.12:8080`.
    pub api: Option<String>,
}

/// Tells who holds a slot, this node included; `None` while nobody does.
pub type Holders = Arc<dyn Fn(Slot) -> Option<Holder> + Send + Sync>;

/// What is known of the slots of other nodes.
#[derive(Clone)]
pub struct Others {
    pub rows: Arc<dyn FencedRows>,
    pub holders: Holders,
}

impl fmt::Debug for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Others")
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

/// The leases of all nodes. Clones share it.
#[derive(Debug, Clone)]
pub struct Leases(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    handle: Handle,
    others: Option<Others>,
    counted: tokio::sync::Mutex<Option<Counted>>,
}

/// Leases that were looked for, and why they may not be all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    pub leases: Vec<LeaseView>,
    /// The cursor of the next page.
    pub next: Option<Ipv4Addr>,
    /// Set when leases of other nodes are missing: why.
    pub partial: Option<String>,
}

/// The shared store did not answer, and the address is not one of this node's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away(pub String);

impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "another node holds the address, and {}", self.0)
    }
}

impl std::error::Error for Away {}

/// Why a lease was not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseError {
    /// Another node decides about it, if anyone does.
    Elsewhere(Option<Holder>),
    Away(Away),
    Control(ControlError),
}

impl Leases {
    /// The leases of `handle`, and those of other nodes if there are any.
    #[must_use]
    pub fn new(handle: &Handle, others: Option<Others>) -> Self {
        Self(Arc::new(Inner {
            handle: handle.clone(),
            others,
            counted: tokio::sync::Mutex::default(),
        }))
    }

    /// This node's own part.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.0.handle
    }

    /// Who holds an address; `None` for a node alone, and while nobody does.
    #[must_use]
    pub fn holder(&self, address: Ipv4Addr) -> Option<Holder> {
        let others = self.0.others.as_ref()?;
        (others.holders)(Slot::of_address(address))
    }

    /// One page in address order.
    pub async fn page(&self, query: LeaseQuery) -> Found {
        if let Ok(address) = query.text.trim().parse::<Ipv4Addr>() {
            return self.page_of_one(&query, address).await;
        }
        let Some(others) = &self.0.others else {
            return Found::of(self.0.handle.leases(query).await, None);
        };
        let limit = query.limit.max(1);
        // A slot that is gained or given away meanwhile is looked for in the rows, too.
        let before = self.0.handle.slots().await;
        let own = self.0.handle.leases(query.clone()).await;
        let held = intersection(&before, &self.0.handle.slots().await);
        match self.stored(others, &query, limit, &held).await {
            Ok(stored) => Found::of(merge(vec![own, stored], limit), None),
            Err(fault) => Found::of(own, Some(away(&fault))),
        }
    }

    async fn page_of_one(&self, query: &LeaseQuery, address: Ipv4Addr) -> Found {
        if query.after.is_some_and(|after| address <= after) {
            return Found::default();
        }
        match self.lease(address).await {
            Ok(lease) => Found {
                leases: lease.into_iter().filter(|lease| query.wants(lease)).collect(),
                ..Found::default()
            },
            Err(Away(why)) => Found {
                partial: Some(why),
                ..Found::default()
            },
        }
    }

    /// A page of the rows whose slots are not `held`.
    async fn stored(
        &self,
        others: &Others,
        query: &LeaseQuery,
        limit: usize,
        held: &SlotSet,
    ) -> Result<LeasePage, FenceFault> {
        let (plan, now) = (self.0.handle.plan(), now());
        let bounds = if query.subnet.is_empty() {
            Some((0, u64::MAX))
        } else {
            shown::bounds(&plan, &query.subnet)
        };
        let Some((first, last)) = bounds else {
            return Ok(LeasePage::default());
        };
        let asked = query.after.map(|address| u64::from(u32::from(address)));
        let mut after = asked.max(first.checked_sub(1));
        let plain = query.state.is_none() && query.text.trim().is_empty();
        let size = if plain {
            (limit * 2).min(READ_AT_ONCE)
        } else {
            READ_AT_ONCE
        };
        let (mut leases, mut read) = (Vec::new(), 0);
        loop {
            let page = others.rows.page(LEASES, after, size).await?;
            let full = page.len() == size;
            read += page.len();
            for StoredRow { row, .. } in page {
                if row.key > last {
                    return Ok(LeasePage { leases, next: None });
                }
                after = Some(row.key);
                if held.contains(row.slot) {
                    continue;
                }
                let lease = stored_lease(&plan, &now, &row.body);
                leases.extend(lease.filter(|lease| query.wants(lease)));
                if leases.len() == limit {
                    let next = address_of(row.key);
                    return Ok(LeasePage { leases, next });
                }
            }
            if !full || read >= READ_MAX {
                let next = after.filter(|_| full).and_then(address_of);
                return Ok(LeasePage { leases, next });
            }
        }
    }

    /// The lease of an address, in whatever state; `None` when it was never given out.
    ///
    /// # Errors
    /// When another node holds it and the shared store does not answer.
    pub async fn lease(&self, address: Ipv4Addr) -> Result<Option<LeaseView>, Away> {
        let own = self.0.handle.lease(address).await;
        let Some(others) = &self.0.others else {
            return Ok(own);
        };
        // One that was given away a moment ago is no longer among the own.
        if own.is_some() || self.0.handle.slots().await.contains(Slot::of_address(address)) {
            return Ok(own);
        }
        let key = u64::from(u32::from(address));
        let page = others.rows.page(LEASES, key.checked_sub(1), 1).await;
        let page = page.map_err(|fault| Away(away(&fault)))?;
        let stored = page.into_iter().find(|stored| stored.row.key == key);
        Ok(stored.and_then(|stored| stored_lease(&self.0.handle.plan(), &now(), &stored.row.body)))
    }

    /// The leases of a machine. Those that other nodes hold are found by what the machine calls itself: bound ones of
    /// clients without an identifier of their own.
    pub async fn of_machine(&self, mac: Mac) -> Found {
        let mut leases = self.0.handle.find(&mac.to_string()).await;
        let mut partial = None;
        if let Some(others) = &self.0.others {
            let plan = self.0.handle.plan();
            match others.rows.named(LEASES, &shown::claims_of(&plan, mac)).await {
                Ok(stored) => {
                    let known: BTreeSet<Ipv4Addr> = leases.iter().map(|lease| lease.address).collect();
                    let found = stored
                        .iter()
                        .filter_map(|stored| stored_lease(&plan, &now(), &stored.row.body));
                    leases.extend(found.filter(|lease| !known.contains(&lease.address)));
                }
                Err(fault) => partial = Some(away(&fault)),
            }
        }
        leases.retain(|lease| lease.mac == mac);
        leases.sort_by_key(|lease| lease.address);
        Found {
            leases,
            partial,
            next: None,
        }
    }

    /// Leases that have `text` in their address, MAC, identifier, host name, circuit or remote id; the first of them.
    pub async fn find(&self, text: &str) -> Found {
        let query = LeaseQuery {
            text: text.to_owned(),
            limit: FOUND_MAX,
            ..LeaseQuery::default()
        };
        let mut found = self.page(query).await;
        if let Some(next) = found.next.take() {
            let words =
                format!("addresses above {next} were not searched: purlin dhcp lease list --search {text}");
            found.partial.get_or_insert(words);
        }
        found
    }

    /// Ends a lease that this node holds; returns once that is durable. False when nothing is leased.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn release(&self, address: Ipv4Addr) -> Result<bool, ReleaseError> {
        let slot = Slot::of_address(address);
        if self.0.others.is_none() || self.0.handle.slots().await.contains(slot) {
            return self
                .0
                .handle
                .release(address)
                .await
                .map_err(ReleaseError::Control);
        }
        match self.lease(address).await {
            Ok(Some(lease)) if held(lease.state) => Err(ReleaseError::Elsewhere(self.holder(address))),
            Ok(_) => Ok(false),
            Err(fault) => Err(ReleaseError::Away(fault)),
        }
    }
}

impl Found {
    fn of(page: LeasePage, partial: Option<String>) -> Self {
        Self {
            leases: page.leases,
            next: page.next,
            partial,
        }
    }
}

/// Whether there is something to release.
pub(crate) fn held(state: LeaseState) -> bool {
    matches!(
        state,
        LeaseState::Bound | LeaseState::Offered | LeaseState::Declined
    )
}

fn intersection(a: &SlotSet, b: &SlotSet) -> SlotSet {
    a.iter().filter(|slot| b.contains(*slot)).collect()
}

fn address_of(key: u64) -> Option<Ipv4Addr> {
    u32::try_from(key).ok().map(Into::into)
}

/// What is missing, and why.
fn away(fault: &FenceFault) -> String {
    let cause = std::error::Error::source(fault).map_or_else(|| fault.to_string(), ToString::to_string);
    format!("the shared store does not answer ({cause}): leases of other nodes are not shown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stayed_here_all_the_while_is_not_looked_for_elsewhere() {
        let set = |slots: &[u16]| slots.iter().filter_map(|&slot| Slot::new(slot)).collect();
        assert_eq!(intersection(&set(&[1, 2, 3]), &set(&[2, 3, 4])), set(&[2, 3]));
    }

    #[test]
    fn what_does_not_answer_is_said() {
        let said = away(&FenceFault::Unknown("connection refused".into()));
        assert!(
            said.contains("connection refused") && said.contains("not shown"),
            "{said}"
        );
    }
}
