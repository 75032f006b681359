//! Rows on their way from the store to the packet thread.

use super::rows::Rows;
use super::world::{World, run, until};
use crate::client::Relay;
use crate::journal::Journals;
use crate::server::settings;
use purlin_dhcp_proto::MessageType;
use purlin_dhcp_server::{ForwardKey, ServerConfig, ShareConfig, Sharing, Switches, start};
use purlin_fabric::Holdings;
use purlin_fabric_runtime::local::LocalClaims;
use purlin_fabric_runtime::{SharedTenure, Tenant};
use purlin_netio::{UdpOptions, UdpPort};
use purlin_store::FencedRows;
use purlin_types::{SLOTS, Slot};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// A client whose lease is not read yet looks like a stranger: its packet waits in the socket.
#[test]
fn no_packet_is_read_before_all_leases_are() {
    run(async {
        let world = World::new();
        let former = world.node("a", 1).await;
        former.decides(|held| held == usize::from(SLOTS)).await;
        let address = Relay::new(former.address, [10, 1, 0, 1]).lease_in_time(1);
        former.fabric.leave().await;
        former.die().await;
        world.rows.keep_to_itself(true);
        let node = world
            .node_that_waits("b", 2, Some(Duration::from_secs(3600)))
            .await;
        world.rows.until_read().await;
        let relay = Relay::new(node.address, [10, 1, 0, 1]);
        // Said once: whoever reads it too early has nothing to answer.
        relay.remember(1, address);
        let asked = world.rows.until_asked_for_copies();
        asked.await;
        assert_eq!(node.handle.held().await, 0, "nothing is read");
        world.rows.keep_to_itself(false);
        let ack = relay.hear();
        assert_eq!((ack.kind, ack.address), (MessageType::Ack, address));
        assert_eq!(node.handle.held().await, usize::from(SLOTS));
    });
}

/// The fabric gives slots up while their rows are being read: what comes of that must not be taken up, because the next
/// holder may have them already, in order.
#[test]
fn a_slot_that_is_given_up_while_it_is_read_is_not_adopted() {
    run(async {
        let claims = Arc::new(LocalClaims::new(Arc::new(purlin_netio::now), 1));
        let rows = Rows::over(&claims);
        let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        let peers = UdpPort::bind(any, &UdpOptions::default());
        let share = ShareConfig {
            patient: None,
            rows: Arc::clone(&rows) as Arc<dyn FencedRows>,
            tenure: SharedTenure::sole(),
            lost: mpsc::unbounded_channel().0,
            homes: Arc::new(|_| None),
            peers: Arc::new(peers.expect("a free port")),
            key: ForwardKey::new(b"a secret of this test").expect("long enough"),
            runtime: tokio::runtime::Handle::current(),
        };
        let (handle, running) = start(ServerConfig {
            pins: [].into(),
            settings: settings(1, 1),
            switches: Switches::default(),
            journals: Arc::new(Journals::default()),
            receive_buffer: 1 << 20,
            pin_threads: false,
            recovery: None,
            share: Some(share.clone()),
        })
        .expect("the service starts");
        let sharing = Sharing::start(&handle, &share);
        rows.keep_to_itself(true);
        // Holdings that say so still: the fabric tells the services to let go first.
        sharing.held(&Arc::new(Holdings::sole()));
        rows.until_read().await;
        let [first, second] = [0, 1].map(|n| Slot::new(n).expect("a slot"));
        assert_eq!(sharing.give_up(&[first, second]).await, []);
        rows.keep_to_itself(false);
        let others = usize::from(SLOTS) - 2;
        until("all others were adopted", async || handle.held().await >= others).await;
        let held = handle.slots().await;
        assert!(!held.contains(first) && !held.contains(second));
        running.stop(Duration::ZERO).await;
    });
}
