//! The contract suites over this engine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use purlin_fabric::port::contract::claims;
use purlin_store::Records;
use purlin_store::contract::{fenced, records};

use crate::rig::{ClaimsOn, FencedOn, Server, connect, met, run};

#[test]
fn claims_keep_their_contract() {
    if met() {
        let server = Server::fresh();
        run(async {
            let database = server.database().await;
            claims::all(async || ClaimsOn::new(&server, &database).await).await;
        });
    }
}

/// The suite on a database of its own.
async fn fenced_suite(rewrite: Option<(&'static str, &'static str)>) {
    let server = Server::shared();
    let database = server.database().await;
    fenced::all(async || FencedOn::new(server.clone(), &database, rewrite).await).await;
}

#[test]
fn fenced_rows_keep_their_contract() {
    if met() {
        run(fenced_suite(None));
    }
}

/// What the suite is for: with the weaker lock everything looks right until somebody takes a slot over.
#[test]
fn a_fence_that_locks_the_key_only_is_caught() {
    if !met() {
        return;
    }
    let weaker = Some(("FOR SHARE OF c", "FOR KEY SHARE OF c"));
    let panicked = catch_unwind(AssertUnwindSafe(|| run(fenced_suite(weaker))));
    let panicked = panicked.expect_err("the suite catches it");
    let said = panicked.downcast_ref::<String>().map_or("", String::as_str);
    let why = "appeared after the next one had loaded";
    assert!(said.contains(why), "caught for another reason: {said}");
}

#[test]
fn records_keep_their_contract() {
    if !met() {
        return;
    }
    let server = Server::shared();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads");
    let database = runtime.block_on(server.database());
    records::all(|| {
        let (server, database, runtime) = (server.clone(), database.clone(), runtime.handle().clone());
        runtime.block_on(async {
            connect(server.port(), &database).await;
            let emptied = server.sql(&database).await;
            emptied
                .batch_execute("DELETE FROM purlin.record")
                .await
                .expect("may");
        });
        move || -> Arc<dyn Records> {
            Arc::new(runtime.block_on(connect(server.port(), &database)).records())
        }
    });
}
