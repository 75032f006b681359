//! A standalone `ovsdb-server`.

use crate::rig::{Rig, is_here, soon, until};
use purlin_ovsdb::cache::{Changes, Index, RowData};
use purlin_ovsdb::client::{Client, CommitError, Replica, Spec, State, TableSpec};
use purlin_ovsdb::{Condition, Datum, Failure, Function, Insert, Mutation, Row, Transaction, Uuid, Wait};
use std::collections::BTreeMap;

const LS: &str = "Logical_Switch";
const LSP: &str = "Logical_Switch_Port";

pub(crate) fn switch(name: &str) -> Transaction {
    let mut transaction = Transaction::new();
    transaction.insert(Insert::new(LS).with("name", name));
    transaction
}

fn port(switch: Uuid, name: &str) -> Transaction {
    let mut transaction = Transaction::new();
    let port = transaction.insert(
        Insert::new(LSP)
            .with("name", name)
            .with("addresses", Datum::set(["dynamic"]))
            .with("external_ids", Datum::map([("owner", "purlin")])),
    );
    transaction.mutate(LS, switch, [Mutation::insert("ports", port)]);
    transaction
}

pub(crate) fn replica(client: &Client) -> Replica {
    let ports = TableSpec::all()
        .index(Index::column("name"))
        .index(Index::key("external_ids", "owner"));
    client.replicate(Spec::new().table(LS, TableSpec::all()).table(LSP, ports))
}

async fn insert(client: &Client, transaction: Transaction) -> Uuid {
    let committed = soon("a commit", client.commit(transaction)).await.unwrap();
    committed.outcome.uuids().next().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_is_seen_by_whoever_wrote_it() {
    if !is_here() {
        return;
    }
    let rig = Rig::standalone().await;
    let client = rig.client();
    let replica = replica(&client);
    assert!(!replica.snapshot().is_live());
    soon("the first load", replica.live()).await;
    let switch = insert(&client, switch("s0")).await;
    for n in 0..20 {
        let committed = client.commit(port(switch, &format!("p{n}"))).await.unwrap();
        assert!(replica.has_seen(&committed).await);
        let snapshot = replica.snapshot();
        let found = snapshot
            .table(LSP)
            .unwrap()
            .find_one("name", &format!("p{n}"))
            .unwrap();
        assert_eq!(found.uuid(), committed.outcome.uuids().next().unwrap());
    }
    let snapshot = replica.snapshot();
    let ports = snapshot.table(LSP).unwrap();
    let (owner, purlin) = (Index::key("external_ids", "owner"), "purlin".into());
    assert_eq!(ports.find(&owner, &purlin).count(), 20);
    assert_eq!(
        snapshot
            .table(LS)
            .unwrap()
            .get(switch)
            .unwrap()
            .get("ports")
            .unwrap()
            .len(),
        20
    );
    assert_eq!((snapshot.reloads, snapshot.resumes), (1, 0));
    let members = client.members();
    assert!(members[0].1.leader && members[0].1.chooses_uuids && members[0].1.model == "standalone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_write_fails_nobody_else() {
    if !is_here() {
        return;
    }
    let rig = Rig::standalone().await;
    let client = rig.client();
    let switch = insert(&client, switch("s0")).await;
    insert(&client, port(switch, "taken")).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..600 {
        let (client, name) = (
            client.clone(),
            if n % 200 == 50 {
                "taken".to_owned()
            } else {
                format!("p{n}")
            },
        );
        tasks.spawn(async move { (n, client.commit(port(switch, &name)).await) });
    }
    let (mut together, mut refused) = (0, 0);
    while let Some(done) = soon("600 commits", tasks.join_next()).await {
        match done.unwrap() {
            (_, Ok(committed)) => together = together.max(committed.together),
            (n, Err(CommitError::Refused(refusal))) => {
                assert_eq!((n % 200, refusal.failure), (50, Failure::Constraint));
                refused += 1;
            }
            (n, other) => panic!("{n}: {other:?}"),
        }
    }
    assert_eq!(refused, 3);
    assert!(together > 1, "writes that come together travel together");
    let replica = replica(&client);
    let snapshot = soon("a load", replica.live()).await;
    assert_eq!(snapshot.table(LSP).unwrap().len(), 598);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_say_what_they_are() {
    if !is_here() {
        return;
    }
    let rig = Rig::standalone().await;
    let client = rig.client();
    let switch = insert(&client, switch("s0")).await;
    let refusal = async |transaction: Transaction| match soon("an answer", client.commit(transaction)).await {
        Err(CommitError::Refused(refusal)) => (refusal.failure, refusal.operation),
        other => panic!("{other:?}"),
    };
    let mut stale = Transaction::new();
    stale.wait(Wait::unchanged(LS, switch, Row::new().with("name", "other")));
    stale.update(LS, switch, Row::new().with("name", "new"));
    assert_eq!(refusal(stale).await, (Failure::TimedOut, Some(0)));
    let mut dangling = Transaction::new();
    dangling.mutate(LS, switch, [Mutation::insert("ports", Uuid::from_bytes([1; 16]))]);
    assert_eq!(refusal(dangling).await, (Failure::ReferentialIntegrity, None));
    let mut twice = Transaction::new();
    twice.insert(Insert::new(LS).uuid(switch));
    assert_eq!(refusal(twice).await, (Failure::DuplicateUuid, Some(0)));
    let mut named_twice = Transaction::new();
    named_twice.insert(Insert::new(LS).named("same"));
    named_twice.insert(Insert::new(LS).named("same"));
    assert_eq!(refusal(named_twice).await, (Failure::DuplicateUuidName, Some(1)));
    let mut lockless = Transaction::new();
    lockless.assert("nobodys");
    assert_eq!(refusal(lockless).await, (Failure::NotOwner, Some(0)));
    let mut unknown = Transaction::new();
    unknown.insert(Insert::new(LS).with("of_a_later_version", 1));
    assert_eq!(refusal(unknown).await, (Failure::Syntax, Some(0)));
    let mut aborted = Transaction::new();
    aborted.push(purlin_ovsdb::Operation::Abort);
    assert_eq!(refusal(aborted).await, (Failure::Aborted, Some(0)));
}

fn rows(snapshot: &purlin_ovsdb::client::Snapshot) -> BTreeMap<Uuid, RowData> {
    let tables = snapshot.database.tables();
    tables
        .flat_map(|table| table.rows())
        .map(|row| (row.uuid(), row.data().clone()))
        .collect()
}

fn replay(changes: &Changes, rows: &mut BTreeMap<Uuid, RowData>) {
    for change in &changes.rows {
        assert_eq!(rows.get(&change.uuid), change.before.as_ref());
        match &change.after {
            Some(row) => rows.insert(change.uuid, row.clone()),
            None => rows.remove(&change.uuid),
        };
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_updates_ends_in_the_same_rows_everywhere() {
    if !is_here() {
        return;
    }
    let rig = Rig::standalone().await;
    let (client, other) = (rig.client(), rig.client());
    let replica = replica(&client);
    soon("the first load", replica.live()).await;
    let mut feed = replica.feed();
    let mut followed = rows(feed.snapshot());
    let switch = insert(&other, switch("s0")).await;
    let mut ports = Vec::new();
    for n in 0..60 {
        ports.push(insert(&other, port(switch, &format!("p{n}"))).await);
    }
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..1500usize {
        let (other, port) = (other.clone(), ports[n % 60]);
        tasks.spawn(async move {
            let mut change = Transaction::new();
            change.update(
                LSP,
                port,
                Row::new().with("tag_request", i64::try_from(n % 4000).unwrap()),
            );
            change.mutate(
                LSP,
                port,
                [Mutation::insert("addresses", Datum::set([format!("a{n}")]))],
            );
            if n % 50 == 49 {
                change.mutate(LS, switch, [Mutation::delete("ports", port)]);
            }
            other.commit(change).await.unwrap();
        });
    }
    while let Some(done) = soon("1500 commits", tasks.join_next()).await {
        done.unwrap();
    }
    // Every 50th took a port off the switch, and a port that nobody points to goes.
    let gone = (0..1500)
        .filter(|n| n % 50 == 49)
        .map(|n| n % 60)
        .collect::<std::collections::BTreeSet<_>>();
    let left = 60 - gone.len();
    let fresh = self::replica(&other);
    let fresh = soon("a fresh load", fresh.live()).await;
    assert_eq!(fresh.table(LSP).unwrap().len(), left);
    let last = soon("the last update", replica.when(|now| rows(now) == rows(&fresh))).await;
    while followed != rows(&last) {
        replay(&soon("a change", feed.next()).await.unwrap(), &mut followed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_stay_while_the_server_is_away() {
    if !is_here() {
        return;
    }
    let mut rig = Rig::standalone().await;
    let client = rig.client();
    let switch = insert(&client, switch("s0")).await;
    let replica = replica(&client);
    let before = soon("the first load", replica.live()).await;
    let mut feed = replica.feed();
    rig.servers[0].kill();
    let stale = soon("stale", replica.when(|s| matches!(s.state, State::Stale(_)))).await;
    assert!(rows(&stale) == rows(&before));
    assert!(stale.trouble.is_some());
    let late = tokio::spawn({
        let client = client.clone();
        async move { client.commit(port(switch, "while-away")).await }
    });
    rig.start(0).await;
    soon("a write that waited", late).await.unwrap().unwrap();
    let live = soon(
        "live again",
        replica.when(|s| s.is_live() && s.table(LSP).unwrap().len() == 1),
    )
    .await;
    assert_eq!(live.reloads, 2, "a standalone server has no history");
    let mut followed = rows(&before);
    while followed != rows(&live) {
        replay(&soon("a change", feed.next()).await.unwrap(), &mut followed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_let_rows_come_and_go() {
    if !is_here() {
        return;
    }
    let rig = Rig::standalone().await;
    let client = rig.client();
    for n in 0..10 {
        insert(&client, switch(&format!("s{n}"))).await;
    }
    let only = |name: &str| vec![Condition::equal("name", name)];
    let spec = Spec::new().table(LS, TableSpec::named(["name"]).conditions(only("s1")));
    let replica = client.replicate(spec);
    let count = |snapshot: &purlin_ovsdb::client::Snapshot| snapshot.table(LS).unwrap().len();
    assert_eq!(count(&soon("a load", replica.live()).await), 1);
    let two = vec![
        Condition::equal("name", "s2"),
        Condition::new("name", Function::Equal, "s3"),
    ];
    soon("other conditions", replica.set_conditions(LS, two))
        .await
        .unwrap();
    let snapshot = replica.snapshot();
    assert_eq!(count(&snapshot), 2);
    assert!(snapshot.table(LS).unwrap().find_one("name", "s2").is_some());
    soon("no condition", replica.set_conditions(LS, Vec::new()))
        .await
        .unwrap();
    assert_eq!(count(&replica.snapshot()), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_has_one_owner() {
    if !is_here() {
        return;
    }
    let rig = Rig::standalone().await;
    let (first, second) = (rig.client(), rig.client());
    let own = first.lock("northd");
    assert!(soon("the lock", own.owned()).await);
    let wait = second.lock("northd");
    let mut guarded = switch("guarded");
    guarded.assert("northd");
    soon("a write of the owner", first.commit(guarded.clone()))
        .await
        .unwrap();
    until("the second has asked", || !wait.is_owned()).await;
    wait.steal();
    assert!(soon("the stolen lock", wait.owned()).await);
    soon("the loss", own.lost()).await;
    let refused = soon("a write of who lost it", first.commit(guarded)).await;
    assert!(matches!(refused, Err(CommitError::Refused(refusal)) if refusal.failure == Failure::NotOwner));
    drop(wait);
    assert!(soon("given back", own.owned()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_less_or_more_than_we_know_is_read_all_the_same() {
    if !is_here() {
        return;
    }
    let text = std::fs::read_to_string(crate::rig::NB).unwrap();
    let mut schema: serde_json::Value = serde_json::from_str(&text).unwrap();
    let tables = schema["tables"].as_object_mut().unwrap();
    tables.remove("Mirror");
    tables["Logical_Switch_Port"]["columns"]
        .as_object_mut()
        .unwrap()
        .remove("mirror_rules");
    tables["Logical_Switch"]["columns"]["of_tomorrow"] =
        serde_json::json!({"type": {"key": "integer", "min": 0}});
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.ovsschema");
    std::fs::write(&file, schema.to_string()).unwrap();
    let rig = Rig::standalone_of(&file, &[]).await;
    let client = rig.client();
    let spec = Spec::new()
        .table(LS, TableSpec::named(["name", "ports"]))
        .table(LSP, TableSpec::named(["name", "mirror_rules"]))
        .table("Mirror", TableSpec::all());
    let replica = client.replicate(spec);
    let snapshot = soon("a load", replica.live()).await;
    assert_eq!(snapshot.missing.len(), 2);
    assert!(snapshot.table("Mirror").is_none());
    let committed = client.commit(switch("s0")).await.unwrap();
    assert!(replica.has_seen(&committed).await);
    let snapshot = replica.snapshot();
    let row = snapshot.table(LS).unwrap().rows().next().unwrap();
    assert_eq!(row.columns().count(), 2, "what nobody asked for is not kept");
}
