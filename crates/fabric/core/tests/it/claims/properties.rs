//! Everything at once: I2 (one owner) and I3 (epochs rise) over any schedule of faults, and peace afterwards.

use super::*;

fn fault() -> impl Strategy<Value = Fault> {
    let node = 0..6_usize;
    let secs = 1..40_u8;
    prop_oneof![
        4 => (node.clone(), secs.clone()).prop_map(|(node, secs)| Fault::Pause { node, secs }),
        3 => (node.clone(), secs.clone()).prop_map(|(node, secs)| Fault::Cut { node, secs }),
        3 => (node.clone(), secs.clone()).prop_map(|(node, secs)| Fault::Deafen { node, secs }),
        2 => secs.prop_map(|secs| Fault::StoreDown { secs }),
        4 => Just(Fault::FailOver),
        3 => Just(Fault::Replicate),
        3 => node.clone().prop_map(|node| Fault::Restart { node }),
        1 => node.clone().prop_map(|node| Fault::Duplicate { node }),
        1 => node.clone().prop_map(|node| Fault::Drain { node }),
        1 => node.clone().prop_map(|node| Fault::Resume { node }),
        1 => node.clone().prop_map(|node| Fault::Remove { node }),
        1 => (node.clone(), -4000..4000_i16).prop_map(|(node, ms)| Fault::Skew { node, ms }),
        1 => node.prop_map(|node| Fault::Hint { node }),
    ]
}

/// Tenths of seconds at which something goes wrong.
fn faults() -> impl Strategy<Value = Vec<(u64, Fault)>> {
    proptest::collection::vec((1..1500_u64, fault()), 0..14)
}

fn run(seed: u64, nodes: usize, durability: Durability, faults: &[(u64, Fault)]) -> World {
    // The smallest guard, and machines that wait for answers for long, so that nothing hides behind slack.
    let timing = Timing {
        guard: Timing::default().ttl / 50,
        ..Timing::default()
    };
    let mut world = World::new(seed, nodes, 4, timing.checked().expect("in range"), durability);
    world.rough = true;
    world.patience = 10 * SECOND;
    for &(tenths, fault) in faults {
        world.fault_at(tenths * SECOND / 10, fault);
    }
    world.run_until(200 * SECOND);
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn no_slot_ever_has_two_owners_with_a_standby(seed: u64, nodes in 2..=5_usize, faults in faults()) {
        run(seed, nodes, Durability::Synced, &faults);
    }

    #[test]
    fn no_slot_ever_has_two_owners_when_commits_are_lost(seed: u64, nodes in 2..=5_usize, faults in faults()) {
        run(seed, nodes, Durability::Single, &faults);
    }

    #[test]
    fn peace_follows_trouble(seed: u64, nodes in 2..=3_usize, faults in faults()) {
        let mut world = run(seed, nodes, Durability::Single, &faults);
        world.rough = false;
        // Someone new, whom no fault has touched.
        world.add("late");
        for node in 0..world.machines.len() {
            world.fault_at(world.real, Fault::Skew { node, ms: 0 });
        }
        world.run_for(120, "all slots are held again", World::all_held);
    }
}
