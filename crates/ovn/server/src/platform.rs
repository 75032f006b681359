//! The databases as the platform holds them: a client for writes, a copy in memory for reads.

mod keeping;
mod narrow;
mod side;

use crate::backups;
use crate::copies;
use crate::graph::Graphs;
use crate::history::History;
use crate::journal::Journal;
use crate::kept::{Books, Options};
use crate::operations::Operations;
use crate::programs::{Programs, Tools};
use crate::stream::{self, Stream};
use crate::within::{Views, Within};
use purlin_api::Problem;
use purlin_api::tenancy::Tenancy;
use purlin_ovn_core::address::Book;
use purlin_ovn_core::dhcp::Catalogs;
use purlin_ovn_core::model::State as Rows;
use purlin_ovn_core::tenant;
use purlin_ovsdb::client::{Client, Config, Replica, Snapshot};
use purlin_ovsdb::{DatabaseSchema, Uuid};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

pub(crate) use keeping::WeakPlatform;
pub(crate) use side::Side;

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
    /// No ovn-northd can follow the northbound, so that nobody waits for one.
    pub unattended: bool,
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
    unattended: bool,
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
            unattended: settings.unattended,
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
        self.over(Within::of(tenancy, &self.0.views))
    }

    fn over(&self, within: Within) -> Self {
        let mut north = self.0.north.clone();
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

    /// Whether no ovn-northd can ever follow.
    pub(crate) fn is_unattended(&self) -> bool {
        self.0.unattended
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

/// A name for a new row.
pub(crate) fn new_uuid() -> Result<Uuid, Problem> {
    let mut octets = [0; 16];
    randomise(&mut octets)?;
    Ok(Uuid::from_random(octets))
}

/// Names for new rows that come together, all at once: each question to the kernel costs about as much as a row.
///
/// They begin alike and go on counting, from a random number on. Rows that come together then lie together wherever rows
/// are kept by their UUIDs: one part of a tree is copied for a thousand of them, and not a thousand parts.
///
/// ```text
///   octets 0-1  random, the same in all      2-3  a number, one more in each      4-15  random, but version and variant
/// ```
///
/// `ovsdb-server` and `ovn-northd` spread rows by octets 0 to 3, of which no two names have the same.
///
/// Source: RFC 9562, section 5.8 (UUID version 8).
pub(crate) fn new_uuids(count: usize) -> Result<Vec<Uuid>, Problem> {
    let mut names = vec![[0; 16]; count];
    randomise(names.as_flattened_mut())?;
    let [a, b, c, d] = names
        .first()
        .map_or([0; 4], |name| [name[0], name[1], name[2], name[3]]);
    let mut number = u16::from_be_bytes([c, d]);
    for name in &mut names {
        name[..2].copy_from_slice(&[a, b]);
        name[2..4].copy_from_slice(&number.to_be_bytes());
        name[6] = (name[6] & 0x0f) | 0x80;
        name[8] = (name[8] & 0x3f) | 0x80;
        number = number.wrapping_add(1);
    }
    Ok(names.into_iter().map(Uuid::from_bytes).collect())
}

fn randomise(octets: &mut [u8]) -> Result<(), Problem> {
    getrandom::fill(octets).map_err(|error| Problem::broken(format!("asking for random numbers: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_api::Role;
    use purlin_ovsdb::client::parse_endpoints;

    #[test]
    fn rows_that_come_together_have_names_that_lie_together() {
        let [names, others] = [(); 2].map(|()| new_uuids(10_000).expect("random octets"));
        let firsts = |names: &[Uuid]| -> Vec<u32> {
            let first = |name: &Uuid| u32::from_be_bytes(*name.as_bytes().first_chunk().expect("16 octets"));
            names.iter().map(first).collect()
        };
        let (all, first) = (firsts(&names), firsts(&names)[0]);
        assert!(all.iter().all(|one| one >> 16 == first >> 16));
        let mut numbers: Vec<u16> = all
            .iter()
            .map(|one| (one - (first & 0xffff_0000)) as u16)
            .collect();
        assert!(numbers.windows(2).all(|two| two[1] == two[0].wrapping_add(1)));
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(
            numbers.len(),
            names.len(),
            "no two are in one place of a server's table"
        );
        assert!(
            names
                .iter()
                .all(|name| name.as_bytes()[6] >> 4 == 8 && name.as_bytes()[8] >> 6 == 2)
        );
        assert!(names.iter().zip(&others).all(|(one, other)| one != other));
        assert_eq!(new_uuids(0).expect("no random octets").len(), 0);
    }

    #[tokio::test]
    async fn a_tenant_has_orders_of_its_own() {
        let endpoints = parse_endpoints("unix:/nowhere/db.sock").expect("an endpoint");
        let platform = Platform::start(Settings {
            northbound: Config::new("OVN_Northbound", endpoints),
            southbound: None,
            origin: "given",
            unattended: false,
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
