//! A slot that is given back in order: its next holder knows all that was promised, and waits for nothing.

use super::world::{Node, World, run};
use crate::client::Relay;
use crate::server::settings;
use purlin_dhcp_core::settings::{AckMode, Settings};
use purlin_types::SLOTS;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

const POOL: usize = 4;

/// Four addresses, answered ahead of their records, so that windows count.
fn few_addresses() -> Settings {
    let mut settings = settings(1, 1);
    settings.ack = AckMode::Lead;
    settings.affinity = Duration::ZERO;
    settings.networks[0].subnets[0].pools[0].range = "10.1.1.0-10.1.1.3".parse().expect("a range");
    settings
}

/// A world in which what is new is in doubt for a moment only; two clients have addresses there, one of them gave its
/// one back.
async fn world() -> (World, Node, Ipv4Addr, Ipv4Addr) {
    let mut world = World::with(few_addresses());
    world.timing.mclt = Duration::from_secs(1);
    let a = world.node("a", 1).await;
    a.decides(|held| held == usize::from(SLOTS)).await;
    a.is_beyond_doubt().await;
    // From here on a takeover that is not in order costs more time than a test has.
    world.timing.mclt = Duration::from_secs(600);
    let relay = Relay::new(a.address, [10, 1, 0, 1]);
    let kept = relay.lease_in_time(1);
    let offer = relay.offer(2);
    relay.request(2, &offer);
    let given_back = relay.hear().address;
    relay.release(2, &offer);
    a.has_decided("released", 1).await;
    (world, a, kept, given_back)
}

#[test]
fn after_an_orderly_handover_every_address_that_is_free_is_given_at_once() {
    run(async {
        let (world, a, kept, given_back) = world().await;
        let b = world.node("b", 2).await;
        a.fabric.leave().await;
        b.decides(|held| held == usize::from(SLOTS)).await;
        let relay = Relay::new(b.address, [10, 1, 0, 1]);
        assert_eq!(relay.lease_in_time(1), kept, "whose it is");
        let others: BTreeSet<_> = (11..14).map(|client| relay.lease_in_time(client)).collect();
        assert_eq!(others.len(), POOL - 1, "recorded or not");
        assert!(others.contains(&given_back) && !others.contains(&kept));
    });
}

#[test]
fn after_a_death_what_may_be_promised_rests_and_known_clients_go_on() {
    run(async {
        let (world, a, kept, _) = world().await;
        a.die().await;
        let b = world.node("b", 2).await;
        b.decides(|held| held == usize::from(SLOTS)).await;
        let relay = Relay::new(b.address, [10, 1, 0, 1]);
        assert_eq!(relay.lease_in_time(1), kept);
        relay.discover(11);
        b.has_decided("pool_exhausted", 1).await;
        assert!(relay.heard_nothing());
    });
}
