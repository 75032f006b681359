//! Records of a node that starts: what passes is waited for and said, what does not is said at once.

use std::sync::{Arc, Mutex};

use purlin_store::{Batch, Expectation, RecordError, Records};
use purlin_store_postgres::{Postgres, PostgresRecords, Waiting};

use crate::rig::{Mode, Proxy, Server, connect, met, on_shared, run, until};

/// What was told while somebody waited.
type Told = Arc<Mutex<Vec<Waiting>>>;

fn patient(store: &Postgres) -> (PostgresRecords, Told) {
    let told = Told::default();
    let records = store.patient_records({
        let told = Arc::clone(&told);
        move |waiting| told.lock().expect("one teller").push(waiting.clone())
    });
    (records, told)
}

fn causes(told: &Told) -> Vec<String> {
    let told = told.lock().expect("one teller");
    told.iter().map(|waiting| waiting.cause.clone()).collect()
}

fn one() -> Batch {
    Batch::default().put("t", "key", "value")
}

/// Runs blocking work beside the test.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("no panic")
}

/// The table is locked, as by somebody who repairs it, and statements end at their time limit or by a hand (57014).
#[test]
fn a_statement_that_is_ended_while_a_node_starts_is_made_again() {
    on_shared(async |server, database| {
        let store = connect(server.port(), &database).await;
        let (records, told) = patient(&store);
        beside({
            let records = records.clone();
            move || records.commit(one()).expect("there is room")
        })
        .await;
        let holder = server.sql(&database).await;
        let locked = holder.batch_execute("BEGIN; LOCK TABLE purlin.record IN ACCESS EXCLUSIVE MODE");
        locked.await.expect("nobody else has it");
        let reading = tokio::spawn(beside({
            let records = records.clone();
            move || records.scan("t", b"", 9)
        }));
        let by_hand = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event_type = 'Lock'";
        until("the statement was ended", async || {
            holder.query_one(by_hand, &[]).await.expect("it answers");
            !causes(&told).is_empty()
        })
        .await;
        assert!(causes(&told)[0].contains("(57014)"), "{:?}", causes(&told));
        holder.batch_execute("ROLLBACK").await.expect("it answers");
        let rows = reading.await.expect("no panic").expect("it was waited for");
        assert_eq!(rows, [(b"key".to_vec(), b"value".to_vec())]);
    });
}

#[test]
fn a_server_that_goes_away_while_a_node_starts_is_waited_for() {
    on_shared(async |server, database| {
        let proxy = Proxy::to(server.port()).await;
        let (records, told) = patient(&connect(proxy.port(), &database).await);
        proxy.set(Mode::Cut);
        let reading = tokio::spawn(beside({
            let records = records.clone();
            move || records.get("t", b"key")
        }));
        until("it was said twice", async || causes(&told).len() >= 2).await;
        proxy.set(Mode::Pass);
        assert_eq!(reading.await.expect("no panic").expect("it is back"), None);
        let told = told.lock().expect("one teller");
        assert_eq!((told[0].attempt, told[1].attempt), (1, 2));
        assert!(told[1].pause > told[0].pause);
    });
}

/// The server took the first attempt and its answer was lost: the second one is no conflict.
#[test]
fn a_change_whose_answer_was_lost_is_not_refused_for_being_made() {
    on_shared(async |server, database| {
        let proxy = Proxy::to(server.port()).await;
        let (records, told) = patient(&connect(proxy.port(), &database).await);
        proxy.set(Mode::Mute);
        let committing = tokio::spawn(beside({
            let records = records.clone();
            move || records.commit(one().expect("t", "key", Expectation::Absent))
        }));
        until("no answer came", async || !causes(&told).is_empty()).await;
        proxy.set(Mode::Pass);
        committing.await.expect("no panic").expect("it is made");
        let again = beside(move || records.commit(one().expect("t", "key", Expectation::Absent))).await;
        assert!(matches!(again, Err(RecordError::Conflict { .. })), "{again:?}");
    });
}

#[test]
fn what_waiting_does_not_help_is_said_at_once() {
    on_shared(async |server, database| {
        let (records, told) = patient(&connect(server.port(), &database).await);
        let sql = server.sql(&database).await;
        sql.batch_execute("DROP TABLE purlin.record").await.expect("ours");
        let refused = beside(move || records.get("t", b"key")).await;
        let Err(RecordError::Failed(cause)) = refused else {
            panic!("{refused:?}")
        };
        assert!(cause.to_string().contains("(42P01)"), "{cause}");
        assert_eq!(causes(&told), [""; 0]);
    });
}

#[test]
fn a_node_that_has_started_is_told_what_is_wrong() {
    on_shared(async |server, database| {
        let proxy = Proxy::to(server.port()).await;
        let (records, told) = patient(&connect(proxy.port(), &database).await);
        records.clone().started();
        proxy.set(Mode::Cut);
        let refused = beside(move || records.get("t", b"key")).await;
        assert!(matches!(refused, Err(RecordError::Failed(_))), "{refused:?}");
        assert_eq!(causes(&told), [""; 0]);
    });
}

#[test]
fn a_database_that_does_not_exist_ends_the_start() {
    if !met() {
        return;
    }
    run(async {
        let server = Server::shared();
        let settings = crate::rig::settings(server.port(), "nowhere");
        let refused = Postgres::connect(settings, |_| panic!("waiting does not help")).await;
        let Err(purlin_fabric::port::Fault::Unusable(cause)) = refused else {
            panic!("{refused:?}")
        };
        assert!(cause.to_string().contains("(3D000)"), "{cause}");
    });
}
