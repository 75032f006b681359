//! All slots, claimed for as long as rows are moved: what is written is written under them.

use super::super::{Cluster, engines::Engines};
use crate::exit::Failure;
use crate::settings::Settings;
use purlin_dhcp_server::Sharing;
use purlin_fabric::Holdings;
use purlin_fabric::port::Later;
use purlin_fabric_runtime::{Fabric, Tenant};
use purlin_store::{FenceFault, FencedRow, FencedRows};
use purlin_types::{Epoch, NodeId, SLOTS, Slot};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How long getting all slots may take: a former try must have lapsed, and a database that was promoted waits once more.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long giving them back may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// A part in the cluster that serves nobody until the service takes it.
#[derive(Debug, Default)]
struct Seat(OnceLock<Arc<Sharing>>);

impl Tenant for Seat {
    fn held(&self, holdings: &Arc<Holdings>) {
        if let Some(sharing) = self.0.get() {
            sharing.held(holdings);
        }
    }

    fn give_up<'a>(&'a self, slots: &'a [Slot]) -> Later<'a, Vec<Slot>> {
        match self.0.get() {
            Some(sharing) => sharing.give_up(slots),
            None => Box::pin(async { Vec::new() }),
        }
    }
}

/// All slots.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) cluster: Cluster,
    fabric: Fabric,
    seat: Arc<Seat>,
    rows: Arc<dyn FencedRows>,
}

impl Claims {
    /// Takes them. Nobody else may be a member. `port` is the API's.
    pub(super) async fn take(engines: Engines, settings: &Settings, port: u16) -> Result<Self, String> {
        let rows = engines.rows.clone().ok_or("the store shares no rows")?;
        let cluster = Cluster::over(settings, engines).map_err(|failure: Failure| failure.what)?;
        let seat = Arc::new(Seat::default());
        let fabric = cluster.take_part(port, vec![Arc::clone(&seat) as _]).clone();
        let claims = Self {
            cluster,
            fabric,
            seat,
            rows,
        };
        let all = claims.all(&settings.node.id);
        match tokio::time::timeout(PATIENCE, all).await {
            Ok(outcome) => outcome?,
            Err(_) => return Err(claims.why_not()),
        }
        Ok(claims)
    }

    /// All that is held, now.
    pub(super) fn holdings(&self) -> Arc<Holdings> {
        Arc::clone(&self.fabric.holdings().borrow())
    }

    /// From now on the service follows what is held.
    pub(super) fn seat(&self, sharing: &Arc<Sharing>) {
        // Taken once.
        let _ = self.seat.0.set(Arc::clone(sharing));
        // What changed before it was there.
        sharing.held(&self.holdings());
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
        let holdings = self.holdings();
        let slots: BTreeSet<Slot> = rows.iter().map(|row| row.slot).collect();
        let held = slots
            .iter()
            .map(|&slot| holdings.epoch(slot).map(|epoch| (slot, epoch)));
        let held: Option<Vec<(Slot, Epoch)>> = held.collect();
        let Some(held) = held else {
            return Err(FenceFault::Lost(slots.into_iter().collect()));
        };
        self.rows.write(table, &held, rows).await?;
        Ok(())
    }

    /// What the database holds already, from a try before.
    pub(super) fn rows(&self) -> &dyn FencedRows {
        self.rows.as_ref()
    }

    /// Gives everything back in order.
    pub(super) async fn leave(&self) {
        // Without it the next life waits until this one has lapsed.
        let _ = tokio::time::timeout(FAREWELL, self.fabric.leave()).await;
    }
}
