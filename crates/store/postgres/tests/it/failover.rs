//! A primary that is lost, with a standby that has everything and with one that has not.

use std::time::Duration;

use purlin_fabric::port::{ClaimStore, Durability, Fault};
use purlin_store::{Copies, FenceFault, FencedRows, Written};
use purlin_store_postgres::{Postgres, Settings, Target};

use crate::rig::{Server, Stop, connect, enrol, fence, node, on_fresh, row, settings, slot, take, until};

/// A store that knows both servers.
async fn of_both(one: &Server, two: &Server, database: &str) -> Postgres {
    let (one, two) = (one.port(), two.port());
    let url = format!("host=127.0.0.1,127.0.0.1 port={one},{two} user=postgres dbname={database}");
    let both = Settings {
        primary: Target::parse(&url).expect("well formed"),
        ..settings(one, database)
    };
    Postgres::connect(both, |_| {})
        .await
        .expect("one of them answers")
}

#[test]
fn no_acknowledged_write_is_lost_with_a_synchronous_standby() {
    on_fresh(async |server, database| {
        let store = of_both(&server, &server, &database).await;
        assert_eq!(
            store.probe().await.expect("it answers").durability,
            Durability::Single
        );
        let standby = server.standby("one");
        server.synchronous("one").await;
        let store = of_both(&server, &standby, &database).await;
        let before = store.probe().await.expect("it answers");
        assert_eq!(before.durability, Durability::Synced);
        let me = node("a", 1);
        enrol(&store, &me).await;
        let held = take(&store, &me, &[1]).await;

        let writing = tokio::spawn({
            let (store, held) = (store.clone(), held.clone());
            async move {
                let mut acknowledged = Vec::new();
                for key in 0.. {
                    match store.write("lease", &held, &[row(key, slot(1), 1)]).await {
                        Ok(_) => acknowledged.push(key),
                        Err(FenceFault::Unknown(_)) => break,
                        Err(other) => panic!("{other:?}"),
                    }
                }
                acknowledged
            }
        });
        until("a hundred rows are written", async || {
            let page = store.page("lease", Some(98), 1).await;
            page.is_ok_and(|page| !page.is_empty())
        })
        .await;
        server.stop(Stop::Kill);
        let acknowledged = writing.await.expect("no panic");
        assert!(acknowledged.len() >= 100);

        standby.promote().await;
        until("the other host is found", async || store.probe().await.is_ok()).await;
        let after = store.probe().await.expect("it answers");
        assert!(after.timeline > before.timeline);
        assert_eq!(after.durability, Durability::Single, "it has no standby now");
        assert!(store.renew(&me).await.expect("its lease goes on").seq > 0);
        let rows = store
            .load("lease", &[slot(1)], None, usize::MAX)
            .await
            .expect("it answers");
        let there: Vec<u64> = rows.iter().map(|stored| stored.row.key).collect();
        assert!(
            acknowledged.iter().all(|key| there.contains(key)),
            "acknowledged and lost"
        );

        // On another history without a standby, a claim from before is no fence any more.
        let rows = [row(0, slot(1), 2)];
        let late = store.write("lease", &held, &rows).await;
        assert!(matches!(late, Err(FenceFault::Former(_))), "{late:?}");
        store
            .release(&me, &[fence(slot(1), held[0].1)])
            .await
            .expect("passed over");
        let anew = take(&store, &me, &[1]).await;
        assert!(anew[0].1 > held[0].1 && anew[0].1.timeline == after.timeline);
        store
            .write("lease", &anew, &rows)
            .await
            .expect("it holds the slot");
    });
}

/// The failover has lost grants, one of which was a slot's first. Their holders cannot write and may still claim anew,
/// unless somebody else did before them.
#[test]
fn a_claim_that_a_failover_lost_is_its_holders_until_somebody_claims() {
    on_fresh(async |server, database| {
        let store = connect(server.port(), &database).await;
        let (me, other) = (node("a", 1), node("b", 2));
        enrol(&store, &me).await;
        enrol(&store, &other).await;
        let given_back = take(&store, &me, &[3]).await[0];
        take(&store, &other, &[1]).await;
        store
            .release(&me, &[fence(slot(3), given_back.1)])
            .await
            .expect("it answers");
        let copy = server.keep_copy();
        let lost = take(&store, &me, &[1, 2]).await;
        server.fail_over(Some(copy)).await;

        let store = connect(server.port(), &database).await;
        let refused = store.write("lease", &lost, &[row(1, slot(1), 1)]).await;
        let former = |refused: &Result<Written, FenceFault>, slots: &[u16]| {
            let slots: Vec<_> = slots.iter().map(|&index| slot(index)).collect();
            matches!(refused, Err(FenceFault::Former(named)) if *named == slots)
        };
        let not_held = |refused: &Result<Written, FenceFault>, index: u16| matches!(refused, Err(FenceFault::Lost(named)) if *named == [slot(index)]);
        assert!(former(&refused, &[1, 2]), "{refused:?}");
        let refused = store.write("lease", &[given_back], &[]).await;
        assert!(not_held(&refused, 3), "it was given back before: {refused:?}");

        take(&store, &other, &[1]).await;
        let refused = store.write("lease", &lost, &[]).await;
        assert!(not_held(&refused, 1), "somebody claimed it since: {refused:?}");
        let refused = store.write("lease", &lost[1..], &[]).await;
        assert!(former(&refused, &[2]), "{refused:?}");
    });
}

/// While every commit waits for a standby, histories cannot part: claims outlive the failover.
#[test]
fn claims_outlive_a_failover_between_synchronous_standbys() {
    on_fresh(async |server, database| {
        let standby = server.standby("one");
        server.synchronous("one").await;
        let store = connect(server.port(), &database).await;
        let me = node("a", 1);
        enrol(&store, &me).await;
        let held = take(&store, &me, &[1, 2]).await;
        server.stop(Stop::Kill);
        standby.promote().await;
        let third = standby.standby("two");
        standby.synchronous("two").await;
        let store = connect(standby.port(), &database).await;
        let probe = store.probe().await.expect("it answers");
        assert_eq!(probe.durability, Durability::Synced);
        assert!(probe.timeline > held[0].1.timeline);
        let written = store.write("lease", &held, &[row(1, slot(1), 1)]).await;
        written.expect("still held");
        store
            .release(&me, &[fence(slot(2), held[1].1)])
            .await
            .expect("it answers");
        let view = store.view().await.expect("it answers");
        assert_eq!(
            view.claims.iter().filter(|claim| claim.owner.is_none()).count(),
            1
        );
        drop(third);
    });
}

/// The standby is away and commits wait for it. Nobody is told that anything was done, and nothing stays behind on the
/// server that would be in the way of later calls.
#[test]
fn a_commit_that_no_standby_confirms_is_unknown() {
    on_fresh(async |server, database| {
        let standby = server.standby("one");
        server.synchronous("one").await;
        let store = connect(server.port(), &database).await;
        let me = node("a", 1);
        enrol(&store, &me).await;
        let held = take(&store, &me, &[1]).await;
        standby.stop(Stop::Fast);

        let rows = [row(1, slot(1), 1)];
        let written = store.write("lease", &held, &rows).await;
        assert!(matches!(written, Err(FenceFault::Unknown(_))), "{written:?}");
        let renewed = store.renew(&me).await;
        assert!(matches!(renewed, Err(Fault::Unknown(_))), "{renewed:?}");
        let watch = server.sql("postgres").await;
        let question = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        let waiting = async || {
            watch
                .query_one(question, &[])
                .await
                .expect("it answers")
                .get::<_, i64>(0)
        };
        until("the waits were cancelled", async || waiting().await == 0).await;

        let loaded = store.load("lease", &[slot(1)], None, 9).await;
        assert!(
            matches!(loaded, Err(FenceFault::Unknown(_))),
            "seen, but no standby has it: {loaded:?}"
        );
        standby.start();
        until("commits are confirmed again", async || {
            store.renew(&me).await.is_ok()
        })
        .await;
        store
            .write("lease", &held, &rows)
            .await
            .expect("the same rows, confirmed");
        let loaded = store.load("lease", &[slot(1)], None, 9).await;
        assert_eq!(loaded.expect("it answers").len(), 1);
    });
}

/// Somebody cancels the wait for the standby. The server says that the commit is done, and warns before; it is not done.
/// So for a transaction and for a statement that is one by itself, which the server calls done before it waits.
#[test]
fn a_commit_whose_wait_was_cancelled_is_unknown() {
    on_fresh(async |server, database| {
        let standby = server.standby("one");
        server.synchronous("one").await;
        let patient = Settings {
            statement_timeout: Duration::from_secs(20),
            ..settings(server.port(), &database)
        };
        let store = Postgres::connect(patient, |_| {}).await.expect("it answers");
        let me = node("a", 1);
        enrol(&store, &me).await;
        let held = take(&store, &me, &[1]).await;
        standby.stop(Stop::Fast);
        let watch = server.sql("postgres").await;
        let waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        let cancel_when_it_waits = async || {
            until("the commit waits", async || {
                watch.query(waiting, &[]).await.expect("it answers").len() == 1
            })
            .await;
            let cancel = format!("SELECT pg_cancel_backend(pid) FROM ({waiting}) AS w");
            watch.query(&cancel, &[]).await.expect("may");
        };
        let rows = [row(2, slot(1), 1)];
        let (written, ()) = tokio::join!(store.write("lease", &held, &rows), cancel_when_it_waits());
        let Err(FenceFault::Unknown(cause)) = written else {
            panic!("{written:?}")
        };
        assert!(cause.to_string().contains("did not confirm"), "{cause}");
        let (renewed, ()) = tokio::join!(store.renew(&me), cancel_when_it_waits());
        let Err(Fault::Unknown(cause)) = renewed else {
            panic!("{renewed:?}")
        };
        assert!(cause.to_string().contains("did not confirm"), "{cause}");
        // Both are seen on the server nevertheless.
        assert_eq!(store.view().await.expect("it answers").nodes[0].seq, 1);
        let page = store.page("lease", None, 9).await.expect("it answers");
        assert_eq!(page.len(), 1);
    });
}

/// Whether a copy may take the server's place, whether writes wait for it, and how far it is.
#[test]
fn it_is_known_whether_a_standby_follows_and_how_far() {
    on_fresh(async |server, database| {
        let store = connect(server.port(), &database).await;
        let alone = store.standing().await.expect("it answers");
        assert_eq!(alone.copies, Copies::None);

        let standby = server.standby("one");
        let me = node("a", 1);
        enrol(&store, &me).await;
        let held = take(&store, &me, &[1]).await;
        let written = store.write("lease", &held, &[row(1, slot(1), 1)]).await;
        written.expect("it holds the slot");
        let goal = store.standing().await.expect("it answers").written;
        assert!(goal > alone.written);
        until("the standby has what was written", async || {
            let copies = store.standing().await.map(|standing| standing.copies);
            matches!(copies, Ok(Copies::Behind { upto, follows: true }) if upto >= goal)
        })
        .await;

        // It goes: it may still take the server's place, and gets nothing more.
        standby.stop(Stop::Fast);
        until("the standby is missed", async || {
            let copies = store.standing().await.map(|standing| standing.copies);
            matches!(copies, Ok(Copies::Behind { follows: false, .. }))
        })
        .await;
        let later = connect(server.port(), &database).await;
        let seen = later.standing().await.expect("it answers").copies;
        assert!(
            matches!(seen, Copies::Behind { follows: false, .. }),
            "a node that starts later knows it too: {seen:?}"
        );

        standby.start();
        server.synchronous("one").await;
        let store = connect(server.port(), &database).await;
        let synced = store.standing().await.expect("it answers").copies;
        assert!(matches!(synced, Copies::Synced { .. }), "{synced:?}");
    });
}

/// A standby that appears between two questions is known with the first commit that it may lack.
#[test]
fn a_commit_tells_whether_the_server_still_is_alone() {
    on_fresh(async |server, database| {
        let store = connect(server.port(), &database).await;
        let me = node("a", 1);
        enrol(&store, &me).await;
        let held = take(&store, &me, &[1]).await;
        let write = async |version: u32| {
            let written = store.write("lease", &held, &[row(1, slot(1), version)]).await;
            written.expect("it holds the slot").alone
        };
        assert!(!write(1).await, "nobody has asked yet");
        let alone = store.standing().await.expect("it answers");
        assert_eq!(alone.copies, Copies::None);
        assert!(write(2).await && write(3).await);
        let _standby = server.standby("one");
        let watch = server.sql("postgres").await;
        until("the standby is sent the log", async || {
            let senders = watch.query("SELECT FROM pg_stat_get_wal_senders()", &[]).await;
            !senders.expect("it answers").is_empty()
        })
        .await;
        assert!(!write(4).await);
    });
}

/// What a node that has seen nothing is told of the histories before: that nothing is missing only where commits waited
/// for a standby until the last one.
#[test]
fn how_a_history_ended_is_known_to_who_was_not_there() {
    on_fresh(async |server, database| {
        let store = connect(server.port(), &database).await;
        let parted = async |store: &Postgres| {
            let probe = store.probe().await.expect("it answers");
            (probe.timeline, probe.durability, probe.parted_below)
        };
        assert_eq!(parted(&store).await, (1, Durability::Single, 0));
        store.standing().await.expect("it answers");

        // Nobody waited for this one; by the time somebody looks, commits wait again.
        let lagging = server.standby("one");
        store.standing().await.expect("it answers");
        server.stop(Stop::Kill);
        lagging.promote().await;
        let third = lagging.standby("two");
        lagging.synchronous("two").await;
        let store = connect(lagging.port(), &database).await;
        assert_eq!(parted(&store).await, (2, Durability::Synced, 2));

        // From here on all waits, and is marked so: the next history has everything of this one.
        store.standing().await.expect("it answers");
        assert_eq!(parted(&store).await, (2, Durability::Synced, 2));
        lagging.stop(Stop::Kill);
        third.promote().await;
        let store = connect(third.port(), &database).await;
        assert_eq!(parted(&store).await, (3, Durability::Single, 2));

        // Nobody waits here: what follows may lack its end.
        store.standing().await.expect("it answers");
        assert_eq!(parted(&store).await, (3, Durability::Single, 2));
        third.fail_over(None).await;
        let store = connect(third.port(), &database).await;
        assert_eq!(parted(&store).await, (4, Durability::Single, 4));
    });
}

#[test]
fn s4_82_pages_come_from_the_replica_writes_never_go_there_and_the_primary_answers_without_it() {
    on_fresh(async |server, database| {
        let standby = server.standby("reader");
        let replica = format!("postgresql://postgres@127.0.0.1:{}/{database}", standby.port());
        let both = Settings {
            replica: Some(Target::parse(&replica).expect("well formed")),
            ..settings(server.port(), &database)
        };
        let store = Postgres::connect(both, |_| {}).await.expect("it answers");
        let me = node("a", 1);
        enrol(&store, &me).await;
        let held = take(&store, &me, &[1]).await;
        store
            .write("lease", &held, &[row(1, slot(1), 1)])
            .await
            .expect("it holds the slot");
        until("the replica has the row", async || {
            store
                .page("lease", None, 9)
                .await
                .is_ok_and(|page| page.len() == 1)
        })
        .await;
        let watch = standby.sql("postgres").await;
        let question = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'purlin'";
        let readers: i64 = watch.query_one(question, &[]).await.expect("it answers").get(0);
        assert_eq!(readers, 1);
        // A write there would be refused: it went to the primary, and comes here by replication.
        store
            .write("lease", &held, &[row(2, slot(1), 1)])
            .await
            .expect("it holds the slot");
        until("the replica has that row, too", async || {
            let rows = store.page("lease", None, 9).await;
            rows.is_ok_and(|rows| rows.len() == 2)
        })
        .await;
        drop(watch);
        standby.stop(Stop::Fast);
        let page = store
            .page("lease", None, 9)
            .await
            .expect("the primary answers instead");
        assert_eq!(page.len(), 2);
    });
}
