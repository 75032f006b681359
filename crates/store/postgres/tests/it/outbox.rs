//! Notes: in the order of commits, without a gap, and honest about what was forgotten.

use std::time::Duration;

use purlin_store::{Batch, Records};
use purlin_store_postgres::{Cursor, News, Note};

use crate::rig::{LIMIT, connect, on_shared, settings};

fn notes(news: News) -> (Vec<Note>, Cursor) {
    match news {
        News::Notes { notes, then } => (notes, then),
        News::Missed { .. } => panic!("nothing was forgotten"),
    }
}

/// Writers in a race, and a reader that follows them: whatever it has seen, nothing appears before it any more.
#[test]
fn notes_come_in_order_without_a_gap() {
    const WRITERS: u64 = 4;
    const EACH: u64 = 15;
    on_shared(async |server, database| {
        let store = connect(server.port(), &database).await;
        let outbox = store.outbox();
        let mut cursor = outbox.now().await.expect("it answers");
        let writers = (0..WRITERS).map(|writer| {
            let outbox = outbox.clone();
            tokio::spawn(async move {
                for n in 0..EACH {
                    let body = [writer as u8, n as u8];
                    outbox
                        .leave(&[("x", &body), ("y", &body)])
                        .await
                        .expect("it answers");
                }
            })
        });
        let writers: Vec<_> = writers.collect();
        let mut seen = Vec::new();
        while (seen.len() as u64) < WRITERS * EACH * 2 {
            let (read, then) = notes(outbox.since(cursor, 7).await.expect("it answers"));
            assert!(read.len() <= 7);
            seen.extend(read);
            cursor = then;
        }
        for writer in writers {
            writer.await.expect("no panic");
        }
        let ids: Vec<u64> = seen.iter().map(|note| note.id).collect();
        assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1), "{ids:?}");
        assert!(
            seen.chunks(2)
                .all(|pair| pair[0].body == pair[1].body && pair[0].topic == "x")
        );
        let (read, then) = notes(outbox.since(cursor, 7).await.expect("it answers"));
        assert_eq!((read, then), (Vec::new(), cursor));
    });
}

#[test]
fn a_reader_that_missed_something_is_told() {
    on_shared(async |server, database| {
        let store = connect(server.port(), &database).await;
        let outbox = store.outbox();
        let start = outbox.now().await.expect("it answers");
        let last = outbox
            .leave(&[("a", b"1"), ("a", b"2"), ("a", b"3")])
            .await
            .expect("it answers");
        let kept = outbox.trim(Duration::from_secs(3600)).await.expect("it answers");
        assert_eq!(kept, 0, "they are young");
        assert_eq!(outbox.trim(Duration::ZERO).await.expect("it answers"), 3);
        let end = Cursor {
            id: start.id + 3,
            ..start
        };
        assert_eq!(last, end, "it says of which history it is");
        let missed = News::Missed { then: end };
        assert_eq!(outbox.since(start, 9).await.expect("it answers"), missed);
        notes(outbox.since(end, 9).await.expect("it answers"));
        for elsewhere in [
            Cursor {
                id: last.id + 1,
                ..start
            },
            Cursor {
                timeline: start.timeline + 1,
                id: last.id,
            },
        ] {
            assert_eq!(outbox.since(elsewhere, 9).await.expect("it answers"), missed);
        }
    });
}

#[test]
fn changed_records_leave_notes_and_refused_ones_do_not() {
    on_shared(async |server, database| {
        let store = connect(server.port(), &database).await;
        let (outbox, records) = (store.outbox(), store.records());
        let start = outbox.now().await.expect("it answers");
        let committed = tokio::task::spawn_blocking(move || {
            let batch = Batch::default().put("token", *b"t", *b"1").delete("user", *b"u");
            records.commit(batch).expect("nothing expected");
            let expecting = Batch::default().expect("token", *b"t", purlin_store::Expectation::Absent);
            records
                .commit(expecting.put("token", *b"t", *b"2"))
                .expect_err("it is there");
        });
        committed.await.expect("no panic");
        let (read, _) = notes(outbox.since(start, 9).await.expect("it answers"));
        let read: Vec<_> = read
            .iter()
            .map(|note| (note.topic.as_str(), &note.body[..]))
            .collect();
        assert_eq!(read, [("token", &b"t"[..]), ("user", &b"u"[..])]);
    });
}

/// Whoever holds rows in memory learns of a commit elsewhere at once, and of what nobody holds not at all.
#[test]
fn a_commit_rings_at_other_nodes_and_a_quiet_one_does_not() {
    on_shared(async |server, database| {
        let mut listening = settings(server.port(), &database);
        listening.listen = true;
        let here = purlin_store_postgres::Postgres::connect(listening, |_| {}).await;
        let here = here.expect("the server answers");
        let (mut bell, outbox) = (here.bell(), here.outbox());
        let start = outbox.now().await.expect("it answers");
        let records = connect(server.port(), &database).await.records();
        let before = *bell.borrow_and_update();
        let committed = tokio::task::spawn_blocking(move || {
            let row = |key: &[u8]| Batch::default().put("journal", key, *b"1");
            records.commit(row(b"a").quietly()).expect("nothing expected");
            records
                .commit(Batch::default().put("token", *b"t", *b"1"))
                .expect("nothing expected");
        });
        committed.await.expect("no panic");
        tokio::time::timeout(LIMIT, bell.changed())
            .await
            .expect("the server tells of it by itself")
            .expect("the store is there");
        assert_eq!(*bell.borrow(), before + 1, "of one of the two");
        let (read, _) = notes(outbox.since(start, 9).await.expect("it answers"));
        let topics: Vec<_> = read.iter().map(|note| note.topic.as_str()).collect();
        assert_eq!(topics, ["token"]);
    });
}
