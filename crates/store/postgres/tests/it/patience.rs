//! Calls that are not answered: what they are called, what they leave behind, and how the next ones fare.

use std::time::{Duration, Instant};

use purlin_fabric::port::{ClaimStore, Fault};
use purlin_store::{FenceFault, FencedRows};
use purlin_store_postgres::{BreakerSettings, BreakerState, DatabaseMetrics, Postgres, Settings};
use purlin_telemetry::metrics::{Collector, Encoder};
use tokio::time::timeout;

use crate::rig::{
    LIMIT, Mode, Proxy, Server, connect, enrol, node, on_shared, row, settings, slot, take, until,
};

/// Longer than a statement may take here, shorter than two of them.
const SOON: Duration = Duration::from_millis(2800);

/// A proxy, a store that reaches the server through it, and one that does not need it.
async fn two_lines(server: &Server, database: &str) -> (Proxy, Postgres, Postgres) {
    let proxy = Proxy::to(server.port()).await;
    let through = connect(proxy.port(), database).await;
    (proxy, through, connect(server.port(), database).await)
}

#[test]
fn a_call_without_an_answer_is_unknown_and_may_have_been_made() {
    on_shared(async |server, database| {
        let (proxy, through, direct) = two_lines(&server, &database).await;
        let me = node("a", 1);
        enrol(&through, &me).await;
        // Once before, so that the statement is prepared and the next call is one message.
        through.renew(&me).await.expect("it is enrolled");
        proxy.set(Mode::Mute);
        let renewed = through.renew(&me).await;
        assert!(matches!(renewed, Err(Fault::Unknown(_))), "{renewed:?}");
        proxy.set(Mode::Pass);
        let seq = direct.view().await.expect("it answers").nodes[0].seq;
        assert_eq!(seq, 2, "it was made");
        assert_eq!(through.renew(&me).await.expect("a new connection").seq, 3);
    });
}

/// The node stands still after its rows have reached the server and before it commits: its locks must not keep the next
/// owner away for longer than a statement may take.
#[test]
fn an_open_transaction_of_a_silent_node_ends_by_itself() {
    on_shared(async |server, database| {
        let (proxy, silent, other) = two_lines(&server, &database).await;
        let (former, next) = (node("former", 1), node("next", 2));
        enrol(&silent, &former).await;
        enrol(&other, &next).await;
        let held = take(&silent, &former, &[1]).await;
        // More than one statement takes.
        let rows = |version| {
            (0..1001)
                .map(|key| row(key, slot(1), version))
                .collect::<Vec<_>>()
        };
        let first = silent.write("lease", &held, &rows(1)).await;
        first.expect("it holds the slot");
        proxy.set(Mode::Mute);
        let writing = tokio::spawn({
            let (silent, held, rows) = (silent.clone(), held.clone(), rows(2));
            async move { silent.write("lease", &held, &rows).await }
        });
        let watch = server.sql(&database).await;
        let question = "SELECT count(*) FROM pg_stat_activity \
             WHERE datname = current_database() AND state = 'idle in transaction'";
        until("the transaction is open", async || {
            watch
                .query_one(question, &[])
                .await
                .expect("it answers")
                .get::<_, i64>(0)
                == 1
        })
        .await;
        let since = Instant::now();
        let taken = timeout(SOON, take(&other, &next, &[1])).await;
        assert!(taken.is_ok(), "kept away for {:?}", since.elapsed());
        let seen = other
            .load("lease", &[slot(1)], None, 9)
            .await
            .expect("it answers");
        assert_eq!(seen[0].row.version, 1);
        let outcome = writing.await.expect("no panic");
        assert!(matches!(outcome, Err(FenceFault::Unknown(_))), "{outcome:?}");
        proxy.set(Mode::Pass);
        let late = silent.write("lease", &held, &[row(1, slot(1), 2)]).await;
        assert!(matches!(late, Err(FenceFault::Lost(_))), "{late:?}");
    });
}

/// The same when one statement takes all of its rows: it ends by itself, whether anybody hears of it or not.
#[test]
fn a_batch_of_a_silent_node_is_written_whole_and_keeps_nobody_away() {
    on_shared(async |server, database| {
        let (proxy, silent, other) = two_lines(&server, &database).await;
        let (former, next) = (node("former", 1), node("next", 2));
        enrol(&silent, &former).await;
        enrol(&other, &next).await;
        let held = take(&silent, &former, &[1]).await;
        let rows = |version| [1, 2].map(|key| row(key, slot(1), version));
        for version in [1, 2] {
            // New rows and old ones are two statements, and the line has to be there to prepare them.
            let written = silent.write("lease", &held, &rows(version)).await;
            written.expect("it holds the slot");
        }
        proxy.set(Mode::Mute);
        let writing = tokio::spawn({
            let (silent, held) = (silent.clone(), held.clone());
            async move { silent.write("lease", &held, &rows(3)).await }
        });
        let versions = async || {
            let page = other.page("lease", None, 9).await.expect("it answers");
            page.iter().map(|stored| stored.row.version).collect::<Vec<_>>()
        };
        until("the rows are written", async || versions().await == [3, 3]).await;
        let taken = timeout(SOON, take(&other, &next, &[1])).await;
        assert!(taken.is_ok());
        let outcome = writing.await.expect("no panic");
        assert!(matches!(outcome, Err(FenceFault::Unknown(_))), "{outcome:?}");
        proxy.set(Mode::Pass);
        let late = silent.write("lease", &held, &rows(4)).await;
        assert!(matches!(late, Err(FenceFault::Lost(_))), "{late:?}");
        assert_eq!(versions().await, [3, 3]);
    });
}

/// The caller loses patience: what it began on the server ends with it, locks and all.
#[test]
fn a_call_that_is_dropped_is_cancelled() {
    on_shared(async |server, database| {
        let slow = Settings {
            statement_timeout: LIMIT,
            ..settings(server.port(), &database)
        };
        let store = Postgres::connect(slow, |_| {}).await.expect("it answers");
        let me = node("a", 1);
        enrol(&store, &me).await;
        let held = take(&store, &me, &[1]).await;
        let rows = [row(1, slot(1), 1)];
        store
            .write("lease", &held, &rows)
            .await
            .expect("it holds the slot");
        let holder = server.sql(&database).await;
        let locked = holder.batch_execute("BEGIN; SELECT FROM purlin.fenced_row FOR UPDATE");
        locked.await.expect("nobody else has it");
        let rows = [row(1, slot(1), 2)];
        let dropped = timeout(Duration::from_millis(300), store.write("lease", &held, &rows)).await;
        assert!(dropped.is_err(), "it waits for the row");
        // It would wait as long as the row is held, were it still there.
        timeout(SOON, take(&store, &me, &[1]))
            .await
            .expect("nobody holds the claim any more");
        holder.batch_execute("ROLLBACK").await.expect("it answers");
        assert!(store.pool_use().busy <= 1);
    });
}

#[test]
fn s4_123_a_server_that_does_not_answer_is_asked_less_and_found_again() {
    on_shared(async |server, database| {
        let proxy = Proxy::to(server.port()).await;
        let quick = Settings {
            breaker: BreakerSettings {
                failures: 3,
                pause: Duration::from_millis(400),
                pause_max: Duration::from_millis(400),
            },
            ..settings(proxy.port(), &database)
        };
        let store = Postgres::connect(quick, |_| {}).await.expect("it answers");
        proxy.set(Mode::Cut);
        for _ in 0..3 {
            assert!(store.probe().await.is_err());
        }
        assert!(
            matches!(store.breaker(), BreakerState::Open { .. }),
            "{:?}",
            store.breaker()
        );
        let refused = store.probe().await.expect_err("it rests");
        let Fault::Unknown(cause) = refused else {
            panic!("{refused:?}")
        };
        assert!(cause.to_string().contains("has not answered lately"), "{cause}");
        let metrics = || {
            let mut encoder = Encoder::default();
            DatabaseMetrics(vec![("claims", store.clone())]).collect(&mut encoder);
            assert!(encoder.faults().is_empty(), "{:?}", encoder.faults());
            encoder.text()
        };
        for line in [
            "purlin_database_breaker{for=\"claims\",state=\"open\"} 1",
            "purlin_database_breaker{for=\"claims\",state=\"closed\"} 0",
            "purlin_database_breaker_opened_total{for=\"claims\"} 1",
            "purlin_database_calls_refused_total{for=\"claims\"} 1",
            "purlin_database_connections{for=\"claims\",server=\"primary\",state=\"busy\"} 0",
        ] {
            assert!(metrics().contains(line), "{line}: {}", metrics());
        }
        proxy.set(Mode::Pass);
        until("the breaker has closed", async || store.probe().await.is_ok()).await;
        assert_eq!(store.breaker(), BreakerState::Closed);
        let closed = "purlin_database_breaker{for=\"claims\",state=\"closed\"} 1";
        assert!(metrics().contains(closed), "{}", metrics());
        assert!(store.breaker_counts().opened >= 1, "what was is not forgotten");
    });
}

#[test]
fn connections_are_bounded_kept_and_given_back() {
    on_shared(async |server, database| {
        let narrow = Settings {
            max_open: 3,
            max_idle: 2,
            ..settings(server.port(), &database)
        };
        let store = Postgres::connect(narrow, |_| {}).await.expect("it answers");
        let calls = (0..40).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.probe().await.map(drop) })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.expect("no panic").expect("it gets its turn");
            assert!(store.pool_use().busy <= 3);
        }
        let in_use = store.pool_use();
        assert_eq!((in_use.busy, in_use.max_open), (0, 3));
        assert!((1..=2).contains(&in_use.idle), "{in_use:?}");
    });
}
