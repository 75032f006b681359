//! One client, one lease in a network, whichever nodes hold its addresses (fabric.md 2.3, R7: the backstop).

use super::world::{Node, World, run, until};
use crate::client::{Answer, Relay};
use purlin_dhcp_proto::MessageType;
use purlin_types::Slot;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Two nodes, and an address of each: a client has the second one.
async fn two(world: &World) -> ([Node; 2], Relay, Ipv4Addr, Ipv4Addr) {
    let (a, b) = (world.node("a", 1).await, world.node("b", 2).await);
    let share = |held: usize| (1800..2300).contains(&held);
    tokio::join!(a.decides(share), b.decides(share));
    let relay = Relay::new(a.address, [10, 1, 0, 1]);
    let blocks = || (0..64).map(|block| Ipv4Addr::new(10, 1, 1 + block / 4, block % 4 * 64 + 9));
    let of = |node: &Node| {
        let held = node.fabric.holdings().borrow().clone();
        let mine = |address: &Ipv4Addr| held.slots().contains(Slot::of_address(*address));
        blocks().find(mine).expect("each has some of the first blocks")
    };
    let (there, here) = (of(&b), of(&a));
    ([a, b], relay, here, there)
}

/// A lease of exactly this address; the client asks as often as it takes.
async fn chosen(relay: &Relay, client: u32, address: Ipv4Addr) -> Answer {
    relay.patience(Duration::from_millis(500));
    let answer = std::sync::Mutex::new(None);
    until("the address was the client's", async || {
        relay.discover_wishing(client, address);
        let offer = relay.hear_about(client, MessageType::Offer);
        let Some(offer) = offer.filter(|offer| offer.address == address) else {
            return false;
        };
        relay.request(client, &offer);
        let ack = relay.hear_about(client, MessageType::Ack);
        *answer.lock().expect("nobody panics with it") = ack.clone();
        ack.is_some()
    })
    .await;
    let answer = answer.into_inner().expect("nobody panics with it");
    answer.expect("it was there")
}

#[test]
fn a_client_that_moves_to_another_nodes_address_gives_the_former_one_up_there() {
    run(async {
        let world = World::new();
        let ([_a, b], relay, here, there) = two(&world).await;
        chosen(&relay, 1, there).await;
        let ack = chosen(&relay, 1, here).await;
        assert_eq!(ack.address, here);
        assert_eq!(world.rows.live().len(), 1, "one lease for one client");
        b.has_decided("vacated", 1).await;
        assert_eq!(b.bound().await, 0);
    });
}

#[test]
fn a_row_that_is_refused_is_not_written_again_by_itself() {
    run(async {
        let world = World::new();
        let ([a, b], relay, here, there) = two(&world).await;
        chosen(&relay, 1, there).await;
        // Its owner does not hear of it, and its row stays.
        b.die().await;
        relay.discover_wishing(1, here);
        let offer = relay.hear_about(1, MessageType::Offer).expect("it is free");
        relay.request(1, &offer);
        a.has_decided("unwritten", 1).await;
        let refused = world.rows.refused();
        assert_eq!(
            relay.hear_about(1, MessageType::Ack),
            None,
            "no reply without its record"
        );
        let asked = world.rows.until_asked_for_copies();
        asked.await;
        assert_eq!(world.rows.refused(), refused);
        let kept = a.handle.lease(here).await.map(|lease| lease.state);
        assert_ne!(kept, Some(purlin_dhcp_core::view::LeaseState::Bound));
    });
}
