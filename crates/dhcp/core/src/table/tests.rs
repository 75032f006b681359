//! Finding and walking.

use super::*;

fn client(n: &[u8; 6]) -> Identity<'_> {
    Identity {
        htype: 1,
        chaddr: n,
        client_id: None,
    }
}

fn bind(table: &mut Table, address: u32, who: &Identity<'_>) -> Slot {
    let slot = table.slot_or_new(address);
    let hash = table.key_of(who);
    table.assign(slot, hash, who);
    table.update(slot, |l| {
        l.state = LeaseState::Bound;
        l.expires = 100;
    });
    slot
}

#[test]
fn a_client_is_found_where_it_was_last_assigned() {
    let mut table = Table::new(1);
    let mac = [2, 0, 0, 0, 0, 1];
    bind(&mut table, 1000, &client(&mac));
    let second = bind(&mut table, 5000, &client(&mac));
    assert_eq!(
        table.find(table.key_of(&client(&mac)), &client(&mac)),
        Some(second)
    );
    table.forget(second);
    assert_eq!(table.find(table.key_of(&client(&mac)), &client(&mac)), None);
}

#[test]
fn the_next_free_address_skips_what_is_taken() {
    let mut table = Table::new(1);
    for address in 64..200 {
        let mac = [2, 0, 0, 0, 1, address as u8];
        bind(&mut table, address, &client(&mac));
    }
    assert_eq!(table.next_unoccupied(64, 1000), Some(200));
    assert_eq!(table.next_unoccupied(60, 1000), Some(60));
    assert_eq!(table.next_unoccupied(64, 199), None);
    assert_eq!(table.next_unoccupied(300, 1000), Some(300));
}

#[test]
fn listing_is_in_address_order_from_any_address() {
    let mut table = Table::new(1);
    for address in [9000u32, 70, 3, 500, 71] {
        let mac = [2, 0, 0, 0, (address >> 8) as u8, address as u8];
        bind(&mut table, address, &client(&mac));
    }
    let seen: Vec<u32> = table.occupied_from(70).map(|s| table.address(s)).collect();
    assert_eq!(seen, [70, 71, 500, 9000]);
}

#[test]
fn only_blocks_with_something_due_are_swept() {
    let mut table = Table::new(1);
    bind(&mut table, 64, &client(&[2, 0, 0, 0, 0, 1]));
    let late = bind(&mut table, 128, &client(&[2, 0, 0, 0, 0, 2]));
    table.update(late, |l| l.expires = 900);
    table.rebound(1, |l| l.expires);
    let (due, more) = table.due(100, 0, 10);
    assert_eq!((due.as_slice(), more), (&[0u32][..], None));
}

#[test]
fn a_slot_of_the_fabric_is_forgotten_whole_and_nothing_else() {
    let mut table = Table::new(1);
    let lease = |n: u32| [2, 0, 0, (n >> 16) as u8, (n >> 8) as u8, n as u8];
    // Every other block of a /12, so that some slots have several blocks and some have none.
    let addresses: Vec<u32> = (0..8192).map(|n| n * 2 * BLOCK + n % BLOCK).collect();
    for &address in &addresses {
        bind(&mut table, address, &client(&lease(address)));
    }
    let of = |address: u32| FabricSlot::of_block(address / BLOCK);
    let chosen = of(addresses[100]);
    let theirs: Vec<u32> = addresses.iter().copied().filter(|&a| of(a) == chosen).collect();
    assert!(theirs.len() > 1, "{theirs:?}");
    let seen =
        |table: &Table| -> Vec<u32> { table.remembered_in(chosen).map(|s| table.address(s)).collect() };
    assert_eq!(seen(&table), theirs);

    let gone: Vec<u32> = table
        .forget_slot(chosen)
        .into_iter()
        .map(|(address, _)| address)
        .collect();
    assert_eq!(gone, theirs);
    assert!(seen(&table).is_empty() && table.forget_slot(chosen).is_empty());
    assert_eq!(table.occupied_from(0).count(), addresses.len() - theirs.len());
    assert!(theirs.iter().all(|&address| table.slot(address).is_none()));

    // The room is used again, and found by its slot again.
    bind(&mut table, theirs[0], &client(&lease(7)));
    assert_eq!(seen(&table), theirs[..1]);
}
