//! The checks: every scene with all rules, every rule by leaving it out.

use super::{Mutation, Scene, Start};
use stateright::{Checker, HasDiscoveries, Model};

/// New clients are told first; two takeovers.
const LEAD: Scene = Scene {
    start: Start::Held,
    horizon: 2,
    ttl: 2,
    mclt: 2,
    lease: 2,
    lossy: false,
    lead: true,
    durable: false,
    releases: false,
    terms: 3,
    mutation: None,
};

/// New clients are told when their row is written.
const DURABLE: Scene = Scene {
    lead: false,
    durable: true,
    terms: 2,
    ..LEAD
};

/// A client's recorded time is over: the address may change hands.
const OVER: Scene = Scene {
    start: Start::Bound { pot: 0 },
    lead: false,
    ..LEAD
};

/// The same with a lease longer than MCLT, and tenures over more than one tick.
const LONG: Scene = Scene {
    horizon: 3,
    ttl: 3,
    mclt: 1,
    lease: 4,
    terms: 2,
    ..OVER
};

/// Claims are given back in order, too.
const HANDOVER: Scene = Scene {
    horizon: 1,
    releases: true,
    ..LEAD
};

/// The store fails over and loses what the standby did not have.
const LOSSY: Scene = Scene {
    lossy: true,
    horizon: 1,
    terms: 2,
    ..LEAD
};

/// More than any scene that is explored whole generates.
const STATES_MAX: usize = 20_000_000;

/// How many states there are, and the invariant that fell with the steps to it.
fn explore(scene: Scene) -> (usize, Option<String>) {
    let builder = scene.checker().threads(2).target_state_count(STATES_MAX);
    let checker = builder.finish_when(HasDiscoveries::Any).spawn_bfs().join();
    let found = checker.discoveries().into_iter().next();
    let found = found.map(|(name, path)| format!("{name}: {:?}", path.into_actions()));
    assert!(checker.state_count() < STATES_MAX, "not every state was seen");
    (checker.unique_state_count(), found)
}

fn holds(scene: Scene) {
    let (states, found) = explore(scene);
    println!("{states} states");
    assert_eq!(found, None);
}

fn caught(scene: Scene, mutation: Mutation) {
    let (states, found) = explore(scene.without(mutation));
    println!("{mutation:?}: {states} states, {found:?}");
    assert!(found.is_some(), "{mutation:?} was not caught");
}

macro_rules! scenes {
    ($($name:ident: $scene:expr;)*) => {
        $(#[test] fn $name() { holds($scene); })*
    };
}

macro_rules! mutations {
    ($($name:ident: $scene:expr, $mutation:ident;)*) => {
        $(#[test] fn $name() { caught($scene, Mutation::$mutation); })*
    };
}

scenes! {
    all_rules_hold_when_new_clients_are_told_first: LEAD;
    all_rules_hold_when_new_clients_are_told_last: DURABLE;
    all_rules_hold_when_addresses_change_clients: OVER;
    all_rules_hold_in_handovers: HANDOVER;
    all_rules_hold_when_commits_are_lost: LOSSY;
}

mutations! {
    the_time_lease_is_needed: LONG, NoTimeLease;
    counting_from_the_sending_is_needed: LEAD, CountedFromAnswer;
    a_lease_that_ended_must_not_be_revived: LEAD, LateRenewalRevives;
    a_grant_needs_an_unbroken_lease: LEAD, LateGrantHeld;
    a_renewal_is_bounded_by_mclt: LONG, UnboundedRenewal;
    the_durable_window_is_needed: LEAD, NoWindow;
    reassigning_waits_for_mclt: OVER, NoMcltOnReassigning;
    reassigning_counts_from_the_takeover: OVER, NoTakeoverFloor;
    reassigning_is_written_first: OVER, LazyReassign;
    the_quarantine_is_needed: LEAD, NoQuarantine;
    the_quarantine_is_durable: HANDOVER, QuarantineNotDurable;
    writes_are_fenced: OVER, NoFence;
    free_claims_wait_after_a_failover: LOSSY, FreeTakenAtOnce;
    watches_start_anew_after_a_failover: LOSSY, WatchNotRestarted;
    a_grant_of_another_history_is_not_taken_up: LOSSY, GrantFromAnotherHistory;
    claims_are_suspect_after_a_failover: LOSSY, NoQuarantineAfterFailover;
}
