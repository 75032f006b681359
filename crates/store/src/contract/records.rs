//! What every engine for records must do.

use std::sync::Arc;

use crate::{Batch, Expectation, RecordError, Records};

/// Opens the storage of one check.
type Open<'a> = &'a dyn Fn() -> Arc<dyn Records>;

/// Runs every check, each on storage of its own; `make` opens it, called again it opens the same anew.
///
/// # Panics
/// When the engine breaks its contract.
pub fn all<O: Fn() -> Arc<dyn Records>>(make: impl Fn() -> O) {
    let checks: [fn(Open<'_>); 6] = [
        a_commit_is_there_after_reopening,
        a_conflict_changes_nothing,
        the_last_of_many_writers_of_one_batch_wins_alone,
        rows_are_scanned_in_key_order_page_by_page,
        the_newest_rows_come_first,
        tables_are_apart,
    ];
    for check in checks {
        check(&make());
    }
}

fn key(n: u32) -> [u8; 4] {
    n.to_be_bytes()
}

fn fill(records: &dyn Records, table: &str, numbers: impl IntoIterator<Item = u32>) {
    let batch = numbers.into_iter().fold(Batch::default(), |batch, n| {
        batch.put(table, key(n), n.to_string())
    });
    records.commit(batch).expect("the disk works");
}

fn a_commit_is_there_after_reopening(open: Open<'_>) {
    let records = open();
    assert_eq!(records.get("revisions", b"1").expect("readable"), None);
    records
        .commit(
            Batch::default()
                .put("revisions", *b"1", *b"first")
                .put("revisions", *b"2", *b""),
        )
        .expect("works");
    records
        .commit(Batch::default())
        .expect("an empty batch is none the worse");
    drop(records);
    let records = open();
    assert_eq!(
        records.get("revisions", b"1").expect("readable").as_deref(),
        Some(&b"first"[..])
    );
    assert_eq!(
        records.get("revisions", b"2").expect("readable").as_deref(),
        Some(&b""[..])
    );
    records
        .commit(
            Batch::default()
                .delete("revisions", *b"1")
                .delete("revisions", *b"9"),
        )
        .expect("works");
    drop(records);
    assert_eq!(open().get("revisions", b"1").expect("readable"), None);
}

fn a_conflict_changes_nothing(open: Open<'_>) {
    let records = open();
    records
        .commit(Batch::default().put("t", *b"a", *b"1").put("t", *b"b", *b"1"))
        .expect("works");
    let wrong = [
        ("a", Expectation::Absent),
        ("a", Expectation::Value(b"2".to_vec())),
        ("c", Expectation::Value(b"1".to_vec())),
    ];
    for (key, expectation) in wrong {
        let batch = Batch::default()
            .expect("t", *b"b", Expectation::Value(b"1".to_vec()))
            .expect("t", key, expectation)
            .put("t", *b"b", *b"changed")
            .put("u", *b"new", *b"row")
            .delete("t", *b"a");
        match records.commit(batch) {
            Err(RecordError::Conflict { table, key: found }) => {
                assert_eq!((table.as_str(), &found[..]), ("t", key.as_bytes()));
            }
            other => panic!("not refused: {other:?}"),
        }
    }
    let whole = records.scan("t", b"", 10).expect("readable");
    assert_eq!(
        whole,
        [(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), b"1".to_vec())]
    );
    assert_eq!(records.scan("u", b"", 10).expect("readable"), []);
    let right = Batch::default()
        .expect("t", *b"a", Expectation::Value(b"1".to_vec()))
        .expect("t", *b"c", Expectation::Absent)
        .put("t", *b"c", *b"3");
    records.commit(right).expect("all holds");
    assert_eq!(
        records.get("t", b"c").expect("readable").as_deref(),
        Some(&b"3"[..])
    );
}

/// Many threads count one number up with compare-and-set; no step may be lost.
fn the_last_of_many_writers_of_one_batch_wins_alone(open: Open<'_>) {
    const STEPS: u32 = 8;
    let records = open();
    fill(records.as_ref(), "n", [0]);
    let count = |records: &dyn Records| -> u32 {
        let value = records.get("n", &key(0)).expect("readable").expect("there");
        str::from_utf8(&value).expect("digits").parse().expect("digits")
    };
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut done = 0;
                while done < STEPS {
                    let old = count(records.as_ref());
                    let batch = Batch::default()
                        .expect("n", key(0), Expectation::Value(old.to_string().into()))
                        .put("n", key(0), (old + 1).to_string());
                    match records.commit(batch) {
                        Ok(()) => done += 1,
                        Err(RecordError::Conflict { .. }) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
            });
        }
    });
    assert_eq!(count(records.as_ref()), 3 * STEPS);
}

fn rows_are_scanned_in_key_order_page_by_page(open: Open<'_>) {
    let records = open();
    fill(records.as_ref(), "t", (0..100).rev());
    let (mut after, mut seen) = (Vec::new(), Vec::new());
    loop {
        let page = records.scan("t", &after, 7).expect("readable");
        assert!(page.len() <= 7);
        let Some((last, _)) = page.last() else { break };
        after.clone_from(last);
        seen.extend(page);
    }
    let expected: Vec<_> = (0..100)
        .map(|n| (key(n).to_vec(), n.to_string().into_bytes()))
        .collect();
    assert_eq!(seen, expected);
    assert_eq!(records.scan("t", b"", 0).expect("readable"), []);
}

fn the_newest_rows_come_first(open: Open<'_>) {
    let records = open();
    fill(records.as_ref(), "t", 0..50);
    let newest: Vec<_> = records
        .last("t", 3)
        .expect("readable")
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!(newest, [key(49), key(48), key(47)]);
    assert_eq!(records.last("none", 3).expect("readable"), []);
}

fn tables_are_apart(open: Open<'_>) {
    let records = open();
    fill(records.as_ref(), "a", [1]);
    fill(records.as_ref(), "b", [2]);
    assert_eq!(records.get("a", &key(2)).expect("readable"), None);
    records
        .commit(Batch::default().delete("a", key(1)).put("b", key(3), *b"x"))
        .expect("works");
    assert_eq!(records.scan("a", b"", 9).expect("readable"), []);
    assert_eq!(records.scan("b", b"", 9).expect("readable").len(), 2);
}
