//! The order of blocks, and windows.

use super::*;
use crate::lease::Identity;
use std::collections::BTreeSet;

fn client(n: u8) -> u64 {
    hash_of(&Identity {
        htype: 1,
        chaddr: &[2, 0, 0, 0, 0, n],
        client_id: None,
    })
}

fn picks(order: &Order, home: u64, xid: u32) -> Vec<Pick> {
    (0..).map_while(|nth| order.pick(home, xid, nth)).collect()
}

#[test]
fn every_block_of_a_small_network_is_tried_once() {
    let mut order = Order::default();
    order.add(true, 100, 103);
    order.add(true, 103, 105);
    order.add(false, 7, 8);
    let all = picks(&order, client(1), 9);
    let blocks: BTreeSet<u32> = all.iter().map(|pick| pick.block).collect();
    assert_eq!((all.len(), blocks.len()), (8, 8));
    assert!(all[..6].iter().all(|pick| pick.near) && !all[6].near);
}

#[test]
fn a_client_has_one_home_and_looks_elsewhere_each_time_it_asks_anew() {
    let mut order = Order::default();
    order.add(true, 0, 9_999);
    order.add(false, 20_000, 29_999);
    let (once, again) = (picks(&order, client(1), 1), picks(&order, client(1), 2));
    assert_eq!((once.len(), &once[..8]), (16, &again[..8]));
    assert_ne!(once[8..12], again[8..12]);
    assert!(once[12..].iter().all(|pick| !pick.near));
}

#[test]
fn homes_are_spread_evenly() {
    let mut order = Order::default();
    order.add(true, 0, 7);
    let mut counts = [0; 8];
    for n in 0..=255 {
        counts[picks(&order, client(n), 0)[0].block as usize] += 1;
    }
    assert!(counts.iter().all(|n| (16..=52).contains(n)), "{counts:?}");
}

#[test]
fn a_network_without_pools_has_no_blocks_to_try() {
    assert_eq!(Order::default().pick(7, 7, 0), None);
}

#[test]
fn a_window_leads_once_it_is_durable_and_is_doubted_by_who_takes_over() {
    let slot = Slot::of_block(1);
    let mut share = Share::default();
    share.take(slot, Term::new(Epoch::default(), 0, WallTime(0)));
    assert!(!share.leads(64, WallTime(u64::MAX)));
    assert_eq!(share.open_window(70, WallTime(50)), Some((64, 128)));
    assert_eq!(share.open_window(71, WallTime(51)), None);
    assert!(!share.leads(64, WallTime(50)) && share.leads(64, WallTime(51)));
    assert_eq!(share.quarantine(64, 0), 0, "what this node gave out it knows");

    let mut term = Term::new(Epoch::default(), 1000, WallTime(0));
    term.inherit_window(1);
    share.take(slot, term);
    assert_eq!((share.quarantine(64, 400), share.quarantine(64, 1000)), (600, 0));
    assert_eq!(share.quarantine(128, 400), 0, "of another slot");
    share.distrust(slot, 2000);
    assert_eq!(share.quarantine(64, 1000), 1000);
    assert!(share.give_up(slot) && !share.give_up(slot));
    assert_eq!(share.quarantine(64, 0), 0);
}
