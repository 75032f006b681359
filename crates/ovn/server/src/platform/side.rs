//! One database: a client for writes, its rows in memory, and what can be said of both.

use crate::bindings;
use crate::orders::Orders;
use crate::reasons;
use crate::within::Within;
use axum::http::StatusCode;
use purlin_api::Problem;
use purlin_ovsdb::DatabaseSchema;
use purlin_ovsdb::client::{Client, Config, Replica, Snapshot, Spec, State};
use serde_json::{Value, json};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::watch;

/// How long a request waits for a database that is being connected.
const PATIENCE: Duration = Duration::from_secs(2);

/// One database.
#[derive(Clone)]
pub(crate) struct Side {
    pub(crate) client: Client,
    pub(crate) rows: Replica,
    pub(crate) database: String,
    pub(crate) orders: Arc<Orders>,
    pub(super) schema: watch::Receiver<Option<Arc<DatabaseSchema>>>,
    pub(super) within: Option<Within>,
    /// Of a southbound that is narrowed: the northbound that says which ports are the tenant's.
    pub(super) beside: Option<Arc<Self>>,
}

impl Side {
    pub(super) fn start(config: Config, spec: Spec) -> Self {
        let database = config.database.clone();
        let client = Client::start(config);
        let rows = client.replicate(spec);
        let (known, schema) = watch::channel(None);
        let asking = client.clone();
        tokio::spawn(async move {
            let first = tokio::select! {
                schema = asking.schema() => Some(schema),
                () = known.closed() => None,
            };
            known.send_replace(first);
        });
        let orders = Arc::new(Orders::default());
        tokio::spawn(keep_order(rows.watch(), Arc::downgrade(&orders)));
        Self {
            client,
            rows,
            database,
            orders,
            schema,
            within: None,
            beside: None,
        }
    }

    /// The schema, once a member has told it.
    pub(crate) fn schema(&self) -> watch::Receiver<Option<Arc<DatabaseSchema>>> {
        self.schema.clone()
    }

    /// The tenant that it is narrowed to.
    pub(crate) fn within(&self) -> Option<&Within> {
        self.within.as_ref()
    }

    /// The schema, once a member has told it.
    pub(crate) fn known_schema(&self) -> Option<Arc<DatabaseSchema>> {
        self.schema.borrow().clone()
    }

    pub(super) fn readiness(&self) -> Result<(), String> {
        let snapshot = self.rows.snapshot();
        match snapshot.state {
            State::Live => Ok(()),
            State::Empty | State::Loading => Err(format!(
                "{} is not read yet{}",
                self.database,
                because(snapshot.trouble.as_deref())
            )),
            State::Stale(since) => Err(format!(
                "{} was lost {} s ago{}",
                self.database,
                since.elapsed().as_secs(),
                because(snapshot.trouble.as_deref())
            )),
        }
    }

    /// The rows as they are now; waits a little while they are being read.
    pub(crate) async fn read(&self) -> Result<(Arc<DatabaseSchema>, Snapshot), Problem> {
        let mut schema = self.schema.clone();
        let known = async {
            let schema = schema.wait_for(Option::is_some).await.ok()?.clone();
            let rows = self
                .rows
                .when(|rows| !matches!(rows.state, State::Empty | State::Loading))
                .await;
            Some((schema?, rows))
        };
        match tokio::time::timeout(PATIENCE, known).await {
            Ok(Some((schema, rows))) => {
                let rows = self.part(&schema, rows);
                Ok((schema, rows))
            }
            Ok(None) | Err(_) => Err(self.away()),
        }
    }

    /// Of a tenant's platform the tenant's part.
    fn part(&self, schema: &DatabaseSchema, mut rows: Snapshot) -> Snapshot {
        if let Some(within) = &self.within {
            rows.database = match &self.beside {
                Some(north) => bindings::part(within, north, (schema, &rows)),
                None => within.part(schema, &rows),
            };
        }
        rows
    }

    /// The same, good enough to decide about a change.
    pub(crate) async fn read_live(&self) -> Result<(Arc<DatabaseSchema>, Snapshot), Problem> {
        let (schema, rows) = self.read_whole().await?;
        let rows = self.part(&schema, rows);
        Ok((schema, rows))
    }

    /// The rows of all tenants, good enough to decide about a change: for plans, which are decided in a tenant's part and
    /// guarded by the whole.
    pub(crate) async fn read_whole(&self) -> Result<(Arc<DatabaseSchema>, Snapshot), Problem> {
        let (schema, _) = self.read().await?;
        match tokio::time::timeout(PATIENCE, self.rows.live()).await {
            Ok(snapshot) => Ok((schema, snapshot)),
            Err(_) => Err(self.away()),
        }
    }

    fn away(&self) -> Problem {
        let why = self
            .readiness()
            .err()
            .unwrap_or_else(|| format!("{} is not read yet", self.database));
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, &reasons::NOT_CONNECTED, why)
    }

    pub(super) fn status(&self) -> Value {
        let snapshot = self.rows.snapshot();
        let leader = self.client.leader();
        let members = self.client.members();
        let member = |(at, (endpoint, member)): (usize, &(purlin_ovsdb::client::Endpoint, _))| {
            let member: &purlin_ovsdb::client::MemberStatus = member;
            json!({
                "endpoint": endpoint.to_string(),
                "connected": member.connected,
                "leader": leader == Some(at),
                "model": member.model,
                "in_cluster": member.in_cluster,
                "cluster": member.cid.map(|id| id.to_string()),
                "server": member.sid.map(|id| id.to_string()),
                "index": member.index,
                "trouble": member.trouble,
            })
        };
        let (state, stale) = match snapshot.state {
            State::Empty => ("empty", None),
            State::Loading => ("loading", None),
            State::Live => ("live", None),
            State::Stale(since) => ("stale", Some(since.elapsed().as_secs_f64())),
        };
        json!({
            "database": self.database,
            "schema_version": self.schema.borrow().as_ref().map(|schema| schema.version.clone()),
            "state": state,
            "stale_seconds": stale,
            "trouble": snapshot.trouble.as_deref(),
            "rows": snapshot.database.len(),
            "transaction": snapshot.txn.map(|txn| txn.to_string()),
            "reloads": snapshot.reloads,
            "resumes": snapshot.resumes,
            "members": members.iter().enumerate().map(member).collect::<Vec<_>>(),
        })
    }
}

fn because(trouble: Option<&str>) -> String {
    trouble.map(|trouble| format!(": {trouble}")).unwrap_or_default()
}

/// Keeps the orders of a database's rows beside them. Ends with whoever asks for them.
async fn keep_order(mut states: watch::Receiver<Snapshot>, orders: Weak<Orders>) {
    while states.changed().await.is_ok() {
        let now = states.borrow_and_update().clone().into();
        match orders.upgrade() {
            Some(orders) => orders.keep_up(&now),
            None => return,
        }
    }
}
