//! What is given back in order, and what only seems to be.

use super::*;

const NODES: usize = 2;

fn cluster(durability: Durability) -> World {
    let mut world = World::new(7, NODES, 16, Timing::default(), durability);
    world.run_for(60, "the first plan is followed", |world| {
        world.all_held() && (0..NODES).all(|node| world.held_by(node) > 0)
    });
    world
}

/// The slots that a node decides about.
fn held(world: &World, node: usize) -> Vec<Slot> {
    let holds = |slot: &&Slot| world.holder(**slot) == Some(node);
    world.keyspace().iter().filter(holds).copied().collect()
}

/// Whether what is not recorded of a slot is in doubt with its holder, and nothing of it counts as given back.
fn in_doubt(world: &World, slot: Slot) -> bool {
    let holder = world.holder(slot).expect("somebody holds it");
    let machine = &world.machines[holder];
    machine.suspect_until(slot).is_some() && machine.given_back(slot).is_none()
}

#[test]
fn what_is_flushed_whole_is_taken_in_order() {
    let mut world = cluster(Durability::Synced);
    let moving = held(&world, 0);
    world.fault_at(world.real, Fault::Drain { node: 0 });
    world.run_for(30, "the drain", |world| {
        world.held_by(1) == world.keyspace().len()
    });
    for slot in moving {
        assert!(world.machines[1].given_back(slot).is_some(), "{slot}");
    }
}

/// A row of each slot was refused by the store, and its client has its answer.
#[test]
fn what_was_refused_in_part_is_taken_by_force() {
    let mut world = cluster(Durability::Synced);
    let moving = held(&world, 0);
    world.machines[0].refused = true;
    world.fault_at(world.real, Fault::Drain { node: 0 });
    world.run_for(60, "the drain", |world| {
        world.held_by(1) == world.keyspace().len()
    });
    for slot in moving {
        assert!(in_doubt(&world, slot), "{slot}");
    }
}

/// The slots moved in order, and the failover lost that: the old claims are back. Their new holders know all and go on.
#[test]
fn what_was_given_back_in_the_lost_time_is_claimed_anew_in_doubt() {
    let mut world = cluster(Durability::Single);
    let moving = held(&world, 0);
    world.fault_at(world.real, Fault::Replicate);
    world.fault_at(world.real, Fault::Drain { node: 0 });
    world.run_for(30, "the drain", |world| {
        world.held_by(1) == world.keyspace().len()
    });
    world.fault_at(world.real, Fault::FailOver);
    world.run_until(world.real + 40 * SECOND);
    assert!(world.all_held(), "{}", world.describe());
    for slot in moving {
        assert!(in_doubt(&world, slot), "{slot}");
        let epoch = world.machines[1].epoch(slot).expect("it went on");
        assert_eq!(epoch.timeline, 2);
    }
}

/// The same, and the new holder died with what it knew: whoever claims the slots of the old owner that is back, or of
/// nobody, does not take their rows for all that was promised.
#[test]
fn a_claim_that_is_back_from_the_dead_is_never_taken_in_order() {
    for restarted in [0, 1] {
        let mut world = cluster(Durability::Single);
        world.fault_at(world.real, Fault::Replicate);
        world.fault_at(world.real, Fault::Drain { node: 0 });
        world.run_for(30, "the drain", |world| {
            world.held_by(1) == world.keyspace().len()
        });
        world.fault_at(world.real, Fault::Kill { node: 1 });
        world.fault_at(world.real, Fault::FailOver);
        world.fault_at(world.real, Fault::Resume { node: 0 });
        world.fault_at(world.real + SECOND, Fault::Restart { node: restarted });
        world.run_until(world.real + 2 * SECOND);
        world.run_for(90, "somebody takes over", World::all_held);
        for &slot in world.keyspace() {
            assert!(in_doubt(&world, slot), "{slot}, {restarted} restarted");
        }
    }
}

/// Given back before the copy was made, and taken after it: nobody holds it by the store's word, and nobody alive knows
/// who did.
#[test]
fn what_nobody_holds_after_a_lossy_failover_is_in_doubt_for_a_fresh_node_too() {
    let mut world = cluster(Durability::Single);
    world.fault_at(world.real, Fault::Kill { node: 1 });
    world.run_for(40, "the takeover", |world| {
        world.held_by(0) == world.keyspace().len()
    });
    world.fault_at(world.real, Fault::Leave { node: 0 });
    world.run_until(world.real + 20 * SECOND);
    world.fault_at(world.real, Fault::Replicate);
    world.fault_at(world.real, Fault::Restart { node: 1 });
    world.run_until(world.real + SECOND);
    world.run_for(60, "the restart", World::all_held);
    let last = world.machines.len() - 1;
    world.fault_at(world.real, Fault::FailOver);
    world.fault_at(world.real, Fault::Restart { node: last });
    world.run_until(world.real + SECOND);
    world.run_for(90, "another restart", World::all_held);
    for &slot in world.keyspace() {
        assert!(in_doubt(&world, slot), "{slot}");
    }
}

/// The same when nobody was alive at the failover, and commits wait for a standby by the time somebody starts: how safe
/// they are now says nothing of then.
#[test]
fn what_was_lost_stays_in_doubt_when_commits_wait_for_a_standby_again() {
    let mut world = cluster(Durability::Single);
    world.fault_at(world.real, Fault::Kill { node: 1 });
    world.run_for(40, "the takeover", |world| {
        world.held_by(0) == world.keyspace().len()
    });
    world.fault_at(world.real, Fault::Leave { node: 0 });
    world.run_until(world.real + 20 * SECOND);
    world.fault_at(world.real, Fault::Replicate);
    world.fault_at(world.real, Fault::Restart { node: 1 });
    world.run_until(world.real + SECOND);
    world.run_for(60, "the restart", World::all_held);
    let last = world.machines.len() - 1;
    world.fault_at(world.real, Fault::Kill { node: last });
    world.fault_at(world.real, Fault::FailOver);
    world.run_until(world.real + SECOND);
    world.store.durability = Durability::Synced;
    world.fault_at(world.real, Fault::Restart { node: last });
    world.run_until(world.real + SECOND);
    world.run_for(90, "another restart", World::all_held);
    for &slot in world.keyspace() {
        assert!(in_doubt(&world, slot), "{slot}");
    }
}

/// After a failover that lost nothing, claims of the former history go on because a standby confirms every commit. When
/// none does any more no fence counts, and what is written is refused until the slots are claimed anew.
#[test]
fn claims_of_a_former_history_are_made_anew_when_nobody_confirms_commits_any_more() {
    let mut world = cluster(Durability::Synced);
    world.fault_at(world.real, Fault::FailOver);
    world.run_until(world.real + 20 * SECOND);
    let timelines = |world: &World| -> Vec<u32> {
        let epoch = |slot| {
            let holder = world.holder(slot).expect("it is held");
            world.machines[holder].epoch(slot).expect("it is held").timeline
        };
        world.keyspace().iter().map(|&slot| epoch(slot)).collect()
    };
    assert!(timelines(&world).iter().all(|&timeline| timeline == 1));
    world.store.durability = Durability::Single;
    for _ in 0..100 {
        world.run_until(world.real + SECOND / 10);
        assert!(world.all_held(), "{}", world.describe());
    }
    assert!(timelines(&world).iter().all(|&timeline| timeline == 2));
}

/// Leases are dated by what the clock showed when it was right.
#[test]
fn a_wall_clock_that_is_set_after_it_was_compared_dates_nothing() {
    let first = |world: &mut World| {
        while world.machines[0].wall_less_boot().is_none() || world.held_by(0) == 0 {
            world.run_until(world.real + SECOND / 1000);
        }
        world.real
    };
    let fresh = || World::new(7, 1, 16, Timing::default(), Durability::Synced);
    let mut right = fresh();
    let held_from = first(&mut right);
    let distance = right.machines[0].wall_less_boot();
    let now = right.machines[0].now(held_from);
    let shown = now.wall.0.cast_signed() - (now.boot.0 / 1_000_000).cast_signed();
    let off = distance.expect("it was compared") - shown;
    assert!(off.abs() < 100, "{off} ms, at a rate that is a hundredth wrong");
    let mut set = fresh();
    set.run_until(held_from - SECOND / 1000);
    assert_eq!(set.held_by(0), 0);
    set.fault_at(set.real, Fault::Skew { node: 0, ms: 30_000 });
    assert_eq!(first(&mut set), held_from);
    assert_eq!(set.machines[0].wall_less_boot(), distance);
    set.run_for(20, "the slots are given away", |world| world.held_by(0) == 0);
    assert_eq!(
        set.machines[0].wall_less_boot(),
        distance,
        "nor when it is compared"
    );
}

/// A look shows a grant before its answer comes: the slots are this node's and not held, so it wishes for them.
#[test]
fn what_is_held_by_now_is_not_claimed_once_more() {
    let mut world = World::new(7, 1, 16, Timing::default(), Durability::Synced);
    world.patience = 10 * SECOND;
    world.late_claims = 4 * SECOND;
    world.run_for(60, "the first plan is followed", World::all_held);
    let began = world.real;
    while world.real < began + 20 * SECOND {
        world.run_until(world.real + SECOND / 10);
        assert!(world.all_held(), "{}", world.describe());
    }
    for &slot in world.keyspace() {
        assert_eq!(world.store.claims_of(slot), 1, "{slot}");
    }
}

/// The same when the wish is granted before that answer, unknown to the node: it decides under a term that is over.
#[test]
fn a_term_that_a_later_grant_hides_stays_in_doubt() {
    let mut world = World::new(7, 1, 16, Timing::default(), Durability::Synced);
    world.patience = 60 * SECOND;
    world.late_claims = 20 * SECOND;
    let slot = world.keyspace()[0];
    world.run_for(60, "the second claim", |world| world.store.claims_of(slot) == 2);
    world.late_claims = 0;
    assert_eq!(world.held_by(0), 0, "neither answer is here");
    world.run_for(10, "the first answer", |world| world.held_by(0) > 0);
    let former = world.machines[0].epoch(slot).expect("it is held").counter;
    assert_eq!(former, 1, "the store has another by then");
    world.run_for(20, "the claims of what was lost", |world| {
        world.all_held() && world.store.claims_of(slot) > 2
    });
    for &slot in world.keyspace() {
        assert!(in_doubt(&world, slot), "{slot}");
    }
}

/// What a node lost by force is the next one's doubt, and over with that one's.
#[test]
fn a_term_that_somebody_has_answered_for_is_in_doubt_no_more() {
    let mut world = cluster(Durability::Synced);
    let lost = held(&world, 0);
    world.fault_at(world.real, Fault::Pause { node: 0, secs: 25 });
    world.fault_at(world.real, Fault::Drain { node: 0 });
    world.run_for(60, "the takeover", |world| {
        world.held_by(1) == world.keyspace().len()
    });
    world.run_until(world.real + 700 * SECOND);
    let before: Vec<u64> = lost.iter().map(|&slot| world.store.claims_of(slot)).collect();
    // The answers to the next claims are lost, and the slots are claimed once more.
    world.late_claims = 4 * SECOND;
    world.fault_at(world.real, Fault::Resume { node: 0 });
    world.run_for(60, "the grants", |world| {
        lost.iter()
            .zip(&before)
            .any(|(&slot, &before)| world.store.claims_of(slot) > before)
    });
    world.late_claims = 0;
    let back = |world: &World| {
        let here = |slot: &Slot| world.holder(*slot) == Some(0);
        lost.iter().copied().filter(here).collect::<Vec<_>>()
    };
    world.run_for(60, "the second claims", |world| {
        world.all_held() && !back(world).is_empty()
    });
    for slot in back(&world) {
        assert!(!in_doubt(&world, slot), "{slot}");
        assert!(world.machines[0].given_back(slot).is_some(), "{slot}");
    }
}
