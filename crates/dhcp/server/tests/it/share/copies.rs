//! A store with a copy that follows in its own time: what is promised before it has the rows, and what a failover to it
//! changes.

use super::world::{Node, World, run, until};
use crate::client::{Answer, Relay};
use crate::server::settings;
use purlin_dhcp_core::settings::Settings;
use purlin_dhcp_proto::MessageType;
use purlin_types::SLOTS;
use std::time::Duration;

const LEAD: u32 = 600;
const FULL: u32 = 3600;

/// One node with all addresses.
async fn alone(world: &World) -> (Node, Relay) {
    let node = world.node("a", 1).await;
    node.decides(|held| held == usize::from(SLOTS)).await;
    let relay = Relay::new(node.address, [10, 1, 0, 1]);
    (node, relay)
}

/// Only one address, and nobody keeps one that is not his any more.
fn one_address() -> Settings {
    let mut settings = settings(1, 1);
    settings.affinity = Duration::ZERO;
    settings.networks[0].subnets[0].pools[0].range = "10.1.1.0-10.1.1.0".parse().expect("a range");
    settings
}

fn ack(relay: &Relay, client: u32, offer: &Answer) -> Answer {
    relay.request(client, offer);
    let ack = relay.hear();
    assert_eq!((ack.kind, ack.xid), (MessageType::Ack, client));
    ack
}

#[test]
fn the_lead_time_is_promised_until_the_copy_has_the_row() {
    run(async {
        let world = World::new();
        let (_a, relay) = alone(&world).await;
        let offer = relay.offer(1);
        let promised = ack(&relay, 1, &offer).lease;
        assert_eq!(promised, FULL, "no copy: what is written is written");
        world.lag();
        world.rows.until_asked_for_copies().await;
        let offer = relay.offer(2);
        assert_eq!(ack(&relay, 2, &offer).lease, LEAD);
        // What the copy has is counted in whole seconds, and each answer is a row that it has not got yet.
        until("the copy had the row", async || {
            world.lag();
            tokio::time::sleep(Duration::from_millis(1500)).await;
            ack(&relay, 2, &offer).lease == FULL
        })
        .await;
    });
}

#[test]
fn a_copy_that_appears_is_heeded_by_the_next_promise() {
    run(async {
        let world = World::new();
        let (_a, relay) = alone(&world).await;
        // Some of these are decided before anybody has asked whether there is a copy.
        for round in 0..5 {
            world.without_copy();
            until("it was known that there is none", async || {
                let offer = relay.offer(round * 10);
                ack(&relay, round * 10, &offer).lease == FULL
            })
            .await;
            let offers: Vec<Answer> = (1..9).map(|n| relay.offer(round * 10 + n)).collect();
            world.lag();
            for (client, offer) in (round * 10 + 1..).zip(&offers) {
                let ack = relay.insist(|relay| relay.request(client, offer));
                assert_eq!((ack.kind, ack.lease), (MessageType::Ack, LEAD));
            }
        }
    });
}

#[test]
fn an_address_goes_to_another_client_when_the_copy_knows_it() {
    run(async {
        let world = World::with(one_address());
        let (a, relay) = alone(&world).await;
        world.lag();
        world.rows.until_asked_for_copies().await;
        let first = relay.offer(1);
        ack(&relay, 1, &first);
        relay.release(1, &first);
        a.has_decided("released", 1).await;
        let second = relay.offer(2);
        // The last one is decided about after the first one's row was written, and what that one lets go has gone.
        for said in 1..=3 {
            let written = world.rows.written();
            relay.request(2, &second);
            until("the row was written", async || world.rows.written() > written).await;
            a.has_heard(MessageType::Request, 1 + said).await;
        }
        assert!(
            relay.heard_nothing(),
            "a failover would bring the former client back"
        );
        world.lag();
        let ack = relay.hear();
        assert_eq!(
            (ack.kind, ack.xid, ack.address),
            (MessageType::Ack, 2, second.address)
        );
    });
}

#[test]
fn what_a_failover_lost_is_said_again_by_who_holds_it() {
    run(async {
        let world = World::new();
        let (a, relay) = alone(&world).await;
        world.lag();
        let leases: Vec<_> = (0..50).map(|client| relay.lease_in_time(client)).collect();
        world.fail_over();
        assert!(world.rows.live().is_empty());
        until("all of it was there again", async || {
            let live = world.rows.live();
            live.len() == 50 && live.iter().all(|&timeline| timeline == 2)
        })
        .await;
        assert_eq!(a.handle.held().await, usize::from(SLOTS));
        let again: Vec<_> = (0..50).map(|client| relay.lease_in_time(client)).collect();
        assert_eq!(leases, again);
    });
}

#[test]
fn what_a_failover_lost_with_its_holder_is_nobodys_for_the_lead_time() {
    run(async {
        let world = World::with(one_address());
        let (a, relay) = alone(&world).await;
        world.lag();
        let address = relay.lease_in_time(1);
        world.fail_over();
        a.die().await;
        let b = world.node("b", 2).await;
        b.decides(|held| held == usize::from(SLOTS)).await;
        let relay = Relay::new(b.address, [10, 1, 0, 1]);
        relay.discover(2);
        relay.remember(1, address);
        b.has_heard(MessageType::Discover, 1).await;
        b.has_heard(MessageType::Request, 1).await;
        assert!(
            relay.heard_nothing(),
            "an offer of what is promised, or a refusal of it"
        );
    });
}
