//! The databases as the platform holds them: a client for writes, a copy in memory for reads.

mod keeping;
mod narrow;

use crate::backups;
use crate::bindings;
use crate::copies;
use crate::graph::Graphs;
use crate::history::History;
use crate::journal::Journal;
use crate::kept::{Books, Options};
use crate::operations::Operations;
use crate::orders::Orders;
use crate::programs::{Programs, Tools};
use crate::reasons;
use crate::stream::{self, Stream};
use crate::within::{Views, Within};
use axum::http::StatusCode;
use purlin_api::Problem;
use purlin_api::tenancy::Tenancy;
use purlin_ovn_core::address::Book;
use purlin_ovn_core::dhcp::Catalogs;
use purlin_ovn_core::model::State as Rows;
use purlin_ovn_core::tenant;
use purlin_ovsdb::client::{Client, Config, Replica, Snapshot, Spec, State};
use purlin_ovsdb::{DatabaseSchema, Uuid};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};
use tokio::sync::watch;

pub(crate) use keeping::WeakPlatform;

/// How long a request waits for a database that is being connected.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often parts of tenants are looked through for those that nobody asks for, while rows change.
const TIDY: Duration = Duration::from_secs(10);

/// What a platform is made of.
#[derive(Debug, Clone)]
pub struct Settings {
    pub northbound: Config,
    /// Without it, nothing is known of flows and hypervisors.
    pub southbound: Option<Config>,
    /// How these databases came to be, for people: `given`, `started here`, `in this process`.
    pub origin: &'static str,
    /// For the packaged programs that answer questions beside the databases.
    pub tools: Tools,
}

/// The OVN platform of a node; copies are the same one.
///
/// The second part is there when it is narrowed to a tenant ([`Platform::narrowed`]).
#[derive(Clone)]
pub struct Platform(Arc<Inner>, Option<Arc<Narrow>>);

struct Inner {
    north: Side,
    south: Option<Side>,
    origin: &'static str,
    books: Books,
    options: Options,
    stream: Arc<Stream>,
    programs: Programs,
    graphs: Graphs,
    /// Tells this process from the one before.
    born: String,
    /// What is kept of the platform's own, and the journal in it.
    history: OnceLock<(History, Journal)>,
    views: Arc<Views>,
    operations: Operations,
}

/// What a platform has of its own when it is narrowed to a tenant.
struct Narrow {
    north: Side,
    /// Pictures of the tenant's part: those of the whole are not its to see.
    graphs: Graphs,
}

/// One database.
#[derive(Clone)]
pub(crate) struct Side {
    pub(crate) client: Client,
    pub(crate) rows: Replica,
    pub(crate) database: String,
    pub(crate) orders: Arc<Orders>,
    schema: watch::Receiver<Option<Arc<DatabaseSchema>>>,
    within: Option<Within>,
    /// Of a southbound that is narrowed: the northbound that says which ports are the tenant's.
    beside: Option<Arc<Self>>,
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform")
            .field("origin", &self.0.origin)
            .finish_non_exhaustive()
    }
}

impl Platform {
    /// Starts to connect, and returns at once.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn start(settings: Settings) -> Self {
        let programs = Programs::new(settings.tools);
        crate::scratch::sweep(&programs.tools().folder);
        let north = Side::start(settings.northbound, copies::northbound());
        let south = settings
            .southbound
            .map(|config| Side::start(config, copies::southbound()));
        let inner = Inner {
            north,
            south,
            origin: settings.origin,
            books: Books::default(),
            stream: Arc::new(Stream::new()),
            options: Options::default(),
            programs,
            graphs: Graphs::default(),
            born: new_uuid().map_or_else(|_| String::new(), |uuid| uuid.to_string()),
            history: OnceLock::new(),
            views: Arc::default(),
            operations: Operations::default(),
        };
        let platform = Self(Arc::new(inner), None);
        tokio::spawn(keep_up(Arc::downgrade(&platform.0)));
        let (north, born) = (platform.0.north.clone(), platform.0.born.clone());
        tokio::spawn(stream::write(north, born, Arc::clone(&platform.0.stream)));
        platform
    }

    /// The same platform for a request that is made for a tenant: it reads the tenant's part of the northbound, writes
    /// nothing else, and has no southbound.
    #[must_use]
    pub fn narrowed(&self, tenancy: &Arc<Tenancy>) -> Self {
        let mut north = self.0.north.clone();
        let within = Within::of(tenancy, &self.0.views);
        north.orders = within.orders();
        north.within = Some(within);
        let narrow = Narrow {
            north,
            graphs: Graphs::default(),
        };
        Self(Arc::clone(&self.0), Some(Arc::new(narrow)))
    }

    /// How many rows a tenant has, by quota and, as `rows`, all together.
    ///
    /// # Errors
    /// 503 when the northbound is not read.
    pub async fn usage(&self, tenant: &str) -> Result<BTreeMap<&'static str, usize>, Problem> {
        let (schema, rows) = self.0.north.read().await?;
        let rows = Rows::new(&schema, &rows.database);
        let mut usage = tenant::usage(&rows, tenant);
        usage.insert("rows", tenant::rows(&rows, tenant));
        if let Ok(history) = self.history() {
            usage.insert(backups::QUOTA, backups::count(history, tenant).await?);
        }
        Ok(usage)
    }

    /// The northbound's transactions as they happen, those of all tenants.
    pub(crate) fn stream(&self) -> &Arc<Stream> {
        &self.0.stream
    }

    /// Who has which address, by just this snapshot of the northbound.
    pub(crate) fn book(&self, schema: &DatabaseSchema, snapshot: &Snapshot) -> Book {
        self.0.books.of(schema, &snapshot.database, snapshot.generation)
    }

    /// The DHCP options that OVN has here.
    pub(crate) fn dhcp(&self) -> Arc<Catalogs> {
        let south = self.0.south.as_ref().map(|south| south.rows.snapshot());
        self.0.options.of(south.as_ref().map(|south| &south.database))
    }

    pub(crate) fn programs(&self) -> &Programs {
        &self.0.programs
    }

    pub(crate) fn graphs(&self) -> &Graphs {
        self.1.as_ref().map_or(&self.0.graphs, |narrow| &narrow.graphs)
    }

    pub(crate) fn born(&self) -> &str {
        &self.0.born
    }

    /// The northbound as a whole, for command lines of this machine: the client that writes, and the copy.
    #[must_use]
    pub fn northbound(&self) -> (Client, Replica) {
        let north = &self.0.north;
        (north.client.clone(), north.rows.clone())
    }

    pub(crate) fn operations(&self) -> &Operations {
        &self.0.operations
    }

    pub(crate) fn north(&self) -> &Side {
        self.1.as_ref().map_or(&self.0.north, |narrow| &narrow.north)
    }

    /// 404 where there is none.
    pub(crate) fn south(&self) -> Result<&Side, Problem> {
        let missing = || Problem::no_such("database", "OVN_Southbound");
        // Flows and bindings of all tenants are in it.
        let south = self.0.south.as_ref().filter(|_| self.1.is_none());
        south.ok_or_else(missing)
    }

    pub(crate) fn sides(&self) -> Vec<&Side> {
        std::iter::once(&self.0.north)
            .chain(self.0.south.as_ref())
            .collect()
    }

    /// Whether both databases are followed; why not, in words.
    ///
    /// # Errors
    /// What is wrong with which database.
    pub fn readiness(&self) -> Result<(), String> {
        self.sides().into_iter().try_for_each(Side::readiness)
    }

    /// For people: endpoints, members, how far each copy can be trusted.
    #[must_use]
    pub fn status(&self) -> Value {
        json!({
            "origin": self.0.origin,
            "ready": self.readiness().is_ok(),
            "reason": self.readiness().err(),
            "northbound": self.0.north.status(),
            "southbound": self.0.south.as_ref().map(Side::status),
        })
    }
}

/// Keeps the book beside the rows while nobody asks for it, so that the first who does needs not wait, and no old rows are
/// held. Ends with the platform.
async fn keep_up(platform: Weak<Inner>) {
    let Some(mut states) = platform.upgrade().map(|inner| inner.north.rows.watch()) else {
        return;
    };
    let (mut reloads, mut tidied) = (0, Instant::now());
    while states.changed().await.is_ok() {
        let snapshot = states.borrow_and_update().clone();
        let Some(inner) = platform.upgrade() else { return };
        if tidied.elapsed() > TIDY {
            inner.views.tidy();
            tidied = Instant::now();
        }
        let Some(schema) = inner.north.schema.borrow().clone() else {
            continue;
        };
        let anew = std::mem::replace(&mut reloads, snapshot.reloads) != snapshot.reloads;
        let keep = move || {
            let book = inner.books.of(&schema, &snapshot.database, snapshot.generation);
            drop(book);
        };
        if !anew {
            keep();
            continue;
        }
        // A look at every row.
        if tokio::task::spawn_blocking(keep).await.is_err() {
            return;
        }
    }
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

impl Side {
    fn start(config: Config, spec: Spec) -> Self {
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

    fn readiness(&self) -> Result<(), String> {
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

    fn status(&self) -> Value {
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

/// A name for a new row.
pub(crate) fn new_uuid() -> Result<Uuid, Problem> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets)
        .map_err(|error| Problem::broken(format!("asking for random numbers: {error}")))?;
    Ok(Uuid::from_random(octets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_api::Role;
    use purlin_ovsdb::client::parse_endpoints;

    #[tokio::test]
    async fn a_tenant_has_orders_of_its_own() {
        let endpoints = parse_endpoints("unix:/nowhere/db.sock").expect("an endpoint");
        let platform = Platform::start(Settings {
            northbound: Config::new("OVN_Northbound", endpoints),
            southbound: None,
            origin: "given",
            tools: Tools::default(),
        });
        let tenancy = Arc::new(Tenancy {
            id: "t1".to_owned(),
            name: "shop".to_owned(),
            role: Role::Operator,
            prefix: String::new(),
            external: false,
            approval: false,
            audited: false,
            bounds: Vec::new(),
            root: "t1".to_owned(),
            scopes: None,
        });
        let narrowed = platform.narrowed(&tenancy);
        // An order holds the rows that it was made of: those of the whole are not the tenant's to see.
        assert!(!Arc::ptr_eq(&narrowed.north().orders, &platform.north().orders));
    }
}
