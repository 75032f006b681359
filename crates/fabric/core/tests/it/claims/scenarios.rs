//! One thing at a time.

use super::*;

fn cluster(nodes: usize, timing: Timing, durability: Durability) -> World {
    let mut world = World::new(7, nodes, 16, timing, durability);
    world.run_for(60, "the first plan is followed", |world| {
        world.all_held() && (0..nodes).all(|node| world.held_by(node) > 0)
    });
    world
}

#[test]
fn a_fresh_cluster_shares_all_slots() {
    let world = cluster(3, Timing::default(), Durability::Synced);
    assert!((0..3).all(|node| world.held_by(node) > 1), "{}", world.describe());
}

#[test]
fn a_dead_nodes_slots_are_served_again_within_twenty_seconds() {
    let mut world = cluster(3, Timing::default(), Durability::Synced);
    let at = world.real;
    world.fault_at(at, Fault::Kill { node: 1 });
    let took = world.run_for(20, "takeover", |world| world.real > at && world.all_held());
    assert!(took > 10 * SECOND, "not before its tenure has ended");
}

#[test]
fn the_fast_profile_takes_over_within_five_seconds() {
    let mut world = cluster(3, Timing::fast(), Durability::Synced);
    let at = world.real;
    world.fault_at(at, Fault::Kill { node: 0 });
    world.run_for(5, "takeover", |world| world.real > at && world.all_held());
}

#[test]
fn a_drained_node_gives_its_slots_to_the_others_without_doubt() {
    let mut world = cluster(3, Timing::default(), Durability::Synced);
    world.fault_at(world.real, Fault::Drain { node: 0 });
    world.run_for(30, "the drain", |world| world.held_by(0) == 0 && world.all_held());
    let suspect = |world: &World, slot| {
        world
            .machines
            .iter()
            .any(|machine| machine.suspect_until(slot).is_some())
    };
    assert!(!world.keyspace().iter().any(|&slot| suspect(&world, slot)));
    assert_eq!(world.machines[0].coordinator.readiness(), Err(NotReady::Draining));
}

#[test]
fn a_node_that_left_is_told_to_have_left_in_order() {
    let mut world = cluster(2, Timing::default(), Durability::Synced);
    world.fault_at(world.real, Fault::Leave { node: 0 });
    world.run_for(30, "the farewell", |world| {
        world.held_by(1) == world.keyspace().len()
    });
    world.run_until(world.real + 5 * SECOND);
    assert_eq!(world.machines[0].coordinator.readiness(), Err(NotReady::Left));
    let left = |(_, node, event): &(u64, usize, Event)| {
        *node == 1 && matches!(event, Event::NodeLeft { graceful: true, .. })
    };
    assert!(world.events.iter().any(left), "{:?}", world.events);
}

#[test]
fn a_crashed_owners_slots_stay_suspect_for_mclt() {
    let timing = Timing {
        mclt: std::time::Duration::from_secs(60),
        ..Timing::default()
    };
    let mut world = cluster(2, timing, Durability::Synced);
    world.fault_at(world.real, Fault::Kill { node: 0 });
    world.run_until(world.real + SECOND);
    world.run_for(20, "takeover", World::all_held);
    let suspects = |world: &World| {
        world
            .keyspace()
            .iter()
            .filter(|&&slot| world.machines[1].suspect_until(slot).is_some())
            .count()
    };
    assert!(suspects(&world) > 0);
    world.run_until(world.real + 58 * SECOND);
    assert!(suspects(&world) > 0);
    world.run_until(world.real + 6 * SECOND);
    assert_eq!(suspects(&world), 0);
}

#[test]
fn a_restarted_node_waits_for_its_former_life() {
    let mut world = cluster(1, Timing::default(), Durability::Synced);
    world.fault_at(world.real, Fault::Restart { node: 0 });
    world.run_until(world.real + 10 * SECOND);
    assert!(matches!(
        world.machines[1].coordinator.readiness(),
        Err(NotReady::FormerLife { .. })
    ));
    world.run_for(12, "back again", World::all_held);
}

#[test]
fn a_second_process_under_a_live_id_gets_nothing() {
    let mut world = cluster(1, Timing::default(), Durability::Synced);
    world.fault_at(world.real, Fault::Duplicate { node: 0 });
    world.run_until(world.real + 60 * SECOND);
    assert!(matches!(
        world.machines[1].coordinator.readiness(),
        Err(NotReady::DuplicateId { .. })
    ));
    assert_eq!(world.held_by(0), world.keyspace().len());
}

#[test]
fn a_synced_failover_interrupts_nobody() {
    let mut world = cluster(3, Timing::default(), Durability::Synced);
    world.fault_at(world.real, Fault::FailOver);
    for _ in 0..600 {
        world.run_until(world.real + SECOND / 10);
        assert!(world.all_held(), "{}", world.describe());
    }
}

#[test]
fn a_lossy_failover_makes_every_claim_suspect() {
    let mut world = cluster(3, Timing::default(), Durability::Single);
    world.fault_at(world.real, Fault::Replicate);
    world.fault_at(world.real + SECOND, Fault::FailOver);
    world.run_until(world.real + 40 * SECOND);
    assert!(world.all_held(), "{}", world.describe());
    let suspect = |world: &World, slot| {
        world
            .machines
            .iter()
            .any(|machine| machine.suspect_until(slot).is_some())
    };
    assert!(world.keyspace().iter().all(|&slot| suspect(&world, slot)));
}

#[test]
fn a_store_that_was_away_leaves_everybody_where_he_was() {
    let mut world = cluster(3, Timing::default(), Durability::Synced);
    let before: Vec<_> = world.keyspace().iter().map(|&slot| world.holder(slot)).collect();
    world.fault_at(world.real, Fault::StoreDown { secs: 60 });
    world.run_until(world.real + 59 * SECOND);
    assert!(
        world.keyspace().iter().all(|&slot| world.holder(slot).is_none()),
        "tenures end"
    );
    world.run_for(10, "back again", World::all_held);
    let after: Vec<_> = world.keyspace().iter().map(|&slot| world.holder(slot)).collect();
    assert_eq!(before, after);
}

#[test]
fn a_wrong_wall_clock_gives_slots_away_in_order() {
    let mut world = cluster(2, Timing::default(), Durability::Synced);
    world.fault_at(world.real, Fault::Skew { node: 0, ms: 3000 });
    world.run_for(30, "handover", |world| world.held_by(1) == world.keyspace().len());
    assert!(matches!(
        world.machines[0].coordinator.readiness(),
        Err(NotReady::WallClock { .. })
    ));
    world.fault_at(world.real, Fault::Skew { node: 0, ms: 0 });
    world.run_for(60, "back again", |world| world.held_by(0) > 0 && world.all_held());
}

#[test]
fn a_boot_clock_that_runs_wrongly_is_told_of() {
    let mut world = cluster(2, Timing::default(), Durability::Synced);
    let at = world.real;
    world.machines[0].run_at(at, 20_000);
    world.run_until(at + 700 * SECOND);
    let told = |world: &World, node: usize| {
        let of = |(_, by, event): &(u64, usize, Event)| match event {
            Event::ClockRate { off_ppm } if *by == node => Some(*off_ppm),
            _ => None,
        };
        world.events.iter().filter_map(of).collect::<Vec<_>>()
    };
    let [Some(off)] = told(&world, 0)[..] else {
        panic!("{:?}", told(&world, 0));
    };
    assert!((18_000..22_000).contains(&off), "{off}");
    assert_eq!(world.machines[0].coordinator.clock_rate(), Some(off));
    assert_eq!(told(&world, 1), [], "the other one is right");
    let at = world.real;
    world.machines[0].run_at(at, 100);
    world.run_until(at + 700 * SECOND);
    assert_eq!(told(&world, 0), [Some(off), None]);
}

#[test]
fn a_removed_node_holds_nothing_for_ever() {
    let mut world = cluster(2, Timing::default(), Durability::Synced);
    world.fault_at(world.real, Fault::Remove { node: 0 });
    world.run_for(25, "takeover", |world| world.held_by(1) == world.keyspace().len());
    world.run_until(world.real + 60 * SECOND);
    assert_eq!(
        world.machines[0].coordinator.readiness(),
        Err(NotReady::Superseded)
    );
}

#[test]
fn a_lost_leader_is_followed_by_another() {
    let mut world = cluster(3, Timing::default(), Durability::Synced);
    let leads = |world: &World, node: usize| {
        let machine = &world.machines[node];
        machine.alive
            && machine
                .coordinator
                .leadership(machine.local(world.real))
                .is_some()
    };
    let leader = (0..3).find(|&node| leads(&world, node)).expect("a leader");
    world.fault_at(world.real, Fault::Kill { node: leader });
    world.run_until(world.real + SECOND);
    world.run_for(20, "another leader", |world| {
        (0..3).any(|node| leads(world, node))
    });
}

#[test]
fn a_leader_whose_lease_has_lapsed_is_named_no_more() {
    let timing = Timing::fast();
    let mut world = cluster(3, timing, Durability::Synced);
    let named = |world: &World, node: usize| world.machines[node].coordinator.leader().cloned();
    let old = named(&world, 0).expect("a leader");
    let leader = (0..3).find(|&node| world.machines[node].candidate.id == old);
    let leader = leader.expect("one of the three");
    let others: Vec<usize> = (0..3).filter(|&node| node != leader).collect();
    let died = world.real;
    world.fault_at(died, Fault::Kill { node: leader });
    for &node in &others {
        // They hear of nobody who could follow.
        world.fault_at(died, Fault::Cut { node, secs: 6 });
    }
    // Its last renewal may have been seen one look after it was sent; clocks differ by a hundredth.
    let lapsed = timing.tenure() + timing.renew + timing.guard;
    world.run_until(died + u64::try_from(lapsed.as_nanos()).expect("seconds"));
    for &node in &others {
        assert_eq!(named(&world, node), None, "{}", world.describe());
    }
    world.run_for(20, "another leader", |world| {
        others
            .iter()
            .all(|&node| named(world, node).is_some_and(|id| id != old))
    });
}

#[test]
fn a_leader_whose_wall_clock_is_wrong_lets_another_lead() {
    let mut world = cluster(2, Timing::fast(), Durability::Synced);
    let leads = |world: &World, node: usize| {
        let machine = &world.machines[node];
        machine
            .coordinator
            .leadership(machine.local(world.real))
            .is_some()
    };
    let leader = (0..2).find(|&node| leads(&world, node)).expect("a leader");
    world.fault_at(
        world.real,
        Fault::Skew {
            node: leader,
            ms: 30_000,
        },
    );
    world.run_for(20, "the other leads", |world| leads(world, 1 - leader));
    assert!(!leads(&world, leader));
}

#[test]
fn a_node_that_others_drain_gives_everything_away_until_it_is_told_to_resume() {
    let mut world = cluster(2, Timing::default(), Durability::Synced);
    let id = world.machines[0].candidate.id.clone();
    world.store.mark(&id, NodeState::Draining);
    world.run_for(30, "handover", |world| world.held_by(1) == world.keyspace().len());
    world.run_until(world.real + 30 * SECOND);
    assert_eq!(world.machines[0].coordinator.readiness(), Err(NotReady::Draining));
    world.fault_at(world.real, Fault::Resume { node: 0 });
    world.run_for(60, "back again", |world| world.held_by(0) > 0 && world.all_held());
}

#[test]
fn a_drain_is_taken_back_before_the_node_has_seen_it() {
    let mut world = cluster(2, Timing::fast(), Durability::Synced);
    let id = world.machines[0].candidate.id.clone();
    for cut in [0, 5] {
        world.fault_at(world.real, Fault::Cut { node: 0, secs: cut });
        world.run_until(world.real + 1);
        world.store.mark(&id, NodeState::Draining);
        world.fault_at(world.real, Fault::Resume { node: 0 });
        world.run_until(world.real + 30 * SECOND);
        assert_eq!(
            world.machines[0].coordinator.readiness(),
            Ok(()),
            "cut for {cut} s"
        );
        assert!(world.held_by(0) > 0);
    }
    world.store.mark(&id, NodeState::Draining);
    world.run_for(30, "an order", |world| world.held_by(1) == world.keyspace().len());
}

#[test]
fn a_drain_that_was_taken_back_is_no_order_when_a_failover_loses_that() {
    let mut world = cluster(2, Timing::default(), Durability::Single);
    let id = world.machines[0].candidate.id.clone();
    world.store.mark(&id, NodeState::Draining);
    world.run_for(30, "handover", |world| world.held_by(1) == world.keyspace().len());
    world.fault_at(world.real, Fault::Replicate);
    world.fault_at(world.real, Fault::Resume { node: 0 });
    world.run_for(60, "back again", |world| world.held_by(0) > 0 && world.all_held());
    world.fault_at(world.real, Fault::FailOver);
    world.run_until(world.real + 60 * SECOND);
    assert_eq!(world.machines[0].coordinator.readiness(), Ok(()));
    world.store.mark(&id, NodeState::Draining);
    world.run_for(30, "an order", |world| world.held_by(1) == world.keyspace().len());
}

#[test]
fn a_failover_that_loses_plan_and_enrolments_is_followed_by_new_ones() {
    let mut world = cluster(3, Timing::default(), Durability::Single);
    let lives: Vec<_> = world
        .machines
        .iter()
        .map(|machine| machine.candidate.clone())
        .collect();
    world.fault_at(world.real, Fault::FailOver);
    world.run_until(world.real + SECOND);
    // Who held a slot all the while has it at once, long before anybody could take it over.
    world.run_for(10, "shared again", World::all_held);
    let same = world.machines.iter().map(|machine| machine.candidate.clone());
    assert!(lives.into_iter().eq(same), "nobody was started anew");
}

#[test]
fn a_life_that_is_gone_without_a_failover_is_over() {
    let mut world = cluster(2, Timing::default(), Durability::Single);
    let id = world.machines[0].candidate.id.clone();
    world.store.forget(&id);
    world.run_until(world.real + 60 * SECOND);
    let readiness = world.machines[0].coordinator.readiness();
    assert_eq!(
        readiness,
        Err(NotReady::Superseded),
        "its numbers would begin anew in one history"
    );
}
