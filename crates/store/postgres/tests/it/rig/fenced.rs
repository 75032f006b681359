//! The rig for the contract of fenced rows: claims are real ones, and a row is held by somebody else's lock on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use purlin_fabric::port::{Candidate, ClaimKey, ClaimStore, NodeState};
use purlin_store::contract::FencedRig;
use purlin_store::{FencedRows, Later};
use purlin_store_postgres::Postgres;
use purlin_types::{Epoch, Slot};
use tokio::sync::Mutex;
use tokio_postgres::Client;

use super::{EVERY, LIMIT, Proxy, Rewrite, Server, connect, empty, enrol, fence, node, take};

pub(crate) struct FencedOn {
    server: Arc<Server>,
    database: String,
    _proxy: Proxy,
    store: Postgres,
    owners: AtomicU64,
    holder: Mutex<Option<Client>>,
}

impl FencedOn {
    /// On a database of which it makes an empty one; `rewrite`: what arrives in statements instead of a text.
    pub(crate) async fn new(server: Arc<Server>, database: &str, rewrite: Rewrite) -> Self {
        empty(&server, database).await;
        let proxy = Proxy::rewriting(server.port(), rewrite).await;
        let store = connect(proxy.port(), database).await;
        Self {
            server,
            database: database.to_owned(),
            _proxy: proxy,
            store,
            owners: AtomicU64::new(1),
            holder: Mutex::default(),
        }
    }

    async fn owner(&self, slot: Slot) -> Option<Candidate> {
        let view = self.store.view().await.expect("the store answers");
        let key = ClaimKey::Slot(slot);
        let row = view.claims.into_iter().find(|row| row.key == key);
        let (id, incarnation) = row?.owner?;
        Some(Candidate { id, incarnation })
    }
}

impl FencedRig for FencedOn {
    fn rows(&self) -> Later<'_, Arc<dyn FencedRows>> {
        Box::pin(async { Arc::new(self.store.clone()) as Arc<dyn FencedRows> })
    }

    fn take_over(&self, slot: Slot) -> Later<'_, Epoch> {
        Box::pin(async move {
            // What nobody holds goes to who took last, so that one node holds several.
            let held = self.owner(slot).await.is_some();
            let number = self.owners.fetch_add(u64::from(held), Ordering::Relaxed) + u64::from(held);
            let owner = node(&format!("owner-{number}"), number);
            enrol(&self.store, &owner).await;
            take(&self.store, &owner, &[slot.index()]).await[0].1
        })
    }

    fn give_back(&self, slot: Slot, epoch: Epoch) -> Later<'_, ()> {
        Box::pin(async move {
            let owner = self.owner(slot).await.expect("it is held");
            let released = self.store.release(&owner, &[fence(slot, epoch)]).await;
            released.expect("the store answers");
        })
    }

    fn hold(&self, table: &'static str, key: u64) -> Later<'_, bool> {
        Box::pin(async move {
            let client = self.server.sql(&self.database).await;
            client.batch_execute("BEGIN").await.expect("it answers");
            let column = (key ^ (1 << 63)).cast_signed();
            let lock = "SELECT FROM purlin.fenced_row WHERE tbl = $1 AND key = $2 FOR UPDATE";
            let locked = client
                .query(lock, &[&table, &column])
                .await
                .expect("nobody else has it");
            assert_eq!(locked.len(), 1, "the row exists");
            *self.holder.lock().await = Some(client);
            true
        })
    }

    fn let_go(&self) -> Later<'_, ()> {
        Box::pin(async {
            if let Some(client) = self.holder.lock().await.take() {
                client.batch_execute("ROLLBACK").await.expect("it answers");
            }
        })
    }

    fn until_waiting(&self, calls: usize) -> Later<'_, ()> {
        Box::pin(async move {
            let client = self.server.sql(&self.database).await;
            let question = "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
            let end = Instant::now() + LIMIT;
            loop {
                let row = client.query_one(question, &[]).await.expect("it answers");
                if row.get::<_, i64>(0) >= calls as i64 {
                    return;
                }
                assert!(Instant::now() < end, "{calls} calls do not wait");
                tokio::time::sleep(EVERY).await;
            }
        })
    }

    fn remove_owner(&self, slot: Slot) -> Later<'_, bool> {
        Box::pin(async move {
            let owner = self.owner(slot).await.expect("it is held");
            let removed = self
                .store
                .advance(&owner, NodeState::Joining, NodeState::Removed)
                .await;
            removed.expect("it is joining");
            true
        })
    }
}
