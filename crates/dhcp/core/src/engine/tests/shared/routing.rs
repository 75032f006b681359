//! Which node decides, and how a packet gets there.

use super::super::conversation::{Ask, SERVER, network, reserve, settings};
use super::world::{NODES, World};
use crate::step::Verdict;
use purlin_dhcp_proto::MessageType;
use purlin_types::Slot;
use std::net::Ipv4Addr;

const POOLS: [&str; 4] = [
    "10.0.1.0-10.0.1.9",
    "10.0.1.64-10.0.1.73",
    "10.0.1.128-10.0.1.137",
    "10.0.1.192-10.0.1.201",
];

fn at(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 1, last)
}

/// Some node that does not hold the address's slot.
fn stranger_to(world: &World, address: Ipv4Addr) -> usize {
    let holder = world.holder_of(address).expect("all slots are held");
    (holder + 1) % NODES
}

#[test]
fn a_client_gets_the_same_address_whichever_node_it_comes_to() {
    let mut world = World::settled(&settings(&POOLS));
    for n in 1..=20 {
        let offers: Vec<Ipv4Addr> = (0..NODES)
            .filter_map(|i| world.send(i, &Ask::new(MessageType::Discover, n), 0))
            .map(|offer| offer.address())
            .collect();
        assert_eq!(offers, [offers[0]; NODES]);
    }
}

#[test]
fn the_address_that_a_packet_names_decides_who_answers() {
    let mut world = World::settled(&settings(&POOLS));
    let address = world.dora(0, 1).expect("an address");
    let holder = world.holder_of(address).expect("held");
    let (entry, slot) = (stranger_to(&world, address), Slot::of_address(address));
    let request = || Ask::new(MessageType::Request, 1);
    for ask in [
        request().ciaddr(address),
        request().requested(address),
        request().requested(address).server(SERVER),
        Ask::new(MessageType::Inform, 1).ciaddr(address),
        Ask::new(MessageType::Decline, 1).requested(address),
        Ask::new(MessageType::Release, 1).ciaddr(address),
    ] {
        let passed = world.step(entry, &ask, 0, 0);
        assert_eq!(passed.verdict, Verdict::Forward { slot, attempt: 1 });
        assert_eq!((world.reason(entry), passed.bytes.len()), ("forwarded", 0));
        let kind = ask.kind.expect("a kind");
        let decided = world.step(holder, &ask, 1, 0).verdict;
        assert!(
            !matches!(decided, Verdict::Forward { .. }) && world.reason(holder) != "astray",
            "{kind:?}"
        );
    }
}

#[test]
fn what_was_forwarded_to_the_wrong_node_goes_no_further() {
    let mut world = World::settled(&settings(&POOLS));
    let address = world.dora(0, 1).expect("an address");
    let entry = stranger_to(&world, address);
    let renew = Ask::new(MessageType::Request, 1).ciaddr(address);
    assert_eq!(world.step(entry, &renew, 1, 0).verdict, Verdict::Silent);
    assert_eq!(world.reason(entry), "astray");
}

#[test]
fn a_full_home_block_sends_its_clients_to_the_next_until_all_are_full() {
    let mut world = World::settled(&settings(&["10.0.1.0", "10.0.1.64", "10.0.1.128", "10.0.1.192"]));
    let mut given: Vec<Ipv4Addr> = (1..=4)
        .filter_map(|n| world.dora(usize::from(n) % NODES, n))
        .collect();
    given.sort_unstable();
    assert_eq!(given, [at(0), at(64), at(128), at(192)]);
    for entry in 0..NODES {
        let none = world.send(entry, &Ask::new(MessageType::Discover, 9), 0);
        assert_eq!(none.map(|a| a.verdict), Some(Verdict::Silent));
    }
    let ended = (0..NODES)
        .filter(|&i| world.reason(i) == "pool_exhausted")
        .count();
    assert!(ended > 0);
}

#[test]
fn the_holder_of_a_reserved_address_gives_it_and_others_when_it_is_taken() {
    let mut plain = settings(&POOLS);
    reserve(&mut plain, 7, "10.0.1.250");
    let mut world = World::settled(&plain);
    let slot = Slot::of_address(at(250));
    let discover = Ask::new(MessageType::Discover, 7);
    let home = Verdict::Forward { slot, attempt: 1 };
    let strangers = (0..NODES).filter(|&i| world.holder(slot) != Some(i));
    let entry = strangers.max().expect("a node that does not hold it");
    assert_eq!(world.step(entry, &discover, 0, 0).verdict, home);
    assert_eq!(world.dora(entry, 7), Some(at(250)));
    // Found in use: the client gets another address meanwhile, and goes on to another node for it.
    world.send(entry, &Ask::new(MessageType::Decline, 7).requested(at(250)), 0);
    let dynamic = world.dora(entry, 7).expect("an address of a pool");
    assert_ne!(dynamic, at(250));
    let renew = Ask::new(MessageType::Request, 7).ciaddr(dynamic);
    let renewed = world.send(entry, &renew, 0).expect("an answer");
    assert_eq!(renewed.kind(), MessageType::Ack);
}

#[test]
fn a_client_that_asks_for_its_former_address_gets_it_from_its_holder() {
    let mut world = World::settled(&settings(&POOLS));
    // Every address but this one's block is as good as home to this client.
    let wanted = at(130);
    let ask = Ask::new(MessageType::Discover, 3).requested(wanted);
    let offer = world
        .send(stranger_to(&world, wanted), &ask, 0)
        .expect("an offer");
    assert_eq!(offer.address(), wanted);
    assert_eq!(world.select(0, 4, wanted), None, "on offer to another");
    let second = world.send(0, &Ask::new(MessageType::Discover, 4).requested(wanted), 0);
    assert_ne!(second.expect("an offer").address(), wanted);
}

#[test]
fn a_client_has_one_lease_even_if_its_second_comes_from_another_node() {
    let mut world = World::settled(&settings(&POOLS));
    let first = world.dora(0, 1).expect("an address");
    let other = POOLS.iter().enumerate().map(|(i, _)| at(64 * i as u8));
    let second = other
        .clone()
        .find(|&a| world.holder_of(a) != world.holder_of(first));
    let second = second.expect("an address of another node");
    let holder = world.holder_of(first).expect("held");
    assert_eq!(world.select(1, 1, second), None);
    assert_eq!(world.select(1, 1, second), None, "which is the later choice?");
    world.pass(10);
    assert_eq!(world.select(1, 1, second), None, "the other row makes way");
    assert_eq!(world.reason(holder), "vacated");
    assert_eq!(world.select(1, 1, second), Some(second));
    let now = world.now(0);
    let bound: Vec<Ipv4Addr> = world
        .store
        .leases()
        .filter_map(|body| crate::rows::stored_lease(&world.plan, &now, body))
        .filter(|lease| lease.state == crate::view::LeaseState::Bound)
        .map(|lease| lease.address)
        .collect();
    assert_eq!(bound, [second]);
}

#[test]
fn a_lease_that_cannot_be_recorded_beside_another_is_not_promised() {
    let mut world = World::settled(&settings(&POOLS));
    let first = world.dora(0, 1).expect("an address");
    let holder = world.holder_of(first).expect("held");
    let mut others = POOLS.iter().enumerate().map(|(i, _)| at(64 * i as u8));
    let second = others.find(|&a| world.holder_of(a) != Some(holder));
    let second = second.expect("an address of another node");
    let here = world.holder_of(second).expect("held");
    world.pass(10);
    world.nodes[holder].paused = true;
    assert_eq!(world.select(here, 1, second), None);
    assert_eq!(world.reason(here), "unwritten");
    assert_eq!(world.select(here, 2, second), None, "it may come back for it");
    world.nodes[holder].paused = false;
    assert_eq!(world.select(here, 1, second), None);
    assert_eq!(world.select(here, 1, second), Some(second));
}

#[test]
fn a_row_that_is_written_late_does_not_end_its_clients_later_lease() {
    let mut world = World::settled(&settings(&POOLS));
    let home = world.dora(0, 1).expect("an address");
    let (address, slow) = (at(64), world.holder_of(at(64)).expect("held"));
    let mut others = POOLS.iter().enumerate().map(|(i, _)| at(64 * i as u8));
    let other = others.find(|&a| a != home && world.holder_of(a) != Some(slow));
    let other = other.expect("an address of another node");
    // The node of the first choice does not reach the store; the client turns elsewhere meanwhile.
    let select = |a| Ask::new(MessageType::Request, 2).requested(a).server(SERVER);
    assert_eq!(
        world.step(slow, &select(address), 0, 1).verdict,
        Verdict::CommitThenReply
    );
    world.nodes[slow].cut = true;
    world.pass(8);
    assert_eq!(
        world.select(world.holder_of(other).expect("held"), 2, other),
        Some(other)
    );
    world.nodes[slow].cut = false;
    world.delivered.clear();
    world.flush(slow);
    assert!(world.delivered.is_empty());
    world.pass(1);
    let renew = Ask::new(MessageType::Request, 2).ciaddr(other);
    let renewed = world.send(slow, &renew, 0).map(|a| a.verdict);
    assert_eq!(renewed, Some(Verdict::WriteThenReply), "it is bound");
}

#[test]
fn a_slot_that_moves_in_order_takes_its_clients_along() {
    let mut world = World::settled(&settings(&POOLS));
    let address = world.dora(0, 1).expect("an address");
    let (slot, to) = (Slot::of_address(address), stranger_to(&world, address));
    let from = world.holder(slot).expect("held");
    assert_eq!(world.nodes[from].engine.usage(&world.now(from))[0].bound, 1);
    world.hand_over(slot, to);
    assert_eq!(world.nodes[from].engine.usage(&world.now(from))[0].bound, 0);
    assert_eq!(world.nodes[to].engine.usage(&world.now(to))[0].bound, 1);
    assert_eq!(world.nodes[from].engine.lease(&world.now(from), address), None);
    let renew = Ask::new(MessageType::Request, 1).ciaddr(address);
    let ack = world.send(from, &renew, 0).expect("an answer");
    assert_eq!((ack.kind(), ack.lease()), (MessageType::Ack, 3600));
}

#[test]
fn a_plan_that_moves_a_subnet_leaves_its_leases_inherited() {
    let before = settings(&["10.0.1.0-10.0.1.1"]);
    let mut after = before.clone();
    after.networks[0].name = "renamed".into();
    let mut without = before.clone();
    without.networks = vec![network("other", "10.7.0.0/16", &["10.7.1.0"])];
    let mut world = World::settled(&before);
    let holder = world.holder_of(at(0)).expect("held");
    assert_eq!(
        (world.dora(holder, 1), world.dora(holder, 2)),
        (Some(at(0)), Some(at(1)))
    );
    for settings in [&after, &without, &before] {
        let now = world.now(holder);
        let engine = &mut world.nodes[holder].engine;
        let plan = crate::Plan::compile(settings, Some(engine.plan()));
        engine.apply(plan, &now);
    }
    let renew = Ask::new(MessageType::Request, 1).ciaddr(at(0));
    assert_eq!(world.step(holder, &renew, 0, 0).kind(), MessageType::Ack);
    world.pass(3601);
    assert_eq!(world.dora(holder, 3), Some(at(0)), "bound here since");
    assert_eq!(world.dora(holder, 4), None);
}

#[test]
fn leases_of_a_subnet_that_comes_later_wait_for_it() {
    let with = settings(&["10.0.1.0"]);
    let mut without = with.clone();
    without.networks = vec![network("other", "10.7.0.0/16", &["10.7.1.0"])];
    let mut world = World::settled(&with);
    let (from, slot) = (world.holder_of(at(0)).expect("held"), Slot::of_address(at(0)));
    let to = (from + 1) % NODES;
    assert_eq!(world.dora(from, 1), Some(at(0)));
    let engine = &mut world.nodes[to].engine;
    let former = crate::Plan::compile(&without, Some(engine.plan()));
    engine.apply(former, &Default::default());
    world.hand_over(slot, to);
    let now = world.now(to);
    let engine = &mut world.nodes[to].engine;
    assert_eq!(engine.lease(&now, at(0)), None);
    let plan = crate::Plan::compile(&with, Some(engine.plan()));
    engine.apply(plan, &now);
    assert!(world.nodes[to].engine.lease(&now, at(0)).is_some());
    assert_eq!(
        world
            .send(to, &Ask::new(MessageType::Discover, 2), 0)
            .map(|a| a.verdict),
        Some(Verdict::Silent)
    );
    world.pass(3601);
    assert_eq!(world.dora(to, 2), None, "it is an inherited one");
}

#[test]
fn what_is_told_beside_another_server_is_told_by_one_node() {
    let mut beside = settings(&POOLS);
    beside.networks[0].subnets[0].proxy = true;
    let mut world = World::new(&beside);
    for slot in Slot::all() {
        world.take(usize::from(slot.index()) % NODES, slot);
    }
    for n in 1..=20 {
        let ask = Ask::new(MessageType::Discover, n);
        let silent = (0..NODES).filter(|&i| world.step(i, &ask, 0, 0).verdict == Verdict::Silent);
        assert_eq!(silent.count(), 1, "the one that decides has nothing to say");
    }
}
