//! Several packet threads: who gets which packet, and what becomes of journals when their number changes.

use crate::client::Relay;
use crate::server::{Server, network, run, settings};
use purlin_dhcp_core::view::LeaseQuery;
use purlin_dhcp_proto::MessageType;
use std::net::Ipv4Addr;

fn in_network(address: Ipv4Addr, n: u8) -> bool {
    address.octets()[..2] == [10, n]
}

#[test]
fn each_network_is_served_by_its_own_thread_and_journal() {
    run(async {
        let server = Server::start(settings(2, 2)).await;
        let frames = |server: &Server, n: usize| server.journals.frames(&format!("dhcp-{n}"));
        let before = [frames(&server, 0), frames(&server, 1)];
        for n in [1, 2] {
            let relay = Relay::new(server.address, [10, n, 0, 1]);
            for client in 0..20 {
                assert!(in_network(relay.lease(u32::from(n) * 1000 + client), n));
            }
        }
        assert!(frames(&server, 0) > before[0] || frames(&server, 1) > before[1]);
        let status = server.handle.status().await;
        assert_eq!((status.threads, status.journals.len()), (2, 2));
        let page = server
            .handle
            .leases(LeaseQuery {
                limit: 100,
                ..LeaseQuery::default()
            })
            .await;
        assert_eq!(page.leases.len(), 40);
        assert!(page.leases.is_sorted_by_key(|lease| lease.address));
        server.stop().await;
    });
}

#[test]
fn fewer_threads_take_over_the_journals_of_those_that_are_gone() {
    run(async {
        let server = Server::start(settings(2, 2)).await;
        let address = server.address;
        let leases = [1u8, 2].map(|n| Relay::new(address, [10, n, 0, 1]).lease(u32::from(n)));
        let journals = server.stop().await;
        assert_eq!(journals.names(), ["dhcp-0", "dhcp-1"]);

        let server = Server::start_on(settings(2, 1), journals).await;
        assert_eq!(server.journals.names(), ["dhcp-0"]);
        check_known(&server, leases);
        let journals = server.stop().await;

        let server = Server::start_on(settings(2, 2), journals).await;
        check_known(&server, leases);
        server.stop().await;
    });
}

fn check_known(server: &Server, leases: [Ipv4Addr; 2]) {
    for (n, lease) in [1u8, 2].into_iter().zip(leases) {
        let relay = Relay::new(server.address, [10, n, 0, 1]);
        relay.remember(u32::from(n), lease);
        assert_eq!(relay.hear().kind, MessageType::Ack);
    }
}

#[test]
fn a_subnet_that_changes_threads_takes_its_leases_along() {
    run(async {
        let server = Server::start(settings(2, 2)).await;
        let relays = [1u8, 2].map(|n| Relay::new(server.address, [10, n, 0, 1]));
        let leases = [relays[0].lease(1), relays[1].lease(2)];
        // Under a new name both subnets are one shared network: one thread's.
        let mut joined = settings(2, 2);
        let mut both = network("joined", 1);
        both.subnets.extend(joined.networks.remove(1).subnets);
        joined.networks = vec![both];
        joined.listen = vec![server.address];
        server.handle.apply(joined).await.expect("the settings are good");
        for (n, relay) in [1u32, 2].into_iter().zip(&relays) {
            let answer = relay.insist(|relay| relay.remember(n, leases[n as usize - 1]));
            assert_eq!(answer.kind, MessageType::Ack, "client {n}");
        }
        server.stop().await;
    });
}
