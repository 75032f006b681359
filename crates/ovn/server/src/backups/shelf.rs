//! Whose backups there are, and how many.

use super::{HEADS, Head, any};
use crate::history::History;
use purlin_api::Problem;
use purlin_ovn_core::tenant::{Bound, Confine};

/// The quota of tenants' backups.
pub(crate) const QUOTA: &str = "max_backups";
/// Heads that are read together.
const PAGE: usize = 500;

/// Whose backups are meant: all there are, or a tenant's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shelf<'a> {
    pub(crate) history: &'a History,
    pub(crate) tenant: Option<&'a Confine>,
}

impl Shelf<'_> {
    fn has(self, head: &Head) -> bool {
        let tenant = self.tenant.map(|tenant| tenant.tenant.as_str());
        tenant.is_none() || head.tenant.as_deref() == tenant
    }

    /// Those that count together with a new one of the asker.
    pub(super) fn beside(self, heads: &[Head]) -> usize {
        let tenant = self.tenant.map(|tenant| tenant.tenant.as_str());
        heads
            .iter()
            .filter(|head| head.tenant.as_deref() == tenant)
            .count()
    }
}

/// All that the asker has, the newest first.
pub(crate) async fn all(shelf: Shelf<'_>) -> Result<Vec<Head>, Problem> {
    let mut heads = everybodys(shelf.history).await?;
    heads.retain(|head| shelf.has(head));
    Ok(heads)
}

/// How many a tenant has.
pub(crate) async fn count(history: &History, tenant: &str) -> Result<usize, Problem> {
    let heads = everybodys(history).await?;
    let own = heads.iter().filter(|head| head.tenant.as_deref() == Some(tenant));
    Ok(own.count())
}

pub(super) async fn everybodys(history: &History) -> Result<Vec<Head>, Problem> {
    let (mut heads, mut after) = (Vec::new(), Vec::new());
    loop {
        let rows = history.ledger.scan(HEADS, after, PAGE).await?;
        let read = rows
            .iter()
            .filter_map(|(_, row)| serde_json::from_slice(row).ok());
        heads.extend(read);
        match rows.into_iter().nth(PAGE - 1) {
            Some((key, _)) => after = key,
            None => break,
        }
    }
    // Ids sort as the times at which they were made.
    heads.reverse();
    Ok(heads)
}

/// One of the asker's.
///
/// # Errors
/// 404 when there is none, or it is another's.
pub(crate) async fn one(shelf: Shelf<'_>, id: &str) -> Result<Head, Problem> {
    let head = any(shelf.history, id).await?;
    match shelf.has(&head) {
        true => Ok(head),
        false => Err(Problem::no_such("backup", id)),
    }
}

/// One more must be within the quota of a tenant and those below it.
pub(super) fn bounded(bound: &Bound, heads: &[Head]) -> Result<(), Problem> {
    let Some(most) = bound.quotas.get(QUOTA).filter(|most| **most >= 0) else {
        return Ok(());
    };
    let counts = |head: &&Head| {
        head.tenant
            .as_ref()
            .is_some_and(|tenant| bound.tenants.contains(tenant))
    };
    let there = heads.iter().filter(counts).count();
    if i64::try_from(there).unwrap_or(i64::MAX) < *most {
        return Ok(());
    }
    Err(Problem::not_possible(format!(
        "{QUOTA} of the tenant {:?} is {most}, and it has {there} backups; delete one first",
        bound.of
    )))
}
