//! Nodes over one store of leases, in one process: real packets, claims in memory.

mod copies;
mod handing;
mod loading;
mod moving;
mod rows;
mod world;

use crate::client::Relay;
use purlin_types::SLOTS;
use std::collections::BTreeSet;
use world::{World, run};

#[test]
fn any_node_answers_and_none_gives_an_address_twice() {
    run(async {
        let world = World::new();
        let (a, b) = (world.node("a", 1).await, world.node("b", 2).await);
        let share = |held: usize| (1800..2300).contains(&held);
        tokio::join!(a.decides(share), b.decides(share));
        let (by_a, by_b) = (
            Relay::new(a.address, [10, 1, 0, 1]),
            Relay::new(b.address, [10, 1, 0, 1]),
        );
        let first: Vec<_> = (0..200)
            .map(|client| {
                if client % 2 == 0 {
                    by_a.lease_in_time(client)
                } else {
                    by_b.lease_in_time(client)
                }
            })
            .collect();
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 200);
        // The same clients through the other node: whoever holds their address answers.
        let again: Vec<_> = (0..200)
            .map(|client| {
                if client % 2 == 0 {
                    by_b.lease_in_time(client)
                } else {
                    by_a.lease_in_time(client)
                }
            })
            .collect();
        assert_eq!(first, again);
        let (by_one, by_other) = (a.bound().await, b.bound().await);
        assert_eq!(by_one + by_other, 200);
        assert!(by_one > 50 && by_other > 50, "{by_one} and {by_other}");
    });
}

#[test]
fn a_dead_nodes_clients_keep_their_addresses_at_the_other() {
    run(async {
        let world = World::new();
        let (a, b) = (world.node("a", 1).await, world.node("b", 2).await);
        let share = |held: usize| (1800..2300).contains(&held);
        tokio::join!(a.decides(share), b.decides(share));
        let relay = Relay::new(a.address, [10, 1, 0, 1]);
        let leases: Vec<_> = (0..100).map(|client| relay.lease_in_time(client)).collect();
        b.die().await;
        a.decides(|held| held == usize::from(SLOTS)).await;
        let again: Vec<_> = (0..100).map(|client| relay.lease_in_time(client)).collect();
        assert_eq!(leases, again);
        assert_eq!(a.bound().await, 100);
    });
}

#[test]
fn a_node_that_leaves_hands_its_leases_over() {
    run(async {
        let world = World::new();
        let a = world.node("a", 1).await;
        a.decides(|held| held == usize::from(SLOTS)).await;
        let relay = Relay::new(a.address, [10, 1, 0, 1]);
        let leases: Vec<_> = (0..100).map(|client| relay.lease_in_time(client)).collect();
        let b = world.node("b", 2).await;
        b.decides(|held| held > 100).await;
        a.fabric.leave().await;
        b.decides(|held| held == usize::from(SLOTS)).await;
        assert_eq!(a.handle.held().await, 0);
        let relay = Relay::new(b.address, [10, 1, 0, 1]);
        let again: Vec<_> = (0..100).map(|client| relay.lease_in_time(client)).collect();
        assert_eq!(leases, again);
    });
}
