//! A journal over shared rows, with a store that answers as it is told.

use purlin_fabric_runtime::{LoggedRow, Refused, RowLog, RowLogHandle, RowReader, Terms};
use purlin_store::{
    Copies, FenceFault, FencedRow, FencedRows, Journal, Later, Position, Rival, Standing, StoredRow, Written,
};
use purlin_types::{Epoch, Slot};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

type Taken = (String, Vec<(Slot, Epoch)>, Vec<FencedRow>);

/// Answers `Ok` unless told otherwise, each call once it is let.
#[derive(Debug)]
struct Store {
    answers: Mutex<VecDeque<FenceFault>>,
    standing: Mutex<Standing>,
    written: Mutex<Vec<Taken>>,
    lets: Semaphore,
}

impl Store {
    fn new(lets: usize) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::default(),
            standing: Mutex::new(Standing::ALONE),
            written: Mutex::default(),
            lets: Semaphore::new(lets),
        })
    }

    fn answer(&self, fault: FenceFault) {
        self.answers.lock().unwrap().push_back(fault);
    }

    fn written(&self) -> Vec<Taken> {
        self.written.lock().unwrap().clone()
    }
}

impl FencedRows for Store {
    fn write<'a>(
        &'a self,
        table: &'a str,
        held: &'a [(Slot, Epoch)],
        rows: &'a [FencedRow],
    ) -> Later<'a, Result<Written, FenceFault>> {
        Box::pin(async move {
            self.lets.acquire().await.expect("open").forget();
            match self.answers.lock().unwrap().pop_front() {
                Some(fault) => Err(fault),
                None => {
                    self.written
                        .lock()
                        .unwrap()
                        .push((table.to_owned(), held.to_vec(), rows.to_vec()));
                    let alone = self.standing.lock().unwrap().copies == Copies::None;
                    Ok(Written { alone })
                }
            }
        })
    }

    fn standing(&self) -> Later<'_, Result<Standing, FenceFault>> {
        let standing = *self.standing.lock().unwrap();
        Box::pin(async move { Ok(standing) })
    }

    fn load<'a>(
        &'a self,
        _: &'a str,
        _: &'a [Slot],
        _: Option<u64>,
        _: usize,
    ) -> Later<'a, Result<Vec<StoredRow>, FenceFault>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn page<'a>(
        &'a self,
        _: &'a str,
        _: Option<u64>,
        _: usize,
    ) -> Later<'a, Result<Vec<StoredRow>, FenceFault>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

fn slot(n: u16) -> Slot {
    Slot::new(n).expect("a slot")
}

fn epoch(counter: u64) -> Epoch {
    Epoch { timeline: 1, counter }
}

/// A frame is pairs of a slot and a version; the key is the slot's.
fn reader() -> RowReader {
    Arc::new(|frame, out| {
        out.extend(frame.chunks(2).map(|pair| LoggedRow {
            table: "lease",
            row: FencedRow {
                key: pair[0].into(),
                slot: slot(pair[0].into()),
                version: pair[1].into(),
                unique: Some(vec![pair[0]]),
                body: pair.to_vec(),
            },
        }));
    })
}

struct Desk {
    store: Arc<Store>,
    terms: Terms,
    log: RowLog,
    handle: RowLogHandle,
}

impl Desk {
    fn new(lets: usize) -> Self {
        let (store, terms) = (Store::new(lets), Terms::default());
        for n in 1..=9 {
            terms.set(slot(n), Some(epoch(7)));
        }
        let rows = Arc::clone(&store) as Arc<dyn FencedRows>;
        let runtime = tokio::runtime::Handle::current();
        let (log, handle) = RowLog::open(&runtime, rows, reader(), terms.clone(), Arc::new(|| ()));
        Self {
            store,
            terms,
            log,
            handle,
        }
    }

    /// Until the store has said that it has no copy.
    async fn log_is_alone(&self) {
        while self.handle.copied().behind.is_some() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    fn defer(&mut self, frame: &[u8]) -> Position {
        self.log.defer(frame).expect("there is room")
    }
}

#[tokio::test(start_paused = true)]
async fn frames_that_gather_while_the_store_is_busy_are_one_transaction() {
    let mut desk = Desk::new(0);
    desk.defer(&[1, 1]);
    tokio::task::yield_now().await;
    desk.defer(&[2, 1, 1, 2]);
    desk.defer(&[1, 3]);
    assert_eq!(desk.log.durable(), Position(0));
    desk.store.lets.add_permits(2);
    desk.handle.flushed().await;
    assert_eq!(desk.log.durable(), Position(3));
    let written = desk.store.written();
    assert_eq!(written.len(), 2);
    // The newest statement about each key, each slot's claim once.
    let (_, held, rows) = &written[1];
    assert_eq!(held[..], [(slot(1), epoch(7)), (slot(2), epoch(7))]);
    assert_eq!(
        rows.iter().map(|row| (row.key, row.version)).collect::<Vec<_>>(),
        [(1, 3), (2, 1)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_slot_sets_its_frames_back_and_no_others() {
    let mut desk = Desk::new(0);
    desk.defer(&[9, 1]);
    tokio::task::yield_now().await;
    let both = desk.defer(&[1, 1, 2, 1]);
    desk.defer(&[2, 2]);
    desk.store.lets.add_permits(1);
    tokio::task::yield_now().await;
    desk.store.answer(FenceFault::Lost(vec![slot(1)]));
    desk.store.lets.add_permits(2);
    desk.handle.flushed().await;
    let setbacks = desk.handle.setbacks();
    assert_eq!(setbacks.len(), 1);
    assert_eq!(setbacks[0].position, both);
    assert_eq!(
        setbacks[0].why,
        Refused::Lost {
            slot: slot(1),
            epoch: Some(epoch(7))
        }
    );
    assert_eq!(
        desk.store.written().last().map(|(_, _, rows)| rows.len()),
        Some(1)
    );
    assert!(desk.handle.setbacks().is_empty(), "each is told once");
}

#[tokio::test(start_paused = true)]
async fn a_row_decided_under_a_former_term_is_never_fenced_by_the_new_one() {
    let mut desk = Desk::new(0);
    desk.defer(&[9, 1]);
    tokio::task::yield_now().await;
    let former = desk.defer(&[1, 5]);
    desk.terms.set(slot(1), None);
    let between = desk.defer(&[1, 6]);
    desk.terms.set(slot(1), Some(epoch(8)));
    desk.defer(&[1, 1]);
    desk.store.lets.add_permits(9);
    desk.handle.flushed().await;
    let mut back: Vec<Position> = desk
        .handle
        .setbacks()
        .iter()
        .map(|setback| setback.position)
        .collect();
    back.sort_unstable();
    assert_eq!(back, [former, between]);
    let (_, held, rows) = desk.store.written().pop().expect("the last one was written");
    assert_eq!(
        (held, rows.len(), rows[0].version),
        (vec![(slot(1), epoch(8))], 1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_anothers_is_named_and_left_out() {
    let mut desk = Desk::new(9);
    desk.store
        .answer(FenceFault::Taken(vec![Rival { key: 1, by: 77 }]));
    let position = desk.defer(&[1, 1]);
    desk.handle.flushed().await;
    let setbacks = desk.handle.setbacks();
    assert_eq!((setbacks[0].position, setbacks[0].key), (position, 1));
    assert_eq!(
        setbacks[0].why,
        Refused::Taken {
            by: 77,
            unique: vec![1],
            slot: slot(1),
            epoch: epoch(7),
        }
    );
    // Until what follows from it is recorded, the slot cannot be given back in order.
    let named = |desk: &Desk, epoch| desk.handle.refused(&[(slot(1), epoch), (slot(2), epoch)]);
    assert_eq!(named(&desk, Some(epoch(7))), [slot(1)]);
    assert_eq!(named(&desk, None), [slot(1)]);
    assert_eq!(named(&desk, Some(epoch(8))), []);
    desk.handle.made_good(slot(1), epoch(7));
    assert_eq!(named(&desk, None), []);
}

/// Whoever takes these slots next does not know all that was promised.
#[tokio::test(start_paused = true)]
async fn slots_of_which_a_row_was_refused_for_its_fence_are_named() {
    let mut desk = Desk::new(9);
    desk.store.answer(FenceFault::Lost(vec![slot(1)]));
    desk.defer(&[1, 1, 5, 1]);
    desk.handle.flushed().await;
    *desk.store.standing.lock().unwrap() = Standing {
        timeline: 2,
        written: 50,
        copies: Copies::None,
    };
    desk.store.answer(FenceFault::Former(vec![slot(2)]));
    desk.store
        .answer(FenceFault::Taken(vec![Rival { key: 3, by: 77 }]));
    desk.defer(&[2, 1, 3, 1, 4, 1]);
    desk.handle.flushed().await;
    let of = |terms: &[(u16, Option<u64>)]| {
        let terms = terms.iter().map(|&(n, counter)| (slot(n), counter.map(epoch)));
        desk.handle.refused(&terms.collect::<Vec<_>>())
    };
    let all: Vec<_> = (1..=5).map(|n| (n, Some(7))).collect();
    assert_eq!(of(&all), [slot(1), slot(2), slot(3)]);
    // The third was its client's own doing, once what follows from it is recorded.
    desk.handle.made_good(slot(3), epoch(7));
    assert_eq!(of(&all), [slot(1), slot(2)]);
    assert_eq!(of(&[(1, Some(6)), (2, None)]), [slot(1), slot(2)], "or before");
    assert_eq!(
        of(&[(1, Some(8)), (4, None)]),
        [],
        "a later term has lost nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn a_row_that_nobody_could_decide_is_refused_without_asking_the_store() {
    let mut desk = Desk::new(9);
    desk.terms.set(slot(1), None);
    let position = desk.defer(&[1, 1]);
    desk.handle.flushed().await;
    let setbacks = desk.handle.setbacks();
    assert_eq!((setbacks.len(), setbacks[0].position), (1, position));
    assert!(desk.store.written().is_empty());
}

/// Claims of a former history are relied on while a copy confirms every commit; one that is away for a moment ends nothing.
#[tokio::test(start_paused = true)]
async fn rows_wait_while_claims_of_a_history_that_goes_on_are_not_relied_on() {
    let mut desk = Desk::new(9);
    for _ in 0..3 {
        desk.store.answer(FenceFault::Former(vec![slot(1)]));
    }
    let position = desk.defer(&[1, 1]);
    desk.handle.flushed().await;
    assert_eq!(desk.log.durable(), position);
    assert_eq!(desk.handle.setbacks(), []);
    assert_eq!(desk.store.written().len(), 1);
}

/// Clients of the neighbours wait for the same transaction: one attempt tells all that has to stay out.
#[tokio::test(start_paused = true)]
async fn refused_rows_cost_their_neighbours_one_attempt_and_not_one_each() {
    let mut desk = Desk::new(0);
    let rivals = [1, 2, 3].map(|key| Rival { key, by: 70 + key });
    desk.store.answer(FenceFault::Taken(rivals.to_vec()));
    let positions = [1, 2, 3, 4].map(|n| desk.defer(&[n, 1]));
    desk.store.lets.add_permits(2);
    desk.handle.flushed().await;
    assert_eq!(desk.log.durable(), positions[3]);
    let back: Vec<_> = desk.handle.setbacks().iter().map(|one| one.position).collect();
    assert_eq!(back, positions[..3]);
    let (_, _, rows) = desk.store.written().pop().expect("the neighbour was written");
    assert_eq!(rows.iter().map(|row| row.key).collect::<Vec<_>>(), [4]);
}

/// The store has failed over and may have lost rows: nothing of the old term is written any more, and whoever sees that
/// sees that the history is another one.
#[tokio::test(start_paused = true)]
async fn a_history_that_has_ended_sets_its_frames_back_and_is_known_by_then() {
    let mut desk = Desk::new(9);
    desk.handle.flushed().await;
    *desk.store.standing.lock().unwrap() = Standing {
        timeline: 2,
        written: 50,
        copies: Copies::None,
    };
    desk.store.answer(FenceFault::Former(vec![slot(1)]));
    let position = desk.defer(&[1, 1, 2, 1]);
    desk.handle.flushed().await;
    assert_eq!(desk.handle.copied().timeline, 2);
    let setbacks = desk.handle.setbacks();
    assert_eq!((setbacks.len(), setbacks[0].position), (1, position));
    let why = Refused::Former {
        slot: slot(1),
        epoch: epoch(7),
    };
    assert_eq!(setbacks[0].why, why);
    let (_, held, _) = desk.store.written().pop().expect("the rest was written");
    assert_eq!(held, [(slot(2), epoch(7))]);
}

#[tokio::test(start_paused = true)]
async fn a_frame_is_copied_when_the_standby_has_passed_it() {
    let mut desk = Desk::new(9);
    let at = |written, upto| Standing {
        timeline: 1,
        written,
        copies: Copies::Behind { upto, follows: true },
    };
    *desk.store.standing.lock().unwrap() = at(100, 90);
    let position = desk.defer(&[1, 1]);
    desk.handle.flushed().await;
    let asked_again = std::time::Duration::from_secs(1);
    tokio::time::sleep(asked_again).await;
    let copied = desk.handle.copied();
    assert_eq!((copied.position, copied.behind), (0, Some(true)));
    *desk.store.standing.lock().unwrap() = at(120, 100);
    tokio::time::sleep(asked_again).await;
    assert_eq!(desk.handle.copied().position, position.0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_store_is_asked_until_it_answers() {
    let mut desk = Desk::new(9);
    for _ in 0..5 {
        desk.store.answer(FenceFault::Unknown("no route".into()));
    }
    desk.defer(&[1, 1]);
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    assert_eq!(
        desk.handle.trouble().as_deref(),
        Some("the store did not answer: no route")
    );
    desk.handle.flushed().await;
    assert_eq!((desk.log.durable(), desk.handle.trouble()), (Position(1), None));
    assert!(desk.handle.setbacks().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_closed_log_still_brings_what_it_took() {
    let mut desk = Desk::new(0);
    desk.defer(&[1, 1]);
    drop(desk.log);
    desk.store.lets.add_permits(1);
    desk.handle.flushed().await;
    assert_eq!(desk.store.written().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_appears_is_known_before_what_it_may_lack_is_durable() {
    let mut desk = Desk::new(9);
    desk.defer(&[1, 1]);
    desk.handle.flushed().await;
    desk.log_is_alone().await;
    desk.defer(&[1, 2]);
    desk.handle.flushed().await;
    let copied = desk.handle.copied();
    assert_eq!((copied.behind, copied.position), (None, 2));
    // Long before the store is asked again.
    *desk.store.standing.lock().unwrap() = Standing {
        timeline: 1,
        written: 100,
        copies: Copies::Behind {
            upto: 90,
            follows: true,
        },
    };
    desk.defer(&[1, 3]);
    desk.handle.flushed().await;
    let copied = desk.handle.copied();
    assert_eq!((copied.behind, copied.position), (Some(true), 2));
}
