//! Claims beyond their contract: many at once, and rows that are locked by writers.

use purlin_fabric::port::{ClaimKey, ClaimStore, Wish};
use purlin_store::FencedRows;

use crate::rig::{connect, enrol, node, on_shared, row, slot, take};

/// Takers of overlapping sets in different orders, and writers under them: everybody comes to an end, and nobody's write
/// is both acknowledged and under a claim that somebody else had by then.
#[test]
fn overlapping_takers_and_writers_do_not_block_each_other() {
    const NODES: u16 = 4;
    const ROUNDS: u32 = 6;
    on_shared(async |server, database| {
        let mut tasks = Vec::new();
        for n in 0..NODES {
            let store = connect(server.port(), &database).await;
            let me = node(&format!("node-{n}"), u64::from(n) + 1);
            enrol(&store, &me).await;
            tasks.push(tokio::spawn(async move {
                for round in 0..ROUNDS {
                    let view = store.view().await.expect("it answers");
                    let wishes: Vec<Wish> = (0..64)
                        .map(|i| {
                            let index = if n % 2 == 0 { i } else { 63 - i };
                            let key = ClaimKey::Slot(slot(index));
                            let seen = view.claims.iter().find(|claim| claim.key == key);
                            Wish {
                                seen: seen.map(|claim| claim.version).unwrap_or_default(),
                                by_force: true,
                                key,
                            }
                        })
                        .collect();
                    let won = store.claim(&me, &wishes).await.expect("it comes to an end");
                    let held: Vec<_> = wishes
                        .iter()
                        .zip(won)
                        .filter_map(|(wish, epoch)| match wish.key {
                            ClaimKey::Slot(slot) => Some((slot, epoch?)),
                            _ => None,
                        })
                        .collect();
                    let rows: Vec<_> = held
                        .iter()
                        .map(|(slot, _)| row(u64::from(slot.index()), *slot, round))
                        .collect();
                    // Lost or written, but never stuck.
                    if store.write("lease", &held, &rows).await.is_ok() {
                        let slots: Vec<_> = held.iter().map(|(slot, _)| *slot).collect();
                        let stored = store.load("lease", &slots, None, 100).await.expect("it answers");
                        for stored in stored {
                            let mine = held.iter().find(|(slot, _)| *slot == stored.row.slot);
                            assert!(Some(stored.epoch) >= mine.map(|(_, epoch)| *epoch));
                        }
                    }
                }
            }));
        }
        for task in tasks {
            task.await.expect("no panic");
        }
    });
}

#[test]
fn one_wish_stated_twice_is_won_once() {
    on_shared(async |server, database| {
        let store = connect(server.port(), &database).await;
        let me = node("a", 1);
        enrol(&store, &me).await;
        let wish = Wish {
            key: ClaimKey::Leader,
            seen: Default::default(),
            by_force: false,
        };
        let won = store.claim(&me, &[wish.clone(), wish]).await.expect("it answers");
        assert!(won[0].is_some() && won[1].is_none(), "{won:?}");
        take(&store, &me, &[1]).await;
    });
}
