//! A server that is restarted under load.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use purlin_store::{FenceFault, FencedRows};

use crate::rig::{Stop, connect, enrol, node, on_fresh, row, slot, take, until};

/// Several writers, each with a slot of its own, go on writing whatever happens, and write again what was not
/// acknowledged. Every acknowledged row is there in the end, in its newest version.
#[test]
fn writers_outlive_a_restart_and_a_kill_in_the_middle() {
    const WRITERS: u16 = 4;
    on_fresh(async |server, database| {
        let store = connect(server.port(), &database).await;
        let me = node("a", 1);
        enrol(&store, &me).await;
        let done = Arc::new(AtomicBool::new(false));
        let mut writers = Vec::new();
        for index in 0..WRITERS {
            let held = take(&store, &me, &[index]).await;
            let (store, done) = (store.clone(), done.clone());
            writers.push(tokio::spawn(async move {
                let (mut version, mut unknown) = (0, 0);
                while !done.load(Ordering::Relaxed) || unknown == 0 {
                    version += 1;
                    let rows: Vec<_> = (0..20)
                        .map(|n| row(u64::from(index) * 100 + n, slot(index), version))
                        .collect();
                    while let Err(fault) = store.write("lease", &held, &rows).await {
                        assert!(matches!(fault, FenceFault::Unknown(_)), "{fault:?}");
                        unknown += 1;
                        tokio::task::yield_now().await;
                    }
                }
                version
            }));
        }
        let watch = store.clone();
        let reached = async |version: u32| {
            until("rows are written", async || {
                let page = watch.page("lease", None, 100).await;
                page.is_ok_and(|page| {
                    page.len() == 80 && page.iter().all(|stored| stored.row.version >= version)
                })
            })
            .await;
        };
        reached(3).await;
        server.stop(Stop::Fast);
        server.start();
        reached(8).await;
        server.stop(Stop::Kill);
        server.start();
        done.store(true, Ordering::Relaxed);
        for (index, writer) in (0..WRITERS).zip(writers) {
            let version = writer.await.expect("no panic");
            let rows = store
                .load("lease", &[slot(index)], None, 100)
                .await
                .expect("it answers");
            let versions: BTreeSet<u32> = rows.iter().map(|stored| stored.row.version).collect();
            assert_eq!((rows.len(), versions), (20, BTreeSet::from([version])));
        }
    });
}
