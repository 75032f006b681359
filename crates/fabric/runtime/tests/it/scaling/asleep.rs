//! A machine that falls asleep between the record of an action and the action.

use super::*;
use purlin_store::{RecordError, Row};

const NIGHT: Duration = Duration::from_secs(600);

/// Records whose first action is followed by a long sleep.
#[derive(Debug)]
struct Tiring {
    rows: MemoryRecords,
    slept: Arc<AtomicU64>,
}

impl Records for Tiring {
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, RecordError> {
        self.rows.get(table, key)
    }

    fn scan(&self, table: &str, after: &[u8], limit: usize) -> Result<Vec<Row>, RecordError> {
        self.rows.scan(table, after, limit)
    }

    fn commit(&self, batch: Batch) -> Result<(), RecordError> {
        self.rows.commit(batch)?;
        if !self.rows.last("scaling.action", 1)?.is_empty() {
            self.slept.store(NIGHT.as_millis() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    fn last(&self, table: &str, limit: usize) -> Result<Vec<Row>, RecordError> {
        self.rows.last(table, limit)
    }
}

#[tokio::test(start_paused = true)]
async fn who_slept_longer_than_its_lease_does_not_carry_out_what_it_had_decided() {
    let mut world = World::new(Orders::default());
    world.records = Arc::new(Tiring {
        rows: MemoryRecords::default(),
        slept: Arc::clone(&world.slept),
    });
    let a = world.start("a", 1, world.policy());
    a.busy(95);
    minutes(2).await;
    let actions = a.actions().await;
    let first = actions.last().expect("it decided");
    assert_eq!(
        (first.number, first.state, first.output.as_str()),
        (
            1,
            ActionState::Failed,
            "the right to lead ended meanwhile: not begun"
        )
    );
    assert!(
        world
            .driver
            .given
            .lock()
            .unwrap()
            .iter()
            .all(|order| order.number > 1)
    );
}
