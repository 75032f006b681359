//! Packets in, answers out.

use crate::client::Relay;
use crate::server::{Server, run, settings, until};
use purlin_dhcp_core::settings::AckMode;
use purlin_dhcp_core::view::{LeaseQuery, LeaseState};
use std::collections::BTreeSet;
use std::net::UdpSocket;

#[test]
fn clients_behind_a_relay_get_different_addresses_and_keep_them() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        let first: Vec<_> = (0..100).map(|client| relay.lease(client)).collect();
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 100);
        let again: Vec<_> = (0..100).map(|client| relay.lease(client)).collect();
        assert_eq!(first, again);
        server.stop().await;
    });
}

#[test]
fn a_burst_beyond_one_batch_is_answered_whole() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        // More than two batches, yet within what the relay's own socket buffer holds.
        (0..150).for_each(|client| relay.discover(client));
        let answered: BTreeSet<u32> = (0..150).map(|_| relay.hear().xid).collect();
        assert_eq!(answered.len(), 150);
        server.stop().await;
    });
}

#[test]
fn lead_mode_answers_from_the_same_table() {
    run(async {
        let mut settings = settings(1, 1);
        settings.ack = AckMode::Lead;
        let server = Server::start(settings).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        let address = relay.lease(7);
        let lease = server.handle.lease(address).await.expect("the lease is there");
        assert_eq!(lease.state, LeaseState::Bound);
        server.stop().await;
    });
}

#[test]
fn hostile_datagrams_are_counted_and_do_no_harm() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        for bytes in [&[][..], &[0xff; 3], &[1; 240], &[0; 1400], &[7; 9000]] {
            socket
                .send_to(bytes, server.address)
                .expect("loopback takes packets");
        }
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        relay.lease(1);
        let page = server
            .handle
            .leases(LeaseQuery {
                limit: 10,
                ..LeaseQuery::default()
            })
            .await;
        assert_eq!(page.leases.len(), 1);
        let registry = purlin_telemetry::metrics::Registry::new();
        registry.register(std::sync::Arc::new(server.handle.metrics()));
        let text = until(
            || async { registry.text() },
            |text| text.contains("purlin_dhcp_truncated_total 1"),
        )
        .await;
        assert!(
            text.contains(r#"purlin_dhcp_packets_sent_total{type="ack"} 1"#),
            "{text}"
        );
        server.stop().await;
    });
}

#[test]
fn what_is_known_of_a_machine_is_asked_by_its_address() {
    run(async {
        let server = Server::start(settings(2, 2)).await;
        let relay = Relay::new(server.address, [10, 2, 0, 1]);
        let address = relay.lease(9);
        let facts = server.handle.facts(address).await.expect("it has a lease");
        assert_eq!(facts.mac.0, [2, 0, 0, 0, 0, 9]);
        assert_eq!((facts.architecture, facts.user_class), (None, None));
        let handle = server.handle.clone();
        let waited = std::thread::spawn(move || handle.wait_for_facts(address));
        assert_eq!(waited.join().expect("it ends").map(|f| f.mac), Some(facts.mac));
        assert_eq!(server.handle.facts([10, 2, 9, 9].into()).await, None);
        assert_eq!(server.handle.facts([192, 0, 2, 1].into()).await, None);
        server.stop().await;
    });
}
