//! Plans that change, and clocks that are set, while leases run.

use super::conversation::{Ask, Link, network, reserve, settings};
use crate::rows::shown::Parts;
use crate::settings::{AckMode, Pool, Settings};
use crate::step::Verdict;
use crate::view::{LeaseState, PoolUse};
use crate::{Engine, Plan};
use purlin_dhcp_proto::MessageType;
use purlin_types::WallTime;
use std::net::Ipv4Addr;
use std::time::Duration;

const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 0);

pub(super) fn apply(link: &mut Link, settings: &Settings) {
    let plan = Plan::compile(settings, Some(link.engine.plan()));
    link.engine.apply(plan, &link.now);
}

fn renew(link: &mut Link, n: u8, address: Ipv4Addr) -> MessageType {
    link.send(&Ask::new(MessageType::Request, n).ciaddr(address))
        .kind()
}

#[test]
fn a_subnet_that_joins_another_network_takes_its_leases_along() {
    let mut alone = settings(&["10.0.1.0-10.0.1.0"]);
    alone.networks[0].name = "hall".into();
    alone
        .networks
        .push(network("spare", "10.7.0.0/16", &["10.7.1.0-10.7.1.9"]));
    let mut joined = alone.clone();
    let moved = joined.networks[0].subnets.remove(0);
    joined.networks[1].subnets.push(moved);
    let second = network("hall", "10.9.0.0/16", &[]).subnets.remove(0);
    joined.networks[0].subnets.push(second);
    let mut link = Link::new(&alone);
    link.dora(1);
    for settings in [&joined, &alone] {
        apply(&mut link, settings);
        let stranger = link.send(&Ask::new(MessageType::Discover, 2).requested(FIRST));
        assert!(stranger.verdict == Verdict::Silent || stranger.address() != FIRST);
        assert_eq!(renew(&mut link, 1, FIRST), MessageType::Ack);
        let bound: u64 = link.engine.usage(&link.now).iter().map(|u| u.bound).sum();
        assert_eq!(bound, 1);
    }
}

#[test]
fn a_pool_that_goes_moves_its_clients_and_comes_back_knowing_them() {
    let with = settings(&["10.0.1.0-10.0.1.9", "10.0.2.0-10.0.2.9"]);
    let mut without = with.clone();
    without.networks[0].subnets[0].pools.remove(0);
    let mut link = Link::new(&with);
    link.dora(1);
    link.dora(2);
    apply(&mut link, &without);
    assert_eq!(renew(&mut link, 1, FIRST), MessageType::Nak);
    assert_eq!(link.reason(), "nak_not_admitted");
    assert_eq!(link.dora(1).address(), Ipv4Addr::new(10, 0, 2, 0));
    apply(&mut link, &with);
    let second = Ipv4Addr::new(10, 0, 1, 1);
    assert_eq!(renew(&mut link, 2, second), MessageType::Ack);
    let asked = link.send(&Ask::new(MessageType::Discover, 3).requested(second));
    assert_ne!(asked.address(), second, "its owner never left it");
}

/// Bound, offered, declined and reusable addresses of each pool.
fn pools(link: &Link) -> Vec<[u64; 4]> {
    let usage = &link.engine.usage(&link.now)[0];
    let pools = usage.pools.iter();
    pools
        .map(|pool| [pool.bound, pool.offered, pool.declined, pool.reusable])
        .collect()
}

#[test]
fn s0_53_each_pool_counts_its_own_and_a_subnet_all() {
    let with = settings(&["10.0.1.0-10.0.1.1", "10.0.2.0-10.0.2.9"]);
    let mut without = with.clone();
    without.networks[0].subnets[0].pools.remove(0);
    let mut link = Link::new(&with);
    for client in 1..=3 {
        link.dora(client);
    }
    link.send(&Ask::new(MessageType::Discover, 4));
    assert_eq!(pools(&link), [[2, 0, 0, 0], [1, 1, 0, 0]]);
    link.send(&Ask::new(MessageType::Release, 1).ciaddr(FIRST));
    assert_eq!(pools(&link), [[1, 0, 0, 1], [1, 1, 0, 0]]);
    let declined = Ipv4Addr::new(10, 0, 2, 0);
    link.send(&Ask::new(MessageType::Decline, 3).requested(declined));
    assert_eq!(pools(&link), [[1, 0, 0, 1], [0, 1, 1, 0]]);
    // What lies in no pool any more is still its subnet's.
    apply(&mut link, &without);
    assert_eq!(pools(&link), [[0, 1, 1, 0]]);
    let usage = &link.engine.usage(&link.now)[0];
    assert_eq!(
        (usage.size, usage.bound, usage.reusable, usage.taken()),
        (10, 1, 1, 1)
    );
    apply(&mut link, &with);
    assert_eq!(pools(&link), [[1, 0, 0, 1], [0, 1, 1, 0]]);
    link.restart(&with, usize::MAX, true);
    assert_eq!(
        pools(&link),
        [[1, 0, 0, 1], [0, 0, 1, 0]],
        "offers are in memory only"
    );
}

#[test]
fn s0_53_rows_of_other_nodes_are_counted_in_their_pool() {
    let link = Link::new(&settings(&["10.0.1.0-10.0.1.9", "10.0.2.0-10.0.2.9"]));
    let (plan, mut usage) = (link.engine.plan(), link.engine.usage(&link.now));
    let parts = Parts::of(plan);
    for (address, state, rows) in [
        ("10.0.2.5", LeaseState::Bound, 4),
        ("10.0.2.5", LeaseState::Declined, 1),
        ("10.0.1.0", LeaseState::Released, 2),
        ("10.0.9.9", LeaseState::Bound, 8),
    ] {
        let address: Ipv4Addr = address.parse().expect("an address");
        let key = u64::from(u32::from(address));
        let mut ranges = parts.keys.iter();
        let range = ranges
            .position(|keys| keys.contains(&key))
            .expect("it is the subnet's");
        parts.add(plan, &mut usage, range, state as u8, rows);
    }
    let counts = |pool: &PoolUse| (pool.bound, pool.declined, pool.reusable);
    let pools: Vec<_> = usage[0].pools.iter().map(counts).collect();
    assert_eq!(pools, [(0, 0, 2), (4, 1, 0)]);
    assert_eq!(
        (usage[0].bound, usage[0].taken()),
        (12, 5),
        "8 lie outside of the pools"
    );
}

#[test]
fn a_class_put_before_a_pool_moves_strangers_out() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    let mut link = Link::new(&settings);
    link.dora(1);
    settings.classes.push(crate::settings::Class {
        name: "members".into(),
        test: Some("pkt4.mac == 0x020000000002".into()),
        scope: crate::settings::Scope::default(),
        drop: false,
    });
    settings.networks[0].subnets[0].pools[0].classes = vec!["members".into()];
    apply(&mut link, &settings);
    assert_eq!(renew(&mut link, 1, FIRST), MessageType::Nak);
    assert_eq!(
        link.send(&Ask::new(MessageType::Discover, 1)).verdict,
        Verdict::Silent
    );
    assert_eq!(link.reason(), "no_pool_for_classes");
    assert_eq!(
        link.dora(2).address(),
        Ipv4Addr::new(10, 0, 1, 1),
        "the lease of the first still runs"
    );
}

/// Leases that a change leaves without a place are counted by address, and met as the words about it say.
#[test]
fn leases_outside_of_a_smaller_pool_are_counted_and_refused() {
    let wide = settings(&["10.0.1.0-10.0.1.9"]);
    let mut link = Link::new(&wide);
    let held: Vec<Ipv4Addr> = (1..=6).map(|n| link.dora(n).address()).collect();
    let outside = |link: &Link, after: &Settings| {
        let (before, after) = (crate::Served::new(&wide, &[]), crate::Served::new(after, &[]));
        let (mut outside, mut next) = (crate::Outside::default(), Some(0));
        while let Some(from) = next {
            let piece = link.engine.bound_from(&link.now, from, 4);
            piece
                .0
                .iter()
                .for_each(|&address| outside.count(address, &before, &after));
            next = piece.1;
        }
        (outside.subnets, outside.pools)
    };
    let mut renamed = wide.clone();
    renamed.networks[0].subnets[0].name = "other".into();
    renamed.networks[0].name = "other".into();
    assert_eq!(outside(&link, &renamed), (0, 0));
    let mut narrow = settings(&["10.0.1.0-10.0.1.3"]);
    reserve(&mut narrow, 6, "10.0.1.5");
    assert_eq!(outside(&link, &narrow), (0, 1), "one is reserved");
    let mut gone = wide.clone();
    gone.networks[0].subnets[0].network = "10.7.0.0/16".parse().expect("a prefix");
    gone.networks[0].subnets[0].pools.clear();
    assert_eq!(outside(&link, &gone), (6, 0));
    gone.enabled = false;
    assert_eq!(outside(&link, &gone), (6, 0));

    let plan = Plan::compile(&narrow, Some(link.engine.plan()));
    link.engine.apply(plan, &link.now);
    let renewed = link.send(&Ask::new(MessageType::Request, 5).ciaddr(held[4]));
    assert_eq!(
        (renewed.kind(), link.reason()),
        (MessageType::Nak, "nak_not_admitted")
    );
    assert_eq!(
        outside(&link, &narrow),
        (0, 1),
        "it goes on until then, and its record until it ends"
    );
}

#[test]
fn a_shorter_lease_time_holds_from_the_next_renewal() {
    let mut settings = settings(&["10.0.1.0-10.0.1.0"]);
    let mut link = Link::new(&settings);
    link.dora(1);
    settings.scope.lease_time = Some(Duration::from_secs(60));
    apply(&mut link, &settings);
    link.pass(3000);
    assert_eq!(
        link.send(&Ask::new(MessageType::Discover, 2)).verdict,
        Verdict::Silent
    );
    let ack = link.send(&Ask::new(MessageType::Request, 1).ciaddr(FIRST));
    assert_eq!(ack.lease(), 60);
}

#[test]
fn a_clock_set_forward_by_a_day_gives_nobodys_address_away() {
    let mut link = Link::new(&settings(&["10.0.1.0"]));
    link.dora(1);
    link.pass(1);
    link.now.wall.0 += 86_400_000;
    link.pass(1);
    assert!(link.engine.take_clock_set());
    assert_eq!(
        link.send(&Ask::new(MessageType::Discover, 2)).verdict,
        Verdict::Silent
    );
    assert_eq!(renew(&mut link, 1, FIRST), MessageType::Ack);
    link.pass(3601);
    assert_eq!(link.dora(2).address(), FIRST);
}

#[test]
fn a_clock_set_back_by_an_hour_keeps_no_address_too_long() {
    let mut link = Link::new(&settings(&["10.0.1.0"]));
    link.dora(1);
    link.pass(1);
    link.now.wall.0 -= 3_600_000;
    link.pass(3600);
    assert_eq!(link.dora(2).address(), FIRST);
    assert!(link.engine.take_clock_set() && !link.engine.take_clock_set());
}

#[test]
fn r4_holds_for_a_pool_that_was_cut_otherwise_when_its_window_was_written() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    settings.ack = AckMode::Lead;
    let mut link = Link::new(&settings);
    link.log.durable = WallTime(u64::MAX);
    link.dora(200);
    link.pass(1);
    let written = link.journal.len();
    let lost = link.dora(1).address();
    let pool: &mut Pool = &mut settings.networks[0].subnets[0].pools[0];
    pool.range = "10.0.1.1-10.0.1.9".parse().unwrap();
    apply(&mut link, &settings);
    link.restart(&settings, written, false);
    let stranger = link.send(&Ask::new(MessageType::Discover, 2).requested(lost));
    assert_eq!(stranger.verdict, Verdict::Silent);
}

#[test]
fn a_freed_address_keeps_its_version_on_another_thread() {
    let mut settings = settings(&["10.0.1.0-10.0.1.0"]);
    settings.affinity = Duration::from_secs(60);
    let mut link = Link::new(&settings);
    (0..3).for_each(|_| drop(link.dora(1)));
    link.pass(3601);
    link.pass(60);
    // Another thread goes on, with a journal of its own, while the former one's still says what it said.
    let former = std::mem::take(&mut link.journal);
    let mut engine = Engine::new(Plan::compile(&settings, None), 0, 1, 7);
    let mut cursor = Some(0);
    while let Some(at) = cursor {
        let mut frame = Vec::new();
        cursor = link.engine.handover_chunk(at, 1, &mut frame);
        engine.restore(&frame);
    }
    engine.restored(&link.now, true, &mut Vec::new());
    link.engine = engine;
    assert_eq!(link.dora(2).address(), FIRST);
    link.journal.extend(former);
    link.restart(&settings, usize::MAX, true);
    assert_eq!(renew(&mut link, 2, FIRST), MessageType::Ack);
    assert_eq!(renew(&mut link, 1, FIRST), MessageType::Nak);
}

#[test]
fn a_checkpoint_leaves_free_addresses_out() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    settings.affinity = Duration::from_secs(60);
    let mut link = Link::new(&settings);
    link.dora(1);
    link.pass(3601);
    link.pass(60);
    let (mut checkpoint, mut handover) = (Vec::new(), Vec::new());
    assert_eq!(link.engine.checkpoint_chunk(0, 64, &mut checkpoint), None);
    assert_eq!(link.engine.handover_chunk(0, 64, &mut handover), None);
    assert_eq!((checkpoint.len(), handover.len()), (0, 33));
}
