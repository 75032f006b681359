use super::*;
use proptest::prelude::*;

fn id(n: usize) -> NodeId {
    NodeId::parse(&format!("node-{n}")).expect("an id")
}

fn member(n: usize) -> PlanMember {
    PlanMember {
        id: id(n),
        zone: format!("zone-{}", n % 3),
        weight: 100,
    }
}

fn members(range: std::ops::Range<usize>) -> Vec<PlanMember> {
    range.map(member).collect()
}

fn loads(plan: &Plan) -> Vec<usize> {
    plan.nodes()
        .iter()
        .map(|node| plan.slots_of(node).len())
        .collect()
}

/// The band that the settings promise to `n` equal nodes.
fn band(n: usize) -> (usize, usize) {
    let share = 4096.0 / n as f64;
    (
        (share * 0.9) as usize,
        ((share * 1.1) as usize).max(share.ceil() as usize),
    )
}

#[test]
fn every_node_stays_within_its_band() {
    for method in Method::ALL {
        let settings = PlanSettings {
            method,
            ..PlanSettings::default()
        };
        for n in [1, 2, 3, 5, 10, 100] {
            let plan = plan(None, &members(0..n), &settings);
            let (low, high) = band(n);
            assert!(
                loads(&plan).iter().all(|l| (low..=high).contains(l)),
                "{method:?} {n}: {:?}",
                loads(&plan)
            );
        }
    }
}

#[test]
fn a_node_added_takes_its_share_and_nobody_else_gains() {
    for n in [3, 5, 10, 100] {
        let before = plan(None, &members(0..n), &PlanSettings::default());
        let after = plan(Some(&before), &members(0..n + 1), &PlanSettings::default());
        let moved = moves(&before, &after);
        let (low, high) = band(n + 1);
        // What is missing below is the newcomer's lower bound; what is too much above is at most its upper one.
        let excess: usize = loads(&before).iter().map(|load| load.saturating_sub(high)).sum();
        assert_eq!(usize::from(moved.slots), excess.max(low), "{n}");
        let gainers: Vec<_> = moved
            .by_node
            .iter()
            .filter(|(_, m)| m.gained > 0)
            .map(|(id, _)| id)
            .collect();
        assert_eq!(gainers, [&id(n)], "{n}");
        assert!(usize::from(moved.by_node[&id(n)].gained) <= high);
    }
}

#[test]
fn a_node_removed_moves_only_what_it_owned() {
    for n in [3, 5, 10, 100] {
        let before = plan(None, &members(0..n), &PlanSettings::default());
        let after = plan(Some(&before), &members(1..n), &PlanSettings::default());
        let owned = before.slots_of(&id(0));
        assert_eq!(usize::from(moves(&before, &after).slots), owned.len(), "{n}");
        let heir = |slot: &Slot| before.rank(*slot, after.owner(*slot).expect("an owner")) == Some(1);
        // The first standby inherits unless the bounds forbid it, which among a hundred they often do.
        assert!(
            n == 100 || owned.iter().filter(heir).count() * 2 > owned.len(),
            "{n}"
        );
    }
}

#[test]
fn copies_are_in_distinct_zones_as_far_as_there_are_zones() {
    let plan = plan(None, &members(0..10), &PlanSettings::default());
    for slot in Slot::all() {
        let mut zones: Vec<_> = plan
            .preference(slot)
            .map(|n| n.as_str().as_bytes()[5] % 3)
            .collect();
        zones.sort_unstable();
        zones.dedup();
        assert_eq!((plan.preference(slot).len(), zones.len()), (3, 3));
    }
}

#[test]
fn fewer_nodes_than_copies_shorten_the_lists() {
    let two = plan(None, &members(0..2), &PlanSettings::default());
    assert_eq!((two.copies(), two.preference(Slot::of_block(7)).len()), (2, 2));
    let none = plan(Some(&two), &[], &PlanSettings::default());
    assert_eq!(
        (none.number, none.copies(), none.owner(Slot::of_block(7))),
        (2, 0, None)
    );
    assert_eq!(Plan::decode(&none.encode()), Ok(none));
}

#[test]
fn a_weightless_member_owns_and_backs_nothing() {
    let mut three = members(0..3);
    three[1].weight = 0;
    let plan = plan(None, &three, &PlanSettings::default());
    assert_eq!(plan.nodes(), [id(0), id(2)]);
}

#[test]
fn shares_follow_weights() {
    let mut three = members(0..3);
    three[2].weight = 200;
    let loads = loads(&plan(None, &three, &PlanSettings::default()));
    let share = [1024.0, 1024.0, 2048.0];
    assert!(
        loads
            .iter()
            .zip(share)
            .all(|(&l, s)| (l as f64 / s - 1.0).abs() <= 0.1),
        "{loads:?}"
    );
}

#[test]
fn without_a_bound_the_first_wanted_owns() {
    let free = PlanSettings {
        load_bound: f64::INFINITY,
        ..PlanSettings::default()
    };
    let before = plan(None, &members(0..10), &free);
    let after = plan(Some(&before), &members(0..11), &free);
    assert!(after.is_same_assignment(&plan(None, &members(0..11), &free)));
    // The newcomer's points cut arcs from others: only it gains.
    assert!(
        moves(&before, &after)
            .by_node
            .iter()
            .all(|(node, m)| *node == id(10) || m.gained == 0)
    );
}

#[test]
fn the_ring_alone_is_as_even_as_a_hundred_points_make_it() {
    let free = PlanSettings {
        load_bound: f64::INFINITY,
        ..PlanSettings::default()
    };
    for n in [3, 5, 10, 100] {
        let share = 4096.0 / n as f64;
        let deviation = |load: usize| (load as f64 / share - 1.0).powi(2);
        let loads = loads(&plan(None, &members(0..n), &free));
        let spread = (loads.into_iter().map(deviation).sum::<f64>() / n as f64).sqrt();
        // The sum of 100 arcs deviates by 1/sqrt(100) of itself; counting slots instead of lengths adds 1/sqrt(share).
        let expected = (1.0 / 100.0 + 1.0 / share).sqrt();
        assert!(spread < 2.0 * expected, "{n}: {spread} {expected}");
    }
}

#[test]
fn a_limit_on_moves_spreads_them_over_plans() {
    let slow = PlanSettings {
        moves_max: 64,
        ..PlanSettings::default()
    };
    let mut now = plan(None, &members(0..3), &slow);
    let first = now.clone();
    for _ in 0..64 {
        let next = plan(Some(&now), &members(0..4), &slow);
        assert!(moves(&now, &next).slots <= 64);
        if next.is_same_assignment(&now) {
            break;
        }
        now = next;
    }
    let at_once = plan(Some(&first), &members(0..4), &PlanSettings::default());
    assert_eq!(moves(&first, &now).slots, moves(&first, &at_once).slots);
    assert_eq!(loads(&now)[3], loads(&at_once)[3]);
}

#[test]
fn an_orphan_moves_even_when_moves_are_limited() {
    let still = PlanSettings {
        moves_max: 0,
        ..PlanSettings::default()
    };
    let before = plan(None, &members(0..4), &still);
    let after = plan(Some(&before), &members(0..3), &still);
    assert!(Slot::all().all(|slot| after.owner(slot) != Some(&id(3))));
}

#[test]
fn a_plan_says_what_is_wrong_with_its_octets() {
    let good = plan(None, &members(0..3), &PlanSettings::default()).encode();
    let changed = |at: usize, to: u8| {
        let mut bad = good.clone();
        bad[at] = to;
        Plan::decode(&bad)
    };
    assert_eq!(changed(0, 2), Err(PlanFault::Format(2)));
    assert_eq!(changed(9, 4), Err(PlanFault::Counts { nodes: 3, copies: 4 }));
    assert_eq!(changed(18, b'9'), Err(PlanFault::Order));
    assert_eq!(
        changed(14, b' '),
        Err(PlanFault::Id(purlin_types::NodeIdError::Character(' ')))
    );
    assert_eq!(
        changed(good.len() - 1, 3),
        Err(PlanFault::Preference { slot: 4095 })
    );
    assert_eq!(Plan::decode(&good[..good.len() - 1]), Err(PlanFault::Short));
    assert_eq!(Plan::decode(&[&good[..], &[0]].concat()), Err(PlanFault::Long(1)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_octets_decode_or_are_refused(mut octets in proptest::collection::vec(any::<u8>(), 0..300), real in any::<bool>()) {
        if real {
            let good = plan(None, &members(0..4), &PlanSettings::default()).encode();
            let keep = octets.len();
            octets.extend_from_slice(&good[keep.min(good.len())..]);
        }
        if let Some(first) = octets.first_mut() {
            *first = 1;
        }
        if let Ok(plan) = Plan::decode(&octets) {
            prop_assert_eq!(plan.encode(), octets);
        }
    }

    #[test]
    fn a_history_of_members_stays_in_band_and_moves_no_more_than_it_must(
        history in proptest::collection::vec(proptest::collection::btree_set(0usize..12, 1..12), 2..6),
        rendezvous in any::<bool>(),
    ) {
        let method = if rendezvous { Method::Rendezvous } else { Method::ConsistentHashing };
        let settings = PlanSettings { method, ..PlanSettings::default() };
        let mut now: Option<Plan> = None;
        for set in history {
            let mut list: Vec<_> = set.iter().copied().map(member).collect();
            let next = plan(now.as_ref(), &list, &settings);
            list.reverse();
            prop_assert_eq!(&plan(now.as_ref(), &list, &settings), &next, "the order of members matters");
            prop_assert_eq!(Plan::decode(&next.encode()), Ok(next.clone()));
            let (low, high) = band(set.len());
            prop_assert!(loads(&next).iter().all(|l| (low..=high).contains(l)), "{:?}", loads(&next));
            if let Some(before) = &now {
                let old = |node: &NodeId| before.slots_of(node).len();
                let orphans: usize = before.nodes().iter().filter(|n| !next.nodes().contains(n)).map(old).sum();
                let missing: usize = next.nodes().iter().map(|n| low.saturating_sub(old(n))).sum();
                let excess: usize = next.nodes().iter().map(|n| old(n).saturating_sub(high)).sum();
                // Orphans and excess move whatever happens, and may fill what is missing.
                prop_assert_eq!(usize::from(moves(before, &next).slots), (orphans + excess).max(missing));
            }
            now = Some(next);
        }
    }
}
