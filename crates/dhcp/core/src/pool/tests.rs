//! The order in which addresses are taken, and the window.

use super::*;
use crate::lease::Identity;

fn bind(table: &mut Table, address: u32) {
    let mac = [2, 0, 0, 0, (address >> 8) as u8, address as u8];
    let who = Identity {
        htype: 1,
        chaddr: &mac,
        client_id: None,
    };
    let slot = table.slot_or_new(address);
    let key = table.key_of(&who);
    table.assign(slot, key, &who);
    table.update(slot, |l| l.state = LeaseState::Bound);
}

#[test]
fn fresh_addresses_come_in_order_and_end() {
    let mut table = Table::new(1);
    let mut pool = Pool::new(0, 0, 10, 12, 0);
    for expected in [Some(10), Some(11), Some(12), None] {
        let got = pool.take_fresh(&mut table, 0, 600, |_| false);
        assert_eq!(got, expected);
        if let Some(address) = got {
            bind(&mut table, address);
        }
    }
}

#[test]
fn the_longest_ended_lease_is_reused_first() {
    let mut table = Table::new(1);
    let mut pool = Pool::new(0, 0, 10, 12, 0);
    for address in [12, 10, 11] {
        bind(&mut table, address);
        let slot = table.slot(address).unwrap();
        table.update(slot, |l| l.state = LeaseState::Expired);
        pool.put_ended(&mut table, address);
    }
    assert_eq!(pool.take_ended(&mut table, 0, 600, |a| a == 12), Some(10));
    assert_eq!(pool.take_ended(&mut table, 0, 600, |_| false), Some(11));
    assert_eq!(pool.take_ended(&mut table, 0, 600, |_| false), Some(12));
    assert_eq!(pool.take_ended(&mut table, 0, 600, |_| false), None);
}

#[test]
fn a_window_keeps_unrecorded_addresses_untouched_after_an_unclean_start() {
    let mut table = Table::new(1);
    let mut pool = Pool::new(0, 0, 100, 200, 0);
    pool.restore_window(100, 150);
    pool.window.quarantine_until = 1000;
    assert_eq!(pool.take_fresh(&mut table, 10, 600, |_| false), Some(150));
    assert!(pool.quarantined(120, 10));
    assert_eq!(pool.take_fresh(&mut table, 1000, 600, |_| false), Some(100));
}

#[test]
fn lead_mode_waits_until_the_window_itself_is_durable() {
    let mut pool = Pool::new(0, 0, 100, 100_000, 0);
    assert_eq!(pool.extend_window(WallTime(50)), Some((100, 100 + WINDOW)));
    assert!(!pool.leads(100, WallTime(50)));
    assert!(pool.leads(100, WallTime(51)));
    assert!(!pool.leads(100 + WINDOW, WallTime(51)));
    assert_eq!(pool.extend_window(WallTime(51)), None);
}
