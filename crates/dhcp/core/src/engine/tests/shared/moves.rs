//! A client that turns to another address, or seems to: whichever of its requests is late, what it was promised stays its
//! own until it ends. Each test fails when its rule is taken out.

use super::super::conversation::{Ask, settings};
use super::world::{NODES, World};
use crate::rows::{rows_of, stored_lease};
use crate::view::LeaseState;
use purlin_dhcp_proto::MessageType;
use purlin_types::Slot;
use std::net::Ipv4Addr;

const HERE: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 0);
const THERE: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 64);
/// Lease and client lead time, in seconds.
const LEASE: u64 = 3600;
const LEAD: u64 = 600;

/// An address of each of two nodes, and these nodes.
fn two() -> (World, usize, usize) {
    let world = World::settled(&settings(&["10.0.1.0", "10.0.1.64"]));
    let holder = |address| world.holder_of(address).expect("held");
    let (here, there) = (holder(HERE), holder(THERE));
    assert_ne!(here, there);
    (world, here, there)
}

/// The same over a store with a standby that has nothing of what comes.
fn two_over_a_standby() -> (World, usize, usize) {
    let (mut world, here, there) = two();
    world.standby = true;
    world.replicate();
    (world, here, there)
}

fn renew(n: u8, address: Ipv4Addr) -> Ask {
    Ask::new(MessageType::Request, n).ciaddr(address)
}

/// Whether the client's renewal is answered with an ACK, once everything is written.
fn renews(world: &mut World, at: usize, n: u8, address: Ipv4Addr) -> bool {
    world.delivered.clear();
    let answer = world.send(at, &renew(n, address), 0);
    assert_ne!(answer.expect("it arrives").kind(), MessageType::Nak);
    (0..NODES).for_each(|i| world.flush(i));
    let mut acks = world.delivered.iter();
    acks.any(|(to, _, answer)| *to == n && answer.kind() == MessageType::Ack)
}

fn bound(world: &World) -> Vec<Ipv4Addr> {
    let now = world.now(0);
    let leases = world.store.leases();
    leases
        .filter_map(|body| stored_lease(&world.plan, &now, body))
        .filter(|lease| lease.state == LeaseState::Bound)
        .map(|lease| lease.address)
        .collect()
}

#[test]
fn a_late_choice_of_another_nodes_address_frees_none_that_its_client_uses() {
    let (mut world, here, there) = two();
    assert_eq!(world.select(there, 1, THERE), Some(THERE));
    world.pass(10);
    // It has lain somewhere since before the client got its address.
    assert_eq!(world.select(here, 1, HERE), None, "another row is in the way");
    assert_eq!(world.reason(there), "vacated");
    assert_eq!(world.select(there, 2, THERE), None, "it was promised");
    assert!(renews(&mut world, there, 1, THERE));
    assert_eq!(world.select(there, 2, THERE), None);
}

#[test]
fn an_address_that_its_client_left_is_free_when_its_promise_has_ended() {
    let (mut world, here, there) = two();
    assert_eq!(world.select(there, 1, THERE), Some(THERE));
    world.pass(10);
    assert_eq!(world.select(here, 1, HERE), None);
    assert_eq!(world.select(here, 1, HERE), Some(HERE));
    world.pass(LEASE + LEAD);
    assert_eq!(world.select(there, 2, THERE), Some(THERE));
}

#[test]
fn a_late_choice_within_a_node_frees_none_that_its_client_uses() {
    let mut world = World::new(&settings(&["10.0.1.0-10.0.1.9"]));
    assert!(world.take(0, Slot::of_address(HERE)));
    let other = Ipv4Addr::new(10, 0, 1, 5);
    assert_eq!(world.select(0, 1, HERE), Some(HERE));
    assert_eq!(world.select(0, 1, other), Some(other));
    assert_eq!(bound(&world), [other], "one lease for one client");
    assert_eq!(world.select(0, 2, HERE), None);
    world.hand_over(Slot::of_address(HERE), 1);
    assert_eq!(world.select(1, 2, HERE), None, "the row says so");
    assert!(renews(&mut world, 1, 1, HERE));
}

/// What a former owner may have promised goes as far as the bound in its row, and a refusal does not shorten it.
#[test]
fn a_refused_row_of_an_inherited_lease_rests_as_long_as_the_former_owner_may_have_promised() {
    let (mut world, here, there) = two();
    assert_eq!(world.select(there, 1, THERE), Some(THERE));
    let bodies: Vec<u8> = world.store.leases().flatten().copied().collect();
    let plan = std::sync::Arc::clone(&world.plan);
    let unique = rows_of(&plan, &bodies).find_map(|row| row.unique);
    let unique = unique.expect("it is bound");
    world.crash(there);
    world.pass(16);
    assert!(world.take(here, Slot::of_address(THERE)));
    let (now, mut records) = (world.now(here), Vec::new());
    let engine = &mut world.nodes[here].engine;
    assert!(engine.unwritten(&now, THERE, &unique, &mut records).is_some());
    // One and a half leases from its binding, and the lead time.
    world.pass(LEASE + LEAD + 1);
    assert_eq!(world.select(here, 2, THERE), None);
    world.pass(LEASE / 2);
    assert_eq!(world.select(here, 2, THERE), Some(THERE));
}

/// A failover lost a row; its client turned elsewhere before its node said it again. The later choice stays.
#[test]
fn a_row_said_again_beside_a_later_choice_ends_and_the_choice_stays() {
    let (mut world, here, there) = two_over_a_standby();
    assert_eq!(world.select(here, 1, HERE), Some(HERE));
    world.fail_over();
    world.time += 8;
    world.renew(there);
    assert_eq!(world.select(there, 1, THERE), Some(THERE));
    world.renew(here);
    world.flush(here);
    assert_eq!(world.reason(here), "unwritten");
    assert_eq!(bound(&world), [THERE]);
    world.step(there, &renew(1, THERE), 0, 0);
    assert_eq!(world.reason(there), "renewed", "it is bound still");
    assert_eq!(world.select(here, 2, HERE), None, "the client may be back");
}

/// A failover brought the row of a former address back, whose node is gone. The later promise is kept, and what is
/// in its way yields as soon as its client is heard.
#[test]
fn a_row_said_again_beside_one_from_before_keeps_its_promise_and_the_other_yields() {
    let (mut world, here, there) = two_over_a_standby();
    assert_eq!(world.select(there, 1, THERE), Some(THERE));
    world.replicate();
    world.time += 8;
    assert_eq!(world.select(here, 1, HERE), None);
    assert_eq!(world.select(here, 1, HERE), Some(HERE));
    world.crash(there);
    world.fail_over();
    world.time += 1;
    world.renew(here);
    world.flush(here);
    assert_eq!(bound(&world), [THERE], "as it was before");
    assert_eq!(world.select(here, 2, HERE), None, "it is promised");
    world.pass(16);
    let third = NODES - here - there;
    assert!(world.take(third, Slot::of_address(THERE)));
    assert!(!renews(&mut world, here, 1, HERE), "the other row is in the way");
    assert!(renews(&mut world, here, 1, HERE));
    assert_eq!(bound(&world), [HERE]);
    assert_eq!(world.select(third, 3, THERE), None, "until its promise has ended");
}
