//! The one who writes: what many ask for at the same time goes to the disk at once.

use super::{BODIES, HEADS, OPEN, UNDONE, entry};
use crate::history::History;
use purlin_api::Problem;
use purlin_api::ledger::Ledger;
use purlin_store::Batch;
use tokio::sync::{mpsc, oneshot};

/// Orders that wait at most; who comes then waits for room.
const QUEUE: usize = 4096;
/// Orders of one commit.
const TOGETHER: usize = 512;
/// New entries after which old ones are looked for.
const TRIM_EVERY: u64 = 256;
/// Old entries that go at once.
const TRIM: usize = 256;

struct Order {
    batch: Batch,
    fresh: u64,
    done: Option<oneshot::Sender<Result<(), Problem>>>,
}

/// Takes orders; the last copy ends the task.
#[derive(Debug, Clone)]
pub(super) struct Scribe(mpsc::Sender<Order>);

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Order")
    }
}

impl Scribe {
    pub(super) fn start(history: &History) -> Self {
        let (orders, inbox) = mpsc::channel(QUEUE);
        tokio::spawn(work(history.clone(), inbox));
        Self(orders)
    }

    /// Returns when it is on the disk.
    pub(super) async fn write(&self, batch: Batch, fresh: u64) -> Result<(), Problem> {
        let (done, written) = oneshot::channel();
        let order = Order {
            batch,
            fresh,
            done: Some(done),
        };
        let gone = |_| Problem::not_ready("the journal is being closed");
        self.0.send(order).await.map_err(|_| gone(()))?;
        written.await.map_err(|_| gone(()))?
    }

    /// It will be on the disk soon; should it not, it is found out from the rows later.
    pub(super) async fn write_soon(&self, batch: Batch, fresh: u64) {
        let order = Order {
            batch,
            fresh,
            done: None,
        };
        // Only a closed journal takes no orders.
        let _ = self.0.send(order).await;
    }
}

async fn work(history: History, mut inbox: mpsc::Receiver<Order>) {
    let mut count = None;
    let mut since_trim = 0;
    let mut orders = Vec::new();
    while inbox.recv_many(&mut orders, TOGETHER).await > 0 {
        // Nobody keeps entries in memory.
        let mut whole = Batch::default().quietly();
        let (mut waiting, mut fresh) = (Vec::new(), 0);
        for order in orders.drain(..) {
            whole.put.extend(order.batch.put);
            whole.delete.extend(order.batch.delete);
            whole.expect.extend(order.batch.expect);
            fresh += order.fresh;
            waiting.extend(order.done);
        }
        let written = history.ledger.commit(whole).await;
        for done in waiting {
            // Whoever asked may have gone.
            let _ = done.send(written.clone());
        }
        if written.is_ok() {
            count = count.map(|count: u64| count + fresh);
            since_trim += fresh;
        }
        if count.is_none() || since_trim >= TRIM_EVERY {
            since_trim = 0;
            // What cannot be trimmed now is trimmed the next time.
            count = trim(&history, count).await.ok();
            if count.is_some_and(|count| count > history.bounds.journal_entries) {
                since_trim = TRIM_EVERY;
            }
        }
    }
}

/// Takes away what is too old or too much; says how many are left.
async fn trim(history: &History, count: Option<u64>) -> Result<u64, Problem> {
    let ledger = &history.ledger;
    let mut count = match count {
        // Others write, too.
        Some(count) if !history.shared => count,
        _ => self::count(ledger).await?,
    };
    let age = i64::try_from(history.bounds.journal_age.as_millis()).unwrap_or(i64::MAX);
    let oldest = history.clock.now().as_millisecond().saturating_sub(age);
    let rows = ledger.last(HEADS, TRIM).await?;
    let excess = usize::try_from(count.saturating_sub(history.bounds.journal_entries)).unwrap_or(TRIM);
    let gone = rows.iter().enumerate().filter(|(at, (key, _))| {
        *at < excess || entry::id_of(key).is_none_or(|id| entry::made_at(id) < oldest)
    });
    let mut batch = Batch::default().quietly();
    for (_, (key, _)) in gone {
        for table in [HEADS, BODIES, OPEN, UNDONE] {
            batch = batch.delete(table, key.clone());
        }
        count -= 1;
    }
    if !batch.delete.is_empty() {
        ledger.commit(batch).await?;
    }
    Ok(count)
}

async fn count(ledger: &Ledger) -> Result<u64, Problem> {
    const PAGE: usize = 1000;
    let (mut count, mut after) = (0, Vec::new());
    loop {
        let rows = ledger.scan(HEADS, after, PAGE).await?;
        count += rows.len() as u64;
        match rows.into_iter().nth(PAGE - 1) {
            Some((key, _)) => after = key,
            None => return Ok(count),
        }
    }
}
