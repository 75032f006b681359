//! All slots, claimed for as long as rows are moved: what is written is written under them.

use super::super::{engines::Engines, timing};
use crate::settings::Settings;
use purlin_fabric::port::{Candidate, Later, NodeFacts};
use purlin_fabric::{Coordinator, Holdings};
use purlin_fabric_runtime::{Fabric, Setup, SharedTenure, Tenant};
use purlin_netio::now;
use purlin_store::{FenceFault, FencedRow, FencedRows};
use purlin_types::{Epoch, Incarnation, NodeId, SLOTS, Slot};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How long getting all slots may take: a former try must have lapsed, and a database that was promoted waits once more.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long giving them back may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// A part in the cluster that serves nobody.
#[derive(Debug)]
struct Mover;

impl Tenant for Mover {
    fn held(&self, _: &Arc<Holdings>) {}

    fn give_up<'a>(&'a self, _: &'a [Slot]) -> Later<'a, Vec<Slot>> {
        Box::pin(async { Vec::new() })
    }
}

/// All slots.
#[derive(Debug)]
pub(super) struct Claims {
    fabric: Fabric,
    rows: Arc<dyn FencedRows>,
}

impl Claims {
    /// Takes them. Nobody else may be a member.
    pub(super) async fn take(engines: &Engines, settings: &Settings) -> Result<Self, String> {
        let random =
            getrandom::u64().map_err(|cause| format!("asking for random numbers failed: {cause}"))?;
        let me = Candidate {
            id: settings.node.id.clone(),
            incarnation: Incarnation(random),
        };
        let rows = engines.rows.clone().ok_or("the store shares no rows")?;
        let timing = timing(&settings.cluster, settings.services.lead_time());
        let facts = NodeFacts {
            address: settings
                .cluster
                .node_ip
                .map(|ip| ip.to_string())
                .unwrap_or_default(),
            weight: settings.cluster.weight,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..NodeFacts::default()
        };
        let coordinator = Coordinator::new(timing, me.clone(), facts);
        let setup = Setup {
            me: me.clone(),
            timing,
            claims: Arc::clone(&engines.claims),
            tenants: vec![Arc::new(Mover)],
            tenure: SharedTenure::default(),
            clock: Arc::new(now),
        };
        // The task ends with the last handle.
        let (fabric, _) = Fabric::start(setup, coordinator);
        let claims = Self { fabric, rows };
        let all = claims.all(&me.id);
        match tokio::time::timeout(PATIENCE, all).await {
            Ok(outcome) => outcome?,
            Err(_) => return Err(claims.why_not()),
        }
        Ok(claims)
    }

    async fn all(&self, me: &NodeId) -> Result<(), String> {
        let mut holdings = self.fabric.holdings();
        loop {
            let snapshot = self.fabric.snapshot();
            if let Some(other) = snapshot.members.iter().find(|member| member.id != *me) {
                return Err(format!("{} is a node of this database's cluster", other.id));
            }
            if holdings.borrow_and_update().slots().len() == usize::from(SLOTS) {
                return Ok(());
            }
            if holdings.changed().await.is_err() {
                return Err("the fabric has ended".to_owned());
            }
        }
    }

    fn why_not(&self) -> String {
        let ready = self
            .fabric
            .snapshot()
            .readiness
            .as_ref()
            .err()
            .map(ToString::to_string);
        let why = self
            .fabric
            .trouble()
            .or(ready)
            .unwrap_or_else(|| "no answer".to_owned());
        format!(
            "not all slots could be claimed within {} s: {why}",
            PATIENCE.as_secs()
        )
    }

    /// Writes rows of one table under the claims of their slots.
    pub(super) async fn write(&self, table: &str, rows: &[FencedRow]) -> Result<(), FenceFault> {
        let holdings = Arc::clone(&self.fabric.holdings().borrow());
        let slots: BTreeSet<Slot> = rows.iter().map(|row| row.slot).collect();
        let held = slots
            .iter()
            .map(|&slot| holdings.epoch(slot).map(|epoch| (slot, epoch)));
        let held: Option<Vec<(Slot, Epoch)>> = held.collect();
        let Some(held) = held else {
            return Err(FenceFault::Lost(slots.into_iter().collect()));
        };
        self.rows.write(table, &held, rows).await
    }

    /// What the database holds already, from a try before.
    pub(super) fn rows(&self) -> &dyn FencedRows {
        self.rows.as_ref()
    }

    /// Gives everything back in order.
    pub(super) async fn leave(self) {
        // Without it the next life waits until this one has lapsed.
        let _ = tokio::time::timeout(FAREWELL, self.fabric.leave()).await;
    }
}
