//! Questions and changes while packets flow.

use crate::client::Relay;
use crate::server::{Server, network, run, settings, until};
use purlin_api::events::Cursor;
use purlin_api::past::OtherLife;
use purlin_dhcp_core::view::{DecisionQuery, LeaseQuery, LeaseState};
use purlin_dhcp_proto::MessageType;
use purlin_dhcp_server::ApplyError;
use std::net::UdpSocket;

#[test]
fn pages_follow_each_other_without_gaps_or_repeats() {
    run(async {
        let server = Server::start(settings(2, 2)).await;
        for n in [1u8, 2] {
            let relay = Relay::new(server.address, [10, n, 0, 1]);
            (0..30).for_each(|client| {
                relay.lease(u32::from(n) << 16 | client);
            });
        }
        let mut query = LeaseQuery {
            limit: 7,
            ..LeaseQuery::default()
        };
        let mut seen = Vec::new();
        loop {
            let page = server.handle.leases(query.clone()).await;
            seen.extend(page.leases.iter().map(|lease| lease.address));
            let Some(next) = page.next else { break };
            query.after = Some(next);
        }
        assert_eq!(seen.len(), 60);
        assert!(seen.is_sorted_by(|a, b| a < b));
        let usage = server.handle.usage().await;
        assert_eq!(
            usage
                .iter()
                .map(|u| (u.subnet.as_str(), u.bound))
                .collect::<Vec<_>>(),
            [("net-1", 30), ("net-2", 30)]
        );
        server.stop().await;
    });
}

#[test]
fn a_released_lease_is_found_released() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        let address = relay.lease(9);
        assert_eq!(server.handle.find("02:00:00:00:00:09").await.len(), 1);
        assert_eq!(server.handle.release(address).await, Ok(true));
        assert_eq!(
            server.handle.lease(address).await.map(|l| l.state),
            Some(LeaseState::Released)
        );
        assert_eq!(
            server.handle.release("10.1.200.7".parse().unwrap()).await,
            Ok(false)
        );
        server.stop().await;
    });
}

#[test]
fn decisions_are_followed_by_cursor() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let (_, cursor, _) = server.handle.decisions_since(Vec::new(), 100).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        relay.lease(3);
        let stray = Relay::new(server.address, [10, 99, 0, 1]);
        stray.discover(4);
        let (told, next, missed) = until(
            || server.handle.decisions_since(cursor.clone(), 100),
            |(told, _, _)| told.len() >= 3,
        )
        .await;
        assert_eq!(
            (missed, told[0].1.event, told[0].1.answer),
            (0, "DHCPDISCOVER", "DHCPOFFER")
        );
        assert!(told[2].1.text.contains("10.99.0.1"), "{}", told[2].1.text);
        assert!(server.handle.decisions_since(next, 100).await.0.is_empty());
        let query = DecisionQuery {
            notable_only: true,
            limit: 5,
            ..DecisionQuery::default()
        };
        assert_eq!(server.handle.decisions(query).await.len(), 1);
        server.stop().await;
    });
}

#[test]
fn pages_of_decisions_meet_while_both_threads_go_on() {
    run(async {
        let server = Server::start(settings(2, 2)).await;
        let relays = [1, 2].map(|net| Relay::new(server.address, [10, net, 0, 1]));
        for client in 0..20 {
            relays[client as usize % 2].lease(client);
        }
        let query = DecisionQuery {
            limit: 7,
            ..DecisionQuery::default()
        };
        let (mut cursor, mut seen) = (None, Vec::new());
        loop {
            let page = server.handle.decisions_before(query.clone(), cursor).await;
            let page = page.expect("a cursor of this start");
            assert!(page.told.is_sorted_by_key(|told| told.decision.at));
            assert_eq!(page.overwritten, 0);
            seen.extend(page.told.iter().map(|told| (told.decision.mac, told.event)));
            relays[0].lease(100 + seen.len() as u32);
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(seen.len(), 40, "OFFER and ACK of each client, once");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 40);
        let other = Cursor::new(1, vec![5, 5]);
        assert_eq!(
            server.handle.decisions_before(query, Some(other)).await.err(),
            Some(OtherLife)
        );
        server.stop().await;
    });
}

#[test]
fn new_settings_keep_leases_and_sockets() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        let kept = relay.lease(1);
        let mut more = settings(1, 1);
        more.networks.push(network("added", 7));
        let applied = server.handle.apply(more).await.expect("the settings are good");
        assert!(applied.restart_needed.is_empty());
        assert_eq!(server.handle.status().await.listen, [server.address]);
        relay.remember(1, kept);
        assert_eq!(relay.hear().kind, MessageType::Ack);
        let added = Relay::new(server.address, [10, 7, 0, 1]);
        assert_eq!(added.lease(2).octets()[..2], [10, 7]);
        server.stop().await;
    });
}

#[test]
fn a_wrong_address_harms_nothing_that_runs() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
        let std::net::SocketAddr::V4(address) = taken.local_addr().unwrap() else {
            unreachable!()
        };
        let mut wrong = settings(1, 1);
        wrong.listen.push(address);
        wrong.networks.clear();
        let fault = server
            .handle
            .apply(wrong)
            .await
            .expect_err("the address is in use");
        assert!(matches!(fault, ApplyError::Listen { .. }), "{fault}");
        let mut missing = settings(1, 1);
        missing.interfaces.push("no-such-device".into());
        assert!(matches!(
            server.handle.apply(missing).await,
            Err(ApplyError::NoInterface(_))
        ));
        relay.lease(1);
        server.stop().await;
    });
}

#[test]
fn a_second_listen_address_is_opened_and_closed_while_running() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let mut two = settings(1, 1);
        two.listen.push("127.0.0.2:0".parse().unwrap());
        server.handle.apply(two).await.expect("the settings are good");
        let listening = server.handle.status().await.listen;
        assert_eq!(listening.len(), 2);
        Relay::new(listening[1], [10, 1, 0, 1]).lease(5);
        server
            .handle
            .apply(settings(1, 1))
            .await
            .expect("the settings are good");
        assert_eq!(server.handle.status().await.listen, [server.address]);
        // The port is free again once the thread has let go of it.
        until(|| async { UdpSocket::bind(listening[1]).is_ok() }, |free| *free).await;
        server.stop().await;
    });
}

#[test]
fn listening_ends_and_begins_again_without_a_start() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let mut off = settings(1, 1);
        off.enabled = false;
        let applied = server.handle.apply(off).await.expect("the settings are good");
        assert!(applied.restart_needed.is_empty());
        assert!(server.handle.status().await.listen.is_empty());
        server
            .handle
            .apply(settings(1, 1))
            .await
            .expect("the settings are good");
        let relay = Relay::new(server.handle.status().await.listen[0], [10, 1, 0, 1]);
        relay.lease(1);
        server.stop().await;
    });
}
