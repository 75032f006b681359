//! The contract suites over this engine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use purlin_fabric::port::contract::claims;
use purlin_store::Records;
use purlin_store::contract::{fenced, records};

use crate::rig::{ClaimsOn, FencedOn, Rewrite, Server, connect, met, run};

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

/// No batch is written in one statement: each asks claim by claim.
const NOT_QUICK: (&str, &str) = ("w.changes = $10", "w.changes < $10");

/// The suite on a database of its own, of which `before` makes something else first.
async fn fenced_suite(rewrite: Rewrite, before: &str) {
    let server = Server::shared();
    let database = server.database().await;
    connect(server.port(), &database).await;
    let made = server.sql(&database).await.batch_execute(before).await;
    made.expect("may");
    fenced::all(async || FencedOn::new(server.clone(), &database, rewrite).await).await;
}

#[test]
fn fenced_rows_keep_their_contract() {
    if met() {
        run(fenced_suite(&[], ""));
    }
}

#[test]
fn fenced_rows_keep_their_contract_claim_by_claim() {
    if met() {
        run(fenced_suite(&[NOT_QUICK], ""));
    }
}

/// What the suite is for: with the weaker lock everything looks right until somebody takes a slot over.
#[test]
fn a_fence_that_locks_the_key_only_is_caught() {
    let why = "appeared after the next one had loaded";
    caught(&[("FOR SHARE OF w", "FOR KEY SHARE OF w")], "", why);
    caught(&[NOT_QUICK, ("FOR SHARE OF c", "FOR KEY SHARE OF c")], "", why);
}

/// A batch that is written in one statement rests on the count of changes, and on everybody's counting.
#[test]
fn a_fence_that_overlooks_changes_is_caught() {
    let why = "not fenced off";
    caught(&[("w.changes = $10", "w.changes >= $10")], "", why);
    caught(&[], "DROP TRIGGER claims_changed ON purlin.claim", why);
    caught(
        &[(
            "n.incarnation = $11 AND n.state <> 'removed'",
            "$11::bigint IS NOT NULL",
        )],
        "",
        why,
    );
}

fn caught(weaker: Rewrite, before: &str, why: &str) {
    if !met() {
        return;
    }
    let panicked = catch_unwind(AssertUnwindSafe(|| run(fenced_suite(weaker, before))));
    let panicked = panicked.expect_err("the suite catches it");
    let said = panicked.downcast_ref::<String>().map_or("", String::as_str);
    assert!(said.contains(why), "{weaker:?} caught for another reason: {said}");
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
