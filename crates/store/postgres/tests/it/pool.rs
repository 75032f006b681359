//! Connections as the settings say: how many are kept, and for how long.

use std::collections::BTreeSet;
use std::time::Duration;

use purlin_fabric::port::ClaimStore;
use purlin_store_postgres::{Postgres, Settings};
use tokio_postgres::Client;

use crate::rig::{on_fresh, settings, until};

/// Backends that serve the store, by process.
async fn backends(watch: &Client, name: &str) -> BTreeSet<i32> {
    let question = "SELECT pid FROM pg_stat_activity WHERE application_name = $1";
    let rows = watch.query(question, &[&name]).await.expect("it answers");
    rows.iter().map(|row| row.get(0)).collect()
}

#[test]
fn s4_65_s4_84_no_more_connections_are_kept_idle_than_said() {
    on_fresh(async |server, database| {
        let watch = server.sql("postgres").await;
        for kept in [0, 2, 5] {
            let name = format!("kept-{kept}");
            let settings = Settings {
                max_open: 8,
                max_idle: kept,
                // The first one waits until the eighth has its connection, which a busy machine makes slowly.
                statement_timeout: Duration::from_secs(20),
                connect_timeout: Duration::from_secs(20),
                application_name: name.clone(),
                ..settings(server.port(), &database)
            };
            let store = Postgres::connect(settings, |_| {}).await.expect("it answers");
            // Eight at once, so that there are eight connections at some moment.
            let lock = server.sql(&database).await;
            lock.batch_execute("BEGIN; LOCK TABLE purlin.node")
                .await
                .expect("may");
            let calls: Vec<_> = (0..8)
                .map(|_| {
                    let store = store.clone();
                    tokio::spawn(async move { store.view().await.is_ok() })
                })
                .collect();
            until("all had a connection", async || {
                backends(&watch, &name).await.len() == 8
            })
            .await;
            lock.batch_execute("COMMIT").await.expect("may");
            for call in calls {
                assert!(call.await.expect("no panic"));
            }
            until("the others were let go", async || {
                backends(&watch, &name).await.len() == kept
            })
            .await;
            assert_eq!(store.pool_use().idle, kept);
        }
    });
}

#[test]
fn s4_85_a_connection_is_replaced_when_it_is_too_old() {
    on_fresh(async |server, database| {
        let watch = server.sql("postgres").await;
        let store_of = async |name: &str, lifetime: Duration| {
            let settings = Settings {
                lifetime,
                application_name: name.to_owned(),
                ..settings(server.port(), &database)
            };
            let store = Postgres::connect(settings, |_| {}).await.expect("it answers");
            store.view().await.expect("it answers");
            (backends(&watch, name).await, store)
        };
        let (first, store) = store_of("brief", Duration::from_millis(400)).await;
        let (kept, lasting) = store_of("lasting", Duration::from_secs(3600)).await;
        assert_eq!((first.len(), kept.len()), (1, 1));
        until("another connection serves", async || {
            store.view().await.expect("it answers");
            lasting.view().await.expect("it answers");
            let now = backends(&watch, "brief").await;
            now.len() == 1 && now != first
        })
        .await;
        assert_eq!(backends(&watch, "lasting").await, kept);
    });
}
