//! What the tests stand on: servers, databases, a proxy that breaks the line, and rigs for the contract suites.

mod claims;
mod fenced;
mod need;
mod proxy;
mod server;

pub(crate) use claims::ClaimsOn;
pub(crate) use fenced::FencedOn;
pub(crate) use need::met;
pub(crate) use proxy::{Mode, Proxy, Rewrite};
pub(crate) use server::{Server, Stop};

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use purlin_fabric::port::{Candidate, ClaimKey, ClaimStore, Enrolment, Fence, NodeFacts, Version, Wish};
use purlin_store::FencedRow;
use purlin_store_postgres::{Postgres, Settings, Target};
use purlin_types::{Epoch, Incarnation, NodeId, Slot};

/// How long anything may take here before it counts as not happening. A busy machine is no failure.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// How often a condition is looked at.
pub(crate) const EVERY: Duration = Duration::from_millis(10);

/// Runs one test's future on a runtime like that of a node.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads");
    let limited = async { tokio::time::timeout(LIMIT * 2, future).await };
    runtime.block_on(limited).expect("the test ends in time")
}

/// Runs a test on the server that all share, with a database of its own.
pub(crate) fn on_shared(test: impl AsyncFnOnce(Arc<Server>, String)) {
    on(Server::shared, test);
}

/// Runs a test on a server of its own, with a database in it.
pub(crate) fn on_fresh(test: impl AsyncFnOnce(Arc<Server>, String)) {
    on(|| Arc::new(Server::fresh()), test);
}

/// Runs nothing where there is no PostgreSQL.
fn on(server: impl FnOnce() -> Arc<Server>, test: impl AsyncFnOnce(Arc<Server>, String)) {
    if met() {
        run(async {
            let server = server();
            let database = server.database().await;
            test(server, database).await;
        });
    }
}

/// Waits until `holds`.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !holds().await {
        assert!(Instant::now() < end, "waited in vain until {what}");
        tokio::time::sleep(EVERY).await;
    }
}

/// Settings for tests: impatient, because here everything is near.
pub(crate) fn settings(port: u16, database: &str) -> Settings {
    let url = format!("postgresql://postgres@127.0.0.1:{port}/{database}");
    Settings {
        statement_timeout: Duration::from_millis(1500),
        connect_timeout: Duration::from_secs(2),
        start_patience: Some(LIMIT),
        ..Settings::new(Target::parse(&url).expect("well formed"))
    }
}

pub(crate) async fn connect(port: u16, database: &str) -> Postgres {
    Postgres::connect(settings(port, database), |_| {})
        .await
        .expect("the server answers")
}

/// Makes a database as good as new.
pub(crate) async fn empty(server: &Server, database: &str) {
    connect(server.port(), database).await;
    let emptied = server.sql(database).await;
    let emptied = emptied.batch_execute(
        "DELETE FROM purlin.node; DELETE FROM purlin.claim; DELETE FROM purlin.fenced_row; \
         UPDATE purlin.plan SET number = 0, body = ''",
    );
    emptied.await.expect("may");
}

pub(crate) fn slot(index: u16) -> Slot {
    Slot::new(index).expect("below 4096")
}

pub(crate) fn node(name: &str, incarnation: u64) -> Candidate {
    Candidate {
        id: NodeId::parse(name).expect("a good name"),
        incarnation: Incarnation(incarnation),
    }
}

pub(crate) async fn enrol(store: &Postgres, node: &Candidate) {
    let enrolment = Enrolment {
        id: node.id.clone(),
        incarnation: node.incarnation,
        facts: NodeFacts::default(),
        replaces: None,
    };
    store.enrol(&enrolment).await.expect("a new name");
}

/// Takes slots as they are now, by force.
pub(crate) async fn take(store: &Postgres, by: &Candidate, slots: &[u16]) -> Vec<(Slot, Epoch)> {
    let view = store.view().await.expect("the store answers");
    let wishes: Vec<Wish> = slots
        .iter()
        .map(|&index| {
            let key = ClaimKey::Slot(slot(index));
            let row = view.claims.iter().find(|row| row.key == key);
            Wish {
                seen: row.map_or_else(Version::default, |row| row.version),
                by_force: row.is_some_and(|row| row.owner.is_some()),
                key,
            }
        })
        .collect();
    let won = store.claim(by, &wishes).await.expect("the store answers");
    slots
        .iter()
        .zip(won)
        .map(|(&index, epoch)| (slot(index), epoch.expect("nobody else wants it")))
        .collect()
}

pub(crate) fn fence(slot: Slot, epoch: Epoch) -> Fence {
    Fence {
        key: ClaimKey::Slot(slot),
        epoch,
    }
}

pub(crate) fn row(key: u64, slot: Slot, version: u32) -> FencedRow {
    FencedRow {
        key,
        slot,
        version,
        unique: Some(key.to_be_bytes().to_vec()),
        body: vec![0x5a; 40],
    }
}
